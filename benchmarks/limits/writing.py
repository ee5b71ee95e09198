"""Puts an array into a file, as fast as a library can, or as its users do."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine

from benchmarks import answers, cubes
from benchmarks.child import Work
from benchmarks.limits.windows import write_tiff
from benchmarks.scenes import CRS, transform


def picture(edge: int) -> Any:
    """What is written: (y, x), float32, with gaps."""
    return cubes.cells(1, edge)[0]


def of_dataset(path: Path) -> Mapping[str, float]:
    """The numbers of the one variable of a NetCDF file or Zarr store that has a plane."""
    import xarray as xr

    with xr.open_dataset(path, engine="zarr" if path.suffix == ".zarr" else "netcdf4") as data:
        name = next(n for n, v in data.data_vars.items() if v.ndim >= 2)
        return answers.of_cells(data[name].values)


def of_png(path: Path) -> Mapping[str, float]:
    """The numbers of a picture."""
    return answers.of_picture(path.read_bytes())


ANSWERS: Mapping[str, Callable[[Path], Mapping[str, float]]] = {
    ".tif": answers.of_raster,
    ".nc": of_dataset,
    ".zarr": of_dataset,
    ".png": of_png,
}


def written(suffix: str, write: Callable[[Path], Any]) -> Work:
    """A work that writes a file of that kind anew each time."""
    target = Path(tempfile.mkdtemp()) / f"result{suffix}"

    def before(_: int) -> Path:
        if target.is_dir():
            shutil.rmtree(target)
        target.unlink(missing_ok=True)
        return target

    def run(path: Path) -> Path:
        write(path)
        return path

    return Work(run, ANSWERS[suffix], before)


def tiff(facts: Mapping[str, Any]) -> Work:
    """A GeoTIFF by rasterio, compressed as the facts say; by default with what costs least."""
    cells, options = picture(facts["edge"]), facts.get("options", {})
    return written(".tif", lambda path: write_tiff(path, cells, CRS, Affine(*transform()), **options))


def cog(facts: Mapping[str, Any]) -> Work:
    """A COG by GDAL's driver, with overviews."""
    import rasterio

    cells = picture(facts["edge"])
    options = {"driver": "COG", "compress": "zstd", "level": 1, "predictor": "floating_point"}

    def write(path: Path) -> None:
        profile = {
            "count": 1, "height": cells.shape[0], "width": cells.shape[1], "dtype": cells.dtype, "crs": CRS,
            "transform": Affine(*transform()), "nodata": float("nan"), "blocksize": 512,
        }  # fmt: skip
        with rasterio.open(path, "w", **profile | options) as file:
            file.write(cells, 1)

    return written(".tif", write)


def netcdf(facts: Mapping[str, Any]) -> Work:
    """A compressed NetCDF file, by the library itself."""
    import netCDF4

    cells = picture(facts["edge"])

    def write(path: Path) -> None:
        with netCDF4.Dataset(path, "w") as file:
            for name, size in zip("yx", cells.shape, strict=True):
                file.createDimension(name, size)
            variable = file.createVariable(
                "cells", "f4", ("y", "x"), zlib=True, complevel=1, chunksizes=(512, 512)
            )
            variable[:] = cells

    return written(".nc", write)


def zarr(facts: Mapping[str, Any]) -> Work:
    """A Zarr store, by the library itself."""
    import zarr as library

    cells = picture(facts["edge"])

    def write(path: Path) -> None:
        group = library.open_group(path, mode="w")
        array = group.create_array(
            "cells", shape=cells.shape, chunks=(512, 512), dtype="f4", dimension_names=("y", "x")
        )
        array[:] = cells
        library.consolidate_metadata(group.store)

    return written(".zarr", write)


def stretched(cells: Any) -> Any:
    """Levels 1 to 255 of the numbers from 0 to 1, and 0 where there is none."""
    return np.where(np.isnan(cells), 0, np.round(cells.clip(0, 1) * 254) + 1).astype(np.uint8)


def png(facts: Mapping[str, Any]) -> Work:
    """A picture by rasterio: levels, and what is opaque."""
    import rasterio

    cells = picture(facts["edge"])

    def write(path: Path) -> None:
        levels = stretched(cells)
        height, width = levels.shape
        with rasterio.open(
            path, "w", driver="PNG", count=2, height=height, width=width, dtype="uint8", zlevel=1
        ) as file:
            file.write(levels, 1)
            file.write(np.where(levels > 0, 255, 0).astype(np.uint8), 2)

    return written(".png", write)


def to_raster(facts: Mapping[str, Any]) -> Work:
    """A GeoTIFF by rioxarray, compressed as its users mostly do."""
    cube = cubes.labelled(picture(facts["edge"]))
    return written(".tif", lambda path: cube.rio.to_raster(path, tiled=True, compress="deflate"))


def to_netcdf(facts: Mapping[str, Any]) -> Work:
    """A NetCDF file by xarray."""
    data = cubes.labelled(picture(facts["edge"])).to_dataset(name="cells")
    encoding = {"cells": {"zlib": True, "complevel": 4}}
    return written(".nc", lambda path: data.to_netcdf(path, encoding=encoding, engine="netcdf4"))


def to_zarr(facts: Mapping[str, Any]) -> Work:
    """A Zarr store by xarray."""
    data = cubes.labelled(picture(facts["edge"])).chunk(y=512, x=512).to_dataset(name="cells")
    return written(".zarr", data.to_zarr)
