"""What a collection tells of its items."""

import copy
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pystac import Collection

from engine.catalog import Author, Catalog, RemoveItem
from engine.catalog.bands import bands_of, data_assets
from engine.catalog.fold import Ground


def put(catalog, items, **collection):
    catalog.put({"id": "c", **collection}, items)
    return catalog.collection("c")


GRID = {
    "proj:code": "EPSG:32631",
    "proj:shape": [100, 200],
    "proj:transform": [10, 0, 500000, 0, -10, 5000000],
}
NEXT = {
    "proj:code": "EPSG:32631",
    "proj:shape": [100, 200],
    "proj:transform": [10, 0, 501000, 0, -10, 5000500],
}


def test_an_empty_collection_is_complete_stac(catalog):
    whole = put(catalog, [])
    parsed = Collection.from_dict(whole)
    assert parsed.license == "other"
    assert whole["links"] == []
    assert "cube:dimensions" not in whole


def test_extents_are_those_of_the_items_whatever_the_source_says(catalog, item):
    given = {
        "spatial": {"bbox": [[-180, -90, 180, 90]]},
        "temporal": {"interval": [["1990-01-01T00:00:00Z", None]]},
    }
    items = [
        item("a", (10, 50, 11, 51), "2020-01-01T00:00:00Z"),
        item("b", (5, 48, 6, 52), "2020-03-01T00:00:00Z"),
    ]
    extent = put(catalog, items, extent=given, description="x")["extent"]
    assert extent == {
        "spatial": {"bbox": [[5, 48, 11, 52]]},
        "temporal": {"interval": [["2020-01-01T00:00:00Z", "2020-03-01T00:00:00Z"]]},
    }


def test_dimensions_in_the_crs_that_items_share(catalog, item):
    dims = put(
        catalog, [item("a", properties=GRID), item("b", properties=NEXT, when="2022-07-01T00:00:00Z")]
    )["cube:dimensions"]
    assert dims == {
        "x": {
            "type": "spatial",
            "axis": "x",
            "extent": [500000, 503000],
            "reference_system": 32631,
            "step": 10,
        },
        "y": {
            "type": "spatial",
            "axis": "y",
            "extent": [4999000, 5000500],
            "reference_system": 32631,
            "step": 10,
        },
        "t": {
            "type": "temporal",
            "extent": ["2022-06-01T10:00:00Z", "2022-07-01T00:00:00Z"],
            "values": ["2022-06-01T10:00:00Z", "2022-07-01T00:00:00Z"],
        },
        "bands": {"type": "bands", "values": ["B04"]},
    }


def test_no_step_where_pixels_differ(catalog, item):
    coarse = {**NEXT, "proj:transform": [20, 0, 501000, 0, -20, 5000500]}
    dims = put(catalog, [item("a", properties=GRID), item("b", properties=coarse)])["cube:dimensions"]
    assert "step" not in dims["x"]
    assert dims["x"]["extent"] == [500000, 505000]


def test_no_step_where_assets_of_an_item_differ(catalog, item):
    both = item("a")
    asset = both["assets"]["B04"]
    both["assets"] = {
        "B04": {**asset, **GRID},
        "SCL": {**asset, **GRID, "proj:shape": [50, 100], "proj:transform": [20, 0, 500000, 0, -20, 5000000]},
    }
    dims = put(catalog, [both])["cube:dimensions"]
    assert "step" not in dims["x"]
    assert (dims["x"]["extent"], dims["x"]["reference_system"]) == ([500000, 502000], 32631)


def test_wgs84_where_crs_differ(catalog, item):
    other = {**NEXT, "proj:code": "EPSG:32632"}
    dims = put(catalog, [item("a", properties=GRID), item("b", (12, 50, 13, 51), properties=other)])[
        "cube:dimensions"
    ]
    assert dims["x"] == {"type": "spatial", "axis": "x", "extent": [10, 13], "reference_system": 4326}


def test_shared_crs_without_grid_is_brought_there(catalog, item):
    from pyproj import Transformer

    dims = put(catalog, [item("a", properties={"proj:code": "EPSG:32632"})])["cube:dimensions"]
    west, south, east, north = Transformer.from_crs(4326, 32632, always_xy=True).transform_bounds(
        10, 50, 11, 51
    )
    assert dims["x"] == {"type": "spatial", "axis": "x", "extent": [west, east], "reference_system": 32632}
    assert dims["y"]["extent"] == [south, north]


def test_labels_of_time_are_listed_up_to_a_thousand(catalog, item):
    def items(count):
        return [item(f"i{n}", when=f"2020-01-01T{n // 60:02d}:{n % 60:02d}:00Z") for n in range(count)]

    assert len(put(catalog, items(1000))["cube:dimensions"]["t"]["values"]) == 1000
    assert "values" not in put(catalog, items(1001))["cube:dimensions"]["t"]


