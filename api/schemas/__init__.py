"""Bodies and answers as JSON schemas, in the words of OpenAPI 3.0; the structure is the standards', the words are ours."""

from __future__ import annotations

from collections.abc import Mapping

from api.schemas import accounts, catalogue, coverages, live, maps, ogc, processing, stored
from api.schemas.parameters import PARAMETERS, PLAIN, QUERY
from api.schemas.words import BYTES, TEXT, Schema, ref

ROOMS = (accounts, catalogue, processing, ogc, coverages, maps, stored, live)
SCHEMAS: Mapping[str, Schema] = {name: schema for room in ROOMS for name, schema in room.SCHEMAS.items()}
"""All of them by name."""

__all__ = ["BYTES", "PARAMETERS", "PLAIN", "QUERY", "SCHEMAS", "TEXT", "Schema", "ref"]
