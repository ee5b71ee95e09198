"""Live parts over an empty catalogue, and who publishes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from engine.catalog import Catalog
from engine.events import Live
from engine.organisations import Organisation
from engine.records import User
from engine.settings import Settings

ORGANISATIONS = (
    Organisation(id="acme", members=("ada", "amy"), publishes_for=("tiny",)),
    Organisation(id="beta", members=("bob",)),
    Organisation(id="tiny"),
)
ADA, BOB = User("ada"), User("bob")


@pytest.fixture
def catalog(tmp_path, request) -> Iterator[Catalog]:
    """An empty catalogue, in SQLite unless told otherwise."""
    place = tmp_path / "catalog.sqlite"
    if getattr(request, "param", "sqlite") == "postgresql":
        place = request.getfixturevalue("postgis").with_postgis()
    opened = Catalog(place)
    yield opened
    opened.close()


@pytest.fixture
def live(catalog, tmp_path) -> Iterator[Callable[..., Live]]:
    """Makes live parts with these settings; those that were started end with the test."""
    with ExitStack() as stack:

        def make(*, start: bool = False, **settings) -> Live:
            made = Live(
                lambda: catalog, Settings(home=tmp_path, **{"organisations": ORGANISATIONS, **settings})
            )
            if start:
                made.start()
                stack.callback(made.stop)
            return made

        yield make
