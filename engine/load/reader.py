"""Reads blocks: a driver for odc-loader, and the mosaic of the scenes of one time step."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from odc.geo.geobox import GeoBox
from odc.loader.types import RasterLoadParams, RasterSource

from engine.errors import Problem
from engine.load.files import gdal
from engine.load.image import open_image
from engine.load.model import Source
from engine.load.pieces import Piece, pieces


def raster_source(source: Source) -> RasterSource:
    """A source in the words of odc-loader."""
    return RasterSource(source.href, band=source.index, geobox=source.geobox, driver_data=source)


class Reader:
    """Reads one band of one file (odc-loader's `RasterReader`). It raises what it cannot read, always."""

    def __init__(self, src: RasterSource) -> None:
        self.source = src.driver_data if isinstance(src.driver_data, Source) else _unnamed(src)

    def read(
        self,
        cfg: RasterLoadParams,
        dst_geobox: GeoBox,
        *,
        dst: np.ndarray | None = None,
        selection: Any = None,
    ) -> Piece:
        """The pixels of a block: where they belong in it, and themselves."""
        if selection is not None:
            raise NotImplementedError("files with more dimensions than rows and columns")
        found = list(self.pieces(cfg, dst_geobox))
        if len(found) == 1 and dst is None:
            return found[0]
        fill = _fill(cfg)
        whole = np.full(dst_geobox.shape, fill, cfg.dtype) if dst is None else dst
        for roi, pixels in found:
            patch(whole[roi], pixels, fill)
        return (slice(0, whole.shape[0]), slice(0, whole.shape[1])), whole

    def pieces(self, cfg: RasterLoadParams, block: GeoBox) -> Iterator[Piece]:
        """The same in pieces; more than one only where the file meets the block twice around the globe."""
        with open_image(self.source, block, cfg) as image:
            yield from pieces(image, block, cfg)


class Driver:
    """Our reader as a driver of odc-loader: `odc.stac.load(..., driver=Driver())`.

    It holds no state and passes on no environment: what a file needs to be opened stands in `files.SETTINGS`.
    """

    md_parser = None
    dask_reader = None
    aux_reader = None

    def new_load(self, geobox: GeoBox, *, chunks: Mapping[str, int] | None = None) -> None:
        """Nothing is shared between the reads of a load."""

    def finalise_load(self, load_state: None) -> None:
        """Nothing is left behind."""

    def capture_env(self) -> dict[str, Any]:
        """Nothing is taken along to other processes."""
        return {}

    @contextmanager
    def restore_env(self, env: dict[str, Any], load_state: None) -> Iterator[None]:  # noqa: ARG002 (the protocol's)
        """The environment of every read."""
        with gdal():
            yield None

    def open(self, src: RasterSource, ctx: None) -> Reader:  # noqa: ARG002 (the protocol's)
        """A reader; the file is opened when it is asked for pixels."""
        return Reader(src)


DRIVER = Driver()


def read_block(sources: Sequence[Source], block: GeoBox, cfg: RasterLoadParams) -> np.ndarray:
    """One block of one band at one time step, (1, 1, y, x): the first valid pixel of the sources, in their order."""
    fill, marked = _fill(cfg), _is_marked(cfg)
    out: np.ndarray | None = None
    covered = 0
    for source in sources:
        for roi, pixels in DRIVER.open(raster_source(source), None).pieces(cfg, block):
            covered += pixels.size
            if out is None and pixels.shape == block.shape:
                out = pixels
                continue
            if out is None:
                out = np.full(block.shape, fill, cfg.dtype)
            if marked:
                patch(out[roi], pixels, fill)
            else:
                out[roi] = pixels
        if marked and out is not None and not is_missing(out, fill).any():
            break
    if not marked and covered < math.prod(block.shape):
        raise _gap(sources, covered, block)
    if out is None:
        out = np.full(block.shape, fill, cfg.dtype)
    return out[None, None]


def patch(below: np.ndarray, pixels: np.ndarray, fill: float) -> None:
    """Put the pixels where there are none yet."""
    np.copyto(below, pixels, where=is_missing(below, fill))


def is_missing(pixels: np.ndarray, fill: float) -> np.ndarray:
    """Where there is no data."""
    if math.isnan(fill):
        missing: np.ndarray = np.isnan(pixels)
        return missing
    return pixels == pixels.dtype.type(fill)


def _fill(cfg: RasterLoadParams) -> float:
    if cfg.fill_value is not None:
        return cfg.fill_value
    return math.nan if np.dtype(cfg.dtype).kind in "fc" else 0


def _is_marked(cfg: RasterLoadParams) -> bool:
    """Whether the cube knows no-data."""
    return cfg.fill_value is not None or np.dtype(cfg.dtype).kind in "fc"


def _gap(sources: Sequence[Source], covered: int, block: GeoBox) -> Problem:
    """A cube without no-data must be covered by its files, as the metadata promised."""
    named = " and ".join(f"asset {s.asset!r} of item {s.item!r}" for s in sources) or "no asset"
    return Problem(
        "FileContentInvalid",
        f"{named} covers {covered} of the {math.prod(block.shape)} pixels of a block, less than the metadata say,"
        " and the cube knows no no-data.",
        hint="Wish for a nodata value, or correct the item's proj:shape and proj:transform.",
        facts={"items": [s.item for s in sources], "assets": [s.asset for s in sources]},
    )


def _unnamed(src: RasterSource) -> Source:
    """The source of a load that is not ours: known by its address only."""
    nodata = src.meta.nodata if src.meta is not None else None
    return Source("", "", max(1, src.band), src.uri, src.geobox, nodata=nodata)
