"""Reads single blocks, for those who ask for one at a time: a driver for odc-loader, and the block of a time step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from odc.geo.geobox import GeoBox
from odc.loader.types import RasterLoadParams, RasterSource

from engine.load.files import gdal
from engine.load.lookup import Lookups
from engine.load.model import Source
from engine.load.mosaic import fill_of, patch
from engine.load.pieces import Roi
from engine.load.views import view_of
from engine.load.windows import Request, read_windows

Piece = tuple[Roi, np.ndarray]
"""Rows and columns of a block, and the pixels there."""


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
        fill = fill_of(cfg)
        whole = np.full(dst_geobox.shape, fill, cfg.dtype) if dst is None else dst
        for roi, pixels in found:
            patch(whole[roi], pixels, fill)
        return (slice(0, whole.shape[0]), slice(0, whole.shape[1])), whole

    def pieces(self, cfg: RasterLoadParams, block: GeoBox) -> Iterator[Piece]:
        """The same in pieces; more than one only where the file meets the block twice around the globe."""
        request = Request((self.source,), block, cfg)
        with gdal():
            view = view_of(self.source, request, Lookups())
            for number, cut in enumerate(view.cuts):
                yield cut.roi, cut.render(view.window(number))


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
    return read_windows([Request(tuple(sources), block, cfg)])[0][None, None]


def _unnamed(src: RasterSource) -> Source:
    """The source of a load that is not ours: known by its address only."""
    nodata = src.meta.nodata if src.meta is not None else None
    return Source("", "", max(1, src.band), src.uri, src.geobox, nodata=nodata)
