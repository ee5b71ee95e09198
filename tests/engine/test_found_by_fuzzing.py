"""Graphs that a generator of requests found: they are refused with words, and are no fault of the engine."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from engine.errors import Problem
from engine.graph.parse import define
from tests.processes.cubes.conftest import make_cube

SUM = {"process_id": "add", "arguments": {"x": 1, "y": 2}, "result": True}
HUGE = 10**30
CUBE = make_cube(np.ones((2, 2, 4, 5), np.float32))


@pytest.mark.parametrize("namespace", [[], {}, 0, True, ["user"]])
def test_a_namespace_is_a_text(namespace):
    with pytest.raises(Problem, match="namespace of node 'a' is no text") as caught:
        define({"process_graph": {"a": {**SUM, "namespace": namespace}}})
    assert (caught.value.code, caught.value.pointer) == ("ProcessGraphInvalid", "/process_graph/a")


@pytest.mark.parametrize(
    ("member", "value", "words"),
    [
        ("id", 1, "id has to be a text"),
        ("summary", ["a"], "summary has to be a text"),
        ("deprecated", "yes", "deprecated has to be true or false"),
        ("categories", "math", "categories has to be a list"),
        ("categories", [1], "each element of categories has to be a text"),
        ("links", [None], "each element of links has to be an object"),
        ("links", {"rel": "about"}, "links has to be a list"),
        ("returns", 1, "returns has to be an object"),
        ("parameters", {"x": 1}, "parameters has to be a list"),
        ("parameters", [{"name": 1}], "parameters has to be a list"),
        ("parameters", [{"name": "x", "schema": 1}], "parameters has to be a list"),
        ("parameters", [{"name": "x", "schema": [1]}], "parameters has to be a list"),
    ],
)
def test_what_a_process_tells_of_itself_is_what_clients_expect(member, value, words):
    for wrap, pointer in ((lambda p: p, ""), (lambda p: {"process": p}, "/process")):
        with pytest.raises(Problem, match=words) as caught:
            define(wrap({"process_graph": {"a": SUM}, member: value}))
        assert caught.value.code == "ProcessInvalid"
        assert caught.value.pointer in (f"{pointer}/{member}", "/parameters")
    assert define({"process_graph": {"a": SUM}, member: None})


@pytest.mark.parametrize(
    ("process", "arguments", "parameter"),
    [
        ("array_create", {"data": [1], "repeat": HUGE}, "repeat"),
        ("array_create", {"data": [1], "repeat": 1e30}, "repeat"),
        ("array_create", {"data": [1], "repeat": 10**400}, "repeat"),
        ("array_modify", {"data": [1, 2], "values": [1], "index": 1, "length": HUGE}, "length"),
        ("resample_spatial", {"resolution": 1e308}, "resolution"),
        ("resample_spatial", {"resolution": 10**400}, "resolution"),
        ("resample_spatial", {"resolution": 1e-300}, "resolution"),
        ("rename_dimension", {"source": "t", "target": ""}, "target"),
        ("add_dimension", {"name": "", "label": "a"}, "name"),
    ],
)
def test_values_beyond_all_measure_are_refused(session, process, arguments, parameter):
    taken = {} if "data" in arguments else {"data": {"from_parameter": "cube"}}
    node = {"process_id": process, "arguments": {**taken, **arguments}, "result": True}
    with pytest.raises(Problem) as caught:
        session.compute(session.run({"n": node}, {"cube": CUBE} if taken else {}))
    assert caught.value.code == "ProcessParameterInvalid"
    assert parameter in caught.value.message or caught.value.pointer.endswith(parameter)


def test_labels_that_are_huge_integers_are_numbers(session):
    node = {"process_id": "add_dimension", "arguments": {"data": {"from_parameter": "cube"}, "name": "n", "label": 10**400}, "result": True}  # fmt: skip
    assert float(session.run({"n": node}, {"cube": CUBE}).coords["n"][0]) == float("inf")


@pytest.mark.parametrize("name", ["a.geojson", "a.parquet"])
def test_identifiers_are_no_geometries(session, tmp_path, name):
    node = {"process_id": "add_dimension", "arguments": {"data": {"from_parameter": "cube"}, "name": "g", "label": "a", "type": "geometry"}, "result": True}  # fmt: skip
    line = xr.DataArray(
        [1.0, 2.0], dims=("bands",), coords={"bands": ("bands", ["B1", "B2"], {"type": "bands"})}
    )
    with pytest.raises(Problem, match="identifiers") as caught:
        session.save({"n": node}, tmp_path / name, parameters={"cube": line})
    assert caught.value.code == "FormatUnsuitable"
