"""The assertions of OGC's test suite for Processes 1.0, by their numbers in our list of them; asked without a login."""

from __future__ import annotations

import base64
import json
import time
from email import message_from_bytes
from email.policy import HTTP

import jsonschema
import pytest

from contracts import plain

CORE = "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/core"
EXCEPTION = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"
TEXT = "teststring"
STATUS_INFO = {
    "type": "object",
    "required": ["jobID", "status", "type"],
    "properties": {
        "processID": {"type": "string"},
        "type": {"enum": ["process"]},
        "jobID": {"type": "string"},
        "status": {"enum": ["accepted", "running", "successful", "failed", "dismissed"]},
        "message": {"type": "string"},
        "created": {"type": "string"},
        "started": {"type": "string"},
        "finished": {"type": "string"},
        "updated": {"type": "string"},
        "progress": {"type": "integer", "minimum": 0, "maximum": 100},
        "links": {"type": "array", "items": {"$ref": "#/components/schemas/link"}},
    },
}
"""As version 1.0 has it; later ones call the members otherwise."""


@pytest.fixture(scope="module")
def ogc(serve_with):
    """The face of OGC's standards, for all who ask."""
    served = serve_with(auth="anonymous", job_slots=2)
    with served.client() as client:
        client.base_url = f"{served.url}/ogc"
        yield client


@pytest.fixture(scope="session")
def held(specifications):
    """Holds a value against a schema of the standard."""
    if specifications is None:
        pytest.skip("the standards' files are not here; set GDC_TEST_CONTRACTS")
    text = (specifications / "processes-head.bundled.json").read_text().replace("/oneOf/", "/anyOf/")
    document = plain(json.loads(text))

    def hold(value, schema):
        schema = {"$ref": f"#/components/schemas/{schema}"} if isinstance(schema, str) else schema
        jsonschema.Draft7Validator({**schema, "components": document["components"]}).validate(value)

    return hold


def execute(client, inputs, later=False, **body):
    headers = {"Prefer": "respond-async"} if later else {}
    return client.post("/processes/echo/execution", json={"inputs": inputs, **body}, headers=headers)


def ended(client, job):
    for _ in range(300):
        told = client.get(f"/jobs/{job}").json()
        if told["status"] not in ("accepted", "running"):
            return told
        time.sleep(0.1)
    raise AssertionError(f"the job is still {told['status']}")


def job_of(client, inputs, **body):
    """The id of a job that has ended."""
    answer = execute(client, inputs, later=True, **body)
    assert answer.status_code == 201, answer.text
    ended(client, answer.json()["jobID"])
    return answer.json()["jobID"]


def parts_of(answer):
    """The parts of an answer of several, by their ids."""
    head = f"Content-Type: {answer.headers['content-type']}\r\n\r\n".encode()
    parts = message_from_bytes(head + answer.content, policy=HTTP).iter_parts()
    return {part["Content-ID"].strip("<>"): part for part in parts}


def test_1_to_4_landing_page_and_conformance(ogc, held):
    landing = ogc.get("/")
    assert (landing.status_code, landing.http_version) == (200, "HTTP/1.1")
    held(landing.json(), "landingPage")
    rels = {link["rel"] for link in landing.json()["links"]}
    assert rels >= {
        "service-desc",
        "http://www.opengis.net/def/rel/ogc/1.0/conformance",
        "http://www.opengis.net/def/rel/ogc/1.0/processes",
        "http://www.opengis.net/def/rel/ogc/1.0/job-list",
    }
    conformance = ogc.get("/conformance").json()
    held(conformance, "confClasses")
    assert CORE in conformance["conformsTo"]


