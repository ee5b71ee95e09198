"""Dimensions made, dropped, renamed, folded, trimmed: against xarray and NumPy, lazily, for any chunks."""

from __future__ import annotations

import dask
import dask.array as da
import numpy as np
import pytest
import shapely
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.graph.parse import parse
from engine.kernel.callback import Callback
from processes import REGISTRY, errors
from tests.processes.cubes.conftest import make_cube

P = {name: p.fn for name, p in REGISTRY.items()}


def refuse(*args, **kwargs):
    raise AssertionError("a process computed")


CALLS = {
    "add_dimension": lambda c: P["add_dimension"](c, "run", 7),
    "drop_dimension": lambda c: P["drop_dimension"](c.isel(bands=[1]), "bands"),
    "rename_dimension": lambda c: P["rename_dimension"](c, "t", "when"),
    "rename_labels": lambda c: P["rename_labels"](c, "bands", ["nir"], ["B08"]),
    "flatten_dimensions": lambda c: P["flatten_dimensions"](c, ["bands", "t"], "both"),
    "flatten_dimensions, space": lambda c: P["flatten_dimensions"](c, ["y", "x"], "cell"),
    "unflatten_dimension": lambda c: P["unflatten_dimension"](P["rename_labels"](c, "bands", ["a~1", "a~2"], ["B04", "B08"]), "bands", ["m", "n"]),
}  # fmt: skip


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("kind", ["cube", "floats"])
def test_lazy_the_same_for_any_chunks_and_typed(call, kind, request):
    source = request.getfixturevalue(kind)
    source.attrs["title"] = "kept"
    eager = call(source)
    assert eager.attrs == source.attrs
    assert eager.dtype == source.dtype
    for chunks in ({"t": 1, "y": 3, "x": 5}, {"t": -1, "bands": 1, "y": -1, "x": -1}):
        with dask.config.set(scheduler=refuse):
            lazy = call(source.chunk(chunks))
        assert isinstance(lazy.data, da.Array)
        xr.testing.assert_identical(lazy.compute(), eager)
    for dim in set(eager.dims) & set(source.dims):
        assert eager.coords[dim].attrs.items() >= {"type": source.coords[dim].attrs["type"]}.items()


# ------------------------------------------------------------------------------------ made and dropped
def test_a_cube_from_nothing():
    made = P["add_dimension"](P["create_data_cube"](), "t", "2020-02-03T04:05:06+01:00", "temporal")
    made = P["add_dimension"](made, "b", "B1", "bands")
    assert made.dims == ("b", "t")
    assert made.t.values[0] == np.datetime64("2020-02-03T03:05:06")
    assert made.b.attrs == {"type": "bands", "bands": [{"name": "B1"}]}
    assert np.isnan(made.values).all()


def test_adding_and_dropping_is_nothing(cube):
    for label, kind in ((1, "other"), ("B1", "other"), ("2022-49", "temporal"), (5.5, "spatial")):
        more = P["add_dimension"](cube, "new", label, kind)
        assert P["dimension_labels"](more, "new") == [label]
        assert type(P["dimension_labels"](more, "new")[0]) is type(label)
        xr.testing.assert_identical(P["drop_dimension"](more, "new"), cube)


def test_spatial_axes_in_turn(cube):
    cell = cube.isel(x=0, y=0, drop=True)
    for name, axis in (("a", "x"), ("b", "y"), ("c", "z")):
        cell = P["add_dimension"](cell, name, 3, "spatial")
        assert cell.coords[name].attrs == {"type": "spatial", "axis": axis}
    with pytest.raises(errors.DimensionExists, match="all spatial axes have a dimension"):
        P["add_dimension"](cell, "d", 3, "spatial")


def test_geometries_as_labels(cube):
    made = P["add_dimension"](cube, "g", "POINT (3.5 1)", "geometry")
    assert made.g.values[0] == shapely.Point(3.5, 1)
    assert P["dimension_labels"](made, "g") == ["POINT (3.5 1)"]
    assert P["dimension_labels"](P["add_dimension"](cube, "g", "field 7", "geometry"), "g") == ["field 7"]
    deep = "GEOMETRYCOLLECTION (" * 30_000 + "POINT (1 1)" + ")" * 30_000
    with pytest.raises(errors.ProcessParameterInvalid, match="nested 30001 deep"):
        P["add_dimension"](cube, "g", deep, "geometry")
    with pytest.raises(errors.ProcessParameterInvalid, match="no geometry in WKT"):
        P["add_dimension"](cube, "g", "POINT (1", "geometry")


