"""Coordinate reference systems by all the names that clients give them, and the order of their axes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

import pyproj
from pyproj.exceptions import CRSError

CRS84 = "OGC:CRS84"
URI = "http://www.opengis.net/def/crs"
LONGEST = 300
"""Characters of a name that are looked at."""
NAMES_OF_CRS84 = frozenset({"CRS84", "CRS:84", "OGC:CRS84", "CRS84H", "CRS:84H", "OGC:CRS84H"})
OF_URI = re.compile(r"https?://www\.opengis\.net/def/crs/(\w+)/[\w.]+/(\w+)/?", re.IGNORECASE)
OF_URN = re.compile(r"urn:(?:x-)?ogc:def:crs:(\w+):[\w.]*:(\w+)", re.IGNORECASE)
OF_COMPOUND = re.compile(r"https?://www\.opengis\.net/def/crs-compound\?(.*)", re.IGNORECASE)
CODE = re.compile(r"(\w+):(\w+)")


@dataclass(frozen=True)
class Reference:
    """A horizontal coordinate reference system."""

    name: str
    """`OGC:CRS84`, `EPSG:` with a code, or WKT2."""

    @cached_property
    def proj(self) -> pyproj.CRS:
        """The same for PROJ."""
        return pyproj.CRS.from_user_input(self.name)

    @property
    def is_crs84(self) -> bool:
        """Is it longitude and latitude of WGS 84, in this order?"""
        return self.name == CRS84

    @cached_property
    def is_geographic(self) -> bool:
        """Are its coordinates longitudes and latitudes?"""
        return bool(self.proj.is_geographic)

    @cached_property
    def is_globe(self) -> bool:
        """Do its longitudes come back after 360?"""
        return self.is_geographic and str(self.proj.axis_info[0].unit_name).lower().startswith("degree")

    @cached_property
    def north_first(self) -> bool:
        """Does the northward coordinate come before the eastward one?"""
        ways = [axis.direction.lower() for axis in self.proj.axis_info[:2]]
        return len(ways) == 2 and ways[0] in ("north", "south") and ways[1] in ("east", "west")

    @property
    def uri(self) -> str:
        """Its address in OGC's register; its name where it is in none."""
        if self.is_crs84:
            return f"{URI}/OGC/1.3/CRS84"
        authority, colon, code = self.name.partition(":")
        return f"{URI}/{authority}/0/{code}" if colon and CODE.fullmatch(self.name) else self.name

    @property
    def graph_crs(self) -> int | str:
        """As process graphs have it: a code of EPSG or WKT2, x always before y."""
        if self.is_crs84:
            return 4326
        authority, _, code = self.name.partition(":")
        return int(code) if authority == "EPSG" and code.isdecimal() else self.name

    @property
    def unit(self) -> str:
        """The unit of its coordinates."""
        return str(self.proj.axis_info[0].unit_name) if self.proj.axis_info else "unknown"

    def same_grid(self, other: Reference) -> bool:
        """Have cells the same coordinates in both, whatever the order of the axes?"""
        return self.graph_crs == other.graph_crs


WGS84 = Reference(CRS84)


@lru_cache(maxsize=256)
def read_reference(text: str) -> Reference:
    """A system by URI, URN, CURIE (with brackets or without), or bare code.

    Raises:
        ValueError: It is none, or none of the ground.
    """
    name = text.strip()[:LONGEST]
    if name.startswith("[") and name.endswith("]"):
        name = name[1:-1]
    if found := OF_COMPOUND.fullmatch(name):
        return horizontal_of(found[1])
    for pattern in (OF_URI, OF_URN):
        if found := pattern.fullmatch(name):
            name = f"{found[1]}:{found[2]}"
    if name.upper() in NAMES_OF_CRS84:
        return WGS84
    if name.isascii() and name.isdecimal():
        name = f"EPSG:{name}"
    if not CODE.fullmatch(name):
        raise ValueError(f"{text[:80]!r} names no coordinate reference system")
    try:
        crs = pyproj.CRS.from_user_input(name.upper())
    except CRSError:
        raise ValueError(f"there is no coordinate reference system {text[:80]!r}") from None
    if len(crs.axis_info) != 2 or not (crs.is_geographic or crs.is_projected):
        raise ValueError(f"{text[:80]!r} ({crs.name}) is no system of places on the ground")
    return Reference(name.upper())


def horizontal_of(query: str) -> Reference:
    """The part of a compound system that is about the ground."""
    for part in query.split("&"):
        try:
            return read_reference(part.partition("=")[2])
        except ValueError:
            continue
    raise ValueError(f"no part of {query[:80]!r} is a system of places on the ground")
