"""Honest user code from end to end: cubes, child graphs, labels, context, and errors in the user's own lines."""

from __future__ import annotations

import errno
import importlib
import os
import pickle
import re
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from scipy.signal import savgol_filter

import engine
from engine.errors import Problem
from engine.execute.udf.confinement import Confinement, why_not
from engine.execute.udf.function import Function
from engine.execute.udf.inside import calls, standin
from engine.execute.udf.source import code_of
from engine.settings import Settings
from tests.processes.cubes.conftest import make_cube

MODE = "sandbox" if why_not() is None else "trusted"  # the code of these tests is our own

VALUES = np.random.default_rng(5).integers(1, 3000, (3, 2, 6, 8)).astype(np.uint16)
CHUNKS = {"t": 1, "bands": 1, "y": 4, "x": 3}

CODE = """
def reduce(cube, context):
    return cube.max("t") - cube.min("t")

def wobbly(cube, context):
    return cube if float(cube.max()) > 1 else cube.mean("bands")

def coarser(cube, context):
    return cube.coarsen(x=2).mean()

def texts(cube, context):
    return cube.astype(str)

def nothing(cube, context):
    cube * 2

def lost(data, context):
    return data.mean()

def wrapped(cube, context):
    inner(cube)

def inner(cube):
    raise ValueError("no such thing: " + "snow")

def apply_datacube(cube, context):
    return globals()[context["fn"]](cube, context)
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    with engine.open(home / "catalog.sqlite", home=home, udf=MODE) as opened:
        yield opened


def cube(chunks=None, values=VALUES, nodata=0):
    made = make_cube(values, nodata=nodata)
    return made if chunks is None else made.chunk(chunks)


def graph(code, context, **more):
    return {
        "udf": {
            "process_id": "run_udf",
            "arguments": {"data": {"from_parameter": "cube"}, "udf": code, "runtime": "Python", "context": context, **more},
            "result": True,
        }
    }  # fmt: skip


def child(process, code, context, **more):
    key = "reducer" if process == "reduce_dimension" else "process"
    name = "x" if process == "apply" else "data"
    inner = graph(code, {"from_parameter": "context"})
    inner["udf"]["arguments"]["data"] = {"from_parameter": name}
    arguments = {
        "data": {"from_parameter": "cube"},
        key: {"process_graph": inner},
        "context": context,
        **more,
    }
    return {"outer": {"process_id": process, "arguments": arguments, "result": True}}


def test_a_graph_from_end_to_end(own, tmp_path):
    made = own.run(graph(CODE, {"fn": "reduce"}), {"cube": cube(CHUNKS)})
    assert made.dims == ("bands", "y", "x")
    assert (made.values == VALUES.astype(float).max(0) - VALUES.min(0)).all()


@pytest.mark.parametrize(
    ("fn", "words"),
    [
        ("coarser", "1 of 2 cells along 'x'"),
        ("texts", "values of type <U32 do not travel"),
        ("nothing", "is a `return` missing?"),
        ("wrapped", 'raise ValueError("no such thing: " + "snow")`: ValueError: no such thing: snow'),
    ],
)
def test_faults_are_found_before_anything_is_computed(fn, words, own):
    with pytest.raises(Problem) as caught:
        own.run(graph(CODE, {"fn": fn}), {"cube": cube(CHUNKS)})
    assert words in caught.value.message
    assert caught.value.pointer == "/udf/arguments/udf"
    assert caught.value.code == "ProcessParameterInvalid"


def test_errors_name_the_users_lines(own):
    lines = CODE.splitlines()
    raised = next(i for i, line in enumerate(lines, 1) if "raise ValueError" in line)
    with pytest.raises(Problem) as caught:
        own.run(graph(CODE, {"fn": "wrapped"}), {"cube": cube()})
    assert f"line {raised}, `" in caught.value.message
    assert f"called from line {raised - 3}, `inner(cube)`" in caught.value.message
    with pytest.raises(Problem, match=r"line 2, `def f\(:`: SyntaxError"):
        own.run(graph("x = 1\ndef f(:\n", {}), {"cube": cube()})
    with pytest.raises(Problem, match=r"the code defines no function apply_datacube.*its functions: f\)"):
        own.run(graph("def f():\n    return 1\n", {}), {"cube": cube()})


def test_a_form_that_depends_on_values_is_a_fault_of_the_block(own):
    made = own.run(graph(CODE, {"fn": "wobbly"}), {"cube": cube(CHUNKS)})
    with pytest.raises(Problem, match=r"node 'udf'.*for a block, and \('t', 'y', 'x'\) for the probe"):
        made.compute(scheduler="synchronous")


def test_errors_in_child_graphs_name_their_place(own):
    with pytest.raises(Problem) as caught:
        own.run(child("reduce_dimension", CODE, {"fn": "wrapped"}, dimension="t"), {"cube": cube()})
    assert caught.value.pointer == "/outer/arguments/reducer/process_graph/udf/arguments/udf"
    assert "ValueError: no such thing: snow" in caught.value.message
    with pytest.raises(Problem, match="may change the dimension 't' only"):
        own.run(child("reduce_dimension", CODE, {"fn": "lost"}, dimension="t"), {"cube": cube()})


VALUES_CODE = """
def apply_udf_data(data: UdfData):
    values = data.get_structured_data_list()[0].data
    if data.user_context.get("cube"):
        cube = data.get_datacube_list()[0].get_array()
        data.set_datacube_list([XarrayDataCube(cube * 2)])
    else:
        data.set_structured_data_list([StructuredData({"n": len(values), "first": values[0]})])
