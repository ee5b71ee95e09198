"""Onto the grid or the times of another cube, against rasterio, xarray and a loop."""

from __future__ import annotations

import dask
import dask.array as da
import numpy as np
import pyproj
import pytest
import rasterio
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from odc.geo.overlap import compute_reproject_roi
from rasterio.warp import reproject

from processes import REGISTRY, errors
from processes.cubes import places

P = {name: p.fn for name, p in REGISTRY.items()}


def refuse(*args, **kwargs):
    raise AssertionError("a process computed")


# -------------------------------------------------------------------------------------------- space
def test_cells_of_the_same_lattice_are_taken_as_they_are(cube):
    bytes_ = cube.astype(np.uint8).drop_attrs(deep=False)
    target = cube.isel(x=slice(2, 7), y=slice(1, 4), t=[0]).rename(x="lon", y="lat")
    result = P["resample_cube_spatial"](bytes_, target, "bilinear")
    assert result.dtype == np.uint8
    assert "nodata" not in result.attrs
    xr.testing.assert_identical(result, bytes_.isel(x=slice(2, 7), y=slice(1, 4)))


@pytest.mark.parametrize("method", ["near", "bilinear", "average", "rms", "cubicspline"])
def test_another_grid_against_rasterio(method, floats):
    x0, y0 = pyproj.Transformer.from_crs(32632, 32633, always_xy=True).transform(floats.x[1], floats.y[1])
    labels = {"x": x0 + 12.0 * np.arange(5), "y": y0 - 12.0 * np.arange(4)}
    coords = {d: (d, v, {"type": "spatial", "axis": d, "reference_system": 32633}) for d, v in labels.items()}
    target = xr.DataArray(np.zeros((4, 5)), dims=("y", "x"), coords=coords)
    result = P["resample_cube_spatial"](floats, target, method)
    np.testing.assert_array_equal(result.x.values, target.x.values)
    grid = result.odc.geobox
    expected = np.full((3, 2, *grid.shape), np.nan, dtype=np.float32)
    source = floats.odc.geobox
    scale = shrink(source, grid)
    for i in np.ndindex(3, 2):
        reproject(
            floats.values[i], expected[i], src_transform=source.transform, src_crs=32632,
            dst_transform=grid.transform, dst_crs=32633, src_nodata=np.nan, dst_nodata=np.nan,
            resampling=rasterio.enums.Resampling[{"near": "nearest", "cubicspline": "cubic_spline"}.get(method, method)],
            XSCALE=1 / scale, YSCALE=1 / scale,
        )  # fmt: skip
    assert np.isfinite(expected).any()
    np.testing.assert_allclose(result.values, expected, rtol=1e-5)
    assert result.x.attrs["reference_system"] == 32633
    assert result.bands.attrs == floats.bands.attrs


def shrink(source, grid):
    """How many old cells go into a new one, as the warper settles it once for the grid."""
    return max(1.0, compute_reproject_roi(source, grid).scale)


def test_a_target_that_is_upside_down(floats):
    target = floats.isel(t=0, bands=0, y=slice(None, None, -1))
    result = P["resample_cube_spatial"](floats, target)
    np.testing.assert_array_equal(result.values, floats.values[:, :, ::-1])
    np.testing.assert_array_equal(result.y.values, target.y.values)


def test_a_target_that_reaches_beyond_is_filled_with_null(cube):
    inner = cube.isel(x=slice(2, 6), y=slice(1, 5))
    result = P["resample_cube_spatial"](inner, cube)
    assert result.dtype == cube.dtype
    expected = np.zeros_like(cube.values)
    expected[:, :, 1:5, 2:6] = inner.values
    np.testing.assert_array_equal(result.values, expected)


def test_space_faults(cube):
    with pytest.raises(errors.ProcessParameterInvalid, match="'nearest' is none of average"):
        P["resample_cube_spatial"](cube, cube, "nearest")
    with pytest.raises(errors.DimensionMissing, match="x and y is needed"):
        P["resample_cube_spatial"](cube, cube.isel(x=0))


@pytest.mark.parametrize("step", [1, 2])
def test_space_is_lazy_and_the_same_for_any_chunks(step, cube):
    target = P["resample_spatial"](cube.isel(t=[0]), 10 * step)
    eager = P["resample_cube_spatial"](cube, target, "average")
    with dask.config.set(scheduler=refuse):
        lazy = P["resample_cube_spatial"](cube.chunk({"t": 1, "x": 3, "y": 4}), target, "average")
    assert isinstance(lazy.data, da.Array)
    xr.testing.assert_identical(lazy.compute(scheduler="synchronous"), eager)


# --------------------------------------------------------------------------------------------- time
def series(days, values=None, *, nodata=None, dtype=float, dim="t"):
    times = np.datetime64("2020-01-01", "ns") + np.asarray(days, dtype="m8[h]")
    values = np.arange(1, len(days) + 1) if values is None else values
    attrs = {} if nodata is None else {"nodata": nodata}
    return xr.DataArray(
        np.asarray(values, dtype), dims=(dim,), coords={dim: (dim, times, {"type": "temporal"})}, attrs=attrs
    )


hours = st.lists(st.integers(0, 400), min_size=1, max_size=8, unique=True)


