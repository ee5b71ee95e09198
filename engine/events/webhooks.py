"""Webhooks: who is told of new items, and the log of what was delivered."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, delete, insert, select, update

from engine.catalog import Event
from engine.catalog.outbox import last_number
from engine.errors import Problem
from engine.events.desk import Desk
from engine.events.filters import Condition, checked, matches
from engine.events.subscriptions import is_under
from engine.events.tables import DELIVERIES, WEBHOOKS
from engine.records import User

EVENTS = ("created", "updated", "deleted")
MOST = 10_000
"""Deliveries that are shown."""
LONGEST = 2000
"""Characters of an address."""
MEMBERS = frozenset({"url", "secret", "collections", "filter", "events", "enabled"})


@dataclass(frozen=True, slots=True)
class Webhook:
    """Who is told of what."""

    id: str
    url: str
    """Where it is told."""
    secret: str
    """What deliveries are signed with."""
    collections: tuple[str, ...] | None
    """Ids, with everything under them; None: all."""
    filter: Condition | None
    """What is true of the items it is told of."""
    events: tuple[str, ...]
    """Of `created`, `updated`, `deleted`."""
    owner: str
    """The account that made it."""
    enabled: bool
    base: str
    """What addresses of items begin with."""
    since: int
    """It is told of events with higher numbers."""
    created: float

    def wants(self, event: Event) -> bool:
        """Is it told of the event?"""
        return (
            self.enabled
            and event.seq > self.since
            and event.kind == "Item"
            and event.event in self.events
            and is_under(event, self.collections)
            and (self.filter is None or (event.doc is not None and matches(self.filter, event.doc)))
        )


@dataclass(frozen=True, slots=True)
class Delivery:
    """One thing that is told."""

    seq: int
    """Number of the event."""
    collection: str
    item: str
    status: str
    """`waiting`, `delivered` or `failed`."""
    attempts: int
    next: float | None
    """When it is tried again, in seconds since 1970."""
    answer: int | None
    """Status code of the last answer."""
    error: str | None
    """What went wrong last."""
    created: float
    ended: float | None


class Webhooks:
    """The webhooks of a server; administrators look after them."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def create(self, user: User, document: dict[str, Any], base: str) -> Webhook:
        """Make one.

        Args:
            user: Who makes it.
            document: `url`, and what else it is to have.
            base: What addresses of items begin with.

        Raises:
            Problem: A member is not sound.
        """
        given = members_of(document)
        if "url" not in given:
            raise unsound("url", "it is missing")
        usual: dict[str, Any] = {
            "secret": secrets.token_urlsafe(32), "collections": None, "filter": None, "events": ("created",),
            "enabled": True,
        }  # fmt: skip
        with self._desk.changing() as connection:
            made = Webhook(
                id=secrets.token_hex(12), owner=user.id, base=base, since=last_number(connection),
                created=time.time(), **{**usual, **given},
            )  # fmt: skip
            connection.execute(insert(WEBHOOKS).values(_row(made)))
        return made

    def all(self) -> list[Webhook]:
        """All of them, the newest first."""
        with self._desk.looking() as connection:
            rows = connection.execute(select(WEBHOOKS).order_by(WEBHOOKS.c.created.desc(), WEBHOOKS.c.id))
            return [_webhook(row) for row in rows]

    def get(self, id_: str) -> Webhook:
        """One of them.

        Raises:
            Problem: There is none of that identifier.
        """
        with self._desk.looking() as connection:
            return _known(connection, id_)

    def change(self, id_: str, document: dict[str, Any]) -> Webhook:
        """Change members of one.

        Raises:
            Problem: There is none, or a member is not sound.
        """
        given = members_of(document)
        with self._desk.changing() as connection:
            known = _known(connection, id_)
            if given.get("enabled") and not known.enabled:
                given["since"] = last_number(connection)
            changed = replace(known, **given)
            connection.execute(update(WEBHOOKS).where(WEBHOOKS.c.id == id_).values(_row(changed)))
        return changed

    def remove(self, id_: str) -> None:
        """Remove one, with its deliveries.

        Raises:
            Problem: There is none.
        """
        with self._desk.changing() as connection:
            _known(connection, id_)
            connection.execute(delete(WEBHOOKS).where(WEBHOOKS.c.id == id_))

    def deliveries(self, id_: str) -> list[Delivery]:
        """Deliveries of one, the newest first.

        Raises:
            Problem: There is none.
        """
        own = DELIVERIES.c.webhook == id_
        wish = select(DELIVERIES).where(own).order_by(DELIVERIES.c.seq.desc()).limit(MOST)
        with self._desk.looking() as connection:
            _known(connection, id_)
            return [_delivery(row) for row in connection.execute(wish)]


