"""An identity provider of a test: it signs what it is told to, and counts what it is asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from engine import Settings
from engine.identity import Identities
from tests.engine.servers import Reply, Site, site

NOW = 1_700_000_000.0
CLIENT = "client"
Json = dict[str, Any]
KEYS: Json = {
    "r1": RSAKey.generate_key(2048, {"kid": "r1", "use": "sig"}),
    "r2": RSAKey.generate_key(2048, {"kid": "r2"}),
    "e1": ECKey.generate_key("P-256", {"kid": "e1"}),
    "o1": OKPKey.generate_key("Ed25519", {"kid": "o1"}),
}
KEYSETS = "/keys"
USERINFO = "/userinfo"


@dataclass
class FakeProvider:
    """What the provider has and says."""

    site: Site | None = None
    listed: list[Any] = field(default_factory=lambda: [public("r1")])
    people: dict[str, Json] = field(default_factory=dict)
    """By opaque token."""
    document: Json = field(default_factory=dict)
    """What its discovery document says otherwise."""
    status: int = 200

    @property
    def issuer(self) -> str:
        assert self.site is not None
        return self.site.url

    def answer(self, request: Any) -> Reply:
        path = request.path
        if self.status != 200:
            return self.status, {}, b"down"
        if path == "/.well-known/openid-configuration":
            body: Any = {
                "issuer": self.issuer,
                "jwks_uri": self.issuer + KEYSETS,
                "userinfo_endpoint": self.issuer + USERINFO,
                **self.document,
            }
        elif path == KEYSETS:
            body = {"keys": self.listed}
        else:
            body = self.people.get(request.headers["Authorization"].removeprefix("Bearer "))
            if body is None:
                return 401, {}, b"{}"
        return 200, {"Content-Type": "application/json"}, json.dumps(body).encode()

    def count(self, path: str) -> int:
        """How often this was asked for."""
        assert self.site is not None
        return sum(asked == path for _, asked in self.site.asked)

    def token(
        self, kid: str = "r1", algorithm: str = "RS256", header: Json | None = None, **claims: Any
    ) -> str:
        """A token that is good but for what is said here."""
        good = {"iss": self.issuer, "aud": CLIENT, "sub": "ada@there", "exp": NOW + 300, "iat": NOW}
        held = {k: v for k, v in {**good, **claims}.items() if v is not None}
        named = {k: v for k, v in {"alg": algorithm, "kid": kid, **(header or {})}.items() if v is not None}
        registry = JWSRegistry(algorithms=[algorithm], strict_check_header=False)
        return jwt.encode(named, held, KEYS[kid], registry=registry)

    def identities(self, clock: Clock, **setup: Any) -> Identities:
        """A server that believes this provider."""
        provider = {"id": "here", "issuer": self.issuer, "title": "Here", "audiences": [CLIENT], **setup}
        return Identities(Settings(oidc=(provider,), private_hosts="deny", allowed_hosts=()), clock)  # type: ignore[arg-type]


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def public(kid: str) -> Json:
    """A key as it is published."""
    return dict(KEYS[kid].as_dict(private=False))


@contextmanager
def fake_provider() -> Iterator[FakeProvider]:
    """A provider that listens on loopback."""
    provider = FakeProvider()
    with site(provider.answer) as served:
        provider.site = served
        yield provider
