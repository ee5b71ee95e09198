"""Machine learning: random forests are trained on vector cubes and predict for cubes of any kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
import xarray as xr

from processes.cubes.predictions import over_array, over_cube
from processes.cubes.training import as_model, trained, training_set
from processes.errors import ProcessParameterInvalid
from processes.kernels.trained import Model
from processes.registry import process
from processes.types import Schema
from processes.world import World

TASKS = (
    "regression", "classification", "object-detection", "detection", "scene-classification", "segmentation",
    "semantic-segmentation", "similarity-search", "generative", "image-captioning", "super-resolution",
)  # fmt: skip
_GEOMETRY = {"type": "geometry"}


def _vectors(*others: str) -> Mapping[str, Any]:
    return {
        "type": "object",
        "subtype": "datacube",
        "dimensions": [_GEOMETRY, *({"type": kind} for kind in others)],
    }


Predictors = Annotated[xr.DataArray, Schema([_vectors("bands"), _vectors("other")])]
"""A vector cube with the features of each geometry."""
Target = Annotated[xr.DataArray, Schema(_vectors())]
"""A vector cube with one value for each geometry."""
MaxVariables = Annotated[
    int | str,
    Schema(
        [
            {"type": "integer", "minimum": 1},
            {"type": "string", "enum": ["all", "log2", "onethird", "sqrt"]},
        ]
    ),
]
TreeCount = Annotated[int, Schema({"type": "integer", "minimum": 1})]
Seed = Annotated[int | None, Schema({"type": ["integer", "null"]})]
ModelValue = Annotated[Any, Schema({"type": "object", "subtype": "ml-model"})]
ModelName = Annotated[str, Schema({"type": "string"})]
Tasks = Annotated[Sequence[str], Schema({"type": "array", "items": {"type": "string", "enum": list(TASKS)}})]
ModelOptions = Annotated[Mapping[str, Any], Schema({"type": "object", "additionalParameters": False})]
ModelPlace = Annotated[
    str,
    Schema(
        [
            {
                "title": "Address",
                "type": "string",
                "format": "uri",
                "subtype": "uri",
                "pattern": "^https?://",
            },
            {"title": "File", "type": "string", "subtype": "file-path", "pattern": "^[^\r\n\\:'\"]+$"},
        ]
    ),
]
AnyCube = Annotated[Any, Schema({"type": "object", "subtype": "datacube"})]
PredictionCube = Annotated[
    Any, Schema({"type": "object", "subtype": "datacube", "dimensions": [{"type": "other"}]})
]
DimensionNames = Annotated[Sequence[str], Schema({"type": "array", "items": {"type": "string"}})]


@process("machine learning")
def ml_fit_class_random_forest(
    predictors: Predictors,
    target: Target,
    max_variables: MaxVariables,
    num_trees: TreeCount = 100,
    seed: Seed = None,
) -> ModelValue:
    """Train a random forest that tells classes apart

    This is one of the few processes that compute when the graph is read: predictors and target are small, one
    row for each geometry. Geometries without a class or with a missing predictor are left out.

    Args:
        predictors: A vector cube with the features of each geometry, e.g. made by `aggregate_spatial`.
        target: A vector cube with the class of each geometry: integers, texts or booleans; the same geometries in
            the same order.
        max_variables: How many features are tried at each split: their number, `all`, or the logarithm (`log2`), a
            third (`onethird`) or the square root (`sqrt`) of how many there are.
        num_trees: Number of trees.
        seed: Start of the random numbers, for the same model each time; `null` for another one each time.

    Returns:
        The model.
    """
    samples, wanted, features = training_set(predictors, target)
    if wanted.dtype.kind == "f" and not (wanted == np.floor(wanted)).all():
        raise ProcessParameterInvalid(
            "the classes have to be integers, texts or booleans; some are fractions",
            hint="Use ml_fit_regr_random_forest for quantities.",
            parameter="target",
        )
    if wanted.dtype.kind == "f":
        wanted = wanted.astype(np.int64)
    estimator = trained("RandomForestClassifier", samples, wanted, max_variables, num_trees, seed)
    classes = tuple(estimator.classes_.tolist())
    return as_model(estimator, features, classes, max_variables, num_trees, seed)


@process("machine learning")
def ml_fit_regr_random_forest(
    predictors: Predictors,
    target: Target,
    max_variables: MaxVariables,
    num_trees: TreeCount = 100,
    seed: Seed = None,
) -> ModelValue:
    """Train a random forest that estimates a quantity

    This is one of the few processes that compute when the graph is read: predictors and target are small, one
    row for each geometry. Geometries without a value or with a missing predictor are left out.

    Args:
        predictors: A vector cube with the features of each geometry, e.g. made by `aggregate_spatial`.
        target: A vector cube with the quantity of each geometry; the same geometries in the same order.
        max_variables: How many features are tried at each split: their number, `all`, or the logarithm (`log2`), a
            third (`onethird`) or the square root (`sqrt`) of how many there are.
        num_trees: Number of trees.
        seed: Start of the random numbers, for the same model each time; `null` for another one each time.

    Returns:
        The model.
    """
    samples, wanted, features = training_set(predictors, target)
    if wanted.dtype.kind not in "fiu":
        raise ProcessParameterInvalid(
            "the quantities have to be numbers",
            hint="Use ml_fit_class_random_forest for classes.",
            parameter="target",
        )
    wanted = wanted.astype(np.float64)
    estimator = trained("RandomForestRegressor", samples, wanted, max_variables, num_trees, seed)
    return as_model(estimator, features, (), max_variables, num_trees, seed)


@process("machine learning")
def ml_predict(data: AnyCube, model: ModelValue, dimensions: DimensionNames) -> PredictionCube:
    """Predict with a trained model

    Features are found by the labels of bands, and by their place along other dimensions. In a child graph, `data`
    may be the array of features and `dimensions` is empty: then there is one prediction for it.

    Args:
        data: A cube with the features.
        model: The model.
        dimensions: Names of the dimensions along which the features stand; they are gone afterwards.

    Returns:
        The cube with the predictions along a dimension `predictions` with the one label 0; no-data where a feature
        is missing.
    """
    if not isinstance(model, Model):
        raise ProcessParameterInvalid(
            f"a model is needed, not {type(model).__name__}",
            hint="Train one with ml_fit_class_random_forest, or load one with load_ml_model.",
            parameter="model",
        )
    return over_cube(data, model, dimensions) if isinstance(data, xr.DataArray) else over_array(data, model)


@process("machine learning", "import", pure=False)
def save_ml_model(
    data: ModelValue,
    name: ModelName,
    tasks: Tasks,
    options: ModelOptions = {},  # noqa: B006
    *,
    world: World,
) -> bool:
    """Keep a model

    It is kept as plain arrays, which hold no code, with a STAC item beside them that describes it in the fields of
    the machine learning model extension (`mlm`).

    Args:
        data: The model.
        name: Its name: letters, digits, `_`, `-` and `.`; a model of the same name is replaced.
        tasks: What it can be used for.
        options: There are none.

    Returns:
        `true` once it is kept.
    """
    if options:
        raise ProcessParameterInvalid(f"there are no options, such as {sorted(options)}", parameter="options")
    if not isinstance(data, Model):
        raise ProcessParameterInvalid(f"a model is needed, not {type(data).__name__}", parameter="data")
    other = "regression" if data.classes else "classification"
    if other in tasks:
        raise ProcessParameterInvalid(
            f"the model is for {data.task}, it cannot be used for {other}", parameter="tasks"
        )
    world.save_model(data, name, tuple(tasks))
    return True


@process("machine learning", "import")
def load_ml_model(uri: ModelPlace, *, world: World) -> ModelValue:
    """Load a model that was kept

    Only plain arrays are read, and checked before they are used: a model from a stranger runs no code.

    Args:
        uri: The name that it was kept under, or the address or path of its STAC item.

    Returns:
        The model.
    """
    return world.load_model(uri)
