"""Results on their way out: their STAC changed, and put into workspaces or collections once they are written."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from engine.catalog import Catalog
from engine.errors import Problem
from engine.execute.shared import publish
from engine.settings import Settings
from engine.write import Written
from processes.cubes.exchange import merge_patch
from processes.errors import ProcessParameterInvalid
from processes.world import Saved

Json = dict[str, Any]
WORKSPACE = re.compile(r"[\w\-.~]+")
COLLECTION = re.compile(r"[A-Za-z0-9_\-.~/]+")


@dataclass(frozen=True, slots=True)
class Export:
    """A result that is to be put somewhere, too."""

    number: int
    """Which of the graph's results."""
    changes: tuple[Mapping[str, Any], ...]
    """Merge patches of its STAC description."""
    workspace: str | None = None
    """The workspace that it goes to."""
    merge: str | None = None
    """Path of the STAC collection in the workspace that takes it in."""
    collection: str | None = None
    """The collection of the catalogue that it goes to."""
    own: str | None = None
    """The collection of the user's own that it goes to, where the catalogue is that of others, too."""

    def check(self) -> None:
        """Refuse names that name nothing, before anything is computed."""
        if self.workspace is not None and (
            not WORKSPACE.fullmatch(self.workspace) or set(self.workspace) == {"."}
        ):
            raise _no_name("workspace", self.workspace, "letters, digits and - . _ ~")
        if self.collection is not None and not COLLECTION.fullmatch(self.collection):
            raise _no_name("collection", self.collection, "A-Z, a-z, 0-9 and - . _ ~ /")
        if self.merge is not None:
            place_of(Path("/"), self.merge)

    def perform(self, written: Written, settings: Settings, catalog: Catalog) -> Path:
        """Copy the result with its description; gives the path of that."""
        item, home = patched(written.item, self.changes), settings.home
        if self.own is not None:
            publish(written, item, self.own, settings, catalog)
            return written.item_path
        if self.workspace is not None:
            folder = home / "workspaces" / self.workspace
            if self.merge is None:
                return copied(written, item, folder)
            return merged(written, item, place_of(folder, self.merge))
        assert self.collection is not None
        item = {**item, "collection": self.collection}
        path = copied(written, item, home / "collections" / folder_name(self.collection))
        catalog.add(path, collection=self.collection)
        return path


def export_of(data: Any, **where: Any) -> Export:
    """The export of a result; refused for what is none."""
    if not isinstance(data, Saved):
        raise ProcessParameterInvalid(
            f"only a result that this graph writes can be exported, this is {type(data).__name__}",
            hint="Take it from a node with save_result, perhaps by way of stac_modify.",
            parameter="data",
        )
    export = Export(data.number, data.changes, **where)
    export.check()
    return export


def rewritten(written: Written, changes: Sequence[Mapping[str, Any]]) -> Written:
    """A written result with its STAC item changed, on disk as well."""
    if not changes:
        return written
    item = patched(written.item, changes)
    put_json(written.item_path, item)
    return replace(written, item=item)


def patched(item: Mapping[str, Any], changes: Sequence[Mapping[str, Any]]) -> Json:
    """The item with its merge patches applied; it stays an item of these files."""
    changed = dict(item)
    for patch in changes:
        changed = merge_patch(changed, patch)
    if faults := list(_faults(item, changed)):
        raise Problem(
            "ProcessParameterInvalid",
            f"the changes leave no sound STAC item: {'; '.join(faults)}",
            hint="Change what describes the result; what it is, and where its files are, stays.",
            facts={"parameter": "changes"},
        )
    return changed


def _faults(item: Mapping[str, Any], changed: Mapping[str, Any]) -> list[str]:
    faults = [
        f"{name} is {changed.get(name)!r}, not {item[name]!r}"
        for name in ("type", "stac_version")
        if changed.get(name) != item[name]
    ]
    if not isinstance(changed.get("id"), str) or not changed["id"]:
        faults.append(f"id is {changed.get('id')!r}, not a text")
    if not isinstance(changed.get("properties"), Mapping) or "datetime" not in changed["properties"]:
        faults.append("properties has no datetime")
    if not isinstance(changed.get("links"), list):
        faults.append("links is no list")
    assets = changed.get("assets")
    if not isinstance(assets, Mapping):
        return [*faults, "assets is no object"]
    own = {asset["href"] for asset in item["assets"].values()}
    for key, asset in assets.items():
        href = asset.get("href") if isinstance(asset, Mapping) else None
        if href not in own and urlsplit(str(href)).scheme not in ("http", "https"):
            faults.append(f"asset {key!r} is at {href!r}, which is no file of the result")
    return faults