def test_5_to_9_list_of_processes(ogc, held):
    found = ogc.get("/processes").json()
    held(found, "processList")
    assert len(found["processes"]) == 10
    assert all(p["id"] and p["version"] for p in found["processes"])
    assert {link["rel"] for link in found["links"]} >= {"self", "next"}
    assert len(ogc.get("/processes?limit=1").json()["processes"]) == 1
    whole = ogc.get("/processes?limit=10000").json()["processes"]
    assert {"echo", "ndvi", "add"} <= {p["id"] for p in whole}
    assert "reduce_dimension" not in {p["id"] for p in whole}, "it needs a child process graph"
    for wrong in ("0", "10001", "x"):
        assert ogc.get(f"/processes?limit={wrong}").status_code == 400
    document = ogc.get(f"{str(ogc.base_url).removesuffix('ogc/')}openapi").json()
    (limit,) = (p for p in document["paths"]["/ogc/processes"]["get"]["parameters"] if p["name"] == "limit")
    assert limit["schema"] == {"type": "integer", "minimum": 1, "maximum": 10000, "default": 10}


def test_10_11_39_to_45_descriptions(ogc, held):
    for one in ogc.get("/processes?limit=10000").json()["processes"][::9]:
        told = ogc.get(f"/processes/{one['id']}").json()
        held(told, {"allOf": [{"$ref": "#/components/schemas/processSummary"}]})
        assert told["jobControlOptions"] == ["sync-execute", "async-execute", "dismiss"]
        for value in (*told["inputs"].values(), *told["outputs"].values()):
            assert isinstance(value["schema"], dict)
            assert not {"subtype", "dimensions"} & value["schema"].keys()
            assert not isinstance(value["schema"].get("type"), list)
        assert told["outputs"]
    echo = ogc.get("/processes/echo").json()
    assert next(iter(echo["inputs"])) == next(iter(echo["outputs"])) == "string"
    assert echo["inputs"]["array"]["maxOccurs"] == "unbounded"
    assert echo["inputs"]["bbox"]["schema"]["format"] == "ogc-bbox"
    data = ogc.get("/processes/ndvi").json()["outputs"]["result"]["schema"]["oneOf"]
    kinds = [one["contentMediaType"] for one in data]
    assert kinds[0].startswith("image/tiff")
    assert {"application/netcdf", "application/vnd.cov+json"} <= set(kinds)


def test_12_no_such_process(ogc, held):
    for answer in (ogc.get("/processes/none"), ogc.post("/processes/none/execution", json={})):
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/json")
        held(answer.json(), "exception")
        assert answer.json()["type"] == f"{EXCEPTION}no-such-process"


def test_13_to_16_modes(ogc, held):
    plainly = execute(ogc, {"string": TEXT})
    assert (plainly.status_code, plainly.text) == (200, TEXT)
    waited = ogc.post(
        "/processes/echo/execution", json={"inputs": {"string": TEXT}}, headers={"Prefer": "respond-sync"}
    )
    assert (waited.status_code, waited.headers["preference-applied"]) == (200, "respond-sync")
    later = execute(ogc, {"string": TEXT}, later=True)
    assert (later.status_code, later.headers["preference-applied"]) == (201, "respond-async")
    held(later.json(), STATUS_INFO)
    assert later.headers["location"].endswith(f"/ogc/jobs/{later.json()['jobID']}")


BOX = {"bbox": [5.0, 45.0, 6.0, 46.0], "crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84"}
BYTES = base64.b64encode(b"\x89PNG").decode()
INPUTS = {
    "17-array": ({"array": ["a", "b"]}, {"array": ["a", "b"]}),
    "17-one-of-an-array": ({"array": "a"}, {"array": ["a"]}),
    "18-bbox": ({"bbox": BOX}, {"bbox": BOX}),
    "18-bbox-north-first": (
        {"bbox": {"bbox": [45, 5, 46, 6], "crs": "http://www.opengis.net/def/crs/EPSG/0/4326"}},
        {"bbox": {**BOX, "bbox": [5, 45, 6, 46]}},
    ),
    "19-binary": (
        {"binary": {"value": BYTES, "encoding": "base64", "mediaType": "image/png"}},
        {"binary": BYTES},
    ),
    "20-mixed": (
        {"string": TEXT, "number": 2.5, "object": {"value": {"a": 1}}},
        {"string": TEXT, "number": 2.5, "object": {"value": {"a": 1}, "mediaType": "application/json"}},
    ),
    "21-object": (
        {
            "object": {
                "value": base64.b64encode(b'{"a": [1]}').decode(),
                "encoding": "base64",
                "mediaType": "application/json",
            }
        },
        {"object": {"value": {"a": [1]}, "mediaType": "application/json"}},
    ),
    "22-literal": ({"string": TEXT}, {"string": TEXT}),
}


