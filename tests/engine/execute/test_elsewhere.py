"""Processes on other servers: an honest one, a slow one, and those that lie."""

from __future__ import annotations

import json

import numpy as np
import pytest
import shapely
import xarray as xr
from odc.geo.geobox import GeoBox
from odc.geo.xr import xr_coords

import engine
from engine import Problem
from engine.execute import elsewhere
from engine.execute.elsewhere import Deadline, inputs_of
from engine.execute.messages import cube_of
from processes import REGISTRY
from processes.cubes.remote import outside
from processes.errors import ProcessParameterInvalid
from tests.end_to_end.graphs import node, param, ref
from tests.engine.servers import site

JSON = {"Content-Type": "application/json"}
RESULTS = "http://www.opengis.net/def/rel/ogc/1.0/results"


def reply(body, status=200, **headers):
    return status, {**JSON, **{k.replace("_", "-"): v for k, v in headers.items()}}, json.dumps(body).encode()


class Ogc:
    """An OGC API - Processes with one process, told what to answer."""

    def __init__(self, execution, *, inputs=("data",), modes=("sync-execute",), **paths):
        self.execution, self.modes, self.paths = execution, modes, paths
        self.inputs = {name: {"schema": {}} for name in inputs}
        self.got = None
        self.prefer = None

    def __call__(self, request):
        path = request.path.partition("?")[0]
        if path == "/api/processes/echo":
            return reply({"id": "echo", "inputs": self.inputs, "jobControlOptions": list(self.modes)})
        if path == "/api/processes/echo/execution" and request.command == "POST":
            self.got, self.prefer = json.loads(request.body), request.headers.get("Prefer")
            return self.execution(self.got["inputs"])
        if path.strip("/") in self.paths:
            answer = self.paths[path.strip("/")]
            return answer() if callable(answer) else answer
        return reply({"title": "Not found", "detail": f"nothing at {path}"}, 404)


@pytest.fixture
def cube():
    """Integers, 0 is no-data: 2 dates, 2 bands, 3 x 4 cells."""
    values = np.arange(48, dtype=np.uint16).reshape(2, 2, 3, 4)
    grid = xr_coords(GeoBox.from_bbox((0, 0, 40, 30), "epsg:32632", resolution=10), dims=("y", "x"))
    times = np.array(["2022-06-01T10:16", "2022-06-11T10:16"], dtype="datetime64[ns]")
    plane = {"type": "spatial", "reference_system": 32632}
    coords = {
        "t": ("t", times, {"type": "temporal"}),
        "bands": ("bands", ["B04", "B08"], {"type": "bands", "bands": [{"name": "B04"}, {"name": "B08"}]}),
        "y": ("y", grid["y"].values, {**plane, "axis": "y"}),
        "x": ("x", grid["x"].values, {**plane, "axis": "x"}),
        "spatial_ref": grid["spatial_ref"],
    }
    return xr.DataArray(values, dims=("t", "bands", "y", "x"), coords=coords, attrs={"nodata": 0})


@pytest.fixture
def vector():
    """Two points with a value each."""
    points = np.array([shapely.Point(11, 46), shapely.Point(12, 46)], dtype=object)
    coord = ("geometry", points, {"type": "geometry", "crs": 4326})
    return xr.DataArray([1.0, np.nan], dims=("geometry",), coords={"geometry": coord})


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(elsewhere, "PAUSE", 0.01)
    monkeypatch.setattr(elsewhere, "WHERE_HARMLESS", elsewhere.WHERE_HARMLESS.new(backoff_factor=0.0))


def asking(url, data=1, id="echo", **context):  # noqa: A002
    args = {"data": data, "url": f"{url}/api/", "id": id}
    return {
        "run": node("run_ogcapi_externally", result=True, **args, **({"context": context} if context else {}))
    }


def run(session, api, data=1, **context):
    with site(api) as served:
        return session.run(asking(served.url, data, **context))


@pytest.mark.parametrize("value", [1, 1.5, "text", True, None, [1, [2, None]], {"a": {"b": [1]}}, []])
def test_a_value_there_and_back(session, value):
    api = Ogc(lambda inputs: reply({"result": inputs["data"]}))
    assert run(session, api, value) == {"result": value}
    assert api.got == {"inputs": {"data": value}}


