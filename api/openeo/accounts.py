"""Logging in, and who one is."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from api.auth.login import backend_of, by_password, current_user
from engine import User

router = APIRouter(tags=["Account"])


@router.get("/credentials/basic", summary="Log in with a user name and a password")
def basic(request: Request, user: Annotated[User, Depends(by_password)]) -> dict[str, Any]:
    """A token, to be sent as `Bearer basic//TOKEN`."""
    backend = backend_of(request)
    return {"access_token": backend.store.users.log_in(user.id, backend.settings.token_hours * 3600)}


@router.get("/me", summary="Who is logged in")
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
