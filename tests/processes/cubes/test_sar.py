"""Radar: calibration, angles and areas against vectors computed cell by cell, and against terrain that is known."""

from __future__ import annotations

import dask
import dask.array as da
import numpy as np
import pyproj
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from processes import REGISTRY, errors
from processes.cubes import terrain
from processes.cubes.radar import COEFFICIENTS, Facet
from tests.processes.cubes.conftest import make_cube

backscatter = REGISTRY["sar_backscatter"].fn
ready = REGISTRY["ard_normalized_radar_backscatter"].fn
BANDS = ("VV", "VH")
GONE = {"removed": True}
CENTRE = (675_060.0, 5_155_950.0)


class Relief:
    """A world whose only collection is a surface of heights; `rise` is metres per metre to grid east and north."""

    def __init__(self, rise=(0.0, 0.0), surface=None, **more):
        self.surface = surface or (lambda x, y: (x - CENTRE[0]) * rise[0] + (y - CENTRE[1]) * rise[1])
        self.more, self.asked = more, []

    def load_collection(self, id_, extent):
        self.asked.append(id_)
        box, cells = extent.bbox, 10.0
        west, north = cells * (box.west // cells), cells * (box.north // cells)
        x = west + cells * (np.arange(int((box.east - box.west) // cells)) + 0.5)
        y = north - cells * (np.arange(int((box.north - box.south) // cells)) + 0.5)
        values = np.broadcast_to(self.surface(x[None, :], y[:, None]), (len(y), len(x)))[None, None]
        cube = make_cube(values.astype(np.float64), bands=("height",), resolution=cells, corner=(west, north))
        return cube.chunk({"x": 50}).assign_attrs(self.more)


def radar(data=None, *, coefficient="beta0", angle=None, azimuth=90.0, **calibration):
    """A cube (2, VV and VH, 10, 12) of that coefficient."""
    if data is None:
        data = np.random.default_rng(4).uniform(0.01, 0.4, (2, 2, 10, 12))
    cube = make_cube(data, bands=BANDS)
    for entry in cube.bands.attrs["bands"]:
        entry["sar:calibration"] = {"coefficient": coefficient, **calibration}
        entry["sar:noise"] = GONE
    cube.attrs |= {"view:azimuth": azimuth} | ({} if angle is None else {"view:incidence_angle": angle})
    return cube


def run(cube, target, world=None, **more):
    return backscatter(cube, target, "DEM" if world else None, world=world, **more)


def grid_azimuth(azimuth):
    """The direction in the grid that a true direction has, by stepping along the geodesic."""
    to = pyproj.Transformer.from_crs(4326, 32632, always_xy=True)
    lon, lat = to.transform(*CENTRE, direction="INVERSE")
    lon1, lat1, _ = pyproj.Geod(ellps="WGS84").fwd(lon, lat, azimuth, 100)
    x, y = to.transform(lon1, lat1)
    return np.degrees(np.arctan2(x - CENTRE[0], y - CENTRE[1]))


# ----------------------------------------------------------------------------------------- ellipsoid
@pytest.mark.parametrize("source", ["beta0", "sigma0-ellipsoid", "gamma0-ellipsoid"])
@pytest.mark.parametrize("target", ["beta0", "sigma0-ellipsoid", "gamma0-ellipsoid"])
def test_between_coefficients_of_the_ellipsoid(source, target):
    cube = radar(coefficient=source, angle=38.0)
    theta = np.radians(38.0)
    factor = {
        "beta0": 1,
        "sigma0-ellipsoid": np.sin(theta),
        "gamma0-ellipsoid": np.sin(theta) / np.cos(theta),
    }
    result = run(cube, target)
    np.testing.assert_allclose(result.values, cube.values * factor[target] / factor[source], rtol=1e-12)
    told = result.bands.attrs["bands"][1]
    assert told["sar:calibration"] == {"coefficient": target}
    back = run(result, source)
    np.testing.assert_allclose(back.values, cube.values, rtol=1e-12)


def test_digital_numbers_with_gains_along_x_and_noise():
    numbers = np.random.default_rng(6).integers(50, 900, (2, 2, 10, 12)).astype(np.uint16)
    numbers[0, 0, 2, 3] = 0
    cube = make_cube(numbers, bands=BANDS, nodata=0)
    x = cube.x.values
    gain = {"x": [x[-1], x[0]], "values": [600.0, 400.0]}
    options = {
        "calibration": {
            "VV": {"coefficient": "sigma0-ellipsoid", **gain},
            "VH": {"coefficient": "sigma0-ellipsoid", "values": 500},
        },
        "noise": {"values": 20_000.0},
    }
    result = run(cube, "sigma0-ellipsoid", options=options)
    gains = np.stack([np.linspace(400, 600, 12), np.full(12, 500.0)])[None, :, None, :]
    expected = np.maximum(numbers.astype(float) ** 2 - 20_000, 0) / gains**2
    expected[0, 0, 2, 3] = np.nan
    assert result.dtype == np.float32
    np.testing.assert_allclose(result.values, expected, rtol=1e-6)
    assert (result.values == 0).any(), "noise is not subtracted below 0"
    loud = run(cube, "sigma0-ellipsoid", options={"calibration": options["calibration"]}, noise_removal=False)
    np.testing.assert_allclose(loud.values[1], numbers[1].astype(float) ** 2 / gains[0] ** 2, rtol=1e-6)
    bare = run(cube, None, options=options)
    np.testing.assert_allclose(
        bare.values[1], np.maximum(numbers[1].astype(float) ** 2 - 20_000, 0), rtol=1e-6
    )


def test_decibels():
    linear = radar(coefficient="sigma0-ellipsoid")
    decibels = radar(10 * np.log10(linear.values), coefficient="sigma0-ellipsoid", unit="dB")
    np.testing.assert_allclose(run(decibels, "sigma0-ellipsoid").values, linear.values, rtol=1e-12)


def test_angle_from_a_band():
    angles = np.broadcast_to(np.linspace(30, 45, 12), (2, 1, 10, 12))
    cube = radar()
    stacked = make_cube(
        np.concatenate([cube.values[:, :1], angles, cube.values[:, 1:]], axis=1), bands=("VV", "angle", "VH")
    )
    stacked.attrs = {"sar:calibration": {"coefficient": "beta0"}, "sar:noise": GONE}
    result = backscatter(
        stacked.chunk({"bands": 1, "x": 5}), "sigma0-ellipsoid", ellipsoid_incidence_angle=True, world=None
    )
    assert result.bands.values.tolist() == ["VV", "VH", "ellipsoid_incidence_angle"]
    np.testing.assert_allclose(result.values[:, :2], cube.values * np.sin(np.radians(angles)), rtol=1e-12)
    np.testing.assert_allclose(result.values[:, 2:], angles, rtol=1e-6)


# ------------------------------------------------------------------------------------------ terrain
def vectors(theta, azimuth, east, north):
    """Normal, line of sight (to the ground) and the image plane's normal as vectors of space (east, north, up)."""
    theta, azimuth = np.radians(theta), np.radians(azimuth)
    normal = np.cross([1, 0, east], [0, 1, north])
    sight = np.array([np.sin(theta) * np.sin(azimuth), np.sin(theta) * np.cos(azimuth), -np.cos(theta)])
    flight = np.array([-np.cos(azimuth), np.sin(azimuth), 0])
    image = np.cross(flight, sight)
    return normal, sight, image * np.sign(image[2])


@given(st.floats(20, 50), st.floats(-180, 180), st.floats(-1.5, 1.5), st.floats(-1.5, 1.5))
@settings(max_examples=80, deadline=None)
def test_facets_against_vectors(theta, azimuth, east, north):
    facet = Facet.of(theta, azimuth, east, north)
    normal, sight, image = vectors(theta, azimuth, east, north)
    length = np.linalg.norm(normal)
    np.testing.assert_allclose(facet.length, length, rtol=1e-9)
    np.testing.assert_allclose(facet.sight, -(normal @ sight) / length, atol=1e-9)
    np.testing.assert_allclose(facet.projection, (normal @ image) / length, atol=1e-9)


def test_flat_terrain_is_the_ellipsoid():
    cube = radar(angle=35.0)
    for kind in ("sigma0", "gamma0"):
        flat = run(cube, f"{kind}-terrain", Relief())
        np.testing.assert_allclose(flat.values, run(cube, f"{kind}-ellipsoid").values, rtol=1e-9)


@pytest.mark.parametrize("rise", [(0.3, 0.0), (-0.4, 0.1), (0.05, -0.5)])
@pytest.mark.parametrize("azimuth", [80.0, 280.0])
def test_backscatter_of_slopes_is_given_back(rise, azimuth):
    """Ground whose gamma nought is known, seen by a model of the radar, gives that gamma nought again."""
    theta = 39.0
    gamma = np.random.default_rng(8).uniform(0.05, 0.3, (2, 2, 10, 12))
    normal, sight, image = vectors(theta, grid_azimuth(azimuth), *rise)
    across_sight, across_image = -(normal @ sight), normal @ image  # areas of the facet, per cell
    beta = gamma * across_sight / across_image
    cube = radar(beta, angle=theta, azimuth=azimuth)
    result = run(cube, "gamma0-terrain", Relief(rise), contributing_area=True, local_incidence_angle=True)
    np.testing.assert_allclose(result.values[:, :2], gamma, rtol=1e-6)
    np.testing.assert_allclose(result.sel(bands="contributing_area"), 100 * across_sight, rtol=1e-6)
    local = np.degrees(np.arccos(across_sight / np.linalg.norm(normal)))
    np.testing.assert_allclose(result.sel(bands="local_incidence_angle"), local, rtol=1e-5)
    sigma = run(cube, "sigma0-terrain", Relief(rise))
    np.testing.assert_allclose(sigma.values, beta * across_image / np.linalg.norm(normal), rtol=1e-6)
    back = run(result.isel(bands=[0, 1]), "beta0", Relief(rise))
    np.testing.assert_allclose(back.values, beta, rtol=1e-6)


def test_the_model_of_volumes_of_vollrath():
    """gamma0 tan(90 - theta) / tan(90 - theta + slope), where the slope rises along the line of sight."""
    theta, slope = np.radians(38.0), np.radians(15.0)
    ours = Facet(theta, np.tan(slope)).factor("gamma0-terrain") / Facet(theta).factor("gamma0-ellipsoid")
    np.testing.assert_allclose(ours, np.tan(np.pi / 2 - theta) / np.tan(np.pi / 2 - theta + slope))


def test_layover_and_shadow_are_masked():
    """A ridge: layover on the side of the radar, shadow on the other; only the column at the crest is gentle."""
    ridge = Relief(surface=lambda x, y: np.where(x < CENTRE[0], 1.2, -2.9) * (x - CENTRE[0]) + 0 * y)
    cube = radar(angle=35.0, azimuth=90.0)  # it looks to the east
    cube.values[0, :, 5, 5] = np.nan
    cube.values[0, 0, 6, 0] = np.nan
    result = run(cube, "gamma0-terrain", ridge, mask=True)
    mask = result.sel(bands="mask").values
    assert np.argwhere(np.isnan(mask)).tolist() == [[0, 5, 5]]
    assert (mask[1][:, 5] == 1).all()
    assert np.nansum(mask) == 19
    assert np.isnan(np.delete(result.values[:, :2], 5, axis=3)).all()
    assert mask[0, 6, 0] == 0
    gentle = run(cube, "gamma0-ellipsoid", mask=True).sel(bands="mask").values
    assert gentle[0, 6, 0] == 0, "a band is missing"
    assert np.nansum(gentle) == 2 * 120 - 2


def test_slopes_to_true_north():
    """A slope along the geodesic to the true north-east, found again from the grid."""
    bearing = np.radians(grid_azimuth(45.0))
    world = Relief((0.2 * np.sin(bearing), 0.2 * np.cos(bearing)))
    east, north = terrain.slopes(radar(), "DEM", world, "this")
    np.testing.assert_allclose(east.values, 0.2 * np.sin(np.radians(45)), rtol=1e-4)
    np.testing.assert_allclose(north.values, 0.2 * np.cos(np.radians(45)), rtol=1e-4)


def test_cells_in_degrees_are_measured_in_metres():
    cube = make_cube(np.zeros((1, 1, 6, 8)), bands=("VV",), epsg=4326, resolution=0.01, corner=(11.0, 47.0))
    about = terrain.ground(cube)
    geod = pyproj.Geod(ellps="WGS84")
    for row, lat in enumerate(cube.y.values):
        np.testing.assert_allclose(about.across[row], geod.inv(11.0, lat, 11.01, lat)[2], rtol=1e-6)
    np.testing.assert_allclose(-about.down, geod.inv(11.0, 46.965, 11.0, 46.975)[2], rtol=1e-5)
    assert about.north == 0


def test_analysis_ready():
    cube = radar(angle=35.0)
    world = Relief((0.1, 0.1))
    result = ready(cube, "DEM", contributing_area=True, ellipsoid_incidence_angle=True, world=world)
    assert result.bands.values.tolist() == [
        *BANDS, "mask", "contributing_area", "local_incidence_angle", "ellipsoid_incidence_angle",
    ]  # fmt: skip
    np.testing.assert_array_equal(result.values[:, :2], run(cube, "gamma0-terrain", world).values)
    assert ready(cube, "DEM", world=world).bands.values.tolist() == [*BANDS, "mask", "local_incidence_angle"]


# --------------------------------------------------------------------------------------------- the rest
def refuse(*args, **kwargs):
    raise AssertionError("a process computed")


@pytest.mark.parametrize(
    "chunks", [{"t": 1, "bands": 1, "y": 3, "x": 5}, {"t": -1, "bands": -1, "y": -1, "x": -1}]
)
@pytest.mark.parametrize("target", COEFFICIENTS)
def test_lazy_and_the_same_for_any_chunks(chunks, target):
    numbers = np.random.default_rng(6).integers(50, 900, (2, 2, 10, 12)).astype(np.uint16)
    numbers[0, 0, 2, 3] = 0
    cube = radar(numbers, coefficient="beta0", values=500.0)
    cube.attrs |= {"nodata": 0, "title": "kept"}
    told = cube.assign_coords({"view:incidence_angle": ("x", np.linspace(30, 40, 12))})
    world = Relief(surface=lambda x, y: 30 * np.sin(x / 40) + 20 * np.cos(y / 25))

    def call(c):
        return backscatter(c, target, "DEM", True, True, True, True, world=world)

    eager = call(told).compute()
    with dask.config.set(scheduler=refuse):
        lazy = call(told.chunk(chunks))
    assert isinstance(lazy.data, da.Array)
    assert lazy.dtype == lazy.data.compute().dtype == np.float32
    xr.testing.assert_identical(lazy.compute(), eager)
    assert np.isnan(eager.values[0, 0, 2, 3])
    assert eager.attrs["title"] == "kept"
    assert np.isnan(eager.attrs["nodata"])
    assert eager.x.attrs == cube.x.attrs
    assert eager.dims == cube.dims


@pytest.mark.parametrize(
    ("change", "target", "options", "error", "says"),
    [
        ({"calibration": None}, "beta0", {}, "ProcessParameterInvalid", "nothing tells what the cells of VV, VH are"),
        ({"noise": None}, "beta0", {}, "ProcessParameterInvalid", "nothing tells that of VV, VH"),
        ({}, "beta0", {"noise": {"values": 3}}, "ProcessParameterInvalid", "calibrated already"),
        ({}, None, {}, "ProcessParameterInvalid", "are beta0 already, which cannot be undone"),
        ({}, "alpha0", {}, "ProcessParameterInvalid", "'alpha0' is none of beta0"),
        ({}, "sigma0-ellipsoid", {}, "ProcessParameterInvalid", "needs the incidence angle, and nothing tells it"),
        ({}, "gamma0-terrain", {"incidence_angle": 35}, "DigitalElevationModelInvalid", "none is named"),
        ({}, "beta0", {"calibration": {"coefficient": "dB"}}, "ProcessParameterInvalid", "all bands need the same"),
        ({}, "beta0", {"calibration": 3}, "ProcessParameterInvalid", "calibration of VV has to be an object"),
        ({}, "beta0", {"calibration": {"coefficient": "beta0", "values": -1}, "noise": {"values": 0}}, "ProcessParameterInvalid", "have to be positive"),
        ({}, "beta0", {"calibration": {"coefficient": "beta0", "x": [1, 2], "values": [1]}}, "ProcessParameterInvalid", "as many of both"),
        ({}, "beta0", {"orbit": 3}, "ProcessParameterInvalid", "there is no option 'orbit'"),
    ],
)  # fmt: skip
def test_what_cannot_be_done(change, target, options, error, says):
    cube = radar()
    for entry in cube.bands.attrs["bands"]:
        for key in change:
            del entry[f"sar:{key}"]
    with pytest.raises(getattr(errors, error), match=says):
        run(cube, target, options=options)


def test_terrain_needs_the_direction_of_looking():
    cube = radar(angle=35.0)
    del cube.attrs["view:azimuth"]
    with pytest.raises(errors.ProcessParameterInvalid, match="radar over terrain needs the azimuth"):
        run(cube, "gamma0-terrain", Relief())


def test_backscatter_over_terrain_needs_no_terrain_to_stay_as_it_is():
    cube = radar(coefficient="gamma0-terrain")
    np.testing.assert_array_equal(run(cube, "gamma0-terrain").values, cube.values)
