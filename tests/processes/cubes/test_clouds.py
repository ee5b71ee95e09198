"""Clouds and shadows: against a NumPy twin of the tests, and against the truth of the sample scenes."""

from __future__ import annotations

import sys
from itertools import pairwise
from types import SimpleNamespace

import dask
import dask.array as da
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.demo.landscape import make_landscape
from engine.demo.render import render
from engine.demo.sky import WEATHER, sun_at
from processes import REGISTRY, errors
from processes.cubes.shadows import Walk
from tests.processes.cubes.conftest import make_cube

detect = REGISTRY["cloud_detection"].fn
BANDS = ("B02", "B03", "B04", "B08")
SUN = {"sun_azimuth": 150.0, "sun_elevation": 50.0}
WHITE, LEAF, SOIL, WATER = (0.5, 0.5, 0.5, 0.52), (0.03, 0.06, 0.03, 0.4), (0.08, 0.11, 0.15, 0.25), (0.06, 0.05, 0.03, 0.02)  # fmt: skip


def scene(values, **more):
    """Reflectance (t, bands, y, x) of floats as a cube."""
    return make_cube(np.asarray(values, dtype=np.float32), bands=BANDS, **more)


def plain(colour, shape=(1, 12, 16)):
    """A scene of one colour."""
    return np.broadcast_to(np.array(colour)[None, :, None, None], (shape[0], 4, *shape[1:])).copy()


def band(result, name):
    return result.sel(bands=name).values


@pytest.fixture(scope="module")
def landscape():
    return make_landscape(2022, 160)


def refuse(*args, **kwargs):
    raise AssertionError("a process computed")


# -------------------------------------------------------------------------------------------- clouds
@pytest.mark.parametrize(
    ("colour", "low", "high"), [(WHITE, 0.99, 1), (LEAF, 0, 0), (SOIL, 0, 0), (WATER, 0, 0)]
)
def test_colours_everyone_knows(colour, low, high):
    cloud = band(detect(scene(plain(colour)), None), "cloud")
    assert (cloud >= low).all()
    assert (cloud <= high).all()


def test_thresholds_against_a_twin():
    rng = np.random.default_rng(3)
    values = rng.uniform(0.01, 0.6, (2, 4, 9, 7)).astype(np.float32)
    result = detect(scene(values), None)
    for t, i, j in np.ndindex(2, 9, 7):
        b, g, r, n = map(float, values[t, :, i, j])
        mean = (b + g + r) / 3
        white = (abs(b - mean) + abs(g - mean) + abs(r - mean)) / mean

        def ramp(v, zero, one):
            return min(1.0, max(0.0, (v - zero) / (one - zero)))

        hot = b - r / 2 - 0.08
        sure = min(
            ramp(mean, 0.1, 0.2),
            ramp(white, 0.8, 0.6),
            ramp(hot, -0.02, 0.02),
            ramp((n - r) / (n + r), 0.9, 0.7),
        )
        haze = min(ramp(hot, -0.04, 0), ramp(white, 0.8, 0.6), 1 - sure)
        np.testing.assert_allclose(result.values[t, :, i, j], [sure, haze], atol=2e-5)


def with_more(colour, **more):
    """A cell with more bands, under their common names."""
    values = np.array([*colour, *more.values()], dtype=np.float32)
    cube = make_cube(
        np.broadcast_to(values[None, :, None, None], (1, len(values), 2, 2)).copy(), bands=(*BANDS, *more)
    )
    told = cube.bands.attrs["bands"]
    for entry in told[4:]:
        entry["common_name"] = entry["name"]
    return cube


