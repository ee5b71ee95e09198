"""The members of STAC assets that several formats share: where the cells lie, and when."""

from __future__ import annotations

from typing import Any

from pyproj import CRS

from engine.write.grid import Grid


def projection(grid: Grid) -> dict[str, Any]:
    """The `proj:` members of a grid."""
    t = grid.transform
    return {
        **reference_system(grid.crs),
        "proj:shape": [grid.height, grid.width],
        "proj:transform": [t.a, t.b, t.c, t.d, t.e, t.f],
        "proj:bbox": list(grid.bounds),
    }


def reference_system(crs: CRS | None) -> dict[str, Any]:
    """`proj:code` where the CRS is exactly one that an authority lists, else WKT2."""
    if crs is None:
        return {"proj:code": None}
    authority = crs.to_authority(min_confidence=100)
    if authority is not None:
        return {"proj:code": ":".join(authority)}
    return {"proj:code": None, "proj:wkt2": crs.to_wkt()}
