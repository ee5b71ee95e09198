"""What can be added to the catalogue: STAC on disk or on the web, folders of files, single files, vector data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from itertools import chain
from pathlib import Path

from engine.catalog import snapshot, vectors
from engine.catalog.documents import is_remote, local_path, shown
from engine.catalog.folder import is_data, scan
from engine.catalog.model import Entry, has_features
from engine.catalog.reading import Reader
from engine.catalog.remote import reach
from engine.errors import Problem
from engine.http import GUARDED, Egress

ROOTS = ("catalog.json", "collection.json")


def read(
    source: str | Path, wanted: str | None = None, egress: Egress = GUARDED, time: Sequence[str] = ()
) -> Iterator[Entry]:
    """All collections and items of a source, or features where it is vector data.

    `wanted` picks one collection of a source that names its collections; where it does not, it is
    the id of the collection that the items go to. `time` names the properties that tell when features are.
    """
    entries = _entries(str(source), wanted, egress, time)
    first = next(entries, None)
    if time and first is not None and not has_features(first.collection):
        raise Problem(
            "ParameterInvalid", f"{shown(str(source))} is STAC or rasters, which tell their times themselves",
            hint="Leave out the names of properties that tell the time: these are for vector data.",
        )  # fmt: skip
    return entries if first is None else chain((first,), entries)


def _entries(href: str, wanted: str | None, egress: Egress, time: Sequence[str]) -> Iterator[Entry]:
    if not is_remote(href):
        path = _path_of(href)
        if path.is_file() and vectors.is_vector(path):
            yield from vectors.read(path, wanted, time)
            return
        if path.is_file() and path.suffix.lower() in snapshot.SUFFIXES:
            yield from snapshot.read(path, wanted)
            return
        if path.is_dir() or is_data(path):
            roots = [path / name for name in ROOTS if path.is_dir() and (path / name).is_file()]
            if not roots:
                yield from scan(path, wanted)
                return
            path = roots[0]
        href = str(path)
    yield from _picked(href, wanted, egress, time)


def unknown(id_: str, known: list[str], where: str, empty: str) -> Problem:
    """No such collection; the way out names those that are meant perhaps."""
    lower = {name.lower(): name for name in known}
    near = [lower[name] for name in get_close_matches(id_.lower(), list(lower), n=3, cutoff=0.6)]
    if near:
        hint = f"Did you mean {' or '.join(repr(name) for name in near)}?"
    else:
        more = f" and {len(known) - 10} more" if len(known) > 10 else ""
        hint = f"There are: {', '.join(sorted(known)[:10])}{more}." if known else empty
    return Problem(
        "CollectionNotFound",
        f"Collection {id_!r} does not exist in {where}.",
        hint=hint,
        facts={"id": id_, "near": near, "collections": len(known)},
    )


def _picked(href: str, wanted: str | None, egress: Egress, time: Sequence[str]) -> Iterator[Entry]:
    seen: dict[str, None] = {}
    with Reader(egress) as reader:
        for entry in reach(reader, href, wanted=wanted, time=time):
            seen[entry.collection["id"]] = None
            if wanted is None or entry.collection["id"] == wanted:
                yield entry
    if wanted is not None and wanted not in seen:
        raise unknown(wanted, list(seen), "the source", "It has no collection and no item.")


def _path_of(href: str) -> Path:
    if "://" in href and not href.lower().startswith("file://"):
        raise Problem(
            "FilePathInvalid",
            f"{href.partition('://')[0]}:// addresses cannot be added; this takes paths, file://, http:// and https://.",
            hint="Add a STAC catalogue that describes the files there.",
        )
    path = Path(local_path(str(Path(href).expanduser()) if "://" not in href else href))
    if not path.exists():
        raise Problem("FileNotFound", f"there is no file or folder {path}.", facts={"path": str(path)})
    return path
