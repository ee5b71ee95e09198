"""What coverages are answered with: a file, an archive or several parts, and what headers tell of it."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import quote

from starlette.background import BackgroundTask
from starlette.responses import Response, StreamingResponse

from api.ogc.packed import VALUES, described, zipped
from api.parts import MULTIPART, File, related
from engine import Domain, Wish, domain_set, range_type

VARY = {"Vary": "Accept, Prefer"}


def sent(
    file: Any, domain: Domain, name: str, media_type: str, headers: dict[str, str], done: BackgroundTask
) -> Response:
    """A file as it is, a folder as an archive, or a file beside what describes it."""
    if media_type == MULTIPART:
        boundary = secrets.token_hex(16)
        description = {
            "type": "CoverageByDomainAndRange",
            "domainSet": domain_set(domain),
            "rangeType": range_type(domain),
            "rangeSet": {"type": "RangeSetRef", "fileReference": [f"cid:{VALUES}"]},
        }
        body = related(described(description, file.path, file.media_type), boundary)
        kind = f'{MULTIPART}; type="application/json"; boundary={boundary}'
        return StreamingResponse(body, headers={**headers, "Content-Type": kind}, background=done)
    if file.path.is_dir():
        headers["Content-Disposition"] = f'attachment; filename="{quote(name)}"'
        return StreamingResponse(zipped(file.path), media_type=media_type, headers=headers, background=done)
    return File(
        file.path,
        media_type=media_type,
        filename=name,
        headers=headers,
        content_disposition_type="inline",
        background=done,
    )


def empty(wish: Wish) -> Response:
    """The answer where nothing of the coverage is asked for."""
    return Response(status_code=204, headers=headers_of(None, wish))


def headers_of(domain: Domain | None, wish: Wish) -> dict[str, str]:
    """What is told of an answer beside it: where it lies, and what it depends on."""
    told = dict(VARY)
    if wish.strict:
        told["Preference-Applied"] = "handling=strict"
    if domain is not None and domain.times is not None:
        first, last = domain.times
        told["Content-Datetime"] = first if first == last else f"{first}/{last}"
    if domain is not None and domain.reference is not None:
        uri = domain.reference.uri
        told |= {"Content-Crs": uri} if uri.isascii() and len(uri) < 200 else {}
        if domain.box is not None:
            told["Content-Bbox"] = ",".join(f"{float(v):.15g}" for v in domain.box)
    return told
