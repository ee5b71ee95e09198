"""Kernels against SciPy, windows against xarray, neighbourhoods and polygons against loops."""

from __future__ import annotations

import pickle

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
DATA = {"from_parameter": "data"}


def child(process_id, /, **args):
    """A child graph of one node over `data`."""
    nodes = {"n": {"process_id": process_id, "arguments": {"data": DATA, **args}, "result": True}}
    return Callback(parse(nodes), ("data", "context"))


def per_cell(process, **args):
    """A child graph of `apply` with one process on each cell."""
    inner = {
        "i": {"process_id": process, "arguments": {"x": {"from_parameter": "x"}, **args}, "result": True}
    }
    return child("apply", process={"process_graph": inner})


def refuse(*args, **kwargs):
    raise AssertionError("a process computed")


def in_degrees_of(cube, *shapes):
    """A FeatureCollection of shapes in the CRS of the cubes used here."""
    features = [
        {"type": "Feature", "properties": {}, "geometry": shapely.geometry.mapping(s)} for s in shapes
    ]
    return {"type": "FeatureCollection", "features": features,
            "crs": {"type": "name", "properties": {"name": f"EPSG:{cube.odc.crs.epsg}"}}}  # fmt: skip


def left_and_right(cube):
    """Two triangles that share no cell."""
    left, top = 675_000, 5_156_000
    return in_degrees_of(
        cube,
        shapely.Polygon([(left + 2, top - 2), (left + 38, top - 2), (left + 2, top - 58)]),
        shapely.Polygon([(left + 42, top - 12), (left + 78, top - 12), (left + 78, top - 48)]),
    )


SIZE = [{"dimension": "x", "value": 3, "unit": "px"}, {"dimension": "y", "value": 20, "unit": "m"}]
AROUND = [{"dimension": "x", "value": 1, "unit": "px"}, {"dimension": "t", "value": "P10D"}]
CALLS = {
    "kernel": lambda c: P["apply_kernel"](c, [[0, 1, 2], [1, -3, 1], [5, 1, 0]], 2, "reflect"),
    "wide kernel": lambda c: P["apply_kernel"](c, np.arange(35).reshape(5, 7).tolist(), 0.5, "wrap", -1),
    "windows": lambda c: P["aggregate_spatial_window"](c, child("max"), [3, 4]),
    "trimmed windows": lambda c: P["aggregate_spatial_window"](c, child("median"), [3, 4], "trim", "lower-right"),
    "plane": lambda c: P["reduce_spatial"](c, child("max")),
    "neighborhood": lambda c: P["apply_neighborhood"](c, child("apply_kernel", kernel=[[1, 1, 1]]), SIZE, AROUND),
    "series": lambda c: P["apply_neighborhood"](c, child("sort"), [{"dimension": d, "value": 1, "unit": "px"} for d in ("x", "y", "bands")]),
    "polygon": lambda c: P["apply_polygon"](c, left_and_right(c), per_cell("multiply", y=2)),
}  # fmt: skip


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("kind", ["cube", "floats"])
def test_lazy_and_the_same_for_any_chunks(call, kind, request):
    source = request.getfixturevalue(kind)
    source.attrs["title"] = "kept"
    eager = call(source)
    assert eager.attrs["title"] == "kept"
    for dim in set(eager.dims) & set(source.dims):
        assert eager.coords[dim].attrs.items() >= {"type": source.coords[dim].attrs["type"]}.items()
    for chunks in ({"t": 1, "y": 1, "x": 3}, {"bands": 1, "y": 4, "x": 5}, {"t": -1, "y": -1, "x": -1}):
        with dask.config.set(scheduler=refuse):
            lazy = call(source.chunk(chunks))
        assert isinstance(lazy.data, da.Array)
        pickle.loads(pickle.dumps(lazy.data))
        assert lazy.dtype == eager.dtype
        xr.testing.assert_identical(lazy.compute(scheduler="synchronous"), eager)


