"""`run_udf` on cubes and in child graphs, against xarray and pandas: values, labels, metadata, laziness, any chunks."""

from __future__ import annotations

import dask
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from engine.execute.udf.confinement import why_not
from engine.execute.world import Within
from engine.graph.parse import parse
from engine.kernel.callback import Callback
from engine.settings import Settings
from processes import REGISTRY
from tests.processes.cubes.conftest import make_cube

P = {name: p.fn for name, p in REGISTRY.items()}
MODE = "sandbox" if why_not() is None else "trusted"  # the code of these tests is our own
WORLD = Within(Settings(udf=MODE), "tests of run_udf")

VALUES = np.random.default_rng(5).integers(1, 3000, (3, 2, 6, 8)).astype(np.uint16)
VALUES[0, 0, 0, 0] = VALUES[1, 1, 5, 7] = 0
FLOATS = np.where(VALUES == 0, np.nan, VALUES).astype(np.float32)

CODE = '''
from openeo.udf import XarrayDataCube, inspect

def ndvi(cube, context):
    """The way of the client's own examples."""
    array = cube.get_array()
    nir, red = array.sel(bands="B08"), array.sel(bands="B04")
    return XarrayDataCube((nir - red) / (nir + red))

def smooth(cube, context):
    return cube.rolling(t=context["window"], center=True, min_periods=1).mean()

def reduce(cube, context):
    return cube.max("t") - cube.min("t")

def stretch(cube, context):
    return (cube - cube.min(["y", "x"])) / (cube.max(["y", "x"]) - cube.min(["y", "x"]))

def statistics(cube, context):
    return cube.mean(["y", "x"])

def bands(cube, context):
    made = xr.concat([cube.sel(bands=["B08"]), cube.mean("bands").expand_dims(bands=["brightness"])], "bands")
    return made.transpose("bands", "t", "y", "x")

def months(cube, context):
    return cube.groupby("t.month").mean()

def where(cube, context):
    """Labels and metadata come with each block."""
    assert cube.x.attrs["axis"] == "x" and cube.t.dtype.kind == "M", cube
    assert cube.bands.attrs["bands"][1]["common_name"] == "nir"
    assert int(cube.spatial_ref) == 32632 and "crs_wkt" in cube.spatial_ref.attrs
    return cube * 0 + cube.x + cube.y

def bare(cube, context):
    return cube.values * 2

def booleans(cube, context):
    return cube > 1500

def integers(cube, context):
    made = cube.fillna(0).astype("int16")
    made.attrs["nodata"] = 0
    return made

def wobbly(cube, context):
    return cube if float(cube.max()) > 1 else cube.mean("bands")

def coarser(cube, context):
    return cube.coarsen(x=2).mean()

def texts(cube, context):
    return cube.astype(str)

def nothing(cube, context):
    cube * 2

def series(data, context):
    return data.mean("t") + context["plus"]

def labels(data, context):
    day = xr.DataArray(data.t.dt.dayofyear.values, dims="t")
    return (data * day).sum("t")

def picked(data, context):
    return data.sel(bands="B08") - data.sel(bands="B04")

def quarters(data, context):
    return data.quantile([0.25, 0.75], "t")

def cells(data, context):
    return data ** 2

def lost(data, context):
    return data.mean()

def wrapped(cube, context):
    inner(cube)

def inner(cube):
    raise ValueError("no such thing: " + "snow")

def apply_datacube(cube, context):
    context = context or {}
    fn = globals()[context["fn"]]
    return fn(XarrayDataCube(cube) if fn is ndvi else cube, context)
'''


def cube(chunks=None, values=VALUES, nodata=0):
    made = make_cube(values, nodata=nodata)
    return made if chunks is None else made.chunk(chunks)


def udf(data, fn, code=CODE, **context):
    return P["run_udf"](data, code, "Python", None, {"fn": fn, **context}, world=WORLD)


def child(name):
    arguments = {
        "data": {"from_parameter": name},
        "udf": CODE,
        "runtime": "Python",
        "context": {"from_parameter": "context"},
    }
    return Callback(
        parse({"udf": {"process_id": "run_udf", "arguments": arguments, "result": True}}),
        (name, "context"),
        world=WORLD,
    )


CHUNKS = {"numpy": None, "blocks": {"t": 1, "bands": 1, "y": 4, "x": 3}, "whole": -1}
SEEN = xr.DataArray(FLOATS, make_cube(FLOATS).coords)
MONTHS = SEEN.groupby("t.month").mean()
TWINS = {
    "ndvi": (SEEN.sel(bands="B08") - SEEN.sel(bands="B04")) / (SEEN.sel(bands="B08") + SEEN.sel(bands="B04")),
    "smooth": SEEN.rolling(t=3, center=True, min_periods=1).mean(),
    "reduce": SEEN.max("t") - SEEN.min("t"),
    "bands": xr.concat(
        [SEEN.sel(bands=["B08"]), SEEN.mean("bands").expand_dims(bands=["brightness"])], "bands"
    ),
    "months": MONTHS,
    "where": SEEN * 0 + SEEN.x + SEEN.y,
    "bare": SEEN * 2,
    "booleans": SEEN > 1500,
    "statistics": SEEN.mean(["y", "x"]),
}


