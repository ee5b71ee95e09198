"""Opens rasters by an allow-list of formats, without looking for side files, and names what cannot be read."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar
from urllib.parse import urlsplit

import rasterio
from odc.geo.converters import rio_geobox
from odc.geo.geobox import GeoBox
from rasterio.errors import RasterioError, RasterioIOError

from engine.errors import Problem
from engine.http import GUARDED, Egress, Failure
from engine.http.ranges import opener_of, take_failure
from engine.load.model import Source

T = TypeVar("T")

DRIVERS = ("GTiff", "JP2OpenJPEG", "PNG", "JPEG")
"""Formats that may be opened (GTiff reads COG). Never one that may point at other files: VRT, WMS, ..."""
STORES = ("s3", "gs", "az")
"""Object stores, which are read where the environment has credentials for them."""
FIRST_GUESS = {".jp2": "JP2OpenJPEG", ".j2k": "JP2OpenJPEG", ".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}

SETTINGS: dict[str, Any] = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_PAM_ENABLED": "NO",
    "GDAL_ERROR_ON_LIBJPEG_WARNING": "YES",  # a truncated JPEG block is an error, not a grey area
    "GDAL_HTTP_MAX_RETRY": 4,
    "GDAL_HTTP_RETRY_DELAY": 0.5,
    "GDAL_HTTP_RETRY_CODES": "429,500,502,503,504",
    "GDAL_HTTP_CONNECTTIMEOUT": 10,
    "GDAL_HTTP_TIMEOUT": 60,
    "GDAL_HTTP_LOW_SPEED_LIMIT": 1000,
    "GDAL_HTTP_LOW_SPEED_TIME": 20,
    "GDAL_HTTP_MERGE_CONSECUTIVE_RANGES": "YES",
    "GDAL_INGESTED_BYTES_AT_OPEN": 32768,
}


@dataclass(frozen=True)
class Cause:
    """Why a file may not be readable."""

    signs: tuple[str, ...]
    """What GDAL's messages have in them then, in lower case."""
    code: str
    """The error code."""
    verb: str
    """What became of the file."""
    hint: str
    """The way out."""


CAUSES = (
    Cause(
        ("no such file", "does not exist", "response code: 404", "response code: 410"),
        "FileNotFound",
        "does not exist",
        "Was the file moved? Add the item again with its new address.",
    ),
    Cause(
        ("response code: 401", "response code: 403", "permission denied"),
        "FilePathInvalid",
        "may not be read",
        "Does the address need a signature or credentials?",
    ),
    Cause(
        ("response code: 429", "response code: 5", "curl error", "timed out", "timeout", "no answer"),
        "InfrastructureBusy",
        "was not delivered by its server",
        "Try again later.",
    ),
    Cause(
        ("",),
        "FileContentInvalid",
        "cannot be read",
        "The file is damaged or no raster; leave this item out, or replace the file.",
    ),
)
"""In the order in which they are tried; the last is always true."""
NOT_A_RASTER = "not recognized as being in a supported file format"


@dataclass(frozen=True)
class Header:
    """What a raster file says of itself."""

    geobox: GeoBox | None
    """Its pixel grid; None where the file has no CRS."""
    dtypes: tuple[str, ...]
    """Type of each band."""
    tags: tuple[float | None, ...]
    """No-data tag of each band."""
    block: tuple[int, int]
    """Rows and columns of a block of the first band."""
    overviews: tuple[int, ...]
    """Shrink factors of the first band's overviews, ascending."""


def gdal() -> rasterio.Env:
    """The environment in which every raster is opened and read."""
    return rasterio.Env(**SETTINGS)


def open_raster(
    href: str, *, overview: int | None = None, egress: Egress = GUARDED
) -> rasterio.DatasetReader:
    """Open a raster if its format is on the allow-list; `overview` counts from 0, the finest."""
    options = way_to(href, egress) | ({} if overview is None else {"overview_level": overview})
    guess = FIRST_GUESS.get(PurePosixPath(urlsplit(href).path).suffix.lower(), DRIVERS[0])
    for driver in (guess, *(d for d in DRIVERS if d != guess)):
        try:
            return rasterio.open(href, driver=driver, sharing=False, **options)
        except RasterioIOError as fault:
            if NOT_A_RASTER not in str(fault):
                raise
    raise RasterioIOError(
        f"not in one of the formats that may be read ({', '.join(DRIVERS)}), or its header is broken"
    )


