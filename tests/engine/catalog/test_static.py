"""STAC on disk and, by plain files, on the web: walked by its links, with absolute hrefs at the end."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pystac
import pytest

from engine.catalog import Query, open_stac
from engine.errors import Problem


@pytest.fixture
def tree(tmp_path, tiff):
    """catalog > (one, inner > two > deep); items with relative hrefs, each with a file; written by pystac."""
    root = pystac.Catalog("root", "A tree")
    inner = pystac.Catalog("inner", "Inside")
    root.add_child(inner)
    world = pystac.Extent(pystac.SpatialExtent([[-180, -90, 180, 90]]), pystac.TemporalExtent([[None, None]]))
    homes = {name: pystac.Collection(name, f"Collection {name}", world) for name in ("one", "two", "deep")}
    root.add_child(homes["one"])
    inner.add_child(homes["two"])
    homes["two"].add_child(homes["deep"])
    for name, home in homes.items():
        for n in range(3):
            when = datetime(2020, 1 + n, 1, tzinfo=UTC)
            corner = {"type": "Point", "coordinates": [n, n]}
            one = pystac.Item(f"{name}-{n}", corner, [n, n, n, n], when, {})
            path = tiff(tmp_path / "data" / f"{name}-{n}.tif")
            one.add_asset("B04", pystac.Asset(str(path), media_type=pystac.MediaType.COG, roles=["data"]))
            home.add_item(one)
    root.normalize_hrefs(str(tmp_path / "stac"))
    root.make_all_asset_hrefs_relative()
    root.save(catalog_type=pystac.CatalogType.SELF_CONTAINED)
    return tmp_path / "stac" / "catalog.json"


def test_add_a_tree(catalog, tree):
    counts = []
    added = catalog.add(tree, progress=counts.append)
    assert {(a.collection, a.items_new, a.items_updated) for a in added} == {
        (n, 3, 0) for n in ("one", "two", "deep")
    }
    assert counts == list(range(1, 10))
    for name in ("one", "two", "deep"):
        for found in catalog.search(Query(name)).items:
            href = found.assets["B04"].href
            assert Path(href).is_absolute()
            assert Path(href).exists()
    assert {a.items_updated for a in catalog.add(tree)} == {3}
    assert catalog.search(Query("one")).funnel.collection == 3


def test_a_collection_knows_its_source_and_forgets_its_tree(catalog, tree):
    catalog.add(tree)
    whole = catalog.collection("one")
    assert whole["description"] == "Collection one"
    assert whole["links"] == [
        {"rel": "via", "href": str(tree.parent / "one" / "collection.json"), "type": "application/json"}
    ]
    pystac.Collection.from_dict(whole)


def test_add_agrees_with_pystac(catalog, tree):
    catalog.add(str(tree))
    read = pystac.Catalog.from_file(str(tree))
    for home in read.get_all_collections():
        theirs = {i.id: i.assets["B04"].get_absolute_href() for i in home.get_items()}
        ours = {i.id: i.assets["B04"].href for i in catalog.search(Query(home.id)).items}
        assert ours == theirs


@pytest.mark.parametrize("as_url", [False, True])
def test_a_folder_with_a_catalogue_and_a_file_address_are_the_catalogue(catalog, tree, as_url):
    source = tree.as_uri() if as_url else tree.parent
    assert len(catalog.add(source)) == 3


def test_only_the_wanted_collection_is_taken(catalog, tree):
    counts = []
    (added,) = catalog.add(tree, collection="deep", progress=counts.append)
    assert (added.collection, added.items_new) == ("deep", 3)
    assert counts == [1, 2, 3]
    with pytest.raises(Problem) as caught:
        catalog.add(tree, collection="depe")
    assert caught.value.code == "CollectionNotFound"
    assert "'deep'" in str(caught.value.hint)


def test_open_stac_reads_every_kind_of_document(tree):
    where = tree.parent
    items = [json.loads(p.read_text()) for p in sorted((where / "one").glob("*/*.json"))]
    for one in items:
        one["assets"]["B04"]["href"] = "../data/" + Path(one["assets"]["B04"]["href"]).name
    together = where / "items.json"
    together.write_text(json.dumps({"type": "FeatureCollection", "features": items}))
    early = Query("", end=datetime(2020, 2, 1, tzinfo=UTC))
    for path, total, left in [
        (tree, 9, 3),
        (where / "one" / "collection.json", 3, 1),
        (where / "one" / "one-0" / "one-0.json", 1, 1),
        (together, 3, 1),
    ]:
        found = open_stac(str(path), early)
        assert (found.funnel.collection, len(found.items)) == (total, left), path
        assert all(Path(i.assets["B04"].href).exists() for i in found.items)


def test_open_stac_filters_exactly(tree):
    query = Query(
        "ignored",
        (0.5, 0.5, 5, 5),
        datetime(2020, 1, 1, tzinfo=UTC),
        datetime(2020, 3, 1, tzinfo=UTC),
        {"x": lambda v: v is None},
    )
    found = open_stac(tree.as_uri(), query)
    assert [i.id for i in found.items] == ["deep-1", "one-1", "two-1"]
    assert found.funnel.json() == {"collection": 9, "bbox": 6, "time": 3, "properties": 3, "nearest": []}
    late = open_stac(str(tree), Query("", start=datetime(2021, 1, 1, tzinfo=UTC)))
    assert [d.month for d in late.funnel.nearest] == [3, 2, 1]


def test_links_in_a_circle_end(catalog, tree):
    inner = tree.parent / "inner" / "catalog.json"
    doc = json.loads(inner.read_text())
    doc["links"] += [
        {"rel": "child", "href": "../catalog.json"},
        {"rel": "child", "href": "../one/collection.json"},
    ]
    inner.write_text(json.dumps(doc))
    assert {(a.collection, a.items_new) for a in catalog.add(tree)} == {("one", 3), ("two", 3), ("deep", 3)}


def test_a_chain_far_deeper_than_pythons_stack(catalog, tmp_path, item):
    for n in range(1500):
        links = (
            [{"rel": "child", "href": f"./{n + 1}.json"}]
            if n < 1499
            else [{"rel": "item", "href": "./item.json"}]
        )
        doc = {"type": "Catalog", "stac_version": "1.0.0", "id": f"c{n}", "description": "x", "links": links}
        (tmp_path / f"{n}.json").write_text(json.dumps(doc))
    (tmp_path / "item.json").write_text(json.dumps(item("a", collection="end")))
    (added,) = catalog.add(tmp_path / "0.json")
    assert (added.collection, added.items_new) == ("end", 1)


@pytest.mark.parametrize("collection", [None, "mine"])
def test_a_lone_item_goes_where_it_says_or_where_it_is_told(catalog, tmp_path, item, collection):
    path = tmp_path / "lone.json"
    path.write_text(json.dumps(item("a", collection="its-own")))
    (added,) = catalog.add(path, collection=collection)
    assert added.collection == (collection or "its-own")
    assert catalog.search(Query(added.collection)).items[0].collection_id == added.collection


def test_an_item_that_names_no_collection_goes_by_its_file(catalog, tmp_path, item):
    path = tmp_path / "scenes.json"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [item("a"), item("b")]}))
    (added,) = catalog.add(path)
    assert (added.collection, added.items_new) == ("scenes", 2)


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("{", "FileContentInvalid", "is not JSON"),
        ("[" * 100_000, "FileContentInvalid", "is not JSON"),
        ("[]", "FileContentInvalid", "holds a JSON list"),
        ('{"type": "Point"}', "FileContentInvalid", "type is 'Point'"),
        ('{"type": "FeatureCollection", "features": 3}', "FileContentInvalid", "features are int"),
        ('{"type": "FeatureCollection", "features": [3]}', "FileContentInvalid", "it is int"),
        (
            '{"type": "Catalog", "id": "x", "links": [{"rel": "item", "href": "gone.json"}]}',
            "FileNotFound",
            "gone.json",
        ),
        ('{"type": "Collection", "links": []}', "FileContentInvalid", "needs an id"),
    ],
)
def test_what_is_wrong_with_a_document_is_said(catalog, tmp_path, text, code, says):
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(Problem) as caught:
        catalog.add(path)
    assert (caught.value.code, says in caught.value.message) == (code, True), caught.value.message
    assert catalog.collections() == []


def test_sources_that_are_not_there(catalog, tmp_path):
    for source, code in [
        (tmp_path / "no.json", "FileNotFound"),
        ("s3://bucket/catalog.json", "FilePathInvalid"),
    ]:
        with pytest.raises(Problem) as caught:
            catalog.add(source)
        assert caught.value.code == code
