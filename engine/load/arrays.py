"""Loads items whose assets are NetCDF or Zarr: variables become bands, items follow each other in time."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import dask.array as da
import numpy as np
import pystac
import xarray as xr
from affine import Affine
from odc.geo.crs import CRS
from odc.geo.geobox import GeoBox

from engine.errors import Problem
from engine.load.cube import bands_labels
from engine.load.described import data_assets, moment_of
from engine.load.extent import GLOBE, TURNS, Rect, box_in, is_globe, nothing_inside
from engine.load.model import Band, Survey, Wish
from engine.load.regrid import regrid
from engine.load.stored import Layer, layers_of
from engine.load.table import choose_bands
from engine.load.taken import angles, facts, facts_of_band
from engine.load.values import Values, choose_values
from processes.cubes.places import spatial_attributes

Say = Callable[[str], None]


def load_arrays(items: Sequence[pystac.Item], wish: Wish, say: Say) -> xr.DataArray:
    """The lazy cube (t, bands, others, y, x) of the items' arrays; no number is read but the coordinates."""
    rows = [(item, _layers(item, wish)) for item in items]
    labels = _wished([layer for _, layers in rows for layer in layers], wish)
    rows = [
        (item, kept)
        for item, layers in rows
        if (kept := [x for x in layers if (x.source.asset, x.band.name) in labels])
    ]
    crs = _one_crs([layer for _, layers in rows for layer in layers])
    regridded = wish.crs is not None or wish.resolution is not None
    gaps = regridded or any(len(layers) < len(labels) for _, layers in rows)
    values = choose_values(
        (layer.source for _, layers in rows for layer in layers),
        nodata=wish.nodata,
        scaled=wish.scale == "metadata",
        gaps=lambda: gaps,
        say=say,
    )
    parts = [_of_item(item, layers, labels, values, wish) for item, layers in rows]
    cube = _in_time(parts, values, say)
    cube = cube.assign_coords(angles(_told(cube, rows, parts), say))
    if wish.bbox is not None and not regridded:
        cube = _cropped(cube, box_in(wish.bbox, crs, [_around(cube, crs)]), crs)
    bands = [_with_radar(band, rows, labels, say) for band in labels.values()]
    cube = _finished(cube, bands, crs, values, wish)
    cube.attrs |= facts([[item.properties for item, _ in rows]], say)
    return regrid(cube, wish) if regridded else cube


def survey_arrays(cube: xr.DataArray, items: Sequence[pystac.Item], wish: Wish) -> Survey:
    """What `load_arrays` did; the files' headers tell all of it."""
    x, y = (cube.coords[axis].values for axis in ("x", "y"))
    return Survey(
        crs=cube.coords["x"].attrs["reference_system"],
        resolution=(_step(x), _step(y)),
        shape=cube.shape,
        geobox=cube.odc.geobox if _is_regular(x) and _is_regular(y) else None,
        times=tuple(cube.coords["t"].values),
        bands=tuple(map(str, cube.coords["bands"].values)),
        dtype=str(cube.dtype),
        nodata=cube.attrs.get("nodata"),
        items=len(items),
        assets=sum(len(data_assets(item, "array", wish.bands or ())) for item in items),
        bytes=cube.nbytes,
        chunks={str(dim): sizes for dim, sizes in cube.chunksizes.items()},
        dims=tuple(map(str, cube.dims)),
    )


def _layers(item: pystac.Item, wish: Wish) -> list[Layer]:
    assets = data_assets(item, "array", wish.bands or ())
    return [layer for key, asset in assets.items() for layer in layers_of(item, key, asset, wish.chunks)]


def _wished(layers: Sequence[Layer], wish: Wish) -> dict[tuple[str, str], Band]:
    """The cube's bands in their order, by asset and variable."""
    first: dict[tuple[str, str], Layer] = {}
    for layer in layers:
        first.setdefault((layer.source.asset, layer.band.name), layer)
    if not first:
        raise Problem(
            "FileContentInvalid",
            "none of the files has a variable with rows and columns.",
            hint="Are x and y named or described as CF asks?",
        )
    numbers: dict[str, int] = {}
    known = {}
    for (asset, _), layer in first.items():
        numbers[asset] = numbers.get(asset, 0) + 1
        known[asset, numbers[asset]] = layer.band
    chosen = choose_bands(known, wish.bands)
    return {(c.key[0], c.band.name): replace(c.band, name=c.label) for c in chosen}


def _one_crs(layers: Sequence[Layer]) -> CRS:
    first = layers[0]
    for layer in layers:
        if layer.crs != first.crs:
            raise _unlike(first, layer, f"the CRSs {first.crs} and {layer.crs}")
    return first.crs


