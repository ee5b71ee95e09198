"""Geometries over rasters: cells are kept or taken out by where they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
import shapely
import xarray as xr

from processes.cubes import axes, places
from processes.cubes import geometries as ground
from processes.cubes.masks import replaced
from processes.errors import ProcessParameterInvalid
from processes.mixing import along
from processes.registry import process
from processes.types import Geometries, RasterCube, Schema

Polygons = Annotated[
    Any,
    Schema(
        [
            {
                "type": "object",
                "subtype": "datacube",
                "dimensions": [{"type": "geometry", "geometry_type": ["Polygon", "MultiPolygon"]}],
            },
            {"type": "object", "subtype": "geojson", "deprecated": True},
        ]
    ),
]
Replacement = Annotated[
    Any, Schema([{"type": "number"}, {"type": "boolean"}, {"type": "string"}, {"type": "null"}])
]


@process("cubes", "filter", mixes=along("x", "y").inside("geometries"))
def filter_spatial(data: RasterCube, geometries: Geometries) -> RasterCube:
    """Keep the cells of a raster cube that are in geometries

    A cell is in a polygon where its centre is, the edge included; in a line where its centre is the closest one to
    some point of the line; for a point it is the closest cell. The cube is cut to the box around all geometries;
    cells in that box that are in none of them become no-data.

    Args:
        data: A raster cube.
        geometries: GeoJSON (longitude and latitude, WGS 84) or a vector cube; a cell is kept that is in any of
            the geometries.

    Returns:
        The cube with fewer labels along x and y.
    """
    shapes = on_ground(data, geometries, "geometries")
    inside = ground.marked(data, shapes)
    chosen = around(data, shapes)
    return replaced(data.isel(chosen), ~inside.isel(chosen), None)


@process("cubes", "masks", mixes=along("x", "y"))
def mask_polygon(
    data: RasterCube, mask: Polygons, replacement: Replacement = None, inside: bool = False
) -> RasterCube:
    """Take out the cells outside of polygons, or inside of them

    A cell is inside where its centre is in any of the polygons, the edge included. Cells that have no data stay
    as they are.

    Args:
        data: A raster cube.
        mask: GeoJSON (longitude and latitude, WGS 84) or a vector cube, of polygons with or without parts; empty
            geometries do not count.
        replacement: What the cells become; `null` stands for no-data.
        inside: `true` takes out the cells inside, `false` those outside.

    Returns:
        The cube with the same dimensions and labels.
    """
    shapes = on_ground(data, mask, "mask", only=("Polygon", "MultiPolygon"))
    marks = ground.marked(data, shapes)
    return replaced(data, marks if inside else ~marks, replacement, gaps=False)


def on_ground(data: xr.DataArray, given: Any, parameter: str, only: Sequence[str] = ()) -> np.ndarray:
    """The geometries in the CRS of the cube; `only` names the kinds that will do, empty ones aside."""
    axes.plane(data)
    read = ground.read(given, parameter)
    for place, shape in enumerate(read.coord):
        if only and not shape.is_empty and shape.geom_type not in only:
            raise ProcessParameterInvalid(
                f"geometry {place} is a {shape.geom_type}, it has to be a {' or '.join(only)}",
                hint="Make polygons of points and lines with vector_buffer.",
                parameter=parameter,
            )
    return ground.on_plane(data, read)


def around(data: xr.DataArray, shapes: np.ndarray) -> dict[str, Any]:
    """The rows and columns in the box around all geometries, and those of the cells closest to points and lines."""
    y, x = axes.plane(data)
    xs, ys = data.coords[x].values, data.coords[y].values
    west, south, east, north = shapely.total_bounds(shapes)  # NaN where there is nothing: no cell is inside
    columns, rows = (xs >= west) & (xs <= east), (ys >= south) & (ys <= north)
    for part in ground.parts_of(shapes):
        if part.geom_type != "Polygon":
            row, column = np.divmod(ground.in_part(part, xs, ys), len(xs))
            rows[row], columns[column] = True, True
    return {y: places.whole_or(rows), x: places.whole_or(columns)}
