"""Identity providers (OpenID Connect) as the operator writes them down: whose tokens are believed, and for what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Grant = Literal[
    "implicit",
    "authorization_code",
    "authorization_code+pkce",
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:ietf:params:oauth:grant-type:device_code+pkce",
    "refresh_token",
]
"""Ways to a token, in openEO's words."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DefaultClient(_Frozen):
    """A client of the provider that anybody may log in with, without a secret."""

    id: str = Field(min_length=1)
    """Its identifier at the provider; its tokens are accepted."""
    grant_types: tuple[Grant, ...] = Field(min_length=1)
    """The ways to a token that it has."""
    redirect_urls: tuple[str, ...] = ()
    """Where the provider sends a browser back to."""


class Provider(_Frozen):
    """One identity provider."""

    id: str = Field(pattern="^[0-9A-Za-z_]{1,20}$")
    """What stands in `Bearer oidc/ID/TOKEN`, and at the front of its accounts."""
    issuer: str
    """The provider's own address, letter by letter as its discovery document has it."""
    title: str
    """Name for people."""
    description: str = ""
    """How to get an account there (CommonMark)."""
    scopes: tuple[str, ...] = ("openid",)
    """What a client has to ask for at least."""
    audiences: tuple[str, ...] = ()
    """Audiences and clients whose tokens are accepted, besides the default clients."""
    default_clients: tuple[DefaultClient, ...] = ()
    """Clients that are offered to everybody."""
    opaque_tokens: bool = False
    """Are tokens that are no JWT shown to the provider, to learn whose they are? It does not say which client they
    were made for: those of each of its clients are accepted then."""
    roles_claim: str = ""
    """The claim that has a user's groups, such as `realm_access.roles`."""
    roles: Mapping[str, str] = {}
    """The roles here, by what that claim says; the rest of it gives none."""
    required: tuple[str, ...] = ()
    """One of these has to stand in that claim, or the user is turned away."""

    @property
    def accepted(self) -> frozenset[str]:
        """Audiences and clients whose tokens are accepted."""
        return frozenset(self.audiences) | {client.id for client in self.default_clients}

    @field_validator("issuer")
    @classmethod
    def _reachable_in_private(cls, issuer: str) -> str:
        parts = urlsplit(issuer)
        if (
            parts.port == 0
            or parts.query
            or parts.fragment
            or not parts.hostname
            or parts.username is not None
        ):
            raise ValueError(f"{issuer!r} is no issuer: it is a URL without user, query and fragment")
        if parts.scheme != "https" and not (parts.scheme == "http" and _near(parts.hostname)):
            raise ValueError(f"{issuer!r} is not asked: outside of the own network it takes https")
        return issuer

    @field_validator("scopes")
    @classmethod
    def _openid(cls, scopes: tuple[str, ...]) -> tuple[str, ...]:
        if scopes and "openid" not in scopes:
            raise ValueError("scopes have `openid` among them")
        return scopes

    @model_validator(mode="after")
    def _whole(self) -> Provider:
        if not self.accepted and not self.opaque_tokens:
            raise ValueError("name audiences or default_clients, or no token is accepted")
        if (self.roles or self.required) and not self.roles_claim:
            raise ValueError("roles and required are about a claim: name it as roles_claim")
        return self


def told_apart(providers: Sequence[Provider]) -> None:
    """Raise unless each provider has an id and an issuer of its own."""
    for values in ([p.id for p in providers], [p.issuer for p in providers]):
        if len(set(values)) < len(values):
            raise ValueError("two identity providers have the same id, or the same issuer")


def _near(host: str) -> bool:
    """Is it this machine, a private address, or a name without a dot, as containers have them?"""
    try:
        return ip_address(host).is_private
    except ValueError:
        return "." not in host