@pytest.mark.parametrize(("inputs", "outputs"), INPUTS.values(), ids=INPUTS.keys())
def test_17_to_22_26_inputs(ogc, held, inputs, outputs):
    answer = execute(ogc, inputs, response="document")
    assert (answer.status_code, answer.json()) == (200, outputs)
    held(answer.json(), "results")


def test_23_inputs_by_reference(ogc):
    """Of the server's own answers, which the tests may ask for."""
    place = f"{str(ogc.base_url).removesuffix('ogc/')}health"
    answer = execute(ogc, {"object": {"href": place, "type": "application/json"}})
    assert (answer.status_code, answer.json()) == (200, ogc.get(place).json())
    text = execute(ogc, {"string": {"href": place, "type": "text/plain"}})
    assert (text.status_code, text.text) == (200, ogc.get(place).text)
    data = execute(ogc, {"binary": {"href": place, "type": "image/png"}})
    assert base64.b64decode(data.text) == ogc.get(place).content


WRONG = {
    "not-known": {"strin": TEXT},
    "of-another-type": {"number": TEXT},
    "bare-object": {"object": {"a": 1}},
    "no-box": {"bbox": {"bbox": [1, 2]}},
    "no-crs": {"bbox": {**BOX, "crs": "nonsense"}},
    "no-base64": {"string": {"value": "?", "encoding": "base64", "mediaType": "text/plain"}},
    "no-address": {"string": {"href": "file:///etc/passwd"}},
    "no-object": [],
}


@pytest.mark.parametrize("inputs", WRONG.values(), ids=WRONG.keys())
def test_24_wrong_inputs(ogc, held, inputs):
    for later in (False, True):
        answer = execute(ogc, inputs, later=later)
        assert (answer.status_code, answer.headers["content-type"]) == (400, "application/json")
        held(answer.json(), "exception")


@pytest.mark.parametrize(
    "body",
    [
        {"outputs": {"none": {}}}, {"outputs": []}, {"outputs": {"string": []}}, {"response": "cooked"},
        {"outputs": {"string": {"transmissionMode": "pigeon"}}}, {"subscriber": {"successUri": "ftp://a"}},
        {"outputs": {"string": {"format": {"mediaType": "image/png"}}}},
    ],
)  # fmt: skip
def test_24_wrong_wishes(ogc, held, body):
    answer = execute(ogc, {"string": TEXT}, **body)
    assert answer.status_code == 400, answer.text
    held(answer.json(), "exception")


TWO = {"string": TEXT, "number": 2}
VALUE, LINK = {"transmissionMode": "value"}, {"transmissionMode": "reference"}


