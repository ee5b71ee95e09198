"""The exact filter over items at hand: box, time, properties, and the funnel they leave."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pystac

from engine.catalog.documents import Record
from engine.catalog.model import Found, Funnel, Query
from engine.catalog.space import split, touches
from engine.catalog.times import in_time, nearest


def sift(records: Iterable[Record], query: Query) -> Found:
    """What the query finds among these items; one that comes twice is taken once, as it came last."""
    single = {(r.doc["collection"], r.id): r for r in records}
    near = _touching(list(single.values()), query)
    timely = [r for r in near if in_time(r.span, query)]
    wanted = [r for r in timely if holds(r.doc["properties"], query)]
    wanted.sort(key=lambda r: (r.span[0], r.id, r.doc["collection"]))
    dates = nearest((r.span for r in near), query) if near and not timely else ()
    return Found(
        tuple(as_item(r.doc) for r in wanted),
        Funnel(len(single), len(near), len(timely), len(wanted), dates),
    )


def holds(properties: Mapping[str, Any], query: Query) -> bool:
    """Whether each predicate of the query gives True, and nothing that is merely not false."""
    return all(_is_true(wish(properties.get(name))) for name, wish in query.properties.items())


def as_item(doc: dict[str, Any]) -> pystac.Item:
    """A checked document as a pystac item, which owns it from then on."""
    return pystac.Item.from_dict(doc, migrate=False, preserve_dict=False)


def _touching(records: list[Record], query: Query) -> list[Record]:
    """Items that touch the box; one that says nothing of where it is passes."""
    if query.bbox is None:
        return records
    grounds = [r.footprint for r in records]
    hits = iter(touches([g.shape for g in grounds if g is not None], split(query.bbox)))
    return [r for r, g in zip(records, grounds, strict=True) if g is None or next(hits)]


def _is_true(answer: Any) -> bool:
    if isinstance(answer, np.generic | np.ndarray) and answer.size == 1:
        answer = answer.item()
    return answer is True
