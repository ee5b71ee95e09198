"""The STAC items of a task, for those who want them as objects."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def items(facts: Mapping[str, Any], prefix: str = "") -> list[Any]:
    """Items of the task's time in order, with absolute addresses; `prefix` stands for the folder of the scenes."""
    import pystac

    start, stop = facts["time"]
    folder = Path(facts["catalog"]).parent
    found = [
        item
        for item in pystac.Catalog.from_file(facts["catalog"]).get_items(recursive=True)
        if item.datetime is not None and start <= item.datetime.isoformat() < stop
    ]
    for item in found:
        item.make_asset_hrefs_absolute()
        for asset in item.assets.values():
            if prefix:
                asset.href = f"{prefix}/{Path(asset.href).relative_to(folder)}"
    return sorted(found, key=lambda item: item.datetime)
