"""The catalogue: which items there are, where, when and of what; read from STAC, APIs and plain files."""

from engine.catalog.model import Added, Found, Funnel, Query
from engine.catalog.remote import open_files, open_stac
from engine.catalog.sqlite import Catalog

__all__ = ["Added", "Catalog", "Found", "Funnel", "Query", "open_files", "open_stac"]
