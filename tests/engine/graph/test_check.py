"""The check finds every fault, names node, parameter and place, and says what was meant."""

from __future__ import annotations

import sys

import pytest

from engine.errors import Problem, Problems
from engine.graph.check import UNKNOWN, check
from engine.graph.parse import define, parse
from engine.plan.rules import simplified
from engine.plan.rules.around import Around
from engine.plan.rules.inline import inline
from processes import REGISTRY
from tests.engine.graph.test_parse import node


def faults(graph, **parameters):
    return check(parse(graph), REGISTRY, parameters)


@pytest.mark.parametrize(
    ("graph", "code", "says", "pointer", "hint"),
    [
        (node("meen", data=[1]), "ProcessUnsupported", "no process 'meen'", "/n", "Did you mean 'mean'"),
        (node("add", x=1), "ProcessParameterRequired", "needs the parameter 'y'", "/n/arguments", ""),
        (node("add", x=1, y=2, z=3), "ProcessParameterUnsupported", "no parameter 'z'; it has x, y", "/n/arguments/z", ""),
        (node("mean", data=[1], ignore_nodate=True), "ProcessParameterUnsupported", "'ignore_nodate'", "/n/arguments/ignore_nodate", "'ignore_nodata'"),
        (node("add", x="one", y=2), "ProcessParameterInvalid", "'x' has to be number or null, it is 'one'", "/n/arguments/x", ""),
        (node("add", x=True, y=2), "ProcessParameterInvalid", "it is True", "/n/arguments/x", ""),
        (node("normalized_difference", x=None, y=2), "ProcessParameterInvalid", "it is None", "/n/arguments/x", ""),
        (node("round", x=1.5, p=1.5), "ProcessParameterInvalid", "has to be an integer, it is 1.5", "/n/arguments/p", ""),
        (node("sum", data=[1, "a"]), "ProcessParameterInvalid", "element 1 has to be number or null", "/n/arguments/data", ""),
        (node("absolute", x={"from_parameter": "nobody"}), "ProcessGraphInvalid", "parameter 'nobody', which is not given", "/n/arguments/x", ""),
        (node("load_collection", id="S2", spatial_extent={"west": 1}, temporal_extent=None), "ProcessParameterInvalid", "lacks south, east, north", "/n/arguments/spatial_extent", ""),
        (node("load_collection", id="S2", spatial_extent=None, temporal_extent=["2022-01-01"]), "ProcessParameterInvalid", "at least 2 elements", "/n/arguments/temporal_extent", ""),
    ],
)  # fmt: skip
def test_one_fault(graph, code, says, pointer, hint):
    (problem,) = faults({"n": {**graph, "result": True}})
    assert problem.code == code
    assert says in problem.message
    assert "'n'" in problem.message
    assert problem.pointer == pointer
    assert hint in (problem.hint or "")


def test_what_a_node_gives_has_to_fit():
    load = node("load_collection", id="S2", spatial_extent=None, temporal_extent=None)
    (problem,) = faults({"l": load, "a": node("add", x={"from_node": "l"}, y=1, result=True)})
    assert "node 'l' (load_collection) gives datacube" in problem.message


def test_faults_in_child_graphs_have_their_place():
    inner = {"process_graph": {"m": node("meen", data={"from_parameter": "dta"}, result=True),
                               "k": node("mean", data={"from_parameter": "dta"})}}  # fmt: skip
    load = node("load_collection", id="S2", spatial_extent=None, temporal_extent=None)
    found = faults(
        {
            "l": load,
            "r": node("reduce_dimension", data={"from_node": "l"}, reducer=inner, dimension="t", result=True),
        }
    )
    assert [p.pointer for p in found] == [
        "/r/arguments/reducer/process_graph/m",
        "/r/arguments/reducer/process_graph/k/arguments/data",
    ]
    assert "'data'" in (found[1].hint or "")


def test_all_faults_at_once():
    found = faults({"a": node("ad", x=1), "b": node("add", x="1", q=2), "c": node("pi", result=True)})
    assert [p.code for p in found] == [
        "ProcessUnsupported",
        "ProcessParameterUnsupported",
        "ProcessParameterInvalid",
        "ProcessParameterRequired",
    ]


def test_unknown_parameters_pass():
    assert faults({"a": node("absolute", x={"from_parameter": "p"}, result=True)}, p=UNKNOWN) == []


def diamonds(count):
    nodes = {"n0": node("constant", x=1)}
    for i in range(count):
        nodes[f"n{i + 1}"] = node("add", x={"from_node": f"n{i}"}, y={"from_node": f"n{i}"})
    nodes[f"n{count}"]["result"] = True
    return nodes


def wide(count):
    nodes = {f"n{i}": node("add", x={"from_parameter": "p"}, y=i) for i in range(count)}
    return nodes | {"all": node("sum", data=[{"from_node": n} for n in nodes], result=True)}


