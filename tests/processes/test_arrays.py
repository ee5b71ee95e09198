"""Processes on arrays: of JSON, with labels, and of cells inside of cubes; values, nulls, types, laziness."""

from __future__ import annotations

import math

import dask
import dask.array as da
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from engine.graph.parse import parse
from engine.kernel.callback import Callback
from engine.kernel.lift import call
from processes import REGISTRY, errors
from processes.values import Labeled, Masked, plain, stack
from tests.processes.cubes.conftest import make_cube

NAN = math.nan
NUMBERS = st.lists(st.one_of(st.none(), st.integers(-99, 99)), max_size=9)


def run(name, **arguments):
    """A process as a graph calls it."""
    return call(REGISTRY[name], arguments)


def child(process, names=("x", "index", "label", "context"), /, **arguments):
    """A child graph of one node; texts with a $ are parameters."""
    given_ = {k: {"from_parameter": v[1:]} if str(v).startswith("$") else v for k, v in arguments.items()}
    nodes = {"n": {"process_id": process, "arguments": given_, "result": True}}
    return Callback(parse(nodes), names)


def labelled(**values):
    """An array with labels."""
    return Labeled(stack(list(values.values())), tuple(values))


def column(values, dtype=float):
    """A list as cells: one cell; null is NaN, or marked where the type is of integers."""
    if np.dtype(dtype).kind == "f":
        return np.array([NAN if v is None else v for v in values], dtype).reshape(-1, 1)
    data = np.array([v or 0 for v in values], dtype).reshape(-1, 1)
    return Masked(data, np.array([v is None for v in values], bool).reshape(-1, 1))


def shown(cells):
    """One cell as a list again; NaN of floats is null."""
    if isinstance(cells, np.ndarray) and cells.dtype.kind == "f":
        cells = Masked(cells, np.isnan(cells))
    return [v for (v,) in plain(cells)]


# ------------------------------------------------------------------------------------------- cumulative
@pytest.mark.parametrize("name", ["cumsum", "cumproduct", "cummax", "cummin"])
@given(values=NUMBERS)
def test_running_results_against_pandas(name, values):
    twin = {"cumproduct": "cumprod"}.get(name, name)
    theirs = getattr(pd.Series(values, dtype=float), twin)()
    expected = [None if math.isnan(v) else v for v in theirs]
    assert run(name, data=values) == expected
    assert shown(run(name, data=column(values))) == expected
    assert shown(run(name, data=column(values, np.int16))) == expected
    until = next((i for i, v in enumerate(values) if v is None), len(values))
    broken = run(name, data=values, ignore_nodata=False)
    assert broken == expected[:until] + [None] * (len(values) - until)
    assert shown(run(name, data=column(values), ignore_nodata=False)) == broken


def test_nan_of_json_goes_through():
    for name in ("cumsum", "cumproduct", "cummax", "cummin"):
        result = run(name, data=[1, NAN, None, 2])
        assert result[0] == 1
        assert result[2] is None
        assert math.isnan(result[1])
        assert math.isnan(result[3])


@pytest.mark.parametrize(
    ("name", "dtype", "expected"),
    [("cumsum", np.uint8, np.int64), ("cumsum", np.float32, np.float32), ("cummax", np.uint8, np.uint8),
     ("cummin", np.int16, np.int16), ("cumproduct", np.int16, np.float64)],
)  # fmt: skip
def test_types_of_running_results(name, dtype, expected):
    assert run(name, data=np.full((3, 2), 200 if dtype == np.uint8 else 2, dtype)).dtype == expected


def test_sums_do_not_wrap_around():
    assert run("cumsum", data=np.full((3, 1), 200, np.uint8)).ravel().tolist() == [200, 400, 600]
    assert run("cumproduct", data=np.full((12, 1), 200, np.uint8))[-1, 0] == 200.0**12


def test_running_results_keep_labels():
    result = run("cumsum", data=labelled(a=1, b=None, c=2))
    assert (plain(result).values, result.labels) == ([1, None, 3], ("a", "b", "c"))


# ---------------------------------------------------------------------------------------------- sorting
@given(NUMBERS, st.booleans(), st.sampled_from([None, True, False]))
def test_sort_against_python(values, asc, nodata):
    numbers = sorted((v for v in values if v is not None), reverse=not asc)
    gaps = [None] * (len(values) - len(numbers))
    expected = {None: numbers, True: numbers + gaps, False: gaps + numbers}[nodata]
    assert run("sort", data=values, asc=asc, nodata=nodata) == expected
    in_cells = expected if nodata is not None else numbers + gaps
    for dtype in (float, np.int16):
        assert shown(run("sort", data=column(values, dtype), asc=asc, nodata=nodata)) == in_cells


