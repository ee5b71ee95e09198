"""The item beside each result: pystac reads it, the STAC schema holds, its figures are true."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pystac
import pytest
import rasterio
import shapely
from pyproj import CRS, Transformer
from pystac.validation.local_validator import get_local_schema_cache
from shapely.geometry import shape

from engine.write import write
from engine.write.footprint import footprint

GRAPH = {"load": {"process_id": "load_collection", "arguments": {"id": "S2"}, "result": True}}
PROVENANCE = {
    "graph": GRAPH,
    "inputs": [
        "https://example.org/items/a.json",
        {"href": "../b.json", "title": "B", "type": "application/json"},
    ],
    "software": {"odc-stac": "0.5"},
    "properties": {"title": "Mean of June"},
    "skipped": ["https://example.org/items/c.json"],
}


def test_pystac_reads_every_item(any_result, stream, tmp_path):
    name, cube = any_result
    written = write(cube, tmp_path / name, stream=stream, provenance=PROVENANCE)
    item = pystac.Item.from_file(str(written.item_path))
    assert item.id == "out"
    assert item.to_dict(include_self_link=False)["stac_version"] == "1.1.0"
    assert len(item.assets) == len(written.assets)
    for asset in item.assets.values():
        path = Path(asset.get_absolute_href())
        assert path.exists()
        assert asset.href.startswith("./")
        if path.is_file():
            assert asset.extra_fields["file:size"] == path.stat().st_size
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            assert asset.extra_fields["file:checksum"] == "1220" + digest
    links = [link.to_dict() for link in item.links if link.rel == "derived_from"]
    assert [link["title"] for link in links if "title" in link] == ["B"]
    assert len(links) == 2
    properties = item.properties
    assert properties["processing:expression"] == {"format": "openeo", "expression": GRAPH}
    assert {"geodatacube", "GDAL", "odc-stac"} <= properties["processing:software"].keys()
    assert properties["title"] == "Mean of June"
    assert properties["gdc:skipped"] == PROVENANCE["skipped"]
    assert written.item == json.loads(written.item_path.read_text())


def test_every_item_fits_the_stac_schema(any_result, stream, tmp_path, stac_schema):
    name, cube = any_result
    written = write(cube, tmp_path / name, stream=stream, provenance=PROVENANCE)
    stac_schema(written.item)
    stac_schema(write(3, tmp_path / "plain.json", stream=stream).item)


@pytest.fixture(scope="module")
def stac_schema():
    """The schema of STAC 1.1 items, which pystac brings along; asserts that an item fits it."""
    jsonschema = pytest.importorskip("jsonschema")
    referencing = pytest.importorskip("referencing")
    schemas = get_local_schema_cache()
    registry = referencing.Registry().with_resources(
        (uri, referencing.Resource.from_contents(schema)) for uri, schema in schemas.items()
    )
    (item,) = [
        schema for uri, schema in schemas.items() if uri.endswith("v1.1.0/item-spec/json-schema/item.json")
    ]
    return jsonschema.Draft7Validator(item, registry=registry).validate


def test_times(make_cube, stream, tmp_path):
    several = write(make_cube(), tmp_path / "a.nc", stream=stream).item["properties"]
    assert several["datetime"] is None
    assert several["start_datetime"] == "2022-06-01T00:00:00Z"
    assert several["end_datetime"] == "2022-06-21T00:00:00Z"
    one = write(make_cube().isel(t=[1]), tmp_path / "b.nc", stream=stream).item["properties"]
    assert one["datetime"] == "2022-06-11T10:15:30Z"
    assert "start_datetime" not in one
    scalar = write(make_cube().isel(t=2), tmp_path / "c.nc", stream=stream).item["properties"]
    assert scalar["datetime"] == "2022-06-21T00:00:00Z"
    none = write(make_cube(dims=("y", "x")), tmp_path / "d.nc", stream=stream).item["properties"]
    assert none["datetime"] == none["created"]


def test_assets_of_several_dates(make_cube, stream, tmp_path):
    item = write(make_cube(), tmp_path / "a.tif", stream=stream).item
    assert {*item["assets"]} == {"2022-06-01", "2022-06-11", "2022-06-21"}
    asset = item["assets"]["2022-06-11"]
    assert asset["datetime"] == "2022-06-11T10:15:30Z"
    assert asset["proj:shape"] == [40, 50]
    assert asset["proj:transform"] == [10, 0, 500_000, 0, -10, 5_200_000]
    assert asset["proj:bbox"] == [500_000, 5_199_600, 500_500, 5_200_000]
    assert asset["bands"][0]["eo:common_name"] == "red"
    assert asset["bands"][0]["nodata"] == "nan"
    assert item["properties"]["proj:code"] == "EPSG:32632"
    assert any("/eo/" in schema for schema in item["stac_extensions"])


@pytest.mark.parametrize("name", ["a.nc", "a.zarr", "a.tif"])
def test_statistics_are_those_of_numpy(make_cube, stream, tmp_path, name):
    cube = make_cube(dtype="int16", nodata=3, chunks={"t": 1, "y": 16, "x": 9}).isel(t=[0])
    (asset,) = write(cube, tmp_path / name, stream=stream).assets
    for band, cells in zip(asset.fields["bands"], cube.values[0], strict=True):
        valid = cells[cells != 3].astype("float64")
        figures = band["statistics"]
        assert (figures["minimum"], figures["maximum"]) == (valid.min(), valid.max())
        assert figures["mean"] == pytest.approx(valid.mean(), rel=1e-12)
        assert figures["stddev"] == pytest.approx(valid.std(), rel=1e-12)
        assert figures["valid_percent"] == pytest.approx(100 * valid.size / cells.size)
        assert band["nodata"] == 3


def test_a_crs_that_nobody_lists_is_told_as_wkt(make_cube, stream, tmp_path):
    own = "+proj=laea +lat_0=11 +lon_0=12 +datum=WGS84 +units=m"
    asset = write(make_cube(crs=own), tmp_path / "a.tif", stream=stream).item["assets"]["2022-06-01"]
    assert asset["proj:code"] is None
    assert CRS.from_wkt(asset["proj:wkt2"]) == CRS(own)


@pytest.mark.parametrize("name", ["a.tif", "a.nc"])
def test_the_footprint_is_where_the_cells_are(make_cube, stream, tmp_path, name):
    """Against the cell centres, transformed one by one: all inside, and the outline no larger than the cells."""
    cube = make_cube(dims=("y", "x"), origin=(300_000.0, 5_200_000.0), resolution=2000.0)
    item = write(cube, tmp_path / name, stream=stream).item
    to_wgs84 = Transformer.from_crs(32632, 4326, always_xy=True)
    outline = shape(item["geometry"])
    centres = to_wgs84.transform(*(axis.ravel() for axis in np.meshgrid(cube.x, cube.y)))
    assert shapely.contains_xy(outline, *centres).all()
    outside = to_wgs84.transform([298_500, 401_500, 350_000], [5_150_000, 5_150_000, 5_201_500])
    assert not shapely.contains_xy(outline, *outside).any()
    assert item["bbox"] == pytest.approx(outline.bounds, abs=1e-3)


def rectangle(west, south, east, north):
    return [(west, south), (east, south), (east, north), (west, north)]


@pytest.mark.parametrize(
    ("crs", "corners", "bbox", "inside", "outside"),
    [
        (4326, rectangle(170, -10, 190, 10), [170, -10, -170, 10], [(179, 0), (-179, 0)], [(0, 0), (-169, 0)]),
        (4326, rectangle(0, -90.5, 360, 90.5), [-180, -90, 180, 90], [(-90, 0), (90, 80)], []),
        (3857, rectangle(-20037508.342789244, -2e7, 20037508.342789244, 2e7), [-180, -85.0225, 180, 85.0225],
         [(-179, 0), (0, 0), (179, 0)], [(0, 86)]),
        (3031, rectangle(-3e6, -3e6, 3e6, 3e6), [-180, -90, 180, -52.3171], [(0, -89), (-179, -70)], [(0, -50)]),
        (3995, rectangle(-1e6, -1e6, 2e6, 2e6), [-180, 64.3862, 180, 90], [(0, 89.9), (45, 85)], [(0, 60)]),
        (32660, rectangle(7e5, 0, 9e5, 2e5), [178.7970, 0, -179.4059, 1.8086], [(179.9, 1), (-179.9, 1)], [(0, 1)]),
        ("+proj=geos +h=35785831 +lon_0=0 +sweep=y", rectangle(-5.5e6, -5.5e6, 5.5e6, 5.5e6), None,
         [(0, 0), (60, 0)], [(100, 0)]),
        ("+proj=sinu +R=6371007.181", rectangle(-20015109, -10007554, 20015109, 10007554),
         [-180, -90, 180, 90], [(-170, 60), (170, -60)], []),
    ],
)  # fmt: skip
def test_footprints_of_odd_places(crs, corners, bbox, inside, outside):
    found = footprint(CRS.from_user_input(crs), corners)
    outline = shape(found.geometry)
    assert outline.is_valid
    assert -180 <= outline.bounds[0] <= outline.bounds[2] <= 180
    assert all(shapely.contains_xy(outline, *place) for place in inside)
    assert not any(shapely.contains_xy(outline, *place) for place in outside)
    if bbox is not None:
        assert found.bbox == pytest.approx(bbox, abs=1e-3)


@pytest.mark.parametrize("crs", [None, CRS("+proj=eqc +R=1560800")])
def test_no_footprint_where_there_is_no_earth(crs):
    assert footprint(crs, rectangle(0, 0, 1000, 1000)) is None


def test_the_footprint_of_a_vector_cube(make_vector, stream, tmp_path):
    item = write(make_vector(), tmp_path / "a.geojson", stream=stream).item
    features = json.loads((tmp_path / "a.geojson").read_text())["features"]
    outline = shape(item["geometry"]).buffer(1e-7)
    assert all(outline.covers(shape(feature["geometry"])) for feature in features)


def test_scene_across_the_antimeridian(make_cube, stream, shared_data, tmp_path):
    with rasterio.open(shared_data / "rio_tiler" / "cog_dateline.tif") as file:
        cells, transform, crs = file.read(1, out_shape=(50, 50)), file.transform, file.crs
        step = transform.a * file.width / 50
    cube = make_cube(dims=("y", "x"), values=cells, sizes={"y": 50, "x": 50}, crs=crs.to_wkt(), resolution=step,
                     origin=(transform.c, transform.f))  # fmt: skip
    item = write(cube, tmp_path / "a.tif", stream=stream).item
    west, _, east, _ = item["bbox"]
    assert west > 170
    assert east < -170
    assert item["geometry"]["type"] == "MultiPolygon"


def test_numbers_that_json_does_not_know_are_texts_in_the_provenance():
    from engine.write.stac import plain_json

    assert plain_json({"x": [float("nan"), float("inf"), 1.5]}) == {"x": ["NaN", "Infinity", 1.5]}
