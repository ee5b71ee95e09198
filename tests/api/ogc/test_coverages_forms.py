"""The forms of coverages, each read by somebody else's eyes, and held against the same cells."""

from __future__ import annotations

import email
import io
import json
import zipfile

import numpy as np
import pytest
import rasterio
import xarray as xr
from PIL import Image

S2 = "/collections/S2"
SMALL = "E(675000:675040),N(5155000:5155030)"
"""4 columns, 3 rows."""
FIRST, LAST = "2022-04-03T10:16:21Z", "2022-10-20T10:16:22Z"
CRS = "http://www.opengis.net/def/crs/"


@pytest.fixture(scope="module")
def cells(anonymous) -> np.ndarray:
    """B04 and B08 of the first date, (bands, y, x)."""
    asked = {"subset": SMALL, "datetime": FIRST, "properties": "B04,B08"}
    answer = anonymous.get(f"{S2}/coverage", params=asked)
    with rasterio.open(io.BytesIO(answer.content)) as file:
        return file.read()


def get(client, f, **asked):
    answer = client.get(f"{S2}/coverage", params={"f": f, **asked})
    assert answer.status_code == 200, answer.text
    return answer


def test_cis_json(anonymous, cells):
    answer = get(anonymous, "json", subset=SMALL, datetime=FIRST, properties="B04,B08")
    assert answer.headers["content-type"] == "application/json"
    told = answer.json()
    assert told["domainSet"]["generalGrid"]["axisLabels"] == ["E", "N"]
    assert [f["name"] for f in told["rangeType"]["field"]] == ["B04", "B08"]
    values = np.array(told["rangeSet"]["dataBlock"]["values"]).reshape(4, 3, 2)
    np.testing.assert_array_equal(values, cells[:, ::-1].transpose(2, 1, 0))  # coordinates rise


def test_cis_json_with_time_and_latitude_first(anonymous):
    asked = {"subset": f'{SMALL},time("{FIRST}":"2022-04-30")', "properties": "B04", "crs": "EPSG:4326"}
    told = get(anonymous, "json", **asked).json()
    grid = told["domainSet"]["generalGrid"]
    assert grid["axisLabels"] == ["Lat", "Lon", "time"]
    assert grid["srsName"] == f"{CRS}EPSG/0/4326"
    counts = [axis["upperBound"] + 1 for axis in grid["gridLimits"]["axis"]]
    assert len(told["rangeSet"]["dataBlock"]["values"]) == np.prod(counts)
    other = get(anonymous, "json", **{**asked, "crs": "OGC:CRS84"}).json()
    assert other["domainSet"]["generalGrid"]["axisLabels"] == ["Lon", "Lat", "time"]
    values = np.array(told["rangeSet"]["dataBlock"]["values"]).reshape(counts)
    turned = np.array(other["rangeSet"]["dataBlock"]["values"]).reshape(counts[1], counts[0], counts[2])
    np.testing.assert_array_equal(values, turned.transpose(1, 0, 2))


@pytest.mark.parametrize("kind", ["application/vnd.cov+json", "application/prs.coverage+json"])
def test_coverage_json(anonymous, cells, kind):
    asked = {"subset": SMALL, "datetime": f"{FIRST}/{FIRST}", "properties": "B04,B08"}
    answer = anonymous.get(f"{S2}/coverage", params=asked, headers={"Accept": kind})
    assert answer.headers["content-type"] == kind
    told = answer.json()
    axes = told["domain"]["axes"]
    assert axes["x"] == {"start": 675005.0, "stop": 675035.0, "num": 4}
    assert axes["y"] == {"start": 5155025.0, "stop": 5155005.0, "num": 3}
    assert axes["t"] == {"values": [FIRST]}
    assert told["domain"]["referencing"][0]["system"]["id"] == f"{CRS}EPSG/0/32632"
    for number, name in enumerate(("B04", "B08")):
        found = told["ranges"][name]
        assert (found["axisNames"], found["shape"], found["dataType"]) == (
            ["t", "y", "x"],
            [1, 3, 4],
            "integer",
        )
        np.testing.assert_array_equal(np.array(found["values"]).reshape(3, 4), cells[number])


def test_a_slice_leaves_coverage_json_its_plane(anonymous, cells):
    told = get(
        anonymous, "covjson", subset=f'E(675000),N(5155000:5155030),time("{FIRST}")', properties="0,B08"
    ).json()
    assert told["ranges"]["B08"]["shape"] == [3, 1]
    assert told["ranges"]["B08"]["values"] == cells[1, :, 0].tolist()
    assert "t" not in told["domain"]["axes"]


