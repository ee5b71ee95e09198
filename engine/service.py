"""The engine: one way from a graph to a value or a file, and what there is to build graphs of."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import xarray as xr

from engine.catalog import EVERYTHING, Added, Catalog, Found, Readable
from engine.errors import Problem, Problems
from engine.execute.boundary import hand_out, take_in
from engine.execute.cluster import Block, Executor, open_executor
from engine.execute.evaluate import NotRun, Outcome, evaluate
from engine.execute.exchange import rewritten
from engine.execute.remote import Remote
from engine.execute.world import Notes, Outside, Reading, Sink
from engine.graph import text
from engine.graph.check import UNKNOWN, check
from engine.graph.jsonout import to_json
from engine.graph.model import Graph, Node, referred
from engine.graph.near import nearest_of
from engine.graph.parse import Definition, define
from engine.http import egress_of
from engine.load import Survey
from engine.plan import machine
from engine.plan.calibration import Calibration, calibration
from engine.plan.cost import Cost, Means, Memory, cost_of, memory_needed
from engine.plan.explain import Explanation, Read, Result
from engine.plan.given import planned
from engine.plan.planner import Planner
from engine.plan.rules import simplified
from engine.plan.rules.around import Around
from engine.plan.rules.inline import Definitions, inline
from engine.plan.rules.unsaid import unsaid
from engine.plan.text import plan_of
from engine.plan.twins import Loaded, Twins
from engine.records import Results
from engine.settings import Settings
from engine.write import Written, find_format, write
from processes import REGISTRY
from processes.cubes import axes
from processes.describe import describe, page
from processes.world import Saved

Progress = Callable[[int, int], None]
"""Called with the finished and the planned number of blocks."""


@dataclass(frozen=True)
class Prepared:
    """A graph that has been read, inlined, checked and simplified."""

    given: Graph
    """As it came."""
    graph: Graph
    """As it is run."""
    parameters: Mapping[str, Any]
    """Values of its parameters."""
    finds: dict[Hashable, Found] = field(default_factory=dict)
    """What was found of collections while it was simplified."""


class Engine:
    """Runs process graphs over a catalogue."""

    def __init__(
        self,
        settings: Settings | None = None,
        processes: Mapping[str, Any] | None = None,
        results: Mapping[str, Results] | None = None,
        readable: Readable = EVERYTHING,
        lent: Callable[[], Catalog] | None = None,
    ) -> None:
        self.settings = settings or Settings()
        """How it works."""
        self.user_processes: Definitions = {k: named(k, v) for k, v in (processes or {}).items()}
        """User-defined processes by id."""
        self.results = dict(results or {})
        """Results of batch jobs that graphs may load, by the id of the job."""
        self.readable = readable
        """Which collections there are for whoever it works for."""
        self._lent = lent
        self.belongings = ExitStack()
        """What is to be cleared away with it."""

    @cached_property
    def catalog(self) -> Catalog:
        """The catalogue: one that is lent, or one of its own, made on first use."""
        if self._lent is not None:
            return self._lent().seen_by(self.readable)
        return Catalog(
            self.settings.catalog_place, egress_of(self.settings), self.readable, self.settings.queryables
        )

    @cached_property
    def planner(self) -> Planner:
        """What decides how cubes are computed."""
        return Planner(self.settings.block_memory, self.settings.kernels, self.settings.workers)

    @cached_property
    def executor(self) -> Executor:
        """Where blocks are computed; started on first use."""
        return open_executor(self.settings)

    def close(self) -> None:
        """Let go of the cluster, and of the catalogue unless it was lent."""
        for name in ("executor",) if self._lent is not None else ("executor", "catalog"):
            if name in self.__dict__:
                self.__dict__.pop(name).close()
        self.belongings.close()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ------------------------------------------------------------------------------- running graphs
    def run(self, graph: Any, parameters: Mapping[str, Any] | None = None) -> Any:
        """The value of a graph's result node: a lazy cube, a scalar, a list or `None`.

        Args:
            graph: openEO JSON as a dict, text or path, or an `openeo.DataCube`.
            parameters: Values of the graph's parameters; besides JSON they may be cubes and labelled arrays
                (`xarray.DataArray`, of which a labelled array has the one dimension `labels`), NaN and infinities.

        Raises:
            Problem: What is wrong; `Problems` where there is more than one fault.
        """
        prepared = self.prepare(graph, parameters)
        outcome, _ = self._evaluate(prepared)
        if self.settings.cluster != "threads":
            _ = self.executor  # a cube is computed where its engine computes
        return hand_out(outcome.values[prepared.graph.result])

    def save(
        self,
        graph: Any,
        target: str | Path,
        parameters: Mapping[str, Any] | None = None,
        *,
        format: str | None = None,  # noqa: A002 (the name of openEO)
        options: Mapping[str, Any] | None = None,
        overwrite: bool = False,
        progress: Progress | None = None,
    ) -> tuple[Written, ...]:
        """Compute a graph and write its result.

        Args:
            graph: As for `run`.
            target: The file; its suffix says which format unless `format` or the graph does.
            parameters: As for `run`.
            format: Name of a file format.
            options: Options of the format.
            overwrite: May the target be replaced?
            progress: Called as blocks are finished.

        Returns:
            What was written; one for each `save_result` of the graph, or one where there is none.

        Raises:
            Problem: What is wrong.
        """
        prepared, notes, sinks = self._results(graph, parameters)
        by_suffix = bool(Path(target).suffix) and len(sinks) == 1
        formats = [format or (None if by_suffix else sink.format) or None for sink in sinks]
        targets = [named_after(Path(target), sink.node if len(sinks) > 1 else "") for sink in sinks]
        return self._written(prepared, notes, sinks, formats, targets, options, overwrite, progress)

    def deliver(
        self, graph: Any, folder: Path, *, look: Callable[[Any], None] | None = None,
        approve: Callable[[Cost], None] | None = None, progress: Progress | None = None, lasting: bool = True,
    ) -> tuple[Written, ...]:  # fmt: skip
        """Compute a graph and write its results into a folder, under names of our own.

        Where the graph names no format, a raster becomes a GeoTIFF, another cube NetCDF, the rest JSON.

        Args:
            graph: As for `run`.
            folder: Where the files go.
            look: Told each value that is to be written before a pixel is read; may refuse it by raising a `Problem`.
            approve: Told what it will cost before a pixel is read; may refuse it by raising a `Problem`.
            progress: Called as blocks are finished.
            lasting: Will the files be kept? Otherwise they are not synced, and have no STAC item unless it is used.

        Raises:
            Problem: What is wrong.
        """
        prepared, notes, sinks = self._results(graph, None)
        if look is not None:
            for sink in sinks:
                look(sink.value)
        if approve is not None:
            approve(self._cost(sinks, notes))
        formats = [sink.format or usual_format(sink.value) for sink in sinks]
        names = file_names([sink.node for sink in sinks])
        targets = [
            folder / (name + find_format(chosen, None).suffixes[0])
            for name, chosen in zip(names, formats, strict=True)
        ]
        lasting = lasting or bool(notes.exports or any(sink.changes for sink in sinks))
        return self._written(prepared, notes, sinks, formats, targets, None, False, progress, lasting)

    def _results(
        self, graph: Any, parameters: Mapping[str, Any] | None
    ) -> tuple[Prepared, Notes, list[Sink]]:
        """What a graph wants to be written; its result where it does not say."""
        prepared = self.prepare(graph, parameters)
        outcome, notes = self._evaluate(prepared)
        result = prepared.graph.result
        return prepared, notes, notes.sinks or [Sink(result, outcome.values[result], "", {})]

    def _written(
        self, prepared: Prepared, notes: Notes, sinks: Sequence[Sink], formats: Sequence[str | None],
        targets: Sequence[Path], options: Mapping[str, Any] | None, overwrite: bool, progress: Progress | None,
        lasting: bool = True,
    ) -> tuple[Written, ...]:  # fmt: skip
        """Refuse what is too large, write the rest, and put it where else the graph wants it."""
        for sink, chosen, target in zip(sinks, formats, targets, strict=True):
            self.admit(sink, find_format(chosen, target).name)
        written = []
        for sink, chosen, target in zip(sinks, formats, targets, strict=True):
            written.append(
                write(
                    storable(sink.value),
                    target,
                    format=chosen,
                    options={**(sink.options if chosen in (None, sink.format) else {}), **(options or {})},
                    stream=self._counted(sink.value, progress),
                    overwrite=overwrite,
                    provenance=provenance(prepared.given, notes, sink.value) if lasting else None,
                    lasting=lasting,
                )
            )
        for export in notes.exports:
            export.perform(written[export.number], self.settings, self.catalog)
        return tuple(rewritten(w, sink.changes) for w, sink in zip(written, sinks, strict=True))

    def compute(self, value: Any, progress: Progress | None = None) -> Any:
        """A lazy cube with all its cells in memory, computed block by block where this engine computes."""
        if not isinstance(value, xr.DataArray) or not isinstance(value.data, da.Array):
            return value
        array = np.empty(value.shape, dtype=value.dtype)
        for done, _ in enumerate(self.executor.fill(value, array), 1):
            if progress is not None:
                progress(min(done, value.data.npartitions), value.data.npartitions)
        return value.copy(deep=False, data=array)

    def admit(self, sink: Sink, format_: str = "") -> None:
        """Refuse a result that is larger than any that is meant, or that takes more memory than there is.

        Nothing was read yet. What blocks take on other machines is not known here.
        """
        size = getattr(sink.value, "nbytes", 0)
        if size > self.settings.max_output_bytes:
            raise Problem(
                "ProcessGraphComplexity",
                f"node {sink.node!r} gives {size / 1e9:.1f} GB, at most {self.settings.max_output_bytes / 1e9:.1f} "
                "GB are written",
                hint="Take a smaller extent or larger cells, or raise GDC_MAX_OUTPUT_BYTES.",
                facts={"node": sink.node, "bytes": size, "limit": self.settings.max_output_bytes},
            )
        if not isinstance(sink.value, xr.DataArray) or self.settings.cluster not in ("threads", "processes"):
            return
        needed = memory_needed(sink.value, format_ or sink.format, self.means())
        limit = self.settings.max_memory or machine.memory()
        if needed.total > limit:
            raise too_large(sink.node, needed, limit)

    def means(self) -> Means:
        """What a run is given."""
        alone = self.settings.cluster == "threads"
        return Means(
            speeds=calibration(self.settings.figures or self.settings.home),
            workers=self.settings.workers,
            cores=machine.cores(),
            processes=1 if alone else 1 + self.settings.workers,
        )

    def calibrate(self, say: Callable[[str], None] | None = None) -> Calibration:
        """Measure this machine, for `explain`, and keep the figures in the home."""
        from engine.plan.calibrate import measured

        found = measured(say or (lambda _: None))
        found.save(self.settings.home)
        return found

    def validate(self, graph: Any, parameters: Mapping[str, Any] | None = None) -> list[Problem]:
        """Everything that is wrong with a graph, without reading a pixel; an empty list where nothing is."""
        try:
            prepared = self.prepare(graph, parameters)
        except Problems as problems:
            return list(problems.problems)
        except Problem as problem:
            return [problem]
        if any(v is UNKNOWN for v in prepared.parameters.values()):
            return []
        notes = Notes(finds=prepared.finds)
        return evaluate(
            prepared.graph, prepared.parameters, lambda node: self._outside(node, notes, dry=True), go_on=True
        ).problems

    def explain(self, graph: Any, parameters: Mapping[str, Any] | None = None) -> Explanation:
        """What a graph reads and gives, without reading a pixel."""
        prepared = self.prepare(graph, parameters)
        try:
            outcome, notes = self._evaluate(prepared, dry=True)
        except NotRun as node:
            raise Problem(
                "FeatureUnsupported",
                f"node {str(node)!r} runs a process elsewhere; what it gives is known only when the graph runs",
                hint="Explain the part of the graph before it.",
            ) from None
        result = prepared.graph.result
        value = outcome.values[result]
        value = value.value if isinstance(value, Saved) else value
        sinks = notes.sinks or [Sink(result, value, "", {})]
        cubes = [s.value for s in sinks if isinstance(s.value, xr.DataArray)]
        surveys = [r.survey() for r in notes.readings]
        sources = {r.node: r.source for r in notes.readings}
        known = {**prepared.parameters, **outcome.values}
        return Explanation(
            before=text.write(prepared.given, shorten=True),
            after=text.write(prepared.graph, shorten=True),
            reads=tuple(map(as_read, notes.readings, surveys)),
            result=as_result(result, value),
            log=tuple(notes.log),
            plan=plan_of(cubes, known, prepared.graph.nodes, sources),
            cost=self._cost(sinks, notes),
        )

    def _cost(self, sinks: Sequence[Sink], notes: Notes) -> Cost:
        """What it costs to compute and to write these."""
        cubes = [(s.value, s.format) for s in sinks if isinstance(s.value, xr.DataArray)]
        surveys = [r.survey() for r in notes.readings]
        items = [item for r in notes.readings for item in r.found.items]
        return cost_of(cubes, surveys, items, self.means())

    # ---------------------------------------------------------------------------- what there is
    def processes(self) -> list[dict[str, Any]]:
        """All predefined processes, described as openEO lists them."""
        return [dict(describe(p)) for p in REGISTRY.values()]

    def process_page(self, id_: str) -> str:
        """One process as a page of text."""
        if id_ not in REGISTRY:
            raise Problem(
                "ProcessUnsupported", f"there is no process {id_!r}", hint=nearest_of(id_, REGISTRY)
            )
        return page(REGISTRY[id_])

    def collections(self) -> list[dict[str, Any]]:
        """All collections of the catalogue, as STAC."""
        return self.catalog.collections()

    def collection(self, id_: str) -> dict[str, Any]:
        """One collection, as STAC.

        Raises:
            Problem: There is none of that identifier.
        """
        return self.catalog.collection(id_)

    def add(
        self, source: str | Path, *, collection: str | None = None, time: Sequence[str] = ()
    ) -> tuple[Added, ...]:
        """Catalogue a STAC catalogue, collection, item or API, a folder of rasters, or vector data, as `Catalog.add`."""
        return self.catalog.add(source, collection=collection, time=time)

    # ---------------------------------------------------------------------------- the corridor
    def prepare(self, source: Any, parameters: Mapping[str, Any] | None = None) -> Prepared:
        """Read, inline, check and simplify a graph.

        Raises:
            Problems: Everything that is wrong with it.
        """

        def loaded(node: Node) -> Loaded | None:
            notes = Notes(finds=finds)
            outcome = evaluate(
                Graph({"load": node}, "load"), values, lambda name: self._outside(name, notes, dry=True)
            )
            if not notes.readings:  # features, which are in memory
                return None
            reading = notes.readings[-1]
            return Loaded(outcome.values["load"], reading.found.items, reading.wish)

        finds: dict[Hashable, Found] = {}
        definition = define(source)
        given = {k: planned(take_in(v), self.planner) for k, v in (parameters or {}).items()}
        values = bound(definition.graph, given)
        called = Remote(egress_of(self.settings), REGISTRY, dict(self.user_processes))
        called.gather(definition.graph)
        graph = unsaid(inline(definition.graph, called.definitions, REGISTRY), REGISTRY)
        if problems := check(graph, REGISTRY, values):
            raise Problems(problems)
        known = not any(value is UNKNOWN for value in values.values())
        twins = Twins(loaded, values)
        around = Around(REGISTRY, values, twins, twins.grid) if known else Around(REGISTRY, values)
        return Prepared(definition.graph, simplified(graph, around), values, finds)

    def _outside(
        self, node: str, notes: Notes, longest_side: int | None = None, *, dry: bool = False
    ) -> Outside:
        return Outside(node, self.catalog, self.settings, notes, longest_side, self.results, dry)

    def _evaluate(
        self, prepared: Prepared, longest_side: int | None = None, *, dry: bool = False
    ) -> tuple[Outcome, Notes]:
        missing = [name for name, value in prepared.parameters.items() if value is UNKNOWN]
        if missing:
            raise Problem(
                "ProcessParameterRequired",
                f"the graph needs values of its parameters {', '.join(missing)}",
                hint="Give them with parameters={...}, or --param name=value.",
            )
        notes = Notes(finds=prepared.finds)
        outcome = evaluate(
            prepared.graph,
            prepared.parameters,
            lambda node: self._outside(node, notes, longest_side, dry=dry),
        )
        return outcome, notes

    def preview(
        self, graph: Any, longest_side: int = 512, parameters: Mapping[str, Any] | None = None
    ) -> xr.DataArray:
        """A graph's cube on a coarse grid, read from overviews, in memory."""
        return self.compute(self.lazy(graph, parameters, longest_side))

    def lazy(
        self, graph: Any, parameters: Mapping[str, Any] | None = None, longest_side: int | None = None
    ) -> Any:
        """The value of a graph's result node as it is stored: what is logical is not made objects for Python."""
        prepared = self.prepare(graph, parameters)
        outcome, _ = self._evaluate(prepared, longest_side)
        return outcome.values[prepared.graph.result]

    def _counted(self, value: Any, progress: Progress | None) -> Callable[[xr.DataArray], Iterator[Block]]:
        planned = getattr(getattr(value, "data", None), "npartitions", 1)

        def stream(cube: xr.DataArray) -> Iterator[Block]:
            for done, block in enumerate(self.executor.stream(cube), 1):
                yield block
                if progress is not None:
                    progress(min(done, planned), planned)

        return stream


