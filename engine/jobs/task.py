"""What a runner process is given, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from engine.billing import FREE, Plan
from engine.domain.model import Domain
from engine.jobs.belongings import Belongings
from engine.maps.model import Drawing
from engine.settings import Settings


@dataclass(frozen=True, slots=True)
class Task:
    """One piece of work."""

    kind: Literal["run", "validate", "estimate", "draw", "domain"]
    """Are results written, is it said what is wrong with the graph, what it will cost or where it has values, or is it
    drawn as a map?"""
    graph: Mapping[str, Any]
    """The process, as openEO JSON."""
    settings: Settings
    """Those of the user."""
    own: Belongings
    """What it may use of the user's own."""
    folder: Path | None = None
    """Where results go; it is made."""
    plan: Plan = FREE
    """How it is charged."""
    budget: float | None = None
    """It may be charged so much."""
    patience: float | None = None
    """Seconds that it may take by its estimate; what takes longer is a batch job."""
    drawing: Drawing | None = None
    """What is to be drawn."""
    lasting: bool = True
    """Are the results kept? Otherwise they are sent on and removed."""
    foretold: Domain | None = None
    """What the result will be; another one is refused before anything of it is read."""


@dataclass(frozen=True, slots=True)
class File:
    """A file that a run wrote."""

    path: Path
    media_type: str


@dataclass(frozen=True, slots=True)
class Done:
    """The end of a run that went well."""

    files: tuple[File, ...]
    costs: float
    """What it is charged."""
    usage: Mapping[str, Any]
    """What it took, as openEO tells it."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run will take."""

    costs: float
    seconds: float
    size: int
    """Bytes of the results, unpacked."""
    usage: Mapping[str, Any]
    """Amounts of what is read and computed, as openEO tells them."""


@dataclass(frozen=True, slots=True)
class Progress:
    """A word from a run that goes on."""

    done: int
    """Blocks that are finished."""
    planned: int
    """Blocks in all."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line for the log of a run."""

    level: str
    """One of `records.LEVELS`."""
    message: str
    code: str | None = None
    """A word to find it by."""
    node: str | None = None
    """The node of the graph that it comes from."""

    @property
    def further(self) -> dict[str, Any]:
        """What the entry has besides its level and its message, as openEO tells it."""
        told: dict[str, Any] = {"code": self.code} if self.code else {}
        return told | ({"path": [{"node_id": self.node}]} if self.node else {})
