"""Small rasters and the STAC items that describe them, and a count of what is opened and read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pystac
import pytest
import rasterio
from affine import Affine
from odc.geo.geobox import GeoBox

from engine.load.image import Image

UTM = "EPSG:32632"


@dataclass
class Maker:
    """Writes files into a folder and items about them."""

    folder: Path

    def tif(
        self, name: str, pixels: np.ndarray, grid: GeoBox, *, overviews: tuple[int, ...] = (), **profile: Any
    ) -> Path:
        """A tiled GeoTIFF of (bands, y, x) or (y, x)."""
        path = self.folder / name
        planes = pixels if pixels.ndim == 3 else pixels[None]
        count, height, width = planes.shape
        assert (height, width) == grid.shape
        options = {"tiled": True, "blockxsize": 64, "blockysize": 64, "compress": "deflate"} | profile
        with rasterio.open(
            path,
            "w",
            driver="GTiff",
            width=width,
            height=height,
            count=count,
            dtype=planes.dtype,
            crs=str(grid.crs),
            transform=grid.transform,
            **options,
        ) as dataset:
            dataset.write(planes)
            if overviews:
                dataset.build_overviews(overviews, rasterio.enums.Resampling.average)
        return path

    def item(
        self, name: str, when: str, assets: dict[str, Path | dict[str, Any]], **properties: Any
    ) -> pystac.Item:
        """An item that says of its assets what the files say; a dict adds or (with None) takes away fields."""
        moment = datetime.fromisoformat(when)
        item = pystac.Item(
            name, None, None, moment if moment.tzinfo else moment.replace(tzinfo=UTC), properties
        )
        for key, told in assets.items():
            fields = {"href": told} if isinstance(told, Path) else dict(told)
            path = fields.pop("href")
            described = {**self._described(path), **fields}
            media, roles = described.pop("type"), described.pop("roles")
            kept = {name: value for name, value in described.items() if value is not None}
            item.add_asset(key, pystac.Asset(str(path), media_type=media, roles=roles, extra_fields=kept))
        return item

    def _described(self, path: Path) -> dict[str, Any]:
        basics: dict[str, Any] = {"type": "image/tiff; application=geotiff", "roles": ["data"]}
        if not path.exists():
            return basics
        with rasterio.open(path) as dataset:
            bands = [
                {"data_type": t, "nodata": v} for t, v in zip(dataset.dtypes, dataset.nodatavals, strict=True)
            ]
            grid = {"proj:shape": list(dataset.shape), "proj:transform": list(dataset.transform)[:6]}
            return basics | grid | {"proj:code": dataset.crs.to_string(), "raster:bands": bands}


@pytest.fixture
def make(tmp_path: Path) -> Maker:
    """Writes files and items."""
    return Maker(tmp_path)


@dataclass
class Counts:
    """What was opened and read."""

    opened: list[str] = field(default_factory=list)
    """Addresses, one for each open."""
    read: list[tuple[slice, slice]] = field(default_factory=list)
    """Windows, one for each read."""
    files: list[str] = field(default_factory=list)
    """Their addresses, one for each read."""
    decoded: int = 0
    """Bytes of these windows, in the types of the files."""


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counts:
    """Counts the opens and reads of rasters from here on."""
    seen = Counts()
    real_open, real_window = rasterio.open, Image.window

    def opening(href: str, *args: Any, **options: Any) -> Any:
        seen.opened.append(str(href))
        return real_open(href, *args, **options)

    def reading(image: Image, rows: slice, cols: slice) -> np.ndarray:
        seen.read.append((rows, cols))
        seen.files.append(image.source.href)
        seen.decoded += (rows.stop - rows.start) * (cols.stop - cols.start) * image.stored.itemsize
        return real_window(image, rows, cols)

    monkeypatch.setattr(rasterio, "open", opening)
    monkeypatch.setattr(Image, "window", reading)
    return seen


@pytest.fixture
def grid() -> Callable[..., GeoBox]:
    """Makes a grid: size, upper left corner, pixel size, CRS."""

    def grid_of(
        height: int,
        width: int,
        left: float = 500_000,
        top: float = 5_000_000,
        size: float = 10,
        crs: str = UTM,
    ) -> GeoBox:
        return GeoBox((height, width), Affine(size, 0, left, 0, -size, top), crs)

    return grid_of


@pytest.fixture
def noise() -> Callable[..., np.ndarray]:
    """Pixels of any type that are all different enough to tell a shift by one."""

    def pixels(*shape: int, dtype: str = "uint16", seed: int = 0) -> np.ndarray:
        values = np.random.default_rng(seed).integers(1, 200 if dtype in ("uint8", "int8") else 9_999, shape)
        return values.astype(dtype)

    return pixels
