"""Writes cubes as tables: a row per geometry and other labels, a column per band."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import shapely
import xarray as xr

from engine.write.atomic import Staging
from engine.write.axes import Axes, axes_of, labels_of, unsuitable
from engine.write.features import Table, label_text, properties_of, table_of
from engine.write.model import Asset, Format, Option, Task
from engine.write.plain import cells_of, scalar
from engine.write.text import write_text

SEPARATORS = {"COMMA": ",", "SEMICOLON": ";", "TAB": "\t"}


def write(task: Task, staging: Staging) -> tuple[Asset, ...]:
    """Write the table."""
    cube = task.value
    if not isinstance(cube, xr.DataArray) or cube.ndim == 0:
        raise unsuitable("CSV", cube, "it takes cubes with at least one dimension")
    place = staging.claim(task.target.name)
    axes = axes_of(cube)
    columns = () if axes.bands is None else (axes.bands,)
    first = () if axes.geometry is None else (axes.geometry,)
    rest = tuple(str(dim) for dim in cube.dims if dim not in (*first, *columns))
    table = table_of(cube, cells_of(cube, task.stream, "CSV"), (*first, *rest), columns)
    write_text(place, _lines(table, axes, SEPARATORS[task.options["separator"]], task.options["geometry"]))
    fields = {"title": task.target.stem, "description": "No-data is an empty cell."}
    return (Asset(staging.final(task.target.name), FORMAT.media_type, ("data",), fields),)


def _lines(table: Table, axes: Axes, separator: str, geometry: str) -> Iterator[str]:
    keys = [_key(table, dim, axes, geometry == "AS_WKT") for dim in table.rows]
    heads = [name for names, _ in keys for name in names]
    names = [name if name not in heads else f"value_{name}" for name in table.names()]
    yield _line([*heads, *names], separator)
    for place, values in table.lines():
        labels = [cell for (_, rows), number in zip(keys, place, strict=True) for cell in rows[number]]
        yield _line([*labels, *values], separator)


def _key(table: Table, dim: str, axes: Axes, with_shapes: bool) -> tuple[list[str], list[list[Any]]]:
    """The columns that say which label along `dim` a row has, and what stands in them for each label."""
    labels = labels_of(table.cube, dim)
    if dim != axes.geometry:
        return [dim], [[label_text(label)] for label in labels]
    kept = properties_of(table.cube, dim)
    heads, rows = ["feature_index", *kept], []
    for number, shape in enumerate(labels):
        row = [number, *(scalar(column[number]) for column in kept.values())]
        if with_shapes:
            row.append(None if shape is None else shapely.to_wkt(shape, rounding_precision=-1))
        rows.append(row)
    return [*heads, "geometry"] if with_shapes else heads, rows


def _line(cells: list[Any], separator: str) -> str:
    """One line; booleans as JSON writes them."""
    text = io.StringIO()
    plain = [str(cell).lower() if isinstance(cell, bool) else cell for cell in cells]
    csv.writer(text, delimiter=separator, lineterminator="\n").writerow(plain)
    return text.getvalue()


FORMAT = Format(
    name="CSV",
    title="Comma-separated values",
    description=(
        "Vector cubes and other small cubes as a table: a row for each combination of labels, a column for each "
        "band (`value` without bands). Geometries are numbered, with their properties in columns. No-data is "
        "an empty cell."
    ),
    suffixes=(".csv",),
    media_type="text/csv",
    gis_data_types=("vector", "table"),
    parameters={
        "separator": Option("string", "What stands between cells.", "COMMA", enum=tuple(SEPARATORS)),
        "geometry": Option(
            "string", "AS_WKT adds a column of geometries in the cube's CRS.", "NONE", enum=("NONE", "AS_WKT")
        ),
    },
    write=write,
)
