"""A search finds what looking at every item by hand would find; every step is counted."""

from datetime import UTC, datetime, timedelta
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from engine.catalog import Catalog, Query, search
from engine.catalog.documents import record
from engine.catalog.model import Entry
from engine.catalog.sieve import sift
from engine.errors import Problem

DAY0 = datetime(2020, 1, 1, tzinfo=UTC)


def day(number):
    return DAY0 + timedelta(days=number)


def text(number):
    return day(number).isoformat().replace("+00:00", "Z")


def rectangle(west, south, east, north):
    return [[[west, south], [east, south], [east, north], [west, north], [west, south]]]


def random_item(rnd, n):
    """An item in one of the ways there are to write it, and by hand: its longitudes, latitudes, days, cloud."""
    west, south = rnd.randint(-180, 179), rnd.randint(-90, 80)
    east, north = west + rnd.choice([0, 1, 5, 30, 170]), min(90, south + rnd.choice([0, 2, 20]))
    crosses = east > 180
    spans = [(west, 180), (-180, east - 360)] if crosses else [(west, east)]
    bbox = [west, south, east - 360 if crosses else east, north]
    way = rnd.choice(["halves", "long", "jumping", "bbox", "nowhere"])
    if way == "halves":
        geometry = {"type": "MultiPolygon", "coordinates": [rectangle(w, south, e, north) for w, e in spans]}
    elif way == "jumping" and crosses:
        geometry = {"type": "Polygon", "coordinates": rectangle(west, south, east - 360, north)}
    elif way in ("bbox", "nowhere"):
        geometry = None
    else:
        geometry = {"type": "Polygon", "coordinates": rectangle(west, south, east, north)}
    if west == east or south == north or (way == "jumping" and east - west > 170):
        geometry = (
            None
            if way in ("bbox", "nowhere")
            else {"type": "MultiLineString", "coordinates": [[[w, south], [e, north]] for w, e in spans]}
        )
    first, length, cloud = rnd.randint(0, 60), rnd.choice([0, 0, 7]), rnd.choice([None, 0, 20, 80])
    times = (
        {"datetime": text(first)}
        if not length
        else {"datetime": None, "start_datetime": text(first), "end_datetime": text(first + length)}
    )
    doc = {
        "type": "Feature",
        "stac_version": "1.1.0",
        "id": f"item-{n:03d}",
        "geometry": geometry,
        "properties": times | ({} if cloud is None else {"eo:cloud_cover": cloud}),
        "links": [],
        "assets": {},
    }
    slanted = (
        isinstance(geometry, dict)
        and geometry["type"] == "MultiLineString"
        and west != east
        and south != north
    )
    if way != "nowhere":
        doc["bbox"] = bbox
    known = None if way == "nowhere" else (spans, (south, north))
    return doc, (known, (first, first + length), cloud), slanted


ITEMS = [
    (doc, known) for doc, known, slanted in (random_item(Random(n), n) for n in range(260)) if not slanted
]


def by_hand(known, bbox, start, end, most):
    """Whether an item is in the box, in time, and clear enough; boxes as sets of longitudes."""
    place, (first, last), cloud = known
    near = bbox is None or place is None
    if not near:
        west, south, east, north = bbox
        wished = [(west, 180), (-180, east)] if west > east else [(west, east)]
        spans, (low, high) = place
        near = any(w <= b and e >= a for w, e in spans for a, b in wished) and low <= north and high >= south
    in_time = (end is None or day(first) < end) and (start is None or day(last) >= start)
    in_time = in_time and not (start is not None and end is not None and start >= end)
    return near, in_time, most is None or (cloud is not None and cloud <= most)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    opened = Catalog(tmp_path_factory.mktemp("search") / "catalog.db")
    opened.put({"id": "other"}, (dict(doc) for doc, _ in ITEMS))
    opened.put({"id": "mixed"}, (doc for doc, _ in ITEMS))
    yield opened
    opened.close()


longitudes, latitudes = st.integers(-180, 180), st.integers(-90, 90)
boxes = st.none() | st.tuples(longitudes, latitudes, longitudes, latitudes).map(
    lambda b: (b[0], min(b[1], b[3]), b[2], max(b[1], b[3]))
)
moments = st.none() | st.integers(-5, 75).map(day)


@pytest.mark.slow
@settings(max_examples=120, deadline=None, database=None)
@given(
    bbox=boxes,
    start=moments,
    end=moments,
    most=st.none() | st.sampled_from([0, 30, 100]),
    few=st.sampled_from([0, 20_000]),
)
def test_search_equals_looking_at_every_item(store, bbox, start, end, most, few):
    wish = {} if most is None else {"eo:cloud_cover": lambda v: v is not None and v <= most}
    query = Query("mixed", bbox=bbox, start=start, end=end, properties=wish)
    passed = [(doc, by_hand(known, bbox, start, end, most)) for doc, known in ITEMS]
    near = [(doc, p) for doc, p in passed if p[0]]
    timely = [(doc, p) for doc, p in near if p[1]]
    wanted = {doc["id"] for doc, p in timely if p[2]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "FEW", few)  # 0: through the collection, else: by the index of boxes
        found = store.search(query)
    assert {item.id for item in found.items} == wanted
    funnel = found.funnel
    assert (funnel.collection, funnel.bbox, funnel.time, funnel.properties) == (
        len(ITEMS),
        len(near),
        len(timely),
        len(wanted),
    )
    assert bool(funnel.nearest) == (bool(near) and not timely)
    order = [
        (item.datetime or datetime.fromisoformat(item.properties["start_datetime"]), item.id)
        for item in found.items
    ]
    assert order == sorted(order)


