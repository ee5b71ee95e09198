"""The door of the engine: open one, run a graph, get a lazy cube.

    import engine

    cube = engine.open("demo").load("S2", time=("2022-06-01", "2022-07-01")).ndvi(nir="B08", red="B04")
    value = engine.run({"add": {"process_id": "add", "arguments": {"x": 1, "y": 2}, "result": True}})

What is heavy is imported on first use, so that a command line starts at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from engine.errors import Problem, Problems

if TYPE_CHECKING:
    from engine.backend import Backend
    from engine.catalog import (
        Author,
        Event,
        Hit,
        Home,
        Mode,
        Outcome,
        Page,
        PatchCollection,
        PatchItem,
        PutCollection,
        PutItem,
        RemoveCollection,
        RemoveItem,
        Search,
        Sort,
        filter_from_json,
        filter_from_query,
        filter_from_text,
    )
    from engine.catalog.changes import full_id
    from engine.catalog.documents import STAC_VERSION
    from engine.catalog.model import FEATURES, has_features
    from engine.catalog.store import Catalog
    from engine.cosmos import Sight
    from engine.coverages.desk import VISITOR, changed
    from engine.coverages.plan import Plan
    from engine.coverages.wish import COMMON, OF_COVERAGE, OF_DOMAIN, Wish, read_wish
    from engine.domain.cis import domain_set, range_type, schema_of
    from engine.domain.model import Axis, Domain, Field
    from engine.domain.reference import WGS84, Reference, read_reference
    from engine.domain.shapes import box_of, ground_of, moved
    from engine.events import Delivery, Live, Message, Receipt, State, Subscription, Webhook, message_of
    from engine.executions.model import Execution, Planned
    from engine.executions.outcome import Given, Value, bytes_in, value_in
    from engine.executions.states import (
        Sieve,
        ended_at,
        failure_of,
        not_ready,
        process_of,
        sieve_of,
        state_of,
    )
    from engine.files import UserFile
    from engine.firstrun import first_run
    from engine.jobs.task import Estimate
    from engine.maps.model import Look, Portrait
    from engine.notebook import Cube, Session, open, run  # noqa: A004 (engine.open is what it is called)
    from engine.objects.media import media_type_of
    from engine.owners.assets import download_path
    from engine.owners.owners import home_of
    from engine.plan.explain import Explanation
    from engine.progress import bar
    from engine.queryables import Queryable
    from engine.records import Job, Results, Service, Status, Stored, User, UserProcess
    from engine.sample import sample_catalog
    from engine.service import Engine
    from engine.settings import Settings
    from engine.stored import public as public_assets

_ROOMS = {
    "Catalog": "engine.catalog",
    "Event": "engine.catalog",
    "FEATURES": "engine.catalog.model",
    "STAC_VERSION": "engine.catalog.documents",
    "has_features": "engine.catalog.model",
    "Delivery": "engine.events",
    "Live": "engine.events",
    "Message": "engine.events",
    "Receipt": "engine.events",
    "State": "engine.events",
    "Subscription": "engine.events",
    "Webhook": "engine.events",
    "message_of": "engine.events",
    "Hit": "engine.catalog",
    "Execution": "engine.executions.model",
    "Planned": "engine.executions.model",
    "Given": "engine.executions.outcome",
    "Value": "engine.executions.outcome",
    "bytes_in": "engine.executions.outcome",
    "value_in": "engine.executions.outcome",
    "Sieve": "engine.executions.states",
    "ended_at": "engine.executions.states",
    "failure_of": "engine.executions.states",
    "not_ready": "engine.executions.states",
    "process_of": "engine.executions.states",
    "sieve_of": "engine.executions.states",
    "state_of": "engine.executions.states",
    "Home": "engine.catalog",
    "Mode": "engine.catalog",
    "Outcome": "engine.catalog",
    "Page": "engine.catalog",
    "PatchCollection": "engine.catalog",
    "PatchItem": "engine.catalog",
    "PutCollection": "engine.catalog",
    "PutItem": "engine.catalog",
    "RemoveCollection": "engine.catalog",
    "RemoveItem": "engine.catalog",
    "Search": "engine.catalog",
    "Sort": "engine.catalog",
    "filter_from_json": "engine.catalog",
    "filter_from_query": "engine.catalog",
    "filter_from_text": "engine.catalog",
    "Author": "engine.catalog",
    "Backend": "engine.backend",
    "Job": "engine.records",
    "Queryable": "engine.queryables",
    "Results": "engine.records",
    "Service": "engine.records",
    "Status": "engine.records",
    "Stored": "engine.records",
    "User": "engine.records",
    "UserFile": "engine.files",
    "UserProcess": "engine.records",
    "sample_catalog": "engine.sample",
    "Cube": "engine.notebook",
    "Engine": "engine.service",
    "Estimate": "engine.jobs.task",
    "Explanation": "engine.plan.explain",
    "Look": "engine.maps.model",
    "Portrait": "engine.maps.model",
    "Session": "engine.notebook",
    "COMMON": "engine.coverages.wish",
    "Axis": "engine.domain.model",
    "Domain": "engine.domain.model",
    "Field": "engine.domain.model",
    "OF_COVERAGE": "engine.coverages.wish",
    "OF_DOMAIN": "engine.coverages.wish",
    "Plan": "engine.coverages.plan",
    "Reference": "engine.domain.reference",
    "WGS84": "engine.domain.reference",
    "read_reference": "engine.domain.reference",
    "box_of": "engine.domain.shapes",
    "ground_of": "engine.domain.shapes",
    "moved": "engine.domain.shapes",
    "VISITOR": "engine.coverages.desk",
    "Wish": "engine.coverages.wish",
    "domain_set": "engine.domain.cis",
    "range_type": "engine.domain.cis",
    "read_wish": "engine.coverages.wish",
    "schema_of": "engine.domain.cis",
    "Sight": "engine.cosmos",
    "Settings": "engine.settings",
    "bar": "engine.progress",
    "changed": "engine.coverages.desk",
    "download_path": "engine.owners.assets",
    "first_run": "engine.firstrun",
    "media_type_of": "engine.objects.media",
    "full_id": "engine.catalog.changes",
    "home_of": "engine.owners.owners",
    "open": "engine.notebook",
    "public_assets": "engine.stored:public",
    "run": "engine.notebook",
}

__all__ = [
    "COMMON",
    "FEATURES",
    "OF_COVERAGE",
    "OF_DOMAIN",
    "STAC_VERSION",
    "VISITOR",
    "WGS84",
    "Author",
    "Axis",
    "Backend",
    "Catalog",
    "Cube",
    "Delivery",
    "Domain",
    "Engine",
    "Estimate",
    "Event",
    "Execution",
    "Explanation",
    "Field",
    "Given",
    "Hit",
    "Home",
    "Job",
    "Live",
    "Look",
    "Message",
    "Mode",
    "Outcome",
    "Page",
    "PatchCollection",
    "PatchItem",
    "Plan",
    "Planned",
    "Portrait",
    "Problem",
    "Problems",
    "PutCollection",
    "PutItem",
    "Queryable",
    "Receipt",
    "Reference",
    "RemoveCollection",
    "RemoveItem",
    "Results",
    "Search",
    "Service",
    "Session",
    "Settings",
    "Sieve",
    "Sight",
    "Sort",
    "State",
    "Status",
    "Stored",
    "Subscription",
    "User",
    "UserFile",
    "UserProcess",
    "Value",
    "Webhook",
    "Wish",
    "bar",
    "box_of",
    "bytes_in",
    "changed",
    "domain_set",
    "download_path",
    "ended_at",
    "failure_of",
    "filter_from_json",
    "filter_from_query",
    "filter_from_text",
    "first_run",
    "full_id",
    "ground_of",
    "has_features",
    "home_of",
    "media_type_of",
    "message_of",
    "moved",
    "not_ready",
    "open",
    "process_of",
    "public_assets",
    "range_type",
    "read_reference",
    "read_wish",
    "run",
    "sample_catalog",
    "schema_of",
    "sieve_of",
    "state_of",
    "value_in",
]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        room, _, other = _ROOMS[name].partition(":")
        return getattr(import_module(room), other or name)
    raise AttributeError(f"module 'engine' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
