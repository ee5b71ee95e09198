"""Values from outside that are no cubes, and values that are only given back."""

from __future__ import annotations

from typing import Annotated, Any

from processes.errors import ProcessParameterInvalid
from processes.registry import process
from processes.types import UNSET, AnyValue, BoundingBox, Schema, StacUrl
from processes.world import World

LONGEST = 60
"""Seconds that an echo may wait."""
_TEXT = {"type": "string"}
_BINARY = {"type": "string", "contentEncoding": "base64", "contentMediaType": "application/octet-stream"}
_BBOX = {"type": "object", "subtype": "bounding-box"}
_OBJECT = {"type": "object"}
Word = Annotated[Any, Schema(_TEXT)]
Words = Annotated[Any, Schema({"type": "array", "items": _TEXT})]
Figure = Annotated[Any, Schema({"type": "number"})]
Members = Annotated[Any, Schema(_OBJECT)]
Binary = Annotated[Any, Schema(_BINARY)]
Pause = Annotated[Any, Schema({"type": "integer", "minimum": 0, "maximum": LONGEST})]
Echoed = Annotated[
    Any,
    Schema(
        {
            "type": "object",
            "properties": {
                "string": _TEXT,
                "array": {"type": "array", "items": _TEXT},
                "bbox": _BBOX,
                "object": _OBJECT,
                "number": {"type": "number"},
                "binary": _BINARY,
            },
        }
    ),
]
MediaType = Annotated[str, Schema({"type": "string"})]


@process("import", experimental=True)
def load_value(url: StacUrl, media_type: MediaType = "application/json", *, world: World) -> AnyValue:
    """Fetch a value from the web

    What is JSON becomes the value that it stands for, what is text becomes a text, all else a text in base64.

    Args:
        url: Where the value is; `http` or `https`.
        media_type: What it is, whatever the server calls it.

    Returns:
        The value.
    """
    return world.load_value(url, media_type)


@process("development", pure=False, experimental=True)
def echo(
    string: Word = UNSET,
    array: Words = UNSET,
    bbox: BoundingBox = UNSET,
    object: Members = UNSET,
    number: Figure = UNSET,
    binary: Binary = UNSET,
    pause: Pause = 0,
    *,
    world: World,
) -> Echoed:
    """Give back what is given

    For clients that want to see how values get to a process and back.

    Args:
        string: A text.
        array: Texts.
        bbox: A bounding box.
        object: An object.
        number: A number.
        binary: Bytes, as base64 writes them.
        pause: Seconds to wait before.

    Returns:
        An object with what was given, under the names of the parameters.
    """
    if not 0 <= pause <= LONGEST:
        raise ProcessParameterInvalid(f"pause is 0 to {LONGEST} seconds, it is {pause}", parameter="pause")
    world.pause(pause)
    given = {
        "string": string,
        "array": array,
        "bbox": bbox,
        "object": object,
        "number": number,
        "binary": binary,
    }
    return {name: value for name, value in given.items() if value is not UNSET}
