"""A child graph or a kernel over windows, neighbourhoods and polygons."""
