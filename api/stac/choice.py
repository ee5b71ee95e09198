"""Which collections are wanted: by place, time, words and order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api.stac.asked import Fields, by_address, instant_of, refused
from engine import Search

Json = dict[str, Any]
NAMES = frozenset(("bbox", "datetime", "sortby", "fields", "filter", "filter-lang", "filter-crs"))
IN_TEXT = ("id", "title", "description", "keywords")
WORDS = {
    "bbox": "A box that collections touch: west, south, east, north in WGS84 degrees.",
    "datetime": "An instant, or an interval with `/` between its ends; `..` is an open end.",
    "q": "Words in titles, descriptions and keywords, with commas between; one of them suffices.",
    "filter": "A condition in CQL2 on members of collections; `geometry` is what they cover.",
    "filter-lang": "`cql2-text` or `cql2-json`.",
    "filter-crs": "CRS of the condition's geometries; there is CRS84.",
    "sortby": "Members to sort by, with commas between; `-` before a name sorts downwards.",
    "fields": "Members that are wanted, with commas between; `-` before a name leaves it out.",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """What is asked of a list of collections."""

    search: Search
    fields: Fields
    words: tuple[str, ...] = ()
    """In lower case; one of them has to be in the texts of a collection."""


def choice_of(query: Sequence[tuple[str, str]]) -> Choice:
    """The choice that the parameters of an address make; those of others are passed over.

    Raises:
        Problem: One of them cannot be read.
    """
    asked = by_address([(k, v) for k, v in query if k in NAMES], NAMES)
    words = [w.strip().lower() for k, v in query if k == "q" for w in v.split(",")]
    return Choice(asked.search, asked.fields, tuple(w for w in words if w))


def wanted(collections: Sequence[Json], choice: Choice) -> list[Json]:
    """The collections of the choice, in its order."""
    found = [c for c in collections if fits(c, choice)]
    for sort in reversed(choice.search.sortby):
        having = [c for c in found if isinstance(value(c, sort.name), str | int | float)]
        lacking = [c for c in found if c not in having]
        kinds = {isinstance(value(c, sort.name), str) for c in having}
        if len(kinds) > 1:
            raise refused("sortby", f"{sort.name[:40]!r} is a text here and a number there")
        having.sort(key=lambda c: value(c, sort.name), reverse=sort.descending)
        found = having + lacking
    return found


def fits(collection: Json, choice: Choice) -> bool:
    """Is a collection one of the choice?"""
    wish, extent = choice.search, collection.get("extent", {})
    if choice.words and not any(word in text_of(collection) for word in choice.words):
        return False
    if wish.bbox is not None:
        boxes = extent.get("spatial", {}).get("bbox", [])
        if not any(meet(flat(box), wish.bbox) for box in boxes):
            return False
    if wish.start is None and wish.end is None:
        return True
    return any(
        (wish.end is None or first is None or instant_of(first) <= wish.end)
        and (wish.start is None or last is None or instant_of(last) >= wish.start)
        for first, last in extent.get("temporal", {}).get("interval", [])
    )


def text_of(collection: Json) -> str:
    """All that words are looked for in."""
    parts = [collection.get(name) for name in IN_TEXT]
    return " ".join(" ".join(p) if isinstance(p, list) else str(p) for p in parts if p).lower()


def value(collection: Mapping[str, Any], path: str) -> Any:
    """What stands at a path with dots."""
    found: Any = collection
    for step in path.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def flat(box: Sequence[float]) -> tuple[float, float, float, float]:
    """West, south, east, north of a box of 4 or 6 numbers."""
    half = len(box) // 2
    return box[0], box[1], box[half], box[half + 1]


def meet(one: Sequence[float], other: Sequence[float]) -> bool:
    """Do two boxes touch? Either may cross the antimeridian (west > east)."""
    if one[1] > other[3] or other[1] > one[3]:
        return False
    return any(a[0] <= b[1] and b[0] <= a[1] for a in turns(one) for b in turns(other))


def turns(box: Sequence[float]) -> list[tuple[float, float]]:
    """The longitudes of a box, as one or two ranges."""
    return [(box[0], box[2])] if box[0] <= box[2] else [(box[0], 180.0), (-180.0, box[2])]
