"""Time steps: solar days and their mosaics, other groups, labels."""

from __future__ import annotations

import dask
import numpy as np
import pytest
from odc.stac import load as odc_load

from engine.errors import Problem
from engine.load import Wish, load, survey


@pytest.fixture(autouse=True)
def _one_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


def half(noise, seed, columns):
    pixels = noise(20, 30, seed=seed)
    pixels[:, columns] = 0
    return pixels


@pytest.fixture
def neighbours(make, grid, noise):
    """Three scenes of one day, each with a gap, given out of order; and one of the next day."""
    parts = {
        "c": ("2022-06-01T10:00:20", half(noise, 3, slice(0, 0))),
        "b": ("2022-06-01T10:00:10", half(noise, 2, slice(0, 10))),
        "a": ("2022-06-01T10:00:10", half(noise, 1, slice(5, 30))),
        "d": ("2022-06-02T10:00:00", half(noise, 4, slice(0, 0))),
    }
    items = [
        make.item(
            name,
            when,
            {"B1": make.tif(f"{name}.tif", pixels, grid(20, 30), nodata=0)},
            orbit=int(name in "ab"),
        )
        for name, (when, pixels) in parts.items()
    ]
    return items, {name: pixels for name, (_, pixels) in parts.items()}


def test_neighbours_fill_each_other_in_order_of_time_and_id(neighbours):
    items, parts = neighbours
    cube = load(items, Wish())
    first = np.where(parts["a"] != 0, parts["a"], np.where(parts["b"] != 0, parts["b"], parts["c"]))
    np.testing.assert_array_equal(cube[0, 0].values, first)
    np.testing.assert_array_equal(cube[1, 0].values, parts["d"])
    assert cube.t.values.astype("datetime64[s]").astype(str).tolist() == [
        "2022-06-01T10:00:10",
        "2022-06-02T10:00:00",
    ]
    for item in items:
        item.stac_extensions.append("https://stac-extensions.github.io/projection/v2.0.0/schema.json")
    twin = odc_load(items, groupby="solar_day", nodata=0, dtype="uint16")
    np.testing.assert_array_equal(cube[:, 0].values, twin.B1.values)
    np.testing.assert_array_equal(cube.t.values, twin.time.values)


def test_what_is_full_is_not_read_on(make, grid, noise, counts):
    items = [
        make.item(
            f"i{n}",
            f"2022-06-01T10:00:0{n}",
            {"B1": make.tif(f"{n}.tif", noise(20, 30), grid(20, 30), nodata=0)},
        )
        for n in range(4)
    ]
    counts.opened.clear()
    cube = load(items, Wish())
    cube.compute()
    assert len(counts.opened) == len(counts.read) == 1


@pytest.mark.parametrize(
    ("how", "labels"),
    [
        ("time", ["2022-06-01T10:00:10", "2022-06-01T10:00:20", "2022-06-02T10:00:00"]),
        ("id", ["2022-06-01T10:00:10", "2022-06-01T10:00:10", "2022-06-01T10:00:20", "2022-06-02T10:00:00"]),
        ("orbit", ["2022-06-01T10:00:10", "2022-06-01T10:00:20"]),
    ],
)
def test_other_groups(neighbours, how, labels):
    cube = load(neighbours[0], Wish(groupby=how))
    assert cube.t.values.astype("datetime64[s]").astype(str).tolist() == labels
    assert survey(neighbours[0], Wish(groupby=how)).times == tuple(cube.t.values)


def test_a_property_that_items_lack(neighbours):
    with pytest.raises(Problem, match=r"no property 'cloud' to group by; it has .*orbit"):
        load(neighbours[0], Wish(groupby="cloud"))


def test_the_day_is_the_sun_s(make, grid, noise):
    """Over New Zealand the local day changes at noon UTC."""
    there = grid(20, 30, left=500_000, top=5_500_000, crs="EPSG:32759")
    items = [
        make.item(f"i{n}", when, {"B1": make.tif(f"{n}.tif", noise(20, 30), there, nodata=0)})
        for n, when in enumerate(("2022-06-01T23:30:00", "2022-06-02T00:30:00", "2022-06-02T23:30:00"))
    ]
    assert load(items, Wish()).sizes["t"] == 2


def test_intervals_count_from_their_start_and_zones_are_turned_to_utc(make, grid, noise):
    path = make.tif("a.tif", noise(20, 30), grid(20, 30), nodata=0)
    item = make.item("a", "2022-06-01T12:00:00+02:00", {"B1": path})
    assert str(load([item], Wish()).t.values[0]) == "2022-06-01T10:00:00.000000000"
    item.datetime = None
    item.properties |= {"start_datetime": "2022-05-01T00:00:00Z", "end_datetime": "2022-06-01T00:00:00Z"}
    assert str(load([item], Wish()).t.values[0]) == "2022-05-01T00:00:00.000000000"
