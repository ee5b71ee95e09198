"""Requests for coverages over HTTP: what is understood, what is refused and how, what answers tell of themselves."""

from __future__ import annotations

import io

import anyio
import numpy as np
import pytest
import rasterio
import xarray as xr

S2 = "/collections/S2"
WEST, SOUTH, EAST, NORTH = 675000, 5154000, 677000, 5156000
"""The scenes, in EPSG:32632."""
FIRST, LAST = "2022-04-03T10:16:21Z", "2022-10-20T10:16:22Z"
REL = "http://www.opengis.net/def/rel/ogc/1.0/"
CRS = "http://www.opengis.net/def/crs/"


def domain(client, **asked: str) -> dict[str, tuple]:
    """Each axis of a domain set with its ends, or its labels."""
    answer = client.get(f"{S2}/coverage/domainset", params=asked)
    assert answer.status_code == 200, answer.text
    axes = answer.json()["generalGrid"]["axis"]
    return {
        a["axisLabel"]: tuple(a.get("coordinate") or (float(a["lowerBound"]), float(a["upperBound"])))
        for a in axes
    }


def opened(answer):
    assert answer.status_code == 200, answer.text
    return rasterio.open(io.BytesIO(answer.content))


def cube(answer, folder) -> xr.Dataset:
    assert answer.status_code == 200, answer.text
    (folder / "a.nc").write_bytes(answer.content)
    with xr.open_dataset(folder / "a.nc", mask_and_scale=False) as found:
        return found.load()


# ------------------------------------------------------------------------------------------ what is there
@pytest.mark.parametrize("facet", ["", "/ogc"])
def test_a_collection_leads_to_its_coverage(anonymous, facet):
    links = anonymous.get(f"{facet}{S2}").json()["links"]
    types = {link["type"] for link in links if link["rel"] == f"{REL}coverage"}
    assert {"image/tiff; application=geotiff", "application/x-netcdf"} <= types
    for part in ("coverage-domainset", "coverage-rangetype", "schema"):
        (link,) = [link for link in links if link["rel"] == REL + part]
        assert anonymous.get(link["href"]).status_code == 200
    conforming = anonymous.get(f"{facet}/conformance").json()["conformsTo"]
    for name in (
        "core",
        "subsetting",
        "fieldselection",
        "scaling",
        "crs",
        "geodata-coverage",
        "coverage-subset",
    ):
        assert f"http://www.opengis.net/spec/ogcapi-coverages-1/1.0/conf/{name}" in conforming


def test_a_collection_tells_its_reference_systems(anonymous):
    told = anonymous.get(S2).json()
    assert told["storageCrs"] == f"{CRS}EPSG/0/32632"
    assert told["storageCrsBbox"] == [WEST, SOUTH, EAST, NORTH]
    assert told["crs"] == [
        f"{CRS}OGC/1.3/CRS84", told["storageCrs"], f"{CRS}EPSG/0/4326", f"{CRS}EPSG/0/3857",
    ]  # fmt: skip
    assert len(told["extent"]["spatial"]["bbox"]) == 1


def test_what_is_of_an_owner_is_there_for_the_owner_alone(anonymous, ada, bob):
    ada.post("/catalog/collections", json={"id": "hidden", "description": "hush"}).raise_for_status()
    for part in ("coverage", "coverage/domainset", "coverage/rangetype", "schema"):
        for client in (anonymous, bob):
            answer = client.get(f"/collections/ada:hidden/{part}")
            assert (answer.status_code, answer.json()["code"]) == (404, "CollectionNotFound")
        answer = ada.get(f"/collections/ada:hidden/{part}")
        assert (answer.status_code, answer.json()["code"]) == (404, "NotFound")
        assert "no coverage" in answer.json()["message"]
    ada.delete("/catalog/collections/ada:hidden")


@pytest.mark.parametrize("client", ["anonymous", "ada"])
def test_with_a_login_and_without_it_is_the_same(client, request, tmp_path):
    asked = {"f": "netcdf", "subset": "E(675000:675050),N(5155000:5155050)", "properties": "B04"}
    found = cube(request.getfixturevalue(client).get(f"{S2}/coverage", params=asked), tmp_path)
    assert found.B04.shape == (12, 5, 5)


