"""What a graph asks of a source, what will be answered, and the rows of the table between them: frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Literal

from odc.geo.geobox import GeoBox

from engine.http import GUARDED, Egress
from processes.types import BBox


@dataclass(frozen=True)
class Wish:
    """What a graph asks of a source."""

    bbox: BBox | None = None
    """Only the pixels whose centre is inside; None: all there are."""
    bands: tuple[str, ...] | None = None
    """Names, asset keys or common names, in the order of the cube; None: all bands of the data assets."""
    chunks: Mapping[str, int] | None = None
    """Pixels per block along `x` and `y`; None: a multiple of the source's blocks near 1024."""
    crs: Any = None
    """CRS of the cube; None: the items' own, or the most common of them."""
    resolution: Any = None
    """Pixel size in units of the CRS, one number or (x, y); None: the finest of the wished bands."""
    resampling: str = "nearest"
    """How pixels are computed where the grids of source and cube do not agree."""
    nodata: float | None = None
    """The no-data value of the sources and of an integer cube, whatever the metadata say."""
    scale: Literal["metadata", "none"] = "none"
    """`none` keeps the stored numbers, `metadata` applies scale and offset and gives floats."""
    groupby: str = "solar_day"
    """What makes one time step: `solar_day`, `time`, `id`, or the name of an item property."""
    egress: Egress = GUARDED
    """Where on the web files may be."""


@dataclass(frozen=True)
class Survey:
    """The decisions of a load, before a pixel is read."""

    crs: int | str
    """EPSG code, or WKT2 where there is none."""
    resolution: tuple[float, float]
    """Steps along x and y from one pixel to the next, in units of the CRS; y is negative where north is up."""
    shape: tuple[int, ...]
    """Size along each of `dims`."""
    geobox: GeoBox | None
    """The pixel grid; None where the spacing is not regular."""
    times: tuple[Any, ...]
    """Labels of the time dimension: datetime64[ns] in UTC, or the dates of a CF calendar."""
    bands: tuple[str, ...]
    """Labels of the bands dimension."""
    dtype: str
    """Type of the cube's numbers."""
    nodata: float | None
    """The integer that stands for no-data; None where that is NaN, or where there is no no-data."""
    items: int
    """Items that have pixels in the cube."""
    assets: int
    """Assets of these items that will be opened."""
    bytes: int
    """Decoded bytes of the windows that will be read, at the size that the overviews allow."""
    chunks: Mapping[str, tuple[int, ...]]
    """Sizes of the blocks along each dimension."""
    dims: tuple[str, ...] = ("t", "bands", "y", "x")
    """Names of the dimensions, in the order of `shape`."""

    def json(self) -> dict[str, Any]:
        """The survey as a JSON object, without the grid object."""
        plain = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "geobox"}
        plain["times"] = [str(time) for time in self.times]
        plain["chunks"] = {name: list(sizes) for name, sizes in self.chunks.items()}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in plain.items()}


@dataclass(frozen=True)
class Band:
    """What the metadata tell about one band."""

    name: str
    """Label in the cube."""
    common_name: str | None = None
    """`red`, `nir`, ..."""
    center_wavelength: float | None = None
    """Micrometres."""
    scale: float | None = None
    """Factor from stored to physical values; None: not told."""
    offset: float | None = None
    """Summand from stored to physical values, after the factor; None: not told."""
    nodata: float | None = None
    """Stored value of pixels without data; None: not told."""
    unit: str | None = None
    """Unit of the physical values."""
    data_type: str | None = None
    """numpy's name of the stored type; None: not told."""
    classified: bool = False
    """Whether its numbers stand for classes, or for bits of them."""
    radar: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """What is told of the radar, by names that begin with `sar:`."""

    def json(self) -> dict[str, Any]:
        """What is known, as it stands in the bands coordinate of a cube."""
        known = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("radar", "classified")}
        return {name: value for name, value in known.items() if value is not None} | dict(self.radar)


@dataclass(frozen=True)
class Source:
    """One band of one asset of one item: what a reader must know to read it."""

    item: str
    """Id of the item."""
    asset: str
    """Key of the asset."""
    index: int
    """Number of the band in the file, from 1."""
    href: str
    """Where the file is, absolute."""
    geobox: GeoBox | None = None
    """The file's pixel grid, if known."""
    dtype: str | None = None
    """Type of the stored numbers, if known."""
    nodata: float | None = None
    """No-data value by wish or metadata; None: the file's own tag decides when it is read."""
    tag: float | None = None
    """The tag that the file probably carries, seen in the first file of its kind."""
    scale: float | None = None
    """Factor from stored to physical values; None: not told."""
    offset: float | None = None
    """Summand from stored to physical values, after the factor; None: not told."""
    scaled: bool = False
    """Whether the reader applies scale and offset."""
    classified: bool = False
    """Whether its numbers stand for classes, of which there is no mean."""
    egress: Egress = GUARDED
    """Where on the web the file may be."""
    radar: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """What is told of the radar, by names that begin with `sar:`."""

    @property
    def void(self) -> float | None:
        """The stored value that stands for no-data, as far as it is known before the file is read."""
        return self.tag if self.nodata is None else self.nodata


@dataclass(frozen=True)
class Scene:
    """One item: a row of the table."""

    id: str
    """Id of the item."""
    when: datetime
    """Its nominal time, UTC without a zone."""
    properties: Mapping[str, Any]
    """The item's properties, to group by."""
    sources: Mapping[str, Source]
    """Its sources by the name of the cube's band; an item may lack some bands."""


@dataclass(frozen=True)
class Table:
    """What the items hold of the wished bands."""

    bands: tuple[Band, ...]
    """The bands of the cube, in its order."""
    scenes: tuple[Scene, ...]
    """The items, ordered by time and id."""
