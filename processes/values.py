"""What the values of a graph are, and where null ends and NaN begins (ADR 2).

Three kinds of values meet in a process:

- **Python scalars** are JSON's: `None` is null, `nan` is a number that happens to be not-a-number.
- **Arrays of cells** (NumPy) come from cubes: a float NaN in them is no-data, that is null.
- **Masked** carries its nulls beside the data: integers and booleans with no-data, JSON arrays with null.

Inside a callback the first axis of an array is *the* array that openEO speaks of; the other axes are the cells
it is computed for, all at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Masked:
    """Values whose nulls are marked beside them; NaN in `data` is a NaN."""

    data: Any
    """NumPy array or scalar of any type."""
    null: Any
    """Booleans that broadcast to the shape of `data`; true where there is no value."""


@dataclass(frozen=True, slots=True)
class Labeled:
    """An array of openEO whose elements (along the first axis) have labels."""

    values: Any
    """NumPy array or `Masked`; the first axis is as long as `labels`."""
    labels: tuple[Any, ...]
    dims: tuple[str, ...] = ()
    """Names of all axes, the labels' first, where they come from a cube."""


Scalar = (bool, int, float, str, type(None))


def is_scalar(x: Any) -> bool:
    """Is this a value of JSON rather than an array of cells?"""
    return isinstance(x, Scalar) and not isinstance(x, np.generic)


def split(x: Any) -> tuple[Any, Any]:
    """The values and the mask of their nulls (`False` where none can be null)."""
    if x is None:
        return np.float64("nan"), np.True_
    if isinstance(x, Labeled):
        return split(x.values)
    if isinstance(x, Masked):
        return x.data, x.null
    if isinstance(x, (list, tuple)):
        return split(stack(x))
    if isinstance(x, (np.ndarray, np.generic)):
        if x.dtype.kind == "f":
            return x, np.isnan(x)
        if x.dtype.kind == "O":
            return x, np.frompyfunc(lambda v: v is None, 1, 1)(x).astype(bool)
    return x, np.False_


def nulls(x: Any) -> Any:
    """Where `x` has no value."""
    return split(x)[1]


def join(values: Any, null: Any, *inputs: Any) -> Any:
    """Put values and nulls together again, in the manner of the inputs they were computed from.

    Cells of floats take NaN for null; everything else becomes `Masked` where something may be null.
    """
    if null is np.False_ or null is False:
        return values
    if any(is_explicit(x) for x in inputs) or np.asarray(values).dtype.kind != "f":
        return Masked(values, null)
    return np.where(null, np.asarray(values).dtype.type("nan"), values)


def is_explicit(x: Any) -> bool:
    """Does `x` keep its nulls apart from NaN?"""
    if isinstance(x, Labeled):
        return is_explicit(x.values)
    return isinstance(x, (Masked, list, tuple)) or is_scalar(x)


def values_of(x: Any) -> Any:
    """An array argument without its labels: NumPy array or `Masked`."""
    if isinstance(x, Labeled):
        return x.values
    return stack(x) if isinstance(x, (list, tuple)) else x


def length(x: Any) -> int:
    """How many elements an array argument has."""
    data = values_of(x)
    return len(data.data if isinstance(data, Masked) else data)


def stack(elements: Sequence[Any]) -> Any:
    """A list of scalars or of arrays of cells becomes one array, along a new first axis.

    Lists and objects of JSON stay elements, whole: `first([[1, 2], [3]])` is `[1, 2]`.
    """
    if all(is_scalar(e) for e in elements):
        return _json_array(elements)
    if any(map(is_container, elements)):
        return boxes(elements)
    parts = [split(e) for e in elements]
    shape = np.broadcast_shapes(*(np.shape(v) for v, _ in parts))
    dtype = object if mixed({np.asarray(v).dtype.kind for v, _ in parts}) else None
    data = np.stack([np.broadcast_to(np.asarray(v, dtype=dtype), shape) for v, _ in parts])
    if all(is_plain(e) for e in elements):
        return data
    return Masked(data, np.stack([np.broadcast_to(n, shape) for _, n in parts]))


def is_plain(x: Any) -> bool:
    """Cells or a number that need no mask beside them."""
    return isinstance(x, (np.ndarray, np.generic)) or (isinstance(x, (bool, int, float)) and x == x)


def mixed(kinds: set[str]) -> bool:
    """Are booleans, numbers and texts mixed here, so that NumPy would turn one into the other?"""
    families = {"b": "boolean", "i": "number", "u": "number", "f": "number"}
    return len({families.get(k, "other") for k in kinds}) > 1


def within_64_bits(x: int) -> int | float:
    """An integer as it is, or as a float where no integer of 64 bits holds it: JSON sets no limits."""
    if -(2**63) <= x < 2**63:
        return x
    return float(x) if abs(x) < 2**1023 else float("inf") * (1 if x > 0 else -1)


def is_container(x: Any) -> bool:
    """Is this an array or an object of JSON, rather than a value or cells?"""
    return isinstance(x, (list, tuple, Mapping, Labeled))


def boxes(elements: Sequence[Any]) -> np.ndarray:
    """An array of objects, one for each element whatever it is."""
    array = np.empty(len(elements), dtype=object)
    for i, e in enumerate(elements):  # one by one: NumPy would take lists of one length for more axes
        array[i] = e
    return array


def _json_array(elements: Sequence[Any]) -> Any:
    """A JSON array: integers, numbers and booleans as such, anything else as objects."""
    given = [e for e in elements if e is not None]
    families = {
        bool if isinstance(e, bool) else float if isinstance(e, (int, float)) else object for e in given
    }
    null = np.array([e is None for e in elements], dtype=bool)
    if len(families) > 1 or families == {object}:
        return boxes(elements)
    if families == {bool}:
        data = np.array([bool(e) for e in elements])
    elif all(isinstance(e, int) and abs(e) < 2**62 for e in given) and given:
        data = np.array([0 if e is None else e for e in elements], dtype=np.int64)
    else:
        numbers = [within_64_bits(e) if isinstance(e, int) else e for e in elements]
        data = np.array([np.nan if e is None else e for e in numbers], dtype=np.float64)
    if null.any() or data.dtype.kind == "f":
        return Masked(data, null)
    return data


def plain(x: Any) -> Any:
    """What leaves the corridor as JSON: scalars and lists of Python, null as `None`."""
    if isinstance(x, Labeled):
        return Labeled(plain(x.values), x.labels)
    if isinstance(x, Masked):
        data, null = np.broadcast_arrays(np.asarray(x.data), np.asarray(x.null))
        if data.ndim == 0:
            return None if null else plain(data[()])
        masked = data.astype(object)
        masked[null] = None
        return plain(masked)
    if isinstance(x, np.ndarray):
        return plain(x[()]) if x.ndim == 0 else [plain(e) for e in x.tolist()]
    if isinstance(x, np.generic):
        return x.item()
    if isinstance(x, (list, tuple)):
        return [plain(e) for e in x]
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items()}
    return within_64_bits(x) if isinstance(x, int) and not isinstance(x, bool) else x
