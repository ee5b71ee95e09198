"""What is read on a coarser grid is what would have been chosen of it afterwards, and is read for less."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pystac
import pytest
import rasterio
import xarray as xr
from affine import Affine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from odc.geo.geobox import GeoBox
from rasterio.enums import ColorInterp, Resampling

import engine
from engine.load.image import Image
from engine.plan.push_grid import Framed, is_within, push_grid
from processes.cubes.warp import Warped
from tests.end_to_end.graphs import node, ref
from tests.engine.test_rules_on_cubes import CALM, NORTH, WEST, child, collection, item

X, DATA = ({"from_parameter": name} for name in ("x", "data"))
DAYS = ("2022-06-01T10:00", "2022-06-11T10:00", "2022-06-21T10:00")
EDGE = 512
"""Cells along each side of the large scene."""


def large(folder: Path, *, overviews: Resampling | None, **fields: Any) -> pystac.Item:
    """A scene of 512 cells squared, all different, with overviews made so."""
    made = item(folder, "large", DAYS[0], {"B04": ("uint16", 10, "red")})
    path = folder / "large_B04.tif"
    path.unlink()
    cells = np.random.default_rng(5).permutation(np.arange(1, EDGE * EDGE + 1)) % 60_000 + 1
    grid = Affine(10, 0, WEST, 0, -10, NORTH)
    with rasterio.open(path, "w", driver="GTiff", width=EDGE, height=EDGE, count=1, dtype="uint16", nodata=0,
                       crs="EPSG:32632", transform=grid, tiled=True, blockxsize=64, blockysize=64) as file:  # fmt: skip
        file.write(cells.reshape(EDGE, EDGE).astype("uint16"), 1)
        if fields.pop("palette", False):
            file.colorinterp = [ColorInterp.palette]
            file.write_colormap(1, {1: (255, 0, 0)})
        if overviews is not None:
            file.build_overviews([2, 4, 8], overviews)
    asset = made.assets["B04"]
    asset.extra_fields |= {"proj:shape": [EDGE, EDGE], **fields}
    return made


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """Small scenes without overviews."""
    home = tmp_path_factory.mktemp("home")
    catalog = pystac.Catalog("tests", "Collections for grids.")
    catalog.add_children(
        [
            collection("calm", [item(home, f"calm{i}", day) for i, day in enumerate(DAYS)]),
            collection("mosaic", [item(home, f"m{i}", DAYS[i // 2], column=i % 2) for i in range(6)]),
        ]
    )
    catalog.normalize_hrefs(str(home / "stac"))
    catalog.save(catalog_type=pystac.CatalogType.SELF_CONTAINED)
    with engine.open(catalog.self_href, home=home / "gdc") as opened:
        yield opened


def opened(folder: Path, made: pystac.Item) -> Any:
    """An engine that knows one item."""
    catalog = pystac.Catalog("tests", "One scene.")
    catalog.add_child(collection("large", [made]))
    catalog.normalize_hrefs(str(folder / "stac"))
    catalog.save(catalog_type=pystac.CatalogType.SELF_CONTAINED)
    return engine.open(catalog.self_href, home=folder / "gdc")


def chain(*steps: tuple[str, dict[str, Any]], source: str = "calm") -> dict[str, Any]:
    """A load and what is done with it."""
    nodes = {"load": node("load_collection", id=source, spatial_extent=None, temporal_extent=None)}
    last = "load"
    for number, (process, args) in enumerate(steps):
        nodes[f"n{number}"] = node(process, **{"data": ref(last), **args})
        last = f"n{number}"
    nodes[last]["result"] = True
    return nodes


def both(session: Any, graph: dict[str, Any]) -> tuple[xr.DataArray, xr.DataArray, bool]:
    """A graph's cube with the rule and without it, and whether the rule did anything."""
    cube = session.run(graph)
    moved = push_grid(cube.data.recipe) is not cube.data.recipe
    pushed = cube.compute()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.plan.planner.push_grid", lambda recipe: recipe)
        plain = session.run(graph).compute()
    return pushed, plain, moved


def last_warps(cube: xr.DataArray) -> list[Any]:
    """The resamplings that are left in a plan."""
    found, waiting = [], [push_grid(cube.data.recipe)]
    while waiting:
        here = waiting.pop()
        found += [here] if isinstance(here, (Warped, Framed)) else []
        waiting += here.inputs
    return found


LOCAL = (
    ("ndvi", {"nir": "B08", "red": "B04"}),
    ("apply", {"process": child("linear_scale_range", x=X, inputMin=0, inputMax=100)}),
    ("apply", {"process": child("is_nodata", x=X)}),
    ("reduce_dimension", {"dimension": "t", "reducer": child("median", data=DATA)}),
    ("reduce_dimension", {"dimension": "t", "reducer": child("count", data=DATA)}),
    ("reduce_dimension", {"dimension": "bands", "reducer": child("max", data=DATA)}),
    ("filter_bands", {"bands": ["B04", "B08"]}),
    ("filter_temporal", {"extent": ["2022-06-05", "2022-06-30"]}),
    ("mask", {"mask": ref("load")}),
    ("aggregate_temporal_period", {"period": "month", "reducer": child("mean", data=DATA)}),
)
"""Steps that compute each cell of the plane by itself."""


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    steps=st.lists(st.sampled_from(LOCAL), max_size=4),
    resolution=st.sampled_from((20, 30, 40, 70)),
    align=st.sampled_from(("upper-left", "lower-right")),
    source=st.sampled_from(("calm", "mosaic")),
)
def test_the_nearest_cells_are_the_same_before_and_after_steps(session, steps, resolution, align, source):
    graph = chain(*steps, ("resample_spatial", {"resolution": resolution, "align": align}), source=source)
    if session.validate(graph):
        return  # a step needs what one before it has taken away
    pushed, plain, moved = both(session, graph)
    assert moved
    xr.testing.assert_identical(pushed, plain)


