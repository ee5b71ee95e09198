"""What the ground is made of: a number for each surface, and ranges for those that come in grades."""

from __future__ import annotations

from enum import IntEnum

GRADES = 16
"""Grades of a surface that changes gradually: the lake's depth, the share of broadleaved trees."""


class Surface(IntEnum):
    """A kind of ground; parcels of farmland follow after the last one."""

    RIVER = 0
    GRAVEL = 1
    ROCK = 2
    REED = 3
    PASTURE = 4
    CLEARING = 5
    TILES = 6
    SLATE = 7
    METAL = 8
    ASPHALT = 9
    YARD = 10
    GARDEN = 11
    TREES = 12
    LAKE = 16
    FOREST = LAKE + GRADES
    PARCEL = FOREST + GRADES


TOWN = (
    Surface.TILES,
    Surface.SLATE,
    Surface.METAL,
    Surface.ASPHALT,
    Surface.YARD,
    Surface.GARDEN,
    Surface.TREES,
)
"""What a town is made of."""
