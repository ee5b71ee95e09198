"""Cube processes against NumPy twins: values, labels, metadata, laziness, no-data, chunk invariance."""

from __future__ import annotations

import warnings

import dask
import dask.array as da
import numpy as np
import pyproj
import pytest
import rasterio
import shapely
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.warp import reproject

from engine.graph.parse import parse
from engine.kernel.callback import Callback
from processes import REGISTRY, errors
from tests.processes.cubes.conftest import make_cube

P = {name: p.fn for name, p in REGISTRY.items()}


def child(process, *names, **args):
    """A child graph of one node."""
    given = args or {names[0]: {"from_parameter": names[0]}}
    return Callback(
        parse({"n": {"process_id": process, "arguments": given, "result": True}}), (*names, "context")
    )


def graph(nodes, *names):
    """A child graph of several nodes."""
    return Callback(parse(nodes), (*names, "context"))


MEAN = child("mean", "data")
DOUBLE = child("multiply", "x", x={"from_parameter": "x"}, y=2)


def nulls(cube):
    """No-data as NaN, whatever the type."""
    values = cube.values.astype(float)
    if cube.attrs.get("nodata") is not None and cube.dtype.kind in "iu":
        values[cube.values == cube.attrs["nodata"]] = np.nan
    return values


CALLS = {
    "apply": lambda c: P["apply"](c, DOUBLE),
    "reduce_dimension": lambda c: P["reduce_dimension"](c, MEAN, "t"),
    "apply_dimension": lambda c: P["apply_dimension"](c, child("quantiles", "data", data={"from_parameter": "data"}, probabilities=[0.1, 0.9]), "t", "q"),
    "filter_bbox": lambda c: P["filter_bbox"](c, {"west": 675015, "south": 5155950, "east": 675045, "north": 5155985, "crs": 32632}),
    "filter_temporal": lambda c: P["filter_temporal"](c, ["2022-06-02", "2022-07-01"]),
    "filter_bands": lambda c: P["filter_bands"](c, ["nir"]),
    "mask": lambda c: P["mask"](c, c.isel(t=0, bands=0) > 1500),
    "merge_cubes": lambda c: P["merge_cubes"](c, c, child("max", "x", "y", data=[{"from_parameter": "x"}, {"from_parameter": "y"}])),
    "ndvi": lambda c: P["ndvi"](c),
    "ndvi, kept": lambda c: P["ndvi"](c, target_band="ndvi"),
    "aggregate_spatial": lambda c: P["aggregate_spatial"](c, POLYGON, MEAN),
    "resample_spatial": lambda c: P["resample_spatial"](c, 20, method="near"),
}  # fmt: skip
POLYGON = {"type": "Polygon", "crs": {"type": "name", "properties": {"name": "EPSG:32632"}},
           "coordinates": [[[675012, 5155945], [675061, 5155945], [675061, 5155988], [675012, 5155945]]]}  # fmt: skip


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("kind", ["cube", "floats"])
def test_lazy_and_the_same_for_any_chunks(call, kind, request):
    source = request.getfixturevalue(kind)
    eager = call(source)
    for chunks in ({"t": 1, "y": 3, "x": 5}, {"t": -1, "bands": 1, "y": -1, "x": -1}):
        with dask.config.set(scheduler=refuse):
            lazy = call(source.chunk(chunks))
        assert isinstance(lazy.data, da.Array)
        assert lazy.dtype == lazy.data.compute().dtype == eager.dtype
        xr.testing.assert_identical(lazy.compute(), eager)


def refuse(*args, **kwargs):
    raise AssertionError("a process computed")


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_metadata_is_kept(call, cube):
    cube.attrs["title"] = "kept"
    result = call(cube)
    assert result.attrs["title"] == "kept"
    for dim in set(result.dims) & set(cube.dims):
        assert result.coords[dim].attrs.items() >= {"type": cube.coords[dim].attrs["type"]}.items()
    if "x" in result.dims:
        assert result.coords["x"].attrs["reference_system"] == 32632
        assert result.odc.crs == cube.odc.crs


def test_apply_keeps_null_and_widens(cube):
    result = P["apply"](cube, DOUBLE)
    assert result.dtype == np.int32
    np.testing.assert_array_equal(nulls(result), nulls(cube) * 2)
    assert result.values[0, 0, 0, 0] == result.attrs["nodata"]