def test_snow_bright_soil_and_cirrus():
    assert band(detect(with_more(WHITE, swir16=0.4, swir22=0.3), None), "cloud").min() > 0.99
    assert band(detect(with_more(WHITE, swir16=0.05, swir22=0.03), None), "cloud").max() == 0, "snow"
    soil = (0.25, 0.28, 0.3, 0.33)
    assert band(detect(with_more(soil, swir16=0.55), None), "cloud").max() == 0, "bright soil"
    assert band(detect(with_more(LEAF, cirrus=0.05), None), "cloud").min() == 1
    np.testing.assert_allclose(band(detect(with_more(LEAF, cirrus=0.025), None), "cloud"), 0.5, atol=1e-5)
    assert band(detect(with_more(LEAF, cirrus=0.002), None), "cloud").max() == 0


def test_integers_by_metadata_and_by_options():
    stored = make_cube((plain(WHITE) * 1e4 + 1000).astype(np.uint16), bands=BANDS, nodata=0)
    stored.values[0, 2, 3, 4] = 0
    with pytest.raises(
        errors.ProcessParameterInvalid, match="hold uint16, and nothing says what reflectance"
    ):
        detect(stored, None)
    by_option = detect(stored, None, {"scale": 1e-4, "offset": -0.1})
    for entry in stored.bands.attrs["bands"]:
        entry |= {"scale": 1e-4, "offset": -0.1}
    xr.testing.assert_identical(detect(stored, None), by_option)
    assert by_option.dtype == np.float32
    gaps = np.isnan(by_option.values)
    assert gaps[0, :, 3, 4].all()
    assert gaps.sum() == 2


def test_precision_and_recall_on_the_sample_scenes(landscape):
    """Of cells that are called cloud nearly all are; thick clouds are found, thin edges less so."""
    hit = called = thick = thick_found = shade_hit = shade_called = shades = clear_false = clear = 0
    for weather in (w for w in WEATHER if w.cirrus == 0):
        pixels = render(2022, landscape, weather)
        sun = sun_at(weather.time)
        cube = make_cube(np.stack([pixels.bands[b] for b in BANDS])[None], bands=BANDS, nodata=0)
        options = {"scale": 1e-4, "sun_azimuth": sun.azimuth, "sun_elevation": sun.elevation}
        found = detect(cube, None, options)
        truth = np.kron(pixels.classes, np.ones((2, 2), np.uint8))
        cloud, shadow = band(found, "cloud")[0] > 0.5, band(found, "shadow")[0] > 0.5
        any_cloud = np.isin(truth, (7, 8, 9))
        hit, called = hit + (cloud & any_cloud).sum(), called + cloud.sum()
        thick, thick_found = thick + (truth == 9).sum(), thick_found + (cloud & (truth == 9)).sum()
        shade_hit, shade_called = shade_hit + (shadow & (truth == 3)).sum(), shade_called + shadow.sum()
        shades += (truth == 3).sum()
        ground = np.isin(truth, (4, 5, 6))
        clear, clear_false = clear + ground.sum(), clear_false + (cloud & ground).sum()
    figures = (
        hit / called,
        thick_found / thick,
        clear_false / clear,
        shade_hit / shade_called,
        shade_hit / shades,
    )
    assert hit / called > 0.95, figures
    assert thick_found / thick > 0.9, figures
    assert clear_false / clear < 0.01, figures
    assert shade_hit / shade_called > 0.4, figures
    assert shade_hit / shades > 0.25, figures


# ------------------------------------------------------------------------------------------- shadows
def cloud_over(rows=40, columns=50, place=(8, 30)):
    """Dark ground everywhere, and one cloud of 3 x 3 cells."""
    values = plain((0.03, 0.05, 0.03, 0.1), (1, rows, columns))
    values[0, :, place[0] : place[0] + 3, place[1] : place[1] + 3] = np.array(WHITE)[:, None, None]
    return scene(values)


