"""Both engines on one graph: the cube that goes in, the other engine's process, and where the results differ."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from odc.geo.geobox import GeoBox
from odc.geo.xr import xr_coords

import engine
from engine.errors import Problem, Problems
from tests.differential.walk import BANDS, CELL, EPSG, HEIGHT, NORTH, TIMES, WEST, WIDTH, calls

TOLERANCE = 1e-9


@dataclass(frozen=True)
class Result:
    """What an engine made of a graph."""

    cube: xr.DataArray | None
    """Numbers with labels; truth is 0 and 1."""
    error: str = ""
    """Why there is no cube."""


def make_cube(seed: int, gaps: bool) -> xr.DataArray:
    """Float64 reflectances (t, bands, y, x), 0.05..1, no two alike; with gaps, one value in eight is NaN."""
    draw = np.random.default_rng(seed)
    values = draw.uniform(0.05, 1, (len(TIMES), len(BANDS), HEIGHT, WIDTH))
    if gaps:
        values[draw.random(values.shape) < 1 / 8] = np.nan
    box = (WEST, NORTH - CELL * HEIGHT, WEST + CELL * WIDTH, NORTH)
    grid = xr_coords(GeoBox.from_bbox(box, f"epsg:{EPSG}", resolution=CELL), dims=("y", "x"))
    coords = {
        "t": ("t", np.array(TIMES, dtype="datetime64[ns]"), {"type": "temporal"}),
        "bands": ("bands", list(BANDS), {"type": "bands", "bands": [{"name": b} for b in BANDS]}),
        **{
            d: (d, grid[d].values, {"type": "spatial", "axis": d, "reference_system": EPSG})
            for d in ("y", "x")
        },
        "spatial_ref": grid["spatial_ref"],
    }
    return xr.DataArray(values, dims=("t", "bands", "y", "x"), coords=coords)


class Peer:
    """The other engine, in a process of its own that lives as long as this."""

    def __init__(self, python: str, folder: Path) -> None:
        self.folder = folder
        script = Path(__file__).with_name("peer.py")
        self.log = (folder / "peer.log").open("w")
        self.process = subprocess.Popen(
            [python, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True
        )

    def run(self, graph: dict[str, Any], cube: xr.DataArray) -> Result:
        """What it makes of a graph."""
        assert self.process.stdin
        assert self.process.stdout
        np.save(self.folder / "in.npy", cube.values)
        coords = {d: cube[d].values.astype(str if d == "t" else cube[d].dtype).tolist() for d in cube.dims}
        given = {"values": str(self.folder / "in.npy"), "dims": cube.dims, "coords": coords, "crs": EPSG}
        request = {"graph": graph, "cube": given, "out": str(self.folder / "out.npy")}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the other engine has died: {(self.folder / 'peer.log').read_text()[-2000:]}"
        said = json.loads(line)
        if "error" in said:
            return Result(None, said["error"])
        return Result(
            xr.DataArray(np.load(self.folder / "out.npy"), dims=said["dims"], coords=said["coords"])
        )

    def close(self) -> None:
        """End it."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.wait(timeout=30)
        self.process.stdout.close()
        self.log.close()


def run_ours(session: engine.Engine, graph: dict[str, Any], cube: xr.DataArray) -> Result:
    """What this engine makes of a graph; the cube goes in lazily, in several blocks."""
    blocks = cube.chunk({"t": 2, "bands": 1, "y": 3, "x": 4})
    try:
        result = session.run({"process_graph": graph}, {"cube": blocks}).compute()
    except (Problem, Problems) as problem:
        return Result(None, f"{type(problem).__name__}: {problem}")
    return Result(result.astype(np.float64))


def difference(graph: dict[str, Any], ours: Result, theirs: Result) -> str:
    """Where the results differ; empty where they do not."""
    if ours.cube is None or theirs.cube is None:
        if ours.cube is theirs.cube:
            return f"both fail: {ours.error} / {theirs.error}"
        return f"ours fails: {ours.error}" if ours.cube is None else f"theirs fails: {theirs.error}"
    one, other = ours.cube, theirs.cube
    if set(one.dims) != set(other.dims):
        return f"dimensions: {one.dims} / {other.dims}"
    other = other.transpose(*one.dims)
    if one.shape != other.shape:
        return f"sizes: {dict(one.sizes)} / {dict(other.sizes)}"
    for dim in one.dims:
        if dim in one.coords and dim in other.coords:
            mine, yours = labels_of(one, str(dim)), labels_of(other, str(dim))
            if mine != (as_periods(yours, graph) if dim == "t" else yours):
                return f"labels of {dim}: {mine} / {yours}"
    same = np.isclose(one.values, other.values, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
    if not same.all():
        at = tuple(np.argwhere(~same)[0])
        return f"values: {(~same).sum()} of {same.size}, first at {at}: {one.values[at]!r} / {other.values[at]!r}"
    return ""


def labels_of(cube: xr.DataArray, dim: str) -> list[Any]:
    """Labels, moments as text."""
    values = cube[dim].values
    if values.dtype.kind == "M" or (dim == "t" and "T" in str(values.ravel()[0])):
        return [str(v) for v in values.astype("datetime64[s]")]
    return values.tolist()


def as_periods(labels: list[Any], graph: dict[str, Any]) -> list[Any]:
    """The other engine's labels of periods, which are dates, as openEO names periods.

    A month is the date of its last day there, a week that of its Sunday, any other period that of its first day.
    """
    periods = [a["period"] for p, a in calls(graph) if p == "aggregate_temporal_period"]
    if not periods:
        return labels
    forms = {"day": "%Y-%j", "week": "%G-%V", "month": "%Y-%m", "year": "%Y"}
    dates = pd.DatetimeIndex(labels)
    if periods[-1] == "season":
        return [
            f"{d.year}-{ {12: 'djf', 3: 'mam', 6: 'jja', 9: 'son'}[d.month] }".replace(" ", "") for d in dates
        ]
    return dates.strftime(forms[periods[-1]]).tolist()
