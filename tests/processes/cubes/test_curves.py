"""Curves against SciPy and NumPy: linear ones exact, others at the same lowest point, each series on its own."""

from __future__ import annotations

import sys

import dask
import dask.array as da
import numpy as np
import pytest
import scipy.optimize
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.graph.parse import parse
from engine.kernel.callback import Callback
from engine.kernel.lift import call
from processes import REGISTRY, errors
from processes.kernels.least_squares import as_linear, fit, fit_linear, solve
from processes.values import Labeled, Masked, split
from tests.processes.cubes.conftest import make_cube

P = {name: p.fn for name, p in REGISTRY.items()}
YEAR = 31557600.0
DAYS = np.arange("2020-01-01", "2022-01-01", 12, dtype="datetime64[D]").astype("datetime64[ns]")
SECONDS = DAYS.astype("datetime64[us]").astype(np.int64) / 1e6


def parameter(i):
    return {
        "process_id": "array_element",
        "arguments": {"data": {"from_parameter": "parameters"}, "index": i},
    }


def node(process, /, **args):
    return {"process_id": process, "arguments": args}


X = {"from_parameter": "x"}


def ref(name):
    return {"from_node": name}


def line():
    return {
        "p0": parameter(0),
        "p1": parameter(1),
        "slope": node("multiply", x=ref("p1"), y=X),
        "sum": {**node("add", x=ref("p0"), y=ref("slope")), "result": True},
    }


def harmonic():
    return {
        "p0": parameter(0),
        "p1": parameter(1),
        "p2": parameter(2),
        "turns": node("multiply", x=X, y=2 * np.pi / YEAR),
        "cos": node("cos", x=ref("turns")),
        "sin": node("sin", x=ref("turns")),
        "a": node("multiply", x=ref("p1"), y=ref("cos")),
        "b": node("multiply", x=ref("p2"), y=ref("sin")),
        "sum": {**node("sum", data=[ref("p0"), ref("a"), ref("b")]), "result": True},
    }


def decay():
    """p0 * exp(-p1 * x) + p2."""
    return {
        "p0": parameter(0),
        "p1": parameter(1),
        "p2": parameter(2),
        "power": node("multiply", x=ref("p1"), y=X),
        "minus": node("multiply", x=ref("power"), y=-1),
        "exp": node("exp", p=ref("minus")),
        "scaled": node("multiply", x=ref("p0"), y=ref("exp")),
        "sum": {**node("add", x=ref("scaled"), y=ref("p2")), "result": True},
    }


def function(nodes):
    return Callback(parse(nodes), ("x", "parameters"))


def fitting(nodes, start, **more):
    """A child graph that fits, for apply_dimension."""
    args = {
        "data": {"from_parameter": "data"},
        "parameters": start,
        "function": {"process_graph": nodes},
        **more,
    }
    return Callback(parse({"fit": {**node("fit_curve", **args), "result": True}}), ("data", "context"))


def series(seed=0, gaps=0.2):
    """A cube (t, bands, y, x) of a harmonic season with noise and gaps, at DAYS."""
    rng = np.random.default_rng(seed)
    turn = 2 * np.pi * SECONDS / YEAR
    curves = np.stack([np.ones_like(turn), np.cos(turn), np.sin(turn)])
    true = rng.normal(size=(3, 1, 4, 5))
    values = np.tensordot(curves.T, true, 1) + rng.normal(size=(len(DAYS), 1, 4, 5)) * 0.1
    values[rng.random(values.shape) < gaps] = np.nan
    cube = make_cube(values[:3], bands=("B04",))
    coords = {**{n: c for n, c in cube.coords.items() if n != "t"}, "t": ("t", DAYS, {"type": "temporal"})}
    return xr.DataArray(values, dims=cube.dims, coords=coords), curves


