"""Climatological normals and anomalies against pandas."""

from __future__ import annotations

import dask
import dask.array as da
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from engine.graph.parse import parse
from engine.kernel.callback import Callback
from processes import REGISTRY, errors

P = {name: p.fn for name, p in REGISTRY.items()}
MEAN = Callback(
    parse({"n": {"process_id": "mean", "arguments": {"data": {"from_parameter": "data"}}, "result": True}}),
    ("data", "context"),
)


def weather(start="1999-01-01", end="2003-12-31", freq="D", seed=0, calendar=None):
    """A cube (t, x): a value for each day at two places, with gaps."""
    times = (
        xr.date_range(start, end, freq=freq, calendar=calendar, use_cftime=True).values
        if calendar
        else pd.date_range(start, end, freq=freq).values
    )
    values = np.random.default_rng(seed).normal(size=(len(times), 2))
    values[::7, 1] = np.nan
    return xr.DataArray(
        values, dims=("t", "x"),
        coords={"t": ("t", times, {"type": "temporal"}), "x": ("x", [1.0, 2.0], {"type": "spatial", "axis": "x"})},
        attrs={"title": "kept"},
    )  # fmt: skip


def frame(cube, first, last):
    table = pd.DataFrame(cube.values, index=pd.DatetimeIndex(cube.t.values))
    return table[(table.index.year >= first) & (table.index.year <= last)]


def refuse(*args, **kwargs):
    raise AssertionError("a process computed")


def test_months_against_pandas():
    cube = weather()
    result = P["climatological_normal"](cube, "month", [2000, 2002])
    table = frame(cube, 2000, 2002)
    np.testing.assert_allclose(result.values, table.groupby(table.index.month).mean().values, rtol=1e-9)
    assert result.t.values.tolist() == [f"{m:02d}" for m in range(1, 13)]
    assert result.t.attrs["type"] == "temporal"
    assert result.attrs["title"] == "kept"


def test_days_and_the_366th():
    cube = weather()
    table = frame(cube, 2000, 2002)
    result = P["climatological_normal"](cube, "day", [2000, 2002])
    assert result.t.values.tolist() == [f"{d:03d}" for d in range(1, 367)]
    np.testing.assert_allclose(result.values, table.groupby(table.index.dayofyear).mean().values, rtol=1e-9)
    without = P["climatological_normal"](cube, "day", [2001, 2003])
    assert without.t.values.tolist() == [f"{d:03d}" for d in range(1, 366)]


def test_all_years_together():
    cube = weather()
    result = P["climatological_normal"](cube, "climatology-period", [2000, 2001])
    assert result.t.values.tolist() == ["climatology-period"]
    np.testing.assert_allclose(result.values[0], frame(cube, 2000, 2001).mean().values, rtol=1e-9)


@pytest.mark.parametrize("before", [True, False])
def test_a_winter_needs_its_december(before):
    cube = weather("1999-12-01" if before else "2000-01-01")
    result = P["climatological_normal"](cube, "season", [2000, 2002])
    assert result.t.values.tolist() == ["djf", "mam", "jja", "son"]
    table = frame(cube, 1999, 2003)
    winter = table[("1999-12-01" if before else "2000-12-01") : "2002-02-28"]
    winter = winter[winter.index.month.isin([12, 1, 2])]
    np.testing.assert_allclose(result.sel(t="djf").values, winter.mean().values, rtol=1e-9)
    summer = frame(cube, 2000, 2002)
    summer = summer[summer.index.month.isin([6, 7, 8])]
    np.testing.assert_allclose(result.sel(t="jja").values, summer.mean().values, rtol=1e-9)


@pytest.mark.parametrize("start", ["1999-11-01", "1999-12-01"])
def test_a_rainy_season_needs_both_months_of_the_year_before(start):
    cube = weather(start)
    result = P["climatological_normal"](cube, "tropical-season", [2000, 2002])
    assert result.t.values.tolist() == ["ndjfma", "mjjaso"]
    table = frame(cube, 1999, 2003)
    wet = table[("1999-11-01" if start == "1999-11-01" else "2000-11-01") : "2002-04-30"]
    wet = wet[wet.index.month.isin([11, 12, 1, 2, 3, 4])]
    np.testing.assert_allclose(result.sel(t="ndjfma").values, wet.mean().values, rtol=1e-9)


