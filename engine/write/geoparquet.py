"""Writes vector cubes as GeoParquet 1.1: a row per geometry, the values in columns, in the cube's own CRS."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import shapely
import xarray as xr

from engine.errors import Problem
from engine.write.atomic import Staging, storing
from engine.write.axes import Axes, axes_of, labels_of, unsuitable
from engine.write.features import properties_of, table_of
from engine.write.grid import crs_of
from engine.write.model import Asset, Format, Option, Task
from engine.write.plain import cells_of, scalar

VERSION = "1.1.0"
COLUMN = "geometry"


def write(task: Task, staging: Staging) -> tuple[Asset, ...]:
    """Write a row per geometry."""
    cube = task.value
    axes = axes_of(cube) if isinstance(cube, xr.DataArray) else None
    if axes is None or axes.geometry is None:
        raise unsuitable("GeoParquet", cube, "it takes vector cubes, which have a dimension of geometries")
    parquet = _parquet()
    place = staging.claim(task.target.name)
    table = _table(task, axes)
    with storing(place):
        parquet.write_table(table, place, compression=task.options["compression"].lower())
        if not parquet.read_table(place).equals(table):
            raise OSError("what was read back is not what was written")
    fields = {"title": task.target.stem, "description": "No-data is null."}
    return (Asset(staging.final(task.target.name), FORMAT.media_type, ("data",), fields),)


def _parquet() -> Any:
    """pyarrow's Parquet, which only this format needs."""
    try:
        from pyarrow import parquet
    except ImportError:
        raise Problem(
            "FormatUnsuitable",
            "GeoParquet needs the package pyarrow, which is not installed.",
            hint='Install it with pip install "geodatacube[parquet]", or take GeoJSON or CSV.',
        ) from None
    return parquet


def _table(task: Task, axes: Axes) -> Any:
    """Geometries as WKB, properties and values as columns, and the metadata that make it GeoParquet."""
    import pyarrow

    cube, dim = task.value, str(axes.geometry)
    shapes = labels_of(cube, dim)
    if not all(s is None or isinstance(s, shapely.Geometry) for s in shapes):
        raise unsuitable("GeoParquet", cube, "it takes geometries, and their labels are identifiers")
    columns: dict[str, Any] = {
        COLUMN: pyarrow.array([None if s is None else s.wkb for s in shapes], pyarrow.binary())
    }
    for name, values in properties_of(cube, dim, task.stream).items():
        columns[name if name != COLUMN else "property_geometry"] = _column([scalar(v) for v in values])
    others = tuple(str(d) for d in cube.dims if d != dim)
    cells = table_of(cube, cells_of(cube, task.stream, "GeoParquet"), (dim,), others)
    lines = [line for _, line in cells.lines()]
    for number, name in enumerate(cells.names()):
        columns[name if name not in columns else f"value_{name}"] = _column([line[number] for line in lines])
    return pyarrow.table(columns).replace_schema_metadata({"geo": json.dumps(_geo(cube, axes, shapes))})


def _column(values: list[Any]) -> Any:
    """Values of one kind as such; mixed ones as text."""
    import pyarrow

    try:
        return pyarrow.array(values)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError):
        return pyarrow.array([None if v is None else str(v) for v in values])


def _geo(cube: xr.DataArray, axes: Axes, shapes: Any) -> dict[str, Any]:
    """The `geo` member of the file's metadata."""
    crs = crs_of(cube, axes)
    known = [s for s in shapes if s is not None and not s.is_empty]
    column: dict[str, Any] = {
        "encoding": "WKB",
        "geometry_types": sorted({s.geom_type for s in known}),
        "crs": None if crs is None else crs.to_json_dict(),
    }
    if known:
        column["bbox"] = [float(v) for v in shapely.total_bounds(np.array(known, dtype=object))]
    return {"version": VERSION, "primary_column": COLUMN, "columns": {COLUMN: column}}


FORMAT = Format(
    name="GeoParquet",
    title="GeoParquet",
    description=(
        "Vector cubes as a table in Parquet (GeoParquet 1.1), in the cube's own CRS. Each geometry is a row; each "
        "combination of the labels of the other dimensions is a column, e.g. `2022-06-01_B04`. No-data is null."
    ),
    suffixes=(".parquet", ".geoparquet"),
    media_type="application/vnd.apache.parquet",
    gis_data_types=("vector",),
    parameters={
        "compression": Option(
            "string", "How columns are compressed.", "ZSTD", enum=("NONE", "SNAPPY", "ZSTD")
        )
    },
    write=write,
    aliases=("parquet",),
)
