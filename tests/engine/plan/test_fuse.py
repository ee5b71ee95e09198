"""Kernels give what the functions themselves give, cell by cell, whatever the graph and the blocks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import engine
from engine.kernel.fused import Fused
from engine.plan.fuse import fuse
from processes.places import size
from tests.engine.plan.conftest import lazy_cube, stored

FLOATS = ("add", "subtract", "multiply", "divide")
RELATIONS = ("lt", "lte", "gt", "gte", "eq", "neq")
STATISTICS = ("mean", "min", "max", "sum", "median", "sd", "variance", "first", "last", "count")
STATISTICS += ("quantiles",)
VERDICTS = ("any", "all")
CURVES = ("ln", "sqrt", "sin", "cos", "tan", "arcsin", "arccos", "arctan")
CURVES += ("sinh", "cosh", "tanh", "arsinh", "arcosh", "artanh")
LOGARITHMS = (2, 10, 3, 0.5)


class Graph:
    """Writes a child graph, node by node."""

    def __init__(self, curves: bool = True) -> None:
        self.nodes: dict[str, Any] = {}
        self.kinds = ("leaf", "constant", "binary", "scale", "clip", "if", "unary", "index")
        self.kinds += ("curve",) if curves else ()

    def put(self, process: str, **arguments: Any) -> dict[str, str]:
        """A node; gives what refers to it."""
        name = f"n{len(self.nodes)}"
        self.nodes[name] = {"process_id": process, "arguments": arguments}
        return {"from_node": name}

    def closed(self, result: dict[str, str]) -> dict[str, Any]:
        """The graph with its result."""
        self.nodes[result["from_node"]]["result"] = True
        return {"process_graph": self.nodes}


def number(draw: Any, graph: Graph, leaves: Any, depth: int) -> Any:
    """A number for each cell, or a constant."""
    kind = draw(st.sampled_from(graph.kinds)) if depth else "leaf"
    if kind == "leaf":
        return leaves(draw, graph)
    if kind == "constant":
        return draw(st.sampled_from((0, 1, 2.5, -3, 300, 0.1)))
    inner = (
        leaves(draw, graph) if kind in ("scale", "clip", "unary", "curve") and draw(st.booleans()) else None
    )
    x = number(draw, graph, leaves, depth - 1) if inner is None else inner
    if kind == "binary":
        return graph.put(draw(st.sampled_from(FLOATS)), x=x, y=number(draw, graph, leaves, depth - 1))
    if kind == "scale":
        return graph.put("linear_scale_range", x=x, inputMin=0, inputMax=1000, outputMax=255)
    if kind == "clip":
        return graph.put("clip", x=x, min=3, max=200)
    if kind == "index":
        return graph.put("normalized_difference", x=x, y=leaves(draw, graph))
    if kind == "if":
        reject = draw(st.sampled_from((None, "number")))
        other = {} if reject is None else {"reject": number(draw, graph, leaves, depth - 1)}
        return graph.put("if", value=truth(draw, graph, leaves, depth - 1), accept=x, **other)
    if kind == "curve":
        return curve(draw, graph, x)
    return graph.put(draw(st.sampled_from(("absolute", "sqrt"))), x=x)


def curve(draw: Any, graph: Graph, x: Any) -> Any:
    """A power, an exponential, a logarithm, or a function of angles."""
    name = draw(st.sampled_from((*CURVES, "exp", "log", "power", "root", "arctan2")))
    if name == "exp":
        return graph.put("exp", p=x)
    if name == "log":
        return graph.put("log", x=x, base=draw(st.sampled_from(LOGARITHMS)))
    if name == "power":
        return graph.put("power", base=x, p=draw(st.sampled_from((2, 0.5, -1))))
    if name == "root":
        return graph.put("power", base=2, p=x)
    return graph.put("arctan2", y=x, x=3) if name == "arctan2" else graph.put(name, x=x)


def truth(draw: Any, graph: Graph, leaves: Any, depth: int) -> Any:
    """A boolean for each cell."""
    kind = (
        draw(st.sampled_from(("relation", "between", "and", "or", "not", "is_nodata", "is_nan", "is_valid")))
        if depth
        else "relation"
    )
    if kind in ("and", "or"):
        return graph.put(
            kind, x=truth(draw, graph, leaves, depth - 1), y=truth(draw, graph, leaves, depth - 1)
        )
    if kind == "not":
        return graph.put("not", x=truth(draw, graph, leaves, depth - 1))
    x = number(draw, graph, leaves, max(depth - 1, 0))
    if kind == "between":
        return graph.put("between", x=x, min=2, max=100)
    if kind == "relation":
        return graph.put(
            draw(st.sampled_from(RELATIONS)), x=x, y=draw(st.sampled_from((0, 3, 8, 2.5, 70000)))
        )
    return graph.put(kind, x=x)


def of_x(draw: Any, graph: Graph) -> Any:
    """The one value of a cell."""
    return {"from_parameter": "x"}


def of_bands(draw: Any, graph: Graph) -> Any:
    """One of the bands."""
    chosen = draw(st.sampled_from(({"label": "B04"}, {"label": "B08"}, {"index": 2})))
    return graph.put("array_element", data={"from_parameter": "data"}, **chosen)


def along_time(draw: Any, names: Any) -> Any:
    """A reducer of one process, or of one element of what it gives."""
    inner = Graph()
    name = draw(st.sampled_from(names))
    ignore = {} if name == "count" else draw(st.sampled_from(({}, {"ignore_nodata": False})))
    data = {"from_parameter": "data"}
    if name != "quantiles":
        return inner.closed(inner.put(name, data=data, **ignore))
    several = inner.put("quantiles", data=data, probabilities=[0.1, 0.5, 0.8], **ignore)
    return inner.closed(inner.put("array_element", data=several, index=draw(st.integers(0, 2))))


@st.composite
def chains(draw: Any, curves: bool = True) -> dict[str, Any]:
    """A graph over the cube: some steps that kernels know, `curves` of them powers, logarithms and the like."""
    graph: dict[str, Any] = {}
    last: Any = {"from_parameter": "cube"}

    def put(process_id: str, /, **arguments: Any) -> dict[str, str]:
        name = f"step{len(graph)}"
        graph[name] = {"process_id": process_id, "arguments": arguments}
        return {"from_node": name}

    def child(make: Any, leaves: Any, depth: int = 2) -> dict[str, Any]:
        inner = Graph(curves)
        result = make(draw, inner, leaves, depth)
        if not isinstance(result, dict) or "from_node" not in result:
            result = inner.put("constant", x=result)
        return inner.closed(result)

    if draw(st.booleans()):
        marks = put("reduce_dimension", data=last, dimension="bands", reducer=child(truth, of_bands))
        last = put("mask", data=last, mask=marks, **draw(st.sampled_from(({}, {"replacement": 7}))))
    if draw(st.booleans()):
        last = put("apply", data=last, process=child(number, of_x))
    bands = draw(st.sampled_from(("ndvi", "reduce", "truth", "keep", "filter")))
    if bands == "ndvi":
        last = put("ndvi", data=last, nir="B08", red="B04")
    elif bands == "reduce":
        last = put("reduce_dimension", data=last, dimension="bands", reducer=child(number, of_bands))
    elif bands == "truth":
        last = put("reduce_dimension", data=last, dimension="bands", reducer=child(truth, of_bands))
    elif bands == "filter":
        last = put("filter_bands", data=last, bands=["B08", "B04"])
    times = draw(st.sampled_from(("reduce", "period", "keep")))
    if times != "keep":
        reducer = along_time(draw, VERDICTS if bands == "truth" else STATISTICS)
        if times == "reduce":
            last = put("reduce_dimension", data=last, dimension="t", reducer=reducer)
        else:
            last = put("aggregate_temporal_period", data=last, period="month", reducer=reducer)
    if bands != "truth" and draw(st.booleans()):
        last = put("apply", data=last, process=child(number, of_x, 1))
    if not graph:
        last = put("apply", data=last, process=child(number, of_x))
    graph[last["from_node"]]["result"] = True
    return graph


@st.composite
def numbers(draw: Any) -> tuple[np.ndarray, float | None]:
    """Numbers (t, bands, y, x) of some type, and what stands for no-data."""
    dtype = draw(st.sampled_from(("uint8", "uint16", "int16", "float32")))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    dates = draw(st.integers(1, 9))
    array = rng.integers(0, 12, (dates, 3, 6, 7))
    if dtype == "float32":
        cube = array.astype(np.float32) / 3
        cube[array == 0] = np.nan
        return cube, None
    return array.astype(dtype), draw(st.sampled_from((0, None)))


def equal(a: Any, b: Any) -> None:
    """The same cells and labels; floats up to the association of sums."""
    assert a.dims == b.dims
    assert a.dtype == b.dtype
    assert repr(a.attrs) == repr(b.attrs)  # a NaN equals no other
    for name in b.coords:
        assert a.coords[name].equals(b.coords[name])
    if a.dtype.kind == "f":
        np.testing.assert_allclose(a.values, b.values, rtol=2e-6 if a.dtype == np.float32 else 1e-12, atol=0)
    elif a.dtype == object:  # booleans with gaps, which are NaN
        np.testing.assert_array_equal(a.values.astype(float), b.values.astype(float))
    else:
        np.testing.assert_array_equal(a.values, b.values)


ALL = {
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
    "phases": [Phase.explicit, Phase.reuse, Phase.generate],
}


@pytest.fixture
def interpreted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels are run by Python: the same text, without a second of compiling for each."""
    monkeypatch.setattr("numba.njit", lambda *_, **__: lambda fn: fn)
    monkeypatch.setattr("engine.kernel.compiled._loaded", {})


