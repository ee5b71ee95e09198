"""Describes a trained model as a STAC item, in the fields of the machine learning model extension (mlm)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from processes.kernels.trained import Model

EXTENSIONS = (
    "https://stac-extensions.github.io/mlm/v1.4.0/schema.json",
    "https://stac-extensions.github.io/classification/v2.0.0/schema.json",
    "https://stac-extensions.github.io/file/v2.1.0/schema.json",
)
Json = dict[str, Any]


def described(
    model: Model, name: str, tasks: Sequence[str], href: str, content: bytes, now: datetime
) -> Json:
    """The STAC item of a model whose file is `content`, at `href`."""
    moment = now.isoformat(timespec="seconds").replace("+00:00", "Z")
    bands = [label for f in model.features if f.kind == "bands" for label in f.labels]
    properties: Json = {
        "datetime": moment,
        "created": moment,
        "mlm:name": name,
        "mlm:architecture": "Random Forest",
        "mlm:tasks": list(dict.fromkeys(tasks)),
        **framework(model),
        "mlm:total_parameters": model.forest.nodes,
        "mlm:input": [input_of(model, bands)],
        "mlm:output": [output_of(model)],
    }
    if given := {k: v for k, v in model.settings.items() if v is not None}:
        properties["mlm:hyperparameters"] = given
    if bands:
        properties["bands"] = [{"name": band} for band in bands]
    asset = {
        "href": href,
        "type": "application/zip",
        "title": "Decision trees as plain arrays",
        "roles": ["mlm:model"],
        "mlm:artifact_type": "geodatacube-forest",
        "file:size": len(content),
        "file:checksum": "1220" + hashlib.sha256(content).hexdigest(),
    }
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": list(EXTENSIONS if model.classes else (EXTENSIONS[0], EXTENSIONS[2])),
        "id": name,
        "geometry": None,
        "properties": properties,
        "links": [],
        "assets": {"model": asset},
    }


def framework(model: Model) -> Json:
    """What trained the model."""
    name, _, version = model.framework.partition(" ")
    known = {"mlm:framework": name or "unknown"}
    return known | ({"mlm:framework_version": version} if re.fullmatch(r"\d+\.\d+\.\d+", version) else {})


def input_of(model: Model, bands: Sequence[str]) -> Json:
    """What the model wants: samples of numbers."""
    return {
        "name": model.named,
        "bands": list(bands),
        "input": {"shape": [-1, model.size], "dim_order": ["batch", "feature"], "data_type": "float32"},
    }


def output_of(model: Model) -> Json:
    """What the model gives: a class or a number for each sample."""
    kinds = {bool: "uint8", int: "int64", str: "other"}
    kind = kinds[type(model.classes[0])] if model.classes else "float64"
    out: Json = {
        "name": "predictions",
        "tasks": [model.task],
        "result": {"shape": [-1, 1], "dim_order": ["batch", "prediction"], "data_type": kind},
    }
    if model.classes:
        out["classification:classes"] = [class_of(i, c) for i, c in enumerate(model.classes)]
    return out


def class_of(index: int, label: Any) -> Json:
    """One class: integers stand for themselves, others for their place."""
    value = label if isinstance(label, int) else index
    text = str(label)
    name = text if re.fullmatch(r"[0-9A-Za-z_-]+", text) else f"class-{index}"
    return {"value": int(value), "name": name, "description": text}
