"""Climatological normals and what differs from them."""
