"""Trained models over cubes: features are gathered, missing ones marked, predictions stored."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from processes.cubes import axes
from processes.cubes.cells import LOGICAL_NODATA, Coding, blockwise, onto, rebuilt
from processes.errors import ProcessParameterInvalid, TargetDimensionExists
from processes.kernels.trained import Feature, Model
from processes.types import DimensionName
from processes.values import Labeled, Masked, join, split, values_of

PREDICTIONS = "predictions"
"""The dimension of what a model gives."""


def over_cube(data: xr.DataArray, model: Model, dimensions: Sequence[DimensionName]) -> xr.DataArray:
    """The predictions of a model for every place of a cube."""
    gone = [axes.require(data, d, "dimensions") for d in dimensions]
    if len(set(gone)) < len(gone):
        raise ProcessParameterInvalid(f"a dimension is named twice: {gone}", parameter="dimensions")
    if PREDICTIONS in data.dims and PREDICTIONS not in gone:
        raise TargetDimensionExists(f"the cube has {axes.listing(data)}", parameter="data")
    order, data = arranged(data, model.features, gone)
    before = tuple(map(str, data.dims))
    first = min((before.index(d) for d in order), default=len(before))
    dims = (*before[:first], PREDICTIONS, *(d for d in before[first:] if d not in order))
    after = coding_of(model)
    run = Predicted(model, before, order, dims, Coding.of(data), after)
    old = {PREDICTIONS: "features"} if PREDICTIONS in order else {}
    if old:
        run = run.renamed(old)
    array = blockwise(run, dims, data.rename(old), dtype=after.dtype, sizes={PREDICTIONS: 1})
    coord = (PREDICTIONS, np.array([0]), {"type": "other"})
    return rebuilt(data, array, dims, after, **{PREDICTIONS: coord})


def over_array(data: Any, model: Model) -> Any:
    """The prediction for an array of features along its first axis, for all cells at once."""
    values, null = split(values_of(data))
    if np.ndim(values) == 0 or len(values) != model.size:
        given = "none" if np.ndim(values) == 0 else len(values)
        raise ProcessParameterInvalid(
            f"the model wants {model.size} features ({model.named}), there are {given}", parameter="data"
        )
    if isinstance(data, Labeled) and len(model.features) == 1:
        place = places(tuple(map(str, data.labels)), model.features[0], model.features[0].kind)
        values, null = values[place], np.broadcast_to(null, np.shape(values))[place]
    found, missing = predicted(model, values, np.broadcast_to(null, np.shape(values)))
    return Masked(found, missing) if found.dtype.kind != "f" else join(found, missing, data)


def arranged(
    data: xr.DataArray, features: Sequence[Feature], gone: Sequence[str]
) -> tuple[tuple[str, ...], xr.DataArray]:
    """The dimensions of the features in the model's order, and the cube with their labels in the model's order."""
    if not gone and math.prod(len(f.labels) for f in features) == 1:
        return (), data
    if len(gone) != len(features):
        raise ProcessParameterInvalid(
            f"the model was trained on features along {len(features)} dimensions ({words(features)}), "
            f"{len(gone)} are named: {', '.join(gone) or 'none'}",
            parameter="dimensions",
        )
    names = [f.dimension for f in features]
    order = tuple(names) if set(names) == set(gone) else tuple(gone)
    for dim, feature in zip(order, features, strict=True):
        labels = tuple(map(str, axes.labels(data, dim)))
        place = places(labels, feature, axes.kind(data, dim), dim)
        if not np.array_equal(place, np.arange(len(labels))):
            data = data.isel({dim: place})
    return order, data


def places(labels: tuple[str, ...], feature: Feature, kind: str, dim: str | None = None) -> np.ndarray:
    """Where along a dimension each label of the model is: by name for bands, else by name where all are there."""
    named = f"along {dim!r}" if dim is not None else "in the array"
    if set(labels) == set(feature.labels) and len(labels) == len(feature.labels) == len(set(labels)):
        return np.array([labels.index(label) for label in feature.labels])
    if len(labels) == len(feature.labels) and "bands" not in (kind, feature.kind):
        return np.arange(len(labels))
    raise ProcessParameterInvalid(
        f"the model was trained on {', '.join(feature.labels)} along {feature.dimension!r}; there is "
        f"{', '.join(labels) or 'nothing'} {named}",
        hint="Choose the same ones with filter_bands or filter_labels, or give them the same names with "
        "rename_labels.",
        parameter="data",
    )


def words(features: Sequence[Feature]) -> str:
    """The dimensions that a model was trained on, in a sentence."""
    return ", ".join(f"{f.dimension}: {len(f.labels)}" for f in features)


def coding_of(model: Model) -> Coding:
    """How the predictions of a model are stored, with room for no-data."""
    classes = model.classes
    if not classes:
        return Coding(np.dtype(np.float64))
    if isinstance(classes[0], bool):
        return Coding(np.dtype(np.uint8), LOGICAL_NODATA, logical=True)
    if isinstance(classes[0], str):
        return Coding(np.dtype(object))
    if min(classes) >= 0 and max(classes) < 255:
        return Coding(np.dtype(np.uint8), 255)
    dtype: Any = np.dtype(np.int32 if min(classes) > -(2**31) and max(classes) < 2**31 else np.int64)
    return Coding(dtype, int(np.iinfo(dtype).min))


def predicted(model: Model, values: Any, null: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Predictions for features (feature, *cells), and where one is missing."""
    samples = np.asarray(values).astype(np.float32).reshape(len(values), -1)
    missing = (null.reshape(len(values), -1) | ~np.isfinite(samples)).any(axis=0)
    found = np.zeros(missing.shape, dtype=object if model.classes else np.float64)
    given = model.forest.predict(samples[:, ~missing])
    if model.classes:
        classes = np.array(model.classes, dtype=object if isinstance(model.classes[0], str) else None)
        found = np.full(missing.shape, classes[0], dtype=classes.dtype)
        found[~missing] = classes[given.argmax(axis=0)]
    else:
        found[~missing] = given[0]
    cells = np.shape(values)[1:]
    return found.reshape(cells), missing.reshape(cells)


@dataclass(frozen=True)
class Predicted:
    """A model, as a function of stored blocks that hold all features of their places."""

    model: Model
    dims: tuple[str, ...]
    """Dimensions of the blocks."""
    features: tuple[str, ...]
    """Those of the features, in the model's order."""
    out_dims: tuple[str, ...]
    before: Coding
    after: Coding

    def renamed(self, names: dict[str, str]) -> Predicted:
        """The same for blocks whose dimensions are called otherwise."""
        dims, features = (tuple(names.get(d, d) for d in given) for given in (self.dims, self.features))
        return Predicted(self.model, dims, features, self.out_dims, self.before, self.after)

    def __call__(self, block: np.ndarray) -> np.ndarray:
        stored = onto(block, self.dims, (*self.features, *self.out_dims))
        values, null = split(self.before.decode(stored))
        cells = stored.shape[len(self.features) :]
        count = math.prod(stored.shape[: len(self.features)])
        found, missing = predicted(
            self.model,
            np.reshape(values, (count, *cells)),
            np.broadcast_to(null, stored.shape).reshape(count, *cells),
        )
        return self.after.encode(Masked(found, missing), cells)
