"""Where cubes go."""

from __future__ import annotations

from typing import Any

from processes.registry import process
from processes.types import Cube, OutputFormat, OutputOptions, Stored
from processes.world import World


@process("cubes", "export", "stac", pure=False)
def save_result(data: Cube, format: OutputFormat, options: OutputOptions = {}, *, world: World) -> Stored:  # noqa: B006
    """Write a result to a file

    What is written is described as STAC beside the file.

    Args:
        data: A cube.
        format: Name of the file format, upper or lower case.
        options: Options of the file format.

    Returns:
        The result, described as STAC.

    Raises:
        FormatUnsuitable: The format is not known, or cannot hold the cube.
        DataCubeEmpty: There is nothing in the cube.
    """
    result: Any = world.save_result(data, format, options)
    return result
