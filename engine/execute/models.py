"""Keeps trained models: plain arrays in one file, described by a STAC item beside it; reads them from anywhere.

A model's file is a zip of `.npy` arrays and a `model.json`. Nothing in it is ever run or unpickled, its sizes are
known before memory is taken, and its trees are checked before they are walked.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import time
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from engine.catalog.documents import is_remote, local_path, resolved, shown
from engine.errors import Problem
from engine.execute.inputs import inside
from engine.execute.mlm import described
from engine.http import Client, egress_of
from engine.http.client import Failure
from engine.settings import Settings
from processes.errors import FileNotFound
from processes.kernels.forest import Forest, faults
from processes.kernels.trained import Feature, Model

FORMAT = "geodatacube-forest"
VERSION = 1
ARRAYS = ("roots", "left", "right", "feature", "threshold", "value")
ABOUT = "model.json"
ITEM = "item.json"
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,98}[A-Za-z0-9]")
"""Names of models; they are names of folders, too."""
MAX_BYTES = 2**30
"""Bytes of an unpacked model."""
MAX_ITEM = 4 * 2**20
"""Bytes of a STAC item."""
GRACE = 3600.0
"""Seconds for which a file stays after another one took its place: someone may be about to read it, or to name it."""
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The date of every entry of the zip, so that equal models are equal files."""
Json = dict[str, Any]


# ---------------------------------------------------------------------------------------------- keeping
def save(folder: Path, model: Model, name: str, tasks: Sequence[str]) -> Path:
    """Keep a model in the folder of all models; gives the path of its STAC item, which appears last."""
    if not NAME.fullmatch(name):
        raise Problem(
            "ProcessParameterInvalid",
            f"{name!r} is no name of a model",
            hint="Use 2 to 100 letters, digits, `_`, `-` and `.`, a letter first, a letter or digit last.",
        )
    content = packed(model)
    home = folder / name
    asset = home / f"{hashlib.sha256(content).hexdigest()[:16]}.npz"
    _put(asset, content)
    item = described(model, name, tasks or (model.task,), asset.name, content, datetime.now(UTC))
    _put(home / ITEM, json.dumps(item, indent=1, allow_nan=False).encode())
    for old in home.glob("*.npz"):
        with suppress(FileNotFoundError):
            if old != asset and old.stat().st_mtime < time.time() - GRACE:
                old.unlink()
    return home / ITEM


def packed(model: Model) -> bytes:
    """A model as the bytes of its file."""
    about = {
        "format": FORMAT,
        "version": VERSION,
        "features": [
            {"dimension": f.dimension, "kind": f.kind, "labels": list(f.labels)} for f in model.features
        ],
        "classes": list(model.classes),
        "framework": model.framework,
        "settings": dict(model.settings),
    }
    size = sum(getattr(model.forest, name).nbytes for name in ARRAYS)
    if size > MAX_BYTES:
        raise Problem(
            "FileSizeExceeded",
            f"the model has {size} bytes, at most {MAX_BYTES} are kept",
            hint="Train fewer trees, or with fewer geometries.",
        )
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(_entry(ABOUT), json.dumps(about, allow_nan=False))
        for name in ARRAYS:
            array = BytesIO()
            np.lib.format.write_array(array, getattr(model.forest, name), (1, 0), allow_pickle=False)
            file.writestr(_entry(f"{name}.npy"), array.getvalue())
    return out.getvalue()


