"""Values of zones: booleans stay booleans up to the files, user code as a reducer, counts beside values."""

from __future__ import annotations

import csv
import json

import dask
import dask.array as da
import geopandas
import numpy as np
import pytest
import shapely
import xarray as xr

from engine.execute.udf.confinement import why_not
from engine.execute.world import Within
from engine.graph.parse import parse
from engine.kernel.callback import Callback
from engine.settings import Settings
from tests.end_to_end.graphs import child as graph_of
from tests.end_to_end.graphs import node, param
from tests.processes.cubes.conftest import make_cube
from tests.processes.cubes.test_cubes import MEAN, P, nulls, refuse

CORNER = (675_000.0, 5_156_000.0)
VALUES = np.arange(96).reshape(1, 2, 6, 8).astype(np.uint16)  # B04: 0 to 47, B08: 48 to 95; 0 is no-data
ABOVE = {
    "marks": node("array_apply", data=param("data"), process=graph_of(n=node("gt", x=param("x"), y=80))),
    "any": node("any", data={"from_node": "marks"}, result=True),
}
NAMES = ["corner", "last", "far away"]


def box(rows, columns):
    """The cells of these rows and columns, first and last, in the CRS of the cube."""
    west, north = CORNER[0] + 10 * columns[0], CORNER[1] - 10 * rows[0]
    return shapely.box(west, CORNER[1] - 10 * (rows[1] + 1), CORNER[0] + 10 * (columns[1] + 1), north)


SHAPES = [box((0, 2), (0, 2)), box((4, 5), (6, 7)), shapely.box(0, 0, 10, 10)]
ZONES = {
    "type": "FeatureCollection",
    "crs": {"type": "name", "properties": {"name": "EPSG:32632"}},
    "features": [
        {"type": "Feature", "properties": {"name": name}, "geometry": shapely.geometry.mapping(shape)}
        for name, shape in zip(NAMES, SHAPES, strict=True)
    ],
}
CELLS = [VALUES[0][:, :3, :3].reshape(2, -1), VALUES[0][:, 4:, 6:].reshape(2, -1)]


@pytest.fixture(params=[None, {"y": 4, "x": 3}], ids=["numpy", "blocks"])
def cube(request):
    made = make_cube(VALUES, nodata=0)
    return made if request.param is None else made.chunk(request.param)


def callback(nodes, **given):
    return Callback(parse(nodes), ("data", "context"), **given)


# ----------------------------------------------------------------------------------------- booleans
def test_booleans_of_zones_are_booleans(cube):
    result = P["aggregate_spatial"](cube, ZONES, callback(ABOVE))
    assert result.attrs["logical"]
    assert result.dtype == np.uint8
    expected = [[int((c > 80).any()) for c in cells] for cells in CELLS] + [[255, 255]]
    assert result.values[:, 0].tolist() == expected == [[0, 0], [0, 1], [255, 255]]


def test_booleans_that_are_chosen_stay_booleans(cube):
    marks = P["apply"](
        cube, Callback(parse({"n": node("gt", x=param("x"), y=80, result=True)}), ("x", "context"))
    )
    first = callback({"n": node("first", data=param("data"), ignore_nodata=False, result=True)})
    result = P["aggregate_spatial"](marks, ZONES, first)
    assert result.attrs["logical"]
    assert result.values[:, 0].tolist() == [[255, 0], [0, 1], [255, 255]]


def test_numbers_of_zones_are_floats(cube):
    greatest = callback({"n": node("max", data=param("data"), result=True)})
    result = P["aggregate_spatial"](cube, ZONES, greatest)
    assert result.dtype.kind == "f"
    assert "logical" not in result.attrs
    np.testing.assert_array_equal(result.values[:, 0], [*[c.max(axis=1) for c in CELLS], [np.nan, np.nan]])


def test_beside_counts_booleans_are_numbers(cube):
    result = P["aggregate_spatial"](cube, ZONES, callback(ABOVE), target_dimension="count")
    assert "logical" not in result.attrs
    assert result.values[1, 0].tolist() == [[0, 4, 4], [1, 4, 4]]
    assert result.values[0, 0].tolist() == [[0, 9, 8], [0, 9, 9]]
    assert result.values[2, 0, :, 1:].tolist() == [[0, 0], [0, 0]]
    assert np.isnan(result.values[2, 0, :, 0]).all()


@pytest.fixture
def saved(cube, session, tmp_path):
    """A file of the booleans of zones."""

    def save(name):
        graph = {
            "zones": node(
                "aggregate_spatial",
                data=param("cube"),
                geometries=ZONES,
                reducer={"process_graph": ABOVE},
                result=True,
            )
        }
        session.save(graph, tmp_path / name, {"cube": cube})
        return tmp_path / name

    return save


BY_BAND = {"B04": [False, False, None], "B08": [False, True, None]}


def test_json_has_true_false_and_null(saved):
    found = json.loads(saved("zones.json").read_text())["data"]
    expected = [[[a, b]] for a, b in zip(*BY_BAND.values(), strict=True)]
    assert json.dumps(found) == json.dumps(expected)  # as text: 1.0 is equal to true


