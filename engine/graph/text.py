"""Graph <-> text that reads like Python: for explain, for logs, for golden tests."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from engine.errors import Problem
from engine.graph.model import Child, Graph, Node, Param, Ref

LONGEST = 200
"""Characters of one argument; longer ones are shortened where nobody is to read them back."""


def write(graph: Graph, *, shorten: bool = False) -> str:
    """One line a node, `name = process(argument=value)`."""
    return "\n".join(f"{name} = {call(node, shorten)}" for name, node in graph.nodes.items())


def call(node: Node, shorten: bool = False) -> str:
    """One call; `{...}` stands for a child graph, `$name` for a parameter."""
    args = (f"{k}={cut(show(v)) if shorten else show(v)}" for k, v in node.args.items())
    return f"{node.process}({', '.join(args)})"


def cut(text: str) -> str:
    """A text of bounded length."""
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def show(value: Any) -> str:
    """An argument as text."""
    if isinstance(value, Ref):
        return value.node
    if isinstance(value, Param):
        return f"param({value.name!r})"
    if isinstance(value, Child):
        inner = "; ".join(f"{n} = {call(node)}" for n, node in value.graph.nodes.items())
        return f"child({inner!r}, result={value.graph.result!r})"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{k!r}: {show(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(show(v) for v in value) + "]"
    if hasattr(value, "dims"):
        return f"<cube {', '.join(f'{d}={n}' for d, n in value.sizes.items())}>"
    return repr(value)


def read(text: str, result: str | None = None) -> Graph:
    """The graph that `write` wrote; its last node is the result unless said otherwise."""
    nodes: dict[str, Node] = {}
    for line in ast.parse(text).body:
        match line:
            case ast.Assign(
                targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id=process), keywords=keywords)
            ):
                nodes[name] = Node(process, {str(k.arg): value_of(k.value) for k in keywords}, f"/{name}")
            case _:
                raise Problem("ProcessGraphInvalid", f"line {line.lineno} is no call of a process")
    return Graph(nodes, result or list(nodes)[-1])


def value_of(expr: ast.expr) -> Any:
    """An argument from text."""
    match expr:
        case ast.Name(id=name):
            return Ref(name)
        case ast.Call(func=ast.Name(id="param"), args=[ast.Constant(value=str(name))]):
            return Param(name)
        case ast.Call(func=ast.Name(id="child"), args=[ast.Constant(value=str(inner))], keywords=[keyword]):
            return Child(read(inner.replace("; ", "\n"), ast.literal_eval(keyword.value)))
        case ast.Dict(keys=keys, values=values):
            return {ast.literal_eval(k): value_of(v) for k, v in zip(keys, values, strict=True) if k}
        case ast.List(elts=elements):
            return [value_of(e) for e in elements]
    return ast.literal_eval(expr)
