"""Filters whose geometries are in another reference system than CRS84."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import shapely

from engine.catalog.filters.caps import refused
from engine.domain.reference import WGS84, Reference
from engine.domain.shapes import ground_of, is_shape, moved


def brought_home(tree: Any, reference: Reference) -> Any:
    """A tree of CQL2 JSON that was checked, with its geometries in CRS84.

    Raises:
        Problem: ParameterInvalid: one of them lies nowhere on the ground.
    """
    if isinstance(tree, list | tuple):
        return [brought_home(part, reference) for part in tree]
    if not isinstance(tree, Mapping):
        return tree
    try:
        if is_shape(tree):
            return moved(tree, reference, WGS84)
        if "bbox" in tree and "op" not in tree:
            return ground_of([float(v) for v in four(tree["bbox"])], reference)
    except (
        KeyError,
        TypeError,
        ValueError,
        OverflowError,
        AttributeError,
        shapely.errors.ShapelyError,
    ) as cause:
        raise refused(
            f"A geometry of the filter cannot be read in {reference.name}: {str(cause)[:200]}.",
            "Give coordinates in the order of the axes of `filter-crs`, or leave it out for CRS84.",
        ) from cause
    return {name: brought_home(part, reference) for name, part in tree.items()}


def four(box: Any) -> Any:
    """The numbers of a box of two dimensions.

    Raises:
        ValueError: They are not four.
    """
    if not isinstance(box, list | tuple) or len(box) != 4:
        raise ValueError("a box of that system has four numbers")
    return box
