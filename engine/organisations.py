"""Organisations, their projects and contracts, as the operator writes them down: who belongs where, and what data cost them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from pydantic import BaseModel, ConfigDict, Field


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Organisation(_Frozen):
    """Those who work together."""

    id: str = Field(min_length=1)
    """Its identifier; publishers name it as `provider`."""
    title: str = ""
    """Its name for people."""
    members: tuple[str, ...] = ()
    """Identifiers of accounts."""
    publishes_for: tuple[str, ...] = ()
    """Identifiers of other organisations whose data it may publish."""


class Rate(_Frozen):
    """What a square kilometre costs."""

    per_km2: float = Field(ge=0)
    """Price, in the currency of the contract."""
    collection: str = "*"
    """Id of a collection, as a pattern with `*`; so are the others."""
    level: str = "*"
    """Processing level; case does not matter."""
    platform: str = "*"
    """Platform."""


class Contract(_Frozen):
    """What an organisation pays."""

    id: int
    """Its number."""
    organisation: str
    """Whose it is."""
    currency: str = Field(min_length=1)
    """What prices are in (ISO 4217 code)."""
    rates: tuple[Rate, ...] = ()
    """The first that fits an item is its price; none: there is no price."""
    begins: datetime | None = None
    """From when on it holds."""
    ends: datetime | None = None
    """Until when it holds."""

    def holds(self, at: datetime | None = None) -> bool:
        """Does it hold at that moment, which is now unless it is given?"""
        now = at or datetime.now(UTC)
        return (self.begins is None or self.begins <= now) and (self.ends is None or now < self.ends)

    def rate(self, collection: str, level: str, platform: str) -> float | None:
        """The price of a square kilometre of data; None: the contract says nothing of them."""
        for rate in self.rates:
            fits = fnmatchcase(level.lower(), rate.level.lower()) and fnmatchcase(platform, rate.platform)
            if fits and fnmatchcase(collection, rate.collection):
                return rate.per_km2
        return None


class Project(_Frozen):
    """Work of an organisation, with items of its own."""

    id: str = Field(min_length=1)
    title: str = ""
    organisation: str
    """Whose it is; its members read and write its items."""
    contract: int | None = None
    """Number of the contract that its prices come from; without one, the organisation's first that holds."""


def of_member(organisations: Iterable[Organisation], user: str) -> list[Organisation]:
    """The organisations that an account belongs to, as they are written down."""
    return [o for o in organisations if user in o.members]


def contract_of(project: Project, contracts: Sequence[Contract]) -> Contract | None:
    """The contract that holds for a project now."""
    for contract in contracts:
        chosen = project.contract is None or contract.id == project.contract
        if chosen and contract.organisation == project.organisation and contract.holds():
            return contract
    return None
