"""The scenes: the same for a seed, made anew when they should be, and served in parts."""

from __future__ import annotations

from dataclasses import replace
from urllib.request import Request, urlopen

import numpy as np
import pystac
import pytest
import rasterio

from benchmarks.scenes import BANDS, Recipe, is_complete, ready, scene_name
from benchmarks.server import LATENCY, serving

RECIPE = Recipe(edge=600, dates=3)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    return ready(RECIPE, tmp_path_factory.mktemp("data"), lambda _: None)


def test_files_are_as_the_catalogue_tells(scenes):
    items = list(pystac.Catalog.from_file(str(scenes / "catalog.json")).get_items(recursive=True))
    assert [i.id for i in items] == [scene_name(n) for n in range(3)]
    for item in items:
        for name in BANDS:
            asset = item.assets[name]
            with rasterio.open(asset.get_absolute_href()) as file:
                assert list(file.transform)[:6] == asset.extra_fields["proj:transform"]
                assert list(file.shape) == asset.extra_fields["proj:shape"] == [600, 600]
                assert file.crs.to_string() == item.properties["proj:code"]
                assert file.block_shapes == [(512, 512)]
                assert file.dtypes[0] == asset.extra_fields["raster:bands"][0]["data_type"]
                assert file.overviews(1)


def test_each_fourth_scene_is_nearly_all_cloud_and_no_data_is_so_in_all_bands(scenes):
    read = {}
    for n in range(3):
        for band in BANDS:
            with rasterio.open(scenes / "S2" / scene_name(n) / f"{band}.tif") as file:
                read[n, band] = file.read(1)
    clouds = [(read[n, "SCL"] >= 8).mean() for n in range(3)]
    assert clouds[2] > 0.9
    assert max(clouds[:2]) < 0.35
    for n in range(3):
        gaps = [read[n, band] == 0 for band in BANDS]
        assert gaps[0].any() == (n % 3 == 1)
        assert np.array_equal(gaps[0], gaps[1])
        assert np.array_equal(gaps[0], gaps[2])


def test_the_same_seed_gives_the_same_files_and_another_does_not(scenes, tmp_path):
    again, other = (
        ready(recipe, tmp_path / name, lambda _: None)
        for name, recipe in (("again", RECIPE), ("other", replace(RECIPE, seed=1)))
    )
    name = f"S2/{scene_name(0)}/B04.tif"
    assert (again / name).read_bytes() == (scenes / name).read_bytes() != (other / name).read_bytes()


def test_scenes_are_made_once_and_anew_when_a_file_or_the_recipe_differs(tmp_path):
    said = []
    recipe = replace(RECIPE, dates=1)
    place = ready(recipe, tmp_path, said.append)
    assert ready(recipe, tmp_path, said.append) == place
    assert len(said) == 1
    (place / "S2" / scene_name(0) / "B04.tif").write_bytes(b"cut off")
    assert not is_complete(place, recipe)
    ready(recipe, tmp_path, said.append)
    assert is_complete(place, recipe)
    assert not is_complete(place, replace(recipe, seed=1))
    assert len(said) == 2


def test_the_server_gives_parts_under_any_name_and_takes_its_time(scenes):
    import time

    content = (scenes / "catalog.json").read_bytes()
    with serving(scenes) as url:
        assert urlopen(f"{url}/7/catalog.json").read() == content
        start = time.perf_counter()
        part = urlopen(Request(f"{url}/8/catalog.json", headers={"Range": "bytes=5-9"}))
        assert time.perf_counter() - start >= LATENCY
        assert part.status == 206
        assert part.read() == content[5:10]
        assert part.headers["Content-Range"] == f"bytes 5-9/{len(content)}"
        head = urlopen(Request(f"{url}/9/catalog.json", method="HEAD"))
        assert int(head.headers["Content-Length"]) == len(content)
        for path in ("9/nothing.tif", "9/../../catalog.json", "9/%2e%2e/catalog.json"):
            with pytest.raises(OSError, match="404"):
                urlopen(f"{url}/{path}")