def test_names_that_are_taken(cube):
    for call in (
        lambda n: P["add_dimension"](cube, n, 1),
        lambda n: P["rename_dimension"](cube, "bands", n),
    ):
        for name in ("t", "bands", "spatial_ref"):
            with pytest.raises(errors.DimensionExists):
                call(name)
    property_ = cube.assign_coords(platform=("t", ["a", "b", "c"]))
    with pytest.raises(errors.DimensionExists, match="a coordinate along t"):
        P["rename_dimension"](property_, "bands", "platform")
    left = cube.isel(t=0)  # xarray leaves the label as a scalar
    assert P["add_dimension"](left, "t", "2020-01-01", "temporal").sizes["t"] == 1
    assert P["rename_dimension"](left, "bands", "t").dims == ("t", "y", "x")


def test_dropping_needs_one_label(cube):
    for few in (cube, cube.isel(t=[])):
        with pytest.raises(errors.DimensionLabelCountMismatch, match=f"has {few.sizes['t']} labels"):
            P["drop_dimension"](few, "t")
    with pytest.raises(errors.DimensionNotAvailable, match="no dimension 'z'; the cube has t"):
        P["drop_dimension"](cube, "z")


# --------------------------------------------------------------------------------------------- renamed
def test_what_was_told_by_the_name_is_kept():
    bare = xr.DataArray(np.zeros((1, 2, 3)), dims=("bands", "lat", "lon"))
    for old in ("bands", "lat", "lon"):
        bare = P["rename_dimension"](bare, old, f"my {old}")
    attrs = [bare.coords[d].attrs for d in bare.dims]
    assert attrs == [
        {"type": "bands"},
        {"type": "spatial", "axis": "y"},
        {"type": "spatial", "axis": "x"},
    ]


def test_renaming_there_and_back(cube):
    there = P["rename_dimension"](cube, "x", "lon")
    assert there.odc.crs == cube.odc.crs
    assert there.lon.attrs == cube.x.attrs
    xr.testing.assert_identical(P["rename_dimension"](there, "lon", "x"), cube)


def test_bands_keep_what_is_known_of_them(cube):
    renamed = P["rename_labels"](cube, "bands", ["near"], ["B08"])
    assert renamed.bands.values.tolist() == ["B04", "near"]
    known = {b["name"]: b["common_name"] for b in renamed.bands.attrs["bands"]}
    assert known == {"B04": "red", "near": "nir"}
    assert P["filter_bands"](renamed, ["nir"]).bands.values.tolist() == ["near"]
    assert cube.bands.attrs["bands"][1]["name"] == "B08"


def test_times_are_renamed_by_the_moment(cube):
    days = cube.assign_coords(
        t=("t", np.array(["2022-06-01", "2022-06-11", "2022-07-01"], "M8[ns]"), cube.t.attrs)
    )
    renamed = P["rename_labels"](days, "t", ["2023-01-01T12:00:00+02:00"], ["2022-06-11"])
    assert renamed.t.dtype.kind == "M"
    assert P["dimension_labels"](renamed, "t") == [
        "2022-06-01T00:00:00Z",
        "2023-01-01T10:00:00Z",
        "2022-07-01T00:00:00Z",
    ]
    with pytest.raises(errors.LabelExists):
        P["rename_labels"](days, "t", ["2022-07-01T02:00:00+02:00"], ["2022-06-11"])
    periods = P["rename_labels"](days, "t", ["2022-06"], ["2022-06-01"])
    assert P["dimension_labels"](periods, "t") == ["2022-06", "2022-06-11T00:00:00Z", "2022-07-01T00:00:00Z"]
    assert periods.t.attrs["type"] == "temporal"


@pytest.mark.parametrize(
    ("labels", "target", "source", "expected"),
    [
        ([0, 1, 2], ["a", "b"], [], ["a", "b", 2]),
        ([0, 1, 2], [7, 8.5, 9], [], [7, 8.5, 9]),
        ([0, 1, 2], [], [], [0, 1, 2]),
        ([5, 6, 7], ["5"], [5], ["5", 6, 7]),
        (["1", "2", "3"], [1], ["1"], [1, "2", "3"]),
        ([1, 2, 3], ["x"], [2.0], [1, "x", 3]),
        ([0, 1, 2], ["a", "b", "c", "d"], [], errors.LabelMismatch),
        ([1, 2, 3], ["a"], [], errors.LabelsNotEnumerated),
        (["0", "1", "2"], ["a"], [], errors.LabelsNotEnumerated),
        (["1", "2", "3"], ["a"], [1], errors.LabelNotAvailable),
        ([5, 6, 7], ["a", "b"], [5], errors.LabelMismatch),
        ([5, 6, 7], [], [5], errors.LabelMismatch),
        ([5, 6, 7], [6, 5], [5, 6], errors.LabelExists),
        ([5, 6, 7], ["a", "a"], [5, 6], errors.ProcessParameterInvalid),
        ([5, 6, 7], ["a", "b"], [5, 5], errors.ProcessParameterInvalid),
    ],
)
def test_rename_labels(labels, target, source, expected, cube):
    values = np.array(labels, dtype=object if len({type(v) for v in labels}) > 1 else None)
    other = cube.assign_coords(t=("t", values, {"type": "other"}))
    if isinstance(expected, list):
        found = P["dimension_labels"](P["rename_labels"](other, "t", target, source), "t")
        assert found == expected
        assert [isinstance(v, str) for v in found] == [isinstance(v, str) for v in expected]
    else:
        with pytest.raises(expected):
            P["rename_labels"](other, "t", target, source)


