"""The land: valleys that drain, water and towns where they belong, fields of many crops."""

import numpy as np
import pytest

from engine.demo.erosion import carve
from engine.demo.landscape import make_landscape
from engine.demo.noise import fractal, stream
from engine.demo.parcels import Crop
from engine.demo.season import BANDS, CALENDAR, parcel_table, surface_table
from engine.demo.surfaces import Surface


def test_carved_land_has_hardly_a_pit():
    bumps = fractal(stream(1, "x"), 60, 12)
    floor = np.zeros((60, 60), bool)
    floor[:, 50:] = True
    bed = carve(np.where(floor, 0, 50 + 10 * bumps).astype(np.float32), np.full((60, 60), 30.0), floor, 50.0)
    assert np.all(bed[floor] == 0)
    middle = bed[1:-1, 1:-1]
    around = [bed[1 + dy : 59 + dy, 1 + dx : 59 + dx] for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx]
    pits = (middle < np.min(around, axis=0)) & ~floor[1:-1, 1:-1]
    assert pits.sum() <= 3
    assert bed[:, :10].mean() > bed[:, 40:50].mean() > 0


def test_every_cell_has_one_kind_of_cover(landscape):
    kinds = [landscape.water, landscape.forest, landscape.town, landscape.fields]
    assert np.sum(kinds, axis=0).max() == 1
    shares = [float(kind.mean()) for kind in kinds]
    assert all(
        low < share < high
        for share, low, high in zip(shares, (0.02, 0.15, 0.02, 0.4), (0.08, 0.5, 0.1, 0.75), strict=True)
    ), shares
    assert landscape.surface.min() >= 0
    assert landscape.surface.max() < Surface.PARCEL + landscape.parcels.crop.size


def test_water_lies_low_and_level_and_forest_steep(landscape):
    height, slope = landscape.terrain.height, landscape.terrain.slope
    assert np.quantile(slope[landscape.water], 0.95) < 5
    assert height[landscape.water].max() < np.quantile(height, 0.75)
    assert slope[landscape.forest].mean() > 2 * slope[landscape.fields].mean()


def test_the_river_runs_through_from_north_to_south(landscape):
    rows = np.flatnonzero(landscape.water.any(axis=1))
    assert rows.size == landscape.size


def test_every_crop_is_grown_and_shares_are_shares(landscape):
    assert set(landscape.parcels.crop.tolist()) == set(Crop)
    for share in (landscape.road, landscape.hedge):
        assert 0 <= share.min() <= share.max() <= 1


def test_seed_and_size(landscape):
    again, other = make_landscape(5, 96), make_landscape(6, 96)
    assert np.array_equal(again.surface, make_landscape(5, 96).surface)
    assert (again.surface != other.surface).mean() > 0.5
    assert again.size == 96


@pytest.mark.parametrize("crop", list(Crop))
def test_calendars_run_forward_and_cover_no_more_than_the_ground(crop):
    days, *shares = np.array(CALENDAR[crop]).T
    assert np.all(np.diff(days) > 0)
    assert np.all(np.sum(shares, axis=0) <= 1.001)


def test_each_crop_has_its_own_year(landscape):
    parcels = landscape.parcels

    def ndvi(crop: Crop, day: int) -> float:
        table, _ = parcel_table(parcels, day, 0.3)
        red, nir = table[:, BANDS.index("B04")], table[:, BANDS.index("B08")]
        return float(np.median(((nir - red) / (nir + red))[parcels.crop == crop]))

    assert ndvi(Crop.WHEAT, 150) > 0.75
    assert ndvi(Crop.WHEAT, 200) < 0.4
    assert ndvi(Crop.MAIZE, 130) < 0.3
    assert ndvi(Crop.MAIZE, 215) > 0.8
    assert ndvi(Crop.RAPESEED, 122) < ndvi(Crop.RAPESEED, 148) - 0.1


def test_ripe_rapeseed_is_yellow_in_blossom_only(landscape):
    parcels = landscape.parcels

    def yellow(day: int) -> float:
        table, _ = parcel_table(parcels, day, 0.3)
        blue, green, red, _ = table[parcels.crop == Crop.RAPESEED].mean(axis=0)
        return float(min(green, red) - blue)

    assert yellow(122) > 2 * yellow(150)


def test_broadleaved_woods_turn_and_conifers_stay():
    spring, summer, autumn = (surface_table(day) for day in (95, 200, 293))
    red, nir = BANDS.index("B04"), BANDS.index("B08")
    conifer, broadleaved = Surface.FOREST, Surface.PARCEL - 1
    assert summer[broadleaved, nir] > 1.5 * spring[broadleaved, nir]
    assert autumn[broadleaved, red] > 2 * summer[broadleaved, red]
    assert np.allclose(autumn[conifer], summer[conifer], rtol=0.25)
