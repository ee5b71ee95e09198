"""Between what Python users hold and what graphs compute with."""

from __future__ import annotations

from typing import Any

import dask.array as da
import numpy as np
import xarray as xr

from engine.errors import Problem
from processes.cubes.cells import LOGICAL_NODATA
from processes.values import Labeled, Masked, plain, stack

LABELS = "labels"
"""The one dimension of an array that has labels and is no cube."""


def take_in(value: Any) -> Any:
    """A parameter's value as graphs know it.

    Labelled arrays are one-dimensional `DataArray`s over `labels`, cubes any other `DataArray`; NumPy arrays of one
    dimension are lists.
    """
    if isinstance(value, xr.Dataset):
        raise Problem(
            "ProcessParameterInvalid",
            f"a Dataset of {', '.join(map(str, value.data_vars))} is not one cube",
            hint='Make it one with .to_dataarray("bands").',
        )
    if isinstance(value, xr.DataArray):
        if value.dims == (LABELS,):
            return Labeled(stack(value.values.tolist()), tuple(value[LABELS].values.tolist()))
        return _logical_again(value) if value.dtype.kind == "O" else value
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (list, tuple)):
        return [take_in(v) for v in value]
    if isinstance(value, dict):
        return {k: take_in(v) for k, v in value.items()}
    return value


def hand_out(value: Any) -> Any:
    """A graph's value as Python users know it: booleans are booleans, null is `None`, NaN inside of cubes."""
    value = plain(value) if isinstance(value, (Labeled, Masked, np.ndarray, np.generic, list)) else value
    if isinstance(value, Labeled):
        keys = np.empty(len(value.labels), dtype=object)
        keys[:] = value.labels
        values = np.empty(len(value.labels), dtype=object)
        values[:] = value.values
        return xr.DataArray(_tidy(values), dims=(LABELS,), coords={LABELS: keys})
    if isinstance(value, xr.DataArray) and value.attrs.get("logical"):
        return _as_booleans(value)
    return value


def _tidy(values: np.ndarray) -> np.ndarray:
    """Numbers as numbers where all are."""
    kinds = {type(v) for v in values}
    return values.astype(float if float in kinds else int) if kinds and kinds <= {int, float} else values


def _as_booleans(cube: xr.DataArray) -> xr.DataArray:
    """True, false and NaN as objects: what xarray itself makes of booleans with gaps."""

    def show(block: np.ndarray) -> np.ndarray:
        shown = np.asarray(block == 1).astype(object)  # of NumPy's own scalar, too
        shown[block == LOGICAL_NODATA] = np.nan
        return shown

    data = cube.data.map_blocks(show, dtype=object) if isinstance(cube.data, da.Array) else show(cube.values)
    out = cube.copy(data=data)
    out.attrs = {k: v for k, v in cube.attrs.items() if k != "nodata"}
    return out


def _logical_again(cube: xr.DataArray) -> xr.DataArray:
    """Booleans with gaps as graphs store them; cubes of texts stay."""
    lazy = isinstance(cube.data, da.Array)
    if not cube.attrs.get("logical") and (lazy or not _only_booleans(cube.values)):
        return cube

    def hide(block: np.ndarray) -> np.ndarray:
        gap = np.asarray(np.frompyfunc(lambda v: v is None or v != v, 1, 1)(block), dtype=bool)
        return np.where(gap, LOGICAL_NODATA, np.where(gap, False, block).astype(bool)).astype(np.uint8)

    data = cube.data.map_blocks(hide, dtype=np.uint8) if lazy else hide(cube.values)
    out = cube.copy(data=data)
    out.attrs = {**cube.attrs, "logical": True, "nodata": LOGICAL_NODATA}
    return out


def _only_booleans(values: np.ndarray) -> bool:
    given = [v for v in values.ravel() if v is not None and v == v]
    return bool(given) and all(isinstance(v, (bool, np.bool_)) for v in given)
