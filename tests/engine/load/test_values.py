"""Which numbers a cube holds: its type, its no-data value, scale and offset."""

from __future__ import annotations

import math

import dask
import numpy as np
import pytest

from engine.errors import Problem
from engine.load import Wish, load, survey
from engine.load.model import Source
from engine.load.values import choose_values
from processes.types import BBox

DAY = "2022-06-01T10:00:00"


@pytest.fixture(autouse=True)
def _one_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


def choice(*kinds, nodata=None, scaled=False, gaps=False):
    sources = [Source("i", "a", 1, "x", dtype=dtype, nodata=void) for dtype, void in kinds]
    values = choose_values(sources, nodata=nodata, scaled=scaled, gaps=lambda: gaps, say=lambda _: None)
    return str(values.dtype), values.nodata


@pytest.mark.parametrize(
    ("kinds", "options", "expected"),
    [
        ([("uint16", 0), ("uint8", 0)], {}, ("uint16", 0)),
        ([("int16", -999)], {}, ("int16", -999)),
        ([("uint8", None)], {}, ("uint8", None)),
        ([("uint8", None)], {"gaps": True}, ("int16", -1)),
        ([("uint16", None), ("uint8", None)], {"gaps": True}, ("int32", -1)),
        ([("int16", None)], {"gaps": True}, ("int32", -(2**31))),
        ([("uint16", 65535), ("uint8", 255)], {}, ("uint16", 65535)),  # no uint8 is 65535
        ([("int16", -999), ("uint8", 0)], {}, ("int16", -999)),  # no uint8 is -999
        ([("int16", -999), ("uint8", None)], {}, ("int16", -999)),
        ([("uint16", 0), ("uint16", 1)], {}, ("int32", -1)),
        ([("uint16", 0), ("uint8", None)], {}, ("int32", -1)),
        ([("uint8", -9999)], {}, ("uint8", None)),  # no pixel can have it
        ([("uint8", 300), ("uint8", 0)], {}, ("int16", -1)),
        ([("uint16", 0), ("float32", -1)], {}, ("float32", None)),
        ([("int32", 0), ("float32", -1)], {}, ("float64", None)),
        ([("uint16", 0)], {"scaled": True}, ("float32", None)),
        ([("int32", 0)], {"scaled": True}, ("float64", None)),
        ([("uint16", 5), ("uint8", 3)], {"nodata": 0}, ("uint16", 0)),
        ([("uint8", 0)], {"nodata": 999}, ("uint16", 999)),
        ([("uint16", 0)], {"nodata": -1}, ("int32", -1)),
        ([("uint8", 0)], {"nodata": math.nan}, ("float32", None)),
        ([("uint64", 0), ("int64", 0)], {}, ("float64", None)),
        ([("complex64", None)], {}, ("complex64", None)),
    ],
)
def test_truth_table(kinds, options, expected):
    assert choice(*kinds, **options) == expected


def test_each_choice_is_explained():
    lines: list[str] = []
    sources = [Source("i", "a", 1, "x", dtype="uint16", nodata=v) for v in (0, 1)]
    choose_values(sources, nodata=None, scaled=False, gaps=lambda: False, say=lines.append)
    assert lines == [
        "the bands have different no-data values (0, 1); the cube is int32 with no-data -1, which no band can hold"
        " (a wished nodata keeps uint16)"
    ]


def test_bands_of_different_no_data_are_mapped_and_nothing_valid_is_lost(make, grid, noise):
    red, mask = noise(40, 50), noise(40, 50, dtype="uint8", seed=1)
    red[:5], mask[5:9], mask[20, :] = 0, 255, 0
    assets = {
        "red": make.tif("r.tif", red, grid(40, 50), nodata=0),
        "mask": make.tif("m.tif", mask, grid(40, 50), nodata=255),
    }
    cube = load([make.item("a", DAY, assets)], Wish(bands=("red", "mask")))
    void = cube.attrs["nodata"]
    values = cube[0].values
    np.testing.assert_array_equal(values[0], np.where(red == 0, void, red.astype(int)))
    np.testing.assert_array_equal(values[1], np.where(mask == 255, void, mask.astype(int)))
    assert [band["nodata"] for band in cube.bands.attrs["bands"]] == [void, void]