# ------------------------------------------------------------------------------------------- kernels
MODES = {"replicate": "nearest", "reflect": "reflect", "reflect_pixel": "mirror", "wrap": "wrap"}


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(st.integers(1, 7), st.integers(1, 7)),
    kernel=st.tuples(st.sampled_from([1, 3, 5]), st.sampled_from([1, 3, 7])),
    border=st.sampled_from([*MODES, 0, -2.5]),
    chunk=st.integers(1, 4),
)
def test_kernel_against_scipy(seed, shape, kernel, border, chunk):
    ndimage = pytest.importorskip("scipy.ndimage")
    rng = np.random.default_rng(seed)
    values, weights = rng.normal(size=(2, *shape)), rng.normal(size=kernel)
    values[rng.random(values.shape) < 0.2] = np.nan
    values[rng.random(values.shape) < 0.1] = np.inf
    cube = xr.DataArray(values, dims=("t", "y", "x")).chunk({"y": chunk, "x": chunk})
    result = P["apply_kernel"](cube, weights.tolist(), 0.5, border, 7.0)
    filled = np.where(np.isfinite(values), values, 7.0)
    mode, cval = (MODES[border], 0) if isinstance(border, str) else ("constant", border)
    expected = np.stack([ndimage.correlate(v, weights, mode=mode, cval=cval) * 0.5 for v in filled])
    np.testing.assert_allclose(result.compute(scheduler="synchronous").values, expected, rtol=1e-9, atol=1e-9)


def test_kernel_is_not_turned_round(cube):
    right = P["apply_kernel"](cube, [[0, 0, 1]])
    np.testing.assert_array_equal(right.values[..., :-1], cube.values[..., 1:])
    below = P["apply_kernel"](cube, [[0], [0], [1]])
    np.testing.assert_array_equal(below.values[..., :-1, :], cube.values[..., 1:, :])


@pytest.mark.parametrize(
    ("dtype", "kernel", "factor", "expected"),
    [
        (np.uint8, [[1, 1, 1]], 1, np.int32),
        (np.int16, [[1, 2, 1]], 1, np.int32),
        (np.int32, [[1, 2, 1]], 1, np.int64),
        (np.uint8, [[1, 2, 1]], 0.25, np.float32),
        (np.int32, [[0.5]], 1, np.float64),
        (np.float32, [[1, 2, 1]], 1, np.float32),
        (bool, [[1, 1, 1]], 1, np.int32),
        (np.int64, [[1, 2, 1]], 1, np.float64),
    ],
)
def test_types_of_sums(dtype, kernel, factor, expected):
    values = np.array([[1, 0, 1, 1]]).astype(dtype)
    result = P["apply_kernel"](xr.DataArray(values, dims=("y", "x")), kernel, factor)
    assert result.dtype == expected
    wide = np.pad(values.astype(float), ((0, 0), (1, 1)))
    total = sum(
        w * wide[:, i : i + 4] for i, w in enumerate(np.pad(kernel[0], (0 if len(kernel[0]) == 3 else 1,)))
    )
    np.testing.assert_array_equal(result.values, total * factor)


def test_no_sum_wraps_around():
    top = xr.DataArray(np.full((3, 3), 2**31 - 1, np.int32), dims=("y", "x"))
    assert P["apply_kernel"](top, [[1] * 3] * 3).values[1, 1] == 9 * (2**31 - 1)
    low = xr.DataArray(np.full((1, 1), -(2**15), np.int16), dims=("y", "x"))
    assert P["apply_kernel"](low, [[-(2**17)]]).values[0, 0] == 2**32


def test_integer_null_is_replaced_and_logical_counts(cube):
    ones = P["apply_kernel"](cube, [[1]], replace_invalid=-9)
    assert ones.values[0, 0, 0, 0] == -9
    assert "nodata" not in ones.attrs
    logic = xr.DataArray(
        np.array([[0, 1, 255]], np.uint8), dims=("y", "x"), attrs={"logical": True, "nodata": 255}
    )
    result = P["apply_kernel"](logic, [[1, 1, 1]], replace_invalid=10)
    assert result.values.tolist() == [[1, 11, 11]]
    assert "logical" not in result.attrs
    texts = xr.DataArray(np.array([["a", 2, None, True]], object), dims=("y", "x"))
    assert P["apply_kernel"](texts, [[2]], replace_invalid=5).values.tolist() == [[10, 4, 10, 2]]


