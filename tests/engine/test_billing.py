"""What runs are charged."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from engine import Problem, Settings
from engine.billing import FREE, Plan, chosen, within_budget

AMOUNTS = st.builds(
    SimpleNamespace,
    bytes_decoded=st.integers(0, 10**13),
    cells=st.integers(0, 10**13),
    bytes_out=st.integers(0, 10**13),
)
DEAR = Plan(name="dear", description="", per_gigabyte_read=1, per_gigacell=0.1, per_gigabyte_result=2)


def test_a_price_by_hand():
    assert DEAR.charge(SimpleNamespace(bytes_decoded=2.5e9, cells=1e9, bytes_out=5e8)) == 2.5 + 0.1 + 1.0


@given(AMOUNTS, AMOUNTS)
def test_more_never_costs_less(a, b):
    both = SimpleNamespace(**{k: getattr(a, k) + getattr(b, k) for k in vars(a)})
    assert DEAR.charge(both) >= max(DEAR.charge(a), DEAR.charge(b))
    assert FREE.charge(both) == 0
    assert DEAR.charge(both) == pytest.approx(DEAR.charge(a) + DEAR.charge(b), abs=2e-4)


def test_plans_are_found_by_name_in_any_case():
    assert chosen((FREE, DEAR), None) is FREE
    assert chosen((FREE, DEAR), "Dear") is DEAR
    with pytest.raises(Problem, match="free, dear") as caught:
        chosen((FREE, DEAR), "cheap")
    assert caught.value.code == "BillingPlanInvalid"


def test_budgets():
    within_budget(1.0, None)
    within_budget(1.0, 1.0)
    with pytest.raises(Problem, match=r"costs 1, the budget is 0\.5") as caught:
        within_budget(1.0, 0.5)
    assert caught.value.code == "BudgetInvalid"


def test_prices_need_a_currency():
    with pytest.raises(ValidationError, match="GDC_CURRENCY"):
        Settings(plans=(DEAR,))
    assert Settings(plans=(DEAR,), currency="EUR").plans == (DEAR,)


def test_plans_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("GDC_PLANS", '[{"name": "dear", "description": "", "per_gigacell": 3}]')
    monkeypatch.setenv("GDC_CURRENCY", "EUR")
    assert Settings().plans[0].per_gigacell == 3
