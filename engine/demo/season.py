"""The year: how each crop and each surface looks on a given day, as reflectance in four bands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.demo.noise import Floats
from engine.demo.parcels import Crop, Parcels
from engine.demo.surfaces import GRADES, Surface

BANDS = ("B02", "B03", "B04", "B08")
"""Order of the reflectances: blue, green, red, near infrared."""
Knots = Sequence[tuple[float, float, float, float]]
"""(day of the year, share of green leaves, share of dry matter, share of blossom) from spring to autumn."""

CALENDAR: Mapping[Crop, Knots] = {
    Crop.WHEAT: [(60, 0.30, 0, 0), (95, 0.55, 0, 0), (120, 0.92, 0, 0), (152, 0.96, 0, 0), (174, 0.66, 0.3, 0),
                 (192, 0.08, 0.88, 0), (202, 0, 0.95, 0), (206, 0.02, 0.6, 0), (232, 0.12, 0.35, 0),
                 (250, 0.06, 0.1, 0), (272, 0.06, 0.03, 0), (298, 0.32, 0, 0)],
    Crop.BARLEY: [(60, 0.36, 0, 0), (92, 0.62, 0, 0), (115, 0.94, 0, 0), (140, 0.9, 0.06, 0), (160, 0.4, 0.58, 0),
                  (174, 0.04, 0.95, 0), (183, 0, 0.92, 0), (186, 0.04, 0.55, 0), (212, 0.3, 0.25, 0),
                  (238, 0.62, 0.06, 0), (270, 0.78, 0, 0), (298, 0.66, 0.05, 0)],
    Crop.RAPESEED: [(60, 0.4, 0, 0), (92, 0.76, 0, 0), (108, 0.8, 0, 0.2), (120, 0.42, 0, 0.58),
                    (134, 0.52, 0, 0.46), (146, 0.94, 0, 0.04), (168, 0.84, 0.1, 0), (188, 0.35, 0.6, 0),
                    (198, 0.06, 0.85, 0), (202, 0.05, 0.5, 0), (230, 0.34, 0.2, 0), (250, 0.1, 0.08, 0),
                    (275, 0.12, 0, 0), (298, 0.4, 0, 0)],
    Crop.MAIZE: [(60, 0.08, 0.12, 0), (105, 0.05, 0.06, 0), (112, 0, 0.02, 0), (138, 0.03, 0, 0), (155, 0.18, 0, 0),
                 (172, 0.52, 0, 0), (190, 0.9, 0, 0), (215, 0.97, 0, 0), (240, 0.9, 0.04, 0), (258, 0.72, 0.22, 0),
                 (268, 0.45, 0.45, 0), (273, 0.04, 0.34, 0), (298, 0.08, 0.2, 0)],
    Crop.BEET: [(60, 0.05, 0.08, 0), (105, 0, 0, 0), (130, 0.06, 0, 0), (152, 0.4, 0, 0), (172, 0.86, 0, 0),
                (200, 0.98, 0, 0), (250, 0.93, 0, 0), (283, 0.86, 0.04, 0), (293, 0.08, 0.05, 0), (298, 0.02, 0, 0)],
    Crop.POTATOES: [(60, 0, 0.05, 0), (120, 0, 0, 0), (145, 0.12, 0, 0), (165, 0.7, 0, 0), (182, 0.93, 0, 0.02),
                    (215, 0.88, 0.04, 0), (236, 0.45, 0.4, 0), (250, 0.05, 0.4, 0), (256, 0, 0.05, 0),
                    (280, 0.1, 0, 0), (298, 0.3, 0, 0)],
    Crop.GRASS: [(60, 0.5, 0.2, 0), (95, 0.8, 0.03, 0), (128, 0.97, 0, 0.01), (133, 0.97, 0, 0.01),
                 (135, 0.4, 0.32, 0), (158, 0.88, 0.02, 0), (174, 0.96, 0, 0), (177, 0.45, 0.3, 0),
                 (202, 0.86, 0.05, 0), (216, 0.9, 0.05, 0), (219, 0.42, 0.36, 0), (246, 0.8, 0.06, 0),
                 (262, 0.9, 0.03, 0), (265, 0.5, 0.25, 0), (298, 0.8, 0.05, 0)],
    Crop.MEADOW: [(60, 0.35, 0.45, 0), (98, 0.6, 0.22, 0), (130, 0.88, 0.02, 0.03), (158, 0.9, 0.05, 0.05),
                  (176, 0.78, 0.2, 0.02), (180, 0.35, 0.45, 0), (215, 0.62, 0.28, 0), (250, 0.68, 0.22, 0),
                  (298, 0.55, 0.32, 0)],
    Crop.ORCHARD: [(60, 0.3, 0.25, 0), (95, 0.4, 0.15, 0.06), (112, 0.48, 0.08, 0.22), (125, 0.68, 0.04, 0.02),
                   (150, 0.84, 0.02, 0), (230, 0.86, 0.04, 0), (268, 0.76, 0.1, 0), (298, 0.48, 0.32, 0)],
    Crop.VINEYARD: [(60, 0.16, 0.22, 0), (105, 0.22, 0.15, 0), (130, 0.36, 0.08, 0), (160, 0.62, 0.04, 0),
                    (195, 0.72, 0.05, 0), (245, 0.68, 0.08, 0), (275, 0.5, 0.26, 0.04), (298, 0.26, 0.42, 0.04)],
}  # fmt: skip
LEAVES: Mapping[Crop, tuple[float, ...]] = {
    Crop.WHEAT: (0.023, 0.054, 0.027, 0.43),
    Crop.BARLEY: (0.026, 0.064, 0.034, 0.44),
    Crop.RAPESEED: (0.026, 0.068, 0.030, 0.47),
    Crop.MAIZE: (0.024, 0.060, 0.025, 0.44),
    Crop.BEET: (0.022, 0.066, 0.023, 0.56),
    Crop.POTATOES: (0.024, 0.068, 0.028, 0.50),
    Crop.GRASS: (0.025, 0.069, 0.032, 0.46),
    Crop.MEADOW: (0.029, 0.070, 0.044, 0.37),
    Crop.ORCHARD: (0.024, 0.055, 0.033, 0.36),
    Crop.VINEYARD: (0.028, 0.058, 0.040, 0.35),
}
"""Reflectance of each crop where its leaves cover the ground."""
SOIL = np.array([0.066, 0.092, 0.120, 0.178], np.float32)
STRAW = np.array([0.088, 0.132, 0.176, 0.280], np.float32)
BLOSSOM: Mapping[Crop, tuple[float, ...]] = {
    Crop.RAPESEED: (0.042, 0.178, 0.180, 0.46),
    Crop.VINEYARD: (0.045, 0.095, 0.145, 0.27),
}
"""Reflectance of flowers (for vineyards: red autumn leaves) where they are not plain white."""
WHITE = (0.16, 0.18, 0.18, 0.40)
FLAT: Mapping[Surface, tuple[float, ...]] = {
    Surface.RIVER: (0.060, 0.080, 0.058, 0.028),
    Surface.GRAVEL: (0.125, 0.150, 0.165, 0.200),
    Surface.ROCK: (0.090, 0.105, 0.117, 0.155),
    Surface.TILES: (0.074, 0.096, 0.134, 0.190),
    Surface.SLATE: (0.086, 0.098, 0.108, 0.150),
    Surface.METAL: (0.250, 0.262, 0.270, 0.290),
    Surface.ASPHALT: (0.092, 0.102, 0.110, 0.138),
    Surface.YARD: (0.112, 0.130, 0.142, 0.185),
}
"""Surfaces that look the same all year."""
LEAFLESS = np.array([0.036, 0.052, 0.062, 0.170], np.float32)
CONIFER = np.array([0.018, 0.031, 0.023, 0.200], np.float32)
BROADLEAF = np.array([0.021, 0.046, 0.024, 0.335], np.float32)
AUTUMN = np.array([0.028, 0.066, 0.082, 0.270], np.float32)
ALPINE = np.array([0.030, 0.068, 0.042, 0.340], np.float32)
SHALLOWS = np.array([0.060, 0.082, 0.052, 0.024], np.float32)
DEPTHS = np.array([0.043, 0.042, 0.021, 0.010], np.float32)
ROAD = np.array([0.105, 0.118, 0.130, 0.155], np.float32)


def parcel_table(parcels: Parcels, day: int, wet: float) -> tuple[Floats, Floats]:
    """Reflectance of each parcel on a day, (parcels, bands), and its change where the crop stands better.

    `wet` darkens the bare soil, 0 dry to 1 after rain.
    """
    late = np.where(np.isin(parcels.crop, (Crop.GRASS, Crop.MEADOW)), 2.2, 1.0) * parcels.shift
    table = np.empty((parcels.crop.size, len(BANDS)), np.float32)
    change = np.empty_like(table)
    for crop in Crop:
        mine = parcels.crop == crop
        green, dry, bloom = _shares(CALENDAR[crop], day - late[mine])
        green = green * np.minimum(parcels.vigour[mine], 1.04)[:, None]
        soil = SOIL * parcels.soil[mine][:, None] * (1 - 0.33 * wet)
        leaves, blossom = np.array(LEAVES[crop]), np.array(BLOSSOM.get(crop, WHITE))
        bare = np.clip(1 - green - dry - bloom, 0, 1)
        table[mine] = green * leaves + dry * STRAW + bloom * blossom + bare * soil
        change[mine] = 0.3 * (green + 0.03) * (1.15 - green) * (leaves - soil) - 0.05 * bare * soil
    return table, change


def surface_table(day: int) -> Floats:
    """Reflectance of each `Surface` below `Surface.PARCEL` on a day, (surfaces, bands)."""
    table = np.zeros((Surface.PARCEL, len(BANDS)), np.float32)
    for surface, spectrum in FLAT.items():
        table[surface] = spectrum
    leaf, turned = _leaf(day)
    broadleaved = leaf * BROADLEAF + turned * AUTUMN + (1 - leaf - turned) * LEAFLESS
    conifer = CONIFER * (1 + 0.1 * np.interp(day, [90, 150, 290], [-0.5, 1, -0.3]))
    share = ((np.arange(GRADES) + 0.5) / GRADES)[:, None]
    table[Surface.FOREST : Surface.FOREST + GRADES] = share * broadleaved + (1 - share) * conifer
    table[Surface.LAKE : Surface.LAKE + GRADES] = _lake(day)
    grown = float(np.interp(day, [95, 140, 250, 298], [0.2, 1, 0.85, 0.35]))
    table[Surface.PASTURE] = grown * ALPINE + (1 - grown) * STRAW * 0.8
    table[Surface.CLEARING] = 0.55 * grown * ALPINE + (1 - 0.55 * grown) * 0.75 * SOIL
    table[Surface.REED] = 0.9 * grown * BROADLEAF + (1 - 0.9 * grown) * 0.7 * STRAW
    lawn = float(np.interp(day, [90, 125, 200, 235, 298], [0.55, 0.8, 0.68, 0.6, 0.62]))
    table[Surface.GARDEN] = lawn * np.array(LEAVES[Crop.GRASS]) * 0.9 + (1 - lawn) * SOIL
    table[Surface.TREES] = 0.85 * broadleaved + 0.15 * conifer
    lots = [Surface.TILES, Surface.SLATE, Surface.YARD, Surface.GARDEN, Surface.TREES]
    table[lots] += 0.3 * (table[lots].mean(axis=0) - table[lots])
    return table


def surface_change() -> Floats:
    """Change of each surface's reflectance where plants stand better, (surfaces, bands): woods and grass only."""
    change = np.zeros((Surface.PARCEL, len(BANDS)), np.float32)
    change[Surface.FOREST : Surface.FOREST + GRADES] = (-0.0006, -0.0006, -0.0016, 0.010)
    change[[Surface.PASTURE, Surface.CLEARING, Surface.REED]] = (-0.002, -0.001, -0.006, 0.020)
    return change


def _lake(day: int) -> Floats:
    """The lake's reflectance from the shallows to the depths, (grades, bands); algae tint it in summer."""
    deep = ((np.arange(GRADES) + 0.5) / GRADES)[:, None]
    algae = np.array([-0.006, 0.012, 0.003, 0.002]) * np.interp(day, [120, 220, 290], [0.1, 1, 0.3])
    light = np.exp(-3.2 * deep)
    return (light * SHALLOWS + (1 - light) * (DEPTHS + algae)).astype(np.float32)


def _leaf(day: int) -> tuple[float, float]:
    """Share of broadleaved crowns that are green, and that have turned."""
    green = np.interp(day, [100, 112, 126, 140, 258, 278, 293, 305], [0, 0.22, 0.86, 1, 1, 0.7, 0.22, 0])
    turned = np.interp(day, [258, 278, 293, 305], [0, 0.3, 0.74, 0.55])
    return float(green), float(turned)


def _shares(knots: Knots, days: NDArray[np.floating]) -> tuple[NDArray[np.float64], ...]:
    """Shares of green, dry and blossom on these days, each (days, 1)."""
    when, *shares = np.array(knots).T
    return tuple(np.interp(days, when, share)[:, None] for share in shares)
