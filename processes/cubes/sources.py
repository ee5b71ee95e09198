"""Where cubes come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import shapely
import xarray as xr

from processes.cubes import axes, geometries
from processes.cubes.filters import read_bbox, read_interval
from processes.cubes.vectors import filter_vector
from processes.errors import ProcessParameterInvalid
from processes.mixing import making
from processes.registry import process
from processes.types import (
    BandChoice,
    BBox,
    CollectionExtent,
    CollectionId,
    Cube,
    OptionalInterval,
    PropertyFilter,
    StacExtent,
    StacUrl,
)
from processes.world import Extent, World


@process("cubes", "import", mixes=making("t", "bands", "y", "x"))
def load_collection(
    id: CollectionId,
    spatial_extent: CollectionExtent,
    temporal_extent: OptionalInterval,
    bands: BandChoice = None,
    properties: PropertyFilter = None,
    *,
    world: World,
) -> Cube:
    """Load a collection of the catalogue

    The cube is lazy: what later steps do not need is not read. It keeps the grid and the type of the data; scenes
    of the same day make one date. A collection of features gives a vector cube, as `load_geojson()` does.

    Args:
        id: Identifier of the collection.
        spatial_extent: Bounding box, GeoJSON or vector cube that limits the cells; `null` loads all of the ground.
            Cells are kept whose centre is inside, and features that touch it.
        temporal_extent: Start and end, of which the start belongs to the interval and the end does not; `null`
            loads all of the time. Features without time are at all times.
        bands: Names or common names of the bands, in the order wished; `null` loads all. Of features, names of the
            properties that make up the values of the cube.
        properties: Conditions on the metadata of the scenes, or on the properties of the features, by their names;
            all have to hold.

    Returns:
        A lazy cube, or a vector cube.

    Raises:
        NoDataAvailable: No scene and no feature fits.
        TemporalExtentEmpty: The end of the interval is not later than its start.
    """
    return limited(
        world.load_collection(id, extent(spatial_extent, temporal_extent, bands, properties)), spatial_extent
    )


@process("cubes", "import", experimental=True, mixes=making("t", "bands", "y", "x"))
def load_stac(
    url: StacUrl,
    spatial_extent: StacExtent = None,
    temporal_extent: OptionalInterval = None,
    bands: BandChoice = None,
    properties: PropertyFilter = None,
    *,
    world: World,
) -> Cube:
    """Load data that STAC metadata describes

    The metadata may be an item, a static catalogue or collection, or a STAC API. The cube is lazy and keeps the
    grid and the type of the data.

    Args:
        url: Where the metadata is.
        spatial_extent: Bounding box, GeoJSON or vector cube that limits the cells; `null` loads all of the ground.
        temporal_extent: Start and end, of which the start belongs to the interval and the end does not; `null`
            loads all of the time.
        bands: Names or common names of the bands, in the order wished; `null` loads all.
        properties: Conditions on the metadata of the items, by the property's name; all have to hold.

    Returns:
        A lazy cube.

    Raises:
        NoDataAvailable: No item fits.
        TemporalExtentEmpty: The end of the interval is not later than its start.
        PropertiesUnsupported: The source cannot be filtered by properties.
    """
    return limited(
        world.load_stac(url, extent(spatial_extent, temporal_extent, bands, properties)), spatial_extent
    )


def extent(spatial: Any, temporal: Any, bands: Any, properties: Any) -> Extent:
    """The arguments of a source as one value."""
    return Extent(
        bbox=None if spatial is None else bounding_box(spatial),
        interval=read_interval(temporal, "temporal_extent"),
        bands=None if bands is None else tuple(bands),
        properties=properties or {},
    )


def bounding_box(spatial: Any) -> BBox:
    """The box around what limits the cells."""
    if isinstance(spatial, Mapping) and "west" in spatial:
        return read_bbox(spatial, "spatial_extent")
    given = geometries.read(spatial, "spatial_extent")
    if shapely.is_empty(given.coord).all():
        raise ProcessParameterInvalid(
            "the spatial extent has no geometry that is not empty, so that it limits the cells to none",
            hint="Give at least one polygon, or null for all of the ground.",
            parameter="spatial_extent",
        )
    west, south, east, north = map(float, shapely.total_bounds(given.coord))
    return BBox(west, south, east, north, geometries.crs_name(given.crs))


def limited(cube: xr.DataArray, spatial: Any) -> xr.DataArray:
    """Take out the cells outside of the geometries that limit the cube; a box has done its work already.

    Of a vector cube the geometries stay that touch them.
    """
    if spatial is None or (isinstance(spatial, Mapping) and "west" in spatial):
        return cube
    if axes.of_kind(cube, "geometry"):
        return filter_vector(cube, spatial)
    return geometries.masked_outside(cube, geometries.read(spatial, "spatial_extent"))
