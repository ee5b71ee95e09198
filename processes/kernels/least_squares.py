"""Least squares for many series at once: what comes of a series depends on nothing but itself, to the last bit.

Shapes: `n` observations of `m` series, `p` parameters. All sums run along the observations one by one, because a
sum that NumPy orders by the shape of a block would make results depend on how a cube is chunked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Model = Callable[[np.ndarray], np.ndarray]
"""Parameters (p, m) -> values (n, m); NaN where it has none."""

MOST_STEPS = 200
"""Steps after which a series is given up."""
CAUTION = 1.0
"""How much the first step is damped: with 1e-3, every hundredth logistic curve ended in a far valley."""
CLOSE = 1e-10
"""A step this small, relative to the parameters, is the last."""
NOISE = 1e-13
"""Sums of squares that differ by less, relatively, are equal."""
NUDGE = float(np.cbrt(np.finfo(np.float64).eps))
"""Relative step of a central difference: the error of the slope and that of rounding are equally small."""
AT_ONCE = 2**21
"""Numbers in the largest array that is made: series come in turns of as many as fit."""


def fit(model: Model, wanted: np.ndarray, valid: np.ndarray, start: np.ndarray) -> np.ndarray:
    """The parameters that make the model closest to what is wanted; NaN where there are none.

    A model that is a sum of given curves, each times a parameter, is solved at once and exactly; any other one
    step by step from `start` (Levenberg and Marquardt).

    Args:
        model: What is fitted.
        wanted: Observations, (n, m).
        valid: Which observations count, (n, m).
        start: Where to start from, (p, m).
    """
    count, series = start.shape
    turn = max(AT_ONCE // max((len(wanted) + count) * count, 1), 1)
    curves = as_linear(model, count)
    parts = [slice(i, i + turn) for i in range(0, series, turn)]
    done = [fit_some(model, curves, wanted[:, s], valid[:, s], start[:, s]) for s in parts]
    return np.concatenate(done, axis=1) if done else np.zeros((count, 0))


def fit_some(
    model: Model, curves: Any, wanted: np.ndarray, valid: np.ndarray, start: np.ndarray
) -> np.ndarray:
    """`fit` for as many series as fit into memory at once."""
    found = np.full(start.shape, np.nan)
    usable = valid.sum(axis=0) >= len(start)
    usable &= np.isfinite(np.where(valid, wanted, 0)).all(axis=0) & np.isfinite(start).all(axis=0)
    open_ = np.flatnonzero(usable)
    if curves is not None and open_.size:
        solved, holds = fit_linear(model, curves, wanted[:, open_], valid[:, open_])
        found[:, open_[holds]] = solved[:, holds]
        open_ = open_[~holds]
    if open_.size:
        found[:, open_] = fit_stepwise(model, wanted[:, open_], valid[:, open_], start[:, open_])
    return found


# ------------------------------------------------------------------------------------------ linear models
def as_linear(model: Model, count: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Offset (n, 1) and curves (p, n, 1) of a model that is linear in its parameters, else `None`."""
    direction = np.array([(-1) ** i * (1.7 + 0.6 * i) for i in range(count)])
    tests = np.stack([direction, -1370.0 * direction, 1e-3 * direction], axis=1)
    values = model(np.concatenate([np.zeros((count, 1)), np.eye(count), tests], axis=1))
    if not np.isfinite(values).all():
        return None
    offset = values[:, :1]
    curves = (values[:, 1 : 1 + count] - offset).T[:, :, None]
    there = linear_values(offset, curves, tests)
    size = np.abs(offset) + linear_values(np.zeros_like(offset), np.abs(curves), np.abs(tests))
    return (offset, curves) if (np.abs(values[:, 1 + count :] - there) <= 1e-12 * size).all() else None


def linear_values(offset: np.ndarray, curves: np.ndarray, parameters: np.ndarray) -> np.ndarray:
    """The values (n, m) of a linear model."""
    values = np.broadcast_to(offset, np.broadcast_shapes(offset.shape, (1, parameters.shape[1])))
    for curve, parameter in zip(curves, parameters, strict=True):
        values = values + curve * parameter
    return values


