"""Fewer labels: by place, time or band."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Protocol

import numpy as np
import xarray as xr
from pandas import NaT

from processes.cubes import axes, labels, places
from processes.cubes.periods import instant
from processes.errors import (
    BandFilterParameterMissing,
    DimensionNotAvailable,
    ProcessParameterInvalid,
    TemporalExtentEmpty,
)
from processes.mixing import selecting
from processes.registry import process
from processes.types import (
    AnyValue,
    BandCube,
    BandNames,
    BBox,
    BoundingBox,
    Cube,
    DimensionName,
    Interval,
    Label,
    OptionalName,
    Schema,
    SpatialCube,
    TemporalCube,
    TemporalInterval,
    Wavelengths,
)
from processes.values import plain


class LabelCondition(Protocol):
    """Says of a label whether it is kept."""

    def __call__(self, value: Label, context: AnyValue = None) -> Annotated[Any, Schema({"type": "boolean"})]:
        """`true` where the label and its data are to be kept.

        Args:
            value: A label: a number, a text, a time as RFC 3339 in UTC, or a geometry as WKT.
            context: What the caller passed along.
        """
        ...


@process("cubes", "filter", mixes=selecting("x", "y").inside("extent"))
def filter_bbox(data: SpatialCube, extent: BoundingBox) -> SpatialCube:
    """Keep what is inside a bounding box

    Of a raster cube the cells whose centre is inside are kept; of a vector cube the geometries that are inside
    as a whole. The box is projected to the CRS of the cube first. West greater than east means across the
    antimeridian.

    Args:
        data: A cube.
        extent: The box; `base` and `height`, where given, bound the vertical axis.

    Returns:
        The cube with fewer labels along its spatial dimensions.
    """
    box = read_bbox(extent, "extent")
    if axes.of_kind(data, "geometry") and axes.axis(data, "x") is None:
        return places.geometries_inside(data, box)
    data = places.inside(data, box)
    low, high = (extent.get(end) for end in ("base", "height"))
    vertical = axes.axis(data, "z")
    if vertical and not (low is None and high is None):
        z = data.coords[vertical].values
        data = data.isel(
            {
                vertical: (z >= (-math.inf if low is None else low))
                & (z <= (math.inf if high is None else high))
            }
        )
    return data


@process("cubes", "filter", mixes=selecting(argument="dimension", usual=("t",)))
def filter_temporal(
    data: TemporalCube, extent: TemporalInterval, dimension: OptionalName = None
) -> TemporalCube:
    """Keep what is inside an interval of time

    The interval is half-open: its start belongs to it, its end does not.

    Args:
        data: A cube.
        extent: Start and end, as RFC 3339 dates or times; `null` for one of them leaves that end open.
        dimension: Name of the temporal dimension; by default all temporal dimensions are filtered.

    Returns:
        The cube with fewer labels along its temporal dimensions.

    Raises:
        DimensionNotAvailable: `dimension` is not one of the cube's.
        TemporalExtentEmpty: The end is not later than the start.
    """
    interval = read_interval(extent, "extent")
    dims = axes.temporal(data, dimension)
    if not dims:
        raise DimensionNotAvailable(
            f"no dimension is temporal; the cube has {axes.listing(data)}", parameter="data"
        )
    for dim in dims:
        keep = np.array([within(t, interval) for t in data.coords[dim].values], dtype=bool)
        data = data.isel({dim: places.whole_or(keep)})
    return data


@process("cubes", "filter", mixes=selecting("bands"))
def filter_bands(data: BandCube, bands: BandNames = [], wavelengths: Wavelengths = []) -> BandCube:  # noqa: B006
    """Keep some of the bands

    A band is kept where any of the criteria fits. The bands come in the order of the criteria.

    Args:
        data: A cube with bands.
        bands: Names or common names of bands; a name goes before a common name.
        wavelengths: Ranges of the centre wavelength, each of two numbers in micrometres.

    Returns:
        The cube with these bands.

    Raises:
        BandFilterParameterMissing: There are no criteria.
        DimensionMissing: The cube has no dimension of type bands.
    """
    axes.bands(data)
    if not bands and not wavelengths:
        raise BandFilterParameterMissing(
            f"neither bands nor wavelengths are given; {known_bands(data)}", parameter="bands"
        )
    chosen: list[int] = []
    for name in bands:
        chosen += axes.find_bands(data, name) or no_band(data, name, "bands")
    for low, high in wavelengths:
        chosen += [
            i
            for i, band in enumerate(axes.band_metadata(data))
            if low <= (band.get("center_wavelength") or math.nan) <= high
        ]
    if not chosen:
        raise ProcessParameterInvalid(
            f"no band has its centre in {list(map(list, wavelengths))} micrometres; {known_bands(data)}",
            parameter="wavelengths",
        )
    return axes.select_bands(data, list(dict.fromkeys(chosen)))


@process("cubes", "filter", mixes=selecting(argument="dimension"))
def filter_labels(
    data: Cube, condition: LabelCondition, dimension: DimensionName, context: AnyValue = None
) -> Cube:
    """Keep the labels that a condition holds for

    Args:
        data: A cube.
        condition: Says of each label whether it is kept; no-data counts as no.
        dimension: Name of the dimension.
        context: Passed on to the condition.

    Returns:
        The cube with fewer labels along the dimension, or as many.

    Raises:
        DimensionNotAvailable: `dimension` is not one of the cube's.
    """
    seen = labels.seen(data, axes.require(data, dimension))
    keep = np.array([holds(condition, label, context) for label in seen], dtype=bool)
    return labels.kept(data, dimension, keep)


def holds(condition: LabelCondition, label: Any, context: Any) -> bool:
    """What a condition says of one label."""
    answer = plain(condition(label, context=context))
    if answer is None or isinstance(answer, bool):
        return bool(answer)
    raise ProcessParameterInvalid(
        f"the condition gives {answer!r} for the label {label!r}, it has to give true or false",
        parameter="condition",
    )


def no_band(data: xr.DataArray, name: str, parameter: str) -> tuple[int, ...]:
    """Say that there is no such band, and which there are."""
    raise ProcessParameterInvalid(f"there is no band {name!r}; {known_bands(data)}", parameter=parameter)


def known_bands(data: xr.DataArray) -> str:
    """The bands of a cube in words."""
    names = (
        f"{b['name']} ({b['common_name']})" if b.get("common_name") else str(b["name"])
        for b in axes.band_metadata(data)
    )
    return f"the bands are {', '.join(names)}"


# ------------------------------------------------------------------------------------- reading arguments
def read_bbox(extent: Mapping[str, Any], parameter: str) -> BBox:
    """A bounding box of openEO as a value; refuses what is none."""
    sides: dict[str, Any] = {side: extent.get(side) for side in ("west", "south", "east", "north")}
    for side, value in sides.items():
        if not isinstance(value, (int, float)) or not math.isfinite(value):
            raise ProcessParameterInvalid(f"{side} has to be a number, it is {value!r}", parameter=parameter)
    crs = places.read_crs(extent.get("crs") or 4326, parameter)
    box = BBox(**{k: float(v) for k, v in sides.items()}, crs=extent.get("crs") or 4326)
    if box.south > box.north:
        raise ProcessParameterInvalid(
            f"south ({box.south}) is greater than north ({box.north})", parameter=parameter
        )
    if box.west > box.east and not crs.is_geographic:
        raise ProcessParameterInvalid(
            f"west ({box.west}) is greater than east ({box.east})",
            hint="Only in longitudes does that mean across the antimeridian.",
            parameter=parameter,
        )
    return box


def read_interval(extent: Sequence[Any] | None, parameter: str) -> Interval | None:
    """A temporal interval of openEO as a value; refuses what is none."""
    if extent is None:
        return None
    if len(extent) != 2 or extent[0] is extent[1] is None:
        raise ProcessParameterInvalid(
            f"two moments are needed, of which one may be null; there is {list(extent)}",
            hint='Write ["2022-06-01", "2022-07-01"], or [null, "2022-07-01"].',
            parameter=parameter,
        )
    start, end = (read_moment(m, parameter) for m in extent)
    if start is not None and end is not None and start >= end:
        raise TemporalExtentEmpty(
            f"the interval {list(extent)} is empty: the end is not part of it and has to be later than the start",
            hint="For a single day give the next day as the end.",
            parameter=parameter,
        )
    return Interval(start, end)


def read_moment(text: Any, parameter: str) -> datetime | None:
    """An RFC 3339 date or time in UTC; `None` for null."""
    if text is None:
        return None
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=instant(text, "standard", parameter))
    except OverflowError:
        raise ProcessParameterInvalid(
            f"{text!r} is beyond the years 1 to 9999",
            hint="Give null for an end that is open.",
            parameter=parameter,
        ) from None


def within(label: Any, interval: Interval | None) -> bool:
    """Is a temporal label in the interval? A date of a CF calendar is compared as it is written."""
    moment = label if hasattr(label, "calendar") else axes.moment(label)
    if moment is None:
        raise ProcessParameterInvalid(
            f"the label {str(label)!r} of a temporal dimension is no date",
            hint="Do this before the dates are aggregated to periods, or use filter_labels.",
            parameter="data",
        )
    if moment is NaT or interval is None:
        return moment is not NaT
    start, end = (None if m is None else written(m) for m in (interval.start, interval.end))
    return (start is None or written(moment) >= start) and (end is None or written(moment) < end)


def written(moment: Any) -> tuple[int, ...]:
    """A date and time as its numbers from the year down: in that order they stand in any calendar."""
    return (
        moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second, moment.microsecond
    )  # fmt: skip