def test_floats_have_nan(make, grid, noise):
    pixels = noise(40, 50, dtype="float32")
    pixels[3:7] = -9999
    path = make.tif("a.tif", pixels, grid(40, 50), nodata=-9999)
    cube = load([make.item("a", DAY, {"B": path})], Wish())
    assert "nodata" not in cube.attrs
    np.testing.assert_array_equal(cube[0, 0].values, np.where(pixels == -9999, np.nan, pixels))


@pytest.mark.parametrize(
    ("told", "tag", "wished", "missing"),
    [
        ({"nodata": 5}, 0, None, 5),  # the metadata go before the tag
        ({}, 7, None, 7),  # the tag where the metadata are silent
        ({"nodata": 5}, 0, 9, 9),  # the wish goes before both
        ({}, None, None, None),
    ],
)
def test_where_no_data_comes_from(make, grid, told, tag, wished, missing):
    pixels = np.arange(100, dtype="uint8").reshape(10, 10)
    path = make.tif("a.tif", pixels, grid(10, 10), **({} if tag is None else {"nodata": tag}))
    item = make.item("a", DAY, {"B": {"href": path, "raster:bands": [{"data_type": "uint8", **told}]}})
    cube = load([item], Wish(nodata=wished, scale="none"))
    assert cube.attrs.get("nodata") == missing
    assert cube.dtype == np.uint8
    np.testing.assert_array_equal(cube[0, 0].values, pixels)
    as_float = load([item], Wish(nodata=wished, scale="metadata"))
    expected = np.where(pixels == missing, np.nan, pixels) if missing is not None else pixels
    np.testing.assert_array_equal(as_float[0, 0].values, expected)


def test_what_is_not_covered_is_no_data_even_without_a_no_data_value(make, grid):
    zeros = np.zeros((10, 10), "uint8")
    items = [
        make.item(
            f"i{n}",
            f"2022-06-0{n + 1}T10:00:00",
            {"B": make.tif(f"{n}.tif", zeros, grid(10, 10, 500_000 + 50 * n))},
        )
        for n in range(2)
    ]
    cube = load(items, Wish())
    assert (str(cube.dtype), cube.attrs["nodata"]) == ("int16", -1)
    assert (cube == 0).sum(["y", "x"]).values.ravel().tolist() == [100, 100]
    inner = BBox(500_050, 4_999_900, 500_100, 5_000_000, 32632)  # both cover this
    assert "nodata" not in load(items, Wish(bbox=inner)).attrs


def test_a_cube_without_no_data_is_made_of_pieces_or_refused(make, grid, noise, monkeypatch):
    """Where memory allows only pieces they must fill the block; a file that is smaller than promised does not."""
    monkeypatch.setattr("engine.load.pieces.BUDGET", 1024)
    path = make.tif("a.tif", (pixels := noise(64, 64, dtype="uint8")), grid(64, 64))
    item = make.item("a", DAY, {"B": path})
    cube = load([item], Wish())
    assert "nodata" not in cube.attrs
    np.testing.assert_array_equal(cube[0, 0].values, pixels)
    make.tif("a.tif", pixels[:60], grid(60, 64))
    with pytest.raises(Problem, match="covers 3840 of the 4096 pixels"):
        cube.compute()


SCALED = [{"data_type": "uint16", "nodata": 0, "scale": 0.0001, "offset": -0.1}]


