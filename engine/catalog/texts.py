"""Documents as the JSON text that is kept, and back."""

from __future__ import annotations

import json
from typing import Any

import orjson

STRICT = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
"""What is no JSON in Python's own eyes is none here."""

PYTHONS = " "
"""What a text begins with that Python has to read: it may have whole numbers that others take for fractions."""


def as_text(value: Any) -> str:
    """A document as it is kept; ValueError, TypeError or RecursionError says why it is no JSON."""
    try:
        text = orjson.dumps(value, option=STRICT)
    except TypeError:  # also for whole numbers of more than 64 bits and for depths that Python can do
        return _by_python(value)
    # Numbers that are not finite come out as `null`, too: where there is one, Python has a look.
    return _by_python(value) if b"null" in text else text.decode()


def from_text(text: str) -> Any:
    """The document that a text was made of."""
    return json.loads(text) if text.startswith(PYTHONS) else orjson.loads(text)


def _by_python(value: Any) -> str:
    text = json.dumps(value, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    text.encode()
    return PYTHONS + text
