"""Who one is, where everything is, and what went wrong."""

from __future__ import annotations

from collections.abc import Mapping

from api.schemas.words import (
    ADDRESS,
    ANY_OBJECT,
    LINKS,
    NUMBER,
    TEXT,
    WHOLE,
    YES_OR_NO,
    Schema,
    many,
    maybe,
    record,
    ref,
)

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
    "LoginForm": record(
        {"name": TEXT, "password": TEXT}, {"next": TEXT}, "Who logs in, and where to go on to."
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
}
