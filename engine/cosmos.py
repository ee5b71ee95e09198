"""The catalogue as DataCosmos has it: assets come first, items of projects, prices by contracts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any, Protocol

from engine.catalog import (
    Hit,
    Mode,
    Outcome,
    Page,
    PatchItem,
    PutCollection,
    PutItem,
    RemoveItem,
    Search,
)
from engine.catalog.changes import full_id
from engine.errors import Problem
from engine.hub import Hub
from engine.organisations import Contract, Project, of_member
from engine.profiles.assets_first import check, check_of_project
from engine.profiles.prices import PERMISSION, contract_for, kept, priced
from engine.records import User
from engine.settings import Settings
from engine.stored import OF_PROJECTS, internal, path_of

Json = dict[str, Any]
SOURCE = "datacosmos"


class Storage(Protocol):
    """Where assets lie."""

    def has(self, path: str) -> bool:
        """Is there such an object?"""


class Addresses:
    """Objects by their addresses, as one request has them."""

    def __init__(self, storage: Storage, bases: tuple[str, ...]) -> None:
        self._storage = storage
        self._bases = bases

    def path_of(self, href: str) -> str | None:
        """The path of an object by its address; None for addresses elsewhere."""
        return path_of(href, self._bases)

    def has(self, path: str) -> bool:
        """Is there such an object?"""
        return self._storage.has(path)


class Sight:
    """Items as one reader is told of them, for as long as one answer takes."""

    def __init__(self, allows_data: Callable[[str], bool], contract: Contract | None) -> None:
        self._allows_data = cache(allows_data)  # the items of a page are of few collections
        self._contract = contract

    def told(self, hit: Hit) -> Json:
        """An item with what the reader may do with it and, by the contract, what it costs."""
        doc = priced(hit.doc, self._contract)
        permission = self._allows_data(str(doc["collection"]))
        return {**doc, "properties": {**doc["properties"], PERMISSION: permission}}


class Cosmos:
    """The catalogue with DataCosmos' rules. `bases` are the addresses that the server is reached by."""

    def __init__(self, settings: Settings, hub: Hub, storage: Storage) -> None:
        self._settings = settings
        self._hub = hub
        self._storage = storage

    # ------------------------------------------------------------------------------- items
    def put(
        self,
        user: User,
        collection: str,
        item: Json,
        mode: Mode,
        bases: tuple[str, ...],
        tag: str | None = None,
    ) -> Outcome:
        """Write an item of the catalogue whole.

        Raises:
            Problem: The user may not write there, or there is no such collection.
            Problems: Each asset and property that is not as the rules have it.
        """
        change = PutItem(collection, internal(item, bases), mode, tag, self._checked(bases))
        return self._hub.apply(user, [change], SOURCE)[0]

    def patch(self, user: User, collection: str, id_: str, patch: Json, bases: tuple[str, ...]) -> Outcome:
        """Change members of an item of the catalogue; the rules hold for what comes out."""
        change = PatchItem(collection, id_, internal(patch, bases), check=self._checked(bases))
        return self._hub.apply(user, [change], SOURCE)[0]

    def _checked(self, bases: tuple[str, ...]) -> Any:
        addresses = Addresses(self._storage, bases)

        def look(item: Json, collection: Json) -> Json:
            check(item, collection, addresses)
            return kept(item)

        return look

    # ------------------------------------------------------------------------------- for a reader
    def contract(self, user: User, project: str | None, contract: int | None) -> Contract | None:
        """The contract by which a user is told prices.

        Raises:
            Problem: It is one of others.
        """
        known = self._settings
        return contract_for(user.id, known.organisations, known.projects, known.contracts, project, contract)

    def sight(self, user: User, contract: Contract | None = None) -> Sight:
        """What a user is told of items, with prices by a contract."""
        return Sight(self._hub.seen_by(user).allows_data, contract)

    # ------------------------------------------------------------------------------- projects
    def project(self, user: User, id_: str) -> Project:
        """A project that a user works in.

        Raises:
            Problem: There is none; that of another organisation looks the same.
        """
        own = {o.id for o in of_member(self._settings.organisations, user.id)}
        for project in self._settings.projects:
            if project.id == id_ and (project.organisation in own or "admin" in user.roles):
                return project
        raise Problem("ProjectNotFound", f"you have no project {id_!r}")

    def search_project(self, user: User, project: str, wish: Search) -> Page:
        """A page of a project's items: its own, and those of the catalogue that were related to it."""
        self.project(user, project)
        home = full_id(OF_PROJECTS, project)
        return self._hub.seen_by(user).of_stac().find(replace(wish, project=(home, project)))

    def project_item(self, user: User, project: str, id_: str) -> Hit:
        """An item of a project.

        Raises:
            Problem: There is none.
        """
        page = self.search_project(user, project, Search(ids=(id_,), limit=1))
        if not page.hits:
            raise Problem("ItemNotFound", f"there is no item {id_!r} in project {project!r}")
        return page.hits[0]

    def put_project_item(
        self, user: User, project: str, item: Json, mode: Mode, bases: tuple[str, ...]
    ) -> Outcome:
        """Write an item of a project whole."""
        known = self.project(user, project)
        home = full_id(OF_PROJECTS, project)
        addresses = Addresses(self._storage, bases)

        def look(doc: Json, _: Json) -> Json:
            check_of_project(doc, project, addresses)
            return kept(doc)

        place = PutCollection(
            {"id": project, "description": known.title or f"Items of project {project}."},
            Mode.UPSERT, OF_PROJECTS, org=known.organisation,
        )  # fmt: skip
        changes = [] if self._hub.has(home) else [place]
        change = PutItem(home, {**internal(item, bases), "collection": home}, mode, check=look)
        return self._hub.apply(user, [*changes, change], SOURCE, trusted=True)[-1]

    def remove_project_item(self, user: User, project: str, id_: str) -> None:
        """Remove an item of a project; one of the catalogue is only no longer related to it."""
        hit = self.project_item(user, project, id_)
        home = full_id(OF_PROJECTS, project)
        if hit.doc["collection"] == home:
            self._hub.apply(user, [RemoveItem(home, id_)], SOURCE, trusted=True)
        else:
            self._hub.relations.remove(project, str(hit.doc["collection"]), id_)

    def relate(self, user: User, project: str, collection: str, item: str) -> str:
        """Relate an item of the catalogue, which may come later, to a project; gives the relation's identifier."""
        self.project(user, project)
        return self._hub.relations.add(project, collection, item)

    def related(self, user: User, project: str, pairs: Sequence[Mapping[str, Any]]) -> list[Json]:
        """Which of these items of the catalogue are related to a project."""
        self.project(user, project)
        find = partial(self._hub.relations.find, project)
        out: list[Json] = []
        for pair in pairs:
            collection, item = str(pair.get("collection")), str(pair.get("item"))
            relation = find(collection, item)
            out.append(
                {"collection": collection, "item": item, "relation": relation, "exists": relation is not None}
            )
        return out
