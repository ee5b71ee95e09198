"""Stores of objects, by what settings say of their places."""

from __future__ import annotations

from pathlib import Path

from engine.errors import Problem
from engine.objects.bucket import Bucket
from engine.objects.disk import Disk
from engine.objects.objects import Facts, Objects
from engine.objects.shelf import Shelf
from engine.settings import Settings

S3 = "s3://"


def open_objects(name: str, place: str, facts: Facts, settings: Settings) -> Objects:
    """The store `name` at a place: a folder, which is made, or `s3://BUCKET/PREFIX`.

    Raises:
        Problem: The place or the address of the object store can be none.
    """
    return Objects(name, shelf_at(place, settings), facts)


def shelf_at(place: str, settings: Settings) -> Shelf:
    """The shelf at a place.

    Raises:
        Problem: The place or the address of the object store can be none.
    """
    if place.startswith(S3):
        bucket, _, prefix = place.removeprefix(S3).partition("/")
        return Bucket(bucket, prefix.strip("/"), settings.s3_endpoint, settings.s3_region)
    if "://" in place:
        raise Problem(
            "StorageFailure", f"{place!r} is no place for objects; give a folder or {S3}BUCKET/PREFIX"
        )
    return Disk(Path(place))
