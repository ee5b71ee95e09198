"""Without storage items bring no files along: their assets stay what they are."""

from __future__ import annotations

import pytest

from engine import Backend, Problem, Settings
from owner_bodies import item


def test_assets_stay_what_they_are(owner_server):
    found = owner_server("disk", upload_storage=None, catalog_storage=None)
    alice = found["alice"]
    alice.post("/catalog/collections", json={"id": "plain"}).raise_for_status()
    doc = item("one", "a.tif")
    doc["assets"]["web"] = {"href": "https://data.example/x.tif"}
    told = alice.post("/catalog/collections/plain/items", json=doc).json()
    assert told["assets"] == doc["assets"]
    place = "/catalog/collections/plain/items/one/download"
    assert alice.get(f"{place}/web").headers["location"] == "https://data.example/x.tif"
    assert alice.get(f"{place}/a.tif").status_code == 404
    doc["assets"]["disk"] = {"href": "/etc/passwd"}
    assert alice.put("/catalog/collections/plain/items/one", json=doc).status_code == 400
    assert alice.delete("/catalog/collections/plain/items/one").status_code == 200


@pytest.mark.parametrize(
    ("uploads", "kept"),
    [
        ("s3://a", "s3://a/kept"),
        ("s3://a/b/", "s3://a"),
        ("/data/one", "/data/two/one"),
        ("s3://one", "/data/one"),
    ],
)
def test_places_lie_side_by_side(tmp_path, uploads, kept):
    """A server whose places do not is not begun."""
    with pytest.raises(Problem, match="lie within each other"):
        Backend(Settings(home=tmp_path, upload_storage=uploads, catalog_storage=kept))


def test_places_go_together(tmp_path):
    with pytest.raises(ValueError, match="GDC_CATALOG_STORAGE"):
        Settings(home=tmp_path, upload_storage="s3://a")
