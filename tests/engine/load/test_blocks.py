"""Blocks: how the cube is cut, how much is opened and read, and what the survey tells of it before."""

from __future__ import annotations

import json

import dask
import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox

from engine.errors import Problem
from engine.load import Survey, Wish, load, survey
from engine.load.blocks import choose_chunks
from processes.types import BBox

DAY = "2022-06-01T10:00:00"


@pytest.fixture(autouse=True)
def _one_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


@pytest.mark.parametrize(
    ("size", "offset", "block", "rows", "cols"),
    [
        ((3000, 2500), (0, 0), (512, 512), (1024, 1024, 952), (1024, 1024, 452)),
        ((3000, 2500), (100, 1000), (512, 512), (924, 1024, 1024, 28), (24, 1024, 1024, 428)),
        ((700, 300), (600, 0), (256, 256), (424, 276), (300,)),
        ((2000, 2000), (0, 0), (400, 300), (1200, 800), (900, 900, 200)),
        ((3000, 3000), (0, 0), (3000, 3000), (3000,), (3000,)),
        ((2000, 2000), (0, 0), (1, 8000), (131,) * 15 + (35,), (2000,)),  # strips
        ((2000, 500), (0, 0), (16, 8000), (128,) * 15 + (80,), (500,)),
    ],
)
def test_blocks_lie_on_the_source_s_blocks(size, offset, block, rows, cols):
    source = GeoBox((8000, 8000), Affine(10, 0, 0, 0, -10, 0), "EPSG:32632")
    part = source[offset[0] : offset[0] + size[0], offset[1] : offset[1] + size[1]]
    assert choose_chunks(part, None, source, lambda: block) == (rows, cols)


def test_blocks_as_wished_or_even_where_grids_differ():
    source = GeoBox((3000, 3000), Affine(10, 0, 0, 0, -10, 0), "EPSG:32632")
    other = GeoBox((1500, 1100), Affine(30, 0, 5, 0, -30, 5), "EPSG:32632")
    never = pytest.fail
    assert choose_chunks(other, None, source, never) == ((1024, 476), (1024, 76))
    assert choose_chunks(source, {"x": 2000, "y": -1}, source, never) == ((3000,), (2000, 1000))
    with pytest.raises(Problem, match="blocks of 0 pixels"):
        choose_chunks(source, {"x": 0}, source, never)


