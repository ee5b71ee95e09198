"""What a planned recipe is made of: planes of kernels, kept blocks and what is passed over included."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from engine.kernel.fused import Fused
from engine.plan.passes import Selected
from engine.plan.shelf import Kept
from processes.recipes import Held, Recipe


def parts(node: Recipe) -> list[Recipe]:
    """What one recipe is made of; each of the planes that its kernels take."""
    if isinstance(node, Fused):
        return [node.planes[n].recipe for n in node.used]
    return [node.source] if isinstance(node, (Kept, Selected)) else list(node.inputs)


def with_parts(node: Recipe, after: Sequence[Recipe]) -> Recipe:
    """One recipe made of other parts, in the order of `parts`; itself where they are the same."""
    if all(a is b for a, b in zip(after, parts(node), strict=True)):
        return node
    if isinstance(node, Fused):
        new = dict(zip(node.used, after, strict=True))
        planes = (replace(p, recipe=new.get(n, p.recipe)) for n, p in enumerate(node.planes))
        return replace(node, planes=tuple(planes))
    return node.of(tuple(after))


def all_of(recipe: Recipe) -> Iterator[Recipe]:
    """A recipe and everything that it is made of, each once."""
    waiting, seen = [recipe], set[int]()
    while waiting:
        node = waiting.pop()
        if id(node) not in seen:
            seen.add(id(node))
            yield node
            waiting += parts(node)


def is_held(node: Recipe) -> bool:
    """Is this an array in memory that no file stands for?"""
    return isinstance(node, Held) and not hasattr(node, "chunks")
