"""What recipes do, in words short enough for a line: `median along t of normalized_difference(B08, B04)`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from engine.graph.model import Param, Ref, needed_for
from engine.graph.text import show
from engine.kernel.callback import Callback
from processes.cubes.apply import OnCells, OnSeries
from processes.cubes.groups import Grouping
from processes.cubes.indices import Difference
from processes.cubes.masks import Masking
from processes.cubes.merge import Merging
from processes.cubes.resample import Recode
from processes.places import Place, Region, count, everything
from processes.recipes import Cast, Mapped, Picked, Recipe, schedule

LONGEST = 160
"""Characters of a phrase; what is longer is cut, so that a thousand steps still make one line."""
SIGNS = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "lt": "<", "lte": "<=", "gt": ">", "gte": ">=",
    "eq": "==", "neq": "!=", "and": "and", "or": "or",
}  # fmt: skip
"""Processes of two operands that are written between them."""
LOOSE = ("and", "or")
"""Of these the ones that bind loosest."""


@dataclass(frozen=True)
class Told:
    """What a graph knows of a recipe and the recipe does not."""

    name: str
    """Name of the node or the parameter that it is the value of."""
    process: str = ""
    """What makes it; empty where it was given."""
    dims: tuple[str, ...] = ()
    """Names of its axes."""
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Labels along axes whose labels are words, such as bands."""