def callbacks(count):
    """A chain of child graphs over a cube, at its end a filter that slips past all of them."""
    nodes = {"n0": node("load_collection", id="S2", spatial_extent=None, temporal_extent=None)}
    for i in range(count):
        child = {"process_graph": {"a": node("add", x={"from_parameter": "x"}, y=i, result=True)}}
        nodes[f"n{i + 1}"] = node("apply", data={"from_node": f"n{i}"}, process=child)
    return nodes | {
        "f": node("filter_bands", data={"from_node": f"n{count}"}, bands=["B04"], result=True),
    }


def masks(count):
    """Diamonds of cubes: a filter at the end goes both ways of each."""
    nodes = {"n0": node("load_collection", id="S2", spatial_extent=None, temporal_extent=None)}
    for i in range(count):
        nodes[f"n{i + 1}"] = node("mask", data={"from_node": f"n{i}"}, mask={"from_node": f"n{i}"})
    return nodes | {
        "f": node(
            "filter_temporal", data={"from_node": f"n{count}"}, extent=["2022-06-01", None], result=True
        ),
    }


def filters(count):
    """More filters than can be on their way at once."""
    nodes = {"n0": node("load_collection", id="S2", spatial_extent=None, temporal_extent=None)}
    for i in range(count):
        last = {"from_node": f"n{i}"}
        step = node("ndvi", data=last, target_band=f"v{i}")
        if i % 2:
            step = node("filter_temporal", data=last, extent=[f"{1900 + i}-01-01", None])
        nodes[f"n{i + 1}"] = step
    nodes[f"n{count}"]["result"] = True
    return nodes


def calls(shape, count):
    """How many Python functions are called to read, check and plan a graph."""
    seen = 0

    def count_calls(frame, event, arg):
        nonlocal seen
        seen += event == "call"

    nodes = shape(count)
    sys.setprofile(count_calls)
    try:
        graph = parse(nodes)
        assert check(graph, REGISTRY, {"p": 1}) == []
        simplified(graph, Around(REGISTRY, {"p": 1}))
    finally:
        sys.setprofile(None)
    return seen


@pytest.mark.parametrize("shape", [diamonds, wide, callbacks, masks, filters])
def test_reading_checking_and_planning_are_linear(shape):
    calls(shape, 10)  # fills caches
    small, large = calls(shape, 300), calls(shape, 3000)
    assert large < 10.5 * small
    assert large < 3000 * 350


def test_ten_thousand_diamonds(session):
    """Each node reads the one before it twice: 2 to the power of 10,000 ways, 10,001 nodes, work for each once."""
    assert session.run(diamonds(10_000)) == float("inf")
    assert session.run(diamonds(30)) == 2**30


def test_user_processes_are_inlined_with_defaults_and_nesting():
    half = define({"process_graph": {"d": node("divide", x={"from_parameter": "x"}, y={"from_parameter": "by"}, result=True)},
                   "parameters": [{"name": "x"}, {"name": "by", "default": 2, "optional": True}]})  # fmt: skip
    quarter = define({"process_graph": {"h": node("half", x={"from_parameter": "x"}), "r": node("half", x={"from_node": "h"}, result=True)},
                      "parameters": [{"name": "x"}]})  # fmt: skip
    graph = inline(parse({"q": node("quarter", x=8), "a": node("add", x={"from_node": "q"}, y=0, result=True)}),
                   {"half": half, "quarter": quarter}, REGISTRY)  # fmt: skip
    assert list(graph) == ["q.h.d", "q.r.d", "a"]
    assert check(graph, REGISTRY, {}) == []
    assert graph["q.h.d"].args == {"x": 8, "y": 2}


def test_a_process_that_calls_itself():
    loop = define({"process_graph": {"a": node("loop", result=True)}, "parameters": []})
    with pytest.raises(Problem, match="calls itself: loop > loop"):
        inline(parse({"a": node("loop", result=True)}), {"loop": loop}, REGISTRY)


@pytest.mark.slow
def test_doubling_processes_have_an_end():
    definitions = {"p0": define({"process_graph": {"a": node("pi", result=True)}, "parameters": []})}
    for i in range(1, 40):
        body = {"a": node(f"p{i - 1}"), "b": node(f"p{i - 1}", result=True)}
        definitions[f"p{i}"] = define({"process_graph": body, "parameters": []})
    with pytest.raises(Problem, match="more than") as caught:
        inline(parse({"a": node("p39", result=True)}), definitions, REGISTRY)
    assert caught.value.code == "ProcessGraphComplexity"


def test_prepare_reports_all(session):
    with pytest.raises(Problems) as caught:
        session.run({"a": node("ad", x=1), "c": node("add", x=1, result=True)})
    assert len(caught.value.problems) == 2
    assert len(str(caught.value).splitlines()) == 2
