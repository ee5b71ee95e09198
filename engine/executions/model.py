"""The words of executions: processes on offer, their outputs, what is asked of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from engine.errors import Problem
from engine.write import FORMATS

Json = dict[str, Any]
Transmission = Literal["value", "reference"]
CALL = "run"
"""Name of the node that calls the process which is executed."""
RESULT = "result"
"""Name of the output of a process that has only one; files of such a one are called so, too."""
ONE_FILE = tuple(name for name in FORMATS if name != "Zarr")
"""Formats of files; a Zarr store is a folder."""


@dataclass(frozen=True, slots=True)
class Outlet:
    """An output of a process."""

    name: str
    schema: Any
    """What it is, as openEO tells it."""
    stem: str = RESULT
    """What the names of its files begin with."""
    member: str | None = None
    """The member of the result that it is; none where it is all of it."""
    formats: tuple[str, ...] = ()
    """Names of the file formats that it can be had in, the usual one first; none where it is a value of JSON."""
    is_written: bool = False
    """Does the process write it by itself, in its own format?"""


@dataclass(frozen=True, slots=True)
class Offer:
    """A process that can be executed."""

    id: str
    document: Mapping[str, Any]
    """The process as openEO describes it."""
    call: Mapping[str, Any]
    """What a node has that calls it, without arguments."""
    outlets: tuple[Outlet, ...]
    """Its outputs."""
    mutable: bool = False
    """May whoever asks replace and remove it?"""


@dataclass(frozen=True, slots=True)
class Asked:
    """An output that is asked for."""

    outlet: Outlet
    transmission: Transmission = "value"
    media_type: str | None = None
    """The media type that was asked for; none: the usual one."""


@dataclass(frozen=True, slots=True)
class Execution:
    """What of a process was asked for, as it is kept with its job."""

    process: str
    """Identifier of the process."""
    response: Literal["raw", "document"]
    """Are outputs sent as they are, or in a document?"""
    outputs: tuple[Asked, ...]
    is_chosen: bool
    """Were outputs named, so that one that is not there is null?"""
    subscriber: Mapping[str, str]
    """Addresses that are told, by what they are told of: `success`, `progress`, `failure`; and a `secret`."""
    homes: tuple[str, ...] = ()
    """What addresses of this server begin with, as whoever asked sees them: at the root, and with their prefix."""

    @property
    def by_reference(self) -> bool:
        """Is any output asked for as a link?"""
        return any(asked.transmission == "reference" for asked in self.outputs)

    def json(self) -> Json:
        """As it is kept."""
        return asdict(self)


def execution_of(kept: Mapping[str, Any]) -> Execution:
    """An execution as it was kept."""
    outputs = tuple(
        Asked(
            Outlet(**{**o["outlet"], "formats": tuple(o["outlet"]["formats"])}),
            o["transmission"],
            o["media_type"],
        )
        for o in kept["outputs"]
    )
    return Execution(**{**kept, "outputs": outputs, "homes": tuple(kept["homes"])})


@dataclass(frozen=True, slots=True)
class Planned:
    """An execution that can be run."""

    process: Mapping[str, Any]
    """Its process graph."""
    execution: Execution


def is_folder(outlet: Outlet, media_type: str) -> Problem:
    """The refusal of an output that is no file."""
    return Problem(
        "FormatUnsuitable",
        f"the output {outlet.name!r} is a folder ({media_type}), which no answer can hold",
        hint="Write it in a format of one file, or as a batch job of openEO.",
    )
