"""What graphs cost: told beforehand, charged afterwards, refused where it is too much."""

from __future__ import annotations

import pytest

from engine.billing import FREE, Plan
from requests_of_users import LOAD, NDVI, SUM, ended, made, run, wrapped

DEAR = Plan(
    name="dear", description="For those who can.", per_gigabyte_read=1000, url="https://example.org/dear"
)


@pytest.fixture
def priced(served, monkeypatch):
    """The server with a plan that costs something."""
    monkeypatch.setitem(served.backend.settings.__dict__, "plans", (FREE, DEAR))
    monkeypatch.setitem(served.backend.settings.__dict__, "currency", "EUR")


def test_plans_are_told(anonymous, priced):
    billing = anonymous.get("/").json()["billing"]
    assert (billing["currency"], billing["default_plan"]) == ("EUR", "free")
    assert billing["plans"][1] == {
        "name": "dear", "description": "For those who can.", "paid": True, "url": "https://example.org/dear",
    }  # fmt: skip


def test_an_estimate_is_what_explain_says(ada, served, priced):
    cost = served.backend.engine.explain({"process_graph": NDVI}).cost
    told = ada.get(f"/jobs/{made(ada, NDVI, plan='dear')}/estimate").json()
    assert told["size"] == cost.bytes_out
    assert told["costs"] == DEAR.charge(cost) > 0
    assert told["usage"]["cells"]["value"] == cost.cells
    assert told["duration"].startswith("PT")
    assert ada.get(f"/jobs/{made(ada, NDVI)}/estimate").json()["costs"] == 0


def test_what_is_estimated_is_charged(ada, priced):
    job = made(ada, NDVI, plan="DEAR", budget=1_000_000)
    costs = ada.get(f"/jobs/{job}/estimate").json()["costs"]
    assert ada.post(f"/jobs/{job}/results").status_code == 202
    told = ended(ada, job)
    assert (told["status"], told["costs"]) == ("finished", costs)
    assert told["usage"]["cpu"]["value"] > 0
    assert float(ada.get(f"/jobs/{job}/results").headers["openeo-costs"]) == pytest.approx(costs, rel=1e-5)


def test_a_budget_is_kept(ada, served, priced):
    job = run(ada, NDVI, plan="dear", budget=0.001)
    assert ada.get(f"/jobs/{job}").json()["status"] == "error"
    entry = ada.get(f"/jobs/{job}/logs").json()["logs"][-1]
    assert (entry["level"], entry["code"]) == ("error", "BudgetInvalid")
    assert not list(served.backend.settings.job_folder("ada", job).glob("**/*"))
    refused = ada.post("/result", json={**wrapped(NDVI), "plan": "dear", "budget": 0.001})
    assert (refused.status_code, refused.json()["code"]) == (400, "BudgetInvalid")
    paid = ada.post("/result", json={**wrapped(NDVI), "plan": "dear", "budget": 1000})
    assert paid.status_code == 200
    assert float(paid.headers["openeo-costs"]) > 0.001


@pytest.mark.parametrize(
    ("further", "code"),
    [
        ({"plan": "none"}, "BillingPlanInvalid"),
        ({"plan": 3}, "BillingPlanInvalid"),
        ({"budget": -1}, "BudgetInvalid"),
        ({"budget": "much"}, "BudgetInvalid"),
        ({"budget": True}, "BudgetInvalid"),
    ],
)
def test_plans_and_budgets_that_are_none(ada, further, code):
    for path in ("/jobs", "/result"):
        answer = ada.post(path, json={**wrapped(SUM), **further})
        assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_what_takes_too_long_is_sent_to_the_batch_jobs(ada):
    """Cells of 2 cm: minutes by the estimate, known in a moment."""
    fine = {
        "load": LOAD,
        "fine": {"process_id": "resample_spatial", "arguments": {"data": {"from_node": "load"}, "resolution": 0.05, "method": "cubic"}},
        "max": {**NDVI["max"], "arguments": {**NDVI["max"]["arguments"], "data": {"from_node": "fine"}}},
    }  # fmt: skip
    answer = ada.post("/result", json=wrapped(fine))
    assert (answer.status_code, answer.json()["code"]) == (400, "ProcessGraphComplexity")
    assert "batch job" in answer.json()["message"]


def test_no_estimate_of_what_runs_elsewhere(ada):
    graph = {"x": {"process_id": "run_ogcapi_externally", "arguments": {"data": 1, "url": "https://example.org", "id": "p"}, "result": True}}  # fmt: skip
    answer = ada.get(f"/jobs/{made(ada, graph)}/estimate")
    assert (answer.status_code, answer.json()["code"]) == (500, "EstimateComplexity")