def test_harmonic_season_is_least_squares():
    cube, curves = series()
    found = P["apply_dimension"](cube, fitting(harmonic(), [1, 1, 1]), "t", "parameters")
    assert found.dims == ("parameters", "bands", "y", "x")
    for i in np.ndindex(4, 5):
        values = cube.values[:, 0, *i]
        known = ~np.isnan(values)
        expected = np.linalg.lstsq(curves.T[known], values[known], rcond=None)[0]
        np.testing.assert_allclose(found.values[:, 0, *i], expected, rtol=1e-11)


def test_any_chunks_give_the_same_bits_and_nothing_is_computed():
    cube, _ = series()
    for nodes, start in ((harmonic(), [1, 1, 1]), (line(), [0, 0])):
        whole = P["apply_dimension"](cube, fitting(nodes, start), "t", "p")

        def forbidden(*_, **__):
            raise AssertionError("something was computed")

        for chunks in ({"t": 7, "y": 1, "x": 1}, {"x": 2}, {"y": 3, "x": 4}):
            with dask.config.set(scheduler=forbidden):
                lazy = P["apply_dimension"](cube.chunk(chunks), fitting(nodes, start), "t", "p")
            assert isinstance(lazy.data, da.Array)
            xr.testing.assert_identical(lazy.compute(), whole)


def test_decay_against_scipy():
    rng = np.random.default_rng(3)
    x = np.linspace(0, 10, 30)
    true = np.stack([rng.uniform(1, 5, 40), rng.uniform(0.2, 2, 40), rng.normal(size=40)])
    values = true[0] * np.exp(-true[1] * x[:, None]) + true[2] + rng.normal(size=(30, 40)) * 0.02
    values[rng.random(values.shape) < 0.1] = np.nan
    found = P["fit_curve"](Labeled(values, tuple(x.tolist())), [1, 1, 1], function(decay()))
    for i in range(40):
        known = ~np.isnan(values[:, i])
        expected, _ = scipy.optimize.curve_fit(
            lambda x, a, b, c: a * np.exp(-b * x) + c, x[known], values[known, i], [1, 1, 1], ftol=1e-14
        )
        np.testing.assert_allclose(found[:, i], expected, rtol=1e-6)


@pytest.mark.parametrize("count", [1, 3, 8])
def test_a_series_does_not_see_its_neighbours(count, monkeypatch):
    """Alone, in small company, in turns: a search of many steps gives the same bits."""
    rng = np.random.default_rng(8)
    x = tuple(np.linspace(0, 5, 20).tolist())
    true = np.stack([rng.uniform(1, 5, 24), rng.uniform(0.2, 2, 24), rng.normal(size=24)])
    values = true[0] * np.exp(-true[1] * np.array(x)[:, None]) + true[2] + rng.normal(size=(20, 24)) * 0.1
    values[rng.random(values.shape) < 0.1] = np.nan
    whole = P["fit_curve"](Labeled(values, x), [1, 1, 1], function(decay()))
    assert np.isfinite(whole).all()
    for i in range(0, 24, count):
        part = P["fit_curve"](Labeled(values[:, i : i + count], x), [1, 1, 1], function(decay()))
        np.testing.assert_array_equal(part, whole[:, i : i + count])
    monkeypatch.setattr(sys.modules[fit.__module__], "AT_ONCE", 20 * 3 * 5)
    np.testing.assert_array_equal(P["fit_curve"](Labeled(values, x), [1, 1, 1], function(decay())), whole)


def test_no_series_ends_higher_than_with_scipy():
    """Logistic curves from one rough start: never a worse sum of squares than MINPACK finds."""
    rng = np.random.default_rng(5)
    x = np.linspace(0, 10, 40)
    start = np.array([0.0, 1, 1, 5])

    def logistic(p):
        with np.errstate(over="ignore"):
            return p[0] + p[1] / (1 + np.exp(-p[2] * (x[:, None] - p[3])))

    true = np.stack([rng.normal(size=100), *(rng.uniform(a, b, 100) for a, b in ((1, 3), (0.8, 3), (3, 7)))])
    values = logistic(true) + rng.normal(size=(40, 100)) * 0.02
    found = fit(logistic, values, np.ones(values.shape, bool), np.broadcast_to(start[:, None], (4, 100)))
    ours = np.sum((logistic(found) - values) ** 2, axis=0)
    for i in range(100):
        theirs = scipy.optimize.least_squares(
            lambda p, i=i: logistic(p)[:, 0] - values[:, i], start, method="lm"
        )
        assert ours[i] <= 2 * theirs.cost * (1 + 1e-6)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(5, 12))
