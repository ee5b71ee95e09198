"""What a request leaves of a coverage: cells along each axis."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from engine.coverages import moments, names, places
from engine.coverages.faults import wrong
from engine.coverages.ground import Ends, Ground, native_ends
from engine.coverages.places import Range
from engine.coverages.terms import Term
from engine.coverages.wish import Wish
from engine.domain.model import GROUND, Axis, Domain, Role

OPEN = "*"


@dataclass(frozen=True, slots=True)
class Cut:
    """What is left of a coverage."""

    ranges: Mapping[str, Range]
    """Cells by the dimension; all of an axis where none are told."""
    ground: Ground | None = None
    """What of the ground was asked for."""
    timed: bool = False
    """Was anything said of time?"""

    def of(self, axis: Axis) -> Range:
        """The cells along an axis."""
        return self.ranges.get(axis.dim, Range(0, axis.count))


def cut(domain: Domain, wish: Wish) -> Cut | None:
    """What is left of a coverage; none where nothing is.

    Raises:
        Problem: An axis is not there, is limited twice, or a value is none of its values.
    """
    ranges: dict[str, Range | None] = {}
    for term in wish.subset:
        axis = names.axis_named(domain, term.axis, "subset")
        if axis.dim in ranges:
            raise twice("subset", axis, "subset")
        ranges[axis.dim] = None if axis.role in ("x", "y") else along(axis, term)
        if axis.role not in ("x", "y") and ranges[axis.dim] is None:
            return None
    timed = domain.axis("time")
    if wish.datetime is not None:
        if timed is None and wish.strict:
            raise wrong("datetime", "the coverage has no axis of time", "Leave it out.")
        if timed is not None:
            if timed.dim in ranges:
                raise twice("datetime", timed, "subset")
            ranges[timed.dim] = chosen(places.moments(timed, wish.datetime), wish.datetime.is_moment)
            if ranges[timed.dim] is None:
                return None
    ground = ground_of(domain, wish)
    if wish.bbox and (high := domain.axis("z")) is not None and len(wish.bbox) == 6:
        if high.dim in ranges:
            raise twice("bbox", high, "subset")
        ranges[high.dim] = chosen(places.numbers(high, wish.bbox[2], wish.bbox[5]), False)
        if ranges[high.dim] is None:
            return None
    if ground is not None:
        found = on_ground(domain, ground)
        if found is None:
            return None
        ranges |= found
    left = {dim: cells for dim, cells in ranges.items() if cells is not None}
    return Cut(left, ground, timed is not None and timed.dim in left)


def chosen(cells: tuple[int, int] | None, sliced: bool) -> Range | None:
    """Cells as a range."""
    return None if cells is None else Range(*cells, sliced)


def twice(parameter: str, axis: Axis, other: str) -> Exception:
    """The refusal of two limits along one axis."""
    return wrong(parameter, f"the axis {axis.label} is limited already, by {other}", "Limit each axis once.")


# ------------------------------------------------------------------------------------------- on the ground
def ground_of(domain: Domain, wish: Wish) -> Ground | None:
    """What is asked for of the ground, by `bbox` or by `subset`; none: all there is."""
    terms: dict[Role, Term] = {}
    for term in wish.subset:
        axis = names.axis_named(domain, term.axis, "subset")
        if axis.role in ("x", "y"):
            terms[axis.role] = term
    if wish.bbox:
        if terms:
            axis = names.axis_named(domain, next(iter(terms.values())).axis, "subset")
            raise twice("bbox", axis, "subset")
        return by_box(domain, wish)
    if not terms:
        return None
    references = {
        role: names.reference_of(domain, term.axis, wish.subset_crs) for role, term in terms.items()
    }
    kinds = {reference for reference in references.values() if reference is not None}
    if len(kinds) > 1 and not all(kind.same_grid(next(iter(kinds))) for kind in kinds):
        raise wrong(
            "subset",
            f"{' and '.join(term.axis for term in terms.values())} are axes of different reference systems",
            "Name both axes in one of them, or say which it is with subset-crs.",
        )
    slices = frozenset(role for role, term in terms.items() if term.high is None)
    ground = Ground("subset", next(iter(references.values())), slices=slices)
    native = ground.is_native(domain)
    ends = {
        role: ends_of(term, along, native=native)
        for role, term in terms.items()
        if (along := domain.axis(role)) is not None
    }
    return replace(ground, x=ends.get("x"), y=ends.get("y"))


def by_box(domain: Domain, wish: Wish) -> Ground | None:
    """What `bbox` asks for."""
    if domain.axis("x") is None or domain.axis("y") is None:
        if wish.strict:
            raise wrong("bbox", "the coverage has no axes of the ground", "Leave it out.")
        return None
    half = len(wish.bbox) // 2
    first, second = (wish.bbox[0], wish.bbox[half]), (wish.bbox[1], wish.bbox[half + 1])
    x, y = (second, first) if wish.bbox_crs.north_first else (first, second)
    return Ground("bbox", wish.bbox_crs, x, y)


def ends_of(term: Term, axis: Axis, *, native: bool) -> Ends | None:
    """The ends that a term gives; an open one is the axis' own."""
    own = axis.bounds()
    if term.high is None:
        value = own[1] if term.low == OPEN and native else number(term, term.low)
        return float(value), float(value)
    if term.low == term.high == OPEN:
        return None
    if OPEN in (term.low, term.high) and not native:
        raise wrong(
            "subset", f"{term.axis} has an end that is open, in another reference system than the data's",
            "Give both ends.",
        )  # fmt: skip
    low = own[0] if term.low == OPEN else number(term, term.low)
    high = own[1] if term.high == OPEN else number(term, term.high)
    return float(low), float(high)


