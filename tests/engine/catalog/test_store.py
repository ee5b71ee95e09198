"""The store: what goes in is what comes out, all of it or nothing, whoever else writes at the time."""

import json
import sqlite3
import subprocess
import sys
import threading

import pytest
from sqlalchemy.exc import SQLAlchemyError

from engine.catalog import Catalog, Query
from engine.errors import Problem


def test_put_then_read_back(catalog, item):
    added = catalog.put(
        {"id": "c", "description": "Words", "license": "CC0-1.0", "keywords": ["a"]}, [item("b"), item("a")]
    )
    assert (added.collection, added.items_new, added.items_updated) == ("c", 2, 0)
    found = catalog.search(Query("c")).items
    assert [i.id for i in found] == ["a", "b"]
    assert found[0].collection_id == "c"
    assert found[0].assets["B04"].href == "/data/a.tif"
    whole = catalog.collection("c")
    assert (whole["description"], whole["license"], whole["keywords"]) == ("Words", "CC0-1.0", ["a"])
    assert [c["id"] for c in catalog.collections()] == ["c"]


def test_same_item_again_replaces_it_everywhere(catalog, item, tables):
    catalog.put({"id": "c"}, [item("a", (10, 50, 11, 51)), item("b")])
    moved = item("a", (178, 0, -178, 2), geometry=None)
    moved["assets"] = {"B08": {"href": "/data/new.tif"}}
    again = catalog.put({"id": "c"}, [moved, moved])
    assert (again.items_new, again.items_updated) == (0, 1)
    assert [i.id for i in catalog.search(Query("c", (10, 50, 11, 51))).items] == ["b"]
    assert [i.id for i in catalog.search(Query("c", (-179, 0, -178.5, 1))).items] == ["a"]
    assert tables(
        catalog.place, "SELECT i.id, a.key, a.href FROM assets a JOIN items i ON i.pk = a.item ORDER BY 1"
    ) == [
        ("a", "B08", "/data/new.tif"),
        ("b", "B04", "/data/b.tif"),
    ]
    assert tables(catalog.place, "SELECT count(*) FROM items_rt") == [(3,)], "two boxes for a, one for b"
    assert tables(catalog.place, "SELECT id, version FROM items ORDER BY id") == [("a", 2), ("b", 1)]


def test_the_same_id_in_two_collections_is_two_items(catalog, item):
    catalog.put({"id": "c"}, [item("a")])
    assert catalog.put({"id": "d"}, [item("a")]).items_new == 1
    assert [len(catalog.search(Query(c)).items) for c in ("c", "d")] == [1, 1]


def test_a_collection_that_only_names_itself_changes_nothing_stored(catalog, item):
    catalog.put({"id": "c", "description": "Words", "title": "T"}, [item("a")])
    catalog.put({"id": "c"}, [item("b")])
    assert catalog.collection("c")["title"] == "T"
    catalog.put({"id": "c", "description": "Other words"}, [])
    assert "title" not in catalog.collection("c")
    assert len(catalog.search(Query("c")).items) == 2


def test_old_items_are_brought_to_the_present(catalog, item):
    old = item("a", stac_version="1.0.0", properties={"proj:epsg": 32631})
    old["stac_extensions"] = ["https://stac-extensions.github.io/projection/v1.0.0/schema.json"]
    catalog.put({"id": "c"}, [old])
    (found,) = catalog.search(Query("c")).items
    assert found.properties["proj:code"] == "EPSG:32631"
    assert found.to_dict()["stac_version"] == "1.1.0"


def without(doc, name):
    return {k: v for k, v in doc.items() if k != name}


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda i: without(i, "id"), "its id is None"),
        (lambda i: {**i, "type": "Blob"}, "its type is 'Blob'"),
        (lambda i: {**i, "properties": {}}, "no datetime"),
        (lambda i: without(i, "assets"), "its assets are NoneType"),
        (lambda i: {**i, "assets": {"x": {}}}, "asset 'x' has no href"),
        (lambda i: {**i, "assets": {"x": {"href": "./x.tif"}}}, "relative href './x.tif'"),
        (lambda i: {**i, "geometry": {"type": "Point", "coordinates": [1e9, 0]}}, "not in WGS84 degrees"),
        (lambda i: {**i, "properties": {**i["properties"], "x": float("nan")}}, "Out of range float"),
        (lambda i: {**i, "stac_version": 1}, "its stac_version is 1"),
        (lambda i: {**i, "id": "\ud800"}, "surrogates not allowed"),
        (lambda i: ["not", "an", "item"], "it is list"),
    ],
)
def test_an_unsound_item_is_refused_and_nothing_is_stored(catalog, item, spoil, says):
    with pytest.raises(Problem, match="is not a STAC document that can be kept") as caught:
        catalog.put({"id": "c"}, [item("good"), spoil(item("bad"))])
    assert says in caught.value.message
    assert caught.value.code == "FileContentInvalid"
    assert catalog.collections() == []


def test_all_faults_of_an_item_are_told_at_once(catalog):
    with pytest.raises(Problem) as caught:
        catalog.put({"id": "c"}, [{"type": "Feature"}])
    assert len(caught.value.facts["faults"]) == 3


@pytest.mark.parametrize(
    "collection", [{}, {"id": ""}, {"id": 5}, {"id": "c", "links": 7}, {"id": "c", "x": float("inf")}]
)
def test_an_unsound_collection_is_refused(catalog, item, collection):
    with pytest.raises(Problem) as caught:
        catalog.put(collection, [item("a")])
    assert caught.value.code == "FileContentInvalid"


