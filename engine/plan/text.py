"""A plan as text and as JSON: what is computed of what, a line for each step, as written and as run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import xarray as xr

from engine.kernel.fused import Fused
from engine.load.natural import natural
from engine.plan.lines import Line, Plan, blocks_of
from engine.plan.parts import is_held, parts
from engine.plan.passes import Selected
from engine.plan.phrases import Told, inner_formula, phrase, selection
from engine.plan.planner import Planner
from engine.plan.push_grid import Framed, origins
from engine.plan.shelf import Kept
from processes.lazy import Lazy
from processes.places import Region
from processes.recipes import Chunks, Maker, Mapped, Picked, Recipe

PUSH_GRID, SELECT, FUSE, KEEP, CHUNK = "push_grid", "select", "fuse", "keep", "chunk"
"""The rules on plans, as the golden files are named."""


FEW = 4
"""So many planes of one step are named one by one."""


class HasProcess(Protocol):
    """A node of a graph, as far as a plan tells of it."""

    @property
    def process(self) -> str:
        """Which process it calls."""


def plan_of(
    cubes: Iterable[xr.DataArray], values: Mapping[str, Any], nodes: Mapping[str, HasProcess], sources: Mapping[str, str]
) -> Plan:  # fmt: skip
    """The plan of lazy cubes; those that do not tell how they are computed are left out.

    Args:
        cubes: What is to be computed.
        values: Values of the nodes and parameters of the graph, in the order in which they were made.
        nodes: The nodes of the graph.
        sources: For nodes that load, what from.
    """
    known = told(values, nodes)
    recipes = [(c.data, c.data.recipe) for c in cubes if isinstance(c.data, Lazy)]
    moved = {new: old for _, recipe in recipes for new, old in origins(recipe).items()}
    named = {new: known[old] for new, old in moved.items() if old in known}
    written, run = Lines(known, sources), Lines({**known, **named}, sources, frozenset(moved))
    for array, recipe in recipes:
        before = natural(recipe)
        written.put(recipe, before)
        run.put(planned(array), array.chunks, (CHUNK,) if array.chunks != before else ())
    return Plan(tuple(written.found.values()), tuple(run.found.values()))


def planned(array: Lazy) -> Recipe:
    """The recipe that is run for an array."""
    if isinstance(array.planner, Planner):
        return array.planner.planned(array.recipe)
    maker = array.planner.maker(array.recipe)
    return maker.recipe if isinstance(maker, Maker) else array.recipe


def told(values: Mapping[str, Any], nodes: Mapping[str, HasProcess]) -> dict[str, Told]:
    """What a graph tells of the recipes of its values, by their tokens; the first node that has one names it."""
    known: dict[str, Told] = {}
    for name, value in values.items():
        if isinstance(value, xr.DataArray) and isinstance(value.data, Lazy):
            dims = tuple(map(str, value.dims))
            labels = {
                d: tuple(map(str, value.coords[d].values))
                for d in dims
                if d in value.coords and value.coords[d].dtype.kind in "OUT"
            }
            process = nodes[name].process if name in nodes else ""
            known.setdefault(value.data.recipe.token, Told(name, process, dims, labels))
    return known


@dataclass
class Lines:
    """Writes recipes down, each after what it is made of."""

    known: Mapping[str, Told]
    """What the graph tells, by token."""
    sources: Mapping[str, str]
    """For nodes that load, what from."""
    moved: frozenset[str] = frozenset()
    """Tokens of what is on another grid than the graph says."""
    told: dict[str, Told] = field(default_factory=dict)
    """What is told of all that is written down, by token."""
    found: dict[str, Line] = field(default_factory=dict)
    """The lines so far, by token."""
    kept: dict[str, Kept] = field(default_factory=dict)
    """What is kept, by the token of what it is."""

    def put(self, root: Recipe, chunks: Chunks, rules: tuple[str, ...] = ()) -> None:
        """Write a recipe and all that it is made of, without recursion."""
        self.name(root, "out")
        waiting = [root]
        while waiting:
            node = waiting[-1]
            parts = [p for p in self.parts(node) if p.token not in self.found]
            if parts and node.token not in self.found:
                for part in parts:
                    self.name(part, self.told[node.token].name)
                waiting += reversed(parts)
                continue
            waiting.pop()
            if node.token not in self.found:
                self.found[node.token] = self.line(node)
        for token, node in self.kept.items():
            self.found[token] = self.stored(self.found[token], node)
        line = self.found[root.token]
        blocks = blocks_of(chunks, tuple(line.dims))
        self.found[root.token] = replace(line, blocks=blocks, rules=(*line.rules, *rules))

    def name(self, node: Recipe, consumer: str) -> None:
        """Give a recipe the name of its node, or one after who needs it, which nothing else has."""
        if node.token in self.told:
            return
        told = self.known.get(node.token) or Told(consumer, "", self.dims(node))
        taken = {t.name for t in self.told.values()} | {t.name for t in self.known.values()}
        free = (f"{told.name}.{i}" for i in range(1, len(taken) + 2))
        is_new = node.token in self.known or told.name not in taken
        self.told[node.token] = (
            told if is_new else replace(told, name=next(n for n in free if n not in taken))
        )

    def parts(self, node: Recipe) -> list[Recipe]:
        """What a recipe is made of and has lines of its own; numbers in memory have none."""
        direct = parts(node) if isinstance(node, Fused) else [self.behind(i) for i in within(node)]
        return [p for p in {p.token: p for p in direct}.values() if not is_held(p)]

    def behind(self, node: Recipe) -> Recipe:
        """A recipe, or what a choice of places is made of that no node has made: it is told where it is used."""
        while isinstance(node, Kept) or (isinstance(node, Picked) and node.token not in self.known):
            if isinstance(node, Kept):
                self.kept[node.token] = node
            node = node.source
        return node

    def line(self, node: Recipe) -> Line:
        """One recipe as a line."""
        told = self.told[node.token]
        line = Line(told.name, "", (), dict(zip(told.dims, node.shape, strict=True)), str(node.dtype))
        if isinstance(node, Fused):
            return self.kernel(node, line)
        if isinstance(node, Selected):
            return self.passed(node, line)
        if not node.inputs:
            source = self.sources.get(told.name, told.name)
            rules = (PUSH_GRID,) if node.token in self.moved else ()
            blocks = blocks_of(natural(node), told.dims)
            return replace(line, does="read", of=(source,), blocks=blocks, rules=rules)
        if isinstance(node, Picked):
            words = picked_words(node, self.told[node.source.token])
            return replace(line, does=told.process or "select", of=(words,))
        if isinstance(node, Framed):
            return replace(line, does="within", of=tuple(map(self.short, node.inputs)), rules=(PUSH_GRID,))
        does = told.process or type(getattr(node, "fn", node)).__name__.lower()
        words = inner_formula(node) if isinstance(node, Mapped) else ""
        return replace(line, does=does, of=tuple(map(self.short, node.inputs)), formula=words)

    @staticmethod
    def stored(line: Line, node: Kept) -> Line:
        """The line of what is kept, with its blocks."""
        chunks = (*((n,) for n in node.shape[:-2]), *node.sizes)
        return replace(line, blocks=blocks_of(chunks, tuple(line.dims)), rules=(*line.rules, KEEP))

    def passed(self, node: Selected, line: Line) -> Line:
        """What is found in passes as a line."""
        does = self.told[node.token].process or type(node).__name__.lower()
        often = "one pass" if node.passes == 1 else f"at most {node.passes} passes"
        return replace(
            line,
            does=does,
            of=(self.short(node.source),),
            formula=f"{node.told} in {often}",
            rules=(SELECT,),
        )

    def kernel(self, node: Fused, line: Line) -> Line:
        """A kernel as a line."""
        planes = {n: self.plane(node.planes[n].recipe, node.planes[n].places) for n in node.used}
        skips = "" if node.gate is None else " and ".join(planes[n] for n in node.gate.formula.planes)
        words = phrase(node.recipe, self.told, frozenset(node.planes[n].recipe.token for n in planes))
        of = self.gathered(node, planes)
        return replace(line, does="kernel", of=of, formula=str(words), skips=skips, rules=(FUSE,))

    def gathered(self, node: Fused, planes: Mapping[int, str]) -> tuple[str, ...]:
        """The planes by name; of a recipe that gives many only how many these are."""
        many = Counter(node.planes[n].recipe.token for n in planes)
        words = []
        for n, name in planes.items():
            token = node.planes[n].recipe.token
            words.append(name if many[token] <= FEW else f"{self.told[token].name}[{many[token]} planes]")
        return tuple(dict.fromkeys(words))

    def plane(self, node: Recipe, places: Region) -> str:
        """A plane: `load.B04`."""
        if is_held(node):
            return numbers(node)
        told = self.told[node.token]
        picks = selection(places, node.shape, told)
        return told.name + (f"[{picks}]" if " " in picks else f".{picks}" if picks else "")

    def short(self, node: Recipe) -> str:
        """What goes into a step: its name, and which places of it."""
        behind = self.behind(node)
        if is_held(behind):
            return numbers(behind)
        if node is behind or not isinstance(node, Picked) or node.source is not behind:
            return self.told[behind.token].name
        return picked_words(node, self.told[behind.token])

    def dims(self, node: Recipe) -> tuple[str, ...]:
        """Names of the axes of a recipe that no node has."""
        while isinstance(node, (Fused, Selected)):
            node = node.recipe
        if node.token in self.known:
            return self.known[node.token].dims
        if isinstance(node, Mapped):
            return node.dims
        if isinstance(node, Picked):
            below = self.dims(node.source)
            return tuple("new" if a is None else below[a] for a in node.axes)
        if node.inputs and len(node.inputs[0].shape) == len(node.shape):
            return self.dims(node.inputs[0])
        return tuple(getattr(node, "roles", ())) or tuple(f"axis{i}" for i in range(len(node.shape)))


def within(node: Recipe) -> Sequence[Recipe]:
    """What one recipe is made of, as far as it has lines."""
    return [node.source] if isinstance(node, Selected) else node.inputs


def picked_words(node: Picked, told: Told) -> str:
    """Some places of a recipe: `load[B04, B08]`."""
    picks = selection(node.places, node.source.shape, told)
    return told.name + (f"[{picks}]" if picks else "")


def numbers(node: Recipe) -> str:
    """An array in memory."""
    return "x".join(map(str, node.shape)) + " numbers"