def test_kernel_faults(cube):
    with pytest.raises(errors.KernelDimensionsUneven, match="2 rows of 3 weights"):
        P["apply_kernel"](cube, [[1, 2, 1], [1, 2, 1]])
    with pytest.raises(errors.ProcessParameterInvalid, match=r"equally long; here they have \[1, 3\]"):
        P["apply_kernel"](cube, [[1, 2, 1], [1]])
    with pytest.raises(errors.ProcessParameterInvalid, match="'mirror' is none of replicate"):
        P["apply_kernel"](cube, [[1]], border="mirror")
    with pytest.raises(errors.DimensionMissing):
        P["apply_kernel"](cube.isel(x=0), [[1]])


# ------------------------------------------------------------------------------------------- windows
@pytest.mark.parametrize("boundary", ["pad", "trim"])
@pytest.mark.parametrize("align", ["upper-left", "lower-left", "upper-right", "lower-right"])
@pytest.mark.parametrize("flipped", [False, True])
def test_windows_against_xarray(boundary, align, flipped, floats):
    source = floats.isel(y=slice(None, None, -1)) if flipped else floats
    result = P["aggregate_spatial_window"](source, child("mean"), [3, 4], boundary, align)
    sides = {"x": "left" if align.endswith("left") else "right",
             "y": "left" if align.startswith("upper") != flipped else "right"}  # fmt: skip
    twin = source.drop_vars("spatial_ref").astype(float).coarsen(x=3, y=4, boundary=boundary, side=sides)
    np.testing.assert_allclose(result.values, twin.mean().values, rtol=1e-6)
    sample = dict(zip(("y", "x"), (result.y.values, result.x.values), strict=True))
    assert np.allclose(np.abs(np.diff(sample["x"])), 30)
    assert np.allclose(np.abs(np.diff(sample["y"])), 40)
    left, right = source.x.values[0] - 5, source.x.values[-1] + 5
    edge = sample["x"][0] - 15 if align.endswith("left") else sample["x"][-1] + 15
    assert edge == (left if align.endswith("left") else right)
    assert result.x.attrs["reference_system"] == 32632
    assert result.odc.geobox.crs == floats.odc.crs
    assert np.abs(result.odc.geobox.resolution.xy).tolist() == [30, 40]
    assert result.odc.geobox.extent.boundingbox.left == result.x.values[0] - 15


def test_windows_see_padding_as_null(cube):
    strict = child("max", ignore_nodata=False)
    result = P["aggregate_spatial_window"](cube, strict, [5, 6])
    assert result.dtype == cube.dtype
    assert (result.values[..., 1] == 0).all()
    unmarked = cube.drop_attrs(deep=False)
    exact = P["aggregate_spatial_window"](unmarked, strict, [4, 3])
    assert exact.dtype == np.uint16
    uneven = P["aggregate_spatial_window"](unmarked, strict, [5, 6])
    assert (uneven.values[..., 1] == uneven.attrs["nodata"]).all()
    np.testing.assert_array_equal(uneven.values[..., 0], unmarked.values[..., :5].max(axis=(2, 3))[..., None])


def test_window_faults(cube):
    with pytest.raises(
        errors.ProcessParameterInvalid, match="no window of 9 cells fits into the 8 along 'x'"
    ):
        P["aggregate_spatial_window"](cube, child("max"), [9, 1], "trim")
    with pytest.raises(errors.ProcessParameterInvalid, match=r"at least 1; there is \[0, 1\]"):
        P["aggregate_spatial_window"](cube, child("max"), [0, 1])
    with pytest.raises(errors.ProcessParameterInvalid, match="gives an array"):
        P["aggregate_spatial_window"](cube, child("sort"), [2, 2])
    with pytest.raises(errors.ProcessParameterInvalid, match="'fill' is none of pad, trim"):
        P["aggregate_spatial_window"](cube, child("max"), [2, 2], "fill")


def test_windows_that_nearly_all_is_padding_of(cube):
    with pytest.raises(errors.ProcessParameterInvalid, match="1,000,000,000,000 cells would be needed"):
        P["aggregate_spatial_window"](cube, child("max"), [10**6, 10**6])
    one = P["aggregate_spatial_window"](cube, child("max"), [100, 100])
    np.testing.assert_array_equal(one.values[..., 0, 0], P["reduce_spatial"](cube, child("max")).values)


