"""Cubes to write, and a stream that gives their blocks one at a time, in no order."""

from __future__ import annotations

import os
import random
from pathlib import Path

import dask
import numpy as np
import pytest
import shapely
import xarray as xr
from dask.array.core import slices_from_chunks
from pyproj import CRS

SIZES = {"t": 3, "bands": 2, "y": 40, "x": 50}
TIMES = np.array(["2022-06-01", "2022-06-11T10:15:30", "2022-06-21"], dtype="datetime64[ns]")
BANDS = [
    {"name": "B04", "common_name": "red", "center_wavelength": 0.665},
    {"name": "B08", "common_name": "nir", "center_wavelength": 0.842},
    {"name": "B02", "common_name": "blue"},
    {"name": "B03", "common_name": "green"},
]


def blocks(cube):
    """Every chunk of a cube, computed on its own, shuffled."""
    if cube.chunks is None:
        yield tuple(slice(0, size) for size in cube.shape), np.asarray(cube.values)
        return
    indexes = slices_from_chunks(cube.chunks)
    random.Random(7).shuffle(indexes)
    for index in indexes:
        (block,) = dask.compute(cube.data[index], scheduler="synchronous")
        yield index, np.asarray(block)
        del block


def raster(
    dims=("t", "bands", "y", "x"),
    dtype="float32",
    chunks=None,
    sizes=None,
    values=None,
    crs="EPSG:32632",
    resolution=10.0,
    origin=(500_000.0, 5_200_000.0),
    nodata=None,
    flip_y=False,
    flip_x=False,
    times=TIMES,
    name=None,
):
    """A raster cube with the attributes that every cube has; values are random, a tenth of them no-data."""
    lengths = {**SIZES, **(sizes or {})}
    shape = tuple(lengths[dim] for dim in dims)
    if values is None:
        values = random_values(np.random.default_rng(3), shape, np.dtype(dtype), nodata)
    coords = {}
    if "t" in dims:
        coords["t"] = ("t", times[: lengths["t"]], {"type": "temporal"})
    if "bands" in dims:
        meta = BANDS[: lengths["bands"]]
        coords["bands"] = ("bands", [band["name"] for band in meta], {"type": "bands", "bands": meta})
    if "x" in dims:
        steps = {"x": (origin[0], resolution), "y": (origin[1], -resolution)}
        for axis, (start, step) in steps.items():
            labels = start + step * (np.arange(lengths[axis]) + 0.5)
            attrs = {"type": "spatial", "axis": axis, "resolution": step}
            coords[axis] = (axis, labels, {**attrs, "reference_system": CRS(crs).to_epsg()})
        wkt = CRS(crs).to_wkt()
        geo_transform = f"{origin[0]} {resolution} 0 {origin[1]} 0 {-resolution}"
        attrs = {"crs_wkt": wkt, "spatial_ref": wkt, "GeoTransform": geo_transform}
        coords["spatial_ref"] = ((), 0, attrs)
    cube = xr.DataArray(values, dims=dims, coords=coords, name=name)
    if flip_y:
        cube = cube.isel(y=slice(None, None, -1))
    if flip_x:
        cube = cube.isel(x=slice(None, None, -1))
    if nodata is not None:
        cube.attrs["nodata"] = nodata
    return cube.chunk(chunks) if chunks else cube


def random_values(rng, shape, dtype, nodata):
    """Random values of a type, a tenth of them no-data."""
    holes = rng.random(shape) < 0.1
    if dtype.kind == "f":
        return np.where(holes, np.nan, rng.normal(100, 30, shape)).astype(dtype)
    if dtype.kind == "b":
        return rng.random(shape) < 0.5
    values = rng.integers(0, 120, shape).astype(dtype)
    if nodata is not None:
        values[holes] = nodata
    return values


def vector(crs=32632, times=2, bands=2, dim="geometry"):
    """A vector cube: three squares with a name and an area, values by time and band."""
    squares = [shapely.box(500_000 + 100 * i, 5_200_000, 500_050 + 100 * i, 5_200_050) for i in range(3)]
    shapes = np.empty(3, dtype=object)
    shapes[:] = squares
    meta = BANDS[:bands]
    values = np.arange(3 * times * bands, dtype="float64").reshape(3, times, bands)
    values[1, 0, 0] = np.nan
    return xr.DataArray(
        values,
        dims=(dim, "t", "bands"),
        coords={
            dim: (dim, shapes, {"type": "geometry", "crs": crs}),
            "t": ("t", TIMES[:times], {"type": "temporal"}),
            "bands": ("bands", [band["name"] for band in meta], {"type": "bands", "bands": meta}),
            "name": (dim, np.array(["north", "søuth", None], dtype=object)),
            "area": (dim, [1.5, 2.5, np.nan]),
        },
    )


@pytest.fixture(scope="session")
def stream():
    return blocks


@pytest.fixture(scope="session")
def make_cube():
    return raster


@pytest.fixture(scope="session")
def make_vector():
    return vector


@pytest.fixture(scope="session")
def left_in():
    """What lies in a folder and below, hidden or not."""
    return lambda folder: sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.fixture(scope="session")
def shared_data():
    """The folder of real data, where there is one."""
    folder = Path(os.environ.get("GDC_TEST_DATA", Path(__file__).parents[3] / ".." / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"the shared test data is not at {folder}")
    return folder


@pytest.fixture(
    scope="session",
    params=["out.tif", "out.nc", "out.zarr", "out.png", "out.json", "out.geojson", "out.csv", "out.parquet"],
)
def any_result(request):
    """A file name of every format with a value that fits, lazy and in many blocks."""
    if request.param in ("out.tif", "out.png"):
        bands = 1 if request.param == "out.png" else 2
        return request.param, raster(sizes={"bands": bands}, chunks={"t": 2, "bands": 1, "y": 20})
    if request.param in ("out.geojson", "out.csv", "out.parquet"):
        return request.param, vector().chunk({"t": 1})
    return request.param, raster(chunks={"t": 2, "bands": 1, "y": 20})