@pytest.mark.parametrize("facet", ["/stac", "/openeo/1.2"])
def test_other_faces_have_no_coverages(anonymous, facet):
    assert anonymous.get(f"{facet}{S2}/coverage").status_code == 404
    assert not any("coverage" in link["rel"] for link in anonymous.get(f"{facet}{S2}").json()["links"])
    assert not any("coverages" in uri for uri in anonymous.get(f"{facet}/conformance").json()["conformsTo"])


def test_the_domain_set(anonymous):
    answer = anonymous.get(f"{S2}/coverage/domainset")
    grid = answer.json()["generalGrid"]
    assert grid["axisLabels"] == ["E", "N", "time"]
    assert grid["srsName"] == f"{CRS}EPSG/0/32632"
    assert grid["axis"][0] == {
        "type": "RegularAxis", "axisLabel": "E", "uomLabel": "metre", "lowerBound": "675000.0",
        "upperBound": "677000.0", "resolution": 10.0,
    }  # fmt: skip
    assert (grid["axis"][2]["type"], len(grid["axis"][2]["coordinate"])) == ("IrregularAxis", 12)
    assert [axis["upperBound"] for axis in grid["gridLimits"]["axis"]] == [199, 199, 11]
    assert answer.headers["content-bbox"] == f"{WEST},{SOUTH},{EAST},{NORTH}"


def test_the_range_type_and_the_schema(anonymous):
    fields = anonymous.get(f"{S2}/coverage/rangetype").json()["field"]
    assert [f["name"] for f in fields] == ["B02", "B03", "B04", "B08", "SCL"]
    assert fields[0]["definition"] == "ogcType:unsignedShort"
    assert [f["type"] for f in fields] == ["Quantity"] * 4 + ["Count"]
    answer = anonymous.get(f"{S2}/schema")
    assert answer.headers["content-type"] == "application/schema+json"
    assert [p["x-ogc-propertySeq"] for p in answer.json()["properties"].values()] == [1, 2, 3, 4, 5]


# ----------------------------------------------------------------------------------------- where: no pixels
@pytest.mark.parametrize(
    ("asked", "east", "north"),
    [
        ({"subset": "E(675000:675100)"}, (WEST, 675100), (SOUTH, NORTH)),
        ({"subset": "x(675005:675095),y(5155000:*)"}, (WEST, 675100), (5155000, NORTH)),
        ({"subset": "X(*:675100),Y(*:*)"}, (WEST, 675100), (SOUTH, NORTH)),
        ({"subset": "easting(675000:675099.99999999999),n(5155000:5155000)"}, (WEST, 675100), (5155000, 5155010)),
        ({"subset": "E(0:675001)"}, (WEST, 675010), (SOUTH, NORTH)),
        ({"subset": "Lon(11.29:11.30),Lat(46.52:46.53)"}, (675610, 676420), (5154370, 5155510)),
        ({"subset": "Longitude(11.29:11.30),Latitude(46.52:46.53)"}, (675610, 676420), (5154370, 5155510)),
        ({"subset": "Lon(11.29:11.30),Lat(46.52:46.53)", "subset-crs": "CRS84"}, (675610, 676420), (5154370, 5155510)),
        ({"subset": "E(675100:675200)", "subset-crs": "[EPSG:32632]"}, (675100, 675200), (SOUTH, NORTH)),
        ({"bbox": "11.29,46.52,11.30,46.53"}, (675610, 676420), (5154370, 5155510)),
        ({"bbox": "11.29,46.52,0,11.30,46.53,900"}, (675610, 676420), (5154370, 5155510)),
        ({"bbox": "11.29,46.52,11.30,46.53", "crs": "EPSG:32632"}, (675610, 676420), (5154370, 5155510)),
        ({"bbox": "675100,5155100,675100,5155100", "bbox-crs": "32632"}, (675100, 675110), (5155100, 5155110)),
        ({"bbox": "11,46,12,47"}, (WEST, EAST), (SOUTH, NORTH)),
        ({"bbox-crs": "EPSG:3857"}, (WEST, EAST), (SOUTH, NORTH)),
    ],
)  # fmt: skip
def test_a_part_of_the_ground(anonymous, asked, east, north):
    found = domain(anonymous, **asked)
    assert (found["E"], found["N"]) == (east, north)


