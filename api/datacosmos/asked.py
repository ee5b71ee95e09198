"""What DataCosmos' searches ask for, in our words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request

from api.auth.login import backend_of
from api.stac.asked import NAMES, Asked, by_address, by_body, refused
from engine import Sight, User

Json = dict[str, Any]
PRICED = ("project", "contract_id")
"""By which of them prices are told; they narrow no search."""


@dataclass(frozen=True, slots=True)
class Terms:
    """By what prices are told."""

    project: str | None = None
    contract: int | None = None


def terms_of(told: Mapping[str, Any]) -> Terms:
    """The terms in a body or in the parameters of an address.

    Raises:
        Problem: A contract is no number.
    """
    project, contract = told.get("project"), told.get("contract_id")
    if project is not None and not isinstance(project, str):
        raise refused("project", "it has to be the identifier of a project")
    if isinstance(contract, str) and contract.isascii() and contract.isdigit():
        contract = int(contract)
    if contract is not None and (isinstance(contract, bool) or not isinstance(contract, int)):
        raise refused("contract_id", f"{str(contract)[:40]!r} is no number of a contract")
    return Terms(project, contract)


def told_to(request: Request, user: User, terms: Terms | None = None) -> Sight:
    """What a user is told of items, with prices by a contract; by the address, unless terms are given.

    Raises:
        Problem: It is one of others.
    """
    terms = terms or terms_of(request.query_params)
    cosmos = backend_of(request).cosmos
    return cosmos.sight(user, cosmos.contract(user, terms.project, terms.contract))


def search_by_body(body: Mapping[str, Any]) -> tuple[Asked, Terms]:
    """A search by a JSON object, and its terms."""
    told = {k: v for k, v in body.items() if k not in (*PRICED, "cursor") and v is not None}
    unknown = sorted(set(told) - NAMES)
    if unknown:
        raise refused(
            unknown[0][:40], "there is no such member here", f"There are {', '.join(sorted(NAMES))}."
        )
    if body.get("cursor"):
        told["token"] = body["cursor"]
    return by_body(told), terms_of(body)


def search_by_address(query: Sequence[tuple[str, str]]) -> tuple[Asked, Terms]:
    """A search by the parameters of an address, and its terms."""
    named = [
        ("token" if k == "cursor" else k, v) for k, v in query if k not in PRICED and (k, v) != ("cursor", "")
    ]
    return by_address(named), terms_of(dict(query))
