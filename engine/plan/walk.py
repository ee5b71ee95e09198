"""Walks the steps of a region without taking them: what is read, what is computed, and what is held at once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
from odc.geo.geobox import GeoBox

from engine.kernel.emit import Formula
from engine.kernel.fused import Fused
from engine.load.blocks import AT_ONCE as WINDOWS
from engine.load.blocks import Rasters
from engine.load.files import header, is_local
from engine.load.model import Source
from engine.load.place import shrinkage
from engine.load.remembered import remembered
from engine.plan.amounts import Amounts, Walked, arithmetic, held_in, weighted
from engine.plan.chunk import evenly
from engine.plan.passes import Selected
from engine.plan.shelf import Kept
from engine.plan.weights import hunger, weight
from processes.cubes.convolution import Correlated
from processes.cubes.warp import Warped
from processes.places import Place, Region, among, count, everything, hull, indices, size
from processes.recipes import Mapped, Picked, Recipe, schedule

TILE = 512
"""Cells along each side of a block of a file, where its header was not read."""
LOOKED = 16
"""Blocks that are looked at of what is passed over."""
COUNTED = 12
"""How often dearer it is to count a number in its bin than to add it."""
NEARLY = 1.01
"""An overview that is so much coarser than the grid still serves it."""
WARPING = 32 * 2**20
"""Bytes that a warp has at hand besides the cells: coordinates, and its own copies of a strip."""


@dataclass
class Walk:
    """Knows the files, and walks regions of recipes that are read from them."""

    sizes: Mapping[tuple[str, str], float]
    """Bytes of the files by item and asset, for each of their bands; those that the metadata tell."""
    packing: float
    """Bytes in a file for each byte of its cells, where the metadata do not tell."""
    asked: set[str] = field(default_factory=set)
    """Files on servers whose heads were counted already."""
    overviews: dict[str, Sequence[int]] = field(default_factory=dict)
    """Shrink factors of overviews by asset: one file tells of all of its kind."""

    def region(self, recipe: Recipe, region: Region) -> Walked:
        """What a region takes; what nothing needs any more is let go, as `computed` does it."""
        steps = schedule(recipe, region)
        homes: list[int] = []
        readers = [0] * len(steps)
        for step in steps:
            for i in step.inputs:
                readers[homes[i]] += 1
            is_view = isinstance(step.recipe, Picked) and bool(step.inputs)
            homes.append(homes[step.inputs[0]] if is_view else len(homes))
        readers[homes[-1]] += 1
        held: dict[int, int] = {}
        done, peak, shelf = Amounts(), 0, 0
        for number, step in enumerate(steps):
            amounts, scratch = self.step(
                step.recipe, step.region, [size(steps[i].region) for i in step.inputs]
            )
            scratch += shelf
            shelf += beside(step.recipe) if isinstance(step.recipe, Kept) else 0
            if homes[number] == number:
                held[number] = nbytes(step.recipe, step.region)
            done, peak = done.plus(amounts), max(peak, sum(held.values()) + scratch)
            for i in step.inputs:
                readers[homes[i]] -= 1
                if not readers[homes[i]]:
                    held.pop(homes[i], None)
        return Walked(done, peak, nbytes(recipe, region))

    def step(self, recipe: Recipe, region: Region, inputs: Sequence[tuple[int, ...]]) -> tuple[Amounts, int]:
        """What one step takes, and the bytes that it has at hand besides what goes in and comes out."""
        if isinstance(recipe, Rasters):
            return self.reading(recipe, region)
        if isinstance(recipe, Fused):
            return self.fused(recipe, region)
        if isinstance(recipe, Kept):
            return self.kept(recipe, region)
        if isinstance(recipe, Selected):
            return self.selected(recipe, region)
        made, gone = math.prod(size(region)), sum(map(math.prod, inputs))
        if isinstance(recipe, Picked) or not recipe.inputs:
            return Amounts(), 0
        if isinstance(recipe, Correlated):
            return weighted(recipe.run.focal, made)
        if isinstance(recipe, Warped):
            moved = made * weight(recipe.step.method)
            return Amounts(warped=moved, cells=made), (gone + made) * recipe.dtype.itemsize + WARPING
        numbers = max(gone, made)
        fn = recipe.fn if isinstance(recipe, Mapped) else recipe
        return Amounts(plain=numbers * weight(fn), cells=made), int(numbers * hunger(fn))

    # --------------------------------------------------------------------------------------- reading
    def reading(self, recipe: Rasters, region: Region) -> tuple[Amounts, int]:
        """What reading takes: the windows of all files that may have cells there."""
        times, bands, rows, cols = region
        window = hull(rows), hull(cols)
        total = Amounts()
        for t in indices(times):
            for b in indices(bands):
                for source in recipe.meeting(int(t), int(b), window):
                    total = total.plus(self.window(source, recipe.grid, window))
        return total, self.waiting(recipe, region)

    @staticmethod
    def waiting(recipe: Rasters, region: Region) -> int:
        """Bytes of windows that were read and wait for their place."""
        times, bands, rows, cols = region
        plane = count(hull(rows)) * count(hull(cols)) * recipe.dtype.itemsize
        return plane * (min(WINDOWS, count(times) * count(bands)) + 2)

    def window(self, source: Source, grid: GeoBox, window: tuple[slice, slice]) -> Amounts:
        """What one window of one file takes."""
        assert source.geobox is not None
        height, width = map(count, window)
        down, across = ratio(source.geobox, grid)
        level = self.level(source, min(down, across))
        tall, wide = min(height * down, source.geobox.shape[0]), min(width * across, source.geobox.shape[1])
        itemsize = np.dtype(source.dtype).itemsize
        decoded = tall * wide * itemsize / level**2
        unpacked = decoded
        if level == 1 and (corner := offset(source.geobox, grid)) is not None:
            sides = zip(window, corner, (down, across), source.geobox.shape, strict=True)
            unpacked = float(math.prod(whole_tiles(*side) for side in sides) * itemsize)
        told = self.sizes.get((source.item, source.asset))
        packing = self.packing if told is None else told / (math.prod(source.geobox.shape) * itemsize)
        requests = 0
        if not is_local(source.href):
            requests = math.ceil(tall / level / TILE) + (source.href not in self.asked)
            self.asked.add(source.href)
        return Amounts(decoded=decoded, unpacked=unpacked, packed=unpacked * packing, requests=requests)

    def level(self, source: Source, shrunk: float) -> int:
        """Shrink factor of the overview that is read; headers are only asked where one could be."""
        if shrunk < 2:
            return 1
        if source.asset not in self.overviews:
            self.overviews[source.asset] = header(source).overviews
        return max((f for f in self.overviews[source.asset] if f <= shrunk * NEARLY), default=1)

    def kept(self, node: Kept, region: Region) -> tuple[Amounts, int]:
        """What blocks take that are kept: of those that it looks at this region has its share to compute."""
        others = tuple(slice(0, n) for n in node.shape[:-2])
        window = tuple(map(hull, region[-2:]))
        whole = tuple(around(edges, place) for edges, place in zip(node.edges, window, strict=True))
        share = math.prod(map(count, window)) / max(1, math.prod(map(count, whole)))
        amounts = self.region(node.source, (*others, *whole)).amounts.times(share)
        block = (*others, *(slice(0, max(s, default=0)) for s in node.sizes))
        return amounts, self.region(node.source, block).peak + beside(node)

    def selected(self, node: Selected, region: Region) -> tuple[Amounts, int]:
        """What passes over planes take: of many blocks some are looked at, each pass is as dear as the first."""
        batches = node.batches(region)
        done, peak, seen = Amounts(), 0, 0
        for part in evenly(batches, LOOKED):
            walked = self.region(node.source, (*map(among, region, part[:-2]), *part[-2:]))
            cells = math.prod(size(part))
            plane = math.prod(size(part[-2:]))
            done = done.plus(walked.amounts).plus(Amounts(plain=cells * COUNTED, cells=cells))
            peak = max(peak, walked.peak, walked.own + plane * node.beside)
            seen += cells
        whole = math.prod(size(region)) * math.prod(node.source.shape[-2:])
        return done.times(node.passes * whole / max(1, seen)), peak + node.held

    # --------------------------------------------------------------------------------------- kernels
    def fused(self, node: Fused, region: Region) -> tuple[Amounts, int]:
        """What kernels take, if no date is skipped: the planes of each tile are read, held and gone through."""
        places = dict(zip(node.axes, region, strict=True))
        rows, cols = (hull(places.get(r, slice(0, 1))) for r in ("y", "x"))
        dates: Place = places.get("t", slice(0, node.dates))
        formulas = self.formulas(node, region)
        gate = node.gate.formula.planes if node.gate is not None else ()
        used = sorted({p for f in formulas for p in f.planes} | set(gate))
        done, scratch = Amounts(), 0
        for tile in node.tiles(rows, cols):
            walked = {p: self.plane(node, p, dates, tile) for p in used}
            for one in walked.values():
                done = done.plus(one.amounts)
            done = done.plus(arithmetic(node, formulas, tile, count(dates)))
            scratch = max(scratch, held_in(node, formulas, walked, tile, count(dates)))
        turned = node.order != sorted(node.order)  # then whoever takes the result makes a copy
        return done, scratch + turned * nbytes(node, region)

    @staticmethod
    def formulas(node: Fused, region: Region) -> list[Formula]:
        """The formulas that a region needs, one for each place along the axes that are taken apart."""
        wanted = product(*(indices(region[a]) for a in node.apart))
        return [node.formulas[tuple(map(int, place))] for place in wanted]

    def plane(self, node: Fused, number: int, dates: Place, tile: tuple[slice, slice]) -> Walked:
        """What a plane of a tile takes."""
        plane = node.planes[number]
        wanted = {"t": dates, "y": tile[0], "x": tile[1]}
        region = tuple(
            among(p, wanted[role]) if role in wanted else p
            for role, p in zip(plane.axes, plane.places, strict=True)
        )
        return self.region(plane.recipe, region)


def around(edges: Sequence[int], place: slice) -> slice:
    """All blocks, which begin and end at these edges, that a place lies in."""
    if place.stop <= place.start:
        return place
    return slice(max(e for e in edges if e <= place.start), min(e for e in edges if e >= place.stop))


def beside(node: Kept) -> int:
    """Bytes of blocks that are kept, as long as something is made of them."""
    return min(node.room, nbytes(node, everything(node.shape)))


def nbytes(recipe: Recipe, region: Region) -> int:
    """Bytes of a region."""
    return math.prod(size(region)) * recipe.dtype.itemsize


def ratio(source: GeoBox, grid: GeoBox) -> tuple[float, float]:
    """How many cells of a source go into one of the grid, down and across."""
    down, across = shrinkage(source, grid)
    return float(down), float(across)


@remembered
def offset(source: GeoBox, grid: GeoBox) -> tuple[float, float] | None:
    """Row and column of the source where the grid begins; `None` where they do not lie along each other."""
    if source.crs != grid.crs or not source.axis_aligned or not grid.axis_aligned:
        return None
    first = ~source.transform * grid.transform
    return float(first.f), float(first.c)


def whole_tiles(window: slice, corner: float, scale: float, length: int) -> int:
    """Cells along one axis of the tiles of a file that a window touches."""
    first = TILE * math.floor((corner + float(window.start) * scale + 0.01) / TILE)
    last = TILE * math.ceil((corner + float(window.stop) * scale - 0.01) / TILE)
    return max(0, min(last, length) - max(first, 0))
