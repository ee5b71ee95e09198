"""What a server keeps, as frozen values: accounts, stored processes, batch jobs, web services, their logs, objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any


class Status(StrEnum):
    """Where a batch job is, in openEO's words."""

    CREATED = "created"
    QUEUED = "queued"
    RUNNING = "running"
    CANCELED = "canceled"
    FINISHED = "finished"
    ERROR = "error"


BUSY = (Status.QUEUED, Status.RUNNING)
"""A job in these is locked: it can be canceled or deleted, and not changed or started."""
LEVELS = ("error", "warning", "info", "debug")
"""Levels of log entries, the gravest first."""
OF_USER = "u:"
"""What namespaces of users begin with."""


def kept_level(document: Mapping[str, Any]) -> str:
    """The least grave level of log entries that a request wants to be kept."""
    level = document.get("log_level")
    return level if level in LEVELS else "info"


@dataclass(frozen=True, slots=True)
class User:
    """An account."""

    id: str
    """Its identifier; folders are called by it."""
    name: str = ""
    """Name for people."""
    roles: frozenset[str] = frozenset({"user"})
    """What it may do."""


@dataclass(frozen=True, slots=True)
class UserProcess:
    """A process that a user stored."""

    id: str
    """Its identifier, one of its owner's."""
    owner: str
    """Identifier of the account."""
    document: Mapping[str, Any]
    """The process as openEO describes it, with its graph."""

    @property
    def is_public(self) -> bool:
        """May everybody see and use it?"""
        return self.document.get("public") is True

    @property
    def namespace(self) -> str:
        """The namespace that others use it by."""
        return f"{OF_USER}{self.owner}"


@dataclass(frozen=True, slots=True)
class Results:
    """Results of a job."""

    folder: Path
    """Where they lie."""
    items: tuple[str, ...]
    """Names of their STAC items in it."""


@dataclass(frozen=True, slots=True)
class Job:
    """A batch job."""

    id: str
    owner: str
    """Identifier of the account."""
    status: Status
    document: Mapping[str, Any]
    """The request that made it, as openEO has it: `process`, `title`, `log_level` and so on."""
    created: float
    """Seconds since 1970, as all times here."""
    updated: float
    """When its status or its document changed last."""
    progress: float = 0.0
    """Percent of its blocks that are finished."""
    fence: int = 0
    """Number of the attempt. An attempt that lost its lease has an old one, and can publish nothing."""
    attempts: int = 0
    """Attempts since it was queued."""
    items: tuple[str, ...] = ()
    """Names of the STAC items of its results, in the folder of the attempt."""
    problem: Mapping[str, Any] | None = None
    """Why it failed."""

    costs: float = 0.0
    """What its results were charged."""
    usage: Mapping[str, Any] | None = None
    """What they took, as openEO tells it."""
    execution: Mapping[str, Any] | None = None
    """What of an OGC process was asked for; none for jobs of openEO."""
    started: float | None = None
    """When the first attempt at an execution began."""

    @property
    def log_level(self) -> str:
        """The least grave level that is kept of its log."""
        return kept_level(self.document)


@dataclass(frozen=True, slots=True)
class Callback:
    """Something that the subscriber of an execution is to be told, claimed by one server."""

    pk: int
    job: str
    """Identifier of the job."""
    url: str
    secret: str
    body: str
    """What is sent, as JSON."""
    attempts: int
    """Attempts before this one."""
    until: float
    """Until when other servers leave it alone; it names this claim, too."""


@dataclass(frozen=True, slots=True)
class Service:
    """A secondary web service: a graph that is seen as tiles of a map."""

    id: str
    owner: str
    """Identifier of the account."""
    type: str
    """One of the service types."""
    enabled: bool
    """Does it answer?"""
    document: Mapping[str, Any]
    """The request that made it, as openEO has it: `process`, `configuration`, `title` and so on."""
    portrait: Mapping[str, Any]
    """What was found out about its map when the graph came: where it lies, its bands, the range of its colours."""
    version: int
    """Goes up when its map changes; tiles of older versions are void."""
    key: str
    """What its address holds besides its name; an address with another key is void."""
    created: float
    """Seconds since 1970."""
    updated: float

    @property
    def log_level(self) -> str:
        """The least grave level that is kept of its log."""
        return kept_level(self.document)


@dataclass(frozen=True, slots=True)
class Stored:
    """An object that is stored, and what is known about its bytes."""

    path: str
    """Its name: `/` between segments, none before the first."""
    size: int
    """Bytes."""
    media_type: str
    """What its bytes are, as HTTP has it."""
    md5: bytes
    """MD5 of the bytes, 16 bytes: it finds damage, not forgers."""
    crc32c: int
    """CRC-32C (Castagnoli) of the bytes, unsigned."""
    etag: str
    """What the place of the object calls this version of it, without quotation marks."""
    modified: float
    """Since when this version is there, in seconds since 1970."""
    owner: str | None = None
    """Identifier of the account that stored it and whose quota it counts to; none where nobody is known."""
    created: float = 0.0
    """Since when there is an object of this name, in seconds since 1970."""
