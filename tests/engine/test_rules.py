"""Every rule against its golden file: graph before, dashes, graph after."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.graph import simplify, text
from engine.service import constant
from processes import REGISTRY

HERE = Path(__file__).parent / "golden"
RULES = {
    "fold": lambda g: simplify.fold(g, REGISTRY, constant),
    "dedupe": lambda g: simplify.dedupe(g, REGISTRY),
    "prune": lambda g: simplify.prune(g, REGISTRY),
}


def cases():
    for name, rule in RULES.items():
        for block in (HERE / f"{name}.txt").read_text().split("\n\n"):
            title, _, graphs = block.partition("\n")
            yield pytest.param(rule, *graphs.split("\n----\n"), id=f"{name}: {title.strip('# ')}")


@pytest.mark.parametrize(("rule", "before", "after"), list(cases()))
def test_rule(rule, before, after):
    assert text.write(rule(text.read(before))) == after.strip()


def test_text_round_trip():
    written = (
        "a = load_collection(id='S2', spatial_extent={'west': 1.5}, temporal_extent=['2022-01-01', None])\n"
        "r = reduce_dimension(data=a, reducer=child(\"m = mean(data=param('data'))\", result='m'), dimension='t')"
    )
    assert text.write(text.read(written)) == written
