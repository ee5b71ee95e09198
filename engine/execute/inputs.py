"""Files that graphs read by path or URL: one table of formats, each file a STAC item or a vector cube."""

from __future__ import annotations

import base64
import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

import pystac
import xarray as xr
from rasterio.errors import RasterioError

from engine.catalog.arrays import array_facts
from engine.catalog.documents import local_path
from engine.catalog.folder import GUESSED, described
from engine.catalog.rasters import FileFacts, facts_of
from engine.errors import Problem
from engine.http import GUARDED, Client, Egress, Failure
from engine.load import Wish, load
from engine.load.files import gdal, open_raster
from processes.cubes import axes
from processes.cubes.vectors import load_geojson
from processes.errors import FileNotFound, FormatUnsuitable, ProcessError, ProcessParameterInvalid

MAX_TEXT = 256 * 2**20
"""Bytes of a file of features, which is read as a whole."""
MAX_VALUE = 16 * 2**20
"""Bytes of a value that is no cube."""
VALUE_SECONDS = 60.0
"""Seconds that one may take."""
DATA = "data:"
"""What addresses begin with that have the bytes in them."""
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""The time of all files that tell none, which their cube does not show."""


@dataclass(frozen=True, slots=True)
class Input:
    """A file format that can be read."""

    name: str
    """openEO name."""
    title: str
    """Name for people."""
    kind: Literal["raster", "array", "features"]
    """How it is read."""
    suffixes: tuple[str, ...]
    """File name suffixes, which also name the format."""


INPUTS: Mapping[str, Input] = MappingProxyType(
    {
        i.name: i
        for i in (
            Input("GTiff", "GeoTIFF, Cloud Optimized GeoTIFF", "raster", ("tif", "tiff", "cog")),
            Input("JP2OpenJPEG", "JPEG 2000", "raster", ("jp2", "j2k")),
            Input("netCDF", "netCDF-4", "array", ("nc", "nc4")),
            Input("GeoJSON", "GeoJSON", "features", ("geojson",)),
        )
    }
)
"""The input formats by name."""


def input_formats() -> dict[str, Any]:
    """The input formats as openEO's `GET /file_formats` lists them."""
    types = {"raster": ["raster"], "array": ["raster"], "features": ["vector"]}
    return {
        i.name: {"title": i.title, "gis_data_types": types[i.kind], "parameters": {}} for i in INPUTS.values()
    }


def find_input(name: str, options: Mapping[str, Any]) -> Input:
    """The format of that name in any case; none of them has options."""
    wanted = name.strip().casefold()
    found = [i for i in INPUTS.values() if wanted == i.name.casefold() or wanted in i.suffixes]
    if not found:
        raise FormatUnsuitable(
            f"there is no input format {name!r}",
            hint=f"The input formats are {', '.join(INPUTS)}.",
            parameter="format",
        )
    if options:
        raise Problem(
            "ProcessParameterInvalid",
            f"{found[0].name} has no option {', '.join(map(repr, options))} for reading",
            hint="Leave the options out.",
            facts={"parameter": "options"},
        )
    return found[0]


def read_value(url: str, media_type: str, egress: Egress) -> Any:
    """The value at a URL: of JSON what it stands for, a text, or bytes in base64."""
    kind = media_type.partition(";")[0].strip().casefold()
    try:
        with Client(egress) as client:
            answer = client.fetch(url, cap=MAX_VALUE, within=VALUE_SECONDS)
            if kind == "application/json" or kind.endswith("+json"):
                return answer.json()
    except Failure as failure:
        raise failure.problem("url") from failure
    if not kind.startswith("text/"):
        return base64.b64encode(answer.body).decode()
    try:
        return answer.body.decode()
    except UnicodeDecodeError:
        raise Problem("FileContentInvalid", f"{answer.href} is no text in UTF-8") from None


def inside(root: Path, path: str) -> Path:
    """A file of a user's folder, whose root is `/` to the user; nothing outside of it is ever found."""
    try:
        place = (root / path.lstrip("/")).resolve()
        found = place.is_relative_to(root.resolve()) and place.is_file() and not path.endswith("/")
    except (OSError, ValueError, RuntimeError):  # a name that is too long, a NUL in it, a circle of links
        found = False
    if not found:
        raise FileNotFound(
            f"there is no file {path!r}",
            hint="Give the path of an uploaded file, as the list of files has it; folders cannot be loaded.",
            parameter="paths",
        )
    return place


def local_file(path: str, allowed: bool) -> Path:
    """A file of this machine, where graphs may read these."""
    if not allowed:
        raise ProcessParameterInvalid(
            f"{path!r} is no http or https URL", hint="Local files are not read here.", parameter="url"
        )
    place = Path(local_path(path)).expanduser()
    if not place.is_file():
        raise Problem("FileNotFound", f"there is no file {path}", facts={"parameter": "url"})
    return place


def read_files(paths: Sequence[Path], kind: Input) -> xr.DataArray:
    """The one cube of some files."""
    if kind.kind == "features":
        cubes = [features(json_of(p.name, _text(p))) for p in paths]
        return cubes[0] if len(cubes) == 1 else _one_after_another(cubes)
    items = [local_item(path, kind, number) for number, path in enumerate(paths)]
    return cube_of(items, Wish())


