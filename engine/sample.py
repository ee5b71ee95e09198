"""The sample data, made once and catalogued."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from engine.catalog import Catalog
from engine.demo import make_scenes


def sample_catalog(home: Path, progress: Callable[[int, int], None] | None = None) -> Path:
    """The catalogue of the sample data in this folder; the scenes are made where they are not there yet."""
    folder = home / "demo"
    database = folder / "catalog.sqlite"
    if not database.exists():
        scenes = make_scenes(folder / "scenes", progress=progress)
        catalog = Catalog(database)
        try:
            catalog.add(scenes)
        finally:
            catalog.close()
    return database