def on_ground(domain: Domain, ground: Ground) -> dict[str, Range] | None:
    """The cells along the axes of the ground; none where there are none."""
    ends = native_ends(ground, domain)
    if ends is None:
        return None
    found: dict[str, Range] = {}
    for role, pair in zip(GROUND, ends, strict=True):
        axis = domain.axis(role)
        if axis is None or pair is None:
            continue
        met = cells_between(domain, axis, *pair, ground.parameter)
        if met is None:
            return None
        found[axis.dim] = Range(*met, role in ground.slices)
    return found


def cells_between(
    domain: Domain, axis: Axis, low: float, high: float, parameter: str
) -> tuple[int, int] | None:
    """The cells of an axis of the ground between two coordinates."""
    if not axis.is_even:
        return places.numbers(axis, low, high)
    if axis.role == "x" and domain.reference is not None and domain.reference.is_globe:
        return places.around(axis, low, high + places.GLOBE if low > high else high, parameter)
    return places.cells(axis, low, high)


# ------------------------------------------------------------------------------------------- other axes
def along(axis: Axis, term: Term) -> Range | None:
    """The cells that a term leaves of an axis that is none of the ground; none where there are none."""
    sliced = term.high is None
    if sliced and term.low == OPEN:
        return Range(axis.count - 1, axis.count, sliced)
    if not sliced and term.low == term.high == OPEN:
        return Range(0, axis.count)
    if axis.role == "time":
        try:
            span = (
                moments.read_moment(term.low) if term.high is None else moments.read_ends(term.low, term.high)
            )
        except ValueError as fault:
            raise wrong(
                "subset", f"{term.axis}: {fault}", f'Write {term.axis}("2022-06-01":"2022-07-01").'
            ) from None
        return chosen(places.moments(axis, span), sliced)
    if not all(isinstance(label, int | float) for label in axis.labels):
        return chosen(places.texts(axis, term.low, term.high), sliced)
    low = -math.inf if term.low == OPEN else number(term, term.low)
    high = low if term.high is None else math.inf if term.high == OPEN else number(term, term.high)
    if low > high:
        raise wrong("subset", f"{term.axis}: {low:g} is greater than {high:g}", "Give the lower one first.")
    return chosen(places.numbers(axis, low, high), sliced)


def number(term: Term, text: str) -> float:
    """A coordinate."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise wrong(
            "subset",
            f"{term.axis}: {text[:40]!r} is no number",
            f"Write {term.axis}(1.5) or {term.axis}(1:2).",
        )
    return value
