"""The rules for items whose assets have to be there first, one by one and all together."""

from __future__ import annotations

import copy

import pytest

from engine.errors import Problems
from engine.profiles.assets_first import check, check_of_project
from engine.profiles.summaries import fault

BASE = "https://here.example/api/data/v0/storage/"
ID = "SATELLITE_L1A_000000001"


class Storage:
    def __init__(self, *paths: str) -> None:
        self.paths = set(paths)

    def path_of(self, href: str) -> str | None:
        return href.removeprefix(BASE) if href.startswith(BASE) else None

    def has(self, path: str) -> bool:
        return path in self.paths


DATA = f"catalog/sat/2024/02/11/{ID}/data.tiff"
ITEM = {
    "type": "Feature", "id": ID, "collection": "sat", "geometry": None,
    "properties": {"datetime": "2024-02-11T12:09:32Z", "updated": "2025-01-01T00:00:00Z", "processing:level": "L1A"},
    "assets": {"data": {"href": BASE + DATA, "roles": ["data"]}},
}  # fmt: skip


def refused(item: dict, collection: dict | None = None, *paths: str) -> list[str]:
    """The fields that are told to be wrong."""
    with pytest.raises(Problems) as found:
        check(item, collection or {"id": "sat"}, Storage(DATA, *paths))
    assert {p.code for p in found.value.problems} == {"ItemInvalid"}
    return [p.facts["field"] for p in found.value.problems]


def changed(**changes) -> dict:
    item = copy.deepcopy(ITEM)
    for name, value in changes.items():
        if name == "href":
            item["assets"]["data"]["href"] = value
        elif name in item:
            item[name] = value
        else:
            item["properties"][name] = value
    return item


def test_a_sound_item_passes():
    check(ITEM, {"id": "sat"}, Storage(DATA))
    check(changed(assets={}), {"id": "sat"}, Storage())


@pytest.mark.parametrize(
    "href",
    [
        "data.tiff", "./data.tiff", "/data/x.tif", "s3://bucket/x", "https://elsewhere.example/" + DATA, None, 7,
        BASE + "other/sat/2024/02/11/x/data.tiff", BASE + f"catalog/sat/2024/2/11/{ID}/data.tiff",
        BASE + f"catalog/other/2024/02/11/{ID}/data.tiff", BASE + f"catalog/sat/2024/02/12/{ID}/data.tiff",
        BASE + "catalog/sat/2024/02/11/ANOTHER/data.tiff", BASE + f"catalog/sat/2024/02/11/{ID}/absent.tiff",
        BASE + f"catalog/sat/2025/01/01/{ID}/data.tiff",
    ],
)  # fmt: skip
def test_an_asset_elsewhere_is_refused(href):
    paths = [str(href).removeprefix(BASE)] if "absent" not in str(href) else []
    assert set(refused(changed(href=href), None, *paths)) == {"assets.data"}


def test_every_bad_asset_is_told():
    item = copy.deepcopy(ITEM)
    item["assets"] |= {"a": {"href": "x"}, "b": {"href": BASE + f"catalog/sat/2024/02/11/{ID}/b.tif"}}
    assert refused(item) == ["assets.a", "assets.b"]


def test_the_date_of_an_interval_lies_in_it():
    span = {
        "datetime": None,
        "start_datetime": "2024-02-10T23:59:59Z",
        "end_datetime": "2024-02-12T00:00:00Z",
    }
    check(changed(**span), {"id": "sat"}, Storage(DATA))
    later = {**span, "start_datetime": "2024-02-12T00:00:00Z", "end_datetime": "2024-02-13T00:00:00Z"}
    assert refused(changed(**later)) == ["assets.data"]


def test_days_are_those_of_utc():
    check(changed(datetime="2024-02-12T01:00:00+02:00"), {"id": "sat"}, Storage(DATA))
    assert refused(changed(datetime="2024-02-11T23:30:00-02:00")) == ["assets.data"]


def test_a_collection_that_is_tried_out_has_the_paths_of_the_true_one():
    check(ITEM, {"id": "sat--qa"}, Storage(DATA))


SUMMARIES = {"platform": ["one", "two"], "gsd": {"minimum": 1, "maximum": 10}}


def test_summaries_are_enforced():
    collection = {"id": "sat", "summaries": SUMMARIES}
    check(changed(platform="one", gsd=5), collection, Storage(DATA))
    assert refused(changed(platform="three", gsd=11), collection) == ["properties.platform", "properties.gsd"]
    assert refused(changed(gsd=None), collection) == ["properties.platform", "properties.gsd"]


def test_summaries_of_bands_are_about_assets():
    collection = {"id": "sat", "summaries": {"eo:bands": [{"name": "B1"}, {"name": "B2"}]}}
    item = copy.deepcopy(ITEM)
    assert refused(item, collection) == ["properties.eo:bands"]
    item["assets"]["data"]["eo:bands"] = [{"name": "B2", "center_wavelength": 0.6}]
    check(item, collection, Storage(DATA))
    item["assets"]["data"]["eo:bands"] = [{"name": "B3"}]
    assert refused(item, collection) == ["properties.eo:bands"]


@pytest.mark.parametrize(
    ("summary", "good", "bad"),
    [
        (["a", "b"], ["a", ["a", "b"], []], ["c", ["a", "c"], 1, None]),
        ([1, 2], [1, 1.0], [True, "1", 3]),
        ({"minimum": 0, "maximum": 5}, [0, 5, 2.5], [-1, 5.1, "2", True, [1]]),
        ({"minimum": 3}, [3, 100], [2]),
        ({"minimum": "2024-01-01T00:00:00Z", "maximum": "2024-12-31T23:59:59Z"},
         ["2024-06-01T00:00:00+05:00"], ["2023-12-31T23:30:00Z", "2024-01-01T01:00:00+05:00", 5]),
        ({"type": "string", "pattern": "^L1"}, ["L1A"], ["L2A", 1]),
        ({"$ref": "https://example.com/schema.json"}, [], ["x"]),
        ({"type": "nonsense"}, [], ["x"]),
        ({"key": "value"}, [{"key": "value"}], [{"key": "other"}]),
        ("constant", ["constant"], ["Constant"]),
        (True, [True], [1, "true"]),
    ],
)  # fmt: skip
def test_each_kind_of_summary(summary, good, bad):
    assert [v for v in good if fault(summary, v) is not None] == []
    assert [v for v in bad if v is not None and fault(summary, v) is None] == []


def test_items_of_projects():
    own = changed(href=BASE + f"project/p1/{ID}/x.tif")
    check_of_project(own, "p1", Storage(f"project/p1/{ID}/x.tif"))
    check_of_project(ITEM, "p1", Storage(DATA))
    for project, path in (("p2", f"project/p1/{ID}/x.tif"), ("p1", "project/p1/OTHER/x.tif")):
        with pytest.raises(Problems):
            check_of_project(changed(href=BASE + path), project, Storage(path))
    with pytest.raises(Problems):
        check_of_project(own, "p1", Storage())
