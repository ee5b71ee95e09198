"""How coarse or fine a coverage is wanted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from engine.coverages.faults import wrong
from engine.coverages.terms import Term, read_terms

MOST = 10**7
"""Cells along an axis that are asked for."""
EXAMPLE = "Write numbers above zero, for example scale-factor=2, scale-axes=Lon(2),Lat(3) or scale-size=Lon(256),Lat(256)."
WAYS = ("scale-factor", "scale-axes", "scale-size", "resolution", "width", "height")
"""The parameters, of which one is given, or `width` and `height` together."""


@dataclass(frozen=True, slots=True)
class Scaling:
    """One way to say how coarse a coverage is wanted."""

    parameter: str
    """The parameter that says it."""
    factor: float | None = None
    """So many times fewer cells along each axis of the ground."""
    factors: Mapping[str, float] = field(default_factory=dict)
    """The same, by the name of the axis."""
    sizes: Mapping[str, int] = field(default_factory=dict)
    """So many cells, by the name of the axis."""
    steps: Mapping[str, float] = field(default_factory=dict)
    """Cells so wide, by the name of the axis."""

    @property
    def names(self) -> tuple[str, ...]:
        """The axes that are named."""
        return (*self.factors, *self.sizes, *self.steps)


def read_scaling(given: Mapping[str, Sequence[str]]) -> Scaling | None:
    """What the parameters say; none where none is given.

    Raises:
        Problem: There is more than one, or a value is none.
    """
    used = [way for way in WAYS if way in given]
    if len(used) > 1 and used != ["width", "height"]:
        raise wrong(used[1], f"it is given beside {used[0]}", "Give one of them.")
    if not used:
        return None
    name = used[0]
    if name in ("width", "height"):
        axes = {"width": "x", "height": "y"}
        return Scaling(name, sizes={axes[way]: whole(way, only(way, given[way])) for way in used})
    if name == "scale-factor":
        return Scaling(name, factor=number(name, only(name, given[name])))
    named = by_axis(name, given[name])
    if name == "scale-size":
        return Scaling(name, sizes={axis: whole(name, text) for axis, text in named.items()})
    values = {axis: number(name, text) for axis, text in named.items()}
    return Scaling(name, factors=values) if name == "scale-axes" else Scaling(name, steps=values)


def only(name: str, texts: Sequence[str]) -> str:
    """The one value of a parameter."""
    if len(texts) != 1:
        raise wrong(name, f"it is given {len(texts)} times", "Give it once.")
    return texts[0]


def by_axis(name: str, texts: Sequence[str]) -> dict[str, str]:
    """One value for each axis that is named."""
    try:
        terms: tuple[Term, ...] = read_terms(texts)
    except ValueError as fault:
        raise wrong(name, str(fault), EXAMPLE) from None
    named = {term.axis: term.low for term in terms}
    if len(named) < len(terms) or any(term.high is not None for term in terms):
        raise wrong(name, "each axis has one value", EXAMPLE)
    return named


def number(name: str, text: str) -> float:
    """A number above zero."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise wrong(name, f"{text[:40]!r} is no number above zero", EXAMPLE)
    return value


def whole(name: str, text: str) -> int:
    """A number of cells."""
    value = number(name, text)
    if value != int(value) or value > MOST:
        raise wrong(name, f"{text[:40]!r} is no number of cells", f"Give an integer from 1 to {MOST:,}.")
    return int(value)