def test_geojson_has_true_false_and_null(saved):
    features = json.loads(saved("zones.geojson").read_text())["features"]
    assert [f["properties"]["name"] for f in features] == NAMES
    for band, expected in BY_BAND.items():
        (column,) = (k for k in features[0]["properties"] if k.endswith(band))
        found = [f["properties"][column] for f in features]
        assert all(a is b for a, b in zip(found, expected, strict=True)), found


def test_csv_has_true_false_and_nothing(saved):
    rows = list(csv.DictReader(saved("zones.csv").read_text().splitlines()))
    told = {True: "true", False: "false", None: ""}
    for band, expected in BY_BAND.items():
        columns = [k for k in rows[0] if k.endswith(band)]
        if columns:  # a column for each band
            found = [row[columns[0]] for row in rows]
        else:  # a row for each band
            found = [row["value"] for row in rows if row["bands"] == band]
        assert found == [told[v] for v in expected]


def test_geoparquet_has_true_false_and_null(saved):
    frame = geopandas.read_parquet(saved("zones.parquet"))
    for band, expected in BY_BAND.items():
        (column,) = (k for k in frame.columns if k.endswith(band))
        assert [None if v is None or v != v else bool(v) for v in frame[column]] == expected
        assert set(map(type, frame[column].dropna())) <= {bool, np.bool_}


# ---------------------------------------------------------------------------------------- user code
CODE = """
import numpy as np

def apply_datacube(cube, context):
    if context["how"] == "range":
        return cube.max(cube.dims[0]) - cube.min(cube.dims[0])
    if context["how"] == "spread":
        return cube.std(cube.dims[0])
    if context["how"] == "above":
        return (cube > 80).any(cube.dims[0])
    return cube
"""
MODES = [pytest.param("trusted"), pytest.param("sandbox", marks=pytest.mark.skipif(why_not() is not None, reason="no sandbox here"))]  # fmt: skip
TWINS = {
    "range": lambda c: np.nanmax(c, axis=-1) - np.nanmin(c, axis=-1),
    "spread": lambda c: np.nanstd(c, axis=-1),
}


def user_code(mode):
    arguments = {"data": param("data"), "udf": CODE, "runtime": "Python", "context": param("context")}
    return callback(
        {"n": node("run_udf", **arguments, result=True)}, world=Within(Settings(udf=mode), "zones")
    )


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("how", "twin"), TWINS.items(), ids=TWINS)
def test_user_code_makes_one_value_of_the_cells_of_a_zone(how, twin, mode, cube):
    cells = [np.where(c == 0, np.nan, c) for c in CELLS]
    expected = np.array([*map(twin, cells), [np.nan, np.nan]])
    with dask.config.set(scheduler=refuse):
        result = P["aggregate_spatial"](cube, ZONES, user_code(mode), context={"how": how})
    assert isinstance(result.data, da.Array) == bool(cube.chunks)
    np.testing.assert_allclose(result.values[:, 0], expected, rtol=1e-6)
    assert result.dtype.kind == "f"


def test_user_code_that_gives_booleans(cube):
    result = P["aggregate_spatial"](cube, ZONES, user_code("trusted"), context={"how": "above"})
    assert result.attrs["logical"]
    assert result.values[:, 0].tolist() == [[0, 0], [0, 1], [255, 255]]


def test_user_code_on_the_plane_and_on_windows(cube):
    seen = np.where(VALUES == 0, np.nan, VALUES)
    whole = P["reduce_spatial"](cube, user_code("trusted"), context={"how": "range"})
    np.testing.assert_array_equal(nulls(whole)[0], [46, 47])
    windows = P["aggregate_spatial_window"](cube, user_code("trusted"), [4, 3], context={"how": "spread"})
    cells = seen[0].reshape(2, 2, 3, 2, 4).transpose(0, 1, 3, 2, 4).reshape(2, 2, 2, 12)
    np.testing.assert_allclose(nulls(windows)[0], np.nanstd(cells, axis=-1), rtol=1e-6)


def test_user_code_over_cells_alone():
    """A cube of nothing but the plane: the cells are its only dimension."""
    plane = make_cube(VALUES, nodata=0).isel(t=0, bands=1, drop=True)
    for given in (plane, plane.drop_attrs(deep=False).astype(np.float32)):
        result = P["aggregate_spatial"](given, ZONES, user_code("trusted"), context={"how": "range"})
        np.testing.assert_array_equal(result.values, [18, 9, np.nan])


def test_user_code_that_keeps_all_cells_is_no_reducer(cube):
    with pytest.raises(Exception, match="gives an array where one value is needed"):
        P["aggregate_spatial"](cube, ZONES, user_code("trusted"), context={"how": "none"})


def test_zones_are_the_same_in_any_blocks():
    cube = make_cube(VALUES, nodata=0)
    whole = P["aggregate_spatial"](cube, ZONES, MEAN)
    for chunks in ({"y": 1}, {"x": 1}, {"y": 4, "x": 3}, {"bands": 1}):
        xr.testing.assert_identical(P["aggregate_spatial"](cube.chunk(chunks), ZONES, MEAN).compute(), whole)
