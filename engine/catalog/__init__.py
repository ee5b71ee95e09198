"""The catalogue: which items there are, where, when and of what; read from STAC, APIs and plain files, and written to."""

from engine.catalog.changes import (
    Author,
    Change,
    Mode,
    Outcome,
    PatchCollection,
    PatchItem,
    PutCollection,
    PutItem,
    RemoveCollection,
    RemoveItem,
)
from engine.catalog.filters import parse_json as filter_from_json
from engine.catalog.filters import parse_query as filter_from_query
from engine.catalog.filters import parse_text as filter_from_text
from engine.catalog.find import Hit, Page, Search
from engine.catalog.model import Added, Found, Funnel, Query
from engine.catalog.order import Sort
from engine.catalog.outbox import Event
from engine.catalog.owned import Home
from engine.catalog.readable import EVERYTHING, PUBLIC, Readable, readable_by
from engine.catalog.remote import open_files, open_stac
from engine.catalog.store import Catalog

__all__ = [
    "EVERYTHING", "PUBLIC", "Added", "Author", "Catalog", "Change", "Event", "Found", "Funnel", "Hit", "Home", "Mode",
    "Outcome", "Page", "PatchCollection", "PatchItem", "PutCollection", "PutItem", "Query", "Readable",
    "RemoveCollection", "RemoveItem", "Search", "Sort", "filter_from_json", "filter_from_query",
    "filter_from_text", "open_files", "open_stac", "readable_by",
]  # fmt: skip
