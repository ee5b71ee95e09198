"""Kernels that move over the plane: weighted sums of a cell and its neighbours, the same whatever the chunks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any

import dask.array as da
import numpy as np

from processes.cubes import axes
from processes.cubes.cells import Coding, rebuilt
from processes.errors import KernelDimensionsUneven, ProcessParameterInvalid
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


@process("cubes", "math > image filter")
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
    weights = read_kernel(kernel)
    if isinstance(border, str) and border not in BORDERS:
        raise ProcessParameterInvalid(
            f"{border!r} is none of {', '.join(BORDERS)}, and no number", parameter="border"
        )
    coding = Coding.of(data)
    dtype = sum_type(coding, weights, (factor, replace_invalid, 0 if isinstance(border, str) else border))
    run = Correlation(weights, factor, border, replace_invalid, coding, dtype)
    others = [str(d) for d in data.dims if d not in (y, x)]
    source = data.transpose(*others, y, x).data
    rows, columns = (beyond(n, k // 2, border) for n, k in zip(source.shape[-2:], weights.shape, strict=True))
    array = over_blocks(run, source, rows, columns)
    after = Coding(dtype)
    return rebuilt(data, array, (*others, y, x), after).transpose(*data.dims)


# ------------------------------------------------------------------------------------- how it is done
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


def over_blocks(run: Correlation, source: Any, rows: np.ndarray, columns: np.ndarray) -> Any:
    """Run the kernel for each block of the plane, on as much as it reaches."""
    if not isinstance(source, da.Array):
        return run.reaching(rows, columns)(taken(taken(source, rows, -2), columns, -1))
    height, width = run.weights.shape
    y_edges, x_edges = (np.cumsum((0, *c)).tolist() for c in source.chunks[-2:])
    if source.size == 0:
        return da.zeros(source.shape, dtype=run.dtype, chunks=source.chunks)
    lines = []
    for y0, y1 in pairwise(y_edges):
        line = []
        reach_y = rows[y0 : y1 + height - 1]
        band = taken(source, reach_y, -2)
        for x0, x1 in pairwise(x_edges):
            reach_x = columns[x0 : x1 + width - 1]
            part = taken(band, reach_x, -1).rechunk({source.ndim - 2: -1, source.ndim - 1: -1})
            chunks = (*part.chunks[:-2], (y1 - y0,), (x1 - x0,))
            line.append(part.map_blocks(run.reaching(reach_y, reach_x), dtype=run.dtype, chunks=chunks))
        lines.append(da.concatenate(line, axis=-1))
    return da.concatenate(lines, axis=-2)


def taken(array: Any, where: np.ndarray, axis: int) -> Any:
    """The cells at these places along an axis, without those that are none (-1)."""
    cells = where[where >= 0]
    key: list[Any] = [slice(None)] * array.ndim
    whole = len(cells) and np.array_equal(cells, np.arange(cells[0], cells[0] + len(cells)))
    key[axis] = slice(int(cells[0]), int(cells[0]) + len(cells)) if whole else cells
    return array[tuple(key)]


@dataclass(frozen=True, eq=False)
class Correlation:
    """A kernel, as a function of stored cells (..., y, x) that reach beyond the block by half the kernel."""

    weights: np.ndarray
    factor: float
    border: Any
    replacement: float
    """What stands for invalid values."""
    coding: Coding
    dtype: np.dtype[Any]
    pads: tuple[tuple[int, int], ...] = ((0, 0), (0, 0))
    """How many cells are no cells of the cube, above and below, left and right."""

    def reaching(self, rows: np.ndarray, columns: np.ndarray) -> Correlation:
        """The same for a block that lacks the places which are -1."""
        pads = tuple(missing(places) for places in (rows, columns))
        return Correlation(
            self.weights, self.factor, self.border, self.replacement, self.coding, self.dtype, pads
        )

    def __call__(self, block: np.ndarray) -> np.ndarray:
        cells = self.numbers(block)
        if any(map(any, self.pads)):
            around = [(0, 0)] * (cells.ndim - 2) + list(self.pads)
            cells = np.pad(cells, around, constant_values=self.border)
        height, width = (n - k + 1 for n, k in zip(cells.shape[-2:], self.weights.shape, strict=True))
        total = np.zeros((*cells.shape[:-2], height, width), dtype=cells.dtype)
        for (i, j), weight in np.ndenumerate(self.weights):
            if weight:
                total += cells[..., i : i + height, j : j + width] * cells.dtype.type(weight)
        return (total * cells.dtype.type(self.factor)).astype(self.dtype)

    def numbers(self, block: np.ndarray) -> np.ndarray:
        """Finite numbers in the type of the sum, floats in double precision."""
        work = self.dtype if self.dtype.kind == "i" else np.dtype(np.float64)
        data, null = split(self.coding.decode(block))
        if data.dtype.kind not in "iufb":
            data = np.frompyfunc(as_number, 1, 1)(data).astype(np.float64)
        null = np.broadcast_to(null, block.shape)
        if data.dtype.kind == "f":
            null = ~np.isfinite(data)
        return np.where(null, work.type(self.replacement), np.where(null, 0, data).astype(work))


def missing(where: np.ndarray) -> tuple[int, int]:
    """How many of these places are none, before and after those that are."""
    there = np.flatnonzero(where >= 0)
    return (int(there[0]), len(where) - 1 - int(there[-1])) if len(there) else (len(where), 0)


def as_number(value: Any) -> float:
    """A number or boolean as a float; NaN for anything else."""
    return float(value) if isinstance(value, (bool, int, float, np.number, np.bool_)) else float("nan")
