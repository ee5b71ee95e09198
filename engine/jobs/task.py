"""What a runner process is given, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from engine.maps.model import Drawing
from engine.settings import Settings


@dataclass(frozen=True, slots=True)
class Task:
    """One piece of work."""

    kind: Literal["run", "validate", "draw"]
    """Are results written, is it said what is wrong with the graph, or is it drawn as a map?"""
    graph: Mapping[str, Any]
    """The process, as openEO JSON."""
    settings: Settings
    """Those of the user."""
    processes: Mapping[str, Any]
    """The user's stored processes by identifier."""
    folder: Path | None = None
    """Where results go; it is made."""
    drawing: Drawing | None = None
    """What is to be drawn."""


@dataclass(frozen=True, slots=True)
class File:
    """A file that a run wrote."""

    path: Path
    media_type: str


@dataclass(frozen=True, slots=True)
class Progress:
    """A word from a run that goes on."""

    done: int
    """Blocks that are finished."""
    planned: int
    """Blocks in all."""
