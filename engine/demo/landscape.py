"""The land cover of the demo: which surface lies in each cell, and how it varies from cell to cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.demo.noise import Floats, Ints, fractal, scatter, smoothstep, soften, stream, tiles
from engine.demo.parcels import Parcels, make_parcels
from engine.demo.settlement import OPEN, Settlement, make_settlement
from engine.demo.surfaces import GRADES, TOWN, Surface
from engine.demo.terrain import FLOOR, Terrain, make_terrain

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Landscape:
    """All that stays the same from date to date; the arrays are (y, x), north up, in cells of 10 m."""

    terrain: Terrain
    """The shape of the land."""
    parcels: Parcels
    """The farmland (also under forest and town, where it is not to be seen)."""
    surface: Ints
    """`Surface` of each cell; `Surface.PARCEL` + its number for a parcel of farmland."""
    road: Floats
    """Share of each cell that is road."""
    hedge: Floats
    """Share of each cell that is a hedge or a row of trees."""
    vigour: Floats
    """How much better than the rest of its parcel a cell grows, mean 0, standard deviation 1."""
    gain: Floats
    """Brightness of each cell relative to its surface, about 1."""

    @property
    def size(self) -> int:
        """Cells along an edge."""
        return int(self.surface.shape[0])

    @property
    def water(self) -> Mask:
        """Where the lake and the river are."""
        return np.asarray((self.surface == Surface.RIVER) | _between(self.surface, Surface.LAKE))

    @property
    def forest(self) -> Mask:
        """Where the woods are."""
        return _between(self.surface, Surface.FOREST)

    @property
    def town(self) -> Mask:
        """Where it is built up."""
        return np.isin(self.surface, TOWN)

    @property
    def fields(self) -> Mask:
        """Where the farmland is."""
        return self.surface >= Surface.PARCEL


def make_landscape(seed: int, size: int) -> Landscape:
    """The landscape that belongs to `seed`, on `size` x `size` cells."""
    terrain = make_terrain(seed, size)
    parcels = make_parcels(seed, terrain)
    built = make_settlement(seed, terrain)
    surface = Surface.PARCEL + parcels.parcel
    wooded = _woods(seed, terrain, parcels) & (built.surface == OPEN)
    surface = np.where(wooded, Surface.FOREST + _broadleaved(seed, terrain), surface)
    surface = _heights(seed, terrain, surface, wooded)
    surface = np.where(built.surface == OPEN, surface, built.surface)
    surface = _waters(seed, terrain, surface)
    road, hedge = _lines(seed, parcels, built, surface)
    vigour = fractal(stream(seed, "vigour"), size, 26, steepness=3.8)
    return Landscape(terrain, parcels, surface, road, hedge, vigour, _gain(seed, terrain, parcels, surface))


def _between(surface: Ints, first: Surface) -> Mask:
    return (surface >= first) & (surface < first + GRADES)


def _woods(seed: int, terrain: Terrain, parcels: Parcels) -> Mask:
    """Woods: on steep ground cell by cell, in the hills and along the river by whole parcels."""
    rng, size, scale = stream(seed, "woods"), terrain.size, terrain.scale
    patches = fractal(rng, size, max(70 * scale, 8), steepness=3.4)
    fringe = fractal(rng, size, max(16 * scale, 4), steepness=3)
    steep = smoothstep(6, 20, terrain.slope) + 0.9 * smoothstep(0.13, 0.25, -terrain.east)
    high = smoothstep(40, 160, (terrain.height - FLOOR) / scale)
    mountain = 1.35 * steep + 0.75 * high + 0.42 * patches + 0.16 * fringe > 1.35
    count = np.bincount(parcels.parcel.ravel())
    hill = 0.55 * smoothstep(0.12, 0.3, terrain.east) + 0.7 * smoothstep(4, 12, terrain.slope)
    liking = np.bincount(parcels.parcel.ravel(), (patches + hill).ravel()) / count
    return np.asarray(mountain | (liking > 1.35)[parcels.parcel])


def _broadleaved(seed: int, terrain: Terrain) -> Ints:
    """Grade of the forest in each cell: 0 all conifers (higher up), the last one all broadleaved."""
    rng, size = stream(seed, "trees"), terrain.size
    mix = fractal(rng, size, max(40 * terrain.scale, 5), steepness=2.6)
    share = 1 / (1 + np.exp((terrain.height - FLOOR) / terrain.scale / 120 - 1.5 - 1.5 * mix))
    return np.clip(share * GRADES, 0, GRADES - 1).astype(np.int64)


def _heights(seed: int, terrain: Terrain, surface: Ints, wooded: Mask) -> Ints:
    """Clearings and alps in the high forest, and bare rock on the cliffs."""
    rng, size, scale = stream(seed, "heights"), terrain.size, terrain.scale
    open_ = fractal(rng, size, max(45 * scale, 5), steepness=3.6)
    crag = fractal(rng, size, max(30 * scale, 3), steepness=4)
    above = (terrain.height - FLOOR) / scale
    alps = wooded & (above > 330) & (open_ + 1.1 * smoothstep(350, 750, above) > 1.45) & (terrain.slope < 36)
    smooth = soften(soften(soften(terrain.slope, 1), 1), 1)
    rock = wooded & (smooth + 6 * crag + 7 * smoothstep(300, 700, above) > 59)
    stand, _, _ = _stands(seed, terrain)
    felled = wooded & ~alps & (scatter(stand, salt=seed + 11) < 0.03) & (terrain.slope < 32)
    surface = np.where(felled, Surface.CLEARING, np.where(alps, Surface.PASTURE, surface))
    return np.where(rock, Surface.ROCK, surface)


def _stands(seed: int, terrain: Terrain) -> tuple[Ints, NDArray[np.float64], Floats]:
    """The forest's stands of one age, about 200 m wide."""
    y, x = np.mgrid[0 : terrain.size, 0 : terrain.size].astype(np.float32)
    return tiles(stream(seed, "stands"), x, y, 19.0)


