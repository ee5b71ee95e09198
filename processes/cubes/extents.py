"""How far windows reach along a dimension: cells, metres, or durations, as ranges of labels."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cftime  # type: ignore[import-untyped]
import numpy as np
import xarray as xr

from processes.cubes import axes, places
from processes.cubes.periods import DAY, EPOCH, Instants, dates, instants
from processes.errors import DimensionNotAvailable, ProcessParameterInvalid

DURATION = re.compile(
    r"P(?=\d|T\d)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)([DW]))?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?"
)

FAR = 4096
"""An overlap of so many cells may be wider than the cube."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How far something reaches: so many cells, or, in time, so many months and microseconds."""

    cells: int = 0
    months: int = 0
    micros: int = 0

    @property
    def lasts(self) -> bool:
        """Is it a duration?"""
        return bool(self.months or self.micros)


@dataclass(frozen=True, slots=True)
class Window:
    """A range of labels that a child graph computes, with the labels around it that it sees."""

    low: int
    """The first label that is seen; below 0 it is beyond the cube."""
    start: int
    """The first label that is computed."""
    stop: int
    """The one after the last that is computed."""
    high: int
    """The one after the last that is seen; may be beyond the cube."""


def reaches(
    given: Sequence[Mapping[str, Any]] | None, cube: xr.DataArray, parameter: str
) -> dict[str, Reach]:
    """What is said of dimensions, by their names; those of which nothing is said are missing."""
    found: dict[str, Reach] = {}
    for entry in given or ():
        name = str(entry.get("dimension"))
        if name not in cube.dims:
            raise DimensionNotAvailable(
                f"there is no dimension {name!r}; the cube has {axes.listing(cube)}", parameter=parameter
            )
        if name in found:
            raise ProcessParameterInvalid(f"dimension {name!r} is named twice", parameter=parameter)
        if entry.get("value") is not None:
            found[name] = reach(entry["value"], entry.get("unit"), cube, name, parameter)
    return found


def reach(value: Any, unit: str | None, cube: xr.DataArray, dim: str, parameter: str) -> Reach:
    """One measure along a dimension."""
    if isinstance(value, str):
        return duration(value, cube, dim, parameter)
    if unit not in (None, "px", "m") or isinstance(value, bool) or not 0 <= value < float("inf"):
        raise ProcessParameterInvalid(
            f"{value!r} {unit or ''} is no size along {dim!r}",
            hint='Give a number of cells with the unit "px", of metres with "m", or a duration such as "P10D".',
            parameter=parameter,
        )
    if unit == "px":
        return Reach(cells=whole(value, f"{value} px", dim, parameter))
    if axes.kind(cube, dim) != "spatial":
        raise ProcessParameterInvalid(
            f"{value} along {dim!r} ({axes.kind(cube, dim)}) has to be "
            + ('a duration, or to have the unit "px"' if axes.kind(cube, dim) == "temporal" else 'in "px"'),
            parameter=parameter,
        )
    step = abs(places.spacing(cube.coords[dim].values, dim))
    metres = metres_per_unit(cube, dim, parameter) if unit == "m" else 1.0
    shown = f"{value} {unit or 'units'} with cells of {step * metres:g}"
    return Reach(cells=whole(value / (step * metres), shown, dim, parameter))


def whole(cells: float, shown: str, dim: str, parameter: str) -> int:
    """A number of cells that comes out even."""
    if abs(cells - round(cells)) > 1e-6 * max(1.0, cells):
        raise ProcessParameterInvalid(
            f"{shown} along {dim!r} is {cells:g} cells, which is no whole number", parameter=parameter
        )
    return round(cells)


def metres_per_unit(cube: xr.DataArray, dim: str, parameter: str) -> float:
    """How long a unit of the CRS is."""
    crs = places.crs_of(cube)
    if crs is None or not crs.is_projected:
        raise ProcessParameterInvalid(
            f"the labels of {dim!r} are in {'degrees' if crs is not None else 'unknown units'}, not in metres",
            hint='Give the size in "px".',
            parameter=parameter,
        )
    return float(crs.axis_info[0].unit_conversion_factor)


def duration(text: str, cube: xr.DataArray, dim: str, parameter: str) -> Reach:
    """A duration of ISO 8601, along a temporal dimension."""
    found = DURATION.fullmatch(text)
    if found is None or axes.kind(cube, dim) != "temporal":
        raise ProcessParameterInvalid(
            f"{text!r} is no size along {dim!r} ({axes.kind(cube, dim)})",
            hint='Durations are for temporal dimensions: "P10D", "P1M", "PT6H".',
            parameter=parameter,
        )
    years, months, days, weeks, hours, minutes, seconds = found.groups()
    micros = int(days or 0) * (7 if weeks == "W" else 1) * DAY
    micros += (int(hours or 0) * 60 + int(minutes or 0)) * 60_000_000 + round(float(seconds or 0) * 1e6)
    return Reach(months=int(years or 0) * 12 + int(months or 0), micros=micros)


