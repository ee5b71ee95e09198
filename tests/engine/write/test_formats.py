"""The table of formats: how one is found, how options are checked, how they are told to clients."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from engine.errors import Problem
from engine.write import FORMATS, Option, file_formats, find_format, write
from engine.write.options import json_schema, settle


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("GTiff", "GTiff"), ("gtiff", "GTiff"), ("COG", "GTiff"), ("tif", "GTiff"), ("GeoTIFF", "GTiff"),
        ("image/tiff; application=geotiff", "GTiff"), ("IMAGE/TIFF", "GTiff"), ("netcdf", "netCDF"), ("nc", "netCDF"),
        ("application/x-netcdf", "netCDF"), ("application/netcdf", "netCDF"), ("zarr", "Zarr"), ("png", "PNG"),
        ("image/png", "PNG"), ("json", "JSON"), ("application/json", "JSON"), ("GeoJSON", "GeoJSON"),
        ("application/geo+json", "GeoJSON"), ("csv", "CSV"), ("text/csv", "CSV"),
    ],
)  # fmt: skip
def test_formats_are_found_by_name(name, found):
    assert find_format(name, Path("other.xyz")).name == found


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("a.tif", "GTiff"),
        ("a.TIFF", "GTiff"),
        ("a.nc", "netCDF"),
        ("a.b.zarr", "Zarr"),
        ("a.geojson", "GeoJSON"),
    ],
)
def test_formats_are_found_by_suffix(target, found):
    assert find_format(None, Path(target)).name == found


def test_the_name_wins_over_the_suffix():
    assert find_format("PNG", Path("a.tif")).name == "PNG"


@pytest.mark.parametrize(
    ("name", "target"), [("hdf9", "a.tif"), (None, "a.xyz"), (None, "a"), (None, None), ("", None)]
)
def test_unknown_formats_are_refused_with_all_that_there_are(name, target):
    with pytest.raises(Problem) as caught:
        find_format(name, None if target is None else Path(target))
    assert caught.value.code == "FormatUnsuitable"
    assert all(known in caught.value.hint for known in FORMATS)


def test_no_two_formats_share_a_name_or_suffix():
    from engine.write.formats import _names

    names = [name for f in FORMATS.values() for name in _names(f)]
    assert len(names) == len(set(names))


def test_file_formats_is_what_openeo_asks_for():
    body = file_formats({"GTiff": {"gis_data_types": ["raster"], "parameters": {}}})
    assert {*body} == {"input", "output"}
    assert {*body["input"]} == {"GTiff"}
    for described in body["output"].values():
        assert described["title"]
        assert {*described["gis_data_types"]} <= {"raster", "vector", "table", "pointcloud", "other"}
        for schema in described["parameters"].values():
            assert schema["description"]
            assert "default" in schema


def test_option_schemas_accept_their_defaults():
    jsonschema = pytest.importorskip("jsonschema")
    for described in file_formats()["output"].values():
        for schema in described["parameters"].values():
            jsonschema.Draft7Validator.check_schema(schema)
            jsonschema.validate(schema["default"], schema)


TABLE = {
    "level": Option("integer", "Effort.", 1, minimum=1, maximum=9),
    "min": Option("number", "Low.", None),
    "kind": Option("string", "Kind.", "ZSTD", enum=("ZSTD", "NONE")),
    "size": Option("integer", "Size.", 512, enum=(256, 512)),
    "fast": Option("boolean", "Fast.", True),
}


@pytest.mark.parametrize(
    ("given", "changed"),
    [
        ({}, {}),
        (None, {}),
        ({"LEVEL": 9}, {"level": 9}),
        ({"level": 3.0}, {"level": 3}),
        ({"min": 3}, {"min": 3.0}),
        ({"min": None}, {}),
        ({"kind": "none"}, {"kind": "NONE"}),
        ({"size": 256}, {"size": 256}),
        ({"fast": False}, {"fast": False}),
    ],
)
def test_options_that_fit(given, changed):
    defaults = {"level": 1, "min": None, "kind": "ZSTD", "size": 512, "fast": True}
    assert settle("X", TABLE, given) == {**defaults, **changed}


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"levle": 3}, "no option 'levle'"),
        ({"level": 0}, "'level' must be integer from 1 to 9, not 0"),
        ({"level": 2.5}, "'level' must be integer"),
        ({"level": True}, "'level' must be integer"),
        ({"level": "3"}, "'level' must be integer"),
        ({"level": None}, "'level' must be integer"),
        ({"min": float("nan")}, "'min' must be number"),
        ({"kind": "LZ4"}, "'kind' must be one of ZSTD, NONE, not 'LZ4'"),
        ({"size": 300}, "'size' must be one of 256, 512"),
        ({"size": "256"}, "'size' must be one of 256, 512"),
        ({"fast": 1}, "'fast' must be boolean"),
        ({"a": 1, "level": 0}, "no option 'a'; option 'level'"),
    ],
)
def test_options_that_do_not_fit_are_named_with_what_would(given, word):
    with pytest.raises(Problem) as caught:
        settle("X", TABLE, given)
    assert caught.value.code == "FormatUnsuitable"
    assert word in caught.value.message
    assert all(name in caught.value.hint for name in TABLE)


def test_schemas_of_options():
    assert json_schema(TABLE["level"]) == {
        "type": "integer", "description": "Effort.", "default": 1, "minimum": 1, "maximum": 9,
    }  # fmt: skip
    assert json_schema(TABLE["min"]) == {"type": ["number", "null"], "description": "Low.", "default": None}


def test_wrong_options_are_told_before_anything_is_streamed(make_cube, tmp_path):
    def unused(cube):
        raise AssertionError("streamed")

    with pytest.raises(Problem, match="no option 'quality'"):
        write(make_cube(), tmp_path / "out.tif", stream=unused, options={"quality": 3})


def test_empty_cubes(make_cube, stream, tmp_path, any_result):
    with pytest.raises(Problem, match="t=0") as caught:
        write(make_cube().isel(t=[]), tmp_path / any_result[0], stream=stream)
    assert caught.value.code == "DataCubeEmpty"


def test_libraries_are_imported_where_a_file_of_theirs_is_written():
    """Each takes megabytes, of every process."""
    script = "import sys, engine.service; print(*({'netCDF4', 'zarr', 'numba', 'distributed'} & sys.modules.keys()))"
    said = subprocess.run(
        [sys.executable, "-c", script], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    assert said.split() == []
