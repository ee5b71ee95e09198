"""`gdc explain` and `gdc calibrate`: what people read, and what machines can rely on."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from api.cli import OVER_LIMIT, main
from engine.plan.calibration import Calibration
from tests.engine.plan.test_cost import clear_median, scenes

KEYS: dict[str, Any] = {
    "": {"before", "after", "reads", "result", "log", "bytes", "plan", "cost"},
    "plan": {"written", "run"},
    "cost": {
        "items", "assets", "bytes_packed", "bytes_decoded", "requests", "cells", "tasks", "bytes_out", "memory",
        "seconds", "calibrated", "exact",
    },
    "cost.memory": {"base", "blocks", "largest", "written", "cache", "total"},
    "cost.seconds": {"start", "compile", "fetch", "decode", "compute", "write", "total"},
    "result": {"node", "kind", "dims", "dtype", "bytes", "blocks", "tasks"},
}  # fmt: skip
LINE = {"name", "does", "of", "dims", "dtype", "formula", "skips", "blocks", "rules"}
READ = {
    "node", "source", "funnel", "items", "assets", "dates", "bands", "crs", "resolution", "shape", "dtype", "nodata",
    "bytes",
}  # fmt: skip


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    return scenes(tmp_path_factory.mktemp("scenes"), dates=3, edge=64)


@pytest.fixture
def gdc(tmp_path, monkeypatch):
    monkeypatch.setenv("GDC_HOME", str(tmp_path))
    monkeypatch.setenv("GDC_KERNELS", "always")
    monkeypatch.chdir(tmp_path)

    def run(*args, code=0, stdin=None):
        done = CliRunner().invoke(main, list(args), input=stdin)
        assert done.exit_code == code, done.output
        return done

    return run


def test_people_are_told_the_plan_and_the_cost(gdc, catalog):
    told = gdc("explain", "-", "--catalog", str(catalog), stdin=json.dumps(clear_median())).stdout
    lines = told.splitlines()
    plan = lines[lines.index("plan") + 1 : lines.index("cost")]
    assert plan == [
        "  load = read S2 (t 3, bands 3, y 64, x 64) uint16; 9 blocks of t 1, bands 1, y 64, x 64",
        "  out = kernel(load.B08, load.B04, load.SCL) (y 64, x 64) float32 {median along t of "
        "normalized_difference(B08, B04) without (SCL > 7)}; skips dates that load.SCL takes out; "
        "1 block of y 64, x 64  # fuse",
    ]
    reads, computes, holds, takes = lines[lines.index("cost") + 1 :][:4]
    assert reads.strip().startswith("reads ")
    assert "9 files" in reads
    assert "computes 4,096 numbers in 1 block; gives 16.4 kB" in computes
    assert holds.strip().startswith("holds up to ")
    assert takes.strip().startswith("takes about ")
    assert "uncalibrated" in takes


def test_machines_can_rely_on_the_keys(gdc, catalog):
    done = gdc("explain", "-", "--json", "--catalog", str(catalog), stdin=json.dumps(clear_median()))
    told = json.loads(done.stdout)
    for path, keys in KEYS.items():
        part = told
        for key in path.split(".") if path else ():
            part = part[key]
        assert set(part) == keys, path
    assert all(set(line) == LINE for line in told["plan"]["written"] + told["plan"]["run"])
    assert all(set(read) == READ for read in told["reads"])
    assert told["cost"]["memory"]["total"] == sum(
        told["cost"]["memory"][k] for k in ("base", "blocks", "written", "cache")
    )
    assert told["plan"]["run"][-1]["blocks"] == {"number": 1, "largest": {"y": 64, "x": 64}}


def test_a_result_that_is_saved_is_explained_as_what_it_is(gdc, catalog):
    graph = clear_median()
    graph["out"].pop("result")
    graph["save"] = {
        "process_id": "save_result",
        "arguments": {"data": {"from_node": "out"}, "format": "GTiff"},
        "result": True,
    }
    told = json.loads(
        gdc("explain", "-", "--json", "--catalog", str(catalog), stdin=json.dumps(graph)).stdout
    )
    assert (told["result"]["kind"], told["result"]["blocks"]) == ("cube", 1)
    assert [line["name"] for line in told["plan"]["run"]] == ["load", "out"]
    assert told["cost"]["tasks"] == 1


def test_what_does_not_fit_ends_with_the_code_of_limits(gdc, catalog, monkeypatch, tmp_path):
    monkeypatch.setenv("GDC_MAX_MEMORY", str(2**20))
    graph = json.dumps(clear_median())
    done = gdc("run", "-", "-o", "out.tif", "--catalog", str(catalog), code=OVER_LIMIT, stdin=graph)
    assert "node 'out' takes up to" in done.stderr
    assert "GDC_BLOCK_MEMORY" in done.stderr
    assert not (tmp_path / "out.tif").exists()


def test_a_machine_is_measured_once_and_for_all(gdc, catalog, monkeypatch, tmp_path):
    def measured(say):
        say("measuring nothing")
        return Calibration("2026-01-02T03:04:05+00:00", kernel=1.5e9)

    monkeypatch.setattr("engine.plan.calibrate.measured", measured)
    done = gdc("calibrate", "--json")
    assert json.loads(done.stdout)["kernel"] == 1.5e9
    assert json.loads(done.stdout)["file"] == str(tmp_path / "calibration.json")
    assert "measuring nothing" in done.stderr
    assert any(line.split()[:2] == ["kernel", "1.5e+09"] for line in gdc("calibrate").stdout.splitlines())
    told = gdc("explain", "-", "--catalog", str(catalog), stdin=json.dumps(clear_median())).stdout
    assert "takes about" in told
    assert "uncalibrated" not in told