@given(NUMBERS, st.booleans(), st.sampled_from([None, True, False]))
def test_order_then_rearrange_is_sort(values, asc, nodata):
    places = run("order", data=values, asc=asc, nodata=nodata)
    assert run("rearrange", data=values, order=places) == run("sort", data=values, asc=asc, nodata=nodata)
    kept = {i for i, v in enumerate(values) if v is not None or nodata is not None}
    assert sorted(places) == sorted(kept)


@pytest.mark.parametrize(("asc", "expected"), [(True, [2, 0, 3, 1, 4]), (False, [0, 3, 2, 1, 4])])
def test_nan_is_behind_all_numbers_and_ties_stay_in_order(asc, expected):
    assert run("order", data=[2, NAN, 1, 2, None], asc=asc, nodata=True) == expected


def test_sort_of_extreme_integers_and_types():
    cells = np.array([[-128], [127], [0]], np.int8)
    result = run("sort", data=cells, asc=False)
    assert result.dtype == np.int8
    assert result.ravel().tolist() == [127, 0, -128]
    assert run("sort", data=column([3, None, 1], np.int16)).data.dtype == np.int16
    assert run("sort", data=column([3, None, 1], np.float32)).dtype == np.float32


def test_labels_go_with_their_elements():
    result = run("sort", data=labelled(a=3, b=None, c=1))
    assert (plain(result).values, result.labels) == ([1, 3], ("c", "a"))


def test_rearranging_one_array_by_the_order_of_another():
    keys, data = np.array([[3.0, 1.0], [1.0, np.nan]]), np.array([[10, 20], [30, 40]], np.int16)
    result = run("rearrange", data=data, order=run("order", data=keys))
    assert plain(result) == [[30, 20], [10, None]]


@pytest.mark.parametrize("order", [[3], [-1], [0, 1, 2, 7]])
def test_places_that_are_not_there_are_refused(order):
    with pytest.raises(errors.ProcessParameterInvalid, match="there are 3 elements"):
        run("rearrange", data=[1, 2, 3], order=order)


def test_what_has_no_order_is_refused():
    with pytest.raises(errors.ProcessParameterInvalid):
        run("sort", data=[1, "2020-01-01"])
    with pytest.raises(errors.ProcessParameterInvalid):
        run("sort", data=["B04", "B08"])


# ------------------------------------------------------------------------------------------ looking up
@pytest.mark.parametrize(
    ("data", "value", "first", "last"),
    [
        ([1, 2, 3, 2], 2, 1, 3),
        ([1, 2, 3], 2.0, 1, 1),
        ([1, 2, 3], "2", None, None),
        ([1, True], True, 1, 1),
        ([True, 1], 1, 1, 1),
        (["a", "b", None], "b", 1, 1),
        (["a", "b"], "B", None, None),
        ([1, None], None, None, None),
        ([NAN], NAN, None, None),
        ([None, None], 0, None, None),
        ([[1, 2], [3, 4]], [1, 2], None, None),
        ([[1, 2], 2], 2, 1, 1),
        ([{"a": 1}], {"a": 1}, None, None),
        ([], 1, None, None),
        (["2020", "2021"], "2021", 1, 1),
    ],
)
def test_array_find_and_contains(data, value, first, last):
    assert run("array_find", data=data, value=value) == first
    assert run("array_find", data=data, value=value, reverse=True) == last
    if not isinstance(value, (list, dict)):
        assert run("array_contains", data=data, value=value) is (first is not None)


def test_find_cell_by_cell():
    cells = Masked(np.array([[5, 0, 1], [5, 1, 0]]), np.array([[False, True, False], [False, False, False]]))
    assert plain(run("array_find", data=cells, value=0)) == [None, None, 1]
    assert plain(run("array_find", data=cells, value=5, reverse=True)) == [1, None, None]
    floats = np.array([[np.nan, 1.0], [2.0, np.nan]])
    assert plain(run("array_find", data=floats, value=run("max", data=floats))) == [1, 0]
    assert plain(run("array_contains", data=floats, value=2)) == [True, False]
    assert plain(run("array_find", data=[floats[0], 2], value=2)) == [1, 1]


