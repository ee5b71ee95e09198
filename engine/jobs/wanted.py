"""What requests for jobs and for web services have in common, checked in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine import billing
from engine.errors import Problem
from engine.graph.parse import define
from engine.records import LEVELS

TEXTS = ("title", "description", "log_level")
"""Members that are texts."""


def check(document: Mapping[str, Any], what: str, plans: Sequence[billing.Plan]) -> None:
    """Refuse what nobody could compute, or tell of.

    Raises:
        Problem: The process has no sound graph, or a member is not of its type.
    """
    process = document.get("process")
    if not isinstance(process, Mapping) or not isinstance(process.get("process_graph"), Mapping):
        raise Problem("ProcessGraphMissing", f"a {what} needs a `process` with a `process_graph`")
    billing.check(document, plans)
    for name in TEXTS:
        if not isinstance(document.get(name), str | None):
            raise Problem("ParameterInvalid", f"{name} has to be a text", facts={"parameter": name})
    if document.get("log_level") not in (None, *LEVELS):
        raise Problem("ParameterInvalid", f"log_level is one of {', '.join(LEVELS)}")
    define(document)
