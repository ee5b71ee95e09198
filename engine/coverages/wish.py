"""A request for a coverage as a value, before it is known what there is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.coverages import moments, scaling
from engine.coverages.faults import wrong
from engine.coverages.moments import Span
from engine.coverages.scaling import Scaling
from engine.coverages.terms import Term, read_terms
from engine.domain.reference import WGS84, Reference, read_reference

Given = Mapping[str, Sequence[str]]
"""Parameters by name, each with the values that it came with."""
ALIASES = {"scaleSize": "scale-size", "scaleFactor": "scale-factor", "scaleAxes": "scale-axes"}
"""Names that some clients send."""
OF_DOMAIN = ("subset", "bbox", "datetime", "subset-crs", "bbox-crs", "crs")
"""Parameters that say where."""
OF_COVERAGE = (*OF_DOMAIN, "properties", "exclude-properties", *scaling.WAYS)
"""All that a coverage is asked by."""
COMMON = ("EPSG:4326", "OGC:CRS84", "EPSG:3857")
"""Reference systems that are told; all others that PROJ knows are taken, too."""
OF_CRS = (
    "Give it as URI (http://www.opengis.net/def/crs/EPSG/0/4326), [EPSG:4326], EPSG:4326 or 4326. Supported are that of "
    f"the data, {', '.join(COMMON)} and all systems of EPSG that are geographic or projected."
)


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for."""

    subset: tuple[Term, ...] = ()
    subset_crs: Reference | None = None
    """What coordinates in `subset` are in; none: the usual ones of the axis."""
    bbox: tuple[float, ...] = ()
    """Four numbers, or six with heights, in the order of `bbox_crs`; none: everywhere."""
    bbox_crs: Reference = WGS84
    datetime: Span | None = None
    properties: tuple[str, ...] | None = None
    """Names or indices of fields; none: all."""
    excluded: tuple[str, ...] = ()
    """Names or indices of fields that are not wanted, where it is not said which are."""
    scaling: Scaling | None = None
    crs: Reference | None = None
    """What the coverage is wanted in; none: what it is in."""
    strict: bool = False
    """Is refused what else would be ignored?"""

    @property
    def is_timed(self) -> bool:
        """May it say anything of time?"""
        return self.datetime is not None or bool(self.subset)


def read_wish(given: Given, known: Sequence[str] = OF_COVERAGE, *, strict: bool = False) -> Wish:
    """The request that these parameters make; of others only a strict one takes notice.

    Raises:
        Problem: A value has another form than it has to have.
    """
    asked: dict[str, list[str]] = {}
    for name, values in given.items():
        asked.setdefault(ALIASES.get(name, name), []).extend(values)
    if strict and (strange := [name for name in asked if name not in known]):
        raise wrong(strange[0][:40], "there is no such parameter", f"There are {', '.join((*known, 'f'))}.")
    asked = {name: values for name, values in asked.items() if name in known}
    if "properties" in asked and "exclude-properties" in asked:
        raise wrong("exclude-properties", "it is given beside properties", "Give one of them.")
    return Wish(
        subset=subset(asked.get("subset", ())),
        subset_crs=reference("subset-crs", asked),
        bbox=box(asked.get("bbox", ())),
        bbox_crs=reference("bbox-crs", asked) or WGS84 if "bbox" in asked else WGS84,
        datetime=datetime(asked),
        properties=properties("properties", asked),
        excluded=properties("exclude-properties", asked) or (),
        scaling=scaling.read_scaling(asked),
        crs=reference("crs", asked),
        strict=strict,
    )


def subset(texts: Sequence[str]) -> tuple[Term, ...]:
    """The terms of `subset`."""
    try:
        return read_terms(texts)
    except ValueError as fault:
        raise wrong("subset", str(fault), 'Write subset=Lat(45:46),Lon(11:12),time("2022-06-01").') from None


def reference(name: str, asked: Given) -> Reference | None:
    """A reference system."""
    if name not in asked:
        return None
    try:
        return read_reference(scaling.only(name, asked[name]))
    except ValueError as fault:
        raise wrong(name, str(fault), OF_CRS) from None


def box(texts: Sequence[str]) -> tuple[float, ...]:
    """Four or six numbers."""
    if not texts:
        return ()
    hint = "Write bbox=WEST,SOUTH,EAST,NORTH, or six numbers with the heights third and last."
    try:
        numbers = tuple(float(part) for part in scaling.only("bbox", texts).split(","))
    except ValueError:
        raise wrong("bbox", f"{texts[0][:60]!r} is no list of numbers", hint) from None
    if len(numbers) not in (4, 6) or not all(map(math.isfinite, numbers)):
        raise wrong("bbox", f"{texts[0][:60]!r} has {len(numbers)} numbers", hint)
    return numbers


def datetime(asked: Given) -> Span | None:
    """A moment or an interval."""
    if "datetime" not in asked:
        return None
    try:
        return moments.read_datetime(scaling.only("datetime", asked["datetime"]))
    except ValueError as fault:
        raise wrong("datetime", str(fault), moments.EXAMPLE) from None


def properties(name: str, asked: Given) -> tuple[str, ...] | None:
    """Names of fields, in order."""
    texts = asked.get(name, ())
    if not texts:
        return None
    names = tuple(part.strip() for text in texts for part in text.split(","))
    if not all(names):
        raise wrong(name, "a name is empty", f"Write {name}=B04,B08.")
    return names
