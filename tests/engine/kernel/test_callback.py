"""Child graphs: single values are no arrays, old names of arguments, faults of the engine, what travels to workers."""

from __future__ import annotations

import pickle

import dask
import numpy as np
import pytest
import xarray as xr

import engine
from engine import Problem
from engine.graph.check import callback_parameters
from engine.graph.model import Node
from engine.graph.parse import parse
from engine.graph.schema import accepted
from engine.kernel.callback import SINGLE, Callback, internal, located, placed, told
from engine.kernel.lift import call
from processes import REGISTRY, errors
from tests.end_to_end.graphs import node
from tests.processes.cubes.conftest import make_cube

X, Y, D = ({"from_parameter": name} for name in ("x", "y", "data"))
A = {"from_node": "a"}


def nodes(**given):
    return {"process_graph": given}


def one(process_id, /, **arguments):
    return nodes(n=node(process_id, **arguments, result=True))


@pytest.fixture(params=[None, {"t": 1}, {"y": 2, "x": 3}], ids=["numpy", "dates", "plane"])
def cube(request):
    values = np.random.default_rng(4).integers(1, 3000, (3, 2, 4, 6)).astype(np.uint16)
    made = make_cube(values, nodata=0)
    return made if request.param is None else made.chunk(request.param)


def applied(session, cube, child):
    graph = {"apply": node("apply", data={"from_parameter": "cube"}, process=child, result=True)}
    return session.run(graph, {"cube": cube})


# ------------------------------------------------------------------------------------- single values
ARRAYS = {
    "mean": one("mean", data=X),
    "sort": one("sort", data=X),
    "cumsum": one("cumsum", data=X),
    "count": one("count", data=X),
    "array_element": one("array_element", data=X, index=0),
    "text_concat": one("text_concat", data=X),
    "array_apply": one("array_apply", data=X, process=one("add", x=X, y=1)),
    "chosen": nodes(a=node("if", value=True, accept=X, reject=1), n=node("max", data=A, result=True)),
    "element": nodes(a=node("array_element", data=[X, 1], index=0), n=node("first", data=A, result=True)),
    "first": nodes(a=node("first", data=[X, 1]), n=node("sum", data=A, result=True)),
}


@pytest.mark.parametrize("child", ARRAYS.values(), ids=ARRAYS)
def test_the_value_of_a_cell_is_no_array(child, cube, session):
    """Its neighbours in the block would be taken for the array, so that the result would depend on the chunks."""
    with pytest.raises(
        Problem, match="has to be an array; here it is the single value of each cell"
    ) as caught:
        applied(session, cube, child)
    assert caught.value.code == "ProcessParameterInvalid"
    assert caught.value.pointer == "/apply/arguments/process/process_graph/n/arguments/data"
    assert "reduce_dimension" in caught.value.hint


def test_nor_is_one_in_a_child_graph_inside(cube, session):
    applied(session, cube, one("array_find", data=[1, 2], value=X)).compute()  # one value is what it takes
    resolver = one("array_apply", data=[1, 2], process=one("mean", data=Y))
    call_resolver = Callback(parse(resolver["process_graph"]), ("x", "y", "context"))
    with pytest.raises(Problem, match="has to be an array") as caught:
        call_resolver(np.ones((2, 2)), np.ones((2, 2)))
    assert caught.value.pointer == "/n/arguments/process/process_graph/n/arguments/data"


def test_nor_is_one_that_a_user_process_is_given(cube, tmp_path):
    """Its own child graph knows the value by the name of its parameter."""
    spread = {
        "parameters": [{"name": "given", "description": "A value.", "schema": {}}],
        **one("array_apply", data=[1, 2], process=one("mean", data={"from_parameter": "given"})),
    }
    child = nodes(a=node("spread", given=X), n=node("first", data=A, result=True))
    with (
        engine.Engine(engine.Settings(home=tmp_path), processes={"spread": spread}) as own,
        pytest.raises(Problem, match="has to be an array"),
    ):
        applied(own, cube, child)