@settings(max_examples=40, **ALL)
@given(chains(), numbers(), st.sampled_from((3, 4, 16)))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # Python warns where numba does not
def test_some_graphs_give_the_same(interpreted: None, graph: Any, held: Any, block: int) -> None:
    same_either_way(graph, held, block)


@pytest.mark.slow
@settings(max_examples=200, **ALL)
@given(chains(), numbers(), st.sampled_from((3, 4, 16)))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_many_graphs_give_the_same(interpreted: None, graph: Any, held: Any, block: int) -> None:
    same_either_way(graph, held, block)


@pytest.mark.slow
@settings(max_examples=15, **ALL)
@given(chains(curves=False), numbers(), st.sampled_from((3, 4, 16)))
def test_compiled_graphs_give_the_same(graph: Any, held: Any, block: int) -> None:
    """Without curves: the last bit of machine code's, and what graphs make of it, is not NumPy's."""
    same_either_way(graph, held, block)


def same_either_way(graph: Any, held: Any, block: int) -> None:
    """Fused and unfused, a graph gives the same cells, or the same error."""
    array, nodata = held
    plain = outcome(graph, lazy_cube(stored(array, block), nodata, "never"))
    fused = outcome(graph, lazy_cube(stored(array, block), nodata, "always"))
    if isinstance(plain, str):
        assert fused == plain
    else:
        equal(fused.compute(), plain.compute())


