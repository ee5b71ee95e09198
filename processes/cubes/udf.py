"""Code of the user as a step of a graph: on blocks of cubes, on the arrays of child graphs, on plain values.

The function sees no-data as NaN, whatever the cube's type. What it gives (dimensions, labels, type) is found out
beforehand by calling it on a probe: all labels of every dimension, but two cells along x and y, all of them one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import dask.array as da
import numpy as np
import xarray as xr

from processes.cubes import axes
from processes.cubes.cells import Coding, blockwise, rebuilt
from processes.errors import ProcessParameterInvalid
from processes.registry import process
from processes.types import AnyValue, Schema
from processes.values import Labeled, Masked, is_scalar, plain, stack
from processes.widths import floating
from processes.world import Form, UserFunction, World

UdfSource = Annotated[
    str,
    Schema(
        [
            {"type": "string", "format": "uri", "subtype": "uri", "pattern": "^https?://"},
            {"type": "string", "subtype": "file-path", "pattern": "^[^\r\n\\:'\"]+$"},
            {"type": "string", "subtype": "udf-code", "pattern": "(\r\n|\r|\n)"},
        ]
    ),
]
UdfRuntime = Annotated[str, Schema({"type": "string", "subtype": "udf-runtime"})]
UdfVersion = Annotated[
    str | None, Schema([{"type": "string", "subtype": "udf-runtime-version"}, {"type": "null"}])
]
PROBED = 2
"""Cells along x and y that a probe has, where the cube has as many."""
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


@process("cubes", "import", "udf")
def run_udf(
    data: AnyValue,
    udf: UdfSource,
    runtime: UdfRuntime,
    version: UdfVersion = None,
    context: AnyValue = {},  # noqa: B006
    *,
    world: World,
) -> AnyValue:
    """Run code of your own on data

    The code is Python. It defines one of these functions:

    - `apply_datacube(cube, context)` takes and gives an `xarray.DataArray` (or an `XarrayDataCube` of the openEO
      client, where the annotation says so);
    - `apply_timeseries(series, context)` takes and gives a `pandas.Series` in time;
    - `apply_vectorcube(geometries, cube, context)` takes and gives a frame of geopandas and a `DataArray`;
    - `apply_udf_data(data)` changes a `UdfData` of the openEO client.

    It is run block by block: a block has all labels of every dimension, but only some of the cells along x and y. A
    function that gives up x or y gets the cube as a whole. It is called once more beforehand, on a small cube of
    ones, to find out which dimensions and labels its result has; these must not depend on the values. No-data
    is NaN in what the function sees and gives.

    Args:
        data: A cube; or, in a child graph, the value or the array of values that the child graph is given.
        udf: The code itself, which has at least one line break; or the URL or the path of a file with it.
        runtime: Name of the runtime: `Python`.
        version: Version of the runtime, as `3.11`; `null` for the one there is.
        context: Passed on to the function.

    Returns:
        What the function gives.

    Raises:
        InvalidRuntime: There is no such runtime.
        InvalidVersion: There is no such version of the runtime.
        FileNotFound: There is no such file.
    """
    function = world.user_function(udf, runtime, version)
    context = {} if context is None else context
    if isinstance(data, xr.DataArray):
        return on_cube(data, function, context)
    if is_json(data):
        return as_json(function(data, context))
    return on_cells(data, function, context)


def is_json(value: Any) -> bool:
    """Is this a value of JSON, all the way down, rather than cells?"""
    if isinstance(value, Mapping):
        return all(map(is_json, value.values()))
    return all(map(is_json, value)) if isinstance(value, (list, tuple)) else is_scalar(value)


def as_json(result: Any) -> Any:
    """What a function made of JSON: an array of which nothing but its elements is known is a list of JSON again."""
    if not isinstance(result, xr.DataArray) or result.coords:
        return result
    if any(d != f"dim_{i}" for i, d in enumerate(result.dims)):
        return result
    return plain(Masked(result.values, result.isnull().values))


# ------------------------------------------------------------------------------------------------ cubes
def on_cube(data: xr.DataArray, function: UserFunction, context: Any) -> xr.DataArray:
    """The cube that user code makes of a cube, lazily where that is lazy."""
    if data.dtype.kind not in "biuf":
        raise ProcessParameterInvalid(
            f"a user-defined function takes cubes of numbers or booleans, this one holds {data.dtype}",
            parameter="data",
        )
    cut = tuple(d for d in (axes.axis(data, "y"), axes.axis(data, "x")) if d is not None)
    small = data.isel({d: slice(0, PROBED) for d in cut})
    frame = Frame.of(data, cut)
    probe = frame.filled(np.ones(small.shape, data.dtype), [small.coords[d].values for d in frame.placed])
    made = Made.of(function(probe, context), probe, data, cut)
    lazy = isinstance(data.data, da.Array)
    given = data.chunk({d: -1 for d in data.dims if d not in cut}) if lazy else data
    places = [place(given, d, lazy=lazy) for d in frame.placed]
    run = OnBlock(function, context, frame, made)
    array = blockwise(run, made.dims, given, *places, dtype=made.coding.dtype, sizes=made.sizes)
    stale = [n for n, c in data.coords.items() if set(c.dims) & set(made.sizes)]
    return rebuilt(data.drop_vars(stale), array, made.dims, made.coding, **made.coords)


def place(cube: xr.DataArray, dim: str, *, lazy: bool) -> xr.DataArray:
    """The labels of a dimension, cut into blocks as the cube is."""
    values = cube.coords[dim].values
    return xr.DataArray(
        da.from_array(values, chunks=(cube.chunksizes[dim],)) if lazy else values, dims=(dim,)
    )


@dataclass(frozen=True)
class Frame:
    """Everything of a block that is not its cells and not its place in the plane."""

    dims: tuple[str, ...]
    name: Any
    attrs: dict[str, Any]
    coords: dict[str, xr.Variable]
    """Coordinates that are the same for all blocks."""
    placed: tuple[str, ...]
    """Dimensions of the plane that have labels."""
    placed_attrs: tuple[dict[str, Any], ...]
    """Attributes of those labels."""
    coding: Coding

    @classmethod
    def of(cls, cube: xr.DataArray, cut: tuple[str, ...]) -> Frame:
        """The frame of a cube whose blocks are cut along these dimensions."""
        placed = tuple(d for d in cut if d in cube.coords)
        attrs = {k: v for k, v in cube.attrs.items() if k not in ("nodata", "logical", "_FillValue")}
        coords = {
            str(n): c.variable.to_base_variable()
            for n, c in cube.coords.items()
            if not set(c.dims) & set(cut)
        }
        placed_attrs = tuple(dict(cube.coords[d].attrs) for d in placed)
        return cls(
            tuple(map(str, cube.dims)), cube.name, attrs, coords, placed, placed_attrs, Coding.of(cube)
        )

    def filled(self, block: np.ndarray, places: Any) -> xr.DataArray:
        """A block as a cube of its own."""
        labels = {
            d: xr.Variable((d,), p, a) for d, p, a in zip(self.placed, places, self.placed_attrs, strict=True)
        }
        values = shown(self.coding.decode(block))
        return xr.DataArray(
            values, dims=self.dims, coords={**self.coords, **labels}, attrs=self.attrs, name=self.name
        )


@dataclass(frozen=True)
class Made:
    """What user code gives for a cube, found out with a probe."""

    dims: tuple[str, ...]
    """Dimensions of the result."""
    coords: dict[str, Any]
    """Coordinates of dimensions that are new, or have new labels."""
    sizes: dict[str, int]
    """Lengths of those."""
    coding: Coding

    @classmethod
    def of(cls, result: Any, probe: xr.DataArray, cube: xr.DataArray, cut: tuple[str, ...]) -> Made:
        """Compare the result for a probe with the probe."""
        if not isinstance(result, xr.DataArray) or result.dtype.kind not in "biuf":
            given = (
                f"values of type {result.dtype}"
                if isinstance(result, xr.DataArray)
                else type(result).__name__
            )
            raise ProcessParameterInvalid(
                f"the user-defined function gives {given} where a cube of numbers or booleans is needed",
                parameter="udf",
            )
        new = {}
        for dim in map(str, result.dims):
            if dim in cut and result.sizes[dim] != probe.sizes[dim]:
                raise ProcessParameterInvalid(
                    f"the user-defined function makes {result.sizes[dim]} of {probe.sizes[dim]} cells along {dim!r}",
                    hint="It may keep x and y or give them up; use resample_spatial for other cells, and "
                    "apply_neighborhood for functions that need the cells around.",
                    parameter="udf",
                )
            if dim not in cut and not same_labels(result, probe, dim):
                new[dim] = labels_of(result, dim, cube)
        nodata = result.attrs.get("nodata") if result.dtype.kind in "iu" else None
        coding = Coding(result.dtype, nodata if isinstance(nodata, int) else None)
        return cls(tuple(map(str, result.dims)), new, {d: result.sizes[d] for d in new}, coding)


def same_labels(result: xr.DataArray, probe: xr.DataArray, dim: str) -> bool:
    """Is this dimension still what it was? Where the result has no labels, its length decides."""
    if dim not in probe.dims or result.sizes[dim] != probe.sizes[dim]:
        return False
    if dim not in result.coords or dim not in probe.coords:
        return True
    ours, theirs = probe.coords[dim].values, result.coords[dim].values
    return bool(
        len(ours) == len(theirs) and all(a == b for a, b in zip(ours.tolist(), theirs.tolist(), strict=True))
    )


def labels_of(result: xr.DataArray, dim: str, cube: xr.DataArray) -> tuple[str, Any, dict[str, Any]]:
    """A new coordinate: the result's labels, or 0, 1, 2, ...; bands that were there keep their metadata."""
    values = result.coords[dim].values if dim in result.coords else np.arange(result.sizes[dim])
    attrs = dict(result.coords[dim].attrs) if dim in result.coords else {}
    if attrs.get("type") not in ("temporal", "bands", "geometry", "other"):
        attrs["type"] = axes.kind(cube if dim in cube.dims else xr.DataArray(values, dims=(dim,)), dim)
    if attrs["type"] == "bands":
        names = [str(v) for v in values]
        values = np.array(names)
        told = attrs.get("bands")
        known = (
            {str(b.get("name")): b for b in told if isinstance(b, Mapping)} if isinstance(told, list) else {}
        )
        if axes.of_kind(cube, "bands"):
            known = {b["name"]: b for b in axes.band_metadata(cube)} | known
        attrs["bands"] = [{**known.get(v, {}), "name": v} for v in names]
    return dim, values, attrs


