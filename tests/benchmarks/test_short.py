"""The whole suite in its short form."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_all_contenders_of_ours_and_all_limits_agree(tmp_path):
    report = tmp_path / "report.json"
    done = command("--short", "--data", str(tmp_path), "--json", str(report))
    assert done.returncode == 0, done.stderr[-3000:]
    cases = json.loads(report.read_text())["cases"]
    assert {name.split()[0] for name in cases} == {f"B{n}" for n in range(1, 13)}
    for name, contenders in cases.items():
        for who, outcome in contenders.items():
            assert outcome["runs"], (name, who)
            assert not outcome["fault"], (name, who)


def test_a_benchmark_that_there_is_not_is_named():
    done = command("B13")
    assert done.returncode == 2
    assert "there is no B13; there are B1, B2" in done.stderr


def test_a_page_that_has_no_place_for_tables_is_refused_before_anything_is_run(tmp_path):
    page = tmp_path / "page.md"
    for content in (None, "no markers"):
        if content is not None:
            page.write_text(content)
        done = command("B3", "--short", "--page", str(page), "--data", str(tmp_path))
        assert done.returncode == 2
        assert "is no page with the lines <!-- measured: begin -->" in done.stderr
