"""Measures a machine: files to cells, kernels, plain steps, warps, files again; in seconds of the processor."""

from __future__ import annotations

import importlib.util
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import rasterio
import xarray as xr
from affine import Affine
from odc.geo.geobox import GeoBox
from odc.loader.types import RasterLoadParams

from engine.graph.text import read
from engine.kernel.callback import Callback
from engine.kernel.compiled import kernel, network
from engine.load.cube import make_cube
from engine.load.model import Band, Source
from engine.load.windows import Request, read_windows
from engine.plan.bill import texts_of
from engine.plan.calibration import Calibration
from engine.plan.planner import Planner
from engine.plan.text import planned
from engine.plan.weights import weight
from engine.write import write
from processes.cubes.apply import OnCells, apply, reduce_dimension
from processes.cubes.cells import Coding
from processes.cubes.convolution import apply_kernel
from processes.cubes.warp import warp
from processes.lazy import Lazy
from processes.places import everything
from processes.recipes import Held, Recipe, computed

EDGE = 1536
"""Cells along each side of what is measured on: more than a processor keeps to itself."""
DATES = 12
AGAIN = 3
"""So often each is measured; the median counts, so that what else the machine does at the time does not."""
GRID = GeoBox((EDGE, EDGE), Affine(20, 0, 600_000, 0, -20, 5_200_000), "EPSG:32632")
PROBE = """
import json, time
from engine.plan.calibrate import rehearse
compiling, held = rehearse()
print(json.dumps([time.process_time() - 2 * compiling, held]))
"""
"""What a new process runs to tell what it takes before it does anything."""


def measured(say: Callable[[str], None]) -> Calibration:
    """The figures of this machine; takes some ten seconds.

    Args:
        say: Called with what is measured next.
    """
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for what, measure in MEASURES.items():
            say(f"measuring {what}")
            figures |= measure(Path(folder))
    return Calibration(datetime.now(UTC).isoformat(timespec="seconds"), **figures)


def seconds(action: Callable[[], Any]) -> float:
    """Seconds of the processor that an action takes, of all threads of this process."""
    start = time.process_time()
    action()
    return max(time.process_time() - start, 1e-6)


def usual(actions: Iterable[Callable[[], Any]]) -> float:
    """The median of what some actions of the same kind take."""
    return median(seconds(action) for action in actions)


