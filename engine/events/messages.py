"""Messages of publishers, taken apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from engine.errors import Problem

Json = dict[str, Any]
KINDS = {"Feature": "Item", "Collection": "Collection", "Catalog": "Catalog"}
"""What is published, by its STAC type."""
ROOTS = frozenset({"", "root", "geodatacube"})
"""What publishers call the root of the catalogue, besides null."""
LONGEST = 500
"""Characters of an id."""
MEMBERS = frozenset({"active_parent", "data", "provider", "subscribable"})


@dataclass(frozen=True, slots=True)
class Message:
    """A STAC document, and where it belongs."""

    data: Json
    """The item, collection or catalogue."""
    parent: str | None = None
    """Id of the stable collection or catalogue it is added under; None: the root."""
    provider: str | None = None
    """The organisation whose data it is; None: the publisher's own."""
    live: bool = True
    """Is it news for subscribers?"""

    @property
    def kind(self) -> str:
        """`Item`, `Collection` or `Catalog`."""
        return KINDS[self.data["type"]]

    @property
    def id(self) -> str:
        """What it is called."""
        return str(self.data["id"])

    @property
    def home(self) -> str | None:
        """Id of the collection of an item: the one it names, else the parent."""
        return self.data.get("collection") or self.parent

    def json(self) -> Json:
        """As it was sent."""
        told = {"active_parent": self.parent, "data": self.data, "subscribable": self.live}
        return told | ({"provider": self.provider} if self.provider is not None else {})


def message_of(value: Any) -> Message:
    """The message in a JSON value.

    Raises:
        Problem: It is none.
    """
    if not isinstance(value, dict):
        raise unsound("a message is a JSON object")
    if unknown := sorted(set(value) - MEMBERS):
        raise unsound(f"a message has no member {unknown[0][:40]!r}")
    if "active_parent" not in value:
        raise unsound("active_parent is missing; null is the root")
    parent, provider = value["active_parent"], value.get("provider")
    for name, text in (("active_parent", parent), ("provider", provider)):
        if text is not None and not is_name(text):
            raise unsound(f"{name} has to be a text of at most {LONGEST} characters")
    live = value.get("subscribable", True)
    if not isinstance(live, bool):
        raise unsound("subscribable has to be true or false")
    _check_document(value.get("data"))
    return Message(value["data"], None if parent in ROOTS else parent, provider, live)


def linked(doc: Mapping[str, Any], rel: str) -> list[str]:
    """Ids that the links of a document with this relation may be of: each a name in a path."""
    found = []
    links = doc.get("links")
    for link in links if isinstance(links, list) else ():
        href = link.get("href") if isinstance(link, dict) and link.get("rel") == rel else None
        if isinstance(href, str):
            try:
                steps = [unquote(step) for step in urlsplit(href).path.split("/") if step]
            except ValueError:
                continue
            if steps and steps[-1].endswith(".json") and len(steps) > 1:
                steps.pop()
            found += [steps[-1].removesuffix(".json")] * bool(steps)
    return found


def _check_document(data: Any) -> None:
    kind = data.get("type") if isinstance(data, dict) else None
    if not isinstance(kind, str) or kind not in KINDS:
        raise unsound("data has to be a STAC Catalog, Collection or Item")
    if not data.get("id") or not is_name(data["id"]):
        raise unsound(f"the id of data has to be a text of 1 to {LONGEST} characters")
    home = data.get("collection")
    if home is not None and not is_name(home):
        raise unsound(f"the collection of an item has to be a text of at most {LONGEST} characters")


def is_name(value: Any) -> bool:
    """Can it be what something is called, also in a log and in every database?"""
    return isinstance(value, str) and len(value) <= LONGEST and "\0" not in value


def unsound(why: str) -> Problem:
    """A message that makes no sense."""
    return Problem("MessageInvalid", why)
