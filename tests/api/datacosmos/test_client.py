"""DataCosmos' own client, through its own ways, in an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

PYTHON = os.environ.get("GDC_DATACOSMOS_PYTHON")
WORKFLOW = Path(__file__).resolve().parents[2] / "clients" / "datacosmos_workflow.py"


@pytest.mark.skipif(
    PYTHON is None, reason="GDC_DATACOSMOS_PYTHON names no Python with the client of DataCosmos"
)
def test_the_client_gets_along(cosmos, tmp_path):
    done = subprocess.run(
        [str(PYTHON), str(WORKFLOW), cosmos.url, str(tmp_path), "your-project-id"], cwd=tmp_path, text=True,
        env={**os.environ, "OAUTHLIB_INSECURE_TRANSPORT": "1"}, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["title"] == "Of the client"
    assert told["collections"] == sorted(["client", *(f"more-{n:02}" for n in range(11))]), "in pages of ten"
    assert told["uploaded"] == ["data", "thumb"]
    assert (
        told["href"] == f"{cosmos.url}/api/data/v0/storage/catalog/client/2024/02/11/SCENE_20240211/data.tif"
    )
    assert told["area"] == pytest.approx(7900, rel=0.02)
    assert told["platform"] == "one"
    assert (told["downloaded"], told["failed"]) == (["image", "thumb"], [])
    assert (told["found"], told["not found"]) == (["SCENE_20240211"], [])
    assert "assets.data" in told["refused"]
    assert told["contains"] == [True, False]
    assert told["project"] == ["OWN", "SCENE_20240211"]
    assert (told["own"], told["searched"]) == ("OWN", ["OWN"])
    assert told["left"] == ["@project:your-project-id"], "what the project has of its own stays"
