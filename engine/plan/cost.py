"""What a plan costs, before a byte is read: what is read and computed, the memory that it takes, and how long."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import dask.array as da
import numpy as np
import pystac
import xarray as xr

from engine.kernel.compiled import folder
from engine.kernel.fused import Fused
from engine.load.model import Survey
from engine.plan.calibration import Calibration
from engine.plan.text import planned
from engine.plan.walk import Amounts, Walk
from processes.recipes import Chunks, Lazy, Recipe, Region, Regions, schedule

WALKED = 64
"""Blocks that are looked at one by one; of more, so many that lie evenly among them."""
FEW = 4
"""Blocks that are looked at where only the largest counts."""
STEPS = 40_000
"""Steps that are looked at, about: of long plans fewer blocks."""
GDAL_CACHE = 128 * 2**20
"""Bytes of decoded blocks that GDAL keeps."""
WAITING = 64 * 2**20
"""Bytes that a writer keeps of tiles whose other parts have not come yet."""
SLACK = 1.25
"""Memory that was let go is not given back at once: blocks take so much more of it than they hold."""
AT_ONCE = 24
"""Requests that are under way at a time."""
STREAMED = frozenset({"", "GTiff", "netCDF", "Zarr"})
"""Formats that are written as blocks come; others take the whole result into memory first."""
COPIES = 3
"""How often those have the result in memory."""
OVERHEAD = 4
"""How many times its bytes a block takes in steps that do not tell how they are computed."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Most bytes that a run holds at once, by who holds them."""

    base: int = 0
    """The process itself: Python, libraries, machine code; of all processes that are started for it."""
    blocks: int = 0
    """The blocks that are computed at a time, with all that goes into them."""
    largest: int = 0
    """One of these, the largest."""
    written: int = 0
    """Finished blocks that wait for the writer, and what it keeps itself."""
    cache: int = 0
    """Decoded parts of files that are kept for the windows beside them."""

    @property
    def total(self) -> int:
        """All of it."""
        return self.base + self.blocks + self.written + self.cache