"""


@pytest.mark.slow
def test_values_of_json(own):
    assert own.run(graph(VALUES_CODE, {}), {"cube": ["a", None, 3]}) == {"n": 3, "first": "a"}
    assert own.run(graph(VALUES_CODE, {"cube": True}), {"cube": [1, 2.5]}) == [2, 5]
    labelled = xr.DataArray([1.0, 2.0], dims="labels", coords={"labels": ["a", "b"]})
    code = "def apply_datacube(cube, context):\n    return cube.sel(labels=context) * 2\n"
    assert own.run(graph(code, "b"), {"cube": labelled}) == 4.0


DOUBLE = "def apply_datacube(cube, context):\n    return cube * 2\n"


@pytest.mark.slow
def test_json_goes_on_as_json(own):
    """What a function makes of JSON is JSON to the next process: null stays null, and a number is no cube."""
    assert own.run(graph(DOUBLE, {}), {"cube": [1, None, 3]}) == [2, None, 6]
    assert own.run(graph(DOUBLE, {}), {"cube": [[1, 2], [3, None]]}) == [[2, 4], [6, None]]
    three = own.run(graph(DOUBLE, {}), {"cube": 3})
    assert three == 6
    assert isinstance(three, int)
    assert own.run(graph(DOUBLE, {}), {"cube": None}) is None
    nodes = graph(DOUBLE, {})
    nodes["udf"].pop("result")
    nodes["mean"] = {"process_id": "mean", "arguments": {"data": {"from_node": "udf"}}, "result": True}
    assert own.run(nodes, {"cube": [1, None, 3]}) == 4
    inner = graph(DOUBLE, {})
    inner["udf"]["arguments"]["data"] = {"from_parameter": "x"}
    apply = {
        "process_id": "array_apply",
        "arguments": {"data": [1, None], "process": {"process_graph": inner}},
    }
    assert own.run({"n": {**apply, "result": True}}) == [2, None]
    labelled = "def apply_datacube(cube, context):\n    return xr.DataArray([1, 2], dims='t', coords={'t': ['a', 'b']})\n"
    assert own.run(graph(labelled, {}), {"cube": 1}).t.values.tolist() == ["a", "b"]


# ---------------------------------------------------------------------------- functions as people write them
IN_PLACE = """
import xarray

def apply_datacube(cube: xarray.DataArray, context: dict) -> xarray.DataArray:
    cube.values = 0.0001 * cube.values
    return cube
"""
WRAPPED = """
from openeo.udf import XarrayDataCube

def apply_datacube(cube: XarrayDataCube, context: dict) -> XarrayDataCube:
    array = cube.get_array()
    array.values = 0.0001 * array.values
    return cube
