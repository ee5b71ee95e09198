"""Items whose assets have to be there first: each lies in our storage, under a path that tells where it belongs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any, Protocol

from pystac.utils import str_to_datetime

from engine.errors import Problem, Problems
from engine.profiles import summaries

Json = dict[str, Any]
OF_CATALOG = re.compile(r"catalog/([^/]+)/(\d{4})/(\d\d)/(\d\d)/([^/]+)/(.+)", re.ASCII)
OF_PROJECT = re.compile(r"project/([^/]+)/([^/]+)/(.+)")
TESTING = "--qa"
"""What clients append to the name of a collection that they try out; paths go without it."""
INVALID = "ItemInvalid"


class Storage(Protocol):
    """Where assets lie."""

    def path_of(self, href: str) -> str | None:
        """The path of an object by its absolute address here; None for other addresses."""

    def has(self, path: str) -> bool:
        """Is there such an object?"""


def check(item: Json, collection: Mapping[str, Any], storage: Storage) -> None:
    """Hold an item of a collection against all rules.

    Raises:
        Problems: Each asset and each property that is not as it should be.
    """
    found = [*asset_faults(item, str(collection["id"]), storage)]
    found += [
        (f"properties.{name}", f"property {name!r}: {why}")
        for name, why in summaries.faults(collection.get("summaries") or {}, item)
    ]
    refuse(found)


def check_of_project(item: Json, project: str, storage: Storage) -> None:
    """Hold an item of a project against the rules: summaries are none of its business.

    Raises:
        Problems: Each asset that is not as it should be.
    """
    found = []
    for key, asset in item.get("assets", {}).items():
        path = storage.path_of(str(asset.get("href")))
        parts = OF_PROJECT.fullmatch(path) if path is not None else None
        if path is None:
            found.append((f"assets.{key}", nowhere(key, asset)))
        elif OF_CATALOG.fullmatch(path) is None and (parts is None or parts[1] != project):
            found.append((f"assets.{key}", f"asset {key!r}: {path!r} is no path of project {project!r}"))
        elif parts is not None and parts[2] != item["id"]:
            found.append((f"assets.{key}", f"asset {key!r}: the path names the item {parts[2]!r}"))
        elif not storage.has(path):
            found.append((f"assets.{key}", missing(key, path)))
    refuse(found)


def refuse(found: list[tuple[str, str]]) -> None:
    """Refuse an item for these faults, each with the field that it is about."""
    if found:
        raise Problems([Problem(INVALID, why, facts={"field": field}) for field, why in found])


def asset_faults(item: Json, collection: str, storage: Storage) -> Iterator[tuple[str, str]]:
    """What is wrong with assets, each with its field."""
    days = days_of(item["properties"])
    for key, asset in item.get("assets", {}).items():
        field = f"assets.{key}"
        path = storage.path_of(str(asset.get("href")))
        if path is None:
            yield field, nowhere(key, asset)
            continue
        parts = OF_CATALOG.fullmatch(path)
        if parts is None:
            yield field, f"asset {key!r}: {path!r} is not of the form catalog/COLLECTION/YYYY/MM/DD/ITEM/FILE"
            continue
        told = "/".join(parts.group(2, 3, 4))
        if parts[1] != collection.removesuffix(TESTING):
            yield field, f"asset {key!r}: the path names the collection {parts[1]!r}, not {collection!r}"
        if parts[5] != item["id"]:
            yield field, f"asset {key!r}: the path names the item {parts[5]!r}, not {item['id']!r}"
        if days is not None and not days[0] <= told <= days[1]:
            when = days[0] if days[0] == days[1] else f"{days[0]} to {days[1]}"
            yield field, f"asset {key!r}: the path has the date {told}, and the item is of {when}"
        if not storage.has(path):
            yield field, missing(key, path)


def nowhere(key: str, asset: Json) -> str:
    """The words for an asset that is not in the storage."""
    return f"asset {key!r}: {str(asset.get('href'))[:300]!r} is no absolute address in this server's storage"


def missing(key: str, path: str) -> str:
    """The words for an asset that is not there."""
    return f"asset {key!r}: there is no object {path!r}; upload it first, or add it to the item later"


def days_of(properties: Mapping[str, Any]) -> tuple[str, str] | None:
    """First and last day (UTC) of the acquisition as paths have it; when something was processed is not looked at."""
    if (instant := properties.get("datetime")) is not None:
        return (day_of(instant),) * 2
    ends = properties.get("start_datetime"), properties.get("end_datetime")
    return (day_of(ends[0]), day_of(ends[1])) if None not in ends else None


def day_of(text: Any) -> str:
    """The day of an instant, in UTC."""
    try:
        moment: datetime = str_to_datetime(text)
    except (ValueError, TypeError, OverflowError) as cause:
        raise Problem(INVALID, f"{text!r} is no date and time as RFC 3339 has it") from cause
    day: date = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).date()
    return day.strftime("%Y/%m/%d")
