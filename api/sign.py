"""Signed links: what may be fetched with them, and until when, is in the signature as one structured value."""

from __future__ import annotations

import time
from dataclasses import astuple, dataclass
from typing import TypeVar

from itsdangerous import BadData, URLSafeSerializer

from engine import Problem

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Grant:
    """What a link gives access to."""

    owner: str
    job: str
    fence: int
    """The attempt that the results are of: links to results that were computed anew are void."""
    name: str
    """Name of the file; empty for the document that lists the results."""
    expires: int
    """Seconds since 1970."""


def signed(grant: Grant, secret: str) -> str:
    """The text that stands for a grant in a link."""
    return sealed(grant, secret, "results")


def granted(text: str, secret: str) -> Grant:
    """The grant behind a text.

    Raises:
        Problem: We did not sign it, or its time is over.
    """
    grant = unsealed(Grant, text, secret, "results")
    if grant is None:
        raise Problem("NotFound", "the link is none of ours")
    if grant.expires <= time.time():
        raise Problem(
            "ResultLinkExpired",
            "the time of the link is over",
            hint="Ask for the results again: `GET /jobs/{job_id}/results`.",
        )
    return grant


@dataclass(frozen=True, slots=True)
class Address:
    """What an address of a web service stands for; it holds until the service gets another one."""

    owner: str
    service: str
    key: str


def addressed(address: Address, secret: str) -> str:
    """The text that stands for a web service in its address."""
    return sealed(address, secret, "services")


def address_in(text: str, secret: str) -> Address:
    """The web service behind a text.

    Raises:
        Problem: We did not sign it.
    """
    address = unsealed(Address, text, secret, "services")
    if address is None:
        raise Problem("ServiceNotFound", "the address is none of ours")
    return address


def sealed(value: Grant | Address, secret: str, purpose: str) -> str:
    """A value as signed text; what is signed for one purpose is good for no other."""
    return str(URLSafeSerializer(secret, salt=purpose).dumps(astuple(value)))


def unsealed(kind: type[T], text: str, secret: str, purpose: str) -> T | None:
    """The value in a signed text; none where we did not sign it."""
    try:
        return kind(*URLSafeSerializer(secret, salt=purpose).loads(text))
    except (BadData, TypeError):
        return None
