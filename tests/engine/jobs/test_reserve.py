"""Runners that wait: who gets which, which are not kept, and when they end."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from multiprocessing import Pipe
from pathlib import Path
from threading import Event, Thread

import pytest

from engine import Problem, Settings
from engine.jobs import runner
from engine.jobs.belongings import Belongings
from engine.jobs.process import Canceled
from engine.jobs.rehearsal import rehearse
from engine.jobs.reserve import MARGIN, Reserve
from engine.jobs.runner import IDLE, SPARE, done, held
from engine.jobs.task import Entry, Task
from gdc import alive, called

SUM = {"add": {"process_id": "add", "arguments": {"x": 1, "y": 2}, "result": True}}
WRONG = {"a": {"process_id": "ad", "arguments": {}, "result": True}}
HUNGRY = {"a": {"process_id": "array_create", "arguments": {"data": [1.5], "repeat": 10**9}, "result": True}}
SPEAKING = {
    "a": {
        "process_id": "inspect",
        "arguments": {"data": 1, "message": "seen", "level": "info"},
        "result": True,
    }
}


@pytest.fixture
def waiting():
    with closing(Reserve(2)) as made:
        yield made


@pytest.fixture
def do(waiting, tmp_path):
    """Does a graph for a user; gives the numbers of the processes that wait then."""
    settings = Settings(home=tmp_path, max_memory=2**29)
    numbers = iter(range(100))

    def run(owner: str, graph=SUM, told=lambda _: None, **changed: object) -> list[int]:
        folder = tmp_path / f"out{next(numbers)}"
        task = Task("run", graph, settings.model_copy(update=changed), Belongings({}), folder, lasting=False)
        assert waiting.run(owner, task, 60, Event(), told).files[0].path.is_file()
        return pids(waiting)

    return run


def pids(waiting: Reserve) -> list[int]:
    return [one.runner._process.pid for one in waiting._waiting]


def ended(pid: int) -> bool:
    for _ in range(200):
        if not alive(pid):
            return True
        time.sleep(0.05)
    return False


def test_a_user_gets_the_process_of_the_run_before_and_nobody_else_does(do):
    (adas,) = do("ada")
    assert called(adas) == "gdc-wait"
    assert do("ada") == [adas]
    (_, bobs) = do("bob")
    assert bobs != adas
    assert do("ada") == [bobs, adas], "the one that waits for the longest time comes first"


def test_a_user_with_more_memory_gets_another_process(do):
    (small,) = do("ada")
    assert do("ada", max_memory=2**30)[0] == small
    assert len(do("ada")) == 2


def test_so_many_wait_and_the_oldest_ends(do):
    (adas,) = do("ada")
    do("bob")
    assert adas not in do("eve")
    assert ended(adas)


def test_one_is_ready_for_anybody(waiting, do):
    assert not waiting.is_prepared
    waiting.prepare()
    waiting.prepare()
    assert waiting.is_prepared
    (fresh,) = waiting._fresh
    assert do("ada") == [fresh._process.pid]
    assert waiting._fresh == []


def test_faults_of_a_graph_are_no_fault_of_the_process(waiting, do):
    (pid,) = do("ada")
    with pytest.raises(Problem) as caught:
        do("ada", WRONG)
    assert caught.value.code == "ProcessUnsupported"
    assert pids(waiting) == [pid]


def test_a_process_without_memory_does_no_other_task(waiting, do):
    (pid,) = do("ada")
    with pytest.raises(Problem, match="memory"):
        do("ada", HUNGRY)
    assert pids(waiting) == []
    assert ended(pid)


@pytest.mark.parametrize("seen", ["nothing", "memory", "children", "object stores"])
def test_a_process_in_which_something_stays_does_no_other_task(tmp_path, monkeypatch, seen):
    monkeypatch.setattr(runner, "limit", lambda _: None)
    monkeypatch.setattr(runner, "alone", lambda: seen != "children")
    monkeypatch.setattr(runner, "all_watched", lambda: seen != "object stores")
    task = Task("run", SUM, Settings(home=tmp_path), Belongings({}), tmp_path / "out", lasting=False)
    ours, theirs = Pipe()
    with ours, theirs:
        ended = done(task, theirs, held() - (SPARE if seen == "memory" else 0))
    assert ended.fit == (seen == "nothing")
    assert ended.given.files


def test_what_is_not_wanted_any_more_ends_its_process(waiting, tmp_path):
    code = "import time\n\ndef transform(x, context):\n    return x\n\ntime.sleep(600)\n"
    arguments = {"data": [1, 2], "udf": code, "runtime": "Python"}
    graph = {"udf": {"process_id": "run_udf", "arguments": arguments, "result": True}}
    settings = Settings(home=tmp_path, udf="trusted")
    task = Task("run", graph, settings, Belongings({}), tmp_path / "out", lasting=False)
    unwanted = Event()
    Thread(target=lambda: (time.sleep(1), unwanted.set())).start()
    with pytest.raises(Canceled):
        waiting.run("ada", task, 60, unwanted)
    assert pids(waiting) == []


def test_one_that_was_killed_while_it_waited_is_not_taken(waiting, do):
    (pid,) = do("ada")
    waiting.prepare()
    (fresh,) = waiting._fresh
    for one in (pid, fresh._process.pid):
        os.kill(one, signal.SIGKILL)
        assert ended(one)
    (other,) = do("ada")
    assert other not in (pid, fresh._process.pid)


def test_one_that_has_waited_for_long_is_not_taken(waiting, do):
    (pid,) = do("ada")
    (one,) = waiting._waiting
    waiting._waiting[:] = [replace(one, since=one.since - IDLE + MARGIN)]
    (other,) = do("ada")
    assert other != pid
    assert ended(pid)


def test_each_run_tells_its_own(do):
    for _ in range(2):
        told: list[object] = []
        do("ada", SPEAKING, told.append)
        assert [entry.message for entry in told if isinstance(entry, Entry)] == ["seen: 1"]


def test_what_a_run_took_is_its_own(waiting, tmp_path):
    def usage(repeat: int):
        made = {"a": {"process_id": "array_create", "arguments": {"data": [1.5], "repeat": repeat}}}
        made["b"] = {"process_id": "count", "arguments": {"data": {"from_node": "a"}}, "result": True}
        settings = Settings(home=tmp_path, max_memory=2**32)
        task = Task("run", made, settings, Belongings({}), tmp_path / f"out{repeat}", lasting=False)
        return waiting.run("ada", task, 60, Event()).usage

    large, small = usage(10**6), usage(1)
    assert len(waiting._waiting) == 1
    assert small["cpu"]["value"] < large["cpu"]["value"] / 2
    assert small["memory"]["value"] <= large["memory"]["value"]


def test_after_the_end_none_waits(waiting, do):
    (pid,) = do("ada")
    waiting.prepare()
    waiting.close()
    assert ended(pid)
    assert do("ada") == []
    waiting.prepare()
    assert waiting._fresh == []


def test_a_rehearsal_goes_well(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with caplog.at_level(logging.WARNING):
        rehearse()
    assert list(tmp_path.iterdir()) == []
    assert caplog.messages == []


@pytest.mark.slow
def test_a_program_that_closes_nothing_ends_all_the_same(tmp_path):
    code = f"""
from pathlib import Path
from threading import Event
from engine import Settings
from engine.jobs.belongings import Belongings
from engine.jobs.reserve import Reserve
from engine.jobs.task import Task

if __name__ == "__main__":
    home = Path({str(tmp_path)!r})
    waiting = Reserve(2)
    waiting.run("ada", Task("run", {SUM}, Settings(home=home), Belongings({{}}), home / "out"), 60, Event())
    waiting.prepare()
    print(*(r._process.pid for r in (waiting._waiting[0].runner, *waiting._fresh)))
"""
    (tmp_path / "program.py").write_text(code)
    ran = subprocess.run(
        [sys.executable, tmp_path / "program.py"], check=False, capture_output=True, text=True, timeout=50,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert all(ended(int(pid)) for pid in ran.stdout.split())
