"""The description of a collection as it grows: items that came since the last look are looked at, and no others."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from engine.catalog.fields import Features
from engine.catalog.fold import Fold
from engine.catalog.model import Json
from engine.catalog.summaries import told
from engine.catalog.tables import ITEMS
from engine.catalog.texts import from_text

NONE = -1


@dataclass(slots=True)
class Described:
    """What is known of a collection, up to some version of it."""

    created: int
    """When the collection was made: its key can come again."""
    version: int = NONE
    text: str = ""
    """The STAC collection (JSON)."""
    last: int = NONE
    """Key of the last item that was looked at; those that come later have higher ones."""
    fold: Fold | Features = field(default_factory=Fold)
    """What is known of its items, or of its features."""
    layouts: dict[str, Json] = field(default_factory=dict)
    """What many items have in common, once each."""

    def take_in(self, connection: Connection, row: Any) -> None:
        """Bring it to the version of this row of the collection; items that were looked at must be as they were."""
        wish = select(ITEMS.c.pk, ITEMS.c.varies, ITEMS.c.layout).order_by(ITEMS.c.pk)
        wish = wish.where(ITEMS.c.collection == row.pk, ITEMS.c.pk > self.last)
        for item in connection.execute(wish.execution_options(yield_per=1000)):
            if item.layout not in self.layouts:
                self.layouts[item.layout] = from_text(item.layout)
            self.fold.add(from_text(item.varies), self.layouts[item.layout])
            self.last = item.pk
        doc = json.loads(row.doc)
        self.text = json.dumps(told(doc, self.fold) if isinstance(self.fold, Fold) else self.fold.told(doc))
        self.version = row.version
