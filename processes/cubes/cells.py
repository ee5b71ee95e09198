"""Between cubes and the arrays of cells that processes compute with: no-data on the way in and out, blocks.

A child graph is run on whole blocks: NumPy arrays of every date, band or whatever it needs, never on lazy ones.
What it will give (type, length, no-data) is found out beforehand by running it on a block of one cell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dask.array as da
import numpy as np
import xarray as xr

from processes.cubes import axes
from processes.cubes.assembly import labels_of
from processes.errors import ProcessParameterInvalid
from processes.lazy import mapped
from processes.values import Labeled, Masked, is_scalar

LOGICAL_NODATA = 255
A_TEXT = "2000-01-01"
"""A text that processes of dates take, too."""


@dataclass(frozen=True, slots=True)
class Coding:
    """How the cells of a cube are stored."""

    dtype: np.dtype[Any]
    """Type of the stored values."""
    nodata: int | None = None
    """The value that stands for no-data in integers; `None` where there is none."""
    logical: bool = False
    """Are the numbers 0 and 1 booleans?"""

    @classmethod
    def of(cls, cube: xr.DataArray) -> Coding:
        """The coding of a cube."""
        nodata: Any = cube.attrs.get("nodata")
        known = cube.dtype.kind in "iu" and holds(cube.dtype, nodata)
        return cls(cube.dtype, int(nodata) if known else None, bool(cube.attrs.get("logical", False)))

    def attrs(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """A cube's attributes, changed to tell of this coding."""
        kept = {k: v for k, v in before.items() if k not in ("nodata", "logical", "_FillValue")}
        if self.nodata is not None:
            kept["nodata"] = self.nodata
        elif "nodata" in before and self.dtype.kind == "f":
            kept["nodata"] = float("nan")
        return kept | ({"logical": True} if self.logical else {})

    def decode(self, block: np.ndarray) -> Any:
        """Stored values -> cells."""
        if self.logical:
            return Masked(block == 1, block == self.nodata)
        if block.dtype.kind == "O":
            return _decoded_objects(block)
        if self.nodata is None or block.dtype.kind == "f":
            return block
        return Masked(block, block == self.nodata)

    def probe(self, shape: Sequence[int]) -> np.ndarray:
        """Stored values to try a child graph on: cells that have a value, so that no process has nothing to work on.

        What objects are cannot be known lazily; there all is null, which every process takes that may get nulls.
        """
        if self.dtype.kind == "O":
            return np.full(shape, None, dtype=object)
        if self.dtype.kind in "UT":
            return np.full(shape, A_TEXT, dtype=np.result_type(self.dtype, np.asarray(A_TEXT)))
        return np.full(shape, 2 if self.nodata == 1 else 1, dtype=self.dtype)

    def encode(self, values: Any, shape: tuple[int, ...]) -> np.ndarray:
        """Cells -> stored values of that shape."""
        if values is None:
            return np.full(shape, self.null, dtype=self.dtype)
        null: Any = np.False_
        if isinstance(values, Masked):
            values, null = values.data, values.null
        elif self.nodata is not None and np.asarray(values).dtype.kind == "f":
            null = np.isnan(values)
        return self.filled(values, null, shape)

    def filled(self, values: Any, null: Any, shape: tuple[int, ...]) -> np.ndarray:
        """Stored values of that shape, with what stands for null where `null` is true."""
        with np.errstate(invalid="ignore"):  # what lies under a null may be anything
            stored = np.broadcast_to(np.asarray(values), shape).astype(self.dtype)
        if np.any(
            null
        ):  # after the cast: np.where would wrap -2**31 to fit uint8 (test_null_of_small_integers)
            stored[np.broadcast_to(null, shape)] = self.null
        return stored

    @property
    def null(self) -> Any:
        """What stands for null."""
        if self.dtype.kind == "O":
            return None
        return np.nan if self.dtype.kind == "f" else self.nodata


def _decoded_objects(block: np.ndarray) -> Masked:
    """Texts and the like, with None or NaN for null."""
    return Masked(block, np.asarray(np.frompyfunc(lambda v: v is None or v != v, 1, 1)(block), dtype=bool))


def coding_for(result: Any, *sources: Coding) -> Coding:
    """How to store what a child graph gave for a probe."""
    data = result.data if isinstance(result, Masked) else result
    dtype = np.asarray(data if data is not None else np.nan).dtype
    if dtype.kind in "fO":
        return Coding(dtype)
    if dtype.kind in "UT":
        return Coding(np.dtype(object))
    if not isinstance(result, Masked):
        return Coding(dtype)
    if dtype.kind == "b":
        return Coding(np.dtype(np.uint8), LOGICAL_NODATA, logical=True)
    for source in sources:  # the same type: values were chosen, so that the old mark cannot have come up anew
        if source.nodata is not None and source.dtype == dtype:
            return Coding(dtype, source.nodata)
    if all(dtype.itemsize > source.dtype.itemsize for source in sources):  # widened, so that its end is free
        return Coding(dtype, int(np.iinfo(dtype).min))
    return roomy(dtype)


def roomy(dtype: Any) -> Coding:
    """An integer type with room for no-data beside every value: one step wider, its smallest value."""
    wide: Any = np.dtype(np.int32 if dtype.itemsize < 4 else np.int64)
    return Coding(wide, int(np.iinfo(wide).min))


