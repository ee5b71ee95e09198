"""Arrays run through a child graph, element by element, and gaps in them filled.

The elements are taken one after the other, each for a whole block of cells; the child graph sees the value, its place
and its label as values of their own.
"""

from __future__ import annotations

from typing import Annotated, Any, Protocol

import numpy as np

from processes.elements import cell_shape, elements_of, gathered, spread, taken
from processes.errors import ProcessParameterInvalid
from processes.instants import read_moment
from processes.kinds import is_cells, numbers, truth, valid
from processes.registry import process
from processes.types import AnyValue, Elements, Index, Numbers, Schema
from processes.values import Labeled, Masked, join
from processes.widths import floating

OptionalLabel = Annotated[Any, Schema([{"type": "number"}, {"type": "string"}, {"type": "null"}])]
_BOOLEAN = Annotated[bool, Schema({"type": "boolean"})]


class ElementMapper(Protocol):
    """Computes a new value for each element of an array."""

    def __call__(
        self, x: AnyValue, index: Index, label: OptionalLabel = None, context: AnyValue = None
    ) -> AnyValue:
        """The new value.

        Args:
            x: The element.
            index: Its place, counted from 0.
            label: Its label; `null` where the array has none.
            context: What the caller passed along.
        """
        ...


class ElementFilter(Protocol):
    """Says of each element of an array whether it is kept."""

    def __call__(
        self, x: AnyValue, index: Index, label: OptionalLabel = None, context: AnyValue = None
    ) -> _BOOLEAN:
        """`true` for elements that are kept.

        Args:
            x: The element.
            index: Its place, counted from 0.
            label: Its label; `null` where the array has none.
            context: What the caller passed along.
        """
        ...


class ElementCondition(Protocol):
    """Says of each element of an array whether it counts."""

    def __call__(self, x: AnyValue, context: AnyValue = None) -> _BOOLEAN:
        """`true` for elements that count.

        Args:
            x: The element.
            context: What the caller passed along.
        """
        ...


CountCondition = Annotated[
    Any, Schema([ElementCondition, {"type": "boolean", "const": True}, {"type": "null"}])
]
"""A child graph, `true` for all elements, or null for the valid ones."""


@process("arrays")
def array_apply(data: Elements, process: ElementMapper, context: AnyValue = None) -> Elements:
    """Compute a new value for each element of an array

    Args:
        data: An array.
        process: What is done with each element.
        context: Passed on to the child graph.

    Returns:
        The new values, as many as there were, with the labels of the old ones.
    """
    results = [
        process(x, index=i, label=label, context=context)
        for i, (x, label) in enumerate(zip(elements_of(data), labels_of(data), strict=True))
    ]
    if isinstance(data, (list, tuple)):
        return results
    cells = cell_shape(data)
    values = gathered(results, data)
    if np.ndim(values.data if isinstance(values, Masked) else values) > 1 + len(cells):
        raise ProcessParameterInvalid(
            "the child graph gives an array for each element where one value is needed", parameter="process"
        )
    values = spread(values, len(results), cells)
    return Labeled(values, data.labels) if isinstance(data, Labeled) else values


@process("arrays", "filter")
def array_filter(data: Elements, condition: ElementFilter, context: AnyValue = None) -> Elements:
    """Keep some elements of an array

    Within a cube all arrays are of one length: there the condition has to be the same for all cells, that is, it may
    look at index, label and context, and not at the value.

    Args:
        data: An array.
        condition: Says of each element whether it is kept.
        context: Passed on to the child graph.

    Returns:
        The elements for which the condition is `true`, with their labels.
    """
    places = [
        i
        for i, (x, label) in enumerate(zip(elements_of(data), labels_of(data), strict=True))
        if holds(condition(x, index=i, label=label, context=context))
    ]
    return taken(data, places)


