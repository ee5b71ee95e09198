"""The store: accounts, logins and stored processes, each user's own."""

from __future__ import annotations

from dataclasses import replace
from threading import Thread

import pytest

from engine import Problem, User, UserProcess
from engine.database import connected, reading
from engine.store import Store
from engine.store.tables import TOKENS


@pytest.fixture
def store(database):
    opened = Store(database)
    opened.users._clock = lambda: opened.users.now  # type: ignore[attr-defined]
    opened.users.now = 1000.0  # type: ignore[attr-defined]
    yield opened
    opened.close()


def rows(database) -> list:
    engine = connected(database)
    with reading(engine) as connection:
        found = connection.execute(TOKENS.select()).all()
    engine.dispose()
    return found


ADA, BOB = User("ada", "Ada", frozenset({"user", "admin"})), User("bob")


def test_an_account_is_kept_as_it_is_and_changed(store):
    store.users.put(ADA, "hash")
    assert store.users.get("ada") == ADA
    assert store.users.password("ada") == "hash"
    store.users.put(replace(ADA, name="Lovelace"))
    assert store.users.get("ada") == replace(ADA, name="Lovelace")
    assert store.users.password("ada") == "hash"
    store.users.put(BOB)
    assert [u.id for u in store.users.all()] == ["ada", "bob"]
    assert store.users.password("bob") is None
    assert store.users.get("eve") is None


@pytest.mark.parametrize("id_", ["", ".", "..", "a/b", "a b", "ä", "a\x00", "x" * 101, "a\n"])
def test_what_can_name_no_folder_names_no_account(store, id_):
    with pytest.raises(Problem, match="can be no user"):
        store.users.put(User(id_))


def test_a_token_holds_until_it_expires_and_is_not_kept_itself(store, database):
    store.users.put(ADA)
    token = store.users.log_in("ada", 60)
    assert store.users.of_token(token) == ADA
    assert store.users.of_token(token + "x") is None
    assert store.users.of_token("") is None
    store.users.now += 59.9
    assert store.users.of_token(token) == ADA
    store.users.now += 0.1
    assert store.users.of_token(token) is None
    assert token not in str(rows(database))


def test_old_tokens_are_swept_by_new_ones(store, database):
    store.users.put(ADA)
    for _ in range(3):
        store.users.log_in("ada", 60)
    store.users.now += 61
    store.users.log_in("ada", 60)
    assert len(rows(database)) == 1


def test_an_account_takes_its_things_along(store):
    store.users.put(ADA)
    token = store.users.log_in("ada", 60)
    store.processes.put(UserProcess("evi", "ada", {"id": "evi"}))
    assert store.users.remove("ada")
    assert not store.users.remove("ada")
    assert store.users.of_token(token) is None
    store.users.put(ADA)
    assert store.processes.all("ada") == []


def test_processes_belong_to_their_owner(store):
    store.users.put(ADA)
    store.users.put(BOB)
    mine, yours = UserProcess("evi", "ada", {"x": 1}), UserProcess("evi", "bob", {"x": 2})
    store.processes.put(mine)
    store.processes.put(yours)
    assert store.processes.get("ada", "evi") == mine
    assert store.processes.all("bob") == [yours]
    store.processes.put(replace(mine, document={"x": 3}))
    assert store.processes.all("ada") == [replace(mine, document={"x": 3})]
    assert store.processes.remove("ada", "evi")
    assert not store.processes.remove("ada", "evi")
    assert store.processes.get("ada", "evi") is None
    assert store.processes.get("bob", "evi") == yours


def test_processes_of_all_owners_by_a_text_in_them(store):
    """Signs that patterns of SQL know are texts like others."""
    for owner, id_, category in (
        ("bob", "b", "a_b"),
        ("ada", "z", "a_b"),
        ("ada", "a", "a_b"),
        ("ada", "x", "aXb"),
    ):
        store.users.put(User(owner))
        store.processes.put(UserProcess(id_, owner, {"categories": [category]}))
    assert [(p.owner, p.id) for p in store.processes.marked('"a_b"')] == [
        ("ada", "a"),
        ("ada", "z"),
        ("bob", "b"),
    ]


def test_many_threads_write_at_once(store):
    store.users.put(ADA)
    faults: list[Problem] = []

    def work(n: int) -> None:
        try:
            for i in range(10):
                store.processes.put(UserProcess(f"p{i}", "ada", {"by": n}))
                store.users.log_in("ada", 60)
        except Problem as fault:
            faults.append(fault)

    threads = [Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert len(store.processes.all("ada")) == 10


@pytest.mark.parametrize(
    ("url", "word"),
    [("nonsense", "URL"), ("mysql+none://x/y", "URL"), ("sqlite:////proc/no/x", "cannot be used")],
)
def test_a_database_that_cannot_be_used_is_named(url, word):
    with pytest.raises(Problem, match=word) as caught:
        Store(url)
    assert caught.value.code == "StorageFailure"
