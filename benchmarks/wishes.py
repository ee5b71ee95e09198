"""Searches of an archive, as a STAC API is asked: seven families, each drawn at random from a seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random

from benchmarks.archive import COLLECTIONS, DAYS, PLATFORMS, Json, item, moment

LIMIT = 100
CLOUD = "eo:cloud_cover"


def small_box(dice: Random) -> Json:
    """A box of 2 degrees and 180 days."""
    return {"bbox": box(dice, 2), "datetime": days(dice, 180)}


def clear_box(dice: Random) -> Json:
    """A box of 10 degrees, a year, few clouds."""
    return {"bbox": box(dice, 10), "datetime": days(dice, 365), **cql2(below(20))}


def attributes(dice: Random) -> Json:
    """Few clouds and one platform, wherever and whenever."""
    same = {"op": "=", "args": [{"property": "platform"}, dice.choice(PLATFORMS)]}
    return cql2({"op": "and", "args": [below(dice.randrange(5, 50)), same]})


def triangle(dice: Random) -> Json:
    """A triangle, a year, two collections."""
    x, y = centre(dice)
    ring = [[x - 3, y - 2], [x + 3, y - 2], [x, y + 3], [x - 3, y - 2]]
    return {
        "intersects": {"type": "Polygon", "coordinates": [ring]},
        "datetime": days(dice, 365),
        "collections": sorted(dice.sample(COLLECTIONS, 2)),
    }


def latest_of_one(dice: Random) -> Json:
    """The latest of a collection."""
    return {"collections": [dice.choice(COLLECTIONS)]}


def clearest_in_box(dice: Random) -> Json:
    """A box of 20 degrees, the clearest first."""
    return {"bbox": box(dice, 20), "sortby": [{"field": f"properties.{CLOUD}", "direction": "asc"}]}


def latest_of_all(_: Random) -> Json:
    """The latest of everything."""
    return {}


FAMILIES: Mapping[str, Callable[[Random], Json]] = {
    "box of 2 degrees, 180 days": small_box,
    "box of 10 degrees, a year, few clouds": clear_box,
    "attributes": attributes,
    "triangle, a year, 2 collections": triangle,
    "latest of a collection": latest_of_one,
    "box of 20 degrees, clearest first": clearest_in_box,
    "latest of everything": latest_of_all,
}


def wishes(family: str, count: int) -> list[Json]:
    """So many searches of a family."""
    dice = Random(family)
    return [{**FAMILIES[family](dice), "limit": LIMIT} for _ in range(count)]


def centre(dice: Random) -> tuple[float, float]:
    """Where an item of the archive might be: searches go where the data is. Nothing near the antimeridian."""
    west, south, east, north = item(dice, "", COLLECTIONS[0])["bbox"]
    x, y = (west + east) / 2, (south + north) / 2
    return max(-165.0, min(165.0, round(x, 3))), round(y, 3)


def box(dice: Random, size: float) -> list[float]:
    """A box around such a place."""
    x, y = centre(dice)
    return [x - size / 2, y - size / 2, x + size / 2, y + size / 2]


def days(dice: Random, length: int) -> str:
    """So many days on end."""
    first = dice.uniform(0, DAYS - length)
    return f"{moment(first)}/{moment(first + length)}"


def below(most: float) -> Json:
    """Fewer clouds than that."""
    return {"op": "<", "args": [{"property": CLOUD}, most]}


def cql2(wish: Json) -> Json:
    """A filter as a search has it."""
    return {"filter": wish, "filter-lang": "cql2-json"}
