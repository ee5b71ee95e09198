"""Reads a finished GeoTIFF back: its head, and every tile, against what was streamed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.windows import Window

from engine.write.cog import Level, Place
from engine.write.packing import Packing, checksum
from engine.write.pour import not_as_written
from engine.write.press import threads
from engine.write.sheets import Raster
from engine.write.tiff import HEIGHT, TILE_OFFSETS, TILE_SIZES, WIDTH, Head, read_heads
from processes.kernels.loops import share


def check_cog(place: Path, raster: Raster, levels: Sequence[Level], packing: Packing) -> None:
    """Refuse a file that does not hold what was streamed.

    Every tile of every resolution is read where the file itself says that it lies, unpacked, and compared with
    the cells before compression; GDAL would take twice the time, most of it to undo the predictor, which loses
    nothing (test_predictors_lose_nothing). So GDAL reads the head, and the first and last tile of each band, as
    anybody else will; and all tiles where it has packed them itself.
    """
    try:
        with place.open("rb") as file:
            heads = read_heads(file)
            if len(heads) != len(levels):
                raise ValueError(f"{len(heads)} resolutions instead of {len(levels)}")
            for head, level in zip(heads, levels, strict=True):
                _check_head(head, level)
            if packing.reversible:
                _check_tiles(file.fileno(), heads, levels, packing)
    except ValueError as fault:
        raise not_as_written(place, str(fault)) from fault
    for number, level in enumerate(levels):
        _check_by_gdal(place, raster, number, level, packing)


def _check_head(head: Head, level: Level) -> None:
    if (head.number(WIDTH), head.number(HEIGHT)) != (level.width, level.height):
        raise ValueError("its size differs")
    if not np.array_equal(head.numbers(TILE_SIZES), level.sizes.ravel()):
        raise ValueError("the sizes of its tiles differ")


def _check_tiles(file: int, heads: Sequence[Head], levels: Sequence[Level], packing: Packing) -> None:
    """All tiles, in several threads; each uses the same memory again and again."""
    tiles = [
        (level, where, offset)
        for head, level in zip(heads, levels, strict=True)
        for where, offset in zip(
            level.stored(), head.numbers(TILE_OFFSETS)[level.sizes.ravel() > 0], strict=True
        )
    ]
    longest = max((int(level.sizes.max()) for level in levels), default=0)

    def check(first: int, last: int) -> None:
        room, packed = packing.room(), memoryview(bytearray(longest))
        for level, where, offset in tiles[first:last]:
            part = packed[: level.sizes[where]]
            if os.preadv(file, [part], offset) != len(part):
                raise ValueError("it is cut off")
            if checksum(packing.unpack(part, room)) != level.sums[where]:
                raise ValueError(_differing(level, where))

    share(check, len(tiles), threads())


def _check_by_gdal(place: Path, raster: Raster, number: int, level: Level, packing: Packing) -> None:
    kind = {"overview_level": number - 1} if number else {}
    with rasterio.open(place, driver="GTiff", **kind) as file:
        if wrong := [what for what, right in _facts(file, raster, level, number) if not right]:
            raise not_as_written(place, f"its {', '.join(wrong)} differ")
        for where in _sample(level) if packing.reversible else level.stored():
            band, row, column = where
            top, left = row * packing.side, column * packing.side
            window = Window(
                left, top, min(packing.side, level.width - left), min(packing.side, level.height - top)
            )
            if checksum(packing.plain(file.read(band + 1, window=window))) != level.sums[where]:
                raise not_as_written(place, _differing(level, where))


def _facts(file: Any, raster: Raster, level: Level, number: int) -> Iterator[tuple[str, bool]]:
    yield "size", (file.width, file.height) == (level.width, level.height)
    yield "bands", file.count == len(raster.bands)
    yield "type", set(file.dtypes) == {raster.dtype.name}
    yield "no-data", _same(file.nodata, raster.nodata)
    if number == 0:
        yield "transform", file.transform.almost_equals(raster.grid.transform, precision=1e-9)
        yield "layout", file.tags(ns="IMAGE_STRUCTURE").get("LAYOUT") == "COG"


def _sample(level: Level) -> Iterator[Place]:
    """The first and the last tile of each band that is stored."""
    for band, sizes in enumerate(level.sizes):
        found = np.argwhere(sizes)
        for row, column in {tuple(place) for place in found[[0, -1]].tolist()} if len(found) else ():
            yield band, row, column


def _differing(level: Level, where: Place) -> str:
    band, row, column = where
    return f"tile {row}, {column} of band {band + 1} at {level.width} x {level.height} cells differs"


def _same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return one == other or (one != one and other != other)
