"""Decision trees as plain arrays: checked before they are used, and walked for all samples at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

AT_ONCE = 2**16
"""Samples that are walked through the trees at once, so that they stay in the processor's cache."""
LEAF = -1
"""What stands for a child where there is none."""


@dataclass(frozen=True, eq=False)
class Forest:
    """Trees, one after the other in the same arrays; a child always stands behind its parent.

    Samples are compared as 32 bit floats with thresholds of 64 bits, and the trees' values are added in order:
    that is what scikit-learn does, so that the results are equal to the last bit.
    """

    roots: np.ndarray
    """int64 (tree,): where each tree begins."""
    left: np.ndarray
    """int32 (node,): the node for samples that are not above the threshold; -1 in leaves."""
    right: np.ndarray
    """int32 (node,): the node for the others; -1 in leaves."""
    feature: np.ndarray
    """int32 (node,): which feature is compared."""
    threshold: np.ndarray
    """float64 (node,): what it is compared with."""
    value: np.ndarray
    """float64 (node, output): what a leaf gives: a number, or the share of each class."""

    @property
    def nodes(self) -> int:
        """How many nodes there are in all trees."""
        return len(self.left)

    def predict(self, samples: np.ndarray) -> np.ndarray:
        """The mean (output, sample) of what the trees give for samples (feature, sample) without NaN."""
        parts = [self._some(samples[:, i : i + AT_ONCE]) for i in range(0, samples.shape[1], AT_ONCE)]
        return np.concatenate(parts, axis=1) if parts else np.zeros((self.value.shape[1], 0))

    def _some(self, samples: np.ndarray) -> np.ndarray:
        samples = np.asarray(samples, dtype=np.float32)
        added = np.zeros((samples.shape[1], self.value.shape[1]))
        for root in self.roots:
            added += self.value.take(self._leaves(int(root), samples), axis=0)
        return (added / len(self.roots)).T

    def _leaves(self, root: int, samples: np.ndarray) -> np.ndarray:
        """The leaf of one tree in which each sample ends.

        `take` of flat arrays: half as long again with indices in brackets.
        """
        count = samples.shape[1]
        flat = samples.ravel()
        at = np.full(count, root, dtype=np.int32)
        walking = np.arange(count) if self.left[root] != LEAF else np.zeros(0, dtype=np.int64)
        node = at
        while walking.size:
            place = np.multiply(self.feature.take(node), count, dtype=np.int64) + walking
            low = flat.take(place) <= self.threshold.take(node)
            node = np.where(low, self.left.take(node), self.right.take(node))
            at[walking] = node
            inner = np.flatnonzero(self.left.take(node) != LEAF)
            walking, node = walking.take(inner), node.take(inner)
        return at


def faults(forest: Forest, features: int, outputs: int) -> Iterator[str]:
    """What is wrong with arrays from a stranger; nothing where they can be walked safely and to an end."""
    n = forest.nodes
    kinds = {"roots": "i8", "left": "i4", "right": "i4", "feature": "i4", "threshold": "f8", "value": "f8"}
    wrong = [name for name, kind in kinds.items() if getattr(forest, name).dtype != np.dtype(kind)]
    if wrong:
        yield f"{', '.join(wrong)} have the wrong type"
        return
    if any(getattr(forest, name).shape != (n,) for name in ("left", "right", "feature", "threshold")):
        yield "the arrays of the nodes differ in length"
        return
    if forest.value.shape != (n, outputs):
        yield f"value has the shape {forest.value.shape} and not {(n, outputs)}"
    if not np.isfinite(forest.value).all():
        yield "some values are not finite"
    yield from tree_faults(forest, features)


def tree_faults(forest: Forest, features: int) -> Iterator[str]:
    """What is wrong with the shape of the trees: every step has to lead forward inside its own tree."""
    n, roots = forest.nodes, forest.roots
    if roots.ndim != 1 or not len(roots) or roots[0] != 0 or roots[-1] >= n or (np.diff(roots) <= 0).any():
        yield "the roots are not ascending places of nodes, the first of which is 0"
        return
    here = np.arange(n)
    end = np.append(roots, n)[np.searchsorted(roots, here, side="right")]
    inner = (forest.left != LEAF) | (forest.right != LEAF)
    for name in ("left", "right"):
        child = getattr(forest, name)
        if ((child <= here) | (child >= end))[inner].any():
            yield f"some children on the {name} do not stand behind their parent in the same tree"
    if ((forest.feature < 0) | (forest.feature >= features))[inner].any():
        yield f"some nodes compare a feature that is none of the {features}"
    if np.isnan(forest.threshold[inner]).any():
        yield "some thresholds are not a number"
