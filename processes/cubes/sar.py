"""Backscatter from radar scenes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import xarray as xr

from processes.cubes import axes, radar, scenes, terrain
from processes.cubes.atmosphere import ElevationModel
from processes.cubes.cells import Coding
from processes.cubes.merge import merge_cubes
from processes.cubes.scenes import Options, Scaling
from processes.errors import ProcessParameterInvalid
from processes.registry import process
from processes.types import RasterBandCube, Schema
from processes.world import World

Coefficient = Annotated[
    str | None,
    Schema(
        [
            {"type": "string", "enum": ["beta0", "sigma0-ellipsoid", "sigma0-terrain", "gamma0-ellipsoid", "gamma0-terrain"]},
            {"type": "null"},
        ]
    ),
]  # fmt: skip
ANGLE_BANDS = ("ellipsoid_incidence_angle", "incidence_angle", "angle")
"""Names of a band that holds the incidence angle on the ellipsoid, in degrees."""
OPTIONS = ("calibration", "noise", "incidence_angle", "azimuth")


@process("cubes", "sar", experimental=True)
def sar_backscatter(
    data: RasterBandCube,
    coefficient: Coefficient = "gamma0-terrain",
    elevation_model: ElevationModel = None,
    mask: bool = False,
    contributing_area: bool = False,
    local_incidence_angle: bool = False,
    ellipsoid_incidence_angle: bool = False,
    noise_removal: bool = True,
    options: Options = {},  # noqa: B006
    *,
    world: World,
) -> RasterBandCube:
    """Compute the backscatter of radar scenes

    The scenes are on a map grid already, as digital numbers or as any of the coefficients. What they are is told by
    `sar:calibration` in the metadata of each band, in the attributes of the cube, or by the option `calibration` (one
    for all bands, or one for each by its name):

    - `coefficient` names what the cells are or become: `beta0`, `sigma0-ellipsoid`, `gamma0-ellipsoid`, ...
    - `values` is the gain of digital numbers: backscatter is their square divided by that of the gain. It is one
      number, or a list of them beside a list of coordinates `x` (or `y`) between which it is linear. Without
      `values` the cells are the coefficient itself.
    - `unit` is `dB` where cells without `values` are decibels.

    In the same way `sar:noise` has the power of noise as `values`, or `removed: true` where it is gone already.

    The incidence angle on the ellipsoid is a band (`ellipsoid_incidence_angle`, `incidence_angle` or `angle`), or a
    coordinate or attribute `view:incidence_angle`; the direction of looking, clockwise from true north, is a
    coordinate or attribute `view:azimuth`. Terrain counts by the slope of each cell: the ground area is that of the
    facet in the plane of the image (Ulander 1996, doi:10.1109/36.536527), for gamma nought in the line of sight,
    which equals the model of volumes by Vollrath et al. (2020, doi:10.3390/rs12111867). Cells in layover or shadow by
    their own slope become no-data; shadows cast from afar, and the sum over all facets of a slant range cell (Small
    2011), are not computed.

    Args:
        data: A raster cube of radar scenes; every band but the incidence angle is backscatter.
        coefficient: What backscatter refers to: the slant range (`beta0`), the ground (`sigma0`) or the plane across
            the line of sight (`gamma0`), on the ellipsoid or on the terrain; `null` gives the power of the cells
            without normalization.
        elevation_model: Collection of the heights of the ground, needed for terrain; resampled bilinearly.
        mask: Add the band `mask`: 1 is valid; 0 is in layover or shadow, or lacks some band; else no-data.
        contributing_area: Add the band `contributing_area`: square metres of each cell's facet across the line of sight.
        local_incidence_angle: Add the band `local_incidence_angle`, between line of sight and facet, in degrees.
        ellipsoid_incidence_angle: Add the band `ellipsoid_incidence_angle`, in degrees.
        noise_removal: Is noise subtracted?
        options: `calibration` and `noise` as above; `incidence_angle` and `azimuth` in degrees, one number or one for
            each time.

    Returns:
        Linear backscatter in the same bands, and the bands that were asked for.

    Raises:
        DigitalElevationModelInvalid: Terrain needs an elevation model, and there is none, or it is none.
    """
    if coefficient is not None and coefficient not in radar.COEFFICIENTS:
        raise ProcessParameterInvalid(
            f"{coefficient!r} is none of {', '.join(radar.COEFFICIENTS)}", parameter="coefficient"
        )
    scenes.only(options, OPTIONS)
    asked = {
        "mask": mask,
        "contributing_area": contributing_area,
        "local_incidence_angle": local_incidence_angle,
        "ellipsoid_incidence_angle": ellipsoid_incidence_angle,
    }
    names = tuple(n for n, wished in asked.items() if wished)
    cells, angle = apart(data, options)
    known = radar.calibration(cells, options)
    if coefficient is None and known.gains is None:
        raise ProcessParameterInvalid(
            f"the cells are {known.coefficient} already, which cannot be undone",
            hint=f'Use coefficient="{known.coefficient}".',
            parameter="coefficient",
        )
    view = View.of(cells, angle, elevation_model, options, world, need(coefficient, known.coefficient, names))
    noise = radar.noise(cells, options, known) if noise_removal else None
    power = backscatter(cells, known, noise, coefficient, view)
    if noise_removal:
        power = radar.silent(power)
    return merge_cubes(power, layers(cells, names, view)) if names else power


def need(target: str | None, source: str, names: tuple[str, ...]) -> tuple[bool, bool]:
    """Are the incidence angle and the terrain needed?"""
    changes = target is not None and target != source
    ground = changes and (target in radar.TERRAIN or source in radar.TERRAIN)
    ground = ground or "contributing_area" in names or "local_incidence_angle" in names
    return changes or ground or "ellipsoid_incidence_angle" in names, ground


def apart(data: xr.DataArray, options: Mapping[str, Any]) -> tuple[xr.DataArray, xr.DataArray | None]:
    """The backscatter bands, and the incidence angle where anything tells it."""
    dim = axes.bands(data)
    labels = axes.labels(data, dim)
    place = next((labels.index(n) for n in ANGLE_BANDS if n in labels), None)
    if place is None:
        return data, scenes.angle(data, "incidence_angle", options)
    if len(labels) == 1:
        raise ProcessParameterInvalid("the only band is the incidence angle", parameter="data")
    cells = axes.select_bands(data, [i for i in range(len(labels)) if i != place])
    if "incidence_angle" in options:
        return cells, scenes.angle(data, "incidence_angle", options)
    band = axes.band_metadata(data)[place]
    scaling = Scaling(Coding.of(data), (float(band.get("scale") or 1),), (float(band.get("offset") or 0),))
    one = data.isel({dim: [place]})
    dims = tuple(map(str, data.dims))
    array = scenes.by_name(Degrees(scaling, dims.index(dim)), dims, scaling.dtype, cells=one)
    return cells, xr.DataArray(array, dims=dims).isel({dim: 0})


@dataclass(frozen=True)
class Degrees:
    """Angles of stored cells, as a function of blocks."""

    scaling: Scaling
    axis: int

    def __call__(self, cells: np.ndarray) -> np.ndarray:
        return self.scaling(cells, self.axis)


@dataclass(frozen=True)
class View:
    """How the ground is seen; `None` is what is not needed and not known."""

    angle: xr.DataArray | None = None
    """Incidence on the ellipsoid, in degrees."""
    azimuth: xr.DataArray | None = None
    """Direction of looking."""
    east: xr.DataArray | None = None
    """Slope to the east."""
    north: xr.DataArray | None = None
    """Slope to the north."""

    @classmethod
    def of(
        cls,
        data: xr.DataArray,
        angle: xr.DataArray | None,
        model: str | None,
        options: Mapping[str, Any],
        world: World,
        needs: tuple[bool, bool],
    ) -> View:
        """All that is needed: the angle, and the terrain; terrain is taken into account wherever a model is named."""
        if needs[0]:
            angle = scenes.needed(
                angle, "incidence_angle", "what was asked for",
                'Load the band of incidence angles too, or give options={"incidence_angle": 38.5}.',
            )  # fmt: skip
        if not needs[1]:
            return cls(angle) if needs[0] else cls()
        azimuth = scenes.needed(scenes.angle(data, "azimuth", options), "azimuth", "radar over terrain")
        east, north = terrain.slopes(data, model, world, "radar over terrain")
        return cls(angle, azimuth, east, north)

    def given(self) -> dict[str, xr.DataArray | None]:
        """The arguments of a facet."""
        return {"angle": self.angle, "azimuth": self.azimuth, "east": self.east, "north": self.north}


def backscatter(
    data: xr.DataArray, known: radar.Calibration, noise: xr.DataArray | None, target: str | None, view: View
) -> xr.DataArray:
    """The backscatter bands, linear."""
    dim, dims = axes.bands(data), tuple(map(str, data.dims))
    count = data.sizes[dim]
    neutral = Scaling(Coding.of(data), (1.0,), (0.0,))
    run = radar.Backscatter(neutral, dims.index(dim), known.decibels, known.coefficient, target)
    changed = view.given() if target not in (None, known.coefficient) else {}
    array = scenes.by_name(
        run, dims, neutral.dtype, {dim: count}, cells=data, gains=known.gains, noise=noise, **changed
    )
    told = {} if target is None else {"sar:calibration": {"coefficient": target}}
    out = scenes.same_bands(data, array, **told)
    out.attrs = {k: v for k, v in out.attrs.items() if k not in ("sar:calibration", "sar:noise")}
    return out


def layers(data: xr.DataArray, names: tuple[str, ...], view: View) -> xr.DataArray:
    """The bands that go with backscatter."""
    dim, dims = axes.bands(data), tuple(map(str, data.dims))
    area = None
    if "contributing_area" in names:
        about = terrain.ground(data)
        area = xr.DataArray(np.abs(about.across * about.down), dims=(axes.plane(data)[0],))
    array = scenes.by_name(
        radar.Layers(names, Scaling(Coding.of(data), (1.0,), (0.0,)), dims.index(dim)),
        dims,
        np.dtype(np.float32),
        {dim: len(names)},
        cells=data,
        area=area,
        **view.given(),
    )
    out = scenes.with_bands(data, array, names)
    out.attrs = {k: v for k, v in out.attrs.items() if not str(k).startswith("sar:")}
    return out


@process("cubes", "sar", "ard", experimental=True)
def ard_normalized_radar_backscatter(
    data: RasterBandCube,
    elevation_model: ElevationModel = None,
    contributing_area: bool = False,
    ellipsoid_incidence_angle: bool = False,
    noise_removal: bool = True,
    options: Options = {},  # noqa: B006
    *,
    world: World,
) -> RasterBandCube:
    """Make analysis-ready normalized radar backscatter

    This is `sar_backscatter` for gamma nought on the terrain, with a mask and the local incidence angle.

    Args:
        data: A raster cube of radar scenes, with the metadata that `sar_backscatter` needs.
        elevation_model: Collection of the heights of the ground; resampled bilinearly.
        contributing_area: Add the band `contributing_area`: square metres of each cell's facet across the line of sight.
        ellipsoid_incidence_angle: Add the band `ellipsoid_incidence_angle`, in degrees.
        noise_removal: Is noise subtracted?
        options: Options of `sar_backscatter`.

    Returns:
        Linear gamma nought in the same bands; `mask`, which is 1 where it is valid, 0 where it is not and no-data
        where there is none; `local_incidence_angle` in degrees; and the bands that were asked for.

    Raises:
        DigitalElevationModelInvalid: There is no elevation model, or it is none.
    """
    return sar_backscatter(
        data,
        "gamma0-terrain",
        elevation_model,
        mask=True,
        contributing_area=contributing_area,
        local_incidence_angle=True,
        ellipsoid_incidence_angle=ellipsoid_incidence_angle,
        noise_removal=noise_removal,
        options=options,
        world=world,
    )