def _waters(seed: int, terrain: Terrain, surface: Ints) -> Ints:
    """Lay the river with its wooded banks and gravel bars, and the lake with its reeds, over the land."""
    rng, size, scale = stream(seed, "banks"), terrain.size, terrain.scale
    banks = fractal(rng, size, max(12 * scale, 3), steepness=2.8)
    half = np.maximum((2.7 + 0.35 * banks) * scale, 1.1)
    open_ = ~np.isin(surface, TOWN)
    bank = open_ & (terrain.river < half + (5 + 4.5 * banks) * scale)
    surface = np.where(bank, Surface.FOREST + GRADES - 2, surface)
    gravel = (terrain.river < half + 1.6 * scale) & (banks > 0.9)
    surface = np.where(gravel, Surface.GRAVEL, surface)
    reed = open_ & (terrain.basin < 1.07 + 0.05 * banks)
    surface = np.where(reed, np.where(banks > 0.1, Surface.REED, Surface.FOREST + GRADES - 1), surface)
    surface = np.where(terrain.river < half, Surface.RIVER, surface)
    depth = np.clip(1.25 * np.sqrt(np.clip(1 - terrain.basin, 0, 1)), 0, 0.999)
    return np.where(terrain.basin < 1, Surface.LAKE + (depth * GRADES).astype(np.int64), surface)


def _lines(seed: int, parcels: Parcels, built: Settlement, surface: Ints) -> tuple[Floats, Floats]:
    """What is narrower than a cell: roads and farm tracks, hedges and grass margins."""
    farmed = surface >= Surface.PARCEL
    track = np.where(farmed, 0.4 * np.clip(1.2 - parcels.rim, 0, 1), 0)
    road = np.maximum(built.road, track).astype(np.float32)
    road[(surface == Surface.RIVER) & (built.road < 0.3)] = 0
    chance = scatter(parcels.quarter, salt=seed + 3)
    row = np.clip(1.3 - np.abs(parcels.rim - 1.6), 0, 1) * (chance < 0.2)
    edge = np.zeros(surface.shape, bool)
    edge[:, 1:] |= parcels.parcel[:, 1:] != parcels.parcel[:, :-1]
    edge[1:] |= parcels.parcel[1:] != parcels.parcel[:-1]
    hedged = scatter(parcels.parcel, salt=seed + 4)
    hedge = np.maximum(0.75 * row, edge * np.where(hedged < 0.07, 0.65, 0.12))
    return road, np.where(farmed, hedge * (1 - road), 0).astype(np.float32)


def _gain(seed: int, terrain: Terrain, parcels: Parcels, surface: Ints) -> Floats:
    """Texture: crowns and stands in the woods, tilled rows in the fields, lots in the town, none on water."""
    rng, size = stream(seed, "gain"), terrain.size
    crowns = fractal(rng, size, 4, steepness=2.6)
    stand, _, _ = _stands(seed, terrain)
    woods = 1 + 0.07 * crowns + 0.22 * (scatter(stand, salt=seed + 12) - 0.5)
    rows = 0.012 * np.sin(parcels.rows * 2.1) + 0.012 * crowns
    town = 1 + 0.07 * rng.standard_normal((size, size), dtype=np.float32)
    gain = np.where(surface >= Surface.PARCEL, 1 + rows, 1 + 0.04 * crowns)
    gain = np.where(np.isin(surface, TOWN), town, gain)
    gain = np.where(_between(surface, Surface.FOREST) | (surface == Surface.CLEARING), woods, gain)
    water = _between(surface, Surface.LAKE) | (surface == Surface.RIVER)
    return np.clip(np.where(water, 1, gain), 0.55, 1.6).astype(np.float32)
