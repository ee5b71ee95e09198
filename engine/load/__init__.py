"""Loads STAC items as one lazy cube: `load(items, wish)`; `survey(items, wish)` tells what that would do."""

from engine.load.door import load, survey
from engine.load.model import Survey, Wish

__all__ = ["Survey", "Wish", "load", "survey"]
