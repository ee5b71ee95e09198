"""Summaries that are enforced: what a collection says of its items, held against the properties of one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from jsonschema import Draft202012Validator, SchemaError
from jsonschema.exceptions import UnknownType
from pystac.utils import str_to_datetime
from referencing import Registry
from referencing.exceptions import Unresolvable

Json = dict[str, Any]
BANDS = frozenset({"eo:bands", "bands", "raster:bands"})
"""Summaries of what stands in assets."""
KEYWORDS = frozenset(
    ("$ref", "type", "enum", "const", "pattern", "format", "items", "properties", "required", "allOf", "anyOf",
     "oneOf", "not", "minLength", "maxLength", "minItems", "maxItems", "exclusiveMinimum", "exclusiveMaximum",
     "multipleOf")
)  # fmt: skip
"""Members by which an object is told to be a JSON schema."""


def faults(summaries: Mapping[str, Any], item: Json) -> Iterator[tuple[str, str]]:
    """Each property that is not as the summaries have it, with what is wrong."""
    for name, summary in summaries.items():
        value = item["properties"].get(name)
        if value is None and name in BANDS:
            value = bands_of(item, name)
        if value is None:
            yield name, "it is missing, and the collection sums it up"
        elif (why := fault(summary, value)) is not None:
            yield name, why


def bands_of(item: Json, name: str) -> list[Any] | None:
    """The bands that the assets of an item have, all together."""
    assets = item.get("assets", {}).values()
    return [band for asset in assets for band in asset.get(name) or []] or None


def fault(summary: Any, value: Any) -> str | None:
    """What is wrong with a value by its summary: a list, a range, a JSON schema or a constant."""
    if isinstance(summary, list):
        values = value if isinstance(value, list) else [value]
        strange = [v for v in values if not is_listed(v, summary)]
        return f"{strange[0]!r} is not among {str(summary)[:200]}" if strange else None
    if isinstance(summary, Mapping):
        if summary.keys() <= {"minimum", "maximum"} and summary:
            return out_of_range(summary, value)
        if not KEYWORDS.isdisjoint(summary):
            return by_schema(summary, value)
    return None if same(value, summary) else f"{str(value)[:100]!r} is not {str(summary)[:100]!r}"


def is_listed(value: Any, summary: list[Any]) -> bool:
    """Is a value among those of a list? A band is by its name."""
    if isinstance(value, Mapping) and "name" in value:
        return any(isinstance(s, Mapping) and s.get("name") == value["name"] for s in summary)
    return any(same(value, s) for s in summary)


def same(one: Any, other: Any) -> bool:
    """Are they equal, and both of them truth values where one is?"""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def out_of_range(summary: Mapping[str, Any], value: Any) -> str | None:
    """What is wrong with a value that should lie in a range; texts that are times are compared as such."""
    for name, beyond in (("minimum", lambda v, end: v < end), ("maximum", lambda v, end: v > end)):
        if name not in summary:
            continue
        pair = comparable(value, summary[name])
        if pair is None:
            return f"{str(value)[:100]!r} cannot be compared with the {name} {summary[name]!r}"
        if beyond(*pair):
            return f"{str(value)[:100]} lies beyond the {name} {summary[name]}"
    return None


def comparable(value: Any, end: Any) -> tuple[Any, Any] | None:
    """Both as what they can be compared by; None where they cannot."""
    if is_number(value) and is_number(end):
        return value, end
    if not isinstance(value, str) or not isinstance(end, str):
        return None
    times = moment(value), moment(end)
    return times if None not in times else (value, end)


def is_number(value: Any) -> bool:
    """Is it a number?"""
    return isinstance(value, int | float) and not isinstance(value, bool)


def moment(text: str) -> datetime | None:
    """The time that a text is; None for other texts."""
    try:
        return str_to_datetime(text)
    except (ValueError, OverflowError):
        return None


def by_schema(schema: Mapping[str, Any], value: Any) -> str | None:
    """What is wrong with a value by a JSON schema, which may not refer to anything outside."""
    try:
        found = next(iter(Draft202012Validator(schema, registry=Registry()).iter_errors(value)), None)
    except (SchemaError, UnknownType, Unresolvable, TypeError, ValueError, RecursionError):
        return "the collection's schema for it cannot be used"
    return None if found is None else found.message[:300]
