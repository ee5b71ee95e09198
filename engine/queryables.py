"""Queryables that an operator declares: properties that searches ask for often, so that the catalogue keeps an index of each."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Queryable(BaseModel):
    """A property of items."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[\w:.\-]+$", max_length=200)
    """Its name, as items have it: `sat:relative_orbit`."""
    type: Literal["number", "string"]
    """What its values are; searches find others, too, and are slower then."""
    title: str = ""
    """Its name for people."""
