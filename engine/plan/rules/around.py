"""What rules are told besides the graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from odc.geo.geobox import GeoBox

from engine.graph.model import Node
from processes.registry import Process

Twin = Callable[[Node, Sequence[Node], Node], tuple[str, ...] | None]
"""A load, filters of its cube, and a load of less: the names of the bands where both give the same, else `None`."""


Grid = Callable[[Node], GeoBox | None]
"""A load: the grid of its cube, where it has one."""


def nowhere(load: Node) -> GeoBox | None:  # noqa: ARG001 (is a Grid)
    """Where no source can be asked, no grid is known."""
    return None


def never(load: Node, filters: Sequence[Node], less: Node) -> tuple[str, ...] | None:  # noqa: ARG001 (is a Twin)
    """Where no source can be asked, nothing is known to be the same."""
    return None


@dataclass(frozen=True)
class Around:
    """The surroundings of a graph."""

    registry: Mapping[str, Process]
    """The processes there are."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Values of the graph's parameters, as far as they are known."""
    twin: Twin = never
    """Asks the sources whether they give the same when less is asked of them."""
    grid: Grid = nowhere
    """Asks a source for its grid."""
