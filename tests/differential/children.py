"""Random child graphs: of numbers, of arrays, and what makes a boolean of a number."""

from __future__ import annotations

from typing import Any

from tests.differential.walk import Walk, child


def math(walk: Walk, x: dict[str, str]) -> tuple[str, dict[str, Any]]:
    """One process on a number that is defined for every real number."""
    low = walk.number(-1, 0.4)
    return walk.draw.choice(
        [
            ("add", {"x": x, "y": walk.number(-2)}),
            ("subtract", {"x": walk.number(), "y": x}),
            ("multiply", {"x": x, "y": walk.number(-2, -0.2)}),
            ("divide", {"x": x, "y": walk.number()}),
            ("absolute", {"x": x}),
            ("power", {"base": x, "p": 2}),
            ("mod", {"x": x, "y": walk.number()}),
            ("round", {"x": x, "p": walk.draw.randint(0, 3)}),
            ("normalized_difference", {"x": x, "y": walk.number()}),
            ("clip", {"x": x, "min": low, "max": low + walk.number()}),
            (
                "linear_scale_range",
                {"x": x, "inputMin": low, "inputMax": low + walk.number(), "outputMax": 255},
            ),
            *(
                (p, {"x": x})
                for p in ("sin", "cos", "tanh", "arctan", "arsinh", "sgn", "floor", "ceil", "int")
            ),
        ]
    )


def chain(
    walk: Walk, x: dict[str, str], *before: tuple[str, dict[str, Any]], most: int = 3
) -> dict[str, Any]:
    """A child graph: some processes on numbers after one another, each of the result before."""
    calls = list(before)
    for _ in range(walk.draw.randint(0 if before else 1, most)):
        calls.append(math(walk, {"from_node": f"n{len(calls) - 1}"} if calls else x))
    return child(*calls)


DATA = {"from_parameter": "data"}
STATISTICS = ("mean", "median", "min", "max", "sum", "sd", "variance", "product")


def reducer(walk: Walk, size: int, labels: tuple[str, ...] | None = None) -> dict[str, Any]:
    """A child graph that makes one value of an array."""
    kind = walk.draw.choice(
        ("statistic", "statistic", "statistic", "end", "count", "element", "two", "index")
    )
    nodata = walk.draw.choice(({}, {}, {"ignore_nodata": False}))
    if kind == "statistic":
        return chain(walk, DATA, (walk.draw.choice(STATISTICS), {"data": DATA, **nodata}), most=2)
    if kind == "end":
        return child((walk.draw.choice(("first", "last")), {"data": DATA, **nodata}))
    if kind == "count":
        return child(("count", {"data": DATA}))
    if kind == "element" or size < 2:
        at = {"label": walk.draw.choice(labels)} if labels else {"index": walk.draw.randrange(size)}
        return chain(walk, DATA, ("array_element", {"data": DATA, **at}), most=2)
    one, other = walk.draw.sample(range(size), 2)
    if kind == "two":
        two = tuple((walk.draw.choice(STATISTICS), {"data": DATA, **nodata}) for _ in range(2))
    else:
        two = tuple(("array_element", {"data": DATA, "index": i}) for i in (one, other))
    how = walk.draw.choice(("add", "subtract", "multiply", "normalized_difference"))
    return child(*two, (how, {"x": {"from_node": "n0"}, "y": {"from_node": "n1"}}))


def single(walk: Walk) -> dict[str, Any]:
    """A child graph of one statistic."""
    return child((walk.draw.choice((*STATISTICS, "first", "last", "count")), {"data": DATA}))


def truth(walk: Walk) -> dict[str, Any]:
    """A child graph that makes a boolean of a number."""
    x = {"from_parameter": "x"}
    low = walk.number(-0.2, 0.8)
    one = walk.draw.choice(
        [
            *((p, {"x": x, "y": low}) for p in ("gt", "gte", "lt", "lte")),
            ("between", {"x": x, "min": low, "max": low + 0.4}),
        ]
    )
    if walk.draw.random() < 0.5:
        return child(one)
    other = ("lt", {"x": x, "y": walk.number()})
    return child(
        one,
        other,
        (walk.draw.choice(("and", "or", "xor")), {"x": {"from_node": "n0"}, "y": {"from_node": "n1"}}),
    )
