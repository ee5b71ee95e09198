"""Tiles of web services: the right cells in the right place, drawn once, and each standard's own words around them."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from xml.etree import ElementTree

import httpx
import morecantile
import numpy as np
import pytest
import rasterio
import xarray as xr
from PIL import Image
from rasterio.enums import Resampling
from rasterio.transform import from_bounds
from rasterio.vrt import WarpedVRT

from engine.maps import graph
from engine.maps.draw import drawn
from engine.maps.model import Drawing, Look, Place, Portrait
from engine.service import Engine
from engine.settings import Settings
from requests_of_users import LOAD, NDVI, served_as

TMS = morecantile.tms.get("WebMercatorQuad")


def one_day(bands=("B04", "B08")) -> dict:
    """A load of the first day of June on which there is a scene."""
    interval = ["2022-06-01", "2022-06-10"]
    return {**LOAD, "arguments": {**LOAD["arguments"], "temporal_extent": interval, "bands": list(bands)}}


def first_of(node: str) -> dict:
    last = {"m": {"process_id": "first", "arguments": {"data": {"from_parameter": "data"}}, "result": True}}
    return {
        "process_id": "reduce_dimension",
        "arguments": {
            "data": {"from_node": node},
            "dimension": "t",
            "reducer": {"process_graph": last},
        },
    }


NDVI_OF_A_DAY = {
    "load": one_day(),
    "first": first_of("load"),
    "ndvi": {"process_id": "ndvi", "arguments": {"data": {"from_node": "first"}, "nir": "B08", "red": "B04"}, "result": True},
}  # fmt: skip


@pytest.fixture(scope="module")
def scene(catalog) -> dict[str, Path]:
    """The bands of the scene that these graphs show, by name."""
    with Engine(Settings(home=catalog.parent, catalog=catalog)) as engine:
        explained = engine.explain(NDVI_OF_A_DAY)
    day = min(explained.reads[0].dates)
    found = sorted(catalog.parent.glob("scenes/**/*.tif"))
    names = {p.stem.split("_")[-1]: p for p in found if day.replace("-", "") in str(p) or day in str(p)}
    assert {"B04", "B08"} <= names.keys(), (day, found[:5])
    return names


def middle(client, service: str, zoom: int) -> morecantile.Tile:
    """The tile in the middle of a service's map."""
    west, south, east, north = client.get(f"/services/{service}").json()["attributes"]["bounds"]
    return TMS.tile((west + east) / 2, (south + north) / 2, zoom)


def address(client, service: str) -> str:
    return client.get(f"/services/{service}").json()["url"]


def base(client, service: str) -> str:
    """What all addresses of a service begin with."""
    url = address(client, service)
    return url[: url.index("/", url.index("/tiles/") + 7)]


def image(answer: httpx.Response) -> np.ndarray:
    assert answer.status_code == 200, answer.text
    return np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGBA"))


def warped(path: Path, tile: morecantile.Tile, size: int = 256) -> np.ma.MaskedArray:
    """A band on the cells of a tile, by rasterio: nearest cells."""
    box = TMS.xy_bounds(tile)
    transform = from_bounds(box.left, box.bottom, box.right, box.top, size, size)
    with rasterio.open(path) as source:
        shape = {"crs": "EPSG:3857", "transform": transform, "width": size, "height": size}
        with WarpedVRT(source, resampling=Resampling.nearest, tolerance=0.001, **shape) as vrt:
            return vrt.read(1, masked=True).astype("float64")


@contextmanager
def counted(served, monkeypatch):
    """Runs that the desk takes in."""
    runs, take = [], served.backend.sync.take
    with monkeypatch.context() as patch:
        patch.setattr(served.backend.sync, "take", lambda *a: runs.append(a) or take(*a))
        yield runs


@pytest.mark.parametrize("size", [256, 512])
def test_a_tile_is_as_rasterio_warps_the_scene(ada, anonymous, scene, size):
    service = served_as(ada, NDVI_OF_A_DAY, configuration={"range": [-0.2, 0.9], "tile_size": size})
    tile = middle(ada, service, 15)
    got = image(anonymous.get(address(ada, service).format(z=tile.z, x=tile.x, y=tile.y)))
    red, nir = warped(scene["B04"], tile, size), warped(scene["B08"], tile, size)
    expected = np.clip(((nir - red) / (nir + red) + 0.2) / 1.1, 0, 1) * 255
    assert got.shape == (size, size, 4)
    there = ~np.ma.getmaskarray(expected)
    assert there.mean() > 0.9
    np.testing.assert_array_equal(got[..., 3] == 255, there)
    off = np.abs(got[..., 0][there] - expected.data[there]) > 0.51
    assert off.mean() < 0.002  # where a centre lies between two cells, PROJ and our mesh may choose either


