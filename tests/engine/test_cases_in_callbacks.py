"""The official cases once more, inside of callbacks: numbers become cells of a cube, arrays become its dimension.

In a cube of floats NaN is no-data, so that null and NaN are one there; cases that tell them apart have no place here.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr

from engine.errors import Problem
from engine.graph.schema import accepted
from processes import REGISTRY
from tests.engine.test_cases import FILE, codec, own_engine  # noqa: F401 (a fixture)

NULL = {"type": "nodata"}


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def as_cell(value):
    return math.nan if value == NULL else value


def fits(case):
    """Can the case be told with cells? Which argument becomes the cube?"""
    process, args = REGISTRY[case["process"]], case["arguments"]
    if "cubes" in process.categories or "throws" in case or "returns" not in case:
        return None
    param = next(iter(process.signature.params), None)
    if param is None or not takes_numbers(param.schema, isinstance(args.get(param.name), list)):
        return None
    first, value = param.name, args.get(param.name)
    if case["process"] in ("sort", "order") and NULL in value and "nodata" not in args:
        return None  # leaves elements out; arrays in a cube have one length
    others = [v for k, v in args.items() if k != first]
    if any(not (is_number(v) and math.isfinite(v)) and not isinstance(v, (bool, str, list)) for v in others):
        return None
    numbers = [value] if not isinstance(value, list) else value
    if not numbers or not all(is_number(v) or v == NULL for v in numbers):
        return None
    if any(is_number(v) and math.isnan(v) for v in numbers) or not tellable(case["returns"]):
        return None
    return first


def takes_numbers(schema, in_array):
    kinds = accepted(schema)
    if in_array:
        return kinds == {"array"} and accepted(schema.get("items", {})) & {"number", "any"}
    return kinds & {"number", "any"}


def tellable(expected):
    values = expected if isinstance(expected, list) else [expected]
    return all(is_number(v) or v == NULL or isinstance(v, bool) for v in values)


def cases():
    if not FILE.exists():
        return [pytest.param(None, None, marks=pytest.mark.skip(reason="the official cases are not here"))]
    found = [
        (c, fits(c)) for c in codec().load() if c["process"] in REGISTRY and c["process"] not in LEFT_OUT
    ]
    return [pytest.param(c, first, id=c["id"]) for c, first in found if first]


LEFT_OUT = {
    "is_nan": "asks whether a value is NaN, which is no-data in cells",
    "is_nodata": "as is_nan",
    "is_valid": "as is_nan",
    "constant": "has no argument that a cell could be",
    "array_create": "as constant",
    "array_filter": "gives another number of elements for each cell",
    "text_concat": "gives a text",
}


def run_in_cube(case, first, engine):
    """The result of the case for each of three equal cells, as a list of what `returns` has."""
    args = case["arguments"]
    is_array = isinstance(args[first], list)
    values = np.array([as_cell(v) for v in (args[first] if is_array else [args[first]])], dtype=float)
    cube = xr.DataArray(np.repeat(values[:, None], 3, axis=1), dims=("i", "cell")).chunk({"cell": 1})
    gives_array = isinstance(case["returns"], list)
    name = "data" if is_array else "x"
    inner = {**args, first: {"from_parameter": name}}
    child = {"process_graph": {"n": {"process_id": case["process"], "arguments": inner, "result": True}}}
    outer = {"data": {"from_parameter": "cube"}, "context": None}
    if not is_array:
        node = {"process_id": "apply", "arguments": {**outer, "process": child}}
    elif gives_array:
        node = {"process_id": "apply_dimension", "arguments": {**outer, "process": child, "dimension": "i"}}
    else:
        node = {"process_id": "reduce_dimension", "arguments": {**outer, "reducer": child, "dimension": "i"}}
    result = engine.run({"n": {**node, "result": True}}, {"cube": cube}).compute()
    cells = result.transpose("cell", ...).values
    return [c.tolist() if gives_array else np.ravel(c)[0] for c in cells]


def null_as_nan(expected):
    if isinstance(expected, list):
        return [null_as_nan(e) for e in expected]
    return math.nan if expected == NULL or expected is None else expected


@pytest.mark.parametrize(("case", "first"), cases())
def test_official_case_in_a_callback(case, first, own_engine):  # noqa: F811
    try:
        results = run_in_cube(case, first, own_engine)
    except Problem as problem:
        pytest.fail(str(problem))
    for result in results:
        expected, got = null_as_nan(case["returns"]), null_as_nan(codec().native(result))
        assert codec().differ(expected, got, max(case.get("delta", 1e-10), 1e-10)) is None
