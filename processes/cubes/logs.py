"""Notes that a graph leaves in the log."""

from __future__ import annotations

import logging
from typing import Annotated, Any

import dask.array as da
import numpy as np
import xarray as xr

from processes.cubes import axes
from processes.errors import ProcessParameterInvalid
from processes.registry import process
from processes.types import Schema
from processes.values import Labeled, Masked, length, plain
from processes.world import World

Anything = Annotated[Any, Schema({"description": "Any data type is allowed."})]
LEVELS = ("error", "warning", "info", "debug")
Level = Annotated[str, Schema({"type": "string", "enum": list(LEVELS)})]

SHOWN = 1000
"""Longer values are cut off after so many characters."""
LOGGER = logging.getLogger("geodatacube.inspect")
"""Takes what child graphs log: they run on blocks, wherever these are computed."""


@process("development", pure=False)
def inspect(
    data: Anything,
    message: str = "",
    code: str = "User",
    level: Level = "info",
    *,
    world: World | None = None,
) -> Anything:
    """Write a note into the log

    Of cubes the dimensions and the type are noted; their values are not computed for it.

    Args:
        data: What the note is about.
        message: Words that go with it.
        code: A word to find the note by among others.
        level: How serious it is.

    Returns:
        The data as it came in.
    """
    if level not in LEVELS:
        raise ProcessParameterInvalid(f"{level!r} is none of {', '.join(LEVELS)}", parameter="level")
    message, code = (" ".join(str(words).split()) for words in (message, code))  # one note, one line
    text = f"{message}: {summary(data)}" if message else summary(data)
    if world is not None:
        world.log(text, level, code)
    else:
        LOGGER.log(logging.getLevelNamesMapping()[level.upper()], "%s: %s", code, text)
    return data


def summary(data: Any) -> str:
    """A value in one line."""
    if isinstance(data, xr.DataArray):
        lazy = ", lazy" if isinstance(data.data, da.Array) else ""
        return f"cube of {data.dtype}{lazy}: {axes.listing(data)}"
    cells = data.values if isinstance(data, Labeled) else data
    if isinstance(cells, (Masked, np.ndarray)) and np.ndim(cells.data) > 1:
        inner = cells.data if isinstance(cells, Masked) else cells
        return f"array of {length(data)} elements, each for {np.shape(inner)[1:]} cells of {inner.dtype}"
    value = plain(data)
    if isinstance(value, Labeled):
        value = dict(zip(value.labels, value.values, strict=True))
    text = " ".join(repr(value).split())
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}... ({len(text)} characters)"
