"""Requests that nobody would think of, made by schemathesis from our document and from that of openEO."""

from __future__ import annotations

import pytest
import schemathesis
import schemathesis.specs.openapi.schemas  # otherwise read later, beside threads that compile, which CPython cannot do
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
)

from contracts import Contract
from requests_of_users import LOAD, NDVI, SUM, TWICE, run, served_as

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
CHECKS = (
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
)  # fmt: skip
"""Not that of headers: texts of headers that may be null are not read as numbers by it."""
EACH = 32
"""Cases of an operation; there are more than 60 of these."""
FEW = settings(
    max_examples=EACH, deadline=None, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
NOT_MADE = r"^/(openeo|stac|ogc|credentials|\.well-known)"
"""Faces behind a prefix run the same code; a login is no bearer token."""


@pytest.fixture(scope="module")
def things(ada) -> dict[str, str]:
    """Something of each kind, for requests to hit upon."""
    ada.put("/process_graphs/twice", json=TWICE)
    ada.put("/files/a.txt", content="a")
    service = served_as(ada)
    token = ada.get(f"/services/{service}").json()["url"].partition("/tiles/")[2].partition("/")[0]
    return {
        "job_id": run(ada, SUM), "process_graph_id": "twice", "path": "a.txt", "service_id": service, "token": token,
        "collection_id": "S2", "process_id": "add", "namespace": "u:ada",
    }  # fmt: skip


GRAPHS = [SUM, NDVI, {"load": LOAD}, {"a": {"process_id": "nothing", "arguments": {}, "result": True}}]


OURS_ALONE = r"^/(files/|services)"
"""There the document knows one media type for all files, and no templates among the addresses of services."""


def hit(case, things: dict[str, str], number: int) -> None:
    """Have every other case ask for what is there."""
    if number % 2:
        for name in (case.path_parameters or {}).keys() & things.keys():
            case.path_parameters[name] = things[name]
    if number % 3 == 0 and isinstance(case.body, dict) and "process" in case.body:
        case.body["process"] = {"process_graph": GRAPHS[number % len(GRAPHS)]}


def faults(schema, base, ada, things) -> tuple[int, list[str]]:
    """How many cases were asked, and what was wrong with the answers, the first fault of each operation."""
    asked, found = 0, []
    for operation in (result.ok() for result in schema.get_all_operations()):

        @given(case=operation.as_strategy())
        @FEW
        def ask(case) -> None:
            nonlocal asked
            asked += 1
            hit(case, things, asked)
            headers = {} if asked % 5 == 0 else {"Authorization": ada.headers["Authorization"]}
            case.call_and_validate(base_url=base, headers=headers, checks=CHECKS)

        try:
            ask()
        except (Exception, BaseExceptionGroup) as fault:  # noqa: BLE001 (all operations are asked before it is told)
            found.append(f"{operation.label}: {str(fault)[:1500]}")
    return asked, found


def test_the_document_of_openeo_is_kept(served, ada, things, specifications):
    """`oneOf` is read as `anyOf`, see `contracts.plain`."""
    if specifications is None:
        pytest.skip("the standards' files are not here; set GDC_TEST_CONTRACTS")
    document = Contract(specifications / "openeo-1.2.0-openapi.yaml").for_generators(
        f"{served.url}/openeo/1.2"
    )
    schema = (
        schemathesis.openapi.from_dict(document).exclude(path_regex=NOT_MADE).exclude(path_regex=OURS_ALONE)
    )
    asked, found = faults(schema, f"{served.url}/openeo/1.2", ada, things)
    assert not found, "\n\n".join(found)
    assert asked > 500


def test_our_document_is_kept(served, ada, things):
    schema = schemathesis.openapi.from_url(f"{served.url}/openapi").exclude(path_regex=NOT_MADE)
    asked, found = faults(schema, served.url, ada, things)
    assert not found, "\n\n".join(found)
    assert asked > 1500
