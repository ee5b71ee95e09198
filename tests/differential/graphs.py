"""Random valid process graphs over one cube: a seed makes a graph, a walk keeps what the cube has become."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.differential.children import DATA, chain, reducer, single, truth
from tests.differential.walk import CELL, EPSG, HEIGHT, NORTH, TIMES, WEST, WIDTH, Shape, Walk, child, source


def apply(walk: Walk, shape: Shape) -> Shape:
    x = {"from_parameter": "x"}
    if walk.draw.random() < 0.1:
        body = child(("add", {"x": x, "y": {"from_parameter": "context"}}))
        return walk.step(shape, "apply", process=body, context=walk.number())
    if walk.draw.random() < 0.1:
        test = ("gt", {"x": x, "y": walk.number(-0.2, 0.8)})
        body = child(test, ("if", {"value": {"from_node": "n0"}, "accept": x, "reject": walk.number()}))
        return walk.step(shape, "apply", process=body)
    return walk.step(shape, "apply", process=chain(walk, {"from_parameter": "x"}, most=4))


def reduce_dimension(walk: Walk, shape: Shape) -> Shape | None:
    if len(shape.dims) < 2:
        return None
    dim = walk.draw.choice([d for d in shape.dims if d in ("t", "bands")] * 3 + list(shape.dims))
    size = {
        "t": len(shape.times or ()),
        "bands": len(shape.bands or ()),
        "y": shape.height,
        "x": shape.width,
    }[dim]
    key = {"t": "times", "bands": "bands", "y": "height", "x": "width"}[dim]
    body = reducer(walk, size or 1, shape.bands if dim == "bands" else None)
    return walk.step(shape, "reduce_dimension", {key: None}, dimension=dim, reducer=body)


def filter_bands(walk: Walk, shape: Shape) -> Shape | None:
    if shape.bands is None:
        return None
    bands = tuple(walk.draw.sample(shape.bands, walk.draw.randint(1, len(shape.bands))))
    return walk.step(shape, "filter_bands", {"bands": bands}, bands=list(bands))


def filter_temporal(walk: Walk, shape: Shape) -> Shape | None:
    if shape.times is None or shape.periods or len(shape.times) < 2:
        return None
    first = walk.draw.randrange(len(shape.times))
    kept = shape.times[first : walk.draw.randint(first + 1, len(shape.times))]
    after = shape.times[first + len(kept) :]
    end = after[0] + "Z" if after and walk.draw.random() < 0.5 else after[0][:10] if after else "2023-01-01"
    return walk.step(shape, "filter_temporal", {"times": kept}, extent=[kept[0][:10], end])


def filter_bbox(walk: Walk, shape: Shape) -> Shape | None:
    """Cuts that lie between the centres of cells; the first filter only, so that the walk knows where the cube is."""
    if (shape.height, shape.width) != (HEIGHT, WIDTH):
        return None
    left, top = walk.draw.randint(0, 2), walk.draw.randint(0, 2)
    right, bottom = walk.draw.randint(left + 2, WIDTH), walk.draw.randint(top + 2, HEIGHT)
    shift = walk.draw.choice((0.0, 3.0, -3.0))
    extent = {
        "west": WEST + CELL * left + shift, "east": WEST + CELL * right + shift,
        "north": NORTH - CELL * top + shift, "south": NORTH - CELL * bottom + shift, "crs": EPSG,
    }  # fmt: skip
    return walk.step(shape, "filter_bbox", {"height": bottom - top, "width": right - left}, extent=extent)


def ndvi(walk: Walk, shape: Shape) -> Shape | None:
    if not {"nir", "red"} <= set(shape.bands or ()):
        return None
    if walk.draw.random() < 0.5 or "ndvi" in (shape.bands or ()):
        return walk.step(shape, "ndvi", {"bands": None})
    return walk.step(shape, "ndvi", {"bands": (*(shape.bands or ()), "ndvi")}, target_band="ndvi")


def mask(walk: Walk, shape: Shape) -> Shape | None:
    """A comparison of the cube, or of a statistic over its bands or dates, masks it."""
    if shape.height is None or shape.width is None:
        return None
    seen = shape
    dims = [d for d in ("bands", "t") if d in shape.dims]
    if dims and len(shape.dims) > 2 and walk.draw.random() < 0.5:
        dim = walk.draw.choice(dims)
        seen = walk.step(shape, "reduce_dimension", dimension=dim, reducer=child(("mean", {"data": DATA})))
    marks = walk.step(seen, "apply", process=truth(walk))
    instead: dict[str, Any] = walk.draw.choice(({}, {}, {"replacement": walk.number(-9)}))
    return walk.step(shape, "mask", mask=source(marks), **instead)


def merge_cubes(walk: Walk, shape: Shape) -> Shape | None:
    """The cube with another one of the same labels, of one dimension less, or of other bands."""
    kind = walk.draw.choice(("same", "fewer", "bands"))
    x, y = {"from_parameter": "x"}, {"from_parameter": "y"}
    resolver = child(
        (walk.draw.choice(("add", "subtract", "multiply", "normalized_difference")), {"x": x, "y": y})
    )
    if kind == "bands":
        if len(shape.bands or ()) < 2 or "t" not in shape.dims:
            return None
        bands = shape.bands or ()
        ones = walk.step(shape, "filter_bands", bands=list(bands[:1]))
        twos = walk.step(apply(walk, shape), "filter_bands", bands=list(bands[1:]))
        name = walk.add("merge_cubes", cube1=source(ones), cube2=source(twos))
        return replace(shape, node=name)
    other = apply(walk, shape)
    if kind == "fewer":
        if len(shape.dims) < 3:
            return None
        dim = walk.draw.choice(shape.dims)
        other = walk.step(other, "reduce_dimension", dimension=dim, reducer=child(("max", {"data": DATA})))
    name = walk.add("merge_cubes", cube1=source(shape), cube2=source(other), overlap_resolver=resolver)
    return replace(shape, node=name)


def apply_dimension(walk: Walk, shape: Shape) -> Shape | None:
    """Something that leaves the number of labels along a dimension as it is."""
    if not shape.dims:
        return None
    dim = walk.draw.choice(shape.dims)
    nodata = walk.draw.choice(({}, {}, {"ignore_nodata": False}))
    size = {
        "t": len(shape.times or ()),
        "bands": len(shape.bands or ()),
        "y": shape.height,
        "x": shape.width,
    }[dim]
    places = walk.draw.sample(range(size or 1), size or 1)
    kinds: list[tuple[str, dict[str, Any]]] = [
        *((p, {"data": DATA, **nodata}) for p in ("cumsum", "cummin", "cummax", "cumproduct")),
        ("sort", {"data": DATA, "nodata": True, "asc": walk.draw.random() < 0.5}),
        ("rearrange", {"data": DATA, "order": places}),
    ]
    if dim != "t":
        kinds.append(("array_interpolate_linear", {"data": DATA}))
    calls = walk.draw.sample(kinds, walk.draw.choice((1, 1, 2)))
    if calls[0][0] == "rearrange":  # afterwards labels are in no order, and nothing can be interpolated
        calls = calls[:1]
    if len(calls) == 2:
        calls[1] = (calls[1][0], {**calls[1][1], "data": {"from_node": "n0"}})
    return walk.step(shape, "apply_dimension", dimension=dim, process=child(*calls))


def aggregate_temporal_period(walk: Walk, shape: Shape) -> Shape | None:
    if shape.times is None or shape.periods or shape.times != TIMES:
        return None
    period = walk.draw.choice(("month", "year", "season", "month", "year", "season", "week", "day"))
    count = {"month": 4, "year": 2, "season": 2, "week": 11, "day": 76}[period]
    after = {"times": ("",) * count, "periods": True}
    return walk.step(shape, "aggregate_temporal_period", after, period=period, reducer=single(walk))


def aggregate_temporal(walk: Walk, shape: Shape) -> Shape | None:
    if shape.times != TIMES or shape.periods:
        return None
    intervals = [["2021-11-01", "2021-12-31"], ["2021-12-31", "2022-02-01"], ["2022-02-01", "2022-03-01"]]
    after = {"times": ("a", "b", "c"), "periods": True}
    return walk.step(
        shape, "aggregate_temporal", after, intervals=intervals, labels=["a", "b", "c"], reducer=single(walk)
    )


def rename_labels(walk: Walk, shape: Shape) -> Shape | None:
    if shape.bands is None:
        return None
    at = walk.draw.randrange(len(shape.bands))
    new = f"b{len(walk.nodes)}"
    bands = (*shape.bands[:at], new, *shape.bands[at + 1 :])
    if walk.draw.random() < 0.5:
        every = [f"{new}_{i}" for i in range(len(bands))]
        old = list(shape.bands)
        return walk.step(
            shape, "rename_labels", {"bands": tuple(every)}, dimension="bands", target=every, source=old
        )
    return walk.step(
        shape, "rename_labels", {"bands": bands}, dimension="bands", target=[new], source=[shape.bands[at]]
    )


def other_dimension(walk: Walk, shape: Shape) -> Shape:
    if shape.more:
        return walk.step(shape, "drop_dimension", {"more": None}, name=shape.more)
    return walk.step(shape, "add_dimension", {"more": "run"}, name="run", label="one", type="other")


def bands_anew(walk: Walk, shape: Shape) -> Shape | None:
    if shape.bands is not None:
        return None
    return walk.step(shape, "add_dimension", {"bands": ("only",)}, name="bands", label="only", type="bands")


def reduce_spatial(walk: Walk, shape: Shape) -> Shape | None:
    if shape.height is None or shape.width is None or len(shape.dims) < 3:
        return None
    return walk.step(shape, "reduce_spatial", {"height": None, "width": None}, reducer=single(walk))


def filter_labels(walk: Walk, shape: Shape) -> Shape | None:
    if len(shape.bands or ()) < 2:
        return None
    left = walk.draw.choice(shape.bands or ())
    bands = tuple(b for b in shape.bands or () if b != left)
    condition = child(("neq", {"x": {"from_parameter": "value"}, "y": left}))
    after = walk.step(shape, "filter_labels", {"bands": bands}, dimension="bands", condition=condition)
    walk.nodes[after.node]["description"] = ",".join(bands)  # what is left
    return after


def apply_kernel(walk: Walk, shape: Shape) -> Shape | None:
    """Kernels that are the same from all sides: whether one is turned round, openEO leaves open."""
    if (shape.height or 0) < 3 or (shape.width or 0) < 3:
        return None
    corner, side, middle = (walk.number(-1) for _ in range(3))
    kernel = [[corner, side, corner], [side, middle, side], [corner, side, corner]]
    border = walk.draw.choice((0, 1.5, "replicate", "reflect", "reflect_pixel", "wrap"))
    return walk.step(shape, "apply_kernel", kernel=kernel, border=border, factor=walk.number())


Step = Callable[[Walk, Shape], Shape | None]
STEPS: dict[Step, float] = {
    apply: 6, reduce_dimension: 4, filter_bands: 2, filter_temporal: 3, filter_bbox: 3, ndvi: 2, mask: 4,
    merge_cubes: 4, apply_dimension: 4, aggregate_temporal_period: 2, aggregate_temporal: 0.5, rename_labels: 2,
    other_dimension: 2, bands_anew: 1, reduce_spatial: 1, filter_labels: 0.5, apply_kernel: 1,
}  # fmt: skip
"""What a walk may do, and how often it does it."""


def random_graph(seed: int) -> dict[str, Any]:
    """A valid graph of 3 to 12 processes over the parameter `cube`; child graphs are not counted."""
    walk = Walk(random.Random(seed))
    size = walk.draw.randint(3, 10)
    shape = Shape("")
    while len(walk.nodes) < size:
        step = walk.draw.choices(list(STEPS), list(STEPS.values()))[0]
        tried = Walk(walk.draw, dict(walk.nodes))
        after = step(tried, shape)
        if after is not None and len(tried.nodes) <= 12:
            walk.nodes, shape = tried.nodes, after
    walk.nodes[shape.node]["result"] = True
    return walk.nodes
