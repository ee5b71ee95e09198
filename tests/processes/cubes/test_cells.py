"""How cells are stored: no-data in types that have room for it, results of child graphs, dimensions that stay."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from processes import errors
from processes.cubes.cells import Coding, common
from tests.processes.cubes.conftest import make_cube
from tests.processes.cubes.test_cubes import MEAN, P, child, graph, nulls

X = {"from_parameter": "x"}


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "int32", "uint32"])
@pytest.mark.parametrize("chunks", [None, {"x": 3}])
def test_null_of_small_integers(dtype, chunks):
    """A child graph makes no-data of cells whose type has no mark for it: the type grows, and the mark is there."""
    values = np.arange(96).reshape(1, 2, 6, 8).astype(dtype)
    above = graph(
        {
            "g": {"process_id": "gt", "arguments": {"x": X, "y": 40}},
            "i": {
                "process_id": "if",
                "arguments": {"value": {"from_node": "g"}, "accept": X},
                "result": True,
            },
        },
        "x",
    )
    cube = make_cube(values)
    result = P["apply"](cube.chunk(chunks) if chunks else cube, above).compute()
    np.testing.assert_array_equal(nulls(result), np.where(values > 40, values, np.nan))
    assert result.dtype.kind == "i"


@pytest.mark.parametrize("nodata", [2.5, -9999, 256, float("inf"), float("nan"), True, "none"])
def test_a_mark_that_no_cell_can_have_is_none(nodata):
    cube = make_cube(np.array([[2, 241], [0, 1]], np.uint8)[None, None], bands=("a",)).assign_attrs(
        nodata=nodata
    )
    assert Coding.of(cube).nodata is None
    masked = P["mask"](cube, cube == 241)
    assert nulls(masked).ravel().tolist()[2:] == [0, 1]
    assert np.isnan(nulls(masked)[0, 0, 0, 1])
    assert float(P["reduce_dimension"](cube, MEAN, "x").sel(bands="a").values[0, 0]) == 121.5


CODINGS = st.builds(
    Coding,
    st.sampled_from([np.dtype(t) for t in ("uint8", "int8", "uint16", "int16", "int32")]),
    st.sampled_from([None, 0, 5, 127]),
) | st.sampled_from(
    [
        Coding(np.dtype(bool)),
        Coding(np.dtype(np.uint8), 255, logical=True),
        Coding(np.dtype(np.int32), -(2**31)),
        Coding(np.dtype(np.float32)),
    ]
)


@settings(max_examples=200, deadline=None)
@given(CODINGS, CODINGS, st.integers(0, 127))
def test_a_common_coding_keeps_all_values(one, other, value):
    both = common(one, other)
    for coding in (one, other):
        small = coding.logical or coding.dtype.kind == "b"
        here = bool(value % 2) if small else value
        if here == coding.nodata:
            continue
        stored = both.encode(np.array([here]), (1,))
        assert stored[0] == here
        assert both.nodata is None or stored[0] != both.nodata


# ------------------------------------------------------------------------------------- child graphs
@pytest.mark.parametrize("data", [[1, 2], [X, 1]])
def test_a_cell_becomes_one_value(data, cube):
    with pytest.raises(errors.ProcessParameterInvalid, match="child graph gives an array") as raised:
        P["apply"](cube, child("array_create", "x", data=data))
    assert raised.value.parameter == "process"


@pytest.mark.parametrize("chunks", [None, {"t": 1, "y": 2}])
def test_a_target_with_one_label_keeps_its_place_and_type(chunks, cube):
    one = cube.isel(bands=[0])
    cumulated = child("cumsum", "data")
    result = P["apply_dimension"](one.chunk(chunks) if chunks else one, cumulated, "t", "bands").compute()
    assert result.dims == ("bands", "y", "x")
    assert result.bands.attrs == {"type": "bands"}
    assert result.bands.values.tolist() == [0, 1, 2]
    np.testing.assert_array_equal(nulls(result), nulls(P["apply_dimension"](one, cumulated, "t"))[:, 0])
    late = P["apply_dimension"](one.transpose("y", "bands", "x", "t"), cumulated, "t", "bands")
    assert late.dims == ("y", "bands", "x")
    np.testing.assert_array_equal(late.transpose(*result.dims).values, result.values)


def test_an_axis_stays_where_the_number_of_labels_changes(cube):
    renamed = P["rename_dimension"](cube, "x", "column")
    twice = child("array_create", "data", data={"from_parameter": "data"}, repeat=2)
    result = P["apply_dimension"](renamed, twice, "column")
    assert result.column.attrs == {"type": "spatial", "axis": "x"}
    assert result.sizes["column"] == 16


def test_coordinates_may_have_any_name(cube):
    cube = cube.assign_coords(data=("t", [1, 2, 3]), cube=5, dims=("y", np.arange(6)))
    result = P["apply"](cube, child("add", "x", x=X, y=1))
    assert {"data", "cube", "dims"} <= set(result.coords)
    assert "data" not in P["reduce_dimension"](cube, MEAN, "t").coords


@pytest.mark.parametrize("name", ["1ndvi", "ndvi_2", "NDVI"])
def test_names_of_bands_are_made_of_word_characters(name, cube):
    assert P["ndvi"](cube, target_band=name).bands.values.tolist() == ["B04", "B08", name]


def test_zonal_statistics_of_what_is_no_value(floats):
    box = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}
    feature = {"type": "Feature", "properties": {"name": "a"}, "geometry": box}
    quartiles = child("quantiles", "data", data={"from_parameter": "data"}, probabilities=[0.5])
    with pytest.raises(errors.ProcessParameterInvalid, match="reducer gives an array"):
        P["aggregate_spatial"](floats, feature, quartiles)
    for taken in ("t", "x", "geometry", "name", "spatial_ref"):
        with pytest.raises(errors.TargetDimensionExists, match=f"the name {taken!r} is taken"):
            P["aggregate_spatial"](floats, feature, MEAN, target_dimension=taken)


# ------------------------------------------------------------------------------------- masks
@pytest.mark.parametrize(
    ("replacement", "dtype"),
    [
        (7, "uint8"),
        (-1, "int16"),
        (1.5, "float32"),
        (2.0**70, "float64"),
        (2**64, "float64"),
        (2**40, "uint64"),
    ],
)
def test_replacements_are_kept_as_they_are(replacement, dtype):
    values = np.arange(4, dtype=np.uint8).reshape(1, 1, 2, 2)
    result = P["mask"](make_cube(values, bands=("a",)), make_cube(values > 1, bands=("a",)), replacement)
    assert result.dtype == dtype
    assert result.values.ravel().tolist() == [0, 1, replacement, replacement]


def test_a_number_that_is_too_large_for_the_floats():
    values = np.arange(4, dtype=np.float32).reshape(1, 1, 2, 2)
    result = P["mask"](make_cube(values, bands=("a",)), make_cube(values > 1, bands=("a",)), 1e300)
    assert result.values.ravel().tolist() == [0, 1, 1e300, 1e300]
    assert (
        P["mask"](make_cube(values, bands=("a",)), make_cube(values > 1, bands=("a",)), -9999).dtype
        == np.float32
    )
    with pytest.raises(errors.ProcessParameterInvalid, match="True does not go with cells of type float32"):
        P["mask"](make_cube(values, bands=("a",)), make_cube(values > 1, bands=("a",)), True)


@pytest.mark.parametrize("chunks", [None, {"x": 3}])
def test_texts_mark_nothing(chunks, cube):
    marks = np.full((6, 8), "cloud", dtype=object)
    marks[0, :4] = [True, 2, 0, False]
    mask = cube.isel(t=0, bands=0, drop=True).copy(data=marks)
    mask.attrs = {}
    result = P["mask"](cube, mask.chunk(chunks) if chunks else mask).compute()
    gone = np.isnan(nulls(result)) & ~np.isnan(nulls(cube))
    assert np.argwhere(gone.any(axis=(0, 1))).tolist() == [[0, 0], [0, 1]]


def test_masks_that_do_not_fit(cube):
    for mask, says in [
        (cube.isel(x=0, y=0, drop=True), "the mask has no spatial dimensions"),
        (
            cube.assign_coords(bands=("bands", ["B04", "B08"], {"type": "other"})),
            "is of type other in the mask",
        ),
        (cube.isel(t=[1, 0, 2]), "different labels along 't'"),
    ]:
        with pytest.raises(errors.IncompatibleDataCubes, match=says):
            P["mask"](cube, mask > 1500)


@pytest.mark.parametrize("dim", ["y", "x"])
def test_one_row_is_masked_by_its_own_cells(dim, cube):
    row = cube.isel({dim: [2]})
    mask = cube.isel(t=0, bands=0, drop=True) > 1500
    expected = P["mask"](cube, mask).isel({dim: [2]})
    xr.testing.assert_identical(P["mask"](row, mask), expected)
    gone = cube.isel({dim: slice(0, 0)})
    assert P["mask"](gone, mask).sizes == gone.sizes


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["uint8", "int16", "float32"]), st.sampled_from([None, 7]))
def test_masks_commute_and_twice_is_once(seed, dtype, nodata):
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 100, (3, 2, 4, 5)).astype(dtype)
    cube = make_cube(values, nodata=nodata if values.dtype.kind in "iu" else None)
    one, other = (make_cube(rng.random((3, 2, 4, 5)) < 0.4) for _ in range(2))
    there = P["mask"](P["mask"](cube, one), other)
    xr.testing.assert_identical(there, P["mask"](P["mask"](cube, other), one))
    xr.testing.assert_identical(there, P["mask"](there, one))
    xr.testing.assert_identical(there, P["mask"](cube, one | other))


# ------------------------------------------------------------------------------------- other grids
def test_texts_are_not_resampled(cube):
    texts = cube.copy(data=np.full(cube.shape, "a", dtype=object))
    with pytest.raises(errors.ProcessParameterInvalid, match="cells of texts"):
        P["resample_spatial"](texts, 20)


def test_floats_of_16_bits_are_resampled(floats):
    small = (floats / 100).astype(np.float16)
    result = P["resample_spatial"](small, 20)
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result.values, P["resample_spatial"](small.astype(np.float32), 20).values)


def test_one_cell_of_the_lattice_is_taken_as_it_is(cube):
    target = cube.isel(x=[3], y=[2])
    xr.testing.assert_identical(P["resample_cube_spatial"](cube, target).drop_attrs(), target.drop_attrs())
    with pytest.raises(errors.IncompatibleDataCubes, match="one label along 'x'") as raised:
        P["resample_spatial"](target, 20)
    assert raised.value.hint
