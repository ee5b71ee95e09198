"""From vector cubes to trained forests: samples are gathered and checked, scikit-learn is called, its trees taken."""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np
import shapely
import xarray as xr

from processes.cubes import axes, shapes
from processes.cubes.cells import Coding
from processes.errors import ProcessParameterInvalid
from processes.kernels.forest import LEAF, Forest
from processes.kernels.trained import Feature, Model
from processes.values import split

MAX_VALUES = 10_000_000
"""Training data with more predictors than this, and forests with more leaves, are refused."""


# ------------------------------------------------------------------------------------------- samples
def training_set(
    predictors: xr.DataArray, target: xr.DataArray
) -> tuple[np.ndarray, np.ndarray, tuple[Feature, ...]]:
    """Samples (geometry, feature) and what is wanted of each, without missing values; and what the features are."""
    rows = shapes.from_cube(predictors, "predictors")
    wanted = one_value(target, shapes.from_cube(target, "target").dim)
    same_geometries(rows, shapes.from_cube(target, "target"))
    others = [str(d) for d in predictors.dims if d != rows.dim]
    if not others:
        raise ProcessParameterInvalid(
            f"a dimension with the features is needed; the cube has {axes.listing(predictors)}",
            hint="Add one with add_dimension.",
            parameter="predictors",
        )
    if predictors.size > MAX_VALUES:
        raise ProcessParameterInvalid(
            f"there are {predictors.size} predictors ({axes.listing(predictors)}), at most {MAX_VALUES} are used",
            hint="Take fewer geometries, bands or dates.",
            parameter="predictors",
        )
    features = tuple(Feature(d, axes.kind(predictors, d), texts(axes.labels(predictors, d))) for d in others)
    cells = predictors.transpose(rows.dim, *others)
    data, null = split(Coding.of(cells).decode(np.asarray(cells.data)))
    samples = np.where(null, np.nan, data).astype(np.float32).reshape(len(rows.coord), -1)
    given, unknown = split(Coding.of(wanted).decode(np.asarray(wanted.data)))
    keep = np.isfinite(samples).all(axis=1) & ~np.broadcast_to(unknown, given.shape)
    if not keep.any():
        raise ProcessParameterInvalid(
            f"none of the {len(keep)} geometries has a target and all {samples.shape[1]} predictors",
            hint="Fill gaps first, e.g. with apply and if.",
            parameter="predictors",
        )
    return samples[keep], tidy(given[keep]), features


def one_value(target: xr.DataArray, dim: str) -> xr.DataArray:
    """The target with its geometries alone."""
    wide = [d for d in target.dims if d != dim and target.sizes[d] != 1]
    if wide:
        raise ProcessParameterInvalid(
            f"one value for each geometry is needed; the cube has {axes.listing(target)}",
            hint=f"Keep one label of {wide[0]!r} with filter_labels.",
            parameter="target",
        )
    return target.isel({d: 0 for d in target.dims if d != dim}, drop=True)


def same_geometries(one: shapes.Geometries, other: shapes.Geometries) -> None:
    """Refuse targets whose geometries are not those of the predictors, in the same order."""
    if len(one.coord) == len(other.coord):
        same = shapely.equals_identical(one.coord, other.coord)
        if same.all() and one.crs == other.crs:
            return
        what = f"{np.count_nonzero(~same)} of {len(same)} differ" if not same.all() else "their CRS differ"
    else:
        what = f"there are {len(one.coord)} and {len(other.coord)}"
    raise ProcessParameterInvalid(
        f"the geometries of predictors and target are not the same: {what}",
        hint="Make the predictors with aggregate_spatial from the geometries of the target.",
        parameter="target",
    )


def tidy(values: np.ndarray) -> np.ndarray:
    """Targets of one kind as such: numbers, texts or booleans."""
    if values.dtype.kind != "O":
        return values
    kinds = {type(v) for v in values.tolist()}
    if kinds in ({str}, {bool}, {int}):
        return np.array(values.tolist())
    if kinds <= {int, float}:
        return values.astype(np.float64)
    names = ", ".join(sorted(k.__name__ for k in kinds))
    raise ProcessParameterInvalid(f"the values are of different kinds: {names}", parameter="target")


def texts(labels: Sequence[Any]) -> tuple[str, ...]:
    """Labels as texts."""
    return tuple(map(str, labels))


# ------------------------------------------------------------------------------------------------ forests
def trained(
    kind: str, samples: np.ndarray, wanted: np.ndarray, max_variables: Any, num_trees: int, seed: int | None
) -> Any:
    """A forest of scikit-learn, trained."""
    if len(samples) * num_trees > MAX_VALUES:
        raise ProcessParameterInvalid(
            f"{num_trees} trees for {len(samples)} geometries may have {len(samples) * num_trees} leaves, at most "
            f"{MAX_VALUES} are kept",
            hint="Take fewer trees or fewer geometries.",
            parameter="num_trees",
        )
    if seed is not None and not 0 <= seed < 2**32:
        raise ProcessParameterInvalid(
            f"the seed has to be from 0 to {2**32 - 1}, it is {seed}", parameter="seed"
        )
    try:
        ensemble = import_module("sklearn.ensemble")
    except ModuleNotFoundError:
        raise ProcessParameterInvalid(
            "training needs scikit-learn, which is not installed",
            hint="Install it with: pip install geodatacube[ml]",
        ) from None
    estimator = getattr(ensemble, kind)(
        n_estimators=num_trees,
        max_features=tried(max_variables, samples.shape[1]),
        random_state=seed,
    )
    return estimator.fit(samples, wanted)


def tried(max_variables: Any, count: int) -> int | str | None:
    """How many features are tried at a split, as scikit-learn writes it."""
    named = {"all": count, "onethird": max(count // 3, 1), "sqrt": max(math.isqrt(count), 1),
             "log2": max(int(math.log2(count)), 1)}  # fmt: skip
    number = named.get(max_variables, max_variables) if isinstance(max_variables, str) else max_variables
    if isinstance(number, (str, bool)) or not 1 <= number <= count:
        raise ProcessParameterInvalid(
            f"a number from 1 to {count}, as many as there are features, or one of {', '.join(named)} is needed, not "
            f"{max_variables!r}",
            parameter="max_variables",
        )
    return int(number)


def as_model(
    estimator: Any,
    features: tuple[Feature, ...],
    classes: tuple[Any, ...],
    variables: Any,
    count: int,
    seed: Any,
) -> Model:
    """A trained forest as plain arrays."""
    trees = [tree.tree_ for tree in estimator.estimators_]
    roots = np.cumsum([0, *(t.node_count for t in trees)])[:-1].astype(np.int64)

    def moved(children: str) -> np.ndarray:
        parts = [getattr(t, children) for t in trees]
        return np.concatenate([np.where(p == LEAF, LEAF, p + r) for p, r in zip(parts, roots, strict=True)])

    forest = Forest(
        roots,
        moved("children_left").astype(np.int32),
        moved("children_right").astype(np.int32),
        np.concatenate([t.feature for t in trees]).astype(np.int32),
        np.concatenate([t.threshold for t in trees]).astype(np.float64),
        np.concatenate([t.value[:, 0, :] for t in trees]).astype(np.float64),
    )
    version = str(import_module("sklearn").__version__)
    settings = {"max_variables": variables, "num_trees": count, "seed": seed}
    return Model(forest, features, classes, f"scikit-learn {version}", settings)