@pytest.mark.parametrize(
    "name",
    [
        f"{CRS}EPSG/0/4326", "https://www.opengis.net/def/crs/EPSG/9.9.1/4326", "urn:ogc:def:crs:EPSG::4326",
        "[EPSG:4326]", "EPSG:4326", "4326", "epsg:4326",
        f"http://www.opengis.net/def/crs-compound?1={CRS}EPSG/0/4326&2={CRS}OGC/0/AnsiDate",
    ],
)  # fmt: skip
def test_names_of_a_reference_system_whose_latitude_is_first(anonymous, name):
    found = domain(anonymous, **{"bbox": "46.52,11.29,46.53,11.30", "bbox-crs": name})
    assert (found["E"], found["N"]) == ((675610, 676420), (5154370, 5155510))


@pytest.mark.parametrize(
    "name",
    [f"{CRS}OGC/1.3/CRS84", "OGC:CRS84", "[OGC:CRS84]", "CRS84", "CRS:84", "urn:ogc:def:crs:OGC:1.3:CRS84"],
)
def test_names_of_a_reference_system_whose_longitude_is_first(anonymous, name):
    found = domain(anonymous, **{"bbox": "11.29,46.52,11.30,46.53", "bbox-crs": name})
    assert found["E"] == (675610, 676420)


@pytest.mark.parametrize(
    ("asked", "days"),
    [
        ({"datetime": FIRST}, []),
        ({"datetime": "2022-06-02"}, []),
        ({"datetime": "2022-06-02T12:00:00+02:00"}, []),
        ({"datetime": "2022-06-02T18:00:00Z"}, []),
        ({"datetime": "2022-06-02/2022-06-17"}, ["06-02", "06-17"]),
        ({"datetime": "../2022-04-23T10:16:18Z"}, ["04-03", "04-23"]),
        ({"datetime": "/2022-04-23T10:16:17Z"}, ["04-03"]),
        ({"datetime": "2022-09-25/.."}, ["09-25", "10-20"]),
        ({"datetime": "2022-09-25/"}, ["09-25", "10-20"]),
        ({"subset": 'time("2022-06-02":"2022-06-17")'}, ["06-02", "06-17"]),
        ({"subset": "time(2022-06-02T00:00:00Z:2022-06-17T23:00:00Z)"}, ["06-02", "06-17"]),
        ({"subset": "t(2022-09-25T00:00:00Z:*)"}, ["09-25", "10-20"]),
        ({"subset": 'date("*":"2022-04-05")'}, ["04-03"]),
        ({"subset": 'datetime("2022-06-02T10:16:19Z")'}, []),
        ({"subset": "time(*)"}, []),
    ],
)
def test_a_part_of_time_and_a_moment_that_drops_it(anonymous, asked, days):
    found = domain(anonymous, **asked)
    assert [label[5:10] for label in found.get("time", ())] == days


def test_all_of_time_in_one_word(anonymous):
    assert len(domain(anonymous, datetime="../..")["time"]) == 12


@pytest.mark.parametrize(
    "asked",
    [
        {"bbox": "0,0,1,1"}, {"bbox": "11,47,12,48"}, {"bbox": "11,100,12,110"}, {"subset": "E(677000:678000)"}, {"subset": "E(674000)"},
        {"datetime": "2021-01-01/2021-12-31"}, {"datetime": "2022-06-09"}, {"subset": 'time("2023-01-01":*)'},
        {"subset": 'time("2022-06-09T12:00:00Z")'}, {"bbox": "170,-10,-170,10"},
        {"bbox": "0,0,1,1", "crs": "EPSG:3857"},
    ],
)  # fmt: skip
@pytest.mark.parametrize("part", ["coverage", "coverage/domainset"])
def test_nothing_of_it_is_an_empty_answer(anonymous, part, asked):
    answer = anonymous.get(f"{S2}/{part}", params=asked)
    assert (answer.status_code, answer.content) == (204, b"")


