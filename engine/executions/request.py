"""The body of an execution, taken apart and held against the process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.errors import Problem
from engine.executions.model import ONE_FILE, Asked, Execution, Offer, Outlet, is_folder
from engine.graph.near import nearest_of
from engine.write import FORMATS, find_format

JSON = "application/json"
URIS = {
    "success": ("successUri", "successUrl"),
    "progress": ("inProgressUri", "inProgressUrl"),
    "failure": ("failedUri", "failedUrl"),
}
"""Members of a subscriber, by what they are told of; GDC's document knows both spellings."""


def read_execution(offer: Offer, body: Mapping[str, Any], homes: tuple[str, ...] = ()) -> Execution:
    """What is asked for besides the inputs.

    Raises:
        Problem: It has no sense, or the process has no such output.
    """
    response = body.get("response", "raw")
    if response not in ("raw", "document"):
        raise invalid("response", "it is `raw` or `document`")
    chosen = {} if body.get("outputs") is None else body["outputs"]
    if not isinstance(chosen, Mapping):
        raise invalid("outputs", "it is an object: a member for each output")
    known = {outlet.name: outlet for outlet in offer.outlets}
    if unknown := [name for name in chosen if name not in known]:
        raise Problem(
            "ParameterInvalid",
            f"outputs: process {offer.id!r} has no output {unknown[0][:60]!r}; it has {', '.join(known)}",
            hint=nearest_of(unknown[0], known),
            facts={"parameter": "outputs"},
        )
    asked = [read_output(known[name], given) for name, given in chosen.items()]
    outputs = tuple(asked or [Asked(outlet) for outlet in offer.outlets])
    for outlet in (one.outlet for one in outputs):
        if outlet.formats and not set(outlet.formats) & set(ONE_FILE):
            raise is_folder(outlet, FORMATS[outlet.formats[0]].media_type)
    return Execution(offer.id, response, outputs, bool(asked), subscriber_of(body.get("subscriber")), homes)


def read_output(outlet: Outlet, given: Any) -> Asked:
    """What is asked of one output: how it is sent, and as what."""
    name = outlet.name
    if not isinstance(given, Mapping):
        raise invalid(f"outputs.{name}", "it is an object, which may be empty")
    transmission = given.get("transmissionMode", "value")
    if transmission not in ("value", "reference"):
        raise invalid(f"outputs.{name}.transmissionMode", "it is `value` or `reference`")
    form = given.get("format", {})
    if not isinstance(form, Mapping):
        raise invalid(f"outputs.{name}.format", "it is an object with a `mediaType`")
    media_type = form.get("mediaType")
    if media_type is None:
        return Asked(outlet, transmission)
    if not isinstance(media_type, str):
        raise invalid(f"outputs.{name}.format.mediaType", "it is a text")
    if format_of(outlet, media_type) is None and not is_plain(outlet, media_type):
        there = [FORMATS[one].media_type for one in outlet.formats] or [JSON]
        raise Problem(
            "FormatUnsuitable",
            f"output {name!r} is not to be had as {media_type[:80]!r}",
            hint=f"It is to be had as {', '.join(there)}.",
            facts={"parameter": f"outputs.{name}.format.mediaType"},
        )
    return Asked(outlet, transmission, media_type)


def format_of(outlet: Outlet, media_type: str) -> str | None:
    """The file format of that media type, where the output is to be had in it."""
    try:
        found = find_format(media_type, None).name
    except Problem:
        return None
    return found if found in outlet.formats else None


def is_plain(outlet: Outlet, media_type: str) -> bool:
    """Is it a value, and asked for as such?"""
    kind = media_type.partition(";")[0].strip().lower()
    return not outlet.formats and (kind == JSON or (kind == "text/plain" and is_text(outlet.schema)))


def is_text(schema: Any) -> bool:
    """Is the value a text, or of any type?"""
    types = schema.get("type", "string") if isinstance(schema, Mapping) else ()
    return "string" in ([types] if isinstance(types, str) else types)


def subscriber_of(given: Any) -> dict[str, str]:
    """Who is told what becomes of a job.

    Raises:
        Problem: An address is none.
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise invalid("subscriber", f"it is an object with {', '.join(names[0] for names in URIS.values())}")
    found: dict[str, str] = {}
    for what, names in URIS.items():
        for name in names:
            uri = given.get(name)
            if uri is None or what in found:
                continue
            if not isinstance(uri, str) or not uri.startswith(("http://", "https://")) or len(uri) > 2000:
                raise invalid(f"subscriber.{name}", "it is an http or https address")
            found[what] = uri
    if not found:
        raise invalid("subscriber", f"it has none of {', '.join(names[0] for names in URIS.values())}")
    if (secret := given.get("secret")) is not None:
        if not isinstance(secret, str) or not 16 <= len(secret) <= 2000:
            raise invalid("subscriber.secret", "it is a text of 16 characters or more")
        found["secret"] = secret
    return found


def invalid(where: str, why: str) -> Problem:
    """A member that cannot be taken."""
    return Problem("ParameterInvalid", f"{where}: {why}", facts={"parameter": where})