@pytest.mark.parametrize("chunks", CHUNKS.values(), ids=CHUNKS)
def test_cubes_against_xarray(chunks):
    for fn, expected in TWINS.items():
        with dask.config.set(scheduler=computes_not):
            made = udf(cube(chunks), fn, window=3)
        assert dask.is_dask_collection(made.data) == (chunks is not None), fn
        assert set(made.dims) == set(expected.dims), fn
        computed = made.compute(scheduler="threads")
        assert computed.dtype == expected.dtype, fn
        np.testing.assert_allclose(computed.transpose(*expected.dims), expected, rtol=1e-6, err_msg=fn)
        for dim in expected.dims:
            assert made[dim].values.tolist() == expected[dim].values.tolist(), (fn, dim)


def computes_not(*_, **__):
    raise AssertionError("a process computed something")


def test_metadata_stays():
    made = udf(cube(CHUNKS["blocks"]), "bands")
    assert made.dims == ("bands", "t", "y", "x")
    assert made.bands.attrs["type"] == "bands"
    assert [b["name"] for b in made.bands.attrs["bands"]] == ["B08", "brightness"]
    assert made.bands.attrs["bands"][0]["common_name"] == "nir"
    for dim in ("t", "y", "x"):
        assert made[dim].attrs == cube()[dim].attrs
    assert made.odc.crs == cube().odc.crs
    assert np.isnan(made.attrs["nodata"])


def test_integers_with_a_value_for_no_data():
    made = udf(cube(CHUNKS["blocks"]), "integers")
    assert made.dtype == np.int16
    assert made.attrs["nodata"] == 0
    assert (made.compute().values == VALUES).all()


def test_integers_without_no_data_stay_integers():
    made = udf(cube(values=VALUES.astype(np.int32), nodata=None), "bare")
    assert made.dtype == np.int32
    assert (made.values == VALUES.astype(np.int32) * 2).all()


@pytest.mark.parametrize("chunks", CHUNKS.values(), ids=CHUNKS)
def test_child_graphs_against_xarray(chunks):
    days = xr.DataArray(SEEN.t.dt.dayofyear.values, dims="t")
    for process, fn, more, expected in [
        ("reduce_dimension", "series", {"dimension": "t"}, SEEN.mean("t") + 7),
        ("reduce_dimension", "labels", {"dimension": "t"}, (SEEN * days).sum("t")),
        ("reduce_dimension", "picked", {"dimension": "bands"}, SEEN.sel(bands="B08") - SEEN.sel(bands="B04")),
        ("apply_dimension", "smooth", {"dimension": "t"}, SEEN.rolling(t=3, center=True, min_periods=1).mean()),
        ("apply_dimension", "quarters", {"dimension": "t", "target_dimension": "q"}, SEEN.quantile([0.25, 0.75], "t").rename(quantile="q")),
        ("apply", "cells", {}, SEEN**2),
    ]:  # fmt: skip
        callback = child("x" if process == "apply" else "data")
        with dask.config.set(scheduler=computes_not):
            made = P[process](cube(chunks), callback, **more, context={"fn": fn, "plus": 7, "window": 3})
        computed = made.compute(scheduler="threads")
        assert set(computed.dims) == set(expected.dims), fn
        np.testing.assert_allclose(
            computed.transpose(*expected.dims).values, expected.values, rtol=1e-5, err_msg=fn
        )


def test_series_of_pandas():
    code = """
def apply_timeseries(series: pd.Series, context: dict) -> pd.Series:
    return series.interpolate("time", limit_direction="both") + context["plus"]
"""
    made = udf(cube(CHUNKS["blocks"]), "", code, plus=1).compute()
    flat = SEEN.transpose(..., "t").values.reshape(-1, 3).astype(np.float32)
    index = pd.DatetimeIndex(SEEN.t.values)
    twin = [pd.Series(row, index=index).interpolate("time", limit_direction="both") + 1 for row in flat]
    np.testing.assert_allclose(made.transpose(..., "t").values.reshape(-1, 3), np.array(twin), rtol=1e-6)


def test_vector_cubes():
    pytest.importorskip("geopandas")
    import shapely

    geometry = (
        "geometry",
        [shapely.Point(0, 0).buffer(r) for r in (1, 2)],
        {"type": "geometry", "crs": 32632},
    )
    vectors = xr.DataArray(
        [[1.0, 2.0], [3.0, 4.0]],
        dims=("geometry", "bands"),
        coords={
            "geometry": geometry,
            "bands": ("bands", ["a", "b"], {"type": "bands"}),
            "id": ("geometry", ["p", "q"]),
        },
    )
    code = """
def apply_vectorcube(geometries, cube, context):
    assert list(geometries["id"]) == ["p", "q"] and geometries.crs.to_epsg() == 32632
    return geometries, cube * xr.DataArray(geometries.area.values, dims="geometry")
"""
    made = udf(vectors, "", code)
    np.testing.assert_allclose(
        made, vectors * np.array([[shapely.Point(0, 0).buffer(r).area] for r in (1, 2)])
    )
    assert made.geometry.values[1].equals(vectors.geometry.values[1])
    assert made["id"].values.tolist() == ["p", "q"]