@pytest.mark.parametrize("period", ["month", "season", "tropical-season", "day"])
def test_labels_of_periods_do_as_well_as_dates(period):
    cube = weather()
    periods = P["aggregate_temporal_period"](cube, period, MEAN)
    from_periods = P["climatological_normal"](periods, period, [2000, 2002])
    keys = [label.partition("-")[2] for label in periods.t.values]
    years = np.array([int(label[:4]) for label in periods.t.values])
    for key in from_periods.t.values:
        early = key in ("djf", "ndjfma")
        chosen = (np.array(keys) == key) & (years >= 2000 - early) & (years <= 2002 - early)
        expected = pd.DataFrame(periods.values[chosen]).mean().values
        np.testing.assert_allclose(from_periods.sel(t=key).values, expected, rtol=1e-9)


def test_calendar_of_360_days():
    cube = weather(start="2000-01-01", end="2002-12-30", calendar="360_day")
    result = P["climatological_normal"](cube, "day", [2000, 2002])
    assert result.sizes["t"] == 360
    expected = cube.groupby("t.dayofyear").mean()
    np.testing.assert_allclose(result.values, expected.values, rtol=1e-9)


def test_months_without_values_are_null():
    cube = weather()
    summer = cube.isel(t=cube.t.dt.month.isin([6, 7]).values)
    result = P["climatological_normal"](summer, "month", [1999, 2003])
    assert np.isnan(result.values).all(axis=1).tolist() == [m not in (6, 7) for m in range(1, 13)]


@pytest.mark.parametrize(
    ("years", "says"),
    [
        ([1990, 2000], "the climatology period is 1990 to 2000, and 't' goes from 1999 to 2003"),
        ([2000, 2010], "goes from 1999 to 2003"),
        ([2002, 2000], "a first and a last year are needed"),
        ([2002], "a first and a last year are needed"),
    ],
)
def test_years_that_are_not_there(years, says):
    with pytest.raises(errors.ProcessParameterInvalid, match=says):
        P["climatological_normal"](weather(), "month", years)


def test_default_years_are_checked():
    with pytest.raises(errors.ProcessParameterInvalid, match="1981 to 2010"):
        P["climatological_normal"](weather(), "month")


def test_other_faults():
    with pytest.raises(errors.ProcessParameterInvalid, match="'week' is no period"):
        P["climatological_normal"](weather(), "week", [2000, 2001])
    months = P["aggregate_temporal_period"](weather(), "month", MEAN)
    with pytest.raises(errors.ProcessParameterInvalid, match="'1999-01' of 't' is neither a date nor"):
        P["climatological_normal"](months, "season", [2000, 2001])
    with pytest.raises(errors.TooManyDimensions):
        P["climatological_normal"](
            weather().expand_dims(u=np.array(["2000-01-01"], "M8[ns]")), "month", [2000, 2001]
        )


# ---------------------------------------------------------------------------------------- anomalies
KEYS = {
    "hour": "%H", "day": "%j", "week": "%V", "month": "%m", "year": "%Y",
}  # fmt: skip


@pytest.mark.parametrize("period", KEYS)
@pytest.mark.parametrize("aggregated", [True, False])
def test_anomaly_against_pandas(period, aggregated):
    cube = weather("2000-01-01", "2001-12-31", freq="7h")
    data = P["aggregate_temporal_period"](cube, period, MEAN) if aggregated else cube
    keys = pd.DatetimeIndex(cube.t.values).strftime(KEYS[period])
    table = pd.DataFrame(cube.values).groupby(keys.values).mean()
    normals = xr.DataArray(
        table.values, dims=("time", "x"),
        coords={"time": ("time", table.index.values.astype(str), {"type": "temporal"}), "x": cube.x},
    )  # fmt: skip
    result = P["anomaly"](data, normals, period)
    own = [label.split("-")[-1] for label in data.t.values.tolist()] if aggregated else keys
    np.testing.assert_allclose(result.values, data.values - table.loc[list(own)].values, rtol=1e-9)
    assert result.t.values.tolist() == data.t.values.tolist()
    assert result.attrs["title"] == "kept"


