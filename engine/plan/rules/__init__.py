"""The strategy: rules on graphs, in order. Each gives a graph that means the same and costs less.

`inline` and `unsaid` go before them, and before the check, which wants to see no user-defined process, and no null
where it means nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.graph.model import Graph
from engine.plan.rules.around import Around
from engine.plan.rules.dedupe import dedupe
from engine.plan.rules.fold import fold
from engine.plan.rules.narrow import narrow
from engine.plan.rules.prune import prune
from engine.plan.rules.push_filters import push_filters
from engine.plan.rules.spare_bands import spare_bands
from engine.plan.rules.spare_cells import spare_cells

Rule = Callable[[Graph, Around], Graph]
RULES: tuple[Rule, ...] = (fold, prune, dedupe, push_filters, narrow, spare_cells, spare_bands)
"""All rules, in order."""


def simplified(graph: Graph, around: Around, rules: tuple[Rule, ...] = RULES) -> Graph:
    """What becomes of a graph by these rules."""
    for rule in rules:
        graph = rule(graph, around)
    return graph
