"""Town, villages and the ways between them: streets, roofs, gardens, a motorway and a railway."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.demo.noise import Floats, Ints, floats, fractal, near, scatter, stream
from engine.demo.surfaces import Surface
from engine.demo.terrain import Terrain, places, valley

OPEN = -1
"""Stands in `Settlement.surface` where nothing is built."""
VILLAGES = 6


@dataclass(frozen=True, slots=True)
class Place:
    """A town or a village."""

    x: float
    """Its middle, as a share of the edge from the west."""
    y: float
    """Its middle, as a share of the edge from the north."""
    radius: float
    """How far it reaches, as a share of the edge."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """What people have built."""

    surface: Ints
    """`Surface` of each built-up cell, `OPEN` elsewhere, (y, x)."""
    road: Floats
    """Share of each cell that is road, (y, x)."""
    places: tuple[Place, ...]
    """The town first, then the villages."""


def make_settlement(seed: int, terrain: Terrain) -> Settlement:
    """Build the town, its villages and the roads on this land."""
    size = terrain.size
    sites = (_town(seed), *_villages(seed, terrain))
    surface = np.full((size, size), OPEN, np.int64)
    chance = _chance(seed, terrain)
    for number, place in enumerate(sites):
        _build(surface, seed, terrain, place, number, chance)
    _works(surface, seed, terrain, sites[0])
    dry = (terrain.basin > 1) & (terrain.river > 3.4 * terrain.scale)
    surface[~dry] = OPEN
    return Settlement(surface, _roads(seed, terrain, sites), sites)


def _town(seed: int) -> Place:
    y = float(stream(seed, "town").uniform(0.44, 0.5))
    return Place(float(valley(seed, y)) + 0.075, y, 0.088)


def _villages(seed: int, terrain: Terrain) -> list[Place]:
    """Villages on gentle ground, away from the water, the town and each other."""
    rng, found, town = stream(seed, "villages"), list[Place](), _town(seed)
    for _ in range(400):
        x, y = rng.uniform(0.06, 0.94, 2)
        row, column, reach = (int(share * terrain.size) for share in (y, x, 0.03))
        around = terrain.slope[
            max(row - reach, 0) : row + reach + 1, max(column - reach, 0) : column + reach + 1
        ]
        level = around.mean() < 8
        clear = all(np.hypot(x - p.x, y - p.y) > p.radius + 0.13 for p in (town, *found))
        dry = terrain.basin[row, column] > 1.3 and abs(terrain.east[row, column]) > 0.05
        if level and clear and dry:
            found.append(Place(float(x), float(y), float(rng.uniform(0.02, 0.034))))
        if len(found) == VILLAGES:
            break
    return found


@dataclass(frozen=True, slots=True)
class _Chance:
    """What bends the plans of all places alike, (y, x)."""

    ragged: Floats
    """Frays the edges of places."""
    bend: Floats
    """Bends streets, in cells."""
    park: Floats
    """High where there are parks."""


def _chance(seed: int, terrain: Terrain) -> _Chance:
    rng, size, scale = stream(seed, "places"), terrain.size, terrain.scale
    wave = max(90 * scale, 8)
    return _Chance(
        ragged=fractal(rng, size, max(32 * scale, 4), steepness=3.2),
        bend=floats(fractal(rng, size, wave, steepness=6) * wave / 32),
        park=fractal(rng, size, max(14 * scale, 3), steepness=3),
    )


def _build(surface: Ints, seed: int, terrain: Terrain, place: Place, number: int, chance: _Chance) -> None:
    """Lay out one place on `surface`: bent street grid, houses, gardens and parks, denser in the middle."""
    size, rng = terrain.size, stream(seed, "place", str(number))
    x, y = places(size)
    lean, longer = rng.uniform(0, np.pi), rng.uniform(1.1, 1.9)
    dx, dy = x - place.x, y - place.y
    far = np.hypot(dx * np.cos(lean) + dy * np.sin(lean), longer * (dy * np.cos(lean) - dx * np.sin(lean)))
    far = far / (place.radius * np.sqrt(longer)) + 0.27 * chance.ragged
    where = (far < 1) & (terrain.slope < 16)
    turn, core = rng.uniform(0, np.pi / 2), np.clip(1 - far, 0, 1)[where]
    bend = chance.bend[where]
    across = (x * np.cos(turn) + y * np.sin(turn))[where] * size + bend
    along = (y * np.cos(turn) - x * np.sin(turn))[where] * size - 0.6 * bend
    p, q = across % 10, along % 7
    depth = np.minimum(np.minimum(p - 1, 10 - p), np.minimum(q - 0.9, 7 - q))
    built = _houses(across, along, core, depth, salt=seed + 31 * number)
    grove = scatter(np.floor(across).astype(np.int64), np.floor(along).astype(np.int64), salt=seed) < 0.55
    built = np.where(chance.park[where] > 1.7, np.where(grove, Surface.TREES, Surface.GARDEN), built)
    built[(depth < 0) | (across % 50 < 1.9)] = Surface.ASPHALT
    surface[where] = built


def _houses(across: Floats, along: Floats, core: Floats, depth: Floats, *, salt: int) -> Ints:
    """A roof, a yard, a garden or trees for each lot of about 17 m.

    Houses stand along the streets (`depth` is the distance to one); behind them it is green, less so in
    the town's core.
    """
    lot = np.floor(across / 1.7).astype(np.int64), np.floor(along / 1.9).astype(np.int64)
    luck, kind = scatter(*lot, salt=salt), scatter(*lot, salt=salt + 1)
    roof = luck < np.where(depth < 2, 0.62 + 0.25 * core, 0.12 + 0.6 * core)
    open_ground = np.select(
        [kind < 0.1 + 0.5 * core, kind < 0.45 + 0.35 * core],
        [Surface.YARD, Surface.TREES],
        Surface.GARDEN,
    )
    return np.where(
        roof,
        np.select([kind < 0.66, kind < 0.975], [Surface.TILES, Surface.SLATE], Surface.METAL),
        open_ground,
    )


def _works(surface: Ints, seed: int, terrain: Terrain, town: Place) -> None:
    """Works and warehouses at the town's northern end: large flat roofs between asphalt."""
    size, rng = terrain.size, stream(seed, "works")
    x, y = places(size)
    cx, cy, turn = town.x + 0.035, town.y - 0.115, rng.uniform(-0.3, 0.3)
    across = (x - cx) * np.cos(turn) + (y - cy) * np.sin(turn)
    along = (y - cy) * np.cos(turn) - (x - cx) * np.sin(turn)
    where = (np.abs(across) < 0.026) & (np.abs(along) < 0.04) & (terrain.slope < 10)
    p, q = across[where] * size, along[where] * size
    lot = np.floor(p / 8).astype(np.int64), np.floor(q / 6).astype(np.int64)
    kind = scatter(*lot, salt=seed + 5)
    hall = (p % 8 > 1.7) & (q % 6 > 1.5) & (kind < 0.8)
    roof = np.select([kind < 0.26, kind < 0.55], [Surface.METAL, Surface.SLATE], Surface.YARD)
    surface[where] = np.where(hall, roof, np.where(kind > 0.9, Surface.GARDEN, Surface.ASPHALT))