@process("arrays", "math > statistics", "reducer")
def count(
    data: Elements, condition: CountCondition = None, context: AnyValue = None
) -> Annotated[Any, Schema({"type": "number"})]:
    """How many elements there are

    Args:
        data: An array of anything.
        condition: A child graph that says of each element whether it counts; `true` counts them all, `null` those
            that are valid, see `is_valid()`.
        context: Passed on to the child graph.

    Returns:
        The number of elements that count.
    """
    elements = elements_of(data)
    if condition is True:
        return len(elements)
    if condition is False:
        raise ProcessParameterInvalid(
            "false counts nothing",
            hint="Give a child graph, true for all elements, or null for the valid ones.",
            parameter="condition",
        )
    counts = np.zeros(cell_shape(data), dtype=np.int32)
    for x in elements:
        counted, null = (
            (valid(x), np.False_) if condition is None else truth(condition(x, context=context), "condition")
        )
        counts = counts + np.asarray(counted & ~null).astype(np.int32)
    return counts[()]


@process("arrays", "math", "math > interpolation")
def array_interpolate_linear(data: Numbers) -> Numbers:
    """Fill gaps between numbers on straight lines

    Each gap, no-data or NaN, is filled on the line from the number before it to the one after it. How far apart these
    are is told by the labels where they are all numbers or all times, otherwise by the places. Gaps at either end stay
    as they are.

    Args:
        data: Numbers. Labels that are numbers or times have to ascend, or to descend.

    Returns:
        The numbers with their gaps filled.
    """
    values, null = numbers(data)
    if values.dtype.kind in "iu" and np.ndim(null) == 0 and not null:
        return data  # such cells have no gaps
    values = floating(values)
    null = np.broadcast_to(null, values.shape)
    filled, inside = interpolated(values, ~null & ~np.isnan(values), positions(data, len(values)))
    result = join(filled, null & ~inside, data)
    return Labeled(result, data.labels) if isinstance(data, Labeled) else result


# ---------------------------------------------------------------------------------------- how it is done
def labels_of(data: Any) -> list[Any]:
    """A label for each element; null where there are none."""
    return list(data.labels) if isinstance(data, Labeled) else [None] * len(elements_of(data))


def holds(result: Any) -> bool:
    """Is a condition true, for all cells alike?"""
    value, null = truth(result, "condition")
    if is_cells(result):
        raise ProcessParameterInvalid(
            "the condition looks at the values, so that each cell would keep a different number of elements",
            hint="Use array_apply with if(condition, x): it makes no-data of what is left out, and reducers ignore it.",
            parameter="condition",
        )
    return bool(value & ~null)


def positions(data: Any, count: int) -> np.ndarray:
    """Where the elements stand on the axis along which is interpolated."""
    labels = data.labels if isinstance(data, Labeled) else ()
    if labels and all(isinstance(x, (int, float)) and not isinstance(x, bool) for x in labels):
        places = np.array(labels, dtype=np.float64)
    elif labels and all(isinstance(x, str) and read_moment(x) for x in labels):
        moments = [read_moment(x) for x in labels]
        places = np.array([m.instant / 1e9 for m in moments if m], dtype=np.float64)
    else:
        return np.arange(count, dtype=np.float64)
    steps = np.diff(places)
    if not ((steps > 0).all() or (steps < 0).all()):
        raise ProcessParameterInvalid(
            f"the labels {', '.join(map(str, labels[:10]))} neither ascend nor descend",
            hint="Sort the array by its labels, or take the labels off.",
            parameter="data",
        )
    return places


def interpolated(values: np.ndarray, known: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The values with gaps between two known ones filled, and where that was done."""
    count = len(values)
    rows = np.arange(count).reshape(-1, *(1,) * (values.ndim - 1))
    before = np.maximum.accumulate(np.where(known, rows, -1), axis=0)
    after = np.minimum.accumulate(np.where(known, rows, count)[::-1], axis=0)[::-1]
    inside = ~known & (before >= 0) & (after < count)
    low, high = np.where(inside, before, 0), np.where(inside, after, 0)
    span = np.where(inside, places[high] - places[low], 1.0)
    share = (places[rows] - places[low]) / span
    first = np.take_along_axis(values, low, axis=0).astype(np.float64)
    last = np.take_along_axis(values, high, axis=0).astype(np.float64)
    line = first + (last - first) * share
    between = np.where(
        np.isfinite(line), line, first * (1 - share) + last * share
    )  # no inf - inf at one infinite end
    return np.where(inside, between, values).astype(values.dtype), inside
