"""The words of the writers: formats and their options, what is asked of a writer, what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import xarray as xr

from engine.write.atomic import Staging

Index = tuple[slice, ...]
"""Where a block lies: one slice for each dimension of its cube, in the order of the cube's dimensions."""

Stream = Callable[[xr.DataArray], Iterator[tuple[Index, np.ndarray]]]
"""Yields every block of a cube once, in whatever order and in bounded memory.

Injected, because execution lives on a higher floor; writers take blocks from it and never compute.
"""

NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Option:
    """One thing that a user may choose about a format."""

    type: str
    """JSON type: `string`, `integer`, `number` or `boolean`."""
    description: str
    """What it does, for `GET /file_formats`."""
    default: Any = None
    """The value when it is not given; None makes the option nullable."""
    enum: tuple[Any, ...] | None = None
    """The allowed values, where they can be listed; strings match whatever their case."""
    minimum: float | None = None
    """Least allowed number."""
    maximum: float | None = None
    """Greatest allowed number."""


@dataclass(frozen=True)
class Task:
    """What is asked of a writer."""

    value: Any
    """A cube, or what else the format takes."""
    target: Path
    """The file (or store folder) that the user named."""
    options: Mapping[str, Any]
    """A value for every option of the format, checked."""
    stream: Stream
    """Where the blocks of a cube come from."""


@dataclass(frozen=True)
class Asset:
    """One file (or store folder) of a result."""

    href: Path
    """Where it lies once it is published."""
    media_type: str
    """Its media type."""
    roles: tuple[str, ...]
    """STAC roles, e.g. `data`."""
    fields: dict[str, Any] = field(default_factory=dict)
    """Further members of the STAC asset: title, proj:*, bands with statistics, datetime, file:*."""


@dataclass(frozen=True)
class Format:
    """A file format that results can be written in."""

    name: str
    """openEO name, which is GDAL's where GDAL knows the format."""
    title: str
    """Name for people."""
    description: str
    """How a cube becomes files in this format."""
    suffixes: tuple[str, ...]
    """File name suffixes, the usual one first."""
    media_type: str
    """Media type of the files."""
    gis_data_types: tuple[str, ...]
    """`raster`, `vector`, `table`, `other`, as openEO has them."""
    parameters: Mapping[str, Option]
    """The options by name."""
    write: Callable[[Task, Staging], tuple[Asset, ...]]
    """Writes into the staging and says which files there are."""
    aliases: tuple[str, ...] = ()
    """Other names that are understood, in lower case."""


@dataclass(frozen=True)
class Written:
    """A published result."""

    assets: tuple[Asset, ...]
    """Its files."""
    item: dict[str, Any]
    """Its STAC item, as it stands in `item_path`; empty where the result does not last."""
    item_path: Path
    """The file of the STAC item."""