def named(id_: str, source: Any) -> Definition:
    """A user-defined process under its id."""
    definition = define(source)
    return Definition(id_, definition.graph, definition.summary, definition.description)


def bound(graph: Graph, given: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a graph's parameters: what was given, else the defaults, else `UNKNOWN`.

    Raises:
        Problem: A value was given for a parameter that the graph neither declares nor refers to.
    """
    declared = {p.name: (p.default if p.optional else UNKNOWN) for p in graph.parameters}
    known = {*declared, *referred(graph)}
    for name in given:
        if name not in known:
            raise Problem(
                "ProcessParameterUnsupported",
                f"the graph has no parameter {name!r}; it has {', '.join(sorted(known)) or 'none'}",
                hint=nearest_of(name, known),
            )
    return {**declared, **given}


def storable(value: Any) -> Any:
    """A value as the writers take it."""
    return value if isinstance(value, xr.DataArray) else hand_out(value)


def usual_format(value: Any) -> str:
    """The file format of what is written where nobody names one."""
    if not isinstance(value, xr.DataArray):
        return "JSON"
    if axes.of_kind(value, "geometry"):
        return "GeoJSON"
    return "GTiff" if len(axes.of_kind(value, "spatial")) == 2 else "netCDF"


def file_names(nodes: Sequence[str]) -> list[str]:
    """Names of files for the results of these nodes, no two alike: `result` where there is one."""
    if len(nodes) == 1:
        return ["result"]
    plain = [re.sub(r"[^A-Za-z0-9_\-]", "_", node)[:80] for node in nodes]
    return [name if plain.count(name) == 1 else f"{name}_{n}" for n, name in enumerate(plain, 1)]


def named_after(target: Path, node: str) -> Path:
    """The target, or one with the node's name in it."""
    return target.with_stem(f"{target.stem}_{node}") if node else target


def provenance(graph: Graph, notes: Notes, value: Any) -> dict[str, Any]:
    """The graph, the inputs, and, for a result that has no times of its own, those of its inputs."""
    items = [item for r in notes.readings for item in r.found.items]
    inputs = [item.get_self_href() or item.id for item in items]
    told: dict[str, Any] = {"graph": to_json(graph), "inputs": list(dict.fromkeys(inputs))}
    has_times = isinstance(value, xr.DataArray) and axes.of_kind(value, "temporal")
    if not has_times and (span := time_span(items)):
        told["properties"] = {"datetime": None, "start_datetime": span[0], "end_datetime": span[1]}
    return told


def time_span(items: Sequence[Any]) -> tuple[str, str] | None:
    """The first and the last moment of items, as RFC 3339 text."""
    starts = [item.common_metadata.start_datetime or item.datetime for item in items]
    ends = [item.common_metadata.end_datetime or item.datetime for item in items]
    if not items or None in starts or None in ends:
        return None
    return axes.rfc3339(min(starts)), axes.rfc3339(max(ends))


def too_large(node: str, needed: Memory, limit: int) -> Problem:
    """The refusal of what does not fit into memory."""
    return Problem(
        "ProcessGraphComplexity",
        f"node {node!r} takes up to {needed.total / 1e9:.2f} GB of memory, {needed.largest / 1e6:.0f} MB for one block "
        f"alone; there are {limit / 1e9:.2f} GB",
        hint="Take a smaller extent or coarser cells, or set GDC_BLOCK_MEMORY lower or GDC_WORKERS to fewer; "
        "GDC_MAX_MEMORY is the limit.",
        facts={"node": node, "bytes": needed.total, "block": needed.largest, "limit": limit},
    )


def as_read(reading: Reading, seen: Survey) -> Read:
    """What one node reads, for an explanation."""
    return Read(
        node=reading.node,
        source=reading.source,
        funnel=reading.found.funnel.json(),
        items=seen.items,
        assets=seen.assets,
        dates=tuple(str(t)[:10] for t in seen.times),
        bands=tuple(seen.bands),
        crs=str(seen.crs),
        resolution=seen.resolution,
        shape=tuple(seen.shape),
        dtype=str(seen.dtype),
        nodata=seen.nodata,
        bytes=seen.bytes,
    )


def as_result(node: str, value: Any) -> Result:
    """What a graph gives, for an explanation."""
    if not isinstance(value, xr.DataArray):
        return Result(node, type(value).__name__, {}, "", 0, 0, 0)
    lazy = isinstance(value.data, da.Array)
    return Result(
        node=node,
        kind="cube",
        dims={str(d): n for d, n in value.sizes.items()},
        dtype="boolean" if value.attrs.get("logical") else str(value.dtype),
        bytes=value.nbytes,
        blocks=value.data.npartitions if lazy else 1,
        tasks=len(value.data.__dask_graph__()) if lazy else 0,
    )
