"""Vector data in the catalogue: formats read as other programs read them, searched as pandas would."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime, timedelta

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.catalog import (
    Author,
    Catalog,
    Mode,
    PatchItem,
    PutCollection,
    PutItem,
    Query,
    Search,
    Sort,
    filter_from_json,
)
from engine.catalog.times import micros
from engine.errors import Problem
from parcels import parcels

AUTHOR = Author("ada", "test")


def every(catalog: Catalog, collection: str, **wish) -> list[dict]:
    return list(catalog.every(collection, Search(**wish)))


def square(id_, **more) -> dict:
    return {
        "type": "Feature",
        "id": id_,
        "geometry": {"type": "Point", "coordinates": [11, 46]},
        "properties": {},
        **more,
    }


# ------------------------------------------------------------------------------- formats
WRITERS = {
    "gpkg": lambda frame, path: frame.to_file(path),
    "shp": lambda frame, path: frame.assign(seen=frame["seen"].dt.date).to_file(path),
    "fgb": lambda frame, path: frame.to_file(path, SPATIAL_INDEX="NO"),
    "parquet": lambda frame, path: frame.to_parquet(path),
    "geojson": lambda frame, path: frame.to_crs(4326).to_file(
        path, COORDINATE_PRECISION=15, driver="GeoJSON"
    ),
}


@pytest.mark.parametrize("suffix", WRITERS)
def test_features_are_those_that_geopandas_wrote(catalog, tmp_path, suffix):
    frame = parcels()
    WRITERS[suffix](frame, path := tmp_path / f"parcels.{suffix}")
    (added,) = catalog.add(path)
    assert (added.collection, added.items_new) == ("parcels", len(frame))
    found = sorted(every(catalog, "parcels"), key=lambda f: f["properties"]["seen"])
    told = frame.to_crs(4326)
    for feature, row in zip(found, told.itertuples(), strict=True):
        assert feature["type"] == "Feature"
        assert "assets" not in feature
        assert "stac_version" not in feature
        if row.geometry is None:
            assert feature["geometry"] is None
            assert "bbox" not in feature
        else:
            assert shapely.equals_exact(
                shapely.geometry.shape(feature["geometry"]).normalize(), row.geometry.normalize(), 1e-9
            )
            assert feature["bbox"] == pytest.approx(row.geometry.bounds, abs=1e-9)
        properties = feature["properties"]
        assert properties["crop"] == row.crop
        assert properties["plants"] == row.plants
        assert isinstance(properties["plants"], int)
        assert properties["size"] == (None if pd.isna(row.size) else pytest.approx(row.size))
        assert properties["organic"] == row.organic
        moment = (
            row.seen.date().isoformat() if suffix == "shp" else row.seen.isoformat().replace("+00:00", "Z")
        )
        assert properties["seen"].replace(".000Z", "Z") == moment  # a Shapefile has dates, and no times


def test_ids_are_those_of_the_source_and_numbers_where_it_has_none(catalog, tmp_path):
    frame = parcels(5)
    frame.to_file(tmp_path / "a.gpkg")
    frame.assign(id=list("abcde")).to_parquet(tmp_path / "b.parquet")
    features = [square("one"), square(7), square(None)]
    (tmp_path / "c.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    for name, ids in (
        ("a.gpkg", list("12345")),
        ("b.parquet", list("abcde")),
        ("c.geojson", ["one", "7", "3"]),
    ):
        (added,) = catalog.add(tmp_path / name)
        assert [f["id"] for f in every(catalog, added.collection)] == ids
        assert {f["collection"] for f in every(catalog, added.collection)} == {added.collection}


def test_each_layer_is_a_collection(catalog, tmp_path):
    path = tmp_path / "land.gpkg"
    parcels(4).to_file(path, layer="fields")
    parcels(6).to_file(path, layer="meadows")
    assert {a.collection: a.items_new for a in catalog.add(path)} == {"fields": 4, "meadows": 6}
    (again,) = catalog.add(path, collection="meadows")
    assert (again.collection, again.items_new, again.items_updated) == ("meadows", 0, 6)
    with pytest.raises(Problem, match="has no layer 'woods'") as refused:
        catalog.add(path, collection="woods")
    assert "'fields', 'meadows'" in refused.value.hint


def test_heights_stay(catalog, tmp_path):
    points = [shapely.Point(675_100, 5_154_100, 250.5), shapely.Point(675_200, 5_154_200)]
    gpd.GeoDataFrame({"n": [1, 2]}, geometry=points, crs=32632).to_parquet(path := tmp_path / "p.parquet")
    catalog.add(path)
    high, flat = (f["geometry"]["coordinates"] for f in every(catalog, "p"))
    assert high[2] == 250.5
    assert len(flat) == 2


def test_old_geojson_in_another_system_is_moved(catalog, tmp_path):
    frame = parcels(3)
    doc = json.loads(frame.drop(columns="seen").to_json(drop_id=True))
    doc["crs"] = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32632"}}
    (tmp_path / "old.geojson").write_text(json.dumps(doc))
    catalog.add(tmp_path / "old.geojson")
    for feature, shape in zip(every(catalog, "old"), frame.geometry.to_crs(4326), strict=True):
        if shape is not None:
            assert shapely.equals_exact(shapely.geometry.shape(feature["geometry"]), shape, 1e-9)


def _geojson(tmp_path, *features):
    path = tmp_path / "x.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": list(features)}))
    return path


def _without_prj(path):
    parcels(3).drop(columns="seen").to_file(path)
    path.with_suffix(".prj").unlink()
    return path


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda p: _geojson(p, square("a"), square("a")), "'a' comes twice"),
        (lambda p: _geojson(p, square("a"), "b"), "it is str, not a JSON object"),
        (lambda p: _geojson(p, square("a", properties=[1])), "its properties are list"),
        (lambda p: _geojson(p, square("a", geometry={"type": "Point", "coordinates": ["x", 1]})), "no finite number"),
        (lambda p: _geojson(p, square("a", geometry={"type": "Point", "coordinates": [6e5, 5e6]})), "not in WGS84"),
        (lambda p: _geojson(p, square("a", properties={"datetime": "soon"})), "'soon' is no date and no time"),
        (lambda p: _without_prj(p / "x.shp"), "tells no coordinate"),
        (lambda p: parcels(3).drop(columns="geometry").to_parquet(p / "x.parquet") or p / "x.parquet", "no GeoParquet"),
        (lambda p: (p / "x.gpkg").write_bytes(b"SQLite") and p / "x.gpkg", "cannot be read as features"),
    ],
)  # fmt: skip
def test_what_is_not_sound_is_refused_whole(catalog, tmp_path, make, why):
    with pytest.raises(Problem, match=why):
        catalog.add(make(tmp_path))
    assert catalog.collections() == []


# ------------------------------------------------------------------------------- times
@pytest.mark.parametrize(
    ("names", "properties", "inside", "outside"),
    [
        ((), {"datetime": "2022-06-01T10:00:00Z"}, "2022-06-01T10:00:00", "2022-06-01T10:00:01"),
        ((), {"start_datetime": "2022-06-01T00:00:00Z", "end_datetime": "2022-06-05T00:00:00Z"}, "2022-06-04", "2022-06-06"),
        (("sown",), {"sown": "2022-06-01"}, "2022-06-01T23:59:59", "2022-06-02"),
        (("sown",), {"sown": "2022-06-01T10:00:00", "datetime": "no time"}, "2022-06-01T10:00:00", "2022-06-02"),
        (("sown", "cut"), {"sown": "2022-06-01", "cut": None}, "2042-01-01", "2022-05-31"),
        (("sown", "cut"), {"sown": "2022-06-01", "cut": "2022-09-01"}, "2022-09-01T20:00:00", "2022-09-02"),
        (("sown",), {"sown": None}, "1970-01-01", None),
        ((), {"sown": "2022-06-01"}, "1970-01-01", None),
    ],
)  # fmt: skip
def test_times_are_found_where_they_are_told(store, names, properties, inside, outside):
    told = {
        "id": "f",
        "type": "Features",
        "description": "Words",
        **({"gdc:time": list(names)} if names else {}),
    }
    store.apply([PutCollection(told), PutItem("f", square("a", properties=properties))], AUTHOR)

    def found(moment):
        at = micros(datetime.fromisoformat(moment).replace(tzinfo=UTC))
        return store.find_in("f", Search(start=at, end=at)).matched

    assert found(inside) == 1
    assert outside is None or found(outside) == 0
    interval = store.collection("f")["extent"]["temporal"]["interval"][0]
    assert (interval == [None, None]) == (outside is None)


def test_a_time_is_for_vector_data(catalog, tmp_path, tiff):
    tiff(tmp_path / "r" / "a_2022-06-01.tif")
    with pytest.raises(Problem, match="STAC or rasters"):
        catalog.add(tmp_path / "r", time=["sown"])


# ------------------------------------------------------------------------------- searches
PLACES = st.tuples(st.floats(0, 12), st.floats(0, 8), st.floats(0.1, 12), st.floats(0.1, 8))
CONDITIONS = st.one_of(
    st.tuples(st.sampled_from(["=", "<>"]), st.just("crop"), st.sampled_from(["maize", "wheat", "none"])),
    st.tuples(st.sampled_from(["<", ">=", "="]), st.just("plants"), st.integers(0, 1000)),
    st.tuples(st.sampled_from(["<", ">"]), st.just("size"), st.floats(0, 5)),
    st.tuples(st.just("="), st.just("organic"), st.booleans()),
)


@pytest.fixture
def stocked(store, tmp_path):
    frame = parcels()
    frame.to_parquet(path := tmp_path / "parcels.parquet")
    store.add(path, time=["seen"])
    return store, frame.to_crs(4326).assign(id=[str(n + 1) for n in range(len(frame))])


def test_searches_find_what_pandas_finds(stocked):
    store, frame = stocked
    west, south, _, _ = frame.total_bounds

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.none() | PLACES, st.lists(CONDITIONS, max_size=2), st.none() | st.integers(0, 50))
    def check(place, conditions, day):
        kept, wish = frame, {}
        if place is not None:
            x, y, wide, high = (number * 0.0016 for number in place)
            wish["bbox"] = (west + x, south + y, west + x + wide, south + y + high)
            # as items: those that lie nowhere are found by no box of a search over collections
            kept = kept[kept.intersects(shapely.box(*wish["bbox"]))]
        for op, name, value in conditions:
            column, there = kept[name], kept[name].notna()
            same = {"=": column.eq, "<>": column.ne, "<": column.lt, ">": column.gt, ">=": column.ge}[op](
                value
            )
            kept = kept[same & there]
        if day is not None:
            first = datetime(2022, 5, 30, 10, tzinfo=UTC) + timedelta(days=day)
            wish["start"] = micros(first)
            kept = kept[kept["seen"] >= first]
        filters = [
            filter_from_json({"op": op, "args": [{"property": name}, value]})
            for op, name, value in conditions
        ]
        found = every(store, "parcels", filters=tuple(filters), **wish)
        assert sorted(f["id"] for f in found) == sorted(kept["id"])
        page = store.find_in("parcels", Search(filters=tuple(filters), limit=3, **wish))
        assert page.matched == len(kept)

    check()


def test_features_come_as_they_came_unless_told_otherwise(stocked):
    store, frame = stocked
    seen, token = [], None
    while True:
        page = store.find_in("parcels", Search(limit=7, token=token))
        seen += [hit.doc["id"] for hit in page.hits]
        assert page.matched == len(frame)
        if (token := page.next) is None:
            break
    assert seen == list(frame["id"])
    latest = store.find_in("parcels", Search(limit=1, sortby=(Sort("datetime", True),))).hits[0]
    assert latest.doc["id"] == str(len(frame))


def test_graphs_get_what_a_query_wants(stocked):
    store, frame = stocked
    end = datetime(2022, 6, 10, 10, tzinfo=UTC)
    wish = Query("parcels", end=end, properties={"plants": lambda value: value is not None and value < 500})
    ids = set(frame[(frame["seen"] < end) & (frame["plants"] < 500)]["id"])
    assert {f["id"] for f in store.features(wish)} == ids


# ------------------------------------------------------------------------------- beside STAC
def test_stac_does_not_see_features(stocked, item):
    store, frame = stocked
    store.apply([PutItem("c", item("scene"))], AUTHOR)
    assert [c["id"] for c in store.collections()] == ["c", "parcels"]
    assert store.find(Search(limit=1)).matched == len(frame) + 1
    stac = store.of_stac()
    assert [c["id"] for c in stac.collections()] == ["c"]
    assert [h.doc["id"] for h in stac.find(Search()).hits] == ["scene"]
    assert stac.find(Search()).matched == 1
    assert stac.find(Search(limit=1, collections=("parcels",))).matched == 0
    assert not stac.has("parcels")
    with pytest.raises(Problem, match="does not exist"):
        stac.find_in("parcels", Search())


def test_a_collection_holds_features_or_items_and_stays_so(stocked, item, tmp_path):
    store, frame = stocked
    with pytest.raises(Problem, match="it has assets"):
        store.apply([PutItem("parcels", item("scene"))], AUTHOR)
    with pytest.raises(Problem, match="its assets are NoneType"):
        store.apply([PutItem("c", square("a"))], AUTHOR)
    with pytest.raises(Problem, match="holds STAC items, and the source has features"):
        store.add(tmp_path / "parcels.parquet", collection="c")
    (tmp_path / "items.json").write_text(
        json.dumps({"type": "FeatureCollection", "features": [item("scene")]})
    )
    with pytest.raises(Problem, match="holds features, and the source has STAC items"):
        store.add(tmp_path / "items.json", collection="parcels")
    stac = {
        "id": "parcels",
        "type": "Collection",
        "stac_version": "1.1.0",
        "description": "New words",
        "links": [],
    }
    store.apply([PutCollection(stac, Mode.REPLACE)], AUTHOR)
    assert store.collection("parcels")["description"] == "New words"
    assert store.collection("parcels")["type"] == "Features"
    assert store.find_in("parcels", Search()).matched == len(frame)
    with pytest.raises(Problem, match="'Collection' or 'Catalog'"):
        store.apply([PutCollection({"id": "own", "type": "Features"}, owner="ada")], AUTHOR)
    with pytest.raises(Problem, match="'parcels' holds features"):
        store.export(tmp_path / "out.parquet", ["parcels"])


def test_features_change_as_items_do(stocked):
    store, frame = stocked
    made, patched = store.apply(
        [
            PutItem("parcels", square("new", properties=None, geometry=None), Mode.CREATE),
            PatchItem("parcels", "1", {"properties": {"crop": "hops"}, "geometry": {"type": "Point", "coordinates": [0, 0]}, "bbox": None}),
        ],
        AUTHOR,
    )  # fmt: skip
    assert made.doc == {
        "type": "Feature",
        "id": "new",
        "collection": "parcels",
        "geometry": None,
        "properties": {},
    }
    assert patched.doc["properties"]["crop"] == "hops"
    assert patched.doc["bbox"] == [0, 0, 0, 0]
    events = [(e.event, e.kind, e.item) for e in store.events(made.seq - 1)]
    assert events == [("created", "Item", "new"), ("updated", "Item", "1")]
    assert "hops" in store.collection("parcels")["summaries"]["crop"]
    assert store.find_in("parcels", Search()).matched == len(frame) + 1


def test_a_collection_tells_of_its_features(stocked):
    store, frame = stocked
    told = store.collection("parcels")
    assert told["extent"]["spatial"]["bbox"][0] == pytest.approx(list(frame.total_bounds))
    assert told["extent"]["temporal"]["interval"] == [["2022-05-30T10:00:00Z", "2022-07-08T10:00:00Z"]]
    assert told["cube:dimensions"]["geometry"]["geometry_types"] == ["Polygon"]
    assert {c["name"]: c["type"] for c in told["table:columns"]} == {
        "crop": "string", "size": "number", "plants": "integer", "organic": "boolean", "seen": "string",
    }  # fmt: skip
    assert told["table:row_count"] == len(frame)
    assert told["summaries"]["crop"] == sorted(frame["crop"].dropna().unique())
    assert told["summaries"]["plants"] == {"minimum": frame["plants"].min(), "maximum": frame["plants"].max()}


def test_catalogues_of_before_are_taken_on(tmp_path, item):
    place = tmp_path / "old.db"
    before = Catalog(place)
    before.put({"id": "c", "type": "Collection"}, [item("a")])
    before.close()
    with sqlite3.connect(place) as raw:
        raw.execute("PRAGMA user_version = 2")
    after = Catalog(place)
    after.apply([PutCollection({"id": "f", "type": "Features"}), PutItem("f", square("x"))], AUTHOR)
    assert [c["id"] for c in after.collections()] == ["c", "f"]
    after.close()
