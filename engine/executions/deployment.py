"""Processes of users as OGC has them (part 2): they come as application packages, are replaced, and go."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from engine.errors import Problem
from engine.executions.desk import AD_HOC, Executions
from engine.executions.packages import process_in
from engine.records import User
from engine.store import Store
from processes import REGISTRY

NAME = re.compile(r"[\w\-]+")
"""Identifiers of processes that are deployed."""
Put = Callable[[User, str, Mapping[str, Any]], None]
"""Stores a process of a user."""
Remove = Callable[[User, str], None]


class Deployment:
    """Where processes come and go; they are those that graphs call, too."""

    def __init__(self, store: Store, executions: Executions, put: Put, remove: Remove) -> None:
        self._store = store
        self._executions = executions
        self._put = put
        self._remove = remove

    def deploy(self, user: User, package: Mapping[str, Any]) -> str:
        """Store the process of an application package; gives its identifier.

        Raises:
            Problem: The package holds none that can be run, or there is one of that identifier.
        """
        id_, document = process_in(package)
        if not NAME.fullmatch(id_):
            raise Problem(
                "ParameterInvalid",
                f"{id_[:60]!r} is no identifier of a process",
                hint="Give `id` in processDescription: letters, digits, `_` and `-`.",
            )
        is_taken = id_ == AD_HOC or id_ in REGISTRY
        if is_taken or self._store.processes.get(user.id, id_) is not None:
            raise Problem(
                "ProcessExists", f"there is a process {id_!r}", hint=f"`PUT /processes/{id_}` replaces yours."
            )
        self._put(user, id_, document)
        return id_

    def replace(self, user: User, id_: str, package: Mapping[str, Any]) -> None:
        """Store the process of an application package in the place of one that is there.

        Raises:
            Problem: The package holds none that can be run, or there is none that the user may replace.
        """
        self._refuse_immutable(user, id_)
        named, document = process_in(package)
        if named not in ("", id_):
            raise Problem("ParameterInvalid", f"the package is of the process {named[:60]!r}, not of {id_!r}")
        self._put(user, id_, document)

    def undeploy(self, user: User, id_: str) -> None:
        """Remove a process.

        Raises:
            Problem: There is none that the user may remove.
        """
        self._refuse_immutable(user, id_)
        self._remove(user, id_)

    def _refuse_immutable(self, user: User, id_: str) -> None:
        if not self._executions.mutable(user, id_):
            raise Problem(
                "ProcessImmutable", f"the process {id_!r} cannot be changed", hint="Deploy one of your own."
            )
