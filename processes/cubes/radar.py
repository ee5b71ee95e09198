"""How radar sees the ground: calibration of cells, the angles of each facet, and the areas that backscatter is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from processes.cubes import axes
from processes.cubes.scenes import Scaling, real
from processes.errors import ProcessParameterInvalid

COEFFICIENTS = ("beta0", "sigma0-ellipsoid", "sigma0-terrain", "gamma0-ellipsoid", "gamma0-terrain")
TERRAIN = ("sigma0-terrain", "gamma0-terrain")


# ----------------------------------------------------------------------------------------- calibration
@dataclass(frozen=True)
class Calibration:
    """What the cells of all backscatter bands are."""

    coefficient: str
    """The coefficient that they are, or become by their gains."""
    decibels: bool
    """Are they its logarithm?"""
    gains: xr.DataArray | None
    """What the amplitudes are to be divided by, for each band; `None` where the cells are backscatter already."""


def told(data: xr.DataArray, key: str, options: Mapping[str, Any]) -> list[Mapping[str, Any] | None]:
    """What options, the metadata of the bands or the attributes of the cube say of each band under `sar:<key>`."""
    given = options.get(key)
    out: list[Mapping[str, Any] | None] = []
    for band in axes.band_metadata(data):
        found = given
        if isinstance(given, Mapping) and band["name"] in given:
            found = given[band["name"]]
        if found is None:
            found = band.get(f"sar:{key}", data.attrs.get(f"sar:{key}"))
        if found is not None and not isinstance(found, Mapping):
            raise ProcessParameterInvalid(f"the {key} of {band['name']} has to be an object, it is {found!r}",
                                          parameter="options")  # fmt: skip
        out.append(found)
    return out


def calibration(data: xr.DataArray, options: Mapping[str, Any]) -> Calibration:
    """The calibration of the bands, which all have to be of one kind."""
    found = told(data, "calibration", options)
    names = axes.labels(data, axes.bands(data))
    if silent := [str(n) for n, f in zip(names, found, strict=True) if f is None]:
        raise ProcessParameterInvalid(
            f"nothing tells what the cells of {', '.join(silent)} are: there is no option 'calibration' and no "
            "'sar:calibration' in the metadata",
            hint='Give it, for example options={"calibration": {"coefficient": "sigma0-ellipsoid"}} for linear '
            'backscatter, or with "values" for the gain of digital numbers.',
            parameter="data",
        )
    known = [f for f in found if f is not None]
    kinds = {(f.get("coefficient"), f.get("unit", "linear"), "values" in f) for f in known}
    coefficient, unit, numbers = next(iter(kinds))
    if (
        len(kinds) > 1
        or coefficient not in COEFFICIENTS
        or unit not in ("linear", "dB")
        or (numbers and unit == "dB")
    ):
        raise ProcessParameterInvalid(
            f"the calibration says {sorted(kinds, key=repr)}; all bands need the same coefficient, one of "
            f"{', '.join(COEFFICIENTS)}, and the unit linear or dB (linear where there are gains)",
            parameter="options",
        )
    gains = vectors(data, known, "calibration") if numbers else None
    if gains is not None and not bool((gains > 0).all()):
        raise ProcessParameterInvalid("the gains of a calibration have to be positive", parameter="options")
    return Calibration(str(coefficient), unit == "dB", gains)


def noise(data: xr.DataArray, options: Mapping[str, Any], cells: Calibration) -> xr.DataArray | None:
    """The power of noise in digital numbers, for each band; `None` where it has been taken out already."""
    found = told(data, "noise", options)
    names = axes.labels(data, axes.bands(data))
    if all(f is not None and f.get("removed") is True for f in found):
        return None
    silent = [str(n) for n, f in zip(names, found, strict=True) if f is None or "values" not in f]
    if silent or cells.gains is None:
        what = ", ".join(silent) or "backscatter that is calibrated already"
        raise ProcessParameterInvalid(
            f"noise cannot be taken out: nothing tells that of {what}",
            hint='Give options={"noise": {"values": ...}} (power in digital numbers), {"noise": {"removed": true}} '
            "where it has been done, or noise_removal=false.",
            parameter="noise_removal",
        )
    return vectors(data, [f for f in found if f is not None], "noise")


def silent(data: xr.DataArray) -> xr.DataArray:
    """The cube with a note in its metadata that noise has been taken out."""
    dim = axes.bands(data)
    noted = [b | {"sar:noise": {"removed": True}} for b in axes.band_metadata(data)]
    coord = data.coords[dim]
    return data.assign_coords({dim: (dim, coord.values, {**coord.attrs, "bands": noted})})


def vectors(data: xr.DataArray, told: list[Mapping[str, Any]], what: str) -> xr.DataArray:
    """Numbers of each band: constants, or vectors along x or y between whose places they are linear."""
    dim, (y, x) = axes.bands(data), axes.plane(data)
    rows = [vector(data, entry, what, {"x": x, "y": y}) for entry in told]
    return (
        xr.concat(rows, dim=dim, coords="minimal", join="exact")
        if len(rows) > 1
        else rows[0].expand_dims(dim)
    )


def vector(data: xr.DataArray, entry: Mapping[str, Any], what: str, plane: Mapping[str, str]) -> xr.DataArray:
    """Numbers of one band, along the dimension that its vector goes along."""
    values = entry["values"]
    along = [axis for axis in plane if axis in entry]
    if not along:
        return xr.DataArray(real(values, f"the values of the {what}"))
    places = np.asarray(entry[along[0]], dtype=np.float64)
    numbers = np.asarray(values, dtype=np.float64)
    sound = places.ndim == 1 and numbers.shape == places.shape and len(places) > 0
    if len(along) > 1 or not sound or not (np.isfinite(places).all() and np.isfinite(numbers).all()):
        raise ProcessParameterInvalid(
            f"the {what} has {numbers.shape} values at {places.shape} places along {' and '.join(along)}; as many of "
            "both are needed, along x or y",
            parameter="options",
        )
    order = np.argsort(places)
    dim = plane[along[0]]
    labels = data.coords[dim].values.astype(np.float64)
    return xr.DataArray(np.interp(labels, places[order], numbers[order]), dims=(dim,))


# -------------------------------------------------------------------------------------------- geometry
@dataclass(frozen=True)
class Facet:
    """The ground of each cell as one facet, seen from the side; exact where one cell does not cover another.

    The plane of the image holds the line of sight and the direction of flight. `range_slope` and `azimuth_slope` are
    the metres that the ground rises for each metre away from the radar and across that.
    """

    incidence: np.ndarray
    """Angle between the line of sight and the vertical in radians."""
    range_slope: np.ndarray | float = 0.0
    azimuth_slope: np.ndarray | float = 0.0

    @classmethod
    def of(
        cls,
        angle: np.ndarray,
        azimuth: np.ndarray | None = None,
        east: np.ndarray | None = None,
        north: np.ndarray | None = None,
    ) -> Facet:
        """From degrees: the incidence on the ellipsoid, the direction of looking; and slopes to the east and north."""
        if azimuth is None or east is None or north is None:
            return cls(np.radians(angle))
        look = np.radians(azimuth)
        return cls(
            np.radians(angle),
            east * np.sin(look) + north * np.cos(look),
            east * np.cos(look) - north * np.sin(look),
        )

    @property
    def length(self) -> Any:
        """Length of the normal vector whose vertical part is 1: by so much the facet is larger than its cell."""
        return np.sqrt(1 + np.square(self.range_slope) + np.square(self.azimuth_slope))

    @property
    def sight(self) -> Any:
        """Cosine of the local incidence angle, between line of sight and normal; not positive in shadow."""
        return (np.cos(self.incidence) + self.range_slope * np.sin(self.incidence)) / self.length

    @property
    def projection(self) -> Any:
        """Cosine of the angle between normal and image plane's normal (Ulander 1996); not positive in layover."""
        return (np.sin(self.incidence) - self.range_slope * np.cos(self.incidence)) / self.length

    @property
    def visible(self) -> Any:
        """Neither in layover nor in shadow, as far as the slope of the cell itself tells."""
        return (self.sight > 0) & (self.projection > 0)

    def factor(self, coefficient: str) -> Any:
        """What beta nought is to be multiplied by."""
        if coefficient == "sigma0-ellipsoid":
            return np.sin(self.incidence)
        if coefficient == "gamma0-ellipsoid":
            return np.tan(self.incidence)
        if coefficient == "sigma0-terrain":
            return np.where(self.visible, self.projection, np.nan)
        if coefficient == "gamma0-terrain":
            return np.where(self.visible, self.projection / self.sight, np.nan)
        return 1.0


