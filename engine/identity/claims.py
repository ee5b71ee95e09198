"""What a provider says of a person, and what an account here takes from it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.providers import Provider

NAMES = ("name", "preferred_username", "email")
"""Claims that a person may be called by, the best first."""
NAME_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody, as a provider vouches for them."""

    provider: Provider
    claims: Mapping[str, Any]
    """What the provider says, proven; `sub` is among it."""

    @property
    def account(self) -> str:
        """Identifier of the account. What a provider calls people fits no folder: a digest of it does.

        The issuer is part of it: a provider that moves elsewhere cannot hand out the accounts of the one before.
        """
        who = f"{self.provider.issuer}\0{self.claims['sub']}".encode("utf-8", "surrogatepass")
        return f"{self.provider.id}~{hashlib.sha256(who).hexdigest()[:32]}"

    @property
    def name(self) -> str:
        """Name for people; empty where the provider tells none."""
        told = (self.claims.get(claim) for claim in NAMES)
        name = next((value for value in told if isinstance(value, str) and value.strip()), "")
        return "".join(c for c in name if c.isprintable()).strip()[:NAME_LENGTH]

    @property
    def groups(self) -> frozenset[str] | None:
        """What the claim of roles says; none where it is not there."""
        found = within(self.claims, self.provider.roles_claim) if self.provider.roles_claim else None
        if found is None:
            return None
        values = found.split() if isinstance(found, str) else found
        return frozenset(v for v in values if isinstance(v, str)) if isinstance(values, list) else frozenset()

    @property
    def roles(self) -> frozenset[str]:
        """The roles here that come with it."""
        mapped = self.provider.roles
        return frozenset(mapped[group] for group in self.groups or () if group in mapped)

    @property
    def is_entitled(self) -> bool:
        """Does it have one of the groups without which the provider's users are turned away?"""
        required = self.provider.required
        return not required or not (self.groups or frozenset()).isdisjoint(required)


def within(claims: Mapping[str, Any], path: str) -> Any:
    """A claim by its name, or by names with dots between them, each within the one before."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found
