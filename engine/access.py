"""Who may read what of the catalogue, by roles and by organisations."""

from __future__ import annotations

from dataclasses import replace

from engine.catalog import EVERYTHING, PUBLIC, Readable, readable_by
from engine.catalog.changes import full_id
from engine.catalog.readable import ALL
from engine.organisations import of_member
from engine.records import User
from engine.settings import Settings
from engine.stored import OF_PROJECTS

FULL = ("catalog_write", "high_resolution")
"""Roles that read all data of collections which everybody may read; with `:ID` behind, those of one."""


def readable_of(settings: Settings, user: User | None) -> Readable:
    """What a user may read; None: somebody who did not log in."""
    if user is None:
        return PUBLIC
    found = readable_by(user.id, user.roles)
    if found is EVERYTHING:
        return found
    own = {o.id for o in of_member(settings.organisations, user.id)}
    projects = {full_id(OF_PROJECTS, p.id) for p in settings.projects if p.organisation in own}
    data = {role.partition(":")[2] or ALL for role in user.roles if role.partition(":")[0] in FULL}
    return replace(found, ids=found.ids | projects, data=frozenset(data), orgs=frozenset(own))