# ---------------------------------------------------------------------------------------------- folded
def test_flatten_against_numpy(cube):
    flat = P["flatten_dimensions"](cube, ["bands", "t"], "both", "/")
    assert flat.dims == ("both", "y", "x")
    np.testing.assert_array_equal(flat.values, cube.values.transpose(1, 0, 2, 3).reshape(6, 6, 8))
    assert flat.both.values.tolist()[:2] == ["B04/2022-06-01T10:16:00Z", "B04/2022-06-11T10:16:00Z"]
    assert flat.both.attrs == {"type": "other"}
    assert P["flatten_dimensions"](cube, ["x", "t"], "f").dims == ("f", "bands", "y")
    one = P["flatten_dimensions"](cube, ["x"], "f")
    assert one.f.values.tolist() == [str(v) for v in cube.x.values.tolist()]


def test_the_example_of_two_by_two():
    made = xr.DataArray([[1, 2], [3, 4]], dims=("A", "B"), coords={"A": [2020, 2021], "B": ["B1", "B2"]})
    flat = P["flatten_dimensions"](made, ["A", "B"], "X")
    assert flat.X.values.tolist() == ["2020~B1", "2020~B2", "2021~B1", "2021~B2"]
    assert flat.values.tolist() == [1, 2, 3, 4]
    back = P["unflatten_dimension"](flat, "X", ["A", "B"])
    assert back.values.tolist() == [[1, 2], [3, 4]]
    assert back.A.values.tolist() == ["2020", "2021"]


@settings(max_examples=30, deadline=None)
@given(st.permutations(["t", "bands", "y"]), st.integers(2, 3), st.permutations(range(12)))
def test_unflatten_undoes_flatten(order, count, shuffled):
    source = make_cube(np.arange(3 * 2 * 4 * 5).reshape(3, 2, 4, 5))
    flat = P["flatten_dimensions"](source, order[:count], "f", "§")
    shuffled = [i for i in shuffled if i < flat.sizes["f"]]  # the order of the labels does not matter
    rest = [i for i in range(flat.sizes["f"]) if i not in shuffled]
    names = [f"{d}2" for d in order[:count]]
    back = P["unflatten_dimension"](flat.isel(f=shuffled + rest), "f", names, "§")
    labels = {
        n: [str(v) for v in P["dimension_labels"](source, d)] for n, d in zip(names, order, strict=False)
    }
    same = back.sel(labels).rename(dict(zip(names, order, strict=False))).transpose(*source.dims)
    np.testing.assert_array_equal(same.values, source.values)


def test_folding_faults(cube):
    flatten, unflatten = P["flatten_dimensions"], P["unflatten_dimension"]
    with pytest.raises(errors.DimensionNotAvailable):
        flatten(cube, ["t", "z"], "f")
    for name in ("x", "t"):
        with pytest.raises(errors.TargetDimensionExists):
            flatten(cube, ["t", "bands"], name)
    for names in ([], ["t", "t"]):
        with pytest.raises(errors.ProcessParameterInvalid):
            flatten(cube, names, "f")
    scene = xr.DataArray(da.zeros((9_000, 9_000), chunks=3_000), dims=("y", "x"))
    with pytest.raises(errors.ProcessParameterInvalid, match="81000000 combinations"):
        flatten(scene, ["y", "x"], "f")
    labeled = cube.assign_coords(t=("t", ["a~1", "a~2", "b~1"], {"type": "other"}))
    with pytest.raises(errors.ProcessParameterInvalid, match="there is no label 'b~2'; of 4 combinations 3"):
        unflatten(labeled, "t", ["m", "n"])
    with pytest.raises(errors.ProcessParameterInvalid, match="has 2 parts"):
        unflatten(labeled, "t", ["m", "n", "o"])
    with pytest.raises(errors.TargetDimensionExists):
        unflatten(labeled, "t", ["m", "x"])
    twice = cube.assign_coords(t=("t", ["a~1", "a~1", "b~1"], {"type": "other"}))
    with pytest.raises(errors.ProcessParameterInvalid, match="'a~1' is there twice"):
        unflatten(twice, "t", ["m", "n"])


