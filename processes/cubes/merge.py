"""Two cubes become one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import dask.array as da
import numpy as np
import xarray as xr

from processes.cubes import axes, places, resample
from processes.cubes.cells import (
    Coding,
    blockwise,
    coding_for,
    common,
    computed,
    onto,
    rebuilt,
    value_of_each,
    with_null,
)
from processes.cubes.unions import alike, complete, membership, merged_coords, union
from processes.errors import IncompatibleDataCubes, OverlapResolverMissing
from processes.mixing import along
from processes.registry import process
from processes.types import AnyValue, Cube, OverlapResolver
from processes.values import split


@process("cubes", mixes=along("t", "bands", "y", "x").over("cube1", "cube2"))
def merge_cubes(
    cube1: Cube, cube2: Cube, overlap_resolver: OverlapResolver | None = None, context: AnyValue = None
) -> Cube:
    """Make one cube of two

    Labels that only one of the cubes has are taken over. Where both have a value for the same labels the overlap
    resolver decides; a cube that lacks a dimension overlaps with each label of it. Of spatial and temporal
    dimensions the labels are in order afterwards, of others the labels of the second cube come after those of the
    first. The second cube is put onto the grid of the first where they differ.

    Args:
        cube1: The first cube, whose grid and names count.
        cube2: The second cube.
        overlap_resolver: Makes one value of two; needed where the cubes overlap.
        context: Passed on to the overlap resolver.

    Returns:
        The merged cube; no-data at labels that neither cube has a value for.

    Raises:
        OverlapResolverMissing: The cubes overlap and there is no resolver.
        IncompatibleGeometryTypes: The geometries of vector cubes are of different kinds.
    """
    cube2 = on_the_grid_of(cube1, cube2)
    shared = shared_dimensions(cube1, cube2)
    for dim in axes.of_kind(cube1, "geometry"):
        alike(cube1, cube2, dim)
    unions = {dim: union(cube1, cube2, dim) for dim in shared}
    both = {
        dim: np.isin(u.places1, -1, invert=True) & np.isin(u.places2, -1, invert=True)
        for dim, u in unions.items()
    }
    overlaps = all(b.any() for b in both.values())
    if overlaps and overlap_resolver is None:
        raise OverlapResolverMissing(
            f"both cubes have values for the same labels of {', '.join(shared) or 'every dimension'}",
            hint="Give an overlap_resolver such as mean or max, or keep both under a new dimension (add_dimension).",
            parameter="overlap_resolver",
        )
    dims = tuple(map(str, cube1.dims)) + tuple(str(d) for d in cube2.dims if d not in cube1.dims)
    wide = cube1 if len(cube1.dims) >= len(cube2.dims) else cube2
    coding1, coding2 = Coding.of(cube1), Coding.of(cube2)
    target = common(coding1, coding2)
    if not complete(unions, shared == list(dims)):
        target = with_null(target)
    if overlaps:
        probes = [c.decode(c.probe((1,) * len(dims))) for c in (coding1, coding2)]
        result = value_of_each(overlap_resolver(*probes, context=context), len(dims), "overlap_resolver")  # type: ignore[misc]
        resolved = coding_for(result, target)
        target = resolved if all(b.all() for b in both.values()) else common(target, resolved)
    ones = reached(cube1, {d: u.places1 for d, u in unions.items()})
    twos = reached(cube2, {d: u.places2 for d, u in unions.items()})
    inside = [membership(unions[d]) for d in shared]
    run = Merging(dims, tuple(map(str, ones.dims)), tuple(map(str, twos.dims)), tuple(shared),
                  coding1, coding2, target, overlap_resolver if overlaps else None, context)  # fmt: skip
    labels = [xr.DataArray(m, dims=(d,)) for d, m in zip(shared, inside, strict=True)]
    array = blockwise(run, dims, ones, twos, *labels, dtype=target.dtype)
    bare = wide.drop_vars(list(wide.coords))
    out = rebuilt(bare, array, dims, target, **merged_coords(cube1, cube2, unions))
    return computed(out) if overlaps else out


def on_the_grid_of(cube1: xr.DataArray, cube2: xr.DataArray) -> xr.DataArray:
    """The second cube on the lattice of the first, where both are raster cubes."""
    for_both = [(axes.axis(cube1, a), axes.axis(cube2, a)) for a in ("y", "x")]
    if any(one is None or other is None for one, other in for_both):
        return cube2
    cube2 = cube2.rename({other: one for one, other in for_both if one != other})
    if places.same_grid(cube1, cube2):
        return snapped(cube1, cube2)
    return resample.onto_grid(cube2, places.grid(cube1))


def snapped(cube1: xr.DataArray, cube2: xr.DataArray) -> xr.DataArray:
    """Labels on the same lattice made equal to the last bit, so that they can be matched."""
    for dim in axes.plane(cube1):
        mine, theirs = cube1.coords[dim].values, cube2.coords[dim].values
        if np.array_equal(mine, theirs) or not len(mine) or max(len(mine), len(theirs)) < 2:
            continue
        step = places.spacing(mine if len(mine) > 1 else theirs, dim)
        index = np.round((theirs - mine[0]) / step).astype(int)
        exact = np.where(
            (index >= 0) & (index < len(mine)), mine[np.clip(index, 0, len(mine) - 1)], mine[0] + index * step
        )
        cube2 = cube2.assign_coords({dim: cube2.coords[dim].copy(data=exact)})
    return cube2


def shared_dimensions(cube1: xr.DataArray, cube2: xr.DataArray) -> list[str]:
    """Dimensions of both; one of the cubes may lack some, but not each of them some."""
    only1 = [d for d in cube1.dims if d not in cube2.dims]
    only2 = [d for d in cube2.dims if d not in cube1.dims]
    if only1 and only2:
        raise IncompatibleDataCubes(
            f"cube1 has the dimension {only1[0]!r} and cube2 has {only2[0]!r}, which the other one lacks",
            hint="Rename, reduce or add dimensions so that one cube has all dimensions of the other.",
            parameter="cube2",
        )
    shared = [str(d) for d in cube1.dims if d in cube2.dims]
    for dim in shared:
        kinds = axes.kind(cube1, dim), axes.kind(cube2, dim)
        if kinds[0] != kinds[1]:
            raise IncompatibleDataCubes(
                f"dimension {dim!r} is of type {kinds[0]} in cube1 and {kinds[1]} in cube2", parameter="cube2"
            )
    return shared


def reached(cube: xr.DataArray, where: dict[str, np.ndarray]) -> xr.DataArray:
    """The cube with a cell for each label of the merged one; those it lacks repeat some cell and are not used."""
    cube = cube.drop_vars(list(cube.coords))
    moved = {d: np.maximum(p, 0) for d, p in where.items() if not np.array_equal(p, np.arange(cube.sizes[d]))}
    if empty := {d: 1 for d in moved if not cube.sizes[d]}:  # no cell to repeat
        shape = [empty.get(str(d), n) for d, n in cube.sizes.items()]
        zeros = da.zeros if isinstance(cube.data, da.Array) else np.zeros
        cube = xr.DataArray(zeros(shape, dtype=cube.dtype), dims=cube.dims)
    return cube.isel(moved)


@dataclass(frozen=True)
class Merging:
    """Merging, as a function of stored blocks of both cubes and of the membership of their labels."""

    dims: tuple[str, ...]
    dims1: tuple[str, ...]
    dims2: tuple[str, ...]
    shared: tuple[str, ...]
    coding1: Coding
    coding2: Coding
    target: Coding
    resolver: OverlapResolver | None
    context: Any

    def __call__(self, block1: np.ndarray, block2: np.ndarray, *membership: np.ndarray) -> np.ndarray:
        one, two = onto(block1, self.dims1, self.dims), onto(block2, self.dims2, self.dims)
        shape = np.broadcast_shapes(one.shape, two.shape)
        cells1, cells2 = self.coding1.decode(one), self.coding2.decode(two)
        in1, in2 = self.inside(membership, 1), self.inside(membership, 2)
        (data1, null1), (data2, null2) = split(cells1), split(cells2)
        merged = np.where(in1, data1, data2)
        null = np.where(in1, null1, np.where(in2, null2, True))
        if self.resolver is not None:
            both = in1 & in2
            resolved, unresolved = split(self.resolver(cells1, cells2, context=self.context))
            merged = np.where(both, resolved, merged)
            null = np.where(both, unresolved, null)
        return self.target.filled(merged, null, shape)

    def inside(self, membership: tuple[np.ndarray, ...], bit: int) -> Any:
        """Where all labels are those of one cube."""
        inside: Any = np.True_
        for dim, member in zip(self.shared, membership, strict=True):
            inside = inside & onto((member & bit) > 0, (dim,), self.dims)
        return inside
