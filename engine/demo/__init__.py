"""Sample data without a download: a synthetic, Sentinel-2-like collection, and a process graph to try on it."""

from engine.demo.graph import demo_graph
from engine.demo.scenes import make_scenes

__all__ = ["demo_graph", "make_scenes"]
