"""A small collection of scenes, as clients write it."""

from __future__ import annotations

import httpx


def made(id_: str, collection: str = "sat", box=(10, 50, 11, 51), **properties) -> dict:
    """An item, which fills a box."""
    west, south, east, north = box
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {
        "type": "Feature", "stac_version": "1.0.0", "id": id_, "collection": collection, "links": [],
        "geometry": {"type": "Polygon", "coordinates": [ring]}, "bbox": list(box),
        "properties": {"datetime": "2024-02-11T12:09:32Z", **properties},
        "assets": {"data": {"href": f"https://data.example/{id_}.tif", "roles": ["data"]}},
    }  # fmt: skip


COLLECTION = {
    "type": "Collection", "stac_version": "1.0.0", "id": "sat", "description": "Scenes of a satellite", "license": "CC0-1.0",
    "title": "Satellite", "keywords": ["optical"], "links": [],
    "extent": {"spatial": {"bbox": [[-180, -90, 180, 90]]}, "temporal": {"interval": [[None, None]]}},
}  # fmt: skip


def scenes(count: int) -> list[dict]:
    """Items a day and a degree apart, each cloudier by 5 % than the one before; their files are nowhere."""
    return [
        made(
            f"i{n:02}", box=(10 + n, 50, 10.5 + n, 51), datetime=f"2024-02-{n + 1:02}T10:00:00Z",
            platform="one" if n % 2 else "two", **{"eo:cloud_cover": 5 * n},
        )
        for n in range(count)
    ]  # fmt: skip


def fill(writer: httpx.Client, count: int, host: str = "https://data.example") -> None:
    """Make the collection with so many items, unless it is there; `host` is where their files should be."""
    if writer.get("/collections/sat").status_code == 404:
        writer.post("/collections", json=COLLECTION).raise_for_status()
        features = scenes(count)
        for feature in features:
            feature["assets"]["data"]["href"] = f"{host}/{feature['id']}.tif"
        docs = {"type": "FeatureCollection", "features": features}
        writer.post("/collections/sat/items", json=docs).raise_for_status()
