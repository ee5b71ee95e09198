"""A catalogue as columns in memory, each search a few masks over all of them; what is written goes to a file."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely.geometry import shape

from benchmarks import archive
from benchmarks.child import Work
from benchmarks.laps import in_laps
from benchmarks.wishes import CLOUD, wishes


class Columns:
    """All items, the latest first."""

    def __init__(self, items: Iterable[archive.Json]) -> None:
        ordered = sorted(items, key=lambda i: (i["properties"]["datetime"], i["id"]), reverse=True)
        told = [item["properties"] for item in ordered]
        self.docs = [json.dumps(item) for item in ordered]
        self.at = {item["id"]: n for n, item in enumerate(ordered)}
        self.homes = np.array([item["collection"] for item in ordered])
        self.times = np.array([microseconds(one["datetime"]) for one in told])
        self.clouds = np.array([one[CLOUD] for one in told])
        self.platforms = np.array([one["platform"] for one in told])
        self.shapes = np.array([shape(item["geometry"]) for item in ordered], dtype=object)
        self.tree = shapely.STRtree(self.shapes)

    def found(self, body: Mapping[str, Any]) -> list[str]:
        """Ids of the first items that a search of ours asks for."""
        rows = np.arange(len(self.docs))
        if "bbox" in body or "intersects" in body:
            place = shapely.box(*body["bbox"]) if "bbox" in body else shape(body["intersects"])
            rows = np.sort(self.tree.query(place, predicate="intersects"))
        if "datetime" in body:
            start, end = map(microseconds, body["datetime"].split("/"))
            rows = rows[(self.times[rows] >= start) & (self.times[rows] <= end)]
        if "collections" in body:
            rows = rows[np.isin(self.homes[rows], body["collections"])]
        if "filter" in body:
            rows = rows[self.matching(body["filter"], rows)]
        if "sortby" in body:
            rows = rows[np.argsort(self.clouds[rows], kind="stable")]
        return [json.loads(self.docs[row])["id"] for row in rows[: body["limit"]]]

    def matching(self, wish: Mapping[str, Any], rows: np.ndarray) -> np.ndarray:
        """Which rows a filter of ours is true of."""
        one, other = wish["args"]
        if wish["op"] == "and":
            return self.matching(one, rows) & self.matching(other, rows)
        return self.clouds[rows] < other if wish["op"] == "<" else self.platforms[rows] == other


def microseconds(text: str) -> int:
    """A time as a number."""
    return round(datetime.fromisoformat(text).timestamp() * 1e6)


def search(facts: Mapping[str, Any]) -> Work:
    """Searches of a family."""
    columns = Columns(archive.items(facts["items"]))
    return in_laps(columns.found, lambda _: wishes(facts["family"], facts["queries"]))


def get(facts: Mapping[str, Any]) -> Work:
    """Single items, by id."""
    columns = Columns(archive.items(facts["items"]))
    known = [item["id"] for item in archive.items(facts["queries"])]
    return in_laps(lambda name: [json.loads(columns.docs[columns.at[name]])["id"]], lambda _: known)


def insert(facts: Mapping[str, Any]) -> Work:
    """New items, each on the disk before the next."""
    place = Path(tempfile.mkdtemp()) / "items.ndjson"

    def put(item: archive.Json) -> list[str]:
        append(place, [item])
        return [item["id"]]

    return in_laps(put, lambda number: archive.new_items(facts["queries"], number))


def many(facts: Mapping[str, Any]) -> Work:
    """Many items at once."""
    place = Path(tempfile.mkdtemp()) / "items.ndjson"

    def run(items: list[archive.Json]) -> int:
        append(place, items)
        return len(items)

    return Work(run, lambda count: {"items": count}, lambda number: archive.new_items(facts["many"], number))


def append(place: Path, items: Iterable[archive.Json]) -> None:
    """Write items to the end of a file, and to the disk."""
    with place.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(item) + "\n" for item in items)
        file.flush()
        os.fsync(file.fileno())