@pytest.mark.parametrize("body", [[1, 2], 5, "x", None, {"a": 1}])
def test_raw_answers_are_given_as_they_are(session, body):
    assert run(session, Ogc(lambda _: reply(body))) == body


def test_no_content_is_null(session):
    assert run(session, Ogc(lambda _: (204, {}, b""))) is None


def test_the_context_goes_beside_the_data(session):
    api = Ogc(lambda inputs: reply(inputs), inputs=("data", "x"))
    assert run(session, api, 1, x=[2]) == {"x": [2], "data": 1}


@pytest.mark.parametrize(
    ("names", "context", "inputs"),
    [(["data", "x"], {"x": 1}, {"x": 1, "data": 9}), (["a"], {}, {"a": 9}), (["a", "b"], {"a": 1}, {"a": 1, "b": 9}), ([], {"q": 1}, {"q": 1, "data": 9})],
)  # fmt: skip
def test_which_input_the_data_is(names, context, inputs):
    assert inputs_of({"inputs": {n: {} for n in names}}, 9, context, "p") == inputs


def test_an_optional_input_is_not_the_data():
    known = {"a": {"minOccurs": 0}, "b": {}, "c": {"minOccurs": 0}}
    assert inputs_of({"inputs": known}, 9, {}, "p") == {"b": 9}


@pytest.mark.parametrize(
    ("names", "context"), [(["a", "b"], {}), (["a"], {"a": 1}), (["a"], {"z": 1}), (["data"], {"z": 1})]
)
def test_inputs_that_do_not_go_together(names, context):
    with pytest.raises(Problem) as caught:
        inputs_of({"inputs": {n: {} for n in names}}, 9, context, "p")
    assert caught.value.facts["parameter"] == "context"


def test_a_job_is_waited_for(session):
    states = iter(["accepted", "running", "running", "successful"])
    api = Ogc(
        lambda _: reply({"jobID": "7", "status": "accepted"}, 201, Location="/api/jobs/7"),
        modes=("async-execute",),
        **{
            "api/jobs/7": lambda: reply({"status": next(states)}),
            "api/jobs/7/results": reply({"out": {"value": [1]}}),
        },
    )
    with site(api) as served:
        assert session.run(asking(served.url)) == {"out": {"value": [1]}}
    assert api.prefer == "respond-async"
    assert [p for _, p in served.asked].count("/api/jobs/7") == 4


def test_results_and_values_behind_links(session):
    done = {"status": "successful", "links": [{"rel": RESULTS, "href": "../out"}]}
    document = {
        "a": {"href": "/values/a", "type": "application/geo+json"},
        "b": {"href": "/b.tif", "type": "image/tiff"},
    }
    api = Ogc(
        lambda _: reply({"jobID": "7"}, 201),
        **{"api/jobs/7": reply(done), "api/out": reply(document), "values/a": reply({"type": "Feature"})},
    )
    assert run(session, api) == {"a": {"type": "Feature"}, "b": document["b"]}


@pytest.mark.parametrize("state", ["failed", "dismissed"])
def test_a_job_that_fails_says_why(session, state):
    api = Ogc(lambda _: reply({}, 201, Location="/j"), j=reply({"status": state, "message": "no such band"}))
    with pytest.raises(Problem, match="no such band") as caught:
        run(session, api)
    assert caught.value.pointer == "/run/arguments/data"


def test_a_job_without_end_is_dismissed(tmp_path):
    api = Ogc(lambda _: reply({}, 201, Location="/j"), j=reply({"status": "running"}))
    with (
        engine.open(tmp_path / "c.sqlite", home=tmp_path, call_timeout=0.3) as session,
        site(api) as served,
        pytest.raises(Problem, match=r"not done after 0\.3 s") as caught,
    ):
        session.run(asking(served.url))
    assert caught.value.code == "RequestTimeout"
    assert ("DELETE", "/j") in served.asked