def test_items_with_dimensions_of_their_own(catalog, item):
    def own(first, last, high):
        return {
            "time": {"type": "temporal", "extent": [first, last], "values": [first, last]},
            "lon": {"type": "spatial", "axis": "x", "extent": [0, high], "reference_system": 4326, "step": 1},
            "level": {"type": "other", "values": [850, high]},
        }

    a = item("a", **{"cube:dimensions": own("2020-01-01", "2020-01-02", 10)})
    b = item("b", **{"cube:dimensions": own("2020-01-02", "2020-01-03", 20)})
    dims = put(catalog, [b, a])["cube:dimensions"]
    assert dims["time"] == {
        "type": "temporal",
        "extent": ["2020-01-01", "2020-01-03"],
        "values": ["2020-01-01", "2020-01-02", "2020-01-03"],
    }
    assert dims["lon"] == {
        "type": "spatial",
        "axis": "x",
        "extent": [0, 20],
        "reference_system": 4326,
        "step": 1,
    }
    assert dims["level"]["values"] == [10, 20, 850]
    assert dims["bands"]["values"] == ["B04"]
    assert "t" not in dims


def test_own_dimensions_in_different_crs_are_told_in_wgs84(catalog, item):
    a, b = (
        item(
            str(code),
            **{
                "cube:dimensions": {
                    "x": {"type": "spatial", "axis": "x", "extent": [0, 9], "reference_system": code}
                }
            },
        )
        for code in (32631, 32632)
    )
    assert put(catalog, [a, b])["cube:dimensions"]["x"] == {
        "type": "spatial",
        "axis": "x",
        "extent": [10, 11],
        "reference_system": 4326,
    }


def test_summaries(catalog, item):
    first = {
        "platform": "sentinel-2a",
        "instruments": ["msi"],
        "gsd": 10,
        "eo:cloud_cover": 12.5,
        "proj:code": "EPSG:32631",
    }
    second = {
        "platform": "sentinel-2b",
        "instruments": ["msi"],
        "gsd": 10,
        "eo:cloud_cover": 3,
        "proj:code": "EPSG:32632",
    }
    told = put(
        catalog,
        [item("a", properties=first), item("b", properties=second)],
        summaries={"mine": [1]},
        description="x",
    )["summaries"]
    assert told["platform"] == ["sentinel-2a", "sentinel-2b"]
    assert told["instruments"] == ["msi"]
    assert told["gsd"] == [10]
    assert told["eo:cloud_cover"] == [3, 12.5]
    assert told["proj:code"] == ["EPSG:32631", "EPSG:32632"]
    assert told["bands"] == [{"name": "B04"}]
    assert told["mine"] == [1]


def test_of_many_numbers_the_ends_are_told(catalog, item):
    items = [item(f"i{n}", properties={"eo:cloud_cover": n / 2}) for n in range(30)]
    assert put(catalog, items)["summaries"]["eo:cloud_cover"] == {"minimum": 0, "maximum": 14.5}


def test_item_assets_keep_what_is_common(catalog, item):
    one = item("a")
    one["assets"]["B04"] |= {
        "bands": [{"name": "B04"}],
        "proj:shape": [1, 2],
        "file:size": 7,
        "title": "of this day",
    }
    assert put(catalog, [one])["item_assets"] == {
        "B04": {"type": "image/tiff", "roles": ["data"], "bands": [{"name": "B04"}]}
    }


TIF = "image/tiff; application=geotiff"


@pytest.mark.parametrize(
    ("assets", "names"),
    [
        ({"red": {"type": TIF}}, ["red"]),
        ({"red": {"type": TIF, "eo:bands": [{"name": "B04"}]}}, ["B04"]),
        ({"stack": {"type": TIF, "bands": [{"name": "B08"}, {"name": "B04"}]}}, ["B08", "B04"]),
        (
            {"stack": {"type": TIF, "raster:bands": [{"data_type": "uint8"}, {"data_type": "uint8"}]}},
            ["stack.1", "stack.2"],
        ),
        (
            {
                "a": {"type": TIF},
                "thumb": {"type": "image/png", "roles": ["thumbnail"]},
                "look": {"type": TIF, "roles": ["visual"]},
            },
            ["a"],
        ),
        (
            {
                "a": {"type": TIF},
                "meta": {"type": "application/xml", "roles": ["metadata"]},
                "x": {"type": "application/json"},
            },
            ["a"],
        ),
        (
            {
                "B02_10m": {"type": TIF, "bands": [{"name": "B02"}]},
                "B02_20m": {"type": TIF, "bands": [{"name": "B02"}]},
            },
            ["B02"],
        ),
        ({"plain": {"href": "/x/y.TIF"}, "page": {"href": "/x/y.html"}}, ["plain"]),
        ({"cube": {"type": "application/x-netcdf", "bands": [{"name": "ndvi"}]}}, ["ndvi"]),
    ],
)
def test_names_of_bands(item, assets, names):
    one = item("a", assets={key: {"href": "/x", **asset} for key, asset in assets.items()})
    assert [band["name"] for band in bands_of(data_assets(one), one["properties"])] == names


