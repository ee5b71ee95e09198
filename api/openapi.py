"""The API as an OpenAPI 3.0 document, made from the routes, and as a page for people that needs nothing from outside."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.responses import HTMLResponse, Response

from api.declared import JSON, gives, reply, sends
from api.errors import RFC_7807
from api.facets import Facet, facet_of
from api.html.render import page
from api.links import Links
from api.schemas import PARAMETERS, SCHEMAS, TEXT, ref

MEDIA_TYPE = "application/vnd.oai.openapi+json;version=3.0"
router = APIRouter(tags=["Capabilities"])
FAULT = reply("What is wrong.", ref("Error"), JSON, RFC_7807)
FAULT["content"]["text/html"] = {"schema": TEXT}
Json = dict[str, Any]
PUBLIC = frozenset({"Capabilities", "Collections", "Coverages", "Processes", "Service types"})
"""Tags of routes that need no login."""
OPEN = ("{token}", "/credentials/oidc", "/login", "/logout")
"""What paths have in them that need no login: a signature, or the way to a login and back."""


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
    return page(request, "docs.html", sections=sections_of(document(request)))


def document(request: Request) -> Json:
    """The OpenAPI document, in the words of version 3.0; it is made once, as routes stay as they are."""
    state = request.app.state
    if not hasattr(state, "document"):
        state.document = made_of(request.app)
    return {**state.document, "servers": [{"url": Links(request).root("")}]}


def made_of(app: FastAPI) -> Json:
    """The document of an application, but for its address."""
    title = app.state.backend.settings.title
    made = get_openapi(
        title=title,
        version=app.version,
        routes=app.routes,
        openapi_version="3.0.3",
        separate_input_output_schemas=False,
    )
    made = older(made)
    made["components"] = {
        "schemas": dict(SCHEMAS),
        "responses": {"Fault": FAULT},
        "securitySchemes": {
            "Bearer": {"type": "http", "scheme": "bearer"},
            "Basic": {"type": "http", "scheme": "basic"},
            "Key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
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
        operation["security"] = [*bearer, {"Key": []}] if path.startswith("/catalog/") else bearer


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


def sections_of(described: Json) -> dict[str, list[tuple[str, str, Json]]]:
    """The operations of a document by tags, each with its path and method; those of one face alone are left out."""
    found: dict[str, list[tuple[str, str, Json]]] = {}
    for path, operations in described["paths"].items():
        if not facet_of(path).prefix:
            for method, operation in operations.items():
                found.setdefault((operation.get("tags") or ["Other"])[0], []).append(
                    (path, method, operation)
                )
    return found
