"""Graphs as maps: how a service is told to draw, which cells a tile has, the graph of a tile, pictures that are kept."""
