"""A child graph for the cells of each polygon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any, Protocol

import dask
import dask.array as da
import numpy as np
import xarray as xr

from processes.cubes import axes, geometries
from processes.cubes.cells import Coding, rebuilt, with_null
from processes.cubes.masks import holding
from processes.cubes.patches import PROBE, RASTER, Template, checked
from processes.errors import GeometriesOverlap, ProcessParameterInvalid
from processes.registry import process
from processes.types import AnyValue, RasterCube, Schema

Polygons = Annotated[
    Any,
    Schema(
        {
            "type": "object",
            "subtype": "datacube",
            "dimensions": [{"type": "geometry", "geometry_type": ["Polygon", "MultiPolygon"]}],
        }
    ),
]
MaskValue = Annotated[
    Any, Schema([{"type": "number"}, {"type": "boolean"}, {"type": "string"}, {"type": "null"}])
]


class SegmentProcess(Protocol):
    """Computes new values for the part of a cube that is in a polygon."""

    def __call__(
        self, data: Annotated[Any, Schema(RASTER)], context: AnyValue = None
    ) -> Annotated[Any, Schema({"schema": RASTER})]:
        """The new values, in the same dimensions and with as many labels.

        Args:
            data: The part of the cube in the box around a polygon; outside of the polygon it has the mask value.
            context: What the caller passed along.
        """
        ...


@process("cubes")
def apply_polygon(
    data: RasterCube,
    geometries: Polygons,
    process: SegmentProcess,
    mask_value: MaskValue = None,
    context: AnyValue = None,
) -> RasterCube:
    """Compute new values for the cells in each polygon

    The child graph gets, polygon by polygon, the part of the cube in the box around it. A cell is in a polygon where
    its centre is, the edge included. Of what the child graph gives back, only the cells in the polygon count; cells
    in none of the polygons are no-data in the result.

    Args:
        data: A raster cube.
        geometries: A vector cube of polygons, with or without parts, such as `load_geojson()` makes. They may not
            overlap. Empty geometries do not count.
        process: What makes new values of the old ones.
        mask_value: What the child graph gets for the cells in the box that are outside of the polygon; `null` stands
            for no-data.
        context: Passed on to the child graph.

    Returns:
        The cube with its new values.

    Raises:
        GeometriesOverlap: A cell is in more than one polygon.
    """
    y, x = axes.plane(data)
    segments = segments_of(data, geometries)
    flat = data.transpose(*(str(d) for d in data.dims if d not in (y, x)), y, x)
    before = Coding.of(data)
    seen = coding_with(before, mask_value)
    value = seen.null if mask_value is None else mask_value
    run = OnSegment(process, context, Template.of(flat, seen), before, value)
    after = run.probe(segments[0]) if segments else with_null(before)
    array = computed(run, flat.data, segments, after)
    return rebuilt(data, array, tuple(map(str, flat.dims)), after).transpose(*data.dims)


@dataclass(frozen=True, eq=False)
class Segment:
    """The cells of one polygon."""

    top: int
    """First row of the box around them."""
    left: int
    """First column of the box."""
    inside: np.ndarray
    """Which cells of the box are in the polygon."""

    @property
    def rows(self) -> slice:
        """The rows of the box."""
        return slice(self.top, self.top + self.inside.shape[0])

    @property
    def columns(self) -> slice:
        """The columns of the box."""
        return slice(self.left, self.left + self.inside.shape[1])


def segments_of(data: xr.DataArray, given: Any) -> tuple[Segment, ...]:
    """The cells of each polygon that has any; refuses other geometries, and polygons that overlap."""
    y, x = axes.plane(data)
    shapes = geometries.read(given, "geometries")
    for shape in shapes.coord:
        if not shape.is_empty and shape.geom_type not in ("Polygon", "MultiPolygon"):
            raise ProcessParameterInvalid(
                f"polygons are needed; there is a {shape.geom_type}", parameter="geometries"
            )
    owner = np.full(data.sizes[y] * data.sizes[x], -1)
    found = []
    for i, cells in enumerate(geometries.cells_of(data, shapes).places):
        if not len(cells):
            continue
        if (owner[cells] >= 0).any():
            shared = cells[owner[cells] >= 0]
            raise GeometriesOverlap(
                f"{len(shared)} cells are in polygon {owner[shared[0]]} and in polygon {i} (counted from 0)",
                hint="Cut them so that no cell is in two, or use apply and mask_polygon for each.",
                parameter="geometries",
            )
        owner[cells] = i
        row, column = np.divmod(cells, data.sizes[x])
        inside = np.zeros((np.ptp(row) + 1, np.ptp(column) + 1), dtype=bool)
        inside[row - row.min(), column - column.min()] = True
        found.append(Segment(int(row.min()), int(column.min()), inside))
    return tuple(found)


def coding_with(coding: Coding, value: Any) -> Coding:
    """A coding that holds the cells and the mask value."""
    if value is None:
        return with_null(coding)
    if isinstance(value, str) and coding.dtype.kind != "O":
        raise ProcessParameterInvalid(
            f"{value!r} does not go with cells of type {coding.dtype}", parameter="mask_value"
        )
    try:
        return holding(coding, value)
    except ProcessParameterInvalid as error:
        raise ProcessParameterInvalid(str(error), hint=error.hint, parameter="mask_value") from None


def computed(run: OnSegment, array: Any, segments: Sequence[Segment], after: Coding) -> Any:
    """The values in all polygons; lazily each polygon is computed once, and each block put together of them."""
    if not isinstance(array, da.Array):
        pieces = [run(array[..., s.rows, s.columns], s, after) for s in segments]
        return together(
            pieces, segments, (slice(0, array.shape[-2]), slice(0, array.shape[-1])), array.shape[:-2], after
        )
    others = array.shape[:-2]
    work = dask.delayed(run, pure=False, traverse=False)
    piece = [work(array[..., s.rows, s.columns], s, after) for s in segments]
    lines = []
    for y0, y1 in pairwise(np.cumsum((0, *array.chunks[-2])).tolist()):
        line = []
        for x0, x1 in pairwise(np.cumsum((0, *array.chunks[-1])).tolist()):
            block = slice(y0, y1), slice(x0, x1)
            near = [i for i, s in enumerate(segments) if meets(s, block)]
            made = dask.delayed(together, pure=False)(
                [piece[i] for i in near], [segments[i] for i in near], block, others, after
            )
            line.append(da.from_delayed(made, (*others, y1 - y0, x1 - x0), after.dtype))
        lines.append(da.concatenate(line, axis=-1))
    return da.concatenate(lines, axis=-2)


def meets(segment: Segment, block: tuple[slice, slice]) -> bool:
    """Do the box around a polygon and a block have cells in common?"""
    return all(
        a.start < b.stop and b.start < a.stop
        for a, b in zip((segment.rows, segment.columns), block, strict=True)
    )


def together(
    pieces: Sequence[np.ndarray],
    segments: Sequence[Segment],
    block: tuple[slice, slice],
    others: tuple[int, ...],
    after: Coding,
) -> np.ndarray:
    """A block, with the values of the polygons in their cells and no-data elsewhere."""
    rows, columns = block
    out = np.full(
        (*others, rows.stop - rows.start, columns.stop - columns.start), after.null, dtype=after.dtype
    )
    for values, segment in zip(pieces, segments, strict=True):
        row, column = np.nonzero(segment.inside)
        y, x = row + segment.top - rows.start, column + segment.left - columns.start
        here = (y >= 0) & (y < out.shape[-2]) & (x >= 0) & (x < out.shape[-1])
        out[..., y[here], x[here]] = values[..., row[here], column[here]]
    return out


@dataclass(frozen=True, eq=False)
class OnSegment:
    """A child graph over the box around a polygon, as a function of its stored cells (..., y, x)."""

    process: SegmentProcess
    context: Any
    template: Template
    before: Coding
    value: Any
    """What stands outside of the polygon."""

    def probe(self, segment: Segment) -> Coding:
        """How to store what the child graph gives, found out on a few cells."""
        few = Segment(segment.top, segment.left, segment.inside[:PROBE, :PROBE])
        cells = self.before.probe((*self.template.shape[:-2], *few.inside.shape))
        return with_null(Coding.of(self.result(cells, few)))

    def result(self, block: np.ndarray, segment: Segment) -> xr.DataArray:
        """What the child graph gives."""
        coding = self.template.coding
        cells = block if self.before == coding else coding.encode(self.before.decode(block), block.shape)
        cells = np.where(segment.inside, cells, np.asarray(self.value).astype(coding.dtype))
        ranges = [(0, n) for n in block.shape[:-2]]
        ranges += [(s.start, s.stop) for s in (segment.rows, segment.columns)]
        cube = self.template.part(cells, ranges)
        return checked(self.process(cube, context=self.context), cube, fixed=False)

    def __call__(self, block: np.ndarray, segment: Segment, after: Coding) -> np.ndarray:
        cube = self.result(block, segment)
        return after.encode(Coding.of(cube).decode(cube.values), block.shape)