def way_to(href: str, egress: Egress) -> dict[str, Any]:
    """How GDAL gets at a file: the web through the guarded client only, no GDAL file systems but object stores."""
    scheme = urlsplit(href).scheme.lower()
    if scheme in ("http", "https"):
        opener = opener_of(egress)
        with reading(href):
            opener.size(href)
        return {"opener": opener}
    if scheme not in ("", "file", *STORES) or href.lower().startswith("/vsi"):
        raise RasterioIOError(f"permission denied: {scheme or '/vsi'} is no kind of address that is read")
    return {}


@contextmanager
def reading(href: str) -> Iterator[None]:
    """A failed request in here is told in GDAL's words, which do not tell it themselves."""
    try:
        yield
    except (Failure, RasterioError) as fault:
        failure = take_failure(href)
        if failure is None:
            raise
        if failure.kind == "refused":
            text = f"permission denied: {failure.reason}"
        elif failure.status is not None and failure.status >= 400:
            text = f"HTTP response code: {failure.status}"
        else:
            text = f"{'timeout' if failure.kind == 'time' else 'no answer'}: {failure.reason}"
        raise RasterioIOError(text) from fault


def header(source: Source) -> Header:
    """The header of the source's file; remembered, for a local file as long as the file stays the same."""
    with gdal():
        return named(source, lambda: _header(source.href, _stamp(source.href), source.egress))


@lru_cache(maxsize=4096)
def _header(href: str, _stamp: int, egress: Egress) -> Header:
    with open_raster(href, egress=egress) as dataset:
        return Header(
            geobox=rio_geobox(dataset) if dataset.crs is not None else None,
            dtypes=tuple("complex64" if t == "complex_int16" else t for t in dataset.dtypes),
            tags=tuple(dataset.nodatavals),
            block=dataset.block_shapes[0],
            overviews=tuple(dataset.overviews(1)),
        )


def _stamp(href: str) -> int:
    parts = urlsplit(href)
    path = Path(parts.path if parts.scheme == "file" else href)
    try:
        return path.stat().st_mtime_ns if parts.scheme in ("", "file") else 0
    except OSError:
        return 0  # opening it will say what is wrong


def named(
    source: Source, action: Callable[[], T], *, rows: slice | None = None, cols: slice | None = None
) -> T:
    """What the action gives; what fails in it becomes a problem that names item, asset, band, address and block."""
    try:
        with reading(source.href):
            return action()
    except (RasterioError, OSError) as fault:
        problem = _problem(source, fault, rows, cols)
    raise problem  # out here it has no context: GDAL's errors do not survive the way back from a worker process


def _problem(source: Source, fault: Exception, rows: slice | None, cols: slice | None) -> Problem:
    causes = list(dict.fromkeys(_causes(fault)))
    text = "; ".join(causes).replace(source.href, shown(source.href))
    cause = next(cause for cause in CAUSES if any(sign in text.lower() for sign in cause.signs))
    facts: dict[str, Any] = {
        "item": source.item,
        "asset": source.asset,
        "band": source.index,
        "href": shown(source.href),
    }
    where = ""
    if rows is not None and cols is not None:
        facts |= {"rows": [rows.start, rows.stop], "cols": [cols.start, cols.stop]}
        where = f" at rows {rows.start}-{rows.stop}, columns {cols.start}-{cols.stop}"
    return Problem(
        cause.code,
        f"asset {source.asset!r} (band {source.index}) of item {source.item!r} {cause.verb}{where}: {text} [{shown(source.href)}].",
        hint=cause.hint,
        facts=facts,
    )


def _causes(fault: BaseException | None) -> Iterator[str]:
    """The messages of an error and its causes, without the one that only points at the next."""
    while fault is not None:
        message = str(getattr(fault, "errmsg", None) or fault).strip().rstrip(".")
        if message and "See previous exception" not in message:
            yield message
        fault = fault.__cause__


def shown(href: str) -> str:
    """An address as it may stand in messages: without user, password and query, where secrets are."""
    parts = urlsplit(href)
    if not parts.scheme or not parts.netloc:
        return href
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def is_local(href: str) -> bool:
    """Whether the address is a path of this machine."""
    return urlsplit(href).scheme in ("", "file") and not href.startswith("/vsi")


def local_path(href: str) -> str:
    """The path that a local address means."""
    return os.fspath(urlsplit(href).path) if href.startswith("file:") else href
