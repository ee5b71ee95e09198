"""A child graph for each neighbourhood: windows over any dimensions, with what lies around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Annotated, Any, Protocol

import dask.array as da
import numpy as np
import xarray as xr

from processes.cubes import axes
from processes.cubes.cells import Coding, coding_for, computed, rebuilt, with_null
from processes.cubes.convolution import Correlation, correlation
from processes.cubes.extents import Reach, Window, reaches, windows
from processes.cubes.panes import Patched
from processes.cubes.patches import PROBE, RASTER, Template, checked
from processes.errors import DataCubePropertiesImmutable
from processes.lazy import Lazy
from processes.mixing import along
from processes.registry import process
from processes.types import AnyValue, Json, RasterCube, Schema
from processes.values import Labeled, Masked, values_of

_DURATION = "^(-?)P(?=\\d|T\\d)(?:(\\d+)Y)?(?:(\\d+)M)?(?:(\\d+)([DW]))?(?:T(?:(\\d+)H)?(?:(\\d+)M)?(?:(\\d+(?:\\.\\d+)?)S)?)?$"
_SIZES: Json = {
    "type": "array",
    "items": {
        "type": "object",
        "subtype": "chunk-size",
        "required": ["dimension", "value"],
        "properties": {
            "dimension": {"type": "string"},
            "value": {
                "default": None,
                "anyOf": [
                    {"type": "null"},
                    {"type": "number", "minimum": 0},
                    {"type": "string", "subtype": "duration", "pattern": _DURATION},
                ],
            },
            "unit": {
                "default": None,
                "anyOf": [{"type": "null"}, {"type": "string", "enum": ["px", "m"]}],
            },
        },
    },
}
Sizes = Annotated[Sequence[Json], Schema(_SIZES)]
Overlaps = Annotated[Sequence[Json] | None, Schema([{"type": "null"}, _SIZES])]


class Neighborhood(Protocol):
    """Computes new values for a neighbourhood."""

    def __call__(
        self,
        data: Annotated[Any, Schema([RASTER, {"type": "array", "subtype": "labeled-array"}])],
        context: AnyValue = None,
    ) -> Annotated[Any, Schema([RASTER, {"type": "array"}])]:
        """The new values, in the same dimensions and with the same labels.

        Args:
            data: A part of the cube, with its overlap; a labelled array where only one dimension is left.
            context: What the caller passed along.
        """
        ...


@process("cubes", mixes=along("t", "bands", "y", "x"))
def apply_neighborhood(
    data: RasterCube,
    process: Neighborhood,
    size: Sizes,
    overlap: Overlaps = None,
    context: AnyValue = None,
) -> RasterCube:
    """Compute new values for each neighbourhood

    The cube is parted into neighbourhoods that lie side by side; the last one along a dimension may be smaller.
    The child graph sees each of them with its overlap; of what it gives back, only the neighbourhood itself counts.
    Overlap beyond the cube is no-data.

    Args:
        data: A raster cube.
        process: What makes new values of the old ones of a neighbourhood.
        size: Size of the neighbourhoods along each dimension: a number of cells (`px`), of metres (`m`) or of the
            units of the CRS (without a unit), or a duration, counted from the first label. A dimension that is left
            out, or whose value is `null`, is not parted. Where all dimensions but one are parted into single cells
            without overlap, the child graph gets an array along that one.
        overlap: How far the child graph sees beyond a neighbourhood, on each side of it, given like `size`.
        context: Passed on to the child graph.

    Returns:
        The cube with its new values.

    Raises:
        DimensionNotAvailable: `size` or `overlap` names a dimension that the cube has not.
        DataCubePropertiesImmutable: The child graph changed dimensions or labels.
    """
    axes.plane(data)
    dims = tuple(map(str, data.dims))
    sizes, around = reaches(size, data, "size"), reaches(overlap, data, "overlap")
    parts = tuple(windows(data, d, sizes.get(d), around.get(d)) for d in dims)
    source = Coding.of(data)
    if any(w.low < 0 or w.high > data.sizes[d] for d, ws in zip(dims, parts, strict=True) for w in ws):
        source = with_null(source)  # beyond the cube there is no-data
    run = Patchwork(
        process, context, Template.of(data, source), parts, tuple(0 for _ in dims), Coding.of(data)
    )
    run = replace(run, series=lone_dimension(data, sizes, around))
    run = replace(run, after=run.probe())
    run = replace(run, kernel=lone_kernel(run, axes.plane(data)))
    assert run.after is not None
    return computed(rebuilt(data, patched(run, data), dims, run.after))


def lone_dimension(data: xr.DataArray, sizes: Mapping[str, Reach], around: Mapping[str, Reach]) -> int | None:
    """The one dimension that is not parted into single cells, where it is one."""
    single = Reach(cells=1)
    wide = [
        i
        for i, d in enumerate(map(str, data.dims))
        if around.get(d, Reach()) != Reach() or sizes.get(d, Reach(cells=data.sizes[d])) != single
    ]
    return wide[0] if len(wide) == 1 else None


@dataclass(frozen=True, eq=False)
class Inside:
    """A kernel that reaches no farther than windows see, so that it need not be told of windows."""

    run: Correlation
    axes: tuple[int, int]
    """The axes that rows and columns follow."""

    def __call__(
        self, cells: np.ndarray, spans: Sequence[tuple[int, int]], counts: Sequence[int]
    ) -> np.ndarray:
        """The new values of some cells.

        Args:
            cells: The cells that are there, and those around them as far as the cube goes.
            spans: For each axis the first cell that is computed, and the one after the last, counted in `cells`.
            counts: How many cells there are along each axis.
        """
        key = [slice(*span) for span in spans]
        where = []
        for axis, size in zip(self.axes, self.run.size, strict=True):
            first, last = spans[axis]
            places = np.arange(first - size // 2, last + size // 2)
            where.append(np.where((places >= 0) & (places < counts[axis]), places, -1))
            key[axis] = slice(None)
        made = self.run(np.moveaxis(cells[tuple(key)], self.axes, (-2, -1)), *where)
        return np.moveaxis(made, (-2, -1), self.axes)


def lone_kernel(run: Patchwork, plane: tuple[str, str]) -> Inside | None:
    """The child graph as a kernel, where it is nothing else, and all that it reaches is in the windows.

    Child graphs that are one process on their data say so: its name and its other arguments are their `statistic`.
    """
    name, args = getattr(run.process, "statistic", None) or ("", {})
    if name != "apply_kernel" or run.series is not None:
        return None
    found = correlation(run.template.coding, **args).amid_nodata
    y, x = (run.template.dims.index(d) for d in plane)
    seen = all(
        min(w.start - w.low, w.high - w.stop) >= size // 2
        for axis, size in zip((y, x), found.size, strict=True)
        for w in run.parts[axis]
    )
    return Inside(found, (y, x)) if seen and Coding(found.dtype) == run.after else None


def patched(run: Patchwork, data: xr.DataArray) -> Any:
    """Run the child graph block by block; a block holds whole windows."""
    array = data.data
    assert run.after is not None
    if not isinstance(array, da.Array):
        return run(array)
    if not array.size:
        return da.zeros(array.shape, dtype=run.after.dtype, chunks=array.chunks)
    cuts = [bundles(ws, max(c)) for ws, c in zip(run.parts, array.chunks, strict=True)]
    if isinstance(array, Lazy):
        ends = (
            [ws[c.stop - 1].stop - ws[c.start].start for c in cs]
            for ws, cs in zip(run.parts, cuts, strict=True)
        )
        return array.of(Patched(array.recipe, run, tuple(map(tuple, ends))))
    return nested(run, array, cuts, [])


def nested(run: Patchwork, array: da.Array, cuts: list[list[slice]], chosen: list[slice]) -> da.Array:
    """Blocks put together, one dimension after the other."""
    if len(chosen) < len(cuts):
        axis = len(chosen)
        return da.concatenate([nested(run, array, cuts, [*chosen, cut]) for cut in cuts[axis]], axis=axis)
    assert run.after is not None
    step = run.over(chosen)
    block = array[step.seen_by_all].rechunk(-1)
    chunks = tuple((ws[-1].stop - ws[0].start,) for ws in step.parts)
    return block.map_blocks(step, dtype=run.after.dtype, chunks=chunks)


def bundles(parts: Sequence[Window], length: int) -> list[slice]:
    """Neighbouring windows in bundles of about so many cells, at least one each."""
    found, first = [], 0
    for i, window in enumerate(parts):
        if i > first and window.stop - parts[first].start > length:
            found.append(slice(first, i))
            first = i
    return [*found, slice(first, len(parts))]


@dataclass(frozen=True, eq=False)
class Patchwork:
    """A child graph over windows, as a function of one stored block that holds all they see."""

    process: Neighborhood
    context: Any
    template: Template
    """Labels and attributes of the whole cube, and how cells are stored in its parts."""
    parts: tuple[tuple[Window, ...], ...]
    """For each dimension the windows of this block."""
    offsets: tuple[int, ...]
    """For each dimension the place of the block's first cell in the cube."""
    before: Coding
    after: Coding | None = None
    series: int | None = None
    """The dimension that arrays run along; `None` where the child graph gets cubes."""
    kernel: Inside | None = None
    """What computes all windows at once, where the child graph is such a kernel."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the new values."""
        assert self.after is not None
        return self.after.dtype

    def over(self, chosen: Sequence[slice]) -> Patchwork:
        """The same over some of the windows along each dimension, for a block that holds just what they see."""
        step = replace(self, parts=tuple(ws[cut] for ws, cut in zip(self.parts, chosen, strict=True)))
        return replace(step, offsets=tuple(place.start for place in step.seen_by_all))

    @property
    def seen_by_all(self) -> tuple[slice, ...]:
        """The cells of the cube that any of the windows sees."""
        return tuple(
            slice(max(0, min(w.low for w in ws)), min(n, max(w.high for w in ws)))
            for ws, n in zip(self.parts, self.template.shape, strict=True)
        )

    def probe(self) -> Coding:
        """How to store what the child graph gives, found out on a small window."""
        if not all(self.parts):
            return self.template.coding
        window = [ws[len(ws) // 2] for ws in self.parts]
        few = [
            w
            if kind != "spatial"
            else replace(
                w,
                low=max(w.low, w.start - 1),
                stop=min(w.stop, w.start + PROBE),
                high=min(w.high, w.start + PROBE),
            )
            for w, kind in zip(window, self.template.kinds, strict=True)
        ]
        cells = self.template.coding.probe([w.high - w.low for w in few])
        if self.series is not None:
            result = self.on_series(cells, few)
            return coding_for(values_of(result), self.template.coding)
        return Coding.of(self.on_cube(cells, few))

    def __call__(self, block: np.ndarray) -> np.ndarray:
        after = self.after
        assert after is not None
        if self.kernel is not None and all(self.parts):
            return self.at_once(block, self.kernel)
        begin = [ws[0].start if ws else 0 for ws in self.parts]
        out = np.empty(
            [ws[-1].stop - b if ws else 0 for ws, b in zip(self.parts, begin, strict=True)], after.dtype
        )
        for window in self.bundled():
            cells = self.seen(block, window)
            if self.series is not None:
                values = self.stored_series(cells, window, after)
            else:
                cube = self.on_cube(cells, window)
                values = after.encode(Coding.of(cube).decode(cube.values), cells.shape)
            core = tuple(slice(w.start - w.low, w.stop - w.low) for w in window)
            place = tuple(slice(w.start - b, w.stop - b) for w, b in zip(window, begin, strict=True))
            out[place] = values[core]
        return out

    def at_once(self, block: np.ndarray, kernel: Inside) -> np.ndarray:
        """The new values of all windows."""
        spans = [
            (ws[0].start - offset, ws[-1].stop - offset)
            for ws, offset in zip(self.parts, self.offsets, strict=True)
        ]
        return kernel(self.recoded(block), spans, block.shape)

    def bundled(self) -> Any:
        """The windows; where they are series, those of all cells beside each other are one."""
        if self.series is None:
            return product(*self.parts)
        whole: list[tuple[Window, ...]] = [
            (Window(ws[0].low, ws[0].start, ws[-1].stop, ws[-1].high),) if ws else () for ws in self.parts
        ]
        whole[self.series] = self.parts[self.series]
        return product(*whole)

    def seen(self, block: np.ndarray, window: Sequence[Window]) -> np.ndarray:
        """The cells that a window sees, with no-data beyond the cube."""
        coding = self.template.coding
        key, pads = [], []
        for w, offset, count in zip(window, self.offsets, self.template.shape, strict=True):
            low, high = max(w.low, 0), min(w.high, count)
            key.append(slice(low - offset, high - offset))
            pads.append((low - w.low, w.high - high))
        cells = self.recoded(block[tuple(key)])
        return np.pad(cells, pads, constant_values=coding.null) if any(map(any, pads)) else cells

    def recoded(self, cells: np.ndarray) -> np.ndarray:
        """Cells stored as in the parts."""
        if self.before == self.template.coding:
            return cells
        return self.template.coding.encode(self.before.decode(cells), cells.shape)

    def on_cube(self, cells: np.ndarray, window: Sequence[Window]) -> xr.DataArray:
        """What the child graph makes of a window as a cube."""
        cube = self.template.part(cells, [(w.low, w.high) for w in window])
        return checked(self.process(cube, context=self.context), cube)

    def on_series(self, cells: np.ndarray, window: Sequence[Window]) -> Any:
        """What the child graph makes of a window as an array, for all cells beside each other at once."""
        axis = self.series
        assert axis is not None
        labels = self.template.names(axis, window[axis].low, window[axis].high)
        values = self.template.coding.decode(np.moveaxis(cells, axis, 0))
        result = self.process(Labeled(values, labels), context=self.context)
        data = values_of(result)
        inner = np.asarray(data.data if isinstance(data, Masked) else data)
        count = len(inner) if inner.ndim else 0
        if count != len(labels):
            raise DataCubePropertiesImmutable(
                f"the child graph gives {count} values for {len(labels)} labels", parameter="process"
            )
        return data

    def stored_series(self, cells: np.ndarray, window: Sequence[Window], after: Coding) -> np.ndarray:
        """The same, stored."""
        axis = self.series
        assert axis is not None
        shape = np.moveaxis(cells, axis, 0).shape
        result = self.on_series(cells, window)
        if isinstance(result, Masked):
            result = Masked(in_full(result.data, shape), in_full(result.null, shape))
        else:
            result = in_full(result, shape)
        return np.moveaxis(after.encode(result, shape), 0, axis)


def in_full(values: Any, shape: tuple[int, ...]) -> np.ndarray:
    """An array that is the same for each cell, or has its own values, in full shape."""
    array = np.asarray(values)
    return np.broadcast_to(array.reshape(array.shape + (1,) * (len(shape) - array.ndim)), shape)