def test_a_band_told_in_three_ways_is_one_band(item):
    asset = {
        "href": "/x",
        "roles": ["data"],
        "bands": [{"name": "B04", "eo:common_name": "red"}],
        "eo:bands": [{"name": "red", "center_wavelength": 0.665}],
        "raster:bands": [{"data_type": "uint16", "scale": 0.0001, "offset": -0.1}],
        "nodata": 0,
    }
    assert bands_of({"x": asset}, {}) == [
        {
            "name": "B04",
            "common_name": "red",
            "center_wavelength": 0.665,
            "scale": 0.0001,
            "offset": -0.1,
            "nodata": 0,
            "data_type": "uint16",
        }
    ]


def test_bands_keep_the_order_of_the_first_item(catalog, item):
    def assets(*keys):
        return {key: {"href": f"/{key}", "roles": ["data"]} for key in keys}

    dims = put(catalog, [item("z", assets=assets("B8", "B4")), item("a", assets=assets("B4", "B2", "B8"))])[
        "cube:dimensions"
    ]
    assert dims["bands"]["values"] == ["B8", "B4", "B2"]


@pytest.mark.parametrize(
    ("boxes", "whole"),
    [
        ([(0, 0, 1, 1), (5, -3, 6, 0)], (0, -3, 6, 1)),
        ([(178, 0, -178, 1), (170, 5, 171, 6)], (170, 0, -178, 6)),
        ([(170, 0, 180, 1), (-180, 0, -170, 1)], (170, 0, -170, 1)),
        ([(-180, -90, 180, 90), (0, 0, 1, 1)], (-180, -90, 180, 90)),
        ([(140, 0, 141, 1), (-170, 0, -169, 1)], (-170, 0, 141, 1)),
        ([(178, 0, -178, 1), (-10, 0, 10, 1), (100, 0, 110, 1)], (-10, 0, -178, 1)),
        ([], None),
    ],
)
def test_box_around_boxes(boxes, whole):
    ground = Ground()
    for box in boxes:
        ground.add(box)
    assert ground.box() == whole


@given(st.lists(st.tuples(st.integers(-180, 180), st.integers(0, 80)), max_size=12))
def test_the_box_around_boxes_does_not_depend_on_their_order(starts):
    boxes = [(w, 0, w + width if w + width <= 180 else w + width - 360, 1) for w, width in starts]
    one, other = Ground(), Ground()
    for box in boxes:
        one.add(box)
    for box in reversed(boxes):
        other.add(box)
    assert one.box() == other.box()
    assert one.spans == sorted(one.spans)
    assert all(a[1] < b[0] for a, b in itertools.pairwise(one.spans))


def test_a_collection_that_grows_is_told_as_one_that_is_told_once(tmp_path, item):
    """Item by item, with changes in between, against the same items at once."""
    grown, whole = Catalog(tmp_path / "grown.db"), Catalog(tmp_path / "whole.db")
    more = {"stac_extensions": [], "properties": {"platform": "a", "eo:cloud_cover": 1}}
    docs = [
        item(f"i{n}", (170 + n, 0, 171 + n, 1), when=f"2022-06-{n + 1:02}T00:00:00Z", **copy.deepcopy(more))
        for n in range(9)
    ]
    docs[4]["properties"]["proj:code"] = "EPSG:32631"
    for doc in docs:
        grown.put({"id": "c"}, [doc])
        grown.collection("c")
    whole.put({"id": "c"}, docs)
    assert grown.collection("c") == whole.collection("c")
    docs[0] = item("i0", (0, 0, 1, 1), when="1999-01-01T00:00:00Z")
    grown.put({"id": "c"}, [docs[0]])
    fresh = Catalog(tmp_path / "fresh.db")
    fresh.put({"id": "c"}, docs)
    assert grown.collection("c") == fresh.collection("c"), "what changed is not told any more as it was"
    grown.apply([RemoveItem("c", "i8")], Author())
    fresh.apply([RemoveItem("c", "i8")], Author())
    assert grown.collection("c") == Catalog(tmp_path / "fresh.db").collection("c")
