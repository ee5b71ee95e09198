"""Items as features: in which reference system they are asked for and shown, and by which of their properties they are chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from fastapi import Request

from api.html.choice import VARY, asked
from api.links import Links
from api.stac.asked import NAMES, Asked, by_address, number, refused
from api.stac.collections import OGC_REL
from api.stac.queryables import declared_by, queryables_of
from api.stac.references import one_of, references_of
from engine import WGS84, Problem, Reference, Search, box_of, filter_from_json, ground_of, moved

Json = dict[str, Any]
Query = Sequence[tuple[str, str]]
CRS, BBOX_CRS = "crs", "bbox-crs"
OF_ITEM = frozenset({CRS, "f"})
"""What one feature is asked by."""
ABROAD = frozenset({CRS, BBOX_CRS, "filter-crs"})
"""What names reference systems."""
OF_ITEMS = NAMES | OF_ITEM | {BBOX_CRS}
"""What features are asked by, besides queryables."""
BY_ITSELF = frozenset({"geometry", "datetime"})
"""Queryables that are no parameters: the one is no text, the other has a parameter of its own."""
ORDER = "Numbers are in the order of the system's axes: in EPSG:4326 latitudes come first."


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for of the features of a collection."""

    asked: Asked
    reference: Reference
    """What their geometries are to be in."""


def wish_of(request: Request, collection: Callable[[], Json]) -> Wish:
    """What the parameters of an address ask for; the collection is read only where they ask for more than searches do.

    Raises:
        Problem: A parameter is unknown, comes twice, or cannot be read.
    """
    given = asked(request)
    is_abroad = any(name in ABROAD for name, _ in given)
    references = references_of(collection())[1] if is_abroad else [WGS84]
    chosen, rest = by_queryables(request, collection, given)
    where = one_of(BBOX_CRS, last(rest, BBOX_CRS) or WGS84.uri, references)
    plain = [(name, value) for name, value in rest if name not in OF_ITEM | {BBOX_CRS}]
    box = [value for name, value in plain if name == "bbox"]
    if not where.is_crs84:
        plain = [(name, value) for name, value in plain if name != "bbox"]
    found = by_address(plain, OF_ITEMS, references)
    search = replace(found.search, filters=(*found.search.filters, *chosen))
    if not where.is_crs84 and box:
        search = placed_by(search, ",".join(box), where)
    return Wish(replace(found, search=search), crs_of(rest, references))


def crs_of(query: Query, references: Sequence[Reference]) -> Reference:
    """The reference system of the answer."""
    return one_of(CRS, last(query, CRS) or WGS84.uri, references)


def last(query: Query, name: str) -> str | None:
    """What a parameter says; None: it is not there.

    Raises:
        Problem: It is there twice.
    """
    found = [value for key, value in query if key == name]
    if len(found) > 1:
        raise refused(name, "it is given twice")
    return found[0] if found else None


def by_queryables(request: Request, collection: Callable[[], Json], query: Query) -> tuple[list[Any], Query]:
    """Filters by parameters that are names of queryables, and the other parameters."""
    others = [(name, value) for name, value in query if name in OF_ITEMS]
    if len(others) == len(query):
        return [], others
    known = queryables_of([collection()], declared_by(request), "", "")["properties"]
    filters = []
    for name in dict.fromkeys(name for name, _ in query if name not in OF_ITEMS):
        if name not in known or name in BY_ITSELF:
            names = sorted({*OF_ITEMS, *(known.keys() - BY_ITSELF)})
            raise refused(name[:40], "there is no such parameter here", f"There are {', '.join(names)}.")
        text = last(query, name) or ""
        value = value_of(name, text, str(known[name].get("type")))
        filters.append(filter_from_json({"op": "=", "args": [{"property": name}, value]}))
    return filters, others


def value_of(name: str, text: str, type_: str) -> str | float | bool:
    """What the parameter of a queryable of some type says.

    Raises:
        Problem: It is no such value.
    """
    if type_ in ("number", "integer"):
        return number(name, text)
    if type_ != "boolean":
        return text
    if text not in ("true", "false"):
        raise refused(name, f"{text[:40]!r} is neither true nor false")
    return text == "true"


def placed_by(search: Search, box: str, reference: Reference) -> Search:
    """A search for what touches a box in another reference system than CRS84.

    Raises:
        Problem: The box cannot be read, or it lies nowhere.
    """
    if search.intersects is not None:
        raise refused("intersects", "a search has either a bbox or a geometry", "Leave one of them out.")
    numbers = [number("bbox", part) for part in box.split(",")]
    if len(numbers) != 4:
        raise refused("bbox", f"in {reference.uri} it has to be 4 numbers", ORDER)
    try:
        return replace(search, intersects=ground_of(numbers, reference))
    except ValueError as fault:
        raise refused("bbox", str(fault), ORDER) from None


def shown_in(doc: Json, reference: Reference) -> Json:
    """An item with its geometry, and the box around it, in a reference system.

    Raises:
        Problem: It cannot be shown there.
    """
    if reference.is_crs84 or doc.get("geometry") is None:
        return doc
    try:
        geometry = moved(doc["geometry"], WGS84, reference)
    except ValueError as fault:
        raise Problem(
            "ParameterInvalid",
            f"crs: the geometry of {doc['id']!r} is not shown in {reference.uri}: {fault}",
            hint="Ask without `crs`, or for items elsewhere.",
            facts={"parameter": CRS},
        ) from None
    box = box_of(geometry) if "bbox" in doc else None
    return {**doc, "geometry": geometry} | ({} if box is None else {"bbox": box})


def headers_of(links: Links, collection: str, reference: Reference) -> dict[str, str]:
    """What is told of features beside them: what coordinates are in, and what they can be chosen by."""
    place = links.to(f"/collections/{quote(collection, safe='')}/queryables")
    queryables = f'<{place}>; rel="{OGC_REL}queryables"; type="application/schema+json"'
    return {**VARY, "Content-Crs": f"<{reference.uri}>", "Link": queryables}
