"""Vector data as collections of features: GeoJSON, GeoParquet, and what GDAL reads by pyogrio."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from itertools import chain
from math import isfinite
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray
from pyproj.exceptions import CRSError

from engine.catalog.documents import shown
from engine.catalog.features import CRS, TIME
from engine.catalog.model import FEATURES, Entry, Json
from engine.errors import Problem

BY_GDAL = {".gpkg": "GPKG", ".fgb": "FlatGeobuf", ".shp": "ESRI Shapefile"}
"""What GDAL reads, and the driver that has to do it: others may lead to places that the file names."""
TABLES = (".parquet", ".geoparquet")
AT_ONCE = 10_000
"""Features of a file that are read together."""
CRS84 = "OGC:CRS84"
ASSETS = "assets"
"""A member that items have, and features have not."""
Names = Sequence[str]


def is_vector(path: Path) -> bool:
    """Is this a file of features, by its suffix, or a table of them rather than of STAC items?"""
    suffix = path.suffix.lower()
    return suffix in BY_GDAL or (suffix in TABLES and ASSETS not in _table(path).schema_arrow.names)


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
        system, features = _of_table(path)
        yield from _entries(wanted or path.stem, features, str(path), time, system)
        return
    pyogrio = _pyogrio()
    with _readable(path):
        layers = [str(name) for name, shape in pyogrio.list_layers(path) if shape is not None]
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
        with _readable(path):
            about = pyogrio.read_info(path, layer=layer)
            if about["driver"] != BY_GDAL[path.suffix.lower()]:
                raise ValueError(f"it is {about['driver']}")
        yield from _entries(name, _of_layer(path, layer), str(path), time, about["crs"])


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
        **({CRS: code} if (code := _code(system)) is not None else {}),
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
    move = _mover(system or CRS84, where)
    for feature in page["features"] if isinstance(page.get("features"), list) else ():
        if move is None or not isinstance(feature, dict) or feature.get("geometry") is None:
            yield feature
            continue
        with _readable(where):
            shape = shapely.from_geojson(json.dumps(feature["geometry"]))
        (geometry,) = _geometries(np.array([shape]), move, where)
        yield {k: v for k, v in feature.items() if k != "bbox"} | {"geometry": geometry}


def _with_id(feature: Any, number: int) -> Any:
    return {**feature, "id": number} if isinstance(feature, dict) and feature.get("id") is None else feature


# ------------------------------------------------------------------------------- by GDAL
def _of_layer(path: Path, layer: str) -> Iterator[Json]:
    pyogrio = _pyogrio()
    at = 0
    while True:
        with _readable(path):
            meta, ids, wkb, columns = pyogrio.raw.read(
                path,
                layer=layer,
                skip_features=at,
                max_features=AT_ONCE,
                return_fids=True,
                datetime_as_string=True,
            )
        move = _mover(meta["crs"], str(path))
        with _readable(path):
            shapes = shapely.from_wkb(wkb)
        geometries = _geometries(shapes, move, str(path))
        kinds = zip(meta["ogr_types"], meta["ogr_subtypes"], strict=True)
        values = [_column(column, *kind) for column, kind in zip(columns, kinds, strict=True)]
        names = [str(name) for name in meta["fields"]]
        for number, id_ in enumerate(ids):
            properties = {name: column[number] for name, column in zip(names, values, strict=True)}
            yield _feature(int(id_), geometries[number], properties)
        at += len(ids)
        if len(ids) < AT_ONCE:
            return


def _column(values: NDArray[Any], kind: str, subtype: str) -> list[Any]:
    """Values of a column of OGR: numbers with gaps come as floats, whatever they are."""
    turn = bool if subtype == "OFSTBoolean" else int if kind.startswith("OFTInteger") else None
    told = [_plain(value) for value in values.tolist()]
    if turn is None or values.dtype.kind == "O":
        return told
    return [None if value is None else turn(value) for value in told]


# ------------------------------------------------------------------------------- GeoParquet
def _of_table(path: Path) -> tuple[Any, Iterator[Json]]:
    """The reference system of a table, and its features."""
    table = _table(path)
    with _readable(path):
        told = json.loads((table.schema_arrow.metadata or {}).get(b"geo", b"null"))
    if not isinstance(told, dict) or told.get("primary_column") not in table.schema_arrow.names:
        raise Problem(
            "FileContentInvalid",
            f"{path} is no GeoParquet: it tells no column of geometries.",
            hint="Write it with a program that knows GeoParquet (GDAL, GeoPandas, DuckDB).",
        )
    primary = told["primary_column"]
    about = told["columns"][primary]
    if about.get("encoding") != "WKB":
        raise Problem(
            "FileContentInvalid", f"{path}: geometries are {about.get('encoding')!r}, only WKB is read."
        )
    system = about.get("crs", CRS84)
    boxes = {paths[0] for paths in (about.get("covering") or {}).get("bbox", {}).values()}
    names = [n for n in table.schema_arrow.names if n not in boxes and n not in told["columns"]]
    return system, _rows(table, primary, names, _mover(system, str(path)), path)


def _rows(table: Any, primary: str, names: list[str], move: Any, path: Path) -> Iterator[Json]:
    number = 0
    for batch in table.iter_batches(batch_size=AT_ONCE, columns=[primary, *names]):
        with _readable(path):
            shapes = shapely.from_wkb(batch.column(primary).to_numpy(zero_copy_only=False))
        geometries = _geometries(shapes, move, str(path))
        for properties, geometry in zip(batch.select(names).to_pylist(), geometries, strict=True):
            number += 1
            id_ = properties.pop("id", None)
            yield _feature(
                number if id_ is None else id_, geometry, {k: _plain(v) for k, v in properties.items()}
            )


def _table(path: Path) -> Any:
    try:
        import pyarrow.parquet as parquet
    except ImportError as cause:
        raise _missing("Parquet files", "parquet") from cause
    with _readable(path):
        return parquet.ParquetFile(path)


# ------------------------------------------------------------------------------- what they share
def _feature(id_: Any, geometry: Json | None, properties: Json) -> Json:
    return {"type": "Feature", "id": id_, "geometry": geometry, "properties": properties, "links": []}


def _geometries(shapes: NDArray[Any], move: Any, where: str) -> list[Json | None]:
    """GeoJSON in CRS84; None for those that are not there or are empty."""
    if move is not None:
        high = shapely.has_z(shapes)
        shapes = shapes.copy()
        for some, has_z in ((~high, False), (high, True)):
            shapes[some] = shapely.transform(shapes[some], move, include_z=has_z)
    if not np.isfinite(shapely.get_coordinates(shapes)).all():
        raise Problem("FileContentInvalid", f"{where}: a geometry has a place that is nowhere in CRS84.")
    return [None if text is None else json.loads(text) for text in shapely.to_geojson(shapes)]


def _mover(system: Any, where: str) -> Any:
    """What moves places to CRS84; None where they are there."""
    if system is None:
        raise Problem(
            "FileContentInvalid",
            f"{where} tells no coordinate reference system.",
            hint="Give it one (`ogr2ogr -a_srs`), or write it as GeoJSON in longitude and latitude.",
        )
    try:
        crs = pyproj.CRS.from_user_input(system)
    except CRSError as cause:
        raise Problem(
            "FileContentInvalid", f"{where}: its reference system cannot be read: {cause}"
        ) from cause
    if crs.equals(pyproj.CRS(CRS84), ignore_axis_order=True):
        return None
    transformer = pyproj.Transformer.from_crs(crs, CRS84, always_xy=True)

    def move(places: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack([*transformer.transform(places[:, 0], places[:, 1]), places[:, 2:]])

    return move


def _code(system: Any) -> int | None:
    """The EPSG code of a reference system that is another than CRS84; None where there is none."""
    try:
        crs = pyproj.CRS.from_user_input(system)
    except CRSError:
        return None
    return None if crs.equals(pyproj.CRS(CRS84), ignore_axis_order=True) else crs.to_epsg()


def _plain(value: Any) -> Any:
    """A value as JSON has it; None for what is no number."""
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, datetime):
        told = value.isoformat()
        return told.replace("+00:00", "Z") if value.tzinfo is not None else f"{told}Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(v) for v in value]
    return value.item() if isinstance(value, np.generic) else value


@contextmanager
def _readable(path: Path | str) -> Iterator[None]:
    """Faults of libraries as a file that cannot be read."""
    try:
        yield
    except (OSError, ValueError, RuntimeError, shapely.errors.ShapelyError) as cause:
        raise Problem("FileContentInvalid", f"{path} cannot be read as features: {cause}") from cause


def _pyogrio() -> Any:
    try:
        import pyogrio
        import pyogrio.raw
    except ImportError as cause:
        raise _missing("GeoPackages, FlatGeobuf files and Shapefiles", "vector") from cause
    return pyogrio


def _missing(what: str, extra: str) -> Problem:
    return Problem(
        "FeatureUnsupported",
        f"{what} need a library that is not installed",
        hint=f'pip install "geodatacube[{extra}]"',
    )
