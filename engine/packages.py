"""Packages: what users can subscribe to, as the operator writes it down."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Package(BaseModel):
    """Items that belong together for those who want them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[\w\-.]+$", max_length=100)
    """What addresses call it."""
    title: str = ""
    """Its name for people."""
    collections: tuple[str, ...] | None = None
    """Ids of collections and catalogues, with everything under them; None: all."""
    filter: str | dict[str, Any] | None = None
    """A condition in CQL2, as text or JSON, which items have to meet."""
    members: tuple[str, ...] | None = None
    """Identifiers of the accounts that may have it; None: all."""
