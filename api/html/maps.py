"""Maps without anything from outside: shapes in longitude and latitude over a graticule, as numbers for SVG."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH = 640.0
"""Of a map; its height follows, within limits."""
HEIGHTS = (200.0, 460.0)
MARGIN = 0.12
"""Room around the shapes, as part of their size."""
LEAST = 0.004
"""Degrees that are shown at least."""
LINES = 6
"""Lines of a graticule, about."""
DEGREES = (
    *(n * 10.0**e for e in range(-4, 1) for n in (1, 2, 5)),
    10.0, 15.0, 30.0, 45.0, 90.0,
)  # fmt: skip
DENSEST = 0.18
"""How dense the one area of a map is."""
Place = tuple[float, float]
Ring = Sequence[Place]


@dataclass(frozen=True, slots=True)
class Line:
    """A meridian or a parallel."""

    at: float
    """Where it is drawn: its x or its y."""
    label: str


@dataclass(frozen=True, slots=True)
class Map:
    """What is drawn."""

    width: float
    height: float
    paths: tuple[str, ...]
    """Areas and lines, each as the data of a path."""
    dots: tuple[Place, ...]
    """Places, and what would be too small to be seen."""
    meridians: tuple[Line, ...]
    parallels: tuple[Line, ...]

    @property
    def opacity(self) -> float:
        """How dense areas are: where many lie upon each other, what is below is still seen."""
        return round(DENSEST / math.sqrt(max(len(self.paths), 1)), 3)


def drawn(geometries: Iterable[Any]) -> Map | None:
    """The map of geometries and boxes; None where there is nothing to be shown."""
    shapes = [rings for one in geometries if one and (rings := rings_of(one))]
    places = [place for rings in shapes for ring in rings for place in ring]
    if not places:
        return None
    if spread(places) > 180 and spread([turned(p) for p in places]) < spread(places):
        shapes = [[[turned(p) for p in ring] for ring in rings] for rings in shapes]
        places = [turned(p) for p in places]
    view = View.around(places)
    seen = [[[view.at(p) for p in ring] for ring in rings] for rings in shapes]
    small = [is_dot(rings) for rings in seen]
    return Map(
        round(WIDTH, 1),
        round(view.height, 1),
        tuple(path_of(rings) for rings, dot in zip(seen, small, strict=True) if not dot),
        tuple(rings[0][0] for rings, dot in zip(seen, small, strict=True) if dot),
        tuple(Line(view.at((lon, 0.0))[0], named(lon, "E", "W")) for lon in steps(view.west, view.east)),
        tuple(Line(view.at((0.0, lat))[1], named(lat, "N", "S")) for lat in steps(view.south, view.north)),
    )


@dataclass(frozen=True, slots=True)
class View:
    """The part of the ground that a map shows."""

    west: float
    south: float
    east: float
    north: float
    height: float

    @classmethod
    def around(cls, places: Sequence[Place]) -> View:
        """The view of these places with some room around them; degrees of longitude are as wide there as they are."""
        xs, ys = [p[0] for p in places], [p[1] for p in places]
        x, y = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
        wide, high = (max(max(v) - min(v), LEAST) * (1 + 2 * MARGIN) for v in (xs, ys))
        squeeze = max(math.cos(math.radians(min(abs(y), 80.0))), 0.2)
        height = min(max(WIDTH * high / (wide * squeeze), HEIGHTS[0]), HEIGHTS[1])
        scale = min(WIDTH / (wide * squeeze), height / high)
        wide, high = WIDTH / (scale * squeeze), height / scale
        return cls(x - wide / 2, y - high / 2, x + wide / 2, y + high / 2, height)

    def at(self, place: Place) -> Place:
        """Where a place is drawn."""
        x = (place[0] - self.west) / (self.east - self.west) * WIDTH
        y = (self.north - place[1]) / (self.north - self.south) * self.height
        return round(x, 1), round(y, 1)


def rings_of(shape: Any) -> list[Ring]:
    """The lines that a geometry, or a box of four or six numbers, is drawn by."""
    if isinstance(shape, list):
        half = len(shape) // 2
        west, south, east, north = shape[0], shape[1], shape[half], shape[half + 1]
        east += 360 if east < west else 0
        return [[(west, south), (east, south), (east, north), (west, north), (west, south)]]
    if not isinstance(shape, Mapping):
        return []
    if "geometries" in shape:
        return [ring for part in shape["geometries"] for ring in rings_of(part)]
    return nested(shape.get("coordinates") or [])


def nested(coordinates: Any) -> list[Ring]:
    """Lines in coordinates, however deep they are."""
    if not coordinates:
        return []
    if isinstance(coordinates[0], int | float):
        return [[(coordinates[0], coordinates[1])]]
    if coordinates[0] and isinstance(coordinates[0][0], int | float):
        return [[(p[0], p[1]) for p in coordinates]]
    return [ring for part in coordinates for ring in nested(part)]


def is_dot(rings: Sequence[Ring]) -> bool:
    """Would it be too small to be seen?"""
    return all(max(p[i] for p in ring) - min(p[i] for p in ring) < 3 for ring in rings for i in (0, 1))


def path_of(rings: Sequence[Ring]) -> str:
    """The data of a path through these places."""
    return " ".join("M" + " L".join(f"{x:g} {y:g}" for x, y in ring) for ring in rings)


def turned(place: Place) -> Place:
    """A place by its longitude from 0 to 360."""
    return (place[0] + 360 if place[0] < 0 else place[0]), place[1]


def spread(places: Sequence[Place]) -> float:
    """From the least to the greatest longitude."""
    return max(p[0] for p in places) - min(p[0] for p in places)


def steps(low: float, high: float) -> list[float]:
    """Round numbers of degrees between two ends."""
    step = next((d for d in DEGREES if (high - low) / d <= LINES), DEGREES[-1])
    return [round(n * step, 6) for n in range(math.ceil(low / step), math.floor(high / step) + 1)]


def named(degrees: float, positive: str, negative: str) -> str:
    """An angle for people."""
    turn = (degrees + 180) % 360 - 180 if positive == "E" and abs(degrees) != 180 else degrees
    side = "" if turn == 0 or abs(turn) == 180 else f" {positive if turn > 0 else negative}"
    return f"{abs(turn):g}°{side}"
