"""What limits a source: boxes and geometries, empty ones among them."""

from __future__ import annotations

import pytest

from processes import errors
from processes.cubes.sources import bounding_box, load_collection, load_stac
from processes.types import BBox

SQUARE = {"type": "Polygon", "coordinates": [[[11, 46], [12, 46], [12, 47], [11, 47], [11, 46]]]}
EMPTY = {"type": "Polygon", "coordinates": []}


def collection(*geometries):
    features = [{"type": "Feature", "properties": {}, "geometry": g} for g in geometries]
    return {"type": "FeatureCollection", "features": features}


class Asked:
    """A world that must not be asked."""

    def load_collection(self, *_):
        raise AssertionError("a collection was looked for")

    load_stac = load_collection


@pytest.mark.parametrize(
    "extent",
    [SQUARE, collection(SQUARE), collection(None, SQUARE, EMPTY), {"type": "Feature", "geometry": SQUARE}],
)
def test_empty_geometries_count_for_nothing(extent):
    assert bounding_box(extent) == BBox(11, 46, 12, 47, 4326)


@pytest.mark.parametrize("extent", [collection(), collection(None), EMPTY, collection(EMPTY, None)])
def test_nothing_at_all_is_refused_before_anything_is_looked_for(extent):
    for load, where in ((load_collection, "S2"), (load_stac, "https://example.com/catalog.json")):
        with pytest.raises(errors.ProcessParameterInvalid, match="no geometry that is not empty") as caught:
            load(where, extent, None, world=Asked())
        assert caught.value.parameter == "spatial_extent"
        assert "polygon" in caught.value.hint
