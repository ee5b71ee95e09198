"""Climatological normals and what differs from them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
import xarray as xr

from processes.cubes import axes
from processes.cubes.groups import grouped
from processes.cubes.merge import merge_cubes
from processes.cubes.periods import (
    PERIODS,
    RFC3339,
    SEASONS,
    TROPICAL,
    calendar_of,
    check_period,
    first_days,
    instants,
    one_temporal,
    period_names,
)
from processes.errors import IncompatibleDataCubes, ProcessParameterInvalid
from processes.mixing import along
from processes.reducers import mean
from processes.registry import process
from processes.types import AnyValue, Schema, TemporalCube
from processes.values import join, split
from processes.widths import summable

NORMALS = ("day", "month", "season", "tropical-season", "climatology-period")
SINGLE = ("climatology-period", "single-period")
NormalPeriod = Annotated[str, Schema({"type": "string", "enum": list(NORMALS)})]
AnomalyPeriod = Annotated[str, Schema({"type": "string", "enum": [*PERIODS, *SINGLE]})]
Years = Annotated[
    Sequence[int],
    Schema(
        {
            "type": "array",
            "uniqueItems": True,
            "minItems": 2,
            "maxItems": 2,
            "items": {"type": "integer", "subtype": "year"},
        }
    ),
]

LABEL = {
    "hour": re.compile(r"\d{4,}-\d\d-\d\d-(\d\d)"),
    "day": re.compile(r"\d{4,}-(\d{3})"),
    **dict.fromkeys(("week", "dekad", "month"), re.compile(r"\d{4,}-(\d\d)")),
    "season": re.compile(rf"\d{{4,}}-({'|'.join(SEASONS)})"),
    "tropical-season": re.compile(rf"\d{{4,}}-({'|'.join(TROPICAL)})"),
    **dict.fromkeys(("year", "decade", "decade-ad"), re.compile(r"(\d{4,})")),
}
"""The labels of periods; the group is what they share with the labels of normals."""
AHEAD = {"djf": {12}, "ndjfma": {11, 12}}
"""Seasons that begin in the year before, with the months that they need of it."""


@process("cubes", "climatology", mixes=along("t"))
def climatological_normal(
    data: TemporalCube,
    period: NormalPeriod,
    climatology_period: Years = [1981, 2010],  # noqa: B006 (never changed)
) -> TemporalCube:
    """The mean over many years, for each period of the year

    No-data is left out of the mean. A season that begins in the year before belongs to the year that it ends in:
    the first one counts only where the cube has values for its months of the year before, and the one that the last
    year begins does not count.

    Args:
        data: A cube with one temporal dimension, which covers the climatology period. Its labels are dates, or
            what `aggregate_temporal_period()` makes for the same period.
        period: The periods that there is a mean for: each `day` or `month` of the year, each `season` of three months,
            each `tropical-season` of six, or all years together (`climatology-period`).
        climatology_period: The first and the last year, both included as a whole.

    Returns:
        The cube with one label for each period: `001` to `365` (and `366` where a leap year has it), `01` to `12`,
        `djf`, `mam`, `jja`, `son`, or `ndjfma`, `mjjaso`, or `climatology-period`.
    """
    check_period(period, NORMALS)
    dim = one_temporal(data, None)
    values = data.coords[dim].values
    first, last = years_of(climatology_period)
    names = labels_for(values, period, dim, "data")
    keys = np.array([key_of(name, period, dim, "data") for name in names], dtype=str)
    years = np.array([year_of(name, dim) for name in names], dtype=int)
    covered(years if are_periods(values) else instants(values, dim).dates[:, 0], first, last, dim)
    counted = (years >= first) & (years <= last)
    for season, needed in AHEAD.items() if period in ("season", "tropical-season") else ():
        early = keys == season
        counted[early] = (years[early] >= first) & (years[early] < last)
        if months_ahead(values, dim, first - 1, names, season) >= needed:
            counted |= early & (years == first - 1)
        else:
            counted &= ~(early & (years == first - 1))
    wanted = np.array(all_keys(period, keys[counted], calendar_of(values)), dtype=str)
    groups = tuple(np.flatnonzero(counted & (keys == key)) for key in wanted)
    return grouped(data, dim, groups, wanted, average, None)


@process("climatology", "cubes", "math", mixes=along("t", "x", "y", "bands").over("data", "normals"))
def anomaly(data: TemporalCube, normals: TemporalCube, period: AnomalyPeriod) -> TemporalCube:
    """What differs from the normal

    From the values at each label the normal of the same period of the year is subtracted.

    Args:
        data: A cube with one temporal dimension, whose labels are dates, or what `aggregate_temporal_period()` makes
            for the same period.
        normals: A cube of normals, with labels like those of the data without the year (`01` to `12` for months,
            `djf` and so on for seasons); for years and decades the year itself, for `climatology-period` and
            `single-period` one label of any name. `climatological_normal()` makes such a cube.
        period: The periods that the normals stand for, as in `aggregate_temporal_period()`; `climatology-period` and
            `single-period` stand for one of any length.

    Returns:
        The differences; no-data where the data or the normal is no-data.
    """
    check_period(period, (*PERIODS, *SINGLE))
    dim, normal_dim = one_temporal(data, None), one_temporal(normals, None, "normals")
    places = normal_places(data.coords[dim].values, normals, dim, normal_dim, period)
    counted = (dim, np.arange(len(places)), {"type": "other"})  # as labels: two dates may be the same
    fitting = alone(normals, normal_dim).isel({normal_dim: places})
    fitting = fitting.rename({normal_dim: dim} if normal_dim != dim else {}).assign_coords({dim: counted})
    data, times = alone(data, dim).assign_coords({dim: counted}), data.coords[dim].variable
    for other in (str(d) for d in fitting.dims):
        if other not in data.dims:
            raise IncompatibleDataCubes(
                f"the normals have the dimension {other!r}, the data has {axes.listing(data)}",
                parameter="normals",
            )
        if axes.kind(data, other) != "spatial" and axes.labels(fitting, other) != axes.labels(data, other):
            raise IncompatibleDataCubes(
                f"data and normals have different labels along {other!r}", parameter="normals"
            )
    return merge_cubes(data, fitting, minus).assign_coords({dim: times})


def alone(cube: xr.DataArray, dim: str) -> xr.DataArray:
    """The cube without any coordinates along that dimension."""
    return cube.drop_vars([n for n, c in cube.coords.items() if dim in c.dims])


def average(data: Any, context: AnyValue = None) -> Any:
    """The mean of a group."""
    return mean(data)


def minus(x: Any, y: Any, context: AnyValue = None) -> Any:
    """The difference of cells; null where either is null."""
    (a, no_a), (b, no_b) = split(x), split(y)
    a, b = summable(a, b)
    return join(a - b, no_a | no_b, x, y)


def years_of(climatology_period: Sequence[int]) -> tuple[int, int]:
    """The first and the last year."""
    if len(climatology_period) == 2 and climatology_period[0] <= climatology_period[1]:
        return int(climatology_period[0]), int(climatology_period[1])
    raise ProcessParameterInvalid(
        f"a first and a last year are needed; there is {list(climatology_period)}",
        hint="Write [1991, 2020].",
        parameter="climatology_period",
    )


def covered(years: np.ndarray, first: int, last: int, dim: str) -> None:
    """Refuse a cube that does not reach from the first year to the last one."""
    if not len(years) or years.min() > first or years.max() < last:
        there = f"goes from {years.min()} to {years.max()}" if len(years) else "is empty"
        raise ProcessParameterInvalid(
            f"the climatology period is {first} to {last}, and {dim!r} {there}",
            hint="Load more years, or give the climatology_period that there is.",
            parameter="climatology_period",
        )


def labels_for(values: np.ndarray, period: str, dim: str, parameter: str) -> list[str]:
    """The label of the period for each label of the cube; labels of periods stand for themselves."""
    if are_periods(values):
        return [str(v) for v in values]
    return period_names(instants(values, dim, parameter), "year" if period in SINGLE else period)


def are_periods(values: np.ndarray) -> bool:
    """Are these labels texts that name periods, rather than dates?"""
    texts = values.dtype.kind in "UO" and all(isinstance(v, str) for v in values)
    return texts and not all(RFC3339.fullmatch(v) for v in values)


def year_of(name: str, dim: str) -> int:
    """The year that the label of a period begins with."""
    found = re.match(r"\d{4,}(?=-|$)", name)
    if found is None:
        raise ProcessParameterInvalid(
            f"the label {name!r} of {dim!r} does not begin with a year", parameter="data"
        )
    return int(found[0])


def key_of(name: str, period: str, dim: str, parameter: str) -> str:
    """The part of a label that names the period of the year."""
    if period in SINGLE:
        return period
    found = LABEL[period].fullmatch(name)
    if found is None:
        raise ProcessParameterInvalid(
            f"the label {name!r} of {dim!r} is neither a date nor a label of the period {period!r}",
            hint=f'Aggregate the cube with aggregate_temporal_period(period="{period}") first.',
            parameter=parameter,
        )
    return found[1]


def months_ahead(values: np.ndarray, dim: str, year: int, names: Sequence[str], season: str) -> set[int]:
    """The months of a year that the cube has values for, as far as a season needs them."""
    if f"{year:04d}-{season}" not in names:
        return set()
    if are_periods(values):
        return AHEAD[season]  # labels of seasons: what is there is whole
    found = instants(values, dim).dates
    return set(found[found[:, 0] == year, 1].tolist()) & AHEAD[season]


def all_keys(period: str, found: np.ndarray, calendar: str | None) -> list[str]:
    """The labels of the normals, also of those that there is no value for."""
    if period == "month":
        return [f"{m:02d}" for m in range(1, 13)]
    if period == "season":
        return list(SEASONS)
    if period == "tropical-season":
        return list(TROPICAL)
    if period in SINGLE:
        return [period]
    start, after = first_days(np.array([1999, 2000]), calendar or "standard")
    usual = [f"{d:03d}" for d in range(1, int(after - start) + 1)]
    return usual + sorted(set(found.tolist()) - set(usual))


def normal_places(
    values: np.ndarray, normals: xr.DataArray, dim: str, normal_dim: str, period: str
) -> np.ndarray:
    """Where the normal of each label is."""
    given = normals.coords[normal_dim].values.tolist()
    if period in SINGLE:
        if len(given) != 1:
            raise ProcessParameterInvalid(
                f"for {period!r} the normals have one label; they have {len(given)}", parameter="normals"
            )
        return np.zeros(len(values), dtype=int)
    keys = [key_of(name, period, dim, "data") for name in labels_for(values, period, dim, "data")]
    width = max(map(len, keys), default=0)
    known = {(str(g) if isinstance(g, str) else f"{int(g):0{width}d}"): i for i, g in enumerate(given)}
    if missing := [k for k in keys if k not in known]:
        raise ProcessParameterInvalid(
            f"there is no normal {missing[0]!r}; the normals are {', '.join(list(known)[:12])}",
            hint="Compute the normals from years that have it, or filter the data.",
            parameter="normals",
        )
    return np.array([known[k] for k in keys], dtype=int)