def holds(dtype: np.dtype[Any], value: Any) -> bool:
    """Is this a whole number that an integer type has? What it has not can stand in none of its cells."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.number)):
        return False
    info: Any = np.iinfo(dtype)
    return bool(info.min <= value <= info.max and int(value) == value)


def with_null(coding: Coding) -> Coding:
    """A coding like this one that can hold no-data."""
    if coding.nodata is not None or coding.dtype.kind in "fO":
        return coding
    if coding.dtype.kind == "b":
        return Coding(np.dtype(np.uint8), LOGICAL_NODATA, logical=True)
    return roomy(coding.dtype)


def common(first: Coding, second: Coding) -> Coding:
    """A coding that holds the cells of both; what is no-data in one of them is no value of the other."""
    if (first.logical and second.logical) or first.dtype.kind == second.dtype.kind == "b":
        return first if first.logical else second
    if first.logical != second.logical and "b" in (first.dtype.kind, second.dtype.kind):
        return first if first.logical else second
    dtype = np.result_type(first.dtype, second.dtype)
    if dtype.kind in "fOb":
        return Coding(dtype)
    marks = [c.nodata for c in (first, second) if c.nodata is not None]
    free = [m for m in marks if all(m == c.nodata or not can_be(m, c) for c in (first, second))]
    if marks and not free and dtype.itemsize < 8:
        return roomy(dtype)
    # integers of 64 bits have no room for another mark: there the first one counts
    return Coding(dtype, next(iter(free or marks), None))


def can_be(value: int, coding: Coding) -> bool:
    """May a cell that has data be stored as this value?"""
    return value in (0, 1) if coding.logical or coding.dtype.kind == "b" else holds(coding.dtype, value)


def one_value(result: Any, ndim: int, parameter: str) -> Any:
    """What a child graph gave for a probe; refuses an array. `ndim` counts the axes that the cells have."""
    data = result.data if isinstance(result, Masked) else result
    if isinstance(result, (list, tuple, Labeled)) or np.ndim(data) > ndim:
        raise ProcessParameterInvalid(
            f"the {'child graph' if parameter == 'process' else parameter.replace('_', ' ')} gives an array "
            "where one value is needed",
            hint="Use apply_dimension, or take one element of the array.",
            parameter=parameter,
        )
    return result


def value_of_each(result: Any, ndim: int, parameter: str) -> Any:
    """What a child graph gave for single cells; refuses what is no value of each of them, nor the same for all."""
    data = result.data if isinstance(one_value(result, ndim, parameter), Masked) else result
    if not is_scalar(data) and np.ndim(data) < ndim:
        raise ProcessParameterInvalid(
            "the child graph makes one value of several cells, where each cell needs one of its own",
            hint="Use reduce_dimension for one value of many.",
            parameter=parameter,
        )
    return result


# ---------------------------------------------------------------------------------------------- blocks
def blockwise(
    fn: Callable[..., np.ndarray],
    out_dims: Sequence[str],
    *cubes: xr.DataArray,
    dtype: Any,
    sizes: Mapping[str, int] | None = None,
) -> Any:
    """Run `fn` on the blocks of cubes, matched by dimension names; gives an array with `out_dims`.

    Dimensions that `out_dims` lacks come whole into each call; those that `sizes` names are new or of a new
    length. Without dask arrays among the cubes, `fn` is called once, at once.
    """
    if not any(isinstance(c.data, da.Array) for c in cubes):
        return fn(*(c.data for c in cubes))
    new = dict(sizes or {})
    remembered = mapped(
        fn, out_dims, [c.data for c in cubes], [tuple(map(str, c.dims)) for c in cubes], new, dtype
    )
    if remembered is not None:
        return remembered
    args: list[Any] = []
    for cube in cubes:
        args += [cube.data, tuple(f"{d} before" if d in new else str(d) for d in cube.dims)]
    return da.blockwise(
        fn,
        tuple(out_dims),
        *args,
        new_axes=new,
        token=type(fn).__name__.lower(),
        dtype=dtype,
        meta=np.empty((0,) * len(out_dims), dtype=dtype),
        concatenate=True,
        align_arrays=True,
    )


def onto(block: np.ndarray, dims: Sequence[str], out_dims: Sequence[str]) -> np.ndarray:
    """A block with its axes in the order of `out_dims`, and of length 1 where it lacks one."""
    ordered = np.transpose(block, [list(dims).index(d) for d in out_dims if d in dims])
    return ordered[tuple(slice(None) if d in dims else None for d in out_dims)]


STORED = frozenset({"scale", "offset", "data_type", "bits_per_sample", "statistics", "histogram"})
"""What metadata of a band say of the numbers in its files."""


def computed(cube: xr.DataArray) -> xr.DataArray:
    """A cube whose numbers were computed: they mean themselves, and not what numbers in files of the source meant."""
    for dim in axes.of_kind(cube, "bands"):
        attrs = cube.coords[dim].attrs
        if "bands" in attrs:
            told = [{k: v for k, v in band.items() if k not in STORED} for band in attrs["bands"]]
            cube = cube.assign_coords({dim: cube.coords[dim].assign_attrs(bands=told)})
    return cube


def rebuilt(
    cube: xr.DataArray, data: Any, dims: Sequence[str], coding: Coding, /, **new_coords: Any
) -> xr.DataArray:
    """A cube like `cube` with other data: coordinates whose dimensions are still there are kept."""
    kept = labels_of(cube, lambda name, coord: name not in new_coords and set(coord.dims) <= set(dims))
    out = kept.cube(data, dims, coding.attrs(cube.attrs)).assign_coords(new_coords)
    out.name = cube.name
    return out