def test_the_deadline_is_for_all_of_it():
    now = [0.0]
    deadline = Deadline(5, lambda: now[0], lambda s: now.__setitem__(0, now[0] + s))
    assert deadline.wait(3)
    assert not deadline.wait(100)
    assert (now[0], deadline.left) == (5.0, 0.0)


@pytest.mark.parametrize("status", [400, 422, 500, 503])
def test_a_refusal_says_why_and_is_not_repeated(session, status):
    api = Ogc(lambda _: reply({"title": "Bad", "detail": "x must be positive"}, status))
    with site(api) as served:
        with pytest.raises(Problem, match=f"{status}: x must be positive"):
            session.run(asking(served.url))
        assert [m for m, _ in served.asked].count("POST") == 1


@pytest.mark.parametrize("id", ["nothing", "../jobs", "a/b", "echo?x", "echo#"])
def test_a_process_that_is_not_there(session, id):  # noqa: A002
    with site(Ogc(lambda _: reply(1))) as served:
        with pytest.raises(Problem, match="has no process") as caught:
            session.run(asking(served.url, id=id))
        assert (caught.value.code, caught.value.pointer) == ("InvalidOgcApiProcess", "/run/arguments/id")
        assert all(path.startswith("/api/processes/") for _, path in served.asked)
        assert not any(m == "POST" for m, _ in served.asked)


LIES = {
    "no JSON": lambda _: (200, JSON, b"{"),
    "NaN": lambda _: (200, JSON, b"[NaN]"),
    "html": lambda _: (200, {"Content-Type": "text/html"}, b"<p>"),
    "no type": lambda _: (200, {}, b"1"),
    "deep": lambda _: (200, JSON, b"[" * 200_000),
    "job nowhere": lambda _: reply({}, 201),
    "job of nonsense": lambda _: reply({}, 201, Location="/odd"),
    "job of lists": lambda _: reply({}, 201, Location="/list"),
    "job elsewhere": lambda _: reply({}, 201, Location="http://169.254.169.254/latest"),
    "file job": lambda _: reply({}, 201, Location="file:///etc/passwd"),
    "link inside": lambda _: reply({"a": {"href": "http://10.0.0.1/x"}}),
    "no results": lambda _: reply({}, 201, Location="/done"),
}


@pytest.mark.parametrize("lie", LIES)
def test_lies(session, lie):
    paths = {"odd": reply({"status": "fine"}), "list": reply([1]), "done": reply({"status": "successful"})}
    with pytest.raises(Problem) as caught:
        run(session, Ogc(LIES[lie], **paths))
    assert caught.value.code in ("FileContentInvalid", "FileNotFound", "FilePathInvalid")
    assert caught.value.hint


def test_private_servers_are_not_called(tmp_path):
    api = Ogc(lambda _: reply(1))
    with (
        engine.open(tmp_path / "c.sqlite", home=tmp_path, private_hosts="deny", allowed_hosts=()) as session,
        site(api) as served,
        pytest.raises(Problem, match="Loopback"),
    ):
        session.run(asking(served.url))
    assert served.connections == 0


def test_looking_at_a_graph_calls_nobody(session):
    with site(Ogc(lambda _: reply(1))) as served:
        graph = asking(served.url) | {"next": node("add", x=ref("run"), y=1, result=True)}
        del graph["run"]["result"]
        assert session.validate(graph) == []
        with pytest.raises(Problem, match="known only when the graph runs"):
            session.explain(graph)
        assert served.connections == 0
        assert session.run(graph) == 2


def test_equal_calls_are_two_calls(session):
    with site(api := Ogc(lambda _: reply(1))) as served:
        graph = {"a": asking(served.url)["run"], "b": asking(served.url)["run"]}
        for call in graph.values():
            del call["result"]
        assert session.run(graph | {"sum": node("add", x=ref("a"), y=ref("b"), result=True)}) == 2
        assert [m for m, _ in served.asked].count("POST") == 2
    assert api.got


