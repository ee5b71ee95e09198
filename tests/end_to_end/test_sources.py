"""Every kind of source through one graph: catalogues by file and by HTTP, items, folders, and files that are not there."""

from __future__ import annotations

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

import engine
from engine.demo import make_scenes
from tests.end_to_end.graphs import node, param, reducer, ref


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    """A small copy of the sample scenes."""
    return make_scenes(tmp_path_factory.mktemp("scenes"), size=64)


@pytest.fixture(scope="module")
def server(scenes):
    """The scenes over HTTP on loopback."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    served = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=scenes.parent))
    threading.Thread(target=served.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{served.server_port}"
    served.shutdown()
    served.server_close()


def maximum(source):
    return {
        "load": source,
        "max": node("reduce_dimension", data=ref("load"), dimension="t", reducer=reducer("max"), result=True),
    }


STAC = {"temporal_extent": ["2022-06-01", "2022-07-01"], "bands": ["B04"]}


def by_hand(scenes):
    red = [rasterio.open(p / "B04.tif").read(1) for p in sorted((scenes.parent / "S2").glob("S2_202206*"))]
    return np.max(red, axis=0)


@pytest.mark.parametrize("name", ["catalog.json", "S2/collection.json"])
def test_load_stac_of_files(name, scenes, session):
    graph = maximum(node("load_stac", url=str(scenes.parent / name), **STAC))
    assert session.validate(graph) == []
    np.testing.assert_array_equal(session.run(graph).values.squeeze(), by_hand(scenes))


def test_load_stac_over_http(scenes, server, session):
    graph = maximum(node("load_stac", url=f"{server}/catalog.json", **STAC))
    np.testing.assert_array_equal(session.run(graph).values.squeeze(), by_hand(scenes))


def test_load_stac_of_one_item(scenes, session):
    item = next(scenes.parent.glob("S2/S2_20220602/*.json"))
    cube = session.run({"load": node("load_stac", url=str(item), bands=["B04", "SCL"], result=True)})
    assert cube.sizes["t"] == 1
    assert cube.bands.values.tolist() == ["B04", "SCL"]
    assert cube.dtype == np.uint16


def test_local_files_can_be_refused(scenes, tmp_path):
    with engine.open(tmp_path / "c.sqlite", home=tmp_path, local_files=False) as session:
        (problem,) = session.validate(maximum(node("load_stac", url=str(scenes), **STAC)))
    assert problem.code == "ProcessParameterInvalid"
    assert "no http or https URL" in problem.message


def test_the_fluent_hand_loads_stac(scenes, session):
    cube = session.load_stac(scenes, bands=["B04"], temporal_extent=["2022-06-01", "2022-07-01"]).reduce(
        "t", "max"
    )
    np.testing.assert_array_equal(cube.compute().values.squeeze(), by_hand(scenes))


def write_tiff(path, values, date_tag=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(path, "w", driver="GTiff", height=20, width=30, count=1, dtype="int16", nodata=-1,
                       crs="EPSG:32632", transform=from_origin(675000, 5156000, 10, 10)) as file:  # fmt: skip
        file.write(values.astype("int16"), 1)


def test_a_folder_of_files(tmp_path, session):
    rng = np.random.default_rng(3)
    layers = [rng.integers(0, 100, (20, 30)) for _ in range(3)]
    for i, layer in enumerate(layers):
        write_tiff(tmp_path / "series" / f"level_2020010{i + 1}.tif", layer)
    (added,) = session.add(tmp_path / "series")
    assert (added.collection, added.items_new) == ("series", 3)
    graph = maximum(
        node("load_collection", id="series", spatial_extent=None, temporal_extent=["2020-01-02", None])
    )
    np.testing.assert_array_equal(session.run(graph).values.squeeze(), np.max(layers[1:], axis=0))


def test_a_missing_file_is_named(tmp_path, session):
    for i in range(2):
        write_tiff(tmp_path / "gone" / f"a_2020010{i + 1}.tif", np.ones((20, 30)))
    session.add(tmp_path / "gone")
    (tmp_path / "gone" / "a_20200102.tif").unlink()
    graph = maximum(node("load_collection", id="gone", spatial_extent=None, temporal_extent=None))
    with pytest.raises(engine.Problem) as caught:
        session.save(graph, tmp_path / "out.tif")
    assert caught.value.code == "FileNotFound"
    assert "a_20200102.tif" in str(caught.value)
    assert list(tmp_path.glob("out*")) == []
    assert list(tmp_path.glob(".out*")) == []


def test_parameters_carry_what_json_cannot(session):
    graph = {
        "r": node("reduce_dimension", data=param("cube"), dimension="t", reducer=reducer("max"), result=True)
    }
    with pytest.raises(engine.Problem, match="refers to the parameter 'cube'"):
        session.run(graph)


def test_misspelt_parameters_are_named(session):
    graph = {
        "process_graph": {"a": node("absolute", x=param("value"), result=True)},
        "parameters": [{"name": "value"}],
    }
    with pytest.raises(engine.Problem, match="no parameter 'vlaue'; it has value") as caught:
        session.run(graph, {"vlaue": 1})
    assert "Did you mean 'value'" in caught.value.hint


def test_user_defined_processes(scenes, tmp_path):
    double = {
        "process_graph": {"m": node("multiply", x=param("x"), y=2, result=True)},
        "parameters": [{"name": "x"}],
    }
    with engine.Engine(engine.Settings(home=tmp_path), processes={"double": double}) as own:
        assert own.run({"d": node("double", x=21, result=True)}) == 42
        graph = {
            "load": node("load_stac", url=str(scenes), **STAC),
            "twice": node("apply", data=ref("load"), result=True,
                          process={"process_graph": {"d": node("double", x=param("x"), namespace="user", result=True)}}),
        }  # fmt: skip
        graph["twice"]["arguments"]["process"]["process_graph"]["d"]["arguments"].pop("namespace")
        cube = own.run(graph)
        assert cube.dtype == np.int32
