"""Publishing: messages of users go the one way into the catalogue, wait for what they belong to, or are rejected."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterator, Sequence

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from engine.errors import Problem
from engine.events import pending
from engine.events.desk import Desk
from engine.events.ledger import Json, Receipt, State, counts, entries, note, settle, trim
from engine.events.messages import Message
from engine.events.placing import Awaited, place, place_items, stub
from engine.events.rights import Rights, Standing
from engine.records import User
from engine.settings import Settings

LOG = logging.getLogger("geodatacube.publish")
SENSELESS = frozenset({"MessageInvalid", "FileContentInvalid"})
"""Codes of what is wrong with a message by itself."""
LIMITS = "54"
"""What codes of SQL begin with that tell of limits."""
AT_ONCE = 200
"""Messages that are given up in one transaction."""
HOUR = 3600
Run = Sequence[Message | Problem]


class Publisher:
    """Takes messages."""

    def __init__(self, desk: Desk, settings: Settings) -> None:
        self._desk = desk
        self._rights = Rights(settings.organisations)
        self._settings = settings

    def may_publish(self, user: User) -> bool:
        """May the user publish at all?"""
        return self._rights.may_publish(user)

    def publish(self, user: User, given: Run) -> list[Receipt]:
        """Take messages of a user, in their order; what is wrong with one harms no other.

        All of it is one transaction: when the receipts are given, what they tell is kept.

        Args:
            user: Who publishes.
            given: Messages, or why what was sent is none.

        Raises:
            Problem: The database cannot be written now; nothing was taken.
        """
        with self._desk.changing() as connection:
            room = self._settings.publish_pending_bytes - pending.bytes_of(connection, user.id)
            receipts: list[Receipt] = []
            for run in runs(given):
                together = self._together(connection, user, run) if len(run) > 1 else None
                for one in run if together is None else ():
                    receipt, room = self._one(connection, user, one, room)
                    receipts.append(receipt)
                receipts += together or []
            trim(connection, user.id, self._settings.publish_log_entries)
        return receipts

    def log(self, user: User, limit: int) -> tuple[dict[str, int], list[Json]]:
        """How many messages of a user came to which end, and the latest of them, the newest first."""
        with self._desk.looking() as connection:
            return counts(connection, user.id), entries(connection, user.id, limit)

    def tidy(self) -> None:
        """Take what waited for something that came by another way, and give up what waited too long."""
        with self._desk.looking() as connection:
            if pending.is_empty(connection):
                return
        with self._desk.changing() as connection:
            for id_ in pending.come(connection):
                self._replay_all(connection, id_)
            before = time.time() - HOUR * self._settings.publish_pending_hours
            for parked in pending.take_old(connection, before, AT_ONCE):
                self._give_up(connection, parked)

    # ------------------------------------------------------------------------------- messages
    def _together(self, connection: Connection, user: User, run: Run) -> list[Receipt] | None:
        """What becomes of items of one collection, taken at once; None: they have to be taken one by one."""
        items = [one for one in run if isinstance(one, Message)]
        try:
            standing = self._rights.standing(user, items[0].provider)
            with connection.begin_nested():
                numbers = place_items(connection, standing, items)
        except (OperationalError, InterfaceError) as fault:
            if not is_limit(fault):
                raise
            return None
        except Exception:  # noqa: BLE001 (whatever it is, it is told of the one message that is to blame)
            return None
        receipts = [
            receipt_of(State.ACCEPTED, one, standing.org, seq=seq)
            for one, seq in zip(items, numbers, strict=True)
        ]
        note(connection, user.id, *receipts)
        return receipts

    def _one(
        self, connection: Connection, user: User, one: Message | Problem, room: int
    ) -> tuple[Receipt, int]:
        """What becomes of one message, and how many bytes may wait after it."""
        if isinstance(one, Problem):
            receipt, wait = rejected(None, one), None
        else:
            receipt, wait = self._tried(connection, user, one)
        if wait is not None and isinstance(one, Message):
            room -= len(str(one.data))
            if room < 0:
                receipt, wait = rejected(one, FULL), None
        number = note(connection, user.id, receipt)
        if wait is not None and isinstance(one, Message):
            pending.park(connection, number, wait, user, one)
        self._replay(connection, receipt)
        return receipt, room

    def _tried(self, connection: Connection, user: User, message: Message) -> tuple[Receipt, str | None]:
        """What becomes of a message, and what it waits for."""
        try:
            standing = self._rights.standing(user, message.provider)
        except Problem as problem:
            return rejected(message, problem), None
        return self._placed(connection, standing, message)

    def _placed(
        self, connection: Connection, standing: Standing, message: Message
    ) -> tuple[Receipt, str | None]:
        try:
            with connection.begin_nested():
                seq = place(connection, standing, message)
        except Awaited as wait:
            reason = f"it waits for {wait.id!r}"
            return receipt_of(State.PENDING, message, standing.org, reason), wait.id
        except Problem as problem:
            return rejected(message, problem, standing.org), None
        except (OperationalError, InterfaceError) as fault:
            if not is_limit(fault):
                raise
            return rejected(message, TOO_LONG, standing.org), None
        except Exception:
            LOG.exception("a message of %s could not be taken", standing.user.id)
            return rejected(message, OURS, standing.org), None
        return receipt_of(State.ACCEPTED, message, standing.org, seq=seq), None

    # ------------------------------------------------------------------------------- what waited
    def _replay(self, connection: Connection, receipt: Receipt) -> None:
        """Take what waited for what has just come."""
        if receipt.state is State.ACCEPTED and receipt.kind != "Item" and receipt.id is not None:
            self._replay_all(connection, receipt.id)

    def _replay_all(self, connection: Connection, id_: str) -> None:
        arrived = deque([id_])
        while arrived:
            for parked in pending.take(connection, arrived.popleft()):
                receipt, wait = self._tried(connection, parked.user, parked.message)
                if wait is not None:
                    if wait == parked.awaits:  # it is there, and not for this publisher
                        settle(connection, parked.user.id, parked.log, rejected(parked.message, ABSENT))
                    else:
                        pending.park(connection, parked.log, wait, parked.user, parked.message, parked.time)
                    continue
                settle(connection, parked.user.id, parked.log, receipt)
                if receipt.state is State.ACCEPTED and parked.message.kind != "Item":
                    arrived.append(parked.message.id)

    def _give_up(self, connection: Connection, parked: pending.Parked) -> None:
        """Put an item that waited too long into a bare collection, where its publisher may make one."""
        message = parked.message
        receipt = rejected(message, ABSENT)
        try:
            standing = self._rights.standing(parked.user, message.provider)
            with connection.begin_nested():
                stub(connection, standing, message)
            receipt, wait = self._placed(connection, standing, message)
            if wait is not None:
                receipt = rejected(message, ABSENT, standing.org)
        except Problem as problem:
            receipt = rejected(message, problem)
        settle(connection, parked.user.id, parked.log, receipt)
        if receipt.state is State.ACCEPTED:
            self._replay_all(connection, parked.awaits)


def runs(given: Run) -> Iterator[Run]:
    """Messages in their order, those together that are items of one collection, of different ids."""
    run: list[Message | Problem] = []
    key, ids = None, set[str]()
    for one in given:
        item = one if isinstance(one, Message) and one.kind == "Item" else None
        this = None if item is None else (item.home, item.parent, item.provider, item.live)
        if run and (item is None or this != key or item.id in ids):
            yield run
            run, ids = [], set()
        run.append(one)
        key = this
        ids |= set() if item is None else {item.id}
    if run:
        yield run


FULL = Problem("TooManyRequests", "too much of yours waits already", hint="Publish its collections first.")
TOO_LONG = Problem("FileContentInvalid", "it has an id or an href that is longer than the database can hold")
ABSENT = Problem("CollectionNotFound", "what it belongs to did not come in time")
OURS = Problem("Internal", "this server met an internal error with it")


def is_limit(fault: DBAPIError) -> bool:
    """Is it the message that is too large for the database, rather than the database that is away?"""
    return str(getattr(fault.orig, "sqlstate", None) or "").startswith(LIMITS)


def receipt_of(
    state: State, message: Message, org: str | None, reason: str | None = None, seq: int | None = None
) -> Receipt:
    """What became of a message."""
    home = message.home if message.kind == "Item" else None
    return Receipt(state, message.kind, message.id, home, org, reason, seq)


def rejected(message: Message | None, problem: Problem, org: str | None = None) -> Receipt:
    """What became of a message that is not taken."""
    reason, senseless = f"{problem.code}: {problem.words}"[:1000].replace("\0", ""), problem.code in SENSELESS
    if message is None:
        return Receipt(State.REJECTED, org=org, reason=reason, senseless=senseless)
    home = message.home if message.kind == "Item" else None
    return Receipt(State.REJECTED, message.kind, message.id, home, org, reason, senseless=senseless)
