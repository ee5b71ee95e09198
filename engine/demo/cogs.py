"""The scenes' files: cloud-optimised GeoTIFFs on one grid, and small true-colour pictures."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from PIL import Image
from rasterio.io import MemoryFile

from engine.demo.render import NODATA, SCALE
from engine.errors import Problem

CRS = "EPSG:32632"
WEST, NORTH = 675_000, 5_156_000
"""Upper left corner of every scene, in metres of `CRS`."""
THUMBNAIL = 256
"""Greatest edge of a thumbnail in pixels."""


def grid(cell: int) -> Affine:
    """The grid of files with cells of `cell` metres."""
    return Affine(cell, 0, WEST, 0, -cell, NORTH)


def bounds(size: int) -> tuple[float, float, float, float]:
    """West, south, east and north of a scene of `size` cells of 10 m, in metres of `CRS`."""
    return (WEST, NORTH - 10 * size, WEST + 10 * size, NORTH)


def write_cog(path: Path, pixels: NDArray[Any], *, cell: int, name: str, time: datetime) -> None:
    """Write one band as a COG: deflated with predictor 2, blocks of 256, overviews, no-data 0.

    Reflectances are averaged in the overviews, classes (8 bit) are picked. The file is made in memory and
    put in its place whole, so that a full disk leaves no half file.
    """
    reflectance = pixels.dtype == np.uint16
    profile = {
        "driver": "COG",
        "dtype": pixels.dtype,
        "count": 1,
        "height": pixels.shape[0],
        "width": pixels.shape[1],
        "crs": CRS,
        "transform": grid(cell),
        "nodata": NODATA,
        "compress": "deflate",
        "predictor": "standard",
        "blocksize": 256,
        "overview_count": 2,
        "overview_resampling": "average" if reflectance else "nearest",
    }
    with MemoryFile() as memory:
        with memory.open(**profile) as file:
            file.write(pixels, 1)
            file.set_band_description(1, name)
            file.update_tags(TIFFTAG_DATETIME=time.strftime("%Y:%m:%d %H:%M:%S"))
            if reflectance:
                file.scales = (SCALE,)
        _publish(path, bytes(memory.getbuffer()))


def write_thumbnail(path: Path, bands: Mapping[str, NDArray[np.uint16]]) -> None:
    """Write a small true-colour PNG of a scene; it is transparent where there is no data."""
    red, green, blue = (bands[band] * np.float32(SCALE) for band in ("B04", "B03", "B02"))
    light = np.clip((np.stack([red, green, blue], axis=-1) - (0.012, 0.022, 0.026)) / 0.24, 0, 1)
    seen = 255 * (bands["B04"] != NODATA)
    picture = np.dstack([255 * light ** (1 / 1.7), seen]).astype(np.uint8)
    image = Image.fromarray(picture)
    image.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX)
    stream = io.BytesIO()
    image.save(stream, "PNG")
    _publish(path, stream.getvalue())


def _publish(path: Path, content: bytes) -> None:
    """Put a file in its place in one step."""
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        raise unwritable(path, error) from error


def unwritable(path: Path, error: OSError) -> Problem:
    """The problem that a file of the sample data could not be written."""
    return Problem(
        "StorageFailure",
        f"The sample data could not be written to '{path}': {error.strerror or error}.",
        hint="Name a folder that can be written to and has about 80 MB left.",
        facts={"path": str(path)},
    )
