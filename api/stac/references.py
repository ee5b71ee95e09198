"""The reference systems of collections: which there are, by what their cubes tell, and which of them is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from engine import COMMON, WGS84, Problem, Reference, has_features, read_reference

Json = dict[str, Any]
PICTURE = 512
"""Columns or rows of a picture at most."""


def one_of(name: str, text: str, references: Sequence[Reference]) -> Reference:
    """The reference system that a parameter names, which has to be one of these.

    Raises:
        Problem: It is none, or none of them.
    """
    try:
        found = read_reference(text)
        if found in references:
            return found
        why = f"{found.uri} is not there"
    except ValueError as fault:
        why = str(fault)
    there = ", ".join(reference.uri for reference in references)
    raise Problem("ParameterInvalid", f"{name}: {why}", hint=f"There are {there}.", facts={"parameter": name})


def references_of(document: Json) -> tuple[Reference | None, list[Reference]]:
    """The reference system of a collection's data, where one is told, and all in which its parts are given."""
    x, _ = ground_axes(document)
    code = document.get("gdc:crs") if has_features(document) else x.get("reference_system")
    storage = None
    if isinstance(code, int):
        with suppress(ValueError):  # a document may tell a code that there is not
            storage = read_reference(str(code))
    return storage, list(dict.fromkeys([WGS84, *([storage] if storage else []), *map(Reference, COMMON)]))


def ground_axes(document: Json) -> tuple[Json, Json]:
    """The dimensions of a collection's cube along x and y, as far as they are told."""
    x, y = (next((d for d in dimensions_of(document) if d.get("axis") == axis), {}) for axis in "xy")
    return x, y


def dimensions_of(document: Json) -> list[Json]:
    """The dimensions of a collection's cube; documents of strangers may tell anything."""
    told = document.get("cube:dimensions")
    return [d for d in told.values() if isinstance(d, dict)] if isinstance(told, dict) else []


def picture_of(document: Json) -> Json | None:
    """Parameters of a picture of a collection's data, by what its cube tells; None where that is not enough."""
    layers = next((d.get("values") for d in dimensions_of(document) if d.get("type") == "bands"), None)
    ends: list[Any] = [axis.get("extent") for axis in ground_axes(document)]
    if not isinstance(layers, list) or not layers or not all(is_span(pair) for pair in ends):
        return None
    wide, high = (e[1] - e[0] for e in ends)
    scale = PICTURE / max(wide, high)
    size = {"width": max(1, round(wide * scale)), "height": max(1, round(high * scale))}
    return {"f": "png", "properties": str(layers[0]), **size}


def is_span(pair: Any) -> bool:
    """Is it a lower number with a higher one?"""
    if not isinstance(pair, list) or len(pair) != 2:
        return False
    return all(isinstance(v, int | float) for v in pair) and pair[0] < pair[1]


def reference_systems(document: Json) -> Json:
    """Members of a collection that tell its reference systems; footprints of items without data are kept in CRS84."""
    storage, references = references_of(document)
    kept = WGS84 if storage is None or has_features(document) else storage
    told: Json = {"crs": [reference.uri for reference in references], "storageCrs": kept.uri}
    ends: list[Any] = [axis.get("extent") for axis in ground_axes(document)]
    if storage is not None and all(is_span(pair) for pair in ends):
        first, second = reversed(ends) if storage.north_first else ends
        told["storageCrsBbox"] = [first[0], second[0], first[1], second[1]]
    return told
