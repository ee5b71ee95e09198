"""How the molecules of the air scatter light: depth, path, transmission (Rayleigh scattering)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from processes.cubes.scenes import Scaling

NODES, WEIGHTS = np.polynomial.legendre.leggauss(32)


def optical_depth(wavelength: np.ndarray) -> np.ndarray:
    """Optical depth of the air above sea level at wavelengths in micrometres; Hansen & Travis (1974), eq. 2.30."""
    inverse = 1 / wavelength**2
    return 0.008569 * inverse**2 * (1 + 0.0113 * inverse + 0.00013 * inverse**2)


def pressure(height: np.ndarray) -> np.ndarray:
    """Pressure at a height in metres as a share of that at sea level; the standard atmosphere of ISO 2533."""
    return (1 - 2.25577e-5 * height) ** 5.25588


def transmission(cosine: np.ndarray | float, depth: np.ndarray) -> np.ndarray:
    """Share of the light that passes, direct and scattered, after Vermote & Tanre (1992)."""
    return ((2 / 3 + cosine) + (2 / 3 - cosine) * np.exp(-depth / cosine)) / (4 / 3 + depth)


def path_reflectance(sun: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """Reflectance of the air itself for a sensor in the zenith; light is scattered once. `sun`: cosine of its zenith."""
    phase = 0.75 * (1 + sun**2)
    return phase / (4 * (sun + 1)) * (1 - np.exp(-depth * (1 / sun + 1)))


def albedo(depth: np.ndarray) -> np.ndarray:
    """Share of the light from the ground that the air sends back, after Vermote et al. (1997)."""
    return (3 * depth - 4 * integral(3, depth) + 6 * integral(4, depth)) / (4 + 3 * depth)


def integral(order: int, depth: np.ndarray) -> np.ndarray:
    """The exponential integral of that order, by Gauss' and Legendre's rule."""
    total = np.zeros_like(depth, dtype=np.float64)
    for node, weight in zip((NODES + 1) / 2, WEIGHTS / 2, strict=True):
        total += weight * node ** (order - 2) * np.exp(-depth / node)
    return total


@dataclass(frozen=True)
class Molecules:
    """Reflectance of the ground under molecules, as a function of stored blocks with all bands."""

    scaling: Scaling
    axis: int

    def __call__(
        self, cells: np.ndarray, sun: np.ndarray, depth: np.ndarray, height: np.ndarray | None = None
    ) -> np.ndarray:
        cosine = np.sin(np.radians(sun))
        here = depth if height is None else depth * pressure(height)
        seen = self.scaling(cells, self.axis) - path_reflectance(cosine, here)
        below = seen / (transmission(cosine, here) * transmission(1.0, here))
        return np.maximum(below / (1 + albedo(here) * below), 0).astype(self.scaling.dtype)
