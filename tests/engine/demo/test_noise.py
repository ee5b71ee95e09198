"""The raw material against numpy and shapely: distances, tiles, spectra, repeatable chance."""

import numpy as np
import pytest
from shapely import LineString, Point

from engine.demo.noise import fractal, near, scatter, smoothstep, soften, stream, tiles


def test_chance_belongs_to_seed_and_purpose():
    first = stream(1, "river").random(4)
    assert np.array_equal(first, stream(1, "river").random(4))
    assert not np.array_equal(first, stream(1, "lake").random(4))
    assert not np.array_equal(first, stream(2, "river").random(4))


@pytest.mark.parametrize("size", [64, 129, 300])
def test_fractal_noise_is_standardised(size):
    field = fractal(stream(3, "x"), size, 20)
    assert field.shape == (size, size)
    assert field.dtype == np.float32
    assert abs(float(field.mean())) < 1e-4
    assert float(field.std()) == pytest.approx(1, abs=1e-3)


def test_steeper_noise_is_smoother():
    rough, soft = (fractal(stream(3, "x"), 256, 20, steepness=s) for s in (2, 4))
    assert np.abs(np.diff(soft)).mean() < 0.5 * np.abs(np.diff(rough)).mean()


def test_stretched_noise_is_longer_along_its_angle():
    field = fractal(stream(3, "x"), 256, 10, stretch=6, angle=0)
    assert np.abs(np.diff(field, axis=1)).mean() < 0.5 * np.abs(np.diff(field, axis=0)).mean()


def test_distance_to_a_path_is_shapelys():
    line = LineString([(2.2, 3.1), (20.5, 14.0), (11.0, 27.3)])
    points = np.array([line.interpolate(d).coords[0] for d in np.linspace(0, line.length, 1000)])
    got = near(points, 30, 6)
    want = np.array([[line.distance(Point(x + 0.5, y + 0.5)) for x in range(30)] for y in range(30)])
    inside = want < 5
    assert np.allclose(got[inside], want[inside], atol=0.03)
    assert np.all(got <= 6)
    assert (got == 6).any()


def test_each_place_lies_in_the_tile_of_its_nearest_centre():
    y, x = np.mgrid[0:60, 0:60].astype(np.float32)
    tile, centres, rim = tiles(stream(4, "x"), x, y, 12)
    far = np.hypot(x[..., None] - centres[:, 0], y[..., None] - centres[:, 1])
    assert (far.argmin(axis=-1) == tile).mean() > 0.995
    two = np.sort(far, axis=-1)[..., :2]
    assert np.quantile(np.abs(rim - (two[..., 1] - two[..., 0]) / 2), 0.99) < 0.01


def test_scattered_numbers_are_even_and_repeatable():
    y, x = np.mgrid[-100:100, -100:100]
    numbers = scatter(y, x, salt=5)
    assert np.array_equal(numbers, scatter(y, x, salt=5))
    assert not np.array_equal(numbers, scatter(y, x, salt=6))
    counts = np.histogram(numbers, bins=10, range=(0, 1))[0]
    assert counts.sum() == numbers.size
    assert np.all(np.abs(counts / numbers.size - 0.1) < 0.01)
    assert abs(np.corrcoef(numbers[:, 1:].ravel(), numbers[:, :-1].ravel())[0, 1]) < 0.02
    assert abs(np.corrcoef(numbers[1:].ravel(), numbers[:-1].ravel())[0, 1]) < 0.02


def test_softening_keeps_the_light_and_a_plain_stays_plain():
    spot = np.zeros((9, 9), np.float32)
    spot[4, 4] = 1
    soft = soften(spot, 0.8)
    assert soft.sum() == pytest.approx(1, abs=1e-6)
    assert soft[4, 4] == pytest.approx((1 - 0.4) ** 2, abs=1e-6)
    assert np.allclose(soften(np.full((5, 7), 3, np.float32), 0.8), 3)


def test_smoothstep_ends_flat():
    x = np.array([-1, 0, 0.5, 1, 2], np.float32)
    assert np.allclose(smoothstep(0, 1, x), [0, 0, 0.5, 1, 1])
