"""Collections, items and features, and changes of them."""

from __future__ import annotations

from collections.abc import Mapping

from api.schemas.words import (
    ADDRESS,
    ANY_OBJECT,
    ASSETS,
    BOX,
    COLLECTION_EXTENT,
    LINKS,
    MOMENT,
    TEXT,
    WHOLE,
    YES_OR_NO,
    Schema,
    by_name,
    many,
    maybe,
    record,
    ref,
)

SCHEMAS: Mapping[str, Schema] = {
    "Collections": record(
        {"collections": many(ref("Collection")), "links": LINKS}, text="Collections, all or a page of them."
    ),
    "Collection": record(
        {
            "id": TEXT,
            "stac_version": TEXT,
            "description": TEXT,
            "license": TEXT,
            "extent": COLLECTION_EXTENT,
            "links": LINKS,
        },
        {
            "type": {"type": "string", "enum": ["Collection"]},
            "title": TEXT,
            "keywords": many(TEXT),
            "cube:dimensions": by_name(record({"type": TEXT})),
            "summaries": ANY_OBJECT,
            "assets": ASSETS,
        },
        "A STAC collection with the dimensions of its cube.",
    ),
    "NewCollection": record(
        {"id": TEXT},
        {"type": TEXT, "description": TEXT, "license": TEXT, "extent": ANY_OBJECT, "links": many(ANY_OBJECT)},
        "A STAC collection; what it lacks is filled in.",
    ),
    "Item": record(
        {
            "type": {"type": "string", "enum": ["Feature"]},
            "id": TEXT,
            "geometry": maybe(ANY_OBJECT),
            "properties": ANY_OBJECT,
            "assets": by_name(ANY_OBJECT),
        },
        {"stac_version": TEXT, "collection": TEXT, "bbox": BOX, "links": many(ANY_OBJECT)},
        "A STAC item.",
    ),
    "Feature": record(
        {
            "type": {"type": "string", "enum": ["Feature"]},
            "id": TEXT,
            "geometry": maybe(ANY_OBJECT),
            "properties": ANY_OBJECT,
        },
        {"collection": TEXT, "bbox": BOX, "links": many(ANY_OBJECT)},
        "A feature of a collection that holds no STAC items.",
    ),
    "ItemOrFeature": {
        "description": "A STAC item, or a feature where the collection holds such.",
        "anyOf": [ref("Item"), ref("Feature")],
    },
    "Features": {
        "description": "A page of STAC items, or of features where the collection holds such.",
        "allOf": [ref("Items")],
    },
    "Items": record(
        {
            "type": {"type": "string", "enum": ["FeatureCollection"]},
            "features": many(ANY_OBJECT),
            "links": LINKS,
        },
        {"numberMatched": WHOLE, "numberReturned": WHOLE, "timeStamp": MOMENT},
        "A page of STAC items.",
    ),
    "ItemOrItems": {
        "description": "A STAC item (or a feature, where the collection holds such), or a feature collection of several.",
        "anyOf": [ref("Item"), ref("Feature"), ref("Items")],
    },
    "Pairs": {
        **many(record({"collection": TEXT, "item": TEXT})),
        "description": "Items, by collection and id.",
    },
    "Relations": {
        **many(record({"collection": TEXT, "item": TEXT, "exists": YES_OR_NO}, {"relation": maybe(TEXT)})),
        "description": "Which items are related to the project.",
    },
    "NewRelation": record(
        {"scenario": TEXT, "collection": TEXT, "item": TEXT}, text="A project, and an item."
    ),
    "Relation": record(
        {"id": TEXT, "scenario": TEXT, "collection": TEXT, "item": TEXT},
        text="A relation of an item to a project.",
    ),
    "BulkItems": record(
        {"items": by_name(ref("Item"))},
        {"method": {"type": "string", "enum": ["insert", "upsert"]}},
        "STAC items by their ids, and whether those that are there are replaced.",
    ),
    "Written": record(
        {"created": WHOLE, "updated": WHOLE, "ids": many(TEXT)},
        text="How many items were written, and which.",
    ),
    "DeletedCollection": record({"deleted collection": TEXT}, text="Which collection was removed."),
    "DeletedItem": record({"deleted item": TEXT}, text="Which item was removed."),
    "OwnCatalog": record(
        {"type": TEXT, "id": TEXT, "description": TEXT, "stac_version": TEXT, "links": LINKS},
        {"title": TEXT},
        "A STAC catalogue.",
    ),
    "Patch": record({}, {}, "The members to change, as a JSON merge patch; null takes one away."),
    "Search": record(
        {},
        {
            "collections": many(TEXT),
            "ids": many(TEXT),
            "bbox": BOX,
            "datetime": TEXT,
            "intersects": ANY_OBJECT,
            "limit": {"type": "integer", "minimum": 1},
            "token": TEXT,
            "query": ANY_OBJECT,
            "filter": {"description": "A condition in CQL2, as JSON or text."},
            "filter-lang": {"type": "string", "enum": ["cql2-json", "cql2-text"]},
            "filter-crs": TEXT,
            "sortby": many(ANY_OBJECT),
            "fields": ANY_OBJECT,
        },
        "What is searched.",
    ),
    "Queryables": record(
        {"$schema": TEXT, "$id": ADDRESS, "type": TEXT, "properties": ANY_OBJECT},
        text="A JSON schema of the properties that items can be chosen by.",
    ),
}
