"""The same stores of objects for all tests: on a disk, and in a bucket."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import object_store
from engine import Settings, User
from engine.objects import Objects, open_objects
from engine.objects.opening import shelf_at
from engine.objects.shelf import Shelf
from engine.store import Store


@pytest.fixture(scope="session")
def s3(tmp_path_factory) -> Iterator[object_store.ObjectStore]:
    """An object store; credentials are in the environment."""
    if object_store.program() is None:
        pytest.skip(object_store.MISSING)
    with (
        pytest.MonkeyPatch.context() as patch,
        object_store.started(tmp_path_factory.mktemp("moto")) as store,
    ):
        patch.setenv("AWS_ACCESS_KEY_ID", "ours")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
        yield store


@pytest.fixture
def store(tmp_path) -> Iterator[Store]:
    """The database, with one user."""
    opened = Store(f"sqlite:///{tmp_path / 'store.sqlite'}")
    opened.users.put(User("ada"))
    yield opened
    opened.close()


@pytest.fixture(params=["disk", "s3"])
def place(request, tmp_path) -> tuple[str, Settings]:
    """A place that nobody else has, and the settings by which it is reached."""
    if request.param == "disk":
        return str(tmp_path / "ours"), Settings(home=tmp_path)
    url = request.getfixturevalue("s3").url
    settings = Settings(home=tmp_path, s3_endpoint=url, s3_region="us-east-1")
    return f"s3://{object_store.BUCKET}/{secrets.token_hex(4)}", settings


@pytest.fixture
def objects(place, store) -> Objects:
    """A store of objects at the place."""
    return open_objects("ours", place[0], store.objects, place[1])


@pytest.fixture
def shelf(place) -> Shelf:
    """The place itself."""
    return shelf_at(*place)


@pytest.fixture
def names(request, place) -> Callable[[], list[str]]:
    """Names of what lies at the place, as its owner sees it; what is on its way is not among them."""
    where = place[0]
    if where.startswith("s3://"):
        s3, prefix = request.getfixturevalue("s3"), where.removeprefix(f"s3://{object_store.BUCKET}/") + "/"
        return lambda: [n.removeprefix(prefix) for n in s3.names() if n.startswith(prefix)]
    return lambda: files_in(Path(where))


def files_in(folder: Path) -> list[str]:
    """Relative paths of all files in a folder but those that are on their way."""
    found = (p.relative_to(folder) for p in folder.rglob("*") if not p.is_dir())
    return sorted(str(path) for path in found if path.parts[0] != ".uploads")
