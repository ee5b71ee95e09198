"""Where user code comes from, and whether this Python is the one that it asks for."""

from __future__ import annotations

import platform
import sys
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

from engine.errors import Problem
from engine.execute.inputs import inside
from engine.http import Client, Failure, egress_of
from engine.settings import Settings
from processes.errors import FileNotFound, InvalidRuntime, InvalidVersion

RUNTIME = "Python"
CODE_LIMIT = 2**20
"""Longest code, in bytes."""


def code_of(udf: str, settings: Settings) -> str:
    """The code: `udf` itself (it has a line break), or what is found at that URL or path."""
    if "\n" in udf or "\r" in udf:
        return fitting(udf, "the code")
    if udf.startswith(("http://", "https://")):
        return fitting(fetched(udf, settings), udf)
    with file_of(udf, settings).open("rb") as file:
        return fitting(file.read(CODE_LIMIT + 1).decode(errors="replace"), udf)


def file_of(path: str, settings: Settings) -> Path:
    """A file of the user's folder, else one of this machine where graphs may read these."""
    with suppress(FileNotFound):
        return inside(settings.home / "files", path)
    if settings.local_files and Path(path).is_file():
        return Path(path)
    raise FileNotFound(
        f"there is no file {path!r}",
        hint="Give the path of an uploaded file; code that stands in the graph itself has at least one line break.",
        parameter="udf",
    )


def fetched(url: str, settings: Settings) -> str:
    """The text at a URL."""
    try:
        with Client(egress_of(settings)) as client:
            return client.fetch(url, cap=CODE_LIMIT, within=60.0).body.decode(errors="replace")
    except Failure as failure:
        raise failure.problem("udf") from None


def fitting(code: str, source: str) -> str:
    """Code of a size that is meant."""
    if len(code.encode()) <= CODE_LIMIT:
        return code
    raise Problem(
        "ProcessParameterInvalid",
        f"{source} is longer than {CODE_LIMIT} bytes",
        hint="Give data through `data` or `context`.",
        facts={"parameter": "udf"},
    )


def runtimes() -> dict[str, Any]:
    """The runtimes as openEO's `GET /udf_runtimes` lists them."""
    libraries = {name: {"version": version(name)} for name in ("numpy", "pandas", "xarray")}
    here = platform.python_version()
    return {
        RUNTIME: {
            "title": "Python",
            "description": "Functions on xarray data arrays, named as the openEO UDF library has them.",
            "type": "language",
            "default": here,
            "versions": {here: {"libraries": libraries}},
        }
    }


def check_runtime(runtime: str, version: str | None) -> None:
    """Is this the runtime and the version that are here?"""
    if runtime.lower() != RUNTIME.lower():
        raise InvalidRuntime(f"there is no runtime {runtime!r}; there is {RUNTIME}", parameter="runtime")
    here = platform.python_version()
    known = (str(sys.version_info.major), f"{sys.version_info.major}.{sys.version_info.minor}", here)
    if version is not None and version not in known:
        raise InvalidVersion(
            f"there is no version {version!r} of {RUNTIME}; there is {here}",
            hint=f"Leave it out, or write {' or '.join(map(repr, known))}.",
            parameter="version",
        )
