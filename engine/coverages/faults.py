"""How requests for coverages are refused."""

from __future__ import annotations

from collections.abc import Iterable

from engine.domain.model import Axis, listing
from engine.errors import Problem


def wrong(parameter: str, message: str, hint: str) -> Problem:
    """The refusal of a parameter's value."""
    return Problem("ParameterInvalid", f"{parameter}: {message}", hint=hint, facts={"parameter": parameter})


def no_axis(parameter: str, name: str, axes: Iterable[Axis]) -> Problem:
    """The refusal of an axis that there is not."""
    known = listing(tuple(axes))
    return Problem(
        "InvalidAxis",
        f"{parameter}: there is no axis {name[:40]!r}",
        hint=f"The axes are {known}; `/coverage/domainset` tells more of them.",
        facts={"parameter": parameter, "axes": known.split(", ")},
    )
