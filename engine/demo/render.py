"""From landscape and sky to pixels: four bands of reflectance and the scene classification."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.demo.landscape import Landscape
from engine.demo.noise import Floats, floats, soften, stream
from engine.demo.season import BANDS, ROAD, parcel_table, surface_change, surface_table
from engine.demo.sky import Sky, Weather, make_sky, shading
from engine.demo.surfaces import Surface

NODATA = 0
"""No-data value of every file."""
SCALE = 0.0001
"""Reflectance of one digital number."""
STEP = 2
"""Digital numbers between neighbouring levels of the detector, which is coarser than the files' numbers."""
PATH = dict(zip(BANDS, (0.024, 0.014, 0.008, 0.003), strict=True))
"""Reflectance that haze of strength 1 adds to each band."""
DIM = dict(zip(BANDS, (0.42, 0.50, 0.55, 0.60), strict=True))
"""Share of the light that the shadow of a thick cloud takes from each band."""
WHITE = dict(zip(BANDS, (1.02, 1.0, 1.0, 1.03), strict=True))
"""Colour of cloud tops in each band."""
CLOUDY = (8, 9, 10)
"""Scene classes that count as cloud."""


@dataclass(frozen=True, slots=True)
class Pixels:
    """One rendered overpass."""

    bands: Mapping[str, NDArray[np.uint16]]
    """Digital numbers (reflectance x 10,000, 0 no-data) of each band, (y, x) in cells of 10 m."""
    classes: NDArray[np.uint8]
    """Scene classification as in Sentinel-2 level 2A (0 no-data), (y, x) in cells of 20 m."""

    @property
    def cloud_cover(self) -> float:
        """Share of the observed cells that are classed as cloud, in percent."""
        seen = self.classes != NODATA
        return 100 * float((np.isin(self.classes, CLOUDY) & seen).sum() / seen.sum())


def render(seed: int, landscape: Landscape, weather: Weather) -> Pixels:
    """What the sensor records of the landscape at one overpass."""
    sky = make_sky(seed, landscape.size, landscape.terrain.scale, weather)
    ground = _ground(landscape, weather, shading(landscape.terrain, sky.sun))
    outside = _outside(landscape.size, weather.edge)
    rng = stream(seed, "sensor", weather.time.strftime("%Y%m%d"))
    bands = {}
    for band, reflectance in ground.items():
        seen = _through(sky, band, reflectance)
        noise = rng.standard_normal(seen.shape, dtype=np.float32) * (0.0003 + 0.0010 * seen)
        numbers = np.clip(STEP * np.rint((seen + noise) / (STEP * SCALE)), STEP, 65534).astype(np.uint16)
        bands[band] = np.where(outside, NODATA, numbers).astype(np.uint16)
    return Pixels(bands, _classes(landscape, sky, ground, outside))


def _ground(landscape: Landscape, weather: Weather, light: Floats) -> Mapping[str, Floats]:
    """Reflectance of the ground in each band, blurred as by the sensor's optics."""
    day = weather.time.timetuple().tm_yday
    fixed = surface_table(day)
    crops, change = parcel_table(landscape.parcels, day, weather.wet)
    table = np.concatenate([fixed, crops])
    change = np.concatenate([surface_change(), change])
    out = {}
    for k, band in enumerate(BANDS):
        here = table[:, k][landscape.surface] + landscape.vigour * change[:, k][landscape.surface]
        here = np.clip(here, 0.004, None) * landscape.gain
        here += landscape.hedge * (fixed[Surface.PARCEL - 2, k] - here)
        here += landscape.road * (ROAD[k] - here)
        out[band] = soften(here * np.where(landscape.water, 1, light), 0.8)
    return out


def _through(sky: Sky, band: str, ground: Floats) -> Floats:
    """Reflectance that reaches the sensor through shadow, haze, cirrus and cloud."""
    seen = ground * (1 - DIM[band] * sky.shade)
    seen += PATH[band] * sky.haze * (1 - 0.4 * sky.shade)
    seen += sky.cirrus * (0.62 * WHITE[band] - seen)
    return floats(seen + sky.cloud * (sky.top * WHITE[band] - seen))


def _outside(size: int, edge: float) -> NDArray[np.bool_]:
    """Cells beyond the orbit's western edge, a line that leans as the orbit does."""
    middle = (np.arange(size, dtype=np.float32) + 0.5) / size
    beyond = middle[None, :] < edge - 0.25 * middle[:, None]
    return np.repeat(np.repeat(beyond[::2, ::2], 2, axis=0), 2, axis=1)


def _classes(
    landscape: Landscape, sky: Sky, ground: Mapping[str, Floats], outside: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """Class of each 20 m cell, from what is over it and what lies on the ground."""
    cloud, shade, cirrus = _halved(sky.cloud), _halved(sky.shade), _halved(sky.cirrus)
    red, near_infrared = _halved(ground["B04"]), _halved(ground["B08"])
    green = (near_infrared - red) / (near_infrared + red)
    water = _halved(landscape.water.astype(np.float32)) >= 0.5
    return np.select(
        [
            outside[::2, ::2],
            cloud > 0.6,
            cloud > 0.1,
            cirrus > 0.02,
            shade > 0.12,
            cloud > 0.04,
            water,
            green > 0.4,
        ],
        [0, 9, 8, 10, 3, 7, 6, 4],
        5,
    ).astype(np.uint8)


def _halved(image: Floats) -> Floats:
    """Means of 2 x 2 cells."""
    half = image.shape[0] // 2
    return floats(image.reshape(half, 2, half, 2).mean(axis=(1, 3)))
