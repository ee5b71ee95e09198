"""The official openEO cases through `engine.run`: as given, chunked at 1, chunked whole."""

from __future__ import annotations

import importlib.util
import sys

import pytest

import engine
from processes import REGISTRY
from tests.conftest import CONTRACTS

FILE = CONTRACTS / "openeo" / "casecodec.py"


def codec():
    """The reader of the cases, which lies beside them."""
    if "casecodec" not in sys.modules:
        spec = importlib.util.spec_from_file_location("casecodec", FILE)
        sys.modules["casecodec"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["casecodec"])
    return sys.modules["casecodec"]


def cases():
    if not FILE.exists():
        return [
            pytest.param(None, marks=pytest.mark.skip(reason=f"the official cases are not here ({FILE})"))
        ]
    return [pytest.param(c, id=c["id"]) for c in codec().load() if c["process"] in REGISTRY]


CHUNKS = {"as given": None, "one by one": lambda a: {a.dims[0]: 1} if a.dims else {}, "whole": -1}


@pytest.fixture(scope="module")
def own_engine(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    with engine.open(home / "catalog.sqlite", home=home) as opened:
        yield opened


@pytest.mark.parametrize("chunks", CHUNKS.values(), ids=CHUNKS)
@pytest.mark.parametrize("case", cases())
def test_official_case(case, chunks, own_engine):
    graph, parameters = codec().encode(case, chunks)
    try:
        result = own_engine.run(graph, parameters)
    except engine.Problem as problem:
        result = problem
    assert codec().check(case, result) is None


def test_cases_are_counted(record_property):
    """The count that is promised: all cases of the processes that there are."""
    if not FILE.exists():
        pytest.skip("the official cases are not here")
    ours = [c for c in codec().load() if c["process"] in REGISTRY]
    record_property("official cases", len(ours))
    assert len(ours) >= 463
