"""A grid in the words of STAC's projection extension, and the EPSG number of a CRS."""

from __future__ import annotations

from collections.abc import Sequence

from pyproj import CRS

from engine.catalog.model import Json


def epsg_of(crs: CRS) -> int | None:
    """The EPSG number of a CRS that means the same, whatever names its parts go by; else None."""
    number = crs.to_epsg(min_confidence=20)
    if number is None or not CRS.from_epsg(number).equals(crs, ignore_axis_order=True):
        return None
    return int(number)


def crs_properties(crs: CRS) -> Json:
    """`proj:code`, or `proj:wkt2` where EPSG has no number for it."""
    number = epsg_of(crs)
    return (
        {"proj:code": f"EPSG:{number}"}
        if number
        else {"proj:code": None, "proj:wkt2": crs.to_wkt("WKT2_2019")}
    )


def grid_properties(crs: CRS, transform: Sequence[float], shape: tuple[int, int]) -> Json:
    """CRS, shape (rows, columns) and transform (columns and rows to `crs`)."""
    numbers = [float(number) for number in list(transform)[:6]]
    return {**crs_properties(crs), "proj:shape": list(shape), "proj:transform": numbers}
