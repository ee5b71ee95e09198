"""Which bands the cube gets, under which names, with which metadata."""

from __future__ import annotations

import dask
import numpy as np
import pystac
import pytest

from engine.errors import Problem
from engine.load import Wish, load, survey

DAY = "2022-06-01T10:00:00"


@pytest.fixture(autouse=True)
def _one_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


def of(name, common=None, **more):
    return {
        "name": name,
        "data_type": "uint16",
        "nodata": 0,
        **({"eo:common_name": common} if common else {}),
        **more,
    }


@pytest.fixture
def scene(make, grid, noise):
    """Two bands that stand alone, three red-edge bands, a picture of three bands, a thumbnail, text."""
    there = grid(10, 12)

    def file(name, *shape):
        return make.tif(f"{name}.tif", noise(*shape, 10, 12, seed=len(name)), there)

    assets = {
        "visual": {
            "href": file("visual", 3),
            "bands": [of("B04", "red"), of("B03", "green"), of("B02", "blue")],
        },
        "red": {
            "href": file("red"),
            "bands": [of("B04", "red", **{"eo:center_wavelength": 0.66, "raster:scale": 1e-4})],
        },
        "edge1": {"href": file("edge1"), "bands": [of("B05", "rededge")]},
        "edge2": {"href": file("edge02"), "bands": [of("B06", "rededge")]},
        "SCL": {"href": file("SCL"), "data_type": "uint16", "nodata": 0, "raster:bands": None},
        "thumbnail": {"href": file("thumb"), "roles": ["thumbnail"]},
        "metadata": {"href": make.folder / "metadata.xml", "type": "application/xml", "roles": ["metadata"]},
    }
    return make.item("s", DAY, assets)


@pytest.mark.parametrize(
    ("wished", "got"),
    [
        (("B04",), ["B04"]),
        (("SCL", "B04"), ["SCL", "B04"]),
        (("red",), ["red"]),  # an asset key
        (("green",), ["B03"]),  # a common name
        (("rededge",), ["B05", "B06"]),
        (("B05", "rededge"), ["B05", "B06"]),
        (("visual",), ["B04", "B03", "B02"]),
        (("thumbnail",), ["thumbnail"]),
        (None, ["B04", "B03", "B02", "red_B04", "B05", "B06", "SCL"]),
    ],
)
def test_names_asset_keys_and_common_names(scene, wished, got):
    cube = load([scene], Wish(bands=wished))
    assert cube.bands.values.tolist() == got
    assert survey([scene], Wish(bands=wished)).bands == tuple(got)


def test_a_band_that_stands_alone_goes_before_the_picture(scene, noise):
    np.testing.assert_array_equal(load([scene], Wish(bands=("B04",)))[0, 0].values, noise(10, 12, seed=3))


def test_bands_of_one_asset_are_read_by_their_number(scene, noise):
    picture = noise(3, 10, 12, seed=6)
    cube = load([scene], Wish(bands=("B02", "B03")))
    np.testing.assert_array_equal(cube[0].values, picture[[2, 1]])


def test_metadata_of_a_band(scene):
    (band,) = load([scene], Wish(bands=("B04",))).bands.attrs["bands"]
    assert band == {
        "name": "B04",
        "common_name": "red",
        "center_wavelength": 0.66,
        "scale": 1e-4,
        "nodata": 0,
        "data_type": "uint16",
    }


def test_older_items_are_understood(make, grid, noise):
    """STAC 1.0: `eo:bands` beside `raster:bands`, the no-data value as text."""
    told = {
        "eo:bands": [{"name": "B8", "common_name": "nir", "center_wavelength": 0.84}],
        "raster:bands": [{"data_type": "float32", "nodata": "nan", "unit": "1", "scale": 2, "offset": 0.5}],
    }
    path = make.tif("a.tif", noise(10, 12, dtype="float32"), grid(10, 12))
    (band,) = load([make.item("a", DAY, {"B8": {"href": path, **told}})], Wish(bands=("nir",))).bands.attrs[
        "bands"
    ]
    assert band == {
        "name": "B8",
        "common_name": "nir",
        "center_wavelength": 0.84,
        "scale": 2,
        "offset": 0.5,
        "unit": "1",
        "data_type": "float32",
    }


@pytest.mark.parametrize(
    ("wished", "hint"), [("b4", "'B04'"), ("redd", "'red'"), ("temperature", "Choose one of these")]
)
def test_a_band_that_is_not_there(scene, wished, hint):
    with pytest.raises(Problem) as caught:
        load([scene], Wish(bands=("SCL", wished)))
    problem = caught.value
    assert problem.code == "ProcessParameterInvalid"
    assert f"no band {wished!r}" in problem.message
    assert "B04, B03, B02" in problem.message
    assert "red, green, blue, rededge" in problem.message
    assert hint in problem.hint
    assert problem.facts["bands"] == ["B04", "B03", "B02", "B05", "B06", "SCL"]


