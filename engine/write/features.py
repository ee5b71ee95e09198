"""A vector cube, or any cube, as a table: labels of the rows, columns of values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from engine.write.axes import labels_of
from engine.write.dates import rfc3339
from engine.write.model import Stream
from engine.write.plain import listed, scalar
from engine.write.pour import labels


@dataclass(frozen=True)
class Table:
    """A cube turned so that rows go along some dimensions, columns along the others."""

    cube: xr.DataArray
    """The cube."""
    rows: tuple[str, ...]
    """Dimensions whose labels name a row."""
    columns: tuple[str, ...]
    """Dimensions whose labels name a column."""
    cells: np.ndarray
    """The cube's cells, (rows, columns)."""

    def names(self) -> list[str]:
        """A name for each column, of its labels; `value` where there is just one."""
        parts = [[label_text(v) for v in labels_of(self.cube, dim)] for dim in self.columns]
        names = [""]
        for part in parts:
            names = [f"{name}_{label}" if name else label for name in names for label in part]
        return names if self.columns else [str(self.cube.name or "value")]

    def lines(self) -> Iterator[tuple[tuple[int, ...], list[Any]]]:
        """Each row: the position along every row dimension, and its values as JSON has them."""
        shape = [self.cube.sizes[dim] for dim in self.rows]
        for place, cells in zip(np.ndindex(*shape), self.cells, strict=True):
            yield place, listed(cells, self.cube)


def table_of(cube: xr.DataArray, cells: np.ndarray, rows: tuple[str, ...], columns: tuple[str, ...]) -> Table:
    """Turn the cells of a cube into a table."""
    order = [cube.dims.index(dim) for dim in (*rows, *columns)]
    width = int(np.prod([cube.sizes[dim] for dim in columns], dtype="int64"))
    return Table(cube, rows, columns, cells.transpose(order).reshape(-1, width))


def label_text(label: Any) -> str:
    """A label as text: days without their midnight."""
    moment = rfc3339(label) if not isinstance(label, str) else None
    return str(scalar(label)) if moment is None else moment.removesuffix("T00:00:00Z")


def properties_of(cube: xr.DataArray, dim: str, stream: Stream) -> dict[str, np.ndarray]:
    """The further coordinates along a dimension, e.g. the properties of features."""
    return {
        str(coord.name): labels(stream, coord)
        for coord in cube.coords.values()
        if coord.dims == (dim,) and coord.name != dim
    }