def test_plane_against_numpy(cube, floats):
    for name, twin in (
        ("mean", np.nanmean),
        ("max", np.nanmax),
        ("median", np.nanmedian),
        ("sum", np.nansum),
    ):
        result = P["reduce_spatial"](floats, child(name))
        assert result.dims == ("t", "bands")
        assert "spatial_ref" not in result.coords
        np.testing.assert_allclose(result.values, twin(floats.values.astype(float), axis=(2, 3)), rtol=1e-6)
    assert P["reduce_spatial"](cube, child("min")).dtype == np.uint16
    assert P["reduce_spatial"](cube, child("min")).values.min() > 0
    swapped = P["reduce_spatial"](cube.transpose("x", "bands", "y", "t"), child("max"))
    np.testing.assert_array_equal(swapped.values.T, P["reduce_spatial"](cube, child("max")).values)
    with pytest.raises(errors.ProcessParameterInvalid, match="gives an array"):
        P["reduce_spatial"](cube, child("sort"))


# ------------------------------------------------------------------------------------- neighbourhoods
def px(**sizes):
    return [{"dimension": d, "value": v, "unit": "px"} for d, v in sizes.items()]


def test_a_kernel_by_neighbourhoods_is_the_kernel(floats):
    """With an overlap as wide as the kernel reaches, the seams cannot be seen."""
    kernel = [[1, 2, 1], [2, 4, 2], [1, 2, 1]]
    whole = P["apply_kernel"](floats, kernel)
    process = child("apply_kernel", kernel=kernel)
    parted = P["apply_neighborhood"](floats, process, px(x=3, y=2), px(x=1, y=1))
    xr.testing.assert_identical(parted, whole)
    seams = P["apply_neighborhood"](floats, process, px(x=3, y=2))
    assert (seams.values != whole.values).any()


def test_neighbourhoods_in_metres_are_those_in_cells(floats):
    process = child("apply_kernel", kernel=[[1, 1, 1]])
    metres = [{"dimension": "x", "value": 30, "unit": "m"}, {"dimension": "y", "value": 20}]
    xr.testing.assert_identical(
        P["apply_neighborhood"](floats, process, metres, [{"dimension": "x", "value": 10, "unit": "m"}]),
        P["apply_neighborhood"](floats, process, px(x=3, y=2), px(x=1)),
    )


SEEN: list[xr.DataArray] = []


def note(data, context=None):
    """A child process that keeps what it got."""
    SEEN.append(data)
    return data


@pytest.fixture
def seen():
    SEEN.clear()
    return SEEN


def test_what_a_neighbourhood_sees(cube, seen):
    result = P["apply_neighborhood"](cube.drop_attrs(deep=False), note, px(x=5, bands=1), px(x=2, t=1))
    sizes = [dict(s.sizes) for s in seen[1:]]
    assert sizes == [{"t": 5, "bands": 1, "y": 6, "x": 9}, {"t": 5, "bands": 1, "y": 6, "x": 7}] * 2
    first = seen[1]
    assert first.x.values.tolist() == (675_005 + 10.0 * np.arange(-2, 7)).tolist()
    assert first.t.values[1:4].tolist() == cube.t.values.tolist()
    assert (np.diff(first.t.values) > np.timedelta64(0)).all()
    assert first.x.attrs == cube.x.attrs
    assert first.odc.crs == cube.odc.crs
    null = first.attrs["nodata"]
    assert (first.values[0] == null).all()
    assert (first.values[1:4, :, :, :2] == null).all()
    np.testing.assert_array_equal(first.values[1:4, :, :, 2:], cube.values[:, :1, :, :7])
    np.testing.assert_array_equal(result.values, cube.values)


def test_durations(cube, seen):
    P["apply_neighborhood"](
        cube, note, [{"dimension": "t", "value": "P10D"}], [{"dimension": "t", "value": "P15D"}]
    )
    assert [s.t.dt.strftime("%m-%d").values.tolist() for s in seen[1:]] == [
        ["06-01", "06-11"], ["06-01", "06-11", "07-01"], ["07-01"]]  # fmt: skip
    seen.clear()
    P["apply_neighborhood"](cube, note, [{"dimension": "t", "value": "P1M"}])
    assert [s.sizes["t"] for s in seen[1:]] == [2, 1]
    seen.clear()
    P["apply_neighborhood"](cube, note, [{"dimension": "t", "value": "PT1S"}])
    assert [s.sizes["t"] for s in seen[1:]] == [1, 1, 1]


