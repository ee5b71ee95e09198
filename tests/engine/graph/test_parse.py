"""Reading graphs: what is right becomes a value, what is wrong is named with its place."""

from __future__ import annotations

import json

import pytest

from engine.errors import Problem, Problems
from engine.graph.jsonout import to_json
from engine.graph.model import Child, Param, Ref
from engine.graph.parse import MAX_NODES, define, parse


def node(process_id, /, result=False, **arguments):
    return {"process_id": process_id, "arguments": arguments} | ({"result": True} if result else {})


def test_order_is_that_of_the_data():
    graph = parse({"b": node("add", x={"from_node": "a"}, y=1, result=True), "a": node("pi")})
    assert list(graph) == ["a", "b"]
    assert graph.result == "b"
    assert graph["b"].args == {"x": Ref("a"), "y": 1}
    assert graph["b"].pointer == "/b"


def test_references_inside_lists_and_objects():
    graph = parse(
        {
            "a": node("pi"),
            "s": node("sum", data=[{"from_node": "a"}, {"from_parameter": "p"}, {"k": 1}], result=True),
        }
    )
    assert graph["s"].args["data"] == [Ref("a"), Param("p"), {"k": 1}]
    assert graph["s"].inputs == ("a",)


def test_child_graphs_keep_their_place():
    inner = {"process_graph": {"m": node("mean", data={"from_parameter": "data"}, result=True)}}
    graph = parse({"process_graph": {"r": node("reduce_dimension", reducer=inner, result=True)}})
    child = graph["r"].args["reducer"]
    assert isinstance(child, Child)
    assert child.graph["m"].pointer == "/process_graph/r/arguments/reducer/process_graph/m"


@pytest.mark.parametrize(
    "wrap",
    [lambda g: g, lambda g: {"process_graph": g}, lambda g: {"process": {"process_graph": g}}, json.dumps],
)
def test_wrappings(wrap):
    assert parse(wrap({"p": node("pi", result=True)})).result == "p"


def test_a_path_and_a_client_object(tmp_path):
    class Client:
        def flat_graph(self):
            return {"p": node("pi", result=True)}

    (tmp_path / "g.json").write_text(json.dumps(Client().flat_graph()))
    assert parse(tmp_path / "g.json") == parse(str(tmp_path / "g.json")) == parse(Client())


def test_declared_parameters():
    definition = define({"id": "half", "process_graph": {"d": node("divide", x={"from_parameter": "x"}, y=2, result=True)},
                         "parameters": [{"name": "x", "schema": {"type": "number"}}, {"name": "k", "default": 3, "optional": True}]})  # fmt: skip
    first, second = definition.graph.parameters
    assert (definition.id, first.name, first.optional, second.default) == ("half", "x", False, 3)


@pytest.mark.parametrize(
    ("graph", "says", "pointer"),
    [
        ({}, "at least one node", ""),
        ({"a": {"arguments": {}}}, "'a' has no process_id", "/a"),
        ({"a": node("pi")}, "no node is marked as the result", ""),
        ({"a": node("pi", result=True), "b": node("e", result=True)}, "the nodes a, b are marked", ""),
        ({"a": node("absolute", x={"from_node": "z"}, result=True)}, "reads node 'z', which does not exist", "/a"),
        ({"a": node("absolute", x={"from_node": "b"}, result=True), "b": node("absolute", x={"from_node": "a"})}, "in a circle", "/a"),
        ({"a/b": {"process_id": "pi", "arguments": 3}}, "no object", "/a~1b"),
    ],
)  # fmt: skip
def test_faults(graph, says, pointer):
    with pytest.raises(Problem, match=says) as caught:
        parse(graph)
    assert caught.value.code in ("ProcessGraphInvalid", "ProcessGraphMissing")
    assert caught.value.pointer == pointer


def test_all_faults_at_once():
    with pytest.raises(Problems) as caught:
        parse(
            {
                "a": {},
                "b": {"process_id": "pi", "arguments": [1]},
                "c": node("absolute", x={"from_node": "z"}),
            }
        )
    assert [p.pointer for p in caught.value.problems] == ["/a", "/b", "/c", ""]


@pytest.mark.parametrize("bad", ["{", '{"a": 1', "[1]", '{"a": NaN NaN}'])
def test_no_json(bad):
    with pytest.raises(Problem, match=r"no JSON|is an object|cannot be read"):
        parse(bad)


def nested(levels):
    value: object = 1
    for _ in range(levels):
        value = [value]
    return {"a": node("constant", x=value, result=True)}


def test_depth_has_an_end():
    parse(nested(50))
    with pytest.raises(Problem, match="nested more than") as caught:
        parse(nested(5000))
    assert caught.value.code == "ProcessGraphComplexity"
    with pytest.raises(Problem, match="nested more than"):
        parse('{"a": {"process_id": "constant", "arguments": {"x": ' + "[" * 100_000 + "]" * 100_000 + "}}}")


def test_child_graphs_have_an_end():
    graph: dict = {"a": node("pi", result=True)}
    for _ in range(100):
        graph = {"a": node("apply", process={"process_graph": graph}, result=True)}
    with pytest.raises(Problem, match="nested more than"):
        parse(graph)


def test_nodes_have_an_end():
    with pytest.raises(Problem, match=f"more than {MAX_NODES} nodes"):
        parse({f"n{i}": node("pi") for i in range(MAX_NODES + 1)})


def test_round_trip():
    inner = {"process_graph": {"m": node("mean", data={"from_parameter": "data"}, result=True)}}
    graph = {"l": node("load_collection", id="S2", spatial_extent={"west": 1}, temporal_extent=None),
             "r": node("reduce_dimension", data={"from_node": "l"}, reducer=inner, dimension="t", result=True)}  # fmt: skip
    assert to_json(parse(graph)) == graph
