"""The lie of the land: a valley between mountains and hills, a meandering river and its lake."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.demo.erosion import carve
from engine.demo.noise import Floats, floats, fractal, near, smoothstep, soften, stream

CELL = 10.0
"""Edge of a cell in metres."""
FULL = 1000
"""Cells along an edge of the landscape at its full size; a smaller one is the same composition, shrunk."""
FLOOR = np.float32(236)
"""Metres above the sea at the valley's lower end."""
LAKE_AT = 0.73
"""How far down the valley the lake lies (0 north edge, 1 south edge)."""
BASIN = 1.35
"""Reach of `Terrain.basin`, in lake radii."""


@dataclass(frozen=True, slots=True)
class Terrain:
    """The shape of the land; every field is (y, x), north up."""

    height: Floats
    """Metres above the sea."""
    slope: Floats
    """Steepness in degrees."""
    east: Floats
    """Signed distance from the valley's axis, in shares of the scene's edge, positive to the east."""
    river: Floats
    """Distance to the river's middle, in cells (cut off where it does not matter)."""
    basin: Floats
    """0 at the lake's middle, 1 at its shore, above that outside."""
    course: NDArray[np.float64]
    """The river's middle as (x, y) points in cells, from north to south."""

    @property
    def size(self) -> int:
        """Cells along an edge."""
        return int(self.height.shape[0])

    @property
    def scale(self) -> float:
        """Size of things here as a share of their size in the full scene."""
        return self.size / FULL


def make_terrain(seed: int, size: int) -> Terrain:
    """The land that belongs to `seed`, on `size` x `size` cells."""
    height, east = _relief(seed, size)
    course = _meander(seed, size)
    basin = _lake(seed, size)
    down, right = np.gradient(height, CELL)
    slope = np.degrees(np.arctan(np.hypot(down, right))).astype(np.float32)
    return Terrain(height, slope, east, near(course, size, max(4.0, 0.03 * size)), basin, course)


def places(size: int) -> tuple[Floats, Floats]:
    """Where each cell's middle lies, as shares of the edge: x from the west, y from the north."""
    middle = (np.arange(size, dtype=np.float32) + 0.5) / size
    x, y = np.meshgrid(middle, middle)
    return floats(x), floats(y)


def valley(seed: int, y: NDArray[np.floating] | float) -> Floats:
    """Where the valley's axis lies (share of the edge from the west) at `y` from the north."""
    phase, swing = stream(seed, "valley").uniform((0.0, 0.05), (2 * np.pi, 0.075))
    bend = np.clip(np.asarray(y, dtype=np.float32), -0.1, 1.1)
    return floats(0.33 + 0.25 * bend + swing * np.sin(5.6 * bend + 0.35 * phase))


def _relief(seed: int, size: int) -> tuple[Floats, Floats]:
    """Height, and distance east of the axis: steep mountains in the west, gentle hills in the east."""
    x, y = places(size)
    wander = fractal(stream(seed, "wander"), size, 0.24 * size, steepness=4.2)
    east = floats(x - valley(seed, y) + 0.04 * wander)
    carved = _carved(seed, size, east, wander)
    rough = fractal(stream(seed, "rough"), size, 0.05 * size, steepness=4.6)
    steep = smoothstep(10, 300, carved - FLOOR)
    rolls = fractal(stream(seed, "rolls"), size, 0.13 * size, steepness=5)
    height = carved + (2 + 17 * steep) * rough * smoothstep(2, 40, carved - FLOOR)
    height += 14 * np.maximum(rolls + 1, 0) * smoothstep(0.1, 0.35, east)
    fall = 14 * (1 - y)
    return floats(FLOOR + (height - FLOOR + fall) * size / FULL), east


def _carved(seed: int, size: int, east: Floats, wander: Floats) -> Floats:
    """The carved relief in metres at full size, from a grid a fifth as fine."""
    coarse = max(size // 5, 40)
    east, wander = _resized(east, coarse), _resized(wander, coarse)
    bumps = fractal(stream(seed, "bumps"), coarse, 0.2 * coarse, steepness=4)
    mountains = smoothstep(0.10, 0.24, -east)
    hills = smoothstep(0.17, 0.5, east + 0.05 * bumps)
    start = FLOOR + 60 * mountains * (1 + 0.3 * bumps) + 60 * hills * (1 + 0.4 * bumps)
    uplift = 46 * mountains * (1 + 0.25 * wander) + 11 * hills * (1 + 0.3 * bumps)
    floor = (mountains <= 0) & (hills <= 0)
    bed = carve(start, uplift.astype(np.float32), floor, CELL * FULL / coarse)
    return _resized(soften(soften(bed, 0.6), 0.6), size)


def _resized(field: Floats, size: int) -> Floats:
    """The same field on another number of cells (bicubic)."""
    return np.asarray(Image.fromarray(field).resize((size, size), Image.Resampling.BICUBIC))


def _meander(seed: int, size: int) -> NDArray[np.float64]:
    """The river's course: its heading swings like a sine along its length (as free rivers do), held to the axis."""
    rng = stream(seed, "river")
    step, wave = 0.4 / size, rng.uniform(0.115, 0.135)
    steps = int(2.6 / step)
    swing = np.interp(np.linspace(0, 30, steps), np.arange(31), rng.uniform(0.55, 1.45, 31))
    pace = np.interp(np.linspace(0, 30, steps), np.arange(31), rng.uniform(0.75, 1.3, 31))
    mile = np.linspace(-0.1, 1.1, 481)
    axis, lean = valley(seed, mile), np.gradient(valley(seed, mile), mile)
    x, y, phase, points = float(valley(seed, -0.04)), -0.04, rng.uniform(0, 2 * np.pi), []
    for k in range(steps):
        if y > 1.04:
            break
        away = 5 * (x - float(np.interp(y, mile, axis)))
        heading = (
            np.arctan(np.interp(y, mile, lean)) + 1.25 * swing[k] * np.sin(phase) - np.clip(away, -0.8, 0.8)
        )
        phase += 2 * np.pi * step * pace[k] / wave
        x, y = x + step * np.sin(heading), y + step * np.cos(heading)
        points.append((x * size, y * size))
    return np.array(points)


def _lake(seed: int, size: int) -> Floats:
    """Where each cell lies in the lake's basin: an ellipse along the valley with a shore of bays and spits."""
    x, y = places(size)
    cx, cy = float(valley(seed, LAKE_AT)) + 0.012, LAKE_AT
    lean = np.arctan((float(valley(seed, cy + 0.05)) - float(valley(seed, cy - 0.05))) / 0.1)
    along = (y - cy) * np.cos(lean) + (x - cx) * np.sin(lean)
    across = (x - cx) * np.cos(lean) - (y - cy) * np.sin(lean)
    shore = fractal(stream(seed, "shore"), size, 0.09 * size, steepness=5)
    radius = np.hypot(along / 0.112, across / (0.05 + 0.16 * (along + 0.112).clip(0, 0.12)))
    return floats(np.minimum(radius + 0.13 * shore, BASIN))
