"""Texts and values as pages show them."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from jinja2 import Undefined
from markdown_it import MarkdownIt
from markupsafe import Markup

WEB = re.compile(r"https?://", re.IGNORECASE)
OF_OGC = re.compile(r"opengis\.net/spec/([^/]+)/")
Json = dict[str, Any]
LONGEST = 400
"""Characters of a value that are shown."""


@cache
def reader() -> MarkdownIt:
    """Reads CommonMark, as far as descriptions need it: no HTML, no pictures, no headings, links to the web alone."""
    made = MarkdownIt("zero").enable(["list", "fence", "backticks", "emphasis", "link", "escape", "entity"])
    made.validateLink = is_web  # type: ignore[assignment]
    return made


def is_web(href: str) -> bool:
    """May browsers follow an address?"""
    return WEB.match(href) is not None


def paragraphs(text: Any) -> Markup:
    """A description, as CommonMark has it."""
    return Markup(reader().render(str(text)).strip())  # noqa: S704 (the reader escapes what is no mark)


def brief(text: Any, most: int = 180) -> Markup:
    """The first paragraph of a description, not longer than so."""
    first = re.split(r"\n\s*\n", str(text).strip())[0]
    if len(first) > most:
        first = first[:most].rsplit(" ", 1)[0] + " ..."
    return Markup(reader().renderInline(first))  # noqa: S704 (the same)


def kind(schema: Any) -> str:
    """The types of a value that a JSON schema tells of."""
    if isinstance(schema, list):
        return " or ".join(dict.fromkeys(kind(one) for one in schema))
    if "oneOf" in schema:
        return kind(schema["oneOf"])
    named = (
        schema.get("subtype") or schema.get("contentMediaType") or schema.get("format") or schema.get("type")
    )
    if named is None:
        return "anything"
    return " or ".join(map(str, named)) if isinstance(named, list) else str(named)


def by_category(processes: list[Json]) -> list[tuple[str, list[Json]]]:
    """Processes by the first of their categories, in the order of letters."""
    found: dict[str, list[Json]] = {}
    for one in processes:
        found.setdefault((one.get("categories") or ["others"])[0], []).append(one)
    return sorted(found.items())


def by_standard(uris: list[str]) -> list[tuple[str, list[str]]]:
    """Conformance classes by their standard."""
    found: dict[str, list[str]] = {}
    for uri in uris:
        standard = OF_OGC.search(uri)
        name = standard[1] if standard else uri.split("/")[2] if "://" in uri else uri
        found.setdefault(name, []).append(uri)
    return list(found.items())


def value(found: Any) -> str:
    """A value of JSON, cut short; nothing for what is not there."""
    if found is None or isinstance(found, Undefined):
        return ""
    if isinstance(found, str):
        text = found
    elif isinstance(found, list) and all(isinstance(v, str | int | float) for v in found):
        text = ", ".join(value(v) for v in found)
    else:
        text = json.dumps(found, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."


def day(moment: Any) -> str:
    """The day of a time; open ends are told."""
    return str(moment)[:10] if moment else "open"


def web(href: Any) -> str:
    """An address that browsers may follow; nothing for all others."""
    return str(href) if is_web(str(href)) else ""
