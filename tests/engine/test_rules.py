"""Every rule against its golden file: graph before, dashes, graph after."""

from __future__ import annotations

from pathlib import Path

import pytest
from affine import Affine
from odc.geo.geobox import GeoBox

from engine.graph import text
from engine.graph.model import Child, Graph, Param, Parameter
from engine.graph.parse import Definition
from engine.plan.rules import RULES
from engine.plan.rules.around import Around
from engine.plan.rules.inline import inline
from engine.plan.rules.unsaid import unsaid
from processes import REGISTRY

HERE = Path(__file__).parent / "golden"
COMMON = {"red": "B04", "nir": "B08", "green": "B03"}


def definition(source, *parameters):
    graph = text.read(source)
    return Definition("", Graph(graph.nodes, graph.result, parameters))


DEFINITIONS = {
    "half": definition("d = divide(x=param('x'), y=param('by'))", Parameter("x"), Parameter("by", {}, True, 2)),
    "quarter": definition("h = half(x=param('x'))\nr = half(x=h)", Parameter("x")),
    "scaled": definition(
        "a = apply(data=param('data'), process=child(\"m = multiply(x=param('x'), y=param('by'))\", result='m'))",
        Parameter("data"), Parameter("by"),
    ),
    "mean": definition("p = pi()", Parameter("data")),
}  # fmt: skip


def twin(load, filters, less):
    """A source that gives the same for less, but where a box is asked of a patchy collection."""
    if load.args["id"] == "patchy" and any(f.process == "filter_bbox" for f in filters):
        return None
    return tuple(COMMON.get(band, band) for band in less.args.get("bands") or ["B04", "B08"])


def grid(load):
    """The grid of a square of ten kilometres."""
    if load.process == "load_stac":
        return None
    return GeoBox((1000, 1000), Affine(10, 0, 600_000, 0, -10, 5_600_000), "EPSG:32632")


AROUND = Around(REGISTRY, {"time": ["2022-05-01", "2022-09-01"], "box": Param("?")}, twin, grid)
EVERY = {
    "inline": lambda graph: inline(graph, DEFINITIONS, REGISTRY),
    "unsaid": lambda graph: unsaid(graph, REGISTRY),
    **{rule.__name__: lambda graph, rule=rule: rule(graph, AROUND) for rule in RULES},
}


def cases():
    for name, rule in EVERY.items():
        for block in (HERE / f"{name}.txt").read_text().split("\n\n"):
            title, _, graphs = block.partition("\n")
            yield pytest.param(rule, *graphs.split("\n----\n"), id=f"{name}: {title.strip('# ')}")


@pytest.mark.parametrize(("rule", "before", "after"), list(cases()))
def test_rule(rule, before, after):
    found = rule(text.read(before))
    assert text.write(found) == after.strip()
    seen = set()
    for name, node in found.nodes.items():  # the order is one in which it can be run
        assert seen.issuperset(node.inputs)
        seen.add(name)
    assert found.result in seen


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_rule_that_has_done_its_work_finds_nothing_more(rule):
    for block in (HERE / f"{rule.__name__}.txt").read_text().split("\n\n"):
        done = rule(text.read(block.partition("\n")[2].split("\n----\n")[0]), AROUND)
        assert text.write(rule(done, AROUND)) == text.write(done)


def test_every_golden_file_has_a_rule():
    assert {path.stem for path in HERE.glob("*.txt")} == EVERY.keys()


def test_text_round_trip():
    written = (
        "a = load_collection(id='S2', spatial_extent={'west': 1.5}, temporal_extent=['2022-01-01', None])\n"
        "r = reduce_dimension(data=a, reducer=child(\"m = mean(data=param('data'))\", result='m'), dimension='t')"
    )
    assert text.write(text.read(written)) == written


def test_a_child_graph_is_read_from_text():
    graph = text.read("a = apply(process=child(\"m = multiply(x=param('x'), y=2)\", result='m'))")
    assert isinstance(graph["a"].args["process"], Child)