"""
FIRST_DAYS = """
from openeo_udf.api.datacube import DataCube

def apply_hypercube(cube: DataCube, context: dict) -> DataCube:
    return DataCube(0.0001 * cube.get_array())
"""
HYPERCUBE = """
from openeo_udf.api.hypercube import HyperCube

def apply_hypercube(cube: "HyperCube", context: dict):
    return HyperCube(0.0001 * cube.array)
"""
BARE_HYPERCUBE = """
def apply_hypercube(cube, context):
    return DataCube(0.0001 * cube.get_array())
"""


@pytest.mark.slow
@pytest.mark.parametrize("code", [IN_PLACE, WRAPPED, FIRST_DAYS, HYPERCUBE, BARE_HYPERCUBE])
def test_rescaling_in_each_convention(code, own):
    gap = VALUES.copy()
    gap[1, 0, 2, 3] = 0
    expected = np.where(gap == 0, np.nan, gap * 0.0001)
    ways = [graph(code, {})]
    if code == WRAPPED:  # the other ways to a function are the same for all of them
        ways += [child("apply", code, None), child("apply_dimension", code, None, dimension="t")]
    for nodes in ways:
        made = own.run(nodes, {"cube": cube(CHUNKS, gap)})
        assert made.dims == ("t", "bands", "y", "x")
        assert made.chunks is not None
        np.testing.assert_allclose(made.values, expected, rtol=1e-5)
        assert made.bands.attrs["bands"][1]["common_name"] == "nir"


SMOOTHING = """
import xarray
from scipy.signal import savgol_filter
from openeo.udf import XarrayDataCube

def apply_datacube(cube: XarrayDataCube, context: dict) -> XarrayDataCube:
    array: xarray.DataArray = cube.get_array()
    filled = array.interpolate_na(dim="t")
    smoothed = savgol_filter(filled.values, context["window"], 1, axis=0)
    return XarrayDataCube(xarray.DataArray(smoothed, dims=array.dims, coords=array.coords))
"""


@pytest.mark.slow
@pytest.mark.parametrize("floats", [True, False])
def test_smoothing_along_time(floats, own):
    series = VALUES.astype(np.float32) if floats else VALUES
    made = own.run(
        child("apply_dimension", SMOOTHING, {"window": 3}, dimension="t"),
        {"cube": cube(CHUNKS, series, None)},
    )
    np.testing.assert_allclose(made.values, savgol_filter(VALUES.astype(float), 3, 1, axis=0), rtol=1e-5)
    assert made.t.values.tolist() == cube().t.values.tolist()
    assert made.t.attrs["type"] == "temporal"


REDUCER = """
def apply_hypercube(cube: XarrayDataCube, context: dict) -> XarrayDataCube:
    array = cube.get_array()
    assert "t" in array.dims and array.t.dtype.kind == "M"
    return XarrayDataCube(array.quantile(context, dim="t").drop_vars("quantile"))
"""


@pytest.mark.slow
@pytest.mark.parametrize("chunks", [None, CHUNKS])
def test_reducing_time(chunks, own):
    made = own.run(child("reduce_dimension", REDUCER, 0.25, dimension="t"), {"cube": cube(chunks)})
    assert made.dims == ("bands", "y", "x")
    np.testing.assert_allclose(made.values, np.quantile(VALUES, 0.25, axis=0), rtol=1e-5)


CONTRAST = """
def apply_datacube(cube: xr.DataArray, context: dict) -> xr.DataArray:
    assert {"x", "y"} <= set(cube.dims), cube.dims
    return cube - cube.mean(["y", "x"])