def test_solve_is_least_squares(seed, count, rows):
    rng = np.random.default_rng(seed)
    curves = rng.normal(size=(count, rows, 3)) * 10.0 ** rng.integers(-8, 8, (count, 1, 1))
    wanted = rng.normal(size=(rows, 3))
    found = solve(curves, wanted)
    for i in range(3):
        size = np.linalg.norm(curves[:, :, i], axis=1)
        expected = np.linalg.lstsq((curves[:, :, i] / size[:, None]).T, wanted[:, i], rcond=None)[0]
        np.testing.assert_allclose(found[:, i] * size, expected, rtol=1e-8, atol=1e-10)


def test_digits_are_kept_far_from_zero():
    """A trend over seconds since 1970, where normal equations lose half of the digits."""
    x = SECONDS[:, None]
    true = np.array([[0.25], [3e-10], [-2e-19]])
    values = true[0] + true[1] * x + true[2] * x**2
    found = fit(lambda p: p[0] + p[1] * x + p[2] * x**2, values, np.ones(values.shape, bool), np.ones((3, 1)))
    fitted = found[0] + found[1] * x + found[2] * x**2
    np.testing.assert_allclose(fitted, values, rtol=1e-12)


def test_what_is_linear_is_seen():
    x = np.linspace(0, 1, 9)[:, None]
    assert as_linear(lambda p: p[0] + p[1] * np.sin(x) + 4, 2) is not None
    for model in (
        lambda p: p[0] * np.exp(p[1] * x),
        lambda p: np.abs(p[0]) + p[1] * x,
        lambda p: np.floor(p[0]) + p[1] * x,
        lambda p: p[0] / p[1] * x,
        lambda p: p[0] * p[1] * x,
    ):
        with np.errstate(all="ignore"):
            assert as_linear(model, 2) is None


def test_linear_only_nearby():
    """Clipped beyond what the tests reach: that is seen at the solution, and nothing wrong is given."""
    x = np.linspace(1, 2, 9)[:, None]

    def clipped(p):
        return np.minimum(p[0], 1e7) * x

    values, valid = 5e7 * x, np.ones((9, 1), bool)
    curves = as_linear(clipped, 1)
    assert curves is not None
    solution, holds = fit_linear(clipped, curves, values, valid)
    np.testing.assert_allclose(solution, 5e7)
    assert not holds.any()
    assert fit(clipped, values, valid, np.array([[2e7]])) == 2e7  # flat there: nothing is better


LINE = {"labels": (0, 1, 2, 3), "start": [0, 0]}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 3, 5, 7], [1, 2]),
        ([1.5, 1.5, 1.5, 1.5], [1.5, 0]),
        ([1, None, 5, 7], [1, 2]),
        ([1, None, None, 7], [1, 2]),
        ([1, None, None, None], [None, None]),
        ([None, None, None, None], [None, None]),
        ([1, 3, float("nan"), 7], [None, None]),
        ([1, 3, float("inf"), 7], [None, None]),
        ([-1, -3, -5, -7], [-1, -2]),
    ],
)
def test_series_of_json(values, expected):
    data = Labeled(values, LINE["labels"])
    args = {"data": data, "parameters": [0, 0], "function": function(line())}
    found = call(REGISTRY["fit_curve"], args)
    assert isinstance(found, (Masked, np.ndarray))
    shown = [None if n else v for v, n in zip(found.data, found.null, strict=True)]
    assert shown == [None if e is None else pytest.approx(e, abs=1e-12) for e in expected]


