"""The sky: the sun where astronomy puts it, shadows opposite the sun, clouds as wished."""

from datetime import UTC, datetime

import numpy as np
import pytest

from engine.demo.sky import LATITUDE, LONGITUDE, WEATHER, make_sky, shading, sun_at


def at_noon(month: int, day: int) -> datetime:
    minute = round((12 - LONGITUDE / 15) * 60)
    return datetime(2022, month, day, minute // 60, minute % 60, tzinfo=UTC)


@pytest.mark.parametrize(("month", "day", "tilt"), [(3, 20, 0), (6, 21, 23.44), (9, 23, 0), (12, 21, -23.44)])
def test_noon_sun_stands_in_the_south_as_high_as_the_season_has_it(month, day, tilt):
    sun = sun_at(at_noon(month, day))
    assert sun.elevation == pytest.approx(90 - LATITUDE + tilt, abs=1)
    assert sun.azimuth == pytest.approx(180, abs=6)


def test_overpasses_meet_the_sun_in_the_southeast():
    for weather in WEATHER:
        sun = sun_at(weather.time)
        assert 140 < sun.azimuth < 175
        assert 28 < sun.elevation < 67


def test_the_year_has_clear_cloudy_and_june_days():
    assert len(WEATHER) == 12
    assert len({weather.time for weather in WEATHER}) == 12
    assert [w.time for w in WEATHER] == sorted(w.time for w in WEATHER)
    assert sum(w.clouds == 0 for w in WEATHER) >= 2
    assert sum(w.clouds > 0.6 for w in WEATHER) >= 1
    assert sum(w.time.month == 6 for w in WEATHER) >= 3
    assert sum(w.edge > 0 for w in WEATHER) == 2


@pytest.mark.slow
def test_shadows_lie_away_from_the_sun():
    weather = WEATHER[4]
    sky = make_sky(7, 256, 0.256, weather)
    cloud, shade = sky.cloud > 0.5, sky.shade > 0.3
    assert cloud.any()
    assert shade.any()
    best = max(
        ((dy, dx) for dy in range(-60, 61) for dx in range(-60, 61)),
        key=lambda move: np.sum(np.roll(cloud, move, (0, 1)) & shade),
    )
    bearing = np.degrees(np.arctan2(best[1], -best[0])) % 360
    assert bearing == pytest.approx((sky.sun.azimuth + 180) % 360, abs=8)


@pytest.mark.parametrize("weather", WEATHER, ids=lambda w: f"{w.time:%m%d}")
def test_clouds_cover_what_was_wished(weather):
    sky = make_sky(7, 200, 0.2, weather)
    assert float((sky.cloud > 0.1).mean()) == pytest.approx(weather.clouds, abs=0.05)
    assert (sky.cirrus.max() > 0) == (weather.cirrus > 0)
    for share in (sky.cloud, sky.shade, sky.cirrus):
        assert 0 <= share.min() <= share.max() <= 1


def test_slopes_that_face_the_sun_are_brighter(landscape):
    sun = sun_at(WEATHER[0].time)
    light = shading(landscape.terrain, sun)
    down, right = np.gradient(landscape.terrain.height)
    steep = landscape.terrain.slope > 15
    south, north = steep & (down < 0), steep & (down > 0)
    assert light[south].mean() > 1 > light[north].mean()
    level = landscape.terrain.slope < 0.3
    assert np.allclose(light[level], 1, atol=0.01)
    assert right.shape == light.shape
