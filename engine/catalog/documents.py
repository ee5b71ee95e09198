"""STAC documents made whole: checked, brought to STAC 1.1, with absolute hrefs, ready to be kept."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from pystac.errors import STACError
from pystac.serialization import identify_stac_object, migrate_to_latest

from engine.catalog.model import FEATURES, Entry, Json, has_features
from engine.catalog.space import Footprint, footprint
from engine.catalog.texts import as_text
from engine.catalog.times import Span, span_of
from engine.errors import Problem

STAC_VERSION = "1.1.0"
OLD_PROJECTION = "/projection/v1"
"""In the names of the versions of the projection extension that have `proj:epsg` in place of `proj:code`."""

LOCAL_SCHEMES = frozenset(("file", "zip", "tar", "gzip", "gz", "memory", "vrt"))
UNSOUND = (ValueError, TypeError, OverflowError, RecursionError)
"""What a document that cannot be kept raises."""


@dataclass(frozen=True)
class Record:
    """An item that has been checked, with what a search wants to know of it."""

    id: str
    """Its id, unique in its collection."""
    doc: Json
    """The STAC item, version 1.1, hrefs absolute."""
    text: str
    """The same, as it is kept."""
    span: Span
    """When it is."""
    footprint: Footprint | None
    """Where it is; None where it has neither geometry nor bbox."""
    is_instant: bool
    """Is it of one instant, and not of a span?"""


def record(entry: Entry) -> Record:
    """Check the item of an entry and bring it to the form that is kept; Problem names all its faults."""
    item, collection = entry.item, entry.collection["id"]
    if faults := list(_faults(item)):
        raise _refused(item, entry.where, faults)
    assert item is not None
    doc = _upgraded({**item, "collection": collection}, entry.where)
    try:
        span = span_of(doc["properties"])
        ground = footprint(doc.get("geometry"), doc.get("bbox"))
        doc.setdefault("geometry", None)
        if ground is not None and doc.get("bbox") is None:
            doc["bbox"] = list(ground.box)
        text = as_text(doc)
    except UNSOUND as cause:
        raise _refused(item, entry.where, [str(cause)]) from cause
    is_instant = doc["properties"].get("datetime") is not None
    return Record(doc["id"], doc, text, span, ground, is_instant)


def checked_collection(collection: Any, where: str = "") -> Json:
    """The collection as it is kept: brought to STAC 1.1 where it is whole, refused where it has no id.

    One of `FEATURES` is no STAC, and stays as it is.
    """
    told = f"{where}: " if where else ""
    if not isinstance(collection, Mapping) or not _is_name(collection.get("id")):
        raise Problem(
            "FileContentInvalid", f"{told}a collection needs an id, which is a text that is not empty."
        )
    doc = {**collection, "type": FEATURES if has_features(collection) else "Collection"}
    if not isinstance(doc.get("links", []), list):
        raise Problem("FileContentInvalid", f"{told}the links of collection {doc['id']!r} are not a list.")
    try:
        as_text(doc)
    except UNSOUND as cause:
        raise _refused(doc, where, [str(cause)]) from cause
    return (
        doc if is_bare(doc) or has_features(doc) else _upgraded({"stac_version": STAC_VERSION, **doc}, where)
    )


def bare(id: str) -> Json:  # noqa: A002 (STAC's own name)
    """A collection of which nothing is known but its id."""
    return {"type": "Collection", "id": id}


def is_bare(collection: Mapping[str, Any]) -> bool:
    """Whether a collection only names itself, so that it says nothing against what is stored of it."""
    return "description" not in collection


def is_remote(href: str) -> bool:
    """Whether the href is a web address."""
    return urlsplit(href).scheme.lower() in ("http", "https")


def is_absolute(href: str) -> bool:
    """Whether the href says by itself where the thing is."""
    return href.startswith(("/", "data:", "urn:")) or "://" in href


def local_path(href: str) -> str:
    """The absolute path of a local href, which may be a `file://` address."""
    path = unquote(urlsplit(href).path) if href.lower().startswith("file://") else href
    return os.path.normpath(os.path.abspath(path))  # noqa: PTH100 (hrefs are texts, pathlib drops trailing dots)


def resolved(href: str, start: str) -> str:
    """`href`, as it is written in the document at `start`, made absolute."""
    if is_remote(start):
        if _is_local_scheme(href):
            raise Problem(
                "FilePathInvalid",
                f"{shown(start)} comes from the network and points to the local file {href!r}.",
                hint="Download the catalogue first and add the copy, if you trust it.",
            )
        return href if is_absolute(href) and not href.startswith("/") else urljoin(start, href)
    if href.lower().startswith("file://"):
        return local_path(href)
    return href if is_absolute(href) else local_path(os.path.join(os.path.dirname(start), href))  # noqa: PTH118, PTH120


def anchored(doc: Json, start: str) -> Json:
    """The document with the hrefs of its links and assets made absolute; it was read from `start`.

    A link to a local file in a document from the network stays as it is written: nobody follows it.
    """
    out = dict(doc)
    if isinstance(found := doc.get("links"), list):
        out["links"] = [link if _strays(link, start) else _moved(link, start) for link in found]
    if isinstance(assets := doc.get("assets"), dict):
        out["assets"] = {key: _moved(asset, start) for key, asset in assets.items()}
    return out


def self_href(doc: Mapping[str, Any], at: str | None = None) -> str | None:
    """The address that a document gives for itself, else `at`, where it was read from.

    What was read from the network is never taken to be a local file, whatever it says of itself.
    """
    for link in links(doc, "self"):
        if is_absolute(link["href"]) and (at is None or is_remote(link["href"]) or not is_remote(at)):
            return str(link["href"])
    return at


def links(doc: Mapping[str, Any], *rels: str) -> list[Json]:
    """The links of a document with one of these relations, those without an href left out."""
    found = doc.get("links")
    return [
        link
        for link in (found if isinstance(found, list) else [])
        if isinstance(link, dict) and link.get("rel") in rels and _is_name(link.get("href"))
    ]


def shown(href: str) -> str:
    """The href for a message: without password, and without the query, which may hold a token."""
    if "://" not in href:
        return href
    parts = urlsplit(href)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}{'?...' if parts.query else ''}"


def _moved(thing: Any, start: str) -> Any:
    if isinstance(thing, dict) and isinstance(href := thing.get("href"), str):
        return {**thing, "href": resolved(href, start)}
    return thing


def _strays(link: Any, start: str) -> bool:
    href = link.get("href") if isinstance(link, dict) else None
    return is_remote(start) and isinstance(href, str) and _is_local_scheme(href)


def _is_local_scheme(href: str) -> bool:
    """Whether the href, by its scheme alone, leads to a file of this machine, as `zip+file://` does too."""
    return not LOCAL_SCHEMES.isdisjoint(urlsplit(href).scheme.lower().split("+"))


def _faults(item: Any) -> Iterator[str]:
    if not isinstance(item, dict):
        yield f"it is {type(item).__name__}, not a JSON object"
        return
    if item.get("type") != "Feature":
        yield f"its type is {item.get('type')!r}, not 'Feature'"
    if not _is_name(item.get("id")):
        yield f"its id is {item.get('id')!r}, not a text"
    if not isinstance(item.get("properties"), dict):
        yield f"its properties are {type(item.get('properties')).__name__}, not an object"
    if not isinstance(item.get("stac_version", STAC_VERSION), str):
        yield f"its stac_version is {item['stac_version']!r}, not a text"
    if not isinstance(item.get("links", []), list):
        yield "its links are not a list"
    yield from _asset_faults(item.get("assets"))


def _asset_faults(assets: Any) -> Iterator[str]:
    if not isinstance(assets, dict):
        yield f"its assets are {type(assets).__name__}, not an object"
        return
    for key, asset in assets.items():
        href = asset.get("href") if isinstance(asset, dict) else None
        if not _is_name(href):
            yield f"asset {key!r} has no href"
        elif not is_absolute(str(href)):
            yield f"asset {key!r} has the relative href {href!r}, and nothing says relative to what"


def _upgraded(doc: Json, where: str) -> Json:
    whole = {"stac_version": STAC_VERSION, "links": [], **doc}
    whole["stac_extensions"] = whole.get("stac_extensions") or []
    if whole["stac_version"] == STAC_VERSION and not any(
        OLD_PROJECTION in str(u) for u in whole["stac_extensions"]
    ):
        return whole  # half the time of adding an item would go into copying it
    try:
        return migrate_to_latest(whole, identify_stac_object(whole))
    except (STACError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as cause:
        raise _refused(doc, where, [f"it cannot be read as STAC {whole['stac_version']}: {cause}"]) from cause


def _refused(doc: Any, where: str, faults: list[str]) -> Problem:
    name = doc.get("id") if isinstance(doc, dict) else None
    told = f"{where}: " if where else ""
    return Problem(
        "FileContentInvalid",
        f"{told}{name!r} is not a STAC document that can be kept: {'; '.join(faults)}.",
        hint="Correct it at its source, then try again.",
        facts={"id": name, "where": where, "faults": faults},
    )


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value)
