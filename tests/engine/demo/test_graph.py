"""The demo's process graph: well-formed, accepted by the engine's own check, and masking the right classes."""

import json
from typing import Any

import pytest

from engine.demo import demo_graph
from engine.demo.graph import MASKED
from engine.graph.check import UNKNOWN, check
from engine.graph.parse import parse
from processes import REGISTRY

TRUTH = {
    "array_element": lambda data, index: data[index],
    "eq": lambda x, y: x == y,
    "or": lambda x, y: x or y,
}


def evaluated(nodes: dict[str, Any], data: list[Any]) -> Any:
    """Result of a callback by plain Python operators."""

    def value(given: Any) -> Any:
        if isinstance(given, dict):
            return data if "from_parameter" in given else result(given["from_node"])
        return given

    def result(name: str) -> Any:
        node = nodes[name]
        return TRUTH[node["process_id"]](**{key: value(v) for key, v in node["arguments"].items()})

    (last,) = [name for name, node in nodes.items() if node.get("result")]
    return result(last)


def test_it_is_json_and_each_call_gives_its_own():
    first = demo_graph()
    assert json.loads(json.dumps(first)) == first
    first["process_graph"]["load"]["arguments"]["id"] = "changed"
    assert demo_graph()["process_graph"]["load"]["arguments"]["id"] == "S2"


def test_the_engine_finds_no_fault_in_it():
    assert check(parse(demo_graph()), REGISTRY, {"time": UNKNOWN}) == []


def test_the_engine_would_find_one():
    spoilt = demo_graph()
    spoilt["process_graph"]["greenness"]["arguments"]["infrared"] = "B08"
    assert len(check(parse(spoilt), REGISTRY, {"time": UNKNOWN})) == 1


@pytest.mark.parametrize("value", range(12))
def test_the_mask_is_true_for_unclear_classes_only(value):
    nodes = demo_graph()["process_graph"]["unclear"]["arguments"]["reducer"]["process_graph"]
    assert evaluated(nodes, [value]) is (value in {0, 1, 3, 8, 9, 10, 11})
    assert set(MASKED) == {0, 1, 3, 8, 9, 10, 11}


def test_it_asks_for_summer_and_three_bands():
    process = demo_graph()
    load = process["process_graph"]["load"]["arguments"]
    assert load["bands"] == ["B04", "B08", "SCL"]
    assert load["temporal_extent"] == {"from_parameter": "time"}
    assert process["parameters"][0]["default"] == ["2022-06-01", "2022-10-01"]
