"""Writes cubes as coverages in the JSON of OGC's Coverage Implementation Schema 1.1."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from engine.domain.cis import domain_set, range_type
from engine.domain.cubes import domain_of
from engine.domain.model import Domain, names_of
from engine.domain.reference import read_reference
from engine.errors import Problem
from engine.write.atomic import Staging
from engine.write.axes import axes_of, unsuitable
from engine.write.grid import crs_of
from engine.write.model import Asset, Format, Option, Task
from engine.write.plain import cells_of, listed
from engine.write.stac_fields import reference_system
from engine.write.text import write_text

AT_ONCE = 2**16
"""Values that become text at a time."""


def write(task: Task, staging: Staging) -> tuple[Asset, ...]:
    """Write domain set, range type and range set."""
    cube = task.value
    if not isinstance(cube, xr.DataArray) or cube.ndim == 0 or axes_of(cube).geometry:
        raise unsuitable("CIS", cube, "it takes cubes of cells")
    domain = told(domain_of(cube), task.options["crs"])
    place = staging.claim(task.target.name)
    cells = in_order(cells_of(cube, task.stream, "CIS"), cube, domain)
    write_text(place, pieces(domain, cells, cube))
    crs = crs_of(cube, axes_of(cube))
    fields: dict[str, Any] = {"title": task.target.stem, "description": "No-data is null."}
    fields |= reference_system(crs) if crs is not None else {}
    return (Asset(staging.final(task.target.name), FORMAT.media_type, ("data",), fields),)


def told(domain: Domain, crs: str | None) -> Domain:
    """The domain, with its coordinates told in another system that has the same cells."""
    if crs is None:
        return domain
    try:
        wanted = read_reference(crs)
    except ValueError as fault:
        raise Problem(
            "FormatUnsuitable", f"option 'crs': {fault}", hint="Write OGC:CRS84 or EPSG:4326."
        ) from None
    if domain.reference is None or not wanted.same_grid(domain.reference):
        raise Problem(
            "FormatUnsuitable",
            f"option 'crs': the cells are not those of {crs}",
            hint="Use resample_spatial with a projection first.",
        )
    labels = dict(zip(("x", "y"), names_of(wanted), strict=True))
    axes = tuple(replace(axis, label=labels.get(axis.role, axis.label)) for axis in domain.axes)
    return replace(domain, reference=wanted, axes=axes)


def in_order(cells: np.ndarray, cube: xr.DataArray, domain: Domain) -> np.ndarray:
    """The cells in the order of the axes as they are told, with rising coordinates, the fields of a cell together."""
    dims = list(map(str, cube.dims))
    order = [axis.dim for axis in domain.told] + ([domain.bands] if domain.bands else [])
    turned = cells.transpose([dims.index(dim) for dim in order])
    back = tuple(slice(None, None, -1 if axis.is_even and axis.step < 0 else 1) for axis in domain.told)
    return turned[back].ravel()


def pieces(domain: Domain, cells: np.ndarray, cube: xr.DataArray) -> Iterator[str]:
    """The text, some of the values at a time."""
    head = {
        "type": "CoverageByDomainAndRange",
        "domainSet": domain_set(domain),
        "rangeType": range_type(domain),
    }
    yield json.dumps(head, allow_nan=False, ensure_ascii=False)[:-1]
    yield ', "rangeSet": {"type": "RangeSet", "dataBlock": {"type": "VDataBlock", "values": ['
    for start in range(0, len(cells), AT_ONCE):
        some = listed(cells[start : start + AT_ONCE], cube)
        yield (", " if start else "") + json.dumps(some, allow_nan=False)[1:-1]
    yield "]}}}\n"


OF_CRS = Option("string", "Tells coordinates in another reference system that has the same cells: OGC:CRS84.")
FORMAT = Format(
    name="CIS",
    title="Coverage Implementation Schema, JSON",
    description=(
        "Cubes of up to 10 million cells as coverages of OGC: axes, fields, and the values with rising coordinates, those "
        "of one cell together. No-data is null."
    ),
    suffixes=(".cisjson",),
    media_type="application/cis+json",
    gis_data_types=("raster",),
    parameters={"crs": OF_CRS},
    write=write,
    aliases=("cis json", "cis-json"),
)
