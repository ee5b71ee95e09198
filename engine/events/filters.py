"""Conditions in CQL2 on single items, as publishers' subscribers and webhooks have them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from engine.catalog import filter_from_json, filter_from_text
from engine.catalog.filters import Filter
from engine.catalog.judge import holds, row_of_item
from engine.errors import Problem

Condition = str | Mapping[str, Any]
"""CQL2 as text, or as JSON."""


def matches(condition: Condition, item: Mapping[str, Any]) -> bool:
    """Is the condition true of a STAC item? It is not where the item lacks what it asks for.

    Raises:
        Problem: It is no condition.
    """
    return holds(read(condition), row_of_item(dict(item)))


def checked(condition: Any) -> Condition:
    """The condition, if it is one.

    Raises:
        Problem: It is none, or larger than what can be read safely.
    """
    if not isinstance(condition, str | dict):
        raise refused("it has to be a text or an object")
    try:
        read(condition)
    except Problem as problem:
        raise refused(problem.message, problem.hint) from problem
    return condition


def refused(why: str, hint: str | None = None) -> Problem:
    """What is no condition."""
    facts = {"parameter": "filter"}
    return Problem("ParameterInvalid", f"filter: {why}", hint=hint or "Write it in CQL2.", facts=facts)


def read(condition: Condition) -> Filter:
    """The condition as a filter.

    Raises:
        Problem: It is none.
    """
    return _read(condition) if isinstance(condition, str) else filter_from_json(dict(condition))


@lru_cache(maxsize=256)
def _read(text: str) -> Filter:
    return filter_from_json(text) if text.lstrip().startswith("{") else filter_from_text(text)
