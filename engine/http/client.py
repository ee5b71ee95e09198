"""The guarded client: bounded in time and size, connected only to addresses that were judged."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import urlsplit

import requests
from ssrfguard import Resolver, SSRFGuardError
from urllib3 import Retry
from urllib3.exceptions import HTTPError

from engine.errors import Problem
from engine.http.egress import GUARDED, MAX_REDIRECTS, Egress
from engine.http.session import GuardedSession

TIMEOUT = (10.0, 60.0)
"""Seconds to connect, and to wait for the next bytes."""
PATIENCE = Retry(
    total=4,
    backoff_factor=0.5,
    status_forcelist=(429, 500, 502, 503, 504),
    allowed_methods=("GET", "HEAD"),
    raise_on_status=False,
    retry_after_max=30,
)
"""What is asked again where that changes nothing at the other end."""
CAP = 256 * 2**20
"""Bytes of an answer that is kept in memory, unpacked."""
PIECE = 2**18
CODES = {
    "refused": "FilePathInvalid",
    "unreachable": "FileNotFound",
    "status": "FileNotFound",
    "size": "FileSizeExceeded",
    "time": "RequestTimeout",
}
HINTS = {
    "refused": "Addresses of this machine and its network are asked only where GDC_ALLOWED_HOSTS names them.",
    "unreachable": "Check the address and the network.",
    "status": "Check the address and whether it needs a login.",
    "size": "Ask for less, or read the file in place.",
    "time": "Try again later, or ask for less.",
}


class Failure(Exception):  # noqa: N818 (a noun, as `Problem`)
    """A request without an answer that can be used."""

    def __init__(self, kind: str, href: str, reason: str, status: int | None = None) -> None:
        super().__init__(f"{href}: {reason}")
        self.kind = kind
        """`refused` (not asked at all), `unreachable`, `status`, `size` or `time`."""
        self.href = href
        """The address, without what may be secret."""
        self.reason = reason
        """What happened, as the end of a sentence."""
        self.status = status
        """The status code, where there was an answer."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Failure, (self.kind, self.href, self.reason, self.status)

    def problem(self, parameter: str | None = None) -> Problem:
        """The failure as a user is told."""
        facts: dict[str, Any] = {"href": self.href, "status": self.status}
        if parameter is not None:
            facts["parameter"] = parameter
        busy = self.kind == "status" and self.status in (429, 500, 502, 503, 504)
        return Problem(
            "InfrastructureBusy" if busy else CODES[self.kind],
            f"{self.href} cannot be read: {self.reason}",
            hint="Try again later." if busy else HINTS[self.kind],
            facts=facts,
        )


@dataclass(frozen=True)
class Answer:
    """What a server answered."""

    status: int
    """Status code."""
    headers: Mapping[str, str]
    """Headers; their names are found in any case."""
    body: bytes
    """The body, unpacked."""
    url: str
    """Where it came from after redirects."""
    href: str
    """The same without what may be secret."""

    @property
    def media_type(self) -> str:
        """The media type without its parameters, in lower case."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    def json(self) -> Any:
        """The body as JSON; NaN and infinities are none."""
        try:
            return json.loads(self.body, parse_constant=_no_constant)
        except (ValueError, RecursionError) as cause:
            raise Failure("status", self.href, f"the answer is not JSON ({cause})", self.status) from cause

    def checked(self) -> Answer:
        """Itself, unless the status says that something went wrong."""
        if self.status >= 400:
            raise Failure("status", self.href, f"the server answers {self.status}", self.status)
        return self


class Client:
    """Asks web servers: `http` and `https`, public addresses and those that `egress` names, nothing else."""

    def __init__(
        self,
        egress: Egress = GUARDED,
        *,
        retries: Retry = PATIENCE,
        timeout: tuple[float, float] = TIMEOUT,
        resolver: Resolver | None = None,
    ) -> None:
        self.session = GuardedSession(egress, retries, resolver)
        self.timeout = timeout

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of all connections."""
        self.session.close()

    def ask(
        self,
        url: str,
        method: str = "GET",
        *,
        params: Any = None,
        json: Any = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        follow: bool = True,
        cap: int = CAP,
        within: float = 600.0,
    ) -> Answer:
        """The answer of a server, whatever its status.

        Args:
            url: Where to ask.
            method: The method.
            params: What is added to the URL's query.
            json: The body, as JSON.
            data: The body, as it is to be sent.
            headers: Further headers.
            follow: Go where a redirect leads?
            cap: Bytes that the unpacked body may have.
            within: Seconds for all of it.

        Raises:
            Failure: There is no answer, it is too large or too slow, or it may not be asked for.
        """
        pieces: list[bytes] = []
        how = {"params": params, "json": json, "data": data, "headers": headers, "allow_redirects": follow}
        with self._asked(url, method, within, **how) as response:
            pieces.extend(_body(response, cap, time.monotonic() + within))
            return Answer(
                response.status_code, response.headers, b"".join(pieces), response.url, shown(response.url)
            )

    def fetch(self, url: str, **how: Any) -> Answer:
        """As `ask`, for an answer that has to be good."""
        return self.ask(url, **how).checked()

    def download(self, url: str, file: IO[bytes], *, cap: int, within: float = 3600.0) -> Answer:
        """Write a good answer's body to an open file; the answer that is given has no body."""
        with self._asked(url, "GET", within) as response:
            bare = Answer(response.status_code, response.headers, b"", response.url, shown(response.url))
            bare.checked()
            for piece in _body(response, cap, time.monotonic() + within):
                file.write(piece)
            return bare

    @contextmanager
    def _asked(self, url: str, method: str, within: float, **how: Any) -> Iterator[requests.Response]:
        connect, read = (min(seconds, within) for seconds in self.timeout)
        try:
            with self.session.request(method, url, stream=True, timeout=(connect, read), **how) as response:
                yield response
        except SSRFGuardError as cause:
            raise Failure("refused", shown(url), _why(cause)) from cause
        except (requests.Timeout, TimeoutError) as cause:
            raise Failure("time", shown(url), "the server does not answer in time") from cause
        except (requests.RequestException, HTTPError, OSError, ValueError) as cause:
            raise Failure(
                "unreachable", shown(url), f"the server cannot be reached ({_short(cause)})"
            ) from cause


def shown(url: str) -> str:
    """An address as it may stand in messages: without user, password and query, where secrets are."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url.partition("?")[0].rpartition("@")[2]
    if not parts.scheme or not parts.netloc:
        return url.partition("?")[0]
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _body(response: requests.Response, cap: int, deadline: float) -> Iterator[bytes]:
    """The pieces of a body as they come, so that one that drips does not outlive the deadline."""
    here = shown(response.url)
    told = response.headers.get("Content-Length", "")
    if told.isdigit() and int(told) > cap and response.request.method != "HEAD":
        raise Failure("size", here, f"it has {told} bytes, more than the {cap} that are read")
    size = 0
    while piece := response.raw.read1(PIECE, decode_content=True):
        size += len(piece)
        if size > cap:
            raise Failure("size", here, f"it has more than the {cap} bytes that are read")
        if time.monotonic() > deadline:
            raise Failure("time", here, "the server does not finish its answer in time")
        yield piece


def _why(cause: SSRFGuardError) -> str:
    """Why an address is not asked, without the address, which may have a password in it."""
    reason = getattr(cause, "reason", None) or f"more than {MAX_REDIRECTS} redirects"
    return str(reason)


def _short(cause: BaseException) -> str:
    return str(cause).partition("Caused by ")[2][:200] or type(cause).__name__


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")
