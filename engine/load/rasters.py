"""Loads items whose assets are rasters: decides grid, values, time steps and blocks, then builds the lazy cube."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
import pystac
import xarray as xr
from odc.geo.geobox import GeoBox
from odc.loader.types import RasterLoadParams

from engine.errors import Problem
from engine.load.blocks import Chunks, choose_chunks, covers, rasters, reached, volume
from engine.load.cube import make_cube
from engine.load.files import header
from engine.load.grid import choose_grid, finest, share_grid
from engine.load.model import Band, Scene, Source, Survey, Wish
from engine.load.moments import Group, group_scenes
from engine.load.pieces import resampling_method
from engine.load.place import shrinkage
from engine.load.table import tabulate
from engine.load.taken import angles, facts, facts_of_band
from engine.load.values import Values, choose_values
from processes.cubes.named import distinct, name_of
from processes.cubes.places import reference_system
from processes.lazy import Lazy
from processes.recipes import Planner

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """All decisions of a load."""

    bands: tuple[Band, ...]
    """The bands as they will stand in the cube."""
    groups: tuple[Group, ...]
    """The scenes of each time step."""
    grid: GeoBox
    """The cube's pixels."""
    values: Values
    """The cube's numbers."""
    chunks: Chunks
    """The cube's blocks."""
    cfg: RasterLoadParams
    """What a reader must know of the cube."""

    def sources(self) -> list[Source]:
        """All that may be read."""
        return [source for scene in chain(*self.groups) for source in scene.sources.values()]


def load_rasters(plan: Plan, say: Say, planner: Planner) -> xr.DataArray:
    """The lazy cube (t, bands, y, x) of the items' rasters; no pixel is read."""
    names = [band.name for band in plan.bands]
    recipe = rasters(plan.groups, names, plan.grid, plan.chunks, plan.cfg)
    times = [group[0].when for group in plan.groups]
    data = Lazy(recipe, planner)
    cube = make_cube(data, times, plan.bands, plan.grid, plan.values.nodata)
    steps = [[scene.properties for scene in group] for group in plan.groups]
    cube.attrs |= facts(steps, say)
    beside = angles(steps, say)
    return cube.assign_coords(beside) if beside else cube


def survey_rasters(plan: Plan) -> Survey:
    """What `load_rasters` does."""
    assert plan.grid.crs is not None
    needed = [s for s in plan.sources() if s.geobox is not None and reached(s.geobox, plan.grid)]
    steps = plan.grid.resolution
    return Survey(
        crs=reference_system(plan.grid.crs),
        resolution=(float(steps.x), float(steps.y)),
        shape=(len(plan.groups), len(plan.bands), *plan.grid.shape),
        geobox=plan.grid,
        times=tuple(np.array([group[0].when for group in plan.groups], dtype="datetime64[ns]")),
        bands=tuple(band.name for band in plan.bands),
        dtype=str(plan.values.dtype),
        nodata=plan.values.nodata,
        items=len({source.item for source in needed}),
        assets=len({(source.item, source.asset) for source in needed}),
        bytes=_bytes(needed, plan.grid),
        chunks={
            "t": (1,) * len(plan.groups),
            "bands": (1,) * len(plan.bands),
            "y": plan.chunks.y,
            "x": plan.chunks.x,
        },
    )


def decide(items: Sequence[pystac.Item], wish: Wish, say: Say) -> Plan:
    """Make all decisions. Files are opened only for what the metadata lack, and one for the size of its blocks."""
    resampling_method(wish.resampling)  # refuse a misspelt one before the first header is opened
    table = tabulate(items, wish, say)
    if not table.scenes:
        raise _no_data("none of the items has any of the wished bands")
    grid = choose_grid(table.scenes, wish, say)
    scenes = _inside(table.scenes, grid, say)
    groups = group_scenes(scenes, wish.groupby, grid)
    values = choose_values(
        (source for scene in scenes for source in scene.sources.values()),
        nodata=wish.nodata,
        scaled=wish.scale == "metadata",
        gaps=lambda: _has_gaps(groups, table.bands, grid),
        say=say,
    )
    bands = tuple(_as_in_cube(band, scenes, values, wish, say) for band in table.bands)
    first = _first_of_finest(scenes, grid)
    assert first.geobox is not None
    chunks = choose_chunks(grid, wish.chunks, first.geobox, lambda: header(first).block)
    cfg = RasterLoadParams(dtype=str(values.dtype), fill_value=values.nodata, resampling=wish.resampling)
    return Plan(bands, groups, grid, values, chunks, cfg)


def _no_data(why: str) -> Problem:
    return Problem("NoDataAvailable", f"{why}.", hint="Widen the extents, or choose other bands.")


def _inside(scenes: Sequence[Scene], grid: GeoBox, say: Say) -> tuple[Scene, ...]:
    """The scenes that have pixels in the grid."""

    def reaches(scene: Scene) -> bool:
        return any(
            reached(source.geobox, grid) for source in scene.sources.values() if source.geobox is not None
        )

    kept = tuple(scene for scene in scenes if reaches(scene))
    if len(kept) < len(scenes):
        say(f"{len(scenes) - len(kept)} of {len(scenes)} items have no pixel inside the box and are left out")
    if not kept:
        raise _no_data("none of the items has a pixel inside the box")
    return kept


def _has_gaps(groups: Sequence[Group], bands: Sequence[Band], grid: GeoBox) -> bool:
    """Whether some time step of some band is anything but one source that covers the whole grid."""

    for group in groups:
        for band in bands:
            boxes = [scene.sources[band.name].geobox for scene in group if band.name in scene.sources]
            if len(boxes) != 1 or boxes[0] is None or not covers(boxes[0], grid):
                return True
    return False


def _as_in_cube(band: Band, scenes: Sequence[Scene], values: Values, wish: Wish, say: Say) -> Band:
    """The band's metadata, true of the numbers in the cube."""
    applied = wish.scale == "metadata"
    sources = [scene.sources[band.name] for scene in scenes if band.name in scene.sources]
    if not applied and len({(s.scale, s.offset) for s in sources}) > 1:
        say(
            f"scale and offset of band {band.name!r} differ from item to item; the cube keeps the stored numbers of all"
        )
    return replace(
        band,
        scale=None if applied else band.scale,
        offset=None if applied else band.offset,
        nodata=values.nodata,
        radar=facts_of_band(band.name, sources, say),
        data_type=str(values.dtype) if applied else band.data_type or (sources[0].dtype if sources else None),
    )


def _first_of_finest(scenes: Sequence[Scene], grid: GeoBox) -> Source:
    """The first source whose pixels are the finest, and on the cube's grid if there is such."""
    boxes = distinct(box for scene in scenes if (box := finest(scene)) is not None)
    own = {name_of(box) for box in [box for box in boxes if share_grid([box, grid])] or boxes}
    sources = (source for scene in scenes for source in scene.sources.values())
    return next(s for s in sources if s.geobox is not None and name_of(s.geobox) in own)


def _bytes(sources: Sequence[Source], grid: GeoBox) -> int:
    """Decoded bytes of what will be read, each file once."""
    levels: dict[str, Sequence[int]] = {}
    total = 0
    for source in sources:
        assert source.geobox is not None
        ratio = shrinkage(source.geobox, grid)
        shrunk = min(ratio) >= 2
        if shrunk and source.asset not in levels:  # one file tells of all of its kind
            levels[source.asset] = header(source).overviews
        size = np.dtype(source.dtype).itemsize
        total += size * volume(source.geobox, grid, ratio, levels.get(source.asset, ()))
    return total