# --------------------------------------------------------------------------------------------- trimmed
def test_trim_keeps_even_spacing_and_drops_the_rest(cube):
    values = cube.values.copy()
    values[:, :, 0], values[:, :, 2], values[..., -2:], values[:, 1] = 0, 0, 0, 0
    values[0] = 0
    gappy = make_cube(values, nodata=0)
    for chunks in (None, {"t": 1, "y": 2, "x": 3}, {"x": 1}):
        trimmed = P["trim_cube"](gappy if chunks is None else gappy.chunk(chunks))
        xr.testing.assert_identical(
            trimmed.compute(),
            P["filter_bands"](gappy, ["B04"]).isel(t=[1, 2], y=slice(1, None), x=slice(0, 6)),
        )
        assert trimmed.dtype == np.uint16
        assert chunks is None or isinstance(trimmed.data, da.Array)


def test_trim_in_the_middle_of_irregular_time(floats):
    gone = floats.copy()
    gone[1] = np.nan
    assert P["trim_cube"](gone).sizes["t"] == 2
    monthly = np.array(["2022-06-01", "2022-06-11", "2022-06-21"], dtype="M8[ns]")
    regular = gone.assign_coords(t=("t", monthly, floats.t.attrs))
    assert P["trim_cube"](regular).sizes["t"] == 3
    assert P["trim_cube"](regular.isel(t=[0, 1])).sizes["t"] == 1


def test_trim_of_nothing_and_of_all(floats, cube):
    assert P["trim_cube"](floats.where(False)).sizes == {"t": 0, "bands": 0, "y": 0, "x": 0}
    complete = make_cube(np.zeros((3, 2, 6, 8), dtype=np.int16)).chunk({"t": 1})
    with dask.config.set(scheduler=refuse):  # integers without no-data: there is nothing to look for
        assert P["trim_cube"](complete) is complete
    xr.testing.assert_identical(P["trim_cube"](P["trim_cube"](cube)), P["trim_cube"](cube))


def test_trim_reads_each_block_once(floats):
    reads = []

    def read(block):
        reads.append(block.shape)
        return block

    lazy = floats.chunk({"t": 1, "x": 4})
    counted = lazy.copy(data=lazy.data.map_blocks(read, meta=np.empty((0,) * 4, np.float32)))
    with dask.config.set(scheduler="sync"):
        P["trim_cube"](counted)
    assert len(reads) == 6


# --------------------------------------------------------------------------------------- filter_labels
def condition(process, **args):
    nodes = {"n": {"process_id": process, "arguments": args, "result": True}}
    return Callback(parse(nodes), ("value", "context"))


VALUE = {"from_parameter": "value"}


def test_filter_labels_keeps_all_matches_and_uses_context(cube):
    from_context = condition("gte", x=VALUE, y={"from_parameter": "context"})
    found = P["filter_labels"](cube, from_context, "x", context=675045)
    assert found.x.values.tolist() == [675045, 675055, 675065, 675075]
    assert found.x.attrs == cube.x.attrs
    nodes = {
        "a": {"process_id": "lt", "arguments": {"x": VALUE, "y": 675015}},
        "b": {"process_id": "gt", "arguments": {"x": VALUE, "y": 675065}},
        "n": {
            "process_id": "or",
            "arguments": {"x": {"from_node": "a"}, "y": {"from_node": "b"}},
            "result": True,
        },
    }
    outer = Callback(parse(nodes), ("value", "context"))
    assert P["filter_labels"](cube, outer, "x").x.values.tolist() == [675005, 675075]


def test_filter_labels_of_bands_and_times(cube):
    nir = P["filter_labels"](cube, condition("eq", x=VALUE, y="b08", case_sensitive=False), "bands")
    xr.testing.assert_identical(nir, P["filter_bands"](cube, ["B08"]))
    assert nir.dtype == cube.dtype
    day = P["filter_labels"](cube, condition("eq", x=VALUE, y="2022-06-11T10:16:00Z"), "t")
    xr.testing.assert_identical(day, cube.isel(t=[1]))
    assert P["filter_labels"](cube, condition("eq", x=VALUE, y=None), "t").sizes["t"] == 0
    with pytest.raises(errors.DimensionNotAvailable):
        P["filter_labels"](cube, condition("eq", x=VALUE, y=1), "z")
    with pytest.raises(errors.ProcessParameterInvalid, match="has to give true or false"):
        P["filter_labels"](cube, condition("add", x=VALUE, y=1), "x")
    with dask.config.set(scheduler=refuse):
        assert P["filter_labels"](cube.chunk(), condition("gt", x=VALUE, y=675045), "x").sizes["x"] == 3
