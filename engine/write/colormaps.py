"""Named colour ramps, each from a few published anchor colours with straight lines between them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

ANCHORS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        # even steps in lightness, told apart by colour-blind eyes too (matplotlib's, CC0)
        "viridis": (
            "440154", "482878", "3e4989", "31688e", "26828e", "1f9e89", "35b779", "6ece58", "b5de2b", "fde725",
        ),
        "magma": (
            "000004", "180f3d", "440f76", "721f81", "9e2f7f", "cd4071", "f1605d", "fd9668", "feca8d", "fcfdbf",
        ),
        # bare soil to dense leaves: browns and greens of ColorBrewer
        "ndvi": ("8c510a", "bf812d", "dfc27d", "f6e8c3", "d9f0a3", "addd8e", "78c679", "41ab5d", "238443", "005a32"),
        # lowland, hills, rock, snow
        "terrain": ("2b6b3f", "6fa35a", "c4cf8a", "ecdfa6", "c9a36a", "976a46", "8d8078", "ffffff"),
        # below and above a middle (ColorBrewer)
        "rdbu": ("b2182b", "d6604d", "f4a582", "fddbc7", "f7f7f7", "d1e5f0", "92c5de", "4393c3", "2166ac"),
    }
)  # fmt: skip
"""Anchor colours from the least to the greatest value, at even distances."""

NAMES = tuple(ANCHORS)


def ramp(name: str, levels: int) -> np.ndarray:
    """So many colours of a ramp, (levels, 3) of uint8."""
    anchors = np.array([[int(c[i : i + 2], 16) for i in (0, 2, 4)] for c in ANCHORS[name]], dtype="float64")
    places = np.linspace(0, len(anchors) - 1, levels)
    channels = [np.interp(places, np.arange(len(anchors)), channel) for channel in anchors.T]
    return np.asarray(np.rint(np.stack(channels, axis=1)), dtype="uint8")
