"""Dimensions of a cube: made, dropped, renamed, folded."""