def test_neighbours_agree_and_nothing_is_left_out(ada, anonymous):
    service = served_as(ada, NDVI_OF_A_DAY, configuration={"resampling": "bilinear"})
    tile, url = middle(ada, service, 15), address(ada, service)
    parts = {
        (dx, dy): image(anonymous.get(url.format(z=16, x=2 * tile.x + dx, y=2 * tile.y + dy)))
        for dx in (0, 1)
        for dy in (0, 1)
    }
    whole = np.block([[[parts[0, 0]], [parts[1, 0]]], [[parts[0, 1]], [parts[1, 1]]]])
    across = np.abs(np.diff(whole[..., 0].astype(int), axis=1))
    down = np.abs(np.diff(whole[..., 0].astype(int), axis=0))
    assert across[:, 255].mean() < 2 * across[:, 200:300].mean() + 1
    assert down[255].mean() < 2 * down[200:300].mean() + 1
    assert (whole[..., 3] == 255).all()


def test_where_there_is_nothing_a_tile_is_transparent_and_costs_nothing(served, ada, anonymous, monkeypatch):
    service = served_as(ada)
    with counted(served, monkeypatch) as runs:
        got = image(anonymous.get(address(ada, service).format(z=3, x=0, y=7)))
    assert not got.any()
    assert runs == []


@pytest.mark.slow
def test_every_tile_around_the_scene_can_be_drawn(ada, anonymous):
    service = served_as(ada, NDVI_OF_A_DAY)
    url = address(ada, service)
    west, south, east, north = ada.get(f"/services/{service}").json()["attributes"]["bounds"]
    for lon, lat in ((west, north), (east, north), (west, south), (east, south)):
        for zoom in (0, 8, 14, 18, 22):
            tile = TMS.tile(lon, lat, zoom)
            for dx, dy in ((0, 0), (1, 0), (0, 1), (-1, 0), (0, -1)):
                if zoom in (14, 22) or not (dx or dy):
                    answer = anonymous.get(url.format(z=zoom, x=tile.x + dx, y=tile.y + dy))
                    assert answer.status_code == 200, answer.text


def test_a_tile_is_drawn_once(served, ada, anonymous, monkeypatch):
    service = served_as(ada)
    tile = middle(ada, service, 14)
    url = address(ada, service).format(z=tile.z, x=tile.x, y=tile.y)
    with counted(served, monkeypatch) as runs, ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: anonymous.get(url), range(6)))
        assert len(runs) == 1
        assert len({a.content for a in answers}) == 1
        again = anonymous.get(url)
        assert (again.content, len(runs)) == (answers[0].content, 1)
        known = anonymous.get(url, headers={"If-None-Match": again.headers["etag"]})
        assert (known.status_code, known.content, len(runs)) == (304, b"", 1)
        assert "max-age" in known.headers["cache-control"]
        ada.patch(f"/services/{service}", json={"title": "the map is the same"})
        assert anonymous.get(url).status_code == 200
        assert len(runs) == 1
        ada.patch(f"/services/{service}", json={"configuration": {"range": [0, 0.3]}})
        other = anonymous.get(url, headers={"If-None-Match": again.headers["etag"]})
        assert (other.status_code, len(runs)) == (200, 3)  # the portrait, and the tile
        assert other.content != again.content


def test_more_tiles_than_may_wait_at_the_desk_wait_before_it(served, ada, anonymous, monkeypatch):
    service = served_as(ada)
    tile, url = middle(ada, service, 13), address(ada, service)
    few = served.backend.settings.model_copy(update={"sync_queue_user": 1})
    monkeypatch.setattr(served.backend.sync, "_settings", few)
    places = [{"z": 15, "x": 4 * tile.x + x, "y": 4 * tile.y + y} for x in range(3) for y in range(2)]
    with ThreadPoolExecutor(len(places)) as threads:
        answers = list(threads.map(lambda place: anonymous.get(url.format(**place)), places))
    assert [a.status_code for a in answers] == [200] * len(places)
    monkeypatch.setattr("api.addresses.PATIENCE", 0)
    none = few.model_copy(update={"sync_queue_user": 0})
    monkeypatch.setattr(served.backend.sync, "_settings", none)
    refused = anonymous.get(url.format(z=16, x=8 * tile.x, y=8 * tile.y))
    assert (refused.status_code, "retry-after" in refused.headers) == (429, True)


