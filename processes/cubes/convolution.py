"""Kernels that move over the plane: weighted sums of a cell and its neighbours, the same whatever the chunks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any

import dask.array as da
import numpy as np
from dask.base import tokenize

from processes import places
from processes.cubes import axes
from processes.cubes.cells import Coding, computed, rebuilt
from processes.errors import KernelDimensionsUneven, ProcessParameterInvalid
from processes.kernels.focal import Focal
from processes.lazy import Lazy
from processes.mixing import within
from processes.places import Place, Region, count, from_hull, hull, tidy
from processes.recipes import Changed, Chunks
from processes.registry import process
from processes.types import RasterCube, Real, Schema
from processes.values import split
from processes.widths import SIGNED

Kernel = Annotated[
    Sequence[Sequence[float]],
    Schema({"type": "array", "subtype": "kernel", "items": {"type": "array", "items": {"type": "number"}}}),
]
BORDERS = {"replicate": "edge", "reflect": "symmetric", "reflect_pixel": "reflect", "wrap": "wrap"}
"""Ways to go on beyond the border, and what NumPy calls them."""
Border = Annotated[Any, Schema([{"type": "string", "enum": list(BORDERS)}, {"type": "number"}])]


@process(
    "cubes", "math > image filter", mixes=within(None, "y", "x", argument="kernel").unless("border", "wrap")
)
def apply_kernel(
    data: RasterCube, kernel: Kernel, factor: Real = 1, border: Border = 0, replace_invalid: Real = 0
) -> RasterCube:
    """Weigh each cell and its neighbours, and add them up

    The kernel lies on the plane with its centre on the cell; each weight is multiplied by the value under it (the
    kernel is not turned round), and the sum of the products by the factor. Integers and booleans stay integers
    where the weights are whole numbers.

    Args:
        data: A raster cube of numbers or booleans (`false` counts as 0, `true` as 1).
        kernel: Rows of weights. Rows follow the y axis, the weights in them the x axis, in the order of the labels;
            both in odd number.
        factor: What the sum is multiplied by.
        border: How the cube goes on beyond its border: with a number, or by

            - `replicate`: the outermost cell again and again (`aaa|abcd|ddd`)
            - `reflect`: mirrored at the edge (`cba|abcd|dcb`)
            - `reflect_pixel`: mirrored at the centre of the outermost cell (`dcb|abcd|cba`)
            - `wrap`: from the other side (`bcd|abcd|abc`)
        replace_invalid: The number that stands in for no-data, NaN, infinity, and what is no number.

    Returns:
        The cube with its new values.

    Raises:
        KernelDimensionsUneven: The kernel has an even number of rows or columns.
    """
    y, x = axes.plane(data)
    run = correlation(Coding.of(data), kernel, factor, border, replace_invalid)
    others = [str(d) for d in data.dims if d not in (y, x)]
    source = data.transpose(*others, y, x).data
    rows, columns = (beyond(n, k // 2, border) for n, k in zip(source.shape[-2:], run.size, strict=True))
    array = over_plane(run, source, rows, columns)
    return computed(rebuilt(data, array, (*others, y, x), Coding(run.dtype))).transpose(*data.dims)


# ------------------------------------------------------------------------------------- how it is done
def correlation(
    coding: Coding, kernel: Kernel, factor: Real = 1, border: Border = 0, replace_invalid: Real = 0
) -> Correlation:
    """The kernel over cells that are stored like this, with these arguments of `apply_kernel`."""
    weights = read_kernel(kernel)
    if isinstance(border, str) and border not in BORDERS:
        raise ProcessParameterInvalid(
            f"{border!r} is none of {', '.join(BORDERS)}, and no number", parameter="border"
        )
    beyond_it = 0 if isinstance(border, str) else border
    dtype = sum_type(coding, weights, (factor, replace_invalid, beyond_it))
    focal = Focal(weights, factor, beyond_it, replace_invalid, dtype, coding.nodata, coding.logical)
    return Correlation(focal, coding.dtype)


def read_kernel(kernel: Sequence[Sequence[float]]) -> np.ndarray:
    """The kernel as an array; refuses one without a centre."""
    widths = {len(row) for row in kernel}
    if len(widths) != 1 or not len(kernel):
        raise ProcessParameterInvalid(
            f"all rows of a kernel are equally long; here they have {sorted(widths)} weights",
            parameter="kernel",
        )
    weights = np.array(kernel)
    if weights.dtype.kind not in "iuf" or not np.isfinite(weights).all():
        raise ProcessParameterInvalid("a kernel is made of finite numbers", parameter="kernel")
    if not all(n % 2 for n in weights.shape):
        raise KernelDimensionsUneven(
            f"the kernel has {weights.shape[0]} rows of {weights.shape[1]} weights; both have to be odd",
            hint="Add a row or a column of zeros.",
            parameter="kernel",
        )
    return weights


def sum_type(coding: Coding, weights: np.ndarray, others: tuple[float, ...]) -> np.dtype[Any]:
    """The type of the sums: integers where nothing else can come out, wide enough for any."""
    if coding.dtype.kind == "f":
        return coding.dtype
    if coding.dtype.kind not in "iub":
        return np.dtype(np.float64)
    factor, *values = others
    if all(float(v).is_integer() for v in (factor, *values, *weights.ravel())):
        limits = (0, 1) if coding.dtype.kind == "b" or coding.logical else bounds(coding.dtype)
        most = max(map(abs, (*limits, *values))) * float(np.abs(weights).sum()) * abs(factor)
        return next((t for bits, t in SIGNED.items() if most < 2 ** (bits - 1)), np.dtype(np.float64))
    return np.dtype(np.float32 if coding.dtype.itemsize <= 2 else np.float64)


def bounds(dtype: np.dtype[Any]) -> tuple[int, int]:
    """The smallest and the largest integer of a type."""
    info: Any = np.iinfo(dtype)
    return int(info.min), int(info.max)


def beyond(count: int, reach: int, border: Any) -> np.ndarray:
    """Places along an axis with those beyond its ends; -1 where a number stands instead of a cell."""
    inside = np.arange(count)
    if not isinstance(border, str):
        return np.pad(inside, reach, constant_values=-1)
    return np.pad(inside, reach, mode=BORDERS[border]) if count else inside  # type: ignore[call-overload]


def over_plane(run: Correlation, source: Any, rows: np.ndarray, columns: np.ndarray) -> Any:
    """Run the kernel over an array (..., y, x): at once, as a recipe, or block by block."""
    if not isinstance(source, da.Array):
        return run.focal(run.numbers(source), rows, columns, alone=True)
    if isinstance(source, Lazy):
        return source.of(Correlated(source.recipe, run, rows, columns, source.chunks))
    if source.size == 0:
        return da.zeros(source.shape, dtype=run.dtype, chunks=source.chunks)
    height, width = run.focal.weights.shape
    y_edges, x_edges = (np.cumsum((0, *c)).tolist() for c in source.chunks[-2:])
    lines = []
    for y0, y1 in pairwise(y_edges):
        there_y, at_y = reached(rows[y0 : y1 + height - 1])
        band = taken(source, there_y, -2)
        line = []
        for x0, x1 in pairwise(x_edges):
            there_x, at_x = reached(columns[x0 : x1 + width - 1])
            part = taken(band, there_x, -1).rechunk({source.ndim - 2: -1, source.ndim - 1: -1})
            chunks = (*part.chunks[:-2], (y1 - y0,), (x1 - x0,))
            line.append(part.map_blocks(OnBlock(run, at_y, at_x), dtype=run.dtype, chunks=chunks))
        lines.append(da.concatenate(line, axis=-1))
    return da.concatenate(lines, axis=-2)


def reached(where: np.ndarray) -> tuple[Place, np.ndarray]:
    """The cells among some places along an axis, each once, and for each of the places the number of its cell.

    Places that are none (-1) stay so.
    """
    there = where[where >= 0]
    if len(there) and (np.diff(there) == 1).all():  # as nearly always
        first = int(there[0])
        return slice(first, first + len(there)), np.where(where < 0, -1, where - first)
    cells = np.unique(there)
    return tidy(cells) if len(cells) else slice(0, 0), np.where(where < 0, -1, np.searchsorted(cells, where))


def taken(array: da.Array, place: Place, axis: int) -> Any:
    """The cells in these places along an axis."""
    key: list[Any] = [slice(None)] * array.ndim
    key[axis] = place
    return array[tuple(key)]


@dataclass(frozen=True, eq=False)
class Correlation:
    """A kernel over stored cells (..., y, x)."""

    focal: Focal
    stored: np.dtype[Any]
    """Type of the stored cells."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the sums."""
        return self.focal.dtype

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of weights."""
        rows, columns = self.focal.weights.shape
        return rows, columns

    @property
    def amid_nodata(self) -> Correlation:
        """The same, where there is no-data beyond the border."""
        return replace(self, focal=replace(self.focal, border=self.focal.replacement))

    def __call__(self, block: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        return self.focal(self.numbers(block), rows, columns)

    def numbers(self, block: np.ndarray) -> np.ndarray:
        """Stored cells as numbers; NaN for what is none."""
        if block.dtype.kind in "iufb":
            return block
        data, null = split(Coding(self.stored).decode(block))
        return np.where(null, np.nan, np.frompyfunc(as_number, 1, 1)(data).astype(np.float64))


@dataclass(frozen=True, eq=False)
class OnBlock:
    """A kernel, as a function of all the cells that it reaches from a block."""

    run: Correlation
    rows: np.ndarray
    """For each row of the block, and those around it, the row of the cells; -1 where there is none."""
    columns: np.ndarray
    """The same for columns."""

    def __call__(self, block: np.ndarray) -> np.ndarray:
        return self.run(block, self.rows, self.columns)


@dataclass(frozen=True, eq=False)
class Correlated(Changed):
    """The recipe of an array (..., y, x) that a kernel was run over."""

    run: Correlation
    rows: np.ndarray
    """All rows and those beyond the ends, as the border says; -1 where a number stands instead."""
    columns: np.ndarray
    """The same for columns."""
    chunks: Chunks
    """Blocks that suit it: those of the array."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the sums."""
        return self.run.dtype

    @cached_property
    def token(self) -> str:
        """The same for the same kernel over the same numbers."""
        focal = self.run.focal
        told = [getattr(focal, f.name) for f in fields(focal)]
        return str(tokenize(self.source.token, told, self.rows, self.columns))

    def needs(self, region: Region) -> tuple[Region, ...]:
        """The region and as much around it as the kernel reaches."""
        (rows, _), (columns, _) = self.reaches(region)
        return ((*region[:-2], rows, columns),)

    def make(self, region: Region, blocks: Sequence[np.ndarray]) -> np.ndarray:
        """Run the kernel."""
        (_, rows), (_, columns) = self.reaches(region)
        made = self.run(blocks[0], rows, columns)
        return places.taken(made, (*(slice(None) for _ in region[:-2]), *map(from_hull, region[-2:])))

    def reaches(self, region: Region) -> list[tuple[Place, np.ndarray]]:
        """Along y and x: the cells that are reached from a region, and for each place the number of its cell."""
        found = []
        for place, where, size in zip(
            region[-2:], (self.rows, self.columns), self.run.focal.weights.shape, strict=True
        ):
            inside = hull(place)
            found.append(
                reached(where[inside.start : inside.stop + size - 1 if count(place) else inside.start])
            )
        return found


def as_number(value: Any) -> float:
    """A number or boolean as a float; NaN for anything else."""
    return float(value) if isinstance(value, (bool, int, float, np.number, np.bool_)) else float("nan")