@pytest.mark.parametrize("resolver", [one("max", data=X), one("last", data=Y)])
def test_nor_is_one_of_two_that_overlap(resolver, cube, session):
    graph = {
        "merge": node(
            "merge_cubes",
            cube1={"from_parameter": "cube"},
            cube2={"from_parameter": "cube"},
            overlap_resolver=resolver,
            result=True,
        )
    }
    with pytest.raises(Problem, match="has to be an array"):
        session.run(graph, {"cube": cube})


VALUES = {
    "list": (one("mean", data=[X, 1]), lambda v: (v.astype(float) + 1) / 2),
    "made": (
        nodes(a=node("array_create", data=[X, 5]), n=node("max", data=A, result=True)),
        lambda v: np.maximum(v, 5),
    ),
    "json": (
        nodes(a=node("array_create", data=[2, 4]), m=node("mean", data=A), n=node("add", x=X, y={"from_node": "m"}, result=True)),
        lambda v: v + 3.0,
    ),
    "constant": (one("add", x=1, y=2), lambda v: v * 0 + 3),
    "nothing": (one("constant", x=None), lambda v: v * np.nan),
    "context": (one("array_element", data={"from_parameter": "context"}, index=0), lambda v: v * 0 + 7),
}  # fmt: skip


@pytest.mark.parametrize(("child", "expected"), VALUES.values(), ids=VALUES)
def test_arrays_of_single_values_and_constants(child, expected, cube, session):
    graph = {
        "apply": node("apply", data={"from_parameter": "cube"}, process=child, context=[7, 8], result=True)
    }
    result = session.run(graph, {"cube": cube}).compute()
    np.testing.assert_allclose(
        result.where(result != result.attrs.get("nodata", np.nan)), expected(cube.compute().values)
    )


def test_user_code_that_makes_one_value_of_several_cells_is_refused(cube):
    """It gets a block of any shape."""

    def gone(x, context=None):
        return np.asarray(x.data).max(axis=0)

    with pytest.raises(errors.ProcessParameterInvalid, match="makes one value of several cells"):
        REGISTRY["apply"].fn(cube, gone)
    with pytest.raises(errors.ProcessParameterInvalid, match="makes one value of several cells"):
        REGISTRY["apply"].fn(cube.isel(bands=0, y=0, x=0, drop=True), gone)


def test_json_arrays_of_arrays_stay_what_they_are(session):
    graph = {"n": node("array_apply", data=[[1, 2], [3, 5]], process=one("mean", data=X), result=True)}
    assert session.run(graph) == [1.5, 4]


def test_parameters_of_one_value_are_called_so_everywhere():
    """What `SINGLE` rests on: no process hands its child graph an array under one of these names."""
    seen = set()
    for process in REGISTRY.values():
        for param in process.signature.params:
            for name in SINGLE & set(callback_parameters(param.schema)):
                seen.add(name)
                for schema in schemas_of(param.schema, name):
                    assert "array" not in accepted(schema), (process.id, name)
    assert seen == SINGLE


def schemas_of(schema, name):
    """The schemas of a child graph's parameter."""
    if isinstance(schema, list):
        return [found for part in schema for found in schemas_of(part, name)]
    inner = schemas_of(schema["additionalProperties"], name) if "additionalProperties" in schema else []
    return inner + [p["schema"] for p in schema.get("parameters", ()) if p["name"] == name]


# ------------------------------------------------------------------------------------------ old names
def test_errors_point_at_the_name_that_was_written():
    old = Node("load_result", {"id": "nothing", "bands": ["B04"]}, "/n")
    error = errors.ProcessParameterInvalid("no such thing", parameter="url")
    assert located(error, "n", old).pointer == "/n/arguments/id"
    problem = Problem("FileNotFound", "no such thing", facts={"parameter": "url"})
    assert placed(problem, "n", old).pointer == "/n/arguments/id"
    assert placed(Problem("FileNotFound", "none"), "n", old).pointer == "/n"
    new = Node("load_stac", {"url": "nothing"}, "/n")
    assert located(error, "n", new).pointer == "/n/arguments/url"