def outcome(graph: Any, cube: Any) -> Any:
    """The cube of a graph, or the code of what is wrong with it."""
    try:
        return engine.run(graph, {"cube": cube})
    except engine.Problem as problem:
        return problem.code


ONE = [(name, {"x": {"from_parameter": "x"}}) for name in CURVES]
X = {"from_parameter": "x"}
TWO = [("exp", {"p": X}), ("power", {"base": X, "p": 0.5}), ("power", {"base": 2, "p": X})]
TWO += [("log", {"x": X, "base": b}) for b in LOGARITHMS] + [("log", {"x": 7, "base": X})]
TWO += [
    ("log", {"x": X, "base": X}),
    ("arctan2", {"y": X, "x": 2}),
    ("arctan2", {"y": -1, "x": X}),
    ("power", {"base": X, "p": X}),
]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # Python warns where numba does not
@pytest.mark.parametrize("dtype", ["int16", "int32", "float32", "float64"])
@pytest.mark.parametrize(("process", "arguments"), ONE + TWO)
def test_transcendental_functions_have_words(
    interpreted: None, process: str, arguments: Any, dtype: str
) -> None:
    same_in_a_kernel(process, arguments, dtype)


@pytest.mark.slow
@pytest.mark.parametrize(("process", "arguments"), ONE + TWO)
def test_their_compiled_words_give_the_same(process: str, arguments: Any) -> None:
    same_in_a_kernel(process, arguments, "float32")