@pytest.mark.parametrize("ignore", [True, False])
@pytest.mark.parametrize("cells", [(), (3,), (2, 0)])
def test_an_array_of_nothing_has_no_parameters(cells, ignore):
    found = P["fit_curve"](Labeled(np.zeros((0, *cells)), ()), [0, 0], function(line()), ignore_nodata=ignore)
    values, null = split(found)
    assert np.shape(values) == (2, *cells)
    assert np.all(null)


def test_nodata_that_is_not_ignored():
    data = Labeled(np.array([[1.0, 1], [np.nan, 3], [5, 5], [7, 7]]), LINE["labels"])
    found = P["fit_curve"](data, [0, 0], function(line()), ignore_nodata=False)
    np.testing.assert_allclose(found, [[np.nan, 1], [np.nan, 2]], atol=1e-12)


def test_integers_with_nodata():
    values = np.array([10, 30, 0, 70], dtype=np.uint16)[:, None, None, None] * np.ones(
        (1, 2, 3, 3), np.uint16
    )
    cube = make_cube(values[:3], nodata=0)
    cube = xr.concat([cube, cube.isel(t=[0])], "t").copy(data=values)
    cube = cube.assign_coords(t=("t", [0, 1, 2, 3], {"type": "other"}))
    cube.attrs = {"nodata": 0}
    found = P["apply_dimension"](cube, fitting(line(), [0, 0]), "t")
    assert found.dtype == np.float64
    np.testing.assert_allclose(found.values[0], 10)
    np.testing.assert_allclose(found.values[1], 20)


def test_more_parameters_than_the_function_uses_is_no_fit_but_no_crash():
    data = Labeled([1.0, 2.0, 3.0, 4.0], LINE["labels"])
    found = P["fit_curve"](data, [0, 0, 0], function(line()))
    np.testing.assert_allclose(found.data, [1, 1, 0], atol=1e-12)


@pytest.mark.parametrize(
    ("data", "start", "says"),
    [
        ([1, 2, 3], [0, 0], "no labels"),
        (Labeled([1, 2], ("B04", "B08")), [0, 0], "'B04' is neither a number nor a time"),
        (Labeled([1, 2], (0, 1)), [], "at least one parameter"),
        (Labeled(["a", "b"], (0, 1)), [0, 0], "numbers only"),
    ],
)
def test_what_cannot_be_fitted(data, start, says):
    with pytest.raises(errors.ProcessParameterInvalid, match=says):
        P["fit_curve"](data, start, function(line()))


def test_a_function_that_gives_an_array():
    whole = function(
        {
            "all": {
                **node("array_concat", array1=[1, 2], array2={"from_parameter": "parameters"}),
                "result": True,
            }
        }
    )
    with pytest.raises(errors.ProcessParameterInvalid, match="one number is needed"):
        P["fit_curve"](Labeled([1.0, 2.0, 3.0], (0, 1, 2)), [0, 0], whole)


# ------------------------------------------------------------------------------------------- predicting
def test_predicted_is_the_curve():
    cube, curves = series()
    fitted = P["apply_dimension"](cube.chunk({"y": 2}), fitting(harmonic(), [1, 1, 1]), "t", "p")
    labels = [str(d) for d in DAYS.astype("datetime64[D]")]
    found = P["predict_curve"](fitted, function(harmonic()), "t", labels)
    assert isinstance(found.data, da.Array)
    assert found.dims == ("t", "bands", "y", "x")
    assert found.t.attrs["type"] == "temporal"
    np.testing.assert_array_equal(found.t.values, DAYS)
    np.testing.assert_allclose(found.values, np.tensordot(curves.T, fitted.values, 1), rtol=1e-10, atol=1e-12)
    np.testing.assert_array_equal(found.y.values, cube.y.values)
    assert found.bands.attrs == cube.bands.attrs


