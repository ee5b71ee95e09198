"""Calls a process on values of any kind: scalars, cells, masked cells; nulls go by the process's own word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.graph.schema import accepted, described, words
from processes.errors import ProcessParameterInvalid
from processes.kinds import kind
from processes.registry import Process
from processes.signature import Param
from processes.values import (
    Labeled,
    Masked,
    is_container,
    is_scalar,
    nulls,
    plain,
    split,
    values_of,
    within_64_bits,
)

NUMBERS = frozenset({"number", "integer"})


def call(process: Process, args: Mapping[str, Any], **engine: Any) -> Any:
    """The value of a process for these arguments.

    Args:
        process: The process.
        args: Arguments by the user's names.
        engine: What the engine hands in (`world`), taken by the processes that want it.
    """
    args = {**args, **{p.name: sound(args[p.name], p) for p in process.signature.params if p.name in args}}
    given = {process.python_names[k]: v for k, v in args.items()}
    handed = {k: v for k, v in engine.items() if k in process.signature.wants}
    with np.errstate(all="ignore"):
        if process.nulls == "see":
            result = process.fn(**given, **handed)
        else:
            result = _cell_by_cell(process, given, [args[o] for o in process.operands if o in args])
    return _as_json(process, result) if all(map(is_json, args.values())) else result


def sound(value: Any, param: Param) -> Any:
    """An argument as its parameter takes it, which a check of the graph cannot know where another node gives it.

    JSON knows one kind of numbers: 2.0 is an integer, and one of more than 64 bits is a float.

    Raises:
        ProcessParameterInvalid: There is something else where a number is needed.
    """
    wanted = accepted(param.schema)
    if (
        value is None
        or isinstance(value, bool)
        or not wanted & NUMBERS
        or wanted - NUMBERS - {"null", "array"}
    ):
        return value
    if isinstance(value, int):
        value = within_64_bits(value)
    if isinstance(value, float) and "number" not in wanted:
        if value.is_integer() and abs(value) < 2**63:
            return int(value)
        raise unfit(value, param)
    if "array" not in wanted and odd_among_numbers(value):
        raise unfit(value, param)
    return value


def odd_among_numbers(value: Any) -> bool:
    """Is this, or is there in these cells, what no number can be made of?"""
    if isinstance(value, Labeled):
        return odd_among_numbers(value.values)
    return is_container(value) or kind(value.data if isinstance(value, Masked) else value) in (
        "text",
        "mixed",
    )


def unfit(value: Any, param: Param) -> ProcessParameterInvalid:
    """The error for a value that its parameter does not take."""
    known = "cells of texts" if isinstance(value, (np.ndarray, Masked, Labeled)) else described(value)
    return ProcessParameterInvalid(
        f"{param.name} has to be {words(accepted(param.schema))}, it is {known}", parameter=param.name
    )


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
    cells = [values_of(o) for o in operands if not is_scalar(o) and not isinstance(o, (list, tuple, Mapping))]
    masked = any(isinstance(o, Masked) for o in cells)
    if not masked and np.asarray(result).dtype.kind == "f":
        return result
    null: Any = np.False_
    for o in cells:
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