def _entry(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def _put(target: Path, content: bytes) -> None:
    """Write a file all or nothing."""
    part = target.with_name(f".{target.name}.{secrets.token_hex(6)}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except OSError as cause:
        part.unlink(missing_ok=True)
        raise Problem("StorageFailure", f"the model cannot be written: {cause.strerror}") from cause


# ---------------------------------------------------------------------------------------------- finding
def load(uri: str, settings: Settings) -> Model:
    """The model that was kept under a name, or that the STAC item at a URL or path describes."""
    kept = settings.home / "models" / uri / ITEM
    if NAME.fullmatch(uri) and kept.is_file():
        start = str(kept)
    elif is_remote(uri):
        start = uri
    else:
        start = str(_file(uri, settings))
    with Client(egress_of(settings)) as client:
        try:
            item = json.loads(_read(start, client, MAX_ITEM))
        except (ValueError, RecursionError) as cause:
            raise Problem("FileContentInvalid", f"{shown(start)} is not JSON: {cause}") from cause
        href = resolved(model_href(item, start), start)
        return unpacked(_read(href, client, MAX_BYTES), href)


def _file(path: str, settings: Settings) -> Path:
    """A file of the user's folder, else one of this machine where graphs may read these."""
    with suppress(FileNotFound):
        return inside(settings.home / "files", path)
    if settings.local_files:
        return Path(local_path(path))
    raise Problem(
        "FileNotFound",
        f"there is no model {path!r}",
        hint="Give the name that a model was saved under, or the path of an uploaded STAC item.",
    )


def model_href(item: Any, start: str) -> str:
    """Where the file of the model is, of the item that describes it."""
    assets = item.get("assets") if isinstance(item, Mapping) else None
    for asset in assets.values() if isinstance(assets, Mapping) else ():
        if isinstance(asset, Mapping) and "mlm:model" in (asset.get("roles") or ()):
            href = asset.get("href")
            if isinstance(href, str) and href:
                return href
    raise Problem(
        "FileContentInvalid",
        f"{shown(start)} describes no model: it has no asset with the role mlm:model",
        hint="Give the STAC item of a model, as save_ml_model writes it.",
    )


def _read(href: str, client: Client, cap: int) -> bytes:
    """The bytes at an address or path."""
    if is_remote(href):
        try:
            return client.fetch(href, cap=cap).body
        except Failure as failure:
            raise failure.problem("uri") from failure
    path = Path(local_path(href))
    try:
        if path.stat().st_size > cap:
            raise Problem("FileSizeExceeded", f"{path} has more than the {cap} bytes that are read")
        return path.read_bytes()
    except FileNotFoundError as cause:
        raise Problem(
            "FileNotFound",
            f"there is no model and no file {path.name!r}",
            hint="Give the name that a model was saved under, or the address or path of its STAC item.",
        ) from cause
    except OSError as cause:
        raise Problem("FileContentInvalid", f"{path} cannot be read: {cause.strerror}") from cause


# ---------------------------------------------------------------------------------------------- reading
def unpacked(content: bytes, where: str) -> Model:
    """A model of the bytes of its file; `Problem` names what is wrong with them."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as file:
            wrong = list(_zip_faults(file))
            if wrong:
                raise ValueError("; ".join(wrong))
            about = json.loads(file.read(ABOUT))
            arrays = {name: _array(file.read(f"{name}.npy"), name) for name in ARRAYS}
        model = _model(about, Forest(**arrays))
        wrong = list(faults(model.forest, model.size, len(model.classes) or 1))
        if wrong:
            raise ValueError("; ".join(wrong))
    except (
        ValueError, TypeError, KeyError, RecursionError, EOFError, NotImplementedError, RuntimeError, SyntaxError,
        zipfile.BadZipFile, zlib.error,
    ) as cause:  # fmt: skip
        raise Problem(
            "FileContentInvalid",
            f"{shown(where)} is no model that can be used: {cause or type(cause).__name__}",
            hint="Save the model again with save_ml_model.",
        ) from cause
    return model


def _zip_faults(file: zipfile.ZipFile) -> Iterator[str]:
    """What is wrong with the entries, before any is unpacked."""
    expected = {ABOUT, *(f"{name}.npy" for name in ARRAYS)}
    names = [info.filename for info in file.infolist()]
    if sorted(names) != sorted(expected):
        yield f"it has the entries {', '.join(sorted(names)[:20]) or 'none'} and not {', '.join(sorted(expected))}"
    size = sum(info.file_size for info in file.infolist())
    if size > MAX_BYTES:
        yield f"it has {size} bytes unpacked, at most {MAX_BYTES} are read"
    words = sum(info.file_size for info in file.infolist() if info.filename == ABOUT)
    if words > MAX_ITEM:
        yield f"{ABOUT} has {words} bytes, at most {MAX_ITEM} are read"


def _array(content: bytes, name: str) -> np.ndarray:
    """An array of numbers in the `.npy` format, as long as it says."""
    stream = BytesIO(content)
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ValueError(f"{name} has an unknown version")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    if dtype.kind not in "fi" or dtype.fields is not None:
        raise ValueError(f"{name} holds {dtype} and not numbers")
    rest = content[stream.tell() :]
    count = 1
    for side in shape:
        count *= side
    if any(side < 0 for side in shape) or count * dtype.itemsize != len(rest):
        raise ValueError(f"{name} has {len(rest)} bytes, which do not make the shape {shape}")
    return np.frombuffer(rest, dtype=dtype).reshape(shape, order="F" if fortran else "C")


def _model(about: Any, forest: Forest) -> Model:
    """The model of its parts; ValueError where the words make no sense."""
    if not isinstance(about, Mapping) or (about.get("format"), about.get("version")) != (FORMAT, VERSION):
        raise ValueError(f"{ABOUT} does not say that this is {FORMAT} version {VERSION}")
    features = tuple(
        Feature(_text(f["dimension"]), _text(f["kind"]), tuple(map(_text, f["labels"])))
        for f in about["features"]
    )
    if not features or not all(f.labels for f in features):
        raise ValueError("it names no features")
    classes = tuple(about["classes"])
    kinds = {type(c) for c in classes}
    if len(kinds) > 1 or not kinds <= {bool, int, str} or len(set(classes)) < len(classes):
        raise ValueError("its classes are not different texts, integers or booleans")
    if kinds == {int} and not all(-(2**63) < c < 2**63 for c in classes):
        raise ValueError("some of its classes are too large")
    return Model(
        forest, features, classes, str(about.get("framework", "")), dict(about.get("settings") or {})
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no text")
    return value
