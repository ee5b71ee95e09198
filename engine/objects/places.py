"""Places that addresses name: a bucket, or a folder in place of a bucket of its name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.objects.names import checked
from engine.objects.opening import S3, shelf_at
from engine.objects.shelf import Shelf
from engine.settings import Settings


@dataclass(frozen=True, slots=True)
class Place:
    """A shelf whose objects have addresses `s3://BUCKET/NAME`, wherever it is."""

    root: str
    """What the addresses begin with."""
    shelf: Shelf
    """Where the objects are."""

    def holds(self, address: str) -> bool:
        """Is it an address of this place?"""
        return address.startswith(self.root)

    def name_of(self, address: str) -> str:
        """The name of an object, by its address.

        Raises:
            Problem: No object can have it.
        """
        return checked(address.removeprefix(self.root))


def place_at(place: str, settings: Settings) -> Place:
    """The place that a setting names: a folder, or `s3://BUCKET/PREFIX`.

    Raises:
        Problem: There can be none, or the address of the object store is none.
    """
    if place.startswith(S3):
        return Place(f"{place.rstrip('/')}/", shelf_at(place, settings))
    return Place(f"{S3}{Path(place).absolute().name}/", shelf_at(place, settings))