def test_who_hangs_up_ends_the_run_unless_another_waits(served, ada, monkeypatch):
    service = served_as(ada)
    desk, kept = served.backend.services, []
    begun = desk._sync.take
    monkeypatch.setattr(desk._sync, "take", lambda *a: kept.append(begun(*a)) or kept[-1])
    tile = middle(ada, service, 13)
    found = served.backend.store.services.get("ada", service)
    one, two = desk.draw(found, *place_of(tile)), desk.draw(found, *place_of(tile))
    one.cancel()
    one.cancel()
    assert not kept[0].unwanted.is_set()
    assert two.future.result(60).startswith(b"\x89PNG")
    slow = Event()
    monkeypatch.setattr("engine.jobs.reserve.Reserve.run", lambda *a: slow.wait(60) and None)
    url = address(ada, service).format(z=14, x=2 * tile.x, y=2 * tile.y)
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(url, timeout=0.3)
    for _ in range(100):
        if kept[-1].unwanted.is_set():
            break
        time.sleep(0.05)
    slow.set()
    assert len(kept) == 2
    assert kept[-1].unwanted.is_set()


def place_of(tile) -> tuple[int, int, int]:
    return tile.z, tile.x, tile.y


def test_what_fails_is_told_to_the_client_and_to_the_log(served, ada, anonymous, monkeypatch):
    service = served_as(ada, log_level="error")
    tile = middle(ada, service, 12)
    small = served.backend.settings.model_copy(update={"max_output_bytes": 1000})
    monkeypatch.setattr(served.backend.services, "_settings", small)
    answer = anonymous.get(address(ada, service).format(z=tile.z, x=tile.x, y=tile.y))
    assert (answer.status_code, answer.json()["code"]) == (400, "ProcessGraphComplexity")
    (entry,) = ada.get(f"/services/{service}/logs").json()["logs"]
    assert (entry["level"], entry["code"]) == ("error", "ProcessGraphComplexity")
    assert f"{tile.z}/{tile.x}/{tile.y}" in entry["message"]


@pytest.mark.parametrize("place", ["0/1/0", "0/0/1", "25/0/0", "5/-1/0", "a/0/0", "99999999999/0/0", "1/١/0"])
def test_tiles_that_there_cannot_be_are_missing(ada, anonymous, place):
    service = served_as(ada, configuration={"range": [0, 1], "minzoom": 0, "maxzoom": 20})
    root = base(ada, service)
    for path in (f"{place}.png", "21/0/0.png", "0/0/0.jpg"):
        answer = anonymous.get(f"{root}/{path}")
        assert (answer.status_code, answer.json()["status"]) == (404, 404)


def test_graphs_may_take_the_box_of_the_tile(ada, anonymous):
    given = {
        **one_day(),
        "arguments": {**one_day()["arguments"], "spatial_extent": {"from_parameter": "spatial_extent"}},
    }
    service = served_as(ada, {**NDVI_OF_A_DAY, "load": given}, configuration={"range": [0, 1]})
    plain = served_as(ada, NDVI_OF_A_DAY, configuration={"range": [0, 1]})
    tile = middle(ada, service, 14)._asdict()
    tiles = [image(anonymous.get(address(ada, s).format(**tile))) for s in (service, plain)]
    np.testing.assert_array_equal(*tiles)


@pytest.mark.parametrize(
    ("bands", "configuration", "mode"),
    [
        (("B04",), {"range": [0, 3000]}, "L"),
        (("B04",), {"range": [0, 3000], "colormap": "viridis"}, "P"),
        (("B04", "B08"), {"range": [0, 3000]}, "LA"),
        (("B04", "B03", "B02"), {"range": [[0, 3000], [0, 2500], [0, 2000]]}, "RGB"),
        (("B04", "B03", "B02", "B08"), {"range": [0, 3000]}, "RGBA"),
        (("B04", "B03", "B02"), {"format": "JPEG"}, "RGB"),
        (("B04",), {"format": "JPEG", "colormap": "magma"}, "RGB"),
    ],
)
def test_bands_are_colours(ada, anonymous, bands, configuration, mode):
    nodes = {"load": one_day(bands), "first": {**first_of("load"), "result": True}}
    service = served_as(ada, nodes, configuration=configuration)
    answer = anonymous.get(address(ada, service).format(**middle(ada, service, 16)._asdict()))
    assert Image.open(io.BytesIO(answer.content)).mode == mode