@pytest.mark.parametrize(
    ("azimuth", "down", "right"), [(0, 1, 0), (90, 0, -1), (180, -1, 0), (270, 0, 1), (135, -1, -1)]
)
def test_shadow_lies_away_from_the_sun(azimuth, down, right):
    cube = cloud_over(place=(20, 24))
    height = 100.0  # at 45 degrees: 100 m, 10 cells
    options = {"sun_azimuth": azimuth, "sun_elevation": 45.0, "cloud_height": height}
    shadow = band(detect(cube, None, options), "shadow")[0]
    rows, columns = np.nonzero(shadow > 0.5)
    length = 10 / (np.sqrt(2) if down and right else 1)
    assert abs((rows.mean() - 21) - down * (length / 2 + 0.5)) < 2
    assert abs((columns.mean() - 25) - right * (length / 2 + 0.5)) < 2
    assert max(np.ptp(rows), np.ptp(columns)) <= length + 4
    assert shadow[20:23, 24:27].max() == 0, "a cloud is no shadow"


def test_bright_ground_is_not_shaded():
    values = cloud_over().values
    values[:, 3][values[:, 3] == np.float32(0.1)] = 0.3
    assert band(detect(scene(values), None, SUN), "shadow").max() == 0


def test_no_shadow_without_the_sun_and_an_error_with_half_of_it():
    assert detect(cloud_over(), None).bands.values.tolist() == ["cloud", "haze"]
    with pytest.raises(errors.ProcessParameterInvalid, match="needs the sun elevation, and nothing tells it"):
        detect(cloud_over(), None, {"sun_azimuth": 150})
    with pytest.raises(errors.ProcessParameterInvalid, match="stands 3 degrees high"):
        detect(cloud_over(), None, {"sun_azimuth": 150, "sun_elevation": 3})


def test_sun_from_coordinates_differs_from_time_to_time():
    cube = xr.concat([cloud_over()] * 2, dim="t").assign_coords(t=cloud_over().t.values.repeat(2))
    cube.t.attrs["type"] = "temporal"
    told = cube.assign_coords(
        {"view:sun_azimuth": ("t", [90.0, 180.0]), "view:sun_elevation": ("t", [45.0, 60.0])}
    )
    result = detect(told, None)
    for i, sun in enumerate([(90.0, 45.0), (180.0, 60.0)]):
        alone = detect(cube.isel(t=[i]), None, dict(zip(SUN, sun, strict=True)))
        np.testing.assert_array_equal(result.values[i], alone.values[0])
    listed = detect(cube, None, {"sun_azimuth": [90.0, 180.0], "sun_elevation": [45.0, 60.0]})
    np.testing.assert_array_equal(listed.values, result.values)


@pytest.mark.parametrize("height", [30.0, 250.0, 9000.0])
@pytest.mark.parametrize("chunks", [{"y": 6, "x": 7}, {"y": -1, "x": 10}])
def test_shadows_that_reach_beyond_the_scene(height, chunks):
    options = {**SUN, "sun_elevation": 20.0, "cloud_height": height}
    lazy = detect(cloud_over().chunk(chunks), None, options)
    xr.testing.assert_identical(lazy.compute(), detect(cloud_over(), None, options))


@given(st.floats(-30, 30), st.floats(-30, 30))
@settings(max_examples=50, deadline=None)
def test_a_walk_has_no_gaps(rows, columns):
    steps = [(0, 0), *Walk.of(rows, columns).steps]
    assert all(max(abs(a - c), abs(b - d)) <= 1 for (a, b), (c, d) in pairwise(steps))
    assert max(abs(steps[-1][0] - rows), abs(steps[-1][1] - columns)) <= 0.5