def test_items_of_several_sensors_meet_by_asset_key(make, grid, noise):
    """The same asset has another band name on another satellite."""
    items = []
    for n, name in enumerate(("TM_B3", "OLI_B4"), 1):
        path = make.tif(f"{n}.tif", noise(10, 12, seed=n), grid(10, 12))
        items.append(
            make.item(f"i{n}", f"2022-06-0{n}T10:00:00", {"red": {"href": path, "bands": [of(name, "red")]}})
        )
    cube = load(items, Wish(bands=("red",)))
    assert cube.bands.values.tolist() == ["red"]
    for n in (1, 2):
        np.testing.assert_array_equal(cube[n - 1, 0].values, noise(10, 12, seed=n))


def test_items_meet_by_band_name_under_other_asset_keys(make, grid, noise):
    items = []
    for n, key in enumerate(("red", "B04_10m"), 1):
        path = make.tif(f"{n}.tif", noise(10, 12, seed=n), grid(10, 12))
        items.append(
            make.item(f"i{n}", f"2022-06-0{n}T10:00:00", {key: {"href": path, "bands": [of("B04", "red")]}})
        )
    cube = load(items, Wish(bands=("B04",)))
    np.testing.assert_array_equal(cube[1, 0].values, noise(10, 12, seed=2))


def test_a_band_that_one_item_lacks_is_no_data_there(make, grid, noise):
    paths = [make.tif(f"{n}.tif", noise(10, 12, seed=n), grid(10, 12)) for n in range(3)]
    items = [
        make.item("a", "2022-06-01T10:00:00", {"B1": {"href": paths[0], "bands": [of("B1")]}}),
        make.item(
            "b",
            "2022-06-02T10:00:00",
            {k: {"href": p, "bands": [of(k)]} for k, p in zip(("B1", "B2"), paths, strict=False)},
        ),
    ]
    lines: list[str] = []
    cube = load(items, Wish(), log=lines.append)
    assert cube.bands.values.tolist() == ["B1", "B2"]
    assert (cube == 0).all(["y", "x"]).values.tolist() == [[False, True], [False, False]]
    assert lines == ["item 'a' has no B2: no-data there"]


def test_metadata_that_are_missing_are_read_from_the_files(make, grid, noise, counts):
    bare = {"proj:shape": None, "proj:transform": None, "proj:code": None, "raster:bands": None}
    items = [
        make.item(
            f"i{n}",
            f"2022-06-0{n}T10:00:00",
            {"B1": {"href": make.tif(f"{n}.tif", noise(10, 12), grid(10, 12), nodata=4), **bare}},
        )
        for n in (1, 2, 3)
    ]
    counts.opened.clear()
    lines: list[str] = []
    cube = load(items, Wish(), log=lines.append)
    assert cube.odc.geobox == grid(10, 12)
    assert (cube.dtype, cube.attrs["nodata"]) == (np.uint16, 4)
    assert len(counts.opened) == 3  # each once, for all that is missing
    assert counts.read == []
    assert lines == [
        "the metadata of 3 assets lack CRS, shape or transform: their headers are opened",
        "the metadata of band 'B1' lack the type and no-data value: one header is opened",
    ]


def test_transform_from_a_projected_box(make, grid, noise):
    path = make.tif("a.tif", noise(10, 12), grid(10, 12))
    told = {
        "proj:transform": None,
        "proj:bbox": list(grid(10, 12).boundingbox.bbox),
        "proj:code": None,
        "proj:epsg": 32632,
    }
    assert survey([make.item("a", DAY, {"B1": {"href": path, **told}})], Wish()).geobox == grid(10, 12)


def test_no_items_and_no_data(make):
    with pytest.raises(Problem, match="wished bands is empty"):
        load([make.item("a", DAY, {})], Wish(bands=()))
    with pytest.raises(Problem, match="no items") as caught:
        load([], Wish())
    assert caught.value.code == "NoDataAvailable"
    text = make.item(
        "a", DAY, {"doc": {"href": make.folder / "a.txt", "type": "text/plain", "roles": ["data"]}}
    )
    with pytest.raises(Problem, match="text/plain") as caught:
        load([text], Wish())
    assert caught.value.code == "FormatUnsuitable"


def test_relative_address_without_a_home(grid):
    item = pystac.Item(
        "a",
        None,
        None,
        None,
        {"start_datetime": "2022-01-01T00:00:00Z", "end_datetime": "2022-01-02T00:00:00Z"},
    )
    item.add_asset("B1", pystac.Asset("a.tif", media_type="image/tiff"))
    with pytest.raises(Problem) as caught:
        load([item], Wish())
    assert caught.value.code in ("FilePathInvalid", "FileNotFound")
    assert caught.value.facts["item"] == "a"
