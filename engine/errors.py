"""The one error that leaves the engine: a code of the standard, a message with the facts, and the way out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class Problem(Exception):  # noqa: N818 (the noun of RFC 7807: it is sent as one)
    """Something a user can do something about.

    Its `code` is an openEO error code or the name of a process exception; no status code stands here
    (the doors have the table).
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        pointer: str | None = None,
        hint: str | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        """Error code, e.g. `ProcessParameterInvalid`."""
        self.message = message
        """What is wrong, naming the node, the parameter and what was there instead."""
        self.pointer = pointer
        """JSON pointer into the process graph (RFC 6901), where one applies."""
        self.hint = hint
        """The way out, as a sentence."""
        self.facts = dict(facts or {})
        """Figures behind the message, JSON-ready, e.g. the funnel of a search."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.code, self.message, self.pointer, self.hint, self.facts)

    def __str__(self) -> str:
        where = f" (at {self.pointer})" if self.pointer else ""
        way_out = f" {self.hint}" if self.hint else ""
        return f"{self.code}: {self.message}{where}{way_out}"

    @property
    def each(self) -> tuple[Problem, ...]:
        """The faults that it tells: itself."""
        return (self,)

    @property
    def words(self) -> str:
        """What is wrong and the way out, as a line of a log."""
        return f"{self.message} {self.hint or ''}".strip()

    def json(self) -> dict[str, Any]:
        """The problem as a JSON object."""
        body: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.pointer is not None:
            body["pointer"] = self.pointer
        if self.hint is not None:
            body["hint"] = self.hint
        if self.facts:
            body["facts"] = self.facts
        return body


class Problems(Problem):
    """All faults of one graph at once; it reads as the first of them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        first = problems[0]
        super().__init__(first.code, first.message, pointer=first.pointer, hint=first.hint, facts=first.facts)
        self.problems = tuple(problems)

    @property
    def each(self) -> tuple[Problem, ...]:
        """The faults that it tells."""
        return self.problems

    def __reduce__(self) -> tuple[Any, ...]:
        return Problems, (self.problems,)

    def __str__(self) -> str:
        return "\n".join(str(p) for p in self.problems)


def _rebuild(
    cls: type[Problem],
    code: str,
    message: str,
    pointer: str | None,
    hint: str | None,
    facts: dict[str, Any],
) -> Problem:
    return cls(code, message, pointer=pointer, hint=hint, facts=facts)