# -------------------------------------------------------------------------------------------- windows
def windows(cube: xr.DataArray, dim: str, size: Reach | None, overlap: Reach | None) -> tuple[Window, ...]:
    """The windows along a dimension, side by side; the last one may be shorter.

    Those of a duration are counted from the first label; where none of the labels is in one, it is left out.
    """
    count = cube.sizes[dim]
    around = overlap or Reach()
    times = None
    if around.cells > max(FAR, count):
        raise ProcessParameterInvalid(
            f"an overlap of {around.cells:,} cells is wider than the cube: {dim!r} has {count}",
            parameter="overlap",
        )
    if (size and size.lasts) or around.lasts:
        times = instants(cube.coords[dim].values, dim)
        if (np.diff(times.micros) < 0).any():
            raise ProcessParameterInvalid(f"the labels of {dim!r} are not in order", parameter="data")
    if size is None:
        edges = [(0, count)] if count else []
    elif size.lasts:
        assert times is not None
        return lasting(times, size, around)
    elif size.cells < 1:
        raise ProcessParameterInvalid(f"the size along {dim!r} has to be more than nothing", parameter="size")
    else:
        edges = [(a, min(a + size.cells, count)) for a in range(0, count, size.cells)]
    if times is None or not around.lasts:
        return tuple(Window(a - around.cells, a, b, b + around.cells) for a, b in edges)
    first = np.array([times.micros[a] for a, _ in edges])
    last = np.array([times.micros[b - 1] for _, b in edges])
    lows = np.searchsorted(times.micros, moved(first, times.calendar, around, -1), "left")
    highs = np.searchsorted(times.micros, moved(last, times.calendar, around, 1), "right")
    return tuple(Window(int(lo), a, b, int(hi)) for (a, b), lo, hi in zip(edges, lows, highs, strict=True))


def lasting(times: Instants, size: Reach, around: Reach) -> tuple[Window, ...]:
    """Windows of a duration, one after the other from the first label on."""
    if not len(times.micros):
        return ()
    starts, ends = month_windows(times, size) if size.months else even_windows(times, size.micros)
    first, after = (np.searchsorted(times.micros, edge, "left") for edge in (starts, ends))
    if around.lasts:
        low = np.searchsorted(times.micros, moved(starts, times.calendar, around, -1), "left")
        high = np.searchsorted(times.micros, moved(ends, times.calendar, around, 1), "left")
    else:
        low, high = first - around.cells, after + around.cells
    found = np.stack([low, first, after, high], axis=1).tolist()
    return tuple(Window(*w) for w in found if w[1] < w[2])


def even_windows(times: Instants, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Starts and ends of the windows of equal length that have labels."""
    starts = times.micros[0] + np.unique((times.micros - times.micros[0]) // length) * length
    return starts, starts + length


def month_windows(times: Instants, size: Reach) -> tuple[np.ndarray, np.ndarray]:
    """Starts and ends of the windows of so many months (and more), up to the last label."""
    origin = times.micros[:1]
    most = int(times.micros[-1] - origin[0]) // (size.months * 27 * DAY + size.micros) + 2
    edges = np.concatenate([moved(origin, times.calendar, size, k) for k in range(most + 1)])
    return edges[:-1], edges[1:]


def moved(micros: np.ndarray, calendar: str, by: Reach, times: int) -> np.ndarray:
    """Instants so many durations later; a day that the month has not becomes its last one."""
    out = micros + by.micros * times
    if not by.months:
        return out
    days, clock = np.divmod(micros, DAY)
    year, month, day = dates(days, calendar).T
    months = year * 12 + month - 1 + by.months * times
    first = month_starts(months, calendar)
    length = month_starts(months + 1, calendar) - first
    return (first + np.minimum(day, length) - 1) * DAY + clock + by.micros * times


def month_starts(months: np.ndarray, calendar: str) -> np.ndarray:
    """The first day of months (counted from the year 0), in days since 1970-01-01."""
    if calendar == "standard":
        return (months - 1970 * 12).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    starts = (cftime.datetime(int(m) // 12, int(m) % 12 + 1, 1, calendar=calendar) for m in months)
    return np.array([int(cftime.date2num(s, EPOCH, calendar=calendar)) // DAY for s in starts])


def going_on(labels: np.ndarray, before: int, after: int) -> np.ndarray:
    """Labels that go on evenly beyond their ends."""
    if not before and not after:
        return labels
    steps = np.arange(-before, 0), np.arange(1, after + 1)
    if labels.dtype.kind in "iufM":
        one = np.timedelta64(DAY, "us") if labels.dtype.kind == "M" else 1
        step = (labels[-1] - labels[0]) / (len(labels) - 1) if len(labels) > 1 else one
        return np.concatenate([labels[0] + step * steps[0], labels, labels[-1] + step * steps[1]])
    more = np.empty(before + len(labels) + after, dtype=object)
    more[:] = [f"before {-k}" for k in steps[0]] + list(labels) + [f"after {k}" for k in steps[1]]
    return more if labels.dtype.kind == "O" else more.astype(str)
