"""Processes at addresses: a node whose namespace is a URL calls what is defined there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.errors import Problem
from engine.graph.model import Graph, Node, every_node
from engine.graph.near import nearest_of
from engine.graph.parse import Definition, define
from engine.http import Client, Egress, Failure
from engine.plan.rules.inline import home_of, key_of

ADDRESSES = ("https://", "http://")
"""What namespaces begin with that are addresses."""
LARGEST = 2**20
"""Bytes of a document."""
MOST = 20
"""Documents that a graph may lead to."""
SECONDS = 20.0
Json = Mapping[str, Any]


@dataclass
class Remote:
    """What a graph calls at addresses, and what that calls in turn."""

    egress: Egress
    """What may be asked."""
    backend: Mapping[str, object]
    """The predefined processes."""
    definitions: dict[str, Definition]
    """What is known already, by namespace and identifier; what is found is added."""
    documents: dict[str, Mapping[str, Json]] = field(default_factory=dict)
    """The processes at each address, by identifier."""

    def gather(self, graph: Graph) -> None:
        """Fetch all that a graph calls at addresses, itself or by what it calls.

        Raises:
            Problem: Something cannot be had, or is no process.
        """
        waiting: list[tuple[Graph, str | None]] = [(graph, None)]
        seen: set[str] = set()
        for current, home in waiting:  # grows while it is walked
            for node in every_node(current):
                key = key_of(node, self.backend, home)
                if key is None or key in seen:
                    continue
                seen.add(key)
                namespace = home_of(key)
                if key not in self.definitions and (namespace or "").startswith(ADDRESSES):
                    self.definitions[key] = self._definition(str(namespace), node)
                if key in self.definitions:
                    waiting.append((self.definitions[key].graph, namespace))

    def _definition(self, url: str, node: Node) -> Definition:
        if url not in self.documents:
            if len(self.documents) == MOST:
                raise Problem("ProcessGraphComplexity", f"the graph leads to more than {MOST} documents")
            self.documents[url] = processes_in(self._fetched(url, node), url, node)
        known = self.documents[url]
        if node.process not in known:
            raise Problem(
                "ProcessUnsupported",
                f"there is no process {node.process!r} at {url}",
                pointer=node.pointer,
                hint=nearest_of(node.process, known),
            )
        if not isinstance(known[node.process].get("process_graph"), Mapping):
            raise Problem(
                "ProcessUnsupported",
                f"the process {node.process!r} at {url} has no process_graph",
                pointer=node.pointer,
                hint="Only processes that are defined by a graph can be taken from elsewhere.",
            )
        return define(known[node.process])

    def _fetched(self, url: str, node: Node) -> Any:
        try:
            with Client(self.egress) as client:
                return json.loads(client.fetch(url, cap=LARGEST, within=SECONDS).body)
        except Failure as failure:
            told = failure.problem()
            raise Problem(
                told.code, f"process {node.process!r}: {told.message}", pointer=node.pointer, hint=told.hint
            ) from None
        except ValueError:
            raise no_processes(url, node) from None


def processes_in(document: Any, url: str, node: Node) -> Mapping[str, Json]:
    """The processes of a document: one, or a list of them as `GET /processes` has it."""
    if isinstance(document, Mapping):
        listed = document.get("processes", [document])
        if isinstance(listed, list):
            return {str(p["id"]): p for p in listed if isinstance(p, Mapping) and "id" in p}
    raise no_processes(url, node)


def no_processes(url: str, node: Node) -> Problem:
    """What is at an address is something else."""
    return Problem(
        "ProcessUnsupported",
        f"process {node.process!r}: what is at {url} is no process in JSON",
        pointer=node.pointer,
    )