@pytest.mark.parametrize("period", ["month", "season", "tropical-season", "climatology-period"])
def test_anomalies_of_the_normal_years_are_zero_in_the_mean(period):
    cube = weather("1999-11-01", "2002-10-31")
    years = [2000, 2002]
    result = P["anomaly"](cube, P["climatological_normal"](cube, period, years), period)
    zero = P["climatological_normal"](result, period, years)
    np.testing.assert_allclose(zero.values, np.zeros(zero.shape), atol=1e-12)


def test_normals_by_number_and_of_one_label():
    cube = P["aggregate_temporal_period"](weather(), "year", MEAN)
    years = xr.DataArray(
        np.ones((5, 2)),
        dims=("t", "x"),
        coords={"t": ("t", np.arange(1999, 2004), {"type": "temporal"}), "x": cube.x},
    )
    np.testing.assert_allclose(P["anomaly"](cube, years, "year").values, cube.values - 1)
    single = years.isel(t=[0])
    np.testing.assert_allclose(P["anomaly"](cube, single, "single-period").values, cube.values - 1)
    with pytest.raises(errors.ProcessParameterInvalid, match="have one label; they have 5"):
        P["anomaly"](cube, years, "single-period")
    with pytest.raises(errors.ProcessParameterInvalid, match="no normal '1999'"):
        P["anomaly"](cube, single.assign_coords(t=("t", [7], {"type": "temporal"})), "year")


def test_two_values_of_one_date():
    cube = weather("2000-01-01", "2000-01-02").isel(t=[0, 1, 0, 1])
    cube = cube.copy(data=np.arange(8.0).reshape(4, 2))
    normals = xr.DataArray(
        np.ones((1, 2)), dims=("t", "x"), coords={"t": ("t", ["01"], {"type": "temporal"}), "x": cube.x}
    )
    result = P["anomaly"](cube, normals, "month")
    np.testing.assert_array_equal(result.values, cube.values - 1)
    np.testing.assert_array_equal(result.t.values, cube.t.values)


def test_integers_and_null():
    cube = weather("2000-01-01", "2000-03-31", freq="MS")
    data = cube.copy(data=np.array([[5, 0], [9, 2], [1, 250]], np.uint8)).assign_attrs(nodata=0)
    normals = xr.DataArray(np.array([[200, 200]] * 12, np.uint8), dims=("t", "x"),
                           coords={"t": ("t", [f"{m:02d}" for m in range(1, 13)], {"type": "temporal"}), "x": cube.x})  # fmt: skip
    result = P["anomaly"](data, normals, "month")
    assert result.dtype.kind == "i"
    null = result.attrs["nodata"]
    assert result.values.tolist() == [[-195, null], [-191, -198], [-199, 50]]


def test_normals_that_do_not_fit():
    cube = weather()
    normals = P["climatological_normal"](cube, "month", [2000, 2002])
    with pytest.raises(errors.IncompatibleDataCubes, match="the normals have the dimension 'z'"):
        P["anomaly"](cube, normals.expand_dims(z=[1]), "month")
    banded = cube.expand_dims(bands=["a", "b"])
    result = P["anomaly"](banded, normals, "month")
    assert result.dims == banded.dims
    with pytest.raises(errors.IncompatibleDataCubes, match="different labels along 'bands'"):
        P["anomaly"](banded, normals.expand_dims(bands=["a", "c"]), "month")


def test_lazy_and_the_same_for_any_chunks():
    cube = weather()

    def run(c):
        return P["anomaly"](c, P["climatological_normal"](c, "month", [2000, 2002]), "month")

    eager = run(cube)
    for chunks in ({"t": 100}, {"t": -1}):
        with dask.config.set(scheduler=refuse):
            lazy = run(cube.chunk(chunks))
        assert isinstance(lazy.data, da.Array)
        xr.testing.assert_identical(lazy.compute(scheduler="synchronous"), eager)
