"""openEO JSON -> Graph, without recursion; everything wrong with the form is reported at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import Problem, Problems
from engine.graph.model import (
    PLAIN,
    Child,
    Graph,
    LiteralArray,
    LiteralObject,
    Node,
    Param,
    Parameter,
    Ref,
    in_order,
)

MAX_NODES = 50_000
"""Nodes of one graph, child graphs included."""
MAX_DEPTH = 64
"""Levels of child graphs, lists and objects within each other."""
MAX_BYTES = 20_000_000
"""Size of the JSON text."""
OPEN = frozenset({dict, list})
"""Types of values that hold others."""
REFERRING = frozenset({"from_node", "from_parameter", "process_graph"})
"""Members of objects that stand for something else."""


@dataclass(frozen=True, slots=True)
class Definition:
    """A process given as a graph: what a user-defined process is."""

    id: str
    """Its identifier; empty where it has none."""
    graph: Graph
    """The graph with its declared parameters."""
    summary: str = ""
    description: str = ""


def parse(source: Any) -> Graph:
    """Read a graph: a dict, JSON text, a path, or whatever has a `flat_graph()` (an `openeo.DataCube`).

    Raises:
        Problems: All that is wrong with its form.
    """
    return define(source).graph


def define(source: Any) -> Definition:
    """Read a process with its graph; a bare graph is a process without an id."""
    given = as_json(source)
    if not isinstance(given, Mapping):
        raise Problem("ProcessGraphMissing", f"a process graph is an object, this is {type(given).__name__}")
    wrapper = given
    root = ""
    while isinstance(wrapper.get("process"), Mapping):  # a job or a request to run one
        wrapper, root = wrapper["process"], root + "/process"
    is_wrapped = isinstance(wrapper.get("process_graph"), Mapping)
    nodes = wrapper["process_graph"] if is_wrapped else wrapper
    reader = Reader()
    graph = reader.read(nodes, f"{root}/process_graph" if is_wrapped else root)
    declared = declared_parameters(wrapper.get("parameters") or () if is_wrapped else ())
    reader.problems += misshapen(wrapper, root) if is_wrapped else []
    if reader.problems:
        raise Problems(reader.problems)
    assert graph is not None
    texts = (wrapper if is_wrapped else {}).get
    return Definition(
        str(texts("id") or ""),
        Graph(graph.nodes, graph.result, declared),
        str(texts("summary") or ""),
        str(texts("description") or ""),
    )


def as_json(source: Any) -> Any:
    """The JSON value behind a path, a text or a client's object."""
    if hasattr(source, "flat_graph"):
        return source.flat_graph()
    if isinstance(source, Path) or (isinstance(source, str) and not source.lstrip().startswith("{")):
        path = Path(source)
        try:
            source = path.read_bytes()
        except OSError as error:
            raise Problem(
                "FileNotFound", f"the process graph {str(path)!r} cannot be read: {error.strerror}"
            ) from None
    if not isinstance(source, (str, bytes)):
        return source
    if len(source) > MAX_BYTES:
        raise too_complex(f"the process graph has {len(source)} bytes, at most {MAX_BYTES} are read")
    try:
        return json.loads(source)
    except RecursionError:
        raise too_complex(f"the JSON is nested more than {MAX_DEPTH} deep") from None
    except ValueError as error:
        raise Problem("ProcessGraphInvalid", f"the process graph is no JSON: {error}") from None


TEXT, FLAG, LIST, OBJECT = (str, "a text"), (bool, "true or false"), (list, "a list"), (dict, "an object")
MEMBERS: Mapping[str, tuple[type, str]] = {
    "id": TEXT, "summary": TEXT, "description": TEXT, "deprecated": FLAG, "experimental": FLAG, "parameters": LIST,
    "returns": OBJECT, "categories": LIST, "exceptions": OBJECT, "examples": LIST, "links": LIST,
}  # fmt: skip
"""What a process tells of itself, and what it has to be where it is there."""
OF_LISTS: Mapping[str, tuple[type, str]] = {"categories": TEXT, "examples": OBJECT, "links": OBJECT}
"""What the elements of its lists have to be."""


def misshapen(process: Mapping[str, Any], pointer: str) -> list[Problem]:
    """The members of a process that are not what clients expect of them."""
    found = []
    for name, (type_, words) in MEMBERS.items():
        given = process.get(name)
        inner, of = OF_LISTS.get(name, (object, ""))
        if not isinstance(given, type_ | None):
            fault = f"{name} has to be {words}"
        elif isinstance(given, list) and not all(isinstance(v, inner) for v in given):
            fault = f"each element of {name} has to be {of}"
        else:
            continue
        found.append(Problem("ProcessInvalid", fault, pointer=f"{pointer}/{name}"))
    return found


