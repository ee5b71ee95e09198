"""Web services in the store, each user's own, and the latest entries of their logs."""

from __future__ import annotations

import pytest

from engine import User
from engine.store import Store

DOCUMENT = {"process": {"process_graph": {}}, "log_level": "info"}


@pytest.fixture
def store(tmp_path):
    opened = Store(f"sqlite:///{tmp_path / 'store.sqlite'}")
    for name in ("ada", "bob"):
        opened.users.put(User(name))
    yield opened
    opened.close()


def made(store, owner="ada", limit=9):
    return store.services.create(owner, "XYZ", True, DOCUMENT, {"bounds": [0, 0, 1, 1]}, limit)


def test_a_service_is_its_owners(store):
    service = made(store)
    assert store.services.get("ada", service.id) == service
    assert store.services.get("bob", service.id) is None
    assert store.services.all("bob") == []
    change = {"enabled": False, "document": {}, "portrait": None, "renew": False}
    assert not store.services.change("bob", service.id, **change)
    assert not store.services.remove("bob", service.id)
    assert store.services.remove("ada", service.id)
    assert store.services.all("ada") == []


def test_another_map_has_another_version_and_another_address_another_key(store):
    service = made(store)
    change = {"enabled": False, "document": {"title": "t"}}
    assert store.services.change("ada", service.id, **change, portrait=None, renew=False)
    changed = store.services.get("ada", service.id)
    assert (changed.version, changed.key, changed.enabled) == (1, service.key, False)
    assert store.services.change("ada", service.id, **change, portrait={"a": 1}, renew=True)
    changed = store.services.get("ada", service.id)
    assert (changed.version, changed.portrait, changed.key == service.key) == (2, {"a": 1}, False)


def test_there_are_so_many(store):
    assert made(store, limit=1)
    assert made(store, limit=1) is None
    assert made(store, "bob", limit=1)


def test_a_log_keeps_the_latest_entries_and_their_numbers(store):
    service, other = made(store), made(store)
    store.service_logs.add(other, 3, "info", "kept")
    for number in range(10):
        store.service_logs.add(service, 3, "info", str(number))
    store.service_logs.add(service, 3, "debug", "not kept")
    found = store.service_logs.read(service)
    assert [e["message"] for e in found] == ["7", "8", "9"]
    assert store.service_logs.read(service, after=int(found[0]["id"]), limit=1) == found[1:2]
    assert [e["message"] for e in store.service_logs.read(other)] == ["kept"]
    store.services.remove("ada", service.id)
    store.service_logs.add(service, 3, "info", "gone")
    assert store.service_logs.read(service) == []
    again = made(store)
    store.service_logs.add(again, 3, "info", "new")
    assert int(store.service_logs.read(again)[0]["id"]) > int(found[-1]["id"])


def test_services_go_with_their_owner(store):
    service = made(store)
    store.users.remove("ada")
    assert store.services.get("ada", service.id) is None
