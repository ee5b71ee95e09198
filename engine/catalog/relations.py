"""Items that are related to projects, by the ids of both; neither has to be there yet."""

from __future__ import annotations

import secrets

from sqlalchemy import Engine, delete, select

from engine.catalog.tables import RELATIONS
from engine.database import put_first, reading, writing


class Relations:
    """Which items of which collections belong to which projects, too."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, project: str, collection: str, item: str) -> str:
        """Relate an item to a project, once; gives the identifier of the relation."""
        key = {"project": project, "collection": collection, "item": item}
        with writing(self._engine, "the catalogue") as connection:
            put_first(connection, RELATIONS, key, {"id": secrets.token_hex(12)})
            wish = select(RELATIONS.c.id).filter_by(**key)
            return str(connection.execute(wish).scalar_one())

    def find(self, project: str, collection: str, item: str) -> str | None:
        """The identifier of a relation; None where there is none."""
        wish = select(RELATIONS.c.id).filter_by(project=project, collection=collection, item=item)
        with reading(self._engine) as connection:
            found: str | None = connection.execute(wish).scalar_one_or_none()
        return found

    def remove(self, project: str, collection: str, item: str) -> bool:
        """Undo a relation; says whether there was one."""
        gone = delete(RELATIONS).filter_by(project=project, collection=collection, item=item)
        with writing(self._engine, "the catalogue") as connection:
            return bool(connection.execute(gone).rowcount)
