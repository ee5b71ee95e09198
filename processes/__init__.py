"""openEO processes as plain functions: one function is one process, `REGISTRY` is the table of all."""

from processes import (
    arrays,
    comparison,
    cumulative,
    dates,
    logic,
    math,
    outside,
    reducers,
    series,
    sorting,
    texts,
    trigonometry,
    validity,
)
from processes.cubes import (
    aggregate,
    apply,
    atmosphere,
    climatology,
    clouds,
    convolution,
    curves,
    dimensions,
    exchange,
    filters,
    folding,
    indices,
    learning,
    logs,
    masks,
    merge,
    neighborhoods,
    polygons,
    remote,
    resample,
    sampling,
    sar,
    segments,
    sinks,
    sources,
    temporal,
    udf,
    vectors,
    windows,
)
from processes.registry import gather

FAMILIES = (
    math, trigonometry, comparison, logic, validity, reducers, cumulative, sorting, arrays, series, dates, texts,
    sources, sinks, dimensions, folding, filters, apply, convolution, windows, neighborhoods, segments, temporal,
    climatology, aggregate, masks, polygons, merge, resample, indices, vectors, udf, curves, learning, sampling, logs,
    exchange, remote, clouds, atmosphere, sar, outside,
)  # fmt: skip

REGISTRY = gather(FAMILIES)
"""Every process by its id."""

__all__ = ["FAMILIES", "REGISTRY"]
