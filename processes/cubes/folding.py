"""Several dimensions become one, and one several."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import Annotated, Any

import numpy as np
import xarray as xr

from processes.cubes import axes, labels
from processes.cubes.cells import Coding, rebuilt
from processes.errors import ProcessParameterInvalid, TargetDimensionExists
from processes.registry import process
from processes.types import Cube, DimensionName, Schema

MAX_LABELS = 5_000_000
"""A flattened dimension has a text for each label: a whole scene would need 10 GB for them."""

_NAMES: dict[str, Any] = {"type": "array", "uniqueItems": True}
DimensionNames = Annotated[Sequence[str], Schema({**_NAMES, "items": {"type": "string"}})]
SeveralNames = Annotated[Sequence[str], Schema({**_NAMES, "minItems": 2, "items": {"type": "string"}})]
Separator = Annotated[str, Schema({"type": "string", "minLength": 1})]


@process("cubes", experimental=True)
def flatten_dimensions(
    data: Cube, dimensions: DimensionNames, target_dimension: DimensionName, label_separator: Separator = "~"
) -> Cube:
    """Make one dimension of several

    The new dimension has a label for each combination of labels, joined by the separator; those of the last
    dimension vary fastest. It stands where the first of the old dimensions stood.

    Args:
        data: A cube.
        dimensions: Names of the dimensions, in the order in which their labels are joined.
        target_dimension: Name of the new dimension, which is of type `other`.
        label_separator: Text between the labels. It should be in none of them, if they are to be taken apart
            again by `unflatten_dimension()`.

    Returns:
        The cube in its new shape; all other dimensions stay as they are.

    Raises:
        DimensionNotAvailable: One of `dimensions` is not one of the cube's.
        TargetDimensionExists: The cube has a dimension `target_dimension` already.
    """
    count = combinations(data, dimensions)
    require_separator(label_separator)
    require_free(data, [target_dimension], "target_dimension")
    joined = [
        label_separator.join(map(str, combined))
        for combined in product(*(labels.seen(data, d) for d in dimensions))
    ]
    dims = tuple(map(str, data.dims))
    place = min(map(dims.index, dimensions))
    before = [d for d in dims[:place] if d not in dimensions]
    after = [d for d in dims[place:] if d not in dimensions]
    ordered = data.transpose(*before, *dimensions, *after)
    shape = [data.sizes[d] for d in before] + [count] + [data.sizes[d] for d in after]
    values = np.array(joined, dtype=np.str_)
    return rebuilt(
        data.drop_vars(target_dimension, errors="ignore"),
        ordered.data.reshape(shape),
        (*before, target_dimension, *after),
        Coding.of(data),
        **{target_dimension: (target_dimension, values, {"type": "other"})},
    )


def combinations(data: xr.DataArray, dimensions: Sequence[str]) -> int:
    """How many combinations of labels there are; refuses dimensions that cannot be flattened."""
    distinct(dimensions, "dimensions")
    for name in dimensions:
        axes.require(data, name, "dimensions")
    count = math.prod(data.sizes[d] for d in dimensions)
    if dimensions and count <= MAX_LABELS:
        return count
    raise ProcessParameterInvalid(
        f"{len(dimensions)} dimensions with {count} combinations of labels are to be flattened; "
        f"at least one dimension and at most {MAX_LABELS} labels will do",
        hint="Filter or aggregate the cube first." if dimensions else None,
        parameter="dimensions",
    )


@process("cubes", experimental=True)
def unflatten_dimension(
    data: Cube, dimension: DimensionName, target_dimensions: SeveralNames, label_separator: Separator = "~"
) -> Cube:
    """Make several dimensions of one

    Each label is taken apart at the separator, into one part for each new dimension. Every combination of the
    parts has to be there once. The parts come in the order in which they are met first.

    Args:
        data: A cube.
        dimension: Name of the dimension.
        target_dimensions: Names of the new dimensions, in the order of the parts of a label; they are of type
            `other` and stand where the old one stood.
        label_separator: Text between the parts of a label.

    Returns:
        The cube in its new shape; all other dimensions stay as they are.

    Raises:
        DimensionNotAvailable: `dimension` is not one of the cube's.
        TargetDimensionExists: The cube has one of `target_dimensions` already.
    """
    distinct(target_dimensions, "target_dimensions")
    require_separator(label_separator)
    axes.require(data, dimension)
    require_free(data, target_dimensions, "target_dimensions")
    parts = taken_apart(labels.seen(data, dimension), len(target_dimensions), label_separator)
    firsts = [
        {part: i for i, part in enumerate(dict.fromkeys(column))} for column in zip(*parts, strict=True)
    ]
    firsts = firsts or [{} for _ in target_dimensions]
    order = arrangement(parts, firsts, label_separator)
    if not np.array_equal(order, np.arange(len(order))):
        data = data.isel({dimension: order})
    dims: list[str] = []
    shape: list[int] = []
    for dim in map(str, data.dims):
        dims += target_dimensions if dim == dimension else [dim]
        shape += [len(f) for f in firsts] if dim == dimension else [data.sizes[dim]]
    coords = {
        name: (name, np.array(list(first), dtype=np.str_), {"type": "other"})
        for name, first in zip(target_dimensions, firsts, strict=True)
    }
    bare = data.drop_vars(target_dimensions, errors="ignore")
    return rebuilt(bare, data.data.reshape(shape), dims, Coding.of(data), **coords)


def taken_apart(old: Sequence[Any], count: int, separator: str) -> list[list[str]]:
    """The parts of each label."""
    parts = [str(label).split(separator) for label in old]
    for label, found in zip(old, parts, strict=True):
        if len(found) != count:
            raise ProcessParameterInvalid(
                f"the label {label!r} has {len(found)} parts around {separator!r}, there are {count} target_dimensions",
                parameter="target_dimensions",
            )
    return parts


def arrangement(parts: list[list[str]], firsts: list[dict[str, int]], separator: str) -> np.ndarray:
    """For each combination of parts, the last varying fastest, where its label is."""
    where = {tuple(label): place for place, label in enumerate(parts)}
    wanted = math.prod(map(len, firsts))
    if len(where) < len(parts):
        twice = next(label for place, label in enumerate(parts) if where[tuple(label)] != place)
        raise ProcessParameterInvalid(
            f"the label {separator.join(twice)!r} is there twice", parameter="dimension"
        )
    if len(where) < wanted:
        lacking = next(c for c in product(*firsts) if c not in where)
        raise ProcessParameterInvalid(
            f"there is no label {separator.join(lacking)!r}; of {wanted} combinations {len(parts)} are there",
            hint="Every combination of the parts of the labels has to be there once.",
            parameter="dimension",
        )
    return np.array([where[c] for c in product(*firsts)], dtype=int)


def distinct(names: Sequence[str], parameter: str) -> None:
    """Refuse a name that stands there twice."""
    if len(set(names)) < len(names):
        raise ProcessParameterInvalid(f"a name stands there twice: {list(names)}", parameter=parameter)


def require_separator(text: str) -> None:
    """Refuse an empty separator."""
    if not text:
        raise ProcessParameterInvalid(
            "the separator is empty, it has to have at least one character", parameter="label_separator"
        )


def require_free(data: xr.DataArray, names: Sequence[str], parameter: str) -> None:
    """Refuse names that are taken; what an earlier selection left under them does not count."""
    for name in names:
        if name in data.dims or name == "spatial_ref" or (name in data.coords and data.coords[name].ndim):
            raise TargetDimensionExists(
                f"the name {name!r} is taken; the cube has {axes.listing(data)}", parameter=parameter
            )
