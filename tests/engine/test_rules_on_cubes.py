"""What the rules make of a graph gives the same cube, and reads less for it."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime

import numpy as np
import pystac
import pytest
import rasterio
import xarray as xr
from affine import Affine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rasterio.warp import transform_bounds

import engine
from engine.errors import Problem
from engine.plan.rules import RULES, simplified
from engine.plan.rules.narrow import narrow
from engine.plan.rules.push_filters import push_filters
from engine.plan.rules.spare_bands import spare_bands
from engine.plan.rules.spare_cells import spare_cells
from tests.end_to_end.graphs import node, ref

WEST, NORTH, EDGE = 600_000, 5_600_000, 160
"""Corner and width of a tile, metres of UTM zone 32."""
CALM = {"B04": ("uint16", 10, "red"), "B08": ("uint16", 10, "nir"), "SCL": ("uint8", 20, None)}
ODD = {"small": ("uint8", 10, None), "wide": ("int16", 10, None)}


def item(folder, name, when, bands=CALM, column=0, crs=32632, west=WEST):
    """An item of small files with cells that are all different."""
    left = west + column * EDGE
    bounds = (left, NORTH - EDGE, left + EDGE, NORTH)
    w, s, e, n = transform_bounds(f"EPSG:{crs}", "EPSG:4326", *bounds)
    ring = [[w, s], [e, s], [e, n], [w, n], [w, s]]
    made = pystac.Item(
        name,
        {"type": "Polygon", "coordinates": [ring]},
        [w, s, e, n],
        datetime.fromisoformat(when).replace(tzinfo=UTC),
        {"proj:code": f"EPSG:{crs}"},
    )
    for number, (band, (dtype, cell, common)) in enumerate(bands.items()):
        size = EDGE // cell
        cells = np.random.default_rng([len(name), sum(map(ord, name)), number]).integers(1, 120, (size, size))
        cells[0, 0] = 0
        path = folder / f"{name}_{band}.tif"
        grid = Affine(cell, 0, left, 0, -cell, NORTH)
        with rasterio.open(path, "w", driver="GTiff", width=size, height=size, count=1, dtype=dtype, nodata=0,
                           crs=f"EPSG:{crs}", transform=grid) as file:  # fmt: skip
            file.write(cells.astype(dtype), 1)
        told = {
            "name": band,
            "data_type": dtype,
            "nodata": 0,
            **({"eo:common_name": common} if common else {}),
        }
        fields = {"bands": [told], "proj:shape": [size, size], "proj:transform": list(grid)[:6]}
        asset = pystac.Asset(str(path), media_type=pystac.MediaType.COG, roles=["data"], extra_fields=fields)
        made.add_asset(band, asset)
    return made


def collection(id_, items):
    box = [min(i.bbox[0] for i in items), min(i.bbox[1] for i in items),
           max(i.bbox[2] for i in items), max(i.bbox[3] for i in items)]  # fmt: skip
    times = [i.datetime for i in items]
    extent = pystac.Extent(pystac.SpatialExtent([box]), pystac.TemporalExtent([[min(times), max(times)]]))
    made = pystac.Collection(id_, id_, extent, license="CC0-1.0")
    made.add_items(items)
    return made


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """Collections that are all alike, and such as are not."""
    home = tmp_path_factory.mktemp("home")
    days = ("2022-06-01T10:00", "2022-06-11T10:00", "2022-06-21T10:00", "2022-07-01T10:00")
    catalog = pystac.Catalog("tests", "Collections for rules.")
    catalog.add_children(
        [
            collection("calm", [item(home, f"calm{i}", day) for i, day in enumerate(days)]),
            collection("odd", [item(home, f"odd{i}", day, ODD) for i, day in enumerate(days)]),
            collection(
                "patchy",
                [item(home, f"patchy{i}", day, column=i % 2) for i, day in enumerate(days)]
                + [item(home, "late", "2022-06-21T10:05", column=1)],
            ),
            collection(
                "zones",
                [item(home, f"zone{i}", day) for i, day in enumerate(days)]
                + [item(home, "beyond", "2022-06-11T10:00", crs=32633, west=174_000)],
            ),
        ]
    )
    catalog.normalize_hrefs(str(home / "stac"))
    catalog.save(catalog_type=pystac.CatalogType.SELF_CONTAINED)
    with engine.open(home / "stac/catalog.json", home=home / "gdc") as opened:
        yield opened


def load(id_="calm", **args):
    return node("load_collection", id=id_, **{"spatial_extent": None, "temporal_extent": None, **args})


def box(left, top, right, bottom, cell=10):
    """A box around cells, counted from the corner of the first tile."""
    return {"west": WEST + cell * left, "east": WEST + cell * right, "north": NORTH - cell * top,
            "south": NORTH - cell * bottom, "crs": 32632}  # fmt: skip


def graph_of(*steps, source=None):
    """A chain of processes after a load; the last one is the result."""
    nodes = {"load": source or load()}
    last = "load"
    for number, (process, args) in enumerate(steps):
        nodes[f"n{number}"] = node(process, **{"data": ref(last), **args})
        last = f"n{number}"
    nodes[last]["result"] = True
    return nodes


def child(id_, /, **args):
    return {"process_graph": {"c": node(id_, result=True, **args)}}


X, DATA, VALUE = ({"from_parameter": name} for name in ("x", "data", "value"))


@contextmanager
def without(*rules):
    """Leave rules out."""
    left = tuple(rule for rule in RULES if rule not in rules)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.service.simplified", lambda graph, around: simplified(graph, around, left))
        yield


def outcome(session, graph):
    """The cube in memory, or what went wrong."""
    try:
        cube = session.run(graph)
        cube = cube.compute(scheduler="synchronous") if isinstance(cube, xr.DataArray) else cube
    except Problem as problem:
        return problem
    if "spatial_ref" in cube.coords:  # a selection leaves the corner of the grid there where it was
        cube.coords["spatial_ref"].attrs.pop("GeoTransform", None)
    return cube


def same(session, graph):
    """Run a graph with and without the rules that move filters; it has to give the same."""
    ours = outcome(session, graph)
    with without(push_filters, narrow, spare_cells, spare_bands):
        plain = outcome(session, graph)
    if isinstance(plain, Problem):
        assert isinstance(ours, Problem)
        assert (ours.code, ours.message, ours.pointer) == (plain.code, plain.message, plain.pointer)
        return ours
    assert not isinstance(ours, Problem), ours
    assert ours.dtype == plain.dtype
    xr.testing.assert_identical(ours, plain)
    return ours


def reads(session, graph):
    """Items, files and bytes that are read."""
    (read,) = session.explain(graph).reads
    return read.items, read.assets, read.bytes


# ------------------------------------------------------------------------------------------- counts
def test_filters_at_the_end_read_as_little_as_extents(session):
    """The whole: 4 items of 2 bands of 16 x 16 cells in 2 bytes and one of 8 x 8 cells in 1."""
    graph = graph_of(
        ("apply", {"process": child("multiply", x=X, y=2)}),
        ("reduce_dimension", {"reducer": child("max", data=DATA), "dimension": "t"}),
        ("filter_bands", {"bands": ["red"]}),
        ("filter_bbox", {"extent": box(4, 4, 12, 10)}),
    )
    with without(push_filters, narrow, spare_cells, spare_bands):
        assert reads(session, graph) == (4, 12, 4 * (2 * 16 * 16 * 2 + 8 * 8))
    assert reads(session, graph) == (4, 4, 4 * 8 * 6 * 2)
    assert same(session, graph).shape == (1, 6, 8)


def test_dates_are_left_out(session):
    graph = graph_of(("ndvi", {}), ("filter_temporal", {"extent": ["2022-06-10", "2022-06-30"]}))
    assert reads(session, graph) == (2, 4, 2 * 2 * 16 * 16 * 2)
    assert same(session, graph).sizes["t"] == 2


def test_a_masked_composite_reads_the_bands_that_it_needs(session):
    element = child("array_element", data=DATA, label="SCL")
    nodes = {
        "load": load(),
        "scl": node("reduce_dimension", data=ref("load"), reducer=element, dimension="bands"),
        "marks": node("apply", data=ref("scl"), process=child("gt", x=X, y=60)),
        "clear": node("mask", data=ref("load"), mask=ref("marks")),
        "red": node("reduce_dimension", data=ref("clear"), dimension="bands",
                    reducer=child("array_element", data=DATA, label="B04")),
        "best": node("reduce_dimension", data=ref("red"), reducer=child("median", data=DATA), dimension="t"),
        "box": node("filter_bbox", data=ref("best"), extent=box(2, 2, 10, 10), result=True),
    }  # fmt: skip
    assert reads(session, nodes) == (4, 8, 4 * (8 * 8 * 2 + 4 * 4))
    assert same(session, nodes).shape == (8, 8)


def polygon(left, top, right, bottom):
    """A triangle over cells, in the CRS of the tiles."""
    b = box(left, top, right, bottom)
    ring = [
        [b["west"], b["south"]],
        [b["east"], b["south"]],
        [b["east"], b["north"]],
        [b["west"], b["south"]],
    ]
    crs = {"type": "name", "properties": {"name": "EPSG:32632"}}
    return {"type": "Polygon", "crs": crs, "coordinates": [ring]}


def test_cells_far_from_all_polygons_are_left_out(session):
    graph = graph_of(
        ("reduce_dimension", {"reducer": child("max", data=DATA), "dimension": "t"}),
        ("aggregate_spatial", {"geometries": polygon(4, 4, 8, 8), "reducer": child("mean", data=DATA)}),
    )
    with without(push_filters, narrow, spare_cells, spare_bands):
        assert reads(session, graph) == (4, 12, 4 * (2 * 16 * 16 * 2 + 8 * 8))
    assert reads(session, graph) == (4, 12, 4 * (2 * 6 * 6 * 2 + 3 * 3))
    same(session, graph)


def test_a_window_over_cells_reads_as_far_as_it_reaches(session):
    graph = graph_of(
        ("apply_kernel", {"kernel": [[1, 2, 1], [2, 5, 2], [1, 2, 1]]}), ("filter_bbox", {"extent": box(6, 6, 10, 10)})
    )  # fmt: skip
    assert reads(session, graph) == (4, 12, 4 * (2 * 8 * 8 * 2 + 4 * 4))
    assert same(session, graph).sizes["x"] == 4


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    places=st.tuples(*[st.integers(0, 15)] * 4),
    kernels=st.lists(
        st.tuples(st.sampled_from((1, 3, 5)), st.sampled_from((1, 3)), st.sampled_from((0, 7, "replicate", "reflect", "reflect_pixel", "wrap"))),
        max_size=2,
    ),
    end=st.sampled_from(("box", "polygon", "zone")),
    source=st.sampled_from(("calm", "patchy")),
)  # fmt: skip
def test_an_area_at_the_end_gives_the_same_whatever_is_loaded(session, places, kernels, end, source):
    left, right = sorted((places[0], places[1] + 1))
    top, bottom = sorted((places[2], places[3] + 1))
    steps = [
        (
            "apply_kernel",
            {"kernel": [[1 + i + j for j in range(wide)] for i in range(tall)], "border": border},
        )
        for tall, wide, border in kernels
    ]
    last = {
        "box": ("filter_bbox", {"extent": box(left, top, right, bottom)}),
        "polygon": ("filter_spatial", {"geometries": polygon(left, top, right, bottom)}),
        "zone": ("aggregate_spatial", {"geometries": polygon(left, top, right, bottom), "reducer": child("mean", data=DATA)}),
    }  # fmt: skip
    same(session, graph_of(*steps, last[end], source=load(source)))


def test_before_and_after_are_told(session):
    graph = graph_of(("ndvi", {}), ("filter_temporal", {"extent": ["2022-06-10", "2022-06-30"]}))
    told = session.explain(graph)
    assert (
        told.before.splitlines()[-1] == "n1 = filter_temporal(data=n0, extent=['2022-06-10', '2022-06-30'])"
    )
    assert told.after == (
        "load = load_collection(id='calm', spatial_extent=None, temporal_extent=['2022-06-10', '2022-06-30'], "
        "bands=['nir', 'red'])\nn0 = ndvi(data=load)"
    )
    assert told.json()["after"] == told.after
    assert told.result.node == "n0"


# ---------------------------------------------------------------------- where a load of less is another
def narrowed(session, graph):
    """Has the load other arguments than it came with?"""
    prepared = session.prepare(graph)
    return prepared.graph["load"].args != prepared.given["load"].args


TILE = ("filter_bbox", {"extent": box(0, 0, 16, 16)})


@pytest.mark.parametrize(
    ("steps", "source"),
    [
        pytest.param([TILE], load("patchy"), id="dates of the other tile would be missing"),
        pytest.param([("filter_temporal", {"extent": ["2022-06-21T10:02:00Z", None]})], load("patchy"),
                     id="a date would be made of its second scene alone"),
        pytest.param([("filter_temporal", {"extent": [None, "2022-06-21T10:02:00Z"]})], load("patchy"),
                     id="a date would lack its second scene, and its label does not tell"),
        pytest.param([("filter_temporal", {"extent": ["2022-06-01", "2022-06-05"]})], load("patchy"),
                     id="the ground of the other tile would be missing"),
        pytest.param([("filter_bbox", {"extent": {"west": 10.37, "south": 50.4, "east": 10.42, "north": 50.6}})],
                     load("zones"), id="the grid would be that of another zone"),
        pytest.param([("filter_bands", {"bands": ["SCL"]})], load(), id="the grid would be coarser"),
        pytest.param([("filter_bands", {"bands": ["small"]})], load("odd"), id="the type would be smaller"),
        pytest.param([("filter_temporal", {"extent": ["2023-01-01", "2024-01-01"]})], load(),
                     id="an empty cube would be an error"),
        pytest.param([("filter_temporal", {"extent": ["2022-06-05", "2022-06-06"]})], load(),
                     id="an empty cube between the dates, too"),
        pytest.param([("filter_bbox", {"extent": box(100, 0, 116, 16)})], load(), id="and one beside the tile"),
        pytest.param([("filter_bands", {"bands": ["B99"]})], load(), id="a band that is not there"),
        pytest.param([("filter_bbox", {"extent": {**box(0, 0, 4, 4), "south": NORTH + 100}})], load(),
                     id="a box upside down"),
    ],
)  # fmt: skip
def test_then_the_filter_stays(session, steps, source):
    graph = graph_of(*steps, source=source)
    with without(spare_cells):  # which may leave out what is more than a cell away from a box
        assert not narrowed(session, graph)
    assert steps[0][0] in {n.process for n in session.prepare(graph).graph.nodes.values()}
    same(session, graph)


def test_what_stays_behind_the_load_is_still_below_the_rest(session):
    graph = graph_of(("ndvi", {}), TILE, source=load("patchy", bands=["B04", "B08"]))
    assert list(session.prepare(graph).graph) == ["load", "n1", "n0"]
    assert same(session, graph).sizes["t"] == 4


def test_extents_of_the_load_and_filters_are_put_together(session):
    source = load(
        spatial_extent=box(0, 0, 10, 10), temporal_extent=["2022-06-05", None], bands=["B08", "SCL", "B04"]
    )
    graph = graph_of(
        ("filter_bbox", {"extent": box(4, 4, 16, 16)}),
        ("filter_temporal", {"extent": [None, "2022-07-01"]}),
        ("filter_bands", {"bands": ["B04", "nir"]}),
        source=source,
    )
    assert narrowed(session, graph)
    assert reads(session, graph) == (2, 4, 2 * 2 * 6 * 6 * 2)
    assert same(session, graph).bands.values.tolist() == ["B04", "B08"]


def test_parameters_have_their_values(session):
    graph = graph_of(("filter_temporal", {"extent": {"from_parameter": "time"}}))
    prepared = session.prepare(graph, {"time": ["2022-06-05", None]})
    assert prepared.graph["load"].args["temporal_extent"] == ["2022-06-05", None]
    assert session.run(graph, {"time": ["2022-06-05", None]}).sizes["t"] == 3


def test_servers_elsewhere_are_not_searched_as_a_whole(session, monkeypatch):
    monkeypatch.setattr("engine.execute.world.open_stac", lambda *_: pytest.fail("it was asked"))
    source = node("load_stac", url="https://stac.example.org/collections/all")
    graph = session.prepare(graph_of(("ndvi", {}), TILE, source=source)).graph
    assert list(graph) == ["load", "n1", "n0"]


# ------------------------------------------------------------------------------------- random graphs
@st.composite
def random_graphs(draw):
    """A load and some processes over it, that mix this and that, with filters anywhere between."""
    id_ = draw(st.sampled_from(["calm", "calm", "patchy", "zones"]))
    walk = Walk(draw, {"load": load(id_)}, "load")
    for _ in range(draw(st.integers(1, 6))):
        draw(st.sampled_from(STEPS))(walk)
    if walk.last == "load":
        filter_temporal(walk)
    walk.nodes[walk.last]["result"] = True
    return walk.nodes


class Walk:
    """A graph while it is drawn, and the dimensions that its last cube has."""

    def __init__(self, draw, nodes, last):
        self.draw, self.nodes, self.last = draw, nodes, last
        self.dims = {"t", "bands", "y", "x"}
        self.bands = ["B04", "B08", "SCL"]
        self.dates = True

    def step(self, id_, /, **args):
        name = f"n{len(self.nodes)}"
        self.nodes[name] = node(id_, data=ref(self.last), **args)
        self.last = name


def needs(*dims):
    def mark(step):
        return lambda walk: step(walk) if set(dims) <= walk.dims else None

    return mark


@needs("t")
def filter_temporal(walk):
    if walk.dates:
        ends = st.sampled_from(
            ["2022-06-01", "2022-06-11", "2022-06-21T10:02:00Z", "2022-07-01T10:00:00Z", "2022-08-01"]
        )
        start, end = sorted(walk.draw(st.lists(ends, min_size=2, max_size=2, unique=True)))
        extent = walk.draw(st.sampled_from([[start, end], [start, None], [None, end]]))
        walk.step("filter_temporal", extent=extent)


@needs("x", "y")
def filter_bbox(walk):
    edge = st.integers(0, 16)
    left, right, top, bottom = (walk.draw(edge) for _ in range(4))
    west, north = min(left, right), min(top, bottom)
    east, south = max(left, right, west + 2), max(top, bottom, north + 2)
    extent = box(west, north, east, south)
    if walk.draw(st.booleans()):
        corners = [extent[k] for k in ("west", "south", "east", "north")]
        degrees = transform_bounds("EPSG:32632", "EPSG:4326", *corners)
        extent = dict(zip(("west", "south", "east", "north"), degrees, strict=True))
    walk.step("filter_bbox", extent=extent)


@needs("bands")
def filter_bands(walk):
    names = walk.draw(st.lists(st.sampled_from(walk.bands), min_size=1, unique=True))
    walk.bands = names
    walk.step("filter_bands", bands=names)


@needs("t")
def filter_labels(walk):
    condition = child("text_contains", data=VALUE, pattern="2022-06")
    walk.step("filter_labels", condition=condition, dimension="t")


def apply(walk):
    walk.step("apply", process=child("add", x=X, y=walk.draw(st.integers(0, 9))))


@needs("x", "y")
def apply_kernel(walk):
    walk.step("apply_kernel", kernel=walk.draw(st.sampled_from([[[1, 2, 1]], [[1], [1], [1]], [[2]]])))


@needs("x", "y")
def windows(walk):
    size = [{"dimension": d, "value": 4 if d in "xy" else 1, "unit": "px"} for d in sorted(walk.dims)]
    body = child("apply", data=DATA, process=child("add", x=X, y=1))
    walk.step("apply_neighborhood", process=body, size=size)


@needs("t")
def reduce_t(walk):
    walk.dims.discard("t")
    walk.step("reduce_dimension", reducer=child(walk.draw(st.sampled_from(["max", "mean", "count", "first"])), data=DATA),
              dimension="t")  # fmt: skip


@needs("bands")
def reduce_bands(walk):
    label = walk.draw(st.sampled_from(walk.bands))
    walk.dims.discard("bands")
    walk.step("reduce_dimension", reducer=child("array_element", data=DATA, label=label), dimension="bands")


@needs("t")
def monthly(walk):
    if walk.dates:
        walk.dates = False
        walk.step("aggregate_temporal_period", period="month", reducer=child("max", data=DATA))


@needs("t")
def sort_t(walk):
    walk.step("apply_dimension", process=child("sort", data=DATA), dimension="t")


@needs("bands")
def ndvi(walk):
    if {"B04", "B08"} <= set(walk.bands):
        walk.dims.discard("bands")
        walk.step("ndvi", nir="B08", red="B04")


@needs("x", "y")
def mask_with_itself(walk):
    data = walk.last
    walk.step("apply", process=child("gt", x=X, y=walk.draw(st.integers(20, 90))))
    if "bands" in walk.dims and walk.draw(st.booleans()):
        walk.step("reduce_dimension", reducer=child("any", data=DATA), dimension="bands")
    marks, walk.last = walk.last, data
    walk.step("mask", mask=ref(marks))


def merge_with_itself(walk):
    other = walk.last
    walk.step("apply", process=child("multiply", x=X, y=2))
    cubes = {
        "cube1": ref(walk.last),
        "cube2": ref(other),
        "overlap_resolver": child("add", x=X, y={"from_parameter": "y"}),
    }
    name = walk.last = f"n{len(walk.nodes)}"
    walk.nodes[name] = node("merge_cubes", **cubes)


FILTERS = [filter_temporal, filter_bbox, filter_bands, filter_labels]
STEPS = [*FILTERS, *FILTERS, apply, apply_kernel, windows, reduce_t, reduce_bands, monthly, sort_t, ndvi,
         mask_with_itself, merge_with_itself]  # fmt: skip


@pytest.mark.slow
@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(graph=random_graphs())
def test_random_graphs_give_the_same(session, graph):
    same(session, graph)


@pytest.mark.slow
@pytest.mark.timeout(1500)
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(graph=random_graphs())
def test_many_random_graphs_give_the_same(session, graph):
    same(session, graph)
