"""Coverages: their axes, their fields, their values."""

from __future__ import annotations

from collections.abc import Mapping

from api.schemas.words import ANY_OBJECT, TEXT, Schema, by_name, many, record, ref

SCHEMAS: Mapping[str, Schema] = {
    "DomainSet": record(
        {"type": {"type": "string", "enum": ["DomainSet"]}, "generalGrid": ANY_OBJECT},
        text="Where a coverage has values (CIS 1.1).",
    ),
    "RangeType": record(
        {
            "type": {"type": "string", "enum": ["DataRecord"]},
            "field": many(
                record({"type": TEXT, "name": TEXT}, {"id": TEXT, "definition": TEXT, "uom": ANY_OBJECT})
            ),
        },
        text="Which values a coverage has (CIS 1.1).",
    ),
    "Coverage": record(
        {
            "type": {"type": "string", "enum": ["CoverageByDomainAndRange"]},
            "domainSet": ref("DomainSet"),
            "rangeType": ref("RangeType"),
            "rangeSet": record({"type": TEXT}, {"dataBlock": ANY_OBJECT}),
        },
        text="A coverage with its values (CIS 1.1).",
    ),
    "CoverageJson": record(
        {
            "type": {"type": "string", "enum": ["Coverage"]},
            "domain": ANY_OBJECT,
            "ranges": by_name(ANY_OBJECT),
        },
        {"parameters": by_name(ANY_OBJECT)},
        "A coverage with its values (CoverageJSON).",
    ),
    "CoverageSchema": record(
        {"type": {"type": "string", "enum": ["object"]}, "properties": by_name(ANY_OBJECT)},
        {"$schema": TEXT, "$id": TEXT, "title": TEXT},
        "The fields of a coverage, as a JSON schema.",
    ),
}
