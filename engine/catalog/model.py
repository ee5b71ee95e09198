"""The catalogue's frozen values: what is asked of it, what it found, and what it took in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import isfinite
from typing import Any

import pystac

from engine.errors import Problem

Box = tuple[float, float, float, float]
"""West, south, east, north in WGS84 degrees; where west > east it crosses the antimeridian."""

Json = dict[str, Any]

FEATURES = "Features"
"""The `type` of a collection, as it is kept, that holds features of any kind instead of STAC items."""

OF_FEATURES = FEATURES.lower()
"""The kind of such a collection in the table."""

Predicate = Callable[[Any], Any]
"""Says of the value of an item's property (None where the item lacks it) whether the item is wanted."""


@dataclass(frozen=True)
class Query:
    """Which items of a collection are wanted."""

    collection: str
    """Id of the collection. `open_stac` does not look at it: there the address says what is searched."""
    bbox: Box | None = None
    """Items whose footprint touches this box: west, south, east, north in WGS84 degrees."""
    start: datetime | None = None
    """Beginning of the wished time, itself included. Without a time zone it is UTC."""
    end: datetime | None = None
    """End of the wished time, itself excluded. Without a time zone it is UTC."""
    properties: Mapping[str, Predicate] = field(default_factory=dict)
    """Name of an item property -> predicate; an item passes where every predicate gives True."""
    counted: bool = True
    """Are all items of the collection counted, even where some are found? In large ones that takes a while."""

    def __post_init__(self) -> None:
        for name in ("start", "end"):
            if (moment := getattr(self, name)) is not None:
                object.__setattr__(self, name, _in_utc(moment))
        if self.bbox is not None:
            object.__setattr__(self, "bbox", _checked_box(self.bbox))

    @property
    def timed(self) -> bool:
        """Whether the query says anything about time."""
        return self.start is not None or self.end is not None


@dataclass(frozen=True)
class Funnel:
    """How many items were left after each step of a search.

    Where a STAC API searched for us, the steps count what it sent back; only when nothing came back
    are the first steps the server's own counts, so that one sees which wish emptied the result.
    """

    collection: int | None
    """Items there are; None where nobody wanted to know, since some were found."""
    bbox: int
    """Of these, items that touch the box."""
    time: int
    """Of these, items in the wished time."""
    properties: int
    """Of these, items that every predicate lets pass: those found."""
    nearest: tuple[datetime, ...] = ()
    """Where items touch the box but none of them is in time: up to 4 of their dates, nearest first."""

    def json(self) -> Json:
        """The funnel as a JSON object."""
        return {
            "collection": self.collection,
            "bbox": self.bbox,
            "time": self.time,
            "properties": self.properties,
            "nearest": [moment.isoformat().replace("+00:00", "Z") for moment in self.nearest],
        }


@dataclass(frozen=True)
class Found:
    """The answer to a query."""

    items: tuple[pystac.Item, ...]
    """All items that match, sorted by time, then id; every href is absolute."""
    funnel: Funnel
    """How the search came down to them."""


@dataclass(frozen=True)
class Added:
    """What one source brought into one collection."""

    collection: str
    """Id of the collection."""
    items_new: int
    """Items that were not there before."""
    items_updated: int
    """Items that were there and now read as the source has them."""


@dataclass(frozen=True)
class Entry:
    """One thing that a source holds: an item and its collection, or the bare news of a collection."""

    collection: Json
    """The STAC collection, or one of `FEATURES`; one without a `description` only names it and changes nothing that is
    stored."""
    item: Json | None = None
    """A STAC item with absolute hrefs, or a feature."""
    where: str = ""
    """The file or address it was read from, for messages."""


def has_features(collection: Mapping[str, Any]) -> bool:
    """Does a collection, as it is kept or described, hold features of any kind instead of STAC items?"""
    return collection.get("type") == FEATURES


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _checked_box(bbox: Any) -> Box:
    box = tuple(float(edge) for edge in bbox)
    if len(box) != 4 or not all(isfinite(edge) for edge in box):
        raise Problem(
            "ProcessParameterInvalid",
            f"a bounding box has 4 finite numbers (west, south, east, north); this is {list(bbox)}.",
        )
    if box[1] > box[3]:
        raise Problem(
            "ProcessParameterInvalid",
            f"the bounding box has south {box[1]:g} above north {box[3]:g}.",
            hint="Give west, south, east, north in WGS84 degrees; only west may exceed east.",
        )
    return box[0], box[1], box[2], box[3]
