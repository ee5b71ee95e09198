"""Vector data for tests: parcels in UTM over the sample scenes, as other programs write them."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

CORNER = (675_100.0, 5_154_100.0)
"""Where the first parcel is; the sample scenes lie around it."""
SIDE = 60.0


def parcels(count: int = 40) -> gpd.GeoDataFrame:
    """Squares in EPSG:32632, a gap between each; some know no number, no day, no crop; the last has no geometry."""
    place = np.arange(count)
    west, south = CORNER[0] + place % 10 * 2 * SIDE, CORNER[1] + place // 10 * 2 * SIDE
    squares = shapely.box(west, south, west + SIDE, south + SIDE)
    squares[-1] = None
    random = np.random.default_rng(7)
    crops = np.array(["maize", "wheat", "Wein", "ölkürbis"])[random.integers(0, 4, count)].astype(object)
    crops[::9] = None
    return gpd.GeoDataFrame(
        {
            "crop": crops,
            "size": np.where(place % 7 == 3, np.nan, random.uniform(0, 5, count)),
            "plants": random.integers(0, 1000, count),
            "organic": place % 3 == 0,
            "seen": pd.to_datetime("2022-05-30T10:00:00Z") + pd.to_timedelta(place, "D"),
        },
        geometry=squares,
        crs=32632,
    )
