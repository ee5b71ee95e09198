"""What the best existing engine gets wrong: each line of that list is a test here, through `engine.run`."""

from __future__ import annotations

import dask
import dask.array as da
import numpy as np
import pytest
import xarray as xr

import engine
from tests.processes.cubes.conftest import make_cube


def given(name):
    return {"from_parameter": name}


def child(name, /, **arguments):
    """A child graph of one node."""
    return {"process_graph": {"n": {"process_id": name, "arguments": arguments, "result": True}}}


MEAN = child("mean", data=given("data"))


@pytest.fixture
def cube():
    """Integers from 1 on, 0 is no-data."""
    values = np.random.default_rng(1).integers(0, 3000, (3, 2, 6, 8)).astype(np.uint16)
    values[0, 0, 0, 0] = 0
    return make_cube(values, nodata=0)


@pytest.fixture
def floats(cube):
    """The same as floats, NaN is no-data."""
    return make_cube(np.where(cube.values == 0, np.nan, cube.values).astype(np.float32))


@pytest.fixture
def run(session):
    """One process on a cube (as `data`) or on JSON."""

    def runner(name, cube=None, /, **arguments):
        taken = {} if cube is None else {"data": given("cube")}
        node = {"process_id": name, "arguments": {**taken, **arguments}, "result": True}
        return session.run({"n": node}, {} if cube is None else {"cube": cube})

    return runner


def series(times, values=None, dim="t", **attrs):
    values = np.arange(1.0, len(times) + 1) if values is None else values
    coords = {dim: (dim, np.array(times, "datetime64[ns]"), {"type": "temporal"})}
    return xr.DataArray(values, dims=(dim,), coords=coords, attrs=attrs)


def test_results_of_callbacks_are_not_cached_across_calls(session, cube):
    """The same child graph, under the same names, over other values and another context."""
    plus = child("add", x=given("x"), y=given("context"))
    nodes = {
        "one": {"process_id": "apply", "arguments": {"data": given("cube"), "process": plus, "context": 1}},
        "two": {
            "process_id": "apply",
            "arguments": {"data": {"from_node": "one"}, "process": plus, "context": 10},
            "result": True,
        },
    }
    values = cube.values.astype(int)
    null = values == 0
    for source in (cube, cube.chunk({"t": 1}), cube.isel(t=[2, 1, 0])):
        result = session.run(nodes, {"cube": source})
        expected = np.where(null, result.attrs["nodata"], values + 11)
        np.testing.assert_array_equal(result.sel(t=cube.t).values, expected)


def test_bins_of_time_are_closed_on_the_left(run):
    days = series(["2020-01-01", "2020-01-02", "2020-01-03"])
    intervals = [["2020-01-01", "2020-01-02"], ["2020-01-02", "2020-01-04"]]
    result = run("aggregate_temporal", days, intervals=intervals, reducer=MEAN)
    assert result.values.tolist() == [1, 2.5]


def test_periods_are_called_by_their_labels(run):
    days = series(["2022-12-06T12:00", "2022-12-18T23:59:59"])
    weeks = run("aggregate_temporal_period", days, period="week", reducer=MEAN)
    assert weeks.t.values.tolist() == ["2022-49", "2022-50"]


@pytest.mark.parametrize("dim", ["time", "t2", "days"])
def test_time_may_have_any_name(dim, run):
    days = series(["2020-01-01", "2020-02-02"], dim=dim)
    assert run("aggregate_temporal_period", days, period="year", reducer=MEAN).dims == (dim,)
    assert run("filter_temporal", days, extent=["2020-02-01", None]).sizes[dim] == 1
    interval = [["2020-01-01", "2021-01-01"]]
    assert run("aggregate_temporal", days, intervals=interval, reducer=MEAN).sizes[dim] == 1


@pytest.mark.parametrize(
    ("process", "arguments"),
    [
        ("reduce_dimension", {"reducer": child("array_element", data=given("data"), index=given("context")), "dimension": "t"}),
        ("apply_dimension", {"process": child("rearrange", data=given("data"), order=[given("context")]), "dimension": "t"}),
        ("aggregate_temporal_period", {"reducer": child("array_element", data=given("data"), index=given("context")), "period": "year"}),
        ("filter_labels", {"condition": child("date_between", x=given("value"), min=given("context"), max="2022-07-01"), "dimension": "t"}),
    ],
)  # fmt: skip
def test_context_reaches_the_child_graph(process, arguments, run, cube):
    result = run(process, cube, context="2022-06-11" if process == "filter_labels" else 1, **arguments)
    np.testing.assert_array_equal(result.values.reshape(cube.values[1].shape), cube.values[1])


def test_filter_labels_keeps_all_matches(run, cube):
    summer = child("text_begins", data=given("value"), pattern="2022-06")
    assert run("filter_labels", cube, condition=summer, dimension="t").sizes["t"] == 2


def test_apply_dimension_keeps_labels_or_counts_new_ones(run, cube):
    same = run("apply_dimension", cube, process=child("cumsum", data=given("data")), dimension="t")
    np.testing.assert_array_equal(same.t.values, cube.t.values)
    thirds = child("quantiles", data=given("data"), probabilities=[0.25, 0.75])
    assert run("apply_dimension", cube, process=thirds, dimension="t").t.values.tolist() == [0, 1]


