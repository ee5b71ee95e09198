"""How the scenes of a cube were taken, as their items tell it: angles along time, facts of the radar."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from engine.load.model import Source

Say = Callable[[str], None]
Steps = Sequence[Sequence[Mapping[str, Any]]]
"""The properties of the items of each time step."""

ROUND = ("view:azimuth", "view:sun_azimuth")
"""Angles that come round to where they began."""
ANGLES = ("view:off_nadir", "view:incidence_angle", *ROUND, "view:sun_elevation")
"""Angles of the sensor and of the sun, in degrees."""
RADAR = "sar:"
"""What fields of the radar extension begin with, and those beside it that tell of calibration and noise."""
ALIKE = 10.0
"""Degrees by which the angles of one time step may differ from their mean: neighbours of one pass do by few."""


def angles(steps: Steps, say: Say) -> dict[str, xr.Variable]:
    """A coordinate along `t` for each angle that any item tells; NaN where none does, or they are far apart."""
    found = {name: np.array([_angle(name, step) for step in steps]) for name in ANGLES}
    told = {name: values for name, values in found.items() if np.isfinite(values).any()}
    for name, values in told.items():
        silent = int(np.isnan(values).sum())
        if silent:
            say(
                f"{name} is not known at {silent} of {len(values)} times: no item tells it, or they are far apart"
            )
    return {name: xr.Variable(("t",), values, {"units": "degree"}) for name, values in told.items()}


def _angle(name: str, step: Sequence[Mapping[str, Any]]) -> float:
    """The mean of what the items of one time tell; NaN where they tell nothing, or are far apart."""
    told = (_degrees(properties.get(name)) for properties in step)
    given = [angle for angle in told if math.isfinite(angle)]
    if len(set(given)) <= 1:
        return given[0] if given else math.nan
    if name in ROUND:
        mean = math.degrees(
            math.atan2(*(sum(f(math.radians(v)) for v in given) for f in (math.sin, math.cos)))
        )
        apart = max(abs((v - mean + 180) % 360 - 180) for v in given)
        mean %= 360
    else:
        mean = sum(given) / len(given)
        apart = max(abs(v - mean) for v in given)
    return mean if apart <= ALIKE else math.nan


def _degrees(told: Any) -> float:
    return math.nan if isinstance(told, bool) or not isinstance(told, (int, float)) else float(told)


def facts(steps: Steps, say: Say) -> dict[str, Any]:
    """Attributes of the cube: what all items tell of the radar alike."""
    return _alike([_radar(properties) for step in steps for properties in step], "the items", say)


def facts_of_band(name: str, sources: Sequence[Source], say: Say) -> dict[str, Any]:
    """What all items tell of the radar for this band alike: one item's calibration is none for the others."""
    return _alike([source.radar for source in sources], f"band {name!r}", say)


def _radar(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if name.startswith(RADAR)}


def _alike(told: Sequence[Mapping[str, Any]], of: str, say: Say) -> dict[str, Any]:
    names = dict.fromkeys(name for one in told for name in one)
    same = {
        name: told[0][name] for name in names if all(name in o and o[name] == told[0].get(name) for o in told)
    }
    if apart := [name for name in names if name not in same]:
        say(f"{', '.join(apart)} of {of} differ from item to item and are left out")
    return same
