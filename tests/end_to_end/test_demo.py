"""The sample data from the first command on: files, pictures, clusters, the notebook, the openEO client."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio
from PIL import Image

import engine
from tests.conftest import ROOT
from tests.end_to_end.graphs import node, reducer, ref

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home in which `gdc demo` has run, as a user runs it."""
    home = tmp_path_factory.mktemp("home")
    gdc(home, "demo", "-o", str(home / "out"))
    return home


def gdc(home, *args, code=0, stdin=""):
    """Run the command line in a process of its own."""
    env = {"GDC_HOME": str(home), "PATH": str(Path(sys.executable).parent), "HOME": str(home)}
    command = [Path(sys.executable).parent / "gdc", *args]
    done = subprocess.run(
        command, check=False, env=env, input=stdin, text=True, capture_output=True, cwd=home
    )
    assert done.returncode == code, done.stderr
    return done


@pytest.fixture
def demo(home):
    with engine.open("demo", home=home) as session:
        yield session


def by_hand(home):
    """The demo's NDVI with rasterio and NumPy alone."""
    layers = []
    for folder in sorted((home / "demo/scenes/S2").glob("S2_*")):
        if not "20220601" <= folder.name[-8:] < "20221001":
            continue
        red, nir, scl = (rasterio.open(folder / f"{b}.tif").read(1) for b in ("B04", "B08", "SCL"))
        scl = np.repeat(np.repeat(scl, 2, axis=0), 2, axis=1)
        red, nir = (np.where(b == 0, np.nan, b).astype("float32") for b in (red, nir))
        layers.append(np.where(np.isin(scl, [0, 1, 3, 8, 9, 10, 11]), np.nan, (nir - red) / (nir + red)))
    assert len(layers) == 8
    return np.nanmedian(np.stack(layers), axis=0)


def test_the_first_run_is_right(home):
    with rasterio.open(home / "out/ndvi.tif") as file:
        ours = file.read(1)
        assert file.crs.to_epsg() == 32632
        assert file.transform.to_gdal() == (675000, 10, 0, 5156000, 0, -10)
        assert file.overviews(1)
    np.testing.assert_array_equal(ours, by_hand(home).astype("float32"))
    with Image.open(home / "out/ndvi.png") as image:
        picture = np.asarray(image.convert("RGB"))
    assert picture.shape == (1000, 1000, 3)
    green = picture[ours > 0.8].mean(axis=0)
    brown = picture[ours < 0].mean(axis=0)
    assert green[1] > green[0]
    assert brown[0] > brown[1]
    item = json.loads((home / "out/ndvi.stac.json").read_text())
    assert item["properties"]["proj:code"] == "EPSG:32632"
    sources = [link["href"] for link in item["links"] if link["rel"] == "derived_from"]
    assert len(sources) == 8
    assert all(Path(href).exists() for href in sources)
    assert item["properties"]["start_datetime"].startswith("2022-06-02T10:")
    assert item["properties"]["end_datetime"].startswith("2022-09-25T10:")


def test_what_the_demo_suggests_works(home):
    listed = json.loads(gdc(home, "collections", "--catalog", "demo", "--json").stdout)
    (collection,) = listed["collections"]
    assert collection["id"] == "S2"
    assert collection["cube:dimensions"]["bands"]["values"] == ["B02", "B03", "B04", "B08", "SCL"]
    assert "8 dates" in gdc(home, "explain", "out/ndvi.json", "--catalog", "demo").stdout
    june = 'time=["2022-06-01", "2022-07-01"]'
    gdc(home, "run", "out/ndvi.json", "--catalog", "demo", "-o", "june.tif", "--param", june)
    assert (home / "june.tif").exists()
    assert "near infrared" in gdc(home, "processes", "ndvi").stdout


