"""The command: which benchmarks, with whom, how often, and where the figures go."""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from benchmarks import environments, scenes, table
from benchmarks.goals import all_goals, judged
from benchmarks.model import Case, Verdict
from benchmarks.runner import Limits, run_case
from benchmarks.scale import FULL, SHORT, Scale

QUESTIONS = {
    "B1": "benchmarks.b1_load",
    "B2": "benchmarks.b2_composite",
    "B3": "benchmarks.b3_months",
    "B4": "benchmarks.b4_zones",
    "B5": "benchmarks.b5_windows",
    "B6": "benchmarks.b6_warp",
    "B7": "benchmarks.b7_write",
    "B8": "benchmarks.b8_picture",
    "B9": "benchmarks.b9_growth",
    "B10": "benchmarks.b10_graphs",
    "B11": "benchmarks.b11_catalog",
    "B12": "benchmarks.b12_coverages",
}


def parser() -> argparse.ArgumentParser:
    """What the command understands."""
    lines = [f"  {name:<4} {question(name)}" for name in QUESTIONS]
    made = argparse.ArgumentParser(
        "python -m benchmarks", description=__doc__, epilog="benchmarks:\n" + "\n".join(lines),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    made.add_argument("which", nargs="*", metavar="B", help="B1 to B12; all where none is named")
    made.add_argument("--peers", action="store_true", help="ask the software of others, too")
    made.add_argument("--short", action="store_true", help="small tasks, one run: does it all work?")
    made.add_argument("--runs", type=int, help="timed runs of each contender (5; 1 with --short)")
    made.add_argument("--json", type=Path, metavar="FILE", help="write all figures, in seconds and MB")
    made.add_argument(
        "--page", type=Path, metavar="FILE", help="put the tables between the markers of a page"
    )
    made.add_argument("--install-peers", action="store_true", help="make the peers' environments, and end")
    made.add_argument("--data", type=Path, metavar="DIR", help="where scenes are kept")
    return made


def question(name: str) -> str:
    """What a benchmark asks."""
    return (import_module(QUESTIONS[name]).__doc__ or "").partition(": ")[2].strip()


def say(text: str) -> None:
    """A word for people."""
    print(text, file=sys.stderr, flush=True)


def chosen(names: Sequence[str], scale: Scale, place: Path, peers: bool) -> Iterator[Case]:
    """The cases of these benchmarks, with those who are asked."""
    for name in names:
        for case in import_module(QUESTIONS[name]).cases(scale, place):
            asked = tuple(c for c in case.contenders if peers or c.kind != "peer")
            yield replace(case, contenders=asked)


def troubles(verdicts: Sequence[Verdict]) -> list[str]:
    """What must not be: one of ours that fails, a result that is not the truth, a truth that is not there."""
    found = []
    for verdict in verdicts:
        for outcome in verdict.outcomes:
            ours = outcome.contender.kind == "ours"
            needed = ours or outcome.contender.name == verdict.case.truth
            if outcome.fault and needed:
                found.append(f"{verdict.case.name}, {outcome.contender.name}: {outcome.fault}")
    return found


def note_of(runs: int, peers: bool, short: bool) -> str:
    """How the figures were made, in a line."""
    with_whom = "with peers" if peers else "without peers"
    return (
        f"{'Short form, ' if short else ''}{runs} runs each, {with_whom}, Python {platform.python_version()}, "
        f"{os.cpu_count()} cores. Ratios; the row marked `= 1` is what the others are measured by."
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for; 0 if nothing of ours failed."""
    command = parser()
    given = command.parse_args(arguments)
    if given.install_peers:
        failed = environments.install(say)
        for name in failed:
            say(f"'{name}' could not be installed")
        return len(failed)
    names = [n.upper() for n in given.which] or list(QUESTIONS)
    if unknown := [n for n in names if n not in QUESTIONS]:
        command.error(f"there is no {', '.join(unknown)}; there are {', '.join(QUESTIONS)}")
    if given.page is not None and not table.has_place(given.page):
        command.error(f"{given.page} is no page with the lines {table.START} and {table.END}")
    scale = SHORT if given.short else FULL
    runs = given.runs or (1 if given.short else 5)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that no contender is left behind
    place = scenes.ready(scale.recipe, given.data or scenes.default_folder(), say)
    verdicts = []
    for case in chosen(names, scale, place, given.peers):
        verdicts.append(run_case(case, runs, Limits(), say, together=2 if given.short else 1))
        print(table.of_case(verdicts[-1]) + "\n", flush=True)
    goals = judged(all_goals(len(scale.areas), scale.nodes), verdicts, given.peers)
    print(table.of_goals(goals), flush=True)
    note = note_of(runs, given.peers, given.short)
    if given.json is not None:
        content = table.as_json(verdicts, goals, note=note)
        given.json.write_text(json.dumps(content, indent=1), encoding="utf-8")
    if given.page is not None:
        table.put_into(given.page, table.page(verdicts, goals, note))
    wrong = troubles(verdicts)
    for trouble in wrong:
        say(f"FAILED: {trouble}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
