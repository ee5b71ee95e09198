"""RS-Server's own client, in an environment of its own, over the catalogue of owners."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "clients" / "catalogue_of_owners.py"
PYTHON = os.environ.get("GDC_RS_CLIENT_PYTHON")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not PYTHON,
        reason="GDC_RS_CLIENT_PYTHON names no Python with tests/clients/rs-client-requirements.txt",
    ),
]


def told_by(url: str, token: str, owner: str, href: str) -> dict:
    done = subprocess.run(
        [str(PYTHON), str(SCRIPT), url, token, owner, href],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def expected(owner: str, assets: dict) -> dict:
    return {
        "landing": "catalog", "owner": owner, "add_collection": 201, "get_collection": "s1_l2", "get_collections": ["s1_l2"],
        "add_item": 201, "get_items": ["i0", "i1", "i2"], "get_items_by_id": ["i1"], "get_item": assets, "owner_of_item": owner,
        "search": ["i0", "i1", "i2"], "search_by_time": ["i1"], "queryables": True, "queryables_of_collection": True,
        "update_item": 200, "updated": True, "update_collection": 200, "description": "Changed",
        "remove_item": {"deleted item": "i0"}, "remove_collection": {"deleted collection": "s1_l2"},
    }  # fmt: skip


def test_with_a_token_as_its_key(owner_server):
    found = owner_server("disk")
    found.upload("a.tif")
    token = found.served.backend.store.users.log_in("alice", 3600)
    place = f"{found.served.url}/catalog/alice/collections/s1_l2/items/i0/download/file"
    told = told_by(found.served.url, token, "alice", "s3://temp-bucket/a.tif")
    assert told == expected("alice", {"file": place})
    assert (found.uploaded(), found.files()) == ([], [])


def test_without_a_login(owner_server):
    found = owner_server("disk", auth="anonymous")
    assert told_by(found.served.url, "", "anonymous", "") == expected("anonymous", {})
