"""Aggregation along time against pandas and xarray: labels, groups, gaps, calendars, laziness."""

from __future__ import annotations

from datetime import UTC, datetime

import cftime
import dask
import dask.array as da
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.graph.parse import parse
from engine.kernel.callback import Callback
from processes import REGISTRY, errors

P = {name: p.fn for name, p in REGISTRY.items()}


def child(process, **args):
    """A reducer of one node."""
    args = {"data": {"from_parameter": "data"}, **args}
    return Callback(
        parse({"n": {"process_id": process, "arguments": args, "result": True}}), ("data", "context")
    )


MEAN, COUNT, FIRST, MAX = child("mean"), child("count"), child("first"), child("max")


def series(times, values=None, *, dim="t", nodata=None, dtype=float):
    """A cube (time, x) over these times."""
    values = np.arange(len(times)) if values is None else values
    data = np.stack([values, np.asarray(values) * 10], axis=1).astype(dtype)
    labels = times if isinstance(times, np.ndarray) else np.array(times, dtype="datetime64[ns]")
    return xr.DataArray(
        data, dims=(dim, "x"),
        coords={dim: (dim, labels, {"type": "temporal"}), "x": ("x", [1.0, 2.0], {"type": "spatial", "axis": "x"})},
        attrs={"title": "kept"} | ({} if nodata is None else {"nodata": nodata}),
    )  # fmt: skip


def daily(start="2019-11-20", end="2021-03-10", seed=0):
    times = pd.date_range(start, end, freq="17h").values
    return series(times, np.random.default_rng(seed).normal(size=len(times)))


def between(start, end):
    """Moments in UTC, without saying so."""
    return st.datetimes(datetime.fromisoformat(start), datetime.fromisoformat(end))


def refuse(*args, **kwargs):
    raise AssertionError("a process computed")


# -------------------------------------------------------------------------------------------- periods
def season(t):
    start = t.month // 3 * 3 % 12
    names = {0: "djf", 3: "mam", 6: "jja", 9: "son"}
    return f"{t.year - (t.month < 3):04d}-{names[start]}"


def tropical(t):
    return f"{t.year}-mjjaso" if 5 <= t.month <= 10 else f"{t.year - (t.month < 5)}-ndjfma"


TWINS = {
    "hour": lambda t: t.strftime("%Y-%m-%d-%H"),
    "day": lambda t: t.strftime("%Y-%j"),
    "week": lambda t: t.strftime("%G-%V"),
    "dekad": lambda t: f"{t.year}-{(t.month - 1) * 3 + (1 if t.day <= 10 else 2 if t.day <= 20 else 3):02d}",
    "month": lambda t: t.strftime("%Y-%m"),
    "season": season,
    "tropical-season": tropical,
    "year": lambda t: t.strftime("%Y"),
    "decade": lambda t: f"{t.year // 10}0",
    "decade-ad": lambda t: f"{(t.year - 1) // 10}1",
}


@pytest.mark.parametrize("period", [p for p in TWINS if p != "hour"])
@settings(max_examples=15, deadline=None)
@given(moments=st.lists(between("1995-01-01", "2002-12-31"), min_size=1, max_size=6))
def test_every_time_is_in_its_period(period, moments):
    cube = series(sorted(moments))
    result = P["aggregate_temporal_period"](cube, period, COUNT)
    expected = pd.Series([TWINS[period](m) for m in sorted(moments)]).value_counts()
    got = {label: n for label, n in zip(result.t.values.tolist(), result.values[:, 0], strict=True) if n}
    assert got == expected.to_dict()


STEPS = {"hour": "h", "day": "D", "week": "D", "dekad": "D", "month": "D", "season": "D", "tropical-season": "D",
         "year": "D", "decade": "D", "decade-ad": "D"}  # fmt: skip


@pytest.mark.parametrize("period", STEPS)
def test_no_period_is_left_out(period):
    ends = ["2018-12-30T05:30", "2019-01-03T07:00"] if period == "hour" else ["2009-10-30", "2021-02-28"]
    result = P["aggregate_temporal_period"](series(ends), period, MAX)
    steps = pd.date_range(*ends, freq=STEPS[period]).union(pd.DatetimeIndex(ends))
    assert result.t.values.tolist() == list(dict.fromkeys(TWINS[period](t) for t in steps))
    assert np.isnan(result.values[1:-1]).all()
    np.testing.assert_array_equal(result.values[[0, -1]], [[0, 0], [1, 10]])


