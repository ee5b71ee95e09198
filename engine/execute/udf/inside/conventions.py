"""The ways in which user code offers a function, and how each is called."""

from __future__ import annotations

import copy
import inspect
import linecache
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from . import standin

FILE = "<udf>"
"""What tracebacks call the user's code."""


class NoUdf(Exception):  # noqa: N818 (the fault has a name of its own)
    """The code has no function that can be called, or it gave nothing that can be used."""


def warm_up() -> None:
    """Let xarray import what it imports on first use only, so that the first block need not wait for it."""
    cube = xr.DataArray(np.ones((2, 2)), dims=("y", "x"), coords={"x": [0, 1]})
    (cube.isel(x=[0]) * 2).mean("y")


def load(code: str) -> dict[str, Any]:
    """Run the user's code; gives its names. Some modules are there without an import, as UDFs expect."""
    linecache.cache[FILE] = (len(code), None, code.splitlines(keepends=True), FILE)
    names: dict[str, Any] = {
        "__name__": "udf",
        "np": np,
        "numpy": np,
        "xarray": xr,
        "xr": xr,
        "pd": pd,
        "pandas": pd,
    }
    names |= standin.OLD_NAMES
    names["inspect"] = standin.inspect
    own = set(names)
    exec(compile(code, FILE, "exec", dont_inherit=True), names)  # noqa: S102 (this is what a sandbox is for)
    names["__functions__"] = [
        n
        for n, v in names.items()
        if inspect.isfunction(v) and (n not in own or v.__code__.co_filename == FILE)
    ]
    return names


def apply(names: Mapping[str, Any], data: Any, context: Any) -> Any:
    """Call the user's function on a cube (or on a value of JSON); gives a cube, or a value of JSON."""
    cube = data if isinstance(data, xr.DataArray) else as_array(data)
    for name, way in WAYS.items():
        if callable(fn := names.get(name)):
            return tidy(way(fn, cube, context, data), cube)
    for name in names["__functions__"]:
        if takes_udf_data(names[name]):
            return tidy(udf_data(names[name], cube, context, data), cube)
    found = ", ".join(names["__functions__"]) or "none"
    raise NoUdf(f"the code defines no function {', '.join(WAYS)} (its functions: {found})")


def as_array(value: Any) -> xr.DataArray:
    """A value of JSON as an array; null is NaN."""
    if isinstance(value, Mapping):
        return xr.DataArray(np.empty((), dtype=object))
    array = np.asarray(value)
    if array.dtype == object and all(v is None or isinstance(v, (bool, int, float)) for v in array.ravel()):
        array = array.astype(float)
    return xr.DataArray(array)


def tidy(result: Any, given: xr.DataArray) -> Any:
    """A result without its wrapper; arrays of the same shape get their dimensions back."""
    if hasattr(result, "get_array"):
        result = result.get_array()
    if isinstance(result, xr.Dataset):
        raise NoUdf("it gave a Dataset; a DataArray is needed: .to_dataarray('bands') makes one of it")
    if isinstance(result, np.ndarray) and result.ndim:
        if result.shape != given.shape:
            raise NoUdf(
                f"it gave a NumPy array of shape {result.shape} for a cube of shape {given.shape}; give a DataArray "
                "where dimensions change"
            )
        return given.copy(data=result)
    if result is None and given.dtype.kind != "O" and given.ndim:
        raise NoUdf("it gave nothing: is a `return` missing?")
    return result.item() if isinstance(result, (np.generic, np.ndarray)) else result


def with_context(fn: Callable[..., Any], context: Any) -> dict[str, Any]:
    """The context as an argument, where the function takes one."""
    parameters = inspect.signature(fn).parameters.values()
    takes = any(p.name == "context" or p.kind is p.VAR_KEYWORD for p in parameters)
    return {"context": context} if takes else {}


def first_annotation(fn: Callable[..., Any]) -> Any:
    """The annotation of the first parameter."""
    first = next(iter(inspect.signature(fn).parameters.values()), None)
    return None if first is None or first.annotation is first.empty else first.annotation


def named(annotation: Any) -> str:
    """An annotation's bare name."""
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))
    return text.rpartition(".")[2].strip("'\"")


def datacube(fn: Callable[..., Any], cube: xr.DataArray, context: Any, _: Any) -> Any:
    """`apply_datacube(cube, context)`; the cube is wrapped where the annotation says so."""
    annotation = first_annotation(fn)
    if named(annotation) in ("XarrayDataCube", "DataCube", "HyperCube"):
        wrapper = annotation if isinstance(annotation, type) else fn.__globals__.get(named(annotation))
        return fn((wrapper or standin.XarrayDataCube)(cube), **with_context(fn, context))
    return fn(cube, **with_context(fn, context))