@dataclass(frozen=True, slots=True)
class Seconds:
    """How long a run takes on this machine, part by part; those that run side by side are divided already."""

    start: float = 0
    """Import of the engine."""
    compile: float = 0
    """Kernels: made, or fetched from the disk."""
    fetch: float = 0
    """Waiting for servers."""
    decode: float = 0
    """Files to cells."""
    compute: float = 0
    """Kernels and steps."""
    write: float = 0
    """Packing, writing, reading back."""

    @property
    def total(self) -> float:
        """All of it."""
        return self.start + self.compile + self.fetch + self.decode + self.compute + self.write


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run costs, if no date is skipped because of a mask: an upper bound, but for the seconds."""

    items: int = 0
    """Items that are read."""
    assets: int = 0
    """Files that are read."""
    bytes_packed: int = 0
    """Bytes of these files that are read: by their sizes in the metadata, else by a measured ratio."""
    bytes_decoded: int = 0
    """Bytes of cells that come out of them."""
    requests: int = 0
    """Ranges that are asked of servers; local files need none."""
    cells: int = 0
    """Numbers that are computed, in all steps."""
    tasks: int = 0
    """Blocks that are computed."""
    bytes_out: int = 0
    """Bytes of the result, unpacked."""
    memory: Memory = Memory()
    """Most bytes that are held at once."""
    seconds: Seconds = Seconds()
    """How long it takes."""
    calibrated: bool = False
    """Was this machine measured?"""
    exact: bool = True
    """Are these figures those of all blocks? Otherwise some were looked at, or a part does not tell how it is computed."""

    def json(self) -> dict[str, Any]:
        """The cost for machines, sums included."""
        told = asdict(self)
        told["memory"]["total"] = self.memory.total
        told["seconds"] = {
            k: round(v, 3) for k, v in {**told["seconds"], "total": self.seconds.total}.items()
        }
        return told


@dataclass(frozen=True)
class Means:
    """What a run is given."""

    speeds: Calibration
    """How fast the machine is."""
    workers: int
    """Blocks that are computed at a time."""
    cores: int
    """Cores of the machine."""
    processes: int = 1
    """Processes that the blocks are computed in, this one included."""


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


def cost_of(
    results: Sequence[tuple[xr.DataArray, str]],
    surveys: Sequence[Survey],
    items: Sequence[pystac.Item],
    means: Means,
) -> Cost:
    """The cost of computing and writing cubes.

    Args:
        results: Cubes, each with the name of the format that it is written in, or an empty text.
        surveys: What is loaded.
        items: The items that are loaded.
        means: What the run is given.
    """
    bill = billed(results, sizes_of(items), means.speeds.packing)
    if not bill.amounts.decoded:  # arrays of NetCDF and Zarr: the survey has counted
        decoded = float(sum(s.bytes for s in surveys))
        bill.amounts = bill.amounts._replace(decoded=decoded, packed=decoded * means.speeds.packing)
    done = bill.amounts
    return Cost(
        items=sum(s.items for s in surveys),
        assets=sum(s.assets for s in surveys),
        bytes_packed=round(done.packed),
        bytes_decoded=round(done.decoded),
        requests=round(done.requests),
        cells=round(done.cells),
        tasks=bill.tasks,
        bytes_out=bill.bytes_out,
        memory=memory_of(bill, means),
        seconds=seconds_of(bill, means),
        calibrated=means.speeds.is_measured,
        exact=bill.is_known and not bill.is_sampled,
    )


def sizes_of(items: Sequence[pystac.Item]) -> dict[tuple[str, str], float]:
    """Bytes of files by item and asset, for each of their bands; those that the metadata tell."""
    sizes = {}
    for item in items:
        for key, asset in item.assets.items():
            told = asset.extra_fields.get("file:size")
            bands = next(
                (
                    asset.extra_fields[n]
                    for n in ("bands", "raster:bands", "eo:bands")
                    if n in asset.extra_fields
                ),
                [],
            )
            if isinstance(told, (int, float)) and told > 0:
                sizes[item.id, key] = told / max(1, len(bands))
    return sizes


# ------------------------------------------------------------------------------------------------ cubes
def billed(
    results: Sequence[tuple[xr.DataArray, str]],
    sizes: Mapping[tuple[str, str], float],
    packing: float,
    most: int = WALKED,
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


def add(bill: Bill, walk: Walk, recipe: Recipe, chunks: Chunks, most: int = WALKED) -> None:
    """Take a recipe into the bill: all its blocks, or as many as can be looked at."""
    blocks = math.prod(map(len, chunks))
    if not blocks:
        return
    largest = largest_of(chunks)
    most = max(1, min(most, STEPS // len(schedule(recipe, largest))))
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
        whole = math.prod(recipe.shape)
        total = total.times(whole / max(1, sum(math.prod(int(p.stop - p.start) for p in r) for r in regions)))
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


def largest_of(chunks: Chunks) -> Region:
    """The largest block."""
    region = []
    for sizes in chunks:
        i = int(np.argmax(sizes)) if sizes else 0
        start = sum(sizes[:i])
        region.append(slice(start, start + (sizes[i] if sizes else 0)))
    return tuple(region)


def evenly(chunks: Chunks, most: int) -> Iterator[Region]:
    """All blocks, or so many that lie evenly among them."""
    edges = [np.cumsum((0, *sizes)).tolist() for sizes in chunks]
    numbers = [len(sizes) for sizes in chunks]
    blocks = math.prod(numbers)
    for i in range(min(blocks, most)):
        index = np.unravel_index(i * blocks // min(blocks, most), numbers)
        yield tuple(slice(e[j], e[j + 1]) for e, j in zip(edges, map(int, index), strict=True))


def texts_of(recipe: Recipe) -> set[str]:
    """The kernels of a recipe."""
    texts: set[str] = set()
    seen: set[int] = set()
    waiting = [recipe]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, Fused):
            texts |= {f.text for f in node.formulas.ravel()} | (
                {node.gate.formula.text} if node.gate else set()
            )
            waiting += [p.recipe for p in node.planes]
        waiting += node.inputs
    return texts


# ---------------------------------------------------------------------------------------------- figures
def memory_needed(cube: xr.DataArray, format_: str, means: Means) -> Memory:
    """What a cube takes at least, for sure where it tells how it is computed, else but its blocks themselves."""
    bill = billed([(cube, format_)], {}, means.speeds.packing, FEW)
    return memory_of(bill if bill.is_known else replace(bill, largest=bill.own), means)


def memory_of(bill: Bill, means: Means) -> Memory:
    """What is held at once."""
    if not bill.tasks:
        return Memory(base=round(means.speeds.base), written=COPIES * bill.bytes_out)
    at_once = min(means.workers, bill.tasks)
    waiting = min(bill.tasks, at_once + 1) * bill.own + min(WAITING, bill.bytes_out) + COPIES * bill.ahead
    return Memory(
        base=round(means.speeds.base * means.processes),
        blocks=round(at_once * bill.largest * SLACK),
        largest=bill.largest,
        written=waiting,
        cache=round(min(GDAL_CACHE * max(1, means.processes - 1), bill.amounts.decoded)),
    )


def seconds_of(bill: Bill, means: Means) -> Seconds:
    """How long it takes: what workers do side by side is divided, as far as there are cores and blocks."""
    speeds, done = means.speeds, bill.amounts
    beside = max(1, min(means.workers, means.cores, bill.tasks))
    made = sum(not is_compiled(text) for text in bill.texts)
    compute = (
        done.kernel / speeds.kernel
        + done.compared / speeds.compared
        + done.plain / speeds.plain
        + done.focal / speeds.focal
        + done.warped / speeds.warped
    )
    write = bill.bytes_out / speeds.written
    return Seconds(
        start=speeds.started,
        compile=made * speeds.compiled + (len(bill.texts) - made) * speeds.loaded,
        fetch=done.requests * speeds.latency / AT_ONCE,
        decode=done.decoded / speeds.deflate / beside,
        compute=compute / beside,
        write=write,
    )


def is_compiled(text: str) -> bool:
    """Is the machine code of a kernel on the disk?"""
    name = "gdc_kernel_" + hashlib.sha256(text.encode()).hexdigest()[:24]
    return any((folder() / "__pycache__").glob(f"{name}*.nbi"))
