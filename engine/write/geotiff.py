"""Writes raster cubes as Cloud Optimized GeoTIFFs, one file per date."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import rasterio.shutil
from rasterio.windows import Window

from engine.write.atomic import Staging, storing
from engine.write.axes import unsuitable
from engine.write.bands import is_logical
from engine.write.model import Asset, Format, Index, Option, Task
from engine.write.pour import Ledger, not_as_written
from engine.write.sheets import Raster, Sheet, raster_of
from engine.write.spool import Spool
from engine.write.stac_fields import projection

GDAL = {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR", "GDAL_PAM_ENABLED": "NO"}
"""No side files, neither looked for nor written. Never around the stream, whose own reads may want them."""

EXACT = 2**53
"""GDAL's no-data value passes through a float: integers beyond this would come back as another number."""


def write(task: Task, staging: Staging) -> tuple[Asset, ...]:
    """Spool the blocks, then make each sheet a COG, and read it back."""
    raster = raster_of(task.value, task.target, "GTiff", ".tif")
    if raster.nodata is not None and raster.dtype.kind in "iu" and abs(raster.nodata) > EXACT:
        raise unsuitable("GTiff", task.value, f"it keeps no-data values up to 2^53, not {raster.nodata}")
    places = [staging.claim(sheet.name) for sheet in raster.sheets]
    assets = []
    creation = _creation(raster, task.options)
    with Spool(raster, staging, str(task.options["compress"])) as spool:
        spool.fill(task.stream)
        for number, (sheet, place) in enumerate(zip(raster.sheets, places, strict=True)):
            with storing(place), rasterio.Env(**GDAL):
                spool.tag(number, _tags(raster, sheet))
                _to_cog(spool.close(number), place, creation)
                spool.drop(number)
                _check(place, raster, sheet, spool.ledger)
            assets.append(_asset(spool, number, staging.final(sheet.name)))
    return tuple(assets)


def _to_cog(source: Path, place: Path, creation: Mapping[str, Any]) -> None:
    with rasterio.open(source, driver="GTiff") as sheet:
        rasterio.shutil.copy(sheet, place, driver="COG", **creation)


def _creation(raster: Raster, options: Mapping[str, Any]) -> dict[str, Any]:
    """The user's choices as creation options of GDAL's COG driver."""
    creation = {
        "COMPRESS": options["compress"],
        "PREDICTOR": "YES" if options["predictor"] else "NO",
        "BLOCKSIZE": options["blocksize"],
        "OVERVIEWS": "AUTO" if options["overviews"] else "NONE",
        "OVERVIEW_RESAMPLING": options["overview_resampling"] or _resampling(raster),
        "BIGTIFF": "IF_SAFER",
        "SPARSE_OK": "TRUE",
        "NUM_THREADS": os.cpu_count() or 1,
    }
    if options["compress"] in ("ZSTD", "DEFLATE"):
        creation["LEVEL"] = min(options["level"], 9 if options["compress"] == "DEFLATE" else 22)
    return creation


def _resampling(raster: Raster) -> str:
    """Floats may be averaged; integers may be classes, whose average means nothing."""
    return "AVERAGE" if raster.dtype.kind == "f" and not is_logical(raster.cube) else "NEAREST"


def _tags(raster: Raster, sheet: Sheet) -> dict[str, str]:
    if sheet.moment is None:
        return {"LABEL": sheet.title} if raster.axes.time else {}
    return {
        "TIME": sheet.moment,
        "TIFFTAG_DATETIME": f"{sheet.moment[:10].replace('-', ':')} {sheet.moment[11:19]}",
    }


def _check(place: Path, raster: Raster, sheet: Sheet, ledger: Ledger) -> None:
    """Open the finished file and compare its head and all its cells with what was streamed."""
    with rasterio.open(place, driver="GTiff") as file:
        head = {
            "size": (file.width, file.height) == (raster.grid.width, raster.grid.height),
            "bands": file.count == len(raster.bands),
            "type": set(file.dtypes) == {raster.dtype.name},
            "no-data": _same(file.nodata, raster.nodata),
            "transform": file.transform.almost_equals(raster.grid.transform, precision=1e-9),
            "layout": file.tags(ns="IMAGE_STRUCTURE").get("LAYOUT") == "COG",
        }
        if wrong := [what for what, right in head.items() if not right]:
            raise not_as_written(place, f"its {', '.join(wrong)} differ")

        def read(where: Index) -> np.ndarray:
            bands, rows, columns = where
            window = Window.from_slices(rows, columns)
            return np.asarray(file.read(indexes=list(range(bands.start + 1, bands.stop + 1)), window=window))

        ledger.check(sheet.name, 3, read, place)


def _same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return one == other or (one != one and other != other)


def _asset(spool: Spool, number: int, href: Path) -> Asset:
    raster, sheet = spool.raster, spool.raster.sheets[number]
    bands = [
        {**band.stac(raster.dtype, raster.nodata), "statistics": tally.stac()}
        for band, tally in zip(raster.bands, spool.tallies[number], strict=True)
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
        "the bands in it, tiles and overviews; several dates have the date in the file name. Band names, "
        "no-data, scale and offset, statistics and the date stand in the file."
    ),
    suffixes=(".tif", ".tiff"),
    media_type="image/tiff; application=geotiff; profile=cloud-optimized",
    gis_data_types=("raster",),
    parameters={
        "compress": Option("string", "Compression.", "ZSTD", enum=("ZSTD", "DEFLATE", "LZW", "NONE")),
        "level": Option("integer", "Effort of ZSTD (1 to 22) or DEFLATE (1 to 9).", 1, minimum=1, maximum=22),
        "predictor": Option("boolean", "Whether to store differences, which compress better.", True),
        "blocksize": Option("integer", "Side of a tile in cells.", 512, enum=(128, 256, 512, 1024, 2048)),
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
