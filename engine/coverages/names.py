"""Which axis a client means: by its published name, by the names that others have for it, or by its dimension."""

from __future__ import annotations

from engine.coverages.faults import no_axis
from engine.domain.model import Axis, Domain, Role
from engine.domain.reference import WGS84, Reference

DEGREES: dict[str, Role] = {"lon": "x", "long": "x", "longitude": "x", "lat": "y", "latitude": "y"}
"""Names that mean degrees, whatever the data are in."""
OTHERS: dict[str, Role] = {
    "x": "x", "e": "x", "east": "x", "easting": "x", "y": "y", "n": "y", "north": "y", "northing": "y",
    "h": "z", "z": "z", "height": "z", "elevation": "z", "altitude": "z",
    "t": "time", "time": "time", "date": "time", "datetime": "time", "phenomenontime": "time",
}  # fmt: skip
ROLES = {**DEGREES, **OTHERS}


def axis_named(domain: Domain, name: str, parameter: str) -> Axis:
    """The axis that a name stands for.

    Raises:
        Problem: There is none.
    """
    low = name.strip().lower()
    for axis in domain.axes:
        if low in (axis.label.lower(), axis.dim.lower()):
            return axis
    role = ROLES.get(low)
    found = None if role is None else domain.axis(role)
    if found is None:
        raise no_axis(parameter, name, domain.told)
    return found


def reference_of(domain: Domain, name: str, given: Reference | None) -> Reference | None:
    """What coordinates along an axis of the ground are in, by the name that it is called."""
    if given is not None:
        return given
    native = domain.reference
    in_degrees = name.strip().lower() in DEGREES
    return WGS84 if in_degrees and native is not None and not native.is_geographic else native