def test_zero_that_was_computed_is_no_null(cube):
    """0 is the source's no-data; a difference of 0 is a number all the same."""
    same = child("subtract", "x", x={"from_parameter": "x"}, y={"from_parameter": "x"})
    result = P["apply"](cube, same)
    np.testing.assert_array_equal(np.isnan(nulls(result)), np.isnan(nulls(cube)))
    assert np.nansum(nulls(result)) == 0


def test_choosing_keeps_the_type(cube):
    result = P["reduce_dimension"](cube, child("max", "data"), "t")
    assert result.dtype == np.uint16
    np.testing.assert_array_equal(nulls(result), np.nanmax(nulls(cube), axis=0))


TWINS = {
    "mean": np.nanmean, "median": np.nanmedian, "min": np.nanmin, "max": np.nanmax, "sum": np.nansum,
    "sd": lambda a, axis: np.nanstd(a, axis, ddof=1), "variance": lambda a, axis: np.nanvar(a, axis, ddof=1),
    "product": np.nanprod,
}  # fmt: skip


@pytest.mark.parametrize("reducer", TWINS)
@pytest.mark.parametrize("dim", ["t", "bands", "x"])
def test_reducers_against_numpy(reducer, dim, floats):
    ours = P["reduce_dimension"](floats.astype(float), child(reducer, "data"), dim)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        theirs = TWINS[reducer](floats.values.astype(float), axis=floats.dims.index(dim))
    np.testing.assert_allclose(ours.values, theirs, rtol=1e-12)


def test_all_null_is_null(floats):
    empty = floats.where(False)
    for reducer in ("mean", "median", "min", "max", "sum", "sd", "variance", "product", "first", "last"):
        result = P["reduce_dimension"](empty, child(reducer, "data"), "t")
        assert np.isnan(result.values).all(), reducer


def test_three_valued_logic_in_cubes(floats):
    greater = child("gt", "x", x={"from_parameter": "x"}, y=1500)
    result = P["apply"](floats, greater)
    assert result.attrs["logical"]
    assert result.values[0, 0, 0, 0] == result.attrs["nodata"] == 255
    np.testing.assert_array_equal(result.values == 1, np.nan_to_num(floats.values) > 1500)


def test_labels_and_context_reach_the_callback(cube):
    nodes = {
        "e": {
            "process_id": "array_element",
            "arguments": {"data": {"from_parameter": "data"}, "label": "B08"},
        },
        "a": {
            "process_id": "add",
            "arguments": {"x": {"from_node": "e"}, "y": {"from_parameter": "context"}},
            "result": True,
        },
    }
    result = P["reduce_dimension"](cube, graph(nodes, "data"), "bands", context=5)
    np.testing.assert_array_equal(nulls(result), nulls(cube)[:, 1] + 5)
    time = child("array_element", "data", data={"from_parameter": "data"}, label="2022-06-11T10:16:00Z")
    np.testing.assert_array_equal(P["reduce_dimension"](cube, time, "t").values, cube.values[1])


def test_apply_dimension_labels(cube):
    ident = child("array_concat", "data", array1={"from_parameter": "data"}, array2=[])
    same = P["apply_dimension"](cube, ident, "t")
    np.testing.assert_array_equal(same.t.values, cube.t.values)
    twice = child("array_create", "data", data={"from_parameter": "data"}, repeat=2)
    longer = P["apply_dimension"](cube, twice, "t")
    assert longer.t.values.tolist() == [0, 1, 2, 3, 4, 5]
    assert longer.t.attrs["type"] == "temporal"
    other = P["apply_dimension"](cube, ident, "t", "step")
    assert other.step.attrs["type"] == "other"
    with pytest.raises(errors.DimensionNotAvailable, match="no dimension 'z'; the cube has t"):
        P["apply_dimension"](cube, ident, "z")


def test_reducer_that_gives_an_array_is_refused(cube):
    with pytest.raises(errors.ProcessParameterInvalid, match="gives an array"):
        P["reduce_dimension"](
            cube, child("array_concat", "data", array1={"from_parameter": "data"}, array2=[]), "t"
        )


# ------------------------------------------------------------------------------------------ filters
def test_filter_bbox_by_cell_centre(cube):
    box = {"west": 675015, "south": 5155955, "east": 675035, "north": 5155985, "crs": 32632}
    assert P["filter_bbox"](cube, box).x.values.tolist() == [675015, 675025, 675035]
    degrees = pyproj.Transformer.from_crs(32632, 4326, always_xy=True)
    west, south, east, north = degrees.transform_bounds(675011, 5155951, 675034, 5155982)
    found = P["filter_bbox"](cube, {"west": west, "south": south, "east": east, "north": north})
    assert found.x.values.tolist() == [675015, 675025]
    assert found.y.values.tolist() == [5155975, 5155965, 5155955]


