"""Prices by contracts, and areas of footprints."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from engine.errors import Problem
from engine.organisations import Contract, Organisation, Project, Rate
from engine.profiles.prices import AREA, CURRENCY, PERMISSION, PRICE, area_of, contract_for, kept, priced

YESTERDAY = datetime.now(UTC) - timedelta(days=1)
ORGANISATIONS = [Organisation(id="acme", members=("ada",)), Organisation(id="other", members=("bob",))]
PROJECTS = [
    Project(id="p", organisation="acme"),
    Project(id="q", organisation="acme", contract=3),
    Project(id="o", organisation="other"),
]
CONTRACTS = [
    Contract(id=1, organisation="acme", currency="EUR", ends=YESTERDAY),
    Contract(id=2, organisation="acme", currency="GBP", rates=(
        Rate(per_km2=2, collection="sat-*", level="l1a"), Rate(per_km2=0.5, platform="one"))),
    Contract(id=3, organisation="acme", currency="USD", rates=(Rate(per_km2=1),)),
    Contract(id=4, organisation="other", currency="EUR"),
]  # fmt: skip
SQUARE = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]}


def asked(user: str, project: str | None = None, contract: int | None = None) -> Contract | None:
    return contract_for(user, ORGANISATIONS, PROJECTS, CONTRACTS, project, contract)


def test_the_contract_is_the_named_one_or_that_of_the_project():
    assert asked("ada") is None
    assert asked("ada", project="p").id == 2
    assert asked("ada", project="q").id == 3
    assert asked("ada", project="q", contract=2).id == 2
    assert asked("ada", contract=1) is None, "it has ended"
    assert asked("ada", project="none") is None
    assert asked("bob", project="p") is None, "a project of others tells no prices"


@pytest.mark.parametrize("contract", [2, 99])
def test_contracts_of_others_are_refused(contract):
    with pytest.raises(Problem) as refused:
        asked("bob", contract=contract)
    assert refused.value.code == "PermissionsInsufficient"


def item(**properties) -> dict:
    return {"id": "i", "collection": "sat-a", "geometry": SQUARE, "properties": {AREA: 100.0, **properties}}


def test_a_price_is_rate_times_area():
    contract = asked("ada", project="p")
    assert priced(item(**{"processing:level": "L1A"}), contract)["properties"] | {} == {
        AREA: 100.0, "processing:level": "L1A", PRICE: 200.0, CURRENCY: "GBP",
    }  # fmt: skip
    assert priced(item(platform="one"), contract)["properties"][PRICE] == 50.0
    assert PRICE not in priced(item(platform="two"), contract)["properties"], "no rate, no price"
    assert PRICE not in priced(item(), None)["properties"]


def test_what_differs_from_reader_to_reader_is_not_kept():
    given = item(
        **{PRICE: 1, CURRENCY: "EUR", PERMISSION: True, "opencosmos:price_list": [], "platform": "one"}
    )
    told = kept(given)["properties"]
    assert set(told) == {AREA, "platform"}
    assert told[AREA] == pytest.approx(12308.778, abs=0.001)


def test_areas_are_those_of_the_ellipsoid_whatever_the_direction_of_the_ring():
    """The square degree at the equator has 12,308.8 km2 (Karney's GeographicLib gives 12308778361.469 m2)."""
    assert area_of(SQUARE) == pytest.approx(12308.778361, rel=1e-9)
    backwards = {"type": "Polygon", "coordinates": [SQUARE["coordinates"][0][::-1]]}
    assert area_of(backwards) == area_of(SQUARE)
    assert area_of({"type": "Point", "coordinates": [1, 2, 3]}) == 0
