"""Files and objects."""

from __future__ import annotations

from collections.abc import Mapping

from api.schemas.words import ADDRESS, LINKS, MOMENT, TEXT, WHOLE, Schema, many, record, ref

SCHEMAS: Mapping[str, Schema] = {
    "File": record({"path": TEXT}, {"size": WHOLE, "modified": MOMENT}, "A file that the user stored."),
    "Files": record({"files": many(ref("File")), "links": LINKS}, text="Files, all or a page of them."),
    "Object": record(
        {"path": TEXT, "href": ADDRESS, "size": WHOLE, "type": TEXT, "digest": TEXT, "modified": MOMENT},
        text="An object that is stored; `digest` has its MD5 and its CRC-32C.",
    ),
}