def test_months_of_a_calendar(cube, seen):
    times = xr.date_range("2001-01-30", periods=3, freq="30D", calendar="360_day", use_cftime=True).values
    odd = cube.assign_coords(t=("t", times, {"type": "temporal"}))
    P["apply_neighborhood"](
        odd, note, [{"dimension": "t", "value": "P1M"}], [{"dimension": "t", "value": "P1M"}]
    )
    assert [s.sizes["t"] for s in seen[1:]] == [2, 3, 2]


def test_one_dimension_is_an_array(floats):
    single = px(x=1, y=1, bands=1)
    np.testing.assert_array_equal(
        P["apply_neighborhood"](floats, child("cumsum"), single).values,
        P["apply_dimension"](floats, child("cumsum"), "t").values,
    )
    nodes = {
        "e": {"process_id": "array_element", "arguments": {"data": DATA, "label": "2022-06-01T10:16:00Z", "return_nodata": True}},
        "c": {"process_id": "array_create", "arguments": {"data": [{"from_node": "e"}], "repeat": {"from_parameter": "context"}}, "result": True},
    }  # fmt: skip
    process = Callback(parse(nodes), ("data", "context"))
    result = P["apply_neighborhood"](floats.isel(t=[0, 1]), process, [*single, *px(t=2)], context=2)
    np.testing.assert_array_equal(result.values, np.stack([floats.values[0]] * 2))
    with pytest.raises(errors.DataCubePropertiesImmutable, match="gives 2 values for 3 labels"):
        P["apply_neighborhood"](floats, process, single, context=2)


def test_many_neighbourhoods_are_few_tasks(cube):
    """Blocks hold whole neighbourhoods: tasks grow with chunks, not with neighbourhoods."""
    lazy = cube.chunk({"y": 6, "x": 8})
    counts = [
        len(
            P["apply_neighborhood"](
                lazy, child("apply_kernel", kernel=[[1]]), px(x=n, y=n)
            ).data.__dask_graph__()
        )
        for n in (1, 4)
    ]
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("size", "overlap", "error", "says"),
    [
        (px(z=3), None, errors.DimensionNotAvailable, "no dimension 'z'"),
        (px(x=3), px(q=1), errors.DimensionNotAvailable, "no dimension 'q'"),
        (px(x=0), None, errors.ProcessParameterInvalid, "more than nothing"),
        (px(x=-3), None, errors.ProcessParameterInvalid, "-3 px is no size"),
        (px(x=2.5), None, errors.ProcessParameterInvalid, "no whole number"),
        ([{"dimension": "x", "value": 25, "unit": "m"}], None, errors.ProcessParameterInvalid, "25 m with cells of 10 along 'x' is 2.5 cells"),
        ([{"dimension": "t", "value": 3}], None, errors.ProcessParameterInvalid, "has to be a duration"),
        ([{"dimension": "x", "value": "P3D"}], None, errors.ProcessParameterInvalid, "'P3D' is no size along 'x'"),
        ([{"dimension": "t", "value": "3 days"}], None, errors.ProcessParameterInvalid, "'3 days' is no size"),
        (px(x=1), px(x=10**9), errors.ProcessParameterInvalid, "overlap of 1,000,000,000 cells is wider"),
        (px(x=1) + px(x=2), None, errors.ProcessParameterInvalid, "named twice"),
    ],
)  # fmt: skip
def test_faults_of_sizes(size, overlap, error, says, cube):
    with pytest.raises(error, match=says):
        P["apply_neighborhood"](cube, note, size, overlap)


def test_dimensions_have_to_stay(cube):
    mean = {"process_graph": {"m": {"process_id": "mean", "arguments": {"data": DATA}, "result": True}}}
    with pytest.raises(errors.DataCubePropertiesImmutable, match=r"gives bands \(bands, 2\), y"):
        P["apply_neighborhood"](cube, child("reduce_dimension", reducer=mean, dimension="t"), px(x=4, y=4))
    with pytest.raises(
        errors.DataCubePropertiesImmutable, match="changed the labels of 'bands': 2 before, 1 after"
    ):
        P["apply_neighborhood"](cube, child("filter_bands", bands=["B04"]), px(x=4, y=4))
    degrees = cube.assign_coords(x=cube.x).drop_vars("spatial_ref")
    for d in ("x", "y"):
        degrees[d].attrs["reference_system"] = 4326
    with pytest.raises(errors.ProcessParameterInvalid, match="in degrees, not in metres"):
        P["apply_neighborhood"](degrees, note, [{"dimension": "x", "value": 20, "unit": "m"}])


