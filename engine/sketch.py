"""Child graphs written as Python: `lambda x: (x - 1) / 2` becomes the nodes of a process graph."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.errors import Problem
from engine.graph.near import nearest_of
from processes import REGISTRY

Json = dict[str, Any]


class Sketch:
    """The nodes of a graph that is being drawn."""

    def __init__(self) -> None:
        self.nodes: Json = {}

    def add(self, process: str, args: Mapping[str, Any]) -> Term:
        """One more node; the term stands for its result."""
        known = REGISTRY.get(process)
        if known is None:
            raise Problem(
                "ProcessUnsupported", f"there is no process {process!r}", hint=nearest_of(process, REGISTRY)
            )
        name = free_name(self.nodes, process)
        self.nodes[name] = {
            "process_id": process,
            "arguments": {k: self.argument(v) for k, v in args.items()},
        }
        return Term(self, {"from_node": name})

    def argument(self, value: Any) -> Any:
        """A value as it stands in JSON."""
        if isinstance(value, Term):
            return value.json
        if isinstance(value, (list, tuple)):
            return [self.argument(v) for v in value]
        return value

    def finished(self, result: Any) -> Json:
        """The child graph whose result is this term or value."""
        if not isinstance(result, Term) or "from_node" not in result.json:
            result = self.add("constant", {"x": result})
        self.nodes[result.json["from_node"]]["result"] = True
        return {"process_graph": self.nodes}


class Term:
    """A value that is known when the graph runs; processes are its methods, operators are processes."""

    __hash__ = None  # type: ignore[assignment]
    __array_ufunc__ = None

    def __init__(self, sketch: Sketch, json: Json) -> None:
        self.sketch = sketch
        self.json = json

    def __getattr__(self, process: str) -> Callable[..., Term]:
        if process.startswith("__"):
            raise AttributeError(process)
        return lambda *args, **kwargs: self.sketch.add(*called(process.rstrip("_"), self, args, kwargs))

    def __getitem__(self, element: int | str) -> Term:
        which = {"label": element} if isinstance(element, str) else {"index": element}
        return self.sketch.add("array_element", {"data": self, **which})

    def __bool__(self) -> bool:
        raise TypeError("a value of a process graph is not known yet; use the process if_(), and_(), or_()")

    def __iter__(self) -> Any:
        raise TypeError("the elements of an array in a process graph are not known yet; take them by index")

    def __neg__(self) -> Term:
        return self.sketch.add("multiply", {"x": self, "y": -1})

    def __invert__(self) -> Term:
        return self.sketch.add("not", {"x": self})

    def __abs__(self) -> Term:
        return self.sketch.add("absolute", {"x": self})


def _operator(
    process: str, names: Sequence[str] = ("x", "y")
) -> tuple[Callable[..., Term], Callable[..., Term]]:
    """A binary operator, and the same with its sides swapped."""

    def straight(self: Term, other: Any) -> Term:
        return self.sketch.add(process, dict(zip(names, (self, other), strict=True)))

    def swapped(self: Term, other: Any) -> Term:
        return self.sketch.add(process, dict(zip(names, (other, self), strict=True)))

    return straight, swapped


for _name, _process in {"add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "mod": "mod",
                        "and": "and", "or": "or"}.items():  # fmt: skip
    _straight, _swapped = _operator(_process)
    setattr(Term, f"__{_name}__", _straight)
    setattr(Term, f"__r{_name}__", _swapped)
Term.__pow__, Term.__rpow__ = _operator("power", ("base", "p"))  # type: ignore[operator,attr-defined]
for _name, _process in {"lt": "lt", "le": "lte", "gt": "gt", "ge": "gte", "eq": "eq", "ne": "neq"}.items():
    setattr(Term, f"__{_name}__", _operator(_process)[0])


def called(process: str, first: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[str, Json]:
    """A process and its arguments by name, where `first` is the first of them."""
    if process not in REGISTRY:
        raise AttributeError(
            f"there is no process {process!r}. {nearest_of(process, REGISTRY) or ''}".strip()
        )
    names = [p.name for p in REGISTRY[process].signature.params]
    if len(args) + 1 > len(names):
        raise TypeError(
            f"{process}() takes {len(names)} arguments ({', '.join(names)}), {len(args) + 1} were given"
        )
    by_position = dict(zip(names, (first, *args), strict=False))
    if twice := by_position.keys() & kwargs.keys():
        raise TypeError(f"{process}() got {', '.join(twice)} twice")
    return process, {**by_position, **{k.rstrip("_"): v for k, v in kwargs.items()}}


def child(callback: Any, parameters: Sequence[str]) -> Any:
    """The child graph of a callback: a process's name, a Python function, or openEO JSON as it is.

    Args:
        callback: What was given.
        parameters: Names of the values the callback is called with.
    """
    sketch = Sketch()
    if isinstance(callback, str):
        if callback not in REGISTRY:
            raise Problem(
                "ProcessUnsupported", f"there is no process {callback!r}", hint=nearest_of(callback, REGISTRY)
            )
        signature = REGISTRY[callback].signature
        given = [{"from_parameter": p} for p in parameters if p != "context"]
        if len(given) > 1 and len([p for p in signature.params if p.required]) == 1:
            args: Json = {signature.params[0].name: given}  # an array of both values: max, mean
        else:
            args = {p.name: g for p, g in zip(signature.params, given, strict=False)}
        return sketch.finished(sketch.add(callback, args))
    if callable(callback):
        wanted = [p.name for p in inspect.signature(callback).parameters.values()]
        terms = [Term(sketch, {"from_parameter": p}) for p in parameters[: len(wanted)]]
        return sketch.finished(callback(*terms))
    return callback


def free_name(taken: Mapping[str, Any], process: str) -> str:
    """A name for a node: the process, and a number from the second on."""
    if process not in taken:
        return process
    number = 2
    while f"{process}{number}" in taken:
        number += 1
    return f"{process}{number}"
