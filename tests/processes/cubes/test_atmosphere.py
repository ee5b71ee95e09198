"""The atmosphere: scenes made from a known ground are turned back into it; and what makes them analysis-ready."""

from __future__ import annotations

import dask
import dask.array as da
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import special

from processes import REGISTRY, errors
from processes.cubes import atmosphere, molecules
from tests.processes.cubes.conftest import make_cube

correct = REGISTRY["atmospheric_correction"].fn
ready = REGISTRY["ard_surface_reflectance"].fn
BANDS = ("B02", "B03", "B04", "B08")
WAVES = (0.49, 0.56, 0.665, 0.842)
HAZE = np.array([0.09, 0.06, 0.03, 0.01])
SUN = 40.0


class Heights:
    """A world whose only collection is a plane of heights around the cubes."""

    def __init__(self, height=0.0, bands=("elevation",), extra=None):
        self.height, self.bands, self.extra, self.asked = height, bands, extra, []

    def load_collection(self, id_, extent):
        self.asked.append((id_, extent))
        box = extent.bbox
        cells = 30.0
        shape = (
            1,
            len(self.bands),
            int((box.north - box.south) // cells),
            int((box.east - box.west) // cells),
        )
        corner = (cells * (box.west // cells), cells * (box.north // cells))
        values = np.full(shape, self.height, dtype=np.float32)
        return make_cube(values, bands=self.bands, resolution=cells, corner=corner).chunk({"x": 20})


def known_ground(seed=2):
    """Reflectance of the ground, (2, bands, 12, 16), with the 1 % that the darkest cell is thought to have."""
    values = np.random.default_rng(seed).uniform(0.02, 0.5, (2, 4, 12, 16))
    values[:, :, 3, 5] = 0.01
    return values


def scene(values, waves=True, **more):
    cube = make_cube(values, bands=BANDS, **more)
    for entry, wave in zip(cube.bands.attrs["bands"], WAVES, strict=True):
        entry |= {"center_wavelength": wave} if waves else {}
        if not waves:
            del entry["center_wavelength"]
    return cube


def seen(ground, passed=1.0):
    """What the sensor sees of a ground under haze."""
    return ground * passed + HAZE[None, :, None, None]


# --------------------------------------------------------------------------------------- dark objects
def test_dos_gives_the_ground_back():
    ground = known_ground()
    result = correct(scene(seen(ground)), None, world=None)
    np.testing.assert_allclose(result.values, ground, atol=1e-12)
    assert result.bands.attrs["bands"][0]["common_name"] == "blue"


def test_cost_gives_the_ground_back_with_the_sun_of_each_time():
    ground, suns = known_ground(), np.array([40.0, 65.0])
    passed = np.cos(np.radians(90 - suns))[:, None, None, None]
    cube = scene(seen(ground, passed))
    result = correct(cube, None, None, {"sun_elevation": suns.tolist()}, world=None)
    np.testing.assert_allclose(result.values, ground, atol=1e-12)
    told = cube.assign_coords({"view:sun_elevation": ("t", suns)})
    xr.testing.assert_allclose(correct(told, "COST", world=None).drop_vars("view:sun_elevation"), result)
    one = cube.isel(t=[0])
    one.attrs["view:sun_elevation"] = 40.0
    np.testing.assert_allclose(correct(one, None, world=None).values, ground[:1], atol=1e-12)


def test_haze_differs_from_scene_to_scene():
    ground = known_ground()
    both = seen(ground)
    both[1] += 0.05
    result = correct(scene(both), "DOS", world=None)
    np.testing.assert_allclose(result.values, ground, atol=1e-12)


def test_one_black_cell_is_passed_over():
    ground = known_ground()
    values = seen(ground)
    values[0, :, 0, 0] = 0
    result = correct(scene(values), "DOS", None, {"dark_cells": 2}, world=None).values
    assert (result[0, :, 0, 0] == 0).all(), "not below 0"
    np.testing.assert_allclose(result[0, :, 1:], ground[0, :, 1:], atol=1e-12)


@given(
    hnp.arrays(np.float64, (7, 9), elements=st.sampled_from([0.1, 0.2, 0.3, 0.4, 0.55, np.nan])),
    st.integers(1, 70),
    st.integers(1, 9),
    st.integers(1, 7),
)
@settings(max_examples=40, deadline=None)
def test_the_darkest_cells_are_the_same_for_any_chunks(values, count, x, y):
    present = np.sort(values[~np.isnan(values)])
    expected = present[min(count, len(present)) - 1] if len(present) else np.nan
    assert np.array_equal(atmosphere.darkest(values, count=count), expected, equal_nan=True)
    lazy = atmosphere.darkest(da.from_array(values[None], chunks=(1, y, x)), count=count)
    assert np.array_equal(lazy.compute(scheduler="sync"), [expected], equal_nan=True)


# ------------------------------------------------------------------------------------------- molecules
def test_optical_depth_by_the_tables():
    """Rayleigh optical depths of Bodhaine et al. (1999), table 3, at 400, 500, 550 and 700 nm, 45 degrees north."""
    ours = molecules.optical_depth(np.array([0.4, 0.5, 0.55, 0.7]))
    np.testing.assert_allclose(ours, [0.3594, 0.1433, 0.0972, 0.0366], rtol=0.02)


@pytest.mark.parametrize("order", [3, 4])
def test_exponential_integrals(order):
    depth = np.array([0.01, 0.1, 0.5, 1.0])
    np.testing.assert_allclose(molecules.integral(order, depth), special.expn(order, depth), atol=1e-5)


def test_pressure_of_the_standard_atmosphere():
    heights = np.array([0.0, 1000.0, 5000.0])
    np.testing.assert_allclose(molecules.pressure(heights) * 1013.25, [1013.25, 898.76, 540.20], rtol=1e-3)


def forward(ground, height):
    """Reflectance at the top of the air, written down on its own."""
    mu = np.sin(np.radians(SUN))
    out = np.empty_like(ground)
    for k, wave in enumerate(WAVES):
        tau = 0.008569 * wave**-4 * (1 + 0.0113 * wave**-2 + 0.00013 * wave**-4)
        tau *= (1 - 2.25577e-5 * height) ** 5.25588
        path = 0.75 * (1 + mu**2) / (4 * (1 + mu)) * (1 - np.exp(-tau * (1 + 1 / mu)))

        def through(c, t=tau):
            return ((2 / 3 + c) + (2 / 3 - c) * np.exp(-t / c)) / (4 / 3 + t)

        back = (3 * tau - 4 * special.expn(3, tau) + 6 * special.expn(4, tau)) / (4 + 3 * tau)
        out[:, k] = path + through(mu) * through(1.0) * ground[:, k] / (1 - back * ground[:, k])
    return out


@pytest.mark.parametrize("height", [0.0, 2500.0])
def test_rayleigh_gives_the_ground_back(height):
    ground, world = known_ground(), Heights(height)
    cube = scene(forward(ground, height)).chunk({"x": 5, "bands": 1})
    options = {"sun_elevation": SUN}
    if height:
        result = correct(cube, None, "DEM", options, world=world)
        assert [a[0] for a in world.asked] == ["DEM"]
    else:
        result = correct(cube, "Rayleigh", None, options, world=world)
        assert not world.asked
    np.testing.assert_allclose(result.compute().values, ground, atol=2e-6)


def test_the_blue_of_the_air_is_most_of_what_dark_water_shows():
    path = molecules.path_reflectance(
        np.float64(np.sin(np.radians(SUN))), molecules.optical_depth(np.array(WAVES))
    )
    assert 0.05 < path[0] < 0.1
    assert (np.diff(path) < 0).all()


# --------------------------------------------------------------------------------------------- the rest
CALLS = {
    "DOS": lambda c: correct(c, "DOS", None, {"scale": 1e-4, "dark_cells": 3}, world=None),
    "COST": lambda c: correct(c, None, None, {"scale": 1e-4, "sun_elevation": SUN}, world=None),
    "Rayleigh": lambda c: correct(c, None, "DEM", {"scale": 1e-4, "sun_elevation": SUN}, world=Heights(900.0)),
    "ready": lambda c: ready(
        c, "COST", "threshold", None, {}, {"scale": 1e-4, "sun_azimuth": 150, "sun_elevation": SUN, "cloud_height": 60}, world=None
    ),
}  # fmt: skip


def refuse(*args, **kwargs):
    raise AssertionError("a process computed")


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(
    "chunks", [{"t": 1, "y": 5, "x": 7, "bands": 1}, {"t": -1, "bands": -1, "y": -1, "x": -1}]
)
def test_lazy_and_the_same_for_any_chunks(call, chunks):
    values = (seen(known_ground()) * 1e4).astype(np.uint16)
    values[0, 1, 4, 4] = 0
    cube = scene(values, nodata=0)
    cube.attrs["title"] = "kept"
    eager = call(cube).compute()
    with dask.config.set(scheduler=refuse):
        lazy = call(cube.chunk(chunks))
    assert isinstance(lazy.data, da.Array)
    assert lazy.dtype == lazy.data.compute().dtype == np.float32
    xr.testing.assert_identical(lazy.compute(), eager)
    assert np.isnan(eager.sel(bands="B03").values[0, 4, 4])
    assert eager.attrs["title"] == "kept"
    assert eager.x.attrs == cube.x.attrs
    assert eager.dims == cube.dims
    told = {b["name"]: b for b in eager.bands.attrs["bands"]}
    assert told["B08"]["common_name"] == "nir"
    assert "scale" not in told["B08"]


@pytest.mark.parametrize(
    ("method", "model", "options", "says"),
    [
        ("FORCE", None, {}, "'FORCE' is not available here; there are COST, DOS, Rayleigh"),
        ("iCOR", None, {}, "'iCOR' is not available here"),
        (None, None, {"method": "MAJA"}, "'MAJA' is not available"),
        ("COST", None, {}, "COST needs the sun elevation, and nothing tells it"),
        ("Rayleigh", None, {}, "Rayleigh needs the sun elevation"),
        ("DOS", "DEM", {}, "DOS makes no use of an elevation model"),
        ("DOS", None, {"dark_cells": 0}, "dark_cells has to be a positive integer"),
        ("DOS", None, {"dark": 1}, "there is no option 'dark'"),
    ],
)
def test_what_cannot_be_done(method, model, options, says):
    with pytest.raises(errors.ProcessParameterInvalid, match=says):
        correct(scene(known_ground()), method, model, options, world=Heights())


def test_bands_without_wavelengths():
    with pytest.raises(errors.ProcessParameterInvalid, match="nothing tells those of B02, B03, B04, B08"):
        correct(scene(known_ground(), waves=False), "Rayleigh", None, {"sun_elevation": SUN}, world=None)


def test_a_collection_that_is_no_elevation_model():
    options = {"sun_elevation": SUN}
    with pytest.raises(errors.DigitalElevationModelInvalid, match=r"2 bands .red, nir. where one of heights"):
        correct(scene(known_ground()), None, "S2", options, world=Heights(bands=("red", "nir")))


# --------------------------------------------------------------------------------------- analysis-ready
def sky():
    """Ground with a cloud and its shadow, stored as integers; one cell is saturated, one has no data."""
    values = np.broadcast_to(np.array([0.04, 0.06, 0.04, 0.10])[None, :, None, None], (1, 4, 20, 20)).copy()
    values[0, :, 8:11, 8:11] = 0.6
    stored = (values * 1e4).astype(np.uint16)
    stored[0, 3, 0, 0], stored[0, 2, 0, 1] = 65535, 0
    return scene(stored, nodata=0)


TESTS = {"scale": 1e-4, "sun_azimuth": 180.0, "sun_elevation": 45.0, "cloud_height": 50.0}


def test_surface_reflectance_with_its_layers():
    result = ready(sky(), "COST", "threshold", None, {}, TESTS, world=None)
    layers = {n: result.sel(bands=n).values[0] for n in result.bands.values}
    assert list(layers) == [
        *BANDS, "cloud", "haze", "shadow", "incomplete-testing", "saturation", "sun-elevation", "sun-azimuth",
    ]  # fmt: skip
    cloud, shadow = layers["cloud"] > 0.5, layers["shadow"] > 0.5
    assert cloud.sum() == 9
    assert shadow[3:8, 9].all(), "to the north of the cloud"
    assert not shadow[11:].any()
    for name in BANDS:
        gone = np.isnan(layers[name])
        expected = cloud | shadow
        expected[0, 1] |= name == "B04"
        np.testing.assert_array_equal(gone, expected)
    assert np.argwhere(layers["incomplete-testing"] == 1).tolist() == [[0, 1]]
    assert np.argwhere(layers["saturation"] == 1).tolist() == [[0, 0]]
    assert np.isnan(layers["saturation"]).sum() == 1
    assert (layers["sun-elevation"] == 45).all()
    assert (layers["sun-azimuth"] == 180).all()
    corrected = correct(sky(), "COST", None, {"scale": 1e-4, "sun_elevation": 45.0}, world=None)
    kept = ~np.isnan(layers["B02"])
    np.testing.assert_array_equal(layers["B02"][kept], corrected.sel(bands="B02").values[0][kept])


def test_saturation_of_floats_is_untested_until_it_is_told():
    cube = scene(sky().values * 1e-4)
    tests = {k: v for k, v in TESTS.items() if k != "scale"}
    blind = ready(cube, "DOS", "threshold", None, {}, tests, world=None)
    assert (blind.sel(bands="incomplete-testing") == 1).all()
    told = ready(cube, "DOS", "threshold", None, {}, {**tests, "saturated": 6.0}, world=None)
    assert told.sel(bands="saturation").values.sum() == 1
    assert (told.sel(bands="incomplete-testing") == 0).all()


@pytest.mark.parametrize("missing", ["sun_azimuth", "sun_elevation"])
def test_shadows_are_required(missing):
    tests = {k: v for k, v in TESTS.items() if k != missing}
    with pytest.raises(
        errors.ProcessParameterInvalid, match=f"reflectance needs the {missing.replace('_', ' ')}"
    ):
        ready(sky(), "DOS", "threshold", None, {}, tests, world=None)
