"""What processes say of the dimensions they mix is true: along all others a filter may come before or after them."""

from __future__ import annotations

import dask
import numpy as np
import pytest
import xarray as xr

from engine.kernel.lift import call
from processes import REGISTRY
from processes.arrays import array_element
from processes.mixing import along, nothing, selecting, unknown, within
from tests.processes.cubes.conftest import make_cube

KEPT = {
    "some": {"t": [1, 2], "bands": [2, 0], "y": slice(1, 5), "x": slice(2, 5)},
    "one": {"t": [1], "bands": [1], "y": slice(3, 4), "x": slice(0, 1)},
    "none": {"t": [], "y": slice(0, 0), "x": slice(0, 0)},
}
"""Places that filters leave along each dimension; a filter of bands leaves one at least."""
INTERVALS = [["2022-06-01", "2022-06-12"], ["2022-06-11", "2022-08-01"], ["2023-01-01", "2023-02-01"]]
SQUARE = {
    "type": "Polygon",
    "coordinates": [[[11.2836, 46.533], [11.2841, 46.533], [11.2841, 46.5334], [11.2836, 46.533]]],
}


def of(process):
    """A callback that runs a process on a series."""
    return lambda data, context=None: call(REGISTRY[process], {"data": data})


def doubled(x, context=None):
    return call(REGISTRY["multiply"], {"x": x, "y": 2})


def red(data, context=None):
    return call(REGISTRY["array_element"], {"data": data, "label": "B04"})


def total(x, y, context=None):
    return call(REGISTRY["add"], {"x": x, "y": y})


def plus_one(data, context=None):
    return data + 1


def line(x, parameters):
    return x * array_element(parameters, index=0)


CASES = [
    ("apply", {"process": doubled}),
    ("reduce_dimension", {"reducer": of("mean"), "dimension": "t"}),
    ("reduce_dimension", {"reducer": of("max"), "dimension": "t"}),
    ("reduce_dimension", {"reducer": red, "dimension": "bands"}),
    ("reduce_dimension", {"reducer": of("mean"), "dimension": "x"}),
    ("apply_dimension", {"process": of("sort"), "dimension": "t"}),
    ("apply_dimension", {"process": of("sort"), "dimension": "bands"}),
    ("aggregate_temporal", {"intervals": INTERVALS, "reducer": of("median")}),
    ("aggregate_temporal_period", {"period": "month", "reducer": of("mean")}),
    ("climatological_normal", {"period": "climatology-period", "climatology_period": [2022, 2022]}),
    ("anomaly", {"normals": "itself", "period": "month"}),
    ("apply_kernel", {"kernel": [[0, 1, 0], [1, 2, 1], [0, 1, 0]]}),
    ("apply_neighborhood", {"process": plus_one, "size": [{"dimension": "x", "value": 1, "unit": "px"}]}),
    ("drop_dimension", {"name": "bands"}),
    ("rename_labels", {"dimension": "bands", "target": ["green"], "source": ["B03"]}),
    ("filter_bbox", {"extent": {"west": 675_010, "south": 5_155_950, "east": 675_050, "north": 5_155_985, "crs": 32632}}),
    ("filter_temporal", {"extent": ["2022-06-05", None]}),
    ("filter_bands", {"bands": ["nir", "B04"]}),
    ("filter_labels", {"condition": lambda value, context=None: value != "B04", "dimension": "bands"}),
    ("filter_spatial", {"geometries": SQUARE}),
    ("mask_polygon", {"mask": SQUARE}),
    ("mask", {"mask": "marks"}),
    ("mask", {"mask": "marks of all times"}),
    ("merge_cubes", {"cube1": "itself", "cube2": "itself", "overlap_resolver": total}),
    ("ndvi", {}),
    ("ndvi", {"target_band": "ndvi"}),
    ("resample_spatial", {"resolution": 20}),
    ("resample_cube_spatial", {"target": "corner"}),
    ("resample_cube_temporal", {"target": "itself"}),
    ("aggregate_spatial", {"geometries": SQUARE, "reducer": of("mean")}),
    ("reduce_spatial", {"reducer": of("mean")}),
    ("reduce_spatial", {"reducer": of("median")}),
    ("aggregate_spatial_window", {"reducer": of("mean"), "size": [2, 2]}),
    ("predict_curve", {"parameters": "itself", "function": line,
                       "dimension": "t", "labels": ["2022-06-01", "2022-07-01"]}),
]  # fmt: skip
SILENT = {
    "add_dimension": "a new dimension may be called like one that others are known by",
    "apply_polygon": "the child graph sees a cube with all its dimensions",
    "ard_normalized_radar_backscatter": "looks at the whole cube to choose how it is done",
    "ard_surface_reflectance": "looks at the whole cube to choose how it is done",
    "atmospheric_correction": "looks at the whole cube to choose how it is done",
    "cloud_detection": "looks at the whole cube to choose how it is done",
    "create_data_cube": "a cube without dimensions",
    "dimension_labels": "gives no cube",
    "filter_vector": "vector cubes have no dimensions that are known by their names",
    "flatten_dimensions": "names a new dimension",
    "load_geojson": "vector cubes have no dimensions that are known by their names",
    "load_uploaded_files": "files may have any dimensions",
    "load_url": "files may have any dimensions",
    "ml_fit_class_random_forest": "gives a model",
    "ml_fit_regr_random_forest": "gives a model",
    "ml_predict": "dimensions are given up whose names stand in a list",
    "rename_dimension": "names a new dimension",
    "sar_backscatter": "looks at the whole cube to choose how it is done",
    "trim_cube": "what is kept along a dimension depends on all others",
    "unflatten_dimension": "names new dimensions",
    "vector_buffer": "vector cubes have no dimensions that are known by their names",
    "vector_reproject": "vector cubes have no dimensions that are known by their names",
    "vector_to_regular_points": "vector cubes have no dimensions that are known by their names",
}
"""Processes on cubes that say nothing, and why."""


