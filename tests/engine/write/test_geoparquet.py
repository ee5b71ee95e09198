"""GeoParquet against geopandas, which reads it on its own."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
import shapely
import xarray as xr

from engine.errors import Problem
from engine.write import write

pytest.importorskip("pyarrow", reason="GeoParquet needs pyarrow")
geopandas = pytest.importorskip("geopandas", reason="the twin is geopandas")


@pytest.fixture
def zones():
    """Means of two fields on two dates, one of them without data."""
    shapes = np.array(
        [shapely.box(675000, 5146000, 675100, 5146100), shapely.Point(675200, 5146200)], dtype=object
    )
    times = np.array(["2022-06-01", "2022-06-11"], dtype="datetime64[ns]")
    return xr.DataArray(
        [[0.5, np.nan], [0.25, 0.75]],
        dims=("geometry", "t"),
        coords={
            "geometry": ("geometry", shapes, {"type": "geometry", "crs": 32632}),
            "t": ("t", times, {"type": "temporal"}),
            "name": ("geometry", np.array(["a", "b"], dtype=object)),
            "mixed": ("geometry", np.array(["a", 1], dtype=object)),
        },
    )


@pytest.mark.parametrize("chunks", [None, {"t": 1}])
def test_geopandas_reads_the_same(zones, stream, tmp_path, chunks):
    cube = zones if chunks is None else zones.chunk(chunks)
    written = write(cube, tmp_path / "zones.parquet", stream=stream)
    frame = geopandas.read_parquet(tmp_path / "zones.parquet")
    assert frame.crs.to_epsg() == 32632
    assert frame.geometry.tolist() == zones.geometry.values.tolist()
    assert frame["name"].tolist() == ["a", "b"]
    assert frame["mixed"].tolist() == ["a", "1"]
    np.testing.assert_array_equal(frame["2022-06-01"], [0.5, 0.25])
    assert frame["2022-06-11"].isna().tolist() == [True, False]
    assert written.item["assets"]["data"]["type"] == "application/vnd.apache.parquet"


def test_metadata(zones, stream, tmp_path):
    from pyarrow import parquet

    write(zones, tmp_path / "zones.geoparquet", stream=stream, options={"compression": "NONE"})
    geo = json.loads(parquet.read_schema(tmp_path / "zones.geoparquet").metadata[b"geo"])
    assert geo["version"] == "1.1.0"
    assert geo["columns"]["geometry"]["geometry_types"] == ["Point", "Polygon"]
    assert geo["columns"]["geometry"]["bbox"] == [675000, 5146000, 675200, 5146200]


def test_raster_cubes_are_refused(stream, tmp_path):
    raster = xr.DataArray(np.zeros((2, 2)), dims=("y", "x"))
    with pytest.raises(Problem, match="vector cubes") as caught:
        write(raster, tmp_path / "a.parquet", stream=stream)
    assert caught.value.code == "FormatUnsuitable"


def test_without_pyarrow_it_says_so(zones, stream, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(Problem, match="needs the package pyarrow") as caught:
        write(zones, tmp_path / "a.parquet", stream=stream)
    assert "geodatacube[parquet]" in caught.value.hint
    assert list(tmp_path.iterdir()) == []