def test_parameters_along_the_dimension_itself():
    cube, _ = series(gaps=0)
    into_p = P["apply_dimension"](cube, fitting(harmonic(), [1, 1, 1]), "t", "p")
    onto_t = P["apply_dimension"](cube, fitting(harmonic(), [1, 1, 1]), "t")
    labels = ["2022-03-01", "2022-01-01T12:00:00Z"]
    expected = P["predict_curve"](into_p, function(harmonic()), "t", labels)
    for given_ in (onto_t, onto_t.chunk({"x": 2}), onto_t.chunk({"t": 1})):
        xr.testing.assert_identical(
            P["predict_curve"](given_, function(harmonic()), "t", labels).compute(), expected
        )
    assert [str(t)[:13] for t in expected.t.values] == ["2022-01-01T12", "2022-03-01T00"]


def test_labels_that_the_cube_has():
    """Parameters that differ from date to date, evaluated at those dates."""
    known = np.stack([np.full((3, 4), 2.0), np.full((3, 4), 1e-9)])
    known[0, 1, 2] = np.nan
    times = DAYS[:3]
    cube = xr.DataArray(
        known,
        dims=("p", "t", "x"),
        coords={"p": ("p", [0, 1], {"type": "other"}), "t": ("t", times, {"type": "temporal"})},
    )
    for given_ in (cube, cube.chunk({"t": 2, "x": 3})):
        found = P["predict_curve"](given_, function(line()), "t")
        expected = 2 + 1e-9 * np.repeat(SECONDS[:3, None], 4, 1)
        expected[1, 2] = np.nan
        np.testing.assert_allclose(found.values, expected)
        assert found.dims == ("t", "x")


def test_numbers_as_labels_keep_their_order():
    cube = xr.DataArray(
        [[1.0, 10.0], [2.0, 0.0]], dims=("p", "x"), coords={"p": ("p", [0, 1], {"type": "other"})}
    )
    found = P["predict_curve"](cube, function(line()), "depth", [3, 1, 2.5])
    assert found.depth.values.tolist() == [3, 1, 2.5]
    assert found.depth.attrs["type"] == "other"
    np.testing.assert_array_equal(found.values, [[7, 10], [3, 10], [6, 10]])


@pytest.mark.parametrize(
    ("dimension", "labels", "says"),
    [
        ("t", None, "no labels to predict for"),
        ("t", [], "at least one"),
        ("t", [1, "2020-01-01"], "all numbers or all times"),
        ("t", ["2020-01-01", "2020-01-01T00:00:00Z"], "the same"),
        ("t", ["winter"], "neither a number nor a time"),
        ("t", [True], "numbers or times"),
        ("p", None, "along one dimension of type other"),
    ],
)
def test_labels_that_do_not_do(dimension, labels, says):
    cube = xr.DataArray([[1.0], [2.0]], dims=("p", "x"), coords={"p": ("p", [0, 1], {"type": "other"})})
    with pytest.raises(errors.ProcessParameterInvalid, match=says):
        P["predict_curve"](cube, function(line()), dimension, labels)


def test_from_end_to_end(session):
    """Fitted and predicted by one graph."""
    cube, curves = series(gaps=0)
    graph = {
        "fit": node(
            "apply_dimension",
            data={"from_parameter": "cube"},
            dimension="t",
            target_dimension="p",
            process={
                "process_graph": {
                    "f": {
                        **node("fit_curve", data={"from_parameter": "data"}, parameters=[1, 1, 1],
                               function={"process_graph": harmonic()}),
                        "result": True,
                    }
                }
            },
        ),
        "predict": {
            **node("predict_curve", parameters={"from_node": "fit"}, function={"process_graph": harmonic()},
                   dimension="t", labels=[str(d) for d in DAYS.astype("datetime64[D]")]),
            "result": True,
        },
    }  # fmt: skip
    found = session.run(graph, {"cube": cube.chunk({"x": 2})})
    solution = np.linalg.lstsq(curves.T, cube.values.reshape(len(DAYS), -1), rcond=None)[0]
    np.testing.assert_allclose(
        found.values.reshape(len(DAYS), -1), curves.T @ solution, rtol=1e-9, atol=1e-11
    )
