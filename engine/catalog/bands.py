"""The bands of an item, read off its data assets in whichever way STAC has told them over the years."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from engine.catalog.model import Json

ASIDE = frozenset(("thumbnail", "overview", "metadata", "visual", "preview", "browse"))
"""Roles of assets that show or tell of the data rather than hold it."""
RASTER_MEDIA = ("image/tiff", "image/vnd.stac.geotiff", "image/jp2", "application/x-netcdf", "application/netcdf",
                "application/vnd+zarr", "application/vnd.zarr", "application/x-zarr")  # fmt: skip
RASTER_SUFFIXES = (".tif", ".tiff", ".jp2", ".nc", ".nc4", ".zarr")
PREFIXES = ("eo:", "raster:")
KNOWN = ("common_name", "center_wavelength", "full_width_half_max", "solar_illumination", "scale", "offset",
         "nodata", "unit", "data_type", "description", "gsd")  # fmt: skip
OF_ALL = ("data_type", "nodata", "unit")
"""What an item says of all its bands."""


def data_assets(item: Mapping[str, Any]) -> dict[str, Json]:
    """The assets that hold data: by role, else by media type, else by the suffix of the file."""
    return {key: asset for key, asset in item["assets"].items() if _is_data(asset)}


def bands_of(assets: Mapping[str, Json], properties: Mapping[str, Any]) -> list[Json]:
    """The bands that data assets of an item hold, in their order, each name once.

    Keys are `name`, and where known `common_name`, `center_wavelength` (micrometres), `scale`,
    `offset`, `nodata`, `unit`, `data_type` and a few more. Of the item's properties those in `OF_ALL` count.
    """
    found: dict[str, Json] = {}
    for key, asset in assets.items():
        for band in _asset_bands(key, asset, properties):
            found.setdefault(band["name"], band)
    return list(found.values())


def _is_data(asset: Json) -> bool:
    given = asset.get("roles")
    if not isinstance(given, list):
        given = []
    if "data" in given:
        return True
    roles = {str(role) for role in given}
    if roles & ASIDE:
        return False
    if media := asset.get("type"):
        return str(media).partition(";")[0].strip().lower() in RASTER_MEDIA
    return PurePosixPath(urlsplit(asset["href"]).path).suffix.lower() in RASTER_SUFFIXES


def _asset_bands(key: str, asset: Json, properties: Mapping[str, Any]) -> Iterator[Json]:
    """Lists of the same bands under three names, merged place by place."""
    lists = [
        asset[name] for name in ("bands", "eo:bands", "raster:bands") if isinstance(asset.get(name), list)
    ]
    count = max((len(each) for each in lists), default=0)
    if not count:
        yield _plain({"name": key}, asset, properties)
        return
    for at in range(count):
        told = [each[at] for each in lists if at < len(each) and isinstance(each[at], dict)]
        name = next(
            (str(band["name"]) for band in told if band.get("name")), key if count == 1 else f"{key}.{at + 1}"
        )
        band: Json = {"name": name}
        for each in told:
            band = {**_bared(each), **band}
        yield _plain(band, asset, properties)


def _plain(band: Json, asset: Json, properties: Mapping[str, Any]) -> Json:
    """The known keys of a band; what it does not say, its asset says, or for the type of data the item."""
    wider: Json = {name: asset[name] for name in ("nodata", "unit", "data_type", "gsd") if name in asset}
    wider |= {name[7:]: asset[name] for name in ("raster:scale", "raster:offset") if name in asset}
    for name in ("eo:common_name", "eo:center_wavelength"):
        if name in asset:
            wider[name[3:]] = asset[name]
    whole = {k: properties[k] for k in OF_ALL if k in properties} | wider | band
    return {name: whole[name] for name in ("name", *KNOWN) if whole.get(name) is not None}


def _bared(band: Json) -> Json:
    """Keys without the prefix of their extension."""
    return {next((k.removeprefix(p) for p in PREFIXES if k.startswith(p)), k): v for k, v in band.items()}
