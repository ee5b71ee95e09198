"""What has to be done for a region: amounts that add up, and what kernels and sums of neighbours take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from engine.kernel.compiled import network
from engine.kernel.emit import Formula
from engine.kernel.fused import AT_ONCE, Fused
from engine.plan.weights import curved
from processes.kernels.focal import ENOUGH, Focal
from processes.places import count

COPIES = 32
"""Bytes for each sum of neighbours while NumPy makes it."""


class Amounts(NamedTuple):
    """What has to be done; all of it can be added up."""

    decoded: float = 0
    """Bytes of cells that come out of files."""
    unpacked: float = 0
    """Bytes of cells of all blocks of files that have any of these: blocks are unpacked as a whole."""
    packed: float = 0
    """Bytes of these blocks in the files."""
    requests: float = 0
    """Ranges that are asked of servers."""
    kernel: float = 0
    """Numbers that go into kernels, and transcendental functions of these, each as if so many more went in."""
    compared: float = 0
    """Pairs of numbers that kernels put in order."""
    plain: float = 0
    """Numbers that go into plain steps, each as often as its step is dearer than an addition."""
    focal: float = 0
    """Products of cells and weights."""
    warped: float = 0
    """Cells that are computed from another grid, each as often as its method is dearer than the nearest cell."""
    cells: float = 0
    """Numbers that are computed, all in all."""

    def plus(self, other: Amounts) -> Amounts:
        """Both."""
        return Amounts(*(a + b for a, b in zip(self, other, strict=True)))

    def times(self, factor: float) -> Amounts:
        """So many of it."""
        return Amounts(*(a * factor for a in self))


class Walked(NamedTuple):
    """What a region takes."""

    amounts: Amounts
    """What has to be done."""
    peak: int
    """Most bytes that are held at once."""
    own: int
    """Bytes of the region itself."""


def weighted(focal: Focal, made: int) -> tuple[Amounts, int]:
    """What sums of neighbours take; few of them are not worth a compiled loop, and NumPy has copies at hand."""
    across = sum(focal.weights.shape) if focal.parts else focal.weights.size
    is_small = made * focal.weights.size < ENOUGH
    return Amounts(focal=float(made * across), cells=made), made * (
        COPIES if is_small else focal.dtype.itemsize
    )


def arithmetic(node: Fused, formulas: Sequence[Formula], tile: tuple[slice, slice], dates: int) -> Amounts:
    """What the kernels of a tile compute."""
    cells = count(tile[0]) * count(tile[1])
    gate = [] if node.gate is None else [node.gate.formula]
    numbers: float = sum(cells * times(node, p, dates) for f in (*formulas, *gate) for p in f.planes)
    numbers += cells * sum(curves(f, dates) for f in (*formulas, *gate))
    groups = [dates] if node.groups is None else [len(g) for g in node.groups.dates]
    pairs = sum(len(network(n)) for n in groups)
    sorts = sum(f.text.count("in range(pairs.shape[0])") for f in formulas)
    each = 1 if node.groups is None else len(groups)
    made = cells * sum(dates if f.timed else each for f in formulas)
    return Amounts(kernel=numbers, compared=cells * pairs * sorts, cells=made)


def curves(formula: Formula, dates: int) -> float:
    """What transcendental functions take for a cell, in numbers that go in."""
    each, last = curved(formula.text)
    return each * dates + last * (dates if formula.timed else 1)


def times(node: Fused, plane: int, dates: int) -> int:
    """How many dates a plane has."""
    return dates if "t" in node.planes[plane].axes else 1


def held_in(
    node: Fused,
    formulas: Sequence[Formula],
    walked: Mapping[int, Walked],
    tile: tuple[slice, slice],
    dates: int,
) -> int:
    """Most bytes that are held while a tile is computed, besides the result of the block."""
    cells = count(tile[0]) * count(tile[1])
    gate = set(node.gate.formula.planes if node.gate else ())
    kept = gate | (node.shared & walked.keys())
    steady = sum(walked[p].own for p in kept)
    opening = sum(walked[p].own for p in gate) + cells * dates  # the dates that are left are a copy
    opening = max([opening, *(walked[p].peak - walked[p].own for p in gate)])
    most = 0
    for formula in {f.text: f for f in formulas}.values():
        fresh = {p: walked[p] for p in formula.planes if p not in kept}
        batch = sum(w.own for w in fresh.values())
        share = 1.0
        if formula.timed or formula.sums is not None:
            share = min(1.0, max(AT_ONCE, batch / max(dates, 1)) / max(batch, 1))
        reading = max((w.peak - w.own for w in walked.values()), default=0) * share
        chosen = sum(walked[p].own for p in formula.planes if p in kept)
        sums = cells * sum(np.dtype(s).itemsize for s in formula.sums or ())
        ranked = count(tile[1]) * max(dates, 1) * 8 * formula.text.count("in range(pairs.shape[0])")
        whole = cells * node.dtype.itemsize * (dates if formula.timed else 1)
        most = max(most, int(batch * share + reading + chosen * share + sums + ranked + whole))
    return steady + max(opening, most)
