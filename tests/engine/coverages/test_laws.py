"""Any part of a coverage is a slice of all of it; a scaled one is all of it, resampled."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pyproj
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from engine.domain.cubes import domain_of
from processes.cubes.resample import resample_spatial

SLOW_ENOUGH = settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
"""Each example runs a graph; to make a smaller one takes minutes."""


def slots(count: int) -> st.SearchStrategy[tuple[int, int]]:
    """First cell, and the first after the last."""
    return st.tuples(st.integers(0, count - 1), st.integers(1, count)).map(
        lambda p: (p[0], max(p[0] + 1, p[1]))
    )


@SLOW_ENOUGH
@given(
    x=slots(64), y=slots(64), t=slots(12), off=st.floats(0.01, 0.99), by=st.sampled_from(["bbox", "subset", "both"]),
    fields=st.lists(st.sampled_from(["B02", "B04", "B08", "SCL"]), min_size=1, max_size=3, unique=True),
)  # fmt: skip
def test_any_part_is_a_slice_of_the_whole(scenes, x, y, t, off, by, fields):
    """Ends lie anywhere within the outermost cells: cells that are met are taken."""
    east, north, times = scenes.domain.axis("x"), scenes.domain.axis("y"), scenes.domain.axis("time")
    left, right = east.low + 10 * (x[0] + off), east.low + 10 * (x[1] - 1 + off) + 0.01
    top, bottom = north.high - 10 * (y[0] + off), north.high - 10 * (y[1] - 1 + off) - 0.01
    first, last = times.labels[t[0]], times.labels[t[1] - 1]
    asked = {"properties": ",".join(fields)}
    if by == "bbox":
        asked |= {"bbox": f"{left!r},{bottom!r},{right!r},{top!r}", "bbox_crs": "[EPSG:32632]"}
        asked |= {"datetime": f"{first}/{last}"}
    else:
        asked["subset"] = f"E({left!r}:{right!r}),N({bottom!r}:{top!r})"
        if by == "both":
            asked["datetime"] = f"{first}/{last}"
        else:
            asked["subset"] += f',time("{first}":"{last}")'
    got = scenes.get(**asked)
    wanted = scenes.full.isel(t=slice(*t), y=slice(*y), x=slice(*x)).sel(bands=fields)
    assert got.dims == wanted.dims
    np.testing.assert_array_equal(got.values, wanted.values)
    np.testing.assert_array_equal(got.x, wanted.x)
    np.testing.assert_array_equal(got.t, wanted.t)


@pytest.mark.slow
@SLOW_ENOUGH
@given(
    west=st.integers(-180, 179),
    width=st.integers(1, 359),
    south=st.integers(-90, 89),
    height=st.integers(1, 180),
)
def test_any_part_of_the_world_goes_on_across_the_antimeridian(world, west, width, south, height):
    north = min(90, south + height)
    east = west + width
    lon = np.arange(-175, 180 + 360, 10)
    met = (lon - 5 < east) & (lon + 5 > west)
    columns = [int((v + 175) // 10 % 36) for v in lon[met]][:36]
    lat = np.arange(85, -90, -10)
    rows = (lat - 5 < north) & (lat + 5 > south)
    wrapped = east - 360 if east > 180 else east
    got = world.get(bbox=f"{west},{south},{wrapped},{north}", datetime="2022-06-02/2022-06-02")
    wanted = world.full.isel(t=[1], y=rows)
    if len(set(columns)) == 36:  # all around: as the data are
        assert sorted(got.values.ravel()) == sorted(wanted.values.ravel())
        return
    np.testing.assert_array_equal(got.values, wanted.isel(x=columns).values)
    np.testing.assert_array_equal(np.diff(got.x), 10)


@SLOW_ENOUGH
@given(
    x=st.tuples(st.integers(0, 30), st.integers(34, 64)), y=st.tuples(st.integers(0, 30), st.integers(34, 64)),
    columns=st.integers(17, 40), rows=st.integers(17, 40), field=st.sampled_from(["B04", "SCL"]),
)  # fmt: skip
def test_scaled_is_resampled(scenes, x, y, columns, rows, field):
    east, north = scenes.domain.axis("x"), scenes.domain.axis("y")
    subset = f"E({east.low + 10 * x[0]}:{east.low + 10 * x[1]}),N({north.high - 10 * y[1]}:{north.high - 10 * y[0]})"
    got = scenes.get(subset=subset, properties=field, scale_size=f"E({columns}),N({rows})")
    part = scenes.full.isel(y=slice(*y), x=slice(*x)).sel(bands=[field])
    steps = [(x[1] - x[0]) * 10 / columns, (y[1] - y[0]) * 10 / rows]
    method = "near" if field == "SCL" else "average" if min(steps) >= 10 and max(steps) > 10 else "bilinear"
    if (x[1] - x[0], y[1] - y[0]) == (columns, rows):
        wanted = part
    else:
        wanted = resample_spatial(part, resolution=steps, method=method)
    assert got.shape[-2:] == (rows, columns)
    np.testing.assert_array_equal(got.values, np.asarray(wanted.values))


@pytest.mark.parametrize("factor", [4, 8, 16])
def test_what_is_much_coarser_is_the_mean_of_overviews(scenes, factor):
    """These have no overviews: then every so-manieth cell is taken, and they are near the mean of all."""
    got = scenes.get(properties="B04", scale_factor=str(factor))
    assert got.shape[-2:] == (64 // factor, 64 // factor)
    methods = [
        node["arguments"]["method"]
        for node in scenes.plan(properties="B04", scale_factor=str(factor)).process["process_graph"].values()
        if node["process_id"] == "resample_spatial"
    ]
    assert methods == ["near", "average"]
    whole = scenes.full.sel(bands=["B04"]).astype(float)
    assert abs(float(got.astype(float).mean()) / float(whole.mean()) - 1) < 0.1


@pytest.mark.parametrize(
    ("asked", "value"),
    [({"scale_factor": "2"}, 2), ({"scale_factor": "4"}, 1), ({"scale_factor": "16"}, 1), ({"scale_size": "E(20),N(20)"}, 1),
     ({"scale_factor": "8", "crs": "3857", "bbox": "9.004,45.135,9.028,45.151"}, 1), ({"scale_factor": "2", "crs": "3857", "bbox": "9.004,45.135,9.028,45.151"}, 2),
     ({"scale_factor": "8", "subset": "E(500000:501280),N(4998720:5000000)"}, 1), ({}, 2)],
)  # fmt: skip
def test_what_is_much_coarser_is_read_from_overviews(steps, asked, value):
    assert set(np.unique(steps.get(**asked)).tolist()) == {value}


@pytest.mark.slow
@pytest.mark.parametrize("factor", ["0.5", "2", "3", "5", "8"])
@pytest.mark.parametrize("crs", ["EPSG:32632", "EPSG:3857", "EPSG:4326"])
def test_classes_stay_classes_beside_means(scenes, factor, crs):
    """`Coverage.get` holds the grid against the one that was foretold."""
    got = scenes.get(properties="SCL,B04,B02", crs=crs, scale_factor=factor, datetime="2022-06-02/2022-06-02")
    assert got.bands.values.tolist() == ["SCL", "B04", "B02"]
    classes = set(np.unique(got.sel(bands="SCL")).tolist())
    assert classes <= {0, *np.unique(scenes.full.sel(bands="SCL")).tolist()}
    assert float((got.sel(bands="B04") > 0).mean()) > 0.8  # the corners of a turned square are empty


@pytest.mark.slow
@SLOW_ENOUGH
@given(
    crs=st.sampled_from(["EPSG:4326", "OGC:CRS84", "EPSG:3857", "EPSG:3035", "EPSG:32633", "EPSG:31287"]),
    x=st.tuples(st.integers(0, 24), st.integers(40, 64)), y=st.tuples(st.integers(0, 24), st.integers(40, 64)),
)  # fmt: skip
def test_cells_in_any_reference_system_are_those_of_the_source_at_their_places(scenes, crs, x, y):
    """Classes are taken by the nearest cell: back in the system of the data each centre lies in a cell of its class."""
    east, north = scenes.domain.axis("x"), scenes.domain.axis("y")
    subset = f"E({east.low + 10 * x[0]}:{east.low + 10 * x[1]}),N({north.high - 10 * y[1]}:{north.high - 10 * y[0]})"
    got = scenes.get(subset=subset, crs=crs, properties="SCL", datetime="2022-06-17/2022-06-17")[0, 0]
    target = pyproj.CRS.from_user_input(crs)
    back = pyproj.Transformer.from_crs(target, 32632, always_xy=True)
    columns, rows = np.meshgrid(got.x.values, got.y.values)
    ex, ny = back.transform(columns, rows)
    column, row = np.floor((ex - east.low) / 10).astype(int), np.floor((north.high - ny) / 10).astype(int)
    inside = (column >= 0) & (column < 64) & (row >= 0) & (row < 64)
    source = scenes.full.sel(bands="SCL").isel(t=4).values[row.clip(0, 63), column.clip(0, 63)]
    filled = inside & (got.values != 0)
    assert filled.mean() > 0.5
    assert (got.values == source)[filled].mean() > 0.97  # at edges of cells another one may be the nearest


@pytest.mark.slow
@SLOW_ENOUGH
@given(
    first=st.integers(-40, 260), last=st.integers(-40, 260), hour=st.integers(0, 23), way=st.sampled_from(["datetime", "subset"]),
    ends=st.sampled_from(["both", "first", "last"]),
)  # fmt: skip
def test_an_interval_keeps_the_moments_inside(scenes, first, last, hour, way, ends):
    """Both ends belong to it."""
    start = datetime(2022, 4, 1, tzinfo=UTC)
    low, high = (start + timedelta(days=min(first, last), hours=hour), start + timedelta(days=max(first, last), hours=hour))  # fmt: skip
    texts = [f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in (low, high)]
    if way == "datetime":
        asked = {
            "datetime": {"both": "/".join(texts), "first": f"{texts[0]}/..", "last": f"../{texts[1]}"}[ends]
        }
    else:
        span = {"both": f'"{texts[0]}":"{texts[1]}"', "first": f"{texts[0]}:*", "last": f"*:{texts[1]}"}[ends]
        asked = {"subset": f"time({span})"}
    labels = scenes.domain.axis("time").labels
    wanted = [
        label
        for label in labels
        if (ends == "last" or label >= texts[0]) and (ends == "first" or label <= texts[1])
    ]
    made = scenes.plan(**asked)
    if not wanted:
        assert made is None
        return
    assert list(made.domain.axis("time").labels) == wanted
    assert list(domain_of(scenes.engine.lazy(made.process)).axis("time").labels) == wanted


@given(place=st.integers(0, 11), minutes=st.integers(-1500, 1500))
def test_an_instant_is_the_nearest_moment_up_to_half_a_day_away(scenes, place, minutes):
    label = scenes.domain.axis("time").labels[place]
    moment = datetime.fromisoformat(label) + timedelta(minutes=minutes)
    made = scenes.plan(datetime=f"{moment:%Y-%m-%dT%H:%M:%SZ}")
    if abs(minutes) > 12 * 60:
        assert made is None
    else:
        assert made.domain.axis("time") is None
        assert made.domain.times == (label, label)