def test_array_find_label():
    array = Labeled(stack([1, 2, 3]), ("B04", 8, "8"))
    assert [run("array_find_label", data=array, label=x) for x in ("B04", 8, "8", "B08")] == [0, 1, 2, None]
    assert run("array_find_label", data=[1, 2], label=1) is None


def test_array_labels():
    assert run("array_labels", data=Labeled(stack([1, 2]), ("a", 7))) == ["a", 7]
    assert run("array_labels", data=[None, "x"]) == [0, 1]
    assert run("array_labels", data=[]) == []
    assert run("array_labels", data=np.zeros((2, 5))) == [0, 1]


# ----------------------------------------------------------------------------------------------- making
def test_array_create_labeled():
    result = run("array_create_labeled", data=[True, None, "x"], labels=[1, "1", "b"])
    assert (plain(result).values, result.labels) == ([True, None, "x"], (1, "1", "b"))
    with pytest.raises(errors.ArrayLengthMismatch, match="3 values and 1 labels"):
        run("array_create_labeled", data=[1, 2, 3], labels=["a"])
    with pytest.raises(errors.ProcessParameterInvalid, match="not unique"):
        run("array_create_labeled", data=[1, 2], labels=["a", "a"])
    with pytest.raises(errors.ProcessParameterInvalid, match="an array is needed"):
        run("array_create_labeled", data={"a": 1}, labels=["a"])


def test_array_append():
    assert run("array_append", data=[1], value=[2]) == [1, [2]]
    assert run("array_append", data=[], value=None) == [None]
    result = run("array_append", data=labelled(a=1, b=2.5), value=None)
    assert (plain(result).values, result.labels) == ([1, 2.5, None], ("a", "b", 2))
    assert run("array_append", data=labelled(a=1), value=2, label="b").labels == ("a", "b")
    with pytest.raises(errors.LabelExists):
        run("array_append", data=labelled(a=1), value=2, label="a")
    with pytest.raises(errors.LabelExists):
        run("array_append", data=Labeled(stack([1, 2]), (2, 5)), value=2)
    with pytest.raises(errors.ArrayNotLabeled):
        run("array_append", data=[1], value=2, label="a")


@pytest.mark.parametrize(
    ("cells", "value", "dtype"),
    [(np.ones((2, 3), np.int16), 5, np.int16), (np.ones((2, 3), np.int16), 70_000, np.int32),
     (np.ones((2, 3), np.float32), 5, np.float32), (np.ones((2, 3), np.int16), None, np.int16),
     (column([1, None], np.int16), 5, np.int32)],
)  # fmt: skip
def test_constants_among_cells_keep_the_type_or_leave_room_for_nodata(cells, value, dtype):
    result = run("array_append", data=cells, value=value)
    data = result.data if isinstance(result, Masked) else result
    assert data.dtype == dtype
    assert len(data) == 3
    assert np.array(plain(result), dtype=object)[-1].tolist() == [value] * data.shape[1]


def test_a_single_value_is_concatenated_as_an_array_of_one_element():
    assert run("array_concat", array1=[1, 2], array2=3) == [1, 2, 3]
    assert run("array_concat", array1=1, array2=[2]) == [1, 2]
    assert run("array_concat", array1=1, array2=2) == [1, 2]
    cells = np.arange(6, dtype=np.int16).reshape(2, 3)
    assert plain(run("array_concat", array1=cells, array2=cells[0] + 1)) == [[0, 1, 2], [3, 4, 5], [1, 2, 3]]


def test_array_concat_and_create_with_cells():
    cells = np.arange(6, dtype=np.int16).reshape(2, 3)
    assert plain(run("array_concat", array1=cells, array2=[9])) == [[0, 1, 2], [3, 4, 5], [9, 9, 9]]
    assert run("array_create", data=cells, repeat=2).shape == (4, 3)
    assert run("array_create", data=[1, "a"], repeat=2) == [1, "a", 1, "a"]
    both = run("array_concat", array1=labelled(a=1), array2=labelled(b=2))
    assert (plain(both).values, both.labels) == ([1, 2], ("a", "b"))
    with pytest.raises(errors.ArrayLabelConflict, match="'a'"):
        run("array_concat", array1=labelled(a=1), array2=labelled(a=2))


@given(
    st.lists(st.integers(-(2**53), 2**53), max_size=6),  # integers beyond are floats to JSON
    st.lists(st.integers(-(2**53), 2**53), max_size=3),
    st.integers(0, 6),
    st.integers(0, 9),
)
def test_array_modify_against_slices(data, values, index, length):
    if index > len(data):
        with pytest.raises(errors.ArrayElementNotAvailable):
            run("array_modify", data=data, values=values, index=index, length=length)
        return
    expected = list(data)
    expected[index : index + length] = values
    assert run("array_modify", data=data, values=values, index=index, length=length) == expected


