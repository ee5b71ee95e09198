"""The labels of two cubes put together, and the coordinates beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
import xarray as xr

from processes.cubes import axes, places
from processes.errors import IncompatibleDataCubes, IncompatibleGeometryTypes


@dataclass(frozen=True)
class Union:
    """The labels of one dimension in either cube."""

    coord: xr.DataArray
    """All labels, in order."""
    places1: np.ndarray
    """Where each label is in the first cube; -1 where it is not."""
    places2: np.ndarray
    """Where each label is in the second cube; -1 where it is not."""


def alike(cube1: xr.DataArray, cube2: xr.DataArray, dim: str) -> None:
    """Refuse geometries of another kind, or of another CRS."""
    if dim not in cube2.dims:
        return
    crs1, crs2 = (places.geometry_crs(c, dim) for c in (cube1, cube2))
    if crs1 != crs2:
        raise IncompatibleDataCubes(
            f"the geometries along {dim!r} are in {places.crs_text(crs1)} in cube1, in {places.crs_text(crs2)} in cube2",
            hint="Use vector_reproject for one of them.",
            parameter="cube2",
        )
    kinds1, kinds2 = (base_types(c.coords[dim].values) for c in (cube1, cube2))
    if kinds1 and kinds2 and kinds1 != kinds2:
        raise IncompatibleGeometryTypes(
            f"along {dim!r} there are {' and '.join(kinds1)} in cube1 and {' and '.join(kinds2)} in cube2",
            hint="Use filter_vector, vector_buffer or the like to have geometries of one kind in both.",
            parameter="cube2",
        )


def base_types(labels: np.ndarray) -> list[str]:
    """Points, lines, polygons: what is among the geometries, whether or not they have parts."""
    shapes = np.array([v for v in labels if isinstance(v, shapely.Geometry)], dtype=object)
    found = np.unique(shapely.get_dimensions(shapes[~shapely.is_empty(shapes)]))
    return [("points", "lines", "polygons")[dimension] for dimension in found.tolist()]


def union(cube1: xr.DataArray, cube2: xr.DataArray, dim: str) -> Union:
    """All labels of a dimension: in order where it has one, else those of the second cube last."""
    mine, theirs = cube1.coords[dim], cube2.coords[dim]
    values, where = mine.values, (np.arange(mine.size), np.arange(mine.size))
    if mine.dtype.kind != theirs.dtype.kind or not np.array_equal(mine.values, theirs.values):
        kind = axes.kind(cube1, dim)
        values, where = united(mine.values, theirs.values, kind in ("temporal", "spatial"), dim)
    attrs = dict(mine.attrs)
    if axes.kind(cube1, dim) == "bands" and ("bands" in mine.attrs or "bands" in theirs.attrs):
        known = {b["name"]: b for c in (cube2, cube1) for b in axes.band_metadata(c)}
        attrs["bands"] = [known[label] for label in values.tolist()]
    return Union(xr.DataArray(values, dims=(dim,), attrs=attrs), *where)


def united(
    mine: np.ndarray, theirs: np.ndarray, ordered: bool, dim: str
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """All labels of both cubes, and where each of them is in either."""
    labels = [*mine, *theirs]
    names = identities(labels)
    first, second = names[: len(mine)], names[len(mine) :]
    for several in (first, second):
        if len(set(several)) < len(several):
            raise IncompatibleDataCubes(
                f"a label of {dim!r} is there twice, so that it is not clear which of them is meant",
                hint="Rename or aggregate the labels first.",
            )
    label_of = dict(zip(reversed(names), reversed(labels), strict=True))  # equal ones are called as in cube1
    everything = list(dict.fromkeys(names))
    if ordered and len(everything) > len(first):
        leading = next((v for v in (mine, theirs) if len(v) > 1), mine)
        try:
            everything.sort(
                key=label_of.__getitem__, reverse=bool(len(leading) > 1 and leading[0] > leading[-1])
            )
        except TypeError:
            raise IncompatibleDataCubes(
                f"the labels of {dim!r} cannot be put in order: {mine[0]} in cube1, {theirs[0]} in cube2",
                hint="Dates, labels of periods, and dates of another calendar do not go together.",
                parameter="cube2",
            ) from None
    values = np.empty(len(everything), dtype=object)
    values[:] = [label_of[name] for name in everything]
    if mine.dtype == theirs.dtype or mine.dtype.kind == theirs.dtype.kind != "O":
        values = values.astype(np.result_type(mine.dtype, theirs.dtype))
    places1, places2 = (
        np.array([w.get(name, -1) for name in everything], dtype=int)
        for w in ({name: i for i, name in enumerate(several)} for several in (first, second))
    )
    return values, (places1, places2)


def identities(labels: list[Any]) -> list[Any]:
    """For each label what is equal for labels that are the same; geometries are, that cover the same points."""
    names: list[Any] = []
    seen: dict[bytes, list[tuple[int, Any]]] = {}
    for i, label in enumerate(labels):
        if not isinstance(label, shapely.Geometry):
            names.append(label)
            continue
        near = seen.setdefault((shapely.bounds(label) + 0.0).tobytes(), [])
        same = next((k for k, known in near if shapely.equals(known, label)), None)
        if same is None:
            near.append((i, label))
        names.append(("geometry", i if same is None else same))
    return names


def membership(labels: Union) -> np.ndarray:
    """For each label: 1 where the first cube has it, 2 the second, 3 both."""
    return (labels.places1 >= 0) + 2 * (labels.places2 >= 0)


def complete(unions: dict[str, Union], all_shared: bool) -> bool:
    """Does every cell of the merged cube have a value in one of the cubes?"""
    partial = [d for d, u in unions.items() if (membership(u) != 3).any()]
    whole1 = all((u.places1 >= 0).all() for u in unions.values())
    whole2 = all((u.places2 >= 0).all() for u in unions.values())
    return whole1 or whole2 or (len(partial) == 1 and all_shared)


def merged_coords(cube1: xr.DataArray, cube2: xr.DataArray, unions: dict[str, Union]) -> dict[str, Any]:
    """The coordinates of the merged cube; one beside the labels is kept where it is known for all of them."""
    coords: dict[str, Any] = {}
    for cube, side in ((cube2, "places2"), (cube1, "places1")):
        whole = {d for d, u in unions.items() if (getattr(u, side) >= 0).all()}
        for name, coord in cube.coords.items():
            along = [str(d) for d in coord.dims if d in unions]
            if name not in unions and set(along) <= whole:
                coords[str(name)] = coord.variable.isel({d: getattr(unions[d], side) for d in along})
    for name, coord in cube1.coords.items():
        dim = str(coord.dims[0]) if coord.ndim == 1 else None
        if dim in unions and name not in unions and name not in coords and name in cube2.coords:
            other, u = cube2.coords[name], unions[dim]
            if other.dims == coord.dims:
                coords[str(name)] = coord.variable.isel({dim: u.places1}).where(
                    xr.Variable((dim,), u.places1 >= 0), other.variable.isel({dim: u.places2})
                )
    return {**coords, **{d: u.coord for d, u in unions.items()}}
