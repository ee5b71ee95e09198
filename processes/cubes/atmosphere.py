"""The atmosphere taken out of optical scenes: reflectance of the ground from reflectance at the top of the air."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import dask.array as da
import numpy as np
import xarray as xr

from processes.cubes import axes, clouds, scenes, shadows, terrain
from processes.cubes.cells import Coding
from processes.cubes.masks import replaced
from processes.cubes.merge import merge_cubes
from processes.cubes.molecules import Molecules, optical_depth
from processes.cubes.scenes import Options, Scaling
from processes.errors import ProcessParameterInvalid
from processes.registry import process
from processes.types import RasterBandCube, Schema
from processes.values import split
from processes.world import World

ElevationModel = Annotated[
    str | None, Schema([{"type": "string", "subtype": "collection-id"}, {"type": "null"}])
]
AirMethod = Annotated[str | None, Schema([{"type": "string", "enum": ["FORCE", "iCOR"]}, {"type": "null"}])]
AirMethodName = Annotated[str, Schema({"type": "string", "enum": ["FORCE", "iCOR"]})]
CloudMethodName = Annotated[str, Schema({"type": "string", "enum": ["Fmask", "s2cloudless", "Sen2Cor"]})]
METHODS = ("COST", "DOS", "Rayleigh")
OPTIONS = ("method", *scenes.SCALING, "sun_elevation", "dark_cells")
DARKEST = 0.01
"""Reflectance that the darkest ground is thought to have: hardly anything is quite black (Chavez 1988)."""
MOST_DARK = 1000
"""At most so many of the darkest cells are passed over."""


@process("cubes", "optical", experimental=True)
def atmospheric_correction(
    data: RasterBandCube,
    method: AirMethod,
    elevation_model: ElevationModel = None,
    options: Options = {},  # noqa: B006
    *,
    world: World,
) -> RasterBandCube:
    """Take the atmosphere out of optical scenes

    There are three methods, by these names:

    - `DOS`: what the darkest cells of each scene and band have more than 1 % is the light of the air itself and is
      subtracted (Chavez 1988, doi:10.1016/0034-4257(88)90019-3).
    - `COST`: the same, and the loss of light on its way down is made up for by the cosine of the sun's zenith angle
      (Chavez 1996). It needs the sun's elevation.
    - `Rayleigh`: the light that the molecules of the air scatter is computed and taken out: optical depth after Hansen
      & Travis (1974), for the pressure at the height of the ground, and the equation of Vermote et al. (1997,
      doi:10.1109/36.581987) for a sensor in the zenith. Aerosols and gases are left alone. It needs the sun's
      elevation and the wavelengths of the bands; without an elevation model the ground is at sea level.

    Args:
        data: A raster cube of reflectance at the top of the atmosphere; scale and offset of the metadata are applied.
        method: How it is done; `null` stands for the method that the options name, else for `Rayleigh` with an
            elevation model, for `COST` where the sun's elevation is known, and for `DOS` otherwise.
        elevation_model: Collection of the heights of the ground, for `Rayleigh`.
        options: `method` for one of the names above where the parameter `method` is `null`; `scale` and `offset` that
            make reflectance of the cells; `sun_elevation` in degrees, one number or one for each time; `dark_cells`,
            the number of the cell, counted from the darkest, that stands for dark ground (a ten-thousandth of all
            cells, at most 1000).

    Returns:
        A cube of the same bands: reflectance of the ground, not below 0.

    Raises:
        DigitalElevationModelInvalid: The collection is no elevation model, or it cannot be put under the cube.
    """
    scenes.only(options, OPTIONS)
    sun = scenes.angle(data, "sun_elevation", options)
    wanted = chosen(method, options, elevation_model, sun is not None and not scenes.gaps(sun))
    if wanted == "Rayleigh":
        return without_molecules(
            data, scenes.needed(sun, "sun_elevation", wanted), elevation_model, options, world
        )
    if elevation_model is not None:
        raise ProcessParameterInvalid(
            f"the method {wanted} makes no use of an elevation model",
            hint='Leave it out, or choose options={"method": "Rayleigh"}.',
            parameter="elevation_model",
        )
    up = scenes.needed(sun, "sun_elevation", wanted) if wanted == "COST" else None
    return without_haze(data, up, options)


def chosen(method: str | None, options: Mapping[str, Any], model: str | None, sun: bool) -> str:
    """The method by name."""
    own = "Rayleigh" if model is not None else "COST" if sun else "DOS"
    wanted = method if method is not None else options.get("method", own)
    if wanted in METHODS:
        return str(wanted)
    raise ProcessParameterInvalid(
        f"the method {wanted!r} is not available here; there are {', '.join(METHODS)}",
        hint='Leave method null, or choose with options={"method": "COST"}.',
        parameter="method",
    )


# ----------------------------------------------------------------------------------------- dark objects
def without_haze(data: xr.DataArray, sun: xr.DataArray | None, options: Mapping[str, Any]) -> xr.DataArray:
    """Dark-object subtraction; with the sun's elevation the light's way down counts, too."""
    scaling = scenes.reflectance(data, options)
    dim, dims = axes.bands(data), tuple(map(str, data.dims))
    plane = axes.plane(data)
    cells = data.sizes[plane[0]] * data.sizes[plane[1]]
    count = options.get("dark_cells", max(1, min(MOST_DARK, cells // 10_000)))
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ProcessParameterInvalid(
            f"dark_cells has to be a positive integer, it is {count!r}", parameter="options"
        )
    physical = scenes.by_name(
        Physical(scaling, dims.index(dim)), dims, scaling.dtype, {dim: data.sizes[dim]}, cells=data
    )
    others = tuple(d for d in dims if d not in plane)
    dark = xr.DataArray(
        darkest(xr.DataArray(physical, dims=dims).transpose(*others, *plane).data, count), dims=others
    )
    array = scenes.by_name(
        Subtraction(), dims, scaling.dtype, cells=xr.DataArray(physical, dims=dims), dark=dark, sun=sun
    )
    return scenes.same_bands(data, array)


@dataclass(frozen=True)
class Physical:
    """Reflectance, as a function of stored blocks with all bands."""

    scaling: Scaling
    axis: int

    def __call__(self, cells: np.ndarray) -> np.ndarray:
        return self.scaling(cells, self.axis)


def darkest(cells: Any, count: int) -> Any:
    """The `count`-th smallest number of each plane (..., y, x), or the largest one of fewer; NaN where there is none.

    Each block keeps its smallest numbers only, so that nothing but these has to be in one place.
    """
    if not isinstance(cells, da.Array):
        return last_of(cells, count=count)
    return da.reduction(
        cells,
        chunk=partial(smallest, count=count),
        combine=partial(smallest, count=count),
        aggregate=partial(last_of, count=count),
        axis=(cells.ndim - 2, cells.ndim - 1),
        dtype=cells.dtype,
        meta=np.empty((0,) * (cells.ndim - 2), dtype=cells.dtype),
    )


def smallest(cells: np.ndarray, axis: Any = None, keepdims: bool = True, *, count: int) -> np.ndarray:
    """The smallest numbers of each plane in order, as a plane of one row; NaN fills it up. A step of a reduction."""
    flat = cells.reshape(*cells.shape[:-2], 1, -1)
    if flat.shape[-1] > count:
        flat = np.partition(flat, count - 1, axis=-1)[..., :count]
    room = [(0, 0)] * (flat.ndim - 1) + [(0, count - flat.shape[-1])]
    return np.pad(np.sort(flat, axis=-1), room, constant_values=np.nan)


def last_of(cells: np.ndarray, axis: Any = None, keepdims: bool = False, *, count: int) -> np.ndarray:
    """The largest of the smallest numbers of each plane. The last step of a reduction."""
    numbers = smallest(cells, count=count)
    places = np.maximum((~np.isnan(numbers)).sum(axis=-1, keepdims=True) - 1, 0)
    return np.take_along_axis(numbers, places, axis=-1)[..., 0, 0]


@dataclass(frozen=True)
class Subtraction:
    """What is left of reflectance when the light of the air is gone, as a function of blocks."""

    def __call__(self, cells: np.ndarray, dark: np.ndarray, sun: np.ndarray | None = None) -> np.ndarray:
        passed = np.float32(1) if sun is None else np.sin(np.radians(sun))
        path = np.maximum(dark - DARKEST * passed, 0)
        return np.maximum((cells - path) / passed, 0).astype(cells.dtype)


# -------------------------------------------------------------------------------------------- molecules
def without_molecules(
    data: xr.DataArray, sun: xr.DataArray, model: str | None, options: Mapping[str, Any], world: World
) -> xr.DataArray:
    """The light that molecules scatter taken out."""
    scaling = scenes.reflectance(data, options)
    dim, dims = axes.bands(data), tuple(map(str, data.dims))
    known = axes.band_metadata(data)
    if silent := [b["name"] for b in known if not b.get("center_wavelength")]:
        raise ProcessParameterInvalid(
            f"the method Rayleigh needs the wavelengths of the bands; nothing tells those of {', '.join(silent)}",
            hint="Leave such bands out, or choose the method DOS.",
            parameter="data",
        )
    depth = optical_depth(np.array([float(b["center_wavelength"]) for b in known]))
    height = None if model is None else terrain.heights(data, model, world, "the method Rayleigh")
    array = scenes.by_name(
        Molecules(scaling, dims.index(dim)),
        dims,
        scaling.dtype,
        {dim: len(known)},
        cells=data,
        sun=sun,
        depth=xr.DataArray(depth, dims=(dim,)),
        height=height,
    )
    return scenes.same_bands(data, array)


# ------------------------------------------------------------------------------------- analysis-ready
@process("cubes", "optical", "ard", experimental=True)
def ard_surface_reflectance(
    data: RasterBandCube,
    atmospheric_correction_method: AirMethodName,
    cloud_detection_method: CloudMethodName,
    elevation_model: ElevationModel = None,
    atmospheric_correction_options: Options = {},  # noqa: B006
    cloud_detection_options: Options = {},  # noqa: B006
    *,
    world: World,
) -> RasterBandCube:
    """Make analysis-ready surface reflectance

    The atmosphere is taken out by `atmospheric_correction`, clouds and their shadows are found by `cloud_detection`
    in the same scenes, and cells that are more likely than not a cloud or a shadow become no-data. The azimuth and
    the elevation of the sun have to be known.

    Args:
        data: A raster cube of reflectance at the top of the atmosphere.
        atmospheric_correction_method: A method of `atmospheric_correction`.
        cloud_detection_method: A method of `cloud_detection`.
        elevation_model: Collection of the heights of the ground, where the method makes use of it.
        atmospheric_correction_options: Options of `atmospheric_correction`.
        cloud_detection_options: Options of `cloud_detection`, and `saturated`: the stored value from which on a cell
            is saturated; by default the largest number that integers of the type of the cube can hold.

    Returns:
        The corrected bands, and besides them `cloud` and `shadow` (and `haze`, where it is found): 0 is clear, 1 is
        certain; `saturation`: 1 where any band is saturated; `incomplete-testing`: 1 where clouds, shadows or
        saturation could not be tested; `sun-elevation` and `sun-azimuth` in degrees.
    """
    tests = {k: v for k, v in cloud_detection_options.items() if k != "saturated"}
    sun = {
        n: scenes.angle(data, n, tests, "cloud_detection_options") for n in ("sun_azimuth", "sun_elevation")
    }
    for name, found in sun.items():
        scenes.needed(
            found, name, "analysis-ready reflectance", 'Give it with cloud_detection_options={"sun_azimuth": 160, '
            '"sun_elevation": 45}.', "cloud_detection_options",
        )  # fmt: skip
    correction = dict(atmospheric_correction_options)
    for name in (*scenes.SCALING, "sun_elevation"):
        if name in tests:
            correction.setdefault(name, tests[name])
    ground = atmospheric_correction(
        data, atmospheric_correction_method, elevation_model, correction, world=world
    )
    found = clouds.cloud_detection(data, cloud_detection_method, tests)
    if "shadow" not in axes.labels(found, axes.bands(found)):
        found = shadows.added(data, found, sun, tests)
    layers = tested(data, found, sun, cloud_detection_options.get("saturated"))
    return merge_cubes(merge_cubes(replaced(ground, disturbed(found), None), found), layers)


def disturbed(found: xr.DataArray) -> xr.DataArray:
    """Where a cloud or a shadow is more likely than not; no bands."""
    dim = axes.bands(found)
    at = [axes.labels(found, dim).index(n) for n in ("cloud", "shadow")]
    likely: xr.DataArray = (found.isel({dim: at}) > 0.5).any(dim)
    return likely


def tested(
    data: xr.DataArray, found: xr.DataArray, sun: Mapping[str, xr.DataArray | None], limit: Any
) -> xr.DataArray:
    """The bands that tell of the tests and of the sun."""
    dim, dims = axes.bands(data), tuple(map(str, data.dims))
    if limit is not None:
        limit = scenes.real(limit, "saturated", "cloud_detection_options")
    elif data.dtype.kind in "iu":
        limit = float(np.iinfo(data.dtype).max)
    run = Tests(Coding.of(data), dims.index(dim), limit)
    names = ("incomplete-testing", "saturation", "sun-elevation", "sun-azimuth")
    array = scenes.by_name(
        run, dims, np.dtype(np.float32), {dim: len(names)}, cells=data, found=found,
        elevation=sun["sun_elevation"], azimuth=sun["sun_azimuth"],
    )  # fmt: skip
    return scenes.with_bands(data, array, names)


@dataclass(frozen=True)
class Tests:
    """What was tested, as a function of stored blocks with all bands."""

    coding: Coding
    axis: int
    limit: float | None
    """Stored value from which on a cell is saturated; `None` where that is not known."""

    def __call__(
        self, cells: np.ndarray, found: np.ndarray, elevation: np.ndarray, azimuth: np.ndarray
    ) -> np.ndarray:
        values, null = split(self.coding.decode(cells))
        gaps = np.broadcast_to(null, cells.shape)
        null = gaps.any(axis=self.axis, keepdims=True)
        full = np.zeros_like(null)
        if self.limit is not None:
            full = ((np.asarray(values) >= self.limit) & ~gaps).any(axis=self.axis, keepdims=True)
        untested = null | np.isnan(found).any(axis=self.axis, keepdims=True) | (self.limit is None)
        layers = [untested, np.where(null & ~full, np.nan, full), elevation, azimuth]
        spread = [np.broadcast_to(layer, null.shape) for layer in layers]
        return np.concatenate(spread, axis=self.axis).astype(np.float32)