def enabled(connection: Connection) -> list[Webhook]:
    """All webhooks that are told of something."""
    return [_webhook(row) for row in connection.execute(select(WEBHOOKS).where(WEBHOOKS.c.enabled == 1))]


def members_of(document: dict[str, Any]) -> dict[str, Any]:
    """What a document says of a webhook, checked.

    Raises:
        Problem: A member is not sound.
    """
    out: dict[str, Any] = {}
    for name, value in document.items():
        if name not in MEMBERS:
            raise unsound(name, f"there is no such member; there are {', '.join(sorted(MEMBERS))}")
        out[name] = CHECKS[name](value)
    return out


def _url(value: Any) -> str:
    try:
        parts = urlsplit(value) if isinstance(value, str) and len(value) <= LONGEST else None
        fits = parts is not None and parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        fits = False
    if not fits:
        raise unsound("url", "it has to be an http or https address")
    return str(value)


def _secret(value: Any) -> str:
    if not isinstance(value, str) or not 16 <= len(value) <= LONGEST:
        raise unsound("secret", "it has to be a text of 16 characters or more")
    return value


def _ids(value: Any) -> tuple[str, ...] | None:
    if value is not None and not _is_texts(value):
        raise unsound("collections", "it has to be a list of ids, or null")
    return None if value is None else tuple(value)


def _condition(value: Any) -> Condition | None:
    return None if value is None else checked(value)


def _events(value: Any) -> tuple[str, ...]:
    if not _is_texts(value) or not value or not set(value) <= set(EVENTS):
        raise unsound("events", f"it has to be a list of {', '.join(EVENTS)}")
    return tuple(value)


def _yes_or_no(value: Any) -> bool:
    if not isinstance(value, bool):
        raise unsound("enabled", "it has to be true or false")
    return value


CHECKS: dict[str, Any] = {
    "url": _url, "secret": _secret, "collections": _ids, "filter": _condition, "events": _events,
    "enabled": _yes_or_no,
}  # fmt: skip


def unsound(name: str, why: str) -> Problem:
    """A member that cannot be taken."""
    return Problem("ParameterInvalid", f"{name[:40]}: {why}", facts={"parameter": name[:40]})


def _is_texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)


def _known(connection: Connection, id_: str) -> Webhook:
    row = connection.execute(select(WEBHOOKS).where(WEBHOOKS.c.id == id_)).one_or_none()
    if row is None:
        raise Problem("NotFound", f"there is no webhook {id_[:40]!r}")
    return _webhook(row)


def _row(webhook: Webhook) -> dict[str, Any]:
    return {
        "id": webhook.id, "url": webhook.url, "secret": webhook.secret, "owner": webhook.owner,
        "collections": _text(webhook.collections), "filter": _text(webhook.filter),
        "events": json.dumps(webhook.events), "enabled": int(webhook.enabled), "base": webhook.base,
        "since": webhook.since, "created": webhook.created,
    }  # fmt: skip


def _webhook(row: Any) -> Webhook:
    collections: Iterable[str] | None = _value(row.collections)
    return Webhook(
        row.id, row.url, row.secret, None if collections is None else tuple(collections), _value(row.filter),
        tuple(json.loads(row.events)), row.owner, bool(row.enabled), row.base, row.since, row.created,
    )  # fmt: skip


def _delivery(row: Any) -> Delivery:
    return Delivery(
        row.seq, row.collection, row.item, row.status, row.attempts,
        row.next if row.status == "waiting" else None, row.answer, row.error, row.created, row.ended,
    )  # fmt: skip


def _text(value: Any) -> str | None:
    return None if value is None else json.dumps(value)


def _value(text: str | None) -> Any:
    return None if text is None else json.loads(text)
