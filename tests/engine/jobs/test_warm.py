"""What runs are forked off has done what each of them would have to do, and has no thread."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import importlib.metadata
import threading

import engine.jobs.runner
import engine.jobs.warm

assert threading.active_count() == 1


def refuse(*_, **__):
    raise AssertionError("packages are looked through")


importlib.metadata.entry_points = refuse

from pystac import Item

told = {"type": "Feature", "stac_version": "1.0.0", "id": "a", "links": [], "bbox": [0, 0, 1, 1], "assets": {},
        "geometry": {"type": "Point", "coordinates": [0, 0]}, "properties": {"datetime": "2022-06-12T00:00:00Z"},
        "stac_extensions": ["https://stac-extensions.github.io/projection/v1.0.0/schema.json"]}
assert Item.from_dict(told).id == "a"
"""


def test_packages_are_looked_through_once(tmp_path):
    """pystac looks for extensions in all that are installed when it reads its first item: 0.1 s in each run."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
