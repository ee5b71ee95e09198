"""Logging in, and who one is."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from api.auth.login import backend_of, by_password, current_user
from api.declared import gives
from engine import User

router = APIRouter(tags=["Account"])
providers = APIRouter(tags=["Account"])
"""What there is only where identity providers are set up."""


@router.get("/credentials/basic", summary="Log in with a user name and a password", responses=gives("Token"))
def basic(request: Request, user: Annotated[User, Depends(by_password)]) -> dict[str, Any]:
    """A token, to be sent as `Bearer basic//TOKEN`."""
    backend = backend_of(request)
    return {"access_token": backend.store.users.log_in(user.id, backend.settings.token_hours * 3600)}


@providers.get(
    "/credentials/oidc", summary="Where to log in with OpenID Connect", responses=gives("Providers")
)
def oidc(request: Request) -> dict[str, Any]:
    """The identity providers; their tokens are sent as `Bearer oidc/PROVIDER/TOKEN`."""
    return {"providers": [listed(provider) for provider in backend_of(request).settings.oidc]}


@router.get("/me", summary="Who is logged in", responses=gives("Me"))
def me(request: Request, user: Annotated[User, Depends(current_user)]) -> dict[str, Any]:
    """The account behind the token, and how much it may store."""
    mine = backend_of(request).files(user)
    return {
        "user_id": user.id,
        "name": user.name or user.id,
        "roles": sorted(user.roles),
        "storage": {"quota": mine.quota, "free": max(0, mine.quota - mine.used())},
        "links": [],
    }


def listed(provider: Any) -> dict[str, Any]:
    """A provider as openEO has it: without what the server alone has to know, and without a slash at the end."""
    shown = {"id", "title", "description", "scopes", "default_clients"}
    return {"issuer": provider.issuer.rstrip("/"), **provider.model_dump(mode="json", include=shown)}
