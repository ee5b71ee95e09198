"""Passwords: kept as argon2 hashes, checked a few at a time."""

from __future__ import annotations

import secrets
from functools import cache
from threading import BoundedSemaphore

from pwdlib import PasswordHash
from pwdlib.exceptions import PwdlibError

AT_ONCE = BoundedSemaphore(2)
"""A check takes a sixth of a second of CPU and 64 MB on purpose: a flood of them waits here, not in the machine."""


@cache
def hasher() -> PasswordHash:
    """argon2id, with the parameters that the library recommends."""
    return PasswordHash.recommended()


@cache
def nobody() -> str:
    """A hash that nobody knows the password of: an unknown user costs as long as a known one."""
    return hasher().hash(secrets.token_urlsafe(32))


def hashed(password: str) -> str:
    """The hash of a password, to be kept."""
    with AT_ONCE:
        return hasher().hash(password)


def fits(password: str, kept: str | None) -> bool:
    """Is it the password of this hash? Without a hash it never is, after the same time."""
    with AT_ONCE:
        try:
            return hasher().verify(password, kept or nobody()) and kept is not None
        except PwdlibError:
            return False
