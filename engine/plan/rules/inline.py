"""Rule: a user-defined process is replaced by the nodes of its graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from engine.errors import Problem
from engine.graph.model import Child, Graph, Node, Param, Ref, in_order, parts, replaced
from engine.graph.near import nearest_of
from engine.graph.parse import MAX_NODES, Definition, too_complex

Definitions = Mapping[str, Definition]


def inline(graph: Graph, definitions: Definitions, backend: Mapping[str, object]) -> Graph:
    """The graph without calls of user-defined processes, those in child graphs included.

    A predefined process goes before a user's of the same name unless the node says `"namespace": "user"`. In a process
    of another namespace, its own namespace stands in for the user's.

    Raises:
        Problem: An argument is missing or not known, a process calls itself, or the graph grows too large.
    """
    if not definitions:
        return graph
    return _inlined(graph, definitions, backend, ())


def foreign(namespace: str, process: str) -> str:
    """The key of a process of another namespace than the user's own, among the definitions."""
    return f"{namespace} {process}"


def home_of(key: str) -> str | None:
    """The namespace of such a key; none where it is the user's own."""
    return key.rpartition(" ")[0] or None


def key_of(node: Node, backend: Mapping[str, object], home: str | None) -> str | None:
    """The key of what a node calls, among the definitions; none where it calls a predefined process."""
    if node.namespace == "backend" or (node.namespace is None and node.process in backend):
        return None
    namespace = home if node.namespace in (None, "user") else node.namespace
    return node.process if namespace is None else foreign(namespace, node.process)


def _inlined(
    graph: Graph,
    definitions: Definitions,
    backend: Mapping[str, object],
    callers: tuple[str, ...],
    called_at: str = "",
) -> Graph:
    home = home_of(callers[-1]) if callers else None
    nodes: dict[str, Node] = {}
    stands_for: dict[Ref, Ref] = {}
    for name, node in graph.nodes.items():
        moved = replace(node, args=replaced(node.args, stands_for))
        moved = _children(moved, definitions, backend, callers)
        key = key_of(node, backend, home)
        if key is None or key not in definitions:
            nodes[name] = moved
            continue
        if key in callers:
            chain = " > ".join((*callers, key))
            raise Problem(
                "ProcessGraphInvalid",
                f"process {node.process!r} calls itself: {chain}",
                pointer=called_at or node.pointer,
            )
        definition = definitions[key]
        inner = _inlined(definition.graph, definitions, backend, (*callers, key), called_at or node.pointer)
        nodes |= _body(name, moved, definition, inner)
        stands_for[Ref(name)] = Ref(f"{name}.{inner.result}")
        if len(nodes) > MAX_NODES:
            raise too_complex(f"with its user-defined processes the graph has more than {MAX_NODES} nodes")
    result = stands_for.get(Ref(graph.result), Ref(graph.result)).node
    order, _ = in_order({name: node.inputs for name, node in nodes.items()})
    return graph.with_nodes({name: nodes[name] for name in order}, result)


def _body(name: str, call: Node, definition: Definition, inner: Graph) -> dict[str, Node]:
    """The nodes of a process, named after the call, with its arguments in place of the parameters."""
    values = _bind(name, call, definition)
    change: dict[object, object] = {Param(p): value for p, value in values.items()}
    change |= {Ref(n): Ref(f"{name}.{n}") for n in inner}
    body = {}
    for n, node in inner.nodes.items():
        args = replaced(node.args, change)
        args = {k: _closed(v, values) for k, v in args.items()}
        body[f"{name}.{n}"] = replace(node, args=args, pointer=call.pointer)
    return body


def _closed(value: object, values: Mapping[str, object]) -> object:
    """Child graphs remember the parameters of the process they come from."""
    if isinstance(value, Child):
        return Child(value.graph, {**values, **value.bound})
    if isinstance(value, Mapping):
        return {k: _closed(v, values) for k, v in value.items()}
    return [_closed(v, values) for v in value] if isinstance(value, list) else value


def _children(
    node: Node, definitions: Definitions, backend: Mapping[str, object], callers: tuple[str, ...]
) -> Node:
    """The node with its child graphs inlined."""

    def walk(value: object) -> object:
        if isinstance(value, Child):
            return Child(_inlined(value.graph, definitions, backend, callers), value.bound)
        if isinstance(value, Mapping):
            return {k: walk(v) for k, v in value.items()}
        return [walk(v) for v in value] if isinstance(value, list) else value

    if not any(isinstance(v, Child) for v in parts(node.args)):
        return node
    return replace(node, args={k: walk(v) for k, v in node.args.items()})


def _bind(name: str, call: Node, definition: Definition) -> dict[str, object]:
    """Parameter -> argument or default; complains of what is missing or not known."""
    declared = {p.name: p for p in definition.graph.parameters}
    for given in call.args:
        if given not in declared:
            raise Problem(
                "ProcessParameterUnsupported",
                f"node {name!r}: process {call.process!r} has no parameter {given!r}; it has "
                f"{', '.join(declared) or 'none'}",
                pointer=f"{call.pointer}/arguments/{given}",
                hint=nearest_of(given, declared),
            )
    for p in declared.values():
        if p.name not in call.args and not p.optional:
            raise Problem(
                "ProcessParameterRequired",
                f"node {name!r}: process {call.process!r} needs the parameter {p.name!r}",
                pointer=f"{call.pointer}/arguments",
            )
    return {p.name: call.args.get(p.name, p.default) for p in declared.values()}
