"""Features of any kind, checked and ready to be kept: parcels, tracks, stations; no STAC is asked of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.catalog.documents import UNSOUND, Record, record
from engine.catalog.filters.instants import span_of_text
from engine.catalog.model import Entry, has_features
from engine.catalog.space import footprint
from engine.catalog.texts import as_text
from engine.catalog.times import ALWAYS, Span
from engine.errors import Problem

TIME = "gdc:time"
"""In a collection of features: names of the property that is their time, or of the two that are its ends."""
SOURCE_CRS = "gdc:crs"
"""In a collection of features: the EPSG code of what the source had them in, in which they are given, too."""
USUAL: tuple[tuple[str, ...], ...] = (("datetime",), ("start_datetime", "end_datetime"))
"""What these are where the collection names none."""
OF_STAC = frozenset({"stac_version", "stac_extensions", "assets"})
"""Members that clients may send along, and that say nothing of a feature."""


def record_of(entry: Entry) -> Record:
    """The item of an entry, or its feature where its collection holds these, as it is kept.

    Raises:
        Problem: It is not sound; all its faults are named.
    """
    return feature_record(entry) if has_features(entry.collection) else record(entry)


def feature_record(entry: Entry) -> Record:
    """A GeoJSON feature as it is kept; its geometry is in CRS84, its id a text.

    Raises:
        Problem: It is not sound; all its faults are named.
    """
    feature, collection = entry.item, entry.collection
    if faults := list(_faults(feature)):
        raise _refused(feature, entry, faults)
    assert feature is not None
    doc = {k: v for k, v in feature.items() if k not in OF_STAC}
    properties = dict(feature.get("properties") or {})
    if "stac_version" in feature and properties.get("datetime", "") is None:
        del properties["datetime"]  # it came with the shape of an item
    doc |= {"id": str(feature["id"]), "collection": collection["id"], "properties": properties}
    try:
        span = span_of(doc["properties"], collection.get(TIME))
        ground = footprint(doc.setdefault("geometry", None), doc.get("bbox"))
        if ground is not None:
            doc.setdefault("bbox", list(ground.box))
        text = as_text(doc)
    except UNSOUND as cause:
        raise _refused(feature, entry, [str(cause)]) from cause
    return Record(doc["id"], doc, text, span, ground, is_instant=span[0] == span[1])


def span_of(properties: Mapping[str, Any], names: Any = None) -> Span:
    """When a feature is, by its properties of these names: an instant, a day, a span, or always.

    Raises:
        ValueError: A value is no date and no time.
    """
    told = (
        names if _are_names(names) else next((n for n in USUAL if properties.get(n[0]) is not None), USUAL[0])
    )
    ends = [_moment(name, properties.get(name)) for name in (told[0], told[-1])]
    first, last = ends[0][0], ends[1][1]
    if first > last:
        raise ValueError(f"its {told[0]} lies after its {told[-1]}")
    return first, last


def usual_span(properties: Mapping[str, Any]) -> Span:
    """When a feature is of which its collection is not known; always, where it does not tell by the usual names."""
    try:
        return span_of(properties)
    except ValueError:
        return ALWAYS


def _moment(name: str, value: Any) -> Span:
    if value is None:
        return ALWAYS
    found = span_of_text(value, local=True) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"its {name} {str(value)[:80]!r} is no date and no time as RFC 3339 has them")
    return found


def _are_names(names: Any) -> bool:
    return isinstance(names, Sequence) and len(names) in (1, 2) and all(isinstance(n, str) for n in names)


def _faults(feature: Any) -> Iterator[str]:
    if not isinstance(feature, Mapping):
        yield f"it is {type(feature).__name__}, not a JSON object"
        return
    if feature.get("type") != "Feature":
        yield f"its type is {feature.get('type')!r}, not 'Feature'"
    id_ = feature.get("id")
    if isinstance(id_, bool) or not isinstance(id_, str | int | float) or id_ == "":
        yield f"its id is {id_!r}, not a text or a number"
    if not isinstance(feature.get("properties"), dict | None):
        yield f"its properties are {type(feature['properties']).__name__}, not an object or null"
    if not isinstance(feature.get("links", []), list):
        yield "its links are not a list"
    if feature.get("assets"):
        yield "it has assets, as STAC items have them, and this collection holds features"


def _refused(feature: Any, entry: Entry, faults: list[str]) -> Problem:
    name = feature.get("id") if isinstance(feature, Mapping) else None
    told = f"{entry.where}: " if entry.where else ""
    return Problem(
        "FileContentInvalid",
        f"{told}{name!r} is no feature that can be kept: {'; '.join(faults)}.",
        hint="Send a GeoJSON feature in longitude and latitude (CRS84).",
        facts={"id": name, "where": entry.where, "faults": faults},
    )