EMPTY = Labeled(stack([]), ())


@pytest.mark.parametrize(
    ("data", "values", "labels"),
    [
        (labelled(a=1, b=2), labelled(c=3), ("a", "c")),
        (labelled(a=1, b=2), [], ("a",)),
        (labelled(a=1, b=2), EMPTY, ("a",)),
        ([], labelled(c=3), ("c",)),
        (labelled(a=1, b=2), [3], None),
        ([1, 2], labelled(c=3), None),
    ],
)
def test_labels_of_a_modified_array(data, values, labels):
    start = 0 if data == [] else 1
    result = run("array_modify", data=data, values=values, index=start, length=1)
    assert (result.labels if isinstance(result, Labeled) else None) == labels


def test_a_label_twice_is_a_conflict():
    with pytest.raises(errors.ArrayLabelConflict):
        run("array_modify", data=labelled(a=1), values=labelled(a=2), index=0, length=1)


# ---------------------------------------------------------------------------------------- interpolation
@given(NUMBERS)
def test_interpolation_against_pandas(values):
    expected = pd.Series(values, dtype=float).interpolate(limit_area="inside").tolist()
    expected = [None if math.isnan(v) else pytest.approx(v, abs=1e-9) for v in expected]
    assert run("array_interpolate_linear", data=values) == expected
    assert shown(run("array_interpolate_linear", data=column(values))) == expected
    cells = run("array_interpolate_linear", data=column(values, np.int16))
    assert cells.data.dtype == np.float32
    assert shown(cells) == [
        None if v is None else pytest.approx(v.expected, rel=1e-5, abs=1e-4) for v in expected
    ]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [((1, 3, 4), 3.0), ((4, 3, 1), 2.0), (("a", "b", "c"), 2.5), (("2020-01-01", "2020-01-02", "2020-01-05"), 1.75),
     (("2020", "2021", "2024"), 2.5)],
)  # fmt: skip
def test_labels_are_the_axis_where_they_are_numbers_or_times(labels, expected):
    result = run("array_interpolate_linear", data=Labeled(stack([1, None, 4]), labels))
    assert result.labels == labels
    assert plain(result).values[1] == expected


def test_gaps_of_nan_at_the_ends_stay_nan_and_infinities_stay():
    result = run("array_interpolate_linear", data=[NAN, 1, NAN, 3, None])
    assert math.isnan(result[0])
    assert result[1:] == [1, 2, 3, None]
    assert run("array_interpolate_linear", data=[1, math.inf, 3]) == [1, math.inf, 3]


def test_labels_in_disorder_are_refused():
    with pytest.raises(errors.ProcessParameterInvalid, match="neither ascend nor descend"):
        run("array_interpolate_linear", data=Labeled(stack([1, None, 4]), (1, 4, 3)))


# -------------------------------------------------------------------------------------- with child graphs
def test_extrema():
    assert run("extrema", data=[5, 2.5, None, -0.7]) == [-0.7, 5]
    assert run("extrema", data=[1, None], ignore_nodata=False) == [None, None]
    assert run("extrema", data=[]) == [None, None]
    np.testing.assert_equal(run("extrema", data=[NAN, 1]), [NAN, NAN])


def test_array_apply_hands_over_everything():
    seen = []

    def spy(x, index, label, context):
        seen.append((x, index, label, context))
        return x

    array = Labeled(stack([1.5, None]), ("a", "b"))
    assert plain(run("array_apply", data=array, process=spy, context="c")) == Labeled([1.5, None], ("a", "b"))
    assert run("array_apply", data=[None, "z"], process=spy, context=7) == [None, "z"]
    assert seen == [(1.5, 0, "a", "c"), (None, 1, "b", "c"), (None, 0, None, 7), ("z", 1, None, 7)]


