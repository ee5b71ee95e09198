"""Snapshots: collections with all their items as one stac-geoparquet file, for other programs and to be read again."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from engine.catalog.documents import anchored, bare, checked_collection
from engine.catalog.model import Entry, Json
from engine.errors import Problem

SUFFIXES = (".parquet", ".geoparquet")
MOMENTS = frozenset(
    {"datetime", "start_datetime", "end_datetime", "created", "updated", "expires", "published"}
)
"""Properties that the format keeps as times."""
BOX = "gdc:bbox"
"""A property that only snapshots have: the box where that of the format is another, which has no heights."""
NOWHERE: Json = {"type": "Polygon", "coordinates": []}
"""In place of no geometry, which the format has not; the box beside it is that of no place either."""


def write(path: Path, collections: Iterable[Json], items: Iterable[Json]) -> int:
    """Write a snapshot; it appears under its name when it is whole. Says how many items it has.

    Raises:
        Problem: The library for the format is not installed, or there are no items.
    """
    arrow = _library()
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".snapshot-") as folder:
        lines, part = Path(folder) / "items.ndjson", Path(folder) / "items.parquet"
        count = 0
        with lines.open("w") as file:
            for item in items:
                file.write(json.dumps(_storable(item)) + "\n")
                count += 1
        if not count:
            raise Problem(
                "FileContentInvalid", "there are no items, and so there is nothing to write a file of"
            )
        told = {c["id"]: {k: v for k, v in c.items() if k != "cube:dimensions"} for c in collections}
        arrow.parse_stac_ndjson_to_parquet(lines, part, collections=told, compression="zstd")
        part.replace(path)
    return count


def read(path: Path, wanted: str | None = None) -> Iterator[Entry]:
    """The collections and items of a snapshot; `wanted` is the one collection whose items are read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrow, found = _library(), pq.ParquetFile(path)
    told = json.loads((found.schema_arrow.metadata or {}).get(b"stac-geoparquet", b"{}"))
    homes = {id_: checked_collection(doc, str(path)) for id_, doc in (told.get("collections") or {}).items()}
    for home in homes.values():
        if wanted is None or home["id"] == wanted:
            yield Entry(home, None, str(path))
    for batch in found.iter_batches(batch_size=10_000):
        for item in arrow.stac_table_to_items(pa.Table.from_batches([batch])):
            name = str(item.get("collection") or wanted or path.stem)
            if wanted is None or name == wanted:
                yield Entry(homes.get(name, bare(name)), _restored(item, path), str(path))


def _moment(text: Any) -> Any:
    """A time without the digits that only the table gives it."""
    return (
        f"{text.removesuffix('.000000Z')}Z" if isinstance(text, str) and text.endswith(".000000Z") else text
    )


def _library() -> Any:
    try:
        import stac_geoparquet.arrow as library
    except ImportError as cause:
        raise Problem(
            "FeatureUnsupported", "snapshots need a library that is not installed",
            hint='pip install "geodatacube[parquet]"',
        ) from cause  # fmt: skip
    return library


def _storable(item: Json) -> Json:
    """The item as the format takes it: every item has a place, and boxes are flat; what they were stands beside."""
    out, box = dict(item), item.get("bbox")
    if item.get("geometry") is None:
        out.update(geometry=NOWHERE, bbox=[0.0, 0.0, 0.0, 0.0])
    else:
        half = len(item["bbox"]) // 2
        out["bbox"] = [float(v) for v in (*item["bbox"][:2], *item["bbox"][half : half + 2])]
    if box is not None and (len(box) == 6 or item.get("geometry") is None):
        out["properties"] = {**item["properties"], BOX: [float(v) for v in box]}
    return out


def _restored(item: Json, path: Path) -> Json:
    """The item as it was: members that the table has for others only are not there."""
    out = {k: v for k, v in item.items() if v is not None}
    told = {k: v for k, v in item["properties"].items() if v is not None or k == "datetime"}
    out["properties"] = {k: _moment(v) if k in MOMENTS else v for k, v in told.items()}
    out["assets"] = {
        key: {k: v for k, v in asset.items() if v is not None}
        for key, asset in item.get("assets", {}).items()
        if asset is not None
    }
    out["links"] = [{k: v for k, v in link.items() if v is not None} for link in item.get("links") or []]
    if not item["geometry"]["coordinates"]:
        del out["bbox"]
        out["geometry"] = None
    if (box := out["properties"].pop(BOX, None)) is not None:
        out["bbox"] = list(box)
    return anchored(out, str(path))
