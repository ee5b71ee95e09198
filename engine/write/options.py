"""Checks what the user chose against the options of a format, and prints them as JSON schema."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from engine.errors import Problem
from engine.write.model import Option


def settle(name: str, table: Mapping[str, Option], given: Mapping[str, Any] | None) -> dict[str, Any]:
    """A value for every option of format `name`; all faults are told at once."""
    chosen = {key: option.default for key, option in table.items()}
    known = {key.casefold(): key for key in table}
    faults: list[str] = []
    for key, value in (given or {}).items():
        match = known.get(str(key).casefold())
        if match is None:
            faults.append(f"there is no option {key!r}")
            continue
        try:
            chosen[match] = _accept(table[match], value)
        except ValueError as fault:
            faults.append(f"option {match!r} {fault}, not {value!r}")
    if faults:
        allowed = "; ".join(f"{key}: {_words(option)}" for key, option in table.items())
        raise Problem(
            "FormatUnsuitable",
            f"The options do not fit format {name}: {'; '.join(faults)}.",
            hint=f"Options of {name} are {allowed}." if allowed else f"{name} has no options.",
            facts={"format": name, "allowed": list(table), "given": sorted(map(str, given or {}))},
        )
    return chosen


def json_schema(option: Option) -> dict[str, Any]:
    """The option as `GET /file_formats` prints it."""
    schema: dict[str, Any] = {
        "type": option.type if option.default is not None else [option.type, "null"],
        "description": option.description,
        "default": option.default,
    }
    if option.enum is not None:
        schema["enum"] = [*option.enum] if option.default is not None else [*option.enum, None]
    if option.minimum is not None:
        schema["minimum"] = option.minimum
    if option.maximum is not None:
        schema["maximum"] = option.maximum
    return schema


def _accept(option: Option, value: Any) -> Any:
    """`value` as the option's own type; ValueError says what it must be."""
    if value is None and option.default is None:
        return None
    typed = _typed(option.type, value)
    if option.enum is not None:
        same = [e for e in option.enum if e == typed or str(e).casefold() == str(typed).casefold()]
        if typed is None or not same:
            raise ValueError(f"must be one of {', '.join(map(str, option.enum))}")
        return same[0]
    low, high = option.minimum, option.maximum
    if typed is None or (low is not None and typed < low) or (high is not None and typed > high):
        raise ValueError(f"must be {_words(option)}")
    return typed


def _typed(kind: str, value: Any) -> Any:
    """`value` read as the JSON type `kind`, or None where it is another type."""
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    match kind:
        case "integer":
            return int(value) if number and value == int(value) else None
        case "number":
            return float(value) if number else None
        case "boolean":
            return value if isinstance(value, bool) else None
        case _:
            return value if isinstance(value, str) else None


def _words(option: Option) -> str:
    if option.enum is not None:
        return "one of " + ", ".join(map(str, option.enum))
    low, high = option.minimum, option.maximum
    bounds = {
        (False, False): "",
        (True, False): f" of at least {low}",
        (False, True): f" of at most {high}",
        (True, True): f" from {low} to {high}",
    }
    return option.type + bounds[low is not None, high is not None]
