"""The lines of a plan: one for each step, for people and for machines."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from processes.recipes import Chunks


@dataclass(frozen=True, slots=True)
class Blocks:
    """How an array is cut."""

    number: int
    """How many blocks there are."""
    largest: Mapping[str, int]
    """Length of the longest along each axis."""

    def __str__(self) -> str:
        return f"{self.number} {'block' if self.number == 1 else 'blocks'} of {lengths(self.largest)}"


@dataclass(frozen=True, slots=True)
class Line:
    """One step of a plan."""

    name: str
    """Name of the node that it is the value of, or of the node that needs it with a number behind."""
    does: str
    """What is done: `read`, `kernel`, or a process."""
    of: tuple[str, ...]
    """What goes in: names of steps, with the labels that are taken of them."""
    dims: Mapping[str, int]
    """Length along each axis."""
    dtype: str
    """Type of the numbers."""
    formula: str = ""
    """What a kernel or a child graph does, in short words."""
    skips: str = ""
    """The plane that tells which dates are not read."""
    blocks: Blocks | None = None
    """Blocks of what is read and of what comes out; other steps have none of their own."""
    rules: tuple[str, ...] = ()
    """The rules that made it what it is."""

    def __str__(self) -> str:
        call = f"read {', '.join(self.of)}" if self.does == "read" else f"{self.does}({', '.join(self.of)})"
        shape = f" ({lengths(self.dims)})" if self.dims else ""
        words = f" {{{self.formula}}}" if self.formula else ""
        skips = f"; skips dates that {self.skips} takes out" if self.skips else ""
        blocks = f"; {self.blocks}" if self.blocks is not None else ""
        rules = f"  # {', '.join(self.rules)}" if self.rules else ""
        return f"{self.name} = {call}{shape} {self.dtype}{words}{skips}{blocks}{rules}"


@dataclass(frozen=True, slots=True)
class Plan:
    """How cubes are computed."""

    written: tuple[Line, ...] = ()
    """As the graph says it, in the blocks of the sources."""
    run: tuple[Line, ...] = ()
    """After the rules on plans."""

    def json(self) -> dict[str, Any]:
        """The plan for machines."""
        return asdict(self)

    def __str__(self) -> str:
        return "\n".join(map(str, self.run))


def lengths(dims: Mapping[str, int]) -> str:
    """Axes with their lengths."""
    return ", ".join(f"{d} {n}" for d, n in dims.items())


def blocks_of(chunks: Chunks, dims: Sequence[str]) -> Blocks:
    """How an array is cut, told by the names of its axes."""
    largest = {d: max(sizes, default=0) for d, sizes in zip(dims, chunks, strict=True)}
    return Blocks(math.prod(map(len, chunks)), largest)