def ground(dates: int, edge: int) -> np.ndarray:
    """Numbers (t, y, x) like those of a scene: smooth, with noise, uint16; some are 0, for no-data."""
    rng = np.random.default_rng(1)
    y, x = np.ogrid[:edge, :edge]
    smooth = 2500 + 1500 * np.sin(x / 150) * np.cos(y / 110)
    out = np.empty((dates, edge, edge), np.uint16)
    for i in range(dates):
        out[i] = smooth * (0.8 + 0.02 * i) + rng.integers(-80, 80, (edge, edge))
        out[i, i * 20 : i * 20 + edge // 8] = 0
    return out


# ------------------------------------------------------------------------------------------- the measures
def files(folder: Path) -> dict[str, float]:
    """Files to cells, by the reader of the engine."""
    cells = ground(1, EDGE)[0]
    found: dict[str, float] = {}
    for codec in ("deflate", "zstd"):
        paths = [folder / f"{codec}{i}.tif" for i in range(AGAIN)]  # what was read once is remembered
        for path in paths:
            save_tiles(path, cells, codec)
        found[codec] = cells.nbytes / usual(read_all(path) for path in paths)
        found["packing"] = paths[0].stat().st_size / cells.nbytes
    return found


def save_tiles(path: Path, cells: np.ndarray, codec: str) -> None:
    """Write a file as the engine mostly meets them."""
    options: dict[str, Any] = {
        "driver": "GTiff", "count": 1, "height": len(cells), "width": len(cells), "dtype": "uint16", "nodata": 0, "predictor": 2,
        "crs": "EPSG:32632", "transform": GRID.transform, "tiled": True, "blockxsize": 512, "blockysize": 512,
    }  # fmt: skip
    with rasterio.open(path, "w", compress=codec, **options) as file:
        file.write(cells, 1)


def read_all(path: Path) -> Callable[[], Any]:
    """Reads a file, window by window."""
    source = Source(path.stem, "data", 1, str(path), GRID, "uint16", 0)
    config = RasterLoadParams(dtype="uint16", fill_value=0)
    half = (slice(0, EDGE // 2), slice(EDGE // 2, EDGE))
    return lambda: read_windows([Request((source,), GRID[r, c], config) for r in half for c in half])


@dataclass(frozen=True, eq=False)
class Scene(Held):
    """An array (t, bands, y, x) in memory in the place of files."""

    roles = ("t", "each", "y", "x")


def kernels(folder: Path) -> dict[str, float]:  # noqa: ARG001 (a measure's)
    """Kernels: how long they are made, and how fast they are."""
    cells = ground(DATES, EDGE // 2)
    first, mean, middle = (kernel_of(reducer, cells) for reducer in ("min", "mean", "median"))
    forget(*texts_of(first))  # that one has fetched the compiler
    texts = sorted(texts_of(mean) | texts_of(middle))
    made = [seconds(partial(kernel, text)) for text in texts]
    again = [seconds(partial(load_again, file_of(text))) for text in texts]
    streamed, ranked = (usual([partial(run_kernels, one)] * AGAIN) for one in (mean, middle))
    forget(*texts)
    return {
        "compiled": median(made),
        "loaded": median(again),
        "kernel": cells.size / streamed,
        "compared": len(network(DATES)) * cells[0].size / max(ranked - streamed, ranked / 4),
    }


def kernel_of(reducer: str, cells: np.ndarray) -> Recipe:
    """A kernel that is like no other, so that it has to be compiled: its constant is of this moment."""
    value = time.time_ns() % 10**9 / 1e9
    scaled = Callback(read(f"s = multiply(x=param('x'), y={value!r})"), ("x", "context"))
    gathered = Callback(read(f"r = {reducer}(data=param('data'))"), ("data", "context"))
    lazy = cube(Lazy(Scene(cells[:, None]), Planner(2**40, "always")), 0)
    done = reduce_dimension(apply(lazy, scaled), gathered, "t")
    return planned(done.data)


def run_kernels(recipe: Recipe) -> None:
    """Run the kernels of a recipe over all of it."""
    computed(recipe, everything(recipe.shape))


def file_of(text: str) -> Path:
    """Where a kernel is kept."""
    found: Any = kernel(text)
    return Path(found.__code__.co_filename)


def load_again(path: Path) -> None:
    """Fetch the machine code of a kernel from the disk, as another process would."""
    spec = importlib.util.spec_from_file_location(f"{path.stem}_again", path)
    assert spec is not None
    assert spec.loader is not None
    spec.loader.exec_module(importlib.util.module_from_spec(spec))


def forget(*texts: str) -> None:
    """Remove kernels that nobody will want again; those that were not there yet are made first."""
    for path in map(file_of, texts):
        for file in (path, *(path.parent / "__pycache__").glob(f"{path.stem}.*")):
            file.unlink(missing_ok=True)


def steps(folder: Path) -> dict[str, float]:  # noqa: ARG001 (a measure's)
    """Plain steps: a child graph over cells, as it is run without kernels."""
    graph = read("s = linear_scale_range(x=param('x'), inputMin=0, inputMax=10000)")
    before, after = Coding(np.dtype(np.uint16), 0), Coding(np.dtype(np.float64))
    step = OnCells(Callback(graph, ("x", "context")), None, before, after)
    cells = ground(DATES, EDGE // 2)
    return {"plain": cells.size * weight(step) / usual([partial(step, cells)] * AGAIN)}


def windows(folder: Path) -> dict[str, float]:  # noqa: ARG001 (a measure's)
    """Weights over neighbours."""
    cells = cube(ground(2, EDGE)[:, None].astype(np.float32))
    weights = [[1.0, 2, 3, 2, 1]] * 5
    apply_kernel(cells, weights)  # compiled now, if it was not yet
    return {"focal": cells.size * 10 / usual([partial(apply_kernel, cells, weights)] * AGAIN)}


def warps(folder: Path) -> dict[str, float]:  # noqa: ARG001 (a measure's)
    """Another grid."""
    cells = ground(1, EDGE)[0].astype(np.float32)
    new = GRID.to_crs("EPSG:3857", resolution=30)
    made = new.shape[0] * new.shape[1]
    return {"warped": made / usual([partial(warp, cells, GRID, new, "near", np.nan)] * AGAIN)}


def writing(folder: Path, edge: int = EDGE) -> dict[str, float]:
    """Cells to a GeoTIFF that is read back."""
    value = cube((ground(1, edge) / np.float32(10_000))[:, None])

    def stream(given: xr.DataArray) -> Iterator[tuple[tuple[slice, ...], np.ndarray]]:
        for at in range(0, edge, 512):
            place = (slice(0, 1), slice(0, 1), slice(at, min(at + 512, edge)), slice(0, edge))
            yield place, given.values[place]

    def save() -> None:
        write(value, folder / "out.tif", stream=stream, overwrite=True)

    save()  # what is imported on first use is no part of it
    return {"written": value.nbytes / usual([save] * AGAIN)}


def cube(cells: Any, nodata: float | None = None) -> xr.DataArray:
    """Numbers (t, bands, y, x) as a cube of one band."""
    dates, _, height, width = cells.shape
    first = datetime(2022, 1, 1)  # noqa: DTZ001 (cubes have times in UTC without a zone)
    times = [first + timedelta(days=i) for i in range(dates)]
    return make_cube(cells, times, [Band("data", nodata=nodata)], GRID[:height, :width], nodata)


def start(folder: Path) -> dict[str, float]:  # noqa: ARG001 (a measure's)
    """A process of its own: how long it takes to begin, and what it holds after it has done a bit of everything."""
    command = [sys.executable, "-c", PROBE]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 (our own text)
    took, held = json.loads(told)
    return {"started": took, "base": held}


def rehearse() -> tuple[float, int]:
    """Do a bit of everything; gives the seconds that a kernel takes, and the most bytes that this process has held."""
    with tempfile.TemporaryDirectory() as folder:
        cells = ground(2, 64)
        for reducer in ("min", "max"):  # the first one also fetches the compiler
            recipe = kernel_of(reducer, cells)
            compiling = sum(seconds(partial(kernel, text)) for text in texts_of(recipe))
            run_kernels(recipe)
            forget(*texts_of(recipe))
        save_tiles(Path(folder) / "in.tif", cells[0], "deflate")
        writing(Path(folder), 64)
    status = Path("/proc/self/status")
    if status.exists():  # what the parent process held counts as ours elsewhere
        held = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return compiling, int(held.split()[1]) * 1024
    return compiling, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


MEASURES: Mapping[str, Callable[[Path], dict[str, float]]] = {
    "files": files,
    "kernels": kernels,
    "steps": steps,
    "windows": windows,
    "warps": warps,
    "writing": writing,
    "the start": start,
}
"""What is measured, in order."""
