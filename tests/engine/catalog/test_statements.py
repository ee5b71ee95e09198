"""How many statements writes take: as many for few items as for many."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from engine.catalog import Author, PutItem, rows

ADA = Author("ada", "test")


@pytest.fixture
def counted(store, monkeypatch) -> Callable[[Callable[[], Any]], int]:
    """How many statements something takes, those among them that rows go by, without the transaction's own."""
    seen: list[str] = []
    event.listen(store._engine, "before_cursor_execute", lambda *told: seen.append(told[2]))
    driver = rows._driver

    @contextmanager
    def counting(connection):
        seen.append("rows")
        with driver(connection) as cursor:
            yield cursor

    monkeypatch.setattr(rows, "_driver", counting)

    def count(act: Callable[[], Any]) -> int:
        seen.clear()
        act()
        return sum(not statement.startswith("BEGIN") for statement in seen)

    return count


def test_many_new_items_take_as_many_statements_as_two(store, counted, item):
    few = counted(lambda: store.put({"id": "c"}, [item(f"few-{n}") for n in range(2)]))
    many = counted(lambda: store.put({"id": "c"}, [item(f"many-{n}") for n in range(1200)]))
    assert few == many <= 12


def test_looking_an_item_up_takes_one_statement(store, counted, item):
    store.put({"id": "c"}, [item("a")])
    assert counted(lambda: store.item("c", "a")) == 1


def test_one_new_item_takes_few_statements(store, counted, item):
    assert counted(lambda: store.apply([PutItem("c", item("a"))], ADA)) <= 11
