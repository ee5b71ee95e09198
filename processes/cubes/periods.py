"""Time as calendars count it: the labels of a dimension as instants, and the periods that they fall in.

Times are counted in whole numbers, so that periods are found for all labels at once: days since 1970-01-01 of the
label's own calendar, months since the year 0. A calendar is `standard` or one of CF (`noleap`, `360_day`, ...).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cftime  # type: ignore[import-untyped]
import numpy as np
import xarray as xr

from processes.cubes import axes
from processes.errors import DimensionNotAvailable, ProcessParameterInvalid, TooManyDimensions

EPOCH = "microseconds since 1970-01-01"
DAY = 86_400_000_000
"""Microseconds."""
REAL = ("standard", "gregorian", "proleptic_gregorian")
"""Calendars whose days since 1970 are those of everyday life."""
RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):?(\d\d))?)?"
)


@dataclass(frozen=True)
class Instants:
    """The labels of a temporal dimension, as moments of one calendar."""

    micros: np.ndarray
    """Microseconds since 1970-01-01 in that calendar."""
    calendar: str

    @property
    def days(self) -> np.ndarray:
        """Days since 1970-01-01."""
        return self.micros // DAY

    @property
    def dates(self) -> np.ndarray:
        """Year, month and day of each, as three columns."""
        return dates(self.days, self.calendar)


def one_temporal(cube: xr.DataArray, name: str | None, parameter: str = "data") -> str:
    """The temporal dimension of that name, or the only one."""
    found = axes.temporal(cube, name)
    if not found:
        raise DimensionNotAvailable(
            f"no dimension is temporal; the cube has {axes.listing(cube)}", parameter=parameter
        )
    if len(found) > 1:
        raise TooManyDimensions(
            f"the dimensions {', '.join(found)} are all temporal",
            hint=f'Say which one is meant, for example dimension="{found[0]}".',
            parameter=parameter,
        )
    if found[0] not in cube.coords:
        raise ProcessParameterInvalid(f"dimension {found[0]!r} has no labels", parameter=parameter)
    return found[0]


def calendar_of(values: np.ndarray) -> str | None:
    """The calendar of labels; `None` where they are no dates."""
    if values.dtype.kind == "M":
        return "standard"
    kinds = {getattr(v, "calendar", None) for v in values.ravel()} if values.dtype.kind == "O" else {None}
    calendar = kinds.pop() if len(kinds) == 1 else None
    return "standard" if calendar in REAL else calendar


def instants(values: np.ndarray, name: str, parameter: str = "data") -> Instants:
    """Labels of a dimension as instants; refuses labels that are no dates."""
    if values.dtype.kind == "M":
        if np.isnat(values).any():
            raise ProcessParameterInvalid(f"{name!r} has a label without a time (NaT)", parameter=parameter)
        return Instants(values.astype("datetime64[us]").astype(np.int64), "standard")
    if values.dtype.kind in "UO" and all(isinstance(v, str) and RFC3339.fullmatch(v) for v in values):
        return Instants(np.array([instant(v, "standard", parameter) for v in values], np.int64), "standard")
    calendar = calendar_of(values)
    if calendar is None:
        shown = ", ".join(repr(v) for v in values.tolist()[:3])
        raise ProcessParameterInvalid(
            f"the labels of {name!r} are no dates ({shown})",
            hint="Do this before the dates are aggregated to periods.",
            parameter=parameter,
        )
    counted = [cftime.date2num(v, EPOCH, calendar=v.calendar) for v in values]
    return Instants(np.array(counted, dtype=np.int64), calendar)


def instant(text: Any, calendar: str, parameter: str) -> int:
    """A date or time of RFC 3339 in microseconds since 1970-01-01; without a time zone it is UTC."""
    found = RFC3339.fullmatch(str(text))
    if found is None:
        raise ProcessParameterInvalid(
            f"{text!r} is no date or time of RFC 3339",
            hint='Write "2022-06-01" or "2022-06-01T10:00:00Z".',
            parameter=parameter,
        )
    year, month, day, hour, minute, second = (int(g or 0) for g in found.groups()[:6])
    try:
        date = cftime.datetime(year, month, day, calendar=_cf_name(calendar))
        if hour > 23 or minute > 59 or second > 59:
            raise ValueError
    except ValueError:
        raise ProcessParameterInvalid(
            f"there is no {text!r} in the calendar {calendar!r}", parameter=parameter
        ) from None
    days = int(cftime.date2num(date, "days since 1970-01-01", calendar=_cf_name(calendar)))
    seconds = (hour * 60 + minute) * 60 + second
    offset = (int(found[9] or 0) * 60 + int(found[10] or 0)) * (-60 if found[8] == "-" else 60)
    fraction = int(((found[7] or "") + "000000")[:6])
    return days * DAY + (seconds - offset) * 1_000_000 + fraction


def labels_at(micros: list[int], calendar: str, parameter: str) -> np.ndarray:
    """Instants as labels of a dimension: datetime64[ns], or dates of a CF calendar."""
    if calendar == "standard":
        times = np.array(micros, dtype="datetime64[us]")
        fine = times.astype("datetime64[ns]")
        if (fine.astype("datetime64[us]") != times).any():
            raise ProcessParameterInvalid(
                f"{times[fine.astype('datetime64[us]') != times][0]} is too far away to be a label",
                hint="Give labels of your own.",
                parameter=parameter,
            )
        return fine
    out = np.empty(len(micros), dtype=object)
    out[:] = [cftime.num2date(m, EPOCH, calendar=calendar) for m in micros]
    return out


def dates(days: np.ndarray, calendar: str) -> np.ndarray:
    """Days since 1970-01-01 as year, month and day, in three columns."""
    if calendar == "standard":
        whole = np.asarray(days).astype("datetime64[D]")
        months = whole.astype("datetime64[M]")
        month = months.astype(np.int64)
        return np.stack([month // 12 + 1970, month % 12 + 1, (whole - months).astype(np.int64) + 1], axis=-1)
    found = [cftime.num2date(int(d), "days since 1970-01-01", calendar=calendar) for d in days]
    return np.array([(d.year, d.month, d.day) for d in found], dtype=np.int64).reshape(len(found), 3)


def first_days(years: np.ndarray, calendar: str) -> np.ndarray:
    """The first of January of each year, in days since 1970-01-01."""
    if calendar == "standard":
        return (np.asarray(years) - 1970).astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64)
    starts = (cftime.datetime(int(y), 1, 1, calendar=calendar) for y in years)
    return np.array([round(cftime.date2num(s, "days since 1970-01-01", calendar=calendar)) for s in starts])


def _cf_name(calendar: str) -> str:
    return "proleptic_gregorian" if calendar == "standard" else calendar


# ------------------------------------------------------------------------------------------- periods
Count = Callable[[Instants], np.ndarray]
"""Times -> the running number of the period that each falls in."""
Name = Callable[[np.ndarray, str], list[str]]
"""Running numbers, calendar -> the labels of these periods."""

SEASONS = ("djf", "mam", "jja", "son")
TROPICAL = ("ndjfma", "mjjaso")


def _months(t: Instants) -> np.ndarray:
    year, month, _ = t.dates.T
    return np.asarray(year * 12 + month - 1)


def _dekads(t: Instants) -> np.ndarray:
    return np.asarray(_months(t) * 3 + np.minimum((t.dates[:, 2] - 1) // 10, 2))


def _years(t: Instants) -> np.ndarray:
    return np.asarray(t.dates[:, 0])


def _hour_names(hours: np.ndarray, calendar: str) -> list[str]:
    return [
        f"{y:04d}-{m:02d}-{d:02d}-{h:02d}"
        for (y, m, d), h in zip(dates(hours // 24, calendar).tolist(), (hours % 24).tolist(), strict=True)
    ]


def _day_names(days: np.ndarray, calendar: str) -> list[str]:
    years = dates(days, calendar)[:, 0]
    numbers = days - first_days(years, calendar) + 1
    return [f"{y:04d}-{n:03d}" for y, n in zip(years.tolist(), numbers.tolist(), strict=True)]


def _week_names(weeks: np.ndarray, calendar: str) -> list[str]:
    thursdays = weeks * 7  # a week belongs to the year that its Thursday is in; 1970-01-01 was one
    years = dates(thursdays, calendar)[:, 0]
    numbers = (thursdays - first_days(years, calendar)) // 7 + 1
    return [f"{y:04d}-{n:02d}" for y, n in zip(years.tolist(), numbers.tolist(), strict=True)]


def _numbered(per_year: int) -> Name:
    return lambda counts, _: [f"{c // per_year:04d}-{c % per_year + 1:02d}" for c in counts.tolist()]


def _named(names: tuple[str, ...], first: int) -> Name:
    """Seasons; the first of `names` starts so many months before or after the new year."""
    length = 12 // len(names)
    return lambda counts, _: [
        f"{(c * length + first) // 12:04d}-{names[c % len(names)]}" for c in counts.tolist()
    ]


PERIODS: dict[str, tuple[Count, Name]] = {
    "hour": (lambda t: t.micros // (DAY // 24), _hour_names),
    "day": (lambda t: t.days, _day_names),
    "week": (lambda t: (t.days + 3) // 7, _week_names),
    "dekad": (_dekads, _numbered(36)),
    "month": (_months, _numbered(12)),
    "season": (lambda t: (_months(t) + 1) // 3, _named(SEASONS, -1)),
    "tropical-season": (lambda t: (_months(t) + 2) // 6, _named(TROPICAL, -2)),
    "year": (_years, lambda counts, _: [f"{c:04d}" for c in counts.tolist()]),
    "decade": (lambda t: _years(t) // 10, lambda counts, _: [f"{c * 10:04d}" for c in counts.tolist()]),
    "decade-ad": (
        lambda t: (_years(t) - 1) // 10,
        lambda counts, _: [f"{c * 10 + 1:04d}" for c in counts.tolist()],
    ),
}
"""For each period of openEO: how it is counted, and how it is called."""


def period_names(times: Instants, period: str) -> list[str]:
    """The label of the period that each instant falls in."""
    count, name = PERIODS[period]
    counts, where = np.unique(count(times), return_inverse=True)
    names = name(counts, times.calendar)
    return [names[i] for i in where.ravel().tolist()]


def check_period(period: str, known: tuple[str, ...]) -> None:
    """Refuse a period that is none."""
    if period not in known:
        raise ProcessParameterInvalid(
            f"{period!r} is no period; there are {', '.join(known)}", parameter="period"
        )
