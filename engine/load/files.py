"""Opens rasters by an allow-list of formats, without looking for side files, and names what cannot be read."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any, TypeVar
from urllib.parse import urlsplit

import rasterio
from odc.geo.converters import rio_geobox
from odc.geo.geobox import GeoBox
from rasterio.enums import ColorInterp
from rasterio.errors import RasterioError, RasterioIOError

from engine.errors import Problem
from engine.http import GUARDED, Egress, Failure
from engine.http.ranges import STATES, RemoteFile, opener_of, take_failure
from engine.load.handles import Handles, Key
from engine.load.model import Source
from engine.settings import GDAL_CACHE

T = TypeVar("T")

DRIVERS = ("GTiff", "JP2OpenJPEG", "PNG", "JPEG")
"""Formats that may be opened (GTiff reads COG). Never one that may point at other files: VRT, WMS, ..."""
BLENDS = ("AVERAGE", "AVERAGE_MAGPHASE", "BILINEAR", "CUBIC", "CUBICSPLINE", "GAUSS", "LANCZOS", "RMS")
"""What GDAL notes on overviews whose numbers are not those of the file."""
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
    "GDAL_CACHEMAX": GDAL_CACHE,
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
    shape: tuple[int, int]
    """Rows and columns."""
    placed: bool
    """Whether the file itself tells where its pixels lie."""
    dtypes: tuple[str, ...]
    """Type of each band."""
    tags: tuple[float | None, ...]
    """No-data tag of each band."""
    block: tuple[int, int]
    """Rows and columns of a block of the first band."""
    shrinks: tuple[tuple[int, ...], ...]
    """For each band the shrink factors of its overviews, ascending."""
    palette: bool
    """Whether the first band's numbers stand for colours of a table."""
    means: tuple[bool, ...]
    """Of an overview: for each band whether its numbers are known to be made of several, not to be one of them."""
    tiff: bool
    """Whether it is a TIFF, of which is known where in the file each block is."""

    @property
    def overviews(self) -> tuple[int, ...]:
        """Shrink factors of the first band's overviews, ascending."""
        return self.shrinks[0]


@contextmanager
def gdal() -> Iterator[None]:
    """The environment in which every raster is opened and read; it is entered once, which takes a while."""
    if getattr(_INSIDE, "gdal", False):
        yield
        return
    with rasterio.Env(**SETTINGS):
        _INSIDE.gdal = True
        try:
            yield
        finally:
            _INSIDE.gdal = False


_INSIDE = threading.local()


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
    if is_web(href):
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
    """The header of the source's file; remembered as long as the file stays the same."""
    return named(source, lambda: header_of(key_of(source)))


@lru_cache(maxsize=4096)
def header_of(key: Key) -> Header:
    """The header of a raster or of one of its overviews."""
    with gdal(), HANDLES.lent(key) as dataset:
        return Header(
            geobox=rio_geobox(dataset) if dataset.crs is not None else None,
            shape=dataset.shape,
            placed=dataset.crs is not None and not dataset.transform.is_identity,
            dtypes=tuple("complex64" if t == "complex_int16" else t for t in dataset.dtypes),
            tags=tuple(dataset.nodatavals),
            block=dataset.block_shapes[0],
            shrinks=tuple(tuple(dataset.overviews(band)) for band in dataset.indexes),
            palette=dataset.colorinterp[0] is ColorInterp.palette,
            means=tuple(dataset.tags(band).get("RESAMPLING", "") in BLENDS for band in dataset.indexes),
            tiff=dataset.driver == "GTiff",
        )


def key_of(source: Source) -> Key:
    """The source's file as it is now."""
    return Key(source.href, source.egress, _stamp(source))


def _stamp(source: Source) -> tuple[object, ...]:
    """What changes with the file; of object stores it is not known."""
    if is_web(source.href):
        return RemoteFile(source.href, source.egress).state
    if not is_local(source.href):
        return ()
    try:
        found = os.stat(local_path(source.href))  # noqa: PTH116 (a path object would double the time of a look)
    except (OSError, ValueError):
        return ()  # opening it will say what is wrong
    return found.st_mtime_ns, found.st_size, found.st_ino


def look_anew() -> None:
    """Ask of files on the web, before they are read next, whether they are still the same."""
    STATES.clear()


def all_watched() -> bool:
    """Is it noticed of all files that were opened when they change? Not of those in object stores.

    This process remembers their headers, and GDAL their bytes.
    """
    return not _UNWATCHED


_UNWATCHED: set[str] = set()
"""Kinds of object stores that files were opened in."""


def _opened(key: Key) -> rasterio.DatasetReader:
    if not is_web(key.href) and not is_local(key.href):
        _UNWATCHED.add(urlsplit(key.href).scheme)
    return open_raster(key.href, overview=key.overview, egress=key.egress)


HANDLES = Handles(_opened)
"""The rasters that are open. They have to be read in the environment of `gdal()`."""
os.register_at_fork(after_in_child=HANDLES.forsake)
atexit.register(HANDLES.close)  # later there is no Python left of which GDAL could ask for remote bytes


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


def is_web(href: str) -> bool:
    """Whether the address is one of a web server."""
    return urlsplit(href).scheme.lower() in ("http", "https")


def is_local(href: str) -> bool:
    """Whether the address is a path of this machine."""
    return urlsplit(href).scheme in ("", "file") and not href.startswith("/vsi")


def local_path(href: str) -> str:
    """The path that a local address means."""
    return os.fspath(urlsplit(href).path) if href.startswith("file:") else href