@pytest.mark.slow
@settings(max_examples=40, deadline=None, database=None)
@given(bbox=boxes, start=moments, end=moments)
def test_search_without_a_store_is_the_same(store, bbox, start, end):
    query = Query("mixed", bbox=bbox, start=start, end=end)
    records = [record(Entry({"id": "mixed"}, doc)) for doc, _ in ITEMS]
    kept, sifted = store.search(query), sift(records, query)
    assert [i.id for i in kept.items] == [i.id for i in sifted.items]
    assert kept.funnel == sifted.funnel


def test_funnel_counts_each_step(catalog, item):
    near, far = (10, 50, 11, 51), (100, 0, 101, 1)
    many = [item(f"near-{n}", near, text(n), properties={"eo:cloud_cover": n * 10}) for n in range(6)]
    catalog.put({"id": "c"}, [*many, *(item(f"far-{n}", far, text(n)) for n in range(3))])
    query = Query("c", (10.5, 50.5, 12, 52), day(1), day(4), {"eo:cloud_cover": lambda v: v < 30})
    found = catalog.search(query)
    assert [i.id for i in found.items] == ["near-1", "near-2"]
    assert found.funnel.json() == {"collection": 9, "bbox": 6, "time": 3, "properties": 2, "nearest": []}


def test_all_items_are_counted_where_somebody_wants_to_know(catalog, item):
    catalog.put({"id": "c"}, [item(f"near-{n}", (10, 50, 11, 51), text(n)) for n in range(3)])
    seen: list[str] = []
    event.listen(catalog._engine, "before_cursor_execute", lambda *told: seen.append(told[2]))
    found = catalog.search(Query("c", (10, 50, 11, 51), counted=False))
    assert (len(found.items), found.funnel.collection, found.funnel.bbox) == (3, None, 3)
    some = len(seen)
    assert catalog.search(Query("c", (10, 50, 11, 51))).funnel.collection == 3
    assert len(seen) - some == some + 1
    assert catalog.search(Query("c", (60, 50, 61, 51), counted=False)).funnel.collection == 3


def test_nothing_in_time_names_the_nearest_dates_of_the_box(catalog, item):
    here, there = (10, 50, 11, 51), (100, 0, 101, 1)
    catalog.put(
        {"id": "c"},
        [item(f"i{n}", here, text(n)) for n in (0, 1, 2, 30, 40)] + [item("there", there, text(10))],
    )
    found = catalog.search(Query("c", here, day(9), day(12)))
    assert found.items == ()
    assert found.funnel.nearest == (day(2), day(1), day(0), day(30))


@pytest.mark.parametrize(
    ("answer", "passes"),
    [
        (True, True),
        (np.True_, True),
        (np.array(True), True),
        (1, False),
        (None, False),
        (np.nan, False),
        (np.uint8(255), False),
        ("yes", False),
        (False, False),
    ],
)
def test_an_item_passes_where_the_predicate_says_true_and_nothing_else(catalog, item, answer, passes):
    catalog.put({"id": "c"}, [item("a")])
    assert len(catalog.search(Query("c", properties={"x": lambda v: answer})).items) == passes


def test_predicate_gets_none_where_the_item_lacks_the_property(catalog, item):
    catalog.put({"id": "c"}, [item("a"), item("b", properties={"gsd": 10})])
    seen = []
    catalog.search(Query("c", properties={"gsd": lambda v: seen.append(v) or True}))
    assert sorted(seen, key=str) == [10, None]


def test_unknown_collection_names_what_is_near(catalog, item):
    with pytest.raises(Problem, match="does not exist") as caught:
        catalog.search(Query("S2"))
    assert caught.value.code == "CollectionNotFound"
    assert "empty" in str(caught.value.hint)
    catalog.put({"id": "sentinel-2-l2a"}, [item("a")])
    with pytest.raises(Problem) as caught:
        catalog.collection("Sentinel-2-L2")
    assert "sentinel-2-l2a" in str(caught.value.hint)
    with pytest.raises(Problem) as caught:
        catalog.collection("landsat")
    assert caught.value.hint == "There are: sentinel-2-l2a."
    with pytest.raises(Problem):
        catalog.search(Query("x' OR '1'='1"))


def test_more_items_than_a_statement_takes_parameters(catalog, item):
    catalog.put({"id": "c"}, [item(f"i{n:04d}", when=text(n % 300)) for n in range(1234)])
    assert len(catalog.search(Query("c")).items) == 1234
    again = catalog.put({"id": "c"}, [item(f"i{n:04d}") for n in range(1000, 1500)])
    assert (again.items_new, again.items_updated) == (266, 234)
    assert catalog.search(Query("c")).funnel.collection == 1500