def test_filter_bbox_across_the_antimeridian():
    grid = xr.DataArray(
        np.zeros((4, 36)),
        dims=("y", "x"),
        coords={"y": ("y", [30, 10, -10, -30], {"type": "spatial", "axis": "y"}),
                "x": ("x", np.arange(-175, 185, 10), {"type": "spatial", "axis": "x"})},
        attrs={"crs": 4326},
    )  # fmt: skip
    box = {"west": 170, "south": -90, "east": -160, "north": 90}
    assert P["filter_bbox"](grid, box).x.values.tolist() == [-175, -165, 175]
    shifted = grid.assign_coords(x=("x", np.arange(5, 365, 10), grid.x.attrs))
    assert P["filter_bbox"](shifted, box).x.values.tolist() == [175, 185, 195]


@pytest.mark.parametrize(
    ("extent", "says"),
    [
        ({"west": 5, "south": 60, "east": 6, "north": 50}, "south .* is greater than north"),
        (
            {"west": 7e5, "south": 5e6, "east": 6e5, "north": 6e6, "crs": 32632},
            "west .* is greater than east",
        ),
        (
            {"west": 5, "south": 50, "east": 6, "north": 60, "crs": "EPSG:nothing"},
            "no coordinate reference system",
        ),
        ({"west": float("nan"), "south": 50, "east": 6, "north": 60}, "west has to be a number"),
    ],
)
def test_boxes_that_are_none(cube, extent, says):
    with pytest.raises(errors.ProcessParameterInvalid, match=says):
        P["filter_bbox"](cube, extent)


def test_filter_temporal_is_half_open(cube):
    found = P["filter_temporal"](cube, ["2022-06-01T10:16:00Z", "2022-06-11T10:16:00Z"])
    assert found.sizes["t"] == 1
    assert P["filter_temporal"](cube, [None, "2022-06-11T12:16:00+02:00"]).sizes["t"] == 1
    assert P["filter_temporal"](cube, ["2022-06-11", None]).dtype == cube.dtype
    for extent in (["2022-06-01", "2022-06-01"], ["2022-06-02", "2022-06-01"]):
        with pytest.raises(errors.TemporalExtentEmpty, match="end is not part of it"):
            P["filter_temporal"](cube, extent)
    with pytest.raises(errors.ProcessParameterInvalid, match="no date"):
        P["filter_temporal"](cube, ["June", None])
    with pytest.raises(errors.ProcessParameterInvalid, match="one may be null"):
        P["filter_temporal"](cube, [None, None])


def test_filter_bands(cube):
    assert P["filter_bands"](cube, ["nir", "B04"]).bands.values.tolist() == ["B08", "B04"]
    chosen = P["filter_bands"](cube, wavelengths=[[0.45, 0.55]])
    assert chosen.bands.values.tolist() == ["B08"]
    assert [b["common_name"] for b in chosen.bands.attrs["bands"]] == ["nir"]
    with pytest.raises(
        errors.ProcessParameterInvalid, match=r"no band 'B09'; the bands are B04 \(red\), B08 \(nir\)"
    ):
        P["filter_bands"](cube, ["B09"])
    with pytest.raises(errors.BandFilterParameterMissing):
        P["filter_bands"](cube)


# -------------------------------------------------------------------------------------- mask and merge
def test_mask_twice_is_mask_once(cube):
    marks = cube.isel(bands=0, drop=True) > 1500
    once = P["mask"](cube, marks)
    xr.testing.assert_identical(P["mask"](once, marks), once)
    assert once.dtype == cube.dtype
    expected = np.where(marks.values[:, None], np.nan, nulls(cube))
    np.testing.assert_array_equal(nulls(once), expected)


def test_mask_of_coarser_cells(cube):
    coarse = P["resample_spatial"](cube.isel(bands=0, drop=True), 20)
    marks = (coarse > 1500).assign_attrs({})
    result = P["mask"](cube, marks)
    expected = np.repeat(np.repeat(marks.values, 2, axis=1), 2, axis=2)
    np.testing.assert_array_equal(np.isnan(nulls(result)), expected[:, None] | np.isnan(nulls(cube)))