@dataclass(frozen=True)
class OnBlock:
    """User code as a function of one stored block and the labels of its place in the plane."""

    function: UserFunction
    context: Any
    frame: Frame
    made: Made

    def __call__(self, block: np.ndarray, *places: np.ndarray) -> np.ndarray:
        cube = self.frame.filled(block, places)
        shape = tuple(
            self.made.sizes[d] if d in self.made.sizes else int(cube.sizes[d]) for d in self.made.dims
        )
        result: np.ndarray = self.function(
            cube, self.context, Form(self.made.dims, shape, self.made.coding.dtype)
        )
        return result


# -------------------------------------------------------------------------------- arrays of child graphs
def on_cells(data: Any, function: UserFunction, context: Any) -> Any:
    """What user code makes of the cells, or of the labelled array, that a child graph is given."""
    cube = as_cube(data)
    result = function(cube, context)
    if not isinstance(result, xr.DataArray):
        return result
    series, *others = cube.dims if cube.dims else (None,)
    if not isinstance(
        data, Labeled
    ):  # the value of each cell, or the values of a group, which have no labels
        return like(result, tuple(others) if reduces(result, cube) else cube.dims, cube)
    if result.ndim == len(others):
        return like(result, tuple(others), cube)
    fresh = [d for d in result.dims if d not in others]
    values = like(result, (*fresh, *others) if len(fresh) == 1 else cube.dims, cube)
    kept = fresh == [series] and len(values) == len(data.labels)
    return Labeled(values, data.labels, data.dims) if kept else values


