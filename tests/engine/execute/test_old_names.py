"""Processes by the names that they had before openEO processes 2, with the arguments of that time."""

from __future__ import annotations

import re

import pytest
import xarray as xr

import engine
from engine import Problem
from engine.demo import make_scenes
from processes import REGISTRY
from processes.registry import ALIASES, Alias
from tests.end_to_end.graphs import node
from tests.engine.servers import site


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    return make_scenes(tmp_path_factory.mktemp("scenes"), size=64)


def loaded(session, process, **arguments):
    return session.run({"n": node(process, **arguments, bands=["B04"], result=True)})


def fault(session, process, **arguments):
    with pytest.raises(Problem) as caught:
        session.run({"n": node(process, **arguments, result=True)})
    return caught.value


def test_every_alias_leads_to_a_process_and_to_parameters_of_it():
    for old, alias in ALIASES.items():
        today = REGISTRY[alias.process].signature
        former = REGISTRY[old].signature
        assert all(today.param(now) is not None for now in alias.arguments.values()), old
        assert len(former.params) == len(today.params)
        assert all(former.param(name) is not None for name in alias.arguments), old
        assert not any(former.param(now) for now in alias.arguments.values()), old
        assert set(REGISTRY[old].python_names) >= {p.name for p in former.params}


def test_an_alias_without_other_arguments_is_the_process_itself():
    process = REGISTRY["text_concat"]
    assert Alias("text_concat").of(process) is process
    renamed = Alias("text_concat", {"texts": "data"}).of(process)
    assert [p.name for p in renamed.signature.params] == ["texts", "separator"]
    assert renamed.python_names["texts"] == "data"
    assert process.signature.param("texts") is None  # the process of today is left as it is


def test_load_result_takes_its_id_as_load_stac_takes_its_url(scenes, session):
    path = str(scenes.parent / "S2" / "collection.json")
    month = ["2022-06-01", "2022-07-01"]
    old = loaded(session, "load_result", id=path, temporal_extent=month)
    xr.testing.assert_identical(old, loaded(session, "load_stac", url=path, temporal_extent=month))
    assert old.sizes["t"] > 0


def test_load_result_of_a_url(session):
    """It is asked for what is there; a STAC document that is none is a fault of that address."""
    with site(lambda _: (200, {"Content-Type": "application/json"}, b'{"type": "Nothing"}')) as served:
        problem = fault(session, "load_result", id=f"{served.url}/jobs/1/results")
    assert served.asked == [("GET", "/jobs/1/results")]
    assert problem.code == "FileContentInvalid"
    assert "is no STAC document" in problem.message


@pytest.mark.parametrize("process", ["load_result", "load_stac"])
@pytest.mark.parametrize("local", [True, False])
def test_there_are_no_batch_jobs_whose_results_could_be_meant(process, local, tmp_path):
    key = "id" if process == "load_result" else "url"
    with engine.open(tmp_path / "c.sqlite", home=tmp_path, local_files=local) as own:
        problem = fault(own, process, **{key: "a3cca2b2-aa1e-4b5b"})
    assert problem.code == "JobNotFound"
    assert "'a3cca2b2-aa1e-4b5b'" in problem.message
    assert "URL" in problem.hint
    assert problem.pointer.startswith("/n")


def test_faults_speak_of_the_arguments_that_the_user_writes(session):
    missing = fault(session, "load_result")
    assert missing.code == "ProcessParameterRequired"
    assert "'id'" in missing.message
    newer = fault(session, "load_result", id="x", url="y")
    assert newer.code == "ProcessParameterUnsupported"
    assert re.search(r"no parameter 'url'; it has id, spatial_extent", newer.message)
    wrong = fault(session, "load_result", id=3)
    assert wrong.pointer == "/n/arguments/id"


def test_old_names_in_a_child_graph(session):
    child = {
        "process_graph": {
            "t": node("text_merge", data=["a", {"from_parameter": "x"}], separator="-", result=True)
        }
    }
    graph = {"n": node("array_apply", data=["b", "c"], process=child, result=True)}
    assert session.run(graph) == ["a-b", "a-c"]


def test_create_raster_cube(session):
    assert session.run({"n": node("create_raster_cube", result=True)}).dims == ()


def test_processes_can_be_keys():
    assert len({REGISTRY[name] for name in ("load_result", "load_stac", "text_merge", "text_concat")}) == 3
