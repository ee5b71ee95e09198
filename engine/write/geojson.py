"""Writes vector cubes as a GeoJSON FeatureCollection in WGS84, the values as properties."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely
import xarray as xr
from pyproj import Transformer

from engine.write.atomic import Staging
from engine.write.axes import Axes, axes_of, labels_of, unsuitable
from engine.write.features import Table, properties_of, table_of
from engine.write.grid import crs_of
from engine.write.model import Asset, Format, Option, Task
from engine.write.plain import cells_of, scalar
from engine.write.text import write_text


def write(task: Task, staging: Staging) -> tuple[Asset, ...]:
    """Write a feature per geometry."""
    cube = task.value
    axes = axes_of(cube) if isinstance(cube, xr.DataArray) else None
    if axes is None or axes.geometry is None:
        raise unsuitable("GeoJSON", cube, "it takes vector cubes, which have a dimension of geometries")
    place = staging.claim(task.target.name)
    cells = cells_of(cube, task.stream, "GeoJSON")
    columns = tuple(str(dim) for dim in cube.dims if dim != axes.geometry)
    table = table_of(cube, cells, (axes.geometry,), columns)
    shapes = _in_wgs84(cube, axes, task.options["coordinate_precision"])
    kept = properties_of(cube, axes.geometry, task.stream)
    write_text(place, _collection(table, shapes, kept))
    fields = {"title": task.target.stem, "description": "No-data is null.", "proj:code": "OGC:CRS84"}
    return (Asset(staging.final(task.target.name), FORMAT.media_type, ("data",), fields),)


def _collection(
    table: Table, shapes: list[shapely.Geometry | None], kept: dict[str, np.ndarray]
) -> Iterator[str]:
    yield '{"type": "FeatureCollection", "features": [\n'
    names = table.names()
    for (number,), values in table.lines():
        properties = {name: scalar(column[number]) for name, column in kept.items()}
        for name, value in zip(names, values, strict=True):
            properties[name if name not in kept else f"value_{name}"] = value
        feature: dict[str, Any] = {
            "type": "Feature",
            "id": number,
            "geometry": scalar(shapes[number]),
            "properties": properties,
        }
        yield (",\n" if number else "") + json.dumps(feature, allow_nan=False, ensure_ascii=False)
    yield "\n]}\n"


def _in_wgs84(cube: xr.DataArray, axes: Axes, digits: int | None) -> list[shapely.Geometry | None]:
    """The geometries in longitude and latitude, outer rings counterclockwise, as RFC 7946 wants them."""
    crs = crs_of(cube, axes)
    shapes = labels_of(cube, str(axes.geometry))
    if not all(s is None or isinstance(s, shapely.Geometry) for s in shapes):
        raise unsuitable("GeoJSON", cube, "it takes geometries, and their labels are identifiers")
    if crs is None:
        raise unsuitable("GeoJSON", cube, "it is in WGS84, and the geometries do not say what CRS they have")
    to_wgs84 = Transformer.from_crs(crs, "OGC:CRS84", always_xy=True)

    def move(points: np.ndarray) -> np.ndarray:
        moved = np.column_stack(to_wgs84.transform(points[:, 0], points[:, 1]))
        return moved if digits is None else np.round(moved, digits)

    return [None if s is None else shapely.orient_polygons(shapely.transform(s, move)) for s in shapes]


FORMAT = Format(
    name="GeoJSON",
    title="GeoJSON",
    description=(
        "Vector cubes as a FeatureCollection in WGS84 (RFC 7946). Each geometry is a feature; each combination "
        "of the labels of the other dimensions is a property, e.g. `2022-06-01_B04`. No-data is null."
    ),
    suffixes=(".geojson",),
    media_type="application/geo+json",
    gis_data_types=("vector",),
    parameters={
        "coordinate_precision": Option(
            "integer", "Decimals of the coordinates; all of them by default.", minimum=0, maximum=15
        )
    },
    write=write,
    aliases=("application/vnd.geo+json",),
)