def reduces(result: xr.DataArray, given: xr.DataArray) -> bool:
    """Does user code make one value of all along the first dimension?"""
    return set(result.dims) == set(given.dims[1:]) and result.ndim < given.ndim


def as_cube(data: Any) -> xr.DataArray:
    """Cells as a cube with as much of names and labels as is known of them."""
    labels = data.labels if isinstance(data, Labeled) else ()
    names = data.dims if isinstance(data, Labeled) else ()
    values = shown(stack(data) if isinstance(data, (list, tuple)) else data)
    if values.dtype.kind not in "biuf":
        raise ProcessParameterInvalid(
            f"a user-defined function takes numbers or booleans, these are {values.dtype}", parameter="data"
        )
    first = (names[:1] or ("labels",)) if labels else ()
    dims = (
        names
        if len(names) == values.ndim
        else (*first, *(f"dim_{i}" for i in range(len(first), values.ndim)))
    )
    if not labels:
        return xr.DataArray(values, dims=dims)
    named, attrs = as_labels(labels)
    return xr.DataArray(values, dims=dims, coords={dims[0]: (dims[0], named, attrs)})


def as_labels(labels: tuple[Any, ...]) -> tuple[Any, dict[str, str]]:
    """Labels as a coordinate: moments as times, all else as it is."""
    if all(isinstance(v, str) and MOMENT.fullmatch(v) for v in labels):
        return np.array([v[:-1] for v in labels], dtype="M8[ns]"), {"type": "temporal"}
    return np.array(labels), {}


def like(result: xr.DataArray, dims: tuple[Any, ...], given: xr.DataArray) -> np.ndarray:
    """The values of a result, with these dimensions; those that were there before have to be as long as before."""
    longer = [d for d in dims[1:] if d in given.sizes and result.sizes.get(d) != given.sizes[d]]
    if set(result.dims) != set(dims) or longer:
        raise ProcessParameterInvalid(
            f"the user-defined function gives {dict(result.sizes)} for {dict(given.sizes)}; a child graph may change "
            f"the dimension {given.dims[0]!r} only",
            hint="Use run_udf on the cube itself, outside of a child graph, for anything else.",
            parameter="udf",
        )
    values: np.ndarray = result.transpose(*dims).values
    return values


def shown(cells: Any) -> np.ndarray:
    """Cells as user code sees them: NaN where there is no value."""
    if isinstance(cells, Labeled):
        return shown(cells.values)
    if not isinstance(cells, Masked):
        return np.asarray(cells)
    data, null = np.broadcast_arrays(np.asarray(cells.data), np.asarray(cells.null))
    if data.dtype.kind not in "biuf":
        return data
    return np.where(null, floating(data).dtype.type("nan"), floating(data))
