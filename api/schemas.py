"""Bodies and answers as JSON schemas, in the words of OpenAPI 3.0; the structure is the standards', the words are ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]
Json = dict[str, Any]
TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
WHOLE: Schema = {"type": "integer", "minimum": 0}
YES_OR_NO: Schema = {"type": "boolean"}
ANY_OBJECT: Schema = {"type": "object"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
ADDRESS: Schema = {"type": "string", "minLength": 1}
BYTES: Schema = {"type": "string", "format": "binary"}
WORD: Schema = {"type": "string", "pattern": "^[A-Za-z0-9_]+$"}
NAME: Schema = {"type": "string", "pattern": "^[\\w\\-]+$"}
LEVEL: Schema = {"type": "string", "enum": ["error", "warning", "info", "debug"]}
STATUS: Schema = {
    "type": "string",
    "enum": ["created", "queued", "running", "canceled", "finished", "error"],
}


def ref(name: str) -> Schema:
    """The schema of that name."""
    return {"$ref": f"#/components/schemas/{name}"}


def many(of: Schema) -> Schema:
    """A list."""
    return {"type": "array", "items": of}


def by_name(of: Schema) -> Schema:
    """An object whose members are all alike."""
    return {"type": "object", "additionalProperties": of}


def maybe(schema: Schema) -> Schema:
    """The schema, or null."""
    return {**schema, "nullable": True}


def record(
    needed: Mapping[str, Schema], further: Mapping[str, Schema] | None = None, text: str = ""
) -> Schema:
    """An object; it may have members besides these."""
    out: Schema = {"type": "object", "properties": {**needed, **(further or {})}}
    return out | ({"required": list(needed)} if needed else {}) | ({"description": text} if text else {})


LINKS = many(ref("Link"))
BOX = {"type": "array", "items": NUMBER, "minItems": 4, "maxItems": 6}
REQUEST: Mapping[str, Schema] = {
    "title": maybe(TEXT),
    "description": maybe(TEXT),
    "plan": maybe(TEXT),
    "budget": maybe({"type": "number", "minimum": 0}),
    "log_level": maybe(LEVEL),
}
"""What requests may tell besides a process."""
GRAPH = {"process": ref("ProcessGraph")}
SERVICE_REQUEST: Mapping[str, Schema] = {
    **REQUEST,
    "enabled": maybe(YES_OR_NO),
    "configuration": maybe(ANY_OBJECT),
}
PARAMETER = record({"name": TEXT, "schema": {}}, {"description": TEXT, "optional": YES_OR_NO, "default": {}})
DESCRIPTION: Mapping[str, Schema] = {
    "summary": TEXT,
    "description": TEXT,
    "parameters": many(PARAMETER),
    "returns": ANY_OBJECT,
    "categories": many(TEXT),
    "deprecated": YES_OR_NO,
    "experimental": YES_OR_NO,
}
COLLECTION_EXTENT = record(
    {"spatial": record({"bbox": many(BOX)}), "temporal": record({"interval": many(many(maybe(TEXT)))})}
)
ASSETS = by_name(record({"href": ADDRESS}, {"title": TEXT, "type": TEXT, "roles": many(TEXT)}))

OGC_SUMMARY: Mapping[str, Schema] = {
    "title": TEXT,
    "description": TEXT,
    "keywords": many(TEXT),
    "jobControlOptions": many({"type": "string", "enum": ["sync-execute", "async-execute", "dismiss"]}),
    "outputTransmission": many({"type": "string", "enum": ["value", "reference"]}),
    "mutable": YES_OR_NO,
    "links": LINKS,
}
OGC_OUTPUT = record({"schema": {}}, {"title": TEXT, "description": TEXT})
OGC_INPUT = record({"title": TEXT, "schema": {}}, {"description": TEXT, "minOccurs": WHOLE, "maxOccurs": {}})

PUBLISHED = ("accepted", "pending", "rejected")
WEBHOOK: Mapping[str, Schema] = {
    "secret": TEXT,
    "collections": maybe(many(TEXT)),
    "filter": {"description": "A condition in CQL2, as text or JSON; null: none.", "nullable": True},
    "events": many({"type": "string", "enum": ["created", "updated", "deleted"]}),
    "enabled": YES_OR_NO,
}

SCHEMAS: Mapping[str, Schema] = {
    "Link": record({"href": ADDRESS, "rel": TEXT}, {"type": TEXT, "title": TEXT}, "Where something else is."),
    "Error": record(
        {"code": TEXT, "message": TEXT},
        {
            "id": {"type": "string", "description": "Number of the request, as the log has it."},
            "pointer": {"type": "string", "description": "JSON pointer into the process graph."},
            "hint": {"type": "string", "description": "The way out; it is part of the message, too."},
            "facts": {"type": "object", "description": "Figures behind the message."},
            "errors": many(ref("Error")),
            "links": LINKS,
            "type": TEXT,
            "title": TEXT,
            "status": {"type": "integer"},
            "detail": TEXT,
            "instance": TEXT,
        },
        "What is wrong, as openEO and as RFC 7807 tell it.",
    ),
    # ----------------------------------------------------------------------------------- the server
    "Landing": record(
        {
            "id": TEXT,
            "title": TEXT,
            "description": TEXT,
            "stac_version": TEXT,
            "conformsTo": many(TEXT),
            "links": LINKS,
        },
        {
            "type": {"type": "string", "enum": ["Catalog"]},
            "api_version": TEXT,
            "gdc_version": TEXT,
            "backend_version": TEXT,
            "endpoints": many(record({"path": TEXT, "methods": many(TEXT)})),
            "production": YES_OR_NO,
            "billing": ANY_OBJECT,
        },
        "What the server is, which paths it has, and what it charges.",
    ),
    "Conformance": record({"conformsTo": many(TEXT)}, text="Conformance classes."),
    "Versions": record(
        {"versions": many(record({"url": ADDRESS, "api_version": TEXT}, {"production": YES_OR_NO}))},
        text="Where which version of the API is.",
    ),
    "Health": record({"status": TEXT}, text="A sign of life."),
    "OpenApi": record(
        {"openapi": TEXT, "info": ANY_OBJECT, "paths": ANY_OBJECT}, text="An OpenAPI document."
    ),
    "Token": record({"access_token": TEXT}, text="A token, to be sent as `Bearer basic//TOKEN`."),
    "Providers": record(
        {"providers": many(record({"id": TEXT, "issuer": ADDRESS, "title": TEXT}, {"scopes": many(TEXT)}))},
        text="The identity providers.",
    ),
    "Me": record(
        {"user_id": TEXT},
        {
            "name": TEXT,
            "roles": many(TEXT),
            "budget": maybe(NUMBER),
            "storage": record({"quota": WHOLE, "free": WHOLE}),
            "links": LINKS,
        },
        "The account that asks.",
    ),
    # ----------------------------------------------------------------------------------- discovery
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
    "OAuthForm": record(
        {"grant_type": TEXT},
        {"client_id": TEXT, "client_secret": TEXT, "audience": TEXT},
        "What is asked for.",
    ),
    "OAuthToken": record(
        {"access_token": TEXT, "token_type": TEXT, "expires_in": WHOLE},
        text="A token, to be sent as `Bearer TOKEN`.",
    ),
    "OAuthFault": record(
        {"error": TEXT}, {"error_description": TEXT}, "What is wrong, as OAuth 2.0 tells it."
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
    "Processes": record(
        {"processes": many(ref("Process")), "links": LINKS}, text="Processes, all or a page of them."
    ),
    "Process": record(
        {"id": TEXT, "description": TEXT, "parameters": many(PARAMETER), "returns": ANY_OBJECT},
        DESCRIPTION,
        "A predefined process.",
    ),
    "FileFormats": record(
        {"input": by_name(ref("FileFormat")), "output": by_name(ref("FileFormat"))},
        text="The formats that are read and written.",
    ),
    "FileFormat": record(
        {"gis_data_types": many(TEXT), "parameters": by_name(ANY_OBJECT)},
        {"title": TEXT, "description": TEXT},
        "A file format and its options.",
    ),
    "UdfRuntimes": {
        **by_name(
            record(
                {"type": TEXT, "default": TEXT, "versions": by_name(ANY_OBJECT)},
                {"title": TEXT, "description": TEXT},
            )
        ),
        "description": "The runtimes of user-defined functions, by name.",
    },
    "ProcessingParameters": record(
        {
            "create_job_parameters": many(PARAMETER),
            "create_service_parameters": many(PARAMETER),
            "create_synchronous_parameters": many(PARAMETER),
        },
        text="What requests take besides what openEO has.",
    ),
    "ServiceTypes": {
        **by_name(
            record(
                {"configuration": by_name(ANY_OBJECT), "process_parameters": many(PARAMETER)},
                {"title": TEXT, "description": TEXT},
            )
        ),
        "description": "The types of web services, by name.",
    },
    # ----------------------------------------------------------------------------------- graphs
    "Node": record(
        {"process_id": {"type": "string", "minLength": 1}, "arguments": ANY_OBJECT},
        {"namespace": maybe(TEXT), "description": maybe(TEXT), "result": YES_OR_NO},
        "One call of a process; arguments may be references to other nodes and to parameters.",
    ),
    "ProcessGraph": record(
        {"process_graph": {**by_name(ref("Node")), "minProperties": 1}},
        {"id": maybe(WORD), "public": maybe(YES_OR_NO), **{k: maybe(v) for k, v in DESCRIPTION.items()}},
        "A process as a graph of nodes, one of which is the result.",
    ),
    "Computation": record(GRAPH, REQUEST, "A process to be computed at once."),
    "Faults": record({"errors": many(ref("Error"))}, text="All that is wrong with a process."),
    "UserProcess": record(
        {"id": NAME, "process_graph": ANY_OBJECT}, text="A process that a user stored, as it was given."
    ),
    "UserProcesses": record(
        {"processes": many(record({"id": NAME})), "links": LINKS},
        text="Processes that the user stored, without their graphs.",
    ),
    # ----------------------------------------------------------------------------------- jobs
    "JobRequest": record(GRAPH, REQUEST, "A new batch job."),
    "JobChange": record({}, {**GRAPH, **REQUEST}, "Members of a job to be changed; null takes one away."),
    "Job": record(
        {"id": TEXT, "status": STATUS, "created": MOMENT},
        {
            **REQUEST,
            "process": ANY_OBJECT,
            "updated": MOMENT,
            "progress": {"type": "number", "minimum": 0, "maximum": 100},
            "queue_position": {"type": "integer", "minimum": 1},
            "costs": NUMBER,
            "usage": ANY_OBJECT,
        },
        "A batch job.",
    ),
    "Jobs": record({"jobs": many(ref("Job")), "links": LINKS}, text="Jobs, all or a page of them."),
    "Estimate": record(
        {"costs": NUMBER, "duration": TEXT, "size": WHOLE},
        {"downloads_included": maybe(WHOLE), "usage": ANY_OBJECT},
        "What a job will take, at most.",
    ),
    "LogEntry": record(
        {"id": TEXT, "level": LEVEL, "message": TEXT},
        {"time": MOMENT, "code": maybe(TEXT), "data": {}},
        "One entry of a log.",
    ),
    "Logs": record({"logs": many(ref("LogEntry")), "links": LINKS}, {"level": LEVEL}, "Entries of a log."),
    "Results": record(
        {
            "type": {"type": "string", "enum": ["Collection"]},
            "stac_version": TEXT,
            "id": TEXT,
            "description": TEXT,
            "license": TEXT,
            "extent": COLLECTION_EXTENT,
            "assets": ASSETS,
            "links": LINKS,
        },
        {"title": TEXT, "stac_extensions": many(TEXT), "openeo:status": STATUS, "expires": MOMENT},
        "The results of a job as a STAC collection.",
    ),
    # ----------------------------------------------------------------------------------- OGC processes
    "OgcProcesses": record(
        {"processes": many(ref("OgcSummary")), "links": LINKS}, text="A page of processes."
    ),
    "OgcSummary": record({"id": TEXT, "version": TEXT}, OGC_SUMMARY, "What can be executed."),
    "OgcProcess": record(
        {"id": TEXT, "version": TEXT, "inputs": by_name(OGC_INPUT), "outputs": by_name(OGC_OUTPUT)},
        OGC_SUMMARY,
        "What can be executed, with its inputs and outputs.",
    ),
    "AnyProcess": {
        "description": "A process, as openEO or as OGC describes it.",
        "anyOf": [ref("Process"), ref("OgcProcess")],
    },
    "Execute": record(
        {},
        {
            "inputs": by_name({}),
            "outputs": by_name(
                record(
                    {},
                    {
                        "transmissionMode": {"type": "string", "enum": ["value", "reference"]},
                        "format": record({}, {"mediaType": TEXT}),
                    },
                )
            ),
            "response": {"type": "string", "enum": ["raw", "document"]},
            "subscriber": record(
                {}, {"successUri": ADDRESS, "inProgressUri": ADDRESS, "failedUri": ADDRESS, "secret": TEXT}
            ),
        },
        "What a process is given, and what of its outputs is wanted how.",
    ),
    "Package": record(
        {"executionUnit": {"description": "A graph of openEO, as `value`."}},
        {"processDescription": ANY_OBJECT},
        "An application package: a process of openEO, described as OGC does.",
    ),
    "StatusInfo": record(
        {
            "jobID": TEXT,
            "type": {"type": "string", "enum": ["process"]},
            "status": {
                "type": "string",
                "enum": ["accepted", "running", "successful", "failed", "dismissed"],
            },
        },
        {
            "processID": TEXT,
            "message": TEXT,
            "created": MOMENT,
            "started": MOMENT,
            "finished": MOMENT,
            "updated": MOMENT,
            "progress": {"type": "integer", "minimum": 0, "maximum": 100},
            "links": LINKS,
        },
        "How far the execution of a process is.",
    ),
    "OgcJobs": record({"jobs": many(ref("StatusInfo")), "links": LINKS}, text="A page of jobs."),
    "AnyJob": {
        "description": "A batch job of openEO, or the execution of an OGC process.",
        "anyOf": [ref("Job"), ref("StatusInfo")],
    },
    "Outputs": {"description": "The outputs by name; or, as they are, the one that was asked for."},
    "AnyResults": {
        "description": "A STAC collection, or the outputs of an execution.",
        "anyOf": [ref("Results"), ref("Outputs")],
    },
    "AnyJobs": record({"jobs": many(ref("AnyJob")), "links": LINKS}, text="Jobs, all or a page of them."),
    # ----------------------------------------------------------------------------------- live
    "PublishLog": record(
        {"counts": record(dict.fromkeys(PUBLISHED, WHOLE)), "entries": many(ref("PublishEntry"))},
        text="What became of the messages that the caller published: in all, and the latest, the newest first.",
    ),
    "PublishEntry": record(
        {"time": MOMENT, "state": {"type": "string", "enum": list(PUBLISHED)}},
        {
            "provider": maybe(TEXT),
            "kind": maybe({"type": "string", "enum": ["Item", "Collection", "Catalog"]}),
            "id": maybe(TEXT),
            "collection": maybe(TEXT),
            "reason": maybe(TEXT),
            "seq": maybe(WHOLE),
        },
        "What became of one message.",
    ),
    "WebhookRequest": record({"url": ADDRESS}, WEBHOOK, "A new webhook."),
    "WebhookChange": record({}, {"url": ADDRESS, **WEBHOOK}, "Members of a webhook to be changed."),
    "Webhook": record(
        {"id": TEXT, "url": ADDRESS, "events": many(TEXT), "enabled": YES_OR_NO, "created": MOMENT},
        {**WEBHOOK, "owner": TEXT},
        "Who is told of new items. The secret is told once, when it is made or changed.",
    ),
    "Webhooks": record(
        {"webhooks": many(ref("Webhook")), "links": LINKS}, text="Webhooks, all or a page of them."
    ),
    "Deliveries": record(
        {"deliveries": many(ref("Delivery")), "links": LINKS}, text="Deliveries, the newest first."
    ),
    "Delivery": record(
        {
            "id": TEXT,
            "collection": TEXT,
            "item": TEXT,
            "status": {"type": "string", "enum": ["waiting", "delivered", "failed"]},
            "attempts": WHOLE,
            "created": MOMENT,
        },
        {"next": maybe(MOMENT), "answer": maybe(WHOLE), "error": maybe(TEXT), "ended": maybe(MOMENT)},
        "One thing that a webhook is told.",
    ),
    # ----------------------------------------------------------------------------------- files
    "File": record({"path": TEXT}, {"size": WHOLE, "modified": MOMENT}, "A file that the user stored."),
    "Files": record({"files": many(ref("File")), "links": LINKS}, text="Files, all or a page of them."),
    "Object": record(
        {"path": TEXT, "href": ADDRESS, "size": WHOLE, "type": TEXT, "digest": TEXT, "modified": MOMENT},
        text="An object that is stored; `digest` has its MD5 and its CRC-32C.",
    ),
    # ----------------------------------------------------------------------------------- services
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
    # ----------------------------------------------------------------------------------- coverages
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
    # ----------------------------------------------------------------------------------- tiles
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
"""All of them by name."""

ONE: Json = {"style": "form", "explode": False}
"""How parameters of the query are written: lists with commas between."""
PLAIN: Json = {"schema": TEXT, **ONE}
"""Of parameters of the query that are none of the next."""
QUERY: Mapping[str, Json] = {
    "bbox": {"schema": BOX, **ONE},
    "limit": {"schema": {"type": "integer", "minimum": 1, "maximum": 10_000, "default": 10}, **ONE},
    "PROPERTY": {
        "schema": {"type": "object", "additionalProperties": {"type": "string"}},
        "style": "form",
        "explode": True,
    },
}
"""Parameters of the query that are more than texts: schema and form."""

DIGITS: Schema = {"type": "string", "pattern": "^[0-9]{1,9}$"}
PARAMETERS: Mapping[str, tuple[str, Schema]] = {
    "job_id": ("Identifier of a batch job.", TEXT),
    "service_id": ("Identifier of a web service.", TEXT),
    "collection_id": ("Identifier of a collection.", TEXT),
    "project_id": ("Identifier of a project.", TEXT),
    "item_id": ("Identifier of an item.", TEXT),
    "owner": ("Identifier of the account that collections belong to.", TEXT),
    "asset": ("Name of an asset of the item.", TEXT),
    "process_id": ("Identifier of a process.", TEXT),
    "namespace": ("Whose process it is: `u:` and the account.", TEXT),
    "process_graph_id": ("Identifier of a stored process; graphs call it by `^\\w+$` only.", NAME),
    "log_id": ("Identifier of a log.", TEXT),
    "package": ("Name of a package.", TEXT),
    "webhook_id": ("Identifier of a webhook.", TEXT),
    "path": (
        "Path of a file, with `/` between names.",
        {"type": "string", "minLength": 1, "maxLength": 1000},
    ),
    "token": ("What the signed address has in this place.", TEXT),
    "name": ("Name of a file of results.", TEXT),
    "output": ("Number of an output, from 0.", TEXT),
    "matrix_set": ("Identifier of a tile matrix set.", TEXT),
    "layer": ("Identifier of a layer; there is `map`.", TEXT),
    "style": ("Identifier of a style; there is `default`.", TEXT),
    "matrix": ("Zoom level.", DIGITS),
    "row": ("Row, from the north.", DIGITS),
    "column": ("Column, from the west.", DIGITS),
    "z": ("Zoom level.", DIGITS),
    "x": ("Column, from the west.", DIGITS),
    "y": ("Row, from the north.", DIGITS),
    "suffix": ("What files of the format end with.", {"type": "string", "enum": ["png", "jpg"]}),
}
"""What stands in paths: what it is, and its schema."""