@pytest.mark.parametrize("later", [False, True], ids=["sync", "async"])
def test_25_to_30_37_raw_and_document(ogc, held, later):
    def asked(**body):
        if not later:
            return execute(ogc, TWO, **body)
        return ogc.get(f"/jobs/{job_of(ogc, TWO, **body)}/results")

    alone = asked(outputs={"string": VALUE})
    assert (alone.status_code, alone.text) == (200, TEXT)
    assert alone.headers["content-type"].startswith("text/plain")
    as_json = asked(outputs={"string": {"format": {"mediaType": "application/json"}}})
    assert (as_json.json(), as_json.headers["content-type"]) == (TEXT, "application/json")
    several = asked(outputs={"string": VALUE, "number": VALUE})
    assert several.status_code == 200
    assert {name: part.get_content() for name, part in parts_of(several).items() if name == "string"} == {
        "string": TEXT
    }
    assert parts_of(several)["number"].get_payload(decode=True) == b"2"
    links = asked(outputs={"string": LINK, "number": LINK})
    assert (links.status_code, links.content) == (204, b"")
    told = [link.partition(">")[0].strip(" <") for link in links.headers["link"].split(", ")]
    assert [ogc.get(href).text for href in told] == [TEXT, "2"]
    mixed = parts_of(asked(outputs={"string": VALUE, "number": LINK}))
    assert (mixed["string"].get_content(), mixed["number"].get_content()) == (TEXT, b"") or mixed["number"]
    assert ogc.get(mixed["number"]["Content-Location"]).text == "2"
    document = asked(outputs={"string": LINK, "number": VALUE}, response="document")
    held(document.json(), "results")
    assert document.json()["number"] == 2
    assert ogc.get(document.json()["string"]["href"]).text == TEXT


def test_nothing_in_nothing_out(ogc):
    assert execute(ogc, {}).status_code == 204
    assert execute(ogc, {}, response="document").json() == {}
    alone = execute(ogc, {}, outputs={"string": {}})
    assert (alone.status_code, alone.json()) == (200, None), "it was asked for by name"


def test_31_36_to_38_46_47_jobs(ogc, held):
    _, job = (job_of(ogc, {"string": TEXT}, outputs={"string": {}}) for _ in range(2))
    told = ogc.get(f"/jobs/{job}").json()
    held(told, STATUS_INFO)
    assert (told["status"], told["processID"], told["progress"]) == ("successful", "echo", 100)
    assert told["created"] <= told["started"] <= told["finished"]
    results = {link["rel"]: link["href"] for link in told["links"]}[
        "http://www.opengis.net/def/rel/ogc/1.0/results"
    ]
    answer = ogc.get(results)
    assert (answer.text, "link" in answer.headers) == (TEXT, False)
    listed = ogc.get("/jobs").json()
    for one in listed["jobs"]:
        held(one, STATUS_INFO)
    assert {link["rel"] for link in listed["links"]} >= {"self"}
    assert listed["jobs"][0]["jobID"] == job
    page = ogc.get("/jobs?processID=echo&status=successful&limit=1").json()
    (following,) = (link["href"] for link in page["links"] if link["rel"] == "next")
    assert {one["status"] for one in ogc.get(following).json()["jobs"]} == {"successful"}


def test_32_33_no_such_job(ogc, held):
    for path in ("/jobs/none", "/jobs/none/results"):
        answer = ogc.get(path)
        assert (answer.status_code, answer.json()["type"]) == (404, f"{EXCEPTION}no-such-job")
        held(answer.json(), "exception")


def test_34_results_are_not_ready(ogc, held):
    job = execute(ogc, {"string": TEXT, "pause": 60}, later=True).json()["jobID"]
    answer = ogc.get(f"/jobs/{job}/results")
    assert (answer.status_code, answer.json()["type"]) == (404, f"{EXCEPTION}result-not-ready")
    held(answer.json(), "exception")
    gone = ogc.delete(f"/jobs/{job}")
    assert (gone.status_code, gone.json()["status"]) == (200, "dismissed")
    held(gone.json(), STATUS_INFO)
    assert ogc.get(f"/jobs/{job}").status_code == 404


def test_35_results_of_a_job_that_failed(ogc, held):
    """An address of the network that the server is in is not asked; that is found out when the graph runs."""
    href = {"href": "http://169.254.169.254/latest", "type": "text/plain"}
    job = job_of(ogc, {"string": href})
    assert ogc.get(f"/jobs/{job}").json()["status"] == "failed"
    answer = ogc.get(f"/jobs/{job}/results")
    assert answer.status_code == 400
    held(answer.json(), "exception")
    assert answer.json()["code"] == "FilePathInvalid"
