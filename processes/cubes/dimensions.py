"""Dimensions of a cube: made, dropped, renamed, trimmed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import dask
import dask.array as da
import numpy as np
import xarray as xr

from processes.cubes import axes, labels
from processes.cubes.cells import Coding, blockwise
from processes.errors import (
    DimensionExists,
    DimensionLabelCountMismatch,
    LabelExists,
    LabelMismatch,
    LabelNotAvailable,
    LabelsNotEnumerated,
    ProcessParameterInvalid,
)
from processes.mixing import along
from processes.registry import process
from processes.types import Cube, DimensionName, Label, Schema
from processes.values import split

KINDS = ("bands", "geometry", "spatial", "temporal", "other")
"""Types of dimensions."""
Kind = Annotated[str, Schema({"type": "string", "enum": list(KINDS)})]
Labels = Annotated[Sequence[Any], Schema({"type": "array", "items": {"type": ["number", "string"]}})]
DistinctLabels = Annotated[
    Sequence[Any], Schema({"type": "array", "uniqueItems": True, "items": {"type": ["number", "string"]}})
]


@process("cubes")
def create_data_cube() -> Cube:
    """Make a cube without dimensions

    It has one cell, which has no data. Dimensions are added with `add_dimension()`.

    Returns:
        A cube without dimensions.
    """
    return xr.DataArray(np.array(np.nan))


@process("cubes")
def add_dimension(data: Cube, name: DimensionName, label: Label, type: Kind = "other") -> Cube:
    """Give a cube one dimension more

    The new dimension comes before all others and has a single label.

    Args:
        data: A cube.
        name: Name of the new dimension.
        label: Its label. Along time, a date or time of RFC 3339 is a moment in UTC, and any other text the label
            of a period; along geometries, it is a geometry as WKT or an identifier.
        type: What the dimension is. A spatial one takes the first of the axes x, y and z that is free.

    Returns:
        The cube with the dimension; all others stay as they are.

    Raises:
        DimensionExists: The cube has a dimension of that name, or one for each spatial axis.
    """
    data = with_free_name(data, name, "name")
    attrs: dict[str, Any] = {"type": type}
    if type == "spatial":
        attrs["axis"] = free_axis(data)
    elif type == "bands":
        attrs["bands"] = [{"name": label}]
    elif type == "geometry":
        attrs["crs"] = 4326
    return data.expand_dims(name).assign_coords({name: (name, labels.stored([label], type, "label"), attrs)})


def with_free_name(data: xr.DataArray, name: str, parameter: str) -> xr.DataArray:
    """The cube, in which that name is free for a dimension; what an earlier selection left under it goes."""
    if not name:
        raise ProcessParameterInvalid("a dimension needs a name, it is empty", parameter=parameter)
    if name in data.dims:
        raise DimensionExists(
            f"there is a dimension {name!r} already; the cube has {axes.listing(data)}", parameter=parameter
        )
    if name not in data.coords:
        return data
    if data.coords[name].ndim or name == "spatial_ref":
        raise DimensionExists(
            f"{name!r} is the name of a coordinate along {', '.join(map(str, data.coords[name].dims)) or 'nothing'}",
            hint="Choose another name.",
            parameter=parameter,
        )
    return data.drop_vars(name)


def free_axis(data: xr.DataArray) -> str:
    """The first spatial axis that no dimension takes."""
    for wanted in ("x", "y", "z"):
        if axes.axis(data, wanted) is None:
            return wanted
    raise DimensionExists(
        f"all spatial axes have a dimension; the cube has {axes.listing(data)}", parameter="type"
    )


@process("cubes", mixes=along(argument="name", gone=True))
def drop_dimension(data: Cube, name: DimensionName) -> Cube:
    """Give up a dimension that has a single label

    Args:
        data: A cube.
        name: Name of the dimension.

    Returns:
        The cube without the dimension; all others stay as they are.

    Raises:
        DimensionLabelCountMismatch: The dimension has more labels than one, or none.
        DimensionNotAvailable: `name` is not one of the cube's dimensions.
    """
    axes.require(data, name, "name")
    if data.sizes[name] != 1:
        raise DimensionLabelCountMismatch(
            f"dimension {name!r} has {data.sizes[name]} labels; one with a single label can be dropped",
            hint="Use reduce_dimension, or filter it to one label first.",
            parameter="name",
        )
    return data.isel({name: 0}, drop=True)


@process("cubes")
def rename_dimension(data: Cube, source: DimensionName, target: DimensionName) -> Cube:
    """Give a dimension another name

    Args:
        data: A cube.
        source: The name it has.
        target: The name it gets.

    Returns:
        The cube with the new name; type, labels and all else stay as they are.

    Raises:
        DimensionNotAvailable: `source` is not one of the cube's dimensions.
        DimensionExists: The cube has a dimension `target` already.
    """
    axes.require(data, source, "source")
    data = with_free_name(data, target, "target")
    known = data.coords[source].attrs if source in data.coords else {}
    attrs = {**axes.nature(data, source), **known}  # both may have been told from the name so far
    if source not in data.coords:
        data = data.assign_coords({source: np.arange(data.sizes[source])})
    renamed = data.rename({source: target})
    renamed.coords[target].attrs = attrs
    return renamed


@process("cubes")
def dimension_labels(data: Cube, dimension: DimensionName) -> Labels:
    """The labels of a dimension

    Args:
        data: A cube.
        dimension: Name of the dimension.

    Returns:
        The labels in their order; times as RFC 3339 in UTC, geometries as WKT.

    Raises:
        DimensionNotAvailable: `dimension` is not one of the cube's.
    """
    return list(labels.seen(data, axes.require(data, dimension)))


@process("cubes", mixes=along(argument="dimension"))
def rename_labels(
    data: Cube,
    dimension: DimensionName,
    target: DistinctLabels,
    source: DistinctLabels = [],  # noqa: B006 (never changed)
) -> Cube:
    """Give labels of a dimension other names

    The order of the labels and the data stay as they are.

    Args:
        data: A cube.
        dimension: Name of the dimension.
        target: The new labels. None of them may be a label of the dimension already.
        source: The old labels that the new ones stand for, in the same order. It may be left out where the
            dimension's labels are 0, 1, 2, ...; then the first of them are renamed.

    Returns:
        The cube with the new labels; all else stays as it is.

    Raises:
        LabelsNotEnumerated: `source` is empty and the labels are not 0, 1, 2, ...
        LabelMismatch: There are not as many labels in `source` as in `target`.
        LabelNotAvailable: A label of `source` is not one of the dimension's.
        LabelExists: A label of `target` is one of the dimension's already.
    """
    kind = axes.kind(data, axes.require(data, dimension))
    old = labels.seen(data, dimension)
    known = {labels.key(v, kind): i for i, v in reversed(list(enumerate(old)))}
    found = renamed_places(old, known, source, target, kind)
    for label in target:
        if labels.key(label, kind) in known:
            raise LabelExists(
                f"there is a label {label!r} along {dimension!r} already; {told(old)}",
                hint="To swap labels, give them names in between.",
                parameter="target",
            )
    for given, parameter in ((source, "source"), (target, "target")):
        if len({labels.key(v, kind) for v in given}) < len(given):
            raise ProcessParameterInvalid(
                f"a label stands twice in {parameter}: {list(given)}", parameter=parameter
            )
    new = list(old)
    for place, label in zip(found, target, strict=True):
        new[place] = label
    return labels.relabeled(data, dimension, labels.stored(new, kind, "target"), kind)


def renamed_places(
    old: Sequence[Any],
    known: Mapping[Any, int],
    source: Sequence[Any],
    target: Sequence[Any],
    kind: str,
) -> list[int]:
    """Where the labels are that the targets stand for."""
    if not source:
        if not all(type(v) in (int, float) and v == i for i, v in enumerate(old)):
            raise LabelsNotEnumerated(told(old), hint="Name the old labels in source.", parameter="source")
        if len(target) > len(old):
            raise mismatch(len(target), f"the dimension has {len(old)}")
        return list(range(len(target)))
    if len(source) != len(target):
        raise mismatch(len(target), f"source has {len(source)}")
    found = []
    for label in source:
        place = known.get(labels.key(label, kind))
        if place is None:
            raise LabelNotAvailable(f"there is no label {label!r}; {told(old)}", parameter="source")
        found.append(place)
    return found


def mismatch(new: int, old: str) -> LabelMismatch:
    """So many new labels for so many old ones."""
    return LabelMismatch(f"target has {new} labels and {old}", parameter="target")


def told(old: Sequence[Any]) -> str:
    """Labels in words."""
    more = f" and {len(old) - 20} more" if len(old) > 20 else ""
    return f"the labels are {', '.join(map(repr, old[:20]))}{more}" if old else "there are no labels"


# ---------------------------------------------------------------------------------------------- trimming
@process("cubes")
def trim_cube(data: Cube) -> Cube:
    """Leave out the labels that have no data at all

    Along dimensions of evenly spaced labels (space, regular time) labels go from both ends only, so that the
    spacing stays; along all others also in between. How many labels are left depends on the data: this is the
    one process that reads it when it is called, block by block, and keeps no more than a yes or no for each label.

    Args:
        data: A cube.

    Returns:
        The cube with fewer labels, or as many; all else stays as it is.
    """
    coding = Coding.of(data)
    if coding.nodata is None and coding.dtype.kind not in "fO":
        return data  # nothing in it can be no-data
    for dim, used in used_labels(data, coding).items():
        places = np.flatnonzero(used)
        if places.size and evenly_spaced(data, dim):
            used = np.arange(len(used)).clip(places[0], places[-1]) == np.arange(len(used))
        if not used.all():
            data = labels.kept(data, dim, used)
    return data


def used_labels(data: xr.DataArray, coding: Coding) -> dict[str, np.ndarray]:
    """For each dimension which of its labels have data; one pass over the blocks."""
    dims = tuple(map(str, data.dims))
    valid = blockwise(HasData(coding), dims, data, dtype=bool)
    found = [valid.any(axis=tuple(i for i in range(len(dims)) if i != axis)) for axis in range(len(dims))]
    if isinstance(valid, da.Array):
        found = list(dask.compute(*found))
    return dict(zip(dims, found, strict=True))


def evenly_spaced(data: xr.DataArray, dim: str) -> bool:
    """Would a gap between the labels spoil their spacing?"""
    if axes.kind(data, dim) == "spatial":
        return True
    values = data.coords[dim].values if dim in data.coords else np.arange(data.sizes[dim])
    if values.dtype.kind not in "iufM" or len(values) < 3:
        return False
    steps = np.diff(values).astype(float)
    return bool(np.allclose(steps, steps[0], rtol=1e-6, atol=0))


@dataclass(frozen=True)
class HasData:
    """Which cells have data, as a function of one stored block."""

    coding: Coding

    def __call__(self, block: np.ndarray) -> np.ndarray:
        return np.broadcast_to(~np.asarray(split(self.coding.decode(block))[1]), block.shape)
