"""Vector data as collections of features: GeoJSON of files and of servers, tables, layers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
import shapely

from engine.catalog.crs84 import CRS84, code_of, geometries, mover, readable
from engine.catalog.documents import shown
from engine.catalog.features import SOURCE_CRS, TIME
from engine.catalog.model import FEATURES, Entry, Json
from engine.catalog.vector_files import BY_GDAL, TABLES, layers_of, of_layer, of_table, system_of, table_of
from engine.errors import Problem

ASSETS = "assets"
"""A member that items have, and features have not."""
Names = Sequence[str]


def is_vector(path: Path) -> bool:
    """Is this a file of features, by its suffix, or a table of them rather than of STAC items?"""
    suffix = path.suffix.lower()
    return suffix in BY_GDAL or (suffix in TABLES and ASSETS not in table_of(path).schema_arrow.names)


def is_plain(collection: Mapping[str, Any]) -> bool:
    """Are the features of a GeoJSON feature collection no STAC items?"""
    found = collection.get("features")
    some = [f for f in found if isinstance(f, dict)] if isinstance(found, list) else []
    return bool(some) and not any(ASSETS in f or "stac_version" in f for f in some)


def read(path: Path, wanted: str | None = None, time: Names = ()) -> Iterator[Entry]:
    """The collections and features of a file: of one layer each.

    Args:
        path: A file for which `is_vector`.
        wanted: Of a file of several layers, the one that is read; else the id of the collection.
        time: Names of the properties that tell when a feature is.

    Raises:
        Problem: A library is missing, the file cannot be read, or it tells no reference system.
    """
    if path.suffix.lower() in TABLES:
        system, features = of_table(path)
        yield from _entries(wanted or path.stem, features, str(path), time, system)
        return
    layers = layers_of(path)
    if not layers:
        raise Problem("FileContentInvalid", f"{path} has no layer with geometries.")
    if len(layers) > 1 and wanted is not None and wanted not in layers:
        raise Problem(
            "CollectionNotFound",
            f"{path} has no layer {wanted!r}.",
            hint=f"There are {', '.join(map(repr, layers))}.",
            facts={"id": wanted, "layers": layers},
        )
    for layer in layers if wanted not in layers else [wanted]:
        name = layer if len(layers) > 1 else wanted or path.stem
        yield from _entries(name, of_layer(path, layer), str(path), time, system_of(path, layer))


def of_geojson(
    pages: Iterable[Json], href: str, wanted: str | None = None, time: Names = ()
) -> Iterator[Entry]:
    """The features of GeoJSON feature collections that were read from `href`; those without an id are numbered."""
    parts = [part for part in unquote(urlsplit(href).path).split("/") if part]
    file = parts[-2] if parts[-1:] == ["items"] and len(parts) > 1 else (parts or ["features"])[-1]
    where = shown(href)
    found = chain.from_iterable(_features(page, where) for page in pages)
    numbered = (_with_id(feature, number) for number, feature in enumerate(found, 1))
    yield from _entries(wanted or PurePosixPath(file).stem, numbered, where, time, CRS84)


def _entries(name: str, features: Iterable[Any], where: str, time: Names, system: Any) -> Iterator[Entry]:
    """The collection, then its features; no id comes twice. `system` is what the source has their places in."""
    collection: Json = {
        "type": FEATURES,
        "id": name,
        "title": name,
        "description": f"Features of {PurePosixPath(where).name}",
        "links": [],
        **({TIME: list(time)} if time else {}),
        **({SOURCE_CRS: code} if (code := code_of(system)) is not None else {}),
    }
    yield Entry(collection, None, where)
    seen: set[str] = set()
    for feature in features:
        id_ = str(feature.get("id")) if isinstance(feature, dict) else ""
        if id_ in seen:
            raise Problem(
                "FileContentInvalid", f"{where}: the id {id_[:80]!r} comes twice.", hint="Ids have to differ."
            )
        seen.add(id_)
        yield Entry(collection, feature, where)


def _features(page: Json, where: str) -> Iterator[Any]:
    """The features of a feature collection in CRS84; older GeoJSON may name another system."""
    told = page.get("crs")
    system = told["properties"].get("name") if isinstance(told, dict) and "properties" in told else None
    move = mover(system or CRS84, where)
    for feature in page["features"] if isinstance(page.get("features"), list) else ():
        if move is None or not isinstance(feature, dict) or feature.get("geometry") is None:
            yield feature
            continue
        with readable(where):
            shape = shapely.from_geojson(json.dumps(feature["geometry"]))
        (geometry,) = geometries(np.array([shape]), move, where)
        yield {k: v for k, v in feature.items() if k != "bbox"} | {"geometry": geometry}


def _with_id(feature: Any, number: int) -> Any:
    return {**feature, "id": number} if isinstance(feature, dict) and feature.get("id") is None else feature
