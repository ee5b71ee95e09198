"""A cube as a small piece of HTML for notebooks: works offline, without scripts."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

SIDE = 120
"""Pixels of the map's longer side."""


def as_html(lines: Mapping[str, str], outline: Any) -> str:
    """A table of facts, and beside it the outline on a grid of degrees."""
    rows = "".join(
        f'<tr><th style="text-align:left">{escape(k)}</th><td style="text-align:left">{escape(v)}</td></tr>'
        for k, v in lines.items()
    )
    return (
        f'<div style="display:flex;gap:1em;align-items:center"><table>{rows}</table>{drawing(outline)}</div>'
    )


def drawing(outline: Any) -> str:
    """A polygon in degrees as SVG."""
    if outline is None or outline.is_empty or outline.geom_type != "Polygon":
        return ""
    west, south, east, north = outline.bounds
    pad = 0.15 * max(east - west, north - south)
    scale = SIDE / (max(east - west, north - south) + 2 * pad)
    points = " ".join(
        f"{(x - west + pad) * scale:.1f},{(north + pad - y) * scale:.1f}" for x, y in outline.exterior.coords
    )
    width, height = ((east - west + 2 * pad) * scale, (north - south + 2 * pad) * scale)
    return (
        f'<svg width="{width:.0f}" height="{height:.0f}" role="img" aria-label="footprint">'
        f'<rect width="100%" height="100%" fill="none" stroke="currentColor" stroke-opacity="0.3"/>'
        f'<polygon points="{points}" fill="#3b82f6" fill-opacity="0.3" stroke="#1d4ed8"/></svg>'
    )