def test_mask_faults(cube):
    with pytest.raises(errors.IncompatibleDataCubes, match="has the dimension 'z'"):
        P["mask"](cube, cube.isel(t=0, bands=0).expand_dims(z=[1]))
    with pytest.raises(errors.IncompatibleDataCubes, match="different labels along 't': 2 and 3"):
        P["mask"](cube, cube.isel(t=[0, 1]))


def test_mask_replacement(cube):
    result = P["mask"](cube, cube > 1500, -5)
    assert result.dtype == np.int32
    np.testing.assert_array_equal(result.values, np.where(cube.values > 1500, -5, cube.values.astype(int)))


def test_merge_bands_and_back(cube):
    one, other = cube.isel(bands=[1]), cube.isel(bands=[0])
    merged = P["merge_cubes"](one, other)
    assert merged.bands.values.tolist() == ["B08", "B04"]
    assert [b["common_name"] for b in merged.bands.attrs["bands"]] == ["nir", "red"]
    assert merged.dtype == cube.dtype
    np.testing.assert_array_equal(merged.sel(bands="B04").values, cube.sel(bands="B04").values)


def test_merge_dates_in_order(cube):
    merged = P["merge_cubes"](cube.isel(t=[2]), cube.isel(t=[0, 1]))
    xr.testing.assert_identical(merged, cube)


def test_merge_overlap_and_gaps(floats):
    one, other = floats.isel(t=[0, 1], x=slice(0, 5)), floats.isel(t=[1, 2], x=slice(3, 8))
    with pytest.raises(errors.OverlapResolverMissing, match="both cubes have values for the same labels"):
        P["merge_cubes"](one, other)
    plus = child("sum", "x", "y", data=[{"from_parameter": "x"}, {"from_parameter": "y"}])
    merged = P["merge_cubes"](one, other, plus)
    a, b = one.reindex_like(merged), other.reindex_like(merged)
    expected = np.where(np.isnan(a) & np.isnan(b), np.nan, np.nan_to_num(a.values) + np.nan_to_num(b.values))
    np.testing.assert_array_equal(merged.values, expected)


def test_merge_broadcasts(floats):
    flat = floats.isel(t=0, bands=0, drop=True)
    minus = child("subtract", "x", "y", x={"from_parameter": "x"}, y={"from_parameter": "y"})
    merged = P["merge_cubes"](floats, flat, minus)
    np.testing.assert_array_equal(merged.values, floats.values - flat.values)
    assert merged.dims == floats.dims


# ---------------------------------------------------------------------------------- ndvi, resampling
def test_ndvi(cube, floats):
    red, nir = floats.values[:, 0], floats.values[:, 1]
    result = P["ndvi"](cube)
    assert result.dtype == np.float32
    assert result.dims == ("t", "y", "x")
    np.testing.assert_array_equal(result.values, (nir - red) / (nir + red))
    kept = P["ndvi"](cube, target_band="ndvi")
    assert kept.bands.values.tolist() == ["B04", "B08", "ndvi"]
    np.testing.assert_array_equal(kept.values[:, 2], result.values)
    with pytest.raises(errors.NirBandAmbiguous, match="no band is called 'B09'"):
        P["ndvi"](cube, nir="B09")
    with pytest.raises(errors.BandExists):
        P["ndvi"](cube, target_band="B04")
    with pytest.raises(errors.DimensionAmbiguous):
        P["ndvi"](result)


@pytest.mark.parametrize("method", ["near", "bilinear", "average"])
def test_resample_against_rasterio(method, floats):
    result = P["resample_spatial"](floats, 20, 25832, method)
    grid = result.odc.geobox
    expected = np.full((3, 2, *grid.shape), np.nan, dtype=np.float32)
    for i in np.ndindex(3, 2):
        reproject(
            floats.values[i], expected[i], src_transform=floats.odc.geobox.transform, src_crs=32632,
            dst_transform=grid.transform, dst_crs=25832, src_nodata=np.nan, dst_nodata=np.nan,
            resampling=rasterio.enums.Resampling[{"near": "nearest"}.get(method, method)],
            XSCALE=0.5,
            YSCALE=0.5,
        )  # fmt: skip
    np.testing.assert_allclose(result.values, expected, rtol=1e-6)
    assert result.x.attrs["reference_system"] == 25832


def test_resample_to_degrees_without_a_resolution(cube):
    result = P["resample_spatial"](cube, projection=4326)
    assert result.sizes["x"] > 4
    assert result.odc.crs.epsg == 4326


