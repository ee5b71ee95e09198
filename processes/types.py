"""The words of every signature: each type carries its JSON schema, once; and what must be true of a cube.

A **cube** is an `xarray.DataArray`, lazy (dask) or not. The coordinate of each dimension says in its attributes
what the dimension is: `type` is `temporal`, `bands`, `spatial` (then `axis` is `x`, `y` or `z`), `geometry` or
`other`. Times are naive UTC (`datetime64[ns]`) or a CF calendar's; x and y are cell centres; the CRS stands in
`spatial_ref`. No-data is NaN in float cubes; integer cubes name theirs in `attrs["nodata"]`; logical cubes that
have no-data are uint8 (0, 1, 255) with `attrs["logical"]`. Band metadata is the list `attrs["bands"]` of the
bands coordinate. What the metadata of scenes tell of sun and sensor may stand beside the times, in coordinates
`view:*` along `t` (degrees, NaN where a scene does not tell); facts of radar scenes are attributes `sar:*`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Annotated, Any, Final, Protocol

import numpy as np
import xarray as xr

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Schema:
    """The JSON schema (one, or a list of alternatives) that a Python type stands for in a description."""

    json: Any
    also: Any = None
    """A schema of what is taken besides, though no description says so: graphs of others have it."""


class _Mark(Enum):
    UNSET = "not given"
    DEPRECATED = "kept for old graphs"


UNSET: Final = _Mark.UNSET
"""The default of an optional parameter that has no default value."""
DEPRECATED: Final = _Mark.DEPRECATED
"""Marks the type of a parameter that only old graphs use."""

# ------------------------------------------------------------------------------------------------ values
_NUMBER: Json = {"type": ["number", "null"]}
_BOOLEAN: Json = {"type": ["boolean", "null"]}
_ANY: Json = {"description": "Any data type."}
_COMPARABLE: Json = {"type": ["number", "boolean", "string", "null"]}

Array = np.ndarray
"""Cells, or elements along the first axis."""

Number = Annotated[Any, Schema(_NUMBER)]
"""A number, or an array of them of any shape."""
Real = Annotated[Any, Schema({"type": "number"})]
"""A number that may not be null."""
NonNegative = Annotated[Any, Schema({"type": ["number", "null"], "minimum": 0})]
Positive = Annotated[Any, Schema({"type": ["number", "null"], "minimumExclusive": 0})]
UnitRange = Annotated[Any, Schema({"type": ["number", "null"], "minimum": -1, "maximum": 1})]
NormalizedRange = Annotated[Any, Schema({"type": "number", "minimum": -1, "maximum": 1})]
Integer = Annotated[Any, Schema({"type": ["integer", "null"]})]
Sign = Annotated[Any, Schema({"type": ["number", "null"], "enum": [-1, 0, 1, None]})]
Delta = Annotated[float | None, Schema({"type": ["number", "null"], "minimumExclusive": 0})]
Boolean = Annotated[Any, Schema(_BOOLEAN)]
Comparable = Annotated[Any, Schema(_COMPARABLE)]
AnyValue = Annotated[Any, Schema(_ANY)]

# ------------------------------------------------------------------------------------------------ arrays
Numbers = Annotated[Any, Schema({"type": "array", "items": _NUMBER})]
"""Numbers along the first axis."""
Elements = Annotated[Any, Schema({"type": "array", "items": _ANY})]
"""Anything along the first axis."""
Joined = Annotated[Any, Schema({"type": "array", "items": _ANY}, also=_COMPARABLE)]
"""Anything along the first axis; a single value is taken as an array of one element."""
LabeledArray = Annotated[Any, Schema({"type": "array", "subtype": "labeled-array", "items": _ANY})]
Index = Annotated[Any, Schema({"type": "integer", "minimum": 0})]
Label = Annotated[Any, Schema([{"type": "number"}, {"type": "string"}])]
Repeat = Annotated[int, Schema({"type": "integer", "minimum": 1})]
Probabilities = Annotated[
    Any,
    Schema(
        [
            {"type": "array", "uniqueItems": True, "items": {"type": "number", "minimum": 0, "maximum": 1}},
            {"type": "integer", "minimum": 2},
        ]
    ),
]
OldParts = Annotated[Any, Schema({"type": "integer", "minimum": 2}), DEPRECATED]

# ------------------------------------------------------------------------------------------------ cubes
_CUBE: Json = {"type": "object", "subtype": "datacube"}
_XY: Json = {"type": "spatial", "axis": ["x", "y"]}


def _cube(*dimensions: Json) -> Json:
    return {**_CUBE, "dimensions": list(dimensions)}


Cube = Annotated[xr.DataArray, Schema(_CUBE)]
"""A cube of any dimensions."""
RasterCube = Annotated[xr.DataArray, Schema(_cube(_XY))]
BandCube = Annotated[xr.DataArray, Schema(_cube({"type": "bands"}))]
RasterBandCube = Annotated[xr.DataArray, Schema(_cube(_XY, {"type": "bands"}))]
TemporalCube = Annotated[xr.DataArray, Schema(_cube({"type": "temporal"}))]
VectorCube = Annotated[xr.DataArray, Schema(_cube({"type": "geometry"}))]
SpatialCube = Annotated[xr.DataArray, Schema([_cube(_XY), _cube({"type": "geometry"})])]
"""A raster or a vector cube."""
Stored = Annotated[Any, Schema({"type": "object", "subtype": "stac"})]
"""What was written, described as STAC."""

DimensionName = Annotated[str, Schema({"type": "string"})]
OptionalName = Annotated[str | None, Schema({"type": ["string", "null"]})]
BandName = Annotated[str, Schema({"type": "string", "subtype": "band-name"})]
NewBandName = Annotated[str | None, Schema([{"type": "string", "pattern": "^\\w+$"}, {"type": "null"}])]
BandNames = Annotated[
    Sequence[str], Schema({"type": "array", "items": {"type": "string", "subtype": "band-name"}})
]
Wavelengths = Annotated[
    Sequence[Sequence[float]],
    Schema(
        {
            "type": "array",
            "items": {
                "type": "array",
                "minItems": 2,
                "maxItems": 2,
                "items": {"type": "number"},
                "examples": [[[0.45, 0.5], [0.6, 0.7]]],
            },
        }
    ),
]
BandChoice = Annotated[
    Sequence[str] | None,
    Schema(
        [
            {"type": "array", "minItems": 1, "items": {"type": "string", "subtype": "band-name"}},
            {"type": "null"},
        ]
    ),
]

# ------------------------------------------------------------------------------------- space and time
_CRS: Json = {
    "anyOf": [
        {"type": "integer", "subtype": "epsg-code", "minimum": 1000, "examples": [3857]},
        {"type": "string", "subtype": "wkt2-definition"},
    ],
    "default": 4326,
}
_BBOX: Json = {
    "type": "object",
    "subtype": "bounding-box",
    "required": ["west", "south", "east", "north"],
    "properties": {
        **{side: {"type": "number"} for side in ("west", "south", "east", "north")},
        **{end: {"type": ["number", "null"], "default": None} for end in ("base", "height")},
        "crs": _CRS,
    },
}
_MOMENT: Json = {
    "anyOf": [
        {"type": "string", "format": "date-time", "subtype": "date-time"},
        {"type": "string", "format": "date", "subtype": "date"},
        {"type": "null"},
    ]
}
_INTERVAL: Json = {
    "type": "array",
    "subtype": "temporal-interval",
    "minItems": 2,
    "maxItems": 2,
    "items": _MOMENT,
    "examples": [["2015-01-01T00:00:00Z", "2016-01-01T00:00:00Z"], ["2015-01-01", "2016-01-01"]],
}
_GEOJSON: Json = {"type": "object", "subtype": "geojson"}
_OLD_GEOJSON: Json = {**_GEOJSON, "deprecated": True}
_NULL: Json = {"type": "null"}

BoundingBox = Annotated[Any, Schema(_BBOX)]
TemporalInterval = Annotated[Any, Schema(_INTERVAL)]
OptionalInterval = Annotated[Any, Schema([{**_INTERVAL, "uniqueItems": True}, _NULL])]
CollectionExtent = Annotated[Any, Schema([_BBOX, _OLD_GEOJSON, _cube({"type": "geometry"}), _NULL])]
StacExtent = Annotated[Any, Schema([_BBOX, _GEOJSON, _cube({"type": "geometry"}), _NULL])]
Geometries = Annotated[Any, Schema([_cube({"type": "geometry"}), _OLD_GEOJSON])]
Resolution = Annotated[
    Any,
    Schema(
        [
            {"type": "number", "minimum": 0},
            {"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "number", "minimum": 0}},
        ]
    ),
]
Projection = Annotated[Any, Schema([*_CRS["anyOf"], _NULL])]
RESAMPLING = (
    "average", "bilinear", "cubic", "cubicspline", "lanczos", "max", "med", "min", "mode", "near", "q1", "q3",
    "rms", "sum",
)  # fmt: skip
"""Resampling methods, by the names of openEO."""
Resampling = Annotated[str, Schema({"type": "string", "enum": list(RESAMPLING)})]
CORNERS = ("lower-left", "upper-left", "lower-right", "upper-right")
Corner = Annotated[str, Schema({"type": "string", "enum": list(CORNERS)})]

# ------------------------------------------------------------------------------------- sources and sinks
CollectionId = Annotated[
    str, Schema({"type": "string", "subtype": "collection-id", "pattern": "^[\\w\\-\\.~/]+$"})
]
StacUrl = Annotated[
    str, Schema({"type": "string", "format": "uri", "subtype": "uri", "pattern": "^https?://"})
]
OutputFormat = Annotated[str, Schema({"type": "string", "subtype": "output-format"})]
OutputOptions = Annotated[Mapping[str, Any], Schema({"type": "object", "subtype": "output-format-options"})]


# ------------------------------------------------------------------------------------------- callbacks
class Mapper(Protocol):
    """Computes a new value for each value."""

    def __call__(self, x: AnyValue, context: AnyValue = None) -> AnyValue:
        """The new value.

        Args:
            x: The value of one cell.
            context: What the caller passed along.
        """
        ...


class ArrayMapper(Protocol):
    """Computes new values from all values along a dimension."""

    def __call__(
        self, data: LabeledArray, context: AnyValue = None
    ) -> Annotated[Any, Schema({"type": "array", "items": _ANY})]:
        """The new values, at least one.

        Args:
            data: The values along the dimension, with its labels.
            context: What the caller passed along.
        """
        ...


class Reducer(Protocol):
    """Makes one value of all values along a dimension."""

    def __call__(self, data: LabeledArray, context: AnyValue = None) -> AnyValue:
        """The one value that stands for them.

        Args:
            data: The values along the dimension, with its labels.
            context: What the caller passed along.
        """
        ...


class Aggregator(Protocol):
    """Makes one value of all values in a group."""

    def __call__(self, data: Elements, context: AnyValue = None) -> AnyValue:
        """The one value that stands for the group.

        Args:
            data: The values of the group, in no particular order.
            context: What the caller passed along.
        """
        ...


class OverlapResolver(Protocol):
    """Decides between two values for the same place."""

    def __call__(self, x: AnyValue, y: AnyValue, context: AnyValue = None) -> AnyValue:
        """The value that is kept.

        Args:
            x: The value of the first cube.
            y: The value of the second cube.
            context: What the caller passed along.
        """
        ...


class Condition(Protocol):
    """Says of a metadata value whether it passes."""

    def __call__(self, value: AnyValue) -> Annotated[bool, Schema({"type": "boolean"})]:
        """`true` where the data is to be kept.

        Args:
            value: The value of the property.
        """
        ...


def _callback_map(condition: type) -> Json:
    return {"type": "object", "subtype": "metadata-filter", "additionalProperties": condition}


PropertyFilter = Annotated[
    Mapping[str, Condition] | None,
    Schema([_callback_map(Condition), _NULL]),
]
"""Conditions on metadata, by the property's name."""


# ------------------------------------------------------------------------------------ parsed arguments
@dataclass(frozen=True, slots=True)
class BBox:
    """A bounding box; west > east in geographic coordinates means across the antimeridian."""

    west: float
    """Smallest x, in the units of the CRS."""
    south: float
    """Smallest y."""
    east: float
    """Largest x."""
    north: float
    """Largest y."""
    crs: int | str = 4326
    """EPSG code or WKT2."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A half-open interval of time, UTC: `start` belongs to it, `end` does not; `None` is unbounded."""

    start: datetime | None
    """First instant inside."""
    end: datetime | None
    """First instant after it."""
