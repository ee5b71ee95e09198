"""Writes JSON: values as they are, cubes with their dimensions, labels and nested cells."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr

from engine.write.atomic import Staging
from engine.write.axes import axes_of, labels_of
from engine.write.grid import crs_of
from engine.write.model import Asset, Format, Task
from engine.write.plain import cells_of, holds_non_finite, listed, plain
from engine.write.pour import labels
from engine.write.stac_fields import reference_system
from engine.write.text import write_text


def write(task: Task, staging: Staging) -> tuple[Asset, ...]:
    """Write the value; the asset says where null stands for something else."""
    place = staging.claim(task.target.name)
    fields: dict[str, Any] = {"title": task.target.stem}
    if isinstance(task.value, xr.DataArray):
        cells = cells_of(task.value, task.stream, "JSON")
        lost = cells.dtype.kind == "f" and bool(np.isinf(cells).any())
        fields["description"] = "No-data is null" + (", and so is infinity." if lost else ".")
        crs = crs_of(task.value, axes_of(task.value))
        fields |= reference_system(crs) if crs is not None else {}
        write_text(place, _cube(task.value, cells, _properties(task)))
    else:
        if holds_non_finite(task.value):
            fields["description"] = "NaN and infinity, which JSON does not have, are written as null."
        write_text(place, [_dump(plain(task.value)), "\n"])
    return (Asset(staging.final(task.target.name), FORMAT.media_type, ("data",), fields),)


def _cube(cube: xr.DataArray, cells: np.ndarray, properties: dict[str, Any]) -> Iterator[str]:
    """The text of a cube, row by row; a cube without dimensions is its one value."""
    if cube.ndim == 0:
        yield _dump(listed(cells.reshape(1), cube)[0]) + "\n"
        return
    head = {
        "dims": [str(dim) for dim in cube.dims],
        "shape": list(cube.shape),
        "coords": {str(dim): plain(labels_of(cube, str(dim))) for dim in cube.dims},
        "properties": properties,
        "crs": _crs(cube),
        "attrs": _attrs(cube),
    }
    yield _dump(head)[:-1] + ', "data": '
    yield from _nested(cube, cells)
    yield "}\n"


def _nested(cube: xr.DataArray, cells: np.ndarray) -> Iterator[str]:
    if cells.ndim == 1:
        yield _dump(listed(cells, cube))
        return
    yield "["
    for number, inner in enumerate(cells):
        if number:
            yield ",\n"
        yield from _nested(cube, inner)
    yield "]"


def _properties(task: Task) -> dict[str, Any]:
    """Further coordinates along one dimension, e.g. the properties of features."""
    cube, stream = task.value, task.stream
    found = [c for c in cube.coords.values() if c.ndim == 1 and c.name not in cube.dims]
    return {str(c.name): {"dim": str(c.dims[0]), "values": plain(labels(stream, c))} for c in found}


def _crs(cube: xr.DataArray) -> str | None:
    crs = crs_of(cube, axes_of(cube))
    if crs is None:
        return None
    fields = reference_system(crs)
    return str(fields["proj:code"] or fields["proj:wkt2"])


def _attrs(cube: xr.DataArray) -> dict[str, Any]:
    """Attributes that JSON has words for."""
    return {
        str(name): plain(value)
        for name, value in cube.attrs.items()
        if isinstance(value, str | int | float | bool | list | tuple | dict | np.generic) and name != "nodata"
    }


def _dump(value: Any) -> str:
    return json.dumps(value, allow_nan=False, ensure_ascii=False)


FORMAT = Format(
    name="JSON",
    title="JSON",
    description=(
        "Numbers, texts, lists and objects as they are. Cubes of up to 10 million cells as an object with dims, "
        "shape, coords, attrs and the cells as nested arrays in the order of dims. No-data is null."
    ),
    suffixes=(".json",),
    media_type="application/json",
    gis_data_types=("raster", "vector", "table", "other"),
    parameters={},
    write=write,
)
