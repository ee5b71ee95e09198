"""From executions to process graphs: a table of inputs and of the nodes that they become."""

from __future__ import annotations

import base64

import pytest

from engine import Problem
from engine.executions.described import description
from engine.executions.offers import definitions_of, of_user, predefined
from engine.executions.plan import plan
from engine.records import UserProcess

HOME = "https://here.org/api"
COLLECTION = {"id": "S2", "spatial_extent": None, "temporal_extent": None}
FEATURE = {"type": "Point", "coordinates": [1, 2]}


def planned(process, inputs, **body):
    find = predefined().__getitem__
    return plan(predefined()[process], {"inputs": inputs, **body}, find, (HOME,), {})


def nodes_of(process, inputs, **body):
    nodes = planned(process, inputs, **body).process["process"]["process_graph"]
    return {name: (node["process_id"], node["arguments"]) for name, node in nodes.items()}


def b64(text):
    return base64.b64encode(text.encode()).decode()


def box(west, south, east, north, crs=4326, **further):
    return {"west": west, "south": south, "east": east, "north": north, "crs": crs, **further}


CRS = "http://www.opengis.net/def/crs/"
VALUES = [
    ("string", "a", "a"),
    ("string", {"value": "a"}, "a"),
    ("string", {"value": b64("ä"), "encoding": "base64", "mediaType": "text/plain"}, "ä"),
    ("number", 2, 2),
    ("array", ["a", {"value": "b"}], ["a", "b"]),
    ("array", "a", ["a"]),
    ("array", {"value": ["a"]}, ["a"]),
    ("array", [], []),
    ("object", {"value": {"href": 1}}, {"href": 1}),
    (
        "object",
        {"value": b64('{"a": 1}'), "encoding": "base64", "mediaType": "application/geo+json"},
        {"a": 1},
    ),
    ("binary", {"value": "AAA=", "encoding": "base64", "mediaType": "image/png"}, "AAA="),
    ("bbox", {"bbox": [1, 2, 3, 4]}, box(1, 2, 3, 4)),
    ("bbox", {"value": {"bbox": [1, 2, 3, 4]}}, box(1, 2, 3, 4)),
    ("bbox", {"bbox": [1, 2, 3, 4], "crs": f"{CRS}OGC/1.3/CRS84"}, box(1, 2, 3, 4)),
    ("bbox", {"bbox": [2, 1, 4, 3], "crs": f"{CRS}EPSG/0/4326"}, box(1, 2, 3, 4)),
    ("bbox", {"bbox": [1, 2, 3, 4], "crs": f"{CRS}EPSG/0/32632"}, box(1, 2, 3, 4, 32632)),
    ("bbox", {"bbox": [1, 2, 0, 3, 4, 9]}, box(1, 2, 3, 4, base=0, height=9)),
    ("bbox", box(1, 2, 3, 4), box(1, 2, 3, 4)),
]


@pytest.mark.parametrize(("name", "given", "argument"), VALUES)
def test_values(name, given, argument):
    assert nodes_of("echo", {name: given}) == {"run": ("echo", {name: argument})}


URL = "https://a.org/b"
SOURCES = [
    ({"href": f"{URL}.tif"}, "load_url", {"url": f"{URL}.tif", "format": "GTiff"}),
    ({"href": URL, "type": "image/tiff; application=geotiff"}, "load_url", {"url": URL, "format": "GTiff"}),
    ({"href": URL, "type": "application/x-netcdf"}, "load_url", {"url": URL, "format": "netCDF"}),
    ({"href": f"{URL}.nc?x=1"}, "load_url", {"url": f"{URL}.nc?x=1", "format": "netCDF"}),
    ({"href": URL, "type": "application/json"}, "load_stac", {"url": URL}),
    ({"href": URL}, "load_stac", {"url": URL}),
    ({"collection": "S2"}, "load_collection", COLLECTION),
    ({"collection": f"{HOME}/collections/S2"}, "load_collection", COLLECTION),
    ({"collection": "https://a.org/collections/S2"}, "load_stac", {"url": "https://a.org/collections/S2"}),
    ({"value": FEATURE}, "load_geojson", {"data": FEATURE}),
    (
        {"value": "AAA=", "encoding": "base64", "mediaType": "image/tiff; application=geotiff"},
        "load_url",
        {"url": "data:image/tiff;base64,AAA=", "format": "GTiff"},
    ),
]


@pytest.mark.parametrize(("given", "process", "arguments"), SOURCES)
def test_cubes(given, process, arguments):
    found = nodes_of("dimension_labels", {"data": given, "dimension": "t"})
    reference = {"from_node": f"{process}_1"}
    assert found == {
        f"{process}_1": (process, arguments),
        "run": ("dimension_labels", {"data": reference, "dimension": "t"}),
    }


def test_links_to_values_and_calls_of_other_processes():
    link = {"href": URL, "type": "text/plain"}
    nested = {"process": f"{HOME}/processes/add", "inputs": {"x": 1, "y": {"href": URL}}}
    assert nodes_of("sum", {"data": [link, nested]}) == {
        "load_value_1": ("load_value", {"url": URL, "media_type": "text/plain"}),
        "load_value_2": ("load_value", {"url": URL, "media_type": "application/json"}),
        "add_3": ("add", {"x": 1, "y": {"from_node": "load_value_2"}}),
        "run": ("sum", {"data": [{"from_node": "load_value_1"}, {"from_node": "add_3"}]}),
    }


