"""Reads what a STAC item tells about the bands, the grid and the kind of its assets; opens nothing."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from posixpath import splitext
from typing import Any, Literal
from urllib.parse import urlsplit

import pystac
from affine import Affine
from odc.geo.crs import CRS
from odc.geo.geobox import GeoBox

from engine.errors import Problem
from engine.load.model import Band

Kind = Literal["raster", "array"]

RASTER_TYPES = frozenset({"image/tiff", "image/jp2", "image/vnd.stac.geotiff", "image/x.geotiff"})
PICTURE_TYPES = frozenset({"image/png", "image/jpeg"})
ARRAY_TYPES = frozenset(
    {
        "application/x-netcdf",
        "application/netcdf",
        "application/vnd+zarr",
        "application/vnd.zarr",
        "application/x-zarr",
        "application/zarr",
    }
)
RASTER_ENDS = frozenset({".tif", ".tiff", ".jp2", ".j2k"})
PICTURE_ENDS = frozenset({".png", ".jpg", ".jpeg"})
ARRAY_ENDS = frozenset({".nc", ".nc4", ".zarr"})
CLASSES = ("classification:classes", "classification:bitfields")
"""What says that numbers stand for classes."""
NOT_DATA = frozenset({"thumbnail", "overview", "metadata"})

COMMON = frozenset({"nodata", "data_type", "unit"})
"""Fields of a band that may stand at the asset or the item, without a prefix."""
TYPES = {"cint16": "complex64", "cfloat32": "complex64", "cint32": "complex128", "cfloat64": "complex128"}
"""STAC's names of types that numpy calls otherwise; float16 is read as float32."""
PLAIN_TYPES = frozenset(
    f"{kind}{bits}" for kind, sizes in {"int": (8, 16, 32, 64), "uint": (8, 16, 32, 64), "float": (32, 64)}.items() for bits in sizes
)  # fmt: skip


def kind_of(asset: pystac.Asset, *, named: bool = False) -> Kind | None:
    """Whether the asset holds a raster or arrays; None if neither, or if it is no data and was not asked for."""
    media = (asset.media_type or "").partition(";")[0].strip().lower()
    end = splitext(urlsplit(asset.href).path.rstrip("/"))[1].lower()
    roles = set(asset.roles or ())
    if media in ARRAY_TYPES or end in ARRAY_ENDS:
        return "array" if named or not roles & NOT_DATA else None
    if roles & NOT_DATA and not named:
        return None
    if media in RASTER_TYPES or end in RASTER_ENDS:
        return "raster"
    if media in PICTURE_TYPES or end in PICTURE_ENDS:
        return "raster" if named or "data" in roles else None
    return "raster" if not media and "data" in roles else None


def data_assets(item: pystac.Item, kind: Kind, named: Collection[str] = ()) -> dict[str, pystac.Asset]:
    """The item's assets of this kind; those that are named count whatever their role."""
    return {key: a for key, a in item.assets.items() if kind_of(a, named=key in named) == kind}


def bands_of(key: str, asset: pystac.Asset, properties: Mapping[str, Any]) -> tuple[Band, ...]:
    """The bands of an asset as `bands`, `eo:bands` and `raster:bands` describe them; one if nothing does."""
    told = asset.extra_fields
    lists = [told.get(field) or [] for field in ("bands", "eo:bands", "raster:bands")]
    count = max(1, *map(len, lists))
    shared = {**properties, **told}
    bands = []
    for i in range(count):
        own: dict[str, Any] = {}
        for described in reversed(lists):
            if i < len(described):
                own.update(described[i])
        fallback = key if count == 1 else f"{key}_{i + 1}"
        radar = {name: value for name, value in {**told, **own}.items() if name.startswith("sar:")}
        bands.append(replace(_band(own, shared, fallback), radar=radar))
    return tuple(bands)


