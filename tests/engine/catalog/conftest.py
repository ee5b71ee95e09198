"""What the catalogue's tests are made of: items, files, catalogues on disk, and a STAC API on loopback."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from engine.catalog import Author, Catalog, PutCollection
from engine.http import Egress

SHARED = Path(os.environ.get("GDC_TEST_DATA", Path(__file__).parents[3] / "../shared/data"))


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request, tmp_path) -> Iterator[Catalog]:
    """A catalogue with the collection `c`, on each database."""
    place = tmp_path / "catalog.db"
    if request.param == "postgresql":
        place = request.getfixturevalue("postgis").with_postgis()
    opened = Catalog(place)
    opened.apply(
        [PutCollection({"id": "c", "type": "Collection", "description": "Words"})], Author("ada", "test")
    )
    yield opened
    opened.close()


@pytest.fixture
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip(f"no sample data at {SHARED}; set GDC_TEST_DATA")
    return SHARED.resolve()


@pytest.fixture
def catalog(tmp_path) -> Iterator[Catalog]:
    opened = Catalog(tmp_path / "catalog.db", Egress(hosts=("127.0.0.1",)))
    yield opened
    opened.close()


@pytest.fixture
def item() -> Callable[..., dict]:
    """A STAC item over a box (or with a geometry of its own) at a time."""

    def make(id_, box=(10, 50, 11, 51), when="2022-06-01T10:00:00Z", **more) -> dict:
        west, south, east, north = box
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        whole = {
            "type": "Feature",
            "stac_version": "1.1.0",
            "id": id_,
            "geometry": {"type": "Polygon", "coordinates": [ring]},
            "bbox": list(box),
            "properties": {"datetime": when, **more.pop("properties", {})},
            "links": [],
            "assets": {"B04": {"href": f"/data/{id_}.tif", "type": "image/tiff", "roles": ["data"]}},
        }
        return {**whole, **more}

    return make


@pytest.fixture
def tiff() -> Callable[..., Path]:
    """A GeoTIFF of ascending numbers."""

    def make(
        path: Path, *, bands=1, size=(8, 6), crs="EPSG:32631", origin=(500000, 5000000), cell=10, **more
    ) -> Path:
        names, tags = more.pop("names", None), more.pop("tags", {})
        path.parent.mkdir(parents=True, exist_ok=True)
        columns, rows = size
        place = more.pop("transform", from_origin(*origin, cell, cell))
        profile = {
            "driver": "GTiff",
            "width": columns,
            "height": rows,
            "count": bands,
            "dtype": "uint16",
            "crs": crs,
            "transform": place,
        }
        with rasterio.open(path, "w", **{**profile, **more}) as target:
            target.write(
                np.arange(bands * rows * columns, dtype=profile["dtype"]).reshape(bands, rows, columns)
            )
            if names:
                target.descriptions = names
            target.update_tags(**tags)
        return path

    return make


@pytest.fixture
def tables() -> Callable[[Path, str], list]:
    """Rows out of the file itself, past all our code."""

    def read(path: Path, sql: str) -> list:
        connection = sqlite3.connect(path)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    return read


class Api:
    """A small STAC API: landing page, collections, items and search by GET or POST, in pages."""

    def __init__(self, collections: dict[str, list[dict]], **how) -> None:
        self.collections = collections
        self.how = {
            "post": True,
            "page": 2,
            "search": True,
            "sort": True,
            "empty_first": False,
            "circle": False,
            "counts": True,
            **how,
        }
        self.asked: list[tuple[str, str, dict]] = []
        self.url = ""

    def link(self, rel: str, path: str, **more) -> dict:
        return {"rel": rel, "href": f"{self.url}{path}", **more}

    def landing(self) -> dict:
        searches = [self.link("search", "/search", method="GET")] if self.how["search"] else []
        if self.how["search"] and self.how["post"]:
            searches.append(self.link("search", "/search", method="POST"))
        classes = ["https://api.stacspec.org/v1.0.0/core", "https://api.stacspec.org/v1.0.0/item-search"]
        classes += ["https://api.stacspec.org/v1.0.0/item-search#sort"] if self.how["sort"] else []
        links = [self.link("self", "/"), self.link("root", "/"), self.link("data", "/collections"), *searches]
        return {
            "type": "Catalog",
            "stac_version": "1.0.0",
            "id": "api",
            "description": "test",
            "conformsTo": classes,
            "links": links,
        }

    def collection(self, id_: str) -> dict:
        links = [
            self.link("self", f"/collections/{id_}"),
            self.link("root", "/"),
            self.link("items", f"/collections/{id_}/items"),
        ]
        extent = {"spatial": {"bbox": [[-180, -90, 180, 90]]}, "temporal": {"interval": [[None, None]]}}
        return {
            "type": "Collection",
            "stac_version": "1.0.0",
            "id": id_,
            "description": f"All of {id_}",
            "license": "CC-BY-4.0",
            "extent": extent,
            "links": links,
        }

    def answer(self, method: str, path: str, ask: dict) -> dict | None:
        self.asked.append((method, path, ask))
        parts = path.strip("/").split("/")
        if path == "/":
            return self.landing()
        if path == "/collections":
            return {"collections": [self.collection(id_) for id_ in self.collections], "links": []}
        if parts[0] == "collections" and parts[1] in self.collections:
            if len(parts) == 2:
                return self.collection(parts[1])
            if len(parts) == 3:
                return self.search(method, path, {**ask, "collections": [parts[1]]})
            return next((i for i in self.collections[parts[1]] if i["id"] == parts[3]), None)
        return self.search(method, path, ask) if path == "/search" and self.how["search"] else None

    def search(self, method: str, path: str, ask: dict) -> dict:
        found = [
            i
            for id_ in ask.get("collections") or self.collections
            for i in self.collections[id_]
            if _matches(i, ask)
        ]
        field = (ask.get("sortby") or [{}])[0]
        found.sort(key=lambda i: i["properties"]["datetime"], reverse=field.get("direction") != "asc")
        at, size = int(ask.get("token", 0)), min(int(ask.get("limit", 10)), self.how["page"])
        page = {"type": "FeatureCollection", "features": found[at : at + size], "links": []}
        if self.how["counts"]:
            page["numberMatched"] = len(found)
        if self.how["empty_first"] and at == 0 and "token" not in ask:
            page["features"], size = [], 0
        if at + size < len(found):
            token = 0 if self.how["circle"] else at + size
            page["links"] = [self.next(method, path, ask, token)]
        return page

    def next(self, method: str, path: str, ask: dict, token: int) -> dict:
        if method == "POST":
            return self.link("next", path, method="POST", body={"token": token}, merge=True)
        flat = {
            k: ",".join(map(str, v)) if k in ("bbox", "collections") else v
            for k, v in ask.items()
            if k != "sortby"
        }
        return self.link("next", f"{path}?{urlencode({**flat, 'token': token})}")


def _matches(stac: dict, ask: dict) -> bool:
    if ask.get("bbox"):
        west, south, east, north = (float(v) for v in ask["bbox"])
        w, s, e, n = stac["bbox"]
        if w > east or e < west or s > north or n < south:
            return False
    start, _, end = str(ask.get("datetime", "../..")).partition("/")
    when = stac["properties"]["datetime"]
    return (start == ".." or when >= start) and (end == ".." or when <= end)


def _handler(api: Api) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            ask = {k: v[0] for k, v in parse_qs(parts.query).items()}
            for name in ("bbox", "collections"):
                if name in ask:
                    ask[name] = ask[name].split(",")
            if "sortby" in ask:
                ask["sortby"] = [
                    {"field": ask["sortby"][1:], "direction": "desc" if ask["sortby"][0] == "-" else "asc"}
                ]
            self.reply(api.answer("GET", parts.path, ask))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.reply(api.answer("POST", urlsplit(self.path).path, body))

        def reply(self, doc: dict | None) -> None:
            text = json.dumps(doc).encode()
            self.send_response(404 if doc is None else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *args: object) -> None:
            pass

    return Handler


@pytest.fixture
def api() -> Iterator[Callable[..., Api]]:
    """Starts STAC APIs; they end with the test."""
    servers: list[ThreadingHTTPServer] = []

    def start(collections: dict[str, list[dict]], **how) -> Api:
        served = Api(collections, **how)
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(served))
        server.daemon_threads = True
        served.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        servers.append(server)
        return served

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