def test_scale_and_offset_are_kept_or_applied(make, grid, noise):
    pixels = noise(20, 20)
    pixels[0] = 0
    item = make.item(
        "a", DAY, {"B": {"href": make.tif("a.tif", pixels, grid(20, 20)), "raster:bands": SCALED}}
    )
    raw = load([item], Wish())
    np.testing.assert_array_equal(raw[0, 0].values, pixels)
    assert {k: raw.bands.attrs["bands"][0][k] for k in ("scale", "offset")} == {
        "scale": 0.0001,
        "offset": -0.1,
    }
    applied = load([item], Wish(scale="metadata"))
    assert applied.dtype == np.float32
    expected = np.where(pixels == 0, np.nan, pixels * 0.0001 - 0.1)
    np.testing.assert_allclose(applied[0, 0].values, expected, rtol=1e-5)
    assert not {"scale", "offset", "nodata"} & set(applied.bands.attrs["bands"][0])


def test_each_item_has_its_own_offset(make, grid, noise):
    pixels = noise(20, 20)
    path = make.tif("a.tif", pixels, grid(20, 20))
    items = [
        make.item(
            f"i{n}",
            f"2022-0{n}-01T10:00:00",
            {"B": {"href": path, "raster:bands": [{**SCALED[0], "offset": offset}]}},
        )
        for n, offset in enumerate((0, -0.1), 1)
    ]
    cube = load(items, Wish(scale="metadata"))
    np.testing.assert_allclose((cube[0] - cube[1]).values, 0.1, atol=1e-6)
    lines: list[str] = []
    load(items, Wish(), log=lines.append)
    assert any("scale and offset of band 'B' differ" in line for line in lines)


def test_scaling_comes_before_interpolation(make, grid):
    """Steps of half a stored number survive, which interpolating integers would round away."""
    pixels = np.tile(np.array([100, 101], "uint16"), (20, 10))
    told = [{"data_type": "uint16", "scale": 1.0}]
    item = make.item("a", DAY, {"B": {"href": make.tif("a.tif", pixels, grid(20, 20)), "raster:bands": told}})
    wish = {
        "resolution": 5,
        "resampling": "bilinear",
        "bbox": BBox(500_020, 4_999_820, 500_180, 4_999_980, 32632),
    }
    fine = load([item], Wish(scale="metadata", **wish)).values
    assert set(np.round(fine.ravel() % 1, 2)) == {0.25, 0.75}


def test_metadata_that_lie_about_the_type_are_caught(make, grid, noise):
    path = make.tif("a.tif", noise(20, 20), grid(20, 20))
    item = make.item("a", DAY, {"B": {"href": path, "raster:bands": [{"data_type": "uint8", "nodata": 0}]}})
    with pytest.raises(Problem, match="holds uint16 numbers, which do not fit the cube's uint8") as caught:
        load([item], Wish()).compute()
    assert caught.value.facts == {"item": "a", "asset": "B", "band": 1}


def test_a_tag_that_nobody_mentioned_is_caught(make, grid):
    """Only the first file is looked at before; where another has no-data all the same, it is not taken for numbers."""
    pixels = np.zeros((10, 10), "uint8")
    paths = make.tif("a.tif", pixels, grid(10, 10)), make.tif("b.tif", pixels, grid(10, 10), nodata=0)
    items = [
        make.item(
            f"i{n}",
            f"2022-06-0{n + 1}T10:00:00",
            {"B": {"href": path, "raster:bands": [{"data_type": "uint8"}]}},
        )
        for n, path in enumerate(paths)
    ]
    cube = load(items, Wish())
    assert int(cube[0].sum()) == 0
    with pytest.raises(Problem, match="no-data value 0, of which metadata and other files know nothing"):
        cube[1].compute()
    assert load(items, Wish(nodata=0)).attrs["nodata"] == 0


def test_survey_tells_the_same(make, grid, noise):
    path = make.tif("a.tif", noise(20, 20), grid(20, 20), nodata=3)
    told = survey([make.item("a", DAY, {"B": path})], Wish())
    assert (told.dtype, told.nodata) == ("uint16", 3)
