"""Loads STAC items as one lazy cube: `load(items, wish)`; `survey(items, wish)` tells what that would do."""

from engine.load.door import choose, load, survey
from engine.load.files import all_watched, look_anew
from engine.load.model import Survey, Wish

__all__ = ["Survey", "Wish", "all_watched", "choose", "load", "look_anew", "survey"]
