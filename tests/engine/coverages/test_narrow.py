"""What is looked at for a request: of the catalogue once, what lies there and then; of files what overviews have."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from coverage_of import opened
from engine import Settings
from engine.catalog import Catalog
from engine.domain.alike import OTHER
from engine.errors import Problem
from engine.service import Engine


@pytest.fixture
def searches(monkeypatch) -> list[int]:
    """How many items each search in a catalogue found."""
    found: list[int] = []
    search = Catalog.search

    def counted(self, query):
        answer = search(self, query)
        found.append(len(answer.items))
        return answer

    monkeypatch.setattr(Catalog, "search", counted)
    return found


@pytest.mark.parametrize(
    ("asked", "items"),
    [
        ({"form": "geotiff"}, 1), ({"form": "png", "properties": "B04", "scale_factor": "4"}, 1),
        ({"datetime": "2022-06-01/2022-06-30"}, 3), ({"datetime": "2022-06-17", "crs": "EPSG:3857", "properties": "B04,SCL"}, 1),
        ({"subset": 'E(675000:675100),time("2022-04-03":"2022-04-30")', "properties": "B04"}, 2), ({"properties": "SCL,B02"}, 12),
    ],
)  # fmt: skip
def test_the_catalogue_is_searched_once_for_what_is_asked(scenes, searches, asked, items):
    """Each date is one item; planning and running see the same search."""
    made = scenes.plan(**asked)
    scenes.engine.lazy(made.process)
    assert searches == [items]


def test_files_with_overviews_are_read_through_these(tmp_path, monkeypatch):
    """An eighth: of a file of 1,024 x 1,024 cells less than a tenth is read."""
    folder = tmp_path / "cog"
    folder.mkdir()
    with rasterio.open(
        folder / "a_2022-06-01.tif", "w", driver="GTiff", width=1024, height=1024, count=1, dtype="uint16", nodata=0,
        crs="EPSG:32632", transform=from_origin(500000, 5000000, 10, 10), tiled=True, blockxsize=128, blockysize=128,
    ) as file:  # fmt: skip
        file.write(np.random.default_rng(1).integers(1, 9999, (1, 1024, 1024)).astype("uint16"))
    with rasterio.open(folder / "a_2022-06-01.tif", "r+") as file:
        file.build_overviews([2, 4, 8], rasterio.enums.Resampling.average)
    catalog = Catalog(tmp_path / "catalog.sqlite")
    catalog.add(folder, collection="cog")
    catalog.close()
    with Engine(Settings(home=tmp_path, catalog=tmp_path / "catalog.sqlite")) as engine:
        coverage = opened(engine, "cog")
        shapes: list[int] = []
        read = rasterio.io.DatasetReader.read

        def counted(self, *args, **kwargs):
            cells = read(self, *args, **kwargs)
            shapes.append(cells.size)
            return cells

        monkeypatch.setattr(rasterio.io.DatasetReader, "read", counted)
        small = coverage.get(scale_factor="8", datetime="../..")
        assert small.shape[-2:] == (128, 128)
        assert 0 < sum(shapes) < 1024 * 1024 / 10


def item(id_: str, file: Path, moment: str, box: list[float]) -> dict:
    west, south, east, north = box
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {
        "type": "Feature", "stac_version": "1.0.0", "id": id_, "links": [], "bbox": box,
        "geometry": {"type": "Polygon", "coordinates": [ring]}, "properties": {"datetime": moment},
        "assets": {"data": {"href": str(file), "type": "image/tiff", "roles": ["data"]}},
    }  # fmt: skip


def test_scenes_on_several_grids_are_looked_through_as_a_whole(tmp_path):
    """A part of them alone would be on another grid: this is noticed before anything is read, and all are looked at."""
    catalog = Catalog(tmp_path / "catalog.sqlite")
    for number, (width, corner) in enumerate([(10, 500000), (20, 500000)], 1):
        path = tmp_path / f"{number}.tif"
        with rasterio.open(
            path, "w", driver="GTiff", width=400 // width, height=400 // width, count=1, dtype="uint8", crs="EPSG:32632",
            transform=from_origin(corner, 5000000, width, width),
        ) as file:  # fmt: skip
            file.write(np.full((1, 400 // width, 400 // width), number, "uint8"))
        told = item(str(number), path, f"2022-06-0{number}T00:00:00Z", [9.0, 45.14, 9.006, 45.154])
        (tmp_path / "item.json").write_text(json.dumps(told))
        catalog.add(tmp_path / "item.json", collection="two")
    catalog.close()
    with Engine(Settings(home=tmp_path, catalog=tmp_path / "catalog.sqlite")) as engine:
        coverage = opened(engine, "two")
        made = coverage.plan(datetime="2022-06-02/2022-06-02")
        with pytest.raises(Problem) as told:
            coverage.looked_at(made, made.process)
        assert told.value.code == OTHER
        np.testing.assert_array_equal(
            coverage.get(datetime="2022-06-02/2022-06-02"), coverage.full.isel(t=[1])
        )
