"""Random process graphs here and in another openEO engine: the same cubes, or a known fault of the other one.

The other engine lives in an environment of its own (`peer-requirements.txt`), whose Python `GDC_PEER_PYTHON` names.
`GDC_DIFFERENTIAL_SEED` is the first of the seeds; every graph is made of one.
"""

from __future__ import annotations

import json
import os
from collections import Counter

import pytest

from tests.differential.comparing import Peer, difference, make_cube, run_ours
from tests.differential.explained import EXPLAINED, explanations
from tests.differential.graphs import random_graph
from tests.differential.walk import calls

GRAPHS = 150
PYTHON = os.environ.get("GDC_PEER_PYTHON")
FIRST = int(os.environ.get("GDC_DIFFERENTIAL_SEED", "0"))


@pytest.fixture
def peer(tmp_path):
    if not PYTHON:
        pytest.skip("GDC_PEER_PYTHON names no Python with openeo-processes-dask (peer-requirements.txt)")
    opened = Peer(PYTHON, tmp_path)
    yield opened
    opened.close()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_random_graphs_give_what_the_other_engine_gives(session, peer, record_property):
    agreed, failed, explained, unexplained = 0, 0, Counter(), []
    for seed in range(FIRST, FIRST + GRAPHS):
        graph, cube = random_graph(seed), make_cube(seed, gaps=seed % 2 == 0)

        def compare(graph, cube=cube):
            return difference(graph, run_ours(session, graph, cube), peer.run(graph, cube))

        differs = compare(graph)
        failed += differs.startswith("theirs fails")
        if not differs:
            agreed += 1
            continue
        names, left = explanations(graph, differs, compare)
        if left:
            unexplained.append(f"seed {seed}, avoiding {names}: {left}\n{json.dumps(graph)}")
        else:
            explained.update(names[:1])
    said = {"graphs": GRAPHS, "first seed": FIRST, "agreed": agreed, "errors of the other engine": failed}
    said |= {f"explained: {name} ({EXPLAINED[name].reason})": n for name, n in explained.most_common()}
    for name, value in said.items():
        record_property(name, value)
        print(f"{name}: {value}")  # noqa: T201 (shown with -s, and where the test fails)
    assert not unexplained, "\n\n".join(unexplained)
    assert agreed >= GRAPHS * 2 // 3
    assert agreed + explained.total() == GRAPHS


def test_graphs_are_3_to_12_processes_of_many_kinds_and_the_same_for_a_seed():
    graphs = [random_graph(seed) for seed in range(GRAPHS)]
    assert graphs == [random_graph(seed) for seed in range(GRAPHS)]
    assert {3, 10} <= {len(g) for g in graphs} <= set(range(3, 13))
    assert len({process for g in graphs for process, _ in calls(g)}) >= 50