def _band(own: Mapping[str, Any], shared: Mapping[str, Any], fallback: str) -> Band:
    def first(*names: str) -> Any:
        for name in names:
            if own.get(name) is not None:
                return own[name]
        # of what is said of the whole asset or item, a bare name may mean anything unless STAC defines it
        wide = (shared.get(name) for name in names if ":" in name or name in COMMON)
        return next((value for value in wide if value is not None), None)

    return Band(
        name=str(own.get("name") or fallback),
        common_name=first("eo:common_name", "common_name"),
        center_wavelength=_number(first("eo:center_wavelength", "center_wavelength")),
        scale=_number(first("raster:scale", "scale")),
        offset=_number(first("raster:offset", "offset")),
        nodata=_number(first("nodata")),
        unit=first("unit"),
        data_type=_numpy_type(first("data_type")),
        classified=any(first(name) for name in CLASSES),
    )


def _number(told: Any) -> float | None:
    """A number that JSON may hold as the text `nan`, `inf` or `-inf`; None for what is none."""
    if told is None or isinstance(told, bool):
        return None
    try:
        number = float(told)
    except (TypeError, ValueError):
        return None
    return int(number) if math.isfinite(number) and number == int(number) else number


def _numpy_type(told: Any) -> str | None:
    if told == "float16":
        return "float32"
    return told if told in PLAIN_TYPES else TYPES.get(str(told))


def grid_of(item: pystac.Item, asset: pystac.Asset) -> GeoBox | None:
    """The pixel grid that the projection fields of asset and item give; None where they do not give one."""
    told = {**item.properties, **asset.extra_fields}
    shape, transform, box = (told.get(f"proj:{field}") for field in ("shape", "transform", "bbox"))
    crs = _crs_text(told)
    if crs is None or not shape or len(shape) != 2:
        return None
    height, width = int(shape[0]), int(shape[1])
    if transform and len(transform) in (6, 9):
        return _geobox(crs, height, width, tuple(map(float, transform[:6])))
    if box and len(box) == 4 and height and width:
        west, south, east, north = map(float, box)
        return _geobox(
            crs, height, width, ((east - west) / width, 0.0, west, 0.0, (south - north) / height, north)
        )
    return None


def crs_of(item: pystac.Item, asset: pystac.Asset) -> CRS | None:
    """The CRS that the projection fields of asset and item give."""
    text = _crs_text({**item.properties, **asset.extra_fields})
    return None if text is None else _crs(text)


def _crs_text(told: Mapping[str, Any]) -> str | None:
    if told.get("proj:code"):
        return str(told["proj:code"])
    if told.get("proj:epsg"):
        return f"EPSG:{told['proj:epsg']}"
    if told.get("proj:wkt2"):
        return str(told["proj:wkt2"])
    return json.dumps(told["proj:projjson"]) if told.get("proj:projjson") else None


@lru_cache(maxsize=1024)
def _crs(text: str) -> CRS:
    return CRS(text)


@lru_cache(maxsize=65536)
def _geobox(crs: str, height: int, width: int, transform: tuple[float, ...]) -> GeoBox:
    return GeoBox((height, width), Affine(*transform), _crs(crs))


def moment_of(item: pystac.Item) -> datetime:
    """The item's nominal time (`datetime`, else the start or end of its interval), UTC without a zone."""
    told = item.common_metadata
    for moment in (item.datetime, told.start_datetime, told.end_datetime):
        if moment is not None:
            return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    raise Problem(
        "FileContentInvalid",
        f"item {item.id!r} has neither `datetime` nor `start_datetime`.",
        hint="Give the item a time.",
        facts={"item": item.id},
    )


def href_of(item: pystac.Item, key: str, asset: pystac.Asset) -> str:
    """Where the asset is, absolute."""
    href = asset.get_absolute_href()
    if not href:
        raise Problem(
            "FilePathInvalid",
            f"asset {key!r} of item {item.id!r} has the relative address {asset.href!r}, and the item has no address of its own.",
            hint="Give the item a self link, or the asset an absolute address.",
            facts={"item": item.id, "asset": key},
        )
    return str(href)
