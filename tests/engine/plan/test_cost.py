"""What a plan costs: counted for small plans, growing with the work, and never less memory than it takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pystac
import pytest
import rasterio
import xarray as xr
from affine import Affine
from rasterio.warp import transform_bounds

import engine
from engine.load.model import Source
from engine.plan import bill
from engine.plan.amounts import Amounts
from engine.plan.calibration import Calibration
from engine.plan.cost import Cost, Means, cost_of
from engine.plan.text import planned
from engine.plan.walk import Walk
from processes.places import everything
from processes.recipes import computed
from tests.end_to_end.graphs import node, ref
from tests.engine.plan.test_text import files

WEST, NORTH, CELL = 600_000, 5_600_000, 10
BANDS = {"B04": "uint16", "B08": "uint16", "SCL": "uint8"}
MEANS = Means(Calibration(), workers=2, cores=2)


def scenes(folder: Path, dates: int, edge: int) -> Path:
    """A catalogue of scenes whose metadata tell all; gives its file."""
    box = (WEST, NORTH - CELL * edge, WEST + CELL * edge, NORTH)
    w, s, e, n = transform_bounds("EPSG:32632", "EPSG:4326", *box)
    ring = [[w, s], [e, s], [e, n], [w, n], [w, s]]
    grid = Affine(CELL, 0, WEST, 0, -CELL, NORTH)
    items = []
    for i in range(dates):
        when = datetime(2022, 6, 1, 10, tzinfo=UTC) + timedelta(days=10 * i)
        made = pystac.Item(f"s{i}", {"type": "Polygon", "coordinates": [ring]}, [w, s, e, n], when, {"proj:code": "EPSG:32632"})  # fmt: skip
        for b, (band, dtype) in enumerate(BANDS.items()):
            cells = np.random.default_rng([i, b]).integers(1, 11 if band == "SCL" else 9000, (edge, edge))
            path = folder / f"s{i}_{band}.tif"
            with rasterio.open(path, "w", driver="GTiff", width=edge, height=edge, count=1, dtype=dtype, nodata=0,
                               crs="EPSG:32632", transform=grid, tiled=True, blockxsize=256, blockysize=256) as file:  # fmt: skip
                file.write(cells.astype(dtype), 1)
            told = {"name": band, "data_type": dtype, "nodata": 0}
            fields = {"bands": [told], "proj:shape": [edge, edge], "proj:transform": list(grid)[:6], "file:size": path.stat().st_size}  # fmt: skip
            made.add_asset(band, pystac.Asset(str(path), media_type=pystac.MediaType.COG, roles=["data"], extra_fields=fields))  # fmt: skip
        items.append(made)
    extent = pystac.Extent(pystac.SpatialExtent([[w, s, e, n]]), pystac.TemporalExtent([[items[0].datetime, items[-1].datetime]]))  # fmt: skip
    collection = pystac.Collection("S2", "Scenes of a test.", extent, license="CC0-1.0")
    collection.add_items(items)
    catalog = pystac.Catalog("tests", "Scenes of a test.")
    catalog.add_child(collection)
    catalog.normalize_hrefs(str(folder / "stac"))
    catalog.save(catalog_type=pystac.CatalogType.SELF_CONTAINED)
    return folder / "stac/catalog.json"


@pytest.fixture(scope="module")
def catalog(tmp_path_factory) -> Path:
    return scenes(tmp_path_factory.mktemp("scenes"), dates=4, edge=64)


@pytest.fixture
def opened(catalog, tmp_path):
    """An engine over small scenes."""
    with engine.open(catalog, home=tmp_path / "home", workers=2) as session:
        yield session


def load(edge: int = 64, days: int = 40, bands: Any = ("B04", "B08")) -> dict[str, Any]:
    """A load of some cells of some dates."""
    extent = {
        "west": WEST,
        "east": WEST + CELL * edge,
        "north": NORTH,
        "south": NORTH - CELL * edge,
        "crs": 32632,
    }
    until = (datetime(2022, 6, 1, tzinfo=UTC) + timedelta(days=days)).isoformat()
    return node(
        "load_collection",
        id="S2",
        spatial_extent=extent,
        temporal_extent=["2022-06-01", until],
        bands=list(bands),
    )


def child(process: str, **arguments: Any) -> dict[str, Any]:
    return {"process_graph": {"c": node(process, result=True, **arguments)}}


def clear_median(edge: int = 64, days: int = 40) -> dict[str, Any]:
    """The graph that all speak of."""
    x, data = {"from_parameter": "x"}, {"from_parameter": "data"}
    scl = child("array_element", data=data, label="SCL")
    return {
        "load": load(edge, days, ("B04", "B08", "SCL")),
        "scl": node("reduce_dimension", data=ref("load"), dimension="bands", reducer=scl),
        "unclear": node("apply", data=ref("scl"), process=child("gt", x=x, y=7)),
        "clear": node("mask", data=ref("load"), mask=ref("unclear")),
        "green": node("ndvi", data=ref("clear"), nir="B08", red="B04"),
        "out": node("reduce_dimension", data=ref("green"), dimension="t", reducer=child("median", data=data), result=True),
    }  # fmt: skip


def chain(*steps: tuple[str, dict[str, Any]], **loaded: Any) -> dict[str, Any]:
    """A load and processes after each other."""
    graph, last = {"load": load(**loaded)}, "load"
    for i, (process, arguments) in enumerate(steps):
        graph[f"n{i}"] = node(process, data=ref(last), **arguments)
        last = f"n{i}"
    graph[last]["result"] = True
    return graph


# ------------------------------------------------------------------------------------------------ counts
def test_a_small_plan_is_counted(opened):
    scaled = child("multiply", x={"from_parameter": "x"}, y=2)
    found = opened.explain(chain(("apply", {"process": scaled}))).cost
    assert (found.items, found.assets, found.tasks, found.requests) == (4, 8, 1, 0)
    assert found.bytes_decoded == 4 * 2 * 64 * 64 * 2
    assert found.cells == 4 * 2 * 64 * 64
    assert found.bytes_out == 4 * 2 * 64 * 64 * 4
    assert found.exact
    assert not found.calibrated


def test_files_are_as_large_as_their_metadata_say(opened, catalog):
    sizes = sum(p.stat().st_size for p in catalog.parents[1].glob("*_B0?.tif"))
    assert opened.explain(chain()).cost.bytes_packed == sizes  # they are read as a whole


def test_half_of_the_cells_and_dates_is_half_of_what_is_wanted(opened):
    found = opened.explain(chain(edge=32, days=20)).cost
    assert (found.items, found.assets) == (2, 4)
    assert found.bytes_decoded == 2 * 2 * 32 * 32 * 2


def test_bands_that_nobody_wants_cost_nothing(opened):
    found = opened.explain(chain(("filter_bands", {"bands": ["B08"]}))).cost
    assert (found.assets, found.bytes_decoded) == (4, 4 * 64 * 64 * 2)


def test_blocks_are_tasks(catalog, tmp_path):
    with engine.open(catalog, home=tmp_path, block_memory=2**20, workers=1) as session:
        found = session.explain(clear_median()).cost
        assert found.tasks == session.explain(clear_median()).result.blocks
        many = cost_of([(files(12, "B04 B08", 2048, 2048, 512), "")], [], [], MEANS)
    assert many.tasks == 12 * 2 * 16


def test_of_many_blocks_some_are_looked_at_and_all_are_told(monkeypatch):
    def told(at_most: int) -> Cost:
        monkeypatch.setattr(bill, "WALKED", at_most)
        reduced = files(6, "B04 B08", 1024, 1024, 64)
        half = xr.DataArray(reduced.data.astype("float32"), dims=reduced.dims)
        chunked = half.copy(data=half.data.rechunk((6, 2, 64, 64)))
        return cost_of([(chunked, "")], [], [], MEANS)

    all_of_them, few = told(10_000), told(10)
    assert all_of_them.exact
    assert not few.exact
    assert (all_of_them.tasks, all_of_them.cells) == (256, 6 * 2 * 1024 * 1024)
    assert (few.tasks, few.cells, few.memory) == (all_of_them.tasks, all_of_them.cells, all_of_them.memory)


def test_servers_are_asked_for_rows_of_blocks_and_once_for_the_head():
    grid = files(1, "B04", 2048, 2048, 512).odc.geobox
    source = Source("i", "a", 1, "https://example.com/a.tif", grid, "uint16", 0)
    walk = Walk({("i", "a"): 2048 * 2048}, 0.7)
    first = walk.window(source, grid, (slice(0, 1024), slice(0, 1024)))
    assert first == Amounts(decoded=2 * 1024**2, unpacked=2 * 1024**2, packed=1024**2, requests=3)
    assert walk.window(source, grid, (slice(0, 512), slice(0, 512))).requests == 1
    assert (
        walk.window(replace(source, asset="b"), grid, (slice(0, 512), slice(0, 512))).packed
        == 0.7 * 2 * 512**2
    )
    assert walk.window(replace(source, href="/a.tif"), grid, (slice(0, 512), slice(0, 512))).requests == 0


def test_blocks_of_files_are_unpacked_as_a_whole():
    grid = files(1, "B04", 2048, 2048, 512).odc.geobox
    source = Source("i", "a", 1, "/a.tif", grid, "uint16", 0)
    found = Walk({}, 0.5).window(source, grid[100:, 100:], (slice(0, 500), slice(0, 300)))
    assert (found.decoded, found.unpacked) == (2 * 500 * 300, 2 * 1024 * 512)


def test_what_does_not_tell_how_it_is_computed_is_no_exact_figure(opened):
    plain = opened.run(chain()).chunk({"y": 16})
    array = xr.DataArray(plain.data.map_blocks(np.sqrt, dtype=float), dims=plain.dims)
    found = cost_of([(array, "")], [], [], MEANS)
    assert not found.exact
    assert found.bytes_decoded == 4 * 2 * 64 * 64 * 2  # what it loads tells all the same


def test_values_cost_nothing(opened):
    found = opened.explain({"a": node("add", x=1, y=2, result=True)}).cost
    assert (found.items, found.tasks, found.cells, found.bytes_out) == (0, 0, 0, 0)


# ----------------------------------------------------------------------------------------------- growth
def figures(found: Cost) -> list[float]:
    amounts = [
        getattr(found, n) for n in ("items", "assets", "bytes_packed", "bytes_decoded", "cells", "bytes_out")
    ]
    return [*amounts, found.memory.total, found.seconds.total]


@pytest.mark.parametrize("kernels", ["always", "never"])
def test_more_area_and_more_dates_never_cost_less(catalog, tmp_path, kernels):
    with engine.open(catalog, home=tmp_path, kernels=kernels) as session:
        for grown in (
            [clear_median(edge=e) for e in (8, 20, 40, 64)],
            [clear_median(days=d) for d in (5, 15, 25, 40)],
        ):
            told = [figures(session.explain(graph).cost) for graph in grown]
            for less, more in pairwise(told):
                assert all(a <= b for a, b in zip(less, more, strict=True)), (less, more)
            assert told[0][3] < told[-1][3]


def test_transcendental_functions_cost_more_in_kernels(catalog, tmp_path):
    def seconds(session, process, of, last=False):
        child_ = child(process, **{of: {"from_parameter": "x"}})
        mean = {"dimension": "t", "reducer": child("mean", data={"from_parameter": "data"})}
        steps = [("apply", {"process": child_}), ("reduce_dimension", mean)]
        return session.explain(chain(*(steps[::-1] if last else steps))).cost.seconds.compute

    with engine.open(catalog, home=tmp_path, kernels="always") as session:
        plain, exp, tanh = (seconds(session, *p) for p in (("absolute", "x"), ("exp", "p"), ("tanh", "x")))
        assert plain < exp < tanh
        assert seconds(session, "tanh", "x", last=True) < tanh  # of means there are fewer than of dates


def test_workers_take_memory_and_save_time():
    cube = files(12, "B04 B08", 2048, 2048, 512)
    one, four = (cost_of([(cube.astype("float32"), "")], [], [], Means(Calibration(), w, 4)) for w in (1, 4))
    assert four.memory.blocks == 4 * one.memory.blocks
    assert four.seconds.compute == pytest.approx(one.seconds.compute / 4)
    assert four.seconds.write == one.seconds.write


def test_a_kernel_is_compiled_once(catalog, tmp_path):
    with engine.open(catalog, home=tmp_path, kernels="always") as session:
        x = {"from_parameter": "x"}
        scaled = {"process": child("multiply", x=x, y=1.0078125)}  # no other test has this kernel
        graph = chain(("apply", scaled), bands=("B04",))
        before = session.explain(graph).cost.seconds.compile
        session.compute(session.run(graph))
        after = session.explain(graph).cost.seconds.compile
    assert before == Calibration().compiled
    assert after == Calibration().loaded


# ----------------------------------------------------------------------------------------------- memory
GRAPHS = {
    "clear median": clear_median,
    "scaled": lambda **k: chain(("apply", {"process": child("linear_scale_range", x={"from_parameter": "x"}, inputMin=0, inputMax=9000)}), **k),
    "deviation": lambda **k: chain(("reduce_dimension", {"dimension": "t", "reducer": child("sd", data={"from_parameter": "data"})}), **k),
    "smooth": lambda **k: chain(("apply_kernel", {"kernel": [[1, 2, 1], [2, 4, 2], [1, 2, 1]]}), **k),
    "other grid": lambda **k: chain(("resample_spatial", {"projection": 3857, "resolution": 12, "method": "bilinear"}), **k),
    "sorted": lambda **k: chain(("apply_dimension", {"dimension": "t", "process": child("sort", data={"from_parameter": "data"})}), **k),
}  # fmt: skip


@pytest.fixture(scope="module")
def larger(tmp_path_factory) -> Path:
    return scenes(tmp_path_factory.mktemp("larger"), dates=4, edge=512)


@pytest.mark.parametrize("kernels", ["always", "never"])
@pytest.mark.parametrize("name", GRAPHS)
def test_a_block_holds_no_more_than_was_said(larger, tmp_path, name, kernels):
    with engine.open(larger, home=tmp_path, kernels=kernels) as session:
        cube = session.run(GRAPHS[name](edge=512))
        recipe = planned(cube.data)
        whole = everything(recipe.shape)
        computed(recipe, whole)  # compiles, and imports what is imported late
        said = Walk({}, 0.5).region(recipe, whole)
        tracemalloc.start()
        computed(recipe, whole)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert said.own <= peak <= said.peak


def test_blocks_of_files_that_are_read_again_and_again_cost_so_much(larger, tmp_path):
    def packed(memory: int) -> tuple[float, int]:
        series = child("cumsum", data={"from_parameter": "data"})
        graph = chain(("apply_dimension", {"dimension": "t", "process": series}), edge=512, bands=["B04"])
        with engine.open(larger, home=tmp_path, block_memory=memory, workers=1) as session:
            found = session.explain(graph).cost
        return found.bytes_packed, found.tasks

    once, blocks = packed(64 * 2**20)
    assert blocks == 1
    kept, several = packed(12 * 2**20)
    assert several > 1
    assert kept == pytest.approx(once, rel=1e-6)  # there is room to keep them
    again, many = packed(2 * 2**20)
    assert again == pytest.approx(many * once, rel=1e-6)


CHILD = """
import json, sys, engine
catalog, home, graph, target = sys.argv[1:]
with engine.open(catalog, home=home, workers=2) as session:
    graph = json.loads(graph)
    said = session.explain(graph).cost.memory.total
    session.save(graph, target)
