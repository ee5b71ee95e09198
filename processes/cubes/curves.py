"""Curves: fitted to series of values, and evaluated again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

import numpy as np
import xarray as xr

from processes.cubes import axes
from processes.cubes.cells import Coding, blockwise, onto, rebuilt
from processes.errors import ProcessParameterInvalid
from processes.kernels.least_squares import fit
from processes.mixing import along
from processes.registry import process
from processes.types import Cube, DimensionName, Number, Real, Schema
from processes.values import Labeled, join, split, values_of

_REALS = {"type": "array", "minItems": 1, "items": {"type": "number"}}
_DATE = {"type": "string", "format": "date", "subtype": "date"}
_TIME = {"type": "string", "format": "date-time", "subtype": "date-time"}

LabeledNumbers = Annotated[
    Any, Schema({"type": "array", "subtype": "labeled-array", "items": {"type": "number"}})
]
Parameters = Annotated[Any, Schema(_REALS)]
"""At least one number."""
NewLabels = Annotated[
    Sequence[Any] | None,
    Schema(
        [
            {"type": "null"},
            {"type": "array", "uniqueItems": True, "items": {"anyOf": [{"type": "number"}, _DATE, _TIME]}},
        ]
    ),
]


class Curve(Protocol):
    """A model function, for fitting."""

    def __call__(self, x: Number, parameters: Parameters) -> Real:
        """The value of the model.

        Args:
            x: Where it is evaluated: a label as a number.
            parameters: The parameters that are being tried.
        """
        ...


class KnownCurve(Protocol):
    """A model function whose parameters are known."""

    def __call__(self, x: Real, parameters: Parameters) -> Real:
        """The value of the model.

        Args:
            x: Where it is evaluated: a label as a number.
            parameters: The parameters of the model.
        """
        ...


@process("arrays", "math", experimental=True)
def fit_curve(
    data: LabeledNumbers, parameters: Parameters, function: Curve, ignore_nodata: bool = True
) -> Parameters:
    """Find the parameters with which a function runs closest to the values

    Closest is where the sum of the squared differences is least. The labels of the array are `x`, its values what
    the function is to give there. Times become seconds since 1970-01-01T00:00:00Z, so that a year is 31557600 on
    average. Where the function is linear in its parameters, the result is exact and `parameters` matter by their
    number alone; otherwise the search starts from them and finds the lowest point nearby.

    Args:
        data: The values, labelled with numbers or times.
        parameters: As many numbers as the function has parameters: where the search starts.
        function: What is fitted.
        ignore_nodata: Leave out no-data; if `false`, a series with no-data gives no-data.

    Returns:
        The best parameters; no-data for series that have fewer values than there are parameters, or whose search
        comes to no end.
    """
    if not isinstance(data, Labeled):
        raise ProcessParameterInvalid(
            "the array has no labels, which are where the function is evaluated",
            hint="Fit along a dimension with apply_dimension, or label the values with array_create_labeled.",
            parameter="data",
        )
    values, null = split(data)
    values = as_floats(values, null)
    cells = values.shape[1:]
    begin = starting(parameters, cells)
    valid = ~np.broadcast_to(null, values.shape) if ignore_nodata else np.ones(values.shape, dtype=bool)
    model = OverCells(function, label_numbers(data.labels, "data"))
    count = math.prod(cells)  # not -1, which says nothing where there are no values
    found = fit(
        model,
        values.reshape(len(values), count),
        valid.reshape(len(values), count),
        begin.reshape(len(begin), count),
    )
    found = found.reshape(len(begin), *cells)
    return join(found, np.isnan(found), data)


@process("cubes", "math", experimental=True, mixes=along(argument="dimension").over("parameters"))
def predict_curve(
    parameters: Cube, function: KnownCurve, dimension: DimensionName, labels: NewLabels = None
) -> Cube:
    """Evaluate a function at labels of a dimension

    The parameters stand along the dimension itself, where the cube has it and labels are given; else along the one
    dimension of type `other`. Times become seconds since 1970-01-01T00:00:00Z, as in `fit_curve`.

    Args:
        parameters: A cube with the parameters of the function for each place, e.g. found by `fit_curve`.
        function: What is evaluated.
        dimension: Name of the dimension that the values stand along.
        labels: Numbers, or dates and times, to evaluate the function at; `null` for the labels that the cube has
            along the dimension.

    Returns:
        The cube with the values along the dimension in place of the parameters; no-data where a parameter is
        no-data.
    """
    source = parameter_dimension(parameters, dimension, labels is not None)
    if labels is None:
        dims = tuple(str(d) for d in parameters.dims if d != source)
        coord = parameters.coords[dimension].variable
        numbers = label_numbers(axes.labels(parameters, dimension), "parameters")
    else:
        dims = tuple(dimension if d == source else str(d) for d in parameters.dims)
        coord = new_coordinate(parameters, dimension, labels)
        numbers = label_numbers(
            axes.labels(xr.DataArray(coord, coords={dimension: coord}), dimension), "labels"
        )
    run = Evaluated(
        function, tuple(map(str, parameters.dims)), source, dims, dimension, Coding.of(parameters)
    )
    x = xr.DataArray(numbers, dims=(dimension,))
    given = parameters
    if labels is not None and source == dimension:
        run, given = run.renamed(), parameters.rename({dimension: OLD})
    array = blockwise(run, dims, given, x, dtype=np.float64)
    return rebuilt(parameters, array, dims, Coding(np.dtype(np.float64)), **{dimension: coord})


OLD = "parameters of the curve"
"""What the dimension of the parameters is called while its name is taken by the new one."""


def parameter_dimension(cube: xr.DataArray, dimension: str, new_labels: bool) -> str:
    """The dimension that the parameters stand along."""
    if new_labels and dimension in cube.dims:
        return dimension
    others = [d for d in axes.of_kind(cube, "other") if d != dimension]
    if not new_labels and dimension not in cube.dims:
        raise ProcessParameterInvalid(
            f"there are no labels to predict for: none are given, and the cube has no dimension {dimension!r}; "
            f"it has {axes.listing(cube)}",
            hint='Give them, e.g. ["2022-06-01", "2022-07-01"].',
            parameter="labels",
        )
    if len(others) == 1:
        return others[0]
    raise ProcessParameterInvalid(
        f"the parameters have to stand along {dimension!r}, with labels to predict for, or along one dimension of "
        f"type other; the cube has {axes.listing(cube)}",
        hint="Fit with apply_dimension, along the dimension or into a target_dimension.",
        parameter="parameters" if new_labels else "labels",
    )


def new_coordinate(cube: xr.DataArray, dimension: str, labels: Sequence[Any]) -> xr.Variable:
    """The labels as a coordinate: numbers in the order given, times sorted."""
    texts = [isinstance(label, str) for label in labels]
    if not labels or (any(texts) and not all(texts)):
        raise ProcessParameterInvalid(
            f"labels have to be all numbers or all times, and at least one; they are {list(labels)}",
            parameter="labels",
        )
    if any(label is None or isinstance(label, bool) for label in labels):
        raise ProcessParameterInvalid(f"labels are numbers or times, not {list(labels)}", parameter="labels")
    kept = {
        k: v
        for k, v in (cube.coords[dimension].attrs if dimension in cube.coords else {}).items()
        if k != "type"
    }
    if all(texts):
        seconds = np.sort(label_numbers(labels, "labels"))
        values: Any = np.datetime64(0, "ns") + np.round(seconds * 1e6).astype("timedelta64[us]")
        attrs = {**kept, "type": "temporal"}
    else:
        values = np.asarray(labels)
        known = axes.kind(cube, dimension) if dimension in cube.dims else "other"
        attrs = {**kept, "type": "other" if known == "temporal" else known}
    if len(np.unique(values)) < len(values):
        raise ProcessParameterInvalid(f"some labels are the same: {list(labels)}", parameter="labels")
    return xr.Variable((dimension,), values, attrs)


def label_numbers(labels: Sequence[Any], parameter: str) -> np.ndarray:
    """Labels as numbers: times are seconds since 1970-01-01T00:00:00Z."""
    return np.array([label_number(label, parameter) for label in labels], dtype=np.float64)


def label_number(label: Any, parameter: str) -> float:
    """One label as a number."""
    if isinstance(label, (int, float, np.number)) and not isinstance(label, bool):
        return float(label)
    time = axes.moment(label) if label is not None else None
    if time is None:
        raise ProcessParameterInvalid(
            f"the label {label!r} is neither a number nor a time, so that no curve runs through it",
            hint="Rename the labels to numbers or dates with rename_labels.",
            parameter=parameter,
        )
    return time.timestamp()


def as_floats(values: Any, null: Any) -> np.ndarray:
    """Values of any type as floats, NaN for null."""
    data = np.where(null, np.nan, values)
    try:
        return data.astype(np.float64)
    except (TypeError, ValueError):
        raise ProcessParameterInvalid("curves run through numbers only", parameter="data") from None


def starting(parameters: Any, cells: tuple[int, ...]) -> np.ndarray:
    """Where the search starts, (parameter, *cells)."""
    given, null = split(values_of(parameters))
    begin = as_floats(given, null)
    if begin.ndim == 0 or not len(begin):
        raise ProcessParameterInvalid(
            "at least one parameter is needed",
            hint="Give a number for each parameter of the function.",
            parameter="parameters",
        )
    return np.broadcast_to(
        begin.reshape(begin.shape + (1,) * (len(cells) + 1 - begin.ndim)), (len(begin), *cells)
    )


@dataclass(frozen=True)
class OverCells:
    """A model function at all labels for many sets of parameters: (p, m) -> (n, m)."""

    function: Curve
    x: np.ndarray
    """The labels as numbers, (n,)."""

    def __call__(self, parameters: np.ndarray) -> np.ndarray:
        result = self.function(x=self.x[:, None], parameters=parameters[:, None, :])
        data, null = split(result)
        shape = (len(self.x), parameters.shape[1])
        try:
            return np.broadcast_to(as_floats(data, null), shape)
        except ValueError:
            raise ProcessParameterInvalid(
                f"the function gives an array of the shape {np.shape(data)} where one number is needed",
                hint="It has to compute one value of x and of single elements of parameters.",
                parameter="function",
            ) from None


@dataclass(frozen=True)
class Evaluated:
    """A model function with known parameters, as a function of their blocks and of the labels as numbers."""

    function: KnownCurve
    dims: tuple[str, ...]
    """Dimensions of the blocks."""
    source: str
    """Which of them the parameters stand along."""
    out_dims: tuple[str, ...]
    target: str
    """The dimension of the labels."""
    coding: Coding

    def renamed(self) -> Evaluated:
        """The same for parameters along a dimension that has made room for the new one."""
        dims = tuple(OLD if d == self.source else d for d in self.dims)
        return Evaluated(self.function, dims, OLD, self.out_dims, self.target, self.coding)

    def __call__(self, block: np.ndarray, x: np.ndarray) -> np.ndarray:
        stored = onto(block, self.dims, (self.source, *self.out_dims))
        data, null = split(self.coding.decode(stored))
        known = as_floats(data, null)
        places = onto(x, (self.target,), self.out_dims)
        result, unknown = split(self.function(x=places, parameters=known))
        missing = np.isnan(known).any(axis=0) | unknown
        shape = np.broadcast_shapes(known.shape[1:], places.shape)
        return np.where(missing, np.nan, np.broadcast_to(as_floats(result, unknown), shape)).astype(
            np.float64
        )