def _unlike(one: Layer, other: Layer, what: str) -> Problem:
    return Problem(
        "FormatUnsuitable",
        f"variable {one.band.name!r} of item {one.source.item!r} and {other.band.name!r} of {other.source.item!r} have {what};"
        " they cannot be one cube.",
        hint="Load them apart, bring one to the grid of the other, and merge the cubes.",
    )


def _of_item(
    item: pystac.Item,
    layers: Sequence[Layer],
    labels: dict[tuple[str, str], Band],
    values: Values,
    wish: Wish,
) -> xr.DataArray:
    """The layers of one item side by side, (t, bands, others, y, x)."""
    arrays = {}
    for layer in layers:
        _same_place(layers[0], layer)
        array = xr.DataArray(_decoded(layer, values, wish), dims=layer.dims)
        array = array.assign_coords({dim: v for dim, v in layer.coords.items() if dim in layer.dims})
        arrays[labels[layer.source.asset, layer.band.name].name] = array
    order = [band.name for band in labels.values() if band.name in arrays]
    if not any("t" in array.dims for array in arrays.values()):
        alone = next((layer.coords["t"] for layer in layers if "t" in layer.coords), None)
        time = alone.values if alone is not None else np.array([moment_of(item)], "datetime64[ns]")
        arrays = {name: array.expand_dims(t=time) for name, array in arrays.items()}
    broad = xr.broadcast(*(arrays[name] for name in order))
    cube = xr.concat(broad, xr.Variable(("bands",), order), join="exact", coords="minimal", compat="override")
    others = [dim for dim in cube.dims if dim not in ("t", "bands", "y", "x")]
    return cube.transpose("t", "bands", *others, "y", "x")


def _told(
    cube: xr.DataArray, rows: Sequence[tuple[pystac.Item, Any]], parts: Sequence[xr.DataArray]
) -> list[list[Mapping[str, Any]]]:
    """The properties of the items of each time."""
    told: dict[Any, list[Mapping[str, Any]]] = {}
    for (item, _), part in zip(rows, parts, strict=True):
        for time in part.indexes["t"]:
            told.setdefault(time, []).append(item.properties)
    return [told[time] for time in cube.indexes["t"]]


def _with_radar(
    band: Band, rows: Sequence[tuple[Any, Sequence[Layer]]], labels: Mapping[tuple[str, str], Band], say: Say
) -> Band:
    """The band with what all items tell of the radar alike."""
    mine = [x.source for _, layers in rows for x in layers if labels[x.source.asset, x.band.name] == band]
    return replace(band, radar=facts_of_band(band.name, mine, say))


def _decoded(layer: Layer, values: Values, wish: Wish) -> da.Array:
    """The layer's numbers in the type of the cube, its no-data value, and scaled if wished."""
    void = layer.source.nodata if wish.nodata is None else wish.nodata
    band = layer.band if wish.scale == "metadata" else None
    if layer.data.dtype == values.dtype and band is None and (void is None or void == values.nodata):
        return layer.data
    return layer.data.map_blocks(to_values, void, values, band, dtype=values.dtype)


def to_values(stored: np.ndarray, void: float | None, values: Values, band: Band | None) -> np.ndarray:
    """Stored numbers as the cube has them."""
    numbers = stored.astype(values.dtype)
    if band is not None:
        numbers = numbers * values.dtype.type(1 if band.scale is None else band.scale)
        numbers = numbers + values.dtype.type(band.offset or 0)
    if void is not None and not math.isnan(void):
        numbers[stored == void] = values.fill
    return numbers


def _same_place(one: Layer, other: Layer) -> None:
    for axis in ("x", "y"):
        if not _same_labels(one.coords[axis].values, other.coords[axis].values):
            raise _unlike(one, other, f"different {axis} coordinates")


def _same_labels(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=0, atol=1e-3 * abs(_step(a)) or 1e-9))


def _step(labels: np.ndarray) -> float:
    return float(labels[-1] - labels[0]) / (labels.size - 1) if labels.size > 1 else 0.0


def _is_regular(labels: np.ndarray) -> bool:
    return labels.size > 1 and bool(np.allclose(np.diff(labels.astype(float)), _step(labels), rtol=1e-3))


