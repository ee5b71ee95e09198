"""Farmland: quarters of the countryside, each cut into strips and parcels, each parcel with its crop."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from engine.demo.noise import Floats, Ints, fractal, scatter, stream, tiles
from engine.demo.terrain import FLOOR, Terrain, valley

QUARTER = 88.0
"""Width of a quarter of farmland in cells: fields within it run the same way."""


class Crop(IntEnum):
    """What grows on a parcel."""

    WHEAT = 0
    BARLEY = 1
    RAPESEED = 2
    MAIZE = 3
    BEET = 4
    POTATOES = 5
    GRASS = 6
    MEADOW = 7
    ORCHARD = 8
    VINEYARD = 9


FLAT_SHARES = (0.22, 0.09, 0.10, 0.24, 0.07, 0.05, 0.13, 0.06, 0.04, 0.00)
"""How common each crop is on level ground."""
SLOPE_SHARES = (0.05, 0.06, 0.03, 0.06, 0.00, 0.02, 0.28, 0.26, 0.10, 0.14)
"""How common each crop is on sloping ground."""


@dataclass(frozen=True, slots=True)
class Parcels:
    """The farmland; the first four fields are (y, x), the others have one entry for each parcel."""

    parcel: Ints
    """Number of the parcel at each cell (as if all land were farmed)."""
    quarter: Ints
    """Number of the quarter at each cell."""
    rim: Floats
    """Distance in cells to the edge of the quarter."""
    rows: Floats
    """Distance across the tilled rows, in cells; what it is modulo a few cells draws the rows."""
    crop: Ints
    """`Crop` of each parcel."""
    shift: Floats
    """Days by which each parcel is later than its crop's calendar."""
    vigour: Floats
    """How densely each parcel's crop grows, about 1."""
    soil: Floats
    """How bright each parcel's bare soil is, about 1."""


def make_parcels(seed: int, terrain: Terrain) -> Parcels:
    """Cut the land into parcels and sow them."""
    size = terrain.size
    quarter, rim, strip, rows = _strips(seed, size)
    _, first, parcel = np.unique(strip, return_index=True, return_inverse=True)
    parcel = parcel.reshape(strip.shape)
    count = np.bincount(parcel.ravel())
    slope = np.bincount(parcel.ravel(), terrain.slope.ravel()) / count
    rng = stream(seed, "crops")
    crop = _sow(rng, slope, quarter.ravel()[first])
    n = crop.size
    shift = rng.normal(0, 5, n) + np.bincount(parcel.ravel(), terrain.height.ravel() - FLOOR) / count / 30
    return Parcels(
        parcel=parcel,
        quarter=quarter,
        rim=rim,
        rows=rows,
        crop=crop,
        shift=shift.astype(np.float32),
        vigour=np.clip(rng.normal(1, 0.1, n), 0.7, 1.18).astype(np.float32),
        soil=np.clip(rng.normal(1, 0.14, n), 0.65, 1.4).astype(np.float32),
    )


def _strips(seed: int, size: int) -> tuple[Ints, Floats, Ints, Floats]:
    """Quarter, distance to its edge, a number for each piece of strip, and distance across the rows."""
    rng = stream(seed, "quarters")
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    wave = min(180.0, size / 2)
    bent_x = x + wave / 20 * fractal(rng, size, wave, steepness=6.5)
    bent_y = y + wave / 20 * fractal(rng, size, wave, steepness=6.5)
    quarter, centres, rim = tiles(rng, bent_x, bent_y, QUARTER)
    axis = valley(seed, (centres[:, 1] / size).astype(np.float32))
    ahead = valley(seed, (centres[:, 1] / size + 0.02).astype(np.float32))
    n = len(centres)
    turn = (
        -np.arctan((ahead - axis) / 0.02)
        + rng.normal(0, 0.32, n)
        + rng.choice([0, np.pi / 2], n, p=[0.35, 0.65])
    )
    width, length = rng.uniform(8, 19, n), rng.uniform(24, 52, n)
    cos, sin = (f(turn).astype(np.float32)[quarter] for f in (np.cos, np.sin))
    across, along = bent_x * cos + bent_y * sin, bent_y * cos - bent_x * sin
    row = _uneven(across / width.astype(np.float32)[quarter], quarter, salt=seed + 1)
    piece = _uneven(along / length.astype(np.float32)[quarter], quarter * 8191 + row, salt=seed + 2)
    return quarter, rim, (quarter << 32) + ((row + 4096) << 16) + piece + 4096, across


def _uneven(place: Floats, key: Ints, *, salt: int) -> Ints:
    """Number of the interval that a place falls into, where the intervals are 0.45 to 1.55 long."""
    whole = np.floor(place).astype(np.int64)
    border = 0.55 * scatter(key, whole, salt=salt)
    return whole - (place - whole < border)


def _sow(rng: np.random.Generator, slope: NDArray[np.float64], quarter: Ints) -> Ints:
    """A crop for each parcel: common ones more often, neighbours alike, pasture and fruit on slopes."""
    tilt = np.clip((slope - 3) / 7, 0, 1)[:, None]
    shares = (1 - tilt) * np.array(FLAT_SHARES) + tilt * np.array(SLOPE_SHARES)
    taste = rng.gamma(2.4, size=(int(quarter.max()) + 1, len(Crop)))
    shares = shares * taste[quarter]
    bounds = np.cumsum(shares, axis=1) / shares.sum(axis=1, keepdims=True)
    crop = (rng.random((slope.size, 1)) > bounds).sum(axis=1)
    return np.asarray(crop.clip(0, len(Crop) - 1), dtype=np.int64)
