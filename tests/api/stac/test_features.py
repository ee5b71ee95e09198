"""Collections as features: what the suite for OGC API - Features asserts, and Parts 2, 3 and 4."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import httpx
import jsonschema
import pyproj
import pytest
import shapely
from openapi_spec_validator import validate

from api.stac.features import shown_in
from api.stac.queryables import queryables_of
from contracts import Contract
from engine import Problem, Reference
from stac_scenes import COLLECTION, fill, made

FACES = ["", "/stac", "/ogc"]
OGC = "http://www.opengis.net/spec/ogcapi-"
CRS = "http://www.opengis.net/def/crs/"
CRS84, LATLON, WEB = f"{CRS}OGC/1.3/CRS84", f"{CRS}EPSG/0/4326", f"{CRS}EPSG/0/3857"
COUNT = 12
ITEMS = "/collections/sat/items"
QUERYABLES_REL = "http://www.opengis.net/def/rel/ogc/1.0/queryables"


@pytest.fixture(scope="module", autouse=True)
def stocked(writer):
    """Twelve items, a day and a degree apart."""
    fill(writer, COUNT)


@pytest.fixture(scope="module")
def standard(specifications) -> Contract:
    """The schemas of Part 1."""
    if specifications is None:
        pytest.skip("the standards' files are not here; set GDC_TEST_CONTRACTS")
    return Contract(specifications / "ogcapi-features-1-oas30.yaml")


def checked(standard: Contract, name: str, body: dict) -> None:
    schema = standard.document["components"]["schemas"][name]
    found = [error.message for error in standard._validator(json.dumps(schema)).iter_errors(body)]
    assert not found, found


def linked(doc: dict, rel: str) -> list[dict]:
    return [link for link in doc["links"] if link["rel"] == rel]


def ids(client: httpx.Client, **query: object) -> list[str]:
    answer = client.get(f"/ogc{ITEMS}", params={"limit": 100, **query})
    assert answer.status_code == 200, answer.text
    return [feature["id"] for feature in answer.json()["features"]]


@pytest.mark.parametrize("face", FACES)
def test_the_landing_page_leads_on(reader, standard, face):
    doc = reader.get(f"{face}/").json()
    checked(standard, "landingPage", doc)
    (api,) = linked(doc, "service-desc")
    assert api["type"] == "application/vnd.oai.openapi+json;version=3.0"
    answer = reader.get(api["href"])
    assert answer.headers["content-type"] == api["type"]
    validate(answer.json())
    for rel in ("service-doc", "conformance", "data"):
        assert reader.get(linked(doc, rel)[0]["href"]).status_code == 200


@pytest.mark.parametrize("face", FACES)
def test_what_is_there_is_declared(reader, standard, face):
    doc = reader.get(f"{face}/conformance").json()
    checked(standard, "confClasses", doc)
    parts = (
        "features-1/1.0/conf/core", "features-1/1.0/conf/geojson", "features-1/1.0/conf/html", "features-1/1.0/conf/oas30",
        "features-2/1.0/conf/crs", "features-3/1.0/conf/filter", "features-3/1.0/conf/features-filter",
        "features-3/1.0/conf/queryables", "features-3/1.0/conf/queryables-query-parameters",
    )  # fmt: skip
    assert {OGC + part for part in parts} <= set(doc["conformsTo"])
    changes = {f"{OGC}features-4/1.0/conf/{name}" for name in ("create-replace-delete", "update")}
    assert (changes <= set(doc["conformsTo"])) == (face == "/ogc")


def test_openeo_alone_has_no_features(reader):
    told = reader.get("/openeo/1.2/conformance").json()["conformsTo"]
    assert not any("ogcapi-features" in uri for uri in told)


@pytest.mark.parametrize("face", FACES)
def test_collections_tell_their_features(hub, reader, standard, face):
    doc = reader.get(f"{face}/collections").json()
    checked(standard, "collections", doc)
    (self_,), (page,) = linked(doc, "self"), linked(doc, "alternate")
    assert (self_["href"], self_["type"]) == (f"{hub.url}{face}/collections", "application/json")
    assert page["type"] == "text/html"
    assert reader.get(page["href"]).headers["content-type"].startswith("text/html")
    (told,) = doc["collections"]
    checked(standard, "collection", told)
    assert {link["type"] for link in linked(told, "items")} == {"application/geo+json", "text/html"}
    for link in linked(told, "items"):
        assert reader.get(link["href"]).headers["content-type"].partition(";")[0] == link["type"]
    assert told["crs"] == [CRS84, LATLON, WEB]
    assert told["storageCrs"] in told["crs"]
    assert reader.get(f"{face}/collections/sat").json() == told
    (queryables,) = linked(told, QUERYABLES_REL)
    assert reader.get(queryables["href"]).json()["$id"] == queryables["href"]


@pytest.mark.parametrize("face", FACES)
def test_features_in_pages(hub, reader, standard, face):
    place, seen = f"{hub.url}{face}{ITEMS}?limit=5", []
    while place:
        before = datetime.now(UTC)
        answer = reader.get(place)
        doc = answer.json()
        checked(standard, "featureCollectionGeoJSON", doc)
        assert answer.headers["content-type"] == "application/geo+json"
        assert [link["href"] for link in linked(doc, "self")] == [place]
        (page,) = linked(doc, "alternate")
        assert page["type"] == "text/html"
        assert all(link["rel"] and link["type"] for link in doc["links"])
        assert abs(datetime.fromisoformat(doc["timeStamp"]) - before) < timedelta(minutes=5)
        assert doc["numberReturned"] == len(doc["features"]) <= 5
        assert doc["numberMatched"] == COUNT
        for feature in doc["features"]:
            assert shapely.box(-180, -90, 180, 90).covers(shapely.geometry.shape(feature["geometry"]))
        seen += [feature["id"] for feature in doc["features"]]
        place = (linked(doc, "next") or [{"href": ""}])[0]["href"]
    assert seen == [f"i{n:02}" for n in reversed(range(COUNT))]


@pytest.mark.parametrize("face", FACES)
def test_a_feature(hub, reader, standard, face):
    answer = reader.get(f"{face}{ITEMS}/i03")
    doc = answer.json()
    checked(standard, "featureGeoJSON", doc)
    assert answer.headers["content-type"] == "application/geo+json"
    (self_,), (page,), (home,) = (linked(doc, rel) for rel in ("self", "alternate", "collection"))
    assert (self_["href"], self_["type"]) == (f"{hub.url}{face}{ITEMS}/i03", "application/geo+json")
    assert reader.get(page["href"]).headers["content-type"].startswith(page["type"])
    assert reader.get(home["href"]).json()["id"] == "sat"
    assert reader.get(f"{face}{ITEMS}/none").status_code == 404


@pytest.mark.parametrize("face", FACES)
def test_parameters_are_defined_as_the_standard_has_them(reader, face):
    operation = reader.get("/openapi").json()["paths"][f"{face}/collections/{{collection_id}}/items"]["get"]
    told = {p["name"]: p for p in operation["parameters"]}
    for name in ("bbox", "limit", "datetime"):
        assert (told[name]["in"], told[name]["required"], told[name]["style"], told[name]["explode"]) == (
            "query", False, "form", False,
        )  # fmt: skip
    assert told["bbox"]["schema"] == {
        "type": "array",
        "items": {"type": "number"},
        "minItems": 4,
        "maxItems": 6,
    }
    assert told["limit"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 10_000, "default": 10}
    assert told["datetime"]["schema"] == {"type": "string"}


def test_what_is_asked_for_by_place_and_time(reader):
    assert ids(reader, bbox="12,50,13.2,51") == ["i03", "i02"]
    assert ids(reader, bbox="12,50,0,13.2,51,9") == ["i03", "i02"]
    assert ids(reader, datetime="2024-02-03T10:00:00Z") == ["i02"]
    assert ids(reader, datetime="2024-02-03T10:00:00Z/..", bbox="10,50,13.2,51") == ["i03", "i02"]
    assert len(ids(reader, limit=3)) == 3
    assert len(ids(reader, limit=10_001)) == COUNT


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ({"limit": "unlimited"}, "limit"), ({"limit": "0"}, "limit"), ({"ooga": "booga"}, "ooga"),
        ({"bbox": "1,2,3"}, "bbox"), ({"bbox": "a,b,c,d"}, "bbox"), ({"datetime": "yesterday"}, "datetime"),
        ({"crs": f"{CRS}EPSG/0/32631"}, "crs"), ({"crs": "nix"}, "crs"), ({"crs": f"{CRS}EPSG/0/999999"}, "crs"),
        ({"bbox-crs": "nix", "bbox": "1,2,3,4"}, "bbox-crs"), ({"bbox-crs": LATLON, "bbox": "1,2,3"}, "bbox"),
        ({"bbox-crs": LATLON, "bbox": "51,10,50,11"}, "bbox"), ({"bbox-crs": LATLON, "bbox": "1,2,3,4,5,6"}, "bbox"),
        ({"bbox-crs": WEB, "bbox": "0,0,1,inf"}, "bbox"), ({"f": "xml"}, "f"), ({"filter": "a=", "f": "json"}, "filter"),
        ({"filter": "a=1", "filter-crs": "nix"}, "filter-crs"), ({"filter": "a=1", "filter-lang": "ecql"}, "filter-lang"),
        ({"eo:cloud_cover": "much"}, "eo:cloud_cover"), ({"geometry": "POINT(1 2)"}, "geometry"),
        ([("crs", LATLON), ("crs", CRS84)], "crs"), ([("platform", "one"), ("platform", "two")], "platform"),
        ({"bbox-crs": LATLON, "bbox": "50,10,51,11", "intersects": '{"type":"Point","coordinates":[1,2]}'}, "intersects"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("face", ["", "/ogc"])
def test_what_cannot_be_read_is_refused_by_its_name(reader, face, query, name):
    answer = reader.get(face + ITEMS, params=query)
    assert (answer.status_code, answer.json()["code"]) == (400, "ParameterInvalid")
    assert answer.json()["message"].startswith(f"{name}: ")


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize(("crs", "code", "turned"), [(LATLON, "EPSG:4326", True), (WEB, "EPSG:3857", False)])
def test_features_in_other_reference_systems(reader, face, crs, code, turned):
    to = pyproj.Transformer.from_crs("OGC:CRS84", code, always_xy=True)
    plain = reader.get(face + ITEMS, params={"limit": 2})
    assert plain.headers["content-crs"] == f"<{CRS84}>"
    asked = reader.get(face + ITEMS, params={"limit": 2, "crs": crs})
    assert asked.headers["content-crs"] == f"<{crs}>"
    for feature, told in zip(plain.json()["features"], asked.json()["features"], strict=True):
        places = [to.transform(*place) for place in feature["geometry"]["coordinates"][0]]
        expected = [[y, x] if turned else [x, y] for x, y in places]
        assert told["geometry"]["coordinates"][0] == [pytest.approx(place, rel=1e-12) for place in expected]
        assert told["bbox"] == pytest.approx(shapely.Polygon(expected).bounds)
        assert told["properties"] == feature["properties"]
    one = reader.get(f"{face}{ITEMS}/i11", params={"crs": crs})
    assert one.headers["content-crs"] == f"<{crs}>"
    assert one.json()["geometry"] == asked.json()["features"][0]["geometry"]
    assert reader.get(f"{face}{ITEMS}/i11", params={"crs": "nix"}).status_code == 400
    following = linked(asked.json(), "next")[0]["href"]
    assert reader.get(following).headers["content-crs"] == f"<{crs}>"


def test_boxes_in_other_reference_systems_find_the_same(reader):
    expected = ids(reader, bbox="12,50,13.2,51")
    to = pyproj.Transformer.from_crs("OGC:CRS84", "EPSG:3857")
    web = ",".join(str(v) for corner in ((12, 50), (13.2, 51)) for v in to.transform(*corner))
    assert ids(reader, bbox="50,12,51,13.2", **{"bbox-crs": LATLON}) == expected
    assert ids(reader, bbox=web, **{"bbox-crs": WEB}) == expected
    assert ids(reader, bbox="50,13,51,-170", **{"bbox-crs": LATLON}) == ids(reader, bbox="13,50,-170,51")
    assert ids(reader, bbox="12,50,13.2,51", **{"bbox-crs": CRS84}) == expected
    assert ids(reader, bbox="50,12,51,13.2", **{"bbox-crs": LATLON, "platform": "one"}) == ["i03"]


@pytest.mark.parametrize("filter_", [
    "S_INTERSECTS(geometry, POLYGON((50 12, 50 13.2, 51 13.2, 51 12, 50 12)))",
    "S_INTERSECTS(geometry, BBOX(50, 12, 51, 13.2))",
    '{"op":"s_intersects","args":[{"property":"geometry"},{"bbox":[50,12,51,13.2]}]}',
    '{"op":"and","args":[true,{"op":"s_intersects","args":[{"property":"geometry"},{"type":"MultiPoint","coordinates":[[50.5,12.1],[50.5,13.1]]}]}]}',
])  # fmt: skip
def test_filters_in_another_reference_system(reader, filter_):
    lang = "cql2-json" if filter_.startswith("{") else "cql2-text"
    assert ids(reader, filter=filter_, **{"filter-lang": lang, "filter-crs": LATLON}) == ["i03", "i02"]
    assert ids(reader, filter=filter_, **{"filter-lang": lang}) == []


def test_queryables_are_parameters(reader):
    schema = reader.get("/ogc/collections/sat/queryables").json()
    jsonschema.Draft202012Validator.check_schema(schema)
    names = schema["properties"]
    assert {"platform", "eo:cloud_cover"} <= names.keys()
    assert all("type" in one or one["format"].startswith("geometry-") for one in names.values())
    assert ids(reader, platform="one") == ids(reader, filter="platform = 'one'")
    assert ids(reader, **{"eo:cloud_cover": "10"}) == ["i02"]
    assert ids(reader, **{"eo:cloud_cover": "10.0", "platform": "one"}) == []
    assert ids(reader, id="i05") == ["i05"]


def test_a_property_of_two_types_has_both():
    one, other = ({"id": "a", "summaries": {"x": values}} for values in (["a"], [1]))
    assert queryables_of([one, other], (), "", "")["properties"]["x"] == {"type": ["string", "number"]}
    assert queryables_of([one, other, other], (), "", "")["properties"]["x"] == {"type": ["string", "number"]}


def test_what_a_system_does_not_have_is_refused():
    utm = Reference("EPSG:32632")
    assert shown_in(made("near", box=(9, 50, 10, 51)), utm)["bbox"][0] == pytest.approx(500_000)
    with pytest.raises(Problem, match="'far' is not shown in"):
        shown_in(made("far", box=(99, 0, 100, 1)), utm)


def test_a_code_that_there_is_not_is_no_fault_of_the_server(writer):
    axes = {
        axis: {"type": "spatial", "axis": axis, "reference_system": 999999, "extent": [0, 1]} for axis in "xy"
    }
    writer.post("/collections", json={**COLLECTION, "id": "odd", "cube:dimensions": axes}).raise_for_status()
    try:
        assert writer.get("/ogc/collections/odd").json()["crs"] == [CRS84, LATLON, WEB]
    finally:
        writer.delete("/collections/odd").raise_for_status()


def test_a_filterable_resource_leads_to_its_queryables(hub, reader):
    for path in (ITEMS, f"{ITEMS}/i03"):
        link = httpx.head(f"{hub.url}/ogc{path}").headers["link"]
        place, rel, kind = (part.strip() for part in link.split(";"))
        assert rel == f'rel="{QUERYABLES_REL}"'
        answer = reader.get(place.strip("<>"))
        assert f'type="{answer.headers["content-type"]}"' == kind
        assert answer.json()["$id"] == place.strip("<>")


class TestPart4:
    """The abstract tests of Create/Replace/Delete and of Update, at the face of OGC."""

    place = f"/ogc{ITEMS}"

    def stored(self, reader, name):
        answer = reader.get(f"{self.place}/{name}")
        return answer.json() if answer.status_code == 200 else answer.status_code

    def test_options_tell_methods_and_media_types(self, reader):
        many, one = reader.options(self.place), reader.options(f"{self.place}/i03")
        assert (many.status_code, one.status_code) == (200, 200)
        assert {"GET", "HEAD", "POST", "OPTIONS"} <= set(many.headers["allow"].split(", "))
        assert {"PUT", "PATCH", "DELETE"} <= set(one.headers["allow"].split(", "))
        assert "application/geo+json" in many.headers["accept-post"]
        assert "application/merge-patch+json" in one.headers["accept-patch"]
        assert "accept-post" not in one.headers
        assert reader.options(ITEMS).status_code == 204

    def test_what_has_no_id_gets_one(self, writer, reader):
        seen = {
            writer.post(self.place, json={k: v for k, v in made("x").items() if k != "id"}).headers[
                "location"
            ]
            for _ in "ab"
        }
        assert len(seen) == 2
        for place in seen:
            doc = reader.get(place).json()
            assert place.rpartition("/")[2] == doc["id"]
            assert doc["geometry"] == made("x")["geometry"]
            assert writer.delete(place).status_code == 204

    def test_made_replaced_changed_and_removed(self, writer, reader):
        answer = writer.post(self.place, json=made("new"), headers={"Content-Type": "application/geo+json"})
        assert (answer.status_code, answer.headers["location"].endswith(f"{self.place}/new")) == (201, True)
        assert writer.put(f"{self.place}/new", json=made("new", platform="three")).status_code == 200
        before = self.stored(reader, "new")
        patch = {"Content-Type": "application/merge-patch+json"}
        assert (
            writer.patch(f"{self.place}/new", json={"properties": {"gsd": 3}}, headers=patch).status_code
            == 200
        )
        after = self.stored(reader, "new")
        assert after["properties"].pop("gsd") == 3
        assert after == before
        assert after["properties"]["platform"] == "three"
        assert writer.delete(f"{self.place}/new").status_code == 204
        assert self.stored(reader, "new") == 404

    @pytest.mark.parametrize(("method", "name"), [("POST", ""), ("PUT", "/i03"), ("PATCH", "/i03")])
    def test_a_body_without_a_media_type_is_refused(self, writer, method, name):
        answer = writer.request(method, self.place + name, content=json.dumps(made("i03")))
        assert "content-type" not in answer.request.headers
        assert answer.status_code == 400

    def test_an_id_stays(self, writer, reader):
        before = self.stored(reader, "i03")
        assert writer.put(f"{self.place}/i03", json=made("other")).status_code == 400
        assert self.stored(reader, "i03") == before
        assert writer.patch(f"{self.place}/i03", json={"id": "other"}).status_code in (200, 400)
        assert self.stored(reader, "i03")["geometry"] == before["geometry"]
        assert self.stored(reader, "other") == 404

    def test_what_is_not_there_is_not_replaced(self, writer, reader):
        for headers in ({}, {"If-Match": '"xyz"'}):
            assert writer.put(f"{self.place}/other", json=made("other"), headers=headers).status_code == 404
        assert self.stored(reader, "other") == 404

    def test_nobody_writes_who_may_not(self, reader):
        assert reader.post(self.place, json=made("new")).status_code == 401
