"""Rule: a filter slips down towards its source, past every process that does not mix what it filters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain

from engine.graph.model import Graph, Node, Ref, parts, replaced
from engine.plan.rules.around import Around
from engine.plan.rules.origins import CLOSED, Filter, Known, look

MOST = 8
"""Filters that are on their way at once; more of them stay where they are, so that the rule stays linear."""

Way = tuple[Filter, ...]
"""What happens to a node's cube on the way to one that reads it; the filter that comes first stands first."""


@dataclass(frozen=True, slots=True)
class Route:
    """What becomes of a node."""

    lifted: bool = False
    """Is it a filter that is on its way down?"""
    through: Way = ()
    """The filters that slip past it."""
    into: Mapping[str, Way] = field(default_factory=dict)
    """Those of them that each of its cubes goes through instead: parameter -> filters."""
    first: Mapping[Filter, Filter] = field(default_factory=dict)
    """Of equal filters of its cube the one that came first in the graph; it gives the name."""


PLAIN, LIFTED = Route(), Route(lifted=True)


def push_filters(graph: Graph, around: Around) -> Graph:
    """The graph with its filters as far down as they can be.

    A node that several others read is filtered where all of them filter it in the same way. The filters are those of
    the graph, at other places: what they keep, and what they complain of, stays the same.
    """
    known = look(graph, around.registry)
    if not any(k.filter for k in known.values()):
        return graph
    return Moved(graph, known, routes(graph, known)).graph()


def routes(graph: Graph, known: Mapping[str, Known]) -> dict[str, Route]:
    """The route of each node, found from the result down."""
    found: dict[str, Route] = {}
    ways: dict[str, dict[Way, None]] = {name: {} for name in graph}
    ways[graph.result][()] = None
    for name in reversed(list(graph)):
        here = known.get(name)
        route = found[name] = route_of(here, known, list(ways[name]))
        if here is not None and here.filter is not None and route.lifted:
            below = ways[here.cubes["data"]]
            below.update({(here.filter, *way): None for way in ways[name]})
            continue
        for parameter, value in graph[name].args.items():
            way = route.into.get(parameter, ())
            for part in () if type(value) in CLOSED else parts(value):
                if isinstance(part, Ref):
                    ways[part.node][way] = None
    return found


def route_of(here: Known | None, known: Mapping[str, Known], ways: list[Way]) -> Route:
    """What becomes of a node whose readers want these filters."""
    if here is not None and here.filter is not None and ways and max(map(len, ways)) < MOST:
        return LIFTED
    if not any(ways):
        return PLAIN
    first: dict[Filter, Filter] = {}
    for step in chain.from_iterable(ways):
        if step not in first or step.place < first[step].place:
            first[step] = step
    if here is None:
        return Route(first=first)
    through: list[Filter] = []
    blocked: set[str] = set()
    for wanted in shared(ways):
        if wanted.dims & (here.mixed | blocked) or not everywhere(wanted, here, known):
            blocked |= wanted.dims
        else:
            through.append(wanted)
    into = {
        parameter: tuple(f for f in through if f.dims <= known[cube].labels.keys())
        for parameter, cube in (here.cubes.items() if through else ())
    }
    return Route(False, tuple(through), into, first)


def shared(ways: list[Way]) -> Iterable[Filter]:
    """The filters with which all ways begin."""
    for wanted, *others in zip(*ways, strict=False):
        if any(other != wanted for other in others):
            return
        yield wanted


def everywhere(wanted: Filter, here: Known, known: Mapping[str, Known]) -> bool:
    """Does a filter keep the same labels of all cubes that go in, or does a cube lack the dimension?"""
    first, *others = [known[cube].labels for cube in here.cubes.values()]
    for labels in others:
        if labels is first:
            continue
        there = wanted.dims & labels.keys()
        if not there and wanted.sure:
            continue
        if there != wanted.dims or any(labels[d] != first.get(d) for d in there):
            return False
    return wanted.dims <= first.keys()


class Moved:
    """A graph while it is built anew, with its filters elsewhere."""

    def __init__(self, graph: Graph, known: Mapping[str, Known], routes: Mapping[str, Route]) -> None:
        self.before = graph
        self.known = known
        self.routes = routes
        self.nodes: dict[str, Node] = {}
        self.made: dict[tuple[str, Filter], str] = {}
        self.taken = {name for name in graph if not routes[name].lifted}
        self.touched = {name for name, route in routes.items() if route is not PLAIN}

    def graph(self) -> Graph:
        """The graph."""
        for name, node in self.before.nodes.items():
            if self.routes[name].lifted:
                continue
            if not self.touched.isdisjoint(node.inputs):
                into = self.routes[name].into
                args = {p: self.led(value, into.get(p, ())) for p, value in node.args.items()}
                node = Node(node.process, args, node.pointer, node.namespace)
            self.nodes[name] = node
        result = self.end(self.before.result, ())
        return self.before.with_nodes(self.nodes, result)

    def led(self, value: object, way: Way) -> object:
        """An argument whose references lead to what goes on the way."""
        if isinstance(value, Ref):
            return Ref(self.end(value.node, way))
        if type(value) in CLOSED:
            return value
        change = {part: Ref(self.end(part.node, ())) for part in parts(value) if isinstance(part, Ref)}
        return replaced(value, change) if change else value

    def end(self, name: str, way: Way) -> str:
        """The node that gives what another one becomes on a way."""
        while self.routes[name].lifted:
            here = self.known[name]
            assert here.filter is not None
            name, way = here.cubes["data"], (here.filter, *way)
        first = self.routes[name].first
        past = list(self.routes[name].through)
        for step in way:
            if step in past:
                past.remove(step)
            else:
                name = self.filtered(name, first[step])
        return name

    def filtered(self, name: str, step: Filter) -> str:
        """A node with the filter after another node; the same one each time it is asked for."""
        if (name, step) not in self.made:
            fresh = self.made[name, step] = self.free(step.name)
            self.nodes[fresh] = replace(step.node, args={**step.node.args, "data": Ref(name)})
        return self.made[name, step]

    def free(self, name: str) -> str:
        """A name that no other node has."""
        fresh, number = name, 2
        while fresh in self.taken:
            fresh, number = f"{name}_{number}", number + 1
        self.taken.add(fresh)
        return fresh