def test_a_relative_href_counts_from_the_items_own_address(catalog, item):
    placed = item("a", links=[{"rel": "self", "href": "https://host.test/c/a/a.json"}])
    placed["assets"] = {"x": {"href": "../x.tif"}}
    catalog.put({"id": "c"}, [placed])
    assert catalog.search(Query("c")).items[0].assets["x"].href == "https://host.test/c/x.tif"


def test_an_error_while_items_come_in_leaves_nothing(catalog, item):
    def items():
        yield item("a")
        raise RuntimeError("the source broke off")

    with pytest.raises(RuntimeError):
        catalog.put({"id": "c"}, items())
    assert catalog.collections() == []


def test_what_is_asked_later_sees_what_was_written_later(catalog, item):
    catalog.put({"id": "c"}, [item("a", when="2020-01-01T00:00:00Z")])
    first = catalog.collection("c")
    first["extent"] = "the caller may do with it what he likes"
    assert catalog.collection("c")["extent"]["temporal"]["interval"][0][1] == "2020-01-01T00:00:00Z"
    other = Catalog(catalog.place)
    other.put({"id": "c"}, [item("b", when="2021-01-01T00:00:00Z")])
    other.close()
    assert catalog.collection("c")["extent"]["temporal"]["interval"][0][1] == "2021-01-01T00:00:00Z"


def test_the_file_stays(tmp_path, item):
    path = tmp_path / "deep" / "er" / "catalog.db"
    first = Catalog(path)
    first.put({"id": "c"}, [item("a")])
    first.close()
    second = Catalog(path)
    assert len(second.search(Query("c")).items) == 1
    second.close()


def test_a_file_that_is_no_catalogue_is_left_alone(tmp_path, tables):
    text = tmp_path / "notes.txt"
    text.write_text("These are notes, and long enough to be no database at all. " * 20)
    with pytest.raises(Problem, match="not a database") as caught:
        Catalog(text)
    assert caught.value.code == "StorageFailure"
    assert text.read_text().startswith("These are notes")


def test_a_newer_catalogue_is_left_alone(tmp_path, tables):
    path = tmp_path / "catalog.db"
    Catalog(path).close()
    tables(path, "PRAGMA user_version = 99")
    with pytest.raises(Problem, match="version 99"):
        Catalog(path)


WRITER = """
import sys
from pathlib import Path
from engine.catalog import Catalog

def item(id_):
    return {"type": "Feature", "stac_version": "1.1.0", "id": id_, "geometry": {"type": "Point", "coordinates": [1, 2]},
            "properties": {"datetime": "2020-01-01T00:00:00Z"}, "links": [], "assets": {"a": {"href": f"/{id_}.tif"}}}

def write(path, name, rounds):
    catalog = Catalog(Path(path))
    new = 0
    for n in range(rounds):
        own = [item(f"{name}-{n}-{k}") for k in range(10)]
        new += catalog.put({"id": "c"}, [*own, *(item(f"shared-{k}") for k in range(5))]).items_new
        catalog.put({"id": name}, own[:1])
    catalog.close()
    return new

if __name__ == "__main__":
    print(write(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


@pytest.mark.slow
def test_four_threads_and_two_processes_write_at_once(tmp_path, tables):
    path, rounds = tmp_path / "catalog.db", 8
    names: dict = {}
    exec(compile(WRITER.replace("__main__", "__never__"), "writer", "exec"), names)
    new, errors = [], []

    def work(name):
        try:
            new.append(names["write"](path, name, rounds))
        except (Problem, sqlite3.Error, SQLAlchemyError) as error:
            errors.append(error)

    pipes = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), f"process-{n}", str(rounds)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for n in range(2)
    ]
    threads = [threading.Thread(target=work, args=(f"thread-{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for pipe in pipes:
        out, error = pipe.communicate(timeout=120)
        assert pipe.returncode == 0, error
        new.append(int(out))
    assert errors == []
    catalog = Catalog(path)
    expected = {
        f"{kind}-{n}-{r}-{k}"
        for kind, many in (("thread", 4), ("process", 2))
        for n in range(many)
        for r in range(rounds)
        for k in range(10)
    }
    expected |= {f"shared-{k}" for k in range(5)}
    assert {i.id for i in catalog.search(Query("c", (0, 0, 3, 3))).items} == expected
    assert sum(new) == len(expected), "each new item was counted as new by exactly one writer"
    assert len(catalog.collections()) == 7
    catalog.close()
    assert (
        tables(path, "SELECT count(*) FROM items")
        == tables(path, "SELECT count(*) FROM items_rt")
        == [(len(expected) + 6 * rounds,)]
    )
    assert tables(
        path,
        "SELECT items.version FROM items JOIN collections c ON c.pk = collection WHERE items.id = 'shared-0'",
    ) == [(6 * rounds,)]
    assert tables(path, "PRAGMA integrity_check") == [("ok",)]


def test_readers_do_not_wait_for_a_writer(catalog, item):
    from engine.database import writing

    catalog.put({"id": "c"}, [item("a")])
    with writing(catalog._engine):
        found: list = []
        reader = threading.Thread(target=lambda: found.append(catalog.search(Query("c")).funnel.collection))
        reader.start()
        reader.join(10)
        assert found == [1]


def test_what_is_stored_is_json_that_anyone_can_read(catalog, item, tables):
    catalog.put({"id": "c"}, [item("é😀")])
    ((doc, properties),) = tables(catalog.place, "SELECT doc, properties FROM items")
    assert json.loads(doc)["properties"] == json.loads(properties)
    assert catalog.search(Query("c")).items[0].id == "é😀"
