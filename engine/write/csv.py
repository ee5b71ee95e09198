"""Writes cubes as tables: a row per geometry and other labels, a column per band."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
import xarray as xr

from engine.write.atomic import Staging
from engine.write.axes import axes_of, labels_of, unsuitable
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
    keys = [_features(task, dim) for dim in first] + [_labels(cube, dim) for dim in rest]
    write_text(place, _lines(table, keys, SEPARATORS[task.options["separator"]]))
    fields = {"title": task.target.stem, "description": "No-data is an empty cell."}
    return (Asset(staging.final(task.target.name), FORMAT.media_type, ("data",), fields),)


@dataclass(frozen=True)
class Key:
    """The columns that say which label along one dimension a row has."""

    heads: list[str]
    """Their names."""
    rows: list[list[Any]]
    """What stands in them for each label."""


def _labels(cube: xr.DataArray, dim: str) -> Key:
    return Key([dim], [[label_text(label)] for label in labels_of(cube, dim)])


def _features(task: Task, dim: str) -> Key:
    """Geometries are numbered, and have their properties."""
    shapes = labels_of(task.value, dim)
    columns = {"feature_index": np.arange(len(shapes)), **properties_of(task.value, dim, task.stream)}
    if task.options["geometry"] == "AS_WKT":
        columns["geometry"] = np.array(
            [None if s is None else shapely.to_wkt(s, -1) for s in shapes], dtype=object
        )
    rows = [[scalar(column[number]) for column in columns.values()] for number in range(len(shapes))]
    return Key(list(columns), rows)


def _lines(table: Table, keys: list[Key], separator: str) -> Iterator[str]:
    heads = [head for key in keys for head in key.heads]
    names = [name if name not in heads else f"value_{name}" for name in table.names()]
    yield _line([*heads, *names], separator)
    for place, values in table.lines():
        labels = [cell for key, number in zip(keys, place, strict=True) for cell in key.rows[number]]
        yield _line([*labels, *values], separator)


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
