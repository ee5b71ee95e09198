"""Figures of a machine: kept, read back, refused where they are none, and measured."""

from __future__ import annotations

import json
import math
import time
from dataclasses import fields, replace

import pytest

import engine
from engine.kernel import compiled
from engine.plan.calibrate import MEASURES, kernels, measured, seconds
from engine.plan.calibration import UNITS, VERSION, Calibration, calibration
from tests.engine.plan.test_cost import chain, scenes

FIGURES = [f.name for f in fields(Calibration) if f.name != "made"]


def test_without_a_file_the_figures_are_defaults_and_say_so(tmp_path):
    found = calibration(tmp_path)
    assert found == Calibration()
    assert not found.is_measured


def test_what_was_measured_is_found_again(tmp_path):
    told = replace(Calibration(), made="2026-01-02T03:04:05+00:00", kernel=1.5e9)
    path = told.save(tmp_path / "home")
    assert json.loads(path.read_text())["version"] == VERSION
    assert calibration(tmp_path / "home") == told
    assert calibration(tmp_path / "home").is_measured
    assert [p.name for p in path.parent.iterdir()] == ["calibration.json"]


def test_figures_of_another_version_do_not_count(tmp_path):
    told = replace(Calibration(), made="2026-01-02T03:04:05+00:00", kernel=1.5e9)
    path = told.save(tmp_path)
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": VERSION + 1}))
    assert calibration(tmp_path) == Calibration()


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"version": 1}', json.dumps({**Calibration("now").json(), "kernel": 0}),
     json.dumps({**Calibration("now").json(), "kernel": float("nan")}),
     json.dumps({**Calibration("now").json(), "kernel": "fast"})],
)  # fmt: skip
def test_a_broken_file_is_refused_with_a_way_out(tmp_path, text):
    Calibration.path(tmp_path).write_text(text)
    with pytest.raises(engine.Problem, match="holds no figures of this machine") as refused:
        calibration(tmp_path)
    assert refused.value.code == "FileContentInvalid"
    assert "gdc calibrate" in refused.value.hint


def test_each_figure_has_a_unit():
    assert list(UNITS) == FIGURES
    assert [line.split()[0] for line in Calibration().lines()] == FIGURES


def test_a_faster_machine_is_said_to_be_faster(tmp_path_factory, tmp_path):
    catalog = scenes(tmp_path_factory.mktemp("scenes"), dates=1, edge=64)
    with engine.open(catalog, home=tmp_path) as session:
        before = session.explain(chain()).cost
        slow = Calibration("now", **{n: getattr(Calibration(), n) / 2 for n in FIGURES if n != "base"})
        slow.save(tmp_path)
        after = session.explain(chain()).cost
    assert after.calibrated
    assert after.seconds.decode == pytest.approx(2 * before.seconds.decode)
    assert after.seconds.write == pytest.approx(2 * before.seconds.write)
    assert after.seconds.start == before.seconds.start / 2  # these are seconds themselves
    assert after.memory == before.memory


def test_seconds_are_those_of_the_processor(monkeypatch):
    """Of this process alone, by its own clock: another's work on the same machine adds nothing."""
    clock = iter([10.0, 12.5])
    monkeypatch.setattr(time, "process_time", lambda: next(clock))
    assert seconds(lambda: None) == 2.5


def test_kernels_that_were_made_to_measure_are_cleared_away(tmp_path):
    before = set(compiled.folder().rglob("*")) if compiled.folder().exists() else set()
    found = kernels(tmp_path)
    assert found.keys() == {"compiled", "loaded", "kernel", "compared"}
    left = set(compiled.folder().rglob("*.py")) - before
    assert not left, left
    assert found["loaded"] < found["compiled"]


@pytest.mark.slow
def test_a_machine_is_measured():
    said: list[str] = []
    found = measured(said.append)
    assert len(said) == len(MEASURES)
    assert found.is_measured
    assert found.latency == Calibration().latency
    for name in FIGURES:
        ratio = getattr(found, name) / getattr(Calibration(), name)
        assert math.isfinite(ratio)
        assert 1 / 50 < ratio < 50, name
