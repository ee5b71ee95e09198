"""JSON, GeoJSON and CSV against the standard library, pandas and geopandas."""

from __future__ import annotations

import json
import math
from datetime import datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest
import shapely
import xarray as xr

from engine.errors import Problem
from engine.write import plain, write


def strict(path):
    """JSON without the words that JSON does not have."""

    def refuse(word):
        raise AssertionError(f"{word} is no JSON")

    return json.loads(path.read_text(), parse_constant=refuse)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (3, 3),
        (2**60, 2**60),
        (0.1, 0.1),
        (math.nan, None),
        (-math.inf, None),
        ("NaN", "NaN"),
        ([1, math.nan, [None, "é"]], [1, None, [None, "é"]]),
        ({"a": {"b": (1, 2)}, "c": np.float32(0.5)}, {"a": {"b": [1, 2]}, "c": 0.5}),
        (np.array([[1, 2]], dtype="uint8"), [[1, 2]]),
        (np.datetime64("2022-06-01T12:00:00.500", "ns"), "2022-06-01T12:00:00.5Z"),
        (np.datetime64("NaT"), None),
        (datetime(2022, 6, 1, 2, tzinfo=timezone(timedelta(hours=2))), "2022-06-01T00:00:00Z"),
        (shapely.Point(1, 2), {"type": "Point", "coordinates": [1, 2]}),
        (xr.DataArray(np.int16(7)), 7),
        (xr.DataArray(np.nan), None),
        (xr.DataArray(np.uint8(255), attrs={"logical": True, "nodata": 255}), None),
    ],
)
def test_plain_values(stream, tmp_path, value, expected):
    write(value, tmp_path / "out.json", stream=stream)
    assert strict(tmp_path / "out.json") == expected


@pytest.mark.parametrize(("value", "told"), [(math.nan, True), ([1, [math.inf]], True), ([1, None], False)])
def test_a_lost_nan_is_told_in_the_item(stream, tmp_path, value, told):
    written = write(value, tmp_path / "out.json", stream=stream)
    words = written.item["assets"]["data"].get("description", "")
    assert ("NaN" in words) is told


@pytest.mark.parametrize("dtype", ["float32", "int16", "bool"])
@pytest.mark.parametrize("dims", [("t", "bands", "y", "x"), ("x", "y"), ("bands",)])
def test_cubes(make_cube, stream, tmp_path, dtype, dims):
    cube = make_cube(
        dims=dims, dtype=dtype, nodata=5 if dtype == "int16" else None, chunks=dict.fromkeys(dims, 17)
    )
    write(cube, tmp_path / "out.json", stream=stream)
    read = strict(tmp_path / "out.json")
    assert (read["dims"], read["shape"]) == ([*dims], [*cube.shape])
    cells = np.array(read["data"], dtype=object)
    missing = np.equal(cells, None)
    truth = cube.isnull().values if dtype == "float32" else cube.values == cube.attrs.get("nodata", 1000)
    np.testing.assert_array_equal(missing, truth)
    np.testing.assert_array_equal(cells[~missing].astype(dtype), cube.values[~truth])
    for dim in {*dims} & {"x", "y"}:
        np.testing.assert_array_equal(read["coords"][dim], cube[dim])
    if "t" in dims:
        assert read["coords"]["t"][1] == "2022-06-11T10:15:30Z"
    if "x" in dims:
        assert read["crs"] == "EPSG:32632"


def test_labelled_arrays_of_text(stream, tmp_path):
    value = xr.DataArray(np.array(["a", None], dtype=object), dims="bands", coords={"bands": ["B1", "B2"]})
    write(value, tmp_path / "out.json", stream=stream)
    read = strict(tmp_path / "out.json")
    assert (read["coords"], read["data"]) == ({"bands": ["B1", "B2"]}, ["a", None])


def test_infinity_in_a_cube_is_told(make_cube, stream, tmp_path):
    cube = make_cube(dims=("y", "x"), values=np.full((40, 50), np.inf))
    written = write(cube, tmp_path / "out.json", stream=stream)
    assert "infinity" in written.item["assets"]["data"]["description"]


@pytest.mark.parametrize("name", ["out.json", "out.csv", "out.geojson"])
def test_large_cubes_are_refused_before_they_are_streamed(
    make_cube, make_vector, stream, tmp_path, monkeypatch, name
):
    monkeypatch.setattr(plain, "LARGEST", 11)

    def unused(cube):
        raise AssertionError("streamed")

    cube = make_vector() if name == "out.geojson" else make_cube()
    with pytest.raises(Problem, match="up to 11 cells") as caught:
        write(cube, tmp_path / name, stream=unused)
    assert caught.value.code == "FormatUnsuitable"
    assert "netCDF" in caught.value.hint
    assert caught.value.facts["cells"] == cube.size


def test_geojson(make_vector, stream, tmp_path):
    cube = make_vector().chunk({"t": 1, "geometry": 2})
    write(cube, tmp_path / "out.geojson", stream=stream)
    read = strict(tmp_path / "out.geojson")
    first, second, third = read["features"]
    assert first["properties"] == {
        "name": "north", "area": 1.5, "2022-06-01_B04": 0, "2022-06-01_B08": 1,
        "2022-06-11T10:15:30Z_B04": 2, "2022-06-11T10:15:30Z_B08": 3,
    }  # fmt: skip
    assert second["properties"]["2022-06-01_B04"] is None
    assert third["properties"]["name"] is None
    assert third["properties"]["area"] is None


