"""Collections as coverages, without a server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from engine.coverages import graph
from engine.coverages.desk import with_classes
from engine.coverages.plan import Plan, plan
from engine.coverages.source import cataloged
from engine.coverages.wish import read_wish
from engine.domain.alike import refuse_other
from engine.domain.cubes import domain_of
from engine.domain.model import Domain
from engine.errors import Problem, Problems
from engine.service import Engine

LIMIT = 10**9


@dataclass
class Coverage:
    """A collection as a coverage."""

    engine: Engine
    id: str
    domain: Domain
    full: xr.DataArray
    """All of it, in memory."""

    def plan(self, form: str = "netcdf", **asked: str) -> Plan | None:
        """How a request is answered; `_` stands for `-` in names."""
        given = {name.replace("_", "-"): [value] for name, value in asked.items()}
        return plan(cataloged(self.id), self.domain, read_wish(given), form, LIMIT)

    def looked_at(self, made: Plan, process: Mapping[str, Any]) -> xr.DataArray:
        """The lazy cube of a graph, which is what was foretold."""
        lazy: xr.DataArray = self.engine.lazy(process)
        refuse_other(made.domain, domain_of(lazy))
        return lazy

    def get(self, form: str = "netcdf", **asked: str) -> xr.DataArray:
        """What a request gives, in memory."""
        made = self.plan(form, **asked)
        assert made is not None
        try:
            lazy = self.looked_at(made, made.process)
        except (Problem, Problems):
            assert made.wide is not None
            lazy = self.looked_at(made, made.wide)
        cube = self.engine.compute(lazy)
        told = {axis.dim: axis.count for axis in made.domain.axes}
        assert {d: n for d, n in cube.sizes.items() if d != "bands"} == told
        for axis in made.domain.axes:
            if axis.is_even:
                assert np.allclose(cube[axis.dim], axis.first + axis.step * np.arange(axis.count), rtol=1e-9)
        return cube


def opened(engine: Engine, id_: str) -> Coverage:
    lazy = engine.lazy(graph.whole(cataloged(id_)))
    domain = with_classes(domain_of(lazy), engine.collection(id_))
    return Coverage(engine, id_, domain, engine.compute(lazy))