# ------------------------------------------------------------------------------------------- polygons
def inside(cube, shape):
    xs, ys = np.meshgrid(cube.x.values, cube.y.values)
    return shapely.intersects_xy(shapely.geometry.shape(shape["geometry"]), xs, ys)


def test_cells_of_polygons_and_no_others(cube, floats):
    given_ = left_and_right(cube)
    any_ = np.any([inside(cube, f) for f in given_["features"]], axis=0)
    assert 10 < any_.sum() < any_.size
    result = P["apply_polygon"](floats, given_, per_cell("multiply", y=2))
    np.testing.assert_array_equal(result.values, np.where(any_, floats.values * 2, np.nan))
    whole = P["apply_polygon"](cube, given_, per_cell("add", y=0))
    null = whole.attrs["nodata"]
    np.testing.assert_array_equal(whole.values == null, ~any_ | (cube.values == 0))
    vector = P["aggregate_spatial"](floats, given_, child("mean"))
    same = P["apply_polygon"](floats, vector, per_cell("multiply", y=2))
    xr.testing.assert_identical(same, result)


def test_what_a_polygon_sees(cube, seen):
    given_ = left_and_right(cube)
    P["apply_polygon"](cube, given_, note, -1)
    marks = inside(cube, given_["features"][1])
    part = seen[-1]
    rows, columns = (np.flatnonzero(marks.any(axis=a)) for a in (1, 0))
    assert part.x.values.tolist() == cube.x.values[columns].tolist()
    box = marks[np.ix_(rows, columns)]
    np.testing.assert_array_equal(part.values == -1, np.broadcast_to(~box, part.shape))
    assert part.bands.attrs == cube.bands.attrs
    seen.clear()
    P["apply_polygon"](cube, given_, note)
    assert (seen[-1].values[..., ~box] == 0).all()
    assert seen[-1].dtype == cube.dtype


def test_each_polygon_by_itself(floats):
    """A statistic over the box of one polygon does not know of the other."""
    mean = {"process_graph": {"m": {"process_id": "mean", "arguments": {"data": DATA}, "result": True}}}
    nodes = {
        "r": {"process_id": "reduce_spatial", "arguments": {"data": DATA, "reducer": mean}},
        "m": {"process_id": "merge_cubes", "arguments": {"cube1": DATA, "cube2": {"from_node": "r"}, "overlap_resolver": {
            "process_graph": {"s": {"process_id": "subtract", "arguments": {"x": {"from_parameter": "x"}, "y": {"from_parameter": "y"}}, "result": True}}}}, "result": True},
    }  # fmt: skip
    given_ = left_and_right(floats)
    result = P["apply_polygon"](floats, given_, Callback(parse(nodes), ("data", "context")))
    for feature in given_["features"]:
        cells = floats.values[..., inside(floats, feature)].astype(float)
        expected = cells - np.nanmean(cells, axis=-1, keepdims=True)
        np.testing.assert_allclose(result.values[..., inside(floats, feature)], expected, atol=1e-3)


def test_polygon_faults(cube):
    box = shapely.box(675_000, 5_155_950, 675_050, 5_156_000)
    with pytest.raises(errors.GeometriesOverlap, match="cells are in polygon 0 and in polygon 1"):
        P["apply_polygon"](cube, in_degrees_of(cube, box, shapely.affinity.translate(box, 20)), note)
    with pytest.raises(errors.ProcessParameterInvalid, match="there is a Point"):
        P["apply_polygon"](cube, in_degrees_of(cube, shapely.Point(675_010, 5_155_990)), note)
    with pytest.raises(errors.ProcessParameterInvalid, match="'out' does not go with cells of type uint16"):
        P["apply_polygon"](cube, in_degrees_of(cube, box), note, "out")
    with pytest.raises(errors.DataCubePropertiesImmutable):
        P["apply_polygon"](cube, in_degrees_of(cube, box), child("filter_bands", bands=["B04"]))
    away = P["apply_polygon"](cube, in_degrees_of(cube, shapely.affinity.translate(box, 9000)), note)
    assert (away.values == 0).all()


