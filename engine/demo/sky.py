"""What lies between the ground and the sensor: sunlight, clouds with their shadows, thin cirrus and haze."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from engine.demo.noise import Floats, floats, fractal, smoothstep, soften, stream
from engine.demo.terrain import CELL, Terrain

LONGITUDE, LATITUDE = 11.37, 46.50
"""Where the scenes lie, in degrees: enough for the sun's place."""


@dataclass(frozen=True, slots=True)
class Weather:
    """One overpass and the weather it met."""

    time: datetime
    """When the sensor passed."""
    clouds: float
    """Share of the scene under thick clouds."""
    cirrus: float
    """Share of the scene under thin cirrus."""
    haze: float
    """Strength of the haze: 0 crystal clear to 1 dull."""
    wet: float
    """Moisture of the bare soil: 0 dry to 1 after rain."""
    edge: float = 0.0
    """Where the orbit's edge cuts the northern border, as a share of its length (0: not at all)."""


def _pass(month: int, day: int, second: int, *facts: float) -> Weather:
    return Weather(datetime(2022, month, day, 10, 16, second, tzinfo=UTC), *facts)


WEATHER = (
    _pass(4, 3, 21, 0.00, 0.0, 0.35, 0.7),
    _pass(4, 23, 18, 0.36, 0.0, 0.30, 0.9),
    _pass(5, 13, 24, 0.10, 0.0, 0.20, 0.3, 0.15),
    _pass(6, 2, 19, 0.27, 0.0, 0.25, 0.5),
    _pass(6, 17, 26, 0.02, 0.0, 0.15, 0.1),
    _pass(6, 27, 22, 0.55, 0.0, 0.40, 0.8),
    _pass(7, 12, 20, 0.00, 0.0, 0.30, 0.0),
    _pass(7, 27, 25, 0.17, 0.0, 0.45, 0.2),
    _pass(8, 16, 23, 0.82, 0.0, 0.40, 0.9),
    _pass(9, 5, 19, 0.07, 0.22, 0.30, 0.4),
    _pass(9, 25, 27, 0.42, 0.0, 0.20, 0.7, 0.11),
    _pass(10, 20, 22, 0.04, 0.0, 0.60, 0.5),
)
"""The twelve overpasses of the demo collection, five days or a multiple of it apart."""


@dataclass(frozen=True, slots=True)
class Sun:
    """Where the sun stands, in degrees."""

    azimuth: float
    """Clockwise from north."""
    elevation: float
    """Above the horizon."""


@dataclass(frozen=True, slots=True)
class Sky:
    """The air over the scene; the arrays are (y, x)."""

    sun: Sun
    """Where the light comes from."""
    cloud: Floats
    """Opacity of the clouds, 0 to 1."""
    top: Floats
    """Reflectance of the clouds' tops."""
    shade: Floats
    """How deep a cloud's shadow is, 0 to 1."""
    cirrus: Floats
    """Opacity of the cirrus, 0 to 1."""
    haze: Floats
    """Strength of the haze."""


def sun_at(time: datetime) -> Sun:
    """The sun's place in the scenes' sky, good to a tenth of a degree."""
    days = (time - datetime(2000, 1, 1, 12, tzinfo=UTC)).total_seconds() / 86_400
    anomaly = np.radians(357.528 + 0.9856003 * days)
    along = np.radians(280.460 + 0.9856474 * days + 1.915 * np.sin(anomaly) + 0.020 * np.sin(2 * anomaly))
    lean = np.radians(23.439)
    ascension = np.arctan2(np.cos(lean) * np.sin(along), np.cos(along))
    tilt = np.arcsin(np.sin(lean) * np.sin(along))
    angle = np.radians(15 * (18.697374558 + 24.06570982441908 * days) + LONGITUDE) - ascension
    latitude = np.radians(LATITUDE)
    up = np.sin(latitude) * np.sin(tilt) + np.cos(latitude) * np.cos(tilt) * np.cos(angle)
    west = np.cos(tilt) * np.sin(angle)
    south = np.sin(latitude) * np.cos(tilt) * np.cos(angle) - np.cos(latitude) * np.sin(tilt)
    azimuth = (180 + np.degrees(np.arctan2(west, south))) % 360
    return Sun(float(azimuth), float(np.degrees(np.arcsin(up))))


