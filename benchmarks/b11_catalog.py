"""B11: how fast is the catalogue: searches of seven families, single items, writes, a load?"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

from benchmarks.model import Case, Contender
from benchmarks.scale import Scale
from benchmarks.wishes import FAMILIES
from tests.support.postgres import Postgres, binary

OURS, PEER, LIMIT = "benchmarks.engines.catalog", "benchmarks.engines.pgstac", "benchmarks.limits.catalog"
QUERIES = 20
"""Searches of a family, and other small things, in one run."""
PATIENCE = 3600.0
"""Seconds for one run: whoever comes first loads everything."""


def contenders(work: str, limit: str, places: Mapping[str, str]) -> tuple[Contender, ...]:
    """Ours on each database that there is, the limit and the peer."""
    asked = (
        Contender("ours", f"{OURS}:{work}", facts={"place": places["SQLite"]}),
        Contender("ours, PostGIS", f"{OURS}:{work}", facts={"place": places.get("PostGIS", "")}),
        Contender("in memory", f"{LIMIT}:{limit}", "limit", facts={"place": "memory"}),
        Contender("pgstac", f"{PEER}:{work}", "peer", "pgstac", facts={"place": places.get("pgstac", "")}),
    )
    return tuple(one for one in asked if one.facts["place"])


def cases(scale: Scale, _: Path) -> Iterator[Case]:
    """Searches first, while all have the same items; then what writes. The databases last as long as this."""
    with ExitStack() as held:
        folder = held.enter_context(tempfile.TemporaryDirectory(prefix="gdc-bench-"))
        places = {"SQLite": f"{folder}/catalog.db"}
        if binary("initdb") is not None:
            server = Postgres()
            held.callback(server.stop)
            places |= {name: server.database() for name in ("PostGIS", "pgstac")}
        facts = {"items": scale.items, "queries": QUERIES, "many": 1000}
        for family in FAMILIES:
            yield case(family, "search", {**facts, "family": family}, places)
        yield case("get by id", "get", facts, places)
        yield case("insert of one", "insert", facts, places)
        yield case("bulk", "bulk", facts, places, "many")
        yield case("load", "loaded", {**facts, "many": scale.items // 10}, places, "many")


def case(
    name: str, work: str, facts: Mapping[str, object], places: Mapping[str, str], limit: str = ""
) -> Case:
    """One task; ids, and their order, have to be the same with all."""
    asked = contenders(work, limit or work, places)
    return Case(f"B11 {name}", facts, asked, truth="in memory", tolerance=0.0, seconds=PATIENCE)
