"""What arguments are made of: JSON's numbers without limits, arrays in arrays, things that are no numbers, lone series."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr

import engine
from engine.errors import Problem
from engine.kernel.lift import call
from processes import REGISTRY, errors
from processes.values import Labeled, Masked, plain, stack

HUGE = 10**400
"""An integer that JSON can write and no float holds."""


def run(name, **arguments):
    """A process as a graph calls it."""
    return call(REGISTRY[name], {k.rstrip("_"): v for k, v in arguments.items()})


@pytest.fixture(scope="module")
def own_engine(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    with engine.open(home / "catalog.sqlite", home=home) as opened:
        yield opened


def graph(**nodes):
    """A graph of nodes, each a process and its arguments; the last one is the result."""
    *_, last = nodes
    return {
        name: {"process_id": process, "arguments": arguments, **({"result": True} if name == last else {})}
        for name, (process, arguments) in nodes.items()
    }


def child(**nodes):
    return {"process_graph": graph(**nodes)}


DATA, X, INDEX = ({"from_parameter": name} for name in ("data", "x", "index"))


def node(name):
    return {"from_node": name}


# -------------------------------------------------------------------------------------------- numbers
@pytest.mark.parametrize(
    ("process", "arguments", "expected"),
    [("sqrt", {"x": HUGE}, math.inf), ("divide", {"x": HUGE, "y": 2}, math.inf), ("int", {"x": HUGE}, math.inf),
     ("round", {"x": -HUGE}, -math.inf), ("sum", {"data": [HUGE, 1]}, math.inf), ("int", {"x": 10**30}, 1e30),
     ("sum", {"data": [2**61] * 4}, 2.0**63), ("product", {"data": [10**6] * 5}, 1e30),
     ("round", {"x": 10**30}, 1e30), ("mod", {"x": HUGE, "y": 2}, math.nan)],
)  # fmt: skip
def test_integers_beyond_64_bits_are_floats(process, arguments, expected):
    np.testing.assert_equal(float(run(process, **arguments)), expected)


def test_comparisons_take_integers_as_they_are():
    assert run("eq", x=HUGE, y=2.5) is False
    assert run("neq", x=HUGE, y=math.nan) is True
    assert run("eq", x=2**53 + 1, y=float(2**53)) is False
    assert run("eq", x=HUGE, y=1, delta=1) is False
    assert run("text_concat", data=[HUGE]) == str(HUGE)


@pytest.mark.parametrize(
    ("process", "arguments", "expected"),
    [("array_element", {"data": [7, 8], "index": 1.0}, 8), ("array_create", {"data": [1], "repeat": 2.0}, [1, 1]),
     ("array_modify", {"data": [1, 2], "values": [3], "index": 1.0, "length": 1.0}, [1, 3]),
     ("round", {"x": 25, "p": -1.0}, 20), ("quantiles", {"data": [1, 2, 3], "probabilities": 4.0}, [1.5, 2, 2.5])],
)  # fmt: skip
def test_whole_numbers_are_integers_however_written(process, arguments, expected):
    assert run(process, **arguments) == expected


def test_fractions_are_no_integers():
    with pytest.raises(errors.ProcessParameterInvalid, match=r"integer, it is 0\.5") as caught:
        run("array_element", data=[7, 8], index=0.5)
    assert caught.value.parameter == "index"


@pytest.mark.parametrize(
    ("x", "p", "expected"),
    [(1.5, 400, 1.5), (123456.789, 304, 123456.789), (5, -400, 0), (2**62 + 3, -1, 4611686018427387910),
     (25, -1, 20), (35, -1, 40), (math.inf, 2, math.inf), (0.35, 1, 0.4), (7, 3, 7)],
)  # fmt: skip
def test_round_to_any_number_of_digits(x, p, expected):
    assert run("round", x=x, p=p) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.int64, np.uint32])
def test_integers_stay_what_they_are_where_nothing_is_lost(dtype):
    cells = np.array([0, 3, 100], dtype)
    for process in ("int", "floor", "ceil", "round"):
        result = run(process, x=cells)
        assert isinstance(result, np.ndarray)
        assert result.dtype == dtype
        assert result.tolist() == [0, 3, 100]


def test_clip_widens_once():
    """Bounds of Python say how many bits they need; 64 would be eight times the memory of the cells."""
    assert run("clip", x=np.array([1, 200], np.uint8), min_=2, max_=100).dtype == np.int32
    assert run("clip", x=np.array([1, 200], np.uint8), min_=-5, max_=2**40).tolist() == [1, 200]


def test_products_of_bytes_do_not_wrap_around():
    assert run("product", data=np.full((12, 1), 200, np.uint8)).tolist() == [200.0**12]


def test_elements_with_labels_multiply_like_others():
    big = run("array_element", data=Labeled(stack([2**40, 1]), ("a", "b")), label="a")
    assert run("multiply", x=big, y=big) == 2.0**80


# ------------------------------------------------------------------------------------- arrays in arrays
@pytest.mark.parametrize(
    ("process", "data", "expected"),
    [("first", [[1, 2], [3, 4, 5]], [1, 2]), ("last", [[1, 2], [3, 4]], [3, 4]), ("first", [None, [1]], [1]),
     ("first", [[None], [1]], [None]), ("last", [{"a": 1}, None], {"a": 1}), ("first", [[], [1]], [])],
)  # fmt: skip
def test_elements_that_are_arrays_come_out_whole(process, data, expected):
    assert run(process, data=data) == expected


def test_labelled_elements_that_are_arrays():
    made = run("array_create_labeled", data=[[1, 2], [3, 4]], labels=["a", "b"])
    assert run("array_element", data=made, label="b") == [3, 4]


def test_bounds_of_what_is_no_number():
    """An array is no number, with a null in it or without."""
    for x in ([None], [1], {"a": 1}):
        assert run("between", x=x, min_=0, max_=1) is False


# ------------------------------------------------------------------------------- what is not a number
@pytest.mark.parametrize("process", ["sum", "max", "median", "cumsum", "array_interpolate_linear"])
@pytest.mark.parametrize("data", [["a", 1], [[1, 2], [3]], np.array([["a"], ["b"]], dtype=object)])
def test_numbers_alone_have_statistics(process, data):
    with pytest.raises(errors.ProcessParameterInvalid, match="an array of numbers is needed") as caught:
        run(process, data=data)
    assert caught.value.parameter == "data"


@pytest.mark.parametrize("value", ["a", [1], {"a": 1}, np.array(["a", None], dtype=object)])
@pytest.mark.parametrize("process", ["add", "sqrt", "int", "mod"])
def test_numbers_alone_are_computed_with(process, value):
    more = {"y": 1} if process in ("add", "mod") else {}
    with pytest.raises(errors.ProcessParameterInvalid, match="x has to be number or null") as caught:
        run(process, x=value, **more)
    assert caught.value.parameter == "x"


def test_a_text_in_a_callback_is_told_with_its_place(own_engine):
    with pytest.raises(Problem) as caught:
        own_engine.run(
            graph(
                texts=("array_create", {"data": ["a", 1]}),
                sums=("array_apply", {"data": node("texts"), "process": child(n=("add", {"x": X, "y": 1}))}),
            ),
            {},
        )
    assert caught.value.code == "ProcessParameterInvalid"
    assert caught.value.pointer == "/sums/arguments/process/process_graph/n/arguments/x"


@pytest.mark.parametrize(
    ("process", "arguments", "parameter"),
    [("quantiles", {"data": [1], "probabilities": [-0.1, 1]}, "probabilities"),
     ("quantiles", {"data": [1], "probabilities": 1}, "probabilities"), ("quantiles", {"data": [1], "q": 1}, "q"),
     ("array_create", {"data": [1], "repeat": 0}, "repeat"),
     ("array_modify", {"data": [1, 2], "values": [], "index": 0, "length": -1}, "length")],
)  # fmt: skip
def test_numbers_out_of_bounds(process, arguments, parameter):
    with pytest.raises(errors.ProcessParameterInvalid) as caught:
        run(process, **arguments)
    assert caught.value.parameter == parameter


def test_no_probabilities_give_no_quantiles():
    assert run("quantiles", data=[1, 2], probabilities=[]) == []


# ------------------------------------------------------------------------------- elements, cell by cell
def test_nulls_of_whole_series_stay():
    """The square roots of a whole series: its nulls are those of the cells, not numbers."""
    cells = Masked(np.array([[4, 0], [0, 9]], np.uint8), np.array([[False, True], [True, False]]))
    result = run("sqrt", x=Labeled(cells, ("a", "b")))
    assert plain(result) == [[2, None], [None, 3]]


def test_an_index_of_its_own_for_each_cell(own_engine):
    """The value of `gain` where `data` is greatest; where nothing is found there is no value."""
    rng = np.random.default_rng(3)
    values = rng.integers(0, 50, (5, 4, 3)).astype(np.int16)
    values[:, 0, 0] = -1
    cube = xr.DataArray(values, dims=("t", "y", "x"), attrs={"nodata": -1})
    reducer = child(
        top=("max", {"data": DATA}),
        at=("array_find", {"data": DATA, "value": node("top")}),
        found=("array_element", {"data": DATA, "index": node("at")}),
    )
    g = graph(
        n=("reduce_dimension", {"data": {"from_parameter": "cube"}, "dimension": "t", "reducer": reducer})
    )
    for chunks in ({"t": 1}, -1, {"y": (1, 3), "x": 2}):
        result = own_engine.run(g, {"cube": cube.chunk(chunks)})
        assert result.chunks is not None
        assert result.dtype == np.int16
        np.testing.assert_array_equal(result.compute().values, values.max(axis=0))


def test_an_index_beyond_the_array():
    data = np.array([[1, 2], [3, 4]], np.uint8)
    with pytest.raises(errors.ArrayElementNotAvailable, match="no element 2"):
        run("array_element", data=data, index=np.array([0, 2]))
    result = run("array_element", data=data, index=np.array([0, 2]), return_nodata=True)
    assert plain(result) == [1, None]
    assert result.data.dtype == np.uint8
    assert run("array_element", data=data, index=9, return_nodata=True).data.dtype == np.uint8
    with pytest.raises(errors.ProcessParameterInvalid, match="decimals"):
        run("array_element", data=data, index=np.array([0, 0.5]))
    assert plain(run("array_element", data=data, index=np.array([1.0, 0.0]))) == [3, 2]


def test_null_is_no_index_and_no_label():
    array = Labeled(stack([5, 6]), ("a", "b"))
    assert run("array_element", data=array, index=1, label=None) == 6
    assert run("array_element", data=array, index=None, label="a") == 5
    assert run("array_element", data=[1], index=None, return_nodata=True) is None
    with pytest.raises(errors.ArrayElementNotAvailable):
        run("array_element", data=[1], index=None)
    with pytest.raises(errors.ArrayElementParameterMissing):
        run("array_element", data=array, index=None, label=None)


def test_times_of_a_cube_are_found_however_written(own_engine):
    """A cube holds moments, not texts: the date that its maker wrote is the label that a user knows."""
    times = np.array(["2020-01-01", "2020-01-03"], "datetime64[ns]")
    cube = xr.DataArray([[1.0, 2.0], [3.0, 4.0]], dims=("t", "x"), coords={"t": times}).chunk({"t": 1})
    for label in ("2020-01-03", "2020-01-03T00:00:00Z", "2020-01-03T01:00:00+01:00"):
        for process, expected in (("array_element", [3, 4]), ("array_find_label", [1, 1])):
            reducer = child(n=(process, {"data": DATA, "label": label}))
            arguments = {"data": {"from_parameter": "cube"}, "dimension": "t", "reducer": reducer}
            result = own_engine.run(graph(n=("reduce_dimension", arguments)), {"cube": cube})
            assert result.values.tolist() == expected
    array = Labeled(stack([1]), ("2020-01-03",))
    assert run("array_find_label", data=array, label="2020-01-03T00:00:00Z") is None


@pytest.mark.parametrize(
    ("data", "expected"),
    [([math.inf, None, 1], [math.inf, math.inf, 1]), ([math.inf, None, math.inf], [math.inf] * 3),
     ([1, None, -math.inf], [1, -math.inf, -math.inf]), ([math.inf, None, -math.inf], [math.inf, math.nan, -math.inf])],
)  # fmt: skip
def test_lines_to_infinity(data, expected):
    np.testing.assert_equal(run("array_interpolate_linear", data=data), expected)


# ----------------------------------------------------------------------------------------- lone series
LONE = {
    "first": [("first", {"data": DATA})],
    "last, whatever it is": [("last", {"data": DATA, "ignore_nodata": False})],
    "sum": [("sum", {"data": DATA})],
    "element": [("array_element", {"data": DATA, "index": 2})],
    "difference": [
        ("array_element", {"data": DATA, "index": 0}),
        ("array_element", {"data": DATA, "index": 2}),
        ("subtract", {"x": node("n0"), "y": node("n1")}),
    ],
}
SERIES = {
    "sort": [("sort", {"data": DATA})],
    "order": [("order", {"data": DATA})],
    "cumsum": [("cumsum", {"data": DATA})],
    "extrema": [("extrema", {"data": DATA})],
    "apply": [("array_apply", {"data": DATA, "process": child(n=("add", {"x": X, "y": INDEX}))})],
    "labels": [("array_labels", {"data": DATA})],
}


@pytest.mark.parametrize("steps", [*LONE.values(), *SERIES.values()], ids=[*LONE, *SERIES])
@pytest.mark.parametrize("nodata", [None, 0])
@pytest.mark.parametrize("dtype", [np.uint8, np.int64])
def test_a_cube_of_one_dimension_is_like_a_column_of_another(steps, nodata, dtype, own_engine):
    """What comes of a series does not depend on whether the cube has more dimensions; types included."""
    values = np.array([3, 0, 7, 5, 0], dtype)
    attrs = {} if nodata is None else {"nodata": nodata}
    lone = xr.DataArray(values, dims=("t",), attrs=attrs).chunk({"t": 2})
    wide = xr.DataArray(values[:, None], dims=("t", "x"), attrs=attrs).chunk({"t": 2})
    callback = child(**{f"n{i}": step for i, step in enumerate(steps)})
    process, argument = (
        ("reduce_dimension", "reducer") if steps in LONE.values() else ("apply_dimension", "process")
    )
    g = graph(n=(process, {"data": {"from_parameter": "cube"}, "dimension": "t", argument: callback}))
    one, other = (own_engine.run(g, {"cube": cube}) for cube in (lone, wide))
    assert one.dtype == other.dtype
    assert one.attrs == other.attrs
    np.testing.assert_array_equal(one.compute().values, other.compute().values[..., 0])


def test_filtering_a_lone_series_by_value_is_refused(own_engine):
    cube = xr.DataArray(np.array([3, 0, 7], np.float32), dims=("t",)).chunk({"t": 1})
    callback = child(n=("array_filter", {"data": DATA, "condition": child(n=("gt", {"x": X, "y": 1}))}))
    with pytest.raises(Problem, match="looks at the values"):
        own_engine.run(
            graph(
                n=(
                    "apply_dimension",
                    {"data": {"from_parameter": "cube"}, "dimension": "t", "process": callback},
                )
            ),
            {"cube": cube},
        )
