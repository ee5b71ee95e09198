"""Situations that drafts and servers settle in different ways, one by one, and what is done here.

By HEAD, which is answered from the plan: what is understood, how much of it there is, and where it lies.
"""

from __future__ import annotations

from typing import Any

import pytest
import rasterio

S2, WHOLE, SMALL = "S2", "whole", "small"
FIRST = "2022-04-03T10:16:21Z"
BOX = "675000,5154000,677000,5156000"
"""All of S2 (EPSG:32632); the collection `whole` is the earth in cells of 10 degrees, latitude first."""
Row = tuple[str, str, dict[str, str], int, str | None]
"""What it is about, collection, parameters, status, and the box of the answer or the parameter that is refused."""

SUBSET: list[Row] = [
    ("axis unknown", S2, {"subset": "nix(1:2)"}, 400, "subset"),
    ("syntax", S2, {"subset": "E(1"}, 400, "subset"),
    ("type", S2, {"subset": "E(one:two)"}, 400, "subset"),
    ("entirely outside", S2, {"subset": "E(0:100)"}, 204, None),
    ("partly outside", S2, {"subset": "E(0:675100)"}, 200, "675000,5154000,675100,5156000"),
    ("low beyond high where nothing wraps", S2, {"subset": "E(676000:675000)"}, 400, "subset"),
    ("low beyond high of latitudes", WHOLE, {"subset": "Lat(10:-10)"}, 400, "subset"),
    ("low beyond high of longitudes", WHOLE, {"subset": "Lon(170:-170)"}, 200, "-90,170,90,190"),
    ("slice in a cell", WHOLE, {"subset": "Lon(3),Lat(3)"}, 200, "0,0,10,10"),
    ("slice between times", S2, {"subset": 'time("2022-06-02T14:00:00Z")', "f": "netcdf"}, 200, BOX),
    ("slice far from any time", S2, {"subset": 'time("2022-06-09")'}, 204, None),
    ("slice beside the cells", S2, {"subset": "E(1)"}, 204, None),
    ("twice the same axis", S2, {"subset": "E(675000:675100),x(675200:675300)"}, 400, "subset"),
    ("subset and bbox", S2, {"subset": "E(675000:675100)", "bbox": "11,46,12,47"}, 400, "bbox"),
    ("subset and datetime", S2, {"subset": "time(*)", "datetime": FIRST}, 400, "datetime"),
    ("subset and bbox on other axes", S2, {"subset": "time(*)", "bbox": "11,46,12,47"}, 200, BOX),
    ("slice and scale", S2, {"subset": "E(675000)", "scale-factor": "2"}, 400, "scale-factor"),
    ("slice and scale of another axis", S2, {"subset": "time(*)", "scale-factor": "2"}, 200, BOX),
    ("touching an edge is not meeting", WHOLE, {"subset": "Lon(10:20),Lat(10:20)"}, 200, "10,10,20,20"),
    ("what clients of GDAL send", S2, {"subset": "E(675000:676279.99999999999),N(5154720:5156000)"}, 200, "675000,5154720,676280,5156000"),
    ("times without quotes", S2, {"subset": "time(2022-06-01T00:00:00Z:2022-06-03T00:00:00Z)"}, 200, BOX),
    ("open ends", S2, {"subset": "E(*:675100),N(*:*),time(*)"}, 200, "675000,5154000,675100,5156000"),
    *((f"name {x}", WHOLE, {"subset": f"{x}(0:10)"}, 200, "-90,0,90,10") for x in ("Lon", "Long", "Longitude", "X", "x", "E")),
    *((f"name {y}", WHOLE, {"subset": f"{y}(0:10)"}, 200, "0,-180,10,180") for y in ("Lat", "Latitude", "Y", "y", "N")),
    *((f"name {t}", S2, {"subset": f"{t}(*)"}, 200, BOX) for t in ("time", "t", "date", "datetime")),
]  # fmt: skip
PLACE_AND_TIME: list[Row] = [
    *((f"bbox of {n} numbers", WHOLE, {"bbox": ",".join(["1"] * n)}, 400, "bbox") for n in (1, 2, 3, 5, 7, 8)),
    ("bbox of 4", WHOLE, {"bbox": "0,10,20,30"}, 200, "10,0,30,20"),
    ("bbox of 6 on a plane", WHOLE, {"bbox": "0,10,-5,20,30,5"}, 200, "10,0,30,20"),
    ("bbox across the antimeridian", WHOLE, {"bbox": "170,-10,-170,10"}, 200, "-10,170,10,190"),
    ("bbox upside down", WHOLE, {"bbox": "0,30,20,10"}, 400, "bbox"),
    ("bbox in another order", WHOLE, {"bbox": "10,0,30,20", "bbox-crs": "EPSG:4326"}, 200, "10,0,30,20"),
    ("bbox of a point", WHOLE, {"bbox": "3,13,3,13"}, 200, "10,0,20,10"),
    ("bbox of a line", WHOLE, {"bbox": "3,13,23,13"}, 200, "10,0,20,30"),
    *((f"datetime {text}", S2, {"datetime": text, "f": "netcdf"}, 200, BOX) for text in (
        FIRST, "2022-06-02", "2022-06-01/2022-07-01", "../2022-07-01", "2022-07-01/..", "/2022-07-01", "2022-07-01/", "../..")),
    *((f"datetime {text}", S2, {"datetime": text}, 400, "datetime") for text in ("2022-07-01/2022-06-01", "June", "2022-06-31")),
    ("no moment in an interval", S2, {"datetime": "2021-01-01/2021-02-01"}, 204, None),
    ("bbox-crs without bbox", S2, {"bbox-crs": "EPSG:4326"}, 200, BOX),
]  # fmt: skip
FIELDS: list[Row] = [
    *((f"properties={text}", S2, {"properties": text}, 200, BOX) for text in ("B04", "0", "*", "B04,*", "*,B04", "B04,B04")),
    *((f"properties={text}", S2, {"properties": text}, 400, "properties") for text in ("B99", "5", "B04,")),
]  # fmt: skip
SCALING: list[Row] = [
    ("factor", S2, {"scale-factor": "2"}, 200, BOX), ("factor below 1", S2, {"scale-factor": "0.5"}, 200, BOX),
    ("axes", S2, {"scale-axes": "E(2),N(4)"}, 200, BOX), ("size", S2, {"scale-size": "E(7),N(9)"}, 200, BOX),
    ("GDAL's name", S2, {"scaleSize": "E(7),N(9)"}, 200, BOX), ("two at once", S2, {"scale-factor": "2", "scale-size": "E(7)"}, 400, "scale-size"),
    ("axis unknown", S2, {"scale-axes": "nix(2)"}, 400, "scale-axes"), ("time is not resampled", S2, {"scale-axes": "time(2)"}, 400, "scale-axes"),
    *((f"factor {text}", S2, {"scale-factor": text}, 400, "scale-factor") for text in ("0", "-1", "NaN", "x")),
    ("size that is no integer", S2, {"scale-size": "E(1.5)"}, 400, "scale-size"),
]  # fmt: skip
CRS = "http://www.opengis.net/def/crs/"
SYSTEMS: list[Row] = [
    *((f"crs {name}", S2, {"crs": name, "properties": "B04"}, 200, "") for name in (
        f"{CRS}EPSG/0/3857", f"{CRS.replace('http:', 'https:')}EPSG/9.9/3857", "urn:ogc:def:crs:EPSG::3857", "[EPSG:3857]", "EPSG:3857", "3857",
        "OGC:CRS84", "CRS84", "[OGC:CRS84]", f"{CRS}OGC/1.3/CRS84")),
    *((f"{name} that is none", S2, {name: "EPSG:1", "bbox": "11,46,12,47", "subset": "time(*)"}, 400, name) for name in ("crs", "bbox-crs", "subset-crs")),
    ("Lat and Lon where data are in metres", S2, {"subset": "Lat(46.52:46.53),Lon(11.29:11.30)"}, 200, "675610,5154370,676420,5155510"),
]  # fmt: skip
FORMS: list[Row] = [
    ("png of one field", SMALL, {"f": "png", "properties": "warm"}, 200, "45,10,48,14"),
    ("png of two fields", SMALL, {"f": "png"}, 400, "f"), ("png of several times", S2, {"f": "png", "properties": "B04", "datetime": "../.."}, 400, "f"),
    ("geotiff of several times, unasked", S2, {"f": "geotiff"}, 200, BOX), ("geotiff of several times", S2, {"datetime": "../.."}, 200, BOX),
    ("netcdf", S2, {"f": "netcdf"}, 200, BOX), ("json", SMALL, {"f": "json"}, 200, "45,10,48,14"), ("json that is long", S2, {"f": "json"}, 413, None),
    ("covjson", SMALL, {"f": "covjson"}, 200, "45,10,48,14"), ("covjson that is long", S2, {"f": "covjson"}, 413, None),
    ("html", S2, {"f": "html"}, 200, BOX), ("multipart", SMALL, {"f": "multipart"}, 200, "45,10,48,14"), ("unknown", S2, {"f": "nix"}, 400, "f"),
    *((f"f={f}", SMALL, {"f": f}, 200, "45,10,48,14") for f in (
        "tif", "tiff", "gtiff", "image/tiff", "application/x-geotiff", "image/tiff; application=geotiff", "application/netcdf",
        "application/cis+json", "application/prs.coverage+json", "application/vnd.cov+json")),
]  # fmt: skip
ROWS = {
    "subset": SUBSET,
    "bbox and datetime": PLACE_AND_TIME,
    "properties": FIELDS,
    "scaling": SCALING,
    "crs": SYSTEMS,
    "forms": FORMS,
}


