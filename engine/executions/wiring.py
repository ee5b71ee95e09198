"""Inputs as OGC has them, turned into arguments of nodes, and into the nodes that fetch what they only name."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from engine.domain.reference import WGS84, read_reference
from engine.errors import Problem
from engine.executions.model import CALL, Offer
from engine.graph.near import nearest_of
from engine.graph.schema import ANYTHING, accepted

Json = dict[str, Any]
WEB = re.compile("https?://", re.IGNORECASE)
FILES: Mapping[str, str] = {
    "image/tiff": "GTiff", "application/x-geotiff": "GTiff", "image/jp2": "JP2OpenJPEG",
    "application/netcdf": "netCDF", "application/x-netcdf": "netCDF", "application/geo+json": "GeoJSON",
}  # fmt: skip
"""Input formats by media type."""
SUFFIXES: Mapping[str, str] = {
    ".tif": "GTiff", ".tiff": "GTiff", ".jp2": "JP2OpenJPEG", ".nc": "netCDF", ".geojson": "GeoJSON",
}  # fmt: skip
"""Input formats by what names of files end with."""
COLLECTIONS = re.compile(r".*/collections/([^/?#]+)/?")


class Wiring:
    """A graph that grows with the inputs of a process."""

    def __init__(self, find: Callable[[str], Offer], homes: tuple[str, ...]) -> None:
        self.nodes: Json = {}
        self._find = find
        self._homes = homes

    def call(self, offer: Offer, inputs: Any, where: str = "inputs") -> str:
        """Add the call of a process with its inputs; gives the name of the node.

        Raises:
            Problem: An input is missing, not known, or makes no sense.
        """
        if not isinstance(inputs, Mapping):
            raise Problem("ParameterInvalid", f"{where}: it is an object: a member for each input")
        known = {str(p["name"]): p for p in offer.document.get("parameters") or ()}
        for name in inputs:
            if name not in known:
                raise Problem(
                    "ProcessParameterUnsupported",
                    f"{where}: process {offer.id!r} has no input {name[:60]!r}; it has {', '.join(known) or 'none'}",
                    hint=nearest_of(name, known),
                    facts={"parameter": name},
                )
        for name, p in known.items():
            if name not in inputs and not p.get("optional", "default" in p):
                raise Problem(
                    "ProcessParameterRequired",
                    f"{where}: process {offer.id!r} needs the input {name!r}",
                    hint=f"`GET /processes/{offer.id}` describes it.",
                    facts={"parameter": name},
                )
        arguments = {
            name: self.argument(given, known[name].get("schema", {}), f"{where}.{name}")
            for name, given in inputs.items()
        }
        return self.add(
            CALL if CALL not in self.nodes and where == "inputs" else "",
            {**offer.call, "arguments": arguments},
        )

    def add(self, name: str, node: Json) -> str:
        """Add a node; without a name, under one that tells its process."""
        number = len(self.nodes) + 1
        while not name or name in self.nodes:
            name, number = f"{node['process_id']}_{number}", number + 1
        self.nodes[name] = node
        return name

    def argument(self, given: Any, schema: Any, where: str) -> Any:
        """The argument that an input stands for; of an array that is not given as one, its only element."""
        if kinds_of(schema) == {"array"} and not isinstance(given, list) and not is_array(given):
            items = schema.get("items", {}) if isinstance(schema, Mapping) else {}
            return [self.value(given, items, where)]
        return self.value(given, schema, where)

    def value(self, given: Any, schema: Any, where: str) -> Any:
        """What one value stands for."""
        if isinstance(given, list):
            items = schema.get("items", {}) if isinstance(schema, Mapping) else {}
            return [self.value(one, items, f"{where}.{number}") for number, one in enumerate(given)]
        if not isinstance(given, Mapping):
            return given
        if "value" in given and (file := file_in(given, schema)) is not None:
            return self.from_node({"process_id": "load_url", "arguments": file})
        if "value" in given:
            return self.literal(qualified(given, schema, where), schema)
        if "href" in given:
            return self.linked(given, schema, where)
        if "collection" in given:
            refuse_others(given, ("collection",), where)
            return self.collection(given["collection"], where)
        if "process" in given:
            refuse_others(given, ("process", "inputs"), where)
            return self.nested(given, where)
        if "bbox" in given:
            return box_of(given, where)
        if "bounding-box" in subtypes_of(schema) and "west" in given:
            return dict(given)
        raise Problem(
            "ParameterInvalid",
            f'{where}: an object is given as `{{"value": ...}}`, this one has {", ".join(map(str, given)) or "no members"}',
            hint="Links have `href`, boxes `bbox`, collections `collection`, calls of other processes `process`.",
            facts={"parameter": where},
        )

    def literal(self, value: Any, schema: Any) -> Any:
        """A value itself; boxes as graphs have them, and features as a cube where nothing else is taken."""
        if isinstance(value, Mapping) and "bbox" in value and "bounding-box" in subtypes_of(schema):
            return box_of(value, "bbox")
        if isinstance(value, Mapping) and kinds_of(schema) == {"datacube"}:
            return self.from_node({"process_id": "load_geojson", "arguments": {"data": dict(value)}})
        return value

    def linked(self, link: Mapping[str, Any], schema: Any, where: str) -> Json:
        """The value or the cube behind a link, which is fetched when the graph runs."""
        href, kind = link["href"], link.get("type") or link.get("mediaType") or ""
        if not isinstance(href, str) or not WEB.match(href) or not isinstance(kind, str):
            raise Problem("ParameterInvalid", f"{where}: href is an http or https address, type a media type")
        if "datacube" not in kinds_of(schema):
            arguments = {"url": href, "media_type": kind or "application/json"}
            return self.from_node({"process_id": "load_value", "arguments": arguments})
        bare = kind.partition(";")[0].strip().lower()
        path = urlsplit(href).path.lower()
        by_suffix = next((name for suffix, name in SUFFIXES.items() if path.endswith(suffix)), None)
        found = FILES.get(bare) if bare else by_suffix
        if found is not None:
            return self.from_node({"process_id": "load_url", "arguments": {"url": href, "format": found}})
        if bare in ("", "application/json"):
            return self.from_node({"process_id": "load_stac", "arguments": {"url": href}})
        raise Problem(
            "FormatUnsuitable",
            f"{where}: no cube is read from {kind[:80]!r}",
            hint=f"Files are {', '.join(FILES)}; STAC metadata are application/json.",
            facts={"parameter": where},
        )

    def collection(self, given: Any, where: str) -> Json:
        """The cube of a collection: one of ours by id or address, or another server's."""
        if not isinstance(given, str) or not given:
            raise Problem("ParameterInvalid", f"{where}: collection is an id or an address")
        own = self._own(given)
        found = COLLECTIONS.fullmatch(own) if own is not None else None
        if found is None and WEB.match(given):
            return self.from_node({"process_id": "load_stac", "arguments": {"url": given}})
        id_ = unquote(found[1]) if found else given
        arguments = {"id": id_, "spatial_extent": None, "temporal_extent": None}
        return self.from_node({"process_id": "load_collection", "arguments": arguments})

    def nested(self, given: Mapping[str, Any], where: str) -> Json:
        """What another process of this server gives."""
        name = given["process"]
        if not isinstance(name, str) or (WEB.match(name) and self._own(name) is None):
            raise Problem(
                "ParameterInvalid",
                f"{where}: process is the id or the address of a process of this server",
                hint="`run_ogcapi_externally` calls those of others.",
            )
        offer = self._find(unquote(name.rstrip("/").rpartition("/")[2]))
        if len(offer.outlets) > 1 or offer.outlets[0].is_written:
            raise Problem(
                "ParameterInvalid",
                f"{where}: process {offer.id!r} writes its results, or has several; a value is one that is not written",
                hint="Leave `save_result` out of processes whose results others go on with.",
            )
        return {"from_node": self.call(offer, given.get("inputs", {}), f"{where}.inputs")}

    def from_node(self, node: Json) -> Json:
        """A reference to a node that is added."""
        return {"from_node": self.add("", node)}

    def _own(self, address: str) -> str | None:
        """The path of an address of this server."""
        return next((address.removeprefix(h) for h in self._homes if address.startswith(f"{h}/")), None)


