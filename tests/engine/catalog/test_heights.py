"""Boxes of six numbers: items at other heights are not found, those without heights are."""

from __future__ import annotations

from contextlib import closing

import pytest

from engine.catalog import Author, Catalog, Mode, PutCollection, PutItem, Search

BOXES = {
    "flat": [10, 50, 11, 51], "low": [10, 50, -20, 11, 51, 5], "high": [10, 50, 100.5, 11, 51, 200],
    "elsewhere": [20, 50, 0, 21, 51, 5], "nowhere": None,
}  # fmt: skip


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def catalog(request, tmp_path_factory):
    """Items with boxes of each kind."""
    place = tmp_path_factory.mktemp("heights") / "catalog.sqlite"
    if request.param == "postgresql":
        place = request.getfixturevalue("postgis").with_postgis()
    with closing(Catalog(place)) as opened:
        items = [
            PutItem("c", {
                "type": "Feature", "stac_version": "1.1.0", "id": name, "collection": "c", "links": [], "assets": {},
                "properties": {"datetime": "2024-01-01T00:00:00Z"}, **({"bbox": box} if box else {}),
                "geometry": {"type": "Point", "coordinates": [box[0], 50.5]} if box else None,
            }, Mode.CREATE)
            for name, box in BOXES.items()
        ]  # fmt: skip
        opened.apply([PutCollection({"id": "c", "description": "c"}, Mode.CREATE), *items], Author())
        yield opened


@pytest.mark.parametrize(
    ("heights", "names"),
    [(None, "flat low high"), ((0, 3), "flat low"), ((5, 5), "flat low"), ((5.1, 100), "flat"), ((-99, 150), "flat low high"),
     ((200, 999), "flat high"), ((-99, -21), "flat")],
)  # fmt: skip
def test_items_between_two_heights(catalog, heights, names):
    page = catalog.find(Search(bbox=(10, 50, 11, 51), heights=heights))
    assert {hit.doc["id"] for hit in page.hits} == set(names.split())
    assert page.matched == len(page.hits)


def test_heights_alone_leave_what_lies_nowhere(catalog):
    page = catalog.find(Search(heights=(0, 1)))
    assert {hit.doc["id"] for hit in page.hits} == {"flat", "low", "elsewhere", "nowhere"}
