"""The API as an OpenAPI 3.0 document, made from the routes, and as a page for people that needs nothing from outside."""

from __future__ import annotations

import json
from collections.abc import Callable
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.responses import HTMLResponse, Response

from api.declared import JSON, gives, reply, sends
from api.errors import RFC_7807
from api.facets import FACETS, Facet, facet_of
from api.links import Links
from api.schemas import PARAMETERS, SCHEMAS, TEXT, ref

MEDIA_TYPE = "application/vnd.oai.openapi+json;version=3.0"
router = APIRouter(tags=["Capabilities"])
FAULT = reply("What is wrong.", ref("Error"), JSON, RFC_7807)
Json = dict[str, Any]
PUBLIC = frozenset({"Capabilities", "Collections", "Processes", "Service types"})
"""Tags of routes that need no login."""
OPEN = ("{token}", "/credentials/oidc")
"""What paths have in them that need no login: a signature, or the way to a login."""


@router.get(
    "/openapi",
    summary="The API as OpenAPI 3.0",
    responses=gives("OpenApi", media_type=MEDIA_TYPE),
    response_class=Response,
)
def openapi(request: Request) -> Response:
    """The description of all routes, for machines."""
    return Response(json.dumps(document(request)), media_type=MEDIA_TYPE)


@router.get(
    "/docs",
    summary="The API for people",
    responses=sends("The page.", "text/html", schema=TEXT),
    response_class=HTMLResponse,
)
def docs(request: Request) -> HTMLResponse:
    """The description of all routes, as a page."""
    return HTMLResponse(page(document(request)))


def document(request: Request) -> Json:
    """The OpenAPI document, in the words of version 3.0."""
    app = request.app
    title = app.state.backend.settings.title
    made = get_openapi(
        title=title,
        version=app.version,
        routes=app.routes,
        openapi_version="3.0.3",
        separate_input_output_schemas=False,
    )
    made = older(made)
    made["servers"] = [{"url": Links(request).root("")}]
    made["components"] = {
        "schemas": dict(SCHEMAS),
        "responses": {"Fault": FAULT},
        "securitySchemes": {
            "Bearer": {"type": "http", "scheme": "bearer"},
            "Basic": {"type": "http", "scheme": "basic"},
        },
    }
    bearer: list[Json] = [{"Bearer": []}]
    if app.state.backend.settings.auth == "anonymous":
        bearer.insert(0, {})
    for path, operations in made["paths"].items():
        for operation in operations.values():
            complete(path, operation, bearer)
    return made


def complete(path: str, operation: Json, bearer: list[Json]) -> None:
    """Add what all operations share: what stands in paths, errors, and who may call them."""
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path":
            parameter["description"], parameter["schema"] = PARAMETERS[parameter["name"]]
        for doubled in ("title", "description", "nullable"):  # a parameter that is null is not there
            parameter["schema"].pop(doubled, None)
    answers = operation["responses"]
    answers.pop("422", None)
    for told in (*answers.values(), operation.get("requestBody", {})):
        content = told.pop("content", {})
        if known := {k: {"schema": sole(c["schema"])} for k, c in content.items() if c["schema"]}:
            told["content"] = known
    for kind in ("4XX", "5XX"):
        answers.setdefault(kind, {"$ref": "#/components/responses/Fault"})
    if path.endswith("/credentials/basic"):
        operation["security"] = [{"Basic": []}]
    elif PUBLIC.isdisjoint(operation.get("tags", ())) and not any(part in path for part in OPEN):
        operation["security"] = bearer


def sole(schema: Json) -> Json:
    """A reference has no other members: what the framework guessed goes."""
    return {"$ref": schema["$ref"]} if "$ref" in schema else schema


def named(facet: Facet) -> Callable[[APIRoute], str]:
    """Gives operations of a facet their identifiers: facet, door, function."""

    def name(route: APIRoute) -> str:
        door = route.endpoint.__module__.rpartition(".")[2]
        face = facet.title.lower().replace(" ", "_")
        return "_".join(part for part in dict.fromkeys((face, door, route.endpoint.__name__)) if part)

    return name


def older(value: Any) -> Any:
    """A schema of OpenAPI 3.1 in the words of 3.0: `nullable` for a union with null, `enum` for `const`."""
    if isinstance(value, list):
        return [older(v) for v in value]
    if not isinstance(value, dict):
        return value
    out = {k: older(v) for k, v in value.items()}
    if "const" in out:
        out["enum"] = [out.pop("const")]
    union = out.get("anyOf")
    if isinstance(union, list) and {"type": "null"} in union:
        rest = [u for u in union if u != {"type": "null"}]
        del out["anyOf"]
        out |= rest[0] if len(rest) == 1 else {"anyOf": rest}
        out["nullable"] = True
    return out


STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "code{background:#8882;padding:.1em .3em;border-radius:3px}summary{cursor:pointer}"
    "summary b{display:inline-block;min-width:4.5em}details{margin:.3rem 0}h2{margin-top:2rem}"
)


def page(described: Json) -> str:
    """The document as a page, by tags; each operation unfolds."""
    sections: dict[str, list[str]] = {}
    for path, operations in described["paths"].items():
        if facet_of(path).prefix:
            continue
        for method, operation in operations.items():
            tag = (operation.get("tags") or ["Other"])[0]
            sections.setdefault(tag, []).append(entry(path, method, operation))
    body = "".join(f"<h2>{escape(tag)}</h2>{''.join(entries)}" for tag, entries in sections.items())
    title = escape(described["info"]["title"])
    faces = ", ".join(f"<code>{escape(f.prefix)}</code> ({escape(f.title)})" for f in FACETS if f.prefix)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}: API</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style>'
        f"<h1>{title}</h1><p>All routes, also as <a href='openapi'>OpenAPI 3.0</a>. Those of one standard alone are behind "
        f"{faces}, too.</p>{body}</html>"
    )


def entry(path: str, method: str, operation: Json) -> str:
    """One operation."""
    parameters = "".join(
        f"<li><code>{escape(p['name'])}</code> ({escape(p['in'])}) {escape(p.get('description', ''))}</li>"
        for p in operation.get("parameters", ())
    )
    security = operation.get("security")
    login = "<p>Needs a login.</p>" if security and {} not in security else ""
    return (
        f"<details><summary><b>{method.upper()}</b> <code>{escape(path)}</code> {escape(operation.get('summary', ''))}"
        f"</summary><p>{escape(operation.get('description', ''))}</p>{login}"
        f"{f'<ul>{parameters}</ul>' if parameters else ''}</details>"
    )
