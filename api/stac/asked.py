"""What a search asks for: from the parameters of an address, or from a body, to the engine's words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from api.stac.references import one_of
from engine import (
    WGS84,
    Problem,
    Reference,
    Search,
    Sort,
    filter_from_json,
    filter_from_query,
    filter_from_text,
)

Json = dict[str, Any]
MOST = 10_000
"""Items of a page at most."""
USUAL = 10
"""Items of a page where no limit is given."""
LONGEST = 100
"""Collections that one search may name, and ids ten times as many."""
NAMES = frozenset(
    ("bbox", "datetime", "limit", "token", "ids", "collections", "intersects", "query", "sortby", "fields",
     "filter", "filter-lang", "filter-crs")
)  # fmt: skip
"""Parameters of a search."""
INSTANT = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
FOLDED = frozenset({"processing:level"})
"""Properties whose texts are compared whatever their case: clients write `l1A` where data say `L1A`."""


@dataclass(frozen=True, slots=True)
class Fields:
    """Which members of items are wanted."""

    include: tuple[str, ...] = ()
    """Paths with dots; none: all."""
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """A search, and how its items are to be shown."""

    search: Search
    fields: Fields


def by_address(
    query: Sequence[tuple[str, str]],
    names: frozenset[str] = NAMES,
    references: Sequence[Reference] = (WGS84,),
) -> Asked:
    """A search by the parameters of an address.

    `names` are those that it may have, `references` the reference systems that geometries of filters may be in.

    Raises:
        Problem: A parameter is unknown, comes twice, or cannot be read.
    """
    given: dict[str, str] = {}
    for name, value in query:
        if name not in names:
            raise refused(name, "there is no such parameter here", f"There are {', '.join(sorted(names))}.")
        if name in given and name not in ("bbox", "collections", "ids"):
            raise refused(name, "it is given twice")
        given[name] = f"{given[name]},{value}" if name in given else value
    body: Json = {k: v for k, v in given.items() if k in ("datetime", "token", "filter-lang", "filter-crs")}
    for name in ("collections", "ids"):
        if given.get(name):
            body[name] = given[name].split(",")
    if "bbox" in given:
        body["bbox"] = [number("bbox", part) for part in given["bbox"].split(",")]
    if "limit" in given:
        body["limit"] = whole("limit", given["limit"])
    for name in ("intersects", "query"):
        if name in given:
            body[name] = parsed(name, given[name])
    if "filter" in given:
        is_json = body.get("filter-lang") == "cql2-json"
        body["filter"] = parsed("filter", given["filter"]) if is_json else given["filter"]
        body.setdefault("filter-lang", "cql2-text")
    if given.get("sortby"):
        body["sortby"] = [direction_of(part) for part in given["sortby"].split(",")]
    if "fields" in given:
        parts = [part.strip() for part in given["fields"].split(",") if part.strip()]
        body["fields"] = {
            "include": [p.removeprefix("+") for p in parts if not p.startswith("-")],
            "exclude": [p[1:] for p in parts if p.startswith("-")],
        }
    return by_body(body, references)


def by_body(body: Mapping[str, Any], references: Sequence[Reference] = (WGS84,)) -> Asked:
    """A search by the members of a JSON object; null is the same as not there.

    Raises:
        Problem: A member cannot be read, or two exclude each other.
    """
    told = {k: v for k, v in body.items() if v is not None}
    if "bbox" in told and "intersects" in told:
        raise refused("intersects", "a search has either a bbox or a geometry", "Leave one of them out.")
    start, end = times_of(told["datetime"]) if "datetime" in told else (None, None)
    search = Search(
        collections=texts("collections", told["collections"], LONGEST) if told.get("collections") else None,
        ids=texts("ids", told["ids"], 10 * LONGEST) if told.get("ids") else None,
        bbox=box_of(told["bbox"]) if "bbox" in told else None,
        heights=heights_of(told.get("bbox")),
        intersects=object_of("intersects", told["intersects"]) if "intersects" in told else None,
        start=start,
        end=end,
        sortby=sorts_of(told.get("sortby", [])),
        limit=limit_of(told.get("limit", USUAL)),
        token=text_of("token", told["token"]) if "token" in told else None,
    )
    return Asked(filtered(search, told, references), fields_of(told.get("fields", {})))


def filtered(search: Search, told: Mapping[str, Any], references: Sequence[Reference]) -> Search:
    """The search with `filter` and `query`, both of which have to hold."""
    crs = one_of("filter-crs", text_of("filter-crs", told.get("filter-crs", WGS84.uri)), references)
    lang = told.get("filter-lang", "cql2-json")
    if "filter" in told:
        if lang not in ("cql2-json", "cql2-text"):
            raise refused("filter-lang", f"{str(lang)[:40]!r} is none of cql2-text and cql2-json")
        one = told["filter"]
        with naming("filter"):
            is_text = lang == "cql2-text"
            read = filter_from_text(text_of("filter", one), crs) if is_text else filter_from_json(one, crs)
        search = replace(search, filters=(read,))
    if search.intersects is not None:
        with naming("intersects"):
            filter_from_json({"op": "s_intersects", "args": [{"property": "geometry"}, search.intersects]})
    if told.get("query", {}) != {}:
        with naming("query"):
            asked = filter_from_query(object_of("query", told["query"]), FOLDED)
        search = replace(search, filters=(*search.filters, asked))
    return search


def times_of(value: Any) -> tuple[int | None, int | None]:
    """First and last instant of a time or interval, in microseconds since 1970; None where it is open."""
    parts = text_of("datetime", value).split("/")
    if len(parts) == 1:
        at = instant_of(parts[0])
        return at, at
    if len(parts) != 2 or all(part in ("", "..") for part in parts):
        raise refused("datetime", f"{str(value)[:80]!r} is no instant, and no interval", TIMES)
    start, end = (None if part in ("", "..") else instant_of(part) for part in parts)
    if start is not None and end is not None and start > end:
        raise refused("datetime", f"{str(value)[:80]!r} ends before it begins")
    return start, end


TIMES = "Give an instant as 2024-02-11T12:09:32Z, or an interval of two of them with / between; .. is open."


def instant_of(text: str) -> int:
    """An instant as RFC 3339 has it, in microseconds since 1970."""
    found = INSTANT.fullmatch(text)
    if found is None:
        raise refused("datetime", f"{text[:80]!r} is no instant", TIMES)
    zone = "+00:00" if found[8] in "Zz" else found[8]
    fraction = ((found[7] or ".")[1:] + "000000")[:6]
    try:
        day, clock = "-".join(found.group(1, 2, 3)), ":".join(found.group(4, 5, 6))
        moment = datetime.fromisoformat(f"{day}T{clock}.{fraction}{zone}")
        since = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    except (ValueError, OverflowError):
        raise refused("datetime", f"{text[:80]!r} is on no calendar or clock", TIMES) from None
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def box_of(value: Any) -> tuple[float, float, float, float]:
    """West, south, east, north of a box of 4 or 6 numbers."""
    if not isinstance(value, list) or len(value) not in (4, 6):
        raise refused("bbox", "it has to be 4 or 6 numbers", "West, south, east, north in WGS84 degrees.")
    for part in value:
        if isinstance(part, bool) or not isinstance(part, int | float):
            raise refused("bbox", f"{str(part)[:40]!r} is no number")
    half = len(value) // 2
    west, south, east, north = value[0], value[1], value[half], value[half + 1]
    if max(abs(west), abs(east)) > 360 or max(abs(south), abs(north)) > 90:
        raise refused("bbox", f"{value} is not in WGS84 degrees")
    if south > north or (half == 3 and value[2] > value[5]):
        raise refused("bbox", f"{value} has its lower edge above its upper one")
    return float(west), float(south), float(east), float(north)


def heights_of(box: Any) -> tuple[float, float] | None:
    """The lower and the upper height of a box that was checked; None: it has none."""
    return (float(box[2]), float(box[5])) if box is not None and len(box) == 6 else None


def sorts_of(value: Any) -> tuple[Sort, ...]:
    """What to sort by."""
    if not isinstance(value, list):
        raise refused("sortby", "it has to be a list")
    found = []
    for one in value:
        one = direction_of(one) if isinstance(one, str) else one
        if not isinstance(one, dict) or one.get("direction", "asc") not in ("asc", "desc"):
            raise refused(
                "sortby", f'{str(one)[:80]!r} is not of the form {{"field": ..., "direction": "asc"}}'
            )
        name = text_of("sortby", one.get("field"))
        found.append(Sort(name, one.get("direction") == "desc"))
    return tuple(found)


def direction_of(text: str) -> Json:
    """A property to sort by, with its sign; a plus sign in an address arrives as a space."""
    sign, name = (text[0], text[1:]) if text[:1] in ("+", "-", " ") else ("+", text)
    return {"field": name.strip(), "direction": "desc" if sign == "-" else "asc"}


def fields_of(value: Any) -> Fields:
    """Which members are wanted."""
    if isinstance(value, list):
        value = {"include": value}
    told = object_of("fields", value)
    return Fields(*(texts("fields", told.get(name) or [], LONGEST) for name in ("include", "exclude")))


def limit_of(value: Any) -> int:
    """Items of a page."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise refused("limit", f"{str(value)[:40]!r} is no whole number from 1 on")
    return min(value, MOST)


