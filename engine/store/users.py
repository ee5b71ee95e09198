"""Accounts, and the logins that hold for a while."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, delete, insert, select

from engine.database import put, reading, writing
from engine.errors import Problem
from engine.records import User
from engine.store.tables import TOKENS, USERS

NAME = re.compile(r"(?!\.+$)[\w\-.~]{1,100}", re.ASCII)
"""Identifiers of accounts: they name folders, too."""


class Users:
    """Accounts by identifier."""

    def __init__(self, engine: Engine, clock: Callable[[], float]) -> None:
        self._engine = engine
        self._clock = clock
        """Seconds since 1970."""

    def put(self, user: User, password: str | None = None) -> None:
        """Add an account, or change it; `password` is a hash, and stays as it is where none is given.

        Raises:
            Problem: Its identifier can be none.
        """
        if not NAME.fullmatch(user.id):
            raise Problem(
                "ProcessParameterInvalid",
                f"{user.id!r} can be no user: it takes up to 100 of A-Z, a-z, 0-9 and _ - . ~",
            )
        values: dict[str, Any] = {"name": user.name, "roles": json.dumps(sorted(user.roles))}
        if password is not None:
            values["password"] = password
        with writing(self._engine) as connection:
            put(connection, USERS, {"id": user.id}, values)

    def get(self, id_: str) -> User | None:
        """The account of that identifier."""
        with reading(self._engine) as connection:
            row = connection.execute(select(USERS).where(USERS.c.id == id_)).one_or_none()
        return None if row is None else _user(row)

    def password(self, id_: str) -> str | None:
        """The hash of an account's password; none where it cannot log in with one."""
        with reading(self._engine) as connection:
            found: str | None = connection.execute(
                select(USERS.c.password).where(USERS.c.id == id_)
            ).scalar_one_or_none()
        return found

    def all(self) -> list[User]:
        """All accounts, by identifier."""
        with reading(self._engine) as connection:
            return [_user(row) for row in connection.execute(select(USERS).order_by(USERS.c.id))]

    def remove(self, id_: str) -> bool:
        """Remove an account with its logins and stored processes; says whether it was there."""
        with writing(self._engine) as connection:
            return bool(connection.execute(delete(USERS).where(USERS.c.id == id_)).rowcount)

    def log_in(self, id_: str, seconds: float) -> str:
        """A new token of an account, which holds for so long."""
        token = secrets.token_urlsafe(32)
        now = self._clock()
        with writing(self._engine) as connection:
            connection.execute(delete(TOKENS).where(TOKENS.c.expires <= now))
            connection.execute(insert(TOKENS).values(digest=_digest(token), owner=id_, expires=now + seconds))
        return token

    def log_out(self, id_: str) -> int:
        """Make all tokens of an account void; says how many there were."""
        with writing(self._engine) as connection:
            return int(connection.execute(delete(TOKENS).where(TOKENS.c.owner == id_)).rowcount)

    def drop_token(self, token: str) -> None:
        """Make a token void."""
        with writing(self._engine) as connection:
            connection.execute(delete(TOKENS).where(TOKENS.c.digest == _digest(token)))

    def of_token(self, token: str) -> User | None:
        """The account that a token is of, as long as it holds."""
        held = (TOKENS.c.digest == _digest(token)) & (TOKENS.c.expires > self._clock())
        wish = select(USERS).join(TOKENS, TOKENS.c.owner == USERS.c.id).where(held)
        with reading(self._engine) as connection:
            row = connection.execute(wish).one_or_none()
        return None if row is None else _user(row)


def _user(row: Any) -> User:
    return User(row.id, row.name, frozenset(json.loads(row.roles)))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
