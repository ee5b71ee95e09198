"""Goals: reached, missed, or not measured and why."""

from __future__ import annotations

import math

import pytest

from benchmarks.goals import Figure, Goal, against, all_goals, judged
from benchmarks.model import Case, Contender, Outcome, Run, Verdict
from benchmarks.scale import FULL, SHORT
from postgres import binary


def verdict(name="B2 median", **walls):
    """A case whose contenders took so long; a text is why there is no figure."""
    outcomes = []
    for who, wall in walls.items():
        made = Contender(who, "nowhere:work")
        failed = isinstance(wall, str)
        outcomes.append(
            Outcome(made, () if failed else (Run(wall, 2 * wall, 100),), {}, wall if failed else "")
        )
    return Verdict(Case(name, {}, tuple(o.contender for o in outcomes), "ours"), tuple(outcomes))


GOAL = against("B2 median", "wall", "OPD", 1 / 10, "1/10 of OPD")


@pytest.mark.parametrize(
    ("verdicts", "peers", "value", "words"),
    [
        ([verdict(ours=1.0, OPD=20.0)], True, 0.05, "met"),
        ([verdict(ours=1.0, OPD=10.0)], True, 0.1, "met"),
        ([verdict(ours=1.0, OPD=5.0)], True, 0.2, "not met"),
        ([], True, None, "not measured: B2 median was not run"),
        ([verdict(ours=1.0)], False, None, "not measured: OPD was not asked (--peers)"),
        ([verdict(ours=1.0, OPD="took longer than 300 s")], True, None, "not measured: OPD: took longer than 300 s"),
        ([verdict(ours="it fell", OPD=1.0)], True, None, "not measured: ours: it fell"),
    ],
)  # fmt: skip
def test_a_ratio(verdicts, peers, value, words):
    (reached,) = judged([GOAL], verdicts, peers)
    assert reached.words == words
    assert reached.met == (words == "met")
    assert math.isnan(reached.value) if value is None else reached.value == pytest.approx(value)


def test_a_wrong_result_reaches_no_goal():
    wrong = verdict(ours=1.0, OPD=20.0)
    ours, opd = wrong.outcomes
    marked = Outcome(ours.contender, ours.runs, {}, "wrong result: mean is 1, not 2")
    (reached,) = judged([GOAL], [Verdict(wrong.case, (marked, opd))], True)
    assert reached.words == "not measured: ours: wrong result: mean is 1, not 2"


def test_a_number_gives_the_unit():
    goal = Goal("B8", "8 ms of CPU", Figure("B2 median", "ours", "cpu"), 1e-3, 8.0, "ms")
    (reached,) = judged([goal], [verdict(ours=0.003)], False)
    assert reached.value == pytest.approx(6.0)
    assert reached.met


def test_growth_is_counted_against_the_size_of_the_task():
    small, large = verdict("small", ours=1.0), verdict("large", ours=18.0)
    figures = (Figure("large", "ours", "wall"), Figure("small", "ours", "wall"))
    kept, missed = (Goal("B10", "1.5 x a node", *figures, 1.5, larger=n) for n in (20, 10))
    assert [r.words for r in judged([kept, missed], [small, large], False)] == ["met", "not met"]


@pytest.mark.parametrize("scale", [FULL, SHORT])
def test_every_goal_asks_for_cases_and_contenders_that_there_are(scale, tmp_path):
    from benchmarks.__main__ import QUESTIONS, chosen

    known = {
        c.name: {one.name for one in c.contenders} for c in chosen(list(QUESTIONS), scale, tmp_path, True)
    }
    for goal in all_goals(len(scale.areas), scale.nodes):
        for figure in (goal.ours, goal.over):
            if not isinstance(figure, Figure):
                continue
            away = figure.contender in ("ours, PostGIS", "pgstac") and binary("initdb") is None
            if not away and not (scale is SHORT and figure.case == "B8 4096 cells"):
                assert figure.contender in known[figure.case], goal


def test_names_of_cases_are_told_apart_and_each_has_ours_and_its_truth(tmp_path):
    from benchmarks.__main__ import QUESTIONS, chosen

    cases = list(chosen(list(QUESTIONS), FULL, tmp_path, True))
    assert len({c.name for c in cases}) == len(cases)
    for case in cases:
        names = [one.name for one in case.contenders]
        assert len(set(names)) == len(names)
        assert {"ours", case.truth} <= set(names)
        assert next(one.kind for one in case.contenders if one.name == case.truth) == "limit"
