"""Which fields are wanted, and in what order."""

from __future__ import annotations

from collections.abc import Sequence

from engine.coverages.faults import wrong
from engine.domain.model import Field

ALL = "*"
URN = "urn:x-gdc:"
"""What the identifiers of fields begin with."""


def chosen(
    fields: Sequence[Field], wanted: Sequence[str] | None, excluded: Sequence[str] = ()
) -> tuple[Field, ...]:
    """The fields of that name, identifier or index; `*` stands for all others.

    Raises:
        Problem: There is no such field, or none is left.
    """
    if wanted is None:
        out = [one(fields, name, "exclude-properties") for name in excluded]
        left = tuple(field for field in fields if field not in out)
        if not left:
            raise wrong(
                "exclude-properties", "no field is left", f"Leave {fields[0].name} in, or another one."
            )
        return left
    named = [None if name == ALL else one(fields, name, "properties") for name in wanted]
    rest = [field for field in fields if field not in named]
    found: list[Field] = []
    for field in named:
        found += rest if field is None else [field]
    return tuple(dict.fromkeys(found))


def one(fields: Sequence[Field], name: str, parameter: str) -> Field:
    """The field of that name, identifier or index."""
    by_name = {field.name: field for field in fields}
    found = by_name.get(name) or by_name.get(name.removeprefix(URN))
    if found is not None:
        return found
    if name.isascii() and name.isdecimal() and len(name) < 6 and int(name) < len(fields):
        return fields[int(name)]
    known = ", ".join(field.name for field in fields)
    raise wrong(
        parameter,
        f"there is no field {name[:40]!r}",
        f"The fields are {known}, or 0 to {len(fields) - 1}, or * for all others.",
    )
