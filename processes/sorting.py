"""The order of an array's elements.

Numbers go by their size and times by the instant they stand for; NaN, which has no size, comes behind all numbers in
either direction. Equal elements stay in the order they came in.
"""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np

from processes.elements import elements_of, taken, taken_by_cell
from processes.errors import ProcessParameterInvalid
from processes.instants import moment
from processes.registry import process
from processes.types import Elements, Schema
from processes.values import Masked, is_explicit, split

_SORTABLE = {
    "type": "array",
    "items": {
        "anyOf": [
            {"type": "number"},
            {"type": "null"},
            {"type": "string", "format": "date-time", "subtype": "date-time"},
            {"type": "string", "format": "date", "subtype": "date"},
        ]
    },
}
Sortable = Annotated[Any, Schema(_SORTABLE)]
"""Numbers or times along the first axis."""
Permutation = Annotated[Any, Schema({"type": "array", "items": {"type": "integer", "minimum": 0}})]
"""Places of elements along the first axis."""
NullsLast = Annotated[bool | None, Schema({"type": ["boolean", "null"]})]


@process("arrays", "sorting")
def order(data: Sortable, asc: bool = True, nodata: NullsLast = None) -> Permutation:
    """The places of an array's elements, in the order of the elements

    With it `rearrange()` sorts this array, or another one in the same way.

    Within a cube all arrays are of one length: there no-data is not removed but ends up as no-data at the end.

    Args:
        data: Numbers or times.
        asc: `false` puts the greatest first.
        nodata: What becomes of no-data: `null` removes it, `true` moves it to the end, `false` to the start.

    Returns:
        Places, counted from 0.
    """
    values, null = split(data)
    null = np.broadcast_to(null, values.shape)
    places = ranked(values, null, asc, nodata)
    if nodata is not None:
        return places
    if values.ndim == 1 and is_explicit(data):
        return places[: len(places) - int(null.sum())]
    if values.dtype.kind != "f" and not is_explicit(data):
        return places  # such cells have no nulls
    return Masked(
        places, np.arange(len(places)).reshape(-1, *(1,) * (null.ndim - 1)) >= np.sum(~null, axis=0)
    )


@process("arrays", "sorting")
def sort(data: Sortable, asc: bool = True, nodata: NullsLast = None) -> Sortable:
    """Sort an array

    Within a cube all arrays are of one length: there no-data is not removed but moved to the end.

    Args:
        data: Numbers or times.
        asc: `false` puts the greatest first.
        nodata: What becomes of no-data: `null` removes it, `true` moves it to the end, `false` to the start.

    Returns:
        The elements in order.
    """
    return rearrange(data, order(data, asc, nodata))


@process("arrays", "sorting")
def rearrange(data: Elements, order: Permutation) -> Elements:
    """Put the elements of an array at other places

    Labels go with their elements where the order is one for all cells.

    Args:
        data: An array.
        order: For each place of the result the place where its element comes from, counted from 0. Elements whose
            place is not named are left out.

    Returns:
        The elements in that order.
    """
    places, gone = split(order)
    places = places.astype(np.intp) if places.size else np.zeros(places.shape, dtype=np.intp)
    count = len(elements_of(data))
    if places.size and not (places.min() >= 0 and places.max() < count):
        raise ProcessParameterInvalid(
            f"the order names the places {places.min()} to {places.max()}; there are {count} elements, counted from 0",
            parameter="order",
        )
    if places.ndim == 1 and not np.any(gone):
        return taken(data, places.tolist())
    return taken_by_cell(data, places, gone)


# ---------------------------------------------------------------------------------------- how it is done
def ranked(values: np.ndarray, null: np.ndarray, asc: bool, nodata: bool | None) -> np.ndarray:
    """All places along the first axis: those of numbers in order, of NaN, of null."""
    if values.ndim == 0:
        raise ProcessParameterInvalid("an array is needed, there is a single value", parameter="data")
    keys = sizes(values, null)
    if not asc:
        keys = -keys if keys.dtype.kind == "f" else ~keys  # ~ reverses integers and never overflows
    group = np.zeros(keys.shape, dtype=np.int8)
    if keys.dtype.kind == "f":
        group[np.isnan(keys)] = 1
    group[null] = -1 if nodata is False else 2
    keys = np.where(group == 0, keys, keys.dtype.type(0))
    return np.lexsort((keys, group), axis=0)


def sizes(values: np.ndarray, null: np.ndarray) -> np.ndarray:
    """What to sort by: the numbers themselves, instants for times."""
    if values.dtype.kind in "iufb":
        return values
    keys = np.zeros(values.shape, dtype=np.int64)
    for place in zip(*np.nonzero(~null), strict=True):
        keys[place] = instant(values[place])
    return keys


def instant(value: Any) -> int:
    """The instant that a text stands for, in microseconds."""
    if isinstance(value, str):
        return moment(value, "data").instant // 1000
    raise ProcessParameterInvalid(
        f"{value!r} has no order among the others",
        hint="Sort either numbers, or dates and times as texts.",
        parameter="data",
    )
