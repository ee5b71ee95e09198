"""OWSLib as a client of coverages, in an environment of its own."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from pathlib import Path

import pytest
import rasterio

SCRIPT = Path(__file__).parents[2] / "clients" / "owslib_coverages.py"
PYTHON = os.environ.get("GDC_OWSLIB_PYTHON")
pytestmark = pytest.mark.skipif(
    not PYTHON, reason="GDC_OWSLIB_PYTHON names no Python with tests/clients/owslib-requirements.txt"
)
PLACE = {"E": [675000, 675100], "N": [5155000, 5155100]}
JUNE = ["2022-06-02T00:00:00Z", "2022-06-03T00:00:00Z"]
REQUESTS = (
    ({"properties": ["B08", "B04"], "subset": {**PLACE, "time": JUNE}}, (10, 10), ("B08", "B04"), "2022-06-02"),
    ({"properties": ["B04"], "subset": PLACE, "datetime": JUNE}, (10, 10), ("B04",), "2022-06-02"),
    ({"properties": ["B04"], "datetime": ["2022-09-30", ".."], "scale_factor": 4}, (50, 50), ("B04",), "2022-10-20"),
    ({"properties": ["0"], "scale_axes": {"E": 2, "N": 4}}, (50, 100), ("B02",), "2022-10-20"),
    ({"properties": ["0"], "scale_size": [["E", 20], ["N", 40]]}, (40, 20), ("B02",), "2022-10-20"),
)  # fmt: skip
"""What is asked for, and the rows and columns, bands and day that have to come of it. Times are sent without quotes."""


def test_owslib_finds_and_reads_coverages(served):
    asked = json.dumps([request[0] for request in REQUESTS])
    done = subprocess.run(
        [str(PYTHON), str(SCRIPT), f"{served.url}/", "S2", asked],
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout)
    assert "S2" in told["coverages"]
    assert any("coverages" in uri for uri in told["conformance"])
    for body, (_, shape, bands, day) in zip(told["bodies"], REQUESTS, strict=True):
        with rasterio.MemoryFile(base64.b64decode(body)).open() as file:
            assert (file.shape, file.descriptions) == (shape, bands)
            assert file.tags()["TIME"].startswith(day)
