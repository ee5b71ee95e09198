"""Kernels over cubes in memory, each for one task: months, zones, a 5 x 5 kernel, a warp."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from affine import Affine
from numba import njit, prange
from numpy.typing import NDArray

from benchmarks import answers, cubes, graphs
from benchmarks.child import CORES, Work
from benchmarks.scenes import CELL, CRS, bounds, moment, transform

Floats = NDArray[np.float32]
WEIGHTS = tuple(float(w) for row in graphs.KERNEL for w in row)


@njit(cache=True, parallel=True, error_model="numpy")
def monthly(values, starts, out):  # type: ignore[no-untyped-def]
    """Means of segments along the first axis, row by row."""
    width = values.shape[2]
    for y in prange(values.shape[1]):
        total, count = np.empty(width, np.float32), np.empty(width, np.float32)
        for s in range(out.shape[0]):
            total[:] = 0
            count[:] = 0
            for i in range(starts[s], starts[s + 1]):
                for x in range(width):
                    v = values[i, y, x]
                    here = v == v
                    total[x] += v if here else np.float32(0)
                    count[x] += here
            for x in range(width):
                out[s, y, x] = total[x] / count[x]


def months(facts: Mapping[str, Any]) -> Work:
    """Monthly means."""
    values = cubes.cells(facts["dates"], facts["edge"])
    number = np.array([moment(i).month - 1 for i in range(facts["dates"])])
    starts = np.searchsorted(number, np.arange(number[-1] + 2))

    def run(_: int) -> Floats:
        out = np.empty((len(starts) - 1, *values.shape[1:]), np.float32)
        monthly(values, starts, out)
        return out

    return Work(run, answers.of_cells)


@njit(cache=True, parallel=True, fastmath=True)
def total(values):  # type: ignore[no-untyped-def]
    """The sum of all cells: each is touched once."""
    sums = np.zeros(values.shape[0], np.float32)
    for i in prange(values.shape[0]):
        for y in range(values.shape[1]):
            for x in range(values.shape[2]):
                sums[i] += values[i, y, x]
    return sums.sum()


def touched(facts: Mapping[str, Any]) -> Work:
    """Merely read the memory."""
    values = cubes.cells(facts["dates"], facts["edge"])
    return Work(lambda _: total(values))


@njit(cache=True, parallel=True)
def zonal(values, cells, starts, out):  # type: ignore[no-untyped-def]
    """Means of lists of cells, for each date."""
    width = values.shape[2]
    for z in prange(starts.shape[0] - 1):
        for i in range(values.shape[0]):
            summed = 0.0
            for k in range(starts[z], starts[z + 1]):
                summed += values[i, cells[k] // width, cells[k] % width]
            out[z, i] = summed / (starts[z + 1] - starts[z])


def inside(polygons: Mapping[str, Any], edge: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The cells whose centre is in each polygon, and where each polygon's cells begin."""
    from rasterio.features import rasterize
    from rasterio.warp import transform_geom

    grid, lists = Affine(*transform()), []
    shapes = transform_geom("EPSG:4326", CRS, [f["geometry"] for f in polygons["features"]])
    for shape in shapes:
        ring = np.array(shape["coordinates"][0])
        columns, rows = ~grid * ring.T
        left, top = max(0, int(columns.min())), max(0, int(rows.min()))
        right, low = min(edge, int(columns.max()) + 1), min(edge, int(rows.max()) + 1)
        here = grid * Affine.translation(left, top)
        seen = rasterize([(shape, 1)], (low - top, right - left), transform=here, dtype="uint8")
        y, x = np.nonzero(seen)
        lists.append((y + top) * edge + x + left)
    return np.concatenate(lists), np.cumsum([0, *map(len, lists)])


def zones(facts: Mapping[str, Any]) -> Work:
    """Means of polygons, by lists of their cells."""
    values = cubes.cells(facts["dates"], facts["edge"], gaps=False)

    def run(_: int) -> NDArray[np.float64]:
        cells, starts = inside(facts["polygons"], facts["edge"])
        out = np.empty((len(starts) - 1, len(values)))
        zonal(values, cells, starts, out)
        return out

    return Work(run, answers.of_cells)