def make_sky(seed: int, size: int, scale: float, weather: Weather) -> Sky:
    """The air at one overpass; `scale` shrinks clouds and their height with the landscape."""
    sun, day = sun_at(weather.time), weather.time.strftime("%Y%m%d")
    rng = stream(seed, "sky", day)
    base = rng.uniform(1100, 1900) * scale / CELL
    throw = base / np.tan(np.radians(sun.elevation))
    down = round(-np.cos(np.radians(sun.azimuth)) * throw)
    right = round(np.sin(np.radians(sun.azimuth)) * throw)
    assert down >= 0 <= right, f"at {weather.time} the sun does not stand in the southeast"
    thick = _thickness(rng, size + max(down, right), size, weather.clouds)
    opacity = smoothstep(-0.12, 0.75, thick)
    over, cast = thick[:size, :size], soften(opacity, 1)[down : down + size, right : right + size]
    haze = weather.haze * (1 + 0.35 * fractal(rng, size, 0.4 * size, steepness=4))
    return Sky(
        sun=sun,
        cloud=opacity[:size, :size],
        top=_lit(over, sun),
        shade=cast * (1 - opacity[:size, :size]),
        cirrus=_cirrus(rng, size, weather.cirrus),
        haze=floats(np.clip(haze, 0, None)),
    )


def shading(terrain: Terrain, sun: Sun) -> Floats:
    """Light on each slope relative to level ground, softened by the sky's own light."""
    down, right = np.gradient(terrain.height, CELL)
    azimuth, elevation = np.radians(sun.azimuth), np.radians(sun.elevation)
    ahead = np.cos(elevation) * (down * np.cos(azimuth) - right * np.sin(azimuth)) + np.sin(elevation)
    facing = ahead / np.sqrt(1 + down**2 + right**2) / np.sin(elevation)
    return floats(np.clip(facing, 0.12, 2.2) ** 0.55)


def _thickness(rng: np.random.Generator, across: int, size: int, cover: float) -> Floats:
    """How thick the clouds are, (across, across), above 0 in a share `cover` of the first `size` cells."""
    if cover <= 0:
        return np.full((across, across), -1, np.float32)
    heaps = fractal(rng, across, size * rng.uniform(0.05, 0.09) * (1 + 2 * cover), steepness=4.2)
    groups = fractal(rng, across, 0.4 * size, steepness=4)
    field = heaps + (0.8 - 0.4 * cover) * groups
    return floats(field - np.quantile(field[:size, :size], 1 - cover))


def _lit(thick: Floats, sun: Sun) -> Floats:
    """Reflectance of the cloud tops: bright where thick, modelled by the light from one side."""
    down, right = np.gradient(soften(soften(thick, 1), 1))
    azimuth = np.radians(sun.azimuth)
    towards = down * np.cos(azimuth) - right * np.sin(azimuth)
    spread = float(towards.std()) or 1.0
    body = 0.24 + 0.46 * smoothstep(-0.2, 1.9, thick)
    return floats(np.clip(body * (1 + 0.12 * np.tanh(towards / spread)), 0.2, 1.0))


def _cirrus(rng: np.random.Generator, size: int, cover: float) -> Floats:
    """Opacity of thin streaks of ice cloud over a share `cover` of the scene."""
    if cover <= 0:
        return np.zeros((size, size), np.float32)
    streaks = fractal(rng, size, 0.14 * size, steepness=3.2, stretch=4.5, angle=rng.uniform(0.2, 0.9))
    return 0.24 * smoothstep(0, 2.6, streaks - np.quantile(streaks, 1 - 1.15 * cover).astype(np.float32))
