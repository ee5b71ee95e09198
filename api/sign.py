"""Signed links: what may be fetched with them, and until when, is in the signature as one structured value."""

from __future__ import annotations

import time
from dataclasses import astuple, dataclass

from itsdangerous import BadData, URLSafeSerializer

from engine import Problem


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
    return str(URLSafeSerializer(secret, salt="results").dumps(astuple(grant)))


def granted(text: str, secret: str) -> Grant:
    """The grant behind a text.

    Raises:
        Problem: We did not sign it, or its time is over.
    """
    try:
        grant = Grant(*URLSafeSerializer(secret, salt="results").loads(text))
    except (BadData, TypeError):
        raise Problem("NotFound", "the link is none of ours") from None
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
    return str(URLSafeSerializer(secret, salt="services").dumps(astuple(address)))


def address_in(text: str, secret: str) -> Address:
    """The web service behind a text.

    Raises:
        Problem: We did not sign it.
    """
    try:
        return Address(*URLSafeSerializer(secret, salt="services").loads(text))
    except (BadData, TypeError):
        raise Problem("ServiceNotFound", "the address is none of ours") from None