def _in_time(parts: Sequence[xr.DataArray], values: Values, say: Say) -> xr.DataArray:
    """The items after each other; items of other bands beside each other. Where times are double, the first counts."""
    by_bands: dict[tuple[str, ...], list[xr.DataArray]] = {}
    for part in parts:
        for axis in ("x", "y"):
            if not _same_labels(parts[0][axis].values, part[axis].values):
                raise Problem(
                    "FormatUnsuitable",
                    f"the items have different {axis} coordinates; they cannot be one cube.",
                    hint="Load them apart and merge the cubes.",
                )
        by_bands.setdefault(tuple(map(str, part.bands.values)), []).append(part)
    runs = [_run(some, say) for some in by_bands.values()]
    if len(runs) == 1:
        return runs[0]
    times = runs[0].indexes["t"]
    for run in runs[1:]:
        times = times.union(run.indexes["t"])
    runs = [_like_first(runs[0], run).reindex(t=times, fill_value=values.fill) for run in runs]
    return xr.concat(runs, "bands", join="exact", coords="minimal", compat="override")


def _run(parts: Sequence[xr.DataArray], say: Say) -> xr.DataArray:
    same = [_like_first(parts[0], part) for part in parts]
    run = (
        same[0] if len(same) == 1 else xr.concat(same, "t", join="exact", coords="minimal", compat="override")
    )
    times = run.indexes["t"]
    if times.has_duplicates:
        say(f"{int(times.duplicated().sum())} times stand in several items: the first counts")
        run = run.isel(t=np.flatnonzero(~times.duplicated()))
    return run if run.indexes["t"].is_monotonic_increasing else run.sortby("t")


def _like_first(first: xr.DataArray, other: xr.DataArray) -> xr.DataArray:
    return other.assign_coords(x=first.x, y=first.y)


def _around(cube: xr.DataArray, crs: CRS) -> GeoBox:
    """One pixel as large as all of the cube."""
    x, y = cube.x.values, cube.y.values
    wide, high = (float(np.ptp(v)) + abs(_step(v)) for v in (x, y))
    left, top = float(x.min() - abs(_step(x)) / 2), float(y.max() + abs(_step(y)) / 2)
    return GeoBox((1, 1), Affine(wide or 1.0, 0, left, 0, -(high or 1.0), top), crs)


def _cropped(cube: xr.DataArray, box: Rect, crs: CRS) -> xr.DataArray:
    """The pixels whose centre is inside; longitudes stay as they are unless the box crosses where they begin."""
    rows = np.flatnonzero((cube.y.values >= box.bottom) & (cube.y.values <= box.top))
    x = cube.x.values.astype(float)
    turns = TURNS if is_globe(crs) else TURNS[:1]
    hits = {k: found for k in turns if (found := _inside(x + k * GLOBE, box)).size}
    if not rows.size or not hits:
        raise nothing_inside(box, crs)
    cube = cube.isel(y=_part(rows))
    if len(hits) == 1:
        return cube.isel(x=_part(*hits.values()))
    parts = [cube.isel(x=_part(at)).assign_coords(x=x[at] + k * GLOBE) for k, at in hits.items()]
    parts.sort(key=lambda part: float(part.x[0]), reverse=bool(x[0] > x[-1]))
    return xr.concat(parts, "x", join="exact", coords="minimal", compat="override")


def _inside(x: np.ndarray, box: Rect) -> np.ndarray:
    return np.flatnonzero((x >= box.left) & (x <= box.right))


def _part(indices: np.ndarray) -> Any:
    """Neighbouring indices as a slice."""
    return (
        slice(int(indices[0]), int(indices[-1]) + 1)
        if indices[-1] - indices[0] + 1 == indices.size
        else indices
    )


def _finished(
    cube: xr.DataArray, bands: Sequence[Band], crs: CRS, values: Values, wish: Wish
) -> xr.DataArray:
    """The cube with what its coordinates say of themselves."""
    as_is = [_true_of(band, values, applied=wish.scale == "metadata") for band in bands]
    cube = cube.sel(bands=[band.name for band in bands]).assign_coords(
        bands=bands_labels(as_is).coords["bands"]
    )
    cube.coords["t"].attrs["type"] = "temporal"
    for axis in ("x", "y"):
        cube.coords[axis].attrs |= spatial_attributes(axis, crs)
    for dim in cube.dims:
        if dim not in ("t", "bands", "y", "x"):
            if dim not in cube.coords:
                cube = cube.assign_coords({dim: np.arange(cube.sizes[dim])})
            z = {"type": "spatial", "axis": "z"} if dim == "z" else {"type": "other"}
            cube.coords[dim].attrs |= z
    cube.attrs = {} if values.nodata is None else {"nodata": values.nodata}
    cube = cube.odc.assign_crs(crs)
    cube.name = None
    return cube


def _true_of(band: Band, values: Values, *, applied: bool) -> Band:
    """The band's metadata, true of the numbers in the cube."""
    if not applied:
        return replace(band, nodata=values.nodata)
    return replace(band, nodata=values.nodata, scale=None, offset=None, data_type=str(values.dtype))
