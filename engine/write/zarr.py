"""Writes cubes of any dimensions as a Zarr v3 store, with the CF layout that netCDF has, block by block."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.write.atomic import Staging, storing
from engine.write.cf import Coordinate, Layout, layout_of
from engine.write.cf_assets import CfTallies, cf_asset
from engine.write.model import Asset, Format, Index, Option, Task
from engine.write.pour import Ledger, pour

if TYPE_CHECKING:  # imported where a store is written, as netCDF4 is
    import zarr

LARGEST_CHUNK = 4 << 20
"""Bytes of a chunk before compression: readers fetch and decompress whole ones."""


def write(task: Task, staging: Staging) -> tuple[Asset, ...]:
    """Make the arrays, fill them block by block, read them back."""
    layout = layout_of(task.value, "Zarr", task.stream, LARGEST_CHUNK)
    place = staging.claim(task.target.name)
    with storing(place):
        arrays = _create(place, layout, task.options)
    ledger, tallies = Ledger(), CfTallies(layout)

    def take(index: Index, block: np.ndarray) -> None:
        for number, where, cells in layout.parts(index, block):
            with storing(place):
                arrays[number][where] = cells
            ledger.note(layout.variables[number].name, where, cells)
            tallies.add(number, cells)

    pour(task.stream, task.value, take)
    with storing(place):
        _consolidate(place, [*(c.name for c in layout.coordinates), *(v.name for v in layout.variables)])
    _check(place, layout, ledger)
    return (cf_asset(task, layout, tallies, staging.final(task.target.name), FORMAT.media_type),)


def _create(place: Path, layout: Layout, options: Mapping[str, Any]) -> list[zarr.Array]:
    import zarr
    from zarr.storage import LocalStore

    group = zarr.create_group(LocalStore(place), zarr_format=3, attributes=_jsonable(layout.attrs))
    for coordinate in layout.coordinates:
        _put_coordinate(group, coordinate)
    return [
        group.create_array(
            variable.name,
            shape=tuple(layout.dims.values()),
            dtype=layout.dtype,
            chunks=layout.chunks or "auto",
            dimension_names=list(layout.dims),
            compressors=_compressor(options),
            fill_value=layout.dtype.type(0 if layout.nodata is None else layout.nodata),
            attributes=_jsonable(variable.attrs),
        )
        for variable in layout.variables
    ]


def _compressor(options: Mapping[str, Any]) -> Any:
    from zarr.codecs import GzipCodec, ZstdCodec

    match options["compress"]:
        case "ZSTD":
            return ZstdCodec(level=options["level"])
        case "GZIP":
            return GzipCodec(level=min(options["level"], 9))
        case _:
            return None


def _put_coordinate(group: zarr.Group, coordinate: Coordinate) -> None:
    text = coordinate.values.dtype == object
    array = group.create_array(
        coordinate.name,
        shape=coordinate.values.shape,
        dtype="string" if text else coordinate.values.dtype,
        chunks=coordinate.values.shape or "auto",
        dimension_names=list(coordinate.dims),
        attributes=_jsonable(coordinate.attrs),
    )
    array[...] = coordinate.values.item() if text and coordinate.values.ndim == 0 else coordinate.values


def _consolidate(place: Path, names: list[str]) -> None:
    """Repeat the metadata of all arrays in that of the group: one request for a reader, and the order of bands."""
    head = place / "zarr.json"
    group = json.loads(head.read_text())
    members = {name: json.loads((place / name / "zarr.json").read_text()) for name in names}
    group["consolidated_metadata"] = {"kind": "inline", "must_understand": False, "metadata": members}
    head.write_text(json.dumps(group, indent=2))


def _check(place: Path, layout: Layout, ledger: Ledger) -> None:
    import zarr
    from zarr.storage import LocalStore

    with storing(place):
        group = zarr.open_group(LocalStore(place, read_only=True), mode="r", zarr_format=3)
        for variable in layout.variables:
            stored = group[variable.name]
            ledger.check(variable.name, len(layout.dims), stored.__getitem__, place)


def _jsonable(attrs: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes as JSON; a fill value the way xarray stores it: floats as the base64 of a double."""
    out = {}
    for name, value in attrs.items():
        plain = value.tolist() if isinstance(value, np.ndarray | np.generic) else value
        if name == "_FillValue" and isinstance(plain, float):
            plain = base64.standard_b64encode(struct.pack("<d", plain)).decode()
        out[name] = plain
    return out


FORMAT = Format(
    name="Zarr",
    title="Zarr v3 store with CF conventions",
    description=(
        "Cubes of any dimensions, also vector cubes, as a folder. Each band is an array, chunked as the cube "
        "is; attributes are those of CF-1.11; metadata is consolidated."
    ),
    suffixes=(".zarr",),
    media_type="application/vnd.zarr; version=3",
    gis_data_types=("raster", "vector", "table", "other"),
    parameters={
        "compress": Option("string", "Compression.", "ZSTD", enum=("ZSTD", "GZIP", "NONE")),
        "level": Option("integer", "Effort of ZSTD (1 to 22) or GZIP (1 to 9).", 1, minimum=1, maximum=22),
    },
    write=write,
    aliases=("application/vnd+zarr",),
)