def series(make, grid, noise, dates=3, size=128):
    pixels = noise(size, size)
    return [
        make.item(
            f"i{n}",
            f"2022-06-0{n + 1}T10:00:00",
            {
                "B04": make.tif(f"{n}a.tif", pixels, grid(size, size), nodata=0),
                "SCL": make.tif(
                    f"{n}b.tif",
                    pixels[::2, ::2].astype("uint8"),
                    grid(size // 2, size // 2, size=20),
                    nodata=0,
                ),
            },
        )
        for n in range(dates)
    ]


def test_building_reads_nothing_and_opens_one_header(make, grid, noise, counts):
    items = series(make, grid, noise)
    counts.opened.clear()
    cube = load(items, Wish(bands=("SCL", "B04")))
    assert counts.opened == [items[0].assets["B04"].href]  # the size of its blocks
    assert counts.read == []
    counts.opened.clear()
    load(items, Wish(bands=("SCL",)))
    load(items, Wish(bands=("SCL", "B04")))
    survey(items, Wish(bands=("SCL", "B04")))
    load(items, Wish(chunks={"x": 64, "y": 64}))
    assert len(counts.opened) == 1  # each header once: only that of SCL was new
    assert cube.data.npartitions == 3 * 2


def test_one_task_reads_one_date_one_band_one_block(make, grid, noise, counts):
    cube = load(series(make, grid, noise), Wish(chunks={"x": 64, "y": 64}))
    assert cube.data.chunksize == (1, 1, 64, 64)
    assert cube.data.npartitions == len(cube.data.__dask_graph__()) == 3 * 2 * 4
    counts.opened.clear()
    cube[1, 0, :10, :10].compute()
    assert counts.read == [(slice(0, 10), slice(0, 10))]
    assert len(counts.opened) == 1
    counts.read.clear()
    cube.compute()
    assert len(counts.read) == 3 * 2 * 4


def test_a_small_box_reads_a_small_window(make, grid, noise, counts):
    box = BBox(500_700, 4_999_200, 500_800, 4_999_400, 32632)
    cube = load(series(make, grid, noise, dates=1), Wish(bands=("B04",), bbox=box))
    assert cube.shape == (1, 1, 20, 10)
    assert cube.chunksizes["y"] == (20,)
    cube.compute()
    assert counts.read == [(slice(60, 80), slice(70, 80))]


def test_scenes_are_opened_only_where_they_lie(make, grid, noise, counts):
    items = [
        make.item(
            f"i{n}",
            "2022-06-01T10:00:00",
            {"B04": make.tif(f"{n}.tif", noise(64, 64), grid(64, 64, 500_000 + 640 * n), nodata=0)},
        )
        for n in range(4)
    ]
    counts.opened.clear()
    cube = load(items, Wish(chunks={"x": 64, "y": 64}))
    cube.compute()
    assert sorted(counts.opened) == sorted(item.assets["B04"].href for item in items)
    counts.opened.clear()
    counts.files.clear()
    cube[..., 130:180].compute()
    assert counts.files == [items[2].assets["B04"].href]
    assert counts.opened == []  # they are open still


def test_blocks_without_a_source_are_no_data(make, grid, noise):
    items = [
        make.item(
            f"i{n}",
            f"2022-06-0{n + 1}T10:00:00",
            {"B04": make.tif(f"{n}.tif", noise(64, 64), grid(64, 64, left), nodata=0)},
        )
        for n, left in enumerate((500_000, 502_000))
    ]
    cube = load(items, Wish(chunks={"x": 64, "y": 64}))
    assert (cube != 0).any("y").sum("x").values.ravel().tolist() == [64, 64]


def test_same_wish_same_names_other_wish_other_names(make, grid, noise):
    items = series(make, grid, noise, dates=1)
    told = {**items[0].assets["B04"].extra_fields["raster:bands"][0], "scale": 2.0}
    names = {
        load(items, wish).data.name
        for wish in (Wish(), Wish(), Wish(scale="metadata"), Wish(nodata=3), Wish(resolution=20))
    }
    items[0].assets["B04"].extra_fields["raster:bands"] = [told]
    names.add(load(items, Wish(scale="metadata")).data.name)
    assert len(names) == 5


def test_survey_tells_what_load_will_do(make, grid, noise):
    items = series(make, grid, noise)
    for wish in (
        Wish(),
        Wish(bands=("SCL",)),
        Wish(crs=3857, chunks={"x": 50, "y": 70}),
        Wish(scale="metadata"),
    ):
        cube, told = load(items, wish), survey(items, wish)
        assert isinstance(told, Survey)
        assert told.shape == cube.shape
        assert told.dims == cube.dims
        assert told.geobox == cube.odc.geobox
        assert told.bands == tuple(cube.bands.values)
        assert told.times == tuple(cube.t.values)
        assert told.dtype == cube.dtype
        assert told.nodata == cube.attrs.get("nodata")
        assert dict(told.chunks) == dict(cube.chunksizes)
        assert told.crs == cube.x.attrs["reference_system"]
        assert json.loads(json.dumps(told.json()))["items"] == 3


def test_survey_counts_decoded_bytes(make, grid, noise, counts):
    items = series(make, grid, noise)
    for wish in (
        Wish(),
        Wish(bbox=BBox(500_400, 4_999_000, 500_800, 4_999_600, 32632)),
        Wish(bands=("SCL",)),
    ):
        counts.decoded = 0
        load(items, wish).compute()
        told = survey(items, wish)
        assert told.bytes == counts.decoded > 0
        assert (told.items, told.assets) == (3, 3 * len(wish.bands or ("B04", "SCL")))


def test_survey_counts_the_overview_that_will_be_read(make, grid, noise, counts):
    path = make.tif("a.tif", noise(256, 256), grid(256, 256), overviews=(2, 4), nodata=0)
    items = [make.item("a", DAY, {"B04": path})]
    assert survey(items, Wish(resolution=40)).bytes == 64 * 64 * 2
    for wish in (Wish(crs=3857, resolution=60), Wish(crs=3857, resolution=15)):
        counts.decoded = 0
        load(items, wish).compute()
        assert survey(items, wish).bytes == pytest.approx(counts.decoded, rel=0.15)


def test_threads_read_the_same(make, grid, noise):
    items = series(make, grid, noise)
    lazy = load(items, Wish(crs=3857, chunks={"x": 40, "y": 40}))
    with dask.config.set(scheduler="threads", num_workers=4):
        threaded = lazy.values
    np.testing.assert_array_equal(threaded, lazy.values)