def test_threads_and_processes_give_the_same_file(home, demo, tmp_path):
    graph = home / "out/ndvi.json"
    demo.save(graph, tmp_path / "threads.tif")
    with engine.open("demo", home=home, cluster="processes", workers=2) as cluster:
        cluster.save(graph, tmp_path / "processes.tif")
        assert cluster.executor.client.scheduler_info()["type"] == "Scheduler"
    assert (tmp_path / "threads.tif").read_bytes() == (tmp_path / "processes.tif").read_bytes()


def test_files_are_not_replaced_unless_asked(home):
    before = (home / "out/ndvi.tif").read_bytes()
    refused = gdc(home, "run", "out/ndvi.json", "--catalog", "demo", "-o", "out/ndvi.tif", code=2)
    assert "exists already" in refused.stderr
    assert (home / "out/ndvi.tif").read_bytes() == before


FORMATS = ["ndvi.tif", "ndvi.nc", "ndvi.zarr", "ndvi.png"]


@pytest.mark.parametrize("name", FORMATS)
def test_formats_hold_the_same(name, home, demo, tmp_path):
    import rioxarray  # noqa: F401 (registers .rio)
    import xarray as xr

    cube = demo.load(
        "S2", bbox=(11.30, 46.47, 11.32, 46.48), time=("2022-06-01", "2022-07-01"), bands=["B04", "B08"]
    )
    ndvi = cube.ndvi(nir="B08", red="B04")
    expected = ndvi.compute()
    written = ndvi.save(tmp_path / name)
    if name.endswith((".tif", ".png")):
        assert len(written.assets) == expected.sizes["t"] == 3
    if name.endswith(".tif"):
        for asset, date in zip(sorted(written.assets, key=lambda a: a.href), expected, strict=True):
            assert str(date.t.values)[:10] in asset.href.name
            np.testing.assert_array_equal(rasterio.open(asset.href).read(1), date.values)
    if name.endswith((".nc", ".zarr")):
        opened = xr.open_dataset(
            tmp_path / name, decode_coords="all", engine="zarr" if name.endswith("zarr") else "netcdf4"
        )
        (variable,) = opened.data_vars.values()
        np.testing.assert_array_equal(variable.values, expected.values)
        np.testing.assert_array_equal(variable.t.values, expected.t.values)
        assert variable.rio.crs.to_epsg() == 32632
        opened.close()


def test_json_of_field_means(home, demo, tmp_path):
    polygon = {
        "type": "Polygon",
        "coordinates": [[[11.30, 46.47], [11.31, 46.47], [11.31, 46.48], [11.30, 46.47]]],
    }
    cube = demo.load("S2", time=("2022-06-01", "2022-07-01"), bands=["B04", "B08"]).ndvi(nir="B08", red="B04")
    means = cube.aggregate_spatial(polygon, "mean")
    means.save(tmp_path / "means.json")
    content = json.loads((tmp_path / "means.json").read_text())
    np.testing.assert_allclose(content["data"], means.compute().values, rtol=1e-6)


# ------------------------------------------------------------------------------------- the fluent hand
def test_the_line_of_the_readme(home, demo, tmp_path):
    cube = demo.load("S2", bbox=(11.30, 46.46, 11.36, 46.50), time=("2022-06-01", "2022-07-01"))
    cube.ndvi().reduce("t", "median").save(tmp_path / "ndvi.tif")
    with rasterio.open(tmp_path / "ndvi.tif") as file:
        assert file.count == 1


def test_graphs_round_trip(demo):
    cube = demo.load("S2", bands=["B04", "SCL"], properties={"eo:cloud_cover": lambda value: value <= 50})
    clear = cube.mask(cube.filter_bands(["SCL"]).reduce("bands", lambda data: data[0] >= 8))
    both = clear.merge_cubes(
        cube.filter_bands(["B04"]).reduce("t", "max"), overlap_resolver=lambda x, y: x - y
    )
    graph = both.to_graph()
    assert demo.cube(graph).to_graph() == graph
    assert [n["process_id"] for n in graph.values()].count("load_collection") == 1
    assert demo.validate(graph) == []
    assert sum(1 for n in graph.values() if n.get("result")) == 1