@dataclass(frozen=True)
class Phrase:
    """Words for a part of a recipe."""

    body: str
    """What it is."""
    tail: str = ""
    """What was taken out of it."""
    is_bare: bool = False
    """Is it but a name?"""
    dims: tuple[str, ...] = ()
    """Names of its axes."""
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Labels along its axes."""

    def __str__(self) -> str:
        return self.body + self.tail

    def put(self, words: str, dims: tuple[str, ...], *, is_named: bool = False) -> Phrase:
        """What becomes of it; `is_named` where the words themselves say of what."""
        body = words if is_named else f"{words} of {self.body}"
        return Phrase(cut(body), self.tail, False, dims, {d: n for d, n in self.labels.items() if d in dims})


def cut(text: str, most: int = LONGEST) -> str:
    """A text of bounded length."""
    return text if len(text) <= most else text[: most - 3] + "..."


def phrase(recipe: Recipe, known: Mapping[str, Told], stops: frozenset[str] = frozenset()) -> Phrase:
    """What a recipe does with what it is made of, down to recipes with the tokens of `stops`."""

    def is_end(node: Recipe) -> bool:
        return node is not recipe and node.token in stops

    found: list[Phrase] = []
    for step in schedule(recipe, everything(recipe.shape), is_end):
        inputs = [found[i] for i in step.inputs]
        found.append(worded(step.recipe, inputs) if inputs else named(step.recipe, step.region, known))
    return found[-1]


def named(recipe: Recipe, region: Region, known: Mapping[str, Told]) -> Phrase:
    """A recipe by its name."""
    told = known.get(recipe.token)
    if told is None:
        numbers = "numbers" if getattr(recipe, "array", None) is not None else type(recipe).__name__.lower()
        return Phrase(numbers, "", True)
    picks = selection(region, recipe.shape, told)
    labels = {
        d: chosen(told.labels[d], p) for d, p in zip(told.dims, region, strict=True) if d in told.labels
    }
    return Phrase(told.name + (f"[{picks}]" if picks else ""), "", True, told.dims, labels)


def selection(region: Region, shape: Sequence[int], told: Told) -> str:
    """Which places of an array are meant, where it is not all of them."""
    words = []
    for axis, (place, length) in enumerate(zip(region, shape, strict=True)):
        if isinstance(place, slice) and (place.start, place.stop) == (0, length):
            continue
        dim = told.dims[axis] if axis < len(told.dims) else str(axis)
        if dim in told.labels:
            words.append(", ".join(chosen(told.labels[dim], place)))
        elif isinstance(place, slice):
            words.append(f"{dim} {place.start}:{place.stop}" if count(place) > 1 else f"{dim} {place.start}")
        else:
            words.append(f"{count(place)} of {length} along {dim}")
    return ", ".join(words)


def chosen(labels: tuple[str, ...], place: Place) -> tuple[str, ...]:
    """The labels of some places."""
    return labels[place] if isinstance(place, slice) else tuple(labels[i] for i in place)


# ------------------------------------------------------------------------------------------------ steps
def worded(recipe: Recipe, inputs: Sequence[Phrase]) -> Phrase:
    """A step in words."""
    if isinstance(recipe, Picked):  # which places these are, the regions of what goes in tell already
        return replace(inputs[0], dims=tuple("" if a is None else at(inputs[0].dims, a) for a in recipe.axes))
    if not isinstance(recipe, Mapped):
        return inputs[0].put(type(recipe).__name__.lower(), inputs[0].dims)
    words = WORDS.get(type(recipe.fn))
    if words is None:
        return inputs[0].put(spelt(type(recipe.fn).__name__), recipe.dims)
    return words(recipe.fn, recipe, inputs)


def at(dims: Sequence[str], axis: int) -> str:
    """The name of an axis, empty where it has none."""
    return dims[axis] if axis < len(dims) else ""


def spelt(name: str) -> str:
    """The name of a class as words."""
    return "".join(f" {c.lower()}" if c.isupper() else c for c in name).strip()


def on_cells(fn: OnCells, recipe: Mapped, inputs: Sequence[Phrase]) -> Phrase:
    given = inputs[0]
    if " " in given.body:
        return given.put(formula(fn.process), recipe.dims)
    return given.put(formula(fn.process, x=given.body), recipe.dims, is_named=True)


def on_series(fn: OnSeries, recipe: Mapped, inputs: Sequence[Phrase]) -> Phrase:
    dim = recipe.input_dims[0][fn.series.position]
    text = formula(fn.process, [str(label) for label in fn.series.labels])
    if names_any(text, fn):
        return inputs[0].put(text, recipe.dims, is_named=inputs[0].is_bare)
    return inputs[0].put(f"{text} along {dim}", recipe.dims)


def names_any(text: str, fn: OnSeries) -> bool:
    """Are labels named in the words, so that it is clear along what they are?"""
    return any(str(label) in text for label in fn.series.labels if isinstance(label, str))


def grouping(fn: Grouping, recipe: Mapped, inputs: Sequence[Phrase]) -> Phrase:
    dim = recipe.input_dims[0][fn.position]
    return inputs[0].put(f"{formula(fn.reducer)} along {dim} in {len(fn.groups)} groups", recipe.dims)


def masking(fn: Masking, recipe: Mapped, inputs: Sequence[Phrase]) -> Phrase:  # noqa: ARG001 (a table's)
    data, marks = inputs
    instead = "" if fn.replacement is None else f", {fn.replacement} instead"
    return replace(data, tail=cut(f"{data.tail} without ({marks}{instead})"))


def difference(fn: Difference, recipe: Mapped, inputs: Sequence[Phrase]) -> Phrase:
    names = inputs[0].labels.get(recipe.input_dims[0][fn.position], ("x", "y"))
    return inputs[0].put(
        f"normalized_difference({', '.join(names)})", recipe.dims, is_named=inputs[0].is_bare
    )


def merging(fn: Merging, recipe: Mapped, inputs: Sequence[Phrase]) -> Phrase:
    how = "" if fn.resolver is None else f" by {formula(fn.resolver)}"
    return Phrase(cut(f"({inputs[0]} merged with {inputs[1]}{how})"), "", False, recipe.dims)


def itself(fn: Any, recipe: Mapped, inputs: Sequence[Phrase]) -> Phrase:  # noqa: ARG001 (a table's)
    return inputs[0]


WORDS: Mapping[type, Callable[..., Phrase]] = {
    OnCells: on_cells,
    OnSeries: on_series,
    Grouping: grouping,
    Masking: masking,
    Difference: difference,
    Merging: merging,
    Recode: itself,
    Cast: itself,
}
"""How the functions of blocks are put."""


# ---------------------------------------------------------------------------------------- child graphs
def formula(callback: Any, labels: Sequence[str] = (), x: str = "x") -> str:
    """A child graph as an expression, with a word for the cell `x`; a process of all values is just its name."""
    if not isinstance(callback, Callback):
        return spelt(type(callback).__name__)
    graph = callback.graph
    needed = needed_for(graph, [graph.result])
    values: dict[str, str] = {}
    for name in graph:
        if name in needed:
            node = graph[name]
            values[name] = cut(expression(node.process, node.args, {**values, "": x}, labels))
    return values[graph.result]


def expression(
    process: str, args: Mapping[str, Any], values: Mapping[str, str], labels: Sequence[str]
) -> str:
    """One call, its operands put in: `values` of nodes by their names, that of the cell under an empty one."""
    if process == "array_element" and isinstance(args.get("data"), Param):
        index = args.get("index")
        known = isinstance(index, int) and 0 <= index < len(labels)
        return labels[index] if known and index is not None else str(args.get("label", f"element {index}"))
    written = [operand(v, values) for k, v in args.items() if v is not None and k != "context"]
    if process in SIGNS and len(written) == 2:
        one, other = (within(w, loosely=process in LOOSE) for w in written)
        return f"{one} {SIGNS[process]} {other}"
    rest = [w for w in written if w != "data"]
    return f"{process}({', '.join(rest)})" if rest else process


def within(text: str, *, loosely: bool) -> str:
    """An operand, in brackets where signs would be read otherwise; `and` and `or` bind looser than all others."""
    depth, bare = 0, []
    for word in text.split(" "):
        bare += [word] if not depth else []
        depth += sum(word.count(c) for c in "([") - sum(word.count(c) for c in ")]")
    signs = LOOSE if loosely else SIGNS.values()
    return f"({text})" if any(word in signs for word in bare) else text


def operand(value: Any, values: Mapping[str, str]) -> str:
    """An argument: what a reference stands for, or itself."""
    if isinstance(value, Ref):
        return values[value.node]
    if isinstance(value, Param):
        return values[""] if value.name == "x" else value.name
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(operand(v, values) for v in value) + "]"
    return cut(show(value), 40)


def inner_formula(recipe: Mapped) -> str:
    """The child graph of a step, if it has one."""
    fn: Any = recipe.fn
    if isinstance(fn, OnCells):
        return formula(fn.process)
    if isinstance(fn, OnSeries):
        text = formula(fn.process, [str(label) for label in fn.series.labels])
        return text if names_any(text, fn) else f"{text} along {recipe.input_dims[0][fn.series.position]}"
    if isinstance(fn, Grouping):
        return f"{formula(fn.reducer)} along {recipe.input_dims[0][fn.position]} in {len(fn.groups)} groups"
    return ""
