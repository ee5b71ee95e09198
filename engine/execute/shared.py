"""Results as items of the catalogue of a server: the files go into its storage, the item into a collection of the user's own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from engine.catalog import Author, Catalog, PutCollection, PutItem
from engine.catalog.changes import full_id
from engine.catalog.model import Json
from engine.errors import Problem
from engine.objects import open_objects
from engine.settings import Settings
from engine.store import Store
from engine.stored import OBJECTS, owned_path, stored
from engine.write import Written

NAME = re.compile(r"[\w\-.~]{1,100}", re.ASCII)
PIECE = 2**20


def name_of(collection: str, user: str) -> str:
    """What a user's own collection is called within the user's; `user:name` and `name` are the same.

    Raises:
        Problem: It is a collection of others, or none can be called so.
    """
    name = collection.removeprefix(f"{user}:")
    if not NAME.fullmatch(name):
        raise Problem(
            "ProcessParameterInvalid",
            f"the collection {collection!r} is none of yours",
            hint=f"Give a name of up to 100 of A-Z, a-z, 0-9 and _ - . ~; it will be {user}:NAME.",
            facts={"parameter": "collection"},
        )
    return name


def publish(written: Written, item: Json, name: str, settings: Settings, catalog: Catalog) -> None:
    """Put a result into the user's collection of that name, which is made where there is none.

    Raises:
        Problem: The storage or the catalogue cannot be written.
    """
    user, home = settings.user, full_id(settings.user, name)
    places: dict[str, str] = {}
    with closing(Store(settings.database_url)) as store:
        objects = open_objects(OBJECTS, settings.storage_place, store.objects, settings)
        for asset in written.assets:
            if asset.href.is_dir():
                raise Problem(
                    "FeatureUnsupported",
                    f"{asset.href.name!r} is a folder, which is no asset of an item here",
                )
            path = owned_path(user, name, str(item["id"]), asset.href.name)
            objects.put(path, pieces(asset.href), asset.media_type, owner=user)
            places[str(asset.href)] = stored(path)
    assets = {key: {**a, "href": placed(a["href"], places)} for key, a in item["assets"].items()}
    doc = {**item, "assets": assets, "links": [], "collection": home}
    made = PutCollection({"id": name, "description": f"Results of {user}."}, owner=user)
    changes = [] if catalog.has(home) else [made]
    catalog.apply([*changes, PutItem(home, doc)], Author(user, "result"))


def placed(href: str, places: dict[str, str]) -> str:
    """Where an asset is now, by its file's name."""
    name = Path(href).name
    return next((place for file, place in places.items() if Path(file).name == name), href)


def pieces(file: Path) -> Iterator[bytes]:
    """The bytes of a file."""
    with file.open("rb") as source:
        while piece := source.read(PIECE):
            yield piece
