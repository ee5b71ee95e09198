"""openEO processes as plain functions: one function is one process, `REGISTRY` is the table of all."""

from processes import arrays, comparison, cumulative, dates, logic, math, reducers, sorting, texts, validity
from processes.cubes import (
    aggregate,
    apply,
    climatology,
    dimensions,
    filters,
    indices,
    masks,
    merge,
    resample,
    sinks,
    sources,
    temporal,
    vectors,
    windows,
)
from processes.registry import gather

FAMILIES = (
    math, comparison, logic, validity, reducers, cumulative, sorting, arrays, dates, texts,
    sources, sinks, dimensions, filters, apply, windows, temporal, climatology, aggregate, masks, merge, resample,
    indices, vectors,
)  # fmt: skip

REGISTRY = gather(FAMILIES)
"""Every process by its id."""

__all__ = ["FAMILIES", "REGISTRY"]
