"""Files that items bring along: from where they were uploaded to where the catalogue keeps them, and out again."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from engine.catalog import Home
from engine.errors import Problem
from engine.objects.media import BYTES
from engine.objects.names import UPLOADS, is_name
from engine.objects.places import Place, place_at
from engine.objects.shelf import Found, Shelf
from engine.settings import Settings

Json = dict[str, Any]
LONGEST = 120
"""Characters of a name in a path; of longer ones the beginning and a digest stand for all."""


class Store:
    """Both places at once: where files are uploaded, and where the catalogue keeps them."""

    def __init__(self, uploads: Place, kept: Place) -> None:
        self._uploads, self._kept = uploads, kept

    def is_upload(self, address: str) -> bool:
        """Does an address lie where files are uploaded?"""
        return self._uploads.holds(address)

    def is_kept(self, address: str, within: str) -> bool:
        """Does an address lie in a folder of the catalogue's?"""
        name = address.removeprefix(self._kept.root)
        return self._kept.holds(address) and name.startswith(f"{within}/") and is_name(name)

    def exists(self, address: str) -> bool:
        """Is there an upload at an address?"""
        name = address.removeprefix(self._uploads.root)
        return is_name(name) and self._uploads.shelf.look(name) is not None

    def copy(self, address: str, path: str) -> str:
        """Copy an upload to a path of the catalogue's; gives its new address.

        Where something lies there already, the new one gets a name beside it: what others refer to stays.

        Raises:
            Problem: It is there no more, is changed meanwhile, or a place cannot be used.
        """
        name, uploads = self._uploads.name_of(address), self._uploads.shelf
        found = uploads.look(name)
        if found is None:
            raise Problem("FileNotFound", f"{address[:200]!r} is there no more")
        folder, _, file = path.rpartition("/")
        while True:
            try:
                self._kept.shelf.put(path, read(uploads, found), BYTES, new=True)
            except Problem as problem:
                if problem.code != "AlreadyExists":
                    raise
                path = f"{folder}/{secrets.token_hex(4)}/{file}"
            except OSError as cause:
                raise Problem(
                    "StorageFailure", f"{address[:200]!r} could not be copied: {cause.strerror}"
                ) from cause
            else:
                return self._kept.root + path

    def remove(self, address: str) -> None:
        """Remove a file of either place; nothing happens where there is none."""
        place = self._uploads if self._uploads.holds(address) else self._kept
        place.shelf.remove(place.name_of(address))

    def presigned(self, address: str, seconds: float) -> str | None:
        """An address by which everybody can fetch a file of the catalogue's for so long; None: see `file`."""
        return self._kept.shelf.presigned(self._kept.name_of(address), int(seconds))

    def file(self, address: str) -> Path | None:
        """A file of the catalogue's on this machine; None where there is none."""
        name, shelf = self._kept.name_of(address), self._kept.shelf
        return Path(shelf.address(name)) if shelf.look(name) is not None else None


def read(shelf: Shelf, found: Found) -> Iterator[bytes]:
    """The bytes of an object, which is opened when the first are wanted."""
    yield from shelf.read(found.path, 0, found.size, found.etag)


def store_of(settings: Settings) -> Store | None:
    """The storage that settings name; None: items bring no files along.

    Raises:
        Problem: One place lies within the other, so that a file of the catalogue's would be an upload.
    """
    if settings.upload_storage is None or settings.catalog_storage is None:
        return None
    uploads, kept = (
        place_at(place, settings) for place in (settings.upload_storage, settings.catalog_storage)
    )
    if uploads.root.startswith(kept.root) or kept.root.startswith(uploads.root):
        raise Problem(
            "ParameterInvalid",
            f"uploads ({uploads.root}) and files of the catalogue ({kept.root}) lie within each other",
            hint="Set GDC_UPLOAD_STORAGE and GDC_CATALOG_STORAGE to places of different names, side by side.",
        )
    return Store(uploads, kept)


