"""Outlines of grids on the ground, against rasterio and by what is known of the earth."""

import numpy as np
import pytest
import shapely
from pyproj import CRS, Transformer
from rasterio.transform import from_bounds, from_origin
from rasterio.warp import transform_bounds
from shapely.geometry import shape

from engine.catalog.outline import outline
from engine.catalog.projection import epsg_of
from engine.catalog.space import footprint, split, touches


def test_a_scene_lies_where_rasterio_says():
    place = from_origin(399960, 5700000, 10, 10)
    found = outline(CRS.from_epsg(32632), place, (10980, 10980))
    theirs = transform_bounds(
        "EPSG:32632", "EPSG:4326", 399960, 5700000 - 109800, 399960 + 109800, 5700000, densify_pts=100
    )
    np.testing.assert_allclose(found.bbox, theirs, atol=2e-4)
    corners = Transformer.from_crs(32632, 4326, always_xy=True).transform(
        [399960, 509760], [5700000, 5590200]
    )
    for corner in zip(*corners, strict=True):
        assert shape(found.geometry).distance(shapely.Point(corner)) < 1e-4
    assert shape(found.geometry).is_valid


def test_a_rotated_grid_keeps_its_corners():
    place = (17.32, 5.0, 500000.0, 10.0, -8.66, 5000000.0)
    found = shape(outline(CRS.from_epsg(32631), place, (50, 40)).geometry)
    x, y = 500000 + 17.32 * 40 + 5.0 * 50, 5000000 + 10.0 * 40 - 8.66 * 50
    corner = Transformer.from_crs(32631, 4326, always_xy=True).transform(x, y)
    assert found.distance(shapely.Point(corner)) < 1e-6


@pytest.mark.parametrize("epsg", [32601, 32660])
def test_over_the_antimeridian_it_is_split(epsg):
    east = Transformer.from_crs(4326, epsg, always_xy=True).transform(179.0 if epsg == 32660 else -181.0, 10)[
        0
    ]
    found = outline(CRS.from_epsg(epsg), from_origin(east, 1_200_000, 1000, 1000), (200, 300))
    west, _, right, _ = found.bbox
    assert west == pytest.approx(179.0, abs=0.05)
    assert right == pytest.approx(-178.25, abs=0.1)
    parts = shape(found.geometry)
    assert parts.geom_type == "MultiPolygon"
    assert [b for part in parts.geoms for b in part.bounds if abs(b) > 180] == []
    ground = footprint(found.geometry, found.bbox)
    assert ground is not None
    hit = touches([ground.shape] * 3, split((179.5, 9.5, 179.6, 9.6)))
    assert hit.all()
    assert not touches([ground.shape], split((-100, 9, 100, 10)))[0]


@pytest.mark.parametrize(("epsg", "north"), [(3413, True), (3031, False)])
def test_around_a_pole_it_reaches_the_pole(epsg, north):
    found = outline(CRS.from_epsg(epsg), from_bounds(-2e6, -2e6, 2e6, 2e6, 100, 100), (100, 100))
    rim = Transformer.from_crs(epsg, 4326, always_xy=True).transform(2e6, 2e6)[1]
    assert found.bbox == pytest.approx((-180, rim, 180, 90) if north else (-180, -90, 180, rim))


@pytest.mark.parametrize(("west", "epsg"), [(-180, 4326), (0, 4326), (-180.125, 4326), (0, 4267)])
def test_the_whole_earth_is_one_box(west, epsg):
    found = outline(CRS.from_epsg(epsg), from_origin(west, 90.125, 0.25, 0.25), (721, 1440))
    assert found.bbox == pytest.approx((-180, -90, 180, 90), abs=0.01)


def test_longitudes_to_360_come_home():
    found = outline(CRS.from_epsg(4326), from_origin(224, 60, 1, 1), (45, 92))
    assert found.bbox == (-136, 15, -44, 60)
    across = outline(CRS.from_epsg(4326), from_origin(170, 60, 1, 1), (45, 20))
    assert across.bbox == (170, 15, -170, 60)
    ascending = outline(CRS.from_epsg(4326), (1.0, 0.0, 5.0, 0.0, 1.0, 40.0), (10, 10))
    assert ascending.bbox == (5, 40, 15, 50)


def test_a_disk_seen_from_space_is_what_lies_on_the_earth():
    crs = CRS.from_proj4("+proj=geos +h=35786023 +lon_0=-75 +sweep=x +ellps=GRS80")
    west, south, east, north = outline(
        crs, from_bounds(-5.5e6, -5.5e6, 5.5e6, 5.5e6, 500, 500), (500, 500)
    ).bbox
    assert west == pytest.approx(-152, abs=6)
    assert east == pytest.approx(2, abs=6)
    assert (south, north) == (pytest.approx(-79, abs=8), pytest.approx(79, abs=8))


def test_another_planet_is_refused():
    with pytest.raises(ValueError, match="cannot be brought to WGS84"):
        outline(
            CRS.from_wkt(
                'GEOGCS["Europa",DATUM["Europa",SPHEROID["Europa",1560800,0]],PRIMEM["R",0],UNIT["degree",0.0174532925199433]]'
            ),
            (1, 0, 0, 0, -1, 0),
            (5, 5),
        )


def test_epsg_by_meaning_not_by_name():
    renamed = CRS.from_epsg(32615).to_wkt("WKT2_2019").replace("WGS 84 / UTM zone 15N", "Zone 15, north")
    assert epsg_of(CRS.from_wkt(renamed)) == 32615
    assert epsg_of(CRS.from_proj4("+proj=utm +zone=15 +ellps=intl +units=m")) is None
    assert epsg_of(CRS.from_proj4("+proj=laea +lat_0=1 +lon_0=2 +datum=WGS84")) is None
