"""Bands as clients of STAC before 1.1 read them: `eo:bands` and `raster:bands` beside `bands`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]
EO = "https://stac-extensions.github.io/eo/v1.1.0/schema.json"
RASTER = "https://stac-extensions.github.io/raster/v1.1.0/schema.json"
OF_EO = {"name": "name", "description": "description"}
OF_EO |= {
    f"eo:{k}": k for k in ("common_name", "center_wavelength", "full_width_half_max", "solar_illumination")
}
OF_RASTER = {k: k for k in ("nodata", "data_type", "statistics", "unit")}
OF_RASTER |= {
    f"raster:{k}": k
    for k in ("sampling", "bits_per_sample", "spatial_resolution", "scale", "offset", "histogram")
}
"""Names of then by those of now."""
STATISTICS = frozenset({"mean", "minimum", "maximum", "stddev", "valid_percent"})
"""Statistics that there were then."""


def with_older_bands(asset: Mapping[str, Any]) -> Json:
    """An asset with the older members; what holds for all its bands is told of each."""
    if "bands" not in asset:
        return dict(asset)
    bands = [{**asset, **band} for band in asset["bands"]]
    return {
        **asset,
        "eo:bands": [renamed(band, OF_EO) for band in bands],
        "raster:bands": [rastered(band) for band in bands],
    }


def rastered(band: Mapping[str, Any]) -> Json:
    """A band as the raster extension had it."""
    out = renamed(band, OF_RASTER)
    if "statistics" in out:
        out["statistics"] = {k: v for k, v in out["statistics"].items() if k in STATISTICS}
    return out


def renamed(band: Mapping[str, Any], names: Mapping[str, str]) -> Json:
    """Some members of a band under other names."""
    return {then: band[now] for now, then in names.items() if now in band}


def extensions(given: list[str], assets: Mapping[str, Any]) -> list[str]:
    """The extensions of an item whose assets have the older members."""
    has_bands = any("raster:bands" in asset for asset in assets.values())
    return sorted({*given, *((EO, RASTER) if has_bands else ())})
