"""What is to be reached: each goal as data, and whether the measurements reach it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.model import Measure, Verdict
from benchmarks.wishes import FAMILIES

OURS = "ours"


@dataclass(frozen=True)
class Figure:
    """One cell of the measurements."""

    case: str
    """Name of the case."""
    contender: str
    """Who."""
    measure: Measure
    """Seconds, seconds of all cores, or MB."""


@dataclass(frozen=True)
class Goal:
    """Ours over something else, and what that may be at most."""

    work: str
    """What kind of work it is about."""
    words: str
    """The goal as people say it."""
    ours: Figure
    """What is ours."""
    over: Figure | float
    """What it is divided by: another figure, or a number that gives it its unit."""
    most: float
    """Greatest quotient that reaches the goal."""
    unit: str = "x"
    """Unit of the quotient."""
    larger: float = 1.0
    """How many times larger the task of ours is; the quotient is divided by it, too."""


@dataclass(frozen=True)
class Reached:
    """A goal and what came of it."""

    goal: Goal
    """The goal."""
    value: float = math.nan
    """The quotient; NaN where it was not measured."""
    why: str = ""
    """Why it was not measured."""

    @property
    def met(self) -> bool:
        """Is it reached? What was not measured is not."""
        return self.value <= self.goal.most

    @property
    def words(self) -> str:
        """What came of it, in a word or two."""
        return f"not measured: {self.why}" if self.why else "met" if self.met else "not met"


def against(
    case: str, measure: Measure, other: str, most: float, words: str, work: str = "", ours: str = OURS
) -> Goal:
    """Ours over another contender of the same case."""
    return Goal(work or case, words, Figure(case, ours, measure), Figure(case, other, measure), most)


def goals_of_b2() -> tuple[Goal, ...]:
    """The composite, for each reducer."""
    found = [
        against("B2 median", "wall", "OPD", 1 / 10, "1/10 of OPD"),
        against("B2 median", "wall", "titiler-openeo", 1 / 10, "1/10 of titiler-openeo"),
        against("B2 median", "wall", "openeo-core", 1 / 6, "1/6 of openeo-core"),
        against("B2 median", "wall", "odc-stac + xarray", 1 / 4, "1/4 of xarray"),
        against("B2 median", "peak", "OPD", 1 / 5, "1/5 of the memory of OPD"),
        against("B2 median", "wall", "read only", 1.2, "1.2 x read"),
    ]
    for reducer in ("mean", "max"):
        case = f"B2 {reducer}"
        found += [
            against(case, "wall", "OPD", 1 / 9, "1/9 of OPD"),
            against(case, "wall", "odc-stac + xarray", 1 / 3, "1/3 of xarray"),
            against(case, "wall", "read only", 1.2, "1.2 x read"),
        ]
    return tuple(found)


def goals_of_growth(areas: int) -> tuple[Goal, ...]:
    """Memory that stays flat."""
    times = 4 ** (areas - 1)
    large, small = (Figure(f"B9 area {n}", OURS, "peak") for n in (times, 1))
    return (
        Goal("B9 growth", f"1.3 x the peak of 1/{times} of the area", large, small, 1.3),
        Goal("B9 growth", "600 MB", large, 1.0, 600.0, "MB"),
    )


def goals_of_graphs(nodes: Sequence[int]) -> tuple[Goal, ...]:
    """Graphs: faster than a peer, linear, and within so many microseconds a node."""
    most, some = nodes[-1], nodes[1 if len(nodes) > 2 else 0]
    found = [
        against("B10 chain, 100 nodes", "cpu", "pg-parser", 1 / 50, "1/50 of pg-parser, chain of 100"),
        against("B10 diamonds, 14 nodes", "cpu", "pg-parser", 1 / 50, "1/50 of pg-parser, 14 diamonds"),
    ]
    for shape in ("chain", "diamonds", "wide"):
        large, small = f"B10 {shape}, {most:,} nodes", f"B10 {shape}, {some:,} nodes"
        found += [
            Goal("B10 graphs", f"1.5 x as much a node of {most:,} as of {some:,}, {shape}",
                 Figure(large, OURS, "cpu"), Figure(small, OURS, "cpu"), 1.5, larger=most / some),
            Goal("B10 graphs", f"5 us a node to order, {shape}",
                 Figure(large, "ours, order only", "cpu"), most / 1e6, 5.0, "us"),
            Goal("B10 graphs", f"50 us a node to check and plan, {shape}",
                 Figure(large, OURS, "cpu"), most / 1e6, 50.0, "us"),
        ]  # fmt: skip
    return tuple(found)


def goals_of_catalog() -> tuple[Goal, ...]:
    """Nothing slower than pgstac, on either database; ours counts all that match, the peer does not."""
    laps = (*FAMILIES, "get by id", "insert of one")
    measures: dict[str, Measure] = dict.fromkeys(laps, "lap") | dict.fromkeys(("bulk", "load"), "wall")
    return tuple(
        against(f"B11 {name}", measure, "pgstac", 1.0, f"pgstac, {words}", ours=ours)
        for name, measure in measures.items()
        for ours, words in ((OURS, "SQLite"), ("ours, PostGIS", "PostGIS"))
    )


def all_goals(areas: int, nodes: Sequence[int]) -> tuple[Goal, ...]:
    """Every goal, for tasks of that many areas and graphs of those sizes."""
    return (
        *goals_of_b2(),
        *goals_of_growth(areas),
        against("B1 local", "cpu", "odc-stac", 1 / 2, "1/2 of the CPU of odc-stac"),
        against("B1 local", "cpu", "rasterio, 2 threads", 1.1, "1.1 x rasterio"),
        against("B1 remote", "wall", "odc-stac, 16 threads", 1 / 3, "1/3 of odc-stac with 16 threads"),
        against("B1 remote", "wall", "async-geotiff, 24 under way", 1.5, "1.5 x async"),
        against("B3 months", "wall", "OPD", 1 / 4, "1/4 of OPD"),
        against("B3 months", "wall", "memory read", 4.0, "4 x memory read"),
        against("B4 zones", "wall", "OPD", 1 / 100, "1/100 of OPD"),
        against("B4 zones", "wall", "exactextract", 1 / 1.4, "1/1.4 of exactextract"),
        against("B5 kernel", "wall", "OPD", 1 / 4, "1/4 of OPD"),
        against("B5 kernel", "wall", "numba, weights baked in", 1.5, "1.5 x prototype"),
        against("B6 warp", "wall", "OPD", 1 / 4, "1/4 of OPD"),
        against("B6 warp", "wall", "odc-geo", 1 / 3, "1/3 of odc"),
        against("B6 warp", "wall", "numba, coordinate grid", 1.5, "1.5 x prototype"),
        against("B7 GTiff", "cpu", "to_raster", 1 / 3, "1/3 of the CPU of to_raster"),
        *(
            goal
            for case in ("B8 1024 cells", "B8 4096 cells")
            for goal in (
                against(case, "wall", "rio-tiler", 1 / 4, "1/4 of rio-tiler with its default PNG"),
                Goal(case, "8 ms of CPU", Figure(case, OURS, "cpu"), 1e-3, 8.0, "ms"),
            )
        ),
        *goals_of_graphs(nodes),
        *goals_of_catalog(),
        against("B12 coverage", "wall", "rio-tiler, served", 1.5, "1.5 x rio-tiler behind a server"),
    )


def judged(goals: Sequence[Goal], verdicts: Sequence[Verdict], peers: bool) -> tuple[Reached, ...]:
    """What came of each goal."""
    known = {v.case.name: v for v in verdicts}
    return tuple(judge(goal, known, peers) for goal in goals)


def judge(goal: Goal, known: Mapping[str, Verdict], peers: bool) -> Reached:
    """What came of one."""
    values = []
    for figure in (goal.ours, goal.over):
        if not isinstance(figure, Figure):
            values.append(figure)
            continue
        outcome = known[figure.case].of(figure.contender) if figure.case in known else None
        if outcome is None:
            missing = figure.case not in known
            why = f"{figure.case} was not run" if missing else f"{figure.contender} was not asked"
            return Reached(goal, why=why + ("" if missing or peers else " (--peers)"))
        if not outcome.counts:
            return Reached(goal, why=f"{figure.contender}: {outcome.fault}")
        values.append(outcome.figure(figure.measure))
    return Reached(goal, values[0] / values[1] / goal.larger)
