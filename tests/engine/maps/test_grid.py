"""Where tiles lie, and how far around them is loaded."""

from __future__ import annotations

import numpy as np
import pytest

from engine.maps import graph, grid
from engine.maps.model import Look, Place, Portrait

PORTRAIT = Portrait((5.0, 50.0, 6.0, 51.0), 10.0, ("a",), ((0.0, 1.0),))
LOAD = {
    "process_id": "load_collection",
    "arguments": {"id": "S2", "spatial_extent": None, "temporal_extent": None},
}


@pytest.mark.parametrize(
    ("place", "there"),
    [((0, 0, 0), True), ((0, 1, 0), False), ((3, 7, 7), True), ((3, 8, 0), False), ((3, -1, 0), False), ((-1, 0, 0), False), ((24, 0, 0), True), ((25, 0, 0), False)],
)  # fmt: skip
def test_a_zoom_level_has_so_many_tiles(place, there):
    assert grid.exists(Place(*place)) is there


def test_four_tiles_fill_the_one_above_them():
    above = grid.box_of(Place(5, 10, 11))
    parts = [grid.box_of(Place(6, 20 + x, 22 + y)) for y in (0, 1) for x in (0, 1)]
    assert (parts[0].west, parts[0].north) == pytest.approx((above.west, above.north))
    assert (parts[3].east, parts[3].south) == pytest.approx((above.east, above.south))


def test_cells_of_a_tile_lie_on_one_lattice_with_those_of_its_neighbour():
    one, other = grid.lattice(Place(14, 8700, 5798), Look()), grid.lattice(Place(14, 8701, 5798), Look())
    step = np.diff(one.x.values)[0]
    assert other.x.values[0] - one.x.values[-1] == pytest.approx(step)
    assert one.shape == (256, 256)


def test_a_few_cells_around_a_tile_are_loaded_within_the_world():
    place = Place(20, 540000, 355000)
    box, wide = grid.box_of(place), grid.around(place, Look(), PORTRAIT)
    assert wide.east - box.east > 3 * PORTRAIT.cell
    world = grid.box_of(Place(0, 0, 0))
    assert grid.around(Place(0, 0, 0), Look(), PORTRAIT) == world


def test_what_is_saved_is_drawn_and_names_never_clash():
    nodes = {
        "filter_bbox": LOAD,
        "save": {"process_id": "save_result", "arguments": {"data": {"from_node": "filter_bbox"}, "format": "PNG"}, "result": True},
    }  # fmt: skip
    made, parameters = graph.tile({"process_graph": nodes}, Look(bands=("a",)), PORTRAIT, Place(8, 131, 85))
    found = made["process_graph"]
    assert list(found) == ["filter_bbox", "filter_bands", "filter_bbox_", "resample_cube_spatial"]
    assert found["filter_bbox_"]["arguments"]["data"] == {"from_node": "filter_bands"}
    assert [name for name, node in found.items() if node.get("result")] == ["resample_cube_spatial"]
    assert set(parameters) == {graph.CELLS}
    assert nodes["save"]["result"] is True


def test_parameters_are_filled_in_where_a_graph_knows_them():
    load = {
        **LOAD,
        "arguments": {**LOAD["arguments"], "spatial_extent": {"from_parameter": "spatial_extent"}},
    }
    process = {
        "process_graph": {"load": {**load, "result": True}},
        "parameters": [{"name": "zoom", "description": "", "schema": {"type": "integer"}}],
    }
    _, parameters = graph.tile(process, Look(), PORTRAIT, Place(8, 131, 85))
    assert parameters["zoom"] == 8
    assert parameters["spatial_extent"]["crs"] == 3857
    assert "resolution" not in parameters
