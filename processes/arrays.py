"""Arrays: making them, joining them, taking an element out. The array is the first axis."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np

from processes.elements import element, elements_of, gathered, taken_by_cell
from processes.errors import (
    ArrayElementNotAvailable,
    ArrayElementParameterConflict,
    ArrayElementParameterMissing,
    ArrayLabelConflict,
    ArrayLengthMismatch,
    ArrayNotLabeled,
    LabelExists,
    ProcessParameterInvalid,
)
from processes.instants import read_moment
from processes.kinds import equal
from processes.registry import process
from processes.types import (
    UNSET,
    AnyValue,
    Comparable,
    Elements,
    Index,
    Joined,
    Label,
    LabeledArray,
    Repeat,
    Schema,
)
from processes.values import Labeled, Masked, is_scalar, length, split, values_of

AnyArray = Annotated[Any, Schema({"type": "array"})]
Labels = Annotated[
    Sequence[Any], Schema({"type": "array", "uniqueItems": True, "items": {"type": ["number", "string"]}})
]
"""Labels that are all different."""
LabelList = Annotated[Any, Schema({"type": "array", "items": {"type": ["number", "string"]}})]
NewLabel = Annotated[Any, Schema([{"type": "number"}, {"type": "string"}, {"type": "null"}])]
Count = Annotated[int, Schema({"type": "integer", "minimum": 0})]
FoundIndex = Annotated[Any, Schema([{"type": "null"}, {"type": "integer", "minimum": 0}])]
"""The place of an element, or null."""
Verdict = Annotated[Any, Schema({"type": "boolean"})]


@process("arrays")
def array_create(data: Elements = [], repeat: Repeat = 1) -> Elements:  # noqa: B006 (never changed)
    """Make an array of values

    Args:
        data: The values; each may be the result of another node.
        repeat: How many times the whole sequence is repeated.

    Returns:
        The array.
    """
    if repeat < 1:
        raise ProcessParameterInvalid(f"the values cannot be repeated {repeat} times", parameter="repeat")
    if isinstance(data, (list, tuple)):
        return [*data] * repeat
    return gathered(elements_of(data) * repeat, data)


@process("arrays", experimental=True)
def array_create_labeled(data: AnyValue, labels: Labels) -> LabeledArray:
    """Make an array of values with labels

    JSON has no such arrays: this is how a graph brings one along.

    Args:
        data: An array of values.
        labels: A label for each of them, all different.

    Returns:
        The array with its labels.

    Raises:
        ArrayLengthMismatch: There are more values than labels, or fewer.
    """
    if not isinstance(data, (list, tuple, Labeled, Masked, np.ndarray)):
        raise ProcessParameterInvalid(f"an array is needed, there is {data!r}", parameter="data")
    values, names = elements_of(data), elements_of(labels)
    if len(values) != len(names):
        raise ArrayLengthMismatch(
            f"there are {len(values)} values and {len(names)} labels", parameter="labels"
        )
    if twice := repeated(names):
        raise ProcessParameterInvalid(f"the labels {twice} are not unique", parameter="labels")
    return Labeled(gathered(values), tuple(names))


@process("arrays")
def array_append(data: Elements, value: AnyValue, label: NewLabel = None) -> Elements:
    """Put one more value at the end of an array

    Args:
        data: An array.
        value: The value.
        label: Label of the value, for arrays with labels; `null` takes the number of elements that there were.

    Returns:
        The array with the value at its end.

    Raises:
        LabelExists: The array has an element of that label.
        ArrayNotLabeled: A label is given and the array has none.
    """
    if not isinstance(data, Labeled):
        if label is not None:
            raise ArrayNotLabeled(
                f"the label {label!r} is given for an array without labels",
                hint="Leave the label out, or make the array with array_create_labeled.",
                parameter="label",
            )
        return [*data, value] if isinstance(data, (list, tuple)) else gathered([*elements_of(data), value])
    new = len(data.labels) if label is None else label
    if place_of(data, new) is not None:
        raise LabelExists(f"there is an element {new!r} among {available(data)}", parameter="label")
    return Labeled(gathered([*elements_of(data), value]), (*data.labels, new))


@process("arrays")
def array_concat(array1: Joined, array2: Joined) -> Elements:
    """Put one array behind another

    Labels are kept where both arrays have them; otherwise the result has none. A single value is taken as an array of
    one element.

    Args:
        array1: The array that comes first.
        array2: The array that comes after it.

    Returns:
        The elements of both.

    Raises:
        ArrayLabelConflict: A label stands in both arrays.
    """
    array1, array2 = (
        [a] if is_single(a, beside) else a for a, beside in ((array1, array2), (array2, array1))
    )
    if isinstance(array1, list) and isinstance(array2, list):
        return array1 + array2
    values = gathered(elements_of(array1) + elements_of(array2), array1)
    if not (isinstance(array1, Labeled) and isinstance(array2, Labeled)):
        return values
    check_labels(array1, array2, "array2")
    return Labeled(values, array1.labels + array2.labels)


def is_single(value: Any, beside: Any) -> bool:
    """Is it one value, for all cells or for each of them, and no array like what stands beside it?"""
    if is_scalar(value):
        return True
    return isinstance(value, (np.ndarray, Masked)) and depth_of(value) < depth_of(beside)


def depth_of(value: Any) -> int:
    """How many axes a value has: those of the cells, and one more where it is an array."""
    if isinstance(value, Labeled):
        return depth_of(value.values)
    if isinstance(value, (list, tuple)):
        return 1 + max((depth_of(v) for v in value if isinstance(v, (np.ndarray, Masked))), default=0)
    return 0 if is_scalar(value) else int(np.ndim(value.data if isinstance(value, Masked) else value))


@process("arrays", experimental=True)
def array_modify(data: Elements, values: Elements, index: Index, length: Count = 0) -> Elements:
    """Remove, insert or replace elements of an array

    First `length` elements are removed, then `values` are put in their place. Labels are kept where both arrays have
    them, or one has them and the other is empty; otherwise the result has none.

    Args:
        data: The array to change.
        values: What is put in; an empty array only removes.
        index: Place of the first element that is removed, and of the first one that is put in, counted from 0; the
            number of elements puts `values` at the end.
        length: How many elements are removed; where there are fewer, all up to the end.

    Returns:
        The changed array.

    Raises:
        ArrayElementNotAvailable: `index` is greater than the number of elements.
        ArrayLabelConflict: A label stands in both arrays.
    """
    old, new = elements_of(data), elements_of(values)
    if not 0 <= index <= len(old):
        raise ArrayElementNotAvailable(
            f"no place {index}; there are {len(old)} elements, counted from 0", parameter="index"
        )
    if length < 0:
        raise ProcessParameterInvalid(f"{length} elements cannot be removed", parameter="length")
    start, end = index, index + length
    mine = data.labels if isinstance(data, Labeled) else None
    theirs = values.labels if isinstance(values, Labeled) else None
    if mine is not None and theirs is not None:
        check_labels(data, values, "values")
    changed = old[:start] + new + old[end:]
    if isinstance(data, (list, tuple)) and isinstance(values, (list, tuple)):
        return changed
    result = gathered(changed, values if isinstance(data, (list, tuple)) else data)
    if (mine is None and old) or (theirs is None and new):
        return result
    known = mine or ()
    return Labeled(result, (*known[:start], *(theirs or ()), *known[end:]))


@process("arrays")
def array_labels(data: AnyArray) -> LabelList:
    """The labels of an array

    Args:
        data: An array.

    Returns:
        Its labels in order; 0, 1, 2, ... where it has none.
    """
    return list(data.labels) if isinstance(data, Labeled) else list(range(len(elements_of(data))))


# ------------------------------------------------------------------------------------------- looking up
@process("arrays", "reducer")
def array_element(
    data: Elements, index: Index = UNSET, label: Label = UNSET, return_nodata: bool = False
) -> AnyValue:
    """Take one element out of an array

    Say which one either by its index or by its label. Within a cube the index may differ from cell to cell: the result
    of `array_find()`, say. Where it is no-data, so is the element.

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
    by_label = label is not UNSET and label is not None
    by_index = index is not UNSET and (index is not None or label is UNSET)
    if not by_index and not by_label:
        raise ArrayElementParameterMissing(parameter="index")
    if by_index and by_label:
        raise ArrayElementParameterConflict(parameter="label")
    if np.ndim(split(index)[0]):
        return element_by_cell(data, index, return_nodata)
    place = index if by_index else place_of(data, label)
    if place is not None and 0 <= place < length(data):
        return element(values_of(data), place)
    if return_nodata:
        return nothing(data)
    raise ArrayElementNotAvailable(
        f"no element {index if by_index else repr(label)}; there are {available(data)}",
        parameter="index" if by_index else "label",
    )


