"""The runner: turns, figures, faults, starts, and answers that are compared."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.model import Case, Contender, difference
from benchmarks.runner import Limits, run_case

pytestmark = pytest.mark.slow

ROOM = "tests.benchmarks.contenders"
ROOT = Path(__file__).resolve().parents[2]


def contender(name, work, **more):
    return Contender(name, f"{ROOM}:{work}", **more)


def run(*contenders, facts=None, runs=1, limits=Limits(seconds=60), **more):
    case = Case("a case", facts or {}, contenders, contenders[0].name, **more)
    return run_case(case, runs, limits, lambda _: None)


def fault(verdict, name):
    return verdict.of(name).fault


def test_runs_are_taken_in_turns_each_in_a_process_of_its_own(tmp_path):
    log = tmp_path / "log"
    verdict = run(
        contender("a", "counting", facts={"name": "a"}),
        contender("b", "counting", facts={"name": "b"}),
        facts={"log": str(log)},
        runs=2,
    )
    lines = [line.split() for line in log.read_text().splitlines()]
    assert [" ".join(line[:2]) for line in lines] == ["a 0", "b 0", "a 1", "b 1", "a 2", "b 2"]
    assert len({line[2] for line in lines if line[0] == "a"}) == 1
    assert len({line[2] for line in lines}) == 2
    assert [len(o.runs) for o in verdict.outcomes] == [2, 2]


def test_wall_time_is_told_from_computing():
    sleeping, computing = run(
        contender("sleeps", "steady", facts={"seconds": 0.5}),
        contender("computes", "busy", facts={"seconds": 0.5}),
    ).outcomes
    assert sleeping.figure("wall") >= 0.5
    assert sleeping.figure("cpu") < 0.25
    assert computing.figure("cpu") >= 0.5


def test_computing_and_memory_of_processes_that_a_contender_starts_count():
    there = {"elsewhere": True, "seconds": 0.4}
    computing, holding, nothing = run(
        contender("computes", "busy", facts=there),
        contender("holds", "hungry", facts={"elsewhere": True, "megabytes": 200}),
        contender("nothing", "steady"),
    ).outcomes
    assert computing.figure("cpu") >= 0.4
    assert holding.figure("peak") > nothing.figure("peak") + 150


def test_the_peak_is_that_of_the_run_alone():
    large = contender("large", "hungry", facts={"megabytes": 200})
    small = contender("small", "steady")
    holding, nothing = run(large, small, runs=2).outcomes
    assert holding.figure("peak") > nothing.figure("peak") + 150
    assert max(r.peak for r in holding.runs) < 350


@pytest.mark.parametrize(
    ("work", "facts", "words"),
    [
        ("refusing", {}, "ValueError: no such thing"),
        ("dying", {}, "ended (3): last words"),
        ("steady", {"seconds": 30}, "took longer than 2 s"),
        ("hungry", {"megabytes": 900, "seconds": 1}, "took more than 0.5 GB of memory"),
        ("missing", {}, "AttributeError: module 'tests.benchmarks.contenders' has no attribute 'missing'"),
    ],
)
def test_who_fails_is_told_with_the_reason_and_the_rest_goes_on(work, facts, words):
    limits = Limits(seconds=2, megabytes=500)
    verdict = run(contender("good", "steady"), contender("bad", work, facts=facts), limits=limits)
    assert fault(verdict, "bad") == words
    assert not verdict.of("bad").runs
    assert verdict.of("good").counts


def test_a_case_has_patience_of_its_own():
    verdict = run(contender("slow", "steady", facts={"seconds": 30}), seconds=1)
    assert fault(verdict, "slow") == "took longer than 1 s"


def test_an_environment_that_is_not_there_is_named():
    verdict = run(contender("good", "steady"), contender("peer", "steady", home="nowhere", kind="peer"))
    assert fault(verdict, "peer") == "environment 'nowhere' is not installed (--install-peers)"


def test_what_a_contender_prints_is_no_answer():
    assert run(contender("talks", "talking")).of("talks").counts


def test_a_cold_start_finds_nothing_and_a_fresh_one_what_the_first_left():
    verdict = run(
        contender("fresh", "remembering", start="fresh"),
        contender("cold", "remembering", start="cold"),
        runs=2,
    )
    assert [dict(o.answer) for o in verdict.outcomes] == [{"mean": 1.0}, {"mean": 0.0}]
    assert [len(o.runs) for o in verdict.outcomes] == [2, 2]


def test_another_answer_than_the_truth_is_marked():
    verdict = run(
        contender("truth", "steady"),
        contender("near", "steady", facts={"mean": 1.0005}),
        contender("wrong", "steady", facts={"mean": 1.1}),
        contender("part", "steady", facts={"mean": 7}, whole=False),
    )
    assert [o.fault for o in verdict.outcomes] == ["", "", "wrong result: mean is 1.1, not 1", ""]
    assert verdict.of("wrong").runs
    assert not verdict.of("wrong").counts


@pytest.mark.parametrize(
    ("answer", "truth", "words"),
    [
        ({"mean": 1.0, "cells": 9}, {"mean": 1.0, "cells": 9}, ""),
        ({"mean": 1.0, "cells": 8}, {"mean": 1.0, "cells": 9}, "cells is 8, not 9"),
        ({"mean": 1.0}, {"mean": 1.0, "cells": 9}, "cells is nan, not 9"),
        ({}, {"mean": 1.0}, "no answer"),
        ({"mean": float("nan")}, {"mean": 1.0}, "mean is nan, not 1"),
        ({"mean": 0.0004, "spread": 1.0}, {"mean": 0.0001, "spread": 1.0}, ""),  # near zero the spread counts
        ({"mean": 0.004, "spread": 1.0}, {"mean": 0.0001, "spread": 1.0}, "mean is 0.004, not 0.0001"),
    ],
)
def test_difference(answer, truth, words):
    assert difference(answer, truth, 1e-3) == words


def test_a_suite_that_is_ended_leaves_nobody_behind(tmp_path):
    code = (
        "import signal, sys; from benchmarks.model import Case, Contender; from benchmarks.runner import *\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))\n"
        f"one = Contender('slow', '{ROOM}:counting_then_slow', facts={{'log': {str(tmp_path / 'log')!r}}})\n"
        "run_case(Case('a case', {}, (one,), 'slow'), 1, Limits(), lambda _: None)"
    )
    suite = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    deadline = time.monotonic() + 60
    while not (tmp_path / "log").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    pid = int((tmp_path / "log").read_text())
    suite.terminate()
    assert suite.wait(20) == 143
    assert not Path(f"/proc/{pid}").exists()