def _roads(seed: int, terrain: Terrain, sites: tuple[Place, ...]) -> Floats:
    """Share of each cell under a road: motorway, railway, and a country road to each village."""
    size, rng = terrain.size, stream(seed, "roads")
    y = np.arange(-0.01, 1.01, 0.4 / size)
    axis = valley(seed, y.astype(np.float32)).astype(np.float64)
    motorway = np.column_stack([axis + 0.112 + 0.012 * np.sin(9 * y), y])
    railway = np.column_stack([axis - 0.088 + 0.006 * np.sin(7 * y + 1), y])
    road = np.maximum(_stroke(motorway, size, 2.6), 0.7 * _stroke(railway, size, 1.3))
    for start, end in _links(sites):
        road = np.maximum(road, _stroke(_wind(rng, start, end, size), size, 1.0))
    return np.where(terrain.basin < 1, 0, road).astype(np.float32)


def _links(sites: tuple[Place, ...]) -> list[tuple[Place, Place]]:
    """Each village with the nearest place that is nearer to the town; so every one is reached."""
    town = sites[0]
    ranked = sorted(sites, key=lambda p: np.hypot(p.x - town.x, p.y - town.y))
    return [
        (village, min(ranked[:k], key=lambda p: np.hypot(p.x - village.x, p.y - village.y)))
        for k, village in enumerate(ranked)
        if k
    ]


def _wind(rng: np.random.Generator, start: Place, end: Place, size: int) -> NDArray[np.float64]:
    """A winding way between two places, as points (shares of the edge)."""
    length = float(np.hypot(end.x - start.x, end.y - start.y))
    share = np.arange(0, 1, 0.4 / size / length)
    bow = sum(rng.normal(0, 0.05 / k) * np.sin(np.pi * k * share) for k in (1, 2, 3, 5)) * length
    dx, dy = (end.x - start.x) / length, (end.y - start.y) / length
    return np.column_stack(
        [start.x + share * (end.x - start.x) - bow * dy, start.y + share * (end.y - start.y) + bow * dx]
    )


def _stroke(points: NDArray[np.float64], size: int, width: float) -> Floats:
    """Share of each cell under a line `width` cells wide."""
    far = near(points * size, size, width / 2 + 2)
    return floats(np.clip(width / 2 + 0.5 - far, 0, min(width, 1)))