@pytest.mark.slow
def test_a_low_zoom_reads_overviews_and_the_box_reaches_the_load(tmp_path):
    from engine.catalog import Catalog
    from engine.demo import make_scenes

    catalog = Catalog(tmp_path / "catalog.sqlite")
    catalog.add(make_scenes(tmp_path / "scenes", size=1200))
    catalog.close()
    with Engine(Settings(home=tmp_path, catalog=tmp_path / "catalog.sqlite")) as engine:
        process = {"process_graph": NDVI}
        full = engine.explain(NDVI)
        portrait = Portrait((11.0, 46.0, 12.0, 47.0), 10.0, ("ndvi",), ((0.0, 1.0),))
        lon, lat = 11.35, 46.48
        told = {}
        for zoom in (8, 15):
            tile = TMS.tile(lon, lat, zoom)
            cells, parameters = graph.tile(process, Look(), portrait, Place(zoom, tile.x, tile.y))
            told[zoom] = engine.explain(cells, parameters)
    assert told[8].cost.bytes_decoded < full.cost.bytes_decoded / 10
    assert told[15].reads[0].shape[-1] < 150
    assert told[15].cost.bytes_decoded < full.cost.bytes_decoded / 100
    assert "filter_bbox" not in told[15].after
    assert "spatial_extent={" in told[15].after


def test_longitudes_may_go_from_0_to_360(tmp_path):
    longitudes, latitudes = np.arange(1.0, 360, 2), np.arange(89.0, -90, -2)
    cells = np.broadcast_to(longitudes, (90, 180)).astype("float32")
    coords = {
        "lat": ("lat", latitudes, {"standard_name": "latitude", "units": "degrees_north"}),
        "lon": ("lon", longitudes, {"standard_name": "longitude", "units": "degrees_east"}),
    }
    cube = xr.DataArray(cells, dims=("lat", "lon"), coords=coords)
    cube.to_dataset(name="east").to_netcdf(tmp_path / "east.nc")
    load = {"process_id": "load_collection", "arguments": {"id": "c", "spatial_extent": None, "temporal_extent": None}, "result": True}  # fmt: skip
    with Engine(Settings(home=tmp_path, catalog=tmp_path / "catalog.sqlite")) as engine:
        engine.add(tmp_path / "east.nc", collection="c")
        process, look = {"process_graph": {"load": load}}, Look(ranges=((0.0, 360.0),))
        portrait = drawn(engine, process, Drawing(look))
        assert portrait.beyond
        for x in range(4):
            png = drawn(engine, process, Drawing(look, portrait, Place(2, x, 1)))
            got = np.asarray(Image.open(io.BytesIO(png)).convert("LA"))
            middle = (-180 + 90 * (x + 0.5)) % 360
            assert abs(got[128, 128, 0] / 255 * 360 - middle) < 3
            assert (got[..., 1] == 255).all()


# ------------------------------------------------------------------------------------- standards
def test_tilejson_tells_where_tiles_are(ada, anonymous):
    service = served_as(ada, title="NDVI", configuration={"range": [0, 1], "attribution": "Us"})
    told = anonymous.get(f"{base(ada, service)}/tilejson.json").json()
    assert (told["tilejson"], told["name"], told["attribution"]) == ("3.0.0", "NDVI", "Us")
    assert told["tiles"] == [address(ada, service)]


def test_ogc_tiles(ada, anonymous):
    service = served_as(ada, type_="ogc-api-tiles", title="NDVI")
    landing = anonymous.get(address(ada, service)).json()
    links = {link["rel"].rpartition("/")[2]: link["href"] for link in landing["links"]}
    assert any(c.endswith("/conf/tileset") for c in anonymous.get(links["conformance"]).json()["conformsTo"])
    (entry,) = anonymous.get(links["tilesets-map"]).json()["tilesets"]
    tileset = anonymous.get(entry["links"][0]["href"]).json()
    assert (tileset["dataType"], tileset["crs"]) == ("map", "http://www.opengis.net/def/crs/EPSG/0/3857")
    rels = {link["rel"].rpartition("/")[2]: link for link in tileset["links"]}
    scheme = anonymous.get(rels["tiling-scheme"]["href"]).json()
    assert morecantile.TileMatrixSet.model_validate(scheme).id == "WebMercatorQuad"
    listed = anonymous.get(links["tiling-schemes"]).json()["tileMatrixSets"]
    assert [s["links"][0]["href"] for s in listed] == [rels["tiling-scheme"]["href"]]
    assert rels["item"]["templated"] is True
    limit = next(m for m in tileset["tileMatrixSetLimits"] if m["tileMatrix"] == "14")
    template = rels["item"]["href"]

    def at(matrix, row, column):
        filled = template.replace("{tileMatrix}", str(matrix))
        return anonymous.get(filled.replace("{tileRow}", str(row)).replace("{tileCol}", str(column)))

    tile = middle(ada, service, 14)
    assert limit["minTileRow"] <= tile.y <= limit["maxTileRow"]
    assert limit["minTileCol"] <= tile.x <= limit["maxTileCol"]
    assert image(at(14, tile.y, tile.x)).any()
    assert at(14, 2**14, 0).status_code == at("a", 0, 0).status_code == 404
    assert anonymous.get(template.replace("WebMercatorQuad", "Other")).status_code == 404


