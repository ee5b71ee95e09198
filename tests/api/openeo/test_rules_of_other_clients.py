"""What the openEO client for R and the openEO Web Editor need of answers, and send: one rule in each test.

Neither runs in these tests. What they compute from an answer is computed here in their way; what they send is sent as they
write it. R is the package `openeo` 1.4; the editor stands on `@openeo/js-client` 2.12.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from xml.etree import ElementTree

import httpx
import numpy as np
import pytest
import rasterio

from requests_of_users import LOAD, NDVI, RANGE, SUM, TWICE, ended, made, run, served_as, wrapped

Json = dict[str, Any]
FACET = "/openeo/1.2"
EDITOR = {"Origin": "https://editor.openeo.org"}


@pytest.fixture(scope="module")
def guest(served) -> Iterator[httpx.Client]:
    """Somebody who is not logged in, where the well-known document leads."""
    with served.client() as client:
        client.base_url = served.url + FACET
        yield client


@pytest.fixture(scope="module")
def user(served) -> Iterator[httpx.Client]:
    """The same for ada."""
    with served.client("ada") as client:
        client.base_url = served.url + FACET
        yield client


@pytest.fixture(scope="module")
def processes(guest) -> dict[str, Json]:
    """All predefined processes by identifier."""
    return {p["id"]: p for p in guest.get("/processes").json()["processes"]}


@pytest.fixture(scope="module")
def job(user) -> str:
    """A job of NDVI that is finished."""
    return run(user, NDVI)


@pytest.fixture(scope="module")
def results(user, job) -> Json:
    """Its results."""
    answer = user.get(f"/jobs/{job}/results")
    assert "json" in answer.headers["content-type"]
    return answer.json()


def faults(client: httpx.Client, graph: Json) -> list[Json]:
    """What validation says of a graph."""
    answer = client.post("/validation", json={"process_graph": graph})
    assert answer.status_code == 200
    return answer.json()["errors"]


# =================================================================================================== R: connecting
def chosen_by_r(versions: list[Json]) -> str:
    """The address that R takes: production goes first, then the highest version."""

    def rank(version: Json) -> tuple[bool, list[int]]:
        numbers = re.split(r"[.-]", version["api_version"])
        return version["production"], [int(n) for n in numbers if n.isdigit()]

    return max(versions, key=rank)["url"].removesuffix("/")


@pytest.mark.parametrize("given", ["", FACET], ids=["of the host", "with the version"])
def test_r_finds_the_address_by_either_url(served, guest, given):
    versions = guest.get(f"{served.url}{given}/.well-known/openeo").json()["versions"]
    assert all(v.keys() >= {"api_version", "production", "url"} for v in versions)
    assert all(type(v["production"]) is bool for v in versions)
    assert chosen_by_r(versions) == served.url + FACET


def test_r_finds_one_version_only_at_each_address(guest):
    """It looks up by address whether the chosen version is in production, and cannot go on with two answers."""
    addresses = [v["url"].removesuffix("/") for v in guest.get("/.well-known/openeo").json()["versions"]]
    assert len(addresses) == len(set(addresses))


def test_r_asks_for_the_landing_page_with_a_slash_at_the_end(served, guest):
    answer = guest.get(f"{served.url}{FACET}/", follow_redirects=False)
    assert answer.status_code == 200
    assert answer.json().keys() >= {"api_version", "production", "endpoints", "id", "title", "links"}
    assert all("rel" in link for link in answer.json()["links"])


FUNCTIONS_OF_R = {
    "/": "GET",
    "/file_formats": "GET",
    "/service_types": "GET",
    "/udf_runtimes": "GET",
    "/collections": "GET",
    "/collections/{collection_id}": "GET",
    "/processes": "GET",
    "/process_graphs": "GET",
    "/process_graphs/{process_graph_id}": "GET PUT DELETE",
    "/files": "GET",
    "/files/{path}": "GET PUT DELETE",
    "/credentials/basic": "GET",
    "/result": "POST",
    "/jobs": "GET POST",
    "/jobs/{job_id}": "GET PATCH DELETE",
    "/jobs/{job_id}/estimate": "GET",
    "/jobs/{job_id}/results": "GET POST DELETE",
    "/jobs/{job_id}/logs": "GET",
    "/services": "GET POST",
    "/services/{service_id}": "GET PATCH DELETE",
    "/services/{service_id}/logs": "GET",
    "/me": "GET",
    "/validation": "POST",
    "/conformance": "GET",
}


def test_r_has_its_functions_for_paths_spelt_like_the_standard_only(guest):
    """It joins its own table of paths and methods with ours, names in braces and all."""
    told = {e["path"]: set(e["methods"]) for e in guest.get("/").json()["endpoints"]}
    missing = {p: m for p, m in FUNCTIONS_OF_R.items() if not set(m.split()) <= told.get(p, set())}
    assert missing == {}


def test_r_logs_in_with_a_token_that_has_no_prefix(served):
    told = httpx.get(f"{served.url}{FACET}/credentials/basic", auth=("ada", "ada"))
    assert told.status_code == 200
    bearer = f"Bearer basic//{told.json()['access_token']}"
    assert httpx.get(f"{served.url}{FACET}/me", headers={"Authorization": bearer}).json()["user_id"] == "ada"


def test_r_shows_the_message_of_errors_in_json(guest):
    for answer in (guest.get("/jobs"), guest.get("/collections/none"), guest.get("/nothing")):
        assert answer.status_code >= 400
        assert answer.headers["content-type"].startswith("application/json")
        assert answer.json()["message"]


# ===================================================================================================== R: discovery
def test_r_turns_intervals_and_boxes_of_collections_into_its_own(guest):
    for listed in guest.get("/collections").json()["collections"]:
        told = guest.get(f"/collections/{listed['id']}").json()
        for one in (listed, told):
            assert all(len(box) in (4, 6) for box in one["extent"]["spatial"]["bbox"])
            assert all(len(interval) == 2 for interval in one["extent"]["temporal"]["interval"])
        assert isinstance(told["cube:dimensions"], dict)
        assert all(isinstance(dimension, dict) for dimension in told["cube:dimensions"].values())


def test_r_makes_a_table_of_bands(guest):
    bands = guest.get("/collections/S2").json()["summaries"]["eo:bands"]
    assert all(isinstance(band["name"], str) for band in bands)
    assert not any(value is None for band in bands for value in band.values())


def test_r_lists_formats_services_and_runtimes_by_name(guest):
    formats = guest.get("/file_formats").json()
    told = [f for direction in ("input", "output") for f in formats[direction].values()]
    offered = guest.get("/service_types").json().values()
    for settings in (*(f["parameters"] for f in told), *(s["configuration"] for s in offered)):
        assert all(isinstance(setting["description"], str) for setting in settings.values())
    for service in offered:
        assert all(p["name"] and p["description"] for p in service["process_parameters"])
    for runtime in guest.get("/udf_runtimes").json().values():
        assert all(isinstance(version, dict) for version in runtime["versions"].values())


# ===================================================================================================== R: processes
CLASSES_OF_R = {
    ("integer", None), ("integer", "epsg-code"), ("number", None), ("boolean", None), ("string", None),
    ("object", "bounding-box"), ("object", "geojson"), ("object", "datacube"), ("object", "raster-cube"),
    ("object", "vector-cube"), ("string", "collection-id"), ("string", "job-id"), ("string", "process-graph-id"),
    ("string", "proj-definition"), ("string", "output-format"), ("object", "output-format-options"),
    ("object", "process-graph"), ("array", None), ("array", "kernel"), ("string", "date"), ("string", "date-time"),
    ("array", "temporal-interval"), ("array", "temporal-intervals"), ("string", "time"), ("string", "uri"),
    ("string", "udf-runtime"), ("string", "udf-runtime-version"), ("string", "udf-code"), ("object", "metadata-filter"),
}  # fmt: skip
"""Types with their subtypes that R has a class of arguments for; all others take anything."""
ARRAYS_OF_R = {None, "temporal-interval", "temporal-intervals"}
"""Subtypes whose classes look at the elements."""


def alternatives(schema: Any) -> list[Json]:
    """The schemas that R makes of one: of a list of types one each, and a list of schemas as it is."""
    if isinstance(schema, list):
        return schema
    types = schema.get("type")
    return [{**schema, "type": t} for t in types] if isinstance(types, list) else [schema]


def is_null(schema: Json) -> bool:
    """Does R take the schema for one of null? It cannot compare a list of types."""
    if isinstance(schema.get("type"), list):
        raise ValueError("a list of types within a list of schemas")
    items = schema.get("items")
    of_nulls = isinstance(items, Mapping) and items.get("type") == "null"
    return schema.get("type") == "null" or (schema.get("type") == "array" and of_nulls)


def argument_of(parameter: Json) -> set[tuple[str | None, str | None]]:
    """The classes that R makes of a parameter.

    Raises:
        ValueError: R fails, and has no function for the whole process.
    """
    if not parameter["schema"]:
        return set()
    found = alternatives(parameter["schema"])
    nulls = [schema for schema in found if is_null(schema)]
    if len(nulls) > 1 or len(nulls) == len(found):
        raise ValueError("null more than once, or nothing but null")
    kinds = set()
    for schema in (s for s in found if s not in nulls):
        kind = schema.get("type"), schema.get("subtype")
        if kind[0] == "array" and kind[1] in ARRAYS_OF_R and "items" not in schema:
            raise ValueError("an array without a schema of its elements")
        if kind == ("object", "process-graph"):
            assert all(p["name"] and "schema" in p for p in schema.get("parameters", ()))
        kinds.add(kind if kind in CLASSES_OF_R else (None, None))
    return kinds


def test_r_can_make_a_function_of_every_process(processes):
    failed = {}
    for name, process in processes.items():
        for parameter in (*process["parameters"], {"name": "returns", **process["returns"]}):
            try:
                argument_of(parameter)
            except ValueError as error:
                failed[name, parameter["name"]] = str(error)
    assert set(failed) == {("array_labels", "data")}, "openEO itself describes that one so"


def test_r_names_functions_and_their_arguments_as_we_do(processes):
    for name, process in processes.items():
        names = [p["name"] for p in process["parameters"]]
        assert all(re.fullmatch(r"[A-Za-z]\w*", n) for n in (name, *names))
        assert len(names) == len(set(names))
        assert all(type(p.get("optional", False)) is bool for p in process["parameters"])


@pytest.mark.parametrize(
    ("process", "parameter", "kind"),
    [
        ("load_collection", "id", ("string", "collection-id")),
        ("load_collection", "spatial_extent", ("object", "bounding-box")),
        ("load_collection", "temporal_extent", ("array", "temporal-interval")),
        ("load_collection", "bands", ("array", None)),
        ("load_collection", "properties", ("object", "metadata-filter")),
        ("reduce_dimension", "data", ("object", "datacube")),
        ("reduce_dimension", "reducer", ("object", "process-graph")),
        ("aggregate_temporal", "intervals", ("array", "temporal-intervals")),
        ("aggregate_spatial", "geometries", ("object", "geojson")),
        ("apply_kernel", "kernel", ("array", "kernel")),
        ("resample_spatial", "projection", ("integer", "epsg-code")),
        ("run_udf", "udf", ("string", "udf-code")),
        ("run_udf", "runtime", ("string", "udf-runtime")),
        ("run_udf", "version", ("string", "udf-runtime-version")),
        ("save_result", "format", ("string", "output-format")),
        ("save_result", "options", ("object", "output-format-options")),
    ],
)
def test_r_knows_arguments_by_their_subtypes(processes, process, parameter, kind):
    declared = {p["name"]: p for p in processes[process]["parameters"]}
    assert kind in argument_of(declared[parameter])


def test_r_matches_collections_against_our_pattern(processes, guest):
    pattern = processes["load_collection"]["parameters"][0]["schema"]["pattern"]
    assert all(re.search(pattern, c["id"]) for c in guest.get("/collections").json()["collections"])


@pytest.mark.parametrize(("process", "many"), [("reduce_dimension", 2), ("apply", 2), ("merge_cubes", 3)])
def test_r_gives_callbacks_as_many_arguments_as_we_declare(processes, process, many):
    """`function(data, context)` has to have them all, in this order."""
    (schema,) = (
        schema
        for p in processes[process]["parameters"]
        for schema in alternatives(p["schema"])
        if schema.get("subtype") == "process-graph"
    )
    assert len(schema["parameters"]) == many


OPERATORS_OF_R = (
    "absolute sgn sqrt int floor ceil round exp ln log cos sin tan cosh sinh tanh arccos arcsin arctan "
    "cumsum cummin cummax cumproduct array_element add subtract multiply divide power mod not and or xor eq neq lt lte "
    "gte gt sum product min max mean median sd variance quantiles pi e"
)


def test_r_has_processes_for_its_operators(processes):
    assert set(OPERATORS_OF_R.split()) <= processes.keys()


# ================================================================================================== R: what it sends
def from_r(graph: Json) -> Json:
    """A process as R wraps a graph up: what it does not know of it is null, and it declares no parameters."""
    nothing = {"id": None, "description": None, "summary": None}
    returns = {"optional": True, "default": None, "schema": {"type": ["number", "null"]}}
    return {**nothing, "process_graph": graph, "parameters": [], "returns": returns}


def test_r_sends_an_empty_list_where_a_process_has_no_arguments(user):
    graph = {
        "pi_1": {"process_id": "pi", "arguments": []},
        "add_1": {
            "process_id": "add",
            "arguments": {"x": {"from_node": "pi_1"}, "y": 1},
            "result": True,
        },
    }
    assert faults(user, graph) == []
    answer = user.post("/result", json={"process": from_r(graph)})
    assert answer.json() == pytest.approx(np.pi + 1)


def test_r_sends_null_for_lists_that_nobody_gave(user):
    graph = {
        "load": LOAD,
        "filter": {
            "process_id": "filter_bands",
            "arguments": {"data": {"from_node": "load"}, "bands": ["B04"], "wavelengths": None},
        },
        "mean": {
            "process_id": "aggregate_temporal",
            "arguments": {
                "data": {"from_node": "filter"},
                "intervals": [["2022-06-01", "2022-07-01"]],
                "reducer": NDVI["max"]["arguments"]["reducer"],
                "labels": None,
            },
        },
        "save": {
            "process_id": "save_result",
            "arguments": {"data": {"from_node": "mean"}, "format": "JSON", "options": {}},
            "result": True,
        },
    }
    assert faults(user, graph) == []
    answer = user.post("/result", json={"process": from_r(graph)})
    assert answer.json()["coords"]["bands"] == ["B04"]


def test_r_wraps_conditions_on_metadata_up_as_processes(user):
    below = {"process_id": "lt", "arguments": {"x": {"from_parameter": "value"}, "y": 50}, "result": True}
    condition = {
        "id": None,
        "process_graph": {"lt_1": below},
        "parameters": [],
        "returns": {"schema": {"type": "boolean"}},
    }
    arguments = {**LOAD["arguments"], "properties": {"eo:cloud_cover": condition}}
    assert faults(user, {"load": {**LOAD, "arguments": arguments, "result": True}}) == []


def test_r_saves_what_a_synchronous_request_gives(user):
    answer = user.post("/result", json={"process": from_r(SUM)})
    assert (answer.status_code, answer.json()) == (200, 3)


def test_r_reads_the_id_of_a_new_job_off_a_header_and_describes_it(user):
    answer = user.post("/jobs", json={"process": from_r(NDVI), "title": "of R"})
    assert answer.status_code == 201
    told = user.get(f"/jobs/{answer.headers['openeo-identifier']}").json()
    assert told["process"]["process_graph"] == NDVI
    assert None not in told["process"].values()
    assert told.keys() >= {"id", "status", "created", "updated"}


def test_r_starts_and_stops_jobs_without_a_body(user):
    job = made(user, NDVI)
    started = user.post(f"/jobs/{job}/results")
    assert started.status_code == 202
    assert user.delete(f"/jobs/{job}/results").status_code == 204
    assert user.patch(f"/jobs/{job}", json={"title": "other"}).status_code == 204
    assert user.delete(f"/jobs/{job}").status_code == 204


def test_r_waits_for_the_first_entry_of_a_log_and_goes_on_from_the_last(user):
    """Its `logs()` asks until there is one."""
    job = made(user, SUM)
    user.post(f"/jobs/{job}/results")
    first = user.get(f"/jobs/{job}/logs").json()["logs"]
    assert first
    ended(user, job)
    whole = user.get(f"/jobs/{job}/logs").json()["logs"]
    later = user.get(f"/jobs/{job}/logs", params={"offset": first[-1]["id"]}).json()["logs"]
    assert first + later == whole
    assert all(entry["level"] and entry["message"] for entry in whole)
    service = served_as(user)
    assert user.get(f"/services/{service}/logs").json()["logs"]


def test_r_names_files_by_the_names_of_assets_and_asks_without_a_login(results):
    assert results["id"]
    for name, asset in results["assets"].items():
        assert re.fullmatch(r"[\w.-]+", name)
        assert httpx.get(asset["href"]).status_code == 200
        assert not any(value is None for value in asset.values())


def test_r_sends_null_for_what_nobody_said_of_a_service(user):
    nothing = dict.fromkeys(("title", "description", "enabled", "configuration", "plan", "budget"))
    answer = user.post("/services", json={**nothing, "process": from_r(NDVI), "type": "XYZ"})
    assert answer.status_code == 201
    id_ = answer.headers["location"].split("/")[-1]
    told = user.get(f"/services/{id_}").json()
    assert (told["id"], told["enabled"], told["configuration"]) == (id_, True, {})
    assert told["url"]


def test_r_uploads_files_as_they_are_and_reads_json(user):
    answer = user.put(
        "/files/of/r.txt", content=b"text", headers={"Content-Type": "application/octet-stream"}
    )
    assert answer.json()["path"] == "of/r.txt"
    assert user.get("/files/of/r.txt").content == b"text"
    assert user.delete("/files/of/r.txt").status_code == 204


def test_r_asks_for_all_of_each_stored_process_and_removes_it(user):
    described = {**TWICE, "id": "of_r", "description": None, "returns": {"schema": {"type": "number"}}}
    assert user.put("/process_graphs/of_r", json=described).is_success
    assert "of_r" in [p["id"] for p in user.get("/process_graphs").json()["processes"]]
    told = user.get("/process_graphs/of_r").json()
    assert told["process_graph"] == TWICE["process_graph"]
    assert [argument_of(p) for p in told["parameters"]] == [{("number", None)}]
    assert user.delete("/process_graphs/of_r").status_code == 204


# ======================================================================================== the editor: connecting
FEATURES_OF_THE_EDITOR = (
    "get /file_formats, get /service_types, get /udf_runtimes, get /collections, get /collections/{}, get /processes, "
    "get /collections/{}/queryables, get /credentials/basic, get /me, get /files, put /files/{}, get /files/{}, "
    "delete /files/{}, post /validation, get /process_graphs, get /process_graphs/{}, put /process_graphs/{}, "
    "delete /process_graphs/{}, post /result, get /jobs, post /jobs, get /jobs/{}, patch /jobs/{}, delete /jobs/{}, "
    "get /jobs/{}/estimate, get /jobs/{}/logs, get /jobs/{}/results, post /jobs/{}/results, delete /jobs/{}/results, "
    "get /services, post /services, get /services/{}, patch /services/{}, delete /services/{}, get /services/{}/logs"
)


def test_the_editor_shows_a_button_for_each_endpoint_only(guest):
    told = guest.get("/").json()["endpoints"]
    features = {f"{m} {re.sub('{[^}]+}', '{}', e['path'])}".lower() for e in told for m in e["methods"]}
    assert set(FEATURES_OF_THE_EDITOR.split(", ")) <= features


def test_the_editor_takes_the_latest_version_up_to_one(guest):
    versions = guest.get("/.well-known/openeo").json()["versions"]
    assert any(re.fullmatch(r"1\.\d+\.\d+", v["api_version"]) for v in versions)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_the_editor_asks_from_another_origin(guest, method):
    path = {"POST": "/jobs", "PUT": "/files/a.txt"}.get(method, "/jobs/a")
    wish = {"Access-Control-Request-Method": method}
    wish["Access-Control-Request-Headers"] = "authorization,content-type"
    answer = guest.options(path, headers={**EDITOR, **wish})
    allowed = {name.strip().lower() for name in answer.headers["access-control-allow-headers"].split(",")}
    assert answer.is_success
    assert answer.headers["access-control-allow-origin"] == "*"
    assert method in answer.headers["access-control-allow-methods"]
    assert {"authorization", "content-type", "range"} <= allowed


def test_the_editor_reads_the_headers_that_are_exposed(user):
    exposed = user.get("/", headers=EDITOR).headers["access-control-expose-headers"].lower()
    for name in ("location", "openeo-identifier", "openeo-costs", "link", "content-range"):
        assert name in exposed


# ========================================================================================= the editor: discovery
def test_the_editor_reads_the_first_page_of_processes_only(guest, processes):
    page = guest.get("/processes", params={"limit": 50}).json()
    assert [p["id"] for p in page["processes"]] == list(processes)
    assert "next" not in [link["rel"] for link in page["links"]]


def test_the_editor_has_formulas_where_there_are_their_processes(processes):
    for name in ("add", "subtract", "multiply", "divide", "power"):
        assert len(processes[name]["parameters"]) >= 2


def test_the_editor_knows_one_set_of_parameters_of_a_callback(processes):
    for process in processes.values():
        for parameter in process["parameters"]:
            schemas = alternatives(parameter["schema"])
            inner = [s.get("additionalProperties") for s in schemas]
            schemas = [*schemas, *(s for s in inner if isinstance(s, dict))]
            found = [s["parameters"] for s in schemas if "parameters" in s]
            assert all(one == found[0] for one in found)


@pytest.mark.parametrize(
    "subtype",
    [
        "collection-id", "bounding-box", "temporal-interval", "band-name", "process-graph", "geojson", "output-format",
        "output-format-options", "epsg-code", "kernel", "udf-runtime", "udf-runtime-version", "udf-code", "file-path",
    ],
)  # fmt: skip
def test_the_editor_has_a_field_of_its_own_for_a_subtype(processes, subtype):
    assert f"'subtype': '{subtype}'" in str(list(processes.values()))


def test_the_editor_begins_loads_with_extents_of_the_collection(guest):
    for collection in guest.get("/collections").json()["collections"]:
        assert isinstance(collection["id"], str)
        assert len(collection["extent"]["spatial"]["bbox"][0]) == 4
        start, end = collection["extent"]["temporal"]["interval"][0]
        assert all(datetime.fromisoformat(moment) for moment in (start, end) if moment)
        dimensions = collection["cube:dimensions"].values()
        assert [d["values"] for d in dimensions if d["type"] == "bands"]


def test_the_editor_finds_queryables_by_relation_and_media_type(guest):
    links = guest.get("/collections/S2").json()["links"]
    (href,) = (
        link["href"]
        for link in links
        if link["rel"] == "http://www.opengis.net/def/rel/ogc/1.0/queryables"
        and link["type"] == "application/schema+json"
    )
    assert guest.get(href).json()["properties"]


def test_the_editor_writes_names_of_formats_in_capitals(user, guest):
    for name in guest.get("/file_formats").json()["output"]:
        cube = {"from_node": "load"}
        save = {
            "process_id": "save_result",
            "arguments": {"data": cube, "format": name.upper()},
            "result": True,
        }
        assert faults(user, {"load": LOAD, "save": save}) == []


def test_the_editor_chooses_a_default_version_of_a_runtime(guest):
    for runtime in guest.get("/udf_runtimes").json().values():
        assert runtime["default"] in runtime["versions"]
        assert runtime["type"] == "language"


# ======================================================================================== the editor: processing
def test_the_editor_shows_what_is_wrong_with_a_process(user):
    (fault,) = faults(user, {"a": {"process_id": "nothing", "arguments": {}, "result": True}})
    assert fault["code"] == "ProcessUnsupported"
    assert fault["message"]


MEDIA_TYPE = re.compile(r"[\w!#$%&'*+.^`|~-]+/[\w!#$%&'*+.^`|~-]+(; ?[\w-]+=([\w.+-]+|\"[^\"]*\"))*")
VIEWED = {"image/png", "image/jpeg", "image/tiff", "application/json", "application/geo+json", "text/csv"}


def viewer_of(media_type: str) -> str:
    """By which media type the editor chooses how to show a file; it parses strictly."""
    assert MEDIA_TYPE.fullmatch(media_type), media_type
    return media_type.split(";")[0].strip().lower()


@pytest.mark.parametrize(
    ("format_", "media_type"),
    [("GTIFF", "image/tiff"), ("PNG", "image/png"), ("JSON", "application/json")],
)
def test_the_editor_shows_results_by_their_media_type(user, format_, media_type):
    cube = {"from_node": "max"}
    save = {"process_id": "save_result", "arguments": {"data": cube, "format": format_}, "result": True}
    graph = {**NDVI, "max": {**NDVI["max"], "result": False}, "save": save}
    answer = user.post("/result", json={**wrapped(graph), "plan": None, "budget": None}, headers=EDITOR)
    assert viewer_of(answer.headers["content-type"]) == media_type


def test_the_editor_finds_logs_of_a_result_behind_its_first_link(user):
    answer = user.post("/result", json=wrapped(SUM))
    match = re.match(r'<([^>]+)>;\s?rel="monitor"', answer.headers["link"], re.IGNORECASE)
    assert match is not None
    assert isinstance(user.get(match[1]).json()["logs"], list)


def test_the_editor_sends_null_for_empty_fields_of_a_job(user):
    nothing = dict.fromkeys(("title", "description", "plan", "budget"))
    answer = user.post("/jobs", json={**wrapped(SUM), **nothing, "log_level": "info"})
    job = answer.headers["openeo-identifier"]
    assert user.patch(f"/jobs/{job}", json=nothing).status_code == 204
    assert user.post(f"/jobs/{job}/results", json={}).status_code == 202
    ended(user, job)


def test_the_editor_looks_after_jobs_by_their_status(user, job):
    told = {j["id"]: j for j in user.get("/jobs", params={"limit": 50}).json()["jobs"]}
    assert told[job]["status"] == "finished"
    for moment in ("created", "updated"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", told[job][moment])


def test_the_editor_asks_for_the_next_page_behind_a_link(user, job):
    made(user)
    page = user.get("/jobs", params={"limit": 1}).json()
    (following,) = (link["href"] for link in page["links"] if link["rel"] == "next")
    assert following.startswith(str(user.base_url))
    assert len(user.get(following).json()["jobs"]) == 1


def test_the_editor_begins_a_log_with_an_empty_offset(user, job):
    logs = user.get(f"/jobs/{job}/logs?offset=").json()["logs"]
    assert logs
    assert all(isinstance(entry["id"], str) for entry in logs)
    assert user.get(f"/jobs/{job}/logs", params={"offset": logs[-1]["id"]}).json()["logs"] == []


def test_the_editor_tells_estimates_in_words(user):
    told = user.get(f"/jobs/{made(user, NDVI)}/estimate").json()
    assert re.fullmatch(r"P(\d+D)?(T(\d+H)?(\d+M)?(\d+S)?)?", told["duration"])
    assert isinstance(told["costs"], float | int)
    assert isinstance(told["size"], int)


# =========================================================================================== the editor: results
def test_the_editor_reads_results_as_stac(results):
    assert (results["type"], results["stac_version"]) == ("Collection", "1.0.0")
    assert results["extent"]["spatial"]["bbox"]
    assert results["title"]


def test_the_editor_shows_assets_that_are_no_metadata(results):
    shown = [a for a in results["assets"].values() if "metadata" not in a.get("roles", ())]
    assert shown
    assert all(viewer_of(asset["type"]) in VIEWED for asset in shown)


def test_the_editor_stretches_colours_by_the_statistics_of_bands(results):
    (asset,) = results["assets"].values()
    for band in asset["bands"]:
        assert band["name"]
        assert band["statistics"]["minimum"] < band["statistics"]["maximum"]
        assert band["nodata"] == "nan"


def test_the_editor_draws_a_geotiff_by_ranges_from_another_origin(results):
    (asset,) = results["assets"].values()
    wish = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "range"}
    before = httpx.options(asset["href"], headers={**EDITOR, **wish})
    assert "range" in before.headers["access-control-allow-headers"].lower()
    answer = httpx.get(asset["href"], headers={**EDITOR, "Range": "bytes=0-65535"})
    assert answer.status_code == 206
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "content-range" in answer.headers["access-control-expose-headers"].lower()


def test_the_editor_places_a_geotiff_by_the_code_in_its_keys(results, tmp_path):
    (asset,) = results["assets"].values()
    (tmp_path / "a.tif").write_bytes(httpx.get(asset["href"]).content)
    with rasterio.open(tmp_path / "a.tif") as file:
        assert file.crs.to_epsg() == 32632
        assert file.nodata is not None
        assert file.descriptions == ("data",)
        assert file.overviews(1) or max(file.shape) <= 512


def test_the_editor_fetches_assets_with_its_token(user, results):
    """Where an asset is of the same origin as the server, it sends the token along."""
    (asset,) = results["assets"].values()
    assert user.get(asset["href"]).status_code == 200


def test_the_editor_shares_results_by_their_canonical_link(results):
    (href,) = (link["href"] for link in results["links"] if link["rel"] == "canonical")
    assert httpx.get(href).json()["assets"]


# ============================================================================================= the editor: services
def test_the_editor_writes_types_of_services_in_capitals(user, guest):
    for type_ in guest.get("/service_types").json():
        body = {
            **wrapped(NDVI),
            "type": type_.upper(),
            "title": "Quick view",
            "description": None,
            "enabled": True,
            "configuration": {},
            "plan": None,
            "budget": None,
        }
        answer = user.post("/services", json=body)
        assert answer.status_code == 201
        told = user.get(f"/services/{answer.headers['openeo-identifier']}").json()
        assert told["type"].upper() == type_.upper()


def test_the_editor_shows_maps_at_once_where_no_setting_is_needed(guest):
    told = guest.get("/service_types").json()
    easy = [
        name
        for name, type_ in told.items()
        if not any(setting.get("required") for setting in type_["configuration"].values())
    ]
    assert {"XYZ", "WMTS"} <= set(easy)


def test_the_editor_adds_a_parameter_of_its_own_to_addresses_of_tiles(user):
    url = user.get(f"/services/{served_as(user)}").json()["url"]
    place = url.replace("%7B", "{").replace("%7D", "}").format(z=0, x=0, y=0)
    answer = httpx.get(place, params={"__editorSessionId": "1795893759"}, headers=EDITOR)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")


WMTS = "{http://www.opengis.net/wmts/1.0}"
OWS = "{http://www.opengis.net/ows/1.1}"


def test_the_editor_draws_the_layers_that_a_wmts_names(user):
    told = user.get(f"/services/{served_as(user, type_='WMTS', configuration=RANGE)}").json()
    query = {"service": "wmts", "request": "GetCapabilities"}
    answer = httpx.get(told["url"], params=query, headers=EDITOR)
    assert answer.headers["access-control-allow-origin"] == "*"
    contents = ElementTree.fromstring(answer.content).find(f"{WMTS}Contents")
    assert contents is not None
    layers = {layer.findtext(f"{OWS}Identifier"): layer for layer in contents.iter(f"{WMTS}Layer")}
    assert told["attributes"]["layers"] == list(layers)
    for layer in layers.values():
        assert layer.find(f"{WMTS}Style") is not None
        assert layer.findtext(f"{WMTS}Format") == "image/png"
        assert [r for r in layer.iter(f"{WMTS}ResourceURL") if r.get("resourceType") == "tile"]
    systems = [m.findtext(f"{OWS}SupportedCRS") for m in contents.findall(f"{WMTS}TileMatrixSet")]
    assert all(system and system.endswith("3857") for system in systems)


# ============================================================================================ the editor of GDC
def test_the_editor_of_gdc_takes_what_has_a_version_for_a_process_of_ogc(processes):
    assert not any("version" in process for process in processes.values())


def test_the_editor_of_gdc_knows_jobs_of_openeo_by_their_id(user, job):
    for told in user.get("/jobs").json()["jobs"]:
        assert told["id"]
        assert "jobID" not in told
