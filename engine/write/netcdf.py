"""Writes cubes of any dimensions as CF netCDF-4, a variable per band, block by block."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from xarray.backends.locks import HDF5_LOCK, NETCDFC_LOCK, combine_locks

from engine.write.atomic import Staging, storing
from engine.write.cf import Coordinate, Layout, layout_of
from engine.write.cf_assets import CfTallies, cf_asset
from engine.write.model import Asset, Format, Index, Option, Task
from engine.write.pour import Ledger, pour

if TYPE_CHECKING:  # the library takes 12 MB, and only who writes such a file needs it
    import netCDF4

LOCK = combine_locks([NETCDFC_LOCK, HDF5_LOCK])
"""xarray's own: the libraries are not safe with threads, and the stream may read netCDF while we write it."""

LARGEST_CHUNK = 4 << 20
"""Bytes of a chunk: readers decompress whole ones, and the library's cache holds one of these."""

READ_ONCE = 1 << 20
"""Bytes of the library's cache where each chunk is read once, whole: left alone it takes 64 MB."""


def write(task: Task, staging: Staging) -> tuple[Asset, ...]:
    """Write the head, then the blocks as they come, then read all of them back."""
    layout = layout_of(task.value, "netCDF", task.stream, LARGEST_CHUNK)
    place = staging.claim(task.target.name)
    with LOCK, storing(place):
        file = _create(place, layout, task.options)
    variables = [file[variable.name] for variable in layout.variables]
    ledger, tallies = Ledger(), CfTallies(layout)

    def take(index: Index, block: np.ndarray) -> None:
        for number, where, cells in layout.parts(index, block):
            with LOCK, storing(place):
                variables[number][where] = cells
            ledger.note(layout.variables[number].name, where, cells)
            tallies.add(number, cells)

    try:
        pour(task.stream, task.value, take)
    except BaseException:
        _abandon(file)
        raise
    with LOCK, storing(place):
        file.close()
    _check(place, layout, ledger)
    return (cf_asset(task, layout, tallies, staging.final(task.target.name), FORMAT.media_type),)


def _create(place: Path, layout: Layout, options: Any) -> netCDF4.Dataset:
    """A new file with all but the cells of the variables."""
    import netCDF4

    file = netCDF4.Dataset(place, "w", format="NETCDF4", clobber=False)
    file.set_auto_maskandscale(False)
    file.setncatts(layout.attrs)
    for dim, size in layout.dims.items():
        file.createDimension(dim, size)
    for coordinate in layout.coordinates:
        _put_coordinate(file, coordinate)
    squeeze = options["compress"] == "DEFLATE" and bool(layout.dims)
    cache = max(1 << 20, (4 * LARGEST_CHUNK) // len(layout.variables))
    for variable in layout.variables:
        attrs = dict(variable.attrs)
        stored = file.createVariable(
            variable.name,
            layout.dtype,
            tuple(layout.dims),
            fill_value=attrs.pop("_FillValue", None),
            compression="zlib" if squeeze else None,
            complevel=options["zlevel"],
            shuffle=True,
            chunksizes=layout.chunks or None,
            chunk_cache=cache,
        )
        stored.set_auto_maskandscale(False)
        stored.setncatts(attrs)
    return file


def _put_coordinate(file: netCDF4.Dataset, coordinate: Coordinate) -> None:
    attrs = dict(coordinate.attrs)
    text = coordinate.values.dtype == object
    kind = str if text else coordinate.values.dtype.newbyteorder("=")  # the order of bytes is the file's
    stored = file.createVariable(
        coordinate.name, kind, coordinate.dims, fill_value=attrs.pop("_FillValue", None)
    )
    stored.set_auto_maskandscale(False)
    stored.setncatts(attrs)
    if coordinate.values.ndim == 0 and text:
        stored[...] = coordinate.values.item()
    else:
        stored[...] = coordinate.values


def _check(place: Path, layout: Layout, ledger: Ledger) -> None:
    import netCDF4

    with LOCK, storing(place), netCDF4.Dataset(place, "r") as file:
        file.set_auto_maskandscale(False)
        for variable in layout.variables:
            stored = file[variable.name]
            stored.set_var_chunk_cache(size=READ_ONCE)
            ledger.check(variable.name, len(layout.dims), stored.__getitem__, place)


def _abandon(file: netCDF4.Dataset) -> None:
    """Close a file that is thrown away; after a full disk closing fails too, which adds nothing."""
    with LOCK:
        try:
            file.close()
        except (OSError, RuntimeError):
            return


FORMAT = Format(
    name="netCDF",
    title="netCDF-4 with CF conventions",
    description=(
        "Cubes of any dimensions, also vector cubes, in one file (CF-1.11). Each band is a variable, other "
        "dimensions are kept; geometries are WKT, their properties coordinates."
    ),
    suffixes=(".nc", ".nc4", ".cdf"),
    media_type="application/netcdf",
    gis_data_types=("raster", "vector", "table", "other"),
    parameters={
        "compress": Option("string", "Compression.", "DEFLATE", enum=("DEFLATE", "NONE")),
        "zlevel": Option("integer", "Effort of compression.", 4, minimum=1, maximum=9),
    },
    write=write,
    aliases=("netcdf4", "application/x-netcdf"),
)
