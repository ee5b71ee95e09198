"""What the processes that reach out ask of the world; what it does is tested with the engine."""

from __future__ import annotations

import pytest

from processes import REGISTRY
from processes.cubes.exchange import (
    export_collection,
    export_workspace,
    load_uploaded_files,
    load_url,
    merge_patch,
    stac_modify,
)
from processes.cubes.remote import run_ogcapi, run_ogcapi_externally, run_udf_externally
from processes.errors import ProcessParameterInvalid

IDS = (
    "load_url", "load_uploaded_files", "stac_modify", "export_workspace", "export_collection", "run_ogcapi",
    "run_ogcapi_externally", "run_udf_externally",
)  # fmt: skip


class Told:
    """A world that notes what it is asked and gives it back."""

    def __getattr__(self, name):
        return lambda *args: (name, *args)


WORLD = Told()


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        (load_url("http://a/b", "GTiff", world=WORLD), ("load_url", "http://a/b", "GTiff", {})),
        (load_uploaded_files(["a"], "x", {"o": 1}, world=WORLD), ("load_files", ["a"], "x", {"o": 1})),
        (stac_modify("it", {"a": 1}, world=WORLD), ("modify", "it", {"a": 1})),
        (export_workspace("it", "w", world=WORLD), ("export_workspace", "it", "w", None)),
        (export_collection("it", "c", world=WORLD), ("export_collection", "it", "c")),
        (run_ogcapi(1, "p", {"a": 2}, world=WORLD), ("run_ogcapi", 1, None, "p", {"a": 2})),
        (run_ogcapi_externally(1, "u", "p", world=WORLD), ("run_ogcapi", 1, "u", "p", {})),
        (run_udf_externally(1, "u", {"a": 2}, world=WORLD), ("run_udf_externally", 1, "u", {"a": 2})),
    ],
)
def test_what_is_asked_of_the_world(given, asked):
    assert given == asked


def test_no_file_is_no_cube():
    with pytest.raises(ProcessParameterInvalid, match="no file"):
        load_uploaded_files([], "GTiff", world=WORLD)


@pytest.mark.parametrize("call", [lambda: run_ogcapi(1, "p"), lambda: run_udf_externally(1, "u")])
def test_callbacks_have_no_world(call):
    with pytest.raises(ProcessParameterInvalid, match="callback") as caught:
        call()
    assert caught.value.hint


@pytest.mark.parametrize("id_", IDS)
def test_what_has_effects_is_not_merged_or_dropped(id_):
    assert REGISTRY[id_].pure is id_.startswith("load_")


def test_patches_share_nothing_that_changes():
    target = {"a": {"b": 1}, "c": [1]}
    merged = merge_patch(target, {"a": {"d": 2}})
    merged["a"]["b"] = 5
    assert target == {"a": {"b": 1}, "c": [1]}
