"""People log in by a page, and look at what is theirs; a browser's login is good for reading alone."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from api.auth.login import backend_of, proven
from api.auth.session import COOKIE
from api.declared import reply
from api.forms import FORM, fields
from api.html.render import page
from api.links import Links
from api.schemas import TEXT, ref
from engine import Problem

router = APIRouter(tags=["Account"])
HTML: Any = {200: {"description": "The page.", "content": {"text/html": {"schema": TEXT}}}}
ON: Any = {303: reply("On to another page.", headers=("Location",))}
START = "/jobs"


@router.get("/login", summary="The page to log in by", responses=HTML, response_class=Response)
def form(request: Request) -> Response:
    """A form for name and password; `next` is the path to go on to."""
    return shown(request, request.query_params.get("next", START))


@router.post(
    "/login",
    status_code=303,
    summary="Log a browser in",
    responses={**ON, 403: {"description": "The page again.", "content": {"text/html": {"schema": TEXT}}}},
    openapi_extra={"requestBody": {"required": True, "content": {FORM: {"schema": ref("LoginForm")}}}},
    response_class=Response,
)
async def log_in(request: Request) -> Response:
    """A cookie with a token, which scripts cannot read and other sites cannot send; it lets nothing be changed."""
    given = await fields(request)
    place = given.get("next", START)
    if strange(request):
        return shown(request, place, "the form was sent from another site", 403)
    backend = backend_of(request)
    try:
        user = await run_in_threadpool(proven, request, given.get("name", ""), given.get("password", ""))
    except Problem as problem:
        if problem.code != "CredentialsInvalid":
            raise
        return shown(request, place, problem.message, 403)
    seconds = backend.settings.token_hours * 3600
    token = await run_in_threadpool(backend.store.users.log_in, user.id, seconds)
    answer = RedirectResponse(Links(request).root(within(place)), 303)
    is_safe = Links(request).root("").startswith("https:")
    answer.set_cookie(COOKIE, token, int(seconds), secure=is_safe, httponly=True, samesite="strict")
    return answer


@router.post("/logout", status_code=303, summary="Log a browser out", responses=ON, response_class=Response)
def log_out(request: Request) -> Response:
    """The token holds no longer, and the browser forgets it."""
    if (token := request.cookies.get(COOKIE)) is not None:
        backend_of(request).store.users.drop_token(token)
    answer = RedirectResponse(Links(request).root("/"), 303)
    answer.delete_cookie(COOKIE)
    return answer


def shown(request: Request, place: str, fault: str = "", status: int = 200) -> Response:
    """The form; what was wrong with it stands above."""
    headers = {
        "Cache-Control": "no-store",
        "Referrer-Policy": "same-origin",
    }  # or the form would not say whence it comes
    return page(request, "login.html", status, headers, next=within(place), fault=fault)


def within(place: str) -> str:
    """A path of this server; the start where it is none."""
    return (
        place
        if place.startswith("/") and not place.startswith(("//", "/\\")) and place.isprintable()
        else START
    )


def strange(request: Request) -> bool:
    """Was a form sent from a page of another site?"""
    origin = request.headers.get("origin")
    known = {urlsplit(Links(request).root("")).netloc, request.url.netloc}
    return origin is not None and urlsplit(origin).netloc not in known
