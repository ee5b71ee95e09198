"""This project's engine, through its door."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks import answers
from benchmarks.child import Work


def saved(
    facts: Mapping[str, Any],
    graph: Mapping[str, Any],
    *,
    suffix: str = ".tif",
    parameters: Mapping[str, Any] | None = None,
    answer: Callable[[Path], Mapping[str, float]] = answers.of_raster,
    **options: Any,
) -> Work:
    """Run a graph over the scenes, into a file."""
    import engine

    session = engine.open(facts["catalog"]) if "catalog" in facts else engine.open()
    target = Path(tempfile.mkdtemp()) / f"result{suffix}"

    def run(_: int) -> Path:
        (written,) = session.save(graph, target, parameters, options=options, overwrite=True)
        return Path(written.assets[0].href)

    return Work(run, answer)


def computed(
    facts: Mapping[str, Any], graph: Mapping[str, Any], parameters: Mapping[str, Any] | None = None
) -> Work:
    """Run a graph, into memory."""
    import engine

    session = engine.open(facts["catalog"]) if "catalog" in facts else engine.open()

    def run(_: int) -> Any:
        return session.compute(session.run(graph, parameters))

    return Work(run, answers.of_cells)
