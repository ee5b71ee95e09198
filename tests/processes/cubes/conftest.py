"""Small cubes with everything that a cube has."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from odc.geo.geobox import GeoBox
from odc.geo.xr import xr_coords


def make_cube(
    data, *, bands=("B04", "B08"), nodata=None, epsg=32632, resolution=10.0, corner=(675_000.0, 5_156_000.0)
):
    """A cube (t, bands, y, x) over this array."""
    grid = GeoBox.from_bbox(
        (
            corner[0],
            corner[1] - resolution * data.shape[2],
            corner[0] + resolution * data.shape[3],
            corner[1],
        ),
        f"epsg:{epsg}",
        resolution=resolution,
    )
    made = xr_coords(grid, dims=("y", "x"))
    times = np.array(["2022-06-01T10:16", "2022-06-11T10:16", "2022-07-01T10:16"], dtype="datetime64[ns]")[
        : data.shape[0]
    ]
    common = {"B02": "blue", "B03": "green", "B04": "red", "B08": "nir"}
    metadata = [
        {"name": b, **({"common_name": common[b], "center_wavelength": 0.4 + i / 10} if b in common else {})}
        for i, b in enumerate(bands)
    ]
    coords = {
        "t": ("t", times, {"type": "temporal"}),
        "bands": ("bands", list(bands), {"type": "bands", "bands": metadata}),
        **{
            d: (d, made[d].values, {"type": "spatial", "axis": d, "reference_system": epsg})
            for d in ("y", "x")
        },
        "spatial_ref": made["spatial_ref"],
    }
    attrs = {} if nodata is None else {"nodata": nodata}
    return xr.DataArray(data, dims=("t", "bands", "y", "x"), coords=coords, attrs=attrs)


@pytest.fixture
def cube():
    """Integers from 1 on, 0 is no-data: 3 dates, 2 bands, 6 x 8 cells."""
    values = np.random.default_rng(1).integers(0, 3000, (3, 2, 6, 8)).astype(np.uint16)
    values[0, 0, 0, 0] = 0
    return make_cube(values, nodata=0)


@pytest.fixture
def floats(cube):
    """The same as floats, NaN is no-data."""
    values = cube.values.astype(np.float32)
    values[cube.values == 0] = np.nan
    return make_cube(values)
