"""Places by the addresses that are told of them, and how object stores are reached."""

from __future__ import annotations

import pytest

from engine import Problem, Settings
from engine.objects.places import place_at

NAMES = ("S3_ENDPOINT", "S3_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT", "AWS_REGION", "AWS_DEFAULT_REGION")


@pytest.fixture
def bare(monkeypatch):
    """An environment that says nothing of object stores."""
    for name in (*NAMES, "S3_ACCESSKEY", "S3_SECRETKEY", "GDC_S3_ENDPOINT", "GDC_S3_REGION"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.mark.parametrize(
    ("place", "root"),
    [
        ("s3://bucket", "s3://bucket/"), ("s3://bucket/", "s3://bucket/"), ("s3://bucket/a/b/", "s3://bucket/a/b/"),
        ("/data/bucket", "s3://bucket/"),
    ],
)  # fmt: skip
def test_addresses_of_a_place(place, root, tmp_path):
    found = place_at(place, Settings(home=tmp_path))
    assert found.root == root
    assert found.holds(f"{root}a/b.tif")
    assert found.name_of(f"{root}a/b.tif") == "a/b.tif"
    assert not found.holds("s3://bucketeer/a/b.tif")
    for bad in ("../a", "", "a//b", ".uploads/a"):
        with pytest.raises(Problem, match="can be no path"):
            found.name_of(root + bad)


def test_who_says_where_an_object_store_is(bare, tmp_path):
    assert Settings(home=tmp_path).s3_endpoint is None
    for n, (name, region) in enumerate(
        [("AWS_ENDPOINT", "AWS_DEFAULT_REGION"), ("AWS_ENDPOINT_URL", "AWS_REGION"), ("S3_ENDPOINT", "S3_REGION"),
         ("GDC_S3_ENDPOINT", "GDC_S3_REGION")]
    ):  # fmt: skip
        bare.setenv(name, f"http://store{n}")
        bare.setenv(region, f"region-{n}")
        found = Settings(home=tmp_path)
        assert (found.s3_endpoint, found.s3_region) == (f"http://store{n}", f"region-{n}")
    assert Settings(home=tmp_path, s3_endpoint="http://mine").s3_endpoint == "http://mine"
    for name in ("GDC_S3_ENDPOINT", "S3_ENDPOINT"):
        bare.setenv(name, "")
    assert Settings(home=tmp_path).s3_endpoint == "http://store1"


def test_whose_keys_a_bucket_is_asked_with(bare, tmp_path):
    settings = Settings(home=tmp_path, s3_endpoint="http://127.0.0.1:9", s3_region="here")
    bare.setenv("AWS_ACCESS_KEY_ID", "usual")
    bare.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    for key in ("usual", "ours"):
        if key == "ours":
            bare.setenv("S3_ACCESSKEY", key)
            bare.setenv("S3_SECRETKEY", "hush")
        signed = place_at("s3://bucket/a", settings).shelf.presigned("b", 60)
        assert signed.startswith("http://127.0.0.1:9/bucket/a/b?")
        assert f"Credential={key}%2F" in signed
        assert "%2Fhere%2F" in signed
