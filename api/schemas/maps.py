"""Web services and their tiles."""

from __future__ import annotations

from collections.abc import Mapping

from api.schemas.words import (
    ADDRESS,
    ANY_OBJECT,
    BOX,
    GRAPH,
    LINKS,
    MOMENT,
    NUMBER,
    PARAMETER,
    REQUEST,
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

SERVICE_REQUEST: Mapping[str, Schema] = {
    **REQUEST,
    "enabled": maybe(YES_OR_NO),
    "configuration": maybe(ANY_OBJECT),
}

SCHEMAS: Mapping[str, Schema] = {
    "ServiceTypes": {
        **by_name(
            record(
                {"configuration": by_name(ANY_OBJECT), "process_parameters": many(PARAMETER)},
                {"title": TEXT, "description": TEXT},
            )
        ),
        "description": "The types of web services, by name.",
    },
    "ServiceRequest": record({**GRAPH, "type": TEXT}, SERVICE_REQUEST, "A new web service."),
    "ServiceChange": record(
        {},
        {**GRAPH, **SERVICE_REQUEST, "renew_url": YES_OR_NO},
        "Members of a service to be changed; null takes one away.",
    ),
    "Service": record(
        {"id": TEXT, "url": ADDRESS, "type": TEXT, "enabled": YES_OR_NO},
        {
            **REQUEST,
            "process": ANY_OBJECT,
            "configuration": ANY_OBJECT,
            "attributes": ANY_OBJECT,
            "created": MOMENT,
            "costs": NUMBER,
        },
        "A web service.",
    ),
    "Services": record(
        {"services": many(ref("Service")), "links": LINKS}, text="Services, all or a page of them."
    ),
    "TileJson": record(
        {"tilejson": TEXT, "tiles": many(ADDRESS)},
        {
            "name": TEXT,
            "description": TEXT,
            "attribution": TEXT,
            "minzoom": WHOLE,
            "maxzoom": WHOLE,
            "bounds": BOX,
            "center": many(NUMBER),
        },
        "Where XYZ tiles are, as TileJSON 3.0 tells it.",
    ),
    "MapLanding": record(
        {"title": TEXT, "links": LINKS}, {"description": TEXT, "attribution": TEXT}, "Where everything is."
    ),
    "MatrixSets": record({"tileMatrixSets": many(record({"links": LINKS}))}, text="Tile matrix sets."),
    "MatrixSet": record(
        {"crs": {}, "tileMatrices": many(ANY_OBJECT)}, {"id": TEXT, "uri": TEXT}, "A tile matrix set."
    ),
    "Tilesets": record({"tilesets": many(ref("Tileset")), "links": LINKS}, text="Tilesets."),
    "Tileset": record(
        {"dataType": TEXT, "crs": TEXT, "links": LINKS},
        {"tileMatrixSetURI": TEXT, "tileMatrixSetLimits": many(ANY_OBJECT), "boundingBox": ANY_OBJECT},
        "A set of tiles: where it lies, and which there are.",
    ),
}
