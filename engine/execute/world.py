"""The outside as processes see it: the catalogue, the loaders, and a note of what is to be written."""

from __future__ import annotations

import logging
import math
import re
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyproj
import xarray as xr

from engine.catalog import Catalog, Found, Query, open_files, open_stac
from engine.catalog.changes import full_id
from engine.catalog.documents import is_remote
from engine.errors import Problem
from engine.execute import elsewhere, inputs, models
from engine.execute.cluster import Threads
from engine.execute.evaluate import NotRun
from engine.execute.exchange import Export, export_of
from engine.execute.objects import reached
from engine.execute.shared import name_of
from engine.execute.udf import user_function
from engine.execute.vectors import features_of
from engine.http import egress_of
from engine.load import Survey, Wish, choose, survey
from engine.plan.planner import Planner
from engine.records import Results
from engine.settings import Settings
from engine.write import find_format
from processes.cubes.exchange import merge_patch
from processes.kernels.trained import Model
from processes.types import BBox, Condition
from processes.world import Extent, Saved, UserFunction

Log = Callable[[str], None]
INSPECT = logging.getLogger("geodatacube.inspect")
LOADING = logging.getLogger("geodatacube.load")
JOB_ID = re.compile(r"[\w\-~]+")
"""Ids of batch jobs, which hold no dot here: names of files do."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A source that a node reads."""

    node: str
    """Name of the node."""
    source: str
    """Identifier of the collection, or URL."""
    found: Found
    """The items, and how many were left after each condition."""
    wish: Wish
    """What is read of them."""
    survey: Callable[[], Survey]
    """What is known of it beforehand."""


@dataclass(frozen=True, slots=True)
class Sink:
    """A value that is to be written."""

    node: str
    """Name of the `save_result` node."""
    value: Any
    format: str
    options: Mapping[str, Any]
    changes: tuple[Mapping[str, Any], ...] = ()
    """Merge patches of its STAC description, in order."""


@dataclass
class Notes:
    """What a run of a graph noted down."""

    run: str = field(default_factory=lambda: uuid4().hex)
    """Identifies the run: user code of one run never meets that of another."""

    readings: list[Reading] = field(default_factory=list)
    sinks: list[Sink] = field(default_factory=list)
    exports: list[Export] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    finds: dict[Hashable, Found] = field(default_factory=dict)
    """What was found of collections: planning and running a graph search once, and see the same."""


