"""Values as messages to servers that run something for us: JSON, GeoJSON, and openEO's UDF data."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from engine.errors import Problem
from engine.execute.boundary import hand_out
from engine.write import Stream, write
from processes.cubes import axes, places
from processes.values import Labeled

MAX_CELLS = 1_000_000
"""Cells of a cube that is sent."""


def as_json(value: Any, stream: Stream) -> Any:
    """A value as JSON: vector cubes as GeoJSON, other cubes as the format JSON writes them."""
    if isinstance(value, xr.DataArray):
        small(value)
        name = "data.geojson" if axes.of_kind(value, "geometry") else "data.json"
        with tempfile.TemporaryDirectory(prefix="gdc-") as folder:
            written = write(value, Path(folder) / name, stream=stream)
            return json.loads(written.assets[0].href.read_text(encoding="utf-8"))
    if isinstance(value, Labeled):
        return dict(zip(map(str, value.labels), as_json(value.values, stream), strict=True))
    plain = hand_out(value)
    try:
        json.dumps(plain, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as fault:
        raise Problem(
            "ProcessParameterInvalid",
            f"a {type(value).__name__} cannot be sent as JSON: {fault}",
            hint="Send numbers, texts, lists, objects or a cube; JSON has no NaN and no infinity.",
            facts={"parameter": "data"},
        ) from fault
    return plain


def small(cube: xr.DataArray) -> None:
    """Refuse to send what is larger than any message."""
    if cube.size > MAX_CELLS:
        raise Problem(
            "ProcessParameterInvalid",
            f"the cube has {cube.size} cells, at most {MAX_CELLS} are sent to another server",
            hint="Reduce or aggregate it first.",
            facts={"parameter": "data", "cells": cube.size, "limit": MAX_CELLS},
        )


def as_udf_data(value: Any, context: Mapping[str, Any], stream: Stream) -> dict[str, Any]:
    """A value as the UDF interface has it: a cube as `datacubes`, anything else as structured data."""
    data: dict[str, Any] = {"user_context": dict(context)}
    if isinstance(value, xr.DataArray):
        if axes.of_kind(value, "geometry"):
            shapes = as_json(value, stream)
            return {**data, "feature_collection_list": [{"id": "data", "data": shapes}]}
        crs = places.crs_of(value)
        system = {"proj": {"EPSG": crs.to_epsg()}} if crs is not None and crs.to_epsg() else {}
        return {**data, **system, "datacubes": [_datacube(value, stream)]}
    plain = as_json(value, stream)
    kind = "list" if isinstance(plain, list) else "dict" if isinstance(plain, dict) else "scalar"
    return {**data, "structured_data_list": [{"description": "data", "type": kind, "data": plain}]}


def _datacube(cube: xr.DataArray, stream: Stream) -> dict[str, Any]:
    small(cube)
    cells = np.empty(cube.shape, dtype=object)
    for place, block in stream(cube):
        part = np.asarray(block).astype(object)
        part[_missing(cube, block)] = None
        cells[place] = part
    dimensions = [
        {"name": str(dim), "coordinates": [_label(v) for v in axes.labels(cube, str(dim))]}
        for dim in cube.dims
    ]
    return {"id": "data", "data": cells.tolist(), "dimensions": dimensions}


def _missing(cube: xr.DataArray, block: np.ndarray) -> np.ndarray:
    if block.dtype.kind == "f":
        return ~np.isfinite(block)
    nodata = cube.attrs.get("nodata")
    return np.zeros(block.shape, bool) if nodata is None else block == nodata


def _label(label: Any) -> Any:
    if isinstance(label, np.generic) and label.dtype.kind == "M":
        return axes.rfc3339(label)
    return label.item() if isinstance(label, np.generic) else label


def from_udf_data(answer: Any, sent: Any) -> Any:
    """What a UDF gave back: the one thing in its data; other JSON as it is."""
    if not isinstance(answer, Mapping):
        return answer
    cubes = answer.get("datacubes") or answer.get("hypercubes") or []
    found: list[Any] = [cube_of(c, sent) for c in cubes]
    found += [s.get("data") for s in answer.get("structured_data_list") or []]
    found += [s.get("data") for s in answer.get("feature_collection_list") or []]
    if not found:
        return dict(answer)
    return found[0] if len(found) == 1 else found


def cube_of(told: Any, sent: Any) -> xr.DataArray:
    """A cube of the UDF interface; dimensions that it shares with the cube that was sent keep what is known of them."""
    try:
        dims = [str(d["name"]) for d in told["dimensions"]]
        cells = np.array(told["data"], dtype=object)
        values = cells.astype(float)  # None becomes NaN
        cube = xr.DataArray(values, dims=dims)
        for dim, size in zip(told["dimensions"], values.shape, strict=True):
            coord = _coordinate(str(dim["name"]), dim.get("coordinates"), size, sent)
            cube = cube.assign_coords({str(dim["name"]): coord})
    except (KeyError, TypeError, ValueError) as fault:
        raise Problem(
            "FileContentInvalid",
            f"the server's cube is none: {fault}",
            hint="Tell the operator of that server.",
        ) from fault
    if isinstance(sent, xr.DataArray) and "spatial_ref" in sent.coords:
        cube = cube.assign_coords(spatial_ref=sent.coords["spatial_ref"])
    return cube


def _coordinate(name: str, labels: Any, size: int, sent: Any) -> xr.Variable:
    known = sent.coords.get(name) if isinstance(sent, xr.DataArray) else None
    if known is not None and known.ndim == 1 and known.size == size:
        told = [_label(v) for v in axes.labels(sent, name)]
        if labels is None or list(labels) == told:
            return known.variable
    attrs: dict[str, Any] = {"type": "other"}
    if known is not None:
        attrs = {k: v for k, v in known.attrs.items() if k != "bands"}
    values = np.asarray(range(size) if labels is None else labels)
    if attrs["type"] == "temporal":
        values = np.array([str(v).removesuffix("Z") for v in values], dtype="datetime64[ns]")
    return xr.Variable((name,), values, attrs)
