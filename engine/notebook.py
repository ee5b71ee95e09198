"""A fluent hand on a graph: each method of a `Cube` is a process, and a cube knows its graph."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import shapely
import xarray as xr

from engine.errors import Problem
from engine.graph.check import callback_parameters
from engine.graph.jsonout import to_json
from engine.graph.parse import parse
from engine.graph.schema import accepted
from engine.progress import bar
from engine.service import Engine
from engine.settings import Settings
from engine.sketch import called, child, free_name
from engine.write import Written, encode_cube
from processes import REGISTRY
from processes.cubes import axes, places

Json = dict[str, Any]
TIME_OR_NOTHING = Sequence[str | None] | None
SHORT = {"reduce": "reduce_dimension"}
"""Short names of methods for processes that are called all the time."""


class Session(Engine):
    """An engine for notebooks: it makes cubes."""

    def load(
        self,
        collection: str,
        bbox: Sequence[float] | Mapping[str, Any] | None = None,
        time: TIME_OR_NOTHING = None,
        bands: Sequence[str] | None = None,
        properties: Mapping[str, Any] | None = None,
    ) -> Cube:
        """A cube of a collection.

        Args:
            collection: Its id.
            bbox: West, south, east, north in degrees (WGS 84), or a bounding box of openEO with its CRS.
            time: Start and end of the half-open interval, as RFC 3339 dates or times.
            bands: Names or common names of the bands.
            properties: Conditions on metadata, e.g. `{"eo:cloud_cover": lambda value: value <= 50}`.
        """
        args: Json = {
            "id": collection,
            "spatial_extent": as_box(bbox),
            "temporal_extent": time and list(time),
        }
        if bands is not None:
            args["bands"] = list(bands)
        if properties is not None:
            args["properties"] = {k: child(v, ["value"]) for k, v in properties.items()}
        return Cube(self, {}, "").then("load_collection", args)

    def load_stac(self, url: str | Path, **args: Any) -> Cube:
        """A cube of STAC metadata at a URL or path; further arguments are those of the process."""
        return Cube(self, {}, "").then("load_stac", {"url": str(url), **args})

    def cube(self, graph: Any) -> Cube:
        """The cube that is the result of a graph."""
        read = parse(graph)
        nodes = to_json(read)
        nodes[read.result].pop("result")
        return Cube(self, nodes, read.result)


class Cube:
    """The result of a process graph that has not been computed yet.

    Every process whose first parameter is a cube is a method; `reduce` stands for `reduce_dimension` with the
    dimension first. Callbacks are names of processes or Python functions.
    """

    def __init__(self, session: Session, nodes: Json, node: str) -> None:
        self._session = session
        self._nodes = nodes
        self._node = node

    def __getattr__(self, name: str) -> Callable[..., Cube]:
        process = SHORT.get(name, name)
        if name.startswith("_") or process not in methods():
            raise AttributeError(f"a cube has no method {name!r}; it has {', '.join(methods())}")
        return lambda *args, **kwargs: self._call(process, args, kwargs)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *methods(), *SHORT})

    def reduce(self, dimension: str, reducer: Any, **kwargs: Any) -> Cube:
        """Make one value of each series along a dimension: `reduce("t", "median")`."""
        return self.reduce_dimension(reducer=reducer, dimension=dimension, **kwargs)

    def then(self, process: str, args: Mapping[str, Any]) -> Cube:
        """One more node; arguments are JSON, cubes, or callbacks."""
        nodes = dict(self._nodes)
        name = free_name(nodes, process)
        given = {k: self._argument(process, k, v, nodes) for k, v in args.items()}
        if name in nodes:  # another cube brought a node of that name with it
            name = free_name(nodes, process)
        nodes[name] = {"process_id": process, "arguments": given}
        return Cube(self._session, nodes, name)

    def to_graph(self) -> Json:
        """The process graph in openEO JSON."""
        return {n: {**node, "result": True} if n == self._node else node for n, node in self._nodes.items()}

    def flat_graph(self) -> Json:
        """The process graph, under the name that openEO's own client has for it."""
        return self.to_graph()

    @cached_property
    def lazy(self) -> xr.DataArray:
        """The cube as a lazy `xarray.DataArray`."""
        return self._session.run(self.to_graph())

    def compute(self) -> xr.DataArray:
        """The cube as an `xarray.DataArray` in memory, with a progress bar on long work."""
        with bar("computing") as progress:
            return self._session.compute(self.lazy, progress)

    def explain(self) -> Any:
        """What this reads and gives, without reading a pixel."""
        return self._session.explain(self.to_graph())

    def save(self, target: str | Path, *, overwrite: bool = False, **options: Any) -> Written:
        """Compute the cube and write it; the suffix says which format. Options are those of the format."""
        with bar(f"writing {Path(target).name}") as progress:
            (written,) = self._session.save(
                self.to_graph(), target, options=options, overwrite=overwrite, progress=progress
            )
        return written

    def preview(self, longest_side: int = 512, **options: Any) -> Preview:
        """The cube as a picture, of overviews; options are those of the PNG format.

        Of several dates the first is shown; of several bands red, green and blue where they are known.
        """
        cube = self._session.preview(self.to_graph(), longest_side)
        return Preview(encode_cube(one_picture(cube), options))

    def _call(self, process: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Cube:
        _, given = called(process, self, args, kwargs)
        return self.then(process, given)

    def _argument(self, process: str, name: str, value: Any, nodes: Json) -> Any:
        if value is self:
            return {"from_node": self._node}
        if isinstance(value, Cube):
            return {"from_node": adopted(nodes, value)}
        param = REGISTRY[process].signature.param(name)
        if param is not None and (names := callback_parameters(param.schema)) and name != "properties":
            return child(value, names)
        return value

    # -------------------------------------------------------------------------------------- looks
    def __repr__(self) -> str:
        try:
            lines = described(self.lazy)
        except Problem as problem:
            lines = {"cannot be run": str(problem)}
        width = max(map(len, lines))
        body = "\n".join(f"  {k:<{width}}  {v}" for k, v in lines.items())
        return f"<Cube {' > '.join(n['process_id'] for n in self._nodes.values())}>\n{body}"

    def _repr_html_(self) -> str:
        from engine.show import as_html

        try:
            return as_html(described(self.lazy), footprint(self.lazy))
        except Problem as problem:
            return as_html({"cannot be run": str(problem)}, None)


class Preview:
    """A picture that notebooks show."""

    def __init__(self, png: bytes) -> None:
        self.png = png
        """The picture as a PNG file."""

    def _repr_png_(self) -> bytes:
        return self.png

    def save(self, target: str | Path) -> None:
        """Write the picture to a file."""
        Path(target).write_bytes(self.png)


def open(source: str | Path | None = None, **settings: Any) -> Session:  # noqa: A001 (engine.open is what it is called)
    """Open an engine.

    Args:
        source: `demo` for the sample data (made on first use), a catalogue's SQLite file or URL, whatever
            `gdc catalog add` takes (it is catalogued for this session alone), or nothing for the user's catalogue.
        settings: Fields of `Settings` that are to differ from environment and file.
    """
    if source is None:
        return Session(Settings(**settings))
    if str(source) == "demo":
        from engine.sample import sample_catalog

        given = Settings(**settings)
        return Session(given.model_copy(update={"catalog": sample_catalog(given.home)}))
    if str(source).startswith(("postgresql:", "postgresql+")):
        return Session(Settings(catalog=str(source), **settings))
    if Path(source).suffix in (".sqlite", ".db"):
        return Session(Settings(catalog=Path(source), **settings))
    folder = tempfile.TemporaryDirectory(prefix="gdc-")
    session = Session(Settings(catalog=Path(folder.name) / "catalog.sqlite", **settings))
    session.belongings.callback(folder.cleanup)
    session.add(source)
    return session


def run(graph: Any, parameters: Mapping[str, Any] | None = None) -> Any:
    """The value of a graph over the user's catalogue; see `Engine.run`."""
    return default_session().run(graph, parameters)


_DEFAULT: list[Session] = []


def default_session() -> Session:
    """The session behind `engine.run`."""
    if not _DEFAULT:
        _DEFAULT.append(open())
    return _DEFAULT[0]


def methods() -> tuple[str, ...]:
    """Processes whose first parameter is a cube."""
    return tuple(
        id_
        for id_, p in REGISTRY.items()
        if p.signature.params and "datacube" in accepted(p.signature.params[0].schema)
    )


def adopted(nodes: Json, other: Cube) -> str:
    """Take over the nodes of another cube; gives the name of its result among ours."""
    names: dict[str, str] = {}
    for name, node in other._nodes.items():
        if nodes.get(name) == renamed(node, names):
            names[name] = name
            continue
        names[name] = name if name not in nodes else free_name(nodes, node["process_id"])
        nodes[names[name]] = renamed(node, names)
    return names[other._node]


def renamed(value: Any, names: Mapping[str, str]) -> Any:
    """A node whose references follow new names; child graphs keep their own."""
    if isinstance(value, Mapping):
        if set(value) == {"from_node"}:
            return {"from_node": names.get(value["from_node"], value["from_node"])}
        return {k: v if k == "process_graph" else renamed(v, names) for k, v in value.items()}
    return [renamed(v, names) for v in value] if isinstance(value, list) else value


def as_box(bbox: Any) -> Any:
    """Four numbers as a bounding box of openEO."""
    if bbox is None or isinstance(bbox, Mapping):
        return bbox
    west, south, east, north = bbox
    return {"west": west, "south": south, "east": east, "north": north}


def described(cube: Any) -> dict[str, str]:
    """Grid, dates, bands, bytes and footprint of a lazy cube, in words."""
    if not isinstance(cube, xr.DataArray):
        return {"value": repr(cube)}
    lines = {"dimensions": ", ".join(f"{d}: {n}" for d, n in cube.sizes.items()) or "none"}
    for dim in axes.of_kind(cube, "temporal"):
        labels = axes.labels(cube, dim)
        lines["dates"] = f"{len(labels)}" + (f", {labels[0][:10]} to {labels[-1][:10]}" if labels else "")
    for dim in axes.of_kind(cube, "bands"):
        lines["bands"] = ", ".join(map(str, axes.labels(cube, dim)))
    if axes.axis(cube, "x") and axes.axis(cube, "y") and places.crs_of(cube) is not None:
        grid = places.grid(cube)
        lines["grid"] = f"{grid.shape[1]} x {grid.shape[0]} cells of {abs(grid.resolution.x):g} in {grid.crs}"
        west, south, east, north = footprint(cube).bounds
        lines["footprint"] = f"{west:.4f}, {south:.4f} to {east:.4f}, {north:.4f} degrees"
    kind = "boolean" if cube.attrs.get("logical") else str(cube.dtype)
    lines["cells"] = f"{kind}, {cube.nbytes / 1e6:.1f} MB"
    return lines


def footprint(cube: Any) -> Any:
    """The outline of a raster cube in degrees; `None` where it has none."""
    if not isinstance(cube, xr.DataArray) or axes.axis(cube, "x") is None or places.crs_of(cube) is None:
        return None
    return shapely.geometry.shape(places.grid(cube).extent.to_crs("EPSG:4326", resolution="auto").json)


def one_picture(cube: xr.DataArray) -> xr.DataArray:
    """The first date, and at most three bands."""
    for dim in axes.of_kind(cube, "temporal"):
        cube = cube.isel({dim: slice(0, 1)}) if cube.sizes[dim] > 1 else cube
    for dim in axes.of_kind(cube, "bands"):
        rgb = [axes.find_bands(cube, c) for c in ("red", "green", "blue")]
        chosen = [r[0] for r in rgb] if all(rgb) else [0]
        cube = axes.select_bands(cube.transpose(..., dim, *axes.plane(cube)), chosen)
    return cube
