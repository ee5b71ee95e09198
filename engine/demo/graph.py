"""The process graph that shows the engine at work: the cloud-free greenness of one summer."""

from __future__ import annotations

from typing import Any

from engine.demo.stac import COLLECTION

MASKED = (0, 1, 3, 8, 9, 10, 11)
"""Scene classes that are not a clear view of the ground: no data, defective, shadow, cloud, cirrus, snow."""
SUMMER = ("2022-06-01", "2022-10-01")
"""June to September 2022, the end excluded."""


def demo_graph() -> dict[str, Any]:
    """Median NDVI without clouds and shadows, as a GeoTIFF: an openEO process.

    Its one parameter `time` is the interval, June to September 2022 unless told otherwise.
    """
    time = {"name": "time", "description": "Start and end of the interval.", "schema": {"type": "array"}, "optional": True,
            "default": list(SUMMER)}  # fmt: skip
    return {"process_graph": _nodes(), "parameters": [time]}


def _nodes() -> dict[str, Any]:
    return {
        "load": _node(
            "load_collection",
            id=COLLECTION,
            spatial_extent=None,
            temporal_extent={"from_parameter": "time"},
            bands=["B04", "B08", "SCL"],
        ),
        "classes": _node("filter_bands", data=_result("load"), bands=["SCL"]),
        "unclear": _node(
            "reduce_dimension", data=_result("classes"), dimension="bands", reducer=_callback(_unclear())
        ),
        "clear": _node("mask", data=_result("load"), mask=_result("unclear")),
        "greenness": _node("ndvi", data=_result("clear"), nir="B08", red="B04"),
        "summer": _node(
            "reduce_dimension", data=_result("greenness"), dimension="t", reducer=_callback(_median())
        ),
        "save": _node("save_result", data=_result("summer"), format="GTiff") | {"result": True},
    }


def _unclear() -> dict[str, Any]:
    """True where the class is one of `MASKED`: a comparison for each, joined by `or` one after the other."""
    nodes = {"class": _node("array_element", data={"from_parameter": "data"}, index=0)}
    for value in MASKED:
        nodes[f"is{value}"] = _node("eq", x=_result("class"), y=value)
    joined = f"is{MASKED[0]}"
    for value in MASKED[1:]:
        nodes[f"or{value}"] = _node("or", x=_result(joined), y=_result(f"is{value}"))
        joined = f"or{value}"
    nodes[joined]["result"] = True
    return nodes


def _median() -> dict[str, Any]:
    return {"median": _node("median", data={"from_parameter": "data"}) | {"result": True}}


def _node(process: str, **arguments: Any) -> dict[str, Any]:
    return {"process_id": process, "arguments": arguments}


def _result(node: str) -> dict[str, str]:
    return {"from_node": node}


def _callback(nodes: dict[str, Any]) -> dict[str, Any]:
    return {"process_graph": nodes}