def folder_of(home: Home, item: str | None = None) -> str:
    """Where files of a collection, or of one of its items, are kept."""
    parts = (home.owner, home.name) if item is None else (home.owner, home.name, item)
    return "/".join(map(segment, parts))


def segment(name: str) -> str:
    """A name as a part of a path: it leads nowhere else, and is not too long."""
    safe = quote(name, safe=" ()[]+@,;=!&~")
    safe = safe.replace(".", "%2E") if not safe.strip(".") or safe == UPLOADS else safe
    if len(safe) <= LONGEST:
        return safe
    return f"{safe[: LONGEST - 17]}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def download_path(home: Home, item: str, key: str) -> str:
    """Where a file is fetched from, below the address of the server; nothing in it is quoted."""
    return f"/catalog/{home.owner}/collections/{home.name}/items/{item}/download/{key}"


@dataclass(frozen=True, slots=True)
class Parcel:
    """An item, and what has to be done with its files."""

    item: Json
    uploads: Mapping[str, str]
    """Addresses to be copied, by key of the asset."""


def packed(store: Store, home: Home, item: Json, stored: Json | None) -> tuple[Parcel, list[str]]:
    """An item with the files that it has already; and what is wrong with the others.

    Args:
        store: Where files lie.
        home: The collection.
        item: As it comes.
        stored: As it was until now.
    """
    known = {k: a["href"] for k, a in (stored or {}).get("assets", {}).items()}
    assets, uploads, faults = {}, {}, []
    for key, asset in item["assets"].items():
        href = asset.get("href") if isinstance(asset, dict) else None
        if not isinstance(href, str):
            faults.append(f"asset {key!r} has no href")
            continue
        if href in known.values():
            assets[key] = {**bare(asset), "href": href}
        elif key in known and is_download(href, home, item["id"], key):
            assets[key] = {**bare(asset), "href": known[key]}
        elif not store.is_upload(href):
            faults.append(f"asset {key!r} has the href {href[:200]!r}, which is not where files are uploaded")
        elif not store.exists(href):
            faults.append(f"asset {key!r} has the href {href[:200]!r}, where there is no file")
        else:
            assets[key], uploads[key] = bare(asset), href
    return Parcel({**item, "assets": assets}, uploads), faults


def is_download(href: str, home: Home, item: str, key: str) -> bool:
    """Is it an address by which this server shows a file of the item?"""
    path = download_path(home, item, key)
    return href.startswith(("http://", "https://")) and _path(href).endswith(quote(path, safe="/:@~"))


def _path(href: str) -> str:
    try:
        return urlsplit(href).path
    except ValueError:
        return ""


def bare(asset: Json) -> Json:
    """An asset without what is told of its place when it is shown."""
    others = asset.get("alternate")
    others = {k: v for k, v in others.items() if k != "s3"} if isinstance(others, dict) else {}
    rest = {k: v for k, v in asset.items() if k != "alternate"}
    return rest | ({"alternate": others} if others else {})


def unpacked(store: Store, home: Home, parcel: Parcel, done: dict[str, str]) -> Json:
    """The item with its files where the catalogue keeps them.

    Args:
        store: Where files lie.
        home: The collection.
        parcel: The item.
        done: Is told of each copy: new address by old one.
    """
    assets = dict(parcel.item["assets"])
    copies: dict[str, str] = {}
    for key, href in parcel.uploads.items():
        if href not in copies:
            name = segment(href.rpartition("/")[2])
            copies[href] = store.copy(href, f"{folder_of(home, parcel.item['id'])}/{name}")
            done[copies[href]] = href
        assets[key] = {**assets[key], "href": copies[href]}
    return {**parcel.item, "assets": assets}


def remove_all(store: Store, addresses: Sequence[str]) -> None:
    """Remove files that nothing refers to; one that cannot be removed is left over."""
    for address in addresses:
        with suppress(Problem, OSError):
            store.remove(address)
