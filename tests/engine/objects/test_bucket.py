"""Objects in a bucket: signed addresses, uploads that are given up, and faults of the object store."""

from __future__ import annotations

import urllib.request

import pytest

import object_store
from engine import Problem, Settings
from engine.objects import open_objects
from engine.objects.bucket import PART, Bucket


@pytest.fixture
def bucket(s3, store, tmp_path):
    settings = Settings(home=tmp_path, s3_endpoint=s3.url, s3_region="us-east-1")
    return open_objects("ours", f"s3://{object_store.BUCKET}/cata log/", store.objects, settings)


def test_the_address_is_the_key(bucket, s3):
    bucket.put("a/b.tif", [b"abc"], "image/tiff")
    assert Bucket("b", "cata log", None, None).address("a/b.tif") == "s3://b/cata log/a/b.tif"
    assert "cata log/a/b.tif" in s3.names()
    bucket.remove("a/b.tif")
    assert "cata log/a/b.tif" not in s3.names()


def test_a_signed_address_gives_the_bytes_and_their_type(bucket):
    bucket.put("a/ü+b.tif", [b"abc"], "image/tiff; application=geotiff")
    with urllib.request.urlopen(bucket.presigned("a/ü+b.tif", 60)) as answer:
        assert answer.read() == b"abc"
        assert answer.headers["content-type"] == "image/tiff; application=geotiff"


def test_parts_of_what_was_interrupted_are_dropped(bucket, s3):
    def breaking():
        yield from [b"x" * PART] * 3
        assert s3.unfinished()
        raise ConnectionResetError("the line is dead")

    with pytest.raises(ConnectionResetError):
        bucket.put("half", breaking(), "text/plain")
    assert s3.unfinished() == []
    assert "cata log/half" not in s3.names()


def test_what_others_stored_is_an_object(bucket, s3):
    s3.ask("PUT", f"{object_store.BUCKET}/cata%20log/theirs.webp", b"abc")
    found = bucket.stat("theirs.webp")
    assert (found.size, found.media_type, found.owner) == (3, "image/webp", None)
    s3.ask("PUT", f"{object_store.BUCKET}/cata%20log/theirs.webp", b"abcd")
    assert bucket.stat("theirs.webp").size == 4


def test_a_bucket_that_is_not_there_is_told(s3, store, tmp_path):
    settings = Settings(home=tmp_path, s3_endpoint=s3.url, s3_region="us-east-1")
    with pytest.raises(Problem, match="nowhere") as met:
        open_objects("ours", "s3://nowhere", store.objects, settings).put("a", [b"x"], "text/plain")
    assert met.value.code == "StorageFailure"
    assert "\n" not in met.value.message


@pytest.mark.parametrize(
    ("place", "endpoint"), [("s3://", None), ("s3://b", "ftp://x"), ("s3://b", "x:80"), ("gs://b", None)]
)
def test_places_that_can_be_none(store, tmp_path, place, endpoint):
    with pytest.raises(Problem) as met:
        open_objects("ours", place, store.objects, Settings(home=tmp_path, s3_endpoint=endpoint))
    assert met.value.code == "StorageFailure"
