"""Objects that items of the catalogue lead to, in the storages of the server: their places, for whoever may read them."""

from __future__ import annotations

from collections.abc import Sequence

import pystac

from engine.catalog import Catalog
from engine.errors import Problem
from engine.objects.opening import shelf_at
from engine.objects.places import Place, place_at
from engine.objects.shelf import Shelf
from engine.settings import Settings
from engine.stored import SCHEME, collection_of, path_of

LINK_SECONDS = 12 * 3600
"""How long a signed address holds: longer than a run."""


def reached(items: Sequence[pystac.Item], catalog: Catalog, settings: Settings) -> tuple[pystac.Item, ...]:
    """Items whose assets in storages of the server have the addresses that programs of this machine read.

    Raises:
        Problem: An asset is one whose data may not be read.
    """
    _objects(items, catalog, settings)
    if settings.catalog_storage is not None:
        _files_of_owners(items, place_at(settings.catalog_storage, settings))
    return tuple(items)


def _objects(items: Sequence[pystac.Item], catalog: Catalog, settings: Settings) -> None:
    """Those that clients stored."""
    kept = [
        (item, asset) for item in items for asset in item.assets.values() if asset.href.startswith(SCHEME)
    ]
    shelf = shelf_at(settings.storage_place, settings) if kept else None
    allowed: dict[str, bool] = {}
    for item, asset in kept:
        path = path_of(asset.href) or ""
        collection = collection_of(path) or ""
        if collection not in allowed:
            allowed[collection] = catalog.allows_data(collection)
        if not allowed[collection]:
            raise Problem(
                "PermissionsInsufficient",
                f"the data of item {item.id!r} may not be read by you, only its pictures and its metadata",
                hint="Ask for the role `high_resolution`, or for a contract.",
                facts={"item": item.id, "collection": collection},
            )
        assert shelf is not None
        asset.href = reach(shelf, path)


def _files_of_owners(items: Sequence[pystac.Item], kept: Place) -> None:
    """Those that items of owners brought along; who reads the item reads them, too."""
    for item in items:
        for asset in item.assets.values():
            if kept.holds(asset.href):
                asset.href = reach(kept.shelf, kept.name_of(asset.href))


def reach(shelf: Shelf, name: str) -> str:
    """Where programs read an object, for as long as a run lasts."""
    return shelf.presigned(name, LINK_SECONDS) or shelf.address(name)