REFUSED = [
    ("subset", {"subset": "nix(1:2)"}, "InvalidAxis"),
    ("subset", {"subset": "h(1:2)"}, "InvalidAxis"),
    *(("subset", {"subset": text}, "ParameterInvalid") for text in (
        "E", "E()", "E(1:2:3)", "E(1:2", "(1:2)", "E(a:b)", "E(nan)", "E(1:inf)", "E(677000:675000)", 'E("1)',
        "time(2022:2023)", 'time("2022-13-01")', 'time("2022-07-01":"2022-06-01")', "E(1:2),E(3:4)", "E(1:2),Lon(3:4)",
        "Lon(11.29)", "Lat(*:46.52),Lon(11:12)", "E(675000:675100),Lat(46:47)",
    )),
    *(("bbox", {"bbox": text}, "ParameterInvalid") for text in (
        "", "1", "1,2,3", "1,2,3,4,5", "a,b,c,d", "1,2,3,nan", "11,47,12,46", "11,46,12",
    )),
    ("bbox", {"bbox": "11,46,12,47", "subset": "E(675000:675100)"}, "ParameterInvalid"),
    ("bbox", {"bbox": "677000,5154000,675000,5156000", "bbox-crs": "32632"}, "ParameterInvalid"),
    ("datetime", {"datetime": FIRST, "subset": f'time("{FIRST}")'}, "ParameterInvalid"),
    *(("datetime", {"datetime": text}, "ParameterInvalid") for text in (
        "", "..", "2022", "2022-02-30", "yesterday", "2022-07-01/2022-06-01", "2022-06-01/2022-06-02/2022-06-03",
        "2022-06-01T25:00:00Z", "9999-99-99",
    )),
    *((name, {name: "nix", "bbox": "11,46,12,47"}, "ParameterInvalid") for name in ("crs", "bbox-crs", "subset-crs")),
    *(("crs", {"crs": text}, "ParameterInvalid") for text in ("EPSG:999999", "EPSG:5773", "", "[", "EPSG:4979")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "asked", "code"), REFUSED)
def test_what_has_no_sense_is_refused_by_name(anonymous, name, asked, code):
    answer = anonymous.get(f"{S2}/coverage", params=asked)
    body = answer.json()
    assert (answer.status_code, body["code"], body["facts"]["parameter"]) == (400, code, name), body
    assert body["hint"]
    assert anonymous.get(f"{S2}/coverage/domainset", params=asked).status_code == 400


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        *(("properties", {"properties": text}) for text in ("nix", "B04,", "5", "-1", "B04,nix", "")),
        *(("exclude-properties", {"exclude-properties": text}) for text in ("nix", "*", "", "0,1,2,3,4", "B04,5")),
        ("exclude-properties", {"properties": "B04", "exclude-properties": "B02"}),
        *(("scale-factor", {"scale-factor": text}) for text in ("0", "-1", "nan", "inf", "two", "1e-9")),
        *(("scale-axes", {"scale-axes": text}) for text in ("E(0)", "E", "time(2)", "E(2),x(3)", "E(1:2)", "E(2),E(3)")),
        *(("scale-size", {"scale-size": text}) for text in ("E(1.5)", "E(0)", "E(-3)", "E(a)", "E(99999999)")),
        *(("resolution", {"resolution": text}) for text in ("E(0)", "5", "time(P1D)")),
        ("width", {"width": "x"}), ("height", {"height": "0"}),
        ("scale-axes", {"scale-factor": "2", "scale-axes": "E(2)"}),
        ("scale-size", {"scale-axes": "E(2)", "scale-size": "E(2)"}),
        ("width", {"scale-size": "E(2)", "width": "3"}),
        ("scale-factor", {"scale-factor": "2", "subset": "E(675000)"}),
        ("scale-axes", {"scale-axes": "E(2)", "subset": "E(675000)"}),
        ("crs", {"crs": "4326", "subset": "E(675000)"}),
    ],
)  # fmt: skip
def test_what_has_no_sense_of_fields_and_cells(anonymous, name, asked):
    answer = anonymous.get(f"{S2}/coverage", params={"f": "netcdf", **asked})
    assert (answer.status_code, answer.json()["facts"]["parameter"]) == (400, name), answer.text


def test_axes_that_are_not_there_have_a_code_of_their_own(anonymous):
    for asked in ({"scale-axes": "nix(2)"}, {"scale-size": "nix(2)"}):
        assert anonymous.get(f"{S2}/coverage", params=asked).json()["code"] == "InvalidAxis"


