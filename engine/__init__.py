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
    from engine.files import UserFile
    from engine.firstrun import first_run
    from engine.jobs.task import Estimate
    from engine.maps.model import Look, Portrait
    from engine.notebook import Cube, Session, open, run  # noqa: A004 (engine.open is what it is called)
    from engine.plan.explain import Explanation
    from engine.progress import bar
    from engine.records import Job, Results, Service, Status, User, UserProcess
    from engine.sample import sample_catalog
    from engine.service import Engine
    from engine.settings import Settings

_ROOMS = {
    "Backend": "engine.backend",
    "Job": "engine.records",
    "Results": "engine.records",
    "Service": "engine.records",
    "Status": "engine.records",
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
    "Settings": "engine.settings",
    "bar": "engine.progress",
    "first_run": "engine.firstrun",
    "open": "engine.notebook",
    "run": "engine.notebook",
}

__all__ = [
    "Backend",
    "Cube",
    "Engine",
    "Estimate",
    "Explanation",
    "Job",
    "Look",
    "Portrait",
    "Problem",
    "Problems",
    "Results",
    "Service",
    "Session",
    "Settings",
    "Status",
    "User",
    "UserFile",
    "UserProcess",
    "bar",
    "first_run",
    "open",
    "run",
    "sample_catalog",
]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return getattr(import_module(_ROOMS[name]), name)
    raise AttributeError(f"module 'engine' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
