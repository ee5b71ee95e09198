"""Texts without the differences that `casei` and `accenti` overlook."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping


def without_case(text: str) -> str:
    """The text in lower case; the two small sigmas are one, which upper case does not tell apart."""
    return text.lower().replace("ς", "σ")


def without_accents(text: str) -> str:
    """The text without the accents that Unicode can take off a letter (so ø stays)."""
    apart = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", "".join(c for c in apart if not "\u0300" <= c <= "\u036f"))


FOLDS: Mapping[str, Callable[[str], str]] = {"casei": without_case, "accenti": without_accents}
