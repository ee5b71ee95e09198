"""The process graphs that the engines run, in openEO JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.scenes import CLEAR

Json = dict[str, Any]
Facts = Mapping[str, Any]
DATA, X = {"from_parameter": "data"}, {"from_parameter": "x"}


def node(process: str, /, **arguments: Any) -> Json:
    """One call of a process."""
    return {"process_id": process, "arguments": arguments}


def of(name: str) -> Json:
    """The result of a node."""
    return {"from_node": name}


def child(**nodes: Json) -> Json:
    """A child graph; its last node gives the result."""
    return {"process_graph": ended(nodes)}


def ended(nodes: dict[str, Json]) -> Json:
    """Nodes, the last of which gives the result."""
    last = next(reversed(nodes))
    return {name: {**n, "result": True} if name == last else n for name, n in nodes.items()}


def load(facts: Facts, bands: Sequence[str]) -> Json:
    """The scenes of a box and a time."""
    west, south, east, north = facts["box"]
    extent = {"west": west, "south": south, "east": east, "north": north, "crs": facts["crs"]}
    return node(
        "load_collection", id="S2", spatial_extent=extent, temporal_extent=facts["time"], bands=list(bands)
    )


def clear_ndvi(facts: Facts) -> dict[str, Json]:
    """NDVI where the scene classification shows the ground; the last node is `ndvi`."""
    low, high = CLEAR
    band = {"data": DATA, "label": "SCL"}
    unclear = child(
        scl=node("array_element", **band),
        below=node("lt", x=of("scl"), y=low),
        above=node("gt", x=of("scl"), y=high),
        unclear=node("or", x=of("below"), y=of("above")),
    )
    index = child(
        nir=node("array_element", data=DATA, label="B08"),
        red=node("array_element", data=DATA, label="B04"),
        ndvi=node("normalized_difference", x=of("nir"), y=of("red")),
    )
    return {
        "load": load(facts, ("B04", "B08", "SCL")),
        "classes": node("filter_bands", data=of("load"), bands=["SCL"]),
        "unclear": node("reduce_dimension", data=of("classes"), dimension="bands", reducer=unclear),
        "colours": node("filter_bands", data=of("load"), bands=["B04", "B08"]),
        "clear": node("mask", data=of("colours"), mask=of("unclear")),
        "ndvi": node("reduce_dimension", data=of("clear"), dimension="bands", reducer=index),
    }


def after_ndvi(facts: Facts) -> dict[str, Json]:
    """One value of all dates, in another projection if the facts name one."""
    reducer = child(one=node(facts["reducer"], data=DATA))
    nodes = {"season": node("reduce_dimension", data=of("ndvi"), dimension="t", reducer=reducer)}
    if facts.get("projection"):
        nodes["warp"] = resampled(of("season"), facts, "near")
    return nodes


def resampled(data: Json, facts: Facts, method: str) -> Json:
    """A cube in the projection that the facts name."""
    return node(
        "resample_spatial",
        data=data,
        projection=facts["projection"],
        resolution=facts["resolution"],
        method=method,
    )


def reduced(facts: Facts) -> Json:
    """NDVI of a season."""
    return ended(clear_ndvi(facts) | after_ndvi(facts))


CUBE = {"from_parameter": "cube"}
"""A cube that is given in memory."""
KERNEL = [[a * b / 256 for a in (1, 4, 6, 4, 1)] for b in (1, 4, 6, 4, 1)]
"""Binomial weights, whose sum is 1."""


def months() -> Json:
    """Monthly means of a cube."""
    mean = child(mean=node("mean", data=DATA))
    return ended(
        {"months": node("aggregate_temporal_period", data=CUBE, period="month", reducer=mean, dimension="t")}
    )


def zones(polygons: Json) -> Json:
    """Means of polygons."""
    mean = child(mean=node("mean", data=DATA))
    return ended({"zones": node("aggregate_spatial", data=CUBE, geometries=polygons, reducer=mean)})


def kernel() -> Json:
    """A weighted mean of each cell and its neighbours."""
    return ended({"kernel": node("apply_kernel", data=CUBE, kernel=KERNEL)})


def neighborhood() -> Json:
    """The same, asked for in neighbourhoods."""
    size = [{"dimension": d, "value": 256, "unit": "px"} for d in ("x", "y")]
    overlap = [{"dimension": d, "value": 2, "unit": "px"} for d in ("x", "y")]
    process = child(kernel=node("apply_kernel", data=DATA, kernel=KERNEL))
    return ended(
        {"parts": node("apply_neighborhood", data=CUBE, process=process, size=size, overlap=overlap)}
    )


def warp(facts: Facts) -> Json:
    """A cube in another projection."""
    return ended({"warp": resampled(CUBE, facts, "bilinear")})


def saved(format_: str) -> Json:
    """A cube in a file."""
    return ended({"save": node("save_result", data=CUBE, format=format_)})


def chain(size: int) -> Json:
    """Additions one after the other, each of 1: from a parameter `a` to `a + size`."""
    nodes = {"n0": node("add", x={"from_parameter": "a"}, y=1)}
    for i in range(1, size):
        nodes[f"n{i}"] = node("add", x=of(f"n{i - 1}"), y=1)
    return ended(nodes)


def diamonds(size: int) -> Json:
    """The greater of a number and itself: two ways through each node, 2 to the power of `size` in all."""
    nodes = {"n0": node("add", x={"from_parameter": "a"}, y=1)}
    for i in range(1, size):
        nodes[f"n{i}"] = node("max", data=[of(f"n{i - 1}"), of(f"n{i - 1}")])
    return ended(nodes)


def wide(size: int) -> Json:
    """Additions side by side, and their greatest result."""
    nodes = {f"n{i}": node("add", x={"from_parameter": "a"}, y=i) for i in range(size - 1)}
    return ended(nodes | {"all": node("max", data=[of(name) for name in nodes])})
