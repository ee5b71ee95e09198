"""What a webhook is told of an event, and the signature under it."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any
from urllib.parse import quote

from engine.catalog import Event

STAC = "/api/data/v0/stac"
"""Where receivers fetch items: webhooks are of the profile of DataCosmos."""


def body_of(event: Event, base: str) -> dict[str, Any]:
    """What is told: enough to fetch the item, not the item itself."""
    doc, collection, item = event.doc or {}, event.collection, str(event.item)
    properties = doc.get("properties") or {}
    detail = {
        "collection_id": collection,
        "item_id": item,
        "url": f"{base}{STAC}/collections/{quote(collection, safe='')}/items/{quote(item, safe='')}",
        "datetime": properties.get("datetime") or properties.get("start_datetime"),
        "bbox": doc.get("bbox"),
    }
    told = {"type": "stac-item", "status": event.event, "detail": detail}
    return told if event.live else {**told, "live": False}


def signature(secret: str, body: bytes) -> str:
    """The signature of a body, by which the receiver knows that it came from us."""
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"
