"""The forms that coverages are given in, and what each of them can hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from engine.coverages.faults import wrong
from engine.domain.model import Axis
from engine.errors import Problem

IN_TEXT = 1_000_000
"""Values that are written as text."""


@dataclass(frozen=True, slots=True)
class Form:
    """A form of coverages."""

    format: str
    """The output format of process graphs that writes it."""
    is_plane: bool = False
    """Does it hold one plane of cells, of one time?"""
    stacks: bool = False
    """Do several times that are asked for become fields of that plane?"""
    fields: tuple[int, ...] = ()
    """How many fields it may have; any number where none are told."""
    most: int | None = None
    """How many values it may have."""
    has_ground: bool = False
    """Does it need both axes of the ground, so that a slice along one of them leaves it one cell wide?"""
    tells_crs: bool = False
    """Does it tell coordinates as text, in the order of the reference system?"""


FORMS: Mapping[str, Form] = MappingProxyType(
    {
        "geotiff": Form("GTiff", is_plane=True, stacks=True, has_ground=True),
        "netcdf": Form("netCDF"),
        "png": Form("PNG", is_plane=True, has_ground=True, fields=(1, 3, 4)),
        "json": Form("CIS", most=IN_TEXT, tells_crs=True),
        "covjson": Form("CovJSON", most=IN_TEXT, has_ground=True, tells_crs=True),
        "zarr": Form("Zarr"),
    }
)
"""By the name that requests have for them."""


def refuse_fields(name: str, form: Form, count: int) -> None:
    """Refuse a number of fields that the form cannot have."""
    if form.fields and count not in form.fields:
        known = " or ".join(map(str, form.fields))
        raise wrong(
            "f",
            f"{name} shows {known} fields, and there are {count}",
            "Choose some with properties=NAME,NAME.",
        )


def refuse_axis(name: str, axis: Axis, count: int) -> Problem:
    """The refusal of an axis that the form cannot have."""
    return wrong(
        "f",
        f"{name} holds one place of it, and the axis {axis.label} has {count} places",
        f"Choose one with subset={axis.label}(VALUE), or ask for f=netcdf.",
    )


def refuse_size(name: str, form: Form, values: int, width: int, limit: int) -> None:
    """Refuse what is too large, before anything of it is read."""
    size = values * width
    if size > limit:
        raise too_large(f"{size / 1e6:,.0f} MB", f"{limit / 1e6:,.0f} MB", {"bytes": size, "limit": limit})
    if form.most is not None and values > form.most:
        facts = {"values": values, "limit": form.most}
        raise too_large(f"{values:,} values", f"{form.most:,} values as {name}", facts)


def too_large(given: str, limit: str, facts: dict[str, int]) -> Problem:
    """The refusal of what is too large."""
    return Problem(
        "PayloadTooLarge",
        f"the coverage would have {given}, at most {limit} are given at once",
        hint="Ask for less with bbox, subset, datetime and properties, or coarser with scale-factor; large results are "
        "for batch jobs: `POST /jobs`.",
        facts=facts,
    )
