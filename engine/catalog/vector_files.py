"""Files of features: GeoParquet, and what GDAL reads by pyogrio."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from engine.catalog.crs84 import CRS84, Mover, geometries, mover, readable
from engine.catalog.model import Json
from engine.errors import Problem

BY_GDAL = {".gpkg": "GPKG", ".fgb": "FlatGeobuf", ".shp": "ESRI Shapefile"}
"""What GDAL reads, and the driver that has to do it: others may lead to places that the file names."""
TABLES = (".parquet", ".geoparquet")
AT_ONCE = 10_000
"""Features of a file that are read together."""


def layers_of(path: Path) -> list[str]:
    """The layers of a file that have geometries.

    Raises:
        Problem: The library is missing, or the file cannot be read.
    """
    with readable(path):
        return [str(name) for name, shape in library().list_layers(path) if shape is not None]


def system_of(path: Path, layer: str) -> Any:
    """The reference system of a layer.

    Raises:
        Problem: The file cannot be read, or another driver would have to do it.
    """
    with readable(path):
        about = library().read_info(path, layer=layer)
        if about["driver"] != BY_GDAL[path.suffix.lower()]:
            raise ValueError(f"it is {about['driver']}")
    return about["crs"]


def of_layer(path: Path, layer: str) -> Iterator[Json]:
    """The features of a layer, with its own numbers as ids."""
    pyogrio = library()
    at = 0
    while True:
        with readable(path):
            meta, ids, wkb, columns = pyogrio.raw.read(
                path,
                layer=layer,
                skip_features=at,
                max_features=AT_ONCE,
                return_fids=True,
                datetime_as_string=True,
            )
        move = mover(meta["crs"], str(path))
        with readable(path):
            shapes = shapely.from_wkb(wkb)
        places = geometries(shapes, move, str(path))
        kinds = zip(meta["ogr_types"], meta["ogr_subtypes"], strict=True)
        values = [_column(column, *kind) for column, kind in zip(columns, kinds, strict=True)]
        names = [str(name) for name in meta["fields"]]
        for number, id_ in enumerate(ids):
            properties = {name: column[number] for name, column in zip(names, values, strict=True)}
            yield _feature(int(id_), places[number], properties)
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


def of_table(path: Path) -> tuple[Any, Iterator[Json]]:
    """The reference system of a table, and its features."""
    table = table_of(path)
    with readable(path):
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
    return system, _rows(table, primary, names, mover(system, str(path)), path)


def _rows(table: Any, primary: str, names: list[str], move: Mover | None, path: Path) -> Iterator[Json]:
    number = 0
    for batch in table.iter_batches(batch_size=AT_ONCE, columns=[primary, *names]):
        with readable(path):
            shapes = shapely.from_wkb(batch.column(primary).to_numpy(zero_copy_only=False))
        places = geometries(shapes, move, str(path))
        for properties, geometry in zip(batch.select(names).to_pylist(), places, strict=True):
            number += 1
            id_ = properties.pop("id", None)
            yield _feature(
                number if id_ is None else id_, geometry, {k: _plain(v) for k, v in properties.items()}
            )


def table_of(path: Path) -> Any:
    """A Parquet file.

    Raises:
        Problem: The library is missing, or the file cannot be read.
    """
    try:
        import pyarrow.parquet as parquet
    except ImportError as cause:
        raise _missing("Parquet files", "parquet") from cause
    with readable(path):
        return parquet.ParquetFile(path)


def _feature(id_: Any, geometry: Json | None, properties: Json) -> Json:
    return {"type": "Feature", "id": id_, "geometry": geometry, "properties": properties, "links": []}


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


def library() -> Any:
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
