"""Processes that run elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from processes.errors import ProcessParameterInvalid
from processes.registry import process
from processes.types import AnyValue, Schema, StacUrl
from processes.world import World

Context = Annotated[Mapping[str, Any], Schema({"type": "object"})]
ProcessId = Annotated[str, Schema({"type": "string"})]


@process("cubes", "import", "udf", pure=False, experimental=True)
def run_ogcapi(
    data: AnyValue,
    id: ProcessId,
    context: Context = {},  # noqa: B006
    *,
    world: World | None = None,
) -> AnyValue:
    """Run a process of the OGC API that belongs to this service

    The data goes to the process's input `data`; where it has none, to the one input that the context leaves open.

    Args:
        data: What the process works on.
        id: Name of the process.
        context: Further inputs by name.

    Returns:
        What the process gives.

    Raises:
        InvalidOgcApiProcess: There is no such process.
    """
    return outside(world).run_ogcapi(data, None, id, context)


@process("cubes", "import", "udf", pure=False, experimental=True)
def run_ogcapi_externally(
    data: AnyValue,
    url: StacUrl,
    id: ProcessId,
    context: Context = {},  # noqa: B006
    *,
    world: World | None = None,
) -> AnyValue:
    """Run a process of an OGC API elsewhere

    The data goes to the process's input `data`; where it has none, to the one input that the context leaves open.

    Args:
        data: What the process works on.
        url: Landing page of the OGC API - Processes.
        id: Name of the process.
        context: Further inputs by name.

    Returns:
        What the process gives.

    Raises:
        InvalidOgcApiProcess: There is no such process.
    """
    return outside(world).run_ogcapi(data, url, id, context)


@process("cubes", "import", "udf", pure=False, experimental=True)
def run_udf_externally(
    data: AnyValue,
    url: StacUrl,
    context: Context = {},  # noqa: B006
    *,
    world: World | None = None,
) -> AnyValue:
    """Run a user-defined function that a server elsewhere holds

    Args:
        data: What the function works on.
        url: Where the function is asked.
        context: What else it is to know, such as its configuration.

    Returns:
        What the function gives.
    """
    return outside(world).run_udf_externally(data, url, context)


def outside(world: World | None) -> World:
    """The world, which is not there inside of callbacks: those run block by block, any number of times."""
    if world is None:
        raise ProcessParameterInvalid(
            "a process elsewhere is called once for a whole graph, not in a callback for every block",
            hint="Call it beside the callback, and hand its result in as context.",
        )
    return world