# ------------------------------------------------------------------------------------------- copies
def copied(written: Written, item: Json, folder: Path) -> Path:
    """The result in a folder of its own there; it appears whole or not at all."""
    name = folder_name(item["id"])
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{name[:80]}.{os.urandom(6).hex()}.part"
    try:
        part.mkdir()
        for asset in written.assets:
            copy = shutil.copytree if asset.href.is_dir() else shutil.copyfile
            copy(asset.href, part / asset.href.name)
        place, id_ = _free(folder, name, item["id"])
        put_json(part / "item.json", {**item, "id": id_})
        part.rename(place)
    except OSError as fault:
        shutil.rmtree(part, ignore_errors=True)
        raise Problem(
            "StorageFailure",
            f"the result {item['id']!r} could not be put into {folder.name}: {fault.strerror or fault}",
            hint="The storage may be full or read-only.",
        ) from fault
    return place / "item.json"


def _free(folder: Path, name: str, id_: str) -> tuple[Path, str]:
    """A name that nothing has there: the item's own, or with a number."""
    number = 1
    while (place := folder / (name if number == 1 else f"{name}-{number}")).exists():
        number += 1
    return place, id_ if number == 1 else f"{id_}-{number}"


def merged(written: Written, item: Json, target: Path) -> Path:
    """The result beside a STAC collection that lists it; the collection is made where there is none."""
    target = target if target.suffix == ".json" else target / "collection.json"
    collection = _collection_at(target, item)
    path = copied(written, {**item, "collection": collection["id"]}, target.parent)
    stored = json.loads(path.read_text(encoding="utf-8"))
    home = {"rel": "collection", "href": f"../{target.name}", "type": "application/json"}
    stored["links"] = [*(k for k in stored["links"] if k.get("rel") != "collection"), home]
    put_json(path, stored)
    link = {"rel": "item", "href": f"./{path.parent.name}/item.json", "type": "application/geo+json"}
    collection["links"] = [*collection.get("links", []), link]
    collection["extent"] = widened(collection.get("extent"), stored)
    put_json(target, collection)
    return path


def _collection_at(target: Path, item: Json) -> Json:
    try:
        known = json.loads(target.read_text(encoding="utf-8"))
    except FileNotFoundError:
        id_ = target.parent.name if target.name == "collection.json" else target.stem
        return {
            "type": "Collection",
            "stac_version": item["stac_version"],
            "id": id_,
            "description": f"Results that were merged into {id_}.",
            "license": "other",
            "links": [],
        }
    except (OSError, ValueError) as fault:
        raise _no_collection(target, str(fault)) from fault
    if not isinstance(known, dict) or known.get("type") != "Collection":
        raise _no_collection(target, f"it is a {known.get('type') if isinstance(known, dict) else 'list'}")
    return known


def widened(extent: Any, item: Json) -> Json:
    """The extent of a collection that has this item, too."""
    known = extent if isinstance(extent, Mapping) else {}
    boxes = (known.get("spatial") or {}).get("bbox") or []
    spans = (known.get("temporal") or {}).get("interval") or []
    box = item.get("bbox")
    if box:
        old = boxes[0] if boxes else box
        half = len(box) // 2
        lows = [min(a, b) for a, b in zip(old[:half], box[:half], strict=False)]
        boxes = [[*lows, *(max(a, b) for a, b in zip(old[half:], box[half:], strict=False))], *boxes[1:]]
    told = item["properties"]
    start, end = (told.get(k) or told.get("datetime") for k in ("start_datetime", "end_datetime"))
    first, last = spans[0] if spans else (start, end)
    span = [first and start and min(first, start), last and end and max(last, end)]
    return {
        **known,
        "spatial": {"bbox": boxes or [[-180, -90, 180, 90]]},
        "temporal": {"interval": [span, *spans[1:]]},
    }


# -------------------------------------------------------------------------------------------- names
def place_of(folder: Path, path: str) -> Path:
    """A path inside of a workspace."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if not parts or ".." in parts or "\\" in path or "\0" in path:
        raise _no_name("merge", path, "the names of folders and of a file, with / between them")
    place = folder.joinpath(*parts)
    if not place.resolve().is_relative_to(folder.resolve()):
        raise _no_name("merge", path, "a path that stays inside of the workspace")
    return place


def folder_name(id_: str) -> str:
    """An id as the name of one folder that is neither hidden nor another one's."""
    name = quote(id_, safe="~")
    return name.replace(".", "%2E", 1) if name.startswith(".") else name


def put_json(path: Path, doc: Mapping[str, Any]) -> None:
    """Write a JSON file whole or not at all."""
    text = json.dumps(doc, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.urandom(6).hex()}.part")
    try:
        with part.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as fault:
        part.unlink(missing_ok=True)
        raise Problem(
            "StorageFailure", f"{path.name} could not be written: {fault.strerror or fault}"
        ) from fault


def _no_name(parameter: str, given: str, allowed: str) -> Problem:
    return Problem(
        "ProcessParameterInvalid",
        f"{given!r} is no name that `{parameter}` can have",
        hint=f"Use {allowed}.",
        facts={"parameter": parameter},
    )


def _no_collection(target: Path, why: str) -> Problem:
    return Problem(
        "FileContentInvalid",
        f"{target.name} of the workspace is no STAC collection: {why}",
        hint="Merge into a collection, or leave `merge` out.",
        facts={"parameter": "merge"},
    )
