"""Profiles: what publishers of a kind demand of items besides STAC, and what they add to them."""
