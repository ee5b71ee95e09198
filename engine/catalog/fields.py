"""What a collection says of its features: where and when they are, and which properties they have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.catalog.documents import STAC_VERSION, Record
from engine.catalog.fold import FEW, Ground, Range
from engine.catalog.model import Json
from engine.catalog.summaries import Glance
from engine.catalog.tables import BARE
from engine.catalog.texts import as_text
from engine.catalog.times import ALWAYS, EVER, rfc3339

TABLE = "https://stac-extensions.github.io/table/v1.2.0/schema.json"
DATACUBE = "https://stac-extensions.github.io/datacube/v2.3.0/schema.json"
MOST = 1000
"""Properties that are told."""
LONGEST = 200
"""Characters of a text that is told among the values of a property."""
WORLD = (-180.0, -90.0, 180.0, 90.0)
TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
"""Types of values as JSON Schema calls them."""


def glance(record: Record) -> Glance:
    """What the description of a collection wants to know of one feature."""
    geometry = record.doc["geometry"]
    seen = {name: _seen(value) for name, value in record.doc["properties"].items() if value is not None}
    varies: Json = {
        "span": None if record.span == ALWAYS else list(record.span),
        "box": list(record.footprint.box) if record.footprint is not None else None,
        "shape": geometry["type"] if geometry is not None else None,
        "fields": seen,
    }
    return Glance(as_text(varies), BARE)


def _seen(value: Any) -> list[Any]:
    """The type of a value, and a plain one itself."""
    type_ = TYPES[type(value)]
    is_told = type_ in ("integer", "number") or (type_ == "string" and len(value) <= LONGEST)
    return [type_, value] if is_told else [type_]


@dataclass(slots=True)
class Values:
    """What is known of the values of one property."""

    types: dict[str, None] = field(default_factory=dict)
    numbers: Range = field(default_factory=lambda: Range(FEW))
    texts: Range = field(default_factory=lambda: Range(FEW))
    is_whole: bool = True
    """Are all texts among those that are told?"""

    def add(self, type_: str, told: list[Any]) -> None:
        """Take one in: its type, and the value where it is told."""
        self.types.setdefault(type_)
        for value in told:
            (self.texts if type_ == "string" else self.numbers).add(value)
        self.is_whole = self.is_whole and (type_ != "string" or bool(told))

    @property
    def type_(self) -> str | None:
        """The one type of all values; None: there are several."""
        found = set(self.types)
        if found == {"integer", "number"}:
            return "number"
        return found.pop() if len(found) == 1 else None

    @property
    def summary(self) -> Any:
        """The values where they are few, else their range; None where neither says much."""
        if self.type_ in ("integer", "number"):
            few = self.numbers.each
            return (
                sorted(few)
                if few is not None
                else {"minimum": self.numbers.low, "maximum": self.numbers.high}
            )
        few = self.texts.each if self.type_ == "string" and self.is_whole else None
        return sorted(few) if few else None


@dataclass(slots=True)
class Features:
    """All that the description of a collection wants to know of its features."""

    count: int = 0
    first: int = EVER
    last: int = -EVER
    is_timed: bool = False
    """Has any of them a time?"""
    ground: Ground = field(default_factory=Ground)
    shapes: dict[str, None] = field(default_factory=dict)
    """Types of geometries."""
    fields: dict[str, Values] = field(default_factory=dict)

    def add(self, varies: Json, _: Json) -> None:
        """Take a feature in."""
        self.count += 1
        if (span := varies["span"]) is not None:
            self.is_timed = True
            self.first, self.last = min(self.first, span[0]), max(self.last, span[1])
        if (box := varies["box"]) is not None:
            self.ground.add((box[0], box[1], box[2], box[3]))
        if (shape := varies["shape"]) is not None:
            self.shapes.setdefault(shape)
        for name, (type_, *told) in varies["fields"].items():
            if name in self.fields or len(self.fields) < MOST:
                self.fields.setdefault(name, Values()).add(type_, told)

    def told(self, collection: Mapping[str, Any]) -> Json:
        """The collection, complete, as openEO and STAC have collections, by what is known of its features."""
        interval = [[rfc3339(t) if abs(t) < EVER else None for t in (self.first, self.last)]]
        out: Json = {
            "stac_version": STAC_VERSION,
            "license": "other",
            "links": [],
            "extent": {"spatial": {"bbox": [list(WORLD)]}, "temporal": {"interval": [[None, None]]}},
            **collection,
            "itemType": "feature",
        }
        out.setdefault("description", f"Features of {out['id']}.")
        out["stac_extensions"] = list(dict.fromkeys([*out.get("stac_extensions", []), DATACUBE, TABLE]))
        if not self.count:
            return out
        box = self.ground.box()
        out["extent"] = {
            "spatial": {"bbox": [list(box)]} if box is not None else {"bbox": [list(WORLD)]},
            "temporal": {"interval": interval if self.is_timed else [[None, None]]},
        }
        out["cube:dimensions"] = {"geometry": _dimension(box or WORLD, list(self.shapes))}
        columns = [_column(name, values) for name, values in self.fields.items()]
        out |= {"table:columns": columns, "table:row_count": self.count, "table:primary_geometry": "geometry"}
        summed = {name: values.summary for name, values in self.fields.items()}
        given = out.get("summaries")
        own = {name: told for name, told in summed.items() if told is not None}
        out["summaries"] = (given if isinstance(given, dict) else {}) | own
        return out


def _dimension(box: tuple[float, ...], shapes: list[str]) -> Json:
    """The one dimension of a vector cube of the features."""
    out: Json = {"type": "geometry", "axes": ["x", "y"], "bbox": list(box), "reference_system": 4326}
    return out | ({"geometry_types": shapes} if shapes else {})


def _column(name: str, values: Values) -> Json:
    return {"name": name} | ({"type": values.type_} if values.type_ is not None else {})
