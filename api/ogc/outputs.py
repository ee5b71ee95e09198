"""Outputs of executions as answers: bare, in several parts, in a document, or as links."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from starlette.background import BackgroundTask
from starlette.responses import JSONResponse, Response, StreamingResponse

from api.declared import ANY_TYPE, ANYTHING, does, reply
from api.links import Link
from api.parts import MULTIPART, File, blocks, related
from api.schemas import ref
from engine import Execution, Given, Value, bytes_in, value_in

Json = dict[str, Any]
JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
OUTPUT = "http://www.opengis.net/def/rel/ogc/1.0/results"
"""Relation of links to outputs."""
OUTPUTS: Any = {
    200: {
        **reply("The outputs."),
        "content": {
            JSON: {"schema": ref("Outputs")},
            MULTIPART: {"schema": ANYTHING},
            ANY_TYPE: {"schema": ANYTHING},
        },
    },
    **does("There are none, or all are links, which are in the header `Link`.", 204),
}
"""Answers with outputs, as routes declare them."""
Place = Callable[[Given, int], str]
"""Gives the address of a part of an output, by its number."""


def respond(
    execution: Execution,
    given: Sequence[Given],
    place: Place | None,
    headers: dict[str, str],
    done: BackgroundTask | None = None,
) -> Response:
    """The answer with the outputs of an execution.

    Args:
        execution: What was asked for.
        given: The outputs that are there.
        place: Where outputs can be fetched; only where some are asked for as links.
        headers: Headers of the answer.
        done: What is done after it was sent.
    """
    if execution.response == "document":
        return JSONResponse(document(given, place), headers=headers, background=done)
    if not given:
        return Response(status_code=204, headers=headers, background=done)
    if all(by_reference(one) for one in given):
        return Response(
            status_code=204, headers={**headers, "Link": link_header(given, place)}, background=done
        )
    if len(given) == 1 and len(given[0].parts) == 1:
        return bare(given[0], headers, done)
    boundary = secrets.token_hex(16)
    kind = f"{MULTIPART}; boundary={boundary}"
    return StreamingResponse(
        related(parts(given, place), boundary), headers={**headers, "Content-Type": kind}, background=done
    )


def by_reference(given: Given) -> bool:
    """Is an output asked for as a link?"""
    return given.asked.transmission == "reference"


# --------------------------------------------------------------------------------------- a document
def document(given: Sequence[Given], place: Place | None) -> Json:
    """The outputs by name; those of several files as arrays."""
    return {one.name: sole([member(one, number, place) for number in range(len(one.parts))]) for one in given}


def sole(parts: list[Any]) -> Any:
    """The one part, or all of several."""
    return parts[0] if len(parts) == 1 else parts


def member(given: Given, number: int, place: Place | None) -> Any:
    """A part of an output: the value, a file with its media type, or a link."""
    part = given.parts[number]
    if by_reference(given) and place is not None:
        return linked(given, number, place)
    if isinstance(part, Value):
        return {"value": part.value, "mediaType": JSON} if is_wrapped(part.value) else part.value
    kind = part.media_type
    bare_kind = kind.partition(";")[0]
    if bare_kind == JSON or bare_kind.endswith("+json"):
        return {"value": value_in(part.path), "mediaType": kind}
    if bare_kind.startswith("text/"):
        return {"value": bytes_in(part.path).decode(), "mediaType": kind}
    return {"value": base64.b64encode(bytes_in(part.path)).decode(), "encoding": "base64", "mediaType": kind}


def is_wrapped(value: Any) -> bool:
    """Has a value to be told apart from links and boxes?"""
    return isinstance(value, dict) and "bbox" not in value


def linked(given: Given, number: int, place: Place) -> Link:
    """The link to a part of an output."""
    return {
        "href": place(given, number),
        "rel": OUTPUT,
        "type": media_type(given, number),
        "title": given.name,
    }


def link_header(given: Sequence[Given], place: Place | None) -> str:
    """Links to outputs, as a header."""
    assert place is not None
    links = [linked(one, number, place) for one in given for number in range(len(one.parts))]
    return ", ".join(
        f'<{k["href"]}>; rel="{k["rel"]}"; type="{quoted(k["type"])}"; title="{quoted(k["title"])}"'
        for k in links
    )


def quoted(text: str) -> str:
    """A text as headers have it between quotation marks; what they cannot have is a question mark."""
    return "".join(sign if " " <= sign <= "~" and sign not in '"\\' else "?" for sign in text)


# --------------------------------------------------------------------------------------- as they are
def media_type(given: Given, number: int) -> str:
    """The media type of a part of an output: a text is one, unless JSON was asked for."""
    part = given.parts[number]
    if not isinstance(part, Value):
        return part.media_type
    return (
        TEXT if isinstance(part.value, str) and not (given.asked.media_type or "").startswith(JSON) else JSON
    )


def bare(given: Given, headers: dict[str, str], done: BackgroundTask | None = None) -> Response:
    """An output of one part as it is."""
    (part,) = given.parts
    if not isinstance(part, Value) and part.path.is_file():
        return File(
            part.path, media_type=part.media_type, filename=part.path.name, headers=headers, background=done,
            content_disposition_type="inline",
        )  # fmt: skip
    body = b"".join(pieces(given, 0))
    return Response(body, headers={**headers, "Content-Type": media_type(given, 0)}, background=done)


def pieces(given: Given, number: int) -> Iterator[bytes]:
    """The bytes of a part of an output."""
    part = given.parts[number]
    if not isinstance(part, Value):
        yield from blocks(part.path)
    elif media_type(given, number) == TEXT:
        yield part.value.encode()
    else:
        yield json.dumps(part.value, ensure_ascii=False).encode()


def parts(given: Sequence[Given], place: Place | None) -> Iterator[tuple[list[str], Iterable[bytes]]]:
    """Outputs as parts of one body; of those asked for as links there is the address."""
    for one in given:
        for number in range(len(one.parts)):
            head = [f"Content-Type: {media_type(one, number)}", f"Content-ID: <{quoted(one.name)}>"]
            if by_reference(one) and place is not None:
                head.append(f"Content-Location: {place(one, number)}")
            yield head, () if by_reference(one) else pieces(one, number)
