"""Writes raster cubes as CoverageJSON: one coverage on a grid, a range for each band."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr

from engine.domain.cubes import domain_of
from engine.domain.model import Axis, Domain, Field
from engine.write.atomic import Staging
from engine.write.axes import axes_of, unsuitable
from engine.write.cis import AT_ONCE, OF_CRS, told
from engine.write.grid import crs_of
from engine.write.model import Asset, Format, Task
from engine.write.plain import cells_of, listed
from engine.write.stac_fields import reference_system
from engine.write.text import write_text

NAMES = {"x": "x", "y": "y", "z": "z", "time": "t"}
"""Names of axes of a grid, by role; there are no others."""
ORDER = ("time", "z", "y", "x")
"""Of the axes of ranges, the slowest first."""


def write(task: Task, staging: Staging) -> tuple[Asset, ...]:
    """Write domain, parameters and ranges."""
    cube = task.value
    if not isinstance(cube, xr.DataArray) or cube.ndim == 0 or axes_of(cube).geometry:
        raise unsuitable("CovJSON", cube, "it takes raster cubes")
    domain = told(domain_of(cube), task.options["crs"])
    if domain.axis("x") is None or domain.axis("y") is None or any(a.role not in NAMES for a in domain.axes):
        raise unsuitable("CovJSON", cube, "it takes x and y, z and one dimension of time")
    place = staging.claim(task.target.name)
    write_text(place, pieces(domain, cells_of(cube, task.stream, "CovJSON"), cube))
    crs = crs_of(cube, axes_of(cube))
    fields: dict[str, Any] = {"title": task.target.stem, "description": "No-data is null."}
    fields |= reference_system(crs) if crs is not None else {}
    return (Asset(staging.final(task.target.name), FORMAT.media_type, ("data",), fields),)


def pieces(domain: Domain, cells: np.ndarray, cube: xr.DataArray) -> Iterator[str]:
    """The text, a range after the other."""
    head = {
        "type": "Coverage",
        "domain": {
            "type": "Domain",
            "domainType": "Grid",
            "axes": {NAMES[axis.role]: axis_json(axis) for axis in domain.axes},
            "referencing": referencing(domain),
        },
        "parameters": {field.name: parameter(field) for field in domain.fields},
    }
    yield json.dumps(head, allow_nan=False, ensure_ascii=False)[:-1] + ', "ranges": {'
    axes = [axis for role in ORDER for axis in domain.axes if axis.role == role]
    dims = list(map(str, cube.dims))
    order = ([domain.bands] if domain.bands else []) + [axis.dim for axis in axes]
    ranges = cells.transpose([dims.index(dim) for dim in order]).reshape(len(domain.fields), -1)
    array = {
        "type": "NdArray",
        "dataType": "float" if domain.data_type.startswith("float") else "integer",
        "axisNames": [NAMES[axis.role] for axis in axes],
        "shape": [axis.count for axis in axes],
    }
    for number, (field, values) in enumerate(zip(domain.fields, ranges, strict=True)):
        yield (", " if number else "") + f'{json.dumps(field.name)}: {json.dumps(array)[:-1]}, "values": ['
        for start in range(0, len(values), AT_ONCE):
            some = listed(values[start : start + AT_ONCE], cube)
            yield (", " if start else "") + json.dumps(some, allow_nan=False)[1:-1]
        yield "]}"
    yield "}}\n"


def axis_json(axis: Axis) -> dict[str, Any]:
    """The centres of the cells along an axis."""
    if axis.first is None:
        return {"values": list(axis.labels)}
    return {"start": axis.first, "stop": axis.first + (axis.count - 1) * axis.step, "num": axis.count}


def referencing(domain: Domain) -> list[dict[str, Any]]:
    """What coordinates are in, in the order of the axes of each system."""
    found: list[dict[str, Any]] = []
    if domain.reference is not None:
        kind = "GeographicCRS" if domain.reference.is_geographic else "ProjectedCRS"
        coordinates = ["y", "x"] if domain.north_first else ["x", "y"]
        found.append({"coordinates": coordinates, "system": {"type": kind, "id": domain.reference.uri}})
    if domain.axis("z") is not None:
        found.append({"coordinates": ["z"], "system": {"type": "VerticalCRS"}})
    if domain.axis("time") is not None:
        found.append({"coordinates": ["t"], "system": {"type": "TemporalRS", "calendar": "Gregorian"}})
    return found


def parameter(field: Field) -> dict[str, Any]:
    """One band."""
    name = field.common_name or field.name
    told: dict[str, Any] = {"type": "Parameter", "observedProperty": {"label": {"en": name}}}
    if field.is_scaled:
        scale, offset = field.scale or 1.0, field.offset or 0.0
        told["description"] = {
            "en": f"Stored numbers; times {scale:g} plus {offset:g} they are those of the unit."
        }
    elif field.unit:
        told["unit"] = {"symbol": field.unit}
    return told


FORMAT = Format(
    name="CovJSON",
    title="CoverageJSON",
    description=(
        "Raster cubes of up to 10 million cells as a coverage on a grid (x, y, z, t) for pages that draw maps, with a range "
        "for each band. No-data is null."
    ),
    suffixes=(".covjson",),
    media_type="application/vnd.cov+json",
    gis_data_types=("raster",),
    parameters={"crs": OF_CRS},
    write=write,
    aliases=("coveragejson", "application/prs.coverage+json"),
)
