"""The words of maps: how one looks, what is known of it, which tile is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

Range = tuple[float, float]
"""The darkest value and the brightest one."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a map is drawn, as its configuration says."""

    size: int = 256
    """Pixels along each side of a tile."""
    format: str = "PNG"
    colormap: str | None = None
    """Colour ramp for one band."""
    ranges: tuple[Range, ...] = ()
    """One for all bands that are colours, or one for each; none where it is to be chosen."""
    bands: tuple[str, ...] = ()
    """Bands that are drawn, by name; all where none are named."""
    resampling: str = "near"
    """How cells of the map come from those of the cube."""
    minzoom: int = 0
    maxzoom: int = 22
    attribution: str = ""
    """Whose data it is, for people."""

    @property
    def suffix(self) -> str:
        """What names of its tiles end with."""
        return "jpg" if self.format == "JPEG" else self.format.lower()

    @property
    def media_type(self) -> str:
        """The media type of its tiles."""
        return f"image/{self.format.lower()}"


@dataclass(frozen=True, slots=True)
class Portrait:
    """What is found out about a map before its first tile, once for each version of it."""

    bounds: tuple[float, float, float, float]
    """West, south, east and north of its data, in degrees."""
    cell: float
    """Size of a cell of its data in metres, about."""
    bands: tuple[str, ...]
    """The bands that are drawn."""
    ranges: tuple[Range, ...]
    """One for all bands that are colours, or one for each."""
    chosen: bool = False
    """Were the ranges taken from the data, because nobody named them?"""
    beyond: bool = False
    """Do its longitudes go beyond 180 degrees? The box of a tile would be two pieces then, which are on no grid."""

    def json(self) -> dict[str, Any]:
        """The same for a database."""
        return asdict(self)

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Portrait:
        """From what `json` gave."""
        west, south, east, north = told["bounds"]
        ranges = tuple((float(low), float(high)) for low, high in told["ranges"])
        return cls(
            (west, south, east, north),
            told["cell"],
            tuple(told["bands"]),
            ranges,
            told["chosen"],
            told["beyond"],
        )


@dataclass(frozen=True, slots=True)
class Place:
    """A tile of WebMercatorQuad: column 0 in the west, row 0 in the north."""

    z: int
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is to be drawn of a graph: a tile, or, where none is named, its portrait."""

    look: Look
    portrait: Portrait | None = None
    place: Place | None = None
