"""The first run of a new user: sample scenes, a graph over them, a GeoTIFF and a picture."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from engine.demo import demo_graph
from engine.notebook import Session
from engine.progress import bar
from engine.sample import sample_catalog
from engine.settings import Settings


def first_run(folder: Path, *, say: Callable[[str], None], shown: bool = True) -> dict[str, Path]:
    """Make the sample data where it is not there yet, and the cloud-free NDVI of its season.

    Args:
        folder: Where the results go; results of an earlier run are replaced.
        say: Told what is being done.
        shown: Show progress bars?

    Returns:
        What was made, by name: `scenes`, `graph`, `ndvi` (GeoTIFF) and `picture` (PNG).
    """
    settings = Settings()
    say("Making the sample scenes (once) ...")
    with bar("scenes", shown=shown) as progress:
        database = sample_catalog(settings.home, progress)
    folder.mkdir(parents=True, exist_ok=True)
    made = {name: folder / file for name, file in FILES.items()}
    made["graph"].write_text(json.dumps(demo_graph(), indent=2) + "\n")
    say("Computing the median NDVI of the cloud-free dates ...")
    with Session(settings.model_copy(update={"catalog": database})) as session:
        for name, options in (("ndvi", {}), ("picture", PICTURE)):
            with bar(made[name].name, shown=shown) as progress:
                session.save(made["graph"], made[name], options=options, overwrite=True, progress=progress)
    return {"scenes": database.parent / "scenes", **made}


FILES = {"graph": "ndvi.json", "ndvi": "ndvi.tif", "picture": "ndvi.png"}
PICTURE = {"colormap": "ndvi", "min": -0.2, "max": 0.9}