def hypercube(fn: Callable[..., Any], cube: xr.DataArray, context: Any, data: Any) -> Any:
    """`apply_hypercube(cube, context)`, which takes a wrapped cube unless it says otherwise."""
    if first_annotation(fn) is None:
        return fn(standin.XarrayDataCube(cube), **with_context(fn, context))
    return datacube(fn, cube, context, data)


def timeseries(fn: Callable[..., Any], cube: xr.DataArray, context: Any, _: Any) -> xr.DataArray:
    """`apply_timeseries(series, context)`: a pandas series in time for each cell, as long when it comes out."""
    times = [d for d in cube.dims if d in cube.coords and cube.coords[d].dtype.kind == "M"]
    if len(times) != 1:
        raise NoUdf(
            f"apply_timeseries needs one dimension of times; the cube has {', '.join(map(str, cube.dims))}"
        )
    rows = cube.transpose(..., times[0])
    index = pd.DatetimeIndex(rows.coords[times[0]].values)
    given = rows.values.reshape(-1, len(index))
    made = [np.asarray(fn(pd.Series(row, index=index), **with_context(fn, context))) for row in given]
    return rows.copy(data=np.asarray(made).reshape(rows.shape)).transpose(*cube.dims)


def udf_data(fn: Callable[..., Any], cube: xr.DataArray, context: Any, data: Any) -> Any:
    """`apply_udf_data(data)`: changes what it is given, in place."""
    annotation = first_annotation(fn)
    maker: Any = annotation if isinstance(annotation, type) else standin.UdfData
    module = __import__(
        maker.__module__, fromlist=["*"]
    )  # the classes beside it, of the client or the stand-in
    bare = not isinstance(data, xr.DataArray)
    lists = (
        {"structured_data_list": [getattr(module, "StructuredData", standin.StructuredData)(data)]}
        if bare
        else {}
    )
    wrapped = getattr(module, "XarrayDataCube", standin.XarrayDataCube)(cube)
    before = copy.deepcopy(data) if bare else None
    everything = maker(datacube_list=[wrapped], user_context=context, **lists)
    returned = fn(everything)
    everything = returned if hasattr(returned, "get_datacube_list") else everything
    if bare:
        values = [s.data for s in everything.get_structured_data_list() or ()]
        if values and (values[0] is not data or values[0] != before):
            return values[0]
    cubes: list[Any] = everything.get_datacube_list() or []
    if len(cubes) != 1:
        raise NoUdf(f"it left {len(cubes)} cubes in the UdfData; one is needed")
    return cubes[0]


def takes_udf_data(fn: Callable[..., Any]) -> bool:
    """Is this a function of one `UdfData`, whatever its name?"""
    return len(inspect.signature(fn).parameters) == 1 and named(first_annotation(fn)) == "UdfData"


def vectorcube(fn: Callable[..., Any], cube: xr.DataArray, context: Any, _: Any) -> Any:
    """`apply_vectorcube(geometries, cube, context)`: the geometries as a geopandas frame, numbered in the cube."""
    try:
        import geopandas
    except ImportError:
        raise NoUdf("apply_vectorcube needs geopandas, which is not installed here") from None
    dims = [d for d in cube.dims if d in cube.coords and cube.coords[d].attrs.get("type") == "geometry"]
    if len(dims) != 1:
        raise NoUdf("apply_vectorcube needs a vector cube")
    coord = cube.coords[dims[0]]
    properties = {n: c.values for n, c in cube.coords.items() if c.dims == coord.dims and n != dims[0]}
    frame = geopandas.GeoDataFrame(properties, geometry=coord.values, crs=coord.attrs.get("crs"))
    numbered = cube.drop_vars([n for n, c in cube.coords.items() if dims[0] in c.dims])
    numbered = numbered.assign_coords({dims[0]: np.arange(len(coord))})
    shapes, result = fn(frame, numbered, **with_context(fn, context))
    if len(shapes) != len(frame) or not shapes.geometry.geom_equals(frame.geometry).all():
        raise NoUdf("it changed the geometries; only values may change")
    return result.drop_vars(dims[0], errors="ignore") if hasattr(result, "drop_vars") else result


WAYS = {
    "apply_datacube": datacube,
    "apply_hypercube": hypercube,
    "apply_timeseries": timeseries,
    "apply_vectorcube": vectorcube,
    "apply_udf_data": udf_data,
}
"""Functions that are looked for, in this order."""
