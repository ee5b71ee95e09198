"""Items of a made-up archive, all of them from a seed; standard library alone, for peers make them, too."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

Json = dict[str, Any]
COLLECTIONS = ("optical-a", "optical-b", "radar", "thermal")
PLATFORMS = ("one", "two", "three", "four")
EUROPE = (-10.0, 36.0, 30.0, 60.0)
"""Half of all items lie here: archives are not the same everywhere."""
EARTH = (-177.0, -60.0, 177.0, 75.0)
"""The other half; none crosses the antimeridian, which the peer could not do."""
START = datetime(2019, 1, 1, tzinfo=UTC)
DAYS = 6 * 365
ASSETS = ("red", "green", "blue", "nir", "thumbnail")


def collection(name: str) -> Json:
    """A collection as STAC."""
    return {
        "type": "Collection", "stac_version": "1.1.0", "id": name, "description": "Made up.", "license": "other",
        "extent": {"spatial": {"bbox": [[-180, -90, 180, 90]]}, "temporal": {"interval": [[moment(0), None]]}},
        "links": [],
    }  # fmt: skip


def items(count: int, seed: int = 7, prefix: str = "item") -> Iterator[Json]:
    """So many items, of all collections in turns."""
    dice = Random(seed)
    for number in range(count):
        yield item(
            dice, f"{prefix}-{dice.getrandbits(32):08x}-{number:06d}", COLLECTIONS[number % len(COLLECTIONS)]
        )


def new_items(count: int, number: int) -> list[Json]:
    """So many items that are not in the archive, for the run of that number; all of one collection."""
    made = items(count, 1000 + number, f"new-{number}-{count}")
    return [{**one, "collection": COLLECTIONS[0]} for one in made]


def item(dice: Random, name: str, home: str) -> Json:
    """An item about a degree wide, turned a little as scenes are."""
    west, south, east, north = EUROPE if dice.random() < 0.5 else EARTH
    x, y, turn = dice.uniform(west, east), dice.uniform(south, north), dice.uniform(0.0, 0.3)
    corners = [
        (
            round(x + 0.7 * math.cos(turn + quarter * math.pi / 2), 6),
            round(y + 0.7 * math.sin(turn + quarter * math.pi / 2), 6),
        )
        for quarter in range(4)
    ]
    xs, ys = zip(*corners, strict=True)
    zone = int((x + 180) // 6) + 1
    place = f"https://data.example.org/{home}/{name}"
    return {
        "type": "Feature", "stac_version": "1.1.0", "id": name, "collection": home,
        "stac_extensions": ["https://stac-extensions.github.io/eo/v2.0.0/schema.json"],
        "geometry": {"type": "Polygon", "coordinates": [[*corners, corners[0]]]},
        "bbox": [min(xs), min(ys), max(xs), max(ys)],
        "properties": {
            "datetime": moment(dice.uniform(0, DAYS)),
            "created": moment(DAYS),
            "eo:cloud_cover": round(dice.uniform(0, 100), 6),
            "platform": dice.choice(PLATFORMS),
            "constellation": home,
            "instruments": ["camera"],
            "gsd": dice.choice((10, 20, 30, 60)),
            "proj:code": f"EPSG:{(32600 if y >= 0 else 32700) + zone}",
            "view:sun_azimuth": round(dice.uniform(0, 360), 3),
            "view:sun_elevation": round(dice.uniform(0, 90), 3),
        },
        "links": [{"rel": "license", "href": "https://data.example.org/license", "type": "text/html"}],
        "assets": {key: asset(dice, place, key) for key in ASSETS},
    }  # fmt: skip


def asset(dice: Random, place: str, key: str) -> Json:
    """A file of an item, with what archives say of it."""
    return {
        "href": f"{place}/{key}.tif",
        "type": "image/tiff; application=geotiff; profile=cloud-optimized",
        "title": f"{key} of a made-up scene",
        "roles": ["thumbnail"] if key == "thumbnail" else ["data"],
        "file:size": dice.randrange(10**7, 10**8),
        "file:checksum": f"1220{dice.getrandbits(256):064x}",
        "proj:shape": [10980, 10980],
        "proj:transform": [10.0, 0.0, 399960.0, 0.0, -10.0, 5700000.0],
        "raster:bands": [{"data_type": "uint16", "nodata": 0, "scale": 0.0001, "offset": -0.1}],
    }


def moment(day: float) -> str:
    """A time, so many days after the archive's start."""
    return (START + timedelta(days=day)).isoformat(timespec="microseconds").replace("+00:00", "Z")
