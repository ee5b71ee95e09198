"""Windows that part the plane, side by side; the same whatever the chunks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import dask.array as da
import numpy as np
import xarray as xr
from affine import Affine
from odc.geo.geobox import GeoBox

from processes.cubes import axes, places, resample
from processes.cubes.cells import Coding, coding_for, computed, one_value, rebuilt, with_null
from processes.errors import ProcessParameterInvalid
from processes.mixing import along
from processes.registry import process
from processes.types import CORNERS, Aggregator, AnyValue, Corner, RasterCube, Schema

WindowSize = Annotated[
    Sequence[int],
    Schema({"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "integer", "minimum": 1}}),
]
ROOM = 4_000_000
"""Cells of a plane that may be padded to, however small the cube is."""
BOUNDARIES = ("pad", "trim")
Boundary = Annotated[str, Schema({"type": "string", "enum": list(BOUNDARIES)})]


@process("cubes", "aggregate", experimental=True, mixes=along("x", "y"))
def aggregate_spatial_window(
    data: RasterCube,
    reducer: Aggregator,
    size: WindowSize,
    boundary: Boundary = "pad",
    align: Corner = "upper-left",
    context: AnyValue = None,
) -> RasterCube:
    """Make one value of all cells in each window of the plane

    The plane is parted into windows of equal size, which lie side by side.

    Args:
        data: A raster cube.
        reducer: What makes one value of the cells in a window.
        size: How many cells a window has along x, and along y.
        boundary: What is done where the windows do not come out even: `pad` fills up with no-data, `trim` leaves
            the odd cells out.
        align: The corner of the extent that the windows start from.
        context: Passed on to the reducer.

    Returns:
        The cube with a cell for each window, whose labels are the centres of the windows.
    """
    y, x = axes.plane(data)
    check_windows(size, boundary, align)
    xs, ys = data.coords[x].values, data.coords[y].values
    from_end = {
        x: align.endswith("right") is bool(len(xs) < 2 or xs[0] <= xs[-1]),
        y: align.startswith("upper") is bool(len(ys) > 1 and ys[0] < ys[-1]),
    }
    sizes = {y: int(size[1]), x: int(size[0])}
    before = Coding.of(data)
    spans = {d: span(data.sizes[d], sizes[d], boundary, from_end[d], d) for d in (y, x)}
    enough_room(data, spans)
    pads = {d: (max(0, -a), max(0, b - data.sizes[d])) for d, (a, b) in spans.items()}
    if any(map(any, pads.values())) and before != with_null(before):
        data = resample.recoded(data, before, with_null(before))
        before = with_null(before)
    others = [str(d) for d in data.dims if d not in (y, x)]
    probe = before.decode(before.probe((2,) + (1,) * len(others)))
    after = coding_for(one_value(reducer(probe, context=context), len(others), "reducer"), before)
    run = Windowed(reducer, context, sizes[y], sizes[x], before, after)
    inner = data.isel({d: slice(max(0, a), b) for d, (a, b) in spans.items()}).transpose(*others, y, x)
    array = over_windows(run, padded(inner.data, [pads[y], pads[x]], before.null))
    coords = {d: (d, centres(data, d, spans[d], sizes[d]), data.coords[d].attrs) for d in (y, x)}
    out = rebuilt(data, array, (*others, y, x), after, **coords, **reference(data, sizes, spans))
    return computed(out).transpose(*data.dims)


# ------------------------------------------------------------------------------------- how it is done
def check_windows(size: Sequence[int], boundary: str, align: str) -> None:
    """Refuse windows that are none."""
    if len(size) != 2 or any(s < 1 or s != int(s) for s in size):
        raise ProcessParameterInvalid(
            f"a size is two numbers of cells, along x and y, at least 1; there is {list(size)}",
            parameter="size",
        )
    if boundary not in BOUNDARIES:
        raise ProcessParameterInvalid(
            f"{boundary!r} is none of {', '.join(BOUNDARIES)}", parameter="boundary"
        )
    if align not in CORNERS:
        raise ProcessParameterInvalid(f"{align!r} is none of {', '.join(CORNERS)}", parameter="align")


def span(count: int, size: int, boundary: str, from_end: bool, dim: str) -> tuple[int, int]:
    """The first place and the one after the last that the windows cover; may reach beyond the cube."""
    odd = count % size
    length = count - odd if boundary == "trim" else count + (size - odd if odd else 0)
    if not length:
        raise ProcessParameterInvalid(
            f"no window of {size} cells fits into the {count} along {dim!r}",
            hint='Use boundary="pad", or a smaller size.',
            parameter="size",
        )
    return (count - length, count) if from_end else (0, length)


def enough_room(data: xr.DataArray, spans: dict[str, tuple[int, int]]) -> None:
    """Refuse windows that are much larger than the cube: nearly all of their cells would be no-data."""
    wanted = int(np.prod([float(stop - start) for start, stop in spans.values()]))
    there = int(np.prod([data.sizes[d] for d in spans]))
    if wanted > max(4 * there, ROOM):
        raise ProcessParameterInvalid(
            f"{wanted:,} cells would be needed for whole windows, and the plane has {there:,}",
            hint='Use a smaller size, boundary="trim", or reduce_spatial.',
            parameter="size",
        )


def padded(array: Any, pads: list[tuple[int, int]], null: Any) -> Any:
    """The last two axes with no-data around them."""
    around = [(0, 0)] * (array.ndim - 2) + pads
    if not any(map(any, pads)):
        return array
    pad = da.pad if isinstance(array, da.Array) else np.pad
    return pad(array, around, mode="constant", constant_values=null)


def over_windows(run: Windowed, array: Any) -> Any:
    """Run the reducer on blocks that hold whole windows."""
    if not isinstance(array, da.Array):
        return run(array)
    ndim = array.ndim
    steps = {ndim - 2: run.height, ndim - 1: run.width}
    whole = {axis: max(step, max(array.chunks[axis]) // step * step) for axis, step in steps.items()}
    array = array.rechunk(whole)
    chunks = list(array.chunks)
    for axis, step in steps.items():
        chunks[axis] = tuple(c // step for c in chunks[axis])
    return array.map_blocks(run, dtype=run.after.dtype, chunks=tuple(chunks))


@dataclass(frozen=True)
class Windowed:
    """A reducer over windows, as a function of stored cells (..., y, x) that hold whole windows."""

    reducer: Aggregator
    context: Any
    height: int
    width: int
    before: Coding
    after: Coding

    def __call__(self, block: np.ndarray) -> np.ndarray:
        *others, rows, columns = block.shape
        shape = (*others, rows // self.height, columns // self.width)
        windows = block.reshape(*shape[:-1], self.height, shape[-1], self.width)
        cells = np.moveaxis(windows, (-3, -1), (0, 1)).reshape(self.height * self.width, *shape)
        return self.after.encode(self.reducer(self.before.decode(cells), context=self.context), shape)


def centres(data: xr.DataArray, dim: str, where: tuple[int, int], size: int) -> np.ndarray:
    """The centres of the windows along a dimension; beyond the cube its labels go on evenly."""
    start, stop = where
    labels = data.coords[dim].values
    count = len(labels)
    known = labels[max(0, start) : stop].astype(float)
    if start < 0 or stop > count:
        step = places.spacing(labels, dim)
        before = labels[0] + step * np.arange(start, 0)
        after = labels[-1] + step * np.arange(1, stop - count + 1)
        known = np.concatenate([before, known, after])
    windows = known.reshape(-1, size)
    return labels[max(0, start) : stop] if size == 1 else (windows[:, 0] + windows[:, -1]) / 2


def reference(data: xr.DataArray, sizes: dict[str, int], spans: dict[str, tuple[int, int]]) -> dict[str, Any]:
    """The CRS with the grid of the windows, in place of the old one."""
    if "spatial_ref" not in data.coords or places.crs_of(data) is None:
        return {}
    y, x = axes.plane(data)
    if min(data.sizes[y], data.sizes[x]) < 2:  # then the size of the cells is not known
        known = data.coords["spatial_ref"].variable.copy()
        known.attrs = {k: v for k, v in known.attrs.items() if k != "GeoTransform"}
        return {"spatial_ref": known}
    old = places.grid(data)
    shape = tuple((spans[d][1] - spans[d][0]) // sizes[d] for d in (y, x))
    corner = Affine.translation(spans[x][0], spans[y][0]) * Affine.scale(sizes[x], sizes[y])
    return {"spatial_ref": places.coordinates(GeoBox(shape, old.transform * corner, old.crs))["spatial_ref"]}