def declared_parameters(given: Any) -> tuple[Parameter, ...]:
    """The parameters that a process declares."""
    if not isinstance(given, (list, tuple)) or not all(map(is_parameter, given)):
        raise Problem(
            "ProcessInvalid",
            "parameters has to be a list of objects, each with a name, and with a schema or several",
            pointer="/parameters",
        )
    return tuple(
        Parameter(
            str(p["name"]),
            p.get("schema", {}),
            bool(p.get("optional", "default" in p)),
            p.get("default"),
            str(p.get("description", "")),
        )
        for p in given
    )


def is_parameter(given: Any) -> bool:
    """Does it declare a parameter?"""
    if not isinstance(given, Mapping) or not isinstance(given.get("name"), str):
        return False
    schema = given.get("schema", {})
    schemas = schema if isinstance(schema, list) else [schema]
    return all(isinstance(one, Mapping) for one in schemas)


def too_complex(message: str) -> Problem:
    """The graph is larger than any that is meant."""
    return Problem("ProcessGraphComplexity", message, hint="Split it up, or use user-defined processes.")


@dataclass(slots=True)
class Task:
    """A graph or an argument that is still to be read."""

    value: Any
    pointer: str
    depth: int
    home: Any
    """The container it goes into, once read."""
    key: Any