def test_array_apply_with_itself_inside():
    inner = {"process_graph": {"m": {"process_id": "multiply", "arguments": {
        "x": {"from_parameter": "x"}, "y": {"from_parameter": "context"}}, "result": True}}}  # fmt: skip
    outer = child("array_apply", data="$x", process=inner, context="$index")
    assert run("array_apply", data=[[1, 2], [3, 4]], process=outer) == [[0, 0], [3, 4]]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [(None, 2), (True, 5), (child("gt", ("x", "context"), x="$x", y=1), 2), (child("is_nodata", ("x", "context"), x="$x"), 1),
     (child("lt", ("x", "context"), x="$x", y="$context"), 1)],
)  # fmt: skip
def test_count(condition, expected):
    data = [1, None, NAN, 2, math.inf]
    assert run("count", data=data, condition=condition, context=2) == expected
    array = Labeled(stack(data), tuple("abcde"))
    assert plain(run("count", data=array, condition=condition, context=2)) == expected


def test_count_of_cells_and_of_nothing():
    cells = column([1, None, 3], np.int16)
    assert plain(run("count", data=cells)) == [2]
    assert run("count", data=cells).dtype == np.int32
    assert run("count", data=cells, condition=True) == 3
    assert run("count", data=[]) == 0
    with pytest.raises(errors.ProcessParameterInvalid, match="counts nothing"):
        run("count", data=[1], condition=False)


def test_array_filter():
    keep = child("gt", x="$x", y="$context")
    assert run("array_filter", data=[1, None, 3, 2], condition=keep, context=1) == [3, 2]
    result = run("array_filter", data=labelled(a=1, b=None, c=3), condition=keep, context=1)
    assert (plain(result).values, result.labels) == ([3], ("c",))
    by_label = child("eq", x="$label", y="b")
    assert plain(run("array_filter", data=labelled(a=1, b=None), condition=by_label)).values == [None]
    assert run("array_filter", data=[], condition=keep) == []
    with pytest.raises(errors.ProcessParameterInvalid, match="boolean"):
        run("array_filter", data=[1], condition=child("add", x="$x", y=1))


# -------------------------------------------------------------------------------------------- in cubes
def graph(result, **nodes):
    """A child graph over `data`, from JSON with short references."""
    return Callback(
        parse({k: {"process_id": v[0], "arguments": v[1], "result": k == result} for k, v in nodes.items()}),
        ("data", "context"),
    )


DATA = {"from_parameter": "data"}


def inner(process, **arguments):
    """A child graph as JSON."""
    return {"process_graph": {"n": {"process_id": process, "arguments": arguments, "result": True}}}


X, INDEX, LABEL = ({"from_parameter": p} for p in ("x", "index", "label"))
IN_CUBES = {
    "sort": ("sort", {"data": DATA}, 3),
    "sort, nulls first": ("sort", {"data": DATA, "asc": False, "nodata": False}, 3),
    "order": ("order", {"data": DATA, "nodata": True}, 3),
    "cumsum": ("cumsum", {"data": DATA}, 3),
    "cummin": ("cummin", {"data": DATA, "ignore_nodata": False}, 3),
    "cumproduct": ("cumproduct", {"data": DATA}, 3),
    "array_interpolate_linear": ("array_interpolate_linear", {"data": DATA}, 3),
    "array_apply": ("array_apply", {"data": DATA, "process": inner("multiply", x=X, y=INDEX)}, 3),
    "array_apply, index": ("array_apply", {"data": DATA, "process": inner("add", x=INDEX, y=1)}, 3),
    "array_apply, date": ("array_apply", {"data": DATA, "process": inner("date_difference", date1="2022-06-01", date2=LABEL, unit="day")}, 3),
    "array_filter": ("array_filter", {"data": DATA, "condition": inner("date_between", x=LABEL, min="2022-06-01", max="2022-06-30")}, 2),
    "array_append": ("array_append", {"data": DATA, "value": 0}, 4),
    "array_modify": ("array_modify", {"data": DATA, "values": [7, None], "index": 1, "length": 1}, 4),
    "rearrange": ("rearrange", {"data": DATA, "order": [2, 0]}, 2),
    "extrema": ("extrema", {"data": DATA}, 2),
    "array_labels": ("array_labels", {"data": DATA}, 3),
    "count": ("count", {"data": DATA}, None),
    "count, condition": ("count", {"data": DATA, "condition": inner("gt", x=X, y=1500)}, None),
    "array_find": ("array_find", {"data": DATA, "value": 0}, None),
    "array_contains": ("array_contains", {"data": DATA, "value": 1500}, None),
    "array_find_label": ("array_find_label", {"data": DATA, "label": "2022-06-11T10:16:00Z"}, None),
    "is_nodata": ("is_nodata", {"x": DATA}, None),
}  # fmt: skip


