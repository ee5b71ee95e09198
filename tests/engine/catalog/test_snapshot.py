"""Snapshots: what goes into a stac-geoparquet file comes out again, and other programs read it."""

from __future__ import annotations

import pytest

from engine.catalog import Catalog, Query
from engine.errors import Problem

pytest.importorskip("stac_geoparquet")


def test_what_is_written_is_read_again(tmp_path, item):
    docs = [
        item("a", properties={"eo:cloud_cover": 10, "platform": "one", "gsd": 10.5}),
        item("b", (178, 0, -178, 2), geometry=None, properties={"names": ["x", "y"]}),
        {**item("nowhere"), "geometry": None},
        item("span", properties={"datetime": None, "start_datetime": "2022-01-01T00:00:00Z", "end_datetime": "2022-02-01T00:00:00Z"}),
        {**item("high"), "bbox": [10, 50, -20.5, 11, 51, 300]},
    ]  # fmt: skip
    del docs[2]["bbox"]
    one, other = Catalog(tmp_path / "one.db"), Catalog(tmp_path / "other.db")
    one.put({"id": "c", "description": "Words", "title": "T", "license": "CC0-1.0"}, docs)
    one.put({"id": "d", "description": "Others"}, [item("a")])
    assert one.export(tmp_path / "all.parquet") == 6
    assert {a.collection: a.items_new for a in other.add(tmp_path / "all.parquet")} == {"c": 5, "d": 1}
    assert other.collection("c")["title"] == "T"
    for name in ("c", "d"):
        before, after = (list(store.every(name)) for store in (one, other))
        assert [i["properties"] for i in after] == [i["properties"] for i in before]
        assert [i["geometry"] for i in after] == [i["geometry"] for i in before]
        assert [i.get("bbox") for i in after] == [i.get("bbox") for i in before]
        assert [i["assets"] for i in after] == [i["assets"] for i in before]
    found = other.search(Query("c", (-179, 0, -178.5, 1))).items
    assert {i.id for i in found} == {"b", "nowhere"}, "a graph takes what says nothing of where it is"


def test_one_collection_of_many(tmp_path, item):
    catalog = Catalog(tmp_path / "one.db")
    for name in ("c", "d"):
        catalog.put({"id": name, "description": name}, [item(name)])
    assert catalog.export(tmp_path / "c.parquet", ["c"]) == 1
    catalog.export(tmp_path / "both.parquet")
    other = Catalog(tmp_path / "other.db")
    assert [a.collection for a in other.add(tmp_path / "both.parquet", collection="d")] == ["d"]
    with pytest.raises(Problem):
        catalog.export(tmp_path / "none.parquet", ["none"])
    catalog.put({"id": "empty", "description": "Nothing"}, [])
    with pytest.raises(Problem) as refused:
        catalog.export(tmp_path / "empty.parquet", ["empty"])
    assert "no items" in refused.value.message
    assert not list(tmp_path.glob(".snapshot*"))


def test_geopandas_reads_it(tmp_path, item):
    geopandas = pytest.importorskip("geopandas")
    catalog = Catalog(tmp_path / "one.db")
    catalog.put({"id": "c", "description": "Words"}, [item("a"), item("b", (20, 50, 21, 51))])
    catalog.export(tmp_path / "c.parquet")
    frame = geopandas.read_parquet(tmp_path / "c.parquet")
    assert sorted(frame["id"]) == ["a", "b"]
    assert frame.total_bounds.tolist() == [10, 50, 21, 51]
