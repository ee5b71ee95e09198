"""Who may publish, in whose name, and into which collections."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from engine.errors import Problem
from engine.hub import may_write
from engine.organisations import Organisation, of_member
from engine.records import User

PUBLISHER = "publisher"
"""The role of those who publish without an organisation, in their own name."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a publisher may do with one message."""

    org: str
    """The organisation in whose name it is published."""
    own: frozenset[str]
    """Organisations whose collections may be written."""
    user: User

    def may_write(self, collection: Any) -> bool:
        """May the collection of this row be written?"""
        if not collection.owner and collection.org in self.own:
            return True
        return may_write(self.user, collection.owner, collection.name)


class Rights:
    """The organisations of a server, asked who may what."""

    def __init__(self, organisations: Iterable[Organisation]) -> None:
        self._organisations = tuple(organisations)

    def may_publish(self, user: User) -> bool:
        """May the user publish at all?"""
        return bool(self._own(user))

    def standing(self, user: User, provider: str | None) -> Standing:
        """What a user may do with a message that names this provider, or none.

        Raises:
            Problem: The user may not publish, or not for that provider.
        """
        own = self._own(user)
        if not own:
            raise Problem(
                "PermissionsInsufficient",
                "you belong to no organisation that publishes",
                hint="Ask an administrator to add you to one, or for the role `publisher`.",
            )
        org = own[0] if provider is None else provider
        others = {o for m in of_member(self._organisations, user.id) for o in m.publishes_for}
        if org not in own and org not in others and "admin" not in user.roles:
            raise Problem(
                "PermissionsInsufficient",
                f"you may not publish for {org[:100]!r}",
                hint="Leave `provider` out, or have the organisation let yours publish for it.",
            )
        return Standing(org, frozenset({*own, org}), user)

    def _own(self, user: User) -> list[str]:
        mine = [o.id for o in of_member(self._organisations, user.id)]
        if mine:
            return mine
        taken = {o.id for o in self._organisations}
        alone = not {PUBLISHER, "admin"}.isdisjoint(user.roles)
        return [user.id] if alone and user.id not in taken else []
