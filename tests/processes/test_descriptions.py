"""Every description against the specification: names, order, defaults, optionality, schemas, exceptions."""

from __future__ import annotations

import json

import pytest

from processes import REGISTRY
from processes.describe import describe, page

WORDS = ("description", "title")
MEMBERS = ("name", "description", "schema", "optional", "default", "deprecated", "experimental")
"""What a parameter may have in openEO; the specification puts one `minimum` beside a schema instead of into it."""
ML_BRANCH = {
    "load_ml_model",
    "ml_fit_class_random_forest",
    "ml_fit_regr_random_forest",
    "ml_predict",
    "save_ml_model",
}
"""Processes of openEO's branch for machine learning, which the specification's file does not hold."""


OWN = {"echo", "load_value"}
"""Processes of ours that executions of OGC API - Processes need; they are experimental."""


def bare(value):
    """A schema without words, which are our own."""
    if isinstance(value, dict):
        return {k: bare(v) for k, v in value.items() if k not in WORDS}
    return [bare(v) for v in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def specification(contracts):
    listed = json.loads((contracts / "openeo" / "processes-2.0.0-rc.2.json").read_text())
    return {p["id"]: p for p in listed}


@pytest.mark.parametrize("id_", REGISTRY)
def test_description_equals_the_specification(id_, specification):
    if id_ in ML_BRANCH:
        pytest.skip("a process of the ml branch is not in the specification's file")
    if id_ in OWN:
        assert id_ not in specification
        assert describe(REGISTRY[id_])["experimental"]
        return
    ours, theirs = describe(REGISTRY[id_]), specification[id_]
    assert bare(ours["parameters"]) == bare(
        [{k: v for k, v in p.items() if k in MEMBERS} for p in theirs["parameters"]]
    )
    assert bare(ours["returns"]) == bare(theirs["returns"])
    assert ours["categories"] == theirs["categories"]
    assert ours.get("experimental", False) == theirs.get("experimental", False)
    assert set(ours.get("exceptions", {})) == set(theirs.get("exceptions", {}))


def test_level_1_is_complete(contracts):
    rows = (contracts / "openeo" / "process_profiles.tsv").read_text().splitlines()[1:]
    level_1 = {row.split("\t")[0] for row in rows if row.split("\t")[1] == "L1"}
    assert len(level_1) == 55
    assert level_1 <= set(REGISTRY)


@pytest.mark.parametrize("id_", REGISTRY)
def test_every_word_is_written(id_):
    described = describe(REGISTRY[id_])
    assert described["summary"]
    assert described["returns"]["description"]
    for parameter in described["parameters"]:
        assert parameter["description"], parameter["name"]
        for inner in (
            parameter["schema"].get("parameters", []) if isinstance(parameter["schema"], dict) else []
        ):
            assert inner["description"], (parameter["name"], inner["name"])


@pytest.mark.parametrize("id_", REGISTRY)
def test_description_is_json_and_page_is_text(id_):
    assert json.loads(json.dumps(describe(REGISTRY[id_])))["id"] == id_
    assert all(p.name in page(REGISTRY[id_]) for p in REGISTRY[id_].signature.params)
