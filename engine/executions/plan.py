"""From an execution to its process graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.errors import Problem, Problems
from engine.executions.model import Execution, Offer, Planned
from engine.executions.offers import outlets
from engine.executions.request import format_of, read_execution
from engine.executions.wiring import Wiring
from engine.graph.check import check
from engine.graph.parse import Definition, define
from engine.plan.rules.inline import inline
from processes import REGISTRY

Json = dict[str, Any]
WEB = "://"
"""What namespaces have that are addresses."""
FURTHER = ("title", "description", "log_level", "plan", "budget")
"""Members of a request for a job that an execution may have, too."""


def plan(
    offer: Offer,
    body: Mapping[str, Any],
    find: Callable[[str], Offer],
    homes: tuple[str, ...],
    definitions: Mapping[str, Definition],
) -> Planned:
    """The graph that gives what an execution asks for.

    Args:
        offer: The process.
        body: The request: `inputs`, `outputs`, `response`, `subscriber`.
        find: Finds other processes, which inputs call.
        homes: What addresses of this server begin with.
        definitions: Stored processes, as graphs find them.

    Raises:
        Problem: The request does not fit the process.
    """
    execution = read_execution(offer, body, homes)
    wiring = Wiring(find, homes)
    end = wiring.call(offer, body.get("inputs", {}))
    return finished(wiring, end, execution, body, definitions)


def plan_graph(
    id_: str, body: Mapping[str, Any], homes: tuple[str, ...], definitions: Mapping[str, Definition]
) -> Planned:
    """The same for a graph that comes with the request: a process of openEO, as it is or as `process`.

    Raises:
        Problem: The graph is not sound, or has no such outputs.
    """
    process = body["process"] if isinstance(body.get("process"), Mapping) else body
    if not isinstance(process.get("process_graph"), Mapping):
        raise Problem(
            "ProcessGraphMissing",
            "the request has no process_graph",
            hint='Send a process of openEO: `{"process_graph": {...}}`.',
        )
    if body.get("inputs"):
        raise Problem("ParameterInvalid", "inputs: a graph that comes with its request has all that it needs")
    graph = define(process).graph
    offer = Offer(id_, process, {}, outlets(graph, definitions, process.get("returns") or {}))
    execution = read_execution(offer, body, homes)
    wiring = Wiring(lambda _: offer, ())
    wiring.nodes.update(
        {name: {k: v for k, v in n.items() if k != "result"} for name, n in process["process_graph"].items()}
    )
    return finished(wiring, graph.result, execution, body, definitions, process.get("parameters"))


def finished(
    wiring: Wiring,
    end: str,
    execution: Execution,
    body: Mapping[str, Any],
    definitions: Mapping[str, Definition],
    parameters: Any = None,
) -> Planned:
    """The graph whose last node this is, checked."""
    end = written(wiring, end, execution)
    wiring.nodes[end] = {**wiring.nodes[end], "result": True}
    process = {"process_graph": wiring.nodes} | ({"parameters": parameters} if parameters else {})
    verify(process, definitions)
    further = {name: body[name] for name in FURTHER if body.get(name) is not None}
    return Planned({"title": execution.process, **further, "process": process}, execution)


def written(wiring: Wiring, end: str, execution: Execution) -> str:
    """Have the one result written in the format that is asked for; what processes write themselves stays."""
    for asked in execution.outputs:
        outlet, media_type = asked.outlet, asked.media_type
        if media_type is None or outlet.is_written or outlet.member is not None or not outlet.formats:
            continue
        arguments = {"data": {"from_node": end}, "format": format_of(outlet, media_type)}
        return wiring.add("", {"process_id": "save_result", "arguments": arguments})
    return end


def verify(process: Json, definitions: Mapping[str, Definition]) -> None:
    """Refuse what can be seen to be wrong before anything runs.

    Raises:
        Problems: All that is.
    """
    graph = inline(define(process).graph, definitions, REGISTRY)
    values = {p.name: p.default for p in graph.parameters if p.optional}
    known = [p for p in check(graph, REGISTRY, values) if not is_elsewhere(p, graph)]
    if known:
        raise Problems(known)


def is_elsewhere(problem: Problem, graph: Any) -> bool:
    """Is it about a process at an address, which is looked up when the graph runs?"""
    named = [node for node in graph.nodes.values() if node.pointer == problem.pointer]
    return problem.code == "ProcessUnsupported" and any(WEB in (n.namespace or "") for n in named)
