"""One provider, as it is asked: its discovery document, its keys, and whom an opaque token is of."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import BoundedSemaphore, Lock
from typing import Any

from joserfc.jwk import Key
from urllib3 import Retry

from engine.errors import Problem
from engine.http import Answer, Client, Egress, Failure
from engine.identity.tokens import fitting, keys_of, refused
from engine.providers import Provider

FRESH = 900.0
"""Seconds after which keys are fetched again."""
HELD = 6 * 3600.0
"""Seconds for which keys are believed where the provider cannot be asked for newer ones."""
PAUSE = 20.0
"""Seconds between two fetches for the sake of a key that is not known, however many tokens name such keys."""
AWAY = 5.0
"""Seconds for which a provider that did not answer is left alone."""
KNOWN = 60.0
"""Seconds for which is remembered whom an opaque token is of."""
UNKNOWN = 10.0
"""Seconds for which is remembered that a token was refused."""
REMEMBERED = 1024
AT_ONCE = 8
"""Tokens that the provider is asked about at a time: strangers choose how many there are."""
QUEUE = 2.0
"""Seconds to wait for one of these places."""
TIMEOUT = (3.0, 5.0)
WITHIN = 10.0
CAP = 2**19
ONCE_MORE = Retry(total=1, backoff_factor=0.2, respect_retry_after_header=False)
Claims = Mapping[str, Any]


@dataclass(frozen=True)
class Told:
    """What a provider told of itself."""

    keys: tuple[Key, ...]
    userinfo: str | None
    """Where it says whom a token is of."""
    at: float
    """When it was asked."""


class Issuer:
    """A provider, for all threads."""

    def __init__(self, provider: Provider, egress: Egress, clock: Callable[[], float]) -> None:
        self.provider = provider
        """How it is set up."""
        self._egress = egress
        self._clock = clock
        self._told: Told | None = None
        self._asking = Lock()
        self._asked = float("-inf")
        self._failure: str | None = None
        self._known: OrderedDict[str, tuple[float, Claims | None]] = OrderedDict()
        self._knowing = Lock()
        self._places = BoundedSemaphore(AT_ONCE)

    # ------------------------------------------------------------------------------- keys
    def keys(self, header: Mapping[str, Any]) -> list[Key]:
        """The keys that a token with this header may be signed with.

        Raises:
            Problem: There are none, or the provider cannot be asked.
        """
        told = self._fresh()
        found = fitting(told.keys, header)
        if not found and self._clock() >= self._asked + PAUSE:
            with self._asking:
                found = fitting(self._renewed(told).keys, header)
        if not found and self._failure is not None:
            raise self._away(self._failure)
        if not found:
            raise refused(
                "the key of the token is none of the provider's", "If it is new, try again in a minute."
            )
        return found

    def _fresh(self) -> Told:
        """What is known of the provider; while one thread asks anew, others take what is there."""
        told, now = self._told, self._clock()
        if told is not None and now < told.at + FRESH:
            return told
        usable = told is not None and now < told.at + HELD
        if not self._asking.acquire(blocking=not usable):
            assert told is not None
            return told
        try:
            return self._renewed(told)
        except Problem:
            if told is not None and usable:
                return told
            raise
        finally:
            self._asking.release()

    def _renewed(self, old: Told | None) -> Told:
        """What the provider tells now, unless another thread has asked in the meantime."""
        if self._told is not None and self._told is not old:
            return self._told
        now = self._clock()
        if self._failure is not None and now < self._asked + AWAY:
            raise self._away(self._failure)
        self._asked, self._failure = now, None
        try:
            self._told = self._ask(now)
        except Failure as failure:
            self._failure = str(failure)
            raise self._away(self._failure) from failure
        return self._told

    def _ask(self, now: float) -> Told:
        issuer = self.provider.issuer
        here = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
        document = self._get(here).checked().json()
        if not isinstance(document, dict) or document.get("issuer") != issuer:
            named = document.get("issuer") if isinstance(document, dict) else None
            raise Failure("status", here, f"it is of the issuer {str(named)[:200]!r} and not of {issuer!r}")
        jwks, userinfo = (
            self._address(document.get(name), here) for name in ("jwks_uri", "userinfo_endpoint")
        )
        if jwks is None:
            raise Failure("status", here, "it names no keys (jwks_uri)")
        return Told(keys_of(self._get(jwks).checked().json()), userinfo, now)

    def _address(self, value: Any, here: str) -> str | None:
        """An address that the provider names; who is asked in private names nobody who would be asked in public."""
        if not isinstance(value, str):
            return None
        if self.provider.issuer.startswith("https:") and not value.startswith("https://"):
            raise Failure("refused", here, "it names an address without https")
        return value

    # ------------------------------------------------------------------------------- opaque tokens
    def userinfo(self, token: str) -> Claims | None:
        """Whom a token is of, by the provider's word; none where it refuses the token.

        Raises:
            Problem: The provider cannot be asked, or has no such address.
        """
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
        with self._knowing:
            until, claims = self._known.get(digest, (float("-inf"), None))
            if self._clock() < until:
                return claims
        claims = self._userinfo(token)
        with self._knowing:
            self._known[digest] = self._clock() + (UNKNOWN if claims is None else KNOWN), claims
            self._known.move_to_end(digest)
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return claims

    def _userinfo(self, token: str) -> Claims | None:
        address = self._fresh().userinfo
        if address is None:
            return None
        if not self._places.acquire(timeout=QUEUE):
            raise self._away("too many tokens are asked about at once")
        try:
            answer = self._get(address, {"Authorization": f"Bearer {token}"})
            if answer.status in (400, 401, 403):
                return None
            claims = answer.checked().json()
        except Failure as failure:
            raise self._away(str(failure)) from failure
        finally:
            self._places.release()
        if not isinstance(claims, dict):
            raise self._away(f"{answer.href} answers no JSON object")
        return claims

    # ------------------------------------------------------------------------------- asking
    def _get(self, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        with Client(self._egress, retries=ONCE_MORE, timeout=TIMEOUT) as client:
            accepted = {"Accept": "application/json", **(headers or {})}
            return client.ask(url, headers=accepted, cap=CAP, within=WITHIN)

    def _away(self, why: str) -> Problem:
        return Problem(
            "InfrastructureBusy",
            f"the identity provider {self.provider.id!r} cannot be asked: {why}",
            hint="Try again later, or log in at another provider.",
        )
