"""What processes need of the outside, asked of whoever runs them; it is handed in after the star."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import xarray as xr

from processes.kernels.trained import Model
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


@dataclass(frozen=True, slots=True, eq=False)
class Saved:
    """What `save_result` gives. Processes that take no STAC get the value itself."""

    value: Any
    """What is to be written."""
    number: int
    """Which of the results of the graph this is, from 0."""
    changes: tuple[Mapping[str, Any], ...] = ()
    """Merge patches of its STAC description, in order."""


@dataclass(frozen=True, slots=True)
class Form:
    """What a cube looks like from outside."""

    dims: tuple[str, ...]
    """Names of its dimensions, in order."""
    shape: tuple[int, ...]
    """Their lengths."""
    dtype: Any
    """NumPy type of its cells."""

    @property
    def nbytes(self) -> int:
        """Bytes of its cells."""
        return math.prod(self.shape) * int(self.dtype.itemsize)


class UserFunction(Protocol):
    """Code of the user; it can be pickled, and is run where it can do no harm."""

    def __call__(self, data: Any, context: Any, form: Form | None = None) -> Any:
        """What it makes of a cube in memory (or of a value of JSON): a cube or a value.

        With a `form` it is the array of a cube's cells, which has that form.
        """
        ...


class World(Protocol):
    """The engine, as far as a process can see it."""

    def load_collection(self, id_: str, extent: Extent) -> xr.DataArray:
        """A lazy cube of a catalogued collection."""
        ...

    def load_stac(self, url: str, extent: Extent) -> xr.DataArray:
        """A lazy cube of STAC metadata found at a URL or path."""
        ...

    def save_result(self, data: Any, format_: str, options: Mapping[str, Any]) -> Any:
        """Take note that `data` is to be written; gives it back as `Saved`, so that graphs can go on."""
        ...

    def log(self, message: str, level: str, code: str) -> None:
        """Put a user's note into the log; `level` is one of error, warning, info, debug."""
        ...

    def save_model(self, model: Model, name: str, tasks: Sequence[str]) -> None:
        """Keep a model under a name; one of the same name is replaced."""
        ...

    def load_model(self, uri: str) -> Model:
        """The model that was kept under a name, or that the STAC item at a URL or path describes."""
        ...

    def load_url(self, url: str, format_: str, options: Mapping[str, Any]) -> xr.DataArray:
        """The cube of a file at a URL."""
        ...

    def load_value(self, url: str, media_type: str) -> Any:
        """The value at a URL: of JSON what it stands for, a text, or bytes in base64."""
        ...

    def pause(self, seconds: float) -> None:
        """Wait, unless nothing is to be done."""
        ...

    def load_files(self, paths: Sequence[str], format_: str, options: Mapping[str, Any]) -> xr.DataArray:
        """The one cube of files of the user's folder."""
        ...

    def modify(self, data: Any, changes: Mapping[str, Any]) -> Any:
        """A result whose STAC description is changed by a merge patch."""
        ...

    def export_workspace(self, data: Any, workspace: str, merge: str | None) -> Any:
        """Take note that a result is to be put into a workspace; gives it back."""
        ...

    def export_collection(self, data: Any, collection: str) -> str:
        """Take note that a result is to be put into a collection; gives its id."""
        ...

    def run_ogcapi(self, data: Any, url: str | None, id_: str, context: Mapping[str, Any]) -> Any:
        """The result of an OGC API process; without a URL, of the one that belongs to this service."""
        ...

    def run_udf_externally(self, data: Any, url: str, context: Mapping[str, Any]) -> Any:
        """The result of a user-defined function that a server holds."""
        ...

    def user_function(self, udf: str, runtime: str, version: str | None) -> UserFunction:
        """The user-defined function of that code, URL or path."""
        ...

    def within(self) -> World:
        """As much of the outside as a child graph can reach; it can be pickled."""
        ...
