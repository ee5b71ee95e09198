"""Arrays: making them, joining them, taking an element out. The array is the first axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from processes.errors import (
    ArrayElementNotAvailable,
    ArrayElementParameterConflict,
    ArrayElementParameterMissing,
    ArrayLabelConflict,
    ArrayNotLabeled,
)
from processes.registry import process
from processes.types import UNSET, AnyValue, Elements, Index, Label, Repeat
from processes.values import Labeled, Masked, length, values_of


@process("arrays")
def array_create(data: Elements = [], repeat: Repeat = 1) -> Elements:  # noqa: B006 (never changed)
    """Make an array of values

    Args:
        data: The values; each may be the result of another node.
        repeat: How many times the whole sequence is repeated.

    Returns:
        The array.
    """
    if isinstance(data, (list, tuple)) and repeat == 1:
        return data
    return joined([values_of(data)] * repeat)


@process("arrays")
def array_concat(array1: Elements, array2: Elements) -> Elements:
    """Put one array behind another

    Labels are kept where both arrays have them; otherwise the result has none.

    Args:
        array1: The array that comes first.
        array2: The array that comes after it.

    Returns:
        The elements of both.

    Raises:
        ArrayLabelConflict: A label stands in both arrays.
    """
    if isinstance(array1, list) and isinstance(array2, list):
        return array1 + array2
    values = joined([values_of(array1), values_of(array2)])
    if not (isinstance(array1, Labeled) and isinstance(array2, Labeled)):
        return values
    if twice := set(array1.labels) & set(array2.labels):
        raise ArrayLabelConflict(f"in both arrays: {sorted(map(str, twice))}", parameter="array2")
    return Labeled(values, array1.labels + array2.labels)


@process("arrays", "reducer")
def array_element(
    data: Elements, index: Index = UNSET, label: Label = UNSET, return_nodata: bool = False
) -> AnyValue:
    """Take one element out of an array

    Say which one either by its index or by its label.

    Args:
        data: An array.
        index: Position of the element, counted from 0.
        label: Label of the element, such as a band's name.
        return_nodata: `true` gives no-data where there is no such element, instead of an error.

    Returns:
        The element.

    Raises:
        ArrayElementNotAvailable: There is no such element, and `return_nodata` is `false`.
        ArrayElementParameterMissing: Neither `index` nor `label` is given.
        ArrayElementParameterConflict: Both `index` and `label` are given.
        ArrayNotLabeled: A label is asked for and the array has none.
    """
    if index is UNSET and label is UNSET:
        raise ArrayElementParameterMissing(parameter="index")
    if index is not UNSET and label is not UNSET:
        raise ArrayElementParameterConflict(parameter="label")
    place = place_of(data, label) if index is UNSET else index
    if place is not None and 0 <= place < length(data):
        values = values_of(data)
        return Masked(values.data[place], values.null[place]) if isinstance(values, Masked) else values[place]
    if return_nodata:
        return nothing(data)
    raise ArrayElementNotAvailable(
        f"no element {index if label is UNSET else repr(label)}; there are {available(data)}",
        parameter="index" if label is UNSET else "label",
    )


def place_of(data: Any, label: Any) -> int | None:
    """Where the element of that label is."""
    if not isinstance(data, Labeled):
        raise ArrayNotLabeled(f"there is no label {label!r} in an array without labels", parameter="label")
    found = (
        i
        for i, known in enumerate(data.labels)
        if known == label and isinstance(known, str) is isinstance(label, str)
    )
    return next(found, None)


def available(data: Any) -> str:
    """What could be asked for instead."""
    if isinstance(data, Labeled):
        return ", ".join(map(repr, data.labels[:20]))
    return f"{length(data)} elements, counted from 0"


def nothing(data: Any) -> Any:
    """No-data in the shape of one element."""
    values = values_of(data)
    shape = np.shape(values.data if isinstance(values, Masked) else values)[1:]
    return Masked(np.zeros(shape), np.ones(shape, dtype=bool)) if shape else None


def joined(parts: list[Any]) -> Any:
    """Arrays one behind the other, with their nulls; types that do not mix become objects."""
    parts = [p for p in parts if np.size(p.data if isinstance(p, Masked) else p)] or parts[:1]
    if any(isinstance(p, Masked) for p in parts):
        data, null = zip(*(masked(p) for p in parts), strict=True)
        return Masked(np.concatenate(data), np.concatenate(null))
    if len({p.dtype.kind in "iuf" for p in parts}) > 1:
        parts = [p.astype(object) for p in parts]
    return np.concatenate(parts)


def masked(part: Any) -> tuple[Any, Any]:
    """Values and nulls, both in full shape."""
    if isinstance(part, Masked):
        return part.data, np.broadcast_to(part.null, part.data.shape)
    return part, np.isnan(part) if part.dtype.kind == "f" else np.zeros(part.shape, dtype=bool)