@process("arrays", "reducer")
def array_find(data: Elements, value: AnyValue, reverse: bool = False) -> FoundIndex:
    """The place of a value in an array

    Values are compared as `eq()` does it: types count, and neither no-data nor NaN is ever found.

    Args:
        data: The array to look in.
        value: The value to look for. Arrays and objects are never found.
        reverse: `true` gives the last place where the value is, instead of the first one.

    Returns:
        The place, counted from 0; no-data where the value is not in the array.
    """
    found = matches(data, value)
    if not len(found):
        return None if found.ndim == 1 else Masked(np.zeros(found.shape[1:], np.int64), np.True_)
    place = len(found) - 1 - np.argmax(found[::-1], axis=0) if reverse else np.argmax(found, axis=0)
    missing = ~np.any(found, axis=0)
    if np.ndim(place) == 0:
        return None if missing else int(place)
    return Masked(place, missing)


@process("arrays", "comparison", "reducer")
def array_contains(data: Elements, value: Comparable) -> Verdict:
    """Is a value in an array?

    Values are compared as `eq()` does it: types count, and neither no-data nor NaN is ever found.

    Args:
        data: The array to look in.
        value: The value to look for.

    Returns:
        `true` where it is among the elements, else `false`.
    """
    return np.any(matches(data, value), axis=0)