def test_a_cube_shows_itself_without_reading_pixels(demo, monkeypatch):
    monkeypatch.setattr(demo.executor, "stream", lambda *a: pytest.fail("pixels were read"))
    cube = demo.load("S2", time=("2022-06-01", "2022-07-01"))
    shown = repr(cube)
    for part in (
        "t: 3, bands: 5, y: 1000, x: 1000",
        "2022-06-02 to 2022-06-27",
        "EPSG:32632",
        "30.0 MB",
        "degrees",
    ):
        assert part in shown
    page = cube._repr_html_()
    assert "<svg" in page
    assert "http" not in page
    assert "there is no collection" not in repr(demo.load("S3")).lower()
    assert "CollectionNotFound" in repr(demo.load("S3"))


def test_preview_reads_overviews(demo, tmp_path):
    cube = demo.load("S2", time=("2022-06-01", "2022-07-01"), bands=["B04", "B03", "B02"])
    preview = cube.preview(200)
    preview.save(tmp_path / "p.png")
    with Image.open(tmp_path / "p.png") as picture:
        assert max(picture.size) == 200
        assert picture.mode in ("RGB", "RGBA")
    assert preview._repr_png_() == (tmp_path / "p.png").read_bytes()


def test_progress_counts_blocks(demo, tmp_path):
    seen = []
    graph = {
        "load": node(
            "load_collection",
            id="S2",
            spatial_extent=None,
            temporal_extent=["2022-06-01", "2022-07-01"],
            bands=["B04"],
            result=True,
        )
    }
    demo.save(graph, tmp_path / "x.nc", progress=lambda done, planned: seen.append((done, planned)))
    assert seen == [(i, len(seen)) for i in range(1, len(seen) + 1)]
    assert len(seen) == 3


# --------------------------------------------------------------------------------------- openEO client
def test_a_graph_of_the_openeo_client_runs_unchanged(demo, tmp_path):
    openeo = pytest.importorskip("openeo", reason="the openEO client is not installed")
    from openeo.rest.datacube import DataCube

    assert openeo.__version__
    loaded = DataCube.load_collection(
        "S2", connection=None, spatial_extent={"west": 11.30, "south": 46.46, "east": 11.36, "north": 46.50},
        temporal_extent=["2022-06-01", "2022-07-01"], bands=["B04", "B08", "SCL"], fetch_metadata=False,
    )  # fmt: skip
    scl = loaded.band("SCL")
    clear = loaded.mask((scl == 3) | (scl >= 8))
    red, nir = clear.band("B04"), clear.band("B08")
    cube = ((nir - red) / (nir + red)).reduce_dimension(dimension="t", reducer="median")
    ours = demo.run(cube).compute()

    hand = demo.load(
        "S2",
        bbox=(11.30, 46.46, 11.36, 46.50),
        time=("2022-06-01", "2022-07-01"),
        bands=["B04", "B08", "SCL"],
    )
    masked = hand.mask(
        hand.filter_bands(["SCL"]).reduce("bands", lambda data: (data[0] == 3) | (data[0] >= 8))
    )
    theirs = masked.ndvi(nir="B08", red="B04").reduce("t", "median").compute()
    np.testing.assert_allclose(ours.values, theirs.values, atol=1e-7)
    assert np.isfinite(ours.values).mean() > 0.5


# -------------------------------------------------------------------------------------------- notebook
@pytest.mark.filterwarnings("default")  # the kernel's own
@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda p: p.stem)
def test_notebook(path, home, tmp_path, monkeypatch):
    nbformat = pytest.importorskip("nbformat")
    from nbclient import NotebookClient

    monkeypatch.setenv("GDC_HOME", str(home))
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    kinds = [
        out.get("data", {}).keys()
        for cell in notebook.cells
        if cell.cell_type == "code"
        for out in cell.outputs
    ]
    assert any("image/png" in k for k in kinds)
    assert not [
        o for c in notebook.cells if c.cell_type == "code" for o in c.outputs if o.get("name") == "stderr"
    ]