@pytest.mark.parametrize("period", ["day", "week", "month", "season", "year"])
def test_means_against_pandas(period):
    cube = daily()
    result = P["aggregate_temporal_period"](cube, period, MEAN)
    keys = [TWINS[period](t) for t in pd.DatetimeIndex(cube.t.values)]
    expected = pd.Series(cube.values[:, 0]).groupby(keys).mean()
    np.testing.assert_allclose(result.sel(t=expected.index.values).values[:, 0], expected.values, rtol=1e-12)
    assert result.attrs["title"] == "kept"
    assert result.t.attrs["type"] == "temporal"


def test_one_label_gives_one_period():
    assert P["aggregate_temporal_period"](series(["2020-01-05"]), "day", MEAN).t.values.tolist() == [
        "2020-005"
    ]


def test_leap_years_and_long_iso_years():
    result = P["aggregate_temporal_period"](series(["2020-12-31", "2021-01-03"]), "week", MEAN)
    assert result.t.values.tolist() == ["2020-53"]
    days = P["aggregate_temporal_period"](series(["2020-12-31", "2021-01-01"]), "day", MEAN)
    assert days.t.values.tolist() == ["2020-366", "2021-001"]


def test_the_name_of_the_dimension_does_not_matter():
    cube = series(["2020-01-05", "2020-02-05"], dim="when").expand_dims(t=["a", "b"])
    cube.coords["t"].attrs["type"] = "other"
    result = P["aggregate_temporal_period"](cube, "month", MEAN)
    assert result.dims == ("t", "when", "x")
    assert result.when.values.tolist() == ["2020-01", "2020-02"]


def test_which_dimension():
    two = daily().rename(t="a").expand_dims(b=np.array(["2020-01-01"], "datetime64[ns]"))
    with pytest.raises(errors.TooManyDimensions, match="b, a"):
        P["aggregate_temporal_period"](two, "month", MEAN)
    assert P["aggregate_temporal_period"](two, "year", MEAN, "b").b.values.tolist() == ["2020"]
    for name in ("x", "z"):
        with pytest.raises(errors.DimensionNotAvailable):
            P["aggregate_temporal_period"](two, "month", MEAN, name)
    with pytest.raises(errors.ProcessParameterInvalid, match="no period; there are hour, day"):
        P["aggregate_temporal_period"](daily(), "fortnight", MEAN)
    with pytest.raises(errors.ProcessParameterInvalid, match=r"are no dates \('2019-11'"):
        P["aggregate_temporal_period"](P["aggregate_temporal_period"](daily(), "month", MEAN), "year", MEAN)


def test_integers_keep_their_type_and_gaps_are_null():
    times = ["2020-01-05", "2020-01-20", "2020-03-01"]
    result = P["aggregate_temporal_period"](series(times, [3, 0, 7], nodata=0, dtype=np.int16), "month", MAX)
    assert result.dtype == np.int16
    np.testing.assert_array_equal(result.values, [[3, 30], [0, 0], [7, 70]])
    unmarked = P["aggregate_temporal_period"](series(times, [3, 0, 7], dtype=np.uint8), "month", MAX)
    assert unmarked.dtype.kind == "i"
    assert (unmarked.values[1] == unmarked.attrs["nodata"]).all()
    full = P["aggregate_temporal_period"](series(times[:2], [3, 4], dtype=np.uint8), "month", MAX)
    assert full.dtype == np.uint8
    assert "nodata" not in full.attrs
    counted = P["aggregate_temporal_period"](series(times), "month", COUNT)
    np.testing.assert_array_equal(counted.values[:, 0], [2, 0, 1])


def test_reducer_sees_labels_and_context():
    nodes = {
        "e": {"process_id": "array_element", "arguments": {"data": {"from_parameter": "data"}, "label": "2020-01-20T00:00:00Z", "return_nodata": True}},
        "a": {"process_id": "add", "arguments": {"x": {"from_node": "e"}, "y": {"from_parameter": "context"}}, "result": True},
    }  # fmt: skip
    reducer = Callback(parse(nodes), ("data", "context"))
    cube = series(["2020-01-05", "2020-01-20", "2020-02-20"])
    result = P["aggregate_temporal_period"](cube, "month", reducer, context=100)
    np.testing.assert_array_equal(result.values, [[101, 110], [np.nan, np.nan]])


def test_a_reducer_that_gives_an_array_is_refused():
    with pytest.raises(errors.ProcessParameterInvalid, match="gives an array"):
        P["aggregate_temporal_period"](daily(), "month", child("quantiles", probabilities=[0.1, 0.9]))


