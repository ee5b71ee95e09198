"""Vector data over HTTP: features of the standard's parts, for clients that others wrote, and in graphs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import geopandas as gpd
import httpx
import jsonschema
import numpy as np
import pytest
import shapely

from contracts import Contract
from engine import Backend, Settings
from engine.catalog import Catalog, Search
from engine.http import Egress
from parcels import parcels
from tests.api.conftest import Served, serving, with_writer

FACES = ["", "/ogc"]
COUNT = 40
UTM = "http://www.opengis.net/def/crs/EPSG/0/32632"
OWSLIB, OGCTESTS = os.environ.get("GDC_OWSLIB_PYTHON"), os.environ.get("GDC_OGCTESTS_PYTHON")
CLIENTS = Path(__file__).resolve().parents[2] / "clients"


@pytest.fixture(scope="module")
def land(catalog, tmp_path_factory, answers_checked) -> Iterator[Served]:
    """A server over the sample scenes, parcels in a GeoPackage with times, and wells without."""
    with over(parcels(COUNT), catalog, tmp_path_factory.mktemp("land"), answers_checked) as served:
        yield served


@contextmanager
def over(frame: gpd.GeoDataFrame, catalog: Path, home: Path, hooks: list) -> Iterator[Served]:
    shutil.copy(catalog, place := home / "catalog.sqlite")
    frame.to_file(home / "parcels.gpkg")
    wells = frame.head(5).set_geometry(frame.head(5).centroid)
    wells[["plants", "geometry"]].to_parquet(home / "wells.parquet")
    stored = Catalog(place)
    stored.add(home / "parcels.gpkg", time=["seen"])
    stored.add(home / "wells.parquet")
    stored.close()
    backend = Backend(Settings(home=home / "home", catalog=place, local_files=False, private_hosts="deny"))
    with_writer(backend)
    with serving(backend, hooks) as served:
        yield served


@pytest.fixture(scope="module")
def visitor(land) -> Iterator[httpx.Client]:
    with land.client() as client:
        yield client


@pytest.fixture(scope="module")
def surveyor(land) -> Iterator[httpx.Client]:
    """Somebody who may change the catalogue."""
    with land.client("ada") as client:
        yield client


@pytest.fixture(scope="module")
def frame():
    """The parcels in CRS84, by the ids that the GeoPackage gave them."""
    return parcels(COUNT).to_crs(4326).set_index(np.arange(1, COUNT + 1).astype(str))


def every(client: httpx.Client, place: str, **asked) -> list[dict]:
    """All features, page by page."""
    found, link = [], place
    while link:
        page = client.get(link, params=asked).raise_for_status().json()
        found += page["features"]
        link, asked = next((k["href"] for k in page["links"] if k["rel"] == "next"), None), None
    return found


# ------------------------------------------------------------------------------- collections
@pytest.mark.parametrize("face", ["", "/ogc", "/openeo/1.2"])
def test_collections_of_features_are_listed(visitor, face):
    listed = {c["id"]: c for c in visitor.get(f"{face}/collections").json()["collections"]}
    assert {"S2", "parcels", "wells"} <= listed.keys()
    told = visitor.get(f"{face}/collections/parcels").json()
    assert told["type"] == "Collection"
    assert told["itemType"] == "feature"
    assert told["cube:dimensions"]["geometry"]["type"] == "geometry"
    rels = [link["rel"] for link in told["links"]]
    assert not any(rel.endswith("/coverage") for rel in rels)
    assert ("items" in rels) == (face != "/openeo/1.2")


def test_stac_has_none_of_them(visitor):
    assert [c["id"] for c in visitor.get("/stac/collections").json()["collections"]] == ["S2"]
    for place in ("", "/items", "/items/1", "/queryables"):
        assert visitor.get(f"/stac/collections/parcels{place}").status_code == 404
    for face in ("", "/stac"):
        found = visitor.get(f"{face}/search", params={"limit": 100}).json()
        assert {f["collection"] for f in found["features"]} == {"S2"}
        assert found["numberMatched"] == len(found["features"])
        assert visitor.post(f"{face}/search", json={"collections": ["parcels"]}).json()["features"] == []
        assert "crop" not in visitor.get(f"{face}/queryables").json()["properties"]


def test_features_have_the_members_of_items_where_the_standards_of_the_face_ask_for_them(visitor):
    plain = visitor.get("/ogc/collections/parcels/items/2").json()
    shaped = visitor.get("/collections/parcels/items/2").json()
    assert (shaped.pop("stac_version"), shaped.pop("assets")) == ("1.1.0", {})
    assert shaped["properties"].pop("datetime") is None
    assert {**shaped, "links": None} == {**plain, "links": None}


def test_what_was_shaped_as_an_item_goes_back_as_the_feature_it_was(visitor, surveyor):
    before = visitor.get("/ogc/collections/wells/items/2").json()
    shaped = visitor.get("/collections/wells/items/2").json()
    assert surveyor.put("/collections/wells/items/2", json=shaped).status_code == 200
    after = visitor.get("/ogc/collections/wells/items/2").json()
    assert {**after, "links": None} == {**before, "links": None}


def test_stac_does_not_change_them(surveyor):
    place = "/stac/collections/parcels/items"
    feature = {"type": "Feature", "id": "1", "geometry": None, "properties": {}}
    assert surveyor.post(place, json=feature).status_code == 404
    assert surveyor.put(f"{place}/1", json=feature).status_code == 404
    assert surveyor.patch(f"{place}/1", json={"properties": {"crop": "hay"}}).status_code == 404
    assert surveyor.delete(f"{place}/1").status_code == 404


def test_they_are_no_coverages(visitor):
    for place in ("coverage", "coverage/domainset", "coverage/rangetype"):
        answer = visitor.get(f"/collections/parcels/{place}")
        assert answer.status_code == 404
        assert "holds features" in answer.text


# ------------------------------------------------------------------------------- features
def test_all_features_are_there_page_by_page(visitor, frame):
    found = every(visitor, "/ogc/collections/parcels/items", limit=7)
    assert [f["id"] for f in found] == list(frame.index)
    for feature in found:
        row = frame.loc[feature["id"]]
        assert feature["properties"]["crop"] == row["crop"]
        assert "assets" not in feature
        assert "stac_version" not in feature
        if row["geometry"] is not None:
            assert shapely.equals_exact(shapely.geometry.shape(feature["geometry"]), row["geometry"], 1e-9)


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ({"crop": "wheat"}, lambda f: f["crop"] == "wheat"),
        ({"organic": "true"}, lambda f: f["organic"]),
        ({"plants": "500"}, lambda f: f["plants"] == 500),
        ({"filter": "plants < 500 AND crop LIKE 'w%'"}, lambda f: (f["plants"] < 500) & (f["crop"] == "wheat")),
        ({"filter": "size IS NULL"}, lambda f: f["size"].isna()),
        ({"filter": "CASEI(crop) = 'wein'"}, lambda f: f["crop"] == "Wein"),
        ({"datetime": "2022-06-20T00:00:00Z/.."}, lambda f: f["seen"] >= "2022-06-20"),
        ({"bbox": "11.2850,46.5170,11.2890,46.5192"}, lambda f: f.intersects(shapely.box(11.2850, 46.5170, 11.2890, 46.5192))),
        ({"bbox": "675090,5154090,675350,5154170", "bbox-crs": UTM}, lambda f: f.index.isin(["1", "2", "3"])),
    ],
)  # fmt: skip
def test_features_are_found_by_what_they_are(visitor, frame, asked, wanted):
    found = visitor.get("/ogc/collections/parcels/items", params={**asked, "limit": 100}).json()
    assert sorted(f["id"] for f in found["features"]) == sorted(frame.index[wanted(frame)])
    assert found["numberMatched"] == len(found["features"])


def test_features_without_time_are_there_at_any_time(visitor):
    found = visitor.get("/ogc/collections/wells/items", params={"datetime": "1999-01-01T00:00:00Z"}).json()
    assert found["numberMatched"] == 5
    assert "datetime" not in visitor.get("/collections/wells/queryables").json()["properties"]
    assert visitor.get("/collections/wells").json()["extent"]["temporal"]["interval"] == [[None, None]]


def test_features_are_given_in_the_system_of_their_source(visitor):
    answer = visitor.get("/ogc/collections/parcels/items", params={"crs": UTM, "limit": 100})
    assert answer.headers["content-crs"] == f"<{UTM}>"
    squares = {str(n): g for n, g in enumerate(parcels(COUNT).geometry, 1)}
    for feature in answer.json()["features"]:
        if feature["geometry"] is not None:
            shape = shapely.geometry.shape(feature["geometry"])
            assert shapely.equals_exact(shape, squares[feature["id"]], 1e-5)


def test_a_feature_is_one_of_the_standard(visitor, specifications):
    answer = visitor.get("/ogc/collections/parcels/items/3")
    feature = answer.json()
    assert {"self", "collection"} <= {link["rel"] for link in feature["links"]}
    state = {"If-None-Match": answer.headers["etag"]}
    assert visitor.get("/ogc/collections/parcels/items/3", headers=state).status_code == 304
    assert visitor.get("/ogc/collections/parcels/items/none").status_code == 404
    if specifications is not None:
        standard = Contract(specifications / "ogcapi-features-1-oas30.yaml")
        schema = standard.document["components"]["schemas"]["featureGeoJSON"]
        assert not list(standard._validator(json.dumps(schema)).iter_errors(feature))


def test_schemas_tell_of_them(visitor):
    queryables = visitor.get("/collections/parcels/queryables").json()["properties"]
    assert {"crop", "size", "plants", "organic", "seen", "datetime", "geometry"} <= queryables.keys()
    assert "wheat" in queryables["crop"]["enum"]
    assert queryables["organic"] == {"type": "boolean"}
    schema = visitor.get("/collections/parcels/schema").json()
    assert schema["properties"]["geometry"] == {
        "format": "geometry-polygon",
        "x-ogc-role": "primary-geometry",
    }
    assert schema["properties"]["seen"]["x-ogc-role"] == "primary-instant"
    plain = {k: v for k, v in schema["properties"].items() if k not in ("id", "geometry")}
    for feature in every(visitor, "/ogc/collections/parcels/items", limit=100):
        told = {k: v for k, v in feature["properties"].items() if v is not None}
        jsonschema.validate(told, {"type": "object", "properties": plain})


def test_people_get_pages(visitor):
    page = visitor.get("/ogc/collections/parcels/items?f=html").text
    assert '<th scope="col">crop</th>' in page
    assert "Footprints" not in page
    assert "A feature of the collection" in visitor.get("/ogc/collections/parcels/items/1?f=html").text
    assert "The single features" in visitor.get("/collections/parcels?f=html").text


# ------------------------------------------------------------------------------- changes
def test_features_are_made_and_changed_by_those_who_may(land, surveyor):
    new = {"id": "paths", "title": "Paths", "description": "Where people walk", "itemType": "feature"}
    with land.client("bob") as bob:
        assert bob.post("/ogc/collections", json=new).status_code == 403
    made = surveyor.post("/ogc/collections", json=new)
    assert made.status_code == 201
    assert made.json()["itemType"] == "feature"
    items = "/ogc/collections/paths/items"
    line = {"type": "LineString", "coordinates": [[11, 46], [11.1, 46.1]]}
    path = {"type": "Feature", "geometry": line, "properties": {"name": "Ridge", "steep": 3}}
    answer = surveyor.post(items, json=path)
    assert answer.status_code == 201
    place = answer.headers["location"]
    assert surveyor.get(place).json()["geometry"] == line
    patched = surveyor.patch(place, json={"properties": {"steep": 4}})
    assert patched.json()["properties"] == {"name": "Ridge", "steep": 4}
    stale = {"If-Match": answer.headers["etag"]}
    assert surveyor.put(place, json={**path, "geometry": None}, headers=stale).status_code == 412
    assert surveyor.put(place, json={**path, "geometry": None}).json()["geometry"] is None
    many = {"type": "FeatureCollection", "features": [{**path, "id": 1}, {**path, "id": 2}]}
    assert surveyor.post(items, json=many).status_code == 201
    assert surveyor.get(items, params={"steep": 3}).json()["numberMatched"] == 3
    refused = surveyor.post(items, json={**path, "assets": {"data": {"href": "https://example.org/a.tif"}}})
    assert refused.status_code == 400
    assert "assets" in refused.text
    assert surveyor.post(
        items, json={**path, "geometry": {"type": "Point", "coordinates": []}}
    ).status_code in (201, 400)
    assert surveyor.delete(f"{items}/1").status_code == 204
    assert surveyor.get(f"{items}/1").status_code == 404
    assert surveyor.delete("/ogc/collections/paths").status_code == 204
    assert surveyor.get(items).status_code == 404


# ------------------------------------------------------------------------------- in graphs
def zones(geometries: dict) -> dict:
    """The mean of a band in zones, as a process graph."""
    return {
        "load": {"process_id": "load_collection", "arguments": {
            "id": "S2", "spatial_extent": None, "temporal_extent": ["2022-06-01", "2022-06-20"], "bands": ["B04"]}},
        **geometries,
        "mean": {"process_id": "aggregate_spatial", "arguments": {
            "data": {"from_node": "load"}, "geometries": {"from_node": "zones"},
            "reducer": {"process_graph": {"m": {"process_id": "mean", "arguments": {"data": {"from_parameter": "data"}}, "result": True}}}}},
        "save": {"process_id": "save_result", "arguments": {"data": {"from_node": "mean"}, "format": "JSON"}, "result": True},
    }  # fmt: skip


def loaded(**arguments) -> dict:
    all_ = {"id": "parcels", "spatial_extent": None, "temporal_extent": None}
    return {"zones": {"process_id": "load_collection", "arguments": all_ | arguments}}


def result(client: httpx.Client, graph: dict) -> dict:
    answer = client.post("/result", json={"process": {"process_graph": graph}})
    assert answer.status_code == 200, answer.text
    return answer.json()


WHEAT = {
    "process_graph": {
        "eq": {
            "process_id": "eq",
            "arguments": {"x": {"from_parameter": "value"}, "y": "wheat"},
            "result": True,
        }
    }
}


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        ({}, {}),
        ({"properties": {"crop": WHEAT}}, {"crop": "wheat"}),
        ({"temporal_extent": ["2022-06-20T00:00:00Z", None]}, {"datetime": "2022-06-20T00:00:00Z/.."}),
        ({"spatial_extent": {"west": 675090, "south": 5154090, "east": 675350, "north": 5154170, "crs": 32632}},
         {"filter": "id IN ('1', '2', '3')"}),
        ({"spatial_extent": {"type": "Point", "coordinates": [11.28631, 46.51896]}},
         {"filter": "S_INTERSECTS(geometry, POINT(11.28631 46.51896))"}),
    ],
)  # fmt: skip
def test_zones_of_graphs_are_the_features_of_a_collection(surveyor, arguments, asked):
    found = surveyor.get("/ogc/collections/parcels/items", params={**asked, "limit": 100}).json()["features"]
    features = [
        {**f, "properties": {"id": f["id"], **f["properties"]}} for f in found if f["geometry"] is not None
    ]
    given = {"type": "FeatureCollection", "features": features}
    twin = {"zones": {"process_id": "load_geojson", "arguments": {"data": given}}}
    if not features:
        pytest.fail("the test finds nothing")
    assert result(surveyor, zones(loaded(**arguments))) == result(surveyor, zones(twin))


def test_filters_of_graphs_go_on_from_features(surveyor, frame):
    box = {"west": 11.2850, "south": 46.5170, "east": 11.2890, "north": 46.5192}
    graph = {
        **loaded(bands=["plants"]),
        "inside": {"process_id": "filter_bbox", "arguments": {"data": {"from_node": "zones"}, "extent": box}},
        "save": {"process_id": "save_result", "arguments": {"data": {"from_node": "inside"}, "format": "JSON"}, "result": True},
    }  # fmt: skip
    told = result(surveyor, graph)
    inside = frame[
        frame.within(shapely.box(box["west"], box["south"], box["east"], box["north"]))
    ].sort_index()
    assert (
        np.ravel(told["values"] if "values" in told else told["data"]).tolist() == inside["plants"].tolist()
    )


def test_properties_become_values(surveyor, frame):
    save = {
        "process_id": "save_result",
        "arguments": {"data": {"from_node": "zones"}, "format": "JSON"},
        "result": True,
    }
    told = result(surveyor, {**loaded(bands=["plants", "size"]), "save": save})
    there = frame[frame.geometry.notna()]
    assert np.allclose(
        np.array(told["values"] if "values" in told else told["data"], dtype=float),
        there[["plants", "size"]].to_numpy(float),
        equal_nan=True,
    )


def test_what_is_not_there_is_told(surveyor):
    graph = zones(
        loaded(
            properties={
                "crop": {
                    "process_graph": {
                        "eq": {
                            "process_id": "eq",
                            "arguments": {"x": {"from_parameter": "value"}, "y": "rye"},
                            "result": True,
                        }
                    }
                }
            }
        )
    )
    answer = surveyor.post("/result", json={"process": {"process_graph": graph}})
    assert answer.status_code == 400
    assert answer.json()["code"] == "NoDataAvailable"
    assert "no feature of 'parcels'" in answer.json()["message"]


# ------------------------------------------------------------------------------- clients
def run(*command: object) -> str:
    done = subprocess.run([*map(str, command)], text=True, capture_output=True, check=False, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ERROR" not in done.stderr, done.stderr
    return done.stdout


OGR = shutil.which("ogr2ogr")


@pytest.mark.skipif(OGR is None, reason="ogr2ogr is not installed; apt-get install gdal-bin")
@pytest.mark.parametrize("face", FACES)
def test_gdal_reads_what_was_written(land, frame, face):
    text = run(OGR, "-f", "GeoJSON", "/vsistdout/", f"OAPIF:{land.url}{face}", "parcels", "-oo", "PAGE_SIZE=9",
               "-lco", "COORDINATE_PRECISION=15")  # fmt: skip
    found = json.loads(text)["features"]
    assert len(found) == COUNT
    for feature in found:
        told = feature["properties"]
        row = frame.loc[str(told["id"])]
        assert (told["crop"], told["plants"], bool(told["organic"])) == (
            row["crop"],
            row["plants"],
            row["organic"],
        )
        if row["geometry"] is not None:
            assert shapely.equals_exact(shapely.geometry.shape(feature["geometry"]), row["geometry"], 1e-9)


@pytest.mark.skipif(OWSLIB is None, reason="GDC_OWSLIB_PYTHON names no Python with OWSLib")
def test_owslib_reads_features(land):
    found = json.loads(run(OWSLIB, CLIENTS / "owslib_features.py", f"{land.url}/ogc/", "wells"))
    assert {"S2", "parcels", "wells"} <= set(found["feature_collections"])
    assert found["matched"] == 5
    assert found["first"] == list("12345")


@pytest.mark.slow
@pytest.mark.skipif(OGCTESTS is None, reason="GDC_OGCTESTS_PYTHON names no Python with ogctests")
@pytest.mark.parametrize("face", FACES)
def test_the_suite_for_features_finds_no_fault(catalog, face, tmp_path):
    """Its schema knows no feature without geometry, which GeoJSON does."""
    where = "import ogctests, pathlib; print(pathlib.Path(ogctests.__file__).parent / 'features' / 'core')"
    suite = run(OGCTESTS, "-c", where).strip()
    (own := tmp_path / "pytest.ini").write_text("[pytest]\n")
    with over(parcels(COUNT).iloc[:-1], catalog, tmp_path, []) as land:
        done = subprocess.run(
            [str(OGCTESTS), "-m", "pytest", "-c", own, "--rootdir", tmp_path, suite, "-q", "-p", "no:cacheprovider", "-W", "ignore"],
            env={**os.environ, "INSTANCE_URL": land.url + face}, cwd=tmp_path, text=True, capture_output=True, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_another_catalogue_takes_them_over(land, frame, tmp_path):
    other = Catalog(tmp_path / "other.sqlite", Egress(hosts=("127.0.0.1",)))
    (added,) = other.add(f"{land.url}/ogc/collections/parcels/items?limit=9", time=["seen"])
    assert (added.collection, added.items_new) == ("parcels", COUNT)
    with land.client() as client:
        there = {f["id"]: f["properties"] for f in every(client, "/ogc/collections/parcels/items", limit=100)}
    assert {f["id"]: f["properties"] for f in other.every("parcels")} == there
    assert other.find_in("parcels", Search(limit=1)).matched == len(frame)
    other.close()
