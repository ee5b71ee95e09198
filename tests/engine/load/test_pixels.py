"""Pixels of the cube against windows and warps of rasterio."""

from __future__ import annotations

import math

import cloudpickle
import dask
import numpy as np
import odc.stac
import pytest
import rasterio
import rasterio.shutil
import rasterio.warp
from affine import Affine
from odc.geo.geobox import GeoBox
from pyproj import Transformer
from rasterio.enums import Resampling

from engine.errors import Problem
from engine.load import Wish, load
from engine.load.reader import Driver
from processes.cubes.warp import STRIP
from processes.types import BBox

pytestmark = pytest.mark.filterwarnings(
    "ignore:Dataset has no geotransform"
)  # rasterio's own arrays, in threads
DAY = "2022-06-01T10:00:00"


@pytest.fixture(autouse=True)
def _one_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


def test_whole_image_is_bit_identical(make, grid, noise):
    pixels = noise(150, 200)
    path = make.tif("a.tif", pixels, grid(150, 200), nodata=0)
    cube = load([make.item("a", DAY, {"B04": path})], Wish())
    assert cube.dtype == np.uint16
    assert cube.dims == ("t", "bands", "y", "x")
    np.testing.assert_array_equal(cube[0, 0].values, pixels)


@pytest.mark.parametrize(
    "dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "float32", "float64"]
)
def test_window_read_keeps_the_type(make, grid, noise, dtype):
    pixels = noise(70, 90, dtype=dtype)
    path = make.tif("a.tif", pixels, grid(70, 90))
    box = BBox(500_100, 4_999_500, 500_600, 4_999_900, 32632)
    cube = load([make.item("a", DAY, {"B04": path})], Wish(bbox=box))
    with rasterio.open(path) as dataset:
        window = rasterio.windows.from_bounds(box.west, box.south, box.east, box.north, dataset.transform)
        twin = dataset.read(1, window=window)
    assert cube.dtype == dtype
    np.testing.assert_array_equal(cube[0, 0].values, twin)


@pytest.mark.filterwarnings("ignore:Dataset has no geotransform")
@pytest.mark.parametrize(
    ("driver", "name"), [("JP2OpenJPEG", "a.jp2"), ("JP2OpenJPEG", "a.tif"), ("PNG", "a.png")]
)
def test_other_formats_whatever_their_names(make, grid, noise, driver, name):
    pixels = noise(64, 80)
    item = make.item("a", DAY, {"B04": make.tif("b.tif", pixels, grid(64, 80), nodata=0)})
    path = make.folder / name
    lossless = {"QUALITY": "100", "REVERSIBLE": "YES"} if driver == "JP2OpenJPEG" else {}
    rasterio.shutil.copy(make.folder / "b.tif", path, driver=driver, **lossless)
    item.assets["B04"].href = str(path)
    np.testing.assert_array_equal(load([item], Wish())[0, 0].values, pixels)


def test_grid_and_crs_are_known_to_odc_and_rioxarray(make, grid, noise):
    path = make.tif("a.tif", noise(20, 30), grid(20, 30))
    cube = load([make.item("a", DAY, {"B04": path})], Wish())
    import rioxarray  # noqa: F401 (registers cube.rio)

    assert cube.odc.geobox == grid(20, 30)
    assert cube.rio.crs.to_epsg() == 32632
    assert cube.rio.transform().almost_equals(grid(20, 30).transform)
    assert (cube.x.values[0], cube.y.values[0]) == (500_005, 4_999_995)
    assert cube.x.attrs["type"] == "spatial"
    assert cube.x.attrs["axis"] == "x"
    assert cube.y.attrs["reference_system"] == 32632
    assert cube.t.attrs["type"] == "temporal"
    assert cube.bands.attrs["type"] == "bands"
    assert cube.t.dtype == "datetime64[ns]"


def test_pixels_that_are_not_square(make, noise):
    tall = GeoBox((40, 60), Affine(20, 0, 500_000, 0, -35, 5_000_000), "EPSG:32632")
    path = make.tif("a.tif", (pixels := noise(40, 60)), tall)
    cube = load([make.item("a", DAY, {"B04": path})], Wish())
    assert cube.odc.geobox == tall
    np.testing.assert_array_equal(cube[0, 0].values, pixels)


def test_rows_that_run_north_stay_so(make, noise):
    north = GeoBox((40, 60), Affine(10, 0, 500_000, 0, 10, 5_000_000), "EPSG:32632")
    path = make.tif("a.tif", (pixels := noise(40, 60)), north)
    cube = load(
        [make.item("a", DAY, {"B04": path})], Wish(bbox=BBox(500_100, 5_000_050, 500_300, 5_000_200, 32632))
    )
    assert cube.y.values[0] < cube.y.values[-1]
    np.testing.assert_array_equal(cube[0, 0].values, pixels[5:20, 10:30])