def test_a_collection_that_is_not_there(anonymous):
    for part in ("coverage", "coverage/domainset", "coverage/rangetype", "schema"):
        answer = anonymous.get(f"/collections/nix/{part}")
        assert (answer.status_code, answer.json()["code"]) == (404, "CollectionNotFound")


# ------------------------------------------------------------------------------------------ with pixels
def test_geotiff_is_usual_and_of_several_times_the_latest(anonymous):
    answer = anonymous.get(f"{S2}/coverage", params={"bbox": "11.29,46.52,11.30,46.53"})
    assert answer.headers["content-type"] == "image/tiff; application=geotiff"
    assert answer.headers["content-crs"] == f"{CRS}EPSG/0/32632"
    assert answer.headers["content-bbox"] == "675610,5154370,676420,5155510"
    assert answer.headers["vary"] == "Accept, Prefer"
    with opened(answer) as file:
        assert tuple(file.bounds) == (675610, 5154370, 676420, 5155510)
        assert (file.crs, file.nodata, file.dtypes[0]) == ("EPSG:32632", 0, "uint16")
        assert file.descriptions == ("B02", "B03", "B04", "B08", "SCL")
        assert file.tags()["TIME"] == LAST


@pytest.mark.parametrize(
    ("properties", "names"),
    [
        ("B04", ["B04"]), ("B08,B04", ["B08", "B04"]), ("2,0", ["B04", "B02"]), ("*", ["B02", "B03", "B04", "B08", "SCL"]),
        ("B08,*", ["B08", "B02", "B03", "B04", "SCL"]), ("*,B02", ["B03", "B04", "B08", "SCL", "B02"]),
        ("B04,B04,2", ["B04"]), ("urn:x-gdc:B03", ["B03"]),
    ],
)  # fmt: skip
def test_fields_by_name_index_and_star(anonymous, properties, names):
    asked = {"properties": properties, "subset": "E(675000:675050),N(5155000:5155050)"}
    with opened(anonymous.get(f"{S2}/coverage", params=asked)) as file:
        assert list(file.descriptions) == names


def test_several_times_are_no_picture(anonymous):
    asked = {"datetime": "2022-06-01/2022-07-01", "properties": "B04", "f": "png"}
    answer = anonymous.get(f"{S2}/coverage", params=asked)
    assert (answer.status_code, answer.json()["facts"]["parameter"]) == (400, "f")
    assert "netcdf" in answer.json()["hint"]


def test_several_times_are_bands_of_a_geotiff(anonymous, tmp_path):
    asked = {"datetime": "2022-06-01/2022-06-20", "properties": "B08,B04", "subset": "E(675000:675300)"}
    times = ["2022-06-02T10:16:19Z", "2022-06-17T10:16:26Z"]
    answer = anonymous.get(f"{S2}/coverage", params=asked)
    wanted = cube(anonymous.get(f"{S2}/coverage", params={**asked, "f": "netcdf"}), tmp_path)
    assert answer.headers["content-datetime"] == "/".join(times)
    with opened(answer) as file:
        assert list(file.descriptions) == [f"{name} {time}" for time in times for name in ("B08", "B04")]
        for number, (time, name) in enumerate([(t, n) for t in (0, 1) for n in ("B08", "B04")], 1):
            assert (file.tags(number)["TIME"], file.tags(number)["BAND"]) == (times[time], name)
            assert file.scales[number - 1] == 0.0001
            np.testing.assert_array_equal(file.read(number), wanted[name][time])


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({}, LAST), ({"datetime": FIRST, "f": "netcdf"}, FIRST), ({"f": "netcdf"}, f"{FIRST}/{LAST}"),
        ({"subset": 'time("2022-04-01":"2022-05-01")', "f": "netcdf"}, f"{FIRST}/2022-04-23T10:16:18Z"),
        ({"subset": "time(*)", "f": "netcdf"}, LAST),
    ],
)  # fmt: skip
def test_answers_tell_their_time(anonymous, asked, told):
    """Also by HEAD, and also where the axis of time is given up."""
    assert anonymous.head(f"{S2}/coverage", params=asked).headers["content-datetime"] == told


