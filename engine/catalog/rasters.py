"""A raster file as STAC sees it: grid, bands and time out of its own header. No pixel is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import isfinite, isnan
from pathlib import Path
from typing import Any

import rasterio
from pyproj import CRS
from pyproj.exceptions import CRSError
from rasterio.errors import RasterioError

from engine.catalog.model import Json
from engine.catalog.outline import Outline, outline
from engine.catalog.projection import grid_properties
from engine.errors import Problem

DRIVERS = {
    ".tif": "GTiff",
    ".tiff": "GTiff",
    ".jp2": "JP2OpenJPEG",
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
}
"""The one GDAL driver that may open a file of each suffix: a VRT by the name of `x.tif` stays shut."""
MEDIA = {
    "GTiff": "image/tiff; application=geotiff",
    "JP2OpenJPEG": "image/jp2",
    "PNG": "image/png",
    "JPEG": "image/jpeg",
}
COG = "image/tiff; application=geotiff; profile=cloud-optimized"


@dataclass(frozen=True)
class FileFacts:
    """What a file says of itself."""

    asset: Json
    """The asset, without href."""
    properties: Json = field(default_factory=dict)
    """Properties of the item, without time."""
    outline: Outline | None = None
    """Where it lies."""
    span: tuple[datetime, datetime] | None = None
    """First and last instant in it, where it says."""
    extra: Json = field(default_factory=dict)
    """Further fields of the item."""


def raster_facts(path: Path) -> FileFacts:
    """Read the header of a raster file."""
    try:
        with (
            rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"),
            rasterio.open(path, driver=DRIVERS[path.suffix.lower()]) as source,
        ):
            return facts_of(source)
    except (RasterioError, CRSError, ValueError, OSError) as cause:
        raise unreadable(path, cause) from cause


def unreadable(path: Path, cause: Exception | str) -> Problem:
    """The one answer to a file that cannot be catalogued."""
    reason = str(cause).strip().rstrip(".") or type(cause).__name__
    return Problem(
        "FileContentInvalid",
        f"{path} cannot be catalogued: {reason}.",
        hint="Repair it or move it elsewhere; nothing of this source was stored.",
        facts={"file": str(path), "reason": reason},
    )


def facts_of(source: Any) -> FileFacts:
    """What an open raster says of itself; ValueError where it does not say where it lies."""
    if source.crs is None:
        only = "only ground control points" if source.gcps[0] else "no coordinate reference system"
        raise ValueError(f"it has {only}; give it one with gdalwarp or gdal_edit")
    crs = CRS.from_wkt(source.crs.to_wkt())
    grid = grid_properties(crs, source.transform, source.shape)
    tiled = source.tags(ns="IMAGE_STRUCTURE").get("LAYOUT") == "COG"
    asset = {
        "type": COG if tiled else MEDIA[source.driver],
        "roles": ["data"],
        **grid,
        "bands": [_band(source, index) for index in source.indexes],
        "raster:bands": [_raster_band(source, index) for index in source.indexes],
    }
    time = _tag_time(source.tags().get("TIFFTAG_DATETIME"))
    return FileFacts(
        asset, grid, outline(crs, source.transform, source.shape), (time, time) if time else None
    )


def _band(source: Any, index: int) -> Json:
    """A band as STAC 1.1 has it."""
    values = _raster_band(source, index)
    named = {"name": source.descriptions[index - 1] or f"band_{index}"}
    return named | {
        k if k in ("data_type", "nodata", "unit") else f"raster:{k}": v for k, v in values.items()
    }


def _raster_band(source: Any, index: int) -> Json:
    """A band as the raster extension 1.1 has it."""
    at = index - 1
    out: Json = {"data_type": source.dtypes[at]}
    if (nodata := source.nodatavals[at]) is not None:
        out["nodata"] = json_number(nodata)
    if (source.scales[at], source.offsets[at]) != (1.0, 0.0):
        out |= {"scale": source.scales[at], "offset": source.offsets[at]}
    if source.units[at]:
        out["unit"] = source.units[at]
    return out


def json_number(value: float) -> float | int | str:
    """A number as STAC writes it: those that JSON lacks as `nan`, `inf`, `-inf`; whole ones as integers."""
    if isnan(value):
        return "nan"
    if not isfinite(value):
        return "inf" if value > 0 else "-inf"
    return int(value) if float(value).is_integer() else float(value)


def _tag_time(text: str | None) -> datetime | None:
    try:
        return datetime.strptime((text or "").strip(), "%Y:%m:%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None