def test_the_services_own_processes(tmp_path):
    graph = {"run": node("run_ogcapi", data=5, id="echo", result=True)}
    with engine.open(tmp_path / "a.sqlite", home=tmp_path) as session, pytest.raises(Problem) as caught:
        session.run(graph)
    assert caught.value.code == "InvalidOgcApiProcess"
    with (
        site(Ogc(lambda inputs: reply(inputs["data"]))) as served,
        engine.open(tmp_path / "b.sqlite", home=tmp_path, ogc_processes=f"{served.url}/api") as session,
    ):
        assert session.run(graph) == 5


# ------------------------------------------------------------------------------------- cubes and UDFs
def test_a_vector_cube_goes_as_geojson(session, vector):
    api = Ogc(lambda inputs: reply(inputs["data"]))
    graph = {"run": node("run_ogcapi_externally", data=param("cube"), url="", id="echo", result=True)}
    with site(api) as served:
        graph["run"]["arguments"]["url"] = f"{served.url}/api"
        given = session.run(graph, {"cube": vector})
    assert [f["geometry"]["coordinates"] for f in given["features"]] == [[11.0, 46.0], [12.0, 46.0]]


def udf(session, answer, data, **more):
    got = []

    def keep(request):
        got.append(json.loads(request.body))
        return answer(got[-1])

    with site(keep) as served:
        graph = {
            "run": node("run_udf_externally", data=param("it"), url=f"{served.url}/udf", result=True, **more)
        }
        return session.run(graph, {"it": data}), got[0]


@pytest.mark.parametrize("value", [[1, None], {"a": 1}, 5, "x", None])
def test_a_udf_of_json(session, value):
    given, sent = udf(session, lambda body: reply(body["data"]), value, context={"factor": 2})
    assert given == value
    assert sent["data"]["user_context"] == {"factor": 2}
    assert udf(session, lambda _: reply({"free": 1}), value)[0] == {"free": 1}


@pytest.mark.parametrize("chunks", [None, 1])
def test_a_udf_of_a_cube(session, cube, chunks):
    cube = cube if chunks is None else cube.chunk(chunks)
    given, sent = udf(session, lambda body: reply(body["data"]), cube)
    np.testing.assert_array_equal(given.values, np.where(cube.values == 0, np.nan, cube.values.astype(float)))
    for dim in cube.dims:
        np.testing.assert_array_equal(given[dim].values, cube[dim].values)
        assert given[dim].attrs == cube[dim].attrs
    assert given.odc.crs.epsg == 32632
    (told,) = sent["data"]["datacubes"]
    assert sent["data"]["proj"] == {"EPSG": 32632}
    assert [d["name"] for d in told["dimensions"]] == ["t", "bands", "y", "x"]
    assert told["dimensions"][0]["coordinates"][0] == "2022-06-01T10:16:00Z"
    assert np.array(told["data"], dtype=object)[0, 0, 0, 0] is None


@pytest.mark.parametrize(
    "lie",
    [{"dimensions": [{"name": "x"}]}, {"data": [1]}, {"data": [[1], [2, 3]], "dimensions": [{"name": "x"}]},
     {"data": [1, 2], "dimensions": [{"name": "x", "coordinates": [1]}]}, {"data": ["a"], "dimensions": [{"name": "x"}]}],
)  # fmt: skip
def test_cubes_that_are_none(lie, cube):
    with pytest.raises(Problem, match="is none"):
        cube_of(lie, cube)


def test_what_cannot_be_sent(session, cube, monkeypatch):
    monkeypatch.setattr("engine.execute.messages.MAX_CELLS", 10)
    with pytest.raises(Problem, match="at most 10 are sent"):
        udf(session, lambda _: reply(1), cube)
    with pytest.raises(Problem, match="cannot be sent as JSON"):
        udf(session, lambda _: reply(1), float("inf"))


def test_not_inside_of_callbacks(session, cube):
    child = {
        "process_graph": {
            "u": node("run_udf_externally", data=param("data"), url="http://a.example/", result=True)
        }
    }
    graph = {"r": node("reduce_dimension", data=param("cube"), dimension="t", reducer=child, result=True)}
    with pytest.raises(Problem) as caught:
        session.run(graph, {"cube": cube}).compute()
    assert caught.value.hint
    with pytest.raises(ProcessParameterInvalid, match="not in a callback"):
        outside(None)
    assert not REGISTRY["run_udf_externally"].pure
