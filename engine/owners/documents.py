"""Documents as owners send them, made whole: what STAC needs is filled in, what cannot be used is computed."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from engine.catalog import Home
from engine.catalog.changes import full_id
from engine.errors import Problem

Json = dict[str, Any]
OWNER = re.compile(r"(?!\.+$)[\w\-.~]{1,100}", re.ASCII)
NAME = re.compile(r"[^/:\0]{1,200}")
SPACE: Json = {"bbox": [[-180, -90, 180, 90]]}
TIME: Json = {"interval": [[None, None]]}


def home_meant(body: Mapping[str, Any], caller: str) -> Home:
    """Which collection a body means, by its `id` and `owner`; without one, it is the caller's.

    Raises:
        Problem: It names none.
    """
    owner, name = body.get("owner") or caller, body.get("id")
    if not isinstance(owner, str) or not OWNER.fullmatch(owner):
        raise refused(f"the owner {str(owner)[:80]!r} is no name of an account")
    if isinstance(name, str):
        name = name.removeprefix(f"{owner}:")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise refused(
            f"the id {str(name)[:80]!r} is none of a collection: a text of 1 to 200 characters without / and :"
        )
    return Home(full_id(owner, name), owner, name)


def collection_of(body: Mapping[str, Any], home: Home) -> Json:
    """A collection with all that STAC needs."""
    links = body.get("links")
    extent = body.get("extent")
    told = {k: v for k, v in body.items() if v is not None}
    filled = {
        "type": "Collection", "stac_version": "1.0.0", "license": "other",
        "description": f"Collection {home.name} of {home.owner}.",
    }  # fmt: skip
    return {
        **filled, **told, "id": home.name, "owner": home.owner,
        "links": [link for link in links if isinstance(link, dict)] if isinstance(links, list) else [],
        "extent": {"spatial": SPACE, "temporal": TIME, **(extent if isinstance(extent, dict) else {})},
    }  # fmt: skip


def item_of(body: Any, home: Home, stored: Json | None, days: float, now: datetime) -> Json:
    """An item with all that the catalogue writes into it.

    Args:
        body: As it comes.
        home: Its collection, which the body may call by any of its names.
        stored: As it was until now.
        days: Days after which it expires.
        now: What is written as the time of the change.

    Raises:
        Problem: It is none, or one of another collection.
    """
    if not isinstance(body, dict) or not isinstance(body.get("properties"), dict):
        raise refused("an item is a JSON object with properties")
    id_, collection = body.get("id"), body.get("collection")
    if not isinstance(id_, str) or not id_ or "/" in id_ or "\0" in id_:
        raise refused(f"the id {str(id_)[:80]!r} is none of an item: a text that is not empty, without /")
    if collection not in (None, home.name, home.id, home.joined):
        raise refused(
            f"the item's collection {str(collection)[:80]!r} is not that of the address, {home.name!r}"
        )
    if not isinstance(body.get("assets", {}), dict):
        raise refused("the assets of an item are an object")
    box = body.get("bbox")
    kept = {k: v for k, v in body.items() if k != "bbox"} | ({"bbox": box} if is_box(box) else {})
    published = instant((stored or {}).get("properties", {}).get("published")) or now
    own = {
        "owner": home.owner,
        "published": moment(published),
        "updated": moment(now),
        "expires": moment(published + timedelta(days=days)),
    }
    properties = {**body["properties"], **own}
    return {"assets": {}, **kept, "collection": home.id, "links": [], "properties": properties}


def is_box(value: Any) -> bool:
    """Is it a box that can be used: 4 or 6 numbers in WGS84 degrees, the lower edge below the upper one?"""
    if not isinstance(value, list) or len(value) not in (4, 6):
        return False
    if not all(isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v) for v in value):
        return False
    half = len(value) // 2
    west, south, east, north = value[0], value[1], value[half], value[half + 1]
    return max(abs(west), abs(east)) <= 180 and -90 <= south <= north <= 90


def moment(time: datetime) -> str:
    """An instant as it is written, so that texts sort as times do."""
    return time.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def instant(text: Any) -> datetime | None:
    """A time that was written; None where it is none."""
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def refused(why: str) -> Problem:
    """A document that cannot be taken."""
    return Problem("ParameterInvalid", why)
