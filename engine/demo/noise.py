"""The raw material of the demo landscape: seeded random numbers, fractal noise, cells and strokes in numpy."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


def stream(seed: int, *purpose: str) -> np.random.Generator:
    """Random numbers for one named purpose, so that a new purpose leaves the others' numbers alone."""
    return np.random.default_rng([seed, *(zlib.crc32(word.encode()) for word in purpose)])


def floats(values: Any) -> Floats:
    """The values in single precision, which is plenty for a picture."""
    return np.asarray(values, dtype=np.float32)


def fractal(
    rng: np.random.Generator,
    size: int,
    wavelength: float,
    *,
    steepness: float = 3.0,
    stretch: float = 1.0,
    angle: float = 0.0,
) -> Floats:
    """Fractal noise, (size, size), mean 0 and standard deviation 1.

    Features are about `wavelength` cells large; `steepness` is the fall of the power spectrum beyond it
    (2 rough, 4 soft). Features are `stretch` times longer along `angle` (radians from the x axis).
    The noise is cut from a larger torus, so that opposite edges do not match.
    """
    torus = _swift(size + size // 5)
    fy, fx = np.fft.fftfreq(torus)[:, None], np.fft.rfftfreq(torus)[None, :]
    along, across = fx * np.cos(angle) + fy * np.sin(angle), fy * np.cos(angle) - fx * np.sin(angle)
    frequency2 = (along * stretch) ** 2 + across**2
    gain = (wavelength**-2 + frequency2) ** (-steepness / 4)
    gain[0, 0] = 0
    white = rng.standard_normal((torus, torus), dtype=np.float32)
    field = np.fft.irfft2(np.fft.rfft2(white) * gain.astype(np.float32), s=(torus, torus))[:size, :size]
    return floats((field - field.mean()) / field.std())


def _swift(least: int) -> int:
    """The next even number whose only factors are 2, 3 and 5: fast to transform."""
    number = max(least + least % 2, 8)
    while True:
        rest = number
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return number
        number += 2


def smoothstep(low: float, high: float, x: Floats) -> Floats:
    """0 below `low`, 1 above `high`, and a smooth rise between them."""
    share = np.clip((x - low) / (high - low), 0, 1)
    return floats(share * share * (3 - 2 * share))


def soften(image: Floats, share: float) -> Floats:
    """Give `share` of each cell to its four neighbours, half along each axis, as a sensor's optics do."""
    side = np.float32(share / 4)
    tall = np.pad(image, ((1, 1), (0, 0)), mode="edge")
    image = (1 - 2 * side) * image + side * (tall[:-2] + tall[2:])
    wide = np.pad(image, ((0, 0), (1, 1)), mode="edge")
    return (1 - 2 * side) * image + side * (wide[:, :-2] + wide[:, 2:])


def scatter(*keys: Ints | int, salt: int) -> Floats:
    """A number in [0, 1) for each tuple of integer keys: the same keys always give the same number."""
    mixed = np.atleast_1d(np.uint64(salt * 0x9E3779B9))
    for key in keys:
        mixed = (mixed ^ np.asarray(key).astype(np.uint64)) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(32)
    return ((mixed >> np.uint64(40)).astype(np.float32) / np.float32(2**24)).astype(np.float32)


def near(path: NDArray[np.float64], size: int, reach: float) -> Floats:
    """Distance in cells, (size, size), to a path of (x, y) points; `reach` where it is farther.

    Only a small window around each point is looked at, so a long path over a large grid stays cheap.
    """
    out = np.full((size, size), reach, np.float32)
    r = int(np.ceil(reach))
    for x, y in path:
        left, top = max(int(x) - r, 0), max(int(y) - r, 0)
        right, bottom = min(int(x) + r + 1, size), min(int(y) + r + 1, size)
        if left >= right or top >= bottom:
            continue
        dx = np.arange(left, right, dtype=np.float32) + np.float32(0.5 - x)
        dy = np.arange(top, bottom, dtype=np.float32) + np.float32(0.5 - y)
        window = out[top:bottom, left:right]
        np.minimum(window, np.sqrt(dx**2 + dy[:, None] ** 2), out=window)
    return out


def tiles(
    rng: np.random.Generator, x: Floats, y: Floats, spacing: float
) -> tuple[Ints, NDArray[np.float64], Floats]:
    """Irregular (Voronoi) tiles about `spacing` wide: tile of each place, tile centres, distance to the rim.

    The centres are a jittered grid, so only the 3 x 3 nearest ones need be compared.
    """
    low_x, low_y = float(x.min()) - 2 * spacing, float(y.min()) - 2 * spacing
    columns = int((float(x.max()) - low_x) / spacing) + 4
    rows = int((float(y.max()) - low_y) / spacing) + 4
    corners = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).reshape(-1, 2)
    centres = (corners + rng.uniform(0.12, 0.88, corners.shape)) * spacing + (low_x, low_y)
    column, row = ((x - low_x) / spacing).astype(np.int64), ((y - low_y) / spacing).astype(np.int64)
    first, second = np.full(x.shape, np.inf, np.float32), np.full(x.shape, np.inf, np.float32)
    tile: Ints = np.zeros(x.shape, np.int64)
    cx, cy = centres[:, 0].astype(np.float32), centres[:, 1].astype(np.float32)
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            other = (row + down) * columns + column + right
            far = np.hypot(x - cx[other], y - cy[other])
            closer = far < first
            second = np.where(closer, first, np.minimum(second, far))
            first, tile = np.where(closer, far, first), np.where(closer, other, tile)
    return tile, centres, floats((second - first) / 2)