@dataclass(frozen=True)
class Outside:
    """The world of one node."""

    node: str
    catalog: Catalog
    settings: Settings
    notes: Notes
    longest_side: int | None = None
    """Load at most this many cells along each side of the plane (for previews), from overviews."""
    results: Mapping[str, Results] = field(default_factory=dict)
    """Results of the user's own batch jobs that the graph may load, by the id of the job."""
    dry: bool = False
    """Is nothing to be done that others can see, so that the graph is only looked at?"""

    def load_collection(self, id_: str, extent: Extent) -> xr.DataArray:
        """A lazy cube of a catalogued collection; of one of features, a vector cube."""
        if key_of(id_, extent) not in self.notes.finds and self.catalog.holds_features(id_):
            features = features_of(self.catalog, query_for(id_, extent), extent)
            self._decided(f"{id_}: {features.sizes['geometry']} features")
            return features
        found = self._search(id_, extent)
        items = reached(found.items, self.catalog, self.settings)
        return self._load(id_, replace(found, items=items), extent)

    def _search(self, id_: str, extent: Extent) -> Found:
        """What a collection has there and then; conditions are functions, of which nobody knows whether two are one."""
        query = replace(query_for(id_, extent), counted=self.dry)
        key = key_of(id_, extent)
        if not extent.properties and key in self.notes.finds:
            return self.notes.finds[key]
        with about("id", "CollectionNotFound"):
            found = self.catalog.search(query)
        if not extent.properties:
            self.notes.finds[key] = found
        return found

    def load_stac(self, url: str, extent: Extent) -> xr.DataArray:
        """A lazy cube of STAC metadata found at a URL or path, or of the results of a batch job of that id."""
        if (own := self.results.get(url)) is not None:
            found = open_files((own.folder / name for name in own.items), query_for("", extent))
            return self._load(url, found, extent)
        with about("url"):
            self._readable(url)
        return self._load(url, open_stac(url, query_for("", extent), egress_of(self.settings)), extent)

    def save_result(self, data: Any, format_: str, options: Mapping[str, Any]) -> Any:
        """Take note that `data` is to be written; gives it back as `Saved`, so that graphs can go on."""
        with about("format"):
            chosen = find_format(format_, None)
        self.notes.sinks.append(Sink(self.node, data, chosen.name, dict(options)))
        return Saved(data, len(self.notes.sinks) - 1)

    def log(self, message: str, level: str, code: str) -> None:
        """Put a user's note into the log of the run."""
        self.notes.log.append(f"{level} [{code}] node {self.node!r}: {message}")
        if not self.dry:
            tell(message, level, code, self.node)

    def save_model(self, model: Model, name: str, tasks: Sequence[str]) -> None:
        """Keep a model under a name; one of the same name is replaced."""
        if self.dry:
            return
        with about("name"):
            models.save(self.settings.home / "models", model, name, tasks)

    def load_model(self, uri: str) -> Model:
        """The model that was kept under a name, or that the STAC item at a URL or path describes."""
        with about("uri"):
            return models.load(uri, self.settings)

    def user_function(self, udf: str, runtime: str, version: str | None) -> UserFunction:
        """The user-defined function of that code, URL or path."""
        return user_function(udf, runtime, version, self.settings, self.notes.run, self.node)

    def within(self) -> Any:
        """As much of the outside as a child graph can reach; it can be pickled."""
        return Within(self.settings, self.notes.run)

    def load_url(self, url: str, format_: str, options: Mapping[str, Any]) -> xr.DataArray:
        """The cube of a file at a URL, or of a local one where these may be read."""
        kind = inputs.find_input(format_, options)
        home = self.settings.home / "downloads"
        if url.startswith(inputs.DATA):
            return inputs.read_data(url, kind, home)
        if not is_remote(url):
            return inputs.read_files([inputs.local_file(url, self.settings.local_files)], kind)
        return inputs.read_url(url, kind, egress_of(self.settings), home, self.settings.max_download_bytes)

    def load_value(self, url: str, media_type: str) -> Any:
        """The value at a URL: of JSON what it stands for, a text, or bytes in base64."""
        return inputs.read_value(url, media_type, egress_of(self.settings))

    def pause(self, seconds: float) -> None:
        """Wait, unless the graph is only looked at."""
        if not self.dry:
            time.sleep(seconds)

    def load_files(self, paths: Sequence[str], format_: str, options: Mapping[str, Any]) -> xr.DataArray:
        """The one cube of files of the user's folder."""
        kind = inputs.find_input(format_, options)
        root = self.settings.home / "files"
        return inputs.read_files([inputs.inside(root, path) for path in paths], kind)

    def modify(self, data: Any, changes: Mapping[str, Any]) -> Any:
        """A result whose STAC description is changed by a merge patch; other STAC is changed as it is."""
        if not isinstance(data, Saved):
            return merge_patch(data, changes)
        sink = self.notes.sinks[data.number]
        self.notes.sinks[data.number] = replace(sink, changes=(*sink.changes, changes))
        return replace(data, changes=(*data.changes, changes))

    def export_workspace(self, data: Any, workspace: str, merge: str | None) -> Any:
        """Take note that a result is to be put into a workspace; gives it back."""
        self.notes.exports.append(export_of(data, workspace=workspace, merge=merge))
        return data

    def export_collection(self, data: Any, collection: str) -> str:
        """Take note that a result is to be put into a collection; gives its id."""
        if self.settings.catalog_shared:
            name = name_of(collection, self.settings.user)
            self.notes.exports.append(export_of(data, own=name))
            return full_id(self.settings.user, name)
        self.notes.exports.append(export_of(data, collection=collection))
        return collection

    def run_ogcapi(self, data: Any, url: str | None, id_: str, context: Mapping[str, Any]) -> Any:
        """The result of an OGC API process; without a URL, of the one that belongs to this service."""
        with self._caller() as caller:
            return caller.run_ogcapi(url or elsewhere.home(self.settings, id_), id_, data, context)

    def run_udf_externally(self, data: Any, url: str, context: Mapping[str, Any]) -> Any:
        """The result of a user-defined function that a server holds."""
        with self._caller() as caller:
            return caller.run_udf(url, data, context)

    @contextmanager
    def _caller(self) -> Iterator[elsewhere.Caller]:
        """What calls other servers; nobody is called where the graph is only looked at."""
        if self.dry:
            raise NotRun(self.node)
        with elsewhere.caller(self.settings, Threads(self.settings.workers).stream) as caller:
            yield caller

    def _readable(self, url: str) -> None:
        """Refuse what is no address; a bare word is the id of a batch job, unless a file is called so."""
        if is_remote(url):
            return
        if JOB_ID.fullmatch(url) and not (self.settings.local_files and Path(url).exists()):
            raise Problem(
                "JobNotFound",
                f"{url!r} is no http or https URL, and you have no batch job of that id that has finished",
                hint="Give the id of a job of yours, or the URL of the STAC metadata that describes the results.",
            )
        if not self.settings.local_files:
            raise Problem(
                "ProcessParameterInvalid",
                f"{url!r} is no http or https URL",
                hint="Local files are not read here.",
            )

    def _decided(self, what: str) -> None:
        """Note what was decided on loading."""
        self.notes.log.append(what)
        if not self.dry:
            LOADING.debug("%s", what, extra={"node": self.node})

    def _load(self, source: str, found: Found, extent: Extent) -> xr.DataArray:
        if not found.items:
            raise nothing_found(source, found, extent)
        wish = Wish(
            bbox=extent.bbox,
            bands=tuple(extent.bands) if extent.bands else None,
            scale=self.settings.scale,
            egress=egress_of(self.settings),
        )
        if self.longest_side is not None:
            wish = coarser(found, wish, self.longest_side)
        planner = Planner(self.settings.block_memory, self.settings.kernels, self.settings.workers)
        choice = choose(found.items, wish, log=self._decided, planner=planner)
        self.notes.readings.append(Reading(self.node, source, found, wish, choice.survey))
        return within_time(choice.cube(), extent)


