"""What is published is processed at once: an item over HTTP, and a graph that computes from its file."""

from __future__ import annotations

import io

import numpy as np
import pytest
import rasterio
from rasterio.io import MemoryFile
from rasterio.transform import from_origin

from tests.api.datacosmos.conftest import STAC, STORAGE


def tiff(values: np.ndarray) -> bytes:
    """A GeoTIFF of 10 m cells in UTM zone 32."""
    with MemoryFile() as file:
        with file.open(
            driver="GTiff", height=values.shape[0], width=values.shape[1], count=1, dtype=values.dtype,
            crs="EPSG:32632", transform=from_origin(680000, 5152000, 10, 10),
        ) as target:  # fmt: skip
            target.write(values, 1)
        return bytes(file.read())


def graph(collection: str) -> dict:
    load = {
        "process_id": "load_collection",
        "arguments": {"id": collection, "spatial_extent": None, "temporal_extent": None},
    }
    save = {
        "process_id": "save_result",
        "arguments": {"data": {"from_node": "load"}, "format": "GTiff"},
        "result": True,
    }
    return {"process": {"process_graph": {"load": load, "save": save}}}


@pytest.fixture(scope="module")
def published(ada, cosmos):
    """One item with its file in the storage; the numbers of the file."""
    values = np.arange(600, dtype="uint16").reshape(20, 30)
    ada.post(f"{STAC}/collections", json={"id": "new", "description": "New"}).raise_for_status()
    path = f"{STORAGE}/catalog/new/2024/05/06/scene/data.tif"
    ada.put(
        path, content=tiff(values), headers={"Content-Type": "image/tiff; application=geotiff"}
    ).raise_for_status()
    item = {
        "type": "Feature", "stac_version": "1.0.0", "id": "scene", "collection": "new", "links": [],
        "geometry": {"type": "Polygon", "coordinates": [[[11.3, 46.4], [11.5, 46.4], [11.5, 46.6], [11.3, 46.6], [11.3, 46.4]]]},
        "bbox": [11.3, 46.4, 11.5, 46.6], "properties": {"datetime": "2024-05-06T10:00:00Z"},
        "assets": {"data": {"href": f"{cosmos.url}{path}", "roles": ["data"], "type": "image/tiff; application=geotiff"}},
    }  # fmt: skip
    ada.post(f"{STAC}/collections/new/items", json=item).raise_for_status()
    return values


def test_a_graph_computes_from_it_at_once(published, ada):
    told = ada.get("/collections/new").json()
    assert told["cube:dimensions"]["t"]["extent"] == ["2024-05-06T10:00:00Z"] * 2
    assert told["extent"]["spatial"]["bbox"] == [[11.3, 46.4, 11.5, 46.6]]
    answer = ada.post("/result", json=graph("new"))
    assert answer.status_code == 200, answer.text
    with rasterio.open(io.BytesIO(answer.content)) as found:
        assert found.crs.to_epsg() == 32632
        np.testing.assert_array_equal(found.read(1), published)


def test_data_that_may_not_be_read_are_not_computed_from(published, bob):
    answer = bob.post("/result", json=graph("new"))
    assert (answer.status_code, answer.json()["code"]) == (403, "PermissionsInsufficient")


def test_items_of_a_project_are_for_those_who_work_there(published, bob, eve, cosmos):
    path = f"{STORAGE}/project/your-project-id/mine/data.tif"
    bob.put(path, content=tiff(published)).raise_for_status()
    item = {
        "type": "Feature", "stac_version": "1.0.0", "id": "mine", "links": [], "geometry": None,
        "properties": {"datetime": "2024-05-06T10:00:00Z"},
        "assets": {"data": {"href": f"{cosmos.url}{path}", "roles": ["data"], "type": "image/tiff; application=geotiff"}},
    }  # fmt: skip
    bob.post("/api/data/v0/scenario/scenario/your-project-id/items", json=item).raise_for_status()
    answer = bob.post("/result", json=graph("@project:your-project-id"))
    assert answer.status_code == 200, answer.text
    with rasterio.open(io.BytesIO(answer.content)) as found:
        np.testing.assert_array_equal(found.read(1), published)
    answer = eve.post("/result", json=graph("@project:your-project-id"))
    assert (answer.status_code, answer.json()["code"]) == (404, "CollectionNotFound")