@pytest.mark.parametrize(
    ("excluded", "names"),
    [("SCL", ["B02", "B03", "B04", "B08"]), ("0,B04,urn:x-gdc:SCL", ["B03", "B08"]), ("B02,B02,B03,B04,B08", ["SCL"])],
)  # fmt: skip
def test_fields_that_are_left_out(anonymous, excluded, names):
    asked = {"exclude-properties": excluded, "subset": "E(675000:675050),N(5155000:5155050)"}
    with opened(anonymous.get(f"{S2}/coverage", params=asked)) as file:
        assert list(file.descriptions) == names


def test_a_moment_drops_time_and_an_interval_keeps_it(anonymous, tmp_path):
    asked = {"f": "netcdf", "properties": "B04", "subset": "E(675000:675050),N(5155000:5155050)"}
    moment = cube(anonymous.get(f"{S2}/coverage", params={**asked, "datetime": FIRST}), tmp_path)
    day = cube(anonymous.get(f"{S2}/coverage", params={**asked, "datetime": f"{FIRST}/{FIRST}"}), tmp_path)
    assert (moment.B04.dims, day.B04.dims) == (("y", "x"), ("t", "y", "x"))
    np.testing.assert_array_equal(moment.B04, day.B04[0])


def test_a_point_is_a_series(anonymous, tmp_path):
    whole = cube(anonymous.get(f"{S2}/coverage", params={"f": "netcdf", "properties": "B04"}), tmp_path)
    at = {"f": "netcdf", "properties": "B04", "subset": "E(675123),N(5155678)"}
    point = cube(anonymous.get(f"{S2}/coverage", params=at), tmp_path)
    assert point.B04.dims == ("t",)
    np.testing.assert_array_equal(point.B04, whole.B04.sel(x=675125, y=5155675))


@pytest.mark.parametrize(
    ("asked", "shape"),
    [
        ({"scale-factor": "2"}, (100, 100)), ({"scale-factor": "0.5"}, (400, 400)), ({"scale-factor": "1"}, (200, 200)),
        ({"scale-factor": "3"}, (67, 67)), ({"scale-axes": "E(2)"}, (200, 100)), ({"scale-axes": "Lon(2),Lat(4)"}, (50, 100)),
        ({"scale-size": "E(64),N(32)"}, (32, 64)), ({"scaleSize": "E(64),N(32)"}, (32, 64)), ({"width": "50"}, (200, 50)),
        ({"width": "50", "height": "20"}, (20, 50)), ({"resolution": "E(40),N(20)"}, (100, 50)),
    ],
)  # fmt: skip
def test_scaled(anonymous, asked, shape):
    with opened(anonymous.get(f"{S2}/coverage", params={"properties": "B04,SCL", **asked})) as file:
        assert file.shape == shape
        assert tuple(file.bounds) == (WEST, SOUTH, EAST, NORTH)
        classes = set(np.unique(file.read(2)).tolist())
    assert classes <= set(range(12))


@pytest.mark.parametrize(
    ("asked", "bounds", "shape"),
    [
        ({"subset": "E(675000:675010)", "scale-factor": "2"}, (WEST, SOUTH, 675010, NORTH), (100, 1)),
        ({"subset": "E(676990:677000)", "scale-factor": "2"}, (676990, SOUTH, EAST, NORTH), (100, 1)),
        ({"subset": "N(5155990:5156000)", "scale-axes": "E(4)"}, (WEST, 5155990, EAST, NORTH), (1, 50)),
        ({"subset": "N(5154000:5154010)", "scale-factor": "2"}, (WEST, SOUTH, EAST, 5154010), (1, 100)),
        ({"subset": "E(675100:675110),N(5155000:5155010)", "scale-size": "E(5),N(2)"}, (675100, 5155000, 675110, 5155010), (2, 5)),
        ({"subset": "E(676990:677000),N(5154000:5154010)", "scale-factor": "7"}, (676990, SOUTH, EAST, 5154010), (1, 1)),
    ],
)  # fmt: skip
def test_one_cell_is_scaled(anonymous, asked, bounds, shape):
    """Each cell of a line becomes coarser along it, and a single one as fine as is asked."""
    answer = anonymous.get(f"{S2}/coverage", params={"properties": "B04", "datetime": "2022-06-17", **asked})
    whole = anonymous.get(f"{S2}/coverage", params={"properties": "B04", "datetime": "2022-06-17"})
    with opened(answer) as file, opened(whole) as source:
        assert (file.shape, tuple(file.bounds)) == (shape, bounds)
        cells = source.read(1, window=source.window(*bounds))
        if shape[0] == 100:
            np.testing.assert_allclose(file.read(1), cells.reshape(100, 2, 1).mean(axis=1), atol=0.51)
        elif shape == (1, 1):
            np.testing.assert_array_equal(file.read(1), cells)