def test_north_and_south_up_agree_in_one_cube(make, grid, noise):
    pixels = noise(40, 60)
    north = GeoBox((40, 60), Affine(10, 0, 500_000, 0, 10, 4_999_600), "EPSG:32632")
    items = [
        make.item("a", "2022-06-01T10:00:00", {"B04": make.tif("a.tif", pixels, grid(40, 60), nodata=0)}),
        make.item("b", "2022-06-02T10:00:00", {"B04": make.tif("b.tif", pixels[::-1], north, nodata=0)}),
    ]
    cube = load(items, Wish())
    np.testing.assert_array_equal(cube[0].values, cube[1].values)
    assert int((cube[0] == 0).sum()) == 0


def shifted(grid: GeoBox, part: float) -> GeoBox:
    return GeoBox(grid.shape, grid.transform * Affine.translation(part, part), grid.crs)


@pytest.mark.parametrize("part", [0.3, 0.7])
def test_nearest_on_a_shifted_grid_equals_rasterio(make, grid, noise, part):
    """Two dates whose grids lie a part of a pixel apart: the second is read onto the grid of the first."""
    first, second = grid(90, 110), shifted(grid(90, 110), part)
    paths = (
        make.tif("a.tif", noise(90, 110), first, nodata=0),
        make.tif("b.tif", noise(90, 110, seed=1), second, nodata=0),
    )
    items = [make.item(f"i{n}", f"2022-06-0{n}T10:00:00", {"B04": path}) for n, path in enumerate(paths, 1)]
    cube = load(items, Wish())
    np.testing.assert_array_equal(cube[1, 0].values, warped(paths[1], cube.odc.geobox, Resampling.nearest))
    assert int((cube[1, 0] != 0).sum()) == 90 * 110


def warped(
    path, target: GeoBox, method: Resampling, nodata: float = 0, columns: int = 5, **options
) -> np.ndarray:
    """What rasterio makes of the whole file, in strips; within five columns its transformer is exact."""
    with rasterio.open(path) as dataset:
        source = dataset.read(1)
        out = np.full(target.shape, nodata, source.dtype)
        for start in range(0, target.shape[1], columns):
            stop = min(start + columns, target.shape[1])
            strip = np.full((target.shape[0], stop - start), nodata, source.dtype)
            rasterio.warp.reproject(
                source,
                strip,
                src_transform=dataset.transform,
                src_crs=dataset.crs,
                src_nodata=nodata,
                dst_transform=target.transform * Affine.translation(start, 0),
                dst_crs=str(target.crs),
                dst_nodata=nodata,
                resampling=method,
                **options,
            )
            out[:, start:stop] = strip
    return out


@pytest.mark.parametrize(("crs", "resolution"), [(3857, 15), (4326, 0.0001), (3035, 10), (32633, 7)])
def test_nearest_in_another_crs_equals_rasterio(make, grid, noise, crs, resolution):
    path = make.tif("a.tif", noise(130, 150), grid(130, 150), nodata=0)
    cube = load([make.item("a", DAY, {"B04": path})], Wish(crs=crs, resolution=resolution))
    assert cube.odc.geobox.crs.epsg == crs
    twin = warped(path, cube.odc.geobox, Resampling.nearest)
    assert (twin != 0).mean() > 0.5
    clear = away_from_edges(grid(130, 150), cube)
    assert clear.mean() > 0.99
    np.testing.assert_array_equal(cube[0, 0].values[clear], twin[clear])


def away_from_edges(source: GeoBox, cube) -> np.ndarray:
    """Where a pixel centre lies at least a thousandth of a pixel from the edge of a source pixel."""
    x, y = np.meshgrid(cube.x.values, cube.y.values)
    to_source = Transformer.from_crs(cube.odc.crs.epsg, source.crs.epsg, always_xy=True)
    cols, rows = ~source.transform * to_source.transform(x, y)
    return (np.abs(cols - cols.round()) > 1e-3) & (np.abs(rows - rows.round()) > 1e-3)


