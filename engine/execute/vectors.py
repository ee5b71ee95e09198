"""Collections of features as vector cubes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import xarray as xr

from engine.catalog import Catalog, Query
from engine.errors import Problem
from processes.cubes.vectors import load_geojson
from processes.world import Extent

MOST = 500_000
"""Features of a vector cube, which is in memory as a whole."""


def features_of(catalog: Catalog, query: Query, extent: Extent) -> xr.DataArray:
    """The features of a collection that a query wants, as a vector cube in memory.

    Properties, and the ids of features as `id`, are coordinates of the geometries; those that `extent.bands` names are
    the values of the cube, along the dimension `properties`. Features without geometry are left out.

    Raises:
        Problem: There are none, or more than `MOST`.
    """
    found = list(islice(_with_ids(catalog.features(query)), MOST + 1))
    if len(found) > MOST:
        raise Problem(
            "ProcessGraphComplexity",
            f"more than {MOST:,} features of {query.collection!r} fit, which is more than a vector cube takes",
            hint="Narrow spatial_extent, temporal_extent or properties.",
        )
    if not found:
        raise Problem(
            "NoDataAvailable",
            f"no feature of {query.collection!r} fits",
            hint="Widen spatial_extent and temporal_extent, or loosen the conditions on properties.",
        )
    return load_geojson({"type": "FeatureCollection", "features": found}, list(extent.bands or ()))


def _with_ids(features: Iterator[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for feature in features:
        if feature["geometry"] is not None:
            yield {**feature, "properties": {"id": feature["id"], **feature["properties"]}}
