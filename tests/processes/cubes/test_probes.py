"""What child graphs are tried on: cells that have a value, so that none fails that can do its work."""

from __future__ import annotations

import dask
import dask.array as da
import numpy as np
import pytest
import scipy.signal
import xarray as xr

from engine.execute.world import Within
from engine.graph.parse import parse
from engine.kernel.callback import Callback
from engine.settings import Settings
from processes.cubes.cells import LOGICAL_NODATA, Coding
from processes.values import Masked
from tests.processes.cubes.conftest import make_cube
from tests.processes.cubes.test_cubes import P, child, graph, refuse

X, D = {"from_parameter": "x"}, {"from_parameter": "data"}
LOGICAL = Coding(np.dtype(np.uint8), LOGICAL_NODATA, logical=True)
CODINGS = [
    *(Coding(np.dtype(t), n) for t in ("uint8", "int8", "uint16", "int64") for n in (None, 0, 1, 2, 127)),
    *(Coding(np.dtype(t)) for t in ("bool", "float16", "float32", "float64")),
    LOGICAL,
]


@pytest.mark.parametrize("coding", CODINGS, ids=str)
def test_a_probe_has_a_value_and_the_type_of_the_cube(coding):
    stored = coding.probe((2, 1))
    assert (stored.shape, stored.dtype) == ((2, 1), coding.dtype)
    cells = coding.decode(stored)
    assert isinstance(cells, Masked) == (coding.nodata is not None)
    assert np.all(cells.data if isinstance(cells, Masked) else cells)
    assert not np.any(cells.null if isinstance(cells, Masked) else np.isnan(cells))


def test_objects_may_be_anything_so_that_nothing_is_said_of_them():
    cells = Coding(np.dtype(object)).decode(Coding(np.dtype(object)).probe((1, 2)))
    assert cells.data.tolist() == [[None, None]]
    assert cells.null.all()
    for dtype in ("U1", "U30"):
        (text,) = Coding(np.dtype(dtype)).probe((1,))
        assert text == "2000-01-01"


# ------------------------------------------------------------------------ functions that need values
def needs_values(seen):
    """Twice the cells; there is nothing it can do without any, as a filter in time cannot."""

    def run(data, context=None):
        cells = data.values if hasattr(data, "labels") else data
        if isinstance(cells, xr.DataArray):
            seen.append(cells.size)
            if not (cells != cells.attrs["nodata"]).any():
                raise ValueError("nothing but no-data")
            return cells.astype("int32") * 2
        seen.append(np.size(cells.data))
        if np.all(cells.null):
            raise ValueError("nothing but no-data")
        return Masked(cells.data.astype(np.int32) * 2, cells.null)

    return run


def reduced(fn):
    def run(data, context=None):
        made = fn(data, context)
        return Masked(made.data.max(axis=0), made.null.all(axis=0))

    return run


BOX = {
    "type": "Polygon",
    "crs": {"type": "name", "properties": {"name": "EPSG:32632"}},
    "coordinates": [[[674990, 5155900], [675090, 5155900], [675090, 5156010], [674990, 5156010], [674990, 5155900]]],
}  # fmt: skip
SIZE = [{"dimension": d, "value": 2, "unit": "px"} for d in ("x", "y")]
ALONE = [{"dimension": d, "value": 1, "unit": "px"} for d in ("x", "y", "bands")]
CALLS = {
    "apply": lambda c, f: P["apply"](c, lambda x, context=None: f(x)),
    "apply_dimension": lambda c, f: P["apply_dimension"](c, f, "t"),
    "reduce_dimension": lambda c, f: P["reduce_dimension"](c, reduced(f), "t"),
    "reduce_spatial": lambda c, f: P["reduce_spatial"](c, reduced(f)),
    "aggregate_spatial": lambda c, f: P["aggregate_spatial"](c, BOX, reduced(f)),
    "aggregate_spatial_window": lambda c, f: P["aggregate_spatial_window"](c, reduced(f), [2, 2]),
    "aggregate_temporal_period": lambda c, f: P["aggregate_temporal_period"](c, "year", reduced(f)),
    "apply_neighborhood": lambda c, f: P["apply_neighborhood"](c, f, SIZE),
    "apply_neighborhood of series": lambda c, f: P["apply_neighborhood"](c, f, ALONE),
    "apply_polygon": lambda c, f: P["apply_polygon"](c, BOX, f),
    "merge_cubes": lambda c, f: P["merge_cubes"](c, c, lambda x, y, context=None: f(x)),
}


@pytest.mark.parametrize("nodata", [0, 1])
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_integers_whose_no_data_is_like_a_probe(call, nodata):
    values = np.random.default_rng(3).integers(2, 3000, (3, 2, 6, 8)).astype(np.uint16)
    values[0, 0, 0, 0] = nodata
    cube = make_cube(values, nodata=nodata)
    seen: list[int] = []
    with dask.config.set(scheduler=refuse):
        lazy = call(cube.chunk({"y": 2, "x": 4}), needs_values(seen))
    assert isinstance(lazy.data, da.Array)
    assert seen  # it was tried
    eager = call(cube, needs_values(seen))
    assert eager.dtype == lazy.dtype
    xr.testing.assert_identical(lazy.compute(), eager)


