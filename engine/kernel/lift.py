"""Calls a process on values of any kind: scalars, cells, masked cells; nulls go by the process's own word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from processes.registry import Process
from processes.values import Labeled, Masked, is_scalar, nulls, plain, split


def call(process: Process, args: Mapping[str, Any], **engine: Any) -> Any:
    """The value of a process for these arguments.

    Args:
        process: The process.
        args: Arguments by the user's names.
        engine: What the engine hands in (`world`), taken by the processes that want it.
    """
    given = {process.python_names[k]: v for k, v in args.items()}
    handed = {k: v for k, v in engine.items() if k in process.signature.wants}
    with np.errstate(all="ignore"):
        if process.nulls == "see":
            result = process.fn(**given, **handed)
        else:
            result = _cell_by_cell(process, given, [args[o] for o in process.operands if o in args])
    return _as_json(process, result) if all(map(is_json, args.values())) else result


def is_json(value: Any) -> bool:
    """Is this a value of JSON, all the way down, rather than cells?"""
    if isinstance(value, (list, tuple)):
        return all(map(is_json, value))
    return is_scalar(value) or isinstance(value, Mapping)


def _cell_by_cell(process: Process, given: dict[str, Any], operands: list[Any]) -> Any:
    """A process that never sees a null: where an operand is null, so is the result."""
    if any(o is None for o in operands):
        return None
    result = process.fn(**{k: bare(v) for k, v in given.items()})
    masked = any(isinstance(o, Masked) for o in operands)
    if not masked and np.asarray(result).dtype.kind == "f":
        return result
    null: Any = np.False_
    for o in operands:
        if not is_scalar(o):
            null = null | nulls(o)
    if np.ndim(null) == 0 and not null:
        return result
    return Masked(result, null)


def bare(value: Any) -> Any:
    """Values without their nulls."""
    return split(value)[0] if isinstance(value, (Masked, Labeled)) else value


def _as_json(process: Process, result: Any) -> Any:
    """Scalars and lists as Python has them; integers where the process promises integers."""
    if not isinstance(result, (Masked, np.ndarray, np.generic, list, bool, int, float)):
        return result
    value = plain(result)
    schema = process.signature.returns.schema
    promised = isinstance(schema, Mapping) and "integer" in (schema.get("type") or ())
    return int(value) if promised and isinstance(value, float) and value.is_integer() else value
