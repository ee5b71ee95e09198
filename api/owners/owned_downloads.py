"""Files of items: from the object store by an address that holds for a while, or from the disk of this machine."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from api.auth.login import backend_of, by_key
from api.declared import ANY_TYPE, BY_RANGE, RANGES, reply, sends
from api.owners.shown import START
from api.parts import File
from engine import Home, Problem, User

router = APIRouter(prefix=START, tags=["Catalogue of owners"])
by_owner = APIRouter(prefix=START, tags=["Catalogue of owners"])
"""What links lead to: the owner stands in the path."""
Caller = Annotated[User, Depends(by_key)]
FETCH = ("read", "download")
"""Who may do one of these may know of a collection whose files are to be fetched."""
ANSWERS = {
    302: reply("It is at this address for a while.", headers=("Location",)),
    **sends("The file.", ANY_TYPE),
    **RANGES,
}


@router.get(
    "/collections/{collection_id}/items/{item_id}/download/{asset}",
    summary="The file of an asset",
    responses=ANSWERS,
    openapi_extra=BY_RANGE,
    response_class=Response,
)
def download(request: Request, collection_id: str, item_id: str, asset: str, user: Caller) -> Response:
    """The file, or where it is."""
    home = backend_of(request).owners.home(user, collection_id, *FETCH)
    return fetched(request, user, home, item_id, asset)


@by_owner.get(
    "/{owner}/collections/{collection_id}/items/{item_id}/download/{asset}",
    summary="The file of an asset, by owner, collection and item",
    responses=ANSWERS,
    openapi_extra=BY_RANGE,
    response_class=Response,
)
def download_of_owner(
    request: Request, owner: str, collection_id: str, item_id: str, asset: str, user: Caller
) -> Response:
    """The file, or where it is, as links have it."""
    home = backend_of(request).owners.home(user, collection_id, *FETCH, owner=owner)
    return fetched(request, user, home, item_id, asset)


def fetched(request: Request, user: User, home: Home, item: str, asset: str) -> Response:
    """The file of an asset, or where it is."""
    backend = backend_of(request)
    href, is_kept = backend.owners.address(user, home, item, asset)
    store = backend.owners.store
    if store is not None and is_kept:
        place = store.presigned(href, 3600 * backend.settings.link_hours)
        if place is not None:
            return RedirectResponse(place, 302)
        path = store.file(href)
        if path is not None:
            return File(path, media_type="application/octet-stream", filename=path.name)
    elif href.startswith(("http://", "https://")):
        return RedirectResponse(href, 302)
    raise Problem("NotFound", f"asset {asset[:100]!r} leads to no file that can be fetched from here")