def test_what_is_found_does_not_depend_on_the_no_data_value():
    """The same types for all marks, and for a probe of whatever values."""
    double = child("add", "x", x={"from_parameter": "x"}, y={"from_parameter": "x"})
    ratio = child("divide", "x", x={"from_parameter": "x"}, y=3)
    least = child("min", "data")
    values = np.full((3, 2, 2, 2), 9, np.int16)
    for nodata in (0, 1, 2, -9999):
        cube = make_cube(values, nodata=nodata)
        assert P["apply"](cube, double).dtype == np.int32
        assert P["apply"](cube, ratio).dtype == np.float32
        assert P["reduce_dimension"](cube, least, "t").attrs["nodata"] == nodata


SMOOTH = """
import scipy.signal

def apply_datacube(cube, context):
    filled = cube.interpolate_na("t", fill_value="extrapolate")
    if bool(filled.isnull().all()):
        raise ValueError("no values to fit a polynomial to")
    return cube.copy(data=scipy.signal.savgol_filter(filled.values, 3, 1, axis=0))
"""


@pytest.mark.parametrize("chunks", [None, {"y": 2, "x": 4}])
def test_a_savitzky_golay_filter_on_integers(chunks):
    """User code in a child graph, on series whose no-data value is 0."""
    values = np.random.default_rng(3).integers(2, 3000, (3, 2, 4, 8)).astype(np.uint16)
    values[1, 0, 0, 0] = 0
    cube = make_cube(values, nodata=0)
    arguments = {"data": D, "udf": SMOOTH, "runtime": "Python"}
    smooth = Callback(
        parse({"udf": {"process_id": "run_udf", "arguments": arguments, "result": True}}),
        ("data", "context"),
        world=Within(Settings(udf="trusted"), "tests of probes"),
    )
    result = P["apply_dimension"](cube.chunk(chunks) if chunks else cube, smooth, "t").compute()
    filled = values.astype(float)
    filled[1, 0, 0, 0] = (2 * filled[0, 0, 0, 0] + filled[2, 0, 0, 0]) / 3  # after 10 of 30 days
    np.testing.assert_allclose(result.values, scipy.signal.savgol_filter(filled, 3, 1, axis=0), rtol=1e-5)


# ----------------------------------------------------------------------------------------- texts
WORDS = np.array([["cloud", "clear", None], ["2022-02-01", "2022-01-01", "2022-03-01"]], dtype=object)


@pytest.fixture(params=[None, {"a": 1}], ids=["numpy", "blocks"])
def words(request):
    coords = {"a": ("a", [0, 1], {"type": "other"}), "b": ("b", [0, 1, 2], {"type": "other"})}
    cube = xr.DataArray(WORDS, dims=("a", "b"), coords=coords)
    return cube if request.param is None else cube.chunk(request.param)


def each(fn):
    return [[None if w is None else fn(w) for w in row] for row in WORDS.tolist()]


TEXTS = {
    "text_begins": ({"pattern": "cl"}, each(lambda w: w.startswith("cl"))),
    "text_ends": ({"pattern": "ar"}, each(lambda w: w.endswith("ar"))),
    "text_contains": ({"pattern": "LOU", "case_sensitive": False}, each(lambda w: "lou" in w)),
}


@pytest.mark.parametrize(("name", "case"), TEXTS.items(), ids=TEXTS)
def test_processes_of_texts_on_cubes_of_texts(name, case, words):
    arguments, expected = case
    result = P["apply"](words, child(name, "x", data=X, **arguments))
    assert result.attrs == {"logical": True, "nodata": 255}
    marks = [[{0: False, 1: True, 255: None}[v] for v in row] for row in result.values.tolist()]
    assert marks == expected


def test_texts_become_texts_and_numbers(words):
    longer = P["apply"](words, child("text_concat", "x", data=[X, "!"]))
    assert longer.dtype == object
    assert longer.values[0].tolist() == ["cloud!", "clear!", "null!"]
    place = P["apply"](words, child("text_find", "x", data=X, pattern="ea"))
    assert place.values[0, 1] == 2
    assert (place.values == place.attrs["nodata"]).sum() == 5


def test_dates_in_cubes_are_put_in_order_and_counted(words):
    dates = words.isel(a=[1])
    ordered = P["apply_dimension"](dates, child("sort", "data"), "b")
    assert ordered.values[0].tolist() == ["2022-01-01", "2022-02-01", "2022-03-01"]
    assert P["apply_dimension"](dates, child("order", "data"), "b").values[0].tolist() == [1, 0, 2]
    later = P["apply"](dates, child("date_shift", "x", date=X, value=1, unit="day"))
    assert later.values[0].tolist() == ["2022-02-02", "2022-01-02", "2022-03-02"]
    march = graph(
        {"c": {"process_id": "count", "arguments": {"data": D, "condition": {"process_graph": {"n": {"process_id": "text_begins", "arguments": {"data": X, "pattern": "2022-03"}, "result": True}}}}, "result": True}},
        "data",
    )  # fmt: skip
    assert P["reduce_dimension"](words, march, "b").values.tolist() == [0, 1]


def test_texts_of_one_length():
    """NumPy's own texts, which have no null."""
    cube = xr.DataArray(np.array(["2022-02-01", "2022-01-01"]), dims="a")
    begins = P["apply"](cube, child("text_begins", "x", data=X, pattern="2022-01"))
    assert begins.attrs["logical"]
    assert begins.values.tolist() == [0, 1]
    later = P["apply"](cube, child("date_shift", "x", date=X, value=1, unit="day"))
    assert later.values.tolist() == ["2022-02-02", "2022-01-02"]