@pytest.mark.parametrize("kind", ["period", "intervals"])
def test_lazy_and_the_same_for_any_chunks(kind):
    cube = daily()

    def run(c):
        if kind == "period":
            return P["aggregate_temporal_period"](c, "month", MEAN)
        return P["aggregate_temporal"](c, [["2020-01-01", "2020-03-01"], ["2020-02-01", "2022-01-01"]], MEAN)

    eager = run(cube)
    for chunks in ({"t": 1}, {"t": 7}, {"t": -1}):
        with dask.config.set(scheduler=refuse):
            lazy = run(cube.chunk(chunks))
        assert isinstance(lazy.data, da.Array)
        assert len(lazy.data.__dask_graph__()) <= 3 * len(cube.t) + 40
        xr.testing.assert_identical(lazy.compute(scheduler="synchronous"), eager)
    column = run(cube.chunk({"t": 7, "x": 1})).compute(scheduler="synchronous")
    xr.testing.assert_allclose(column, eager, rtol=1e-12)  # NumPy adds up a single column in pairs


# ---------------------------------------------------------------------------------------- calendars
def test_calendar_of_360_days():
    times = xr.date_range("2001-01-01", "2002-12-30", freq="D", calendar="360_day", use_cftime=True).values
    cube = series(times, np.random.default_rng(2).normal(size=len(times)))
    months = P["aggregate_temporal_period"](cube, "month", MEAN)
    expected = cube.groupby(cube.t.dt.strftime("%Y-%m")).mean()
    assert months.t.values.tolist() == expected.strftime.values.tolist()
    np.testing.assert_allclose(months.values, expected.values, rtol=1e-10)
    days = P["aggregate_temporal_period"](cube, "day", COUNT)
    assert days.t.values[[0, 359, 360]].tolist() == ["2001-001", "2001-360", "2002-001"]
    assert (days.values == 1).all()
    dekads = P["aggregate_temporal_period"](cube, "dekad", COUNT)
    assert dekads.sizes["t"] == 72
    assert (dekads.values == 10).all()


def test_calendar_without_leap_days():
    times = xr.date_range("2004-02-27", "2004-03-02", freq="D", calendar="noleap", use_cftime=True).values
    days = P["aggregate_temporal_period"](series(times), "day", COUNT)
    assert days.t.values.tolist() == ["2004-058", "2004-059", "2004-060", "2004-061"]
    assert (days.values == 1).all()
    seasons = P["aggregate_temporal_period"](series(times), "season", COUNT)
    assert dict(zip(seasons.t.values.tolist(), seasons.values[:, 0].tolist(), strict=True)) == {
        "2003-djf": 2,
        "2004-mam": 2,
    }


def test_intervals_of_a_calendar():
    times = xr.date_range("2001-02-28", "2001-03-02", freq="D", calendar="360_day", use_cftime=True).values
    result = P["aggregate_temporal"](
        series(times), [["2001-02-29", "2001-03-01"], ["2001-03-01", None]], COUNT
    )
    assert result.values[:, 0].tolist() == [2, 2]
    assert result.t.values[0] == cftime.Datetime360Day(2001, 2, 29)
    with pytest.raises(errors.ProcessParameterInvalid, match="no '2001-01-31' in the calendar '360_day'"):
        P["aggregate_temporal"](series(times), [["2001-01-31", None]], COUNT)


# ---------------------------------------------------------------------------------------- intervals
def test_intervals_are_half_open_and_may_overlap():
    cube = series(["2020-01-01", "2020-02-01", "2020-03-01"])
    intervals = [
        ["2020-01-01", "2020-02-01"],
        ["2020-02-01T00:00:00Z", None],
        [None, "2020-03-01T01:00:00+02:00"],
    ]
    result = P["aggregate_temporal"](cube, intervals, COUNT, labels=["a", "b", 3])
    assert result.values[:, 0].tolist() == [1, 2, 2]
    assert result.t.values.tolist() == ["a", "b", 3]


def test_labels_are_the_starts_as_times():
    cube = series(["2020-01-01", "2020-02-01"])
    result = P["aggregate_temporal"](
        cube, [["2020-01-01", "2020-02-01"], ["2020-01-31T23:00:00-01:00", None]], MEAN
    )
    assert result.t.dtype == "datetime64[ns]"
    assert result.t.values.tolist() == cube.t.values.tolist()
    assert P["filter_temporal"](result, ["2020-02-01", None]).sizes["t"] == 1
    given = P["aggregate_temporal"](cube, [["2020-01-01", "2020-02-01"]], MEAN, labels=["2020"])
    assert given.t.values.tolist() == ["2020"]


