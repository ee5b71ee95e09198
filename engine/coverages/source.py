"""What coverages are made of: a collection of the catalogue, or a stored process over one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.catalog import Catalog
from engine.errors import Problem
from engine.records import User, UserProcess
from engine.store import Store
from processes import REGISTRY

Json = dict[str, Any]
CATEGORY = "coverage"
"""The category by which an owner offers a stored process as a collection."""
TILDE = "~"
PREFIX = "u~"
"""What identifiers of stored processes as collections begin with: they have no colon, by the rules of openEO."""
LOAD = "load_collection"
OUTSIDE = ("load_", "save_", "export_", "run_ogcapi", "run_udf_externally")
"""What names of processes begin with that read something else, write, or ask others."""


@dataclass(frozen=True, slots=True)
class Source:
    """What a coverage is made of."""

    id: str
    """Identifier of the collection as clients know it."""
    collection: str
    """The collection of the catalogue whose items are read."""
    node: Mapping[str, Any]
    """The node that graphs begin with."""
    state: str = ""
    """Another one for each version of a stored process."""

    @property
    def is_derived(self) -> bool:
        """Is it a stored process over a collection?"""
        return bool(self.state)


def source_of(store: Store, catalog: Catalog, user: User | None, id_: str) -> Source:
    """What is behind an identifier.

    Raises:
        Problem: There is nothing, for this user, or it is no coverage.
    """
    process = process_of(store, catalog, user, id_)
    if process is None:
        catalog.tag(id_)  # which may not be read any more
        return cataloged(id_)
    own = user is not None and user.id == process.owner
    collection = collection_of(process)
    if not readable(catalog, collection):
        raise Problem("CollectionNotFound", f"there is no collection {id_!r}")
    node = {"process_id": process.id, "namespace": "user" if own else process.namespace, "arguments": {}}
    text = json.dumps(dict(process.document), sort_keys=True)
    return Source(id_, collection, node, hashlib.sha256(text.encode()).hexdigest())


def cataloged(id_: str) -> Source:
    """A collection of the catalogue."""
    arguments = {"id": id_, "spatial_extent": None, "temporal_extent": None}
    return Source(id_, id_, {"process_id": LOAD, "arguments": arguments})


def process_of(store: Store, catalog: Catalog, user: User | None, id_: str) -> UserProcess | None:
    """The stored process that is offered by an identifier, where the user may see it; the catalogue goes before it."""
    owner, tilde, name = id_.removeprefix(PREFIX).rpartition(TILDE)
    if not id_.startswith(PREFIX) or not tilde or catalog.has(id_):
        return None
    found = store.processes.get(owner, name)
    return found if found is not None and is_offered(found, user) else None


def is_offered(process: UserProcess, user: User | None) -> bool:
    """Does its owner offer it as a collection, to this user?"""
    may_see = process.is_public or (user is not None and user.id == process.owner)
    categories = process.document.get("categories")
    return may_see and isinstance(categories, list) and CATEGORY in categories


def id_of(process: UserProcess) -> str:
    """The identifier of the collection that a stored process makes."""
    return f"{PREFIX}{process.owner}{TILDE}{process.id}"


def collection_of(process: UserProcess) -> str:
    """The collection that a stored process is over.

    Raises:
        Problem: It is none that can be a coverage: why.
    """
    nodes = list(nodes_of(process.document.get("process_graph")))
    names = [str(node.get("process_id")) for node in nodes]
    loads = [node for node in nodes if node.get("process_id") == LOAD]
    parameters = process.document.get("parameters") or ()
    needed = [p.get("name") for p in parameters if not p.get("optional", "default" in p)]
    reason = None
    if len(loads) != 1:
        reason = f"it has {len(loads)} nodes {LOAD}, and takes one"
    elif strange := [n for n in names if n != LOAD and (n not in REGISTRY or n.startswith(OUTSIDE))]:
        reason = f"it calls {strange[0]!r}; it may call predefined processes alone, and neither load nor write anything else"
    elif needed:
        reason = f"its parameter {needed[0]!r} has no default"
    collection = loads[0].get("arguments", {}).get("id") if reason is None else None
    if reason is None and not isinstance(collection, str):
        reason = "the id of its collection is no text"
    if reason is not None:
        raise Problem(
            "NotFound",
            f"the stored process {id_of(process)!r} is no coverage: {reason}",
            hint=f"Change it, or take the category {CATEGORY!r} from it.",
        )
    return str(collection)


def nodes_of(value: Any) -> Iterator[Mapping[str, Any]]:
    """All nodes of a graph, those of child graphs among them."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Mapping):
            if "process_id" in part:
                yield part
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part


def described(process: UserProcess, catalog: Catalog) -> Json | None:
    """A stored process as a STAC collection; none where it is none, or where the user may not read what it is over."""
    try:
        source = catalog.collection(collection_of(process))
    except Problem:
        return None
    texts = process.document
    return {
        "type": "Collection", "stac_version": "1.1.0", "id": id_of(process),
        "title": texts.get("summary") or process.id, "description": texts.get("description") or texts.get("summary") or process.id,
        "license": source.get("license", "other"), "extent": source.get("extent", {}), "providers": source.get("providers", []),
        "links": [], "gdc:made_of": source["id"],
    }  # fmt: skip


def readable(catalog: Catalog, id_: str) -> bool:
    """May this user read a collection?"""
    try:
        catalog.tag(id_)
    except Problem:
        return False
    return True
