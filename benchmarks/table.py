"""The measurements as text: a table for each case, the goals, and both as a page."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.goals import Figure, Reached
from benchmarks.model import Kind, Measure, Outcome, Verdict

START, END = "<!-- measured: begin -->", "<!-- measured: end -->"
Row = Sequence[str]


def ratio(value: float, to: float) -> str:
    """A quotient as people read it."""
    if not (value > 0 and to > 0):
        return "-"
    q = value / to
    return f"{q:.3g}" if q < 100 else f"{q:.0f}"


def base_of(verdict: Verdict) -> Outcome | None:
    """Whose figures are 1: the truth, or whoever was measured where that was not."""
    named = verdict.of(verdict.case.truth)
    if named is not None and named.counts:
        return named
    return next((o for o in verdict.outcomes if o.counts), None)


def shortened(fault: str) -> str:
    """As much of a fault as a table has room for; the JSON has all of it."""
    return textwrap.shorten(fault, 120, placeholder=" ...")


def rows_of(verdict: Verdict) -> list[Row]:
    """A row for each contender: ratios to the base, and memory."""
    base = base_of(verdict)
    (one, told), (other, told_too) = columns_of(verdict)
    rows: list[Row] = [("", told, told_too, "peak MB", "")]
    for outcome in verdict.outcomes:
        name = outcome.contender.name + ("" if outcome.contender.whole else " *")
        if base is None or not outcome.runs:
            rows.append((name, "-", "-", "-", shortened(outcome.fault)))
            continue
        wall, cpu = (ratio(outcome.figure(m), base.figure(m)) for m in (one, other))
        note = shortened(outcome.fault) or ("= 1" if outcome is base else "")
        rows.append((name, wall, cpu, f"{outcome.figure('peak'):.0f}", note))
    return rows


def columns_of(verdict: Verdict) -> tuple[tuple[Measure, str], tuple[Measure, str]]:
    """The two measures that a case is shown by, and what people call them."""
    if any(o.has_laps for o in verdict.outcomes):
        return ("lap", "median of 1"), ("late", "p95 of 1")
    return ("wall", "wall"), ("cpu", "CPU")


def standing(verdict: Verdict) -> Iterator[str]:
    """Ours beside the best limit and the best peer."""
    ours = verdict.of("ours")
    if ours is None or not ours.counts:
        return
    kinds: tuple[Kind, ...] = ("limit", "peer")
    for kind in kinds:
        others = [o for o in verdict.outcomes if o.contender.kind == kind and o.counts and o.contender.whole]
        if others:
            best = min(others, key=lambda o: o.figure("wall"))
            shown = [*columns_of(verdict), ("peak", "memory")]
            told = (f"{word} {ratio(ours.figure(m), best.figure(m))}" for m, word in shown)
            yield f"ours to the best {kind}, {best.contender.name}: {', '.join(told)}"


def aligned(rows: Sequence[Row], texts: int = 1) -> str:
    """Rows as text: the first columns and the last are words, what lies between are numbers, to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.rjust(w) if texts <= i < len(row) - 1 else cell.ljust(w)
            for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def small_print(verdict: Verdict) -> str:
    """The seconds behind the ratios."""
    (measure, _), (late, _) = columns_of(verdict)
    if measure == "lap":
        each = [
            f"{o.contender.name} {1e3 * o.figure(measure):.3g} ms ({1e3 * o.figure(late):.3g})"
            for o in verdict.outcomes
            if o.runs
        ]
        return f"(median of the best of each, p95 of all: {'; '.join(each)})" if each else ""
    parts = [f"{o.contender.name} {o.figure('wall'):.4g} s" for o in verdict.outcomes if o.runs]
    return f"(medians of wall time: {'; '.join(parts)})" if parts else ""


def of_case(verdict: Verdict) -> str:
    """The table of a case, for a terminal."""
    lines = [verdict.case.name, aligned(rows_of(verdict)), *standing(verdict), small_print(verdict)]
    if any(not o.contender.whole for o in verdict.outcomes):
        lines.append("* does a part of the task; its result is not compared")
    return "\n".join(line for line in lines if line)


def goal_rows(reached: Sequence[Reached]) -> list[Row]:
    """A row for each goal."""
    rows: list[Row] = [("work", "goal", "reached", "")]
    for r in reached:
        value = "-" if math.isnan(r.value) else f"{r.value:.3g} {r.goal.unit}"
        rows.append((r.goal.work, f"<= {r.goal.words}", value, r.words))
    return rows


def of_goals(reached: Sequence[Reached]) -> str:
    """The goals, for a terminal."""
    met = sum(r.met for r in reached)
    return f"Goals: {met} of {len(reached)} met\n{aligned(goal_rows(reached), texts=2)}"


# ------------------------------------------------------------------------------- for pages and machines
def markdown(rows: Sequence[Row]) -> str:
    """Rows as a table of Markdown."""
    cells = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    head, *body = ("| " + " | ".join(row) + " |" for row in cells)
    rule = "|" + "|".join(["---"] + ["---:"] * (len(rows[0]) - 2) + ["---"]) + "|"
    return "\n".join([head, rule, *body])


def page(verdicts: Sequence[Verdict], reached: Sequence[Reached], note: str) -> str:
    """All tables, for the README."""
    parts = [note]
    if reached:
        parts += ["### Goals", markdown(goal_rows(reached))]
    for verdict in verdicts:
        parts += [f"### {verdict.case.name}", markdown(rows_of(verdict)), "; ".join(standing(verdict))]
    return "\n\n".join(part for part in parts if part)


def has_place(path: Path) -> bool:
    """Is there a page, with markers for the tables?"""
    return path.is_file() and START in (text := path.read_text(encoding="utf-8")) and END in text


def put_into(path: Path, content: str) -> None:
    """Replace what stands between the markers of a page.

    Raises:
        ValueError: The page has no markers.
    """
    text = path.read_text(encoding="utf-8")
    head, begin, rest = text.partition(START)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{path} has no place for the tables: it needs the lines {START} and {END}")
    path.write_text(f"{head}{START}\n\n{content}\n\n{END}{tail}", encoding="utf-8")


def as_json(verdicts: Sequence[Verdict], reached: Sequence[Reached], **more: Any) -> dict[str, Any]:
    """Everything that was measured, for machines; seconds and MB."""
    cases = {
        v.case.name: {
            o.contender.name: {
                "kind": o.contender.kind,
                "start": o.contender.start,
                "whole": o.contender.whole,
                "runs": [asdict(r) for r in o.runs],
                "answer": dict(o.answer),
                "fault": o.fault,
            }
            for o in v.outcomes
        }
        for v in verdicts
    }
    return {**more, "cases": cases, "goals": [goal_json(r) for r in reached]}


def goal_json(r: Reached) -> dict[str, Any]:
    """One goal and what came of it."""
    over = asdict(r.goal.over) if isinstance(r.goal.over, Figure) else r.goal.over
    return {
        "work": r.goal.work,
        "goal": r.goal.words,
        "ours": asdict(r.goal.ours),
        "over": over,
        "most": r.goal.most,
        "unit": r.goal.unit,
        "reached": None if math.isnan(r.value) else r.value,
        "said": r.words,
    }
