"""OWSLib's client of OGC API - Processes, in an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

PYTHON = os.environ.get("GDC_OWSLIB_PYTHON")
CLIENT = Path(__file__).resolve().parents[2] / "clients" / "owslib_processes.py"


@pytest.mark.skipif(PYTHON is None, reason="GDC_OWSLIB_PYTHON names no Python with OWSLib")
def test_the_client_gets_along(serve_with, tmp_path):
    served = serve_with(auth="anonymous", job_slots=1)
    done = subprocess.run(
        [str(PYTHON), str(CLIENT), f"{served.url}/ogc/"],
        cwd=tmp_path,
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert len(told["ids"]) == 10
    assert told["inputs"][:2] == ["string", "array"]
    assert told["at once"] == {"string": "a", "number": 2}
    assert told["one"] == {"result": "ab"}
    assert (told["status"], told["results"]) == ("successful", {"result": 3})
