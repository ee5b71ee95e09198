"""Heights of boxes: items whose `bbox` has six numbers lie between two of them; the others, at any height."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, text

SAID = {
    "sqlite": """(json_array_length(items.doc, '$.bbox') IS NOT 6
 OR (json_extract(items.doc, '$.bbox[2]') <= :top AND json_extract(items.doc, '$.bbox[5]') >= :bottom))""",
    "postgresql": """(jsonb_array_length(coalesce(CAST(items.doc AS jsonb) -> 'bbox', '[]')) <> 6
 OR (CAST(CAST(items.doc AS jsonb) -> 'bbox' ->> 2 AS float8) <= :top
 AND CAST(CAST(items.doc AS jsonb) -> 'bbox' ->> 5 AS float8) >= :bottom))""",
}
"""By database; documents are read for it."""
Heights = tuple[float, float]
"""The lower and the upper one."""


def between(heights: Heights, dialect: str) -> ColumnElement[bool]:
    """Whether the item may lie at one of these heights."""
    bottom, top = heights
    return and_(text(SAID[dialect]).bindparams(bottom=bottom, top=top))