def test_a_format_is_a_node_where_one_is_asked_for():
    cube = {"data": {"collection": "S2"}}
    assert list(nodes_of("ndvi", cube)) == ["load_collection_1", "run"]
    asked = {"result": {"format": {"mediaType": "application/netcdf"}}}
    (saving,) = [
        args for name, args in nodes_of("ndvi", cube, outputs=asked).values() if name == "save_result"
    ]
    assert saving == {"data": {"from_node": "run"}, "format": "netCDF"}
    found = planned("ndvi", cube, outputs=asked)
    assert found.process["process"]["process_graph"]["save_result_3"]["result"] is True
    (output,) = found.execution.outputs
    assert (output.outlet.name, output.outlet.stem) == ("result", "result")


WRONG = [
    ("echo", {"string": {"a": 1}}, "ParameterInvalid"),
    ("echo", {"string": {"value": "?", "encoding": "base64"}}, "ParameterInvalid"),
    ("echo", {"string": {"value": "a", "encoding": "hex"}}, "ParameterInvalid"),
    ("echo", {"string": {"href": "file:///etc/passwd"}}, "ParameterInvalid"),
    ("echo", {"bbox": {"bbox": [1, 2, 3]}}, "ParameterInvalid"),
    ("echo", {"bbox": {"bbox": [1, 2, 3, True]}}, "ParameterInvalid"),
    ("echo", {"bbox": {"bbox": [1, 2, 3, 4], "crs": "EPSG:0"}}, "ParameterInvalid"),
    ("echo", {"strin": "a"}, "ProcessParameterUnsupported"),
    ("echo", {"number": "a"}, "ProcessParameterInvalid"),
    ("add", {"x": 1}, "ProcessParameterRequired"),
    ("add", {"x": 1, "y": {"process": "https://a.org/processes/add"}}, "ParameterInvalid"),
    ("ndvi", {"data": {"href": URL, "type": "video/mp4"}}, "FormatUnsuitable"),
    (
        "ndvi",
        {"data": {"value": "AAA=", "encoding": "base64", "mediaType": "video/mp4"}},
        "ParameterInvalid",
    ),
    ("ndvi", {"data": {"collection": 1}}, "ParameterInvalid"),
    ("ndvi", {"data": {"collection": "S2", "filter": "a = 1"}}, "ParameterInvalid"),
    ("ndvi", {"data": {"process": "ndvi", "inputs": {}, "outputs": {}}}, "ParameterInvalid"),
    ("ndvi", {"data": "S2"}, "ProcessParameterInvalid"),
]


@pytest.mark.parametrize(("process", "inputs", "code"), WRONG)
def test_what_makes_no_sense(process, inputs, code):
    with pytest.raises(Problem) as caught:
        planned(process, inputs)
    assert caught.value.code == code


def test_the_signature_says_what_stands_alone():
    offered = predefined()
    assert {"add", "ndvi", "load_collection", "save_result", "merge_cubes", "run_udf"} <= offered.keys()
    assert not {"apply", "reduce_dimension", "array_filter", "ml_predict", "stac_modify"} & offered.keys()


JUNK = [
    1, "a", None, [], [1], {"type": 1}, {"type": [1, "null"]}, {"subtype": 1}, {"subtype": "datacube", "dimensions": [1]},
    {"subtype": "datacube", "dimensions": 1}, {"anyOf": 1}, {"anyOf": [1]}, {"type": "array", "items": [1]},
    {"type": "array", "items": {"type": "string"}, "minItems": "a", "maxItems": "b"}, {"properties": [1]},
    {"type": "object", "properties": {"a": 1}}, {"enum": 1, "default": {"a": 1}},
]  # fmt: skip


@pytest.mark.parametrize("schema", JUNK, ids=map(str, JUNK))
def test_schemas_of_users_that_are_none_say_nothing(schema):
    """Only what a graph's form forbids is refused when a process is stored; all else is there to be told."""
    taken = schema if isinstance(schema, dict | list) and schema != [1] else {}
    document = {
        "parameters": [{"name": "x", "schema": taken}],
        "returns": {"schema": schema},
        "process_graph": {
            "a": {"process_id": "constant", "arguments": {"x": {"from_parameter": "x"}}, "result": True}
        },
    }
    told = description(of_user(UserProcess("p", "ada", document), definitions_of({"p": document}), own=True))
    assert told["inputs"].keys() == {"x"}
    assert told["outputs"]


@pytest.mark.parametrize("graph", [
    {"a": {"process_id": "save_result", "arguments": {"data": 1, "format": "none"}, "result": True}},
    {"a": {"process_id": "p", "arguments": {}, "result": True}}, {"a": {"process_id": "none", "result": True}},
    {"a": {"process_id": "add", "namespace": "https://a.org/b", "result": True}},
])  # fmt: skip
def test_processes_of_users_that_cannot_run_are_told_all_the_same(graph):
    document = {"process_graph": graph}
    offer = of_user(UserProcess("p", "ada", document), definitions_of({"p": document}), own=True)
    assert [outlet.name for outlet in offer.outlets] == ["result"]