@pytest.mark.parametrize("method", ["bilinear", "cubic", "cubicspline", "average"])
@pytest.mark.parametrize(("crs", "resolution"), [(3857, 14), (3035, 10)])
def test_interpolation_in_another_crs_equals_rasterio(make, grid, noise, method, crs, resolution):
    smooth = noise(130, 150).astype("float32").cumsum(1).cumsum(0) / 1e4
    path = make.tif("a.tif", smooth, grid(130, 150), nodata=-1)
    cube = load([make.item("a", DAY, {"B04": path})], Wish(crs=crs, resolution=resolution, resampling=method))
    kernel = {} if method == "average" else {"XSCALE": 1, "YSCALE": 1}
    name = "cubic_spline" if method == "cubicspline" else method
    columns = 5 if method == "bilinear" else STRIP  # what lies between four cells is found at exact places
    twin = warped(path, cube.odc.geobox, Resampling[name], nodata=-1, columns=columns, **kernel)
    np.testing.assert_allclose(cube[0, 0].values, np.where(twin == -1, np.nan, twin), rtol=1e-5)


def test_bilinear_of_integers_stays_integer_and_keeps_no_data(make, grid, noise):
    pixels = noise(80, 80)
    pixels[20:40, 20:40] = 0
    path = make.tif("a.tif", pixels, grid(80, 80), nodata=0)
    cube = load([make.item("a", DAY, {"B04": path})], Wish(crs=3857, resolution=12, resampling="bilinear"))
    assert cube.dtype == np.uint16
    twin = warped(path, cube.odc.geobox, Resampling.bilinear, XSCALE=1, YSCALE=1)
    np.testing.assert_array_equal(cube[0, 0].values, twin)


def test_blocks_of_an_interpolation_agree_to_a_hundredth_of_a_pixel(make, grid):
    """GDAL approximates the way between the ends of a line, so that blocks matter a little where it interpolates."""
    ramp = np.tile(np.arange(300, dtype="float32"), (300, 1))
    items = [make.item("a", DAY, {"B04": make.tif("a.tif", ramp, grid(300, 300), nodata=-1)})]
    wish = {"crs": 3857, "resolution": 13, "resampling": "bilinear"}
    whole, cut = load(items, Wish(**wish)), load(items, Wish(**wish, chunks={"x": 37, "y": 101}))
    np.testing.assert_allclose(whole.values, cut.values, atol=0.01)


def test_chunks_do_not_change_a_pixel(make, grid, noise):
    path = make.tif("a.tif", noise(300, 300), grid(300, 300), nodata=0)
    items = [make.item("a", DAY, {"B04": path})]
    whole = load(items, Wish(crs=3857, resolution=13))
    cut = load(items, Wish(crs=3857, resolution=13, chunks={"x": 37, "y": 101}))
    assert cut.chunksizes["x"][:2] == (37, 37)
    np.testing.assert_array_equal(whole.values, cut.values)
    west, east = whole.x.values[[40, 90]]
    south, north = whole.y.values[[120, 60]]
    part = load(items, Wish(bbox=BBox(west, south, east, north, 3857), crs=3857, resolution=13))
    np.testing.assert_array_equal(part.values, whole[:, :, 60:121, 40:91].values)


def test_coarser_band_is_repeated_on_the_finest_grid(make, grid, noise):
    fine, coarse = noise(100, 120), noise(50, 60, dtype="uint8")
    assets = {
        "B04": make.tif("b04.tif", fine, grid(100, 120), nodata=0),
        "SCL": make.tif("scl.tif", coarse, grid(50, 60, size=20), nodata=0),
    }
    cube = load([make.item("a", DAY, assets)], Wish(bands=("SCL", "B04")))
    assert cube.dtype == np.uint16
    assert cube.bands.values.tolist() == ["SCL", "B04"]
    np.testing.assert_array_equal(cube.sel(bands="B04")[0].values, fine)
    np.testing.assert_array_equal(cube.sel(bands="SCL")[0].values, coarse.repeat(2, 0).repeat(2, 1))


def test_shrinking_reads_the_overview(make, grid, noise, counts):
    path = make.tif("a.tif", noise(256, 256), grid(256, 256), overviews=(2, 4))
    cube = load([make.item("a", DAY, {"B04": path})], Wish(resolution=40))
    values = cube[0, 0].values
    with rasterio.open(path, overview_level=1) as overview:
        np.testing.assert_array_equal(values, overview.read(1))
    assert counts.read == [(slice(0, 64), slice(0, 64))]


def test_shrinking_with_a_warp_reads_few_pixels(make, grid, noise, counts):
    path = make.tif("a.tif", noise(256, 256), grid(256, 256), overviews=(2, 4), nodata=0)
    load([make.item("a", DAY, {"B04": path})], Wish(crs=3857, resolution=60, resampling="bilinear")).compute()
    ((rows, cols),) = counts.read
    assert (rows.stop, cols.stop) <= (64, 64)


