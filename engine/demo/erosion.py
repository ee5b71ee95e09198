"""Rivers carve the mountains: uplift against stream erosion on a coarse grid, until valleys branch as real ones do."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.demo.noise import Floats

ROUNDS = 36
"""Rounds of uplift and erosion; more change little, as the two are then in balance."""
REACH = 0.45
"""How strongly erosion grows with the area that drains through a place (its exponent)."""
STEPS = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0)]


def carve(height: Floats, uplift: Floats, floor: NDArray[np.bool_], cell: float) -> Floats:
    """Let `height` (m) rise by `uplift` (m per round) and be carved by the water that runs off it.

    Cells of `floor` keep their height: there the water leaves. Erosion follows the stream power law
    (rate = erodibility x area^0.45 x slope), solved implicitly from the mouth upwards, so that long
    rounds are stable.
    """
    bed = height.astype(np.float64).ravel()
    rise = np.where(floor, 0.0, uplift).ravel()
    fixed = floor.ravel()
    for _ in range(ROUNDS):
        bed += rise
        order, receiver, run = _drainage(bed.reshape(height.shape), cell)
        area = _gather(order, receiver)
        power = np.where(fixed, 0.0, 1.3 * area**REACH * cell**0.9 / run)
        bed = _lower(bed, order, receiver, power)
    return bed.reshape(height.shape).astype(np.float32)


def _drainage(
    bed: NDArray[np.float64], cell: float
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Cells from high to low, the steepest lower neighbour of each (itself in a pit), and the way there."""
    rows, columns = bed.shape
    rim = np.pad(bed, 1, constant_values=np.inf)
    here = np.arange(bed.size).reshape(bed.shape)
    best, receiver, run = np.zeros(bed.shape), here.copy(), np.full(bed.shape, cell)
    for dy, dx in STEPS:
        far = cell * float(np.hypot(dy, dx))
        fall = (bed - rim[1 + dy : 1 + dy + rows, 1 + dx : 1 + dx + columns]) / far
        steeper = fall > best
        best = np.where(steeper, fall, best)
        receiver = np.where(steeper, here + dy * columns + dx, receiver)
        run = np.where(steeper, far, run)
    return np.argsort(-bed.ravel(), kind="stable"), receiver.ravel(), run.ravel()


def _gather(order: NDArray[np.intp], receiver: NDArray[np.intp]) -> NDArray[np.float64]:
    """Cells whose water runs through each cell, itself included."""
    area, down = [1.0] * receiver.size, receiver.tolist()
    for cell in order.tolist():
        if down[cell] != cell:
            area[down[cell]] += area[cell]
    return np.array(area)


def _lower(
    bed: NDArray[np.float64],
    order: NDArray[np.intp],
    receiver: NDArray[np.intp],
    power: NDArray[np.float64],
) -> NDArray[np.float64]:
    """One implicit round of erosion, from the lowest cell up: each is drawn towards the one it drains to."""
    level, pull, down = bed.tolist(), power.tolist(), receiver.tolist()
    for cell in reversed(order.tolist()):
        if down[cell] != cell:
            level[cell] = (level[cell] + pull[cell] * level[down[cell]]) / (1 + pull[cell])
    return np.array(level)