@pytest.fixture
def cube():
    values = np.random.default_rng(4).integers(1, 3000, (3, 4, 6, 8)).astype(np.int16)
    values[0, 0, 0, 0] = values[1, 2, 3, 4] = 0
    made = make_cube(values, bands=("B02", "B03", "B04", "B08"), nodata=0)
    return made.chunk({"t": 1, "bands": 1, "y": 4, "x": 4})


def given(process, args, cube):
    """The arguments, with cubes for the words that stand for them."""
    marks = xr.DataArray(cube.isel(bands=0, drop=True) > 1500).assign_attrs(cube.attrs)
    marks.attrs.pop("nodata", None)
    words = {
        "itself": cube,
        "marks": marks.isel(t=0, drop=True),
        "marks of all times": marks,
        "corner": cube.isel(x=slice(1, 4), y=slice(0, 4)),
    }
    first = {} if process.mixes.cubes[0] in args else {process.mixes.cubes[0]: cube}
    return first | {k: words.get(v, v) if isinstance(v, str) else v for k, v in args.items()}


def run(process, args):
    return process.fn(**{process.python_names[k]: v for k, v in args.items()})


def kept(cube, dim, places):
    """What a filter along a dimension leaves; the metadata of bands go with their labels."""
    if dim not in cube.dims:
        return cube
    chosen = cube.isel({dim: places})
    if dim == "bands":
        metadata = {b["name"]: b for b in cube.bands.attrs["bands"]}
        chosen.bands.attrs = {**cube.bands.attrs, "bands": [metadata[n] for n in chosen.bands.values]}
    return chosen


def promises():
    for id_, args in CASES:
        process = REGISTRY[id_]
        mixed = process.mixes.dimensions(args)
        for how, places in KEPT.items():
            for dim in sorted(places.keys() - mixed):
                yield pytest.param(process, args, dim, places[dim], id=f"{id_} {how} along {dim}")


@pytest.mark.parametrize(("process", "args", "dim", "places"), list(promises()))
def test_a_filter_may_come_first(process, args, dim, places, cube):
    if process.id == "drop_dimension":
        cube = cube.isel(bands=[1])
    args = given(process, args, cube)
    inner = {p: kept(args[p], dim, places) for p in process.mixes.cubes}
    with np.errstate(all="ignore"), dask.config.set(scheduler="synchronous"):
        after = kept(run(process, args), dim, places)
        before = run(process, args | inner)
        assert before.dtype == after.dtype
        xr.testing.assert_identical(before.compute(), after.compute())


def test_every_cube_process_says_something_or_is_known_to_be_silent():
    ours = {p.id for p in REGISTRY.values() if p.fn.__module__.startswith("processes.cubes.")}
    cubes = {i for i in ours if REGISTRY[i].pure and takes_or_gives_cubes(REGISTRY[i])}
    says = {i for i in ours if REGISTRY[i].mixes.known}
    assert cubes - says == SILENT.keys()
    sources = {i for i in says if REGISTRY[i].mixes.does == "makes"}
    assert says - sources == {id_ for id_, _ in CASES}


def takes_or_gives_cubes(process):
    signature = process.signature
    schemas = [signature.returns.schema, *(p.schema for p in signature.params[:1])]
    return "'subtype': 'datacube'" in str(schemas)


@pytest.mark.parametrize("process", [p for p in REGISTRY.values() if p.mixes.known], ids=lambda p: p.id)
def test_declarations_name_parameters_that_are_there(process):
    mixes = process.mixes
    names = {p.name for p in process.signature.params}
    told = {
        *mixes.named,
        *mixes.cubes,
        *mixes.bands,
        mixes.size,
        mixes.keeps,
        mixes.area,
        mixes.beyond[0],
    } - {""}
    assert told <= names


def test_dimensions():
    assert nothing.dimensions({}) == frozenset()
    assert unknown.dimensions({}) is None
    assert along("x", argument="dimension").dimensions({"dimension": "t"}) == {"x", "t"}
    assert along(argument="dimension").dimensions({"dimension": "level"}) is None
    assert along(argument="dimension").dimensions({"dimension": ["t"]}) is None
    assert selecting(argument="dimension", usual=("t",)).dimensions({}) == {"t"}


def test_reach():
    assert within(2, "x", "y").reach({}) == {"x": 2, "y": 2}
    kernel = within(None, "y", "x", argument="kernel")
    assert kernel.reach({"kernel": [[1, 1, 1, 1, 1]] * 3}) == {"y": 1, "x": 2}
    assert kernel.reach({"kernel": None}) is None
    assert along("x").reach({}) is None
    round_about, weights = kernel.unless("border", "wrap"), {"kernel": [[1, 1, 1]]}
    assert round_about.reach({**weights, "border": "reflect"}) == {"y": 0, "x": 1}
    assert round_about.reach({**weights, "border": "wrap"}) is None
    assert round_about.reach({**weights, "border": object()}) is None