def test_shrinking_without_overviews_is_cut_to_the_budget(make, grid, noise, counts, monkeypatch):
    monkeypatch.setattr("engine.load.pieces.BUDGET", 4096)
    path = make.tif("a.tif", noise(256, 256), grid(256, 256), nodata=0)
    cube = load([make.item("a", DAY, {"B04": path})], Wish(resolution=40))
    twin = warped(path, cube.odc.geobox, Resampling.nearest)
    np.testing.assert_array_equal(cube[0, 0].values, twin)
    assert all((rows.stop - rows.start) * (cols.stop - cols.start) <= 4096 for rows, cols in counts.read)
    for method in ("nearest", "bilinear"):
        other = load([make.item("a", DAY, {"B04": path})], Wish(crs=3857, resolution=60, resampling=method))
        counts.read.clear()
        other.compute()
        assert len(counts.read) > 1


def test_rotated_source_is_laid_upright(make, noise):
    turned = GeoBox(
        (60, 80),
        Affine.translation(500_000, 5_000_000) * Affine.rotation(20) * Affine.scale(10, -10),
        "EPSG:32632",
    )
    path = make.tif("a.tif", noise(60, 80), turned, nodata=0)
    cube = load([make.item("a", DAY, {"B04": path})], Wish())
    target = cube.odc.geobox
    assert target.axis_aligned
    np.testing.assert_array_equal(cube[0, 0].values, warped(path, target, Resampling.nearest))
    assert (cube[0, 0].values != 0).sum() == pytest.approx(60 * 80, rel=0.05)


def test_our_driver_serves_plain_odc_stac(make, grid, noise):
    path = make.tif("a.tif", noise(60, 80), grid(60, 80), nodata=0)
    item = make.item("a", DAY, {"B04": path})
    item.stac_extensions.append("https://stac-extensions.github.io/projection/v2.0.0/schema.json")
    target = GeoBox((50, 50), Affine(11, 0, 500_013, 0, -11, 4_999_987), "EPSG:32632")
    ours, theirs = (odc.stac.load([item], geobox=target, driver=driver) for driver in (Driver(), None))
    np.testing.assert_array_equal(ours.B04.values, theirs.B04.values)


def test_lazy_cube_survives_pickling(make, grid, noise):
    path = make.tif("a.tif", (pixels := noise(60, 80)), grid(60, 80), nodata=0)
    cube = cloudpickle.loads(cloudpickle.dumps(load([make.item("a", DAY, {"B04": path})], Wish())))
    np.testing.assert_array_equal(cube[0, 0].values, pixels)


def test_unknown_resampling_is_named(make, grid, noise):
    path = make.tif("a.tif", noise(6, 8), grid(6, 8))
    with pytest.raises(Problem, match="no resampling method 'magic'"):
        load([make.item("a", DAY, {"B04": path})], Wish(resampling="magic"))


GLOBE = GeoBox((180, 360), Affine(1, 0, -180, 0, -1, 90), "EPSG:4326")
PACIFIC = GeoBox((180, 360), Affine(1, 0, 0, 0, -1, 90), "EPSG:4326")


@pytest.mark.parametrize("globe", [GLOBE, PACIFIC], ids=["from -180", "from 0"])
@pytest.mark.parametrize(
    ("crs", "box"),
    [
        (3413, BBox(-3_000_000, -3_000_000, 3_000_000, 3_000_000, 3413)),  # around the pole
        (32660, BBox(-500_000, 4_000_000, 1_500_000, 6_000_000, 32660)),  # across the antimeridian
        (32631, BBox(-500_000, 4_000_000, 1_500_000, 6_000_000, 32631)),  # across Greenwich
    ],
)
def test_global_source_has_no_seam(make, globe, crs, box):
    """Each pixel against its own projection: longitude and latitude found one by one."""
    pixels = np.arange(180 * 360, dtype="int32").reshape(180, 360) + 1
    path = make.tif("a.tif", pixels, globe, nodata=0)
    item = make.item("a", DAY, {"B": path})
    cube = load([item], Wish(bbox=box, crs=crs, resolution=50_000, chunks={"x": 33, "y": 50}))
    assert cube.size > 1500
    x, y = np.meshgrid(cube.x.values, cube.y.values)
    lon, lat = Transformer.from_crs(crs, 4326, always_xy=True).transform(x, y)
    cols = np.floor((lon - globe.transform.c) % 360 + 1e-6).astype(int) % 360
    rows = np.floor(90 - lat + 1e-6).astype(int)
    np.testing.assert_array_equal(cube[0, 0].values, pixels[rows, cols])
    smooth = load(
        [item], Wish(bbox=box, crs=crs, resolution=50_000, resampling="bilinear", chunks={"x": 33, "y": 50})
    )
    assert not (smooth == 0).any()
    assert math.isclose(float(smooth.mean()), float(cube.mean()), rel_tol=0.05)
