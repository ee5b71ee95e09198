"""Clear NDVI of a season, block by block: read, one kernel, and what a mask hides is not read at all."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine
from numba import njit
from numpy.typing import NDArray

from benchmarks import answers
from benchmarks.child import CORES, Work
from benchmarks.limits.windows import Files, Place, each, opened, tiles, write_tiff
from benchmarks.scenes import CLEAR, CRS, transform

Floats = NDArray[np.float32]


@njit(cache=True, nogil=True, error_model="numpy")
def ndvi_rows(red, nir, classes, y, low, high, missing, rows, count):  # type: ignore[no-untyped-def]
    """One row of clear NDVI for each date, `missing` where there is none, and how many there are."""
    count[:] = 0
    for i in range(red.shape[0]):
        for x in range(red.shape[2]):
            r, n = np.float32(red[i, y, x]), np.float32(nir[i, y, x])
            seen = (classes[i, y, x] >= low) & (classes[i, y, x] <= high) & (r > 0) & (n > 0)
            rows[i, x] = (n - r) / max(n + r, np.float32(1)) if seen else missing
            count[x] += seen


@njit(cache=True, nogil=True, error_model="numpy")
def medians(red, nir, classes, low, high, pairs, out):  # type: ignore[no-untyped-def]
    """The median over dates, by a sorting network that runs along the row."""
    dates, height, width = red.shape
    rows, count = np.empty((dates, width), np.float32), np.empty(width, np.int32)
    for y in range(height):
        ndvi_rows(red, nir, classes, y, low, high, np.float32(np.inf), rows, count)
        for p in range(pairs.shape[0]):
            first, second = rows[pairs[p, 0]], rows[pairs[p, 1]]
            for x in range(width):
                a, b = first[x], second[x]
                first[x] = a if a < b else b
                second[x] = b if a < b else a
        for x in range(width):
            k = count[x]
            half = np.float32(0.5) * (rows[(k - 1) // 2, x] + rows[k // 2, x])
            out[y, x] = half if k > 0 else np.float32(np.nan)


@njit(cache=True, nogil=True, error_model="numpy")
def means(red, nir, classes, low, high, _pairs, out):  # type: ignore[no-untyped-def]
    """The mean over dates."""
    dates, height, width = red.shape
    rows, count = np.empty((dates, width), np.float32), np.empty(width, np.int32)
    for y in range(height):
        ndvi_rows(red, nir, classes, y, low, high, np.float32(0), rows, count)
        total = np.zeros(width, np.float32)
        for i in range(dates):
            total += rows[i]
        for x in range(width):
            out[y, x] = total[x] / count[x] if count[x] > 0 else np.float32(np.nan)


@njit(cache=True, nogil=True, error_model="numpy")
def greatest(red, nir, classes, low, high, _pairs, out):  # type: ignore[no-untyped-def]
    """The maximum over dates."""
    dates, height, width = red.shape
    rows, count = np.empty((dates, width), np.float32), np.empty(width, np.int32)
    for y in range(height):
        ndvi_rows(red, nir, classes, y, low, high, np.float32(-np.inf), rows, count)
        best = rows[0].copy()
        for i in range(1, dates):
            for x in range(width):
                best[x] = max(best[x], rows[i, x])
        for x in range(width):
            out[y, x] = best[x] if count[x] > 0 else np.float32(np.nan)


KERNELS = {"median": medians, "mean": means, "max": greatest}


@cache
def network(size: int) -> NDArray[np.int32]:
    """The comparisons of Batcher's odd-even merge sort for `size` values."""
    pairs: list[tuple[int, int]] = []
    p = 1
    while p < size:
        k = p
        while k >= 1:
            for j in range(k % p, size - k, 2 * k):
                firsts = range(j, j + min(k, size - j - k))
                pairs += [(i, i + k) for i in firsts if i // (p * 2) == (i + k) // (p * 2)]
            k //= 2
        p *= 2
    return np.array(pairs or np.empty((0, 2)), np.int32)


def skipping(files: Files, place: Place, kernel: Any) -> Floats:
    """One block: the mask first, then only dates of which it shows something."""
    classes = [files.read(i, "SCL", place) for i in range(len(files.folders))]
    low, high = CLEAR
    shown = [i for i, c in enumerate(classes) if ((c >= low) & (c <= high)).any()]
    out = np.full(place[2:], np.nan, np.float32)
    if shown:
        red, nir = (np.stack([files.read(i, band, place) for i in shown]) for band in ("B04", "B08"))
        kernel(red, nir, np.stack([classes[i] for i in shown]), low, high, network(len(shown)), out)
    return out


def reading(files: Files, place: Place, _kernel: Any) -> Floats:
    """One block, merely read; what is given back has its size."""
    for i in range(len(files.folders)):
        for band in ("SCL", "B04"):
            files.read(i, band, place)
        last = files.read(i, "B08", place)
    return last.astype(np.float32)


def prototype(facts: Mapping[str, Any]) -> Work:
    """Read, compute, warp, write."""
    return composite(facts, skipping)


def read(facts: Mapping[str, Any]) -> Work:
    """Read the same bytes, warp, write, and compute nothing."""
    return composite(facts, reading)


def composite(facts: Mapping[str, Any], block: Callable[[Files, Place, Any], Floats]) -> Work:
    """A season's picture in a GeoTIFF."""
    top, left, height, width = window = tuple(facts["window"])
    target = Path(tempfile.mkdtemp()) / "result.tif"
    kernel = KERNELS[facts["reducer"]]
    grid = Affine(*transform()) * Affine.translation(left, top)

    def run(_: int) -> Path:
        cells = np.empty((height, width), np.float32)
        with opened(facts) as files:

            def fill(place: Place) -> None:
                y, x = place[0] - top, place[1] - left
                cells[y : y + place[2], x : x + place[3]] = block(files, place, kernel)

            each(tiles(window), fill)
        if not facts.get("projection"):
            return write_tiff(target, cells, CRS, grid)
        return write_tiff(target, *warped(cells, grid, facts))

    return Work(run, answers.of_raster)


def warped(cells: Floats, grid: Affine, facts: Mapping[str, Any]) -> tuple[Floats, str, Affine]:
    """Cells on the grid of another projection, by GDAL; and that grid."""
    from rasterio.transform import array_bounds
    from rasterio.warp import calculate_default_transform, reproject

    crs = f"EPSG:{facts['projection']}"
    height, width = cells.shape
    edges = array_bounds(height, width, grid)
    there, columns, rows = calculate_default_transform(
        CRS, crs, width, height, *edges, resolution=facts["resolution"]
    )
    out = np.empty((rows, columns), np.float32)
    reproject(
        cells, out, src_transform=grid, src_crs=CRS, dst_transform=there, dst_crs=crs, src_nodata=np.nan,
        dst_nodata=np.nan, num_threads=CORES,
    )  # fmt: skip
    return out, crs, there