"""


@pytest.mark.slow
@pytest.mark.parametrize("chunks", [None, CHUNKS])
def test_tiles_of_space(chunks, own):
    size = [{"dimension": d, "value": n, "unit": "px"} for d, n in (("x", 4), ("y", 3))]
    made = own.run(child("apply_neighborhood", CONTRAST, None, size=size, overlap=[]), {"cube": cube(chunks)})
    tiles = VALUES.reshape(3, 2, 2, 3, 2, 4).astype(float)
    expected = (tiles - tiles.mean((3, 5), keepdims=True)).reshape(VALUES.shape)
    np.testing.assert_allclose(made.values, expected, atol=1e-2)
    assert made.dims == ("t", "bands", "y", "x")


@pytest.mark.slow
def test_tiles_with_their_surroundings(own):
    size, overlap = (
        [{"dimension": d, "value": n, "unit": "px"} for d in ("x", "y")] for n in (2, 1)
    )  # fmt: skip
    code = "def apply_datacube(cube, context):\n    return cube.rolling(x=3, y=3, center=True).mean()\n"
    made = own.run(
        child("apply_neighborhood", code, None, size=size, overlap=overlap), {"cube": cube(CHUNKS)}
    )
    expected = cube().rolling(x=3, y=3, center=True).mean().values
    inner = (..., slice(1, -1), slice(1, -1))
    np.testing.assert_allclose(made.values[inner], expected[inner], rtol=1e-5)


# ------------------------------------------------------------------------------- where code comes from
def test_files_runtimes_and_versions(own, tmp_path):
    bad = {
        "InvalidRuntime": {"runtime": "R"},
        "InvalidVersion": {"version": "2.7"},
        "FileNotFound": {"udf": "no/such/file.py"},
    }
    for code, more in bad.items():
        with pytest.raises(Problem) as caught:
            own.run(graph("def f():\n    return 1\n", {}, **more), {"cube": cube()})
        assert caught.value.code == code
        assert caught.value.pointer == f"/udf/arguments/{next(iter(more))}"


def test_a_file(own, tmp_path, monkeypatch):
    (tmp_path / "double.py").write_text("def apply_datacube(cube, context):\n    return cube * 2\n")
    monkeypatch.chdir(tmp_path)
    assert own.run(graph("double.py", {}, version="3"), {"cube": 4}) == 8


@pytest.mark.parametrize("local", [True, False])
def test_a_file_of_the_users_folder(local, tmp_path):
    (tmp_path / "files" / "code").mkdir(parents=True)
    (tmp_path / "files" / "code" / "double.py").write_text(DOUBLE)
    (tmp_path / "secret.py").write_text(DOUBLE)
    for path in ("code/double.py", "/code/double.py", "./code/double.py"):
        assert code_of(path, Settings(home=tmp_path, local_files=local)) == DOUBLE
    with engine.open(tmp_path / "c.sqlite", home=tmp_path, udf=MODE, local_files=local) as mine:
        assert mine.run(graph("code/double.py", {}), {"cube": 4}) == 8
        with pytest.raises(Problem) as caught:
            mine.run(graph("../secret.py", {}), {"cube": 4})
        assert caught.value.code == "FileNotFound"
        assert caught.value.pointer == "/udf/arguments/udf"


def test_it_can_be_switched_off_and_is_never_run_bare(tmp_path, monkeypatch):
    code = "def apply_datacube(cube, context):\n    return cube\n"
    with engine.open(tmp_path / "c.sqlite", home=tmp_path, udf="off") as off:
        with pytest.raises(Problem) as caught:
            off.run(graph(code, {}), {"cube": 1})
        assert caught.value.code == "FeatureUnsupported"
    why_not.cache_clear()
    monkeypatch.setenv("PATH", str(tmp_path))
    try:
        with engine.open(tmp_path / "c.sqlite", home=tmp_path) as without, pytest.raises(Problem) as caught:
            without.run(graph(code, {}), {"cube": 1})
        assert caught.value.code == "FeatureUnsupported"
        assert "bwrap" in caught.value.message
        assert "GDC_UDF=trusted" in caught.value.hint
    finally:
        why_not.cache_clear()


def test_trusted_code_runs_in_a_plain_process(tmp_path, monkeypatch):
    """With limits that no other test has, so that none of the processes that wait warm is from before."""
    monkeypatch.setenv("UDF_TEST_SECRET", "mine")
    code = "import os\ndef apply_datacube(cube, context):\n    return os.environ['UDF_TEST_SECRET'] + str(os.getpid())\n"
    with engine.open(tmp_path / "c.sqlite", home=tmp_path, udf="trusted", udf_seconds=77) as mine:
        result = mine.run(graph(code, {}), {"cube": 1})
    assert result.startswith("mine")
    assert result != f"mine{os.getpid()}"


def test_a_function_travels():
    function = Function("x\n", Confinement(), "run", "node")
    assert pickle.loads(pickle.dumps(function)) == function


def test_the_settings_hold_limits():
    assert Settings().udf == "sandbox"
    with pytest.raises(ValueError, match="udf"):
        Settings(udf="bare")


def test_stand_in_for_the_client_has_its_names():
    real = pytest.importorskip("openeo.udf")
    for name, ours in standin.NAMES.items():
        theirs = getattr(real, name)
        public = (
            {n for n in vars(theirs) if n.startswith(("get_", "set_"))} if isinstance(theirs, type) else set()
        )
        assert {n for n in public if n.endswith(("_array", "_list"))} <= {*dir(ours)}
    finder = standin.StandIn()
    assert finder.find_spec("openeo.udf", None) is None  # the real package is there, and goes first
    assert finder.find_spec("numpy", None) is None


def test_stand_in_is_found_where_the_client_is_not(monkeypatch):
    monkeypatch.setattr(sys, "meta_path", [standin.StandIn()])
    for name in [n for n in sys.modules if n.partition(".")[0] == "openeo"]:
        monkeypatch.delitem(sys.modules, name)
    for name in standin.MODULES:
        monkeypatch.setitem(sys.modules, name, importlib.import_module(name))
    assert sys.modules["openeo.udf"].XarrayDataCube is standin.XarrayDataCube
    assert sys.modules["openeo.udf.udf_data"].UdfData is standin.UdfData


def test_system_calls_have_the_numbers_of_this_machine():
    header = Path("/usr/include/asm-generic/unistd.h")
    if not header.exists():
        pytest.skip("the kernel's headers are not installed")
    defined = re.findall(r"#define __NR(?:3264)?_(\w+) (\d+)", header.read_text())
    numbers = {name: int(number) for name, number in reversed(defined)}
    numbers["newfstatat"] = numbers["fstatat"]
    for name, (_, number) in calls.ALLOWED.items():
        assert numbers.get(name) == number, name
    own = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
    if own.exists():
        numbers = {name: int(number) for name, number in re.findall(r"__NR_(\w+) (\d+)", own.read_text())}
        for name, (number, _) in calls.ALLOWED.items():
            assert numbers.get(name) == number, name
    assert not {"execve", "fork", "socket", "ptrace", "mount", "unshare", "kill", "memfd_create"} & set(
        calls.ALLOWED
    )


@pytest.mark.parametrize("machine", calls.MACHINES)
def test_the_filter_decides_call_by_call(machine):
    """The filter, run by a small machine of our own: what it answers to each call."""
    raw = calls.program(calls.MACHINES[machine])
    steps = [struct.unpack_from("<HBBI", raw, i) for i in range(0, len(raw), 8)]
    known = calls.MACHINES[machine]

    def answer(number, argument=0, audit=known.audit):
        memory, at, held = {0: number, 4: audit, 16: argument}, 0, 0
        while True:
            code, yes, no, value = steps[at]
            if code == calls.RETURN:
                return value
            if code == calls.LOAD:
                held, jump = memory[value], 0
            else:
                holds = {
                    calls.EQUAL: held == value,
                    calls.AT_LEAST: held >= value,
                    calls.ANY_BIT: held & value,
                }[code]
                jump = yes if holds else no
            at += 1 + jump

    allowed = {pair[known.column] for pair in calls.ALLOWED.values()} - {None}
    assert {n for n in range(600) if answer(n) == calls.ALLOW} == allowed
    assert answer(known.clone, calls.CLONE_THREAD | 0x100) == calls.ALLOW
    assert answer(known.clone, 0x10000000 | 17) == calls.REFUSE | errno.EPERM
    assert answer(known.clone3) == calls.REFUSE | errno.ENOSYS
    assert answer(0x40000000) != calls.ALLOW
    assert answer(0, audit=0x40000003) == calls.KILL