def test_png(anonymous):
    answer = get(anonymous, "png", properties="B04,B03,B02")
    image = Image.open(io.BytesIO(answer.content))
    assert (image.format, image.size) == ("PNG", (200, 200))
    assert image.mode in ("RGB", "RGBA")
    assert Image.open(io.BytesIO(get(anonymous, "png", properties="B04", width="50").content)).size == (
        50,
        200,
    )


@pytest.mark.parametrize(
    "asked", [{}, {"properties": "B02,B03"}, {"properties": "B04", "datetime": "2022-06-01/.."}]
)
def test_what_is_no_picture_is_told_the_way_out(anonymous, asked):
    answer = anonymous.get(f"{S2}/coverage", params={"f": "png", **asked})
    assert (answer.status_code, answer.json()["facts"]["parameter"]) == (400, "f")
    assert "properties=" in answer.json()["hint"] or "subset=" in answer.json()["hint"]


def test_zarr_in_an_archive(anonymous, cells, tmp_path):
    answer = get(anonymous, "zarr", subset=SMALL, datetime=FIRST, properties="B04,B08")
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path / "a.zarr")
    with xr.open_zarr(tmp_path / "a.zarr", mask_and_scale=False) as found:
        np.testing.assert_array_equal(found.B04, cells[0])


def test_several_parts_in_one_body(anonymous, cells, tmp_path):
    answer = get(anonymous, "multipart", subset=SMALL, datetime=FIRST, properties="B04,B08")
    head = f"Content-Type: {answer.headers['content-type']}\r\n\r\n".encode()
    description, values = email.message_from_bytes(head + answer.content).get_payload()
    told = json.loads(description.get_payload())
    assert told["domainSet"]["generalGrid"]["axisLabels"] == ["E", "N"]
    assert told["rangeSet"]["fileReference"] == [f"cid:{values['Content-ID'].strip('<>')}"]
    (tmp_path / "a.nc").write_bytes(values.get_payload(decode=True))
    with xr.open_dataset(tmp_path / "a.nc", mask_and_scale=False) as found:
        np.testing.assert_array_equal(found.B08, cells[1])


@pytest.mark.parametrize("part", ["coverage", "coverage/domainset", "coverage/rangetype"])
def test_pages_for_people(anonymous, part):
    answer = anonymous.get(f"{S2}/{part}", headers={"Accept": "text/html,application/xml;q=0.9,*/*;q=0.8"})
    assert answer.headers["content-type"].startswith("text/html")
    assert "<table>" in answer.text
    assert "B04" in answer.text or part.endswith("domainset")


def test_the_picture_and_the_ways_on_a_page(anonymous):
    text = get(anonymous, "html", bbox="11.29,46.52,11.30,46.53", properties="B04").text.replace("&amp;", "&")
    (picture,) = [part.partition('"')[0] for part in text.split('<img src="')[1:]]
    assert anonymous.get(picture).headers["content-type"] == "image/png"
    data = text.partition("<h2>Data</h2>")[2].partition("</ul>")[0]
    ways = [part.partition('"')[0] for part in data.split('<a href="')[1:]]
    assert len(ways) == 8
    assert all("bbox=11.29" in way for way in ways)


def test_a_page_holds_no_words_of_the_address(anonymous):
    answer = anonymous.get(f"{S2}/coverage", params={"f": "html", "x": '"><script>'})
    assert "<script>" not in answer.text


@pytest.mark.parametrize("f", ["json", "covjson"])
def test_texts_are_for_what_is_small(anonymous, f):
    answer = anonymous.get(f"{S2}/coverage", params={"f": f})
    assert (answer.status_code, answer.json()["code"]) == (413, "PayloadTooLarge")
    assert answer.json()["facts"] == {"values": 12 * 5 * 200 * 200, "limit": 1_000_000}
    assert "scale-factor" in answer.json()["hint"]


def test_domains_and_ranges_have_json_and_pages_only(anonymous):
    for part in ("domainset", "rangetype"):
        assert anonymous.get(f"{S2}/coverage/{part}", params={"f": "json"}).status_code == 200
        assert anonymous.get(f"{S2}/coverage/{part}", params={"f": "geotiff"}).status_code == 400
        assert anonymous.get(f"{S2}/coverage/{part}", headers={"Accept": "image/tiff"}).status_code == 406
