"""What runs are charged: plans with prices by amounts that are known before a run begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field

from engine.errors import Problem

DECIMALS = 4
"""Of amounts of money."""


class Amounts(Protocol):
    """What a run takes."""

    @property
    def bytes_decoded(self) -> int:
        """Bytes of the cells that are read."""

    @property
    def cells(self) -> int:
        """Numbers that are computed."""

    @property
    def bytes_out(self) -> int:
        """Bytes of the result, unpacked."""


class Plan(BaseModel):
    """A billing plan."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """What requests choose it by; case does not matter."""
    description: str
    """For people; CommonMark."""
    url: str | None = None
    """A page with more about it."""
    per_gigabyte_read: float = Field(default=0.0, ge=0)
    """Price of 10^9 bytes of decoded cells that are read."""
    per_gigacell: float = Field(default=0.0, ge=0)
    """Price of 10^9 numbers that are computed."""
    per_gigabyte_result: float = Field(default=0.0, ge=0)
    """Price of 10^9 bytes of results, unpacked."""

    @property
    def paid(self) -> bool:
        """Has it any price?"""
        return bool(self.per_gigabyte_read or self.per_gigacell or self.per_gigabyte_result)

    def charge(self, amounts: Amounts) -> float:
        """What a run is charged, in the currency of the server."""
        total = (
            amounts.bytes_decoded * self.per_gigabyte_read
            + amounts.cells * self.per_gigacell
            + amounts.bytes_out * self.per_gigabyte_result
        )
        return round(total / 1e9, DECIMALS)


FREE = Plan(name="free", description="Nothing is charged.")


def chosen(plans: Sequence[Plan], name: str | None) -> Plan:
    """The plan of that name, the first where none is named.

    Raises:
        Problem: There is none.
    """
    for plan in plans:
        if name is None or plan.name.casefold() == name.casefold():
            return plan
    known = ", ".join(plan.name for plan in plans)
    raise Problem("BillingPlanInvalid", f"there is no plan {name!r}", hint=f"The plans are {known}.")


def check(document: Mapping[str, Any], plans: Sequence[Plan]) -> None:
    """Refuse a plan that there is not, and a budget that is none.

    Raises:
        Problem: A request has one.
    """
    plan, budget = document.get("plan"), document.get("budget")
    if not isinstance(plan, str | None):
        raise Problem("BillingPlanInvalid", "plan has to be a text")
    chosen(plans, plan)
    if budget is not None and (isinstance(budget, bool) or not isinstance(budget, int | float) or budget < 0):
        raise Problem("BudgetInvalid", "budget has to be a number that is not below 0, or null")


def within_budget(price: float, budget: float | None) -> None:
    """Refuse what costs more than it may.

    Raises:
        Problem: It does.
    """
    if budget is not None and price > budget:
        raise Problem(
            "BudgetInvalid",
            f"this costs {price:g}, the budget is {budget:g}",
            hint="Raise the budget, or take a smaller extent or coarser cells.",
            facts={"costs": price, "budget": budget},
        )