@pytest.mark.parametrize(
    ("align", "first"), [("upper-left", 675007.5), ("lower-right", 674997.5 + 7.5 - 2.5)]
)
def test_resample_starts_at_the_corner(align, first, cube):
    result = P["resample_spatial"](cube, 15, align=align)
    left = cube.odc.geobox.extent.boundingbox.left
    right = cube.odc.geobox.extent.boundingbox.right
    edge = result.odc.geobox.extent.boundingbox
    assert (edge.left == left) if align.endswith("left") else (edge.right == right)


def test_resample_needs_something(cube):
    with pytest.raises(errors.ProcessParameterInvalid, match="neither a resolution nor a projection"):
        P["resample_spatial"](cube)


# --------------------------------------------------------------------------------------- aggregation
def test_aggregate_spatial_against_numpy(floats):
    xs, ys = np.meshgrid(floats.x.values, floats.y.values)
    shape = shapely.geometry.shape(POLYGON)
    inside = shapely.intersects_xy(shape, xs, ys)
    result = P["aggregate_spatial"](floats, POLYGON, MEAN, "statistics")
    assert result.dims == ("geometry", "t", "bands", "statistics")
    cells = floats.values[:, :, inside].astype(float)
    np.testing.assert_allclose(
        result.sel(statistics="value").values[0], np.nanmean(cells, axis=-1), rtol=1e-6
    )
    assert (result.sel(statistics="total_count") == inside.sum()).all()
    np.testing.assert_array_equal(
        result.sel(statistics="valid_count").values[0], (~np.isnan(cells)).sum(axis=-1)
    )


def test_overlapping_polygons_points_lines_and_nothing(floats):
    def feature(geometry, **properties):
        return {"type": "Feature", "geometry": geometry, "properties": properties}

    square = {
        "type": "Polygon",
        "coordinates": [
            [[675000, 5155940], [675040, 5155940], [675040, 5156000], [675000, 5156000], [675000, 5155940]]
        ],
    }
    collection = {
        "type": "FeatureCollection",
        "crs": POLYGON["crs"],
        "features": [
            feature(square, name="a", n=1),
            feature(square, name="b"),
            feature({"type": "Point", "coordinates": [675011, 5155989]}, name="c"),
            feature({"type": "LineString", "coordinates": [[675001, 5155995], [675079, 5155995]]}),
            feature({"type": "Point", "coordinates": [0, 0]}),
            feature(None),
        ],
    }
    result = P["aggregate_spatial"](floats, collection, child("sum", "data"))
    values = floats.values.astype(float)
    np.testing.assert_allclose(result.values[0], np.nansum(values[:, :, :, :4], axis=(2, 3)), rtol=1e-6)
    np.testing.assert_array_equal(result.values[1], result.values[0])
    np.testing.assert_array_equal(result.values[2], values[:, :, 1, 1])
    np.testing.assert_allclose(result.values[3], np.nansum(values[:, :, 0], axis=-1), rtol=1e-6)
    assert np.isnan(result.values[4:]).all()
    assert result.coords["name"].values.tolist() == ["a", "b", "c", None, None, None]


def test_zonal_graph_does_not_grow_with_polygons(cube):
    """A pass per block, not a task per polygon."""

    def tasks(count):
        squares = [shapely.box(675000 + i / 10, 5155940, 675030 + i / 10, 5155990) for i in range(count)]
        features = [
            {"type": "Feature", "properties": {}, "geometry": shapely.geometry.mapping(s)} for s in squares
        ]
        given = {"type": "FeatureCollection", "crs": POLYGON["crs"], "features": features}
        lazy = P["aggregate_spatial"](cube.chunk({"t": 1, "y": 3, "x": 4}), given, MEAN)
        return len(lazy.data.__dask_graph__())

    assert tasks(50) == tasks(2)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(["mean", "median", "max", "first", "sd"]),
    st.sampled_from(["t", "bands"]),
)
def test_a_filter_commutes_with_a_reducer_of_another_dimension(seed, reducer, dim):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(3, 2, 4, 5))
    values[rng.random(values.shape) < 0.3] = np.nan
    source = make_cube(values)
    box = {"west": 675005, "south": 5155965, "east": 675025, "north": 5155995, "crs": 32632}
    one = P["filter_bbox"](P["reduce_dimension"](source, child(reducer, "data"), dim), box)
    other = P["reduce_dimension"](P["filter_bbox"](source, box), child(reducer, "data"), dim)
    xr.testing.assert_identical(one, other)
