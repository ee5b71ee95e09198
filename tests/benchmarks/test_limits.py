"""The scripts that others are measured by, against numpy and scipy: a limit that is wrong is none."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import correlate

from benchmarks import b4_zones, cubes, graphs
from benchmarks.limits import composite, memory
from benchmarks.limits.windows import tiles


@pytest.mark.parametrize("size", range(1, 26))
def test_the_network_sorts(size):
    rows = np.random.default_rng(size).random((size, 50))
    sorted_ = rows.copy()
    for a, b in composite.network(size):
        sorted_[a], sorted_[b] = np.minimum(sorted_[a], sorted_[b]), np.maximum(sorted_[a], sorted_[b])
    assert np.array_equal(sorted_, np.sort(rows, axis=0))


@pytest.mark.filterwarnings("ignore:All-NaN slice", "ignore:Mean of empty slice")
@pytest.mark.parametrize("reducer", ["median", "mean", "max"])
@pytest.mark.parametrize("dates", [1, 4, 7])
def test_kernels_of_the_composite(reducer, dates):
    rng = np.random.default_rng(dates)
    red, nir = rng.integers(0, 4, (2, dates, 9, 30)).astype(np.uint16) * 900
    classes = rng.integers(0, 12, (dates, 9, 30)).astype(np.uint8)
    out = np.empty((9, 30), np.float32)
    composite.KERNELS[reducer](red, nir, classes, 4, 7, composite.network(dates), out)
    seen = (classes >= 4) & (classes <= 7) & (red > 0) & (nir > 0)
    r, n = np.where(seen, red, np.nan), np.where(seen, nir, np.nan)
    assert np.isnan(out).any()
    assert np.isfinite(out).any()
    np.testing.assert_allclose(
        out, getattr(np, f"nan{reducer}")((n - r) / (n + r), axis=0), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("window", [(0, 0, 1024, 1024), (100, 700, 900, 50), (512, 512, 512, 512)])
def test_tiles_cover_a_window_once_and_lie_in_one_block_each(window):
    top, left, height, width = window
    seen = np.zeros((height, width), int)
    for y, x, h, w in tiles(window):
        assert y // 512 == (y + h - 1) // 512
        assert x // 512 == (x + w - 1) // 512
        seen[y - top : y - top + h, x - left : x - left + w] += 1
    assert (seen == 1).all()


def test_monthly_means():
    facts = {"dates": 7, "edge": 40}
    cube = cubes.labelled(cubes.cells(**facts))
    out = memory.months(facts).run(0)
    np.testing.assert_allclose(out, cube.groupby("t.month").mean().values, rtol=1e-5)


def test_zones_are_of_centres():
    import shapely

    edge = 64
    polygons = b4_zones.polygons(5, edge)
    facts = {"dates": 2, "edge": edge, "polygons": polygons}
    cube = cubes.labelled(cubes.cells(2, edge, gaps=False))
    x, y = np.meshgrid(cube.x, cube.y)
    from rasterio.warp import transform_geom

    for feature, found in zip(polygons["features"], memory.zones(facts).run(0), strict=True):
        shape = shapely.geometry.shape(transform_geom("EPSG:4326", "EPSG:32632", feature["geometry"]))
        inside = shapely.contains_xy(shape, x, y)
        np.testing.assert_allclose(found, cube.values[:, inside].mean(axis=1), rtol=1e-5)


def test_the_kernel():
    facts = {"dates": 2, "edge": 33}
    values = cubes.cells(2, 33, gaps=False)
    expected = [correlate(v, np.array(graphs.KERNEL), mode="constant") for v in values]
    np.testing.assert_allclose(memory.kernel(facts).run(0), expected, rtol=1e-5)


def test_the_warp_is_that_of_gdal_but_for_the_edge():
    facts = {"edge": 150, "projection": 3857, "resolution": 20}
    ours, gdal = memory.warp(facts).run(0), memory.warp_gdal(facts).run(0)
    both = np.isfinite(ours) & np.isfinite(gdal)
    assert both.mean() > 0.9 * np.isfinite(gdal).mean()
    assert np.median(np.abs(ours - gdal)[both]) < 1e-3
    assert np.quantile(np.abs(ours - gdal)[both], 0.99) < 0.01
