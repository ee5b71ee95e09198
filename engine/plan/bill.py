"""Puts together what cubes take: all their blocks, or as many of them as can be looked at."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dask.array as da
import pystac
import xarray as xr

from engine.kernel.fused import Fused
from engine.plan.amounts import Amounts
from engine.plan.chunk import evenly, largest_of
from engine.plan.parts import all_of
from engine.plan.text import planned
from engine.plan.walk import Walk
from processes.lazy import Lazy, Regions
from processes.places import size
from processes.recipes import Chunks, Recipe, schedule

WALKED = 64
"""Blocks that are looked at one by one; of more, so many that lie evenly among them."""
FEW = 4
"""Blocks that are looked at where only the largest counts."""
STEPS = 40_000
"""Steps that are looked at, about: of long plans fewer blocks."""
STREAMED = frozenset({"", "GTiff", "netCDF", "Zarr"})
"""Formats that are written as blocks come; others take the whole result into memory first."""
OVERHEAD = 4
"""How many times its bytes a block takes in steps that do not tell how they are computed."""


@dataclass
class Bill:
    """Figures of some cubes, as they are put together."""

    amounts: Amounts = field(default_factory=Amounts)
    tasks: int = 0
    bytes_out: int = 0
    largest: int = 0
    """Bytes that the largest block holds at most."""
    own: int = 0
    """Bytes of the largest finished block."""
    ahead: int = 0
    """Bytes of the largest result that is taken into memory as a whole."""
    texts: dict[str, None] = field(default_factory=dict)
    """Kernels."""
    is_sampled: bool = False
    """Were only some of the blocks looked at?"""
    is_known: bool = True
    """Do all arrays tell how they are computed?"""


def sizes_of(items: Sequence[pystac.Item]) -> dict[tuple[str, str], float]:
    """Bytes of files by item and asset, for each of their bands; those that the metadata tell."""
    sizes = {}
    for item in items:
        for key, asset in item.assets.items():
            told = asset.extra_fields.get("file:size")
            described = (asset.extra_fields.get(n) for n in ("bands", "raster:bands", "eo:bands"))
            bands: Sequence[Any] = next((d for d in described if d), ())
            if isinstance(told, (int, float)) and told > 0:
                sizes[item.id, key] = told / max(1, len(bands))
    return sizes


def billed(
    results: Sequence[tuple[xr.DataArray, str]],
    sizes: Mapping[tuple[str, str], float],
    packing: float,
    most: int | None = None,
) -> Bill:
    """What all these cubes take; `most` blocks of each are looked at."""
    bill = Bill()
    walk = Walk(sizes, packing)
    for cube, format_ in results:
        bill.bytes_out += cube.nbytes
        if format_ not in STREAMED:
            bill.ahead = max(bill.ahead, cube.nbytes)
        if isinstance(cube.data, Lazy):
            recipe = planned(cube.data)
            bill.texts.update(dict.fromkeys(texts_of(recipe)))
            add(bill, walk, recipe, cube.data.chunks, most)
        elif isinstance(cube.data, da.Array):
            add_unknown(bill, walk, cube.data)
    return bill


def add(bill: Bill, walk: Walk, recipe: Recipe, chunks: Chunks, most: int | None = None) -> None:
    """Take a recipe into the bill: all its blocks, or as many as can be looked at."""
    blocks = math.prod(map(len, chunks))
    if not blocks:
        return
    largest = largest_of(chunks)
    most = max(1, min(most or WALKED, STEPS // len(schedule(recipe, largest))))
    total = Amounts()
    regions = list(evenly(chunks, most))
    for region in regions:
        walked = walk.region(recipe, region)
        total = total.plus(walked.amounts)
        bill.largest, bill.own = max(bill.largest, walked.peak), max(bill.own, walked.own)
    if len(regions) < blocks:
        bill.is_sampled = True
        walked = Walk(walk.sizes, walk.packing).region(recipe, largest)
        bill.largest, bill.own = max(bill.largest, walked.peak), max(bill.own, walked.own)
        seen = sum(math.prod(size(r)) for r in regions)
        total = total.times(math.prod(recipe.shape) / max(1, seen))
    bill.amounts, bill.tasks = bill.amounts.plus(total), bill.tasks + blocks


def add_unknown(bill: Bill, walk: Walk, array: da.Array) -> None:
    """Take a dask array into the bill that does not tell how it is computed; what it loads tells."""
    held = 0
    for layer in array.dask.layers.values():
        if isinstance(layer, Regions):
            loaded = Bill()
            add(loaded, walk, layer.recipe, layer.sizes)
            bill.amounts = bill.amounts.plus(loaded.amounts)
            held += loaded.largest
    block = math.prod(max(c, default=0) for c in array.chunks) * array.dtype.itemsize
    bill.tasks += len(array.dask)
    bill.amounts = bill.amounts.plus(Amounts(plain=OVERHEAD * float(array.size), cells=float(array.size)))
    bill.largest, bill.own = max(bill.largest, held + OVERHEAD * block), max(bill.own, block)
    bill.is_known = False


def texts_of(recipe: Recipe) -> set[str]:
    """The kernels of a recipe."""
    texts: set[str] = set()
    for node in all_of(recipe):
        if isinstance(node, Fused):
            gate = {node.gate.formula.text} if node.gate else set()
            texts |= {f.text for f in node.formulas.ravel()} | gate
    return texts
