"""A graph while it grows, and what its cube has become: the ground that random graphs walk on."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

BANDS = ("red", "nir", "green")
TIMES = (
    "2021-11-28T10:16:00", "2021-12-03T10:16:00", "2021-12-31T10:16:00",
    "2022-01-01T10:16:00", "2022-01-19T10:16:00", "2022-02-11T10:16:00",
)  # fmt: skip
"""Two years, four months, two seasons; a period of each kind with several dates, and no month without one."""
HEIGHT, WIDTH, CELL = 5, 6, 10.0
WEST, NORTH, EPSG = 675_000.0, 5_156_000.0, 32632


@dataclass(frozen=True)
class Shape:
    """What a walk knows of the cube at a node."""

    node: str
    """Name of the node."""
    bands: tuple[str, ...] | None = BANDS
    times: tuple[str, ...] | None = TIMES
    """`None` where there is no such dimension."""
    periods: bool = False
    """Are the labels along time names of periods?"""
    height: int | None = HEIGHT
    width: int | None = WIDTH
    more: str | None = None
    """Name of one more dimension, of one label."""

    @property
    def dims(self) -> tuple[str, ...]:
        has = {"t": self.times, "bands": self.bands, "y": self.height, "x": self.width}
        return tuple(d for d, size in has.items() if size is not None)


@dataclass
class Walk:
    """A graph while it grows."""

    draw: random.Random
    nodes: dict[str, Any] = field(default_factory=dict)

    def add(self, process: str, /, **arguments: Any) -> str:
        """One node more; its name."""
        name = f"{process}{len(self.nodes)}"
        self.nodes[name] = {"process_id": process, "arguments": arguments}
        return name

    def step(
        self, shape: Shape, process: str, /, after: dict[str, Any] | None = None, **arguments: Any
    ) -> Shape:
        """A node that works on the cube, and what the cube is afterwards."""
        name = self.add(process, data=source(shape), **arguments)
        return replace(shape, node=name, **(after or {}))

    def number(self, low: float = 0.2, high: float = 2.0) -> float:
        return round(self.draw.uniform(low, high), 3)


def source(shape: Shape) -> dict[str, str]:
    """A reference to the cube."""
    return {"from_node": shape.node} if shape.node else {"from_parameter": "cube"}


def child(*calls: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """A child graph of nodes named n0, n1, ...; the last one is its result."""
    nodes: dict[str, Any] = {f"n{i}": {"process_id": p, "arguments": a} for i, (p, a) in enumerate(calls)}
    nodes[f"n{len(calls) - 1}"]["result"] = True
    return {"process_graph": nodes}


def calls(graph: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Process and arguments of every node, those of child graphs after the one that has them."""
    for node in graph.values():
        yield node["process_id"], node["arguments"]
        for value in node["arguments"].values():
            if isinstance(value, dict) and "process_graph" in value:
                yield from calls(value["process_graph"])
