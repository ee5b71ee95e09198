"""What is done once, before runs are forked off: importing this does it, in the process that they are forked off."""

from __future__ import annotations

from datetime import UTC, datetime

import netCDF4  # noqa: F401 (writers import their libraries late, which each run would pay for)
import pystac
import zarr  # noqa: F401

from engine.http.egress import GUARDED

PLACE = {"type": "Point", "coordinates": [0.0, 0.0]}


def find_extensions() -> None:
    """Have pystac look through all installed packages for its extensions: it does so for the first item that it reads."""
    item = pystac.Item("first", PLACE, [0.0, 0.0, 0.0, 0.0], datetime(2022, 1, 1, tzinfo=UTC), {})
    pystac.Item.from_dict(item.to_dict(include_self_link=False))


find_extensions()
GUARDED.policy("https://localhost")
