"""What a graph will cost, before a byte of it is read: sources, grids, bytes, and the shape of the result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from engine.plan.cost import Cost
from engine.plan.lines import Plan


@dataclass(frozen=True, slots=True)
class Read:
    """What one node reads."""

    node: str
    """Name of the node."""
    source: str
    """Identifier of the collection, or URL."""
    funnel: Mapping[str, Any]
    """How many items were left after each condition."""
    items: int
    """Items that are read."""
    assets: int
    """Files that are read."""
    dates: tuple[str, ...]
    """Dates of the cube, each of one or more items."""
    bands: tuple[str, ...]
    """Bands of the cube."""
    crs: str
    """Coordinate reference system of the cube."""
    resolution: tuple[float, float]
    """Size of a cell along x and y, in units of the CRS."""
    shape: tuple[int, ...]
    """Cells along each dimension."""
    dtype: str
    """Type of the cells."""
    nodata: float | int | None
    """What stands for no-data."""
    bytes: int
    """Bytes of the decoded cells."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a graph gives."""

    node: str
    """Name of the result's node."""
    kind: str
    """`cube`, or the type of a value."""
    dims: Mapping[str, int]
    """Labels along each dimension of a cube."""
    dtype: str
    """Type of its cells."""
    bytes: int
    """Bytes of the cube in memory."""
    blocks: int
    """Blocks in which it is computed."""
    tasks: int
    """Dask tasks for all of it."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A graph before and after its rules, what it reads, and what it gives."""

    before: str
    """The graph as it came, as text."""
    after: str
    """The graph that is run, as text."""
    reads: tuple[Read, ...]
    """What is read."""
    result: Result
    """What comes out."""
    log: tuple[str, ...]
    """Decisions that were taken on the way."""
    plan: Plan
    """How it is computed, as written and as run."""
    cost: Cost
    """What that costs."""

    @property
    def bytes(self) -> int:
        """Bytes of all decoded cells that are read."""
        return sum(r.bytes for r in self.reads)

    def json(self) -> dict[str, Any]:
        """The explanation for machines."""
        told = {k: v for k, v in asdict(self).items() if k not in ("plan", "cost")}
        return {**told, "bytes": self.bytes, "plan": self.plan.json(), "cost": self.cost.json()}

    def __str__(self) -> str:
        lines = ["graph", *indented(self.before)]
        if self.after != self.before:
            lines += ["is run as", *indented(self.after)]
        for r in self.reads:
            first, last = r.dates[0], r.dates[-1]
            lines += [
                f"{r.node} reads {r.source}",
                *indented(
                    f"{r.items} items in {r.assets} files: {len(r.dates)} dates from {first} to {last}, "
                    f"bands {', '.join(r.bands)}\n"
                    f"{'x'.join(map(str, r.shape))} cells of {abs(r.resolution[0]):g} x {abs(r.resolution[1]):g} in {crs_words(r.crs)}, "
                    f"{r.dtype}, no-data {r.nodata}\n{size(r.bytes)} decoded"
                ),
            ]
        dims = ", ".join(f"{d}: {n}" for d, n in self.result.dims.items())
        lines += [
            f"{self.result.node} gives a {self.result.kind}"
            + (f" ({dims}) of {self.result.dtype}" if dims else ""),
            f"  {size(self.result.bytes)} in {self.result.blocks} blocks, {self.result.tasks} tasks",
        ]
        if self.plan.run:
            lines += ["plan", *indented(str(self.plan))]
        lines += ["cost", *indented("\n".join(cost_lines(self.cost)))]
        return "\n".join([*lines, *(f"note: {entry}" for entry in self.log)])


def cost_lines(cost: Cost) -> list[str]:
    """A cost for people."""
    about = "" if cost.exact else "about "
    reads = f"reads {about}{size(cost.bytes_packed)} of {cost.assets} {'file' if cost.assets == 1 else 'files'} ({size(cost.bytes_decoded)} decoded)"
    if cost.requests:
        reads += f" in {about}{cost.requests:,} requests"
    memory, seconds = cost.memory, cost.seconds
    parts = {k: getattr(seconds, k) for k in ("start", "compile", "fetch", "decode", "compute", "write")}
    longest = ", ".join(f"{k} {v:.1f}" for k, v in parts.items() if v >= 0.05)
    return [
        reads,
        f"computes {about}{cost.cells:,} numbers in {cost.tasks:,} {'block' if cost.tasks == 1 else 'blocks'}; gives {size(cost.bytes_out)}",
        f"holds up to {size(memory.total)}: process {size(memory.base)}, blocks {size(memory.blocks)} "
        f"(the largest {size(memory.largest)}), writing {size(memory.written)}, files {size(memory.cache)}",
        f"takes about {seconds.total:.1f} s: {longest or 'less than 0.1'}"
        + ("" if cost.calibrated else " (uncalibrated: run gdc calibrate)"),
    ]


def crs_words(crs: str) -> str:
    """A CRS in a few words: its EPSG code, or the name that its WKT begins with."""
    return f"EPSG:{crs}" if crs.isdigit() else crs.partition(",")[0]


def indented(text: str) -> list[str]:
    """Lines, two blanks further in."""
    return [f"  {line}" for line in text.splitlines()]


def size(count: float) -> str:
    """Bytes for people."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError
