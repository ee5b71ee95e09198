"""What data cost whom: areas of footprints, and prices by contracts, computed anew for each request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import shapely
from pyproj import Geod
from shapely.geometry import shape

from engine.errors import Problem
from engine.organisations import Contract, Organisation, Project, contract_of, of_member

Json = dict[str, Any]
AREA = "opencosmos:data_area_km2"
PRICE = "opencosmos:price"
CURRENCY = "opencosmos:price_currency"
PERMISSION = "opencosmos:high_resolution_read_permission"
NOT_KEPT = (PRICE, CURRENCY, PERMISSION)
"""Properties that differ from reader to reader."""
EARTH = Geod(ellps="WGS84")
DECIMALS = 2


def kept(item: Json) -> Json:
    """An item as it is kept: with the area of its footprint, and without what differs from reader to reader."""
    properties = {
        k: v
        for k, v in item.get("properties", {}).items()
        if k not in NOT_KEPT and not k.startswith(f"{PRICE}_")
    }
    if item.get("geometry") is not None:
        properties[AREA] = area_of(item["geometry"])
    return {**item, "properties": properties}


def area_of(geometry: Json) -> float:
    """The area of a GeoJSON geometry on the ellipsoid, in square kilometres."""
    parsed = shapely.force_2d(shape(geometry))
    return round(abs(EARTH.geometry_area_perimeter(shapely.orient_polygons(parsed))[0]) / 1e6, 6)


def contract_for(
    user: str, organisations: Sequence[Organisation], projects: Sequence[Project], contracts: Sequence[Contract],
    project: str | None, contract: int | None,
) -> Contract | None:  # fmt: skip
    """The contract by which a user is told prices: the one that is named, else that of the project.

    Raises:
        Problem: It is one of others.
    """
    own = {o.id for o in of_member(organisations, user)}
    if contract is not None:
        found = next((c for c in contracts if c.id == contract), None)
        if found is None or found.organisation not in own:
            raise Problem("PermissionsInsufficient", f"contract {contract} is none of your organisation's")
        return found if found.holds() else None
    known = next((p for p in projects if p.id == project), None)
    if project is None or known is None or known.organisation not in own:
        return None
    return contract_of(known, contracts)


def priced(item: Json, contract: Contract | None) -> Json:
    """An item with what it costs by a contract; without one, or where the contract says nothing of it, without."""
    properties: Mapping[str, Any] = item["properties"]
    area = properties.get(AREA)
    if contract is None or not isinstance(area, int | float):
        return item
    level, platform = (str(properties.get(name) or "") for name in ("processing:level", "platform"))
    rate = contract.rate(str(item["collection"]), level, platform)
    if rate is None:
        return item
    price = {PRICE: round(rate * area, DECIMALS), CURRENCY: contract.currency}
    return {**item, "properties": {**properties, **price}}
