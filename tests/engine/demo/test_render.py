"""The pixels: greenness plausible for each kind of cover, classes that agree with what is seen."""

import numpy as np
import pytest

from engine.demo.landscape import Landscape
from engine.demo.noise import soften
from engine.demo.render import render
from engine.demo.sky import WEATHER
from engine.demo.terrain import BASIN

CLEAR = (4, 5, 6)
JULY = next(w for w in WEATHER if w.time.month == 7 and w.clouds == 0)
APRIL = next(w for w in WEATHER if w.time.month == 4 and w.clouds == 0)


def inner(mask: np.ndarray) -> np.ndarray:
    """Cells of the mask whose neighbours are of the mask too."""
    return soften(soften(mask.astype(np.float32), 1), 1) > 0.999


def ndvi(pixels) -> np.ndarray:
    red, nir = (pixels.bands[band].astype(np.float32) for band in ("B04", "B08"))
    return (nir - red) / np.where(red > 0, nir + red, np.nan)


def wide(classes: np.ndarray) -> np.ndarray:
    return np.kron(classes, np.ones((2, 2), np.uint8))


@pytest.fixture(scope="module")
def july(landscape: Landscape):
    return render(2022, landscape, JULY)


def test_summer_greenness_of_each_cover(landscape, july):
    green = ndvi(july)
    woods = green[inner(landscape.forest)]
    assert np.all((np.quantile(woods, [0.02, 0.98]) > 0.72) & (np.quantile(woods, [0.02, 0.98]) < 0.92))
    lake = green[landscape.terrain.basin < 0.9]
    assert lake.size > 1000
    assert lake.max() < 0
    assert 0.1 < np.median(green[inner(landscape.town)]) < 0.35
    fields = green[inner(landscape.fields)]
    low, high = np.quantile(fields, [0.05, 0.95])
    assert 0.1 < low < 0.35
    assert 0.75 < high < 0.95


def test_fields_and_broadleaved_woods_follow_the_season(landscape, july):
    april = ndvi(render(2022, landscape, APRIL))
    summer = ndvi(july)
    fields, woods = inner(landscape.fields), inner(landscape.forest)
    assert np.abs(summer - april)[fields].mean() > 0.15
    assert np.corrcoef(summer[fields], april[fields])[0, 1] < 0.6
    assert summer[woods].mean() - april[woods].mean() > 0.1
    assert np.abs(summer - april)[landscape.terrain.basin < 0.9].mean() < 0.1


def test_clear_classes_agree_with_the_ground(landscape, july):
    assert set(np.unique(july.classes)) == set(CLEAR)
    assert july.cloud_cover == 0
    classes = wide(july.classes)
    assert (classes[inner(landscape.forest)] == 4).mean() > 0.98
    assert (classes[landscape.terrain.basin < 0.9] == 6).all()
    assert (classes[~landscape.water] == 6).mean() < 0.02
    assert (classes[inner(landscape.town)] == 5).mean() > 0.5
    assert ndvi(july)[inner(classes == 4)].mean() > 0.6 > 0.35 > ndvi(july)[inner(classes == 5)].mean()


@pytest.mark.parametrize("weather", [w for w in WEATHER if w.clouds > 0.2], ids=lambda w: f"{w.time:%m%d}")
def test_clouds_are_bright_shadows_dark_and_the_rest_unharmed(landscape, weather):
    pixels = render(2022, landscape, weather)
    classes = wide(pixels.classes)
    clear = render(
        2022, landscape, type(weather)(weather.time, 0, 0, weather.haze, weather.wet, weather.edge)
    )
    blue, bare_blue = (p.bands["B02"].astype(np.float32) for p in (pixels, clear))
    nir, bare_nir = (p.bands["B08"].astype(np.float32) for p in (pixels, clear))
    assert np.median(blue[classes == 9]) > 5 * np.median(bare_blue[classes == 9])
    assert (nir[classes == 3] / bare_nir[classes == 3]).mean() < 0.75
    seen = np.isin(classes, CLEAR)
    assert np.median(np.abs(nir - bare_nir)[seen] / bare_nir[seen]) < 0.02
    assert (classes != 0).any()


def test_the_masked_summer_median_has_no_hole_and_no_cloud(landscape, july):
    stack = []
    for weather in WEATHER:
        if 6 <= weather.time.month <= 9:
            pixels = render(2022, landscape, weather)
            masked = np.isin(wide(pixels.classes), (0, 1, 3, 8, 9, 10, 11))
            stack.append(np.where(masked, np.nan, ndvi(pixels)))
    assert len(stack) == 8
    median = np.nanmedian(stack, axis=0)
    assert np.isfinite(median).all()
    woods = inner(landscape.forest)
    assert np.quantile(np.abs(median - ndvi(july))[woods], 0.99) < 0.06
    assert median[landscape.terrain.basin < 0.9].max() < 0
    plain = np.nanmedian([np.where(np.isnan(layer), 0.05, layer) for layer in stack], axis=0)
    assert plain[woods].mean() < median[woods].mean()


def test_digital_numbers_are_in_range(landscape, july):
    for numbers in july.bands.values():
        assert numbers.dtype == np.uint16
        assert numbers.min() > 0
        assert numbers.max() < 10_000
    assert july.classes.dtype == np.uint8
    assert landscape.terrain.basin.max() <= BASIN