# ------------------------------------------------------------------------------------------- the rest
@pytest.mark.parametrize(
    "chunks", [{"t": 1, "bands": 1, "y": 5, "x": 7}, {"t": -1, "bands": -1, "y": -1, "x": -1}]
)
@pytest.mark.parametrize("stored", [False, True])
def test_lazy_and_the_same_for_any_chunks(chunks, stored):
    rng = np.random.default_rng(5)
    values = np.where(rng.random((2, 1, 20, 25)) < 0.1, 0.5, rng.uniform(0.02, 0.2, (2, 4, 20, 25)))
    cube = scene(values)
    if stored:
        cube = make_cube((values * 1e4).astype(np.uint16), bands=BANDS, nodata=0)
        cube.values[0, 1, 2, 3] = 0
    cube.attrs["title"] = "kept"
    options = {**SUN, "cloud_height": 120.0, **({"scale": 1e-4} if stored else {})}
    eager = detect(cube, None, options)
    with dask.config.set(scheduler=refuse):
        lazy = detect(cube.chunk(chunks), None, options)
    assert isinstance(lazy.data, da.Array)
    assert lazy.dtype == lazy.data.compute().dtype == np.float32
    xr.testing.assert_identical(lazy.compute(), eager)
    assert eager.attrs["title"] == "kept"
    assert eager.dims == cube.dims
    assert [b["name"] for b in eager.bands.attrs["bands"]] == ["cloud", "haze", "shadow"]
    assert eager.x.attrs == cube.x.attrs
    assert 0 <= np.nanmin(eager.values) <= np.nanmax(eager.values) <= 1
    assert band(eager, "shadow")[1].max() > 0.5


@pytest.mark.parametrize(
    ("method", "options", "says"),
    [
        ("Fmask", {}, "'Fmask' is not available here; there are threshold, s2cloudless"),
        ("Sen2Cor", {}, "'Sen2Cor' is not available here"),
        (None, {"method": "magic"}, "'magic' is not available"),
        (None, {"sun": 3}, "there is no option 'sun'"),
        (None, {**SUN, "sun_elevation": 120}, "sun_elevation has to be from 0 to 90 degrees, it is 120"),
        (None, {**SUN, "sun_azimuth": [1, 2]}, "sun_azimuth has 2 numbers, one for each time"),
        (None, {**SUN, "cloud_height": "high"}, "cloud_height has to be a number"),
        (None, {**SUN, "cloud_height": -1}, "cloud_height has to be positive"),
        (None, {"scale": float("nan")}, "scale has to be finite"),
    ],
)
def test_what_cannot_be_done(method, options, says):
    with pytest.raises(errors.ProcessParameterInvalid, match=says):
        detect(cloud_over(), method, options)


def test_bands_that_are_missing():
    with pytest.raises(errors.ProcessParameterInvalid, match="needs a band 'blue', and there is none"):
        detect(cloud_over().isel(bands=[1, 2, 3]), None)


def test_s2cloudless_is_asked_with_its_ten_bands(monkeypatch):
    """A stand-in for the package tells what it was given."""
    monkeypatch.setitem(sys.modules, "s2cloudless", None)
    with pytest.raises(errors.ProcessParameterInvalid, match="package that is not installed"):
        detect(cloud_over(), "s2cloudless")

    class Detector:
        def __init__(self, all_bands):
            assert not all_bands

        def get_cloud_probability_maps(self, data):
            assert data.ndim == 4
            return (data * np.arange(10)).sum(-1)

    monkeypatch.setitem(sys.modules, "s2cloudless", SimpleNamespace(S2PixelCloudDetector=Detector))
    names = ["B12", "B01", "B02", "B03", "B04", "B05", "B08", "B8A", "B09", "B10", "B11"]
    values = np.random.default_rng(1).uniform(0, 0.01, (2, 11, 3, 4)).astype(np.float32)
    values[0, 2, 1, 1] = np.nan
    result = detect(make_cube(values, bands=names).chunk({"x": 2, "bands": 3}), "s2cloudless").compute()
    order = [names.index(n) for n in ("B01", "B02", "B04", "B05", "B08", "B8A", "B09", "B10", "B11", "B12")]
    expected = np.einsum("tbyx,b->tyx", values[:, order], np.arange(10))
    np.testing.assert_allclose(result.values[:, 0], expected, rtol=1e-5)
    assert result.bands.values.tolist() == ["cloud"]
    with pytest.raises(errors.ProcessParameterInvalid, match="needs a band 'B01'"):
        detect(cloud_over(), "s2cloudless")
