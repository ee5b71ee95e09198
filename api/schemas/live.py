"""What is published, and who is told."""

from __future__ import annotations

from collections.abc import Mapping

from api.schemas.words import ADDRESS, LINKS, MOMENT, TEXT, WHOLE, YES_OR_NO, Schema, many, maybe, record, ref

PUBLISHED = ("accepted", "pending", "rejected")
WEBHOOK: Mapping[str, Schema] = {
    "secret": TEXT,
    "collections": maybe(many(TEXT)),
    "filter": {"description": "A condition in CQL2, as text or JSON; null: none.", "nullable": True},
    "events": many({"type": "string", "enum": ["created", "updated", "deleted"]}),
    "enabled": YES_OR_NO,
}

SCHEMAS: Mapping[str, Schema] = {
    "PublishLog": record(
        {"counts": record(dict.fromkeys(PUBLISHED, WHOLE)), "entries": many(ref("PublishEntry"))},
        text="What became of the messages that the caller published: in all, and the latest, the newest first.",
    ),
    "PublishEntry": record(
        {"time": MOMENT, "state": {"type": "string", "enum": list(PUBLISHED)}},
        {
            "provider": maybe(TEXT),
            "kind": maybe({"type": "string", "enum": ["Item", "Collection", "Catalog"]}),
            "id": maybe(TEXT),
            "collection": maybe(TEXT),
            "reason": maybe(TEXT),
            "seq": maybe(WHOLE),
        },
        "What became of one message.",
    ),
    "WebhookRequest": record({"url": ADDRESS}, WEBHOOK, "A new webhook."),
    "WebhookChange": record({}, {"url": ADDRESS, **WEBHOOK}, "Members of a webhook to be changed."),
    "Webhook": record(
        {"id": TEXT, "url": ADDRESS, "events": many(TEXT), "enabled": YES_OR_NO, "created": MOMENT},
        {**WEBHOOK, "owner": TEXT},
        "Who is told of new items. The secret is told once, when it is made or changed.",
    ),
    "Webhooks": record(
        {"webhooks": many(ref("Webhook")), "links": LINKS}, text="Webhooks, all or a page of them."
    ),
    "Deliveries": record(
        {"deliveries": many(ref("Delivery")), "links": LINKS}, text="Deliveries, the newest first."
    ),
    "Delivery": record(
        {
            "id": TEXT,
            "collection": TEXT,
            "item": TEXT,
            "status": {"type": "string", "enum": ["waiting", "delivered", "failed"]},
            "attempts": WHOLE,
            "created": MOMENT,
        },
        {"next": maybe(MOMENT), "answer": maybe(WHOLE), "error": maybe(TEXT), "ended": maybe(MOMENT)},
        "One thing that a webhook is told.",
    ),
}
