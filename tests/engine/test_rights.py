"""Who may read and write which objects, by roles, by owners, by organisations and by projects."""

from __future__ import annotations

import pytest

from engine import Mode, PutCollection, PutItem, Settings, User
from engine.catalog import Author, Catalog
from engine.hub import Hub
from engine.organisations import Organisation, Project
from engine.rights import Rights
from engine.stored import stored

PATH = "catalog/s2/2024/01/01/item/a.tif"
PICTURE = "catalog/s2/2024/01/01/item/a.webp"


@pytest.fixture(scope="module")
def rights(tmp_path_factory) -> Rights:
    """Over a catalogue with the collection s2, which acme publishes, and one item."""
    settings = Settings(
        organisations=(Organisation(id="acme", members=("amy",)), Organisation(id="other", members=("oz",))),
        projects=(Project(id="p", organisation="acme"),),
    )
    catalog = Catalog(tmp_path_factory.mktemp("rights") / "catalog.db")
    item = {
        "type": "Feature",
        "id": "item",
        "geometry": None,
        "links": [],
        "properties": {"datetime": "2024-01-01T00:00:00Z"},
        "assets": {
            "a": {"href": stored(PATH), "roles": ["data"]},
            "t": {"href": stored(PICTURE), "roles": ["thumbnail"]},
        },
    }
    catalog.apply(
        [PutCollection({"id": "s2", "description": "Scenes"}, org="acme"), PutItem("s2", item, Mode.CREATE)],
        Author(),
    )
    return Rights(Hub(settings, lambda: catalog, lambda _: None))


def may(rights: Rights, path: str, *roles: str, name: str = "somebody") -> str:
    """`rw` for both rights, `r` for reading alone."""
    user = User(name, roles=frozenset(roles))
    return "r" * rights.may_read(user, path) + "w" * rights.may_write(user, path)


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        (("user",), ""), (("storage_read",), "r"), (("storage_write",), "rw"), (("admin",), "rw"), (("catalog_write",), "rw"),
        (("catalog_write:s2",), "rw"), (("catalog_write:s2--qa",), "rw"), (("catalog_write:s3",), ""),
        (("high_resolution",), "r"), (("high_resolution:s2",), "r"), (("high_resolution:s3",), ""),
    ],
)  # fmt: skip
def test_roles(rights, roles, expected):
    assert may(rights, PATH, *roles) == expected
    for path in ("catalog", "catalog/s2", "catalogs/s2/a", "other/a/b"):
        assert "w" not in may(rights, path, *roles)


def test_members_of_the_organisation_read_what_it_publishes(rights):
    assert may(rights, PATH, name="amy") == "r"
    assert may(rights, PATH, name="oz") == ""


def test_pictures_are_for_all(rights):
    assert may(rights, PICTURE) == "r"
    assert may(rights, PICTURE.replace("a.webp", "unknown.webp")) == ""


def test_objects_of_projects_are_for_those_who_work_there(rights):
    for name, expected in (("amy", "rw"), ("oz", ""), ("somebody", "")):
        assert may(rights, "project/p/item/a.tif", name=name) == expected
        assert may(rights, "project/q/item/a.tif", name=name) == ""
    assert may(rights, "project/p/item/a.tif", "storage_write", name="oz") == "r", "it reads all objects"


def test_who_may_write_a_collection_may_store_its_first_objects(rights):
    assert may(rights, "catalog/new/2024/01/01/item/a.tif", "catalog_write") == "rw"
    assert may(rights, "catalog/new/2024/01/01/item/a.tif") == ""
