"""Masks: cells that are taken out of a cube."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from processes.cubes import axes, places, resample
from processes.cubes.cells import Coding, blockwise, onto, rebuilt, with_null
from processes.errors import IncompatibleDataCubes, ProcessParameterInvalid
from processes.mixing import nothing
from processes.registry import process
from processes.types import Comparable, RasterCube
from processes.values import split


@process("cubes", "masks", mixes=nothing.over("data", "mask"))
def mask(data: RasterCube, mask: RasterCube, replacement: Comparable = None) -> RasterCube:
    """Take out the cells that a mask marks

    A cell is taken out where the mask is not zero (numbers) or true (booleans); where the mask itself has no-data
    the cell stays. The mask is put onto the grid of the data where they differ, by nearest neighbour; where it
    lacks a dimension it counts for each label of it.

    Args:
        data: A raster cube.
        mask: A raster cube that marks what is to be taken out.
        replacement: What the cells become; `null` stands for no-data.

    Returns:
        The cube with the same dimensions and labels.

    Raises:
        IncompatibleDataCubes: The mask has a dimension or labels that the data has not.
    """
    return replaced(data, aligned(data, mask), replacement)


def replaced(data: xr.DataArray, marks: xr.DataArray, replacement: Any, gaps: bool = True) -> xr.DataArray:
    """The cube with a value, or no-data, in the marked cells; `gaps` tells whether no-data is replaced, too."""
    before = Coding.of(data)
    after = with_null(before) if replacement is None else holding(before, replacement)
    dims = tuple(map(str, data.dims))
    run = Masking(dims, tuple(map(str, marks.dims)), before, Coding.of(marks), after, replacement, gaps)
    return rebuilt(data, blockwise(run, dims, data, marks, dtype=after.dtype), dims, after)


def holding(coding: Coding, replacement: Any) -> Coding:
    """A coding of the cells that can hold the replacement, too."""
    if coding.dtype.kind == "O":
        return coding
    of_booleans = coding.logical or coding.dtype.kind == "b"
    if isinstance(replacement, str) or isinstance(replacement, bool) != of_booleans:
        raise ProcessParameterInvalid(
            f"{replacement!r} does not go with cells of type {'boolean' if of_booleans else coding.dtype}",
            hint=f"Give {'true or false' if of_booleans else 'a number'}, or null for no-data.",
            parameter="replacement",
        )
    if of_booleans:
        return coding
    if coding.dtype.kind == "f":
        return Coding(np.result_type(coding.dtype, np.min_scalar_type(float(replacement))))
    if isinstance(replacement, float) and not replacement.is_integer():
        return Coding(np.dtype(np.float32 if coding.dtype.itemsize <= 2 else np.float64))
    whole = int(replacement)
    if not -(2**63) <= whole < 2**64:
        return Coding(np.dtype(np.float64))
    dtype = np.result_type(coding.dtype, np.min_scalar_type(whole))
    if dtype.kind == "f":  # signed and unsigned ones of 64 bits
        dtype = np.dtype(np.int64 if whole < 2**63 else np.float64)
    return Coding(dtype, coding.nodata if dtype.kind in "iu" else None)


def aligned(data: xr.DataArray, mask: xr.DataArray) -> xr.DataArray:
    """The mask on the grid of the data and with its labels."""
    y, x = axes.plane(data)
    mask_y, mask_x = axes.axis(mask, "y"), axes.axis(mask, "x")
    if mask_y is None or mask_x is None:
        raise IncompatibleDataCubes(
            f"the mask has no spatial dimensions x and y; it has {axes.listing(mask)}",
            hint="Use filter_labels, or give a mask that has x and y.",
            parameter="mask",
        )
    mask = mask.rename({a: b for a, b in ((mask_y, y), (mask_x, x)) if a != b})
    if extra := [d for d in mask.dims if d not in data.dims]:
        raise IncompatibleDataCubes(
            f"the mask has the dimension {extra[0]!r}, which the data has not ({axes.listing(data)})",
            hint="Reduce it, or filter it to one label and drop it.",
            parameter="mask",
        )
    for dim in (d for d in mask.dims if d not in (y, x)):
        if axes.kind(mask, dim) != axes.kind(data, dim):
            raise IncompatibleDataCubes(
                f"dimension {dim!r} is of type {axes.kind(mask, dim)} in the mask and {axes.kind(data, dim)} in the data",
                parameter="mask",
            )
        if axes.labels(mask, str(dim)) != axes.labels(data, str(dim)):
            raise IncompatibleDataCubes(
                f"mask and data have different labels along {dim!r}: {mask.sizes[dim]} and {data.sizes[dim]}",
                parameter="mask",
            )
    if all(np.array_equal(mask.coords[d].values, data.coords[d].values) for d in (y, x)):
        return mask
    if places.same_grid(data, mask) and covers(mask, data, (y, x)):
        return mask.sel({x: data.coords[x].values, y: data.coords[y].values}, method="nearest")
    return resample.onto_grid(mask, places.grid(data))


def covers(mask: xr.DataArray, data: xr.DataArray, dims: tuple[str, str]) -> bool:
    """Does a mask on the same lattice reach as far as the data?"""
    for dim in dims:
        mine, theirs = mask.coords[dim].values, data.coords[dim].values
        if not len(theirs):
            continue
        if not len(mine) or max(len(mine), len(theirs)) < 2:
            return False
        slack = abs(places.spacing(mine if len(mine) > 1 else theirs, dim)) / 2
        if theirs.min() < mine.min() - slack or theirs.max() > mine.max() + slack:
            return False
    return True


@dataclass(frozen=True)
class Masking:
    """Masking, as a function of one stored block of data and one of the mask."""

    dims: tuple[str, ...]
    mask_dims: tuple[str, ...]
    before: Coding
    mask_coding: Coding
    after: Coding
    replacement: Any
    gaps: bool = True
    """Are cells that have no data replaced, too?"""

    def __call__(self, block: np.ndarray, mask_block: np.ndarray) -> np.ndarray:
        marks, unknown = split(self.mask_coding.decode(mask_block))
        if marks.dtype.kind == "O":
            marks = np.frompyfunc(marked, 1, 1)(marks).astype(bool)
        out = np.logical_and(marks != 0, ~np.asarray(unknown))
        out = onto(np.broadcast_to(out, mask_block.shape), self.mask_dims, self.dims)
        if not self.gaps:
            out = np.logical_and(out, ~np.broadcast_to(split(self.before.decode(block))[1], block.shape))
        kept = block
        if self.before != self.after:
            kept = self.after.encode(self.before.decode(block), block.shape)
        value = self.after.null if self.replacement is None else self.replacement
        return np.where(out, np.asarray(value).astype(self.after.dtype), kept)


def marked(value: Any) -> bool:
    """Is this a number that is not zero, or true? Texts mark nothing."""
    return isinstance(value, (bool, int, float, np.bool_, np.number)) and value != 0
