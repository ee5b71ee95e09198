"""Tokens for programs: client credentials, as OAuth 2.0 has them (RFC 6749, section 4.4)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from api.auth.login import backend_of, by_name
from api.declared import reply
from api.forms import FORM, fields
from api.schemas import ref
from engine import Problem, User

router = APIRouter(tags=["Account"])
PRIVATE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


@router.post(
    "/oauth/token",
    summary="Log a program in",
    responses={
        200: reply("A token.", ref("OAuthToken"), "application/json"),
        400: reply("What is wrong.", ref("OAuthFault"), "application/json"),
        401: reply("Who it is cannot be told.", ref("OAuthFault"), "application/json"),
    },
    openapi_extra={"requestBody": {"required": True, "content": {FORM: {"schema": ref("OAuthForm")}}}},
)
async def token(request: Request) -> JSONResponse:
    """A token for an account by its name and password, in the header (HTTP Basic) or in the form."""
    try:
        form = await fields(request)
    except Problem:
        return fault("invalid_request", "the form is too long")
    if form.get("grant_type") != "client_credentials":
        return fault("unsupported_grant_type", "there is client_credentials only")
    try:
        user: User = await run_in_threadpool(
            by_name, request, form.get("client_id"), form.get("client_secret")
        )
    except Problem as problem:
        if problem.code not in ("CredentialsInvalid", "AuthenticationRequired"):
            raise
        headers = {"WWW-Authenticate": 'Basic realm="geodatacube"'}
        return fault("invalid_client", problem.message, 401, headers)
    backend = backend_of(request)
    seconds = backend.settings.token_hours * 3600
    made = await run_in_threadpool(backend.store.users.log_in, user.id, seconds)
    told: dict[str, Any] = {"access_token": made, "token_type": "Bearer", "expires_in": int(seconds)}
    return JSONResponse(told, headers=PRIVATE)


def fault(code: str, why: str, status: int = 400, headers: dict[str, str] | None = None) -> JSONResponse:
    """What is wrong, in the words of OAuth 2.0."""
    return JSONResponse({"error": code, "error_description": why}, status, {**PRIVATE, **(headers or {})})
