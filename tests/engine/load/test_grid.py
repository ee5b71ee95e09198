"""Which grid the cube gets: the items' own, the wished one, cropped by pixel centres, across the antimeridian."""

from __future__ import annotations

import dask
import numpy as np
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from odc.geo.geobox import GeoBox
from pyproj import Transformer

from engine.errors import Problem
from engine.load import Wish, load, survey
from engine.load.extent import Rect, bounds_in, crop
from engine.load.grid import around, share_grid
from processes.types import BBox

DAY = "2022-06-01T10:00:00"


@pytest.fixture(autouse=True)
def _one_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


def box(
    left: float, top: float, size: float = 10, crs: str = "EPSG:32632", rows: int = 20, cols: int = 30
) -> GeoBox:
    return GeoBox((rows, cols), Affine(size, 0, left, 0, -size, top), crs)


@pytest.mark.parametrize(
    ("others", "shared"),
    [
        ([box(100, 200)], True),
        ([box(130, 170), box(-500, 0, rows=5)], True),
        ([box(100.3, 200)], True),  # metadata are rounded
        ([box(105, 200)], False),
        ([box(100, 200, size=20)], False),
        ([box(100, 200, crs="EPSG:32633")], False),
        ([GeoBox((20, 30), Affine(10, 0, 100, 0, 10, 200), "EPSG:32632")], False),
    ],
)
def test_when_grids_are_shared(others, shared):
    assert share_grid([box(100, 200), *others]) is shared


def test_longitudes_a_turn_apart_share_a_grid():
    assert share_grid([box(179, 10, 0.1, "EPSG:4326"), box(-180, 10, 0.1, "EPSG:4326")])


