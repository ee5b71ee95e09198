"""The elements of an array, one by one, and arrays made of elements.

An array may be a list of JSON, or NumPy's with elements along the first axis. What the elements are stays what it
was: values of JSON, or values for a block of cells.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from processes.errors import ProcessParameterInvalid
from processes.values import (
    Labeled,
    Masked,
    boxes,
    is_container,
    is_explicit,
    is_scalar,
    split,
    stack,
    values_of,
)


def elements_of(data: Any) -> list[Any]:
    """The elements of an array argument, in order."""
    if isinstance(data, Labeled):
        return elements_of(data.values)
    if isinstance(data, (list, tuple)):
        return list(data)
    return [element(data, i) for i in range(len(data.data if isinstance(data, Masked) else data))]


def element(values: Any, place: int) -> Any:
    """One element: a value of JSON where the array was one of JSON, else a value for each cell."""
    if not isinstance(values, Masked):
        value = values[place]
        # As JSON's, since these types stay the same: integers of Python do not wrap around.
        return value.item() if isinstance(value, (np.int64, np.bool_)) else value
    null = np.broadcast_to(values.null, values.data.shape)[place]
    value = values.data[place]
    if null.ndim:
        return Masked(value, null)
    return None if null else value.item() if isinstance(value, np.generic) else value


def taken(data: Any, places: Sequence[int]) -> Any:
    """The elements at these places, in this order, with their labels."""
    if isinstance(data, Labeled):
        return Labeled(taken(data.values, places), tuple(data.labels[i] for i in places))
    if isinstance(data, (list, tuple)):
        return [data[i] for i in places]
    index = np.asarray(places, dtype=np.intp)
    if isinstance(data, Masked):
        return Masked(data.data[index], np.broadcast_to(data.null, data.data.shape)[index])
    return data[index]


def gathered(elements: Sequence[Any], like: Any = None) -> Any:
    """An array of these elements, along a new first axis.

    Numbers and nulls of JSON among cells take a type in which those of the cells survive. Where there are no elements
    the array is as wide as `like`.
    """
    if not elements and like is not None and not isinstance(like, (list, tuple)):
        return taken(like.values if isinstance(like, Labeled) else like, [])
    if any(map(is_container, elements)):
        return boxes(elements)
    return stack(fitted(elements))


def fitted(elements: Sequence[Any]) -> list[Any]:
    """Values of JSON brought to the type of the cells that stand beside them."""
    cells = [e for e in elements if not is_scalar(e)]
    types = {np.asarray(split(c)[0]).dtype for c in cells}
    if not types or any(t.kind not in "iuf" for t in types):
        return list(elements)
    target = np.result_type(*types)
    nullable = any(isinstance(c, Masked) for c in cells)
    return [fitting(e, target, nullable) if is_scalar(e) else e for e in elements]


def fitting(value: Any, target: np.dtype[Any], nullable: bool) -> Any:
    """A number or null of JSON in the type of cells that it joins.

    Where integers have a no-data value among them, a constant may happen to equal it. So it comes in the next wider
    type, in which another no-data value will be found.
    """
    if value is None:
        return Masked(np.zeros((), dtype=target), np.True_)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:
        return value
    if target.kind == "f":
        return target.type(value)
    if isinstance(value, float):
        return value
    widths: list[np.dtype[Any]] = [np.dtype(np.int32), np.dtype(np.int64)]
    for choice in [w for w in widths if w.itemsize > target.itemsize] if nullable else [target, *widths]:
        if np.iinfo(choice).min <= value <= np.iinfo(choice).max:
            return choice.type(value)
    return value


def taken_by_cell(data: Any, places: np.ndarray, gone: Any) -> Any:
    """The elements at places that differ from cell to cell; null where `gone` says so."""
    cells = np.broadcast_shapes(cell_shape(data), places.shape[1:])
    values = values_of(data) if not isinstance(data, (list, tuple)) else gathered(data)
    values = spread(values, len(elements_of(data)), cells)
    index = np.broadcast_to(places, (len(places), *cells))
    cell_values, null = split(values)
    chosen = np.take_along_axis(cell_values, index, axis=0)
    if not np.ndim(null) and not np.ndim(gone) and not null and not gone:
        return chosen
    nowhere = np.broadcast_to(gone, index.shape)
    if np.ndim(null):
        nowhere = nowhere | np.take_along_axis(null, index, axis=0)
    if chosen.dtype.kind == "f" and not is_explicit(data):
        return np.where(nowhere, np.nan, chosen).astype(chosen.dtype)
    return Masked(chosen, nowhere)


def spread(values: Any, count: int, cells: tuple[int, ...]) -> Any:
    """An array of `count` elements in full shape: each has a value for each of the cells."""
    if isinstance(values, Masked):
        null = np.broadcast_to(values.null, np.shape(values.data))
        return Masked(spread(values.data, count, cells), spread(null, count, cells))
    missing = 1 + len(cells) - np.ndim(values)
    return np.broadcast_to(values.reshape(values.shape + (1,) * missing), (count, *cells))


def cell_shape(data: Any) -> tuple[int, ...]:
    """The shape of the cells for which an array stands; none for arrays of JSON."""
    if isinstance(data, Labeled):
        return cell_shape(data.values)
    if isinstance(data, (list, tuple)):
        shapes = [np.shape(split(e)[0]) for e in data if isinstance(e, (np.ndarray, Masked))]
        return tuple(np.broadcast_shapes(*shapes)) if shapes else ()
    return tuple(np.shape(data.data if isinstance(data, Masked) else data)[1:])


def each(fn: Callable[..., Any], *texts: Any, dtype: Any) -> Any:
    """What `fn` makes of texts, one by one; null where one of them is null or `fn` gives null."""
    if all(is_scalar(t) for t in texts):
        return None if None in texts else fn(*map(_text, texts))
    parts = [split(t) for t in texts]
    shape = np.broadcast_shapes(*(np.shape(v) for v, _ in parts))
    values = [np.broadcast_to(np.asarray(v, dtype=object), shape) for v, _ in parts]
    null = np.zeros(shape, dtype=bool)
    for _, n in parts:
        null = null | n
    out = np.zeros(shape, dtype=dtype)
    for place in zip(*np.nonzero(~null), strict=True):
        result = fn(*(_text(v[place]) for v in values))
        if result is None:
            null[place] = True
        else:
            out[place] = result
    return Masked(out, null)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise ProcessParameterInvalid(f"a text is needed, there is {value!r}")
