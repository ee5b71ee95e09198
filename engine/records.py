"""What a server keeps, as frozen values: accounts, and processes that users stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


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
