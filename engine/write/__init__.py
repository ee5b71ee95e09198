"""The door of the writers: a value becomes files of a format, with a STAC item beside them, all or none."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.errors import Problem
from engine.write.atomic import Staging, staging, storage_failure, storing
from engine.write.axes import refuse_empty
from engine.write.formats import FORMATS, file_formats, find_format
from engine.write.model import Asset, Format, Option, Stream, Task, Written
from engine.write.options import settle
from engine.write.png import encode_cube, encode_png
from engine.write.stac import files_of_item, item_of, item_text
from engine.write.text import SHA256, sha256, write_text

__all__ = [
    "FORMATS",
    "Asset",
    "Format",
    "Option",
    "Stream",
    "Written",
    "encode_cube",
    "encode_png",
    "file_formats",
    "find_format",
    "write",
]


def write(
    value: Any,
    target: Path,
    *,
    format: str | None = None,  # noqa: A002 (the word of save_result)
    options: Mapping[str, Any] | None = None,
    stream: Stream,
    overwrite: bool = False,
    provenance: Mapping[str, Any] | None = None,
    lasting: bool = True,
) -> Written:
    """Write `value` to `target` and its STAC item beside it, as `<stem of target>.stac.json`.

    Of what does not last, because it is sent on and removed, there is no item; nothing is synced, and it is written
    where it will lie.

    The blocks of a cube come from `stream`, one at a time. Nothing else is visible under its own name before all
    of it was written, read back and synced; when anything fails, nothing is left.
    """
    target = Path(target)
    if target.name in ("", ".."):
        raise Problem("FilePathInvalid", f"{str(target)!r} names no file.", hint="Give a file name.")
    kind = find_format(format, target)
    chosen = settle(kind.name, kind.parameters, options)
    refuse_empty(value)
    task = Task(value, target, chosen, stream)
    try:
        with staging(target, overwrite, lasting=lasting) as room:
            return _write(task, kind, room, provenance) if lasting else _write_once(task, kind, room)
    except OSError as fault:
        if fault.errno in (errno.ENOSPC, errno.EDQUOT):
            raise storage_failure(target, os.strerror(fault.errno)) from fault
        raise


def _write(task: Task, kind: Format, room: Staging, provenance: Mapping[str, Any] | None) -> Written:
    item_name = f"{task.target.stem}.stac.json"
    replaced = files_of_item(room.final(item_name), task.target)
    item_place = room.admit(item_name)
    assets = tuple(_sealed(asset, room) for asset in kind.write(task, room))
    item = item_of(task.value, task.target, assets, provenance)
    write_text(item_place, [item_text(item)])
    room.claim(item_name)
    for name in replaced - set(room.claimed()):
        room.retire(name)
    room.publish()
    return Written(assets, item, room.final(item_name))


def _write_once(task: Task, kind: Format, room: Staging) -> Written:
    assets = kind.write(task, room)
    room.publish(synced=False)
    return Written(assets, {}, room.final(f"{task.target.stem}.stac.json"))


def _sealed(asset: Asset, room: Staging) -> Asset:
    """The asset with size and checksum (as a multihash: 12 for SHA-256, 20 for its 32 bytes); some come with theirs."""
    place = room.staged(asset.href.name)
    if place.is_dir():
        return asset
    with storing(asset.href):
        size = place.stat().st_size
    fields = {k: v for k, v in asset.fields.items() if k != SHA256}
    sums = {"file:size": size, "file:checksum": f"1220{asset.fields.get(SHA256) or sha256(place)}"}
    return replace(asset, fields={**fields, **sums})
