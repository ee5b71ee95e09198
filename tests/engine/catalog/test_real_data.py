"""Real data: what is known of it from elsewhere is what the catalogue says."""

from datetime import UTC, datetime
from pathlib import Path

import pystac
import pytest

from engine.catalog import Query, open_stac
from engine.catalog.folder import item_of
from engine.errors import Problem


def test_landsat_around_new_york(catalog, shared):
    (added,) = catalog.add(shared / "gdalcubes_L8NY18/stac/catalog.json")
    assert (added.collection, added.items_new, added.items_updated) == ("L8NY18", 19, 0)
    items = catalog.search(Query("L8NY18")).items
    assert len(items) == 19
    hrefs = [asset.href for item in items for asset in item.assets.values()]
    assert len(hrefs) == 19 * 12
    assert all(Path(href).is_absolute() and Path(href).exists() for href in hrefs)
    dims = catalog.collection("L8NY18")["cube:dimensions"]
    assert len({value[:10] for value in dims["t"]["values"]}) == 17
    assert len(dims["bands"]["values"]) == 12
    assert dims["x"]["reference_system"] == 32618
    assert "step" not in dims["x"], "grids differ from scene to scene"
    pystac.Collection.from_dict(catalog.collection("L8NY18"))


def test_landsat_searches_agree_with_pystac(catalog, shared):
    path = shared / "gdalcubes_L8NY18/stac/catalog.json"
    catalog.add(path)
    start, end = datetime(2018, 4, 1, tzinfo=UTC), datetime(2018, 10, 1, tzinfo=UTC)
    theirs = [
        i
        for i in pystac.Catalog.from_file(str(path)).get_items(recursive=True)
        if i.datetime and start <= i.datetime < end
    ]
    query = Query("L8NY18", None, start, end, {"landsat:wrs_row": lambda v: v == "031"})
    ours = catalog.search(query)
    assert [i.id for i in ours.items] == [
        i.id
        for i in sorted(theirs, key=lambda i: (i.datetime, i.id))
        if i.properties["landsat:wrs_row"] == "031"
    ]
    assert ours.funnel.time == len(theirs)
    assert open_stac(str(path), query).funnel == ours.funnel


def test_a_scene_over_the_antimeridian(catalog, shared):
    catalog.add(shared / "rio_tiler/cog_dateline.tif", collection="c")
    for box, hits in [
        ((179, 51, 180, 52), 1),
        ((-180, 51, -179, 52), 1),
        ((179.5, 51, -179.5, 52), 1),
        ((-170, 51, 170, 52), 0),
    ]:
        assert len(catalog.search(Query("c", box)).items) == hits, box


def test_a_climate_model_with_days_of_its_own(shared):
    one = item_of(shared / "iris_climate/A1B_north_america.nc", "a")
    assert (one["properties"]["start_datetime"], one["properties"]["end_datetime"]) == (
        "1860-06-01T00:00:00Z",
        "2099-06-01T00:00:00Z",
    )
    assert one["bbox"] == [-135.9375, 14.375, -44.0625, 60.625]
    assert one["cube:dimensions"]["longitude"]["extent"] == [224.0625, 315.9375]


@pytest.mark.parametrize(
    ("name", "says"),
    [("cog_nonearth.tif", "cannot be brought to WGS84"), ("cog_gcps.tif", "only ground control points")],
)
def test_what_cannot_be_placed_names_itself(catalog, shared, name, says):
    with pytest.raises(Problem, match=says) as caught:
        catalog.add(shared / "rio_tiler" / name)
    assert name in caught.value.message