@pytest.mark.parametrize(("crs", "uri", "north_first"), [
    ("EPSG:4326", f"{CRS}EPSG/0/4326", True), ("OGC:CRS84", f"{CRS}OGC/1.3/CRS84", False),
    ("[EPSG:3857]", f"{CRS}EPSG/0/3857", False), ("3035", f"{CRS}EPSG/0/3035", True),
])  # fmt: skip
def test_in_another_reference_system(anonymous, crs, uri, north_first):
    asked = {"crs": crs, "bbox": "11.29,46.52,11.30,46.53", "properties": "B04"}
    answer = anonymous.get(f"{S2}/coverage", params=asked)
    assert answer.headers["content-crs"] == uri
    told = [float(v) for v in answer.headers["content-bbox"].split(",")]
    with opened(answer) as file:
        left, bottom, right, top = file.bounds
        assert told == pytest.approx(
            [bottom, left, top, right] if north_first else [left, bottom, right, top]
        )
        assert (file.read(1) > 0).mean() > 0.95
    labels = anonymous.get(f"{S2}/coverage/domainset", params=asked).json()["generalGrid"]["axisLabels"]
    geographic = crs in ("EPSG:4326", "OGC:CRS84")
    assert labels[:2] == (["Lat", "Lon"] if crs == "EPSG:4326" else ["Lon", "Lat"]) if geographic else True


def test_exactly_so_many_cells_in_another_reference_system(anonymous):
    asked = {
        "crs": "EPSG:4326",
        "bbox": "11.29,46.52,11.30,46.53",
        "scale-size": "Lon(50),Lat(40)",
        "properties": "B04",
    }
    with opened(anonymous.get(f"{S2}/coverage", params=asked)) as file:
        assert file.shape == (40, 50)
        assert tuple(file.bounds) == pytest.approx((11.29, 46.52, 11.30, 46.53), abs=0.01 / 40)


# ------------------------------------------------------------------------------------------ forms and headers
GEOTIFF, NETCDF = "image/tiff; application=geotiff", "application/x-netcdf"


@pytest.mark.parametrize(
    ("f", "accept", "given"),
    [
        (None, None, GEOTIFF), (None, "*/*", GEOTIFF), (None, "image/*", GEOTIFF), (None, "image/tiff", GEOTIFF),
        (None, 'image/tiff; application="geotiff"', GEOTIFF), (None, NETCDF, NETCDF),
        (None, "application/netcdf", "application/netcdf"), (None, f"image/tiff;q=0.5, {NETCDF}", NETCDF),
        (None, f"{NETCDF};q=0, */*", GEOTIFF), (None, f"*/*;q=0.1, {NETCDF}", NETCDF),
        *((f, NETCDF, GEOTIFF) for f in ("geotiff", "GTiff", "tif", "TIFF", "image/tiff", "image/tiff;application=geotiff", GEOTIFF)),
        ("application/x-geotiff", None, "application/x-geotiff"),
        *((f, "image/tiff", NETCDF) for f in ("netcdf", "netCDF", "nc", NETCDF)),
    ],
)  # fmt: skip
def test_forms(anonymous, f, accept, given):
    asked = {"subset": "E(675000:675020),N(5155000:5155020)", "datetime": FIRST} | ({"f": f} if f else {})
    answer = anonymous.get(f"{S2}/coverage", params=asked, headers={"Accept": accept} if accept else {})
    assert (answer.status_code, answer.headers["content-type"]) == (200, given), answer.text


