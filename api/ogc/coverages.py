"""OGC API - Coverages: collections as coverages, what is asked for of them, and what they are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from starlette.background import BackgroundTask
from starlette.responses import JSONResponse, Response, StreamingResponse

from api.auth.login import backend_of, viewer
from api.coverage_forms import DESCRIBING, FORMS, wanted
from api.declared import ANYTHING, JSON, RANGES, asks, does, gives, reply
from api.frame import HEADLESS
from api.html.render import page
from api.links import Links
from api.ogc.coverage_answers import empty, headers_of, sent
from api.schemas import SCHEMAS, TEXT, ref
from api.stac.queryables import schema_of_features
from api.stac.view import catalog_of
from api.waiting import answer, computing
from engine import (
    OF_COVERAGE,
    OF_DOMAIN,
    VISITOR,
    Domain,
    Plan,
    Problem,
    Wish,
    changed,
    domain_set,
    range_type,
    read_wish,
    schema_of,
)

router = APIRouter(tags=["Coverages"])
Json = dict[str, Any]
SCHEMA = "application/schema+json"
CHANGED = ("NoDataAvailable", "DimensionLabelCountMismatch")
"""What a run meets where it finds something else than was foretold: scenes came or went."""
DOUBTFUL = (*CHANGED, "DimensionNotAvailable", "ProcessParameterInvalid")
"""What it may meet where scenes are not where they say, or where each has but some of the bands."""
NONE = ("NoDataAvailable", "FormatUnsuitable")
"""Codes of collections that are no coverages."""
WHERE = {
    "subset": 'Intervals and places along axes: `Lat(45:46),Lon(11:12),time("2022-06-01")`; `*` is an open end.',
    "bbox": "West, south, east, north; six numbers with heights.",
    "datetime": "A moment, or an interval `FIRST/LAST`, `../LAST`, `FIRST/..`.",
    "crs": "The reference system of the answer.",
    "bbox-crs": "That of `bbox`; CRS84 by default.",
    "subset-crs": "That of `subset`; that of the data by default.",
}
WHAT = {
    "properties": "Names or indices of fields, in order; `*` for all others.",
    "exclude-properties": "Names or indices of fields that are left out, where `properties` is not given.",
    "scale-factor": "So many times fewer cells along each axis of the ground.",
    "scale-axes": "The same by axis: `Lat(2),Lon(3)`.",
    "scale-size": "So many cells by axis: `Lat(128),Lon(256)`.",
    "resolution": "Cells so wide, by axis: `Lat(0.1),Lon(0.1)`.",
    "width": "So many columns.",
    "height": "So many rows.",
}
FORM = {"f": "The form of the answer, by its name or its media type; it goes before `Accept`."}
NOTHING: Any = does("Nothing of the coverage is there.", 204)
PREVIEW = 512
"""Most columns of the picture on a page."""
SCHEMA_OF = {"json": ref("Coverage"), "covjson": ref("CoverageJson")}
"""Schemas of forms that have some."""
CONTENT = {
    media_type: {"schema": SCHEMA_OF.get(name, ANYTHING)}
    for name, form in FORMS.items()
    for media_type in (form.media_type, *form.further)
}
COVERAGE: Any = {200: {**reply("The coverage.", headers=("Vary",)), "content": CONTENT}, **RANGES, **NOTHING}


def described(name: str) -> Json:
    """An answer that is a document of that schema, or a page."""
    told = reply(str(SCHEMAS[name]["description"]), ref(name), JSON, headers=("Vary",))
    told["content"]["text/html"] = {"schema": TEXT}
    return told


@router.get(
    "/collections/{collection_id}/coverage",
    summary="A coverage",
    responses=COVERAGE,
    openapi_extra=asks(**WHERE, **WHAT, **FORM),
    response_class=Response,
)
async def coverage(request: Request, collection_id: str) -> Response:
    """A collection as one coverage: the part, the fields, the cells and the form that are asked for."""
    wish = wish_of(request, OF_COVERAGE)
    name, media_type = wanted(FORMS, request.query_params.get("f"), request.headers.get("accept", ""))
    if name == "html":
        domain = await domain_of(request, collection_id)
        left = await run_in_threadpool(backend_of(request).coverages.narrowed, domain, wish)
        return empty(wish) if left is None else shown(request, collection_id, left, wish)
    form = FORMS[name]
    plan = await plan_of(request, collection_id, wish, form.made_of or name)
    if plan is None:
        return empty(wish)
    if request.scope.get(HEADLESS):
        return StreamingResponse(iter(()), media_type=media_type, headers=headers_of(plan.domain, wish))
    return await given(request, collection_id, plan, wish, f"{collection_id}{form.suffix}", media_type)


@router.get(
    "/collections/{collection_id}/coverage/domainset",
    summary="Where a coverage has values",
    responses={200: described("DomainSet"), **NOTHING},
    openapi_extra=asks(**WHERE, **FORM),
)
async def domainset(request: Request, collection_id: str) -> Response:
    """The axes of a coverage, of all of it or of what is asked for."""
    wish = wish_of(request, OF_DOMAIN)
    name, _ = wanted(DESCRIBING, request.query_params.get("f"), request.headers.get("accept", ""))
    domain = await domain_of(request, collection_id)
    left = await run_in_threadpool(backend_of(request).coverages.narrowed, domain, wish)
    if left is None:
        return empty(wish)
    if name == "html":
        return drawn(request, f"Domain of {collection_id}", left, ["axes"], headers_of(left, wish))
    return JSONResponse(domain_set(left), headers=headers_of(left, wish))


@router.get(
    "/collections/{collection_id}/coverage/rangetype",
    summary="Which values a coverage has",
    responses={200: described("RangeType")},
    openapi_extra=asks(**FORM),
)
async def rangetype(request: Request, collection_id: str) -> Response:
    """The fields of a coverage."""
    wish = wish_of(request, ())
    name, _ = wanted(DESCRIBING, request.query_params.get("f"), request.headers.get("accept", ""))
    domain = await domain_of(request, collection_id)
    if name == "html":
        return drawn(request, f"Fields of {collection_id}", domain, ["fields"], headers_of(None, wish))
    return JSONResponse(range_type(domain), headers=headers_of(None, wish))


@router.get(
    "/collections/{collection_id}/schema",
    summary="The fields of a coverage or of features, as a JSON schema",
    responses=gives("CoverageSchema", media_type=SCHEMA),
    response_class=Response,
)
async def schema(request: Request, collection_id: str) -> Response:
    """The logical schema of the values of a cell, or of the features of a collection that holds such."""
    place = Links(request).to(f"/collections/{collection_id}/schema")
    features = await run_in_threadpool(features_in, request, collection_id)
    if features is not None:
        return JSONResponse(schema_of_features(features, place), media_type=SCHEMA)
    domain = await domain_of(request, collection_id)
    return JSONResponse(schema_of(domain, place, collection_id), media_type=SCHEMA)


def wish_of(request: Request, known: tuple[str, ...]) -> Wish:
    """What the parameters of the query ask for."""
    given: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        if name != "f":
            given.setdefault(name, []).append(value)
    prefer = request.headers.get("prefer", "").lower().replace(" ", "").split(",")
    return read_wish(given, known, strict="handling=strict" in prefer)


async def domain_of(request: Request, collection_id: str) -> Domain:
    """What there is of a collection.

    Raises:
        Problem: There is no such collection, or it is no coverage.
    """
    desk, user = backend_of(request).coverages, viewer(request)
    found = await run_in_threadpool(desk.known, user, collection_id)
    if found is not None:
        return found
    try:
        await answer(request, await run_in_threadpool(desk.survey, user, collection_id))
    except Problem as problem:
        if problem.code not in NONE:
            raise
        raise Problem(
            "NotFound",
            f"the collection {collection_id!r} is no coverage: {problem.message}",
            hint=problem.hint,
        ) from None
    return await run_in_threadpool(desk.found, user, collection_id)


def features_in(request: Request, collection_id: str) -> Json | None:
    """A collection that holds features; None where it is none of these."""
    catalog = catalog_of(request)
    return catalog.collection(collection_id) if catalog.holds_features(collection_id) else None


async def plan_of(request: Request, collection_id: str, wish: Wish, form: str) -> Plan | None:
    """How what is asked for is computed; none where nothing of it is there.

    Raises:
        Problem: As `domain_of`, or the request does not fit the domain.
    """
    desk, user = backend_of(request).coverages, viewer(request)
    is_known, plan = await run_in_threadpool(desk.plan_of_known, user, collection_id, wish, form)
    if is_known:
        return plan
    domain = await domain_of(request, collection_id)
    return await run_in_threadpool(desk.plan, user, collection_id, domain, wish, form)


async def given(
    request: Request, collection_id: str, plan: Plan, wish: Wish, name: str, media_type: str
) -> Response:
    """A coverage as a file; where items do not tell where and when they are, all of them are looked through."""
    if plan.wide is not None:
        try:
            return await computed(request, plan.process, plan, wish, name, media_type)
        except Problem as problem:
            if problem.code not in DOUBTFUL:
                raise
    try:
        found = await computed(request, plan.wide or plan.process, plan, wish, name, media_type)
    except Problem as problem:
        if problem.code not in CHANGED:
            raise
        backend_of(request).coverages.forget(viewer(request), collection_id)
        raise changed(collection_id) from None
    if plan.wide is not None:
        backend_of(request).coverages.look_wide(viewer(request), collection_id)
    return found


async def computed(
    request: Request, process: Mapping[str, Any], plan: Plan, wish: Wish, name: str, media_type: str
) -> Response:
    """The file that the graph of a coverage gives.

    Raises:
        Problem: Among others, one of the codes `CHANGED`: it gives something else than was foretold.
    """
    backend, user = backend_of(request), viewer(request) or VISITOR
    async with computing(request, user, process, plan.domain) as (ticket, folder):
        run = await answer(request, ticket)
        (file,) = run.files
        headers = {**headers_of(plan.domain, wish), "OpenEO-Costs": f"{run.costs:g}"}
        return sent(file, plan.domain, name, media_type, headers, BackgroundTask(backend.discard, folder))


def shown(request: Request, collection_id: str, left: Domain, wish: Wish) -> Response:
    """A coverage as a page: its axes, its fields, the ways to its data, and a picture that the page asks for."""
    links = Links(request)
    asked = [(name, value) for name, value in request.query_params.multi_items() if name != "f"]
    place = links.to(f"/collections/{collection_id}/coverage")
    places = {form.title: f"{place}?{urlencode([*asked, ('f', name)])}" for name, form in FORMS.items()}
    more: Json = {"forms": places}
    x = left.axis("x")
    if x is not None and left.axis("y") is not None and wish.scaling is None and not wish.is_timed:
        look = [("f", "png"), ("properties", left.fields[0].name), ("width", str(min(x.count, PREVIEW)))]
        kept = [(name, value) for name, value in asked if name != "properties"]
        what = f"{left.fields[0].name}, the latest"
        more["picture"] = {"place": f"{place}?{urlencode(kept + look)}", "what": what}
    return drawn(request, collection_id, left, ["axes", "fields"], headers_of(left, wish), **more)


def drawn(
    request: Request, heading: str, domain: Domain, parts: list[str], headers: dict[str, str], **more: Any
) -> Response:
    """A page with some parts of what there is."""
    told = {"heading": heading, "domain": domain, "parts": parts, **more}
    return page(request, "coverage.html", headers=headers, **told)