@pytest.mark.parametrize(("process", "arguments", "count"), IN_CUBES.values(), ids=IN_CUBES)
@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_in_cubes_lazily_and_the_same_for_any_chunks(process, arguments, count, dtype):
    cube = sample(dtype)
    callback = graph("n", n=(process, arguments))

    def apply(source):
        if count is None:
            return REGISTRY["reduce_dimension"].fn(source, callback, "t")
        return REGISTRY["apply_dimension"].fn(source, callback, "t")

    whole = apply(cube)
    assert whole.sizes.get("t") == count
    for chunks in ({"t": 1, "y": 2, "x": 3}, {"t": -1, "bands": 1}):
        with dask.config.set(scheduler=refuse):
            lazy = apply(cube.chunk(chunks))
        assert isinstance(lazy.data, da.Array)
        xr.testing.assert_identical(lazy.compute(), whole)


def sample(dtype):
    """3 dates, 2 bands, 3 x 4 cells; a third of the cells has no data."""
    rng = np.random.default_rng(3)
    values = rng.integers(1, 3000, (3, 2, 3, 4))
    gaps = rng.random(values.shape) < 0.3
    if dtype == np.uint16:
        return make_cube(np.where(gaps, 0, values).astype(dtype), nodata=0)
    return make_cube(np.where(gaps, np.nan, values).astype(dtype))


def refuse(*_, **__):
    raise AssertionError("a process computed")


def numbers(cube):
    """The cells as floats, no-data as NaN."""
    values = cube.values.astype(float)
    nodata = cube.attrs.get("nodata")
    return (
        values
        if nodata is None or cube.dtype.kind == "f"
        else np.where(cube.values == nodata, np.nan, values)
    )


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_cubes_against_numpy(dtype):
    cube = sample(dtype)
    given_ = numbers(cube)

    def along_t(process, **arguments):
        return REGISTRY["apply_dimension"].fn(cube, graph("n", n=(process, {"data": DATA, **arguments})), "t")

    np.testing.assert_array_equal(numbers(along_t("sort")), np.sort(given_, axis=0))
    running = np.where(np.isnan(given_), np.nan, np.nancumsum(given_, axis=0))
    np.testing.assert_array_equal(numbers(along_t("cumsum")), running)
    assert along_t("cummax").dtype == along_t("sort").dtype == dtype
    counted = REGISTRY["reduce_dimension"].fn(cube, graph("n", n=("count", {"data": DATA})), "t")
    np.testing.assert_array_equal(counted.values, np.sum(~np.isnan(given_), axis=0))


def test_place_of_the_greatest_in_a_cube():
    cube = sample(np.float32)
    best = graph(
        "place",
        top=("max", {"data": DATA}),
        place=("array_find", {"data": DATA, "value": {"from_node": "top"}}),
    )
    result = numbers(REGISTRY["reduce_dimension"].fn(cube, best, "t"))
    there = ~np.isnan(cube.values).all(axis=0)
    filled = np.where(np.isnan(cube.values), -np.inf, cube.values)
    np.testing.assert_array_equal(result[there], filled.argmax(axis=0)[there])
    assert np.isnan(result[~there]).all()


def test_a_constant_that_equals_the_nodata_value_is_a_number():
    """0 is the source's no-data; a 0 that `if` puts in is a number."""
    cube = sample(np.uint16)
    nodes = {
        "gone": {"process_id": "is_nodata", "arguments": {"x": X}},
        "low": {"process_id": "lt", "arguments": {"x": X, "y": 1000}},
        "n": {"process_id": "if", "arguments": {"value": {"from_node": "low"}, "accept": 0, "reject": X}, "result": True},
    }  # fmt: skip
    result = numbers(REGISTRY["apply"].fn(cube, Callback(parse(nodes), ("x", "context"))))
    before = numbers(cube)
    np.testing.assert_array_equal(result, np.where(before < 1000, 0, before))
    nodes["n"]["arguments"] = {"value": {"from_node": "gone"}, "accept": 0, "reject": X}
    filled = numbers(REGISTRY["apply"].fn(cube, Callback(parse(nodes), ("x", "context"))))
    np.testing.assert_array_equal(filled, np.nan_to_num(before))


def test_filtering_by_value_in_a_cube_is_refused_with_a_way_out():
    callback = graph("n", n=("array_filter", {"data": DATA, "condition": inner("gt", x=X, y=1)}))
    with pytest.raises(Exception, match="a different number of elements") as caught:
        REGISTRY["apply_dimension"].fn(sample(np.float32), callback, "t")
    assert "array_apply" in caught.value.hint