@dataclass(frozen=True)
class Within:
    """The world of a child graph: it runs on blocks, on workers, and reaches nothing but user code and the log."""

    settings: Settings
    run: str
    """The run that it belongs to."""

    def user_function(self, udf: str, runtime: str, version: str | None) -> UserFunction:
        """The user-defined function of that code, URL or path."""
        return user_function(udf, runtime, version, self.settings, self.run, None)

    def within(self) -> Any:
        """The same for the child graphs of a child graph."""
        return self

    def log(self, message: str, level: str, code: str) -> None:
        """Put a user's note into the log of the worker."""
        tell(message, level, code)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise Problem(
            "FeatureUnsupported",
            f"a child graph cannot use {name!r}: it runs on blocks of cells, wherever they are computed",
            hint="Do it in the graph around it, and pass the value to the child graph.",
        )


def tell(message: str, level: str, code: str, node: str | None = None) -> None:
    """Put a user's note into the log of this process."""
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    INSPECT.log(number, "[%s] %s", code, message, extra={"code": code, "node": node, "told": message})


@contextmanager
def about(parameter: str, *codes: str) -> Iterator[None]:
    """Problems in here, of these codes where some are named, are about that parameter of the process."""
    try:
        yield
    except Problem as problem:
        if not codes or problem.code in codes:
            problem.facts["parameter"] = parameter
        raise


def within_time(cube: xr.DataArray, extent: Extent) -> xr.DataArray:
    """Only the times inside: an item may cover more than was asked for."""
    if extent.interval is None:
        return cube
    from processes.cubes import axes, filters

    for dim in axes.temporal(cube):
        keep = [filters.within(label, extent.interval) for label in cube.coords[dim].values]
        if not all(keep):
            cube = cube.isel({dim: [i for i, k in enumerate(keep) if k]})
    return cube


def key_of(collection: str, extent: Extent) -> Hashable:
    """What is kept of a search is known by."""
    return collection, extent.bbox, extent.interval


def query_for(collection: str, extent: Extent) -> Query:
    """What is asked of the catalogue."""
    interval = extent.interval
    return Query(
        collection=collection,
        bbox=None if extent.bbox is None else in_degrees(extent.bbox),
        start=interval.start if interval else None,
        end=interval.end if interval else None,
        properties={name: passes(condition) for name, condition in extent.properties.items()},
    )


def passes(condition: Condition) -> Callable[[Any], bool]:
    """A condition that does not hold where it gives null."""
    return lambda value: condition(value=value) is True


def in_degrees(box: BBox) -> tuple[float, float, float, float]:
    """A box in longitude and latitude (WGS 84)."""
    corners = (box.west, box.south, box.east, box.north)
    to_degrees = degrees_from(box.crs)
    if to_degrees is None:
        return corners
    west, south, east, north = to_degrees.transform_bounds(*corners, densify_pts=21)
    if not all(map(math.isfinite, (west, south, east, north))):
        raise Problem("ProcessParameterInvalid", f"the box {corners} is outside of where its CRS can be used")
    return west, south, east, north


@lru_cache(maxsize=64)
def degrees_from(crs: int | str) -> pyproj.Transformer | None:
    """From a CRS to longitude and latitude (WGS 84); `None` where it is that."""
    source = pyproj.CRS.from_user_input(crs)
    return None if source.to_epsg() == 4326 else pyproj.Transformer.from_crs(source, 4326, always_xy=True)


def coarser(found: Found, wish: Wish, longest_side: int) -> Wish:
    """The same wish with cells so large that neither side has more than so many."""
    seen = survey(found.items, wish)
    factor = max(*seen.shape[-2:], 1) / longest_side
    if factor <= 1:
        return wish
    across, down = seen.resolution
    return replace(wish, crs=seen.crs, resolution=(abs(across) * factor, abs(down) * factor))


def nothing_found(source: str, found: Found, extent: Extent) -> Problem:
    """No data: how many items were left after each condition, and which dates are near."""
    funnel = found.funnel
    steps = [
        f"{funnel.collection} items in all",
        f"{funnel.bbox} after spatial_extent",
        f"{funnel.time} after temporal_extent",
        f"{funnel.properties} after properties",
    ]
    near = ", ".join(day(d) for d in funnel.nearest)
    if funnel.collection == 0:
        hint = "The source is empty."
    elif funnel.bbox == 0:
        hint = "Nothing lies there: check the order west, south, east, north and the CRS of the box."
    elif funnel.time == 0:
        hint = f"The nearest dates are {near}." if near else "Widen the interval."
    else:
        hint = f"Loosen the conditions on {', '.join(extent.properties)}."
    return Problem(
        "NoDataAvailable",
        f"nothing in {source!r} fits: {', '.join(steps)}",
        hint=hint,
        facts={"funnel": funnel.json()},
    )


def day(moment: datetime) -> str:
    """A date as text."""
    return moment.date().isoformat()