def test_times_of_day():
    times = [
        "2020-01-01T05:59:59",
        "2020-01-01T06:00:00",
        "2020-01-02T17:59:59.5",
        "2020-01-02T18:00",
        "2020-01-03",
    ]
    cube = series(times)
    intervals = [["06:00:00", "18:00:00"], ["18:00:00", "06:00:00"]]
    result = P["aggregate_temporal"](cube, intervals, COUNT)
    assert result.values[:, 0].tolist() == [2, 3]
    assert result.t.values.tolist() == ["06:00:00", "18:00:00"]
    ends = P["aggregate_temporal"](cube, [["18:00:00", None], ["00:00:00", "24:00:00"]], COUNT)
    assert ends.values[:, 0].tolist() == [1, 5]


@pytest.mark.parametrize(
    ("intervals", "labels", "error", "says"),
    [
        ([["2020-02-01", "2020-02-01"]], [], errors.TemporalExtentEmpty, "the end is not part of it"),
        ([["2020-02-02", "2020-02-01"]], [], errors.TemporalExtentEmpty, "has to be later"),
        ([["06:00:00", "06:00:00"]], [], errors.TemporalExtentEmpty, "is empty"),
        ([["2020-01-01", None], ["2020-01-01T00:00:00Z", "2021-01-01"]], [], errors.DistinctDimensionLabelsRequired, "two intervals have the label"),
        ([[None, "2020-01-01"]], [], errors.DistinctDimensionLabelsRequired, "no start to be its label"),
        ([["2020-01-01", None]] * 2, ["a", "a"], errors.DistinctDimensionLabelsRequired, "label 'a'"),
        ([["2020-01-01", None]], ["a", "b"], errors.ProcessParameterInvalid, "2 labels are given for 1 intervals"),
        ([["2020-01-01", "18:00:00"]], [], errors.ProcessParameterInvalid, "has a date and the other one has none"),
        ([[None, None]], [], errors.ProcessParameterInvalid, "one may be null"),
        ([["June", None]], [], errors.ProcessParameterInvalid, "no date or time"),
        ([["2021-02-29", None]], [], errors.ProcessParameterInvalid, "there is no '2021-02-29'"),
        ([["25:00:00", None]], [], errors.ProcessParameterInvalid, "no time of day"),
        ([["0001-01-01", None]], [], errors.ProcessParameterInvalid, "too far away to be a label"),
    ],
)  # fmt: skip
def test_faults_of_intervals(intervals, labels, error, says):
    with pytest.raises(error, match=says):
        P["aggregate_temporal"](daily(), intervals, MEAN, labels)


def test_what_cannot_be_counted_is_refused():
    with pytest.raises(errors.ProcessParameterInvalid, match="there is no interval"):
        P["aggregate_temporal"](daily(), [], MEAN)
    with pytest.raises(errors.ProcessParameterInvalid, match="1,051,897 periods of kind 'hour'"):
        P["aggregate_temporal_period"](series(["1900-01-01", "2020-01-01"]), "hour", MEAN)
    with pytest.raises(errors.ProcessParameterInvalid, match="without a time"):
        P["aggregate_temporal_period"](series(["2020-01-01", "NaT"]), "day", MEAN)
    with pytest.raises(errors.ProcessParameterInvalid, match="has no labels"):
        P["aggregate_temporal_period"](daily().drop_vars("t"), "day", MEAN)


@settings(max_examples=40, deadline=None)
@given(
    moments=st.lists(between("2020-01-01", "2020-01-09"), min_size=1, max_size=8),
    bounds=st.lists(between("2019-12-30", "2020-01-12"), min_size=2, max_size=2, unique=True),
)  # fmt: skip
def test_membership_against_python(moments, bounds):
    start, end = sorted(bounds)
    cube = series(moments)  # in any order
    interval = [start.replace(tzinfo=UTC).isoformat(), end.isoformat() + "Z"]
    result = P["aggregate_temporal"](cube, [interval], COUNT)
    assert result.values[0, 0] == sum(start <= m < end for m in moments)


def test_order_in_a_group_is_that_of_the_cube():
    cube = series(["2020-01-03", "2020-01-01", "2020-01-02"], [5, 6, 7])
    assert P["aggregate_temporal"](cube, [["2020-01-01", "2021-01-01"]], FIRST).values[0, 0] == 5
    assert P["aggregate_temporal_period"](cube, "year", FIRST).values[0, 0] == 5


def test_an_empty_cube_of_times():
    cube = series(["2020-01-03"]).isel(t=slice(0, 0))
    assert P["aggregate_temporal_period"](cube, "month", MEAN).shape == (0, 2)
    assert np.isnan(P["aggregate_temporal"](cube, [["2020-01-01", None]], MEAN).values).all()
