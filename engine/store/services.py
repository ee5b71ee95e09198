"""Secondary web services, each user's own."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine, delete, func, insert, select, update

from engine.database import reading, writing
from engine.records import Service
from engine.store.tables import SERVICES


class Services:
    """Web services by owner and identifier."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create(
        self, owner: str, type_: str, enabled: bool, document: Mapping[str, Any], portrait: Mapping[str, Any],
        limit: int,
    ) -> Service | None:  # fmt: skip
        """A new service; none where its owner has so many already."""
        id_, now = secrets.token_hex(12), time.time()
        row = {
            "id": id_, "owner": owner, "type": type_, "enabled": int(enabled), "version": 1, "key": new_key(),
            "document": json.dumps(dict(document)), "portrait": json.dumps(dict(portrait)),
            "created": now, "updated": now,
        }  # fmt: skip
        count = select(func.count()).select_from(SERVICES).where(SERVICES.c.owner == owner)
        with writing(self._engine) as connection:
            if connection.execute(count).scalar_one() >= limit:
                return None
            connection.execute(insert(SERVICES).values(row))
            return _service(connection.execute(select(SERVICES).where(_is(owner, id_))).one())

    def get(self, owner: str, id_: str) -> Service | None:
        """One service of an owner."""
        with reading(self._engine) as connection:
            row = connection.execute(select(SERVICES).where(_is(owner, id_))).one_or_none()
        return None if row is None else _service(row)

    def all(self, owner: str) -> list[Service]:
        """All services of an owner, the newest first."""
        wish = select(SERVICES).where(SERVICES.c.owner == owner)
        with reading(self._engine) as connection:
            rows = connection.execute(wish.order_by(SERVICES.c.created.desc(), SERVICES.c.id)).all()
        return [_service(row) for row in rows]

    def change(
        self, owner: str, id_: str, *, enabled: bool, document: Mapping[str, Any],
        portrait: Mapping[str, Any] | None, renew: bool,
    ) -> bool:  # fmt: skip
        """Give a service another document; with a portrait it has another map, and `renew` gives another address.

        Says whether it was there.
        """
        values: dict[str, Any] = {"document": json.dumps(dict(document)), "enabled": int(enabled)}
        if portrait is not None:
            values |= {"portrait": json.dumps(dict(portrait)), "version": SERVICES.c.version + 1}
        if renew:
            values["key"] = new_key()
        with writing(self._engine) as connection:
            change = update(SERVICES).where(_is(owner, id_)).values({**values, "updated": time.time()})
            return bool(connection.execute(change).rowcount)

    def remove(self, owner: str, id_: str) -> bool:
        """Remove a service with its log; says whether it was there."""
        with writing(self._engine) as connection:
            return bool(connection.execute(delete(SERVICES).where(_is(owner, id_))).rowcount)


def new_key() -> str:
    """What nobody guesses."""
    return secrets.token_urlsafe(12)


def _is(owner: str, id_: str) -> Any:
    return (SERVICES.c.owner == owner) & (SERVICES.c.id == id_)


def _service(row: Any) -> Service:
    return Service(
        row.id, row.owner, row.type, bool(row.enabled), json.loads(row.document), json.loads(row.portrait),
        row.version, row.key, float(row.created), float(row.updated),
    )  # fmt: skip