def test_an_error_of_an_old_name_through_the_door(session):
    with pytest.raises(Problem) as caught:
        session.run({"n": node("load_result", id="a3cca2b2", result=True)})
    assert caught.value.pointer == "/n/arguments/id"


# ------------------------------------------------------------------------------------------- net
def broken(*args, **kwargs):
    """A process with a fault in it."""
    raise IndexError("list index out of range")


def check_internal(problem):
    assert problem.code == "Internal"
    assert "IndexError: list index out of range" in problem.message
    assert "fault of the engine" in problem.hint
    assert type(problem.__cause__) is IndexError


NAMED = {"new": node("add_dimension", data={"from_parameter": "cube"}, name="run", label=1, result=True)}


def test_a_fault_of_the_engine_is_called_so(cube, session, monkeypatch):
    monkeypatch.setattr("engine.execute.evaluate.call", broken)
    with pytest.raises(Problem, match="node 'new', process 'add_dimension'") as caught:
        session.run(NAMED, {"cube": cube})
    check_internal(caught.value)
    assert caught.value.pointer == "/new"
    (problem,) = session.validate(NAMED, {"cube": cube})
    check_internal(problem)


@pytest.mark.parametrize("scheduler", ["synchronous", "threads"])
def test_a_fault_inside_a_child_graph_names_the_node_there(scheduler, cube, session, monkeypatch):
    """Whether it comes up on the probe or in a block; the cause stays chained on its way out."""
    child = nodes(a=node("add", x=X, y=1), n=node("sqrt", x=A, result=True))

    def fault(process, args, **engine):
        if process.id == "sqrt":
            raise IndexError("list index out of range")
        return call(process, args, **engine)

    if cube.chunks:
        result = applied(session, cube, child)
        monkeypatch.setattr("engine.kernel.callback.call", fault)
        with dask.config.set(scheduler=scheduler, array__optimize=False), pytest.raises(Problem) as caught:
            REGISTRY["apply"].fn(cube, Callback(parse(child["process_graph"]), ("x", "context"))).compute()
        assert result.dtype.kind == "f"
    else:
        monkeypatch.setattr("engine.kernel.callback.call", fault)
        with pytest.raises(Problem) as caught:
            applied(session, cube, child)
        assert caught.value.pointer == "/apply/arguments/process/process_graph/n"
    check_internal(caught.value)
    assert "node 'n', process 'sqrt'" in caught.value.message


def test_problems_and_lack_of_memory_are_no_faults_of_the_engine():
    at = Node("add", {"x": 1, "y": 2}, "/n")
    with pytest.raises(Problem) as caught, told("n", at):
        raise Problem("FileNotFound", "none", pointer="/inner")
    assert caught.value.pointer == "/inner"
    assert caught.value.__cause__ is None
    with pytest.raises(MemoryError), told("n", at):
        raise MemoryError
    with pytest.raises(KeyError), told("n", at, KeyError):
        raise KeyError("let through")
    with pytest.raises(KeyboardInterrupt), told("n", at):
        raise KeyboardInterrupt


# ------------------------------------------------------------------------------------------ travelling
def test_child_graphs_keep_what_they_know_when_they_travel():
    graph = parse({"n": node("mean", data=X, result=True)})
    there = pickle.loads(pickle.dumps(Callback(graph, ("x", "context"))))
    with pytest.raises(Problem, match="has to be an array"):
        there(np.ones((2, 2)))
    around = pickle.loads(pickle.dumps(internal(ValueError("odd"), "n", Node("mean", {}, "/n"))))
    assert (around.code, around.pointer) == ("Internal", "/n")


def test_cubes_of_one_cell_have_values_too(session):
    cube = xr.DataArray(np.float32(3))
    assert float(applied(session, cube, one("add", x=X, y=1))) == 4
    with pytest.raises(Problem, match="has to be an array"):
        applied(session, cube, one("mean", data=X))
