"""openEO processes as plain functions: one function is one process, `REGISTRY` is the table of all."""

from processes import arrays, comparison, logic, math, reducers
from processes.cubes import aggregate, apply, filters, indices, masks, merge, resample, sinks, sources
from processes.registry import gather

FAMILIES = (
    math, comparison, logic, reducers, arrays,
    sources, sinks, filters, apply, masks, merge, indices, aggregate, resample,
)  # fmt: skip

REGISTRY = gather(FAMILIES)
"""Every process by its id."""

__all__ = ["FAMILIES", "REGISTRY"]