def test_each_polygon_is_computed_once(cube, seen):
    lazy = P["apply_polygon"](cube.chunk({"y": 2, "x": 2}), left_and_right(cube), note)
    before = len(seen)
    lazy.compute(scheduler="synchronous")
    assert len(seen) - before == 2


# -------------------------------------------------------------------------------------------- inspect
class FakeWorld:
    def __init__(self):
        self.notes = []

    def log(self, message, level, code):
        self.notes.append((message, level, code))


def test_inspect_notes_and_gives_back(cube):
    world = FakeWorld()
    lazy = make_cube(cube.values, nodata=0).chunk()
    with dask.config.set(scheduler=refuse):
        assert P["inspect"](lazy, "two\nlines", "mine", "warning", world=world) is lazy
    assert world.notes == [
        ("two lines: cube of uint16, lazy: t (temporal, 3), bands (bands, 2), y (spatial, 6), x (spatial, 8)", "warning", "mine")
    ]  # fmt: skip
    assert P["inspect"]([1, None], world=world) == [1, None]
    assert world.notes[-1] == ("[1, None]", "info", "User")
    P["inspect"]("x" * 5000, world=world)
    assert len(world.notes[-1][0]) < 1100
    with pytest.raises(errors.ProcessParameterInvalid, match="'loud' is none of error"):
        P["inspect"](1, level="loud", world=world)


def test_inspect_in_a_child_graph_goes_to_the_log_of_python(floats, caplog):
    nodes = {
        "i": {"process_id": "inspect", "arguments": {"data": DATA, "message": "series", "level": "warning"}},
        "m": {"process_id": "mean", "arguments": {"data": {"from_node": "i"}}, "result": True},
    }
    result = P["reduce_dimension"](floats, Callback(parse(nodes), ("data", "context")), "t")
    xr.testing.assert_identical(result, P["reduce_dimension"](floats, child("mean"), "t"))
    assert "User: series: array of 3 elements, each for (2, 6, 8) cells of float32" in caplog.messages


def test_inspect_through_the_engine(session):
    graph = {"i": {"process_id": "inspect", "arguments": {"data": 3, "message": "three"}, "result": True}}
    assert session.run(graph) == 3
    assert any("three: 3" in entry for entry in session.explain(graph).log)


def test_neighbourhoods_and_polygons_through_the_engine(session, floats):
    graph = {
        "n": {
            "process_id": "apply_neighborhood",
            "arguments": {
                "data": {"from_parameter": "cube"},
                "size": px(x=3, y=3),
                "overlap": px(x=1, y=1),
                "process": {"process_graph": {
                    "k": {"process_id": "apply_kernel", "arguments": {"data": DATA, "kernel": [[1, 1, 1]], "factor": {"from_parameter": "context"}}},
                    "f": {"process_id": "apply", "arguments": {"data": {"from_node": "k"}, "process": {"process_graph": {
                        "s": {"process_id": "add", "arguments": {"x": {"from_parameter": "x"}, "y": 1}, "result": True}}}}, "result": True},
                }},
                "context": 0.5,
            },
        },
        "p": {
            "process_id": "apply_polygon",
            "arguments": {
                "data": {"from_node": "n"},
                "geometries": {"from_parameter": "polygons"},
                "process": {"process_graph": {"f": {"process_id": "filter_bands", "arguments": {"data": DATA, "bands": ["B08", "B04"]}, "result": True}}},
            },
            "result": True,
        },
    }  # fmt: skip
    vector = P["aggregate_spatial"](floats, left_and_right(floats), child("mean"))
    given_ = {"cube": floats.chunk({"t": 1, "y": 4}), "polygons": vector}
    result = session.run(graph, given_).compute(scheduler="synchronous")
    marks = np.any([inside(floats, f) for f in left_and_right(floats)["features"]], axis=0)
    expected = P["apply_kernel"](floats, [[1, 1, 1]], 0.5).values[:, ::-1] + np.float32(1)
    np.testing.assert_array_equal(result.values, np.where(marks, expected, np.nan))