def test_geojson_against_geopandas(make_vector, stream, tmp_path):
    """Another reader finds the same shapes in the same place, outer rings counterclockwise."""
    geopandas = pytest.importorskip("geopandas")
    cube = make_vector()
    write(cube, tmp_path / "out.geojson", stream=stream)
    truth = geopandas.GeoSeries(cube.geometry.values, crs=32632).to_crs(4326)
    features = strict(tmp_path / "out.geojson")["features"]
    found = [shapely.geometry.shape(feature["geometry"]) for feature in features]
    assert shapely.equals_exact(shapely.normalize(found), shapely.normalize(truth.values), 1e-9).all()
    assert all(shape.exterior.is_ccw for shape in found)


def test_geojson_precision_and_missing_geometry(make_vector, stream, tmp_path):
    cube = make_vector()
    cube.geometry.values[1] = None
    write(cube, tmp_path / "out.geojson", stream=stream, options={"coordinate_precision": 3})
    features = strict(tmp_path / "out.geojson")["features"]
    assert features[1]["geometry"] is None
    ring = np.array(features[0]["geometry"]["coordinates"][0])
    np.testing.assert_array_equal(ring, np.round(ring, 3))


def test_geojson_takes_vector_cubes_with_a_crs(make_cube, make_vector, stream, tmp_path):
    with pytest.raises(Problem, match="vector cubes"):
        write(make_cube(), tmp_path / "out.geojson", stream=stream)
    cube = make_vector()
    del cube.geometry.attrs["crs"]
    with pytest.raises(Problem, match="what CRS they have"):
        write(cube, tmp_path / "out.geojson", stream=stream)


def test_csv_of_a_vector_cube(make_vector, stream, tmp_path):
    cube = make_vector().chunk({"t": 1, "geometry": 2})
    write(cube, tmp_path / "out.csv", stream=stream, options={"geometry": "as_wkt"})
    read = pd.read_csv(tmp_path / "out.csv")
    assert [*read.columns] == ["feature_index", "name", "area", "geometry", "t", "B04", "B08"]
    assert len(read) == 6
    truth = cube.transpose("geometry", "t", "bands").values.reshape(6, 2)
    np.testing.assert_array_equal(read[["B04", "B08"]].values, truth)
    np.testing.assert_array_equal(read.feature_index, [0, 0, 1, 1, 2, 2])
    assert shapely.equals(shapely.from_wkt(read.geometry[2]), cube.geometry.values[1])
    np.testing.assert_array_equal(
        pd.to_datetime(read.t[:2], format="ISO8601", utc=True).dt.tz_localize(None), cube.t
    )


def test_csv_of_a_series(make_cube, stream, tmp_path):
    cube = make_cube(dims=("bands", "t"), dtype="int16", nodata=5, name="ndvi")
    cube[0, 1] = 5
    write(cube, tmp_path / "out.csv", stream=stream, options={"separator": "SEMICOLON"})
    read = pd.read_csv(tmp_path / "out.csv", sep=";")
    assert [*read.columns] == ["t", "B04", "B08"]
    np.testing.assert_array_equal(
        read[["B04", "B08"]].values, cube.transpose("t", "bands").where(cube.T != 5)
    )
    assert (tmp_path / "out.csv").read_text().splitlines()[2].startswith("2022-06-11T10:15:30Z;;")


def test_csv_quotes_and_logical(stream, tmp_path):
    value = xr.DataArray(
        np.array([0, 1, 255], dtype="uint8"), dims="class", name="class",
        coords={"class": ['a "b"', "c,d", "e"]}, attrs={"logical": True, "nodata": 255},
    )  # fmt: skip
    write(value, tmp_path / "out.csv", stream=stream)
    read = pd.read_csv(tmp_path / "out.csv")
    assert [*read["class"]] == ['a "b"', "c,d", "e"]
    assert [*read["value_class"].iloc[:2]] == [False, True]
    assert read["value_class"].isna()[2]


def test_csv_takes_cubes_only(stream, tmp_path):
    with pytest.raises(Problem, match="at least one dimension") as caught:
        write([1, 2], tmp_path / "out.csv", stream=stream)
    assert "JSON would do" in caught.value.hint


def test_complex_numbers_are_refused(stream, tmp_path):
    with pytest.raises(Problem, match="no complex numbers"):
        write(xr.DataArray(np.ones(2, dtype="complex64"), dims="t"), tmp_path / "out.json", stream=stream)


def test_text_that_differs_is_not_published(make_cube, stream, tmp_path, left_in, monkeypatch):
    from engine.write import text

    real = text.sha256

    def spoil(path):
        if path.suffix == ".csv":
            data = bytearray(path.read_bytes())
            data[-2] ^= 1
            path.write_bytes(data)
        return real(path)

    monkeypatch.setattr(text, "sha256", spoil)
    with pytest.raises(Problem, match="did not read back"):
        write(make_cube(dims=("t",)), tmp_path / "out.csv", stream=stream)
    assert left_in(tmp_path) == []