def fit_linear(
    model: Model,
    curves: tuple[np.ndarray, np.ndarray],
    wanted: np.ndarray,
    valid: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Parameters of a linear model, and for which series it is linear at the solution, too."""
    found = solve(np.where(valid, curves[1], 0.0), np.where(valid, wanted - curves[0], 0.0))
    linear, real = linear_values(*curves, found), model(found)
    size = total(np.where(valid, np.abs(linear) + np.abs(wanted), 0.0))
    return found, total(np.where(valid, np.abs(real - linear), 0.0)) <= 1e-9 * size


def solve(curves: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Least squares of `wanted` (n, m) on `curves` (p, n, m): Gram and Schmidt, modified, the right side with it.

    Exact to rounding where normal equations would lose half of the digits. A curve that the ones before it make
    up already gets 0.
    """
    count = len(curves)
    rest, right = [np.array(c) for c in curves], wanted
    upper: list[list[Any]] = [[0.0] * count for _ in range(count)]
    projected: list[Any] = [0.0] * count
    for i in range(count):
        before, now = total(curves[i] ** 2), total(rest[i] ** 2)
        length = np.sqrt(now)
        use = now > before * (1e-14 * len(wanted)) ** 2
        unit = rest[i] * np.where(use, 1 / np.where(use, length, 1), 0.0)
        upper[i][i] = np.where(use, length, np.inf)
        for j in range(i + 1, count):
            upper[i][j] = total(unit * rest[j])
            rest[j] = rest[j] - upper[i][j] * unit
        projected[i] = total(unit * right)
        right = right - projected[i] * unit
    found: list[Any] = [0.0] * count
    for i in reversed(range(count)):
        left = projected[i]
        for j in range(i + 1, count):
            left = left - upper[i][j] * found[j]
        found[i] = left / upper[i][i]
    return np.stack(found)


def total(values: np.ndarray) -> Any:
    """The sum along the first axis, one after the other."""
    out = np.zeros(values.shape[1:])
    for row in values:
        out = out + row
    return out


# -------------------------------------------------------------------------------------------- any models
def fit_stepwise(model: Model, wanted: np.ndarray, valid: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Parameters of any model, step by step: short steps downhill far off, the steps of Gauss and Newton nearby."""
    found = np.full(start.shape, np.nan)
    at = start.copy()
    error = np.where(valid, wanted - model(at), 0.0)
    cost, damping, scale = total(error**2), np.full(start.shape[1], CAUTION), np.zeros(start.shape)
    on = np.flatnonzero(np.isfinite(cost))
    for _ in range(MOST_STEPS):
        if not on.size:
            break
        slopes = np.where(valid[:, on], jacobian(model, at[:, on]), 0.0)
        scale[:, on] = np.maximum(scale[:, on], np.sqrt(np.stack([total(s**2) for s in slopes])))
        weight = np.where(scale[:, on] > 0, scale[:, on], 1.0)
        step = solve(damped(slopes, weight * np.sqrt(damping[on])), padded(error[:, on], len(at)))
        moved = at[:, on] + step
        new_error = np.where(valid[:, on], wanted[:, on] - model(moved), 0.0)
        new_cost = total(new_error**2)
        better = new_cost <= cost[on] * (1 + NOISE)
        small = np.sqrt(total((weight * step) ** 2)) <= CLOSE * np.sqrt(total((weight * moved) ** 2))
        took = on[better]
        at[:, took], error[:, took], cost[took] = moved[:, better], new_error[:, better], new_cost[better]
        damping[on] = np.clip(damping[on] * np.where(better, 0.1, 10.0), 1e-20, 1e20)
        ended = small | (cost[on] == 0)
        found[:, on[ended]] = at[:, on[ended]]
        on = on[~ended]
    return found


def jacobian(model: Model, at: np.ndarray) -> np.ndarray:
    """The slopes (p, n, m) of the model: central differences."""
    slopes = []
    for i, parameter in enumerate(at):
        step = NUDGE * np.where(parameter == 0, 1.0, np.abs(parameter))
        up, down = at.copy(), at.copy()
        up[i], down[i] = parameter + step, parameter - step
        slopes.append((model(up) - model(down)) / (up[i] - down[i]))
    return np.stack(slopes)


def damped(slopes: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The slopes with one more observation for each parameter, which wants it to stay where it is."""
    count = len(slopes)
    stay = np.zeros((count, count, slopes.shape[2]))
    stay[np.arange(count), np.arange(count)] = weight
    return np.concatenate([slopes, stay], axis=1)


def padded(error: np.ndarray, count: int) -> np.ndarray:
    """The errors with zeros for the observations that damping adds."""
    return np.concatenate([error, np.zeros((count, error.shape[1]))])
