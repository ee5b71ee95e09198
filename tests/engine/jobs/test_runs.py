"""Runs in processes of their own: what they give, how they end, and how many there may be."""

from __future__ import annotations

import time
from concurrent.futures import CancelledError
from pathlib import Path
from threading import Event, Thread

import pytest

from engine import Problem, Settings
from engine.jobs.belongings import Belongings
from engine.jobs.process import Canceled, run
from engine.jobs.sync import Sync
from engine.jobs.task import Task

SUM = {"add": {"process_id": "add", "arguments": {"x": 1, "y": 2}, "result": True}}


def slow(mark: Path) -> dict:
    """A graph whose user-defined function notes down its process and then takes its time."""
    code = f"""
import os, time
from pathlib import Path

def transform(x, context):
    return x

Path({str(mark)!r}).write_text(str(os.getpid()))
time.sleep(600)
"""
    arguments = {"data": [1, 2], "udf": code, "runtime": "Python"}
    return {"udf": {"process_id": "run_udf", "arguments": arguments, "result": True}}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, sync_slots=2, sync_queue=1, sync_queue_user=2, udf="trusted")


def task(settings: Settings, graph=SUM, kind="run", **given) -> Task:
    return Task(kind, graph, settings, Belongings(given.pop("processes", {})), settings.home / "out", **given)


def test_a_run_gives_files(settings):
    (file,) = run(task(settings), 60, Event()).files
    assert (file.path.name, file.media_type) == ("result.json", "application/json")
    assert file.path.read_text().strip() == "3"


def test_stored_processes_are_used_by_name(settings):
    twice = {
        "parameters": [{"name": "x", "schema": {"type": "number"}}],
        "process_graph": {
            "add": {
                "process_id": "add",
                "arguments": {"x": {"from_parameter": "x"}, "y": {"from_parameter": "x"}},
                "result": True,
            }
        },
    }
    graph = {"two": {"process_id": "twice", "arguments": {"x": 4}, "result": True}}
    (file,) = run(task(settings, graph, processes={"twice": twice}), 60, Event()).files
    assert file.path.read_text().strip() == "8"


def test_faults_are_told_as_they_are(settings):
    wrong = {"a": {"process_id": "ad", "arguments": {}, "result": True}}
    with pytest.raises(Problem) as caught:
        run(task(settings, wrong), 60, Event())
    assert caught.value.code == "ProcessUnsupported"
    (told,) = run(task(settings, wrong, "validate"), 60, Event())
    assert told.json() == caught.value.json()


@pytest.mark.slow
def test_a_run_that_takes_too_long_is_ended_with_all_it_started(settings):
    mark = settings.home / "pid"
    with pytest.raises(Problem, match="ended after") as caught:
        run(task(settings, slow(mark)), 8, Event())
    assert caught.value.code == "RequestTimeout"
    assert gone(number(mark))


def test_a_run_that_nobody_wants_is_ended(settings):
    mark, unwanted = settings.home / "pid", Event()
    Thread(target=lambda: (number(mark), unwanted.set())).start()
    with pytest.raises(Canceled):
        run(task(settings, slow(mark)), 60, unwanted)
    assert gone(number(mark))


def test_a_run_without_memory_ends_alone(settings):
    small = settings.model_copy(update={"max_memory": 2**28})
    hungry = {
        "a": {"process_id": "array_create", "arguments": {"data": [1.5], "repeat": 10**9}, "result": True}
    }
    with pytest.raises(Problem) as caught:
        run(task(small, hungry), 60, Event())
    assert caught.value.code == "ProcessGraphComplexity"
    (file,) = run(task(settings), 60, Event()).files
    assert file.path.read_text().strip() == "3"


def test_what_cannot_wait_is_refused(settings):
    desk = Sync(settings)
    graph = slow(settings.home / "pid")
    taken = [desk.take(owner, task(settings, graph)) for owner in ("ada", "ada", "bob")]
    for owner, words in (("ada", "of your requests"), ("bob", "requests are under way")):
        with pytest.raises(Problem, match=words) as caught:
            desk.take(owner, task(settings))
        assert caught.value.code == "TooManyRequests"
    for ticket in taken:
        ticket.cancel()
    for ticket in taken:
        with pytest.raises((Canceled, CancelledError)):
            ticket.future.result(10)
    assert desk.take("ada", task(settings)).future.result(60)
    desk.close()


def number(mark: Path) -> int:
    """The process that the function noted down."""
    for _ in range(300):
        if mark.exists() and (text := mark.read_text()):
            return int(text)
        time.sleep(0.1)
    raise AssertionError("the function was not run")


def gone(pid: int) -> bool:
    """Is that process there no more? The system may take a moment."""
    for _ in range(50):
        if not Path(f"/proc/{pid}").exists() or "State:\tZ" in Path(f"/proc/{pid}/status").read_text():
            return True
        time.sleep(0.1)
    return False
