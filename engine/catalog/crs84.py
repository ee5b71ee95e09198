"""Geometries of files, whatever reference system they are in, as GeoJSON in CRS84."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray
from pyproj.exceptions import CRSError

from engine.catalog.model import Json
from engine.errors import Problem

CRS84 = "OGC:CRS84"
Places = NDArray[np.float64]
Mover = Callable[[Places], Places]
"""Takes places, (n, 2) or (n, 3), to longitude and latitude; heights stay."""


def geometries(shapes: NDArray[Any], move: Mover | None, where: str) -> list[Json | None]:
    """GeoJSON in CRS84; None for those that are not there.

    Raises:
        Problem: A place is nowhere there.
    """
    if move is not None:
        high = shapely.has_z(shapes)
        shapes = shapes.copy()
        for some, has_z in ((~high, False), (high, True)):
            shapes[some] = shapely.transform(shapes[some], move, include_z=has_z)
    if not np.isfinite(shapely.get_coordinates(shapes)).all():
        raise Problem("FileContentInvalid", f"{where}: a geometry has a place that is nowhere in CRS84.")
    return [None if text is None else json.loads(text) for text in shapely.to_geojson(shapes)]


def mover(system: Any, where: str) -> Mover | None:
    """What moves places to CRS84; None where they are there.

    Raises:
        Problem: There is no reference system, or it cannot be read.
    """
    if system is None:
        raise Problem(
            "FileContentInvalid",
            f"{where} tells no coordinate reference system.",
            hint="Give it one (`ogr2ogr -a_srs`), or write it as GeoJSON in longitude and latitude.",
        )
    try:
        crs = pyproj.CRS.from_user_input(system)
    except CRSError as cause:
        raise Problem(
            "FileContentInvalid", f"{where}: its reference system cannot be read: {cause}"
        ) from cause
    if is_crs84(crs):
        return None
    transformer = pyproj.Transformer.from_crs(crs, CRS84, always_xy=True)

    def move(places: Places) -> Places:
        return np.column_stack([*transformer.transform(places[:, 0], places[:, 1]), places[:, 2:]])

    return move


def code_of(system: Any) -> int | None:
    """The EPSG code of a reference system that is another than CRS84; None where there is none."""
    try:
        crs = pyproj.CRS.from_user_input(system)
    except CRSError:
        return None
    return None if is_crs84(crs) else crs.to_epsg()


def is_crs84(crs: pyproj.CRS) -> bool:
    """Is it longitude and latitude of WGS 84, in either order?"""
    return bool(crs.equals(pyproj.CRS(CRS84), ignore_axis_order=True))


@contextmanager
def readable(path: Path | str) -> Iterator[None]:
    """Faults of libraries as a file that cannot be read.

    Raises:
        Problem: There was one.
    """
    try:
        yield
    except (OSError, ValueError, RuntimeError, shapely.errors.ShapelyError) as cause:
        raise Problem("FileContentInvalid", f"{path} cannot be read as features: {cause}") from cause