@settings(max_examples=60, deadline=None)
@given(hours, hours)
def test_nearest_against_xarray(own, wanted):
    data, target = series(sorted(own)), series(wanted)
    result = P["resample_cube_temporal"](data, target)
    for hour, value in zip(wanted, result.values, strict=True):
        away = [abs(h - hour) for h in sorted(own)]
        assert value == away.index(min(away)) + 1  # the first one, that is the earlier one
    np.testing.assert_array_equal(result.t.values, target.t.values)
    exact = data.reindex(t=target.t, method="nearest")
    ties = [sum(abs(h - w) == min(abs(o - w) for o in own) for h in own) > 1 for w in wanted]
    np.testing.assert_array_equal(result.values[~np.array(ties)], exact.values[~np.array(ties)])


@settings(max_examples=60, deadline=None)
@given(hours, hours, st.integers(0, 10), st.integers(0, 2**32 - 1))
def test_valid_within_against_a_loop(own, wanted, limit, seed):
    values = np.random.default_rng(seed).choice([np.nan, np.inf, 1.0, 2.0, 3.0], len(own))
    result = P["resample_cube_temporal"](series(sorted(own), values), series(wanted), None, limit)
    for hour, value in zip(wanted, result.values, strict=True):
        near = [
            (abs(h - hour), h, v)
            for h, v in zip(sorted(own), values, strict=True)
            if np.isfinite(v) and (abs(h - hour) < limit * 24 or h == hour)
        ]
        np.testing.assert_equal(value, min(near)[2] if near else np.nan)


def test_integers_and_any_order():
    data = series([48, 0, 24], [30, 10, 0], nodata=0, dtype=np.uint8)
    plain = P["resample_cube_temporal"](data, series([25, 12, 100]))
    assert plain.dtype == np.uint8
    assert plain.values.tolist() == [0, 10, 30]
    valid = P["resample_cube_temporal"](data, series([25, 12, 100]), valid_within=2)
    assert valid.dtype == np.uint8
    assert valid.values.tolist() == [30, 10, 0]
    unmarked = P["resample_cube_temporal"](data.drop_attrs(deep=False), series([1000]), valid_within=2)
    assert unmarked.values.tolist() == [unmarked.attrs["nodata"]]


def test_several_dimensions_and_their_names():
    data = series([0, 24]).expand_dims(u=series([0, 48], dim="u").u)
    target = series([1]).expand_dims(u=series([47, 0], dim="u").u)
    both = P["resample_cube_temporal"](data, target)
    assert both.sizes == {"u": 2, "t": 1}
    assert P["resample_cube_temporal"](data, target, "u").sizes == {"u": 2, "t": 2}
    with pytest.raises(errors.DimensionNotAvailable, match="no dimension 'z'"):
        P["resample_cube_temporal"](data, target, "z")
    with pytest.raises(errors.DimensionNotAvailable, match="target has no dimension 'u'"):
        P["resample_cube_temporal"](data, series([0]), "u")
    with pytest.raises(errors.DimensionMismatch, match="same name in both"):
        P["resample_cube_temporal"](data, series([0], dim="time"))
    other = xr.DataArray([1], dims=("t",), coords={"t": ("t", ["a"], {"type": "other"})})
    with pytest.raises(errors.DimensionMismatch, match="of target is not temporal"):
        P["resample_cube_temporal"](data, other, "t")


def test_calendars_do_not_mix():
    times = xr.date_range("2020-01-01", periods=3, calendar="360_day", use_cftime=True).values
    odd = xr.DataArray([1, 2, 3], dims=("t",), coords={"t": ("t", times, {"type": "temporal"})})
    assert P["resample_cube_temporal"](odd, odd.isel(t=[2, 0])).values.tolist() == [3, 1]
    with pytest.raises(errors.DimensionMismatch, match="calendar '360_day' in data and 'standard'"):
        P["resample_cube_temporal"](odd, series([0]))


@pytest.mark.parametrize("limit", [None, 20])
def test_time_is_lazy_and_the_same_for_any_chunks(limit, cube):
    target = series([24 * d for d in (886, 900, 880)])
    eager = P["resample_cube_temporal"](cube, target, valid_within=limit)
    assert eager.sizes["t"] == 3
    assert eager.attrs["nodata"] == 0
    for chunks in ({"t": 1, "x": 3}, {"t": -1}):
        with dask.config.set(scheduler=refuse):
            lazy = P["resample_cube_temporal"](cube.chunk(chunks), target, valid_within=limit)
        assert isinstance(lazy.data, da.Array)
        xr.testing.assert_identical(lazy.compute(scheduler="synchronous"), eager)


def test_coordinates_of_few_digits_tell_the_grid_of_long_axes():
    """961 rows of a twelfth of a degree as float32: in that arithmetic the last edge would be off by half a cell."""
    y = np.linspace(-80, 0, 961).astype("float32")
    x = np.linspace(-180 + 1 / 24, 180 - 1 / 24, 4320).astype("float32")
    cube = xr.DataArray(np.zeros((961, 4320), "uint8"), dims=("y", "x"), attrs={"crs": 4326}, coords={
        "y": ("y", y, {"type": "spatial", "axis": "y", "reference_system": 4326}),
        "x": ("x", x, {"type": "spatial", "axis": "x", "reference_system": 4326}),
    })  # fmt: skip
    grid = places.grid(cube)
    assert grid.resolution.y == pytest.approx(80 / 960, rel=1e-8)
    assert grid.resolution.x == pytest.approx(1 / 12, rel=1e-7)
