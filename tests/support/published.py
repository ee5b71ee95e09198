"""What publishers send, and waiting for what comes of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

Json = dict[str, Any]


def item(id_: str, *, day: int = 1, **properties: Any) -> Json:
    """A STAC item."""
    return {
        "type": "Feature", "stac_version": "1.1.0", "id": id_,
        "geometry": {"type": "Point", "coordinates": [5.0, 45.0]}, "bbox": [5.0, 45.0, 5.0, 45.0],
        "properties": {"datetime": f"2025-06-{day:02}T10:00:00Z", **properties},
        "links": [], "assets": {"B04": {"href": f"https://example.org/{id_}.tif"}},
    }  # fmt: skip


def collection(id_: str, kind: str = "Collection", **more: Any) -> Json:
    """A STAC collection or catalogue."""
    return {"type": kind, "stac_version": "1.1.0", "id": id_, "description": id_, "links": [], **more}


def message(data: Json, parent: str | None = None, **more: Any) -> Json:
    """A message of a publisher."""
    return {"active_parent": parent, "data": data, **more}


def until(true: Callable[[], Any], seconds: float = 120.0) -> Any:
    """What is true in the end; fails where it is not after a long time."""
    give_up = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < give_up, "it does not come true"
        time.sleep(0.02)
    return found
