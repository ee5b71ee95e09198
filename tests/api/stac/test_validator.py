"""stac-api-validator, in an environment of its own, has nothing to say against either face."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from stac_scenes import fill

PYTHON = os.environ.get("GDC_STAC_VALIDATOR_PYTHON")
DRIVER = Path(__file__).resolve().parents[2] / "clients" / "stac_validator_offline.py"
CLASSES = (
    "core",
    "collections",
    "features",
    "item-search",
    "filter",
    "item-search#sort",
    "item-search#query",
)
"""Without fields: there the validator wants items without geometry, which other clients cannot read."""
AREA = {"type": "Polygon", "coordinates": [[[10, 49], [16, 49], [16, 52], [10, 52], [10, 49]]]}
TEXTS = {
    "comparison-field": "platform", "eq-value": "one", "neq-value": "one", "lt-value": "two", "lte-value": "two",
    "gt-value": "one", "gte-value": "one", "substring-field": "platform", "starts-with-value": "o",
    "ends-with-value": "e", "contains-value": "n", "in-field": "platform", "in-values": "one,two",
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(
    PYTHON is None, reason="GDC_STAC_VALIDATOR_PYTHON names no Python with stac-api-validator"
)
@pytest.mark.parametrize("face", ["", "/stac"])
def test_the_validator_finds_no_fault(hub, writer, face):
    fill(writer, 20, "http://10.0.0.1")  # where nothing may be fetched: it follows links to coverages, too
    options = [f"--conformance={name}" for name in CLASSES]
    options += [f"--query-{name}={value}" for name, value in TEXTS.items()]
    done = subprocess.run(
        [str(PYTHON), str(DRIVER), f"{hub.url}{face}/", "--collection=sat", f"--geometry={json.dumps(AREA)}", *options],
        text=True, capture_output=True, check=False,
    )  # fmt: skip
    told = done.stdout + done.stderr
    assert "Validating STAC API - Item Search - Filter Extension - Basic CQL2" in told
    assert [line for line in told.partition("Errors:")[2].splitlines() if line.startswith("-")] == []
    assert done.returncode == 0, told
