"""The tables: ratios, notes, pages and JSON."""

from __future__ import annotations

import json

import pytest

from benchmarks import table
from benchmarks.goals import against, judged
from benchmarks.model import Case, Contender, Outcome, Run, Verdict


def outcome(name, kind, wall=0.0, fault="", **more):
    runs = (Run(wall, 2 * wall, 100 * wall),) if wall else ()
    return Outcome(Contender(name, "nowhere:work", kind, **more), runs, {"mean": 1.0}, fault)


VERDICT = Verdict(
    Case("B2 median", {}, (), "prototype"),
    (
        outcome("ours", "ours", 3.0),
        outcome("prototype", "limit", 2.0),
        outcome("read", "limit", 1.0, whole=False),
        outcome("slow", "peer", 30.0),
        outcome("wrong", "peer", 1.5, "wrong result: mean is 2, not 1"),
        outcome("dead", "peer", fault="took longer than 300 s"),
    ),
)
GOALS = judged([against("B2 median", "wall", "slow", 1 / 4, "1/4 of slow")], [VERDICT], True)


def test_a_case():
    assert table.of_case(VERDICT).splitlines() == [
        "B2 median",
        "           wall   CPU  peak MB",
        "ours        1.5   1.5      300",
        "prototype     1     1      200  = 1",
        "read *      0.5   0.5      100",
        "slow         15    15     3000",
        "wrong      0.75  0.75      150  wrong result: mean is 2, not 1",
        "dead          -     -        -  took longer than 300 s",
        "ours to the best limit, prototype: wall 1.5, CPU 1.5, memory 1.5",
        "ours to the best peer, slow: wall 0.1, CPU 0.1, memory 0.1",
        "(medians of wall time: ours 3 s; prototype 2 s; read 1 s; slow 30 s; wrong 1.5 s)",
        "* does a part of the task; its result is not compared",
    ]


def test_without_the_truth_whoever_was_measured_is_1():
    without = Verdict(
        VERDICT.case, (outcome("ours", "ours", 3.0), outcome("prototype", "limit", fault="gone"))
    )
    assert [row[-1] for row in table.rows_of(without)[1:]] == ["= 1", "gone"]


def test_nothing_was_measured():
    nothing = Verdict(VERDICT.case, (outcome("ours", "ours", fault="it fell"),))
    assert table.rows_of(nothing)[1] == ("ours", "-", "-", "-", "it fell")


def test_goals():
    assert table.of_goals(GOALS).splitlines() == [
        "Goals: 1 of 1 met",
        "work       goal            reached",
        "B2 median  <= 1/4 of slow    0.1 x  met",
    ]


def test_a_page_changes_between_its_markers_alone(tmp_path):
    path = tmp_path / "page.md"
    path.write_text(f"before\n{table.START}\nold\n{table.END}\nafter\n")
    table.put_into(path, table.page([VERDICT], GOALS, "A note."))
    text = path.read_text()
    assert text.startswith(f"before\n{table.START}\n\nA note.\n")
    assert text.endswith(f"\n\n{table.END}\nafter\n")
    assert "| slow | 15 | 15 | 3000 |  |" in text
    assert "old" not in text
    table.put_into(path, "new")
    assert path.read_text() == f"before\n{table.START}\n\nnew\n\n{table.END}\nafter\n"


def test_a_page_without_markers_is_refused(tmp_path):
    path = tmp_path / "page.md"
    path.write_text("text\n")
    with pytest.raises(ValueError, match="has no place for the tables"):
        table.put_into(path, "new")
    assert path.read_text() == "text\n"


def test_json_has_every_run_and_is_json():
    made = json.loads(json.dumps(table.as_json([VERDICT], GOALS, note="so"), allow_nan=False))
    case = made["cases"]["B2 median"]
    assert case["ours"]["runs"] == [{"wall": 3.0, "cpu": 6.0, "peak": 300.0, "laps": []}]
    assert case["dead"] == {"kind": "peer", "start": "warm", "whole": True, "runs": [], "answer": {"mean": 1.0},
                            "fault": "took longer than 300 s"}  # fmt: skip
    assert made["goals"][0]["reached"] == pytest.approx(0.1)
    assert made["note"] == "so"


def test_runs_of_many_things_are_told_by_the_best_of_each_and_by_the_late_ones():
    runs = (Run(9, 9, 1, (1.0, 3.0, 8.0)), Run(9, 9, 1, (2.0, 2.0, 9.0)))
    outcome = Outcome(Contender("ours", "nowhere:work"), runs)
    assert outcome.figure("lap") == 2.0
    assert outcome.figure("late") == 9.0