def test_a_resolver_over_a_list_of_parameters(session, floats):
    resolver = child("max", data=[given("x"), given("y")])
    arguments = {"cube1": given("a"), "cube2": given("b"), "overlap_resolver": resolver}
    merged = session.run(
        {"n": {"process_id": "merge_cubes", "arguments": arguments, "result": True}},
        {"a": floats, "b": floats - 1},
    )
    np.testing.assert_array_equal(merged.values, floats.values)


def test_texts_are_compared_as_texts(run):
    assert run("eq", x="2020", y="2020") is True
    assert run("eq", x="2020", y=2020) is False


@pytest.mark.parametrize("dtype", ["int16", "uint8", "int32"])
def test_filters_keep_integers(dtype, run):
    days = series(["2020-01-01", "2020-01-02"], np.array([1, 2], dtype), nodata=7)
    result = run("filter_temporal", days, extent=["2020-01-02", "2020-01-03"])
    assert (result.dtype, result.attrs["nodata"]) == (np.dtype(dtype), 7)


LAZY = {
    "sort": child("sort", data=given("data"), nodata=True),
    "order": child("order", data=given("data"), nodata=True),
    "cummin": child("cummin", data=given("data")),
    "array_apply": child(
        "array_apply", data=given("data"), process=child("multiply", x=given("x"), y=given("index"))
    ),
}


def refuse(*args, **kwargs):
    raise AssertionError("a process computed")


@pytest.mark.parametrize("process", LAZY)
def test_arrays_of_cubes_stay_lazy(process, run, cube):
    eager = run("apply_dimension", cube, process=LAZY[process], dimension="t")
    with dask.config.set(scheduler=refuse):
        lazy = run("apply_dimension", cube.chunk({"t": 1}), process=LAZY[process], dimension="t")
    assert isinstance(lazy.data, da.Array)
    xr.testing.assert_identical(lazy.compute(), eager)


def test_quantiles_in_a_callback(run, floats):
    quartiles = child("quantiles", data=given("data"), probabilities=[0.25, 0.5])
    result = run("apply_dimension", floats, process=quartiles, dimension="t", target_dimension="q")
    expected = np.nanquantile(floats.values.astype(float), [0.25, 0.5], axis=0)
    np.testing.assert_allclose(result.values, expected, rtol=1e-6)


def test_resampling_to_degrees_keeps_about_as_many_cells(run):
    cube = make_cube(np.ones((1, 1, 60, 80), np.uint8), bands=("B04",))
    result = run("resample_spatial", cube, projection=4326)
    assert 0.5 < result.sizes["x"] * result.sizes["y"] / (60 * 80) < 2


def test_defaults_of_user_processes(tmp_path):
    doubled = {
        "id": "times",
        "parameters": [
            {"name": "x", "schema": {"type": "number"}},
            {"name": "by", "schema": {"type": "number"}, "optional": True, "default": 2},
        ],
        "process_graph": {"m": {"process_id": "multiply", "arguments": {"x": given("x"), "y": given("by")}, "result": True}},
    }  # fmt: skip
    with engine.Engine(engine.Settings(home=tmp_path), processes={"times": doubled}) as opened:
        node = {"process_id": "times", "arguments": {"x": 21}, "result": True}
        assert opened.run({"n": node}) == 42


@pytest.mark.parametrize("inside", [True, False])
def test_mask_polygon_takes_out_the_side_it_is_told(inside, run, floats):
    left = {
        "type": "Polygon",
        "crs": {"type": "name", "properties": {"name": "EPSG:32632"}},
        "coordinates": [[[674000, 5155000], [675040, 5155000], [675040, 5157000], [674000, 5157000], [674000, 5155000]]],
    }  # fmt: skip
    result = run("mask_polygon", floats, mask=left, inside=inside)
    gone = np.isnan(result.values).all(axis=(0, 1, 2))
    assert gone.tolist() == [inside] * 4 + [not inside] * 4


def test_no_data_of_integers_is_no_data(run):
    days = series(["2020-01-01", "2020-01-02", "2020-01-03"], np.array([255, 2, 4], np.uint8), nodata=255)
    assert float(run("reduce_dimension", days, reducer=MEAN, dimension="t")) == 3


@pytest.mark.parametrize("value", [None, 9])
def test_array_find_gives_null_for_what_is_not_there(value, run):
    assert run("array_find", data=[1, None, 3], value=value) is None


def test_an_empty_array_is_an_array(run):
    assert run("count", data=[]) == 0
    assert run("mean", data=[]) is None
    assert run("array_concat", array1=[], array2=[1]) == [1]
    assert run("array_create", data=[]) == []


def test_shared_nodes_are_computed_once(session):
    nodes = {"n0": {"process_id": "constant", "arguments": {"x": 1}}}
    for i in range(200):
        both = {"x": {"from_node": f"n{i}"}, "y": {"from_node": f"n{i}"}}
        nodes[f"n{i + 1}"] = {"process_id": "add", "arguments": both}
    nodes["n200"]["result"] = True
    assert session.run(nodes) == 2.0**200
