"""Webhooks, for administrators: made, listed, changed, removed; and what was delivered."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Request
from starlette.responses import JSONResponse, Response

from api.auth.login import backend_of, current_user
from api.bodies import StrictRoute
from api.declared import JSON, does, gives, reply, takes
from api.links import Links
from api.moments import moment
from api.pages import Limit, Page, paged
from api.schemas import ref
from engine import Delivery, Problem, User, Webhook

router = APIRouter(tags=["Webhooks"], route_class=StrictRoute)
Json = dict[str, Any]


def administrator(request: Request) -> User:
    """The administrator who sends a request.

    Raises:
        Problem: Nobody is logged in, or somebody else.
    """
    user = current_user(request)
    if "admin" not in user.roles:
        raise Problem("PermissionsInsufficient", "webhooks are for administrators")
    return user


Admin = Annotated[User, Depends(administrator)]


@router.get("/webhooks", summary="List the webhooks", responses=gives("Webhooks"))
def webhooks(request: Request, _: Admin, limit: Limit = None, page: Page = 1) -> Json:
    """All webhooks, the newest first."""
    found, links = paged(request, backend_of(request).live.webhooks.all(), limit, page)
    return {"webhooks": [told(webhook) for webhook in found], "links": links}


@router.post(
    "/webhooks",
    status_code=201,
    summary="Make a webhook",
    responses={201: reply("It is made.", ref("Webhook"), JSON, headers=("Location",))},
    openapi_extra=takes("WebhookRequest"),
)
def create(request: Request, admin: Admin, body: Annotated[Json, Body()]) -> Response:
    """Make it; the answer has the secret that deliveries are signed with."""
    links = Links(request)
    made = backend_of(request).live.webhooks.create(admin, body, links.root(""))
    place = {"Location": links.to(f"/webhooks/{made.id}")}
    return JSONResponse({**told(made), "secret": made.secret}, 201, place)


@router.get("/webhooks/{webhook_id}", summary="One webhook", responses=gives("Webhook"))
def webhook(request: Request, webhook_id: str, _: Admin) -> Json:
    """The webhook, without its secret."""
    return told(backend_of(request).live.webhooks.get(webhook_id))


@router.patch(
    "/webhooks/{webhook_id}",
    summary="Change a webhook",
    responses=gives("Webhook"),
    openapi_extra=takes("WebhookChange"),
)
def change(request: Request, webhook_id: str, _: Admin, body: Annotated[Json, Body()]) -> Json:
    """Change members of it; one that is switched on again is told of what happens from then on."""
    return told(backend_of(request).live.webhooks.change(webhook_id, body))


@router.delete(
    "/webhooks/{webhook_id}",
    status_code=204,
    summary="Remove a webhook",
    responses=does("It is removed.", 204),
)
def remove(request: Request, webhook_id: str, _: Admin) -> Response:
    """Remove it; what waits for it is not delivered any more."""
    backend_of(request).live.webhooks.remove(webhook_id)
    return Response(status_code=204)


@router.get(
    "/webhooks/{webhook_id}/deliveries", summary="What a webhook was told", responses=gives("Deliveries")
)
def deliveries(request: Request, webhook_id: str, _: Admin, limit: Limit = 100, page: Page = 1) -> Json:
    """Deliveries that wait, and the latest that ended, the newest first."""
    found, links = paged(request, backend_of(request).live.webhooks.deliveries(webhook_id), limit, page)
    return {"deliveries": [delivery(webhook_id, one) for one in found], "links": links}


def told(webhook: Webhook) -> Json:
    """A webhook as administrators see it."""
    return {
        "id": webhook.id,
        "url": webhook.url,
        "collections": None if webhook.collections is None else list(webhook.collections),
        "filter": webhook.filter,
        "events": list(webhook.events),
        "enabled": webhook.enabled,
        "owner": webhook.owner,
        "created": moment(webhook.created),
    }


def delivery(webhook: str, one: Delivery) -> Json:
    """A delivery as administrators see it."""
    return {
        "id": f"{webhook}-{one.seq}",
        "collection": one.collection,
        "item": one.item,
        "status": one.status,
        "attempts": one.attempts,
        "next": None if one.next is None else moment(one.next),
        "answer": one.answer,
        "error": one.error,
        "created": moment(one.created),
        "ended": None if one.ended is None else moment(one.ended),
    }