def refuse_others(given: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    """Refuse members that would change what is meant, and which nothing here takes up."""
    others = [str(name) for name in given if name not in known]
    if others:
        raise Problem(
            "ParameterInvalid",
            f"{where}: {others[0][:60]!r} is not taken beside {known[0]!r}",
            hint="Chain processes for it, such as `filter_bbox` or `filter_bands`, or send a graph to `OpenEO`.",
            facts={"parameter": where},
        )


def kinds_of(schema: Any) -> frozenset[str]:
    """The kinds of values that a schema lets pass; any, where it is none."""
    try:
        return accepted(schema)
    except TypeError:  # schemas of users may hold anything in the place of names
        return ANYTHING


def is_array(given: Any) -> bool:
    """Does it stand for a whole array?"""
    return isinstance(given, Mapping) and (
        isinstance(given.get("value"), list) or "href" in given or "process" in given
    )


def subtypes_of(schema: Any) -> set[str]:
    """The subtypes that a schema has among its alternatives."""
    listed = schema if isinstance(schema, list) else [schema]
    return {str(one.get("subtype")) for one in listed if isinstance(one, Mapping)}


def file_in(given: Mapping[str, Any], schema: Any) -> Json | None:
    """The arguments that load a file whose bytes are given, where a cube is wanted; none where it is something else."""
    kind = str(given.get("mediaType") or "").partition(";")[0].strip().lower()
    is_file = given.get("encoding") == "base64" and isinstance(given["value"], str) and kind in FILES
    if not is_file or "datacube" not in kinds_of(schema):
        return None
    return {"url": f"data:{kind};base64,{given['value']}", "format": FILES[kind]}


def qualified(given: Mapping[str, Any], schema: Any, where: str) -> Any:
    """The value of one that says what it is: base64 is undone where a text, or JSON, was packed into it."""
    value, encoding = given["value"], given.get("encoding")
    kind = str(given.get("mediaType") or "").partition(";")[0].strip().lower()
    if encoding in (None, "utf-8", "UTF-8"):
        return value
    if encoding != "base64" or not isinstance(value, str):
        raise Problem("ParameterInvalid", f"{where}: values are encoded in base64, or not at all")
    try:
        raw = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise Problem("ParameterInvalid", f"{where}: the value is no base64") from None
    if isinstance(schema, Mapping) and schema.get("contentEncoding") == "base64":
        return value
    try:
        if kind == "application/json" or kind.endswith("+json"):
            return json.loads(raw)
        if kind.startswith("text/"):
            return raw.decode()
    except ValueError:
        raise Problem("ParameterInvalid", f"{where}: what is in base64 is no {kind}") from None
    raise Problem(
        "ParameterInvalid",
        f"{where}: bytes are not taken here",
        hint="Put the file where it can be fetched, and give its address as `href`.",
        facts={"parameter": where},
    )


def box_of(given: Mapping[str, Any], where: str) -> Json:
    """A box as graphs have it: x before y, whatever the order in its reference system."""
    box, crs = given["bbox"], given.get("crs")
    numbers = isinstance(box, list) and all(
        isinstance(v, int | float) and not isinstance(v, bool) for v in box
    )
    if not numbers or len(box) not in (4, 6):
        raise Problem("ParameterInvalid", f"{where}: bbox is an array of four numbers, or of six")
    try:
        reference = WGS84 if crs is None else read_reference(str(crs))
    except ValueError as fault:
        raise Problem("ParameterInvalid", f"{where}: {fault}", facts={"parameter": where}) from None
    half = len(box) // 2
    low, high = box[:half], box[half:]
    if reference.north_first and not reference.is_crs84:
        low[:2], high[:2] = low[1::-1], high[1::-1]
    out = {"west": low[0], "south": low[1], "east": high[0], "north": high[1], "crs": reference.graph_crs}
    return out | ({"base": low[2], "height": high[2]} if half == 3 else {})