def read_url(url: str, kind: Input, egress: Egress, downloads: Path, cap: int) -> xr.DataArray:
    """The cube of a file on the web; rasters stay where they are."""
    name = PurePosixPath(unquote(urlsplit(url).path)).name or "file"
    try:
        if kind.kind == "raster":
            item = _item(raster_facts(url, name, kind, egress), url, name, 0)
            return cube_of([item], Wish(egress=egress))
        with Client(egress) as client:
            if kind.kind == "features":
                return features(json_of(name, client.fetch(url, cap=MAX_TEXT).body))
            path = downloaded(client, url, downloads, cap)
    except Failure as failure:
        raise failure.problem("url") from failure
    return cube_of([local_item(path, kind, 0, name)], Wish())


def read_data(url: str, kind: Input, downloads: Path) -> xr.DataArray:
    """The cube of a file whose bytes stand in its address (RFC 2397)."""
    head, _, text = url.removeprefix(DATA).partition(",")
    try:
        if not head.endswith(";base64"):
            raise ValueError("they are not in base64")
        content = base64.b64decode(text, validate=True)
    except ValueError as fault:
        raise ProcessParameterInvalid(
            f"the bytes in the address cannot be read: {fault}", parameter="url"
        ) from None
    if kind.kind == "features":
        return features(json_of("the file", content))
    place = downloads / f"{hashlib.sha256(content).hexdigest()}.{kind.suffixes[0]}"
    downloads.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=downloads, suffix=".part") as file:
        file.write(content)
        file.flush()
        keep(file.name, place)
    return cube_of([local_item(place, kind, 0, "the file")], Wish())


def downloaded(client: Client, url: str, folder: Path, cap: int) -> Path:
    """A file of the web on this disk, named after its content: what a lazy cube reads is never replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".part") as file:
        client.download(url, file, cap=cap)
        file.flush()
        with Path(file.name).open("rb") as content:
            place = folder / f"{hashlib.file_digest(content, 'sha256').hexdigest()}.nc"
        keep(file.name, place)
    return place


def keep(file: str, place: Path) -> None:
    """Have a file under its name for good; housekeeping removes what nobody wanted for long."""
    try:
        place.hardlink_to(file)
    except FileExistsError:  # it is wanted again
        place.touch()


def local_item(path: Path, kind: Input, number: int, name: str | None = None) -> pystac.Item:
    """The item of a file on this disk."""
    name = name or path.name
    if kind.kind == "raster":
        return _item(raster_facts(str(path), name, kind), str(path), name, number)
    try:
        return _item(array_facts(path), str(path), name, number)
    except Problem as problem:
        raise unsuitable(name, kind, problem.message) from problem


def _item(facts: FileFacts, href: str, name: str, number: int) -> pystac.Item:
    return pystac.Item.from_dict(described(facts, href, f"{number} {name}", name, NEVER))


def raster_facts(href: str, name: str, kind: Input, egress: Egress = GUARDED) -> FileFacts:
    """What a raster file says of itself, if it is of that format."""
    try:
        with gdal(), open_raster(href, egress=egress) as dataset:
            if dataset.driver != kind.name:
                raise unsuitable(name, kind, f"it is {dataset.driver}")
            return facts_of(dataset)
    except (RasterioError, ValueError) as fault:
        if isinstance(fault.__cause__, Failure):
            raise fault.__cause__ from None
        raise unsuitable(name, kind, str(fault)) from fault


def cube_of(items: Sequence[pystac.Item], wish: Wish) -> xr.DataArray:
    """The items as one cube; without a time dimension where the files tell no time."""
    guessed = [item.properties.get("gdc:datetime_source") == GUESSED for item in items]
    if any(guessed) and not all(guessed):
        told = next(item.assets["data"].title for item, g in zip(items, guessed, strict=True) if g)
        raise FormatUnsuitable(
            f"{told} tells no time, and other files do",
            hint="Give each file a date in its name (2022-06-01), or load them apart.",
            parameter="paths",
        )
    cube = load(items, wish)
    for dim in axes.temporal(cube) if all(guessed) else ():
        cube = cube.isel({dim: 0}, drop=True)
    return cube


def features(doc: Any) -> xr.DataArray:
    """A vector cube of GeoJSON: the geometries, their properties beside them."""
    if not isinstance(doc, Mapping):
        raise FormatUnsuitable("the file holds no GeoJSON object", parameter="format")
    try:
        return load_geojson(doc)
    except (ProcessError, AttributeError, TypeError, RecursionError) as fault:
        raise FormatUnsuitable(f"the file holds no GeoJSON: {fault}", parameter="format") from None


def json_of(name: str, text: bytes) -> Any:
    """The JSON of a file."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as fault:
        raise FormatUnsuitable(f"{name} is not JSON: {fault}", parameter="format") from None


def _text(path: Path) -> bytes:
    if path.stat().st_size > MAX_TEXT:
        raise Problem("FileSizeExceeded", f"{path.name} has more than the {MAX_TEXT} bytes that are read")
    return path.read_bytes()


def _one_after_another(cubes: Sequence[xr.DataArray]) -> xr.DataArray:
    """Features of several files in one cube."""
    systems = [c.coords["geometry"].attrs["crs"] for c in cubes]
    if len(set(systems)) > 1:
        raise FormatUnsuitable(
            f"the files have the CRSs {', '.join(map(str, dict.fromkeys(systems)))}", parameter="paths"
        )
    joined = xr.concat(cubes, "geometry", join="outer", coords="all", compat="no_conflicts")
    joined.coords["geometry"].attrs.update(cubes[0].coords["geometry"].attrs)
    return joined


def unsuitable(name: str, kind: Input, why: str) -> FormatUnsuitable:
    """The file cannot be read as that format."""
    return FormatUnsuitable(f"{name} cannot be read as {kind.name}: {why}", parameter="format")