@pytest.mark.parametrize(("process", "reduced", "is_fused"), [
    ("exp", False, False), ("exp", True, True), ("absolute", False, True), ("absolute", True, True),
])  # fmt: skip
def test_kernels_that_take_longer_than_the_functions_are_not_chosen(
    monkeypatch: pytest.MonkeyPatch, process: str, reduced: bool, is_fused: bool
) -> None:
    monkeypatch.setattr("engine.plan.planner.ENOUGH", 0)
    inner, along = Graph(), Graph()
    child = inner.closed(inner.put(process, **{"p" if process == "exp" else "x": X}))
    applied = {"data": {"from_parameter": "cube"}, "process": child}
    graph: dict[str, Any] = {"a": {"process_id": "apply", "arguments": applied}}
    if reduced:
        reducer = along.closed(along.put("mean", data={"from_parameter": "data"}))
        arguments = {"data": {"from_node": "a"}, "dimension": "t", "reducer": reducer}
        graph["b"] = {"process_id": "reduce_dimension", "arguments": arguments}
    graph[max(graph)]["result"] = True
    array = np.ones((2, 3, 6, 4), dtype="float32")
    cube = engine.run(graph, {"cube": lazy_cube(stored(array, 4), None, "auto")})
    planned = cube.data.planner.fused(cube.data.recipe)
    assert isinstance(planned, Fused) is is_fused


def same_in_a_kernel(process: str, arguments: Any, dtype: str) -> None:
    """A process of one cell gives the same in a kernel, at the edges of its domain, too."""
    held = np.array([-3, -1, 0, 1, 2, 9], dtype=dtype)
    nodata = 9
    if held.dtype.kind == "f":
        held, nodata = np.array([-np.inf, -1, -0.0, 0.5, np.inf, np.nan], dtype=dtype), None
    array = np.tile(held, (2, 3, 6, 1))
    inner = Graph()
    child = inner.closed(inner.put(process, **arguments))
    graph = {
        "a": {
            "process_id": "apply",
            "result": True,
            "arguments": {"data": {"from_parameter": "cube"}, "process": child},
        }
    }
    cube = engine.run(graph, {"cube": lazy_cube(stored(array, 4), nodata, "always")})
    assert isinstance(fuse(cube.data.recipe), Fused)
    equal(cube.compute(), engine.run(graph, {"cube": lazy_cube(stored(array, 4), nodata, "never")}).compute())


def median_of_clear_ndvi() -> dict[str, Any]:
    """Clouds out, index, median: the graph that everybody runs."""
    clouds = Graph()
    scl = clouds.put("array_element", data={"from_parameter": "data"}, label="SCL")
    either = clouds.put("or", x=clouds.put("eq", x=scl, y=3), y=clouds.put("gte", x=scl, y=8))
    middle = Graph()
    return {
        "clouds": {
            "process_id": "reduce_dimension",
            "arguments": {
                "data": {"from_parameter": "cube"},
                "dimension": "bands",
                "reducer": clouds.closed(either),
            },
        },
        "clear": {
            "process_id": "mask",
            "arguments": {"data": {"from_parameter": "cube"}, "mask": {"from_node": "clouds"}},
        },
        "ndvi": {
            "process_id": "ndvi",
            "arguments": {"data": {"from_node": "clear"}, "nir": "B08", "red": "B04"},
        },
        "median": {
            "process_id": "reduce_dimension",
            "result": True,
            "arguments": {
                "data": {"from_node": "ndvi"},
                "dimension": "t",
                "reducer": middle.closed(middle.put("median", data={"from_parameter": "data"})),
            },
        },
    }