@process("arrays", "reducer", experimental=True)
def array_find_label(data: Elements, label: Label) -> FoundIndex:
    """The place of a label in an array

    Args:
        data: The array to look in.
        label: The label to look for.

    Returns:
        The place, counted from 0; no-data where there is no such label, or where the array has none at all.
    """
    return place_of(data, label) if isinstance(data, Labeled) else None


# ---------------------------------------------------------------------------------------- how it is done
def matches(data: Any, value: Any) -> np.ndarray:
    """For each element, along the first axis: is it this value?"""
    if not isinstance(data, (list, tuple)):
        return np.asarray(same(values_of(data), value))
    found = [np.asarray(same(e, value)) for e in data]
    shape = np.broadcast_shapes(*(f.shape for f in found))
    return np.array([np.broadcast_to(f, shape) for f in found], dtype=bool).reshape(len(found), *shape)


def same(x: Any, value: Any) -> Any:
    """Are both the same value, and neither null nor an array?"""
    if any(isinstance(v, (list, tuple, Mapping, Labeled)) for v in (x, value)):
        return np.zeros(np.shape(split(x)[0]) if isinstance(x, (np.ndarray, Masked)) else (), dtype=bool)
    (a, no_a), (b, no_b) = split(x), split(value)
    return np.asarray(equal(a, b)) & ~np.asarray(no_a) & ~np.asarray(no_b)


def repeated(labels: Sequence[Any]) -> list[Any]:
    """Labels that come up more than once; `1` and `"1"` are two labels."""
    counts = Counter((isinstance(x, str), x) for x in labels)
    return [x for (_, x), n in counts.items() if n > 1]


def check_labels(one: Labeled, other: Labeled, parameter: str) -> None:
    """No label may stand in both arrays."""
    if twice := repeated([*dict.fromkeys(one.labels), *dict.fromkeys(other.labels)]):
        raise ArrayLabelConflict(f"in both arrays: {sorted(map(str, twice))}", parameter=parameter)


def place_of(data: Any, label: Any) -> int | None:
    """Where the element of that label is."""
    if not isinstance(data, Labeled):
        raise ArrayNotLabeled(f"there is no label {label!r} in an array without labels", parameter="label")
    same = (known == label and isinstance(known, str) is isinstance(label, str) for known in data.labels)
    found = next((i for i, it_is in enumerate(same) if it_is), None)
    return place_of_moment(data, label) if found is None else found


def place_of_moment(data: Labeled, label: Any) -> int | None:
    """Where the element of that time is: cubes hold times as such and do not know how their labels were written."""
    wanted = read_moment(label) if data.dims and isinstance(label, str) else None
    if wanted is None:
        return None
    times = [read_moment(known) if isinstance(known, str) else None for known in data.labels]
    return next((i for i, t in enumerate(times) if t is not None and t.instant == wanted.instant), None)


def element_by_cell(data: Any, index: Any, return_nodata: bool) -> Any:
    """The elements whose places differ from cell to cell."""
    places, gone = split(index)
    if np.any(~np.asarray(gone) & (places != np.floor(places))):
        raise ProcessParameterInvalid("the index has decimals", hint="Round it first.", parameter="index")
    count = length(data)
    beyond = ~np.asarray(gone) & ((places < 0) | (places >= count))
    if np.any(beyond) and not return_nodata:
        raise ArrayElementNotAvailable(
            f"no element {places[beyond][0]}; there are {available(data)}", parameter="index"
        )
    gone = np.broadcast_to(gone, places.shape) | beyond
    if count == 0:
        return nothing(data)
    return one_row(taken_by_cell(data, np.where(gone, 0, places).astype(np.intp)[None], gone[None]))


def one_row(values: Any) -> Any:
    """The one element of an array of one."""
    return Masked(values.data[0], values.null[0]) if isinstance(values, Masked) else values[0]


def available(data: Any) -> str:
    """What could be asked for instead."""
    if isinstance(data, Labeled):
        return ", ".join(map(repr, data.labels[:20]))
    return f"{length(data)} elements, counted from 0"


def nothing(data: Any) -> Any:
    """No-data in the shape and type of one element."""
    values = np.asarray(split(data)[0])
    shape = values.shape[1:]
    return Masked(np.zeros(shape, values.dtype), np.ones(shape, dtype=bool)) if shape else None
