"""The table of formats: which there are, how one is found, how they are told to openEO clients."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from engine.errors import Problem
from engine.write import cis, covjson, csv, geojson, geoparquet, geotiff, json, netcdf, png, zarr
from engine.write.model import Asset, Format, Option, Stream, Task, Written
from engine.write.options import json_schema

__all__ = ["FORMATS", "Asset", "Format", "Option", "Stream", "Task", "Written", "file_formats", "find_format"]

FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        f.name: f
        for f in (
            geotiff.FORMAT, netcdf.FORMAT, zarr.FORMAT, png.FORMAT, json.FORMAT, geojson.FORMAT, geoparquet.FORMAT, csv.FORMAT,
            cis.FORMAT, covjson.FORMAT,
        )
    }
)  # fmt: skip
"""The output formats by name."""


def find_format(name: str | None, target: Path | None) -> Format:
    """The format of that name, alias or media type, in any case; without a name, by the target's suffix."""
    if name is not None:
        wanted = name.split(";")[0].strip().casefold()
        found = [f for f in FORMATS.values() if wanted in _names(f)]
        given = f"There is no output format {name!r}"
    elif target is not None:
        found = [f for f in FORMATS.values() if target.suffix.casefold() in f.suffixes]
        given = f"The suffix {target.suffix!r} of {target.name} is of no output format"
    else:
        found, given = [], "No output format was named"
    if not found:
        known = ", ".join(f"{f.name} ({f.suffixes[0]})" for f in FORMATS.values())
        raise Problem(
            "FormatUnsuitable",
            f"{given}.",
            hint=f"The output formats are {known}.",
            facts={"formats": list(FORMATS)},
        )
    return found[0]


def _names(f: Format) -> set[str]:
    media_type = f.media_type.split(";")[0]
    return {f.name.casefold(), media_type, *f.aliases, *(s.lstrip(".") for s in f.suffixes)}


def file_formats(inputs: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The body of openEO's `GET /file_formats`; `inputs` is what the reading side says of itself."""
    output = {
        f.name: {
            "title": f.title,
            "description": f.description,
            "gis_data_types": list(f.gis_data_types),
            "parameters": {name: json_schema(option) for name, option in f.parameters.items()},
        }
        for f in FORMATS.values()
    }
    return {"input": dict(inputs or {}), "output": output}
