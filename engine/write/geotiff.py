"""Writes raster cubes as Cloud Optimized GeoTIFFs, one file per date."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import rasterio
import rasterio.crs

from engine.write.atomic import Staging, storing
from engine.write.axes import unsuitable
from engine.write.bands import is_logical
from engine.write.cog import lay_out
from engine.write.model import Asset, Format, Option, Task
from engine.write.packing import Packing
from engine.write.press import Press
from engine.write.proof import check_cog
from engine.write.pyramid import Pyramid
from engine.write.sheets import Raster, Sheet, raster_of
from engine.write.spool import bound_cache
from engine.write.stac_fields import projection
from engine.write.tally import Tally
from engine.write.text import SHA256, sha256
from engine.write.tiff import Head, read_heads
from engine.write.tiles import Tiles

GDAL = {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR", "GDAL_PAM_ENABLED": "NO"}
"""No side files, neither looked for nor written. Never around the stream, whose own reads may want them."""

EXACT = 2**53
"""GDAL's no-data value passes through a float: integers beyond this would come back as another number."""


def write(task: Task, staging: Staging) -> tuple[Asset, ...]:
    """Pack the tiles as they come, then lay each sheet out as a COG, and read it back."""
    stacked = task.options["dates"] == "bands"
    raster = raster_of(task.value, task.target, "GTiff", ".tif", stacked=stacked)
    if raster.nodata is not None and raster.dtype.kind in "iu" and abs(raster.nodata) > EXACT:
        raise unsuitable("GTiff", task.value, f"it keeps no-data values up to 2^53, not {raster.nodata}")
    places = [staging.claim(sheet.name) for sheet in raster.sheets]
    packing = _packing(raster, task.options)
    bound_cache()
    assets = []
    with _pyramid(raster, task.options, staging) as pyramid, Press(packing) as press:
        tiles = Tiles(raster, packing, pyramid, press, staging)
        tiles.fill(task.stream)
        for number, (sheet, place) in enumerate(zip(raster.sheets, places, strict=True)):
            tallies = tiles.tallies[number]
            with storing(place), rasterio.Env(**GDAL):
                levels = tiles.finish(number)
                lay_out(place, _head(staging.scratch("head.tif"), raster, sheet, tallies, packing), levels)
                tiles.drop(number)
                digest = press.aside(partial(sha256, place))
                check_cog(place, raster, levels, packing)
            asset = _asset(raster, sheet, tallies, staging.final(sheet.name))
            assets.append(replace(asset, fields={**asset.fields, SHA256: digest.result()}))
    return tuple(assets)


def _packing(raster: Raster, options: Mapping[str, Any]) -> Packing:
    level = min(options["level"], 9 if options["compress"] == "DEFLATE" else 22)
    return Packing(raster.dtype, options["blocksize"], options["compress"], level, options["predictor"])


def _pyramid(raster: Raster, options: Mapping[str, Any], staging: Staging) -> Pyramid:
    resampling = options["overview_resampling"] or _resampling(raster)
    wanted = resampling if options["overviews"] else None
    return Pyramid(raster, staging, options["blocksize"], wanted, options["compress"])


def _head(place: Path, raster: Raster, sheet: Sheet, tallies: list[Tally], packing: Packing) -> Head:
    """What GDAL says of such a file, taken from one without tiles: names, statistics, scales, tags, place."""
    profile: dict[str, Any] = {
        "driver": "GTiff", "dtype": raster.dtype.name, "nodata": raster.nodata, "count": len(raster.bands),
        "width": raster.grid.width, "height": raster.grid.height, "transform": raster.grid.transform,
        "tiled": True, "blockxsize": packing.side, "blockysize": packing.side, "interleave": "band",
        "compress": packing.compress, "predictor": packing.predictor,
        "sparse_ok": True, "bigtiff": "YES", "endianness": "LITTLE",
    }  # fmt: skip
    if raster.grid.crs is not None:
        profile["crs"] = rasterio.crs.CRS.from_wkt(raster.grid.crs.to_wkt())
    with rasterio.open(place, "w", **profile) as file:
        file.descriptions = tuple(band.title for band in raster.bands)
        file.update_tags(**_tags(raster, sheet))
        scalings = [band.scaling(raster.dtype) or (1.0, 0.0) for band in raster.bands]
        if any(scaling != (1.0, 0.0) for scaling in scalings):
            file.scales, file.offsets = zip(*scalings, strict=True)
        file.units = tuple(str(band.meta.get("unit") or "") for band in raster.bands)
        for number, (band, tally) in enumerate(zip(raster.bands, tallies, strict=True), start=1):
            dated = {} if band.time is None else {"TIME": band.time, "BAND": band.name}
            file.update_tags(number, **tally.gdal(), **dated)
    with place.open("rb") as written:
        (head,) = read_heads(written)
    place.unlink()
    return head