class Reader:
    """Reads one JSON document; keeps all problems that it meets."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.count = 0

    def read(self, nodes: Any, pointer: str) -> Graph | None:
        """Read a graph with all its children, the children first."""
        box: dict[str, Any] = {}
        drafts = [Draft(nodes, pointer, 0, box, "root")]
        for draft in drafts:  # grows while it is walked
            self.open(draft, drafts)
            if self.count > MAX_NODES:
                raise too_complex(f"the graph has more than {MAX_NODES} nodes")
        for draft in reversed(drafts):
            graph = self.close(draft)
            draft.home[draft.key] = graph if draft.home is box else graph and Child(graph)
        root: Graph | None = box["root"]
        return root

    def open(self, draft: Draft, drafts: list[Draft]) -> None:
        """Read the nodes of one graph; child graphs are noted down for later."""
        if not isinstance(draft.json, Mapping) or not draft.json:
            self.fault("ProcessGraphMissing", "a process graph needs at least one node", draft.pointer)
            return
        for name, given in draft.json.items():
            self.count += 1
            pointer = f"{draft.pointer}/{escaped(str(name))}"
            if not isinstance(given, Mapping) or not isinstance(given.get("process_id"), str):
                self.fault("ProcessGraphInvalid", f"node {name!r} has no process_id", pointer)
                continue
            args = given.get("arguments", {})
            args = {} if args == [] else args  # R, for one, writes an object without members as a list
            if not isinstance(args, Mapping):
                self.fault("ProcessGraphInvalid", f"the arguments of node {name!r} are no object", pointer)
                continue
            if not isinstance(given.get("namespace"), str | None):
                self.fault("ProcessGraphInvalid", f"the namespace of node {name!r} is no text", pointer)
                continue
            read = self.arguments(args, f"{pointer}/arguments", draft.depth, drafts)
            draft.nodes[str(name)] = Node(given["process_id"], read, pointer, given.get("namespace"))
            if given.get("result") is True:
                draft.results.append(str(name))

    def arguments(
        self, args: Mapping[str, Any], pointer: str, depth: int, drafts: list[Draft]
    ) -> dict[str, Any]:
        """Arguments with references as values; child graphs are put in when they have been read."""
        out: dict[str, Any] = {}
        waiting: list[Task] = []
        for k, v in args.items():
            found = v if type(v) in PLAIN else reference(v)
            if type(found) in OPEN and (plain := literal(found, MAX_DEPTH - depth - 1)) is not None:
                found = plain
            out[str(k)] = found
            if type(found) in OPEN:
                waiting.append(Task(found, f"{pointer}/{escaped(str(k))}", depth + 1, out, str(k)))
        for task in waiting:  # grows while it is walked
            if task.depth > MAX_DEPTH:
                raise too_complex(f"arguments are nested more than {MAX_DEPTH} deep at {task.pointer}")
            value = task.value
            if isinstance(value, Mapping) and "process_graph" in value:
                inner = f"{task.pointer}/process_graph"
                drafts.append(Draft(value["process_graph"], inner, task.depth, task.home, task.key))
            elif isinstance(value, Mapping):
                fresh: dict[str, Any] = {}
                task.home[task.key] = fresh
                self.members(value, task, fresh, waiting)
            else:
                task.home[task.key] = listed = [v if type(v) in PLAIN else reference(v) for v in value]
                waiting += [
                    Task(v, f"{task.pointer}/{i}", task.depth + 1, listed, i)
                    for i, v in enumerate(listed)
                    if type(v) in OPEN
                ]
        return out

    @staticmethod
    def members(value: Mapping[str, Any], task: Task, fresh: dict[str, Any], waiting: list[Task]) -> None:
        """Take over the members of an object; those that hold others are noted down for later."""
        for k, v in value.items():
            fresh[str(k)] = found = v if type(v) in PLAIN else reference(v)
            if type(found) in OPEN:
                place = f"{task.pointer}/{escaped(str(k))}"
                waiting.append(Task(found, place, task.depth + 1, fresh, str(k)))

    def close(self, draft: Draft) -> Graph | None:
        """Put the nodes of one graph in order and find its result."""
        if not draft.nodes:
            return None
        inputs = {name: node.inputs for name, node in draft.nodes.items()}
        for name, reads in inputs.items():
            for other in reads:
                if other not in draft.nodes:
                    known = ", ".join(list(draft.nodes)[:10])
                    self.fault(
                        "ProcessGraphInvalid",
                        f"node {name!r} reads node {other!r}, which does not exist; there are {known}",
                        draft.nodes[name].pointer,
                    )
        order, cycle = in_order(inputs)
        if cycle:
            self.fault(
                "ProcessGraphInvalid",
                f"the nodes {', '.join(cycle[:10])} read each other in a circle, or read from one",
                draft.nodes[cycle[0]].pointer,
            )
        self.check_result(draft)
        result = draft.results[0] if draft.results else next(iter(draft.nodes))
        return Graph({name: draft.nodes[name] for name in order}, result)

    def check_result(self, draft: Draft) -> None:
        """One node, and one only, is the result."""
        if len(draft.results) == 1:
            return
        found = f"the nodes {', '.join(draft.results)} are" if draft.results else "no node is"
        self.fault(
            "ProcessGraphInvalid",
            f"{found} marked as the result, one has to be",
            draft.pointer,
            hint='Set "result": true on the one node whose value is wanted.',
        )

    def fault(self, code: str, message: str, pointer: str, hint: str | None = None) -> None:
        """Note down what is wrong and go on."""
        self.problems.append(Problem(code, message, pointer=pointer, hint=hint))


class Draft:
    """A graph while it is read."""

    def __init__(self, json_: Any, pointer: str, depth: int, home: Any, key: Any) -> None:
        self.json = json_
        self.pointer = pointer
        self.depth = depth
        self.home = home
        self.key = key
        self.nodes: dict[str, Node] = {}
        self.results: list[str] = []


def reference(value: Any) -> Any:
    """What a value stands for: another node, a parameter, or itself."""
    if type(value) is dict or isinstance(value, Mapping):
        if len(value) == 1:
            if "from_node" in value:
                return Ref(str(value["from_node"]))
            if "from_parameter" in value:
                return Param(str(value["from_parameter"]))
        return value if type(value) is dict else dict(value)
    return value


class OpenValueError(Exception):
    """A value holds references, or more than can be said here."""


def literal(value: Any, room: int) -> LiteralArray | LiteralObject | None:
    """A copy of an array or object that holds no reference and is not too deep; `None` for others."""
    try:
        copy = copied(value, room)
    except OpenValueError:
        return None
    return LiteralArray(copy) if type(copy) is list else LiteralObject(copy)


def copied(value: Any, room: int) -> Any:
    """A copy of a value without references, of at most so many levels."""
    if room < 0:
        raise OpenValueError
    if isinstance(value, float):
        return float(value)  # NumPy's are such, too
    if type(value) is list or type(value) is tuple:
        return [v if type(v) in PLAIN else copied(v, room - 1) for v in value]
    if type(value) is dict and REFERRING.isdisjoint(value):
        return {str(k): v if type(v) in PLAIN else copied(v, room - 1) for k, v in value.items()}
    raise OpenValueError


def escaped(token: str) -> str:
    """A token of a JSON pointer (RFC 6901)."""
    return token.replace("~", "~0").replace("/", "~1")
