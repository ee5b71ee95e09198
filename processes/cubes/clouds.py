"""Clouds, their shadows and haze in optical scenes."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
import xarray as xr

from processes.cubes import axes, scenes, shadows
from processes.cubes.scenes import Options, Scaling
from processes.errors import ProcessParameterInvalid
from processes.registry import process
from processes.types import RasterBandCube, Schema

CloudMethod = Annotated[
    str | None, Schema([{"type": "string", "enum": ["Fmask", "s2cloudless", "Sen2Cor"]}, {"type": "null"}])
]
METHODS = ("threshold", "s2cloudless")
"""What there is here; `null` means the first."""
OPTIONS = ("method", *scenes.SCALING, "sun_elevation", "sun_azimuth", "cloud_height")
NAMES: Mapping[str, tuple[str, ...]] = {
    "blue": ("blue",),
    "green": ("green",),
    "red": ("red",),
    "nir": ("nir", "nir08"),
    "swir16": ("swir16",),
    "swir22": ("swir22",),
    "cirrus": ("cirrus",),
}
"""Common names of the bands that the thresholds are for."""
REQUIRED = ("blue", "red", "nir")
S2CLOUDLESS_BANDS = ("B01", "B02", "B04", "B05", "B08", "B8A", "B09", "B10", "B11", "B12")


@process("cubes", "optical", experimental=True)
def cloud_detection(
    data: RasterBandCube,
    method: CloudMethod,
    options: Options = {},  # noqa: B006
) -> RasterBandCube:
    """Find clouds, their shadows and haze

    Without a method, thresholds of reflectance are used (named `threshold`): a cloud is bright, white, hazy after the
    Haze Optimized Transform and neither green nor snow. The tests are those of Zhu & Woodcock (2012,
    doi:10.1016/j.rse.2011.10.028), the whiteness is that of Gomez-Chova et al. (2007, doi:10.1109/TGRS.2006.888864);
    instead of yes or no each test gives a number that rises from 0 to 1 around its threshold, and the smallest one
    counts. Snow is told by its normalized difference (Hall et al. 1995, doi:10.1016/0034-4257(95)00137-P). Thin cirrus is added where there is a band for it (Qiu et al. 2019, doi:10.1016/j.rse.2019.05.024). The
    bands blue, red and near infrared are needed; green, swir16, swir22 and cirrus are used where they are there.

    Shadows are what is dark in the near infrared where a cloud stands between the ground and the sun. They are
    looked for where the azimuth and the elevation of the sun are known: from the options, from the coordinates
    `view:sun_azimuth` and `view:sun_elevation` (which loaded scenes have where their metadata tell), or from
    attributes of these names. At times at which the coordinates do not tell them, and in cubes of a single row or
    column, `shadow` is no-data.

    The method `s2cloudless` needs the package of that name and the ten bands of Sentinel-2 level 1C that it was
    trained on; it finds clouds alone.

    Args:
        data: A raster cube of reflectance at the top of the atmosphere; scale and offset of the metadata are applied.
        method: How it is done; `null` stands for the thresholds, or for the method that the options name.
        options: `method` for `threshold` or `s2cloudless` where the parameter `method` is `null`; `scale` and
            `offset` that make reflectance of the cells; `sun_azimuth` and `sun_elevation` in degrees, one number or
            one for each time; `cloud_height`, the metres up to which clouds are thought to cast shadows (3000).

    Returns:
        A cube with the bands `cloud`, `haze` and, where the sun is known, `shadow`: 0 is clear, 1 is certain.
    """
    scenes.only(options, OPTIONS)
    if chosen(method, options) == "s2cloudless":
        return s2cloudless(data, options)
    clouds = thresholds(data, options)
    sun = {n: scenes.angle(data, n, options) for n in ("sun_azimuth", "sun_elevation")}
    if not any(n in options for n in sun) and any(s is None for s in sun.values()):
        return clouds
    return shadows.added(data, clouds, sun, options)


def chosen(method: str | None, options: Mapping[str, Any]) -> str:
    """The method by name."""
    wanted = method if method is not None else options.get("method", METHODS[0])
    if wanted in METHODS:
        return str(wanted)
    raise ProcessParameterInvalid(
        f"the method {wanted!r} is not available here; there are {', '.join(METHODS)}",
        hint='Leave method null, or choose with options={"method": "threshold"}.',
        parameter="method",
    )


# ------------------------------------------------------------------------------------------ thresholds
def thresholds(data: xr.DataArray, options: Mapping[str, Any]) -> xr.DataArray:
    """The bands `cloud` and `haze`."""
    scaling = scenes.reflectance(data, options)
    dim = axes.bands(data)
    found = {
        n: scenes.one_of(data, names, "finding clouds by thresholds" if n in REQUIRED else None)
        for n, names in NAMES.items()
    }
    places = {n: p for n, p in found.items() if p is not None}
    dims = tuple(map(str, data.dims))
    run = Thresholds(scaling, dims.index(dim), places)
    labels = ("cloud", "haze")
    array = scenes.by_name(run, dims, np.dtype(np.float32), {dim: len(labels)}, cells=data)
    return scenes.with_bands(data, array, labels)


@dataclass(frozen=True)
class Thresholds:
    """The tests of single cells, as a function of stored blocks with all bands."""

    scaling: Scaling
    axis: int
    places: Mapping[str, int] = field(hash=False)
    """Where the bands are, by common name."""

    def __call__(self, cells: np.ndarray) -> np.ndarray:
        stored = np.moveaxis(self.scaling(cells, self.axis), self.axis, 0)
        bands = {n: stored[p] for n, p in self.places.items()}
        cloud, haze = tests(bands)
        null = np.isnan(sum(bands.values()))
        out = np.stack([np.where(null, np.nan, layer) for layer in (cloud, haze)], axis=self.axis)
        return out.astype(np.float32)


def tests(bands: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """How sure clouds and haze are, 0 to 1, from reflectance by common name."""
    blue, red, nir = (bands[n] for n in REQUIRED)
    visible = [blue, red] + ([bands["green"]] if "green" in bands else [])
    mean = np.mean(visible, axis=0)
    whiteness = np.sum([np.abs(v - mean) for v in visible], axis=0) / mean
    hazy = blue - 0.5 * red - 0.08
    certain = [
        rise(mean, 0.10, 0.20),
        rise(whiteness, 0.8, 0.6),
        rise(hazy, -0.02, 0.02),
        rise((nir - red) / (nir + red), 0.9, 0.7),
    ]
    if "swir16" in bands:
        certain.append(rise(nir / bands["swir16"], 0.65, 0.85))
    if "swir16" in bands and "green" in bands:
        green, swir = bands["green"], bands["swir16"]
        certain.append(rise((green - swir) / (green + swir), 0.5, 0.3))
    if "swir22" in bands:
        certain.append(rise(bands["swir22"], 0.02, 0.04))
    cloud = np.minimum.reduce(certain)
    if "cirrus" in bands:
        cloud = np.maximum(cloud, rise(bands["cirrus"], 0.01, 0.04))
    haze = np.minimum(rise(hazy, -0.04, 0.0), rise(whiteness, 0.8, 0.6))
    return cloud, np.minimum(haze, 1 - cloud)


def rise(values: np.ndarray, none: float, all_: float) -> np.ndarray:
    """0 at `none`, 1 at `all_`, linear between; what is no number is 0."""
    with np.errstate(all="ignore"):
        return np.nan_to_num(np.clip((values - none) / (all_ - none), 0, 1))


# ----------------------------------------------------------------------------------------- s2cloudless
def s2cloudless(data: xr.DataArray, options: Mapping[str, Any]) -> xr.DataArray:
    """The band `cloud` of the classifier by Zupanc (2017), whose package is an extra."""
    try:
        importlib.import_module("s2cloudless")
    except ImportError as missing:
        raise ProcessParameterInvalid(
            f"the method 's2cloudless' needs a package that is not installed ({missing})",
            hint="Install s2cloudless, or leave method null for thresholds.",
            parameter="method",
        ) from None
    dim, dims = axes.bands(data), tuple(map(str, data.dims))
    places = tuple(scenes.one_of(data, (n,), "the method 's2cloudless'") for n in S2CLOUDLESS_BANDS)
    run = Classifier(scenes.reflectance(data, options), dims.index(dim), places)  # type: ignore[arg-type]
    array = scenes.by_name(run, dims, np.dtype(np.float32), {dim: 1}, cells=data)
    return scenes.with_bands(data, array, ("cloud",))


@dataclass(frozen=True)
class Classifier:
    """The classifier, as a function of stored blocks with all bands."""

    scaling: Scaling
    axis: int
    places: tuple[int, ...]
    """Where its ten bands are, in its order."""

    def __call__(self, cells: np.ndarray) -> np.ndarray:
        bands = np.moveaxis(self.scaling(cells, self.axis), self.axis, -1)[..., list(self.places)]
        null = np.isnan(bands).any(axis=-1)
        detector = importlib.import_module("s2cloudless").S2PixelCloudDetector(all_bands=False)
        flat = np.nan_to_num(bands).reshape(1, -1, 1, len(self.places))
        sure = detector.get_cloud_probability_maps(flat).reshape(null.shape)
        return np.expand_dims(np.where(null, np.nan, sure).astype(np.float32), self.axis)
