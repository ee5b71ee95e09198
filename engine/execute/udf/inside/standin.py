"""The classes of `openeo.udf` that user code names, for where the openEO client is not installed.

Only what user functions touch is here. The real package, where there is one, goes first.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import logging
import sys
import types
from collections.abc import Sequence
from typing import Any

import xarray as xr


class OpenEoUdfException(Exception):  # noqa: N818 (the name of the client)
    """Something is wrong with a user-defined function."""


class XarrayDataCube:
    """A cube in a wrapper."""

    def __init__(self, array: xr.DataArray) -> None:
        self._array = array

    def get_array(self) -> xr.DataArray:
        """The cube itself."""
        return self._array

    @property
    def array(self) -> xr.DataArray:
        """The cube itself."""
        return self._array

    @property
    def id(self) -> Any:
        """The cube's name."""
        return self._array.name


class DataCube(XarrayDataCube):
    """The same under the name that it had first."""


class HyperCube(XarrayDataCube):
    """The same under the name that it had before that."""


class StructuredData:
    """Data that is no cube: lists and objects."""

    def __init__(self, data: Any, description: str | None = None, type: str | None = None) -> None:  # noqa: A002
        self.data = data
        self.description = description
        self.type = type or ("list" if isinstance(data, list) else "dict")


class FeatureCollection:
    """Features as a geopandas frame."""

    def __init__(self, id: str, data: Any, start_times: Any = None, end_times: Any = None) -> None:  # noqa: A002
        self.id = id
        self.data = data
        self.start_times = start_times
        self.end_times = end_times


class UdfData:
    """All that a user-defined function is given, and where it puts its result."""

    def __init__(
        self,
        proj: Any = None,
        datacube_list: list[Any] | None = None,
        feature_collection_list: list[Any] | None = None,
        structured_data_list: list[Any] | None = None,
        user_context: dict[str, Any] | None = None,
    ) -> None:
        self.proj = proj
        self.datacube_list = datacube_list
        self.feature_collection_list = feature_collection_list
        self.structured_data_list = structured_data_list
        self.user_context = user_context or {}

    def get_datacube_list(self) -> list[Any] | None:
        """The cubes."""
        return self.datacube_list

    def set_datacube_list(self, datacube_list: list[Any] | None) -> None:
        """Put other cubes in their place."""
        self.datacube_list = datacube_list

    def get_structured_data_list(self) -> list[Any] | None:
        """The data that is no cube."""
        return self.structured_data_list

    def set_structured_data_list(self, structured_data_list: list[Any] | None) -> None:
        """Put other data in its place."""
        self.structured_data_list = structured_data_list

    def get_feature_collection_list(self) -> list[Any] | None:
        """The features."""
        return self.feature_collection_list

    def set_feature_collection_list(self, feature_collection_list: list[Any] | None) -> None:
        """Put other features in their place."""
        self.feature_collection_list = feature_collection_list


def inspect(data: Any = None, message: str = "", code: str = "User", level: str = "info") -> None:
    """Put a line into the log of the run."""
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    logging.getLogger("udf").log(number, "%s", f"[{code}] {message} {'' if data is None else data}".strip())


NAMES: dict[str, Any] = {
    f.__name__: f
    for f in (XarrayDataCube, UdfData, StructuredData, FeatureCollection, inspect, OpenEoUdfException)
}
OLD_NAMES: dict[str, Any] = {**NAMES, "DataCube": DataCube, "HyperCube": HyperCube}
"""With those that only older user code knows."""
MODULES = {
    "openeo": (),
    "openeo.udf": tuple(NAMES),
    "openeo.udf.xarraydatacube": ("XarrayDataCube",),
    "openeo.udf.udf_data": ("UdfData",),
    "openeo.udf.structured_data": ("StructuredData",),
    "openeo.udf.feature_collection": ("FeatureCollection",),
    "openeo.udf.debug": ("inspect",),
    "openeo_udf": (),
    "openeo_udf.api": (),
    "openeo_udf.api.datacube": ("DataCube",),
    "openeo_udf.api.hypercube": ("HyperCube",),
    "openeo_udf.api.udf_data": ("UdfData",),
    "openeo_udf.api.structured_data": ("StructuredData",),
    "openeo_udf.api.feature_collection": ("FeatureCollection",),
}
"""Modules that user code imports, and what it finds there; `openeo_udf` is what the first UDFs were written for."""


class StandIn(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the modules above where nobody else does."""

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None,  # noqa: ARG002 (the signature is Python's)
        target: types.ModuleType | None = None,  # noqa: ARG002
    ) -> importlib.machinery.ModuleSpec | None:
        """The module, where it is one of them and its parent is one, too."""
        parent = sys.modules.get(name.rpartition(".")[0])
        if name not in MODULES or (parent is not None and not hasattr(parent, "__stand_in__")):
            return None
        is_package = any(other.startswith(f"{name}.") for other in MODULES)
        return importlib.machinery.ModuleSpec(name, self, is_package=is_package)

    def exec_module(self, module: types.ModuleType) -> None:
        """Fill it."""
        vars(module).update({n: OLD_NAMES[n] for n in MODULES[module.__name__]}, __stand_in__=True)
