"""JSON Web Tokens: read, proven with a provider's keys, and checked for whom and until when they are."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeGuard

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from engine.errors import Problem
from engine.providers import Provider

ALGORITHMS = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), "RSA"),
    **dict.fromkeys(("ES256", "ES384", "ES512"), "EC"),
    "Ed25519": "OKP",
}
"""Signatures that are believed, with the kind of their keys: each is made with a key that the provider alone has."""
KINDS: Mapping[str, type[RSAKey] | type[ECKey] | type[OKPKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
TYPES = ("", "jwt", "at+jwt")
"""Types of tokens that let somebody in; others, such as notices of a logout, are signed with the same keys."""
LEEWAY = 60.0
"""Seconds that the provider's clock and ours may differ."""
LONGEST = 16_384
"""Characters that a token may have."""
MOST_KEYS = 64
WEAKEST = 2048
"""Bits that an RSA key has at least."""
NEW = "Get a new token from the provider."
Json = dict[str, Any]


def is_jwt(token: str) -> bool:
    """Is it a signed JSON Web Token, going by its first part?"""
    return token.count(".") == 2 and isinstance(_part(token, 0).get("alg"), str)


def header_of(token: str) -> Json:
    """How a token is signed.

    Raises:
        Problem: In no way that is believed.
    """
    header = _part(token, 0)
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise refused(f"a token signed with {str(algorithm)[:20]!r} is not believed", ", ".join(ALGORITHMS))
    kind = str(header.get("typ", "")).lower().removeprefix("application/")
    if kind not in TYPES:
        raise refused(f"a token of the type {kind[:20]!r} lets nobody in")
    return header


def issuer_of(token: str) -> str:
    """Who a token says that it is of; nothing is proven by that."""
    issuer = _part(token, 1).get("iss")
    return issuer if isinstance(issuer, str) else ""


def keys_of(document: Any) -> tuple[Key, ...]:
    """The keys in a provider's list that signatures can be held against; the others are passed over."""
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        return ()
    return tuple(key for entry in listed[:MOST_KEYS] if (key := _key(entry)) is not None)


def fitting(keys: Iterable[Key], header: Mapping[str, Any]) -> list[Key]:
    """The keys that a token may be signed with, by what its header says."""
    algorithm, kid = header["alg"], header.get("kid")
    return [
        key
        for key in keys
        if key.key_type == ALGORITHMS[algorithm]
        and key.get("alg") in (None, algorithm)
        and (kid is None or key.get("kid") == kid)
    ]


def proven(token: str, keys: Iterable[Key]) -> Json:
    """The claims of a token that one of the keys has signed.

    Raises:
        Problem: None of them has.
    """
    registry = JWSRegistry(algorithms=tuple(ALGORITHMS), strict_check_header=False)
    for key in keys:
        try:
            return jwt.decode(token, key, registry=registry).claims
        except (JoseError, ValueError, TypeError, RecursionError):
            continue
    raise refused("the signature of the token is not the provider's")


def check(claims: Mapping[str, Any], provider: Provider, now: float) -> None:
    """Is the token of this provider, for us, and in its time?

    Raises:
        Problem: It is not.
    """
    if claims.get("iss") != provider.issuer:
        raise refused(f"the token is not of the issuer {provider.issuer}")
    check_subject(claims)
    if "events" in claims:
        raise refused("a notice of events lets nobody in")
    if provider.accepted.isdisjoint(_for(claims)):
        raise refused("the token was made for somebody else", NEW + " Log in with a client of this server.")
    begin, end = claims.get("nbf", now), claims.get("exp")
    if not _is_time(end) or not _is_time(begin):
        raise refused("the token does not say from when until when it holds")
    if not end + LEEWAY > now:
        raise refused("the token has expired", NEW)
    if not begin - LEEWAY <= now:
        raise refused("the token does not hold yet", "Compare the clocks of provider and server.")


def check_subject(claims: Mapping[str, Any]) -> None:
    """Does it say whose it is?"""
    if not isinstance(claims.get("sub"), str) or not claims["sub"]:
        raise refused("the provider does not say whose the token is")


def refused(message: str, hint: str = NEW) -> Problem:
    """A token that lets nobody in."""
    return Problem("TokenInvalid", message, hint=hint)


def _for(claims: Mapping[str, Any]) -> set[str]:
    """Whom a token was made for, or by: providers write it down in one of three places."""
    audience = claims.get("aud")
    named = [
        *(audience if isinstance(audience, list) else [audience]),
        claims.get("azp"),
        claims.get("client_id"),
    ]
    return {name for name in named if isinstance(name, str)}


def _is_time(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _part(token: str, place: int) -> Json:
    """A part of a token; empty where it is not a JSON object."""
    if len(token) > LONGEST:
        raise refused(f"a token of more than {LONGEST} characters is not read")
    try:
        text = token.split(".")[place].encode("ascii")
        value = json.loads(base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4)))
    except (ValueError, IndexError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _key(entry: Any) -> Key | None:
    kind = KINDS.get(str(entry.get("kty"))) if isinstance(entry, dict) else None
    if kind is None or entry.get("use", "sig") != "sig":
        return None
    try:
        key = kind.import_key({k: v for k, v in entry.items() if k != "key_ops"})
        weak = isinstance(key, RSAKey) and key.public_key.key_size < WEAKEST
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return None if weak else key
