"""Results of batch jobs: a STAC collection of items and files, each behind a signed link that holds for a while."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response

from api.auth.login import backend_of, current_user
from api.declared import ANY_TYPE, BY_RANGE, JSON, RANGES, gives, reply, sends
from api.links import Links
from api.moments import moment, now
from api.openeo.logs import timed
from api.openeo.older import extensions, with_older_bands
from api.parts import File
from api.schemas import ref
from api.sign import Grant, granted, signed
from engine import Job, Problem, Results, Status, User

router = APIRouter(tags=["Batch jobs"])
alone = APIRouter(tags=["Batch jobs"])
"""What has another shape where OGC's jobs stand beside these."""
Json = dict[str, Any]
GEOJSON = "application/geo+json"
FAILED = reply("Why the job failed, as the last entry of its log.", ref("LogEntry"), JSON)
LISTING = "collection.json"
"""Name of the document that lists the results, in links."""


@alone.get(
    "/jobs/{job_id}/results",
    summary="The results of a job",
    responses={**gives("Results", headers=("OpenEO-Costs",)), 424: FAILED},
)
def results(
    request: Request, job_id: str, user: Annotated[User, Depends(current_user)], partial: bool = False
) -> Response:
    """The results as a STAC collection; for a job that failed, the reason, with status 424.

    With `partial`, those that a running job has finished so far.
    """
    job = backend_of(request).job(user, job_id)
    if job.status == Status.ERROR:
        return JSONResponse(last_words(request, job), 424)
    found = backend_of(request).results(job, partial=partial)
    return JSONResponse(listing(request, job, found), headers={"OpenEO-Costs": f"{job.costs:g}"})


@router.get(
    "/results/{token}/{name:path}",
    summary="A file of results, by a signed link",
    responses={**sends("The file.", ANY_TYPE), **RANGES},
    openapi_extra=BY_RANGE,
    response_class=Response,
)
def download(request: Request, token: str, name: str) -> Response:
    """The file; parts of it by `Range`."""
    backend = backend_of(request)
    grant = granted(token, backend.store.secret("results"))
    job = backend.store.jobs.get(grant.owner, grant.job)
    if job is None or job.fence != grant.fence or name != (grant.name or LISTING):
        raise Problem("NotFound", "what the link leads to is there no more")
    found = backend.results(job, partial=True)
    if not grant.name:
        return JSONResponse(listing(request, job, found))
    path = found.folder / grant.name
    if grant.name in found.items:
        return JSONResponse(item(Place(request, job), job, found.folder, grant.name), media_type=GEOJSON)
    if not path.is_file():
        raise Problem("NotFound", "what the link leads to is there no more")
    return File(path, media_type=media_type(found, path.name), filename=path.name)


def listing(request: Request, job: Job, found: Results) -> Json:
    """The results of a job as a STAC collection."""
    links, place = Links(request), Place(request, job)
    items = {name: item(place, job, found.folder, name) for name in found.items}
    assets: Json = {}
    for i in items.values():
        assets |= {
            Path(a["title"]).name if a.get("title") in assets else name_of(a): a for a in i["assets"].values()
        }
    own = links.to(f"/jobs/{job.id}/results")
    return {
        "type": "Collection",
        "stac_version": "1.0.0",
        "stac_extensions": extensions([], assets),
        "id": job.id,
        "title": str(job.document.get("title") or f"Results of job {job.id}"),
        "description": str(job.document.get("description") or "Results of a batch job."),
        "license": "other",
        "extent": extent(list(items.values())),
        "openeo:status": str(job.status),
        "expires": moment(place.expires),
        "assets": assets,
        "links": [
            links.link("self", own),
            links.link("canonical", place.of(""), "This document, without a login"),
            *(links.link("item", place.of(name), type_=GEOJSON) for name in found.items),
        ],
    }


class Place:
    """Signed links to the results of one job."""

    def __init__(self, request: Request, job: Job) -> None:
        backend = backend_of(request)
        self._links, self._job, self._secret = Links(request), job, backend.store.secret("results")
        self.expires = int(time.time() + 3600 * backend.settings.link_hours)
        """When they end to hold, in seconds since 1970."""

    def of(self, name: str) -> str:
        """The link to a file; without a name, to the document that lists them."""
        grant = Grant(self._job.owner, self._job.id, self._job.fence, name, self.expires)
        return self._links.root(f"/results/{signed(grant, self._secret)}/{name or LISTING}")


def item(place: Place, job: Job, folder: Path, name: str) -> Json:
    """A STAC item of the results, with signed links in place of file names."""
    found: Json = json.loads((folder / name).read_text())
    assets = {
        key: {**with_older_bands(a), "href": place.of(name_of(a))} for key, a in found["assets"].items()
    }
    links = [
        {"rel": "self", "href": place.of(name), "type": GEOJSON},
        {"rel": "collection", "href": place.of(""), "type": "application/json"},
    ]
    kept = [link for link in found["links"] if str(link.get("href", "")).startswith(("http://", "https://"))]
    return {
        **found,
        "stac_extensions": extensions(found["stac_extensions"], assets),
        "collection": job.id,
        "assets": assets,
        "links": [*links, *kept],
    }


def name_of(asset: Mapping[str, Any]) -> str:
    """The file name of an asset, from its link."""
    return str(asset["href"]).rpartition("/")[2]


def media_type(found: Results, name: str) -> str:
    """The media type of a file, as its item says."""
    for i in found.items:
        for asset in json.loads((found.folder / i).read_text())["assets"].values():
            if name_of(asset) == name:
                return str(asset["type"])
    return "application/octet-stream"


def extent(items: list[Json]) -> Json:
    """The box and the interval of items."""
    boxes = [i["bbox"] for i in items if i.get("bbox")]
    times = [
        t
        for i in items
        for t in map(i["properties"].get, ("start_datetime", "end_datetime", "datetime"))
        if t is not None
    ]
    box = [-180, -90, 180, 90]
    if boxes:
        half = len(boxes[0]) // 2
        box = [min(b[n] for b in boxes) for n in range(half)]
        box += [max(b[n + half] for b in boxes) for n in range(half)]
    interval = [min(times), max(times)] if times else [None, None]
    return {"spatial": {"bbox": [box]}, "temporal": {"interval": [interval]}}


def last_words(request: Request, job: Job) -> Json:
    """Why a job failed, as an entry of its log."""
    found = backend_of(request).store.logs.read(job, "error")
    if found:
        return timed(found[-1])
    told = job.problem or {}
    return {
        "id": "0",
        "level": "error",
        "time": now(),
        "code": told.get("code", "Internal"),
        "message": str(told.get("message")),
    }
