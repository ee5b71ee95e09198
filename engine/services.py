"""Secondary web services: graphs that users publish as maps, whose tiles are drawn when they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from engine.errors import Problem
from engine.jobs.belongings import account_of, belongings
from engine.jobs.process import Canceled
from engine.jobs.shared import Share, Shared
from engine.jobs.sync import Sync, Ticket
from engine.jobs.task import Task
from engine.jobs.wanted import check
from engine.maps.cache import Tiles
from engine.maps.grid import exists, meets
from engine.maps.model import Drawing, Look, Place, Portrait
from engine.maps.offers import described, look_of, type_of
from engine.records import Service, User
from engine.settings import Settings
from engine.store import Store
from engine.write.tile import empty_tile

Json = dict[str, Any]
KEPT_APART = ("type", "enabled")
"""Members of a request that are no part of the document."""


@dataclass(frozen=True)
class Draft:
    """A service before it is stored, or changed: its form was checked."""

    type: str
    enabled: bool
    document: Mapping[str, Any]
    look: Look
    renew: bool = False
    """Does it get another address?"""


class Services:
    """The web services of all users."""

    def __init__(self, settings: Settings, store: Store, sync: Sync) -> None:
        self._settings = settings
        self._store = store
        self._sync = sync
        self._shared = Shared()
        self._tiles = Tiles(settings.home / "tiles", settings.tile_cache_bytes, 3600 * settings.tile_hours)

    @cached_property
    def secret(self) -> str:
        """What addresses of services are signed with."""
        return self._store.secret("services")

    def types(self) -> Json:
        """The types of services, as openEO lists them."""
        return described()

    # ------------------------------------------------------------------------------- for owners
    def all(self, user: User) -> list[Service]:
        """The services of a user, the newest first."""
        return self._store.services.all(user.id)

    def get(self, user: User, id_: str) -> Service:
        """One service of a user.

        Raises:
            Problem: There is none.
        """
        found = self._store.services.get(user.id, id_)
        if found is None:
            raise Problem(
                "ServiceNotFound", f"you have no service {id_!r}", hint="`GET /services` lists yours."
            )
        return found

    def draft(self, user: User, body: Mapping[str, Any]) -> tuple[Draft, Ticket]:
        """A new service, and the ticket for its portrait, which `create` wants: what is no map has none.

        Raises:
            Problem: The request is wrong in itself, or there is too much to do already.
        """
        type_ = type_of(body.get("type"))
        document = {k: v for k, v in body.items() if k not in KEPT_APART and v is not None}
        draft = self._checked(type_, body.get("enabled", True), document)
        return draft, self._portray(user, draft)

    def create(self, user: User, draft: Draft, portrait: Portrait) -> Service:
        """Store a new service.

        Raises:
            Problem: The user has as many as there may be.
        """
        most = self._settings.services_user
        made = self._store.services.create(
            user.id, draft.type, draft.enabled, draft.document, portrait.json(), most
        )
        if made is None:
            raise Problem(
                "StorageQuotaExceeded",
                f"you have {most} services, more are not kept",
                hint="Delete one: `DELETE /services/{service_id}`.",
                facts={"limit": most},
            )
        self._log(made, "info", "created")
        self._log_range(made, portrait)
        return made

    def redraft(
        self, user: User, id_: str, changes: Mapping[str, Any]
    ) -> tuple[Service, Draft, Ticket | None]:
        """A changed service, and the ticket for its new portrait where its map is another one.

        `None` takes a member away; `renew_url` gives it another address, and the old one is void.
        """
        service = self.get(user, id_)
        enabled = service.enabled if changes.get("enabled") is None else changes["enabled"]
        renew = changes.get("renew_url") or False
        if not isinstance(renew, bool):
            raise Problem("ParameterInvalid", "renew_url has to be true or false")
        merged = {**service.document, **changes}
        apart = (*KEPT_APART, "renew_url")
        document = {k: v for k, v in merged.items() if k not in apart and v is not None}
        draft = self._checked(service.type, enabled, document, renew)
        same = all(document.get(k) == service.document.get(k) for k in ("process", "configuration"))
        return service, draft, None if same else self._portray(user, draft)

    def change(self, user: User, service: Service, draft: Draft, portrait: Portrait | None) -> None:
        """Store a changed service; with another map, its tiles are void."""
        told = None if portrait is None else portrait.json()
        changed = self._store.services.change(
            user.id,
            service.id,
            enabled=draft.enabled,
            document=draft.document,
            portrait=told,
            renew=draft.renew,
        )
        if not changed:
            self.get(user, service.id)
        self._log(service, "info", "changed")
        if portrait is not None:
            self._tiles.drop(service.id, but=self.get(user, service.id).version)
            self._log_range(service, portrait)

    def remove(self, user: User, id_: str) -> None:
        """Remove a service with its log and its tiles."""
        self.get(user, id_)
        self._store.services.remove(user.id, id_)
        self._tiles.drop(id_)

    def log(self, service: Service, level: str, after: int, limit: int | None) -> list[Json]:
        """The entries of a service's log that are as grave as `level`, after the one of that number."""
        return self._store.service_logs.read(service, level, after, limit)

    # ------------------------------------------------------------------------------- for everybody
    def open(self, owner: str, id_: str, key: str) -> Service:
        """The service behind an address.

        Raises:
            Problem: It was removed or disabled, or has another address now.
        """
        found = self._store.services.get(owner, id_)
        if found is None or found.key != key or not found.enabled:
            raise Problem("ServiceNotFound", "the service is not there (any more), or is switched off")
        return found

    def look(self, service: Service) -> Look:
        """How a service draws."""
        return look_of(service.type, service.document.get("configuration", {}))

    def portrait(self, service: Service) -> Portrait:
        """What was found out about a service's map."""
        return Portrait.of(service.portrait)

    def kept(self, service: Service, z: int, x: int, y: int) -> bytes | None:
        """A tile that need not be drawn: it was drawn already, or there is nothing on it.

        Raises:
            Problem: There is no such tile, or not at this zoom level.
        """
        look, place = self.look(service), Place(z, x, y)
        if not exists(place) or not look.minzoom <= z <= look.maxzoom:
            raise Problem(
                "TileOutOfRange",
                f"there is no tile {z}/{x}/{y}",
                hint=f"There are zoom levels {look.minzoom} to {look.maxzoom}, each of 2^z rows and columns.",
            )
        if not meets(place, self.portrait(service).bounds):
            return empty_tile(look.size, look.format)
        return self._tiles.get(service.id, service.version, name_of(place, look))

    def draw(self, service: Service, z: int, x: int, y: int) -> Share:
        """Have a tile drawn; all who want it at a time share one run.

        Raises:
            Problem: There is too much to do already.
        """
        look, place = self.look(service), Place(z, x, y)
        drawing = Drawing(look, self.portrait(service), place)

        def begin() -> Ticket:
            task = self._task(service.owner, service.document["process"], drawing)
            return self._sync.take(f"service {service.id}", task)

        def done(tile: bytes) -> None:
            self._tiles.put(service.id, service.version, name_of(place, look), tile)

        def failed(fault: BaseException) -> None:
            if isinstance(fault, Canceled):
                return
            problem = fault if isinstance(fault, Problem) else Problem("Internal", "internal")
            for one in problem.each:
                self._log(service, "error", f"tile {z}/{x}/{y}: {one.words}", code=one.code, data=one.facts)

        return self._shared.take((service.id, service.version, place), begin, done, failed)

    # ------------------------------------------------------------------------------- within
    def _checked(self, type_: str, enabled: Any, document: Mapping[str, Any], renew: bool = False) -> Draft:
        check(document, "service", self._settings.plans)
        if not isinstance(enabled, bool):
            raise Problem(
                "ParameterInvalid", "enabled has to be true or false", facts={"parameter": "enabled"}
            )
        return Draft(type_, enabled, document, look_of(type_, document.get("configuration", {})), renew)

    def _portray(self, user: User, draft: Draft) -> Ticket:
        return self._sync.take(user.id, self._task(user.id, draft.document["process"], Drawing(draft.look)))

    def _task(self, owner: str, process: Mapping[str, Any], drawing: Drawing) -> Task:
        own = belongings(self._store, self._settings, account_of(self._store, owner), process)
        return Task("draw", process, self._settings.of_user(owner), own, drawing=drawing)

    def _log(self, service: Service, level: str, message: str, **further: Any) -> None:
        self._store.service_logs.add(service, self._settings.service_log_entries, level, message, **further)

    def _log_range(self, service: Service, portrait: Portrait) -> None:
        if portrait.chosen:
            ((low, high),) = portrait.ranges
            self._log(
                service, "info", f"values from {low:g} to {high:g} are drawn: the 2nd and the 98th percentile of a "
                "preview, because the setting `range` is not given", data={"range": [low, high]},
            )  # fmt: skip


def name_of(place: Place, look: Look) -> str:
    """The file name of a tile that is kept."""
    return f"{place.z}-{place.x}-{place.y}.{look.suffix}"
