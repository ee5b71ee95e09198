"""What a trained model is: trees, what their features were, and what they tell."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from processes.kernels.forest import Forest


@dataclass(frozen=True, slots=True)
class Feature:
    """A dimension that features stood along when a model was trained."""

    dimension: str
    """Its name."""
    kind: str
    """Its type: bands, temporal, other."""
    labels: tuple[str, ...]
    """Its labels, in order."""


@dataclass(frozen=True, eq=False)
class Model:
    """A random forest, as a value in a graph; it holds numbers and texts, and no code."""

    forest: Forest
    """Its trees; feature numbers count through `features`, the last of which runs fastest."""
    features: tuple[Feature, ...]
    """What it was trained on."""
    classes: tuple[Any, ...] = ()
    """The classes that it tells apart: integers, texts or booleans; none where it estimates a quantity."""
    framework: str = ""
    """Name and version of what trained it."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """How it was trained."""

    @property
    def size(self) -> int:
        """How many features it wants."""
        return math.prod(len(f.labels) for f in self.features)

    @property
    def named(self) -> str:
        """Its features in a sentence."""
        return "; ".join(f"along {f.dimension!r} {', '.join(f.labels)}" for f in self.features)

    @property
    def task(self) -> str:
        """What it does: classification or regression."""
        return "classification" if self.classes else "regression"