status = open('/proc/self/status').read()
print(json.dumps([said, 1024 * int(status.partition('VmHWM:')[2].split()[0])]))
"""


@pytest.mark.slow
@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="only Linux tells what a process held at most"
)
@pytest.mark.parametrize("name", ["clear median", "smooth", "other grid"])
def test_a_process_holds_no_more_than_was_said(tmp_path_factory, tmp_path, name):
    catalog = scenes(tmp_path_factory.mktemp("large"), dates=8, edge=2048)
    graph = json.dumps(GRAPHS[name](edge=2048, days=90))
    command = [sys.executable, "-c", CHILD, str(catalog), str(tmp_path), graph, str(tmp_path / "out.tif")]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=dict(os.environ))
    said, real = json.loads(done.stdout)
    assert real <= said <= 3 * real


# -------------------------------------------------------------------------------------------- admission
def refuse_reading(*_: Any) -> Any:
    raise AssertionError("something was read")


def test_what_does_not_fit_is_refused_before_anything_is_read(catalog, tmp_path, monkeypatch):
    monkeypatch.setattr("engine.load.blocks.hand_windows", refuse_reading)
    monkeypatch.setattr("engine.load.blocks.read_windows", refuse_reading)
    with engine.open(catalog, home=tmp_path, max_memory=2**20) as session:
        graph = clear_median()
        with pytest.raises(engine.Problem, match=r"node 'out' takes up to .* GB of memory") as refused:
            session.save(graph, tmp_path / "out.tif")
        said = session.explain(graph).cost.memory.total
    problem = refused.value
    assert problem.code == "ProcessGraphComplexity"
    assert problem.facts["node"] == "out"
    assert problem.facts["bytes"] == said
    assert problem.facts["limit"] == 2**20
    assert "GDC_BLOCK_MEMORY" in problem.hint
    assert not (tmp_path / "out.tif").exists()


def test_of_several_results_all_are_looked_at_before_the_first_is_written(catalog, tmp_path, monkeypatch):
    monkeypatch.setattr("engine.load.blocks.hand_windows", refuse_reading)
    monkeypatch.setattr("engine.load.blocks.read_windows", refuse_reading)
    graph = {
        "load": load(),
        "one": node("save_result", data=ref("load"), format="GTiff"),
        "green": node("apply", data=ref("load"), process=child("divide", x={"from_parameter": "x"}, y=3)),
        "two": node("save_result", data=ref("green"), format="GTiff", result=True),
    }
    limit = 4 * 2 * 64 * 64 * 2
    session = engine.open(catalog, home=tmp_path, max_output_bytes=limit)
    with session, pytest.raises(engine.Problem, match="node 'two' gives"):
        session.save(graph, tmp_path / "out.tif")


def test_formats_that_take_all_at_once_need_it_in_memory(catalog, tmp_path):
    with engine.open(catalog, home=tmp_path) as session:
        cube = session.run(chain())
    streamed, whole = (cost_of([(cube, name)], [], [], MEANS).memory.written for name in ("GTiff", "JSON"))
    assert whole == streamed + 3 * cube.nbytes


def test_what_fits_is_run(opened, tmp_path):
    (written,) = opened.save(clear_median(), tmp_path / "out.tif")
    assert Path(written.assets[0].href).exists()