def scenes(dates: int, cloudy: int) -> np.ndarray:
    """Reflectances, and a classification in which the first dates are cloudy all over."""
    rng = np.random.default_rng(1)
    array = rng.integers(1, 3000, (dates, 3, 32, 32)).astype(np.uint16)
    array[:, 2] = 4
    array[:cloudy, 2] = 9
    return array


def test_the_usual_graph_is_one_kernel() -> None:
    cube = engine.run(median_of_clear_ndvi(), {"cube": lazy_cube(stored(scenes(6, 0)), 0, "always")})
    fused = fuse(cube.data.recipe)
    assert isinstance(fused, Fused)
    assert [p.recipe.inputs for p in fused.planes] == [()] * 3
    assert len(cube.data.__dask_graph__()) == cube.data.npartitions == 4


def test_dates_that_the_mask_takes_out_are_not_read() -> None:
    source = stored(scenes(6, 2))
    cube = engine.run(median_of_clear_ndvi(), {"cube": lazy_cube(source, 0, "always")})
    plain = engine.run(median_of_clear_ndvi(), {"cube": lazy_cube(stored(scenes(6, 2)), 0, "never")})
    equal(cube.compute(), plain.compute())
    assert source.cells == 6 * 32 * 32 + 2 * 4 * 32 * 32  # the mask of six dates, two bands of four


def test_a_tile_of_clouds_alone_is_not_read() -> None:
    array = scenes(3, 0)
    array[1, 2, :16, :16] = 9
    source = stored(array)
    cube = engine.run(median_of_clear_ndvi(), {"cube": lazy_cube(source, 0, "always")})
    cube.compute()
    assert source.cells == 3 * 32 * 32 + 2 * (3 * 32 * 32 - 16 * 16)


def test_a_part_reads_a_part() -> None:
    source = stored(scenes(3, 0))
    cube = engine.run(median_of_clear_ndvi(), {"cube": lazy_cube(source, 0, "always")})
    cube[2:5, 7:9].compute()
    assert source.cells == 3 * 3 * 3 * 2


@pytest.mark.parametrize("reducer", ["mean", "max", "sum"])
def test_sums_take_dates_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch, reducer: str) -> None:
    monkeypatch.setattr(
        "engine.kernel.fused.AT_ONCE", 2 * 2 * 16 * 16 * 2
    )  # two bands of two dates of a tile
    graph = median_of_clear_ndvi()
    graph["median"]["arguments"]["reducer"]["process_graph"]["n0"]["process_id"] = reducer
    source = stored(scenes(7, 1))
    cube = engine.run(graph, {"cube": lazy_cube(source, 0, "always")})
    plain = engine.run(graph, {"cube": lazy_cube(stored(scenes(7, 1)), 0, "never")})
    equal(cube.compute(), plain.compute())
    assert max(size(r)[0] for r in source.reads if r[1] != slice(2, 3)) == 2
    assert source.cells == 7 * 32 * 32 + 2 * 6 * 32 * 32


def test_a_step_without_words_cuts_the_kernel_in_two() -> None:
    graph = median_of_clear_ndvi()
    graph["clear"]["arguments"]["data"] = {"from_node": "smooth"}
    kernel = [[0, 1, 0], [1, 1, 1], [0, 1, 0]]
    graph["smooth"] = {
        "process_id": "apply_kernel",
        "arguments": {"data": {"from_parameter": "cube"}, "kernel": kernel, "factor": 0.2},
    }
    fused = engine.run(graph, {"cube": lazy_cube(stored(scenes(4, 1)), 0, "always")})
    plain = engine.run(graph, {"cube": lazy_cube(stored(scenes(4, 1)), 0, "never")})
    equal(fused.compute(), plain.compute())


def test_small_work_is_left_to_the_functions() -> None:
    cube = engine.run(median_of_clear_ndvi(), {"cube": lazy_cube(stored(scenes(6, 0)), 0, "auto")})
    planned = cube.data.planner.planned(cube.data.recipe)
    assert not isinstance(planned, Fused)
