"""Processes at addresses: fetched once, run as if they stood in the graph, refused with the node's name."""

from __future__ import annotations

import json

import pytest

from engine import Problem, Settings
from engine.service import Engine
from tests.engine.servers import site


def node(process: str, namespace: str | None = None, **arguments) -> dict:
    out = {"process_id": process, "arguments": arguments}
    return out if namespace is None else {**out, "namespace": namespace}


def process(id_: str, nodes: dict, *parameters: str) -> dict:
    declared = [{"name": p, "description": p, "schema": {"type": "number"}} for p in parameters]
    return {"id": id_, "parameters": declared, "process_graph": nodes}


X = {"from_parameter": "x"}
TWICE = process("twice", {"a": {**node("add", x=X, y=X), "result": True}}, "x")
FOUR_TIMES = process(
    "four_times",
    {"t": node("twice", x=X), "u": {**node("twice", x={"from_node": "t"}), "result": True}},
    "x",
)


@pytest.fixture
def library():
    """A server of process definitions."""
    documents = {
        "/twice.json": TWICE,
        "/all": {"processes": [TWICE, FOUR_TIMES, {"id": "add", "parameters": []}], "links": []},
        "/text": "no process",
        "/endless": process("endless", {"e": {**node("endless", x=X), "result": True}}, "x"),
    }

    def answer(request):
        if request.path not in documents:
            return 404, {}, b""
        return 200, {"Content-Type": "application/json"}, json.dumps(documents[request.path]).encode()

    with site(answer) as served:
        yield served


@pytest.fixture
def engine(tmp_path):
    with Engine(Settings(home=tmp_path)) as opened:
        yield opened


def test_a_process_at_an_address_is_run(engine, library):
    graph = {"t": {**node("twice", f"{library.url}/twice.json", x=3), "result": True}}
    assert engine.run(graph) == 6


def test_processes_of_a_list_call_each_other_and_it_is_fetched_once(engine, library):
    url = f"{library.url}/all"
    graph = {
        "f": node("four_times", url, x=3),
        "t": node("twice", url, x={"from_node": "f"}),
        "s": {**node("subtract", x={"from_node": "t"}, y=1), "result": True},
    }
    assert engine.run(graph) == 23
    assert library.asked == [("GET", "/all")]


def test_in_callbacks_too(engine, library):
    inner = {"t": {**node("twice", f"{library.url}/twice.json", x={"from_parameter": "x"}), "result": True}}
    graph = {"a": {**node("array_apply", data=[1, 2]), "result": True}}
    graph["a"]["arguments"]["process"] = {"process_graph": inner}
    assert engine.run(graph) == [2, 4]


def test_stored_processes_may_call_them(tmp_path, library):
    stored = {
        "six": process("six", {"t": {**node("twice", f"{library.url}/twice.json", x=3), "result": True}})
    }
    with Engine(Settings(home=tmp_path), stored) as engine:
        assert engine.run({"s": {**node("six"), "result": True}}) == 6


@pytest.mark.parametrize(
    ("process_id", "path", "code", "words"),
    [
        ("thrice", "/all", "ProcessUnsupported", "twice"),
        ("add", "/all", "ProcessUnsupported", "no process_graph"),
        ("twice", "/text", "ProcessUnsupported", "no process in JSON"),
        ("twice", "/nothing", None, "404"),
        ("endless", "/endless", "ProcessGraphInvalid", "calls itself"),
    ],
)
def test_what_cannot_be_had_is_told_for_its_node(engine, library, process_id, path, code, words):
    graph = {"t": {**node(process_id, f"{library.url}{path}", x=3), "result": True}}
    (told,) = engine.validate(graph)
    assert words in str(told)
    assert told.pointer == "/t"
    if code is not None:
        assert told.code == code


def test_addresses_that_a_server_may_not_ask_are_not_asked(tmp_path, library):
    settings = Settings(home=tmp_path, private_hosts="deny", allowed_hosts=())
    graph = {"t": {**node("twice", f"{library.url}/twice.json", x=3), "result": True}}
    with Engine(settings) as engine, pytest.raises(Problem):
        engine.run(graph)
    assert library.asked == []


def test_what_is_stored_and_not_called_is_not_fetched(tmp_path, library):
    stored = {
        "away": process("away", {"t": {**node("twice", f"{library.url}/nothing", x=3), "result": True}}),
        "one": process("one", {"a": {**node("add", x=0, y=1), "result": True}}),
    }
    with Engine(Settings(home=tmp_path), stored) as engine:
        assert engine.run({"s": {**node("one"), "result": True}}) == 1
        assert library.asked == []
        assert "404" in str(engine.validate({"s": {**node("away"), "result": True}})[0])