def _resampling(raster: Raster) -> str:
    """Floats may be averaged; integers may be classes, whose average means nothing."""
    return "AVERAGE" if raster.dtype.kind == "f" and not is_logical(raster.cube) else "NEAREST"


def _tags(raster: Raster, sheet: Sheet) -> dict[str, str]:
    if sheet.moment is None:
        return {"LABEL": sheet.title} if raster.axes.time and not raster.stacked else {}
    return {
        "TIME": sheet.moment,
        "TIFFTAG_DATETIME": f"{sheet.moment[:10].replace('-', ':')} {sheet.moment[11:19]}",
    }


def _asset(raster: Raster, sheet: Sheet, tallies: list[Tally], href: Path) -> Asset:
    bands = [
        {**band.stac(raster.dtype, raster.nodata), "statistics": tally.stac()}
        for band, tally in zip(raster.bands, tallies, strict=True)
    ]
    fields = {"title": sheet.title, **projection(raster.grid), "bands": bands}
    if sheet.moment is not None:
        fields["datetime"] = sheet.moment
    return Asset(href, FORMAT.media_type, ("data",), fields)


FORMAT = Format(
    name="GTiff",
    title="Cloud Optimized GeoTIFF",
    description=(
        "Raster cubes of up to four dimensions (time, bands, y, x). Each date becomes a file of its own, with "
        "the bands in it, tiles and overviews; several dates have the date in the file name, or are bands. Band names, "
        "no-data, scale and offset, statistics and the date stand in the file."
    ),
    suffixes=(".tif", ".tiff"),
    media_type="image/tiff; application=geotiff; profile=cloud-optimized",
    gis_data_types=("raster",),
    parameters={
        # ZSTD, because GDAL has had it since 2.3 and the GDAL of QGIS, conda-forge and the Python wheels is built
        # with it; it packs nearly three times as fast as DEFLATE, into as many bytes, and unpacks faster. DEFLATE is
        # for readers without GDAL, of which some in JavaScript and Java know nothing else.
        "compress": Option("string", "Compression.", "ZSTD", enum=("ZSTD", "DEFLATE", "LZW", "NONE")),
        "level": Option(
            "integer",
            "Effort of ZSTD (1 to 22) or DEFLATE (1 to 9). At ZSTD 1, floats that it hardly shortens are packed with less.",
            1,
            minimum=1,
            maximum=22,
        ),
        "predictor": Option("boolean", "Whether to store differences, which compress better.", True),
        "blocksize": Option("integer", "Side of a tile in cells.", 512, enum=(128, 256, 512, 1024, 2048)),
        "dates": Option(
            "string",
            "Whether several dates become files, or bands of one file: all bands of the first date, then those of the next.",
            "files",
            enum=("files", "bands"),
        ),
        "overviews": Option("boolean", "Whether to add reduced copies for looking at from afar.", True),
        "overview_resampling": Option(
            "string",
            "How overviews are made; by default AVERAGE for floats and NEAREST for integers.",
            enum=("NEAREST", "AVERAGE", "BILINEAR", "CUBIC", "CUBICSPLINE", "LANCZOS", "MODE", "RMS"),
        ),
    },
    write=write,
    aliases=("geotiff", "cog", "tif", "tiff", "image/tiff", "application/x-geotiff"),
)
