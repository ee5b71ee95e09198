"""Files on disk as STAC items: one file, one item."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from engine.catalog.arrays import NETCDF, ZARR, array_facts, is_zarr
from engine.catalog.documents import STAC_VERSION
from engine.catalog.model import Entry, Json
from engine.catalog.rasters import DRIVERS, FileFacts, raster_facts
from engine.errors import Problem

IN_FOLDERS = (".tif", ".tiff", ".jp2", *NETCDF, ZARR)
"""What is looked for in a folder; PNG and JPEG files, which are mostly previews, are added by their names."""
EXTENSIONS = (
    "https://stac-extensions.github.io/projection/v2.0.0/schema.json",
    "https://stac-extensions.github.io/raster/v1.1.0/schema.json",
)
DATACUBE = "https://stac-extensions.github.io/datacube/v2.3.0/schema.json"
GUESSED = "modification time of the file"
"""Where the time of an item comes from that neither the file nor its name tells."""
DATE = re.compile(r"(?<!\d)(\d{4})(-?)(\d{2})\2(\d{2})(?:T(\d{2}):?(\d{2}):?(\d{2}))?(?!\d)")


def is_data(path: Path) -> bool:
    """Whether this one file (or Zarr folder) can be an item."""
    return is_zarr(path) or (path.is_file() and path.suffix.lower() in (*DRIVERS, *NETCDF))


def scan(path: Path, wanted: str | None = None) -> Iterator[Entry]:
    """The items of a folder and all folders below it, or of one file. The first that cannot be read ends it."""
    top, files = (path.parent, [path]) if is_data(path) else (path, _files(path))
    if not files:
        raise _empty(path)
    name = wanted or (path.stem if files == [path] else path.name)
    collection: Json = {
        "type": "Collection",
        "id": name,
        "stac_version": STAC_VERSION,
        "title": name,
        "description": f"Raster files from {path}",
        "links": [],
    }
    for file, id_ in _ids(files, top):
        yield Entry(collection, item_of(file, id_), str(file))


def item_of(path: Path, id_: str) -> Json:
    """The STAC item of one file."""
    facts = array_facts(path) if path.is_dir() or path.suffix.lower() in NETCDF else raster_facts(path)
    changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return described(facts, str(path.resolve()), id_, path.name, changed)


def described(facts: FileFacts, href: str, id_: str, name: str, changed: datetime) -> Json:
    """The item of a file that says this of itself; `changed` is its time where neither it nor its name tells one."""
    where = facts.outline
    return {
        "type": "Feature",
        "stac_version": STAC_VERSION,
        "stac_extensions": [*EXTENSIONS, *([DATACUBE] if facts.extra else [])],
        "id": id_,
        "geometry": where.geometry if where else None,
        **({"bbox": list(where.bbox)} if where else {}),
        "properties": facts.properties | _times(name, facts, changed),
        "links": [],
        "assets": {"data": {"href": href, "title": name, **facts.asset}},
        **facts.extra,
    }


def date_in(name: str) -> datetime | None:
    """The first date (and time of day, if it follows) that stands in a file name."""
    for found in DATE.finditer(name):
        try:
            year, month, day, hour, minute, second = (int(found[n] or 0) for n in (1, 3, 4, 5, 6, 7))
            moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        except ValueError:
            continue
        if 1900 <= moment.year <= 2200:
            return moment
    return None


def _times(name: str, facts: FileFacts, changed: datetime) -> Json:
    if facts.span is not None:
        first, last = facts.span
        return {**_instants(first, last), "gdc:datetime_source": "file metadata"}
    if (named := date_in(name)) is not None:
        return {**_instants(named, named), "gdc:datetime_source": "file name"}
    return {**_instants(changed, changed), "gdc:datetime_source": GUESSED}


def _instants(first: datetime, last: datetime) -> Json:
    texts = [moment.isoformat().replace("+00:00", "Z") for moment in (first, last)]
    if first == last:
        return {"datetime": texts[0]}
    return {"datetime": None, "start_datetime": texts[0], "end_datetime": texts[1]}


def _files(top: Path) -> list[Path]:
    found: list[Path] = []
    for here, folders, names in os.walk(top):
        within = Path(here)
        stores = [name for name in folders if is_zarr(within / name) or name.lower().endswith(ZARR)]
        folders[:] = sorted(set(folders) - set(stores) - {n for n in folders if n.startswith(".")})
        found += [within / name for name in stores]
        found += [within / n for n in names if not n.startswith(".") and Path(n).suffix.lower() in IN_FOLDERS]
    return sorted(found)


def _ids(files: list[Path], top: Path) -> Iterator[tuple[Path, str]]:
    """An id for each file that stays the same as long as the file stays where it is."""
    plain = {file: "-".join(file.relative_to(top).with_suffix("").parts) for file in files}
    often = Counter(plain.values())
    for file, id_ in plain.items():
        yield file, id_ if often[id_] == 1 else "-".join(file.relative_to(top).parts)


def _empty(path: Path) -> Problem:
    here = Counter(Path(name).suffix.lower() or "(none)" for _, _, names in os.walk(path) for name in names)
    there = ", ".join(f"{count} x {suffix}" for suffix, count in here.most_common(5)) or "no files at all"
    return Problem(
        "FileNotFound",
        f"{path} holds no {', '.join(IN_FOLDERS)}: there are {there}.",
        hint="Give a folder with GeoTIFF, NetCDF or Zarr data, one such file, or a STAC catalogue.",
        facts={"folder": str(path), "suffixes": dict(here)},
    )
