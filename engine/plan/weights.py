"""How dear processes are: measured once, against an addition and in bytes, so that costs can be told beforehand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from engine.graph.model import needed_for
from engine.kernel.callback import Callback
from processes.cubes.indices import Difference
from processes.cubes.masks import Masking
from processes.cubes.merge import Merging
from processes.cubes.resample import Recode
from processes.recipes import Cast

WEIGHTS: Mapping[str, float] = {
    "array_element": 0, "constant": 0, "add": 1, "subtract": 1, "multiply": 1, "divide": 1, "lt": 1, "lte": 1,
    "gt": 1, "gte": 1, "eq": 1, "neq": 1, "or": 2, "and": 2, "count": 1, "max": 1, "min": 1, "sum": 1, "product": 1,
    "mean": 2, "normalized_difference": 2, "linear_scale_range": 4, "cumsum": 4, "median": 10, "quantiles": 10,
    "sd": 16, "variance": 16, "sort": 23, "order": 23, "array_interpolate_linear": 27,
    "near": 1, "bilinear": 2.5, "cubic": 4, "cubicspline": 4, "lanczos": 8,
}  # fmt: skip
"""Seconds of a process for each number that goes in, over those of an addition; of warps, over those of the nearest."""
CURVED: Mapping[str, float] = {
    "exp": 2, "log": 2, "log2": 5, "log10": 5, "power": 4, "sin": 4, "cos": 4, "tan": 8,
    "arcsin": 5, "arccos": 5, "arctan": 9, "arctan2": 8, "sinh": 8, "cosh": 8, "tanh": 12, "arcsinh": 5, "arccosh": 4, "arctanh": 5,
}  # fmt: skip
"""Seconds of a function in a kernel, by NumPy's name, over those that a kernel takes for a number that goes in."""
CURVE = re.compile(r"np\.(\w+)\(")
USUAL = 4.0
"""The weight of what is not in the table."""
HUNGER: Mapping[str, float] = {
    **dict.fromkeys(("add", "subtract", "multiply", "divide", "normalized_difference"), 10),
    **dict.fromkeys(("lt", "lte", "gt", "gte", "eq", "neq", "and", "or", "not", "min", "max", "count"), 8),
    "mean": 18, "sum": 18, "sd": 18, "variance": 18, "cumsum": 18, "sort": 20, "linear_scale_range": 22,
    "array_interpolate_linear": 100,
}  # fmt: skip
"""Bytes that a process has at hand for each number that goes in."""
MOST = 25.0
"""The same of what is not in the table: masks, copies as float64, places."""
KEPT = 9.0
"""Bytes of a number of one more node of a child graph, with its mask: they are kept until the graph has run."""

PLAIN: Mapping[type, tuple[float, float]] = {
    Cast: (1, 8), Masking: (1, 8), Recode: (2, 16), Difference: (3, 16), Merging: (4, 16),
}  # fmt: skip
"""Weight, and bytes at hand for each number, of steps without a child graph."""


@lru_cache(maxsize=4096)
def curved(text: str) -> tuple[float, float]:
    """Weights of the transcendental functions in a kernel: of those for each date, and of those for each result."""
    for_dates, _, for_results = text.partition("line = out[")
    dates, results = (sum(CURVED.get(f, 0.0) for f in CURVE.findall(t)) for t in (for_dates, for_results))
    return dates, results


def processes_of(fn: Any) -> list[str]:
    """The processes of the child graph of a step."""
    for name in ("process", "reducer", "resolver"):
        callback = getattr(fn, name, None)
        if isinstance(callback, Callback):
            needed = needed_for(callback.graph, [callback.graph.result])
            return [callback.graph[n].process for n in callback.graph if n in needed]
    return []


def weight(step: Any) -> float:
    """How often dearer than an addition a step is, or a method of warping than the nearest cell."""
    if isinstance(step, str):
        return WEIGHTS.get(step, USUAL)
    if type(step) in PLAIN and not processes_of(step):
        return PLAIN[type(step)][0]
    inside = processes_of(step)
    return 1 + sum(WEIGHTS.get(p, USUAL) for p in inside) if inside else USUAL


def hunger(step: Any) -> float:
    """Bytes that a step has at hand for each number that goes in."""
    if type(step) in PLAIN and not processes_of(step):
        return PLAIN[type(step)][1]
    inside = [p for p in processes_of(step) if p != "array_element"]
    return max([HUNGER.get(p, MOST) for p in inside], default=MOST) + KEPT * max(0, len(inside) - 1)
