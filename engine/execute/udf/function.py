"""User code as a function on cubes and values: what goes in and comes out, and what went wrong, in the user's lines."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import numpy as np
import xarray as xr

from engine.errors import Problem
from engine.execute.udf.confinement import Confinement, unsupported, why_not
from engine.execute.udf.inside import cubes, frames
from engine.execute.udf.pool import POOL, Ended, Reply, TooSlow
from engine.execute.udf.source import check_runtime, code_of
from engine.settings import Settings
from processes.world import Form, UserFunction

LOG = logging.getLogger("geodatacube.udf")
ANSWER_LIMIT = 2**30
"""Bytes of an answer whose size is not known beforehand."""
OUTPUT_LIMIT = 2**14
"""Characters of what user code prints that are put into the log."""
SLACK = 2**20
"""Bytes of labels that an answer may have beside its cells."""


@dataclass(frozen=True)
class Function:
    """User code that can be called, here or on a worker: it travels as text."""

    code: str
    """The code."""
    confinement: Confinement
    """How it is held."""
    run: str
    """The run that it belongs to: no two runs share a process."""
    node: str | None = None
    """The node whose blocks are computed later; `None` where whoever calls names it."""

    def __call__(self, data: Any, context: Any, form: Form | None = None) -> Any:
        """The result for this cube or value; of this form, where one is asked for."""
        if self.confinement.mode == "sandbox" and (reason := why_not()):
            raise unsupported(reason)
        told, arrays = cubes.told(data) if isinstance(data, xr.DataArray) else (None, [])
        limit = ANSWER_LIMIT if form is None else form.nbytes + SLACK
        head = {
            "code": self.code,
            "context": context,
            "limit": limit,
            "value": None if arrays else data,
            "cube": told,
        }
        if form is None and self.node is not None:  # at once, and whoever asks knows for which node
            return replace(self, node=None)(data, context)
        reply = self._reply(head, arrays, limit)
        for line in printed(reply.head.get("output")):
            extra = {"node": self.node, "told": line}
            LOG.info("%s: %s", self.node or "a user-defined function", line, extra=extra)
        if error := reply.head.get("error"):
            raise self._problem(words(error))
        if form is None:
            return self._value(reply)
        return self._formed(self._value(reply), form)

    def _reply(self, head: dict[str, Any], arrays: list[np.ndarray], limit: int) -> Reply:
        owner = (self.run, sha256(self.code.encode()).hexdigest())
        try:
            pieces = frames.pack(head, arrays)
        except TypeError as error:
            raise self._problem(f"what it is given is no JSON: {error}") from None
        try:
            return POOL.call(owner, self.confinement, pieces, limit)
        except TooSlow:
            seconds = f"{self.confinement.seconds:g}"
            raise self._problem(
                f"it was stopped after {seconds} s", "Make it faster, or raise GDC_UDF_SECONDS."
            ) from None
        except Ended as end:
            raise self._problem(
                f"its process ended without an answer ({status(end.status)})",
                f"It may use {self.confinement.memory / 2**30:.1f} GB of memory (GDC_UDF_MEMORY).",
            ) from None
        except frames.BadFrame as error:
            raise self._problem(f"its answer cannot be read: {error}") from None

    def _value(self, reply: Reply) -> Any:
        if not reply.arrays:
            return reply.head.get("value")
        try:
            return cubes.heard(reply.head.get("cube", {}), reply.arrays, geometries=False)
        except frames.BadFrame as error:
            raise self._problem(f"its answer cannot be read: {error}") from None

    def _formed(self, result: Any, form: Form) -> np.ndarray:
        """The cells of a result, in the form that was found beforehand."""
        if not isinstance(result, xr.DataArray) or set(map(str, result.dims)) != set(form.dims):
            given = f"dimensions {result.dims}" if isinstance(result, xr.DataArray) else type(result).__name__
            raise self._problem(f"it gave {given} for a block, and {form.dims} for the probe", SAME)
        ordered = result.transpose(*form.dims)
        if ordered.shape != form.shape:
            raise self._problem(
                f"it gave the shape {ordered.shape} for a block where {form.shape} is due", SAME
            )
        if not np.can_cast(ordered.dtype, form.dtype, "same_kind"):
            raise self._problem(f"it gave {ordered.dtype} for a block, and {form.dtype} for the probe", SAME)
        return ordered.values.astype(form.dtype, copy=False)

    def _problem(self, message: str, hint: str | None = None) -> Problem:
        where = f"node {self.node!r}, process 'run_udf': " if self.node else ""
        return Problem(
            "ProcessParameterInvalid",
            f"{where}the user-defined function failed: {message}",
            hint=hint,
            facts={"parameter": "udf"},
        )


SAME = "The form of its result must not depend on the values or on the size of the block."


def words(error: Any) -> str:
    """A fault of user code, with the line it happened in; and where that was called from."""
    if not isinstance(error, Mapping):
        return "it does not say how"
    message = f"{error.get('type')}: {error.get('message')}"
    given = error.get("places")
    places = [p for p in given if isinstance(p, Mapping)] if isinstance(given, list) else []
    if not places:
        return message[:3000]
    *callers, last = [f"line {p.get('line')}, `{str(p.get('text'))[:200]}`" for p in places]
    called = f" (called from {', '.join(reversed(callers))})" if callers else ""
    return f"{last}: {message}{called}"[:3000]


def printed(output: Any) -> list[str]:
    """What user code printed, line by line, without characters that could pass for lines of others."""
    lines = str(output or "")[:OUTPUT_LIMIT].splitlines()
    return ["".join(c if c.isprintable() else "?" for c in line) for line in lines]


def status(number: int) -> str:
    """An exit status in words."""
    signal = number - 128 if number > 128 else -number
    return f"signal {signal}" if 0 < signal < 65 and (number < 0 or number > 128) else f"status {number}"


def user_function(
    udf: str, runtime: str, version: str | None, settings: Settings, run: str, node: str | None
) -> UserFunction:
    """The user code that a graph names, ready to be called.

    Raises:
        Problem: User code is not run here.
    """
    check_runtime(runtime, version)
    if settings.udf == "off":
        raise Problem(
            "FeatureUnsupported",
            "user-defined functions are switched off here",
            hint="GDC_UDF=sandbox allows them.",
        )
    confinement = Confinement(settings.udf, settings.udf_seconds, settings.udf_memory)
    if confinement.mode == "sandbox" and (reason := why_not()):
        raise unsupported(reason)
    return Function(code_of(udf, settings), confinement, run, node)
