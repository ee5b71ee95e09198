"""The STAC item beside each result: where, when, of what, by which graph."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dask
import numpy as np
import rasterio
import shapely
import xarray as xr

from engine.errors import Problem
from engine.write.axes import Axes, axes_of, labels_of
from engine.write.dates import rfc3339
from engine.write.footprint import Footprint, footprint
from engine.write.grid import crs_of, grid_of
from engine.write.model import Asset

EXTENSIONS = {
    "proj:": "https://stac-extensions.github.io/projection/v2.0.0/schema.json",
    "raster:": "https://stac-extensions.github.io/raster/v2.0.0/schema.json",
    "eo:": "https://stac-extensions.github.io/eo/v2.0.0/schema.json",
    "processing:": "https://stac-extensions.github.io/processing/v1.2.0/schema.json",
    "file:": "https://stac-extensions.github.io/file/v2.1.0/schema.json",
}
"""Schema of each extension, by the prefix of its fields."""

SHARED = ("proj:code", "proj:wkt2", "proj:shape", "proj:transform", "proj:bbox")
"""Asset members that also describe the item, where all assets have the same."""

Corners = tuple[tuple[float, float], ...]

KNOWN = frozenset({"graph", "inputs", "software", "properties"})


def item_of(
    value: Any, target: Path, assets: tuple[Asset, ...], provenance: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The item of a result.

    `provenance` may have: `graph` (the process graph), `inputs` (what the result derives from: hrefs, or
    links with an `href`), `software` (versions by name), `properties` (further properties of the item);
    anything else becomes a property with the prefix `gdc:`.
    """
    origin = dict(provenance or {})
    place = _place(value)
    members = _assets(assets)
    properties = {
        **_when(value),
        **_shared(assets),
        **_processing(origin),
        **origin.get("properties", {}),
        **{f"gdc:{key}": origin[key] for key in origin.keys() - KNOWN},
    }
    item: dict[str, Any] = {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": _extensions([properties, *members.values()]),
        "id": target.stem,
        "geometry": place.geometry if place else None,
    }
    if place:
        item["bbox"] = place.bbox
    return {**item, "properties": properties, "links": _links(origin.get("inputs", ())), "assets": members}


def _place(value: Any) -> Footprint | None:
    if not isinstance(value, xr.DataArray):
        return None
    axes = axes_of(value)
    if axes.geometry is not None:
        corners = _rectangle(*shapely.total_bounds(labels_of(value, axes.geometry)))
    elif axes.x is not None and axes.y is not None:
        corners = _corners(value, axes)
    else:
        return None
    return footprint(crs_of(value, axes), corners) if np.isfinite(corners).all() else None


def _corners(cube: xr.DataArray, axes: Axes) -> Corners:
    """Corners of the cells; where they lie unevenly, of the rectangle around them."""
    try:
        return grid_of(cube, axes, "STAC").corners
    except Problem:
        (west, east), (south, north) = _edges(cube[str(axes.x)]), _edges(cube[str(axes.y)])
        return _rectangle(west, south, east, north)


def _rectangle(west: float, south: float, east: float, north: float) -> Corners:
    return (west, south), (east, south), (east, north), (west, north)


def _edges(coord: xr.DataArray) -> tuple[float, float]:
    """The least and greatest edge of cells, from their centres."""
    labels = np.sort(np.asarray(coord.values, dtype="float64"))
    if labels.size > 1:
        first, last = labels[1] - labels[0], labels[-1] - labels[-2]
    else:
        first = last = abs(float(coord.attrs.get("resolution", 0)))
    return float(labels[0] - first / 2), float(labels[-1] + last / 2)


def _when(value: Any) -> dict[str, Any]:
    """The times of the cube; the time of writing where it has none, because STAC wants one."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    moments = sorted(_moments(value))
    if not moments:
        return {"datetime": now, "created": now}
    if moments[0] == moments[-1]:
        return {"datetime": moments[0], "created": now}
    return {"datetime": None, "start_datetime": moments[0], "end_datetime": moments[-1], "created": now}


def _moments(value: Any) -> list[str]:
    if not isinstance(value, xr.DataArray):
        return []
    time = axes_of(value).time
    if time is not None:
        labels: Iterable[Any] = labels_of(value, time)
    else:
        scalars = [coord for coord in value.coords.values() if coord.ndim == 0]
        labels = [c.values[()] for c in scalars if c.attrs.get("type") == "temporal" or c.dtype.kind == "M"]
    return [moment for moment in map(rfc3339, labels) if moment is not None]


def _assets(assets: tuple[Asset, ...]) -> dict[str, dict[str, Any]]:
    """The assets by key: `data`, or where there are several their titles; hrefs stand beside the item."""
    members = {}
    for asset in assets:
        key = "data" if len(assets) == 1 else str(asset.fields.get("title", asset.href.name))
        members[key] = {
            "href": f"./{asset.href.name}",
            "type": asset.media_type,
            "roles": list(asset.roles),
            **asset.fields,
        }
    return members


def _shared(assets: tuple[Asset, ...]) -> dict[str, Any]:
    first = assets[0].fields
    return {
        name: first[name]
        for name in SHARED
        if name in first and all(asset.fields.get(name) == first[name] for asset in assets)
    }


def _processing(origin: Mapping[str, Any]) -> dict[str, Any]:
    software = {
        "geodatacube": version("geodatacube"),
        "GDAL": rasterio.__gdal_version__,
        "xarray": xr.__version__,
        "dask": dask.__version__,
        "numpy": np.__version__,
    }
    out: dict[str, Any] = {"processing:software": {**software, **origin.get("software", {})}}
    if "graph" in origin:
        out["processing:expression"] = {"format": "openeo", "expression": plain_json(origin["graph"])}
    return out


def _links(inputs: Iterable[Any]) -> list[dict[str, Any]]:
    links = []
    for source in inputs:
        link = {"href": source} if isinstance(source, str) else dict(source)
        links.append({"rel": "derived_from", **link})
    return links


def _extensions(records: list[Mapping[str, Any]]) -> list[str]:
    """The schemas of the prefixes that occur."""
    bands = [band for record in records for band in record.get("bands", ())]
    names = {name for record in [*records, *bands] for name in record}
    return [schema for prefix, schema in EXTENSIONS.items() if any(name.startswith(prefix) for name in names)]


def plain_json(value: Any) -> Any:
    """A value of JSON in which numbers that JSON does not know (NaN, infinities) are texts."""
    return json.loads(json.dumps(value), parse_constant=str)


def item_text(item: Mapping[str, Any]) -> str:
    """The item as it stands in its file."""
    return json.dumps(item, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def files_of_item(item_path: Path, target: Path) -> set[str]:
    """The files that the result to be replaced had: the target, or `name_2022-06-01.tif` and so on."""
    try:
        old = json.loads(item_path.read_text())
        hrefs = [str(asset["href"]) for asset in old["assets"].values()]
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return set()
    names = {href.removeprefix("./") for href in hrefs}
    return {
        name
        for name in names
        if "/" not in name
        and (name == target.name or (name.startswith(f"{target.stem}_") and name.endswith(target.suffix)))
        and (target.parent / name).is_file()
    }
