"""What a plan costs, before a byte is read: what is read and computed, the memory that it takes, and how long."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import pystac
import xarray as xr

from engine.kernel.compiled import folder
from engine.load.model import Survey
from engine.plan.bill import FEW, Bill, billed, sizes_of
from engine.plan.calibration import Calibration
from engine.settings import GDAL_CACHE

WAITING = 64 * 2**20
"""Bytes that a writer keeps of tiles whose other parts have not come yet."""
SLACK = 1.5
"""Memory that was let go is not given back at once: blocks take so much more of it than they hold."""
HEAP = 32 * 2**20
"""Bytes that each worker's part of the heap keeps, however little is in it."""
AT_ONCE = 24
"""Requests that are under way at a time."""
COPIES = 3
"""How often those have the result in memory."""


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
    """Bytes of these files that are read, in whole blocks: by their sizes in the metadata, else by a measured ratio."""
    bytes_decoded: int = 0
    """Bytes of the cells that are wanted of them."""
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
        bill.amounts = bill.amounts._replace(
            decoded=decoded, unpacked=decoded, packed=decoded * means.speeds.packing
        )
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
        blocks=round(at_once * (bill.largest * SLACK + HEAP)),
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
        decode=done.unpacked / speeds.deflate / beside,
        compute=compute / beside,
        write=write,
    )


def is_compiled(text: str) -> bool:
    """Is the machine code of a kernel on the disk?"""
    name = "gdc_kernel_" + hashlib.sha256(text.encode()).hexdigest()[:24]
    return any((folder() / "__pycache__").glob(f"{name}*.nbi"))
