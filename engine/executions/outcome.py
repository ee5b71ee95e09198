"""What came of an execution: the values and the files of its outputs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import Problem
from engine.executions.model import Asked, Execution, is_folder
from engine.records import Results

Json = dict[str, Any]
JSON = "application/json"
LARGEST = 64 * 2**20
"""Bytes of a value that is put into a document."""


@dataclass(frozen=True, slots=True)
class Value:
    """A value of JSON."""

    value: Any


@dataclass(frozen=True, slots=True)
class Saved:
    """A file, or a folder that is one."""

    path: Path
    media_type: str


@dataclass(frozen=True, slots=True)
class Given:
    """An output that is there."""

    asked: Asked
    parts: tuple[Value | Saved, ...]
    """What it is made of: one part, or a file for each date."""
    file: Path
    """The file that it stands in, or the first of them."""

    @property
    def name(self) -> str:
        """Name of the output."""
        return self.asked.outlet.name


def outcome(execution: Execution, results: Results) -> tuple[Given, ...]:
    """The outputs that were asked for, in order; of those that nobody named, the ones that are there.

    Raises:
        Problem: One that was named is not there.
    """
    items = {item.removesuffix(".stac.json"): item for item in results.items}
    found = [given(asked, execution, results.folder, items) for asked in execution.outputs]
    return tuple(one for one in found if one is not None)


def given(asked: Asked, execution: Execution, folder: Path, items: Mapping[str, str]) -> Given | None:
    """One output; none where it was not named and is not there."""
    outlet = asked.outlet
    if outlet.stem not in items:
        raise Problem(
            "ProcessGraphInvalid",
            f"the process wrote no output {outlet.name!r}; it wrote {', '.join(items) or 'nothing'}",
            hint="Was it changed since it was executed?",
        )
    files = files_of(folder, items[outlet.stem])
    if any(file.path.is_dir() for file in files):
        raise is_folder(outlet, files[0].media_type)
    first = files[0].path
    if outlet.member is not None:
        whole = value_in(first)
        if outlet.member not in whole and not execution.is_chosen:
            return None
        return Given(asked, (Value(ogc(whole.get(outlet.member), outlet.schema)),), first)
    if not outlet.formats and len(files) == 1 and files[0].media_type == JSON:
        return Given(asked, (Value(ogc(value_in(first), outlet.schema)),), first)
    return Given(asked, files, first)


def files_of(folder: Path, item: str) -> tuple[Saved, ...]:
    """The files that an item describes, in order."""
    assets = json.loads((folder / item).read_text())["assets"].values()
    return tuple(Saved(folder / str(a["href"]).rpartition("/")[2], str(a["type"])) for a in assets)


def value_in(path: Path) -> Any:
    """The value in a file of JSON.

    Raises:
        Problem: It is too large to be one.
    """
    if path.stat().st_size > LARGEST:
        raise too_large(path)
    return json.loads(path.read_text())


def bytes_in(path: Path) -> bytes:
    """The bytes of a file that is put into a document.

    Raises:
        Problem: They are too many.
    """
    if not path.is_file() or path.stat().st_size > LARGEST:
        raise too_large(path)
    return path.read_bytes()


def too_large(path: Path) -> Problem:
    """The refusal to put a file into a document."""
    return Problem(
        "FileSizeExceeded",
        f"the output {path.stem!r} is too large for a document",
        hint='Ask for `"transmissionMode": "reference"`, or for one output with `"response": "raw"`.',
    )


def ogc(value: Any, schema: Any) -> Any:
    """A value as OGC has it: boxes with a list of numbers."""
    is_box = isinstance(schema, Mapping) and schema.get("subtype") == "bounding-box"
    if not is_box or not isinstance(value, Mapping) or "west" not in value:
        return value
    low, high = [value["west"], value["south"]], [value["east"], value["north"]]
    if value.get("base") is not None and value.get("height") is not None:
        low, high = [*low, value["base"]], [*high, value["height"]]
    crs = value.get("crs", 4326)
    uri = "OGC/1.3/CRS84" if crs == 4326 else f"EPSG/0/{crs}"
    return {
        "bbox": [*low, *high],
        "crs": f"http://www.opengis.net/def/crs/{uri}" if isinstance(crs, int) else crs,
    }