def texts(name: str, value: Any, most: int) -> tuple[str, ...]:
    """A list of texts."""
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(v, str) for v in listed):
        raise refused(name, "it has to be a list of texts")
    if len(listed) > most:
        raise refused(name, f"{len(listed)} are more than the {most} allowed")
    return tuple(dict.fromkeys(listed))


def text_of(name: str, value: Any) -> str:
    """A text."""
    if not isinstance(value, str) or not value:
        raise refused(name, f"{str(value)[:40]!r} is no text")
    return value


def object_of(name: str, value: Any) -> Json:
    """A JSON object."""
    if not isinstance(value, dict):
        raise refused(name, "it has to be a JSON object")
    return value


def number(name: str, text: str) -> float:
    """A number in an address."""
    try:
        found = float(text)
    except ValueError:
        raise refused(name, f"{text[:40]!r} is no number") from None
    if not abs(found) < float("inf"):
        raise refused(name, f"{text[:40]!r} is no finite number")
    return found


def whole(name: str, text: str) -> int:
    """A whole number in an address."""
    if not re.fullmatch(r"[+-]?\d{1,12}", text, re.ASCII):
        raise refused(name, f"{text[:40]!r} is no whole number")
    return int(text)


def parsed(name: str, text: str) -> Any:
    """JSON in an address."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise refused(name, f"{text[:40]!r} is no JSON") from None


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Have what is wrong with a parameter name it."""
    try:
        yield
    except Problem as problem:
        if problem.message.startswith(f"{name}: "):
            raise
        raise refused(name, problem.message, problem.hint) from problem


def refused(name: str, why: str, hint: str | None = None) -> Problem:
    """A parameter that cannot be read."""
    return Problem("ParameterInvalid", f"{name}: {why}", hint=hint, facts={"parameter": name})