@pytest.mark.parametrize(
    ("f", "accept", "status"),
    [("nix", None, 400), ("", None, 400), ("image/nix", None, 400), ("image/tiff;application=nix", None, 400),
     (None, "application/nix", 406), (None, "image/tiff; application=nix", 406), (None, "*/*;q=0", 406)],
)  # fmt: skip
def test_no_such_form(anonymous, f, accept, status):
    answer = anonymous.get(
        f"{S2}/coverage", params={} if f is None else {"f": f}, headers={"Accept": accept} if accept else {}
    )
    assert answer.status_code == status
    assert "geotiff" in answer.json()["hint"]


def test_strict_handling(anonymous):
    lenient = anonymous.get(f"{S2}/coverage/domainset", params={"bboxx": "1"})
    assert lenient.status_code == 200
    strict = {"Prefer": "respond-async, handling=strict"}
    answer = anonymous.get(f"{S2}/coverage/domainset", params={"bboxx": "1"}, headers=strict)
    assert (answer.status_code, answer.json()["facts"]["parameter"]) == (400, "bboxx")
    answer = anonymous.get(f"{S2}/coverage/domainset", params={"bbox": "11,46,12,47"}, headers=strict)
    assert answer.headers["preference-applied"] == "handling=strict"


def test_what_is_too_large_is_refused_before_it_is_computed(serve_with, monkeypatch):
    served = serve_with(max_coverage_bytes=100_000)
    with served.client() as client:
        assert client.get(f"{S2}/coverage/domainset").status_code == 200  # found out, once
        runs: list[object] = []
        take = served.backend.sync.take
        monkeypatch.setattr(served.backend.sync, "take", lambda *a: runs.append(a) or take(*a))
        answer = client.get(f"{S2}/coverage")
        assert (answer.status_code, answer.json()["code"]) == (413, "PayloadTooLarge")
        assert answer.json()["facts"] == {"bytes": 400_000, "limit": 100_000}
        for _ in range(20):
            assert client.get(f"{S2}/coverage", params={"f": "netcdf"}).status_code == 413
        assert not runs
        assert client.get(f"{S2}/coverage", params={"scale-factor": "2"}).status_code == 200
        assert len(runs) == 1
        assert client.get(f"{S2}/coverage", params={"scale-factor": "0.001"}).status_code == 413


TOLD = ("content-type", "content-crs", "content-bbox", "content-datetime", "vary")


def test_head_is_answered_from_the_plan(served, anonymous, monkeypatch):
    asked = {"subset": "E(675000:675020),N(5155000:5155020)", "f": "netcdf"}
    whole = anonymous.get(f"{S2}/coverage", params=asked)
    monkeypatch.setattr(served.backend, "compute", None)
    head = anonymous.head(f"{S2}/coverage", params=asked)
    assert (head.status_code, head.content) == (200, b"")
    assert [head.headers[name] for name in TOLD] == [whole.headers[name] for name in TOLD]
    assert "content-length" not in head.headers
    assert anonymous.head(f"{S2}/coverage", params={"bbox": "0,0,1,1"}).status_code == 204
    assert anonymous.head(f"{S2}/coverage", params={"bbox": "0"}).status_code == 400


def test_a_part_of_the_file(anonymous):
    asked = {"subset": "E(675000:675020),N(5155000:5155020)"}
    part = anonymous.get(f"{S2}/coverage", params=asked, headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, b"II*\x00")


# ------------------------------------------------------------------------------------------------ what it takes
def test_a_request_changes_threads_for_what_waits_alone(anonymous, monkeypatch):
    asked = {"f": "png", "properties": "B04", "datetime": FIRST, "scale-factor": "4"}
    assert anonymous.get(f"{S2}/coverage", params=asked).status_code == 200  # the domain is known from now on
    moved = []
    run_sync = anyio.to_thread.run_sync

    async def counted(function, *args, **kwargs):
        moved.append(function)
        return await run_sync(function, *args, **kwargs)

    monkeypatch.setattr(anyio.to_thread, "run_sync", counted)
    assert anonymous.get(f"{S2}/coverage", params=asked).content.startswith(b"\x89PNG")
    assert 3 <= len(moved) <= 4, (
        "to plan it, to begin its run, to read its file; to remove that when it was sent"
    )


def test_a_request_whose_log_nobody_is_told_of_keeps_none(anonymous, served):
    assert anonymous.get(f"{S2}/coverage", params={"f": "png", "properties": "B04"}).status_code == 200
    assert not list(served.backend.settings.home.glob("users/@visitor/logs/*"))