# -------------------------------------------------------------------------------------------- bad input
def graph_with(**changes):
    load = {
        "id": "S2",
        "spatial_extent": None,
        "temporal_extent": ["2022-06-01", "2022-07-01"],
        "bands": ["B04", "B08"],
    }
    return {
        "load": node("load_collection", **{**load, **changes}),
        "out": node(
            "reduce_dimension", data=ref("load"), reducer=reducer("mean"), dimension="t", result=True
        ),
    }


@pytest.mark.parametrize(
    ("graph", "code", "pointer", "says"),
    [
        (graph_with(bands=["B04", "B8"]), "ProcessParameterInvalid", "/load", "B8"),
        (graph_with(id="S-2"), "CollectionNotFound", "/load/arguments/id", "S-2"),
        (graph_with(temporal_extent=["2022-06-01", "2022-06-01"]), "TemporalExtentEmpty", "/load/arguments/temporal_extent", "has to be later"),
        (graph_with(spatial_extent={"west": 0, "south": 0, "east": 1, "north": 1}), "NoDataAvailable", "/load", "0 after spatial_extent"),
        (graph_with(spatial_extent={"west": 11.3, "south": 46.4, "east": 11.4, "north": 46.5, "crs": 99999}), "ProcessParameterInvalid", "/load/arguments/spatial_extent", "99999"),
        (graph_with(properties={"eo:cloud_cover": {"process_graph": {"c": node("lt", x={"from_parameter": "value"}, y=-1, result=True)}}}), "NoDataAvailable", "/load", "0 after properties"),
        ({**graph_with(), "out": node("save_result", data=ref("load"), format="GeoTIF", result=True)}, "FormatUnsuitable", "/out", "GeoTIF"),
        ({**graph_with(), "out": node("reduce_dimension", data=ref("load"), reducer=reducer("mean"), dimension="tt", result=True)}, "DimensionNotAvailable", "/out/arguments/dimension", "t (temporal, 3)"),
        ({**graph_with(), "out": node("filter_bands", data=ref("load"), bands=["B02"], result=True)}, "ProcessParameterInvalid", "/out/arguments/bands", "B04 (red), B08 (nir)"),
    ],
)  # fmt: skip
def test_bad_input_is_named(graph, code, pointer, says, demo):
    (problem,) = demo.validate(graph)
    assert problem.code == code
    assert problem.pointer.startswith(pointer)
    assert says in str(problem)
    name = pointer.split("/")[1]
    assert f"node {name!r}" in problem.message
    with pytest.raises(engine.Problem) as caught:
        demo.run(graph)
    assert caught.value.json() == problem.json()


def test_validation_goes_on_after_a_fault(demo):
    graph = graph_with(id="S9")
    graph["other"] = node("load_collection", id="S8", spatial_extent=None, temporal_extent=None)
    graph["kept"] = node("save_result", data=ref("other"), format="PNG")
    assert [p.pointer for p in demo.validate(graph)] == ["/load/arguments/id", "/other/arguments/id"]


def test_exit_codes(home, tmp_path):
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps(graph_with(id="S9")))
    assert (
        json.loads(gdc(home, "validate", str(bad), "--catalog", "demo", "--json", code=1).stdout)["errors"][
            0
        ]["code"]
        == "CollectionNotFound"
    )
    empty = graph_with(temporal_extent=["1999-01-01", "1999-02-01"])
    done = gdc(
        home, "run", "-", "-o", "x.tif", "--catalog", "demo", "--json", code=3, stdin=json.dumps(empty)
    )
    funnel = json.loads(done.stdout)["errors"][0]["facts"]["funnel"]
    assert (funnel["collection"], funnel["time"]) == (12, 0)
    assert "2022-04-" in done.stderr
    gdc(home, "run", "-", code=2)
    gdc(home, "validate", "nothing.json", code=2)
    gdc(home, "run", "-", "-o", "x.tif", code=1, stdin="{")
