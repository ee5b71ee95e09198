"""The user behind a request, from its `Authorization` header."""

from __future__ import annotations

import base64
import binascii

from fastapi import Request
from starlette.requests import HTTPConnection

from api.auth.passwords import fits
from api.auth.session import token_in
from engine import Backend, Problem, User

LOGIN = "Log in at /credentials/basic and send the token as `Authorization: Bearer basic//TOKEN`."
LOGIN_OIDC = (
    "Log in at /credentials/basic or at a provider of /credentials/oidc, and send the token as "
    "`Authorization: Bearer basic//TOKEN` or `Bearer oidc/PROVIDER/TOKEN`."
)
ANONYMOUS = User("anonymous", "Anonymous", frozenset({"anonymous"}))
"""The account of all who do not log in, where that is allowed."""


def backend_of(request: HTTPConnection) -> Backend:
    """The back-end that serves the request."""
    found: Backend = request.app.state.backend
    return found


def current_user(request: Request) -> User:
    """The user who sends the request, or whose browser does.

    Raises:
        Problem: Nobody is named (401), or nobody is known by that token (403).
    """
    if "authorization" not in request.headers and (person := person_of(request)) is not None:
        return person
    return user_of(backend_of(request), request.headers.get("authorization", ""))


def by_key(request: Request) -> User:
    """The user who sends the request, also by a token in the header `x-api-key`.

    Raises:
        Problem: As `current_user`.
    """
    key = request.headers.get("x-api-key", "").strip()
    given = request.headers.get("authorization") or (f"Bearer {key}" if key else "")
    return user_of(backend_of(request), given)


def user_of(backend: Backend, authorization: str) -> User:
    """The user whom a header `Authorization` names; an empty one names nobody.

    Raises:
        Problem: As `current_user`.
    """
    hint = LOGIN_OIDC if backend.settings.oidc else LOGIN
    scheme, _, token = authorization.strip().partition(" ")
    if not scheme:
        if backend.settings.auth == "anonymous":
            return ANONYMOUS
        raise Problem("AuthenticationRequired", "this needs a login", hint=hint)
    if scheme.lower() != "bearer":
        raise Problem("AuthenticationSchemeInvalid", f"{scheme[:20]!r} is no scheme for this", hint=hint)
    kind, provider, secret = parts(token.strip())
    if kind == "oidc":
        return backend.by_token(provider, secret)
    if not kind and secret.count(".") == 2 and backend.settings.oidc:
        return backend.by_token(None, secret)
    if kind not in ("", "basic") or provider:
        raise Problem("TokenInvalid", f"there are no tokens of the kind {kind[:20]!r}", hint=hint)
    user = backend.store.users.of_token(secret)
    if user is None:
        raise Problem("TokenInvalid", "the token is none of ours, or has expired", hint=hint)
    return user


def viewer(request: Request) -> User | None:
    """The user who sends a request that needs no login; None: nobody in particular.

    Raises:
        Problem: There is a login, and it is not good.
    """
    return current_user(request) if request.headers.get("authorization") else person_of(request)


def person_of(request: HTTPConnection) -> User | None:
    """The user whose browser sends a request; None where nobody logged in there, or the login is over."""
    token = token_in(request)
    return backend_of(request).store.users.of_token(token) if token else None


def parts(token: str) -> tuple[str, str, str]:
    """Kind, provider and secret of a token; one without a prefix has the secret alone."""
    kind, slash, rest = token.partition("/")
    if not slash:
        return "", "", token
    provider, _, secret = rest.partition("/")
    return kind, provider, secret


def welcome(backend: Backend) -> None:
    """Make the account of those who do not log in, where that is allowed."""
    if backend.settings.auth == "anonymous":
        backend.store.users.put(ANONYMOUS)


def by_password(request: Request) -> User:
    """The user whose name and password a request brings (RFC 7617)."""
    scheme, _, given = request.headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() != "basic":
        raise Problem(
            "AuthenticationRequired", "this needs a user name and a password, as HTTP Basic has them"
        )
    try:
        name, found, password = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        found = ""
    if not found or "\0" in name:
        raise Problem("CredentialsInvalid", "the credentials are not of the form base64(name:password)")
    return proven(request, name, password)


def by_name(request: Request, name: str | None, password: str | None) -> User:
    """The user of this name and password or, where they are not given, of those in the header.

    Raises:
        Problem: There are none, or they are wrong.
    """
    if request.headers.get("authorization") or name is None or password is None or "\0" in name:
        return by_password(request)
    return proven(request, name, password)


def proven(request: Request, name: str, password: str) -> User:
    """The user of this name, if the password is right.

    Raises:
        Problem: It is not.
    """
    users = backend_of(request).store.users
    user = users.get(name)
    if not fits(password, users.password(name)) or user is None:
        raise Problem("CredentialsInvalid", "user name or password is wrong")
    return user
