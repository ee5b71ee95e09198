"""Publishes files all or none: written beside the target, synced, then renamed; swept when anything fails."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rasterio._err import CPLE_BaseError
from rasterio.errors import RasterioError

from engine.errors import Problem

STORE_MARKS = ("zarr.json", ".zgroup", ".zarray")
"""A folder that holds one of these is a Zarr store: the only kind of folder that is ever replaced."""


STORAGE_ERRORS = (OSError, RuntimeError, RasterioError, CPLE_BaseError)

TEMPORARY = re.compile(r"[^\s'\"]*\.[0-9a-f]{12}\.part/(?:new|scratch)/")
"""The path of a temporary place, which is nobody's business."""


class Staging:
    """A hidden folder beside the target; what is written there appears under its own name at `publish`.

    The renames come one after the other, in the order of the claims, so the file that is claimed last (the
    STAC item) is the sign that the others are there. When one of them fails, the earlier ones are undone.
    """

    def __init__(self, folder: Path, place: Path, overwrite: bool) -> None:
        self.folder = folder
        """Where the results will lie."""
        self.place = place
        """Where they are written."""
        self.overwrite = overwrite
        """Whether what is there already may be replaced."""
        self._claims: list[str] = []
        self._retired: list[str] = []

    def open(self) -> None:
        """Make the hidden folder."""
        self.place.mkdir()
        (self.place / "new").mkdir()

    def claim(self, name: str) -> Path:
        """Where to write the file that will be called `name`; refused at once where that would be in the way."""
        place = self.admit(name)
        self._claims.append(name)
        return place

    def admit(self, name: str) -> Path:
        """As `claim`, but not yet for publication."""
        final = self.final(name)
        if final.is_symlink() or final.exists():
            _refuse_unless_replaceable(final, self.overwrite)
        return self.staged(name)

    def claimed(self) -> tuple[str, ...]:
        """The names that will be published, in order."""
        return tuple(self._claims)

    def retire(self, name: str) -> None:
        """At publication, take away a file of the result that is being replaced."""
        self._retired.append(name)

    def scratch(self, name: str) -> Path:
        """A place for a temporary file, never published."""
        return self._room("scratch") / name

    def staged(self, name: str) -> Path:
        """Where `name` lies until it is published."""
        return self.place / "new" / name

    def final(self, name: str) -> Path:
        """Where `name` will lie."""
        return self.folder / name

    def publish(self, *, synced: bool = True) -> None:
        """Move all that was claimed to its place, where a failure of the machine finds all of it or nothing if synced."""
        for name in self._claims if synced else ():
            with storing(self.final(name)):
                _sync_tree(self.staged(name))
        undo: list[tuple[Path, Path]] = []
        try:
            for name in self._claims:
                self._move(name, undo)
            for name in self._retired:
                _rename(self.final(name), self._room("old") / name, undo)
        except BaseException:
            for source, dest in reversed(undo):
                source.rename(dest)
            raise
        finally:
            if synced:
                _sync(self.folder)

    def close(self) -> None:
        """Take the hidden folder away, with all that was not published."""
        shutil.rmtree(self.place)

    def abandon(self) -> None:
        """The same after a failure; whatever keeps from it."""
        shutil.rmtree(self.place, ignore_errors=True)

    def _room(self, name: str) -> Path:
        """A further folder beside the one for what is new; few results need one."""
        room = self.place / name
        room.mkdir(parents=True, exist_ok=True)
        return room

    def _move(self, name: str, undo: list[tuple[Path, Path]]) -> None:
        final = self.final(name)
        if final.is_symlink() or final.exists():
            _refuse_unless_replaceable(final, self.overwrite)
            _rename(final, self._room("old") / name, undo)
        _rename(self.staged(name), final, undo)


class Passing(Staging):
    """A staging of what is read and removed by who had it written: it lies in its place at once.

    Nobody else looks there, so that nothing has to be hidden; few formats need the hidden folder for more.
    """

    def open(self) -> None:
        """Make nothing yet."""

    def staged(self, name: str) -> Path:
        """Where `name` will lie."""
        return self.final(name)

    def publish(self, *, synced: bool = False) -> None:
        """All is in its place."""

    def close(self) -> None:
        """Take the hidden folder away, where there is one."""
        if self.place.exists():
            super().close()

    def abandon(self) -> None:
        """The same, with all that was written."""
        super().abandon()
        for name in self._claims:
            place = self.final(name)
            with suppress(OSError):
                shutil.rmtree(place) if place.is_dir() else place.unlink()


@contextmanager
def staging(target: Path, overwrite: bool, *, lasting: bool = True) -> Iterator[Staging]:
    """A staging beside `target`, gone afterwards together with all that was not published.

    What does not last, and replaces nothing, is written where it will lie.
    """
    with storing(target):
        made = _make_folder(target.parent)
    place = target.parent / f".{target.name[:80]}.{secrets.token_hex(6)}.part"
    kind = Staging if lasting or overwrite else Passing
    room = kind(target.parent, place, overwrite)
    try:
        with storing(target):
            room.open()
        yield room
    except BaseException:
        room.abandon()
        for folder in made:
            with suppress(OSError):  # something else has been put there meanwhile
                folder.rmdir()
        raise
    room.close()


@contextmanager
def storing(path: Path) -> Iterator[None]:
    """Around what only writes or reads back: an error in here is one of the storage, and is told as such.

    The libraries have no error of their own for a full disk: netCDF4 raises RuntimeError, GDAL what it likes.
    """
    try:
        yield
    except STORAGE_ERRORS as fault:
        raise storage_failure(path, _cause(fault)) from fault


def _cause(fault: BaseException) -> str:
    """The innermost reason, without the path of the temporary place."""
    while fault.__cause__ is not None:
        fault = fault.__cause__
    reason = fault.strerror if isinstance(fault, OSError) and fault.strerror else str(fault)
    reason = TEMPORARY.sub("", reason)
    return reason.rstrip(".") or type(fault).__name__


def storage_failure(path: Path, cause: str) -> Problem:
    """The refusal to publish what could not be stored."""
    return Problem(
        "StorageFailure",
        f"{path.name} could not be written: {cause}. Nothing was published.",
        hint="The storage may be full, too small or faulty: make room, or write to another place.",
    )


def _make_folder(folder: Path) -> list[Path]:
    """Make a folder with its parents; gives those that are new, the innermost first."""
    if folder.is_dir():
        return []
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as clash:
        raise Problem(
            "FilePathInvalid",
            f"The result cannot lie in {folder}: a part of that path is a file, not a folder.",
            hint="Choose another folder.",
        ) from clash
    return missing


def _refuse_unless_replaceable(final: Path, overwrite: bool) -> None:
    if not overwrite:
        raise Problem(
            "FilePathInvalid",
            f"{final.name} exists already in {final.parent}.",
            hint="Choose another name, or allow to overwrite.",
        )
    if final.is_dir() and not final.is_symlink() and not any((final / m).exists() for m in STORE_MARKS):
        raise Problem(
            "FilePathInvalid",
            f"{final} is a folder and no Zarr store, so it is not replaced by a result.",
            hint="Choose another name.",
        )


def _rename(source: Path, dest: Path, undo: list[tuple[Path, Path]]) -> None:
    source.rename(dest)
    undo.append((dest, source))


def _sync_tree(path: Path) -> None:
    if path.is_dir():
        for inside in path.iterdir():
            _sync_tree(inside)
    _sync(path)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
