"""Places: where along the axes of an array, step by step or at indices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Place = slice | np.ndarray
"""Where along one axis: from start to stop, step by step, or at these indices."""
Region = tuple[Place, ...]
"""Where along each axis."""


def everything(shape: Sequence[int]) -> Region:
    """The region of the whole array."""
    return tuple(slice(0, n) for n in shape)


def count(place: Place) -> int:
    """How many places there are."""
    return int(place.stop - place.start) if isinstance(place, slice) else len(place)


def size(region: Region) -> tuple[int, ...]:
    """The shape of a region."""
    return tuple(map(count, region))


def among(places: Place, chosen: Place) -> Place:
    """The chosen ones among places: `chosen` counts from the first of `places`."""
    if isinstance(places, slice):
        if isinstance(chosen, slice):
            return slice(places.start + chosen.start, places.start + chosen.stop)
        return tidy(places.start + chosen)
    return tidy(places[chosen])


def tidy(indices: np.ndarray) -> Place:
    """Indices as a slice where they run one by one."""
    if len(indices) and (np.diff(indices) == 1).all():
        return slice(int(indices[0]), int(indices[-1]) + 1)
    return indices


def place_of(key: Any, length: int) -> Place:
    """A slice, index or list of indices or booleans, as NumPy understands them, as a place."""
    if isinstance(key, slice):
        start, stop, step = key.indices(length)
        if step == 1:
            return slice(start, max(start, stop))
        return tidy(np.arange(start, stop, step))
    indices = np.asarray(key)
    if indices.dtype == bool:
        return tidy(np.flatnonzero(indices))
    indices = indices.astype(np.intp)
    if indices.size and (indices.min() < -length or indices.max() >= length):
        raise IndexError(f"index {indices.max()} is out of bounds for an axis of length {length}")
    return tidy(np.where(indices < 0, indices + length, indices))


def hull(place: Place) -> slice:
    """The shortest run of indices that a place lies in."""
    if isinstance(place, slice):
        return place
    return slice(int(place.min()), int(place.max()) + 1) if len(place) else slice(0, 0)


def from_hull(place: Place) -> Place:
    """A place, counted from where its hull begins."""
    return slice(0, count(place)) if isinstance(place, slice) else place - hull(place).start


def indices(place: Place) -> np.ndarray:
    """A place as indices."""
    return np.arange(place.start, place.stop) if isinstance(place, slice) else place


def same(place: Place) -> Any:
    """A hashable stand-in for a place."""
    return (place.start, place.stop) if isinstance(place, slice) else place.tobytes()


def taken(array: np.ndarray, region: Sequence[Place]) -> np.ndarray:
    """A region of an array in memory; axis by axis, so that indices along several of them do not meet."""
    out = array[tuple(p if isinstance(p, slice) else slice(None) for p in region)]
    for axis, place in enumerate(region):
        if not isinstance(place, slice):
            out = np.take(out, place, axis)
    return out
