"""Filters on items: CQL2 as text or JSON and STAC's Query extension, compiled to SQL for SQLite and PostgreSQL."""

from engine.catalog.filters.columns import Columns
from engine.catalog.filters.compiler import compiled
from engine.catalog.filters.functions import POSTGRES_DDL, install
from engine.catalog.filters.model import Filter, queryable_names
from engine.catalog.filters.query import parse_query
from engine.catalog.filters.tree import parse_json, parse_text

__all__ = [
    "POSTGRES_DDL",
    "Columns",
    "Filter",
    "compiled",
    "install",
    "parse_json",
    "parse_query",
    "parse_text",
    "queryable_names",
]
