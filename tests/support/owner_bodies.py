"""Collections and items of owners, as the profile shows them and as tests need them."""

from __future__ import annotations

from typing import Any

COLLECTION: dict[str, Any] = {
    "id": "test_collection",
    "type": "Collection",
    "description": "Collection description",
    "stac_version": "1.0.0",
    "owner": "test_owner",
}
UPDATED = {**COLLECTION, "description": "Updated collection description"}
FILES = (
    "S1SIWOCN_20220412T054447_0024_S139_T717.zarr.zip",
    "S1SIWOCN_20220412T054447_0024_S139_T420.cog.zip",
    "S1SIWOCN_20220412T054447_0024_S139_T902.nc",
)
FEATURE: dict[str, Any] = {
    "collection": "S1_L2",
    "assets": {
        "zarr": {
            "href": "s3://temp-bucket/S1SIWOCN_20220412T054447_0024_S139_T717.zarr.zip",
            "roles": ["data"],
        },
        "cog": {
            "href": "s3://temp-bucket/S1SIWOCN_20220412T054447_0024_S139_T420.cog.zip",
            "roles": ["data"],
        },
        "ncdf": {"href": "s3://temp-bucket/S1SIWOCN_20220412T054447_0024_S139_T902.nc", "roles": ["data"]},
    },
    "bbox": [0],
    "geometry": {
        "type": "Polygon",
        "coordinates": [
            [
                [-94.6334839, 37.0595608],
                [-94.6334839, 37.0332547],
                [-94.6005249, 37.0332547],
                [-94.6005249, 37.0595608],
                [-94.6334839, 37.0595608],
            ]
        ],
    },
    "id": "S1SIWOCN_20220412T054447_0024_S139",
    "links": [{"href": "./.zattrs.json", "rel": "self", "type": "application/json"}],
    "other_metadata": {},
    "properties": {
        "gsd": 0.5971642834779395,
        "width": 2500,
        "height": 2500,
        "datetime": "2000-02-02T00:00:00Z",
        "proj:epsg": 3857,
        "orientation": "nadir",
    },
    "stac_extensions": ["https://stac-extensions.github.io/eopf/v1.0.0/schema.json"],
    "stac_version": "1.0.0",
    "type": "Feature",
}


def item(id_: str, *files: str, **properties: Any) -> dict[str, Any]:
    """An item with files, each an asset of its own name."""
    return {
        "type": "Feature", "stac_version": "1.0.0", "id": id_, "links": [],
        "geometry": {"type": "Point", "coordinates": [10, 50]},
        "properties": {"datetime": "2024-02-11T12:09:32Z", **properties},
        "assets": {name: {"href": f"s3://temp-bucket/{name}", "roles": ["data"]} for name in files},
    }  # fmt: skip