def test_a_filter_of_the_plane_in_between_keeps_the_grid_where_it_is(session):
    west = {"west": WEST, "east": WEST + 80, "north": NORTH, "south": NORTH - 100, "crs": 32632}
    graph = chain(
        ("apply", LOCAL[1][1]), ("apply_kernel", {"kernel": [[1]]}), ("filter_bbox", {"extent": west}),
        ("resample_spatial", {"resolution": 30}),
    )  # fmt: skip
    pushed, plain, _ = both(session, graph)
    xr.testing.assert_identical(pushed, plain)


def test_beyond_the_old_grid_there_is_no_data_whatever_a_step_makes_of_that(session):
    gone = {"n": node("is_nodata", x=X), "i": node("if", value=ref("n"), accept=5, reject=1, result=True)}
    there = ("apply", {"process": {"process_graph": gone}})
    graph = chain(there, ("resample_spatial", {"projection": 4326, "resolution": 0.0003}))
    pushed, plain, moved = both(session, graph)
    assert moved
    assert (pushed == pushed.attrs["nodata"]).any()
    xr.testing.assert_identical(pushed, plain)


@pytest.mark.parametrize(
    "steps",
    [
        [("resample_spatial", {"resolution": 40, "method": "average"})],
        [("resample_spatial", {"resolution": 15})],
        [("apply_kernel", {"kernel": [[1, 1, 1]] * 3}), ("resample_spatial", {"resolution": 40})],
        [("resample_spatial", {"projection": 3857})],
    ],
    ids=["means", "hardly coarser", "a window over cells", "as fine"],
)
def test_what_needs_all_cells_gets_them(session, steps):
    cube = session.run(chain(*steps))
    assert push_grid(cube.data.recipe) is cube.data.recipe


def test_one_warp_below_another_is_left_alone(session):
    graph = chain(("resample_spatial", {"resolution": 15}), ("resample_spatial", {"resolution": 60}))
    pushed, plain, _ = both(session, graph)
    xr.testing.assert_identical(pushed, plain)


def read_of(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts the cells that are decoded from now on."""
    counted: list[int] = []
    read = Image._read

    def counting(self: Image, rows: slice, cols: slice) -> np.ndarray:
        found = read(self, rows, cols)
        counted.append(found.size)
        return found

    monkeypatch.setattr(Image, "_read", counting)
    return counted


COARSE = chain(
    ("apply", {"process": child("add", x=X, y=1)}), ("resample_spatial", {"resolution": 40}), source="large"
)


def test_overviews_are_read_where_there_are_some(tmp_path, monkeypatch):
    with opened(tmp_path, large(tmp_path, overviews=Resampling.nearest)) as session:
        cube = session.run(COARSE)
        assert not last_warps(cube)
        counted = read_of(monkeypatch)
        found = cube.compute()
        assert sum(counted) == (EDGE // 4) ** 2
    with rasterio.open(tmp_path / "large_B04.tif", overview_level=1) as file:
        np.testing.assert_array_equal(found.squeeze(), file.read(1) + 1)


def test_the_cost_is_that_of_the_overviews(tmp_path):
    with opened(tmp_path, large(tmp_path, overviews=Resampling.nearest)) as session:
        cost = session.explain(COARSE).cost
    assert cost.bytes_decoded == 2 * (EDGE // 4) ** 2


@pytest.mark.parametrize(
    "told",
    [
        {"classification:classes": [{"value": 1, "name": "one"}]},
        {"bands": [{"name": "B04", "classification:bitfields": [{"offset": 0, "length": 1}]}]},
        {"palette": True},
    ],
    ids=["classes", "bits", "colours"],
)
def test_classes_are_never_read_from_means(tmp_path, monkeypatch, told):
    with opened(tmp_path, large(tmp_path, overviews=Resampling.average, **told)) as session:
        counted = read_of(monkeypatch)
        found = session.run(COARSE).compute()
        assert sum(counted) > (EDGE // 4) ** 2
    with rasterio.open(tmp_path / "large_B04.tif") as file:
        np.testing.assert_array_equal(found.squeeze(), file.read(1)[2::4, 2::4] + 1)


def test_classes_are_read_from_overviews_that_hold_classes(tmp_path, monkeypatch):
    told = {"classification:classes": [{"value": 1, "name": "one"}]}
    with opened(tmp_path, large(tmp_path, overviews=Resampling.nearest, **told)) as session:
        counted = read_of(monkeypatch)
        session.run(COARSE).compute()
        assert sum(counted) == (EDGE // 4) ** 2


def test_blocks_are_those_of_the_new_grid(tmp_path):
    with opened(tmp_path, large(tmp_path, overviews=None)) as session:
        assert session.run(COARSE).data.npartitions == 1


def test_a_grid_is_within_another_where_all_its_centres_are():
    old = GeoBox((100, 100), Affine(10, 0, WEST, 0, -10, NORTH), "EPSG:32632")
    fine = GeoBox((25, 25), Affine(40, 0, WEST, 0, -40, NORTH), "EPSG:32632")
    assert is_within(fine, old)
    assert is_within(fine.pad(0), old)
    assert not is_within(fine.pad(1), old)
    assert not is_within(fine.to_crs("EPSG:4326"), old)


def test_bands_of_all_kinds_are_known(session):
    assert set(session.run(chain()).coords["bands"].values) == set(CALM)