@pytest.fixture(scope="module")
def clients(published, anonymous):
    with published.client() as client:
        yield {S2: anonymous, WHOLE: client, SMALL: client}


@pytest.mark.parametrize(
    "row", [pytest.param(row, id=f"{table}: {row[0]}") for table, rows in ROWS.items() for row in rows]
)
def test_each_situation(clients, row: Row):
    _, collection, asked, status, told = row
    place = f"/collections/{collection}/coverage"
    answer = clients[collection].head(place, params=asked)
    assert answer.status_code == status
    if status == 200:
        assert answer.headers["content-crs"]
        assert answer.headers["content-bbox"] == told or told == ""
    elif status == 400:
        body: dict[str, Any] = clients[collection].get(place, params=asked).json()
        assert body["facts"]["parameter"] == told
        assert body["hint"]


@pytest.mark.parametrize(
    ("accept", "status"),
    [("image/tiff", 200), ("*/*", 200), ("application/json;q=0.1, image/tiff", 200), ("application/x-nix", 406), ("image/tiff;application=nix", 406)],
)  # fmt: skip
def test_what_is_accepted(clients, accept, status):
    answer = clients[SMALL].head(f"/collections/{SMALL}/coverage", headers={"Accept": accept})
    assert answer.status_code == status
    assert status != 200 or answer.headers["vary"].startswith("Accept")


def test_a_collection_that_is_not_there(clients):
    assert clients[S2].head("/collections/nix/coverage").status_code == 404


def test_scenes_on_several_grids_are_looked_through_as_a_whole(published, monkeypatch):
    """The second day alone would be on a coarser grid than all days together. It is tried once, and not again."""
    runs: list[object] = []
    compute = published.backend.compute
    monkeypatch.setattr(
        published.backend, "compute", lambda *a, **more: runs.append(a) or compute(*a, **more)
    )
    with published.client() as client:
        for tries in (2, 3):
            answer = client.get("/collections/grids/coverage", params={"datetime": "2022-06-02"})
            assert len(runs) == tries
            with rasterio.MemoryFile(answer.content).open() as file:
                assert (file.shape, file.res) == ((40, 40), (10.0, 10.0))
                assert (file.read(1) == 2).all()


def test_holes_are_cells_without_a_value_and_no_empty_answers(clients):
    """GDAL fills a block that is answered with 204 with zeros: only what is wholly outside of the domain is."""
    asked = {"subset": "E(675000:675010),N(5154000:5154010)", "properties": "B04"}
    assert clients[S2].get(f"/collections/{S2}/coverage", params=asked).status_code == 200