def test_an_address_serves_its_own_type_only(ada, anonymous):
    root = base(ada, served_as(ada))
    assert anonymous.get(f"{root}/ogc").json()["code"] == "ServiceNotFound"
    answer = anonymous.get(f"{root}/wmts")
    assert (answer.status_code, b"ServiceNotFound" in answer.content) == (404, True)


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("?SERVICE=WMTS&REQUEST=GetFeatureInfo", 501, "OperationNotSupported"),
        ("?SERVICE=WMS", 400, "InvalidParameterValue"),
        ("?request=GetTile", 400, "MissingParameterValue"),
        ("{tile}&TileRow=1&TileCol=0", 400, "TileOutOfRange"),
        ("{tile}&TileRow=x&TileCol=0", 400, "InvalidParameterValue"),
        ("{tile}&TileRow=0&TileCol=0&Layer=<b>", 400, "InvalidParameterValue"),
    ],
)
def test_wmts_errors_are_those_of_ows(ada, anonymous, query, status, code):
    service = served_as(ada, type_="WMTS")
    tile = "?Service=WMTS&Request=GetTile&Layer=map&Style=default&Format=image/png&TileMatrixSet=WebMercatorQuad&TileMatrix=0"
    answer = anonymous.get(address(ada, service) + query.format(tile=tile))
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (status, "application/xml")
    root = ElementTree.fromstring(answer.content)
    assert root.tag == "{http://www.opengis.net/ows/1.1}ExceptionReport"
    assert root[0].attrib["exceptionCode"] == code


@pytest.mark.parametrize("size", [256, 512])
def test_gdal_reads_wmts(ada, anonymous, size, tmp_path):
    service = served_as(ada, NDVI_OF_A_DAY, type_="WMTS", title="N<D>VI", configuration={"range": [0, 1], "tile_size": size})  # fmt: skip
    tile = middle(ada, service, 14)
    box = TMS.xy_bounds(tile)
    script = (
        "import sys, numpy, rasterio\n"
        "from rasterio.windows import from_bounds\n"
        "with rasterio.open(sys.argv[1], tilematrix='14', extent_method='MOST_PRECISE_TILE_MATRIX') as source:\n"
        "    window = from_bounds(*map(float, sys.argv[3:]), source.transform)\n"
        f"    numpy.save(sys.argv[2], source.read(window=window, out_shape=(source.count, {size}, {size})))\n"
    )
    href = f"WMTS:{address(ada, service)}/1.0.0/WMTSCapabilities.xml,layer=map"
    got = subprocess.run(
        [sys.executable, "-c", script, href, str(tmp_path / "a.npy"), *map(str, box)],
        check=False, capture_output=True, text=True, timeout=120, env={"GDAL_ENABLE_WMS_CACHE": "NO", "PATH": "", "GDAL_DEFAULT_WMS_CACHE_PATH": str(tmp_path)},
    )  # fmt: skip
    assert got.returncode == 0, got.stderr
    pixels = np.load(tmp_path / "a.npy")
    pairs = f"?service=WMTS&request=GetTile&version=1.0.0&layer=map&style=default&format=image/png&tilematrixset=WebMercatorQuad{'' if size == 256 else '_512'}&tilematrix=14&tilerow={tile.y}&tilecol={tile.x}"  # fmt: skip
    expected = image(anonymous.get(address(ada, service) + pairs))
    np.testing.assert_array_equal(pixels[0], expected[..., 0])
    capabilities = ElementTree.fromstring(anonymous.get(address(ada, service)).content)
    assert capabilities.tag == "{http://www.opengis.net/wmts/1.0}Capabilities"
