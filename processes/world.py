"""What processes need of the outside, asked of whoever runs them; it is handed in after the star."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import xarray as xr

from processes.types import BBox, Condition, Interval


@dataclass(frozen=True, slots=True)
class Extent:
    """What a graph wants of a source."""

    bbox: BBox | None = None
    """Cells whose centre is inside."""
    interval: Interval | None = None
    """Times inside."""
    bands: Sequence[str] | None = None
    """Names or common names, in the order wished."""
    properties: Mapping[str, Condition] = field(default_factory=dict)
    """Conditions on item properties; all have to hold."""


class World(Protocol):
    """The engine, as far as a process can see it."""

    def load_collection(self, id_: str, extent: Extent) -> xr.DataArray:
        """A lazy cube of a catalogued collection."""
        ...

    def load_stac(self, url: str, extent: Extent) -> xr.DataArray:
        """A lazy cube of STAC metadata found at a URL or path."""
        ...

    def save_result(self, data: Any, format_: str, options: Mapping[str, Any]) -> Any:
        """Take note that `data` is to be written; gives it back, so that graphs can go on."""
        ...