@given(
    st.floats(-60, 60), st.floats(-60, 60), st.floats(0.1, 40), st.floats(0.1, 40), st.sampled_from([-7.0, 7.0])
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_crop_keeps_just_the_centres_inside(left, bottom, width, height, step):
    whole = GeoBox((20, 25), Affine(5, 0, -60, 0, step, -step * 10), "EPSG:32632")
    rect = Rect(left, bottom, left + width, bottom + height)
    xs, ys = (whole.coordinates[dim].values for dim in ("x", "y"))
    inside_x, inside_y = (
        (v >= low) & (v <= high) for v, low, high in ((xs, left, rect.right), (ys, bottom, rect.top))
    )
    if not inside_x.any() or not inside_y.any():
        with pytest.raises(Problem, match="no pixel centre"):
            crop(whole, rect)
        return
    part = crop(whole, rect)
    np.testing.assert_allclose(part.coordinates["x"].values, xs[inside_x])
    np.testing.assert_allclose(part.coordinates["y"].values, ys[inside_y])


def test_around_does_not_grow_by_rounding():
    lattice = box(0, 0)
    assert around(lattice, Rect(0.2, -200.3, 300.1, 0.4)).shape == (20, 30)
    assert around(lattice, Rect(-4, -204, 304, 4)).shape == (22, 32)


def test_union_of_items_on_one_grid(make, grid, noise):
    places = {"a": (500_000, 5_000_000), "b": (500_200, 4_999_900), "c": (499_970, 5_000_030)}
    pixels = noise(20, 30)
    items = [
        make.item(
            name,
            f"2022-06-0{n}T10:00:00",
            {"B04": make.tif(f"{name}.tif", pixels, grid(20, 30, *at), nodata=0)},
        )
        for n, (name, at) in enumerate(places.items(), 1)
    ]
    lines: list[str] = []
    cube = load(items, Wish(), log=lines.append)
    assert cube.odc.geobox == grid(33, 53, 499_970, 5_000_030)
    for n, (left, top) in enumerate(places.values()):
        row, col = (5_000_030 - top) // 10, (left - 499_970) // 10
        np.testing.assert_array_equal(cube[n, 0, row : row + 20, col : col + 30].values, pixels)
        assert int((cube[n] != 0).sum()) == pixels.size
    assert lines == []


def test_items_of_other_grids_get_the_most_common_one(make, grid, noise):
    grids = [grid(20, 30), grid(20, 30, 500_100), grid(20, 30, 500_003), grid(10, 15, size=20)]
    items = [
        make.item(
            f"i{n}", f"2022-06-0{n + 1}T10:00:00", {"B04": make.tif(f"{n}.tif", noise(*g.shape), g, nodata=0)}
        )
        for n, g in enumerate(grids)
    ]
    lines: list[str] = []
    cube = load(items, Wish(), log=lines.append)
    assert cube.odc.geobox.resolution == grid(1, 1).resolution
    assert cube.odc.geobox.transform.c == 500_000
    assert "do not share a pixel grid" in lines[0]
    assert "EPSG:32632" in lines[0]


def test_items_of_several_zones_get_the_most_common_crs(make, grid, noise):
    items = [
        make.item(
            f"i{n}", f"2022-06-0{n + 1}T10:00:00", {"B04": make.tif(f"{n}.tif", noise(20, 30), g, nodata=0)}
        )
        for n, g in enumerate(
            [grid(20, 30), grid(20, 30, left=500_100), grid(20, 30, 100_000, crs="EPSG:32633")]
        )
    ]
    told = survey(items, Wish())
    assert told.crs == 32632
    assert told.resolution == (10, -10)


@pytest.mark.parametrize(
    ("wish", "shape"), [({"resolution": 20}, (10, 15)), ({"resolution": (30, 20)}, (10, 10))]
)
def test_wished_resolution_keeps_the_origin(make, grid, noise, wish, shape):
    path = make.tif("a.tif", noise(20, 30), grid(20, 30, left=500_005))
    cube = load([make.item("a", DAY, {"B04": path})], Wish(**wish))
    assert cube.odc.geobox.shape == shape
    assert cube.odc.geobox.transform.c == 500_005


@pytest.mark.parametrize("resolution", [0, -1, "fine", (1, 2, 3), float("nan")])
def test_odd_resolutions_are_refused(make, grid, noise, resolution):
    path = make.tif("a.tif", noise(20, 30), grid(20, 30))
    if resolution == -1:  # a sign is no fault
        assert survey([make.item("a", DAY, {"B04": path})], Wish(resolution=resolution)).resolution == (1, -1)
        return
    with pytest.raises(Problem, match="no pixel size") as caught:
        load([make.item("a", DAY, {"B04": path})], Wish(resolution=resolution))
    assert caught.value.code == "ProcessParameterInvalid"


def test_box_in_another_crs_holds_all_its_pixels(make, grid, noise):
    """No pixel with its centre in the box is lost; none is further out than the bent edges are."""
    path = make.tif("a.tif", noise(400, 400), grid(400, 400, left=700_000))
    west, south, east, north = 11.555, 45.1, 11.585, 45.12
    cube = load([make.item("a", DAY, {"B04": path})], Wish(bbox=BBox(west, south, east, north)))
    x, y = np.meshgrid(*(grid(400, 400, left=700_000).coordinates[d].values for d in ("x", "y")))
    lon, lat = Transformer.from_crs(32632, 4326, always_xy=True).transform(x, y)
    inside = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    assert inside.any()
    assert (cube.x.min(), cube.x.max()) == (x[inside].min(), x[inside].max())
    assert (cube.y.min(), cube.y.max()) == (y[inside].min(), y[inside].max())


@pytest.mark.parametrize(
    "bbox",
    [
        BBox(-180, -90, 180, 90),
        BBox(0, 0, 360, 80),
        BBox(-2e7, -2e7, 2e7, 2e7, 3857),
    ],
)
def test_a_box_around_the_world_is_no_crop(make, grid, noise, bbox):
    path = make.tif("a.tif", noise(20, 30), grid(20, 30))
    assert survey([make.item("a", DAY, {"B04": path})], Wish(bbox=bbox)).geobox == grid(20, 30)


@pytest.mark.parametrize(
    ("bbox", "code"),
    [
        (BBox(20, 50, 21, 51), "NoDataAvailable"),
        (BBox(500_001, 4_999_991, 500_004, 4_999_994, 32632), "NoDataAvailable"),  # between the centres
        (BBox(10, 50, 11, 49), "ProcessParameterInvalid"),
        (BBox(600_000, 4_000_000, 500_000, 5_000_000, 32632), "ProcessParameterInvalid"),
        (BBox(0, 0, 1, 1, "EPSG:999999"), "ProcessParameterInvalid"),
    ],
)
def test_boxes_without_pixels_are_named(make, grid, noise, bbox, code):
    path = make.tif("a.tif", noise(20, 30), grid(20, 30))
    with pytest.raises(Problem) as caught:
        load([make.item("a", DAY, {"B04": path})], Wish(bbox=bbox))
    assert caught.value.code == code
    assert caught.value.hint


def test_items_outside_the_box_are_left_out_and_told(make, grid, noise):
    items = [
        make.item(
            "in", "2022-06-01T10:00:00", {"B04": make.tif("a.tif", noise(20, 30), grid(20, 30), nodata=0)}
        ),
        make.item(
            "out",
            "2022-06-02T10:00:00",
            {"B04": make.tif("b.tif", noise(20, 30), grid(20, 30, 600_000), nodata=0)},
        ),
    ]
    lines: list[str] = []
    cube = load(items, Wish(bbox=BBox(500_000, 4_999_800, 500_300, 5_000_000, 32632)), log=lines.append)
    assert cube.sizes["t"] == 1
    assert lines == ["1 of 2 items have no pixel inside the box and are left out"]


# ---------------------------------------------------------------------------------------------- antimeridian
STRAIT = BBox(179.8, 10, -179.7, 10.2)


def test_box_across_the_antimeridian_in_utm(make, noise):
    """A scene of UTM zone 60 that reaches into the west: its pixels on both sides, one by one."""
    left = 820_000
    scene = GeoBox((300, 600), Affine(100, 0, left, 0, -100, 1_130_000), "EPSG:32660")
    path = make.tif("a.tif", (pixels := noise(300, 600)), scene, nodata=0)
    cube = load([make.item("a", DAY, {"B04": path})], Wish(bbox=STRAIT))
    x, y = np.meshgrid(*(scene.coordinates[d].values for d in ("x", "y")))
    lon, lat = Transformer.from_crs(32660, 4326, always_xy=True).transform(x, y)
    inside = ((lon >= 179.8) | (lon <= -179.7)) & (lat >= 10) & (lat <= 10.2)
    assert (lon[inside] > 0).any()
    assert (lon[inside] < 0).any()
    rows, cols = np.nonzero(inside)
    assert cube.x.values[[0, -1]].tolist() == [x[0, cols.min()], x[0, cols.max()]]
    np.testing.assert_array_equal(
        cube[0, 0].values, pixels[rows.min() : rows.max() + 1, cols.min() : cols.max() + 1]
    )


def degrees(left: float, cols: int = 20) -> GeoBox:
    return GeoBox((20, cols), Affine(0.05, 0, left, 0, -0.05, 10.5), "EPSG:4326")


def test_box_across_the_antimeridian_in_degrees(make, noise):
    east, west = noise(20, 20), noise(20, 20, seed=1)
    items = [
        make.item("east", "2022-06-01T10:00:00", {"B04": make.tif("e.tif", east, degrees(179), nodata=0)}),
        make.item("west", "2022-06-01T10:00:01", {"B04": make.tif("w.tif", west, degrees(-180), nodata=0)}),
    ]
    cube = load(items, Wish(bbox=STRAIT, groupby="solar_day"))
    assert cube.shape == (1, 1, 4, 10)
    np.testing.assert_allclose(cube.x.values, 179.825 + 0.05 * np.arange(10))
    np.testing.assert_array_equal(cube[0, 0].values, np.hstack([east[6:10, 16:], west[6:10, :6]]))
    assert survey(items, Wish()).geobox.shape == (20, 40)  # side by side, not around the globe


@pytest.mark.parametrize("left", [-180.0, 0.0])
def test_a_global_source_is_read_on_both_sides(make, left):
    globe = GeoBox((18, 36), Affine(10, 0, left, 0, -10, 90), "EPSG:4326")
    pixels = np.arange(18 * 36, dtype="int16").reshape(18, 36)
    item = make.item("a", DAY, {"B": make.tif("a.tif", pixels, globe)})
    for start, stop in ((150, -150), (-30, 30)):
        cube = load([item], Wish(bbox=BBox(start, -20, stop, 20)))
        longitudes = start + 5 + 10 * np.arange(6)
        np.testing.assert_allclose(cube.x.values, longitudes)
        np.testing.assert_array_equal(
            cube[0, 0].values, pixels[7:11][:, ((longitudes - left) % 360 // 10).astype(int)]
        )


def test_utm_across_the_antimeridian_into_degrees(make, noise):
    scene = GeoBox((300, 600), Affine(100, 0, 820_000, 0, -100, 1_130_000), "EPSG:32660")
    item = make.item("a", DAY, {"B04": make.tif("a.tif", (pixels := noise(300, 600)), scene, nodata=0)})
    cube = load([item], Wish(bbox=STRAIT, crs=4326, resolution=0.002, chunks={"x": 60, "y": 60}))
    assert cube.x.values[-1] > 180
    x, y = Transformer.from_crs(4326, 32660, always_xy=True).transform(
        *np.meshgrid(cube.x.values, cube.y.values)
    )
    at = ~scene.transform * (x, y)
    clear = np.all([np.abs(v - v.round()) > 2e-3 for v in at], axis=0)  # of the edges of source pixels
    cols, rows = (np.floor(v).astype(int) for v in at)
    inside = (cols >= 0) & (rows >= 0) & (cols < 600) & (rows < 300)
    assert inside.mean() > 0.9
    expected = np.where(inside, pixels[np.clip(rows, 0, 299), np.clip(cols, 0, 599)], 0)
    np.testing.assert_array_equal(cube[0, 0].values[clear], expected[clear])
    assert bounds_in(scene, cube.odc.crs).right > 180


def test_two_zones_meet_at_the_antimeridian(make, noise):
    """Zone 60 and zone 1 side by side, as neighbours of one day, in the CRS of the first."""
    east = GeoBox((100, 200), Affine(300, 0, 800_000, 0, -300, 1_130_000), "EPSG:32660")
    west = GeoBox((100, 200), Affine(300, 0, 150_000, 0, -300, 1_130_000), "EPSG:32601")
    items = [
        make.item(
            f"i{n}", f"2022-06-01T10:00:0{n}", {"B04": make.tif(f"{n}.tif", noise(100, 200), g, nodata=0)}
        )
        for n, g in enumerate([east, east, west])
    ]
    cube = load(items, Wish(bbox=BBox(179.6, 9.95, -179.0, 10.15), groupby="solar_day"))
    assert cube.odc.crs.epsg == 32660
    assert (cube != 0).mean() > 0.98
