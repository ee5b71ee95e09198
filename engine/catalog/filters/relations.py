"""The names of relations between spans, geometries and arrays, and how to turn them round."""

from __future__ import annotations

from types import MappingProxyType

COMPARISONS = ("=", "<>", "<", "<=", ">", ">=")
ARITHMETIC = ("+", "-", "*", "/", "^", "%", "div")

TEMPORAL = (
    "t_after", "t_before", "t_contains", "t_disjoint", "t_during", "t_equals", "t_finishedBy", "t_finishes",
    "t_intersects", "t_meets", "t_metBy", "t_overlappedBy", "t_overlaps", "t_startedBy", "t_starts",
)  # fmt: skip

SPATIAL_TURNED = MappingProxyType(
    {
        "s_contains": "s_within",
        "s_crosses": "s_crosses",
        "s_disjoint": "s_disjoint",
        "s_equals": "s_equals",
        "s_intersects": "s_intersects",
        "s_overlaps": "s_overlaps",
        "s_touches": "s_touches",
        "s_within": "s_contains",
    }
)
"""Spatial relation -> the same said from the other side."""
SPATIAL = tuple(SPATIAL_TURNED)

TEMPORAL_TURNED = MappingProxyType(
    {
        "t_after": "t_before",
        "t_contains": "t_during",
        "t_finishedBy": "t_finishes",
        "t_metBy": "t_meets",
        "t_overlappedBy": "t_overlaps",
        "t_startedBy": "t_starts",
    }
)
"""Temporal relation -> the simpler one that says the same from the other side."""

ARRAY = ("a_contains", "a_containedBy", "a_equals", "a_overlaps")
