"""How long does a graph take to read, check and simplify? Per node, for chains that share every node twice.

    python benchmarks/graphs.py

Goal: linear, at most 50 microseconds a node to check and plan; ten times the nodes take about ten times as long.
"""

from __future__ import annotations

import time
from typing import Any

from engine.graph.check import check
from engine.graph.parse import parse
from engine.graph.simplify import dedupe, prune
from processes import REGISTRY

SIZES = (100, 1_000, 10_000)


def diamonds(count: int) -> dict[str, Any]:
    """A chain of `add(x, x)`: 2 to the power of `count` ways through `count` nodes."""
    nodes: dict[str, Any] = {"n0": {"process_id": "constant", "arguments": {"x": 1}}}
    for i in range(count):
        source = {"from_node": f"n{i}"}
        nodes[f"n{i + 1}"] = {"process_id": "add", "arguments": {"x": source, "y": source}}
    nodes[f"n{count}"]["result"] = True
    return nodes


def seconds(count: int, repeats: int = 5) -> float:
    """The best of several runs."""
    graph = diamonds(count)
    best = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        parsed = parse(graph)
        assert not check(parsed, REGISTRY, {})
        prune(dedupe(parsed, REGISTRY), REGISTRY)
        best = min(best, time.process_time() - start)
    return best


def main() -> None:
    """Print a row for each size."""
    seconds(10)
    print(f"{'nodes':>8} {'ms':>8} {'us/node':>8}")
    for count in SIZES:
        taken = seconds(count)
        print(f"{count:>8} {taken * 1e3:>8.1f} {taken / count * 1e6:>8.1f}")


if __name__ == "__main__":
    main()
