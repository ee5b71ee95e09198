"""All providers of a server: from a token to the one who shows it."""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import urlsplit

from engine.errors import Problem
from engine.http import Egress
from engine.identity.claims import Identity
from engine.identity.issuer import Issuer
from engine.identity.tokens import check, check_subject, header_of, is_jwt, issuer_of, proven, refused
from engine.providers import Provider
from engine.settings import Settings


class Identities:
    """Whom the providers vouch for."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        """Seconds since 1970."""
        self._issuers = {p.id: Issuer(p, egress_to(p, settings), clock) for p in settings.oidc}

    def of(self, provider: str, token: str) -> Identity:
        """Who shows a token of this provider.

        Raises:
            Problem: The provider is not known, the token is not good, or the provider cannot be asked.
        """
        issuer = self._issuers.get(provider)
        if issuer is None:
            raise refused(f"no identity provider {provider[:20]!r} is known", self._known())
        identity = self._by_signature(issuer, token) if is_jwt(token) else self._by_word(issuer, token)
        if not identity.is_entitled:
            raise Problem(
                "PermissionsInsufficient",
                "this account is none of those that are let in here",
                hint="Ask the operator which group of the provider is needed.",
            )
        return identity

    def of_jwt(self, token: str) -> Identity:
        """Who shows a token that says itself which provider it is of."""
        named = issuer_of(token)
        found = next((id_ for id_, i in self._issuers.items() if i.provider.issuer == named), None)
        if found is None:
            raise refused("the token is of no issuer that is known", self._known())
        return self.of(found, token)

    def named(self, identity: Identity, token: str) -> Identity:
        """The same with a name, where the provider tells one only when it is asked."""
        if identity.name:
            return identity
        try:
            return self._completed(self._issuers[identity.provider.id], identity, token)
        except Problem:  # a name is not worth a refusal
            return identity

    def _by_signature(self, issuer: Issuer, token: str) -> Identity:
        claims = proven(token, issuer.keys(header_of(token)))
        check(claims, issuer.provider, self._clock())
        identity = Identity(issuer.provider, claims)
        if issuer.provider.roles_claim and identity.groups is None:
            return self._completed(issuer, identity, token)
        return identity

    def _by_word(self, issuer: Issuer, token: str) -> Identity:
        if not issuer.provider.opaque_tokens:
            raise refused("tokens of this provider have to be JWTs")
        claims = issuer.userinfo(token)
        if claims is None:
            raise refused("the provider does not know the token, or it has expired")
        check_subject(claims)
        return Identity(issuer.provider, claims)

    def _completed(self, issuer: Issuer, identity: Identity, token: str) -> Identity:
        """With what the provider says beyond the token, where it takes the token and means the same person."""
        more = issuer.userinfo(token)
        if more is None or more.get("sub") != identity.claims["sub"]:
            return identity
        return Identity(issuer.provider, {**more, **identity.claims})

    def _known(self) -> str:
        known = ", ".join(self._issuers)
        return f"Known are: {known}." if known else "This server knows none."


def egress_to(provider: Provider, settings: Settings) -> Egress:
    """The operator named the provider's host: it is asked whatever its address."""
    parts = urlsplit(provider.issuer)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return Egress(settings.private_hosts == "allow", (f"{host}:{port}", *settings.allowed_hosts))
