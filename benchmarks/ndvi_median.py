"""The demo's cloud-masked NDVI median against its peers in one run: plain odc-stac and xarray, and merely reading.

    python benchmarks/ndvi_median.py

Prints wall time, processor time and peak memory of each, as ratios to merely reading the same bytes. Each runs in a
process of its own; imports are not counted.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

RUNS = 3
MASKED = (0, 1, 3, 8, 9, 10, 11)


def engine_run(scenes: Path) -> Callable[[], None]:
    """This engine, from graph to values."""
    import engine
    from engine.demo import demo_graph

    session = engine.open(scenes)
    graph = demo_graph()
    return lambda: session.compute(session.run(graph)).sum().item()


def plain(scenes: Path) -> Callable[[], None]:
    """odc-stac and xarray, as one would write it by hand."""
    import odc.stac
    import pystac
    import xarray as xr

    items = [i for i in pystac.Catalog.from_file(str(scenes)).get_items(recursive=True)
             if "2022-06-01" <= i.datetime.isoformat() < "2022-10-01"]  # fmt: skip

    def run() -> None:
        loaded = odc.stac.load(
            items, bands=["B04", "B08", "SCL"], groupby="solar_day", chunks={"x": 1024, "y": 1024}
        )
        clear = ~loaded.SCL.isin(MASKED)
        red, nir = (
            xr.where(clear & (b != 0), b, float("nan")).astype("float32") for b in (loaded.B04, loaded.B08)
        )
        ((nir - red) / (nir + red)).chunk(time=-1).median("time").compute().sum().item()

    return run


def read(scenes: Path) -> Callable[[], None]:
    """Merely reading the bands, with rasterio."""
    import rasterio

    folders = [
        f for f in sorted((scenes.parent / "S2").glob("S2_*")) if "20220601" <= f.name[-8:] < "20221001"
    ]

    def run() -> None:
        for folder in folders:
            for band in ("B04", "B08", "SCL"):
                with rasterio.open(folder / f"{band}.tif", driver="GTiff") as file:
                    file.read(1)

    return run


PEERS = {"read": read, "engine": engine_run, "odc-stac + xarray": plain}


def measure(peer: str, scenes: Path) -> dict[str, float]:
    """The best of several runs, the first of which warms up."""
    run = PEERS[peer](scenes)
    run()
    best = {"wall": float("inf"), "cpu": float("inf")}
    for _ in range(RUNS):
        wall, cpu = time.perf_counter(), time.process_time()
        run()
        best["wall"] = min(best["wall"], time.perf_counter() - wall)
        best["cpu"] = min(best["cpu"], time.process_time() - cpu)
    return {**best, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000}


def main() -> None:
    """Measure each peer in a process of its own and print the ratios."""
    if len(sys.argv) == 3:
        print(json.dumps(measure(sys.argv[1], Path(sys.argv[2]))))
        return
    from engine.demo import make_scenes

    with tempfile.TemporaryDirectory() as folder:
        scenes = make_scenes(Path(folder))
        results = {}
        for peer in PEERS:
            command = [sys.executable, __file__, peer, str(scenes)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            results[peer] = json.loads(done.stdout.splitlines()[-1])
    base = results["read"]
    print(f"{'':<20} {'wall':>6} {'cpu':>6} {'peak MB':>8}   (read = 1)")
    for peer, r in results.items():
        print(f"{peer:<20} {r['wall'] / base['wall']:>6.1f} {r['cpu'] / base['cpu']:>6.1f} {r['peak']:>8.0f}")


if __name__ == "__main__":
    main()