@njit(cache=True, parallel=True, fastmath=True)
def convolved(values, out):  # type: ignore[no-untyped-def]
    """The kernel with its weights baked in; beyond the edge there is 0."""
    dates, height, width = values.shape
    for y in prange(height):
        padded = np.zeros((5, width + 4), np.float32)
        for i in range(dates):
            for dy in range(5):
                row = y + dy - 2
                if 0 <= row < height:
                    padded[dy, 2 : width + 2] = values[i, row]
                else:
                    padded[dy] = 0
            for x in range(width):
                s = np.float32(0)
                for dy in range(5):
                    for dx in range(5):
                        s += np.float32(WEIGHTS[dy * 5 + dx]) * padded[dy, x + dx]
                out[i, y, x] = s


def kernel(facts: Mapping[str, Any]) -> Work:
    """A 5 x 5 kernel."""
    values = cubes.cells(facts["dates"], facts["edge"], gaps=False)

    def run(_: int) -> Floats:
        out = np.empty_like(values)
        convolved(values, out)
        return out

    return Work(run, answers.of_cells)


@njit(cache=True, parallel=True, error_model="numpy")
def warped(values, columns, rows, step, out):  # type: ignore[no-untyped-def]
    """Bilinear, at places that are interpolated between those of a coarse grid."""
    height, width = values.shape
    nothing = np.float32(np.nan)
    for y in prange(out.shape[0]):
        ky, fy = y // step, np.float32(y % step) / np.float32(step)
        for kx in range(columns.shape[1] - 1):
            c0 = columns[ky, kx] + fy * (columns[ky + 1, kx] - columns[ky, kx])
            c1 = columns[ky, kx + 1] + fy * (columns[ky + 1, kx + 1] - columns[ky, kx + 1])
            r0 = rows[ky, kx] + fy * (rows[ky + 1, kx] - rows[ky, kx])
            r1 = rows[ky, kx + 1] + fy * (rows[ky + 1, kx + 1] - rows[ky, kx + 1])
            for x in range(kx * step, min(out.shape[1], (kx + 1) * step)):
                share = (x - kx * step) / step
                c, r = c0 + share * (c1 - c0), r0 + share * (r1 - r0)
                if c < -0.5 or r < -0.5 or c > width - 0.5 or r > height - 0.5:
                    out[y, x] = nothing
                    continue
                c, r = min(max(c, 0.0), width - 1.0), min(max(r, 0.0), height - 1.0)
                i, j = min(int(r), height - 2), min(int(c), width - 2)
                a, b = np.float32(r - i), np.float32(c - j)
                upper = values[i, j] + b * (values[i, j + 1] - values[i, j])
                lower = values[i + 1, j] + b * (values[i + 1, j + 1] - values[i + 1, j])
                out[y, x] = upper + a * (lower - upper)


def warp(facts: Mapping[str, Any]) -> Work:
    """Another projection, bilinear on a coordinate grid of every 32nd cell."""
    from pyproj import Transformer
    from rasterio.warp import calculate_default_transform

    edge, step, crs = facts["edge"], 32, f"EPSG:{facts['projection']}"
    values = cubes.cells(1, edge, gaps=False)[0]

    def run(_: int) -> Floats:
        there, width, height = calculate_default_transform(
            CRS, crs, edge, edge, *bounds(0, 0, edge, edge), resolution=facts["resolution"]
        )
        x, y = np.meshgrid(np.arange(0, width + step, step), np.arange(0, height + step, step))
        east, north = there * (x + 0.5, y + 0.5)
        east, north = Transformer.from_crs(crs, CRS, always_xy=True).transform(east, north)
        columns, rows = ~Affine(*transform()) * (np.asarray(east), np.asarray(north))
        out = np.empty((height, width), np.float32)
        warped(values, columns - 0.5, rows - 0.5, step, out)
        return out

    return Work(run, answers.of_cells)


def warp_gdal(facts: Mapping[str, Any]) -> Work:
    """Another projection, by GDAL with two threads."""
    from rasterio.enums import Resampling
    from rasterio.warp import calculate_default_transform, reproject

    edge, crs = facts["edge"], f"EPSG:{facts['projection']}"
    values = cubes.cells(1, edge, gaps=False)[0]

    def run(_: int) -> Floats:
        there, width, height = calculate_default_transform(
            CRS, crs, edge, edge, *bounds(0, 0, edge, edge), resolution=CELL
        )
        out = np.empty((height, width), np.float32)
        reproject(
            values, out, src_transform=Affine(*transform()), src_crs=CRS, dst_transform=there, dst_crs=crs,
            src_nodata=np.nan, dst_nodata=np.nan, resampling=Resampling.bilinear, num_threads=CORES,
        )  # fmt: skip
        return out

    return Work(run, answers.of_cells)