@dataclass(frozen=True)
class Backscatter:
    """Backscatter of stored cells, as a function of blocks."""

    scaling: Scaling
    axis: int
    decibels: bool
    source: str
    target: str | None

    def __call__(
        self,
        cells: np.ndarray,
        gains: np.ndarray | None = None,
        noise: np.ndarray | None = None,
        **geometry: np.ndarray,
    ) -> np.ndarray:
        power = self.scaling(cells, self.axis).astype(np.float64)
        if self.decibels:
            power = 10 ** (power / 10)
        if gains is not None:
            power = np.maximum(power**2 - (0 if noise is None else noise), 0)
            power = power if self.target is None else power / gains**2
        if self.target not in (None, self.source):
            facet = Facet.of(**geometry)
            power = power * facet.factor(str(self.target)) / facet.factor(self.source)
        return power.astype(self.scaling.dtype)


@dataclass(frozen=True)
class Layers:
    """What goes with backscatter, as a function of stored blocks with all bands."""

    names: tuple[str, ...]
    scaling: Scaling
    axis: int

    def __call__(
        self, cells: np.ndarray, area: np.ndarray | None = None, **geometry: np.ndarray
    ) -> np.ndarray:
        shape = tuple(1 if i == self.axis else n for i, n in enumerate(cells.shape))
        facet = Facet.of(**geometry) if "angle" in geometry else None
        physical = self.scaling(cells, self.axis)
        layers = [np.broadcast_to(self.layer(n, physical, area, facet), shape) for n in self.names]
        return np.concatenate(layers, axis=self.axis).astype(np.float32)

    def layer(self, name: str, cells: np.ndarray, area: np.ndarray | None, facet: Facet | None) -> Any:
        """One of the layers. Valid cells of the mask are finite in each band and not hidden."""
        if name == "mask":
            sound = np.isfinite(cells).all(axis=self.axis, keepdims=True)
            seen = sound if facet is None else sound & facet.visible
            none = np.isnan(cells).all(axis=self.axis, keepdims=True)
            return np.where(none, np.nan, seen)
        assert facet is not None  # all others are asked for with geometry
        if name == "contributing_area":
            return np.where(facet.visible, area * facet.length * facet.sight, np.nan)
        if name == "local_incidence_angle":
            return np.degrees(np.arccos(np.clip(facet.sight, -1, 1)))
        return np.degrees(facet.incidence)
