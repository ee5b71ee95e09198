"""What comes in as files and goes out as described results: uploads, addresses, workspaces, collections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from processes.errors import ProcessParameterInvalid
from processes.registry import process
from processes.types import Cube, OptionalName, Schema, StacUrl, Stored
from processes.world import World

InputFormat = Annotated[str, Schema({"type": "string", "subtype": "input-format"})]
InputOptions = Annotated[Mapping[str, Any], Schema({"type": "object", "subtype": "input-format-options"})]
FilePaths = Annotated[
    Sequence[str],
    Schema(
        {
            "type": "array",
            "subtype": "file-paths",
            "items": {"type": "string", "subtype": "file-path", "pattern": "^[^\r\n\\:'\"]+$"},
        }
    ),
]
_ID = "^[A-Za-z0-9_\\-\\.~/]+$"
Collection = Annotated[
    str,
    Schema(
        [{"type": "string", "pattern": _ID}, {"type": "string", "subtype": "collection-id", "pattern": _ID}]
    ),
]
ExportedCollection = Annotated[str, Schema({"type": "string", "subtype": "collection-id", "pattern": _ID})]
Workspace = Annotated[
    str, Schema({"type": "string", "pattern": "^[\\w\\-\\.~]+$", "subtype": "workspace-id"})
]
Changes = Annotated[Mapping[str, Any], Schema({"type": "object"})]


@process("cubes", "import", experimental=True)
def load_url(url: StacUrl, format: InputFormat, options: InputOptions = {}, *, world: World) -> Cube:  # noqa: B006
    """Load one file from the web

    GeoTIFF is read in place, piece by piece; other formats are fetched first. The time of the data is the one that
    the file or its name tells; without one the cube has no time dimension.

    Args:
        url: Where the file is; `http` or `https`. An address `data:` has its bytes in it, in base64.
        format: Name of the file format, upper or lower case.
        options: Options of the file format.

    Returns:
        A cube; of GeoJSON a vector cube.

    Raises:
        FormatUnsuitable: The format is not known, or the file is not of it.
    """
    return world.load_url(url, format, options)


@process("cubes", "import", experimental=True)
def load_uploaded_files(
    paths: FilePaths,
    format: InputFormat,
    options: InputOptions = {},  # noqa: B006
    *,
    world: World,
) -> Cube:
    """Load files of the user's own folder as one cube

    Files of several dates make a time dimension; files of the same date lie side by side.

    Args:
        paths: The files. The user's folder is the root: `/a/b.tif` and `a/b.tif` are the same file.
        format: Name of the file format, upper or lower case.
        options: Options of the file format.

    Returns:
        A cube; of GeoJSON a vector cube.

    Raises:
        FormatUnsuitable: The format is not known, or a file is not of it.
        FileNotFound: A file is not there, is a folder, or lies outside of the user's folder.
    """
    if not paths:
        raise ProcessParameterInvalid("no file is named", hint="Name at least one.", parameter="paths")
    return world.load_files(paths, format, options)


@process("stac", pure=False, experimental=True)
def stac_modify(data: Stored, changes: Changes, *, world: World) -> Stored:
    """Change what STAC says of a result

    Objects are merged member by member, `null` removes a member, anything else replaces what was there (RFC 7386).

    Args:
        data: A result described as STAC.
        changes: The members that are to change.

    Returns:
        The result with its changed description.
    """
    result: Any = world.modify(data, changes)
    return result


@process("export", "stac", pure=False, experimental=True)
def export_workspace(
    data: Stored, workspace: Workspace, merge: OptionalName = None, *, world: World
) -> Stored:
    """Put a result into a workspace

    The files of the result go there together with their description, once the result is written.

    Args:
        data: A result described as STAC.
        workspace: Name of the workspace.
        merge: Path of a STAC collection in the workspace that takes the result in; it is made where there is none.
            `null` keeps the result by itself.

    Returns:
        The result, described as STAC.
    """
    result: Any = world.export_workspace(data, workspace, merge)
    return result


@process("export", "stac", pure=False, experimental=True)
def export_collection(data: Stored, collection: Collection, *, world: World) -> ExportedCollection:
    """Put a result into a collection of the catalogue

    From then on it can be loaded like any other scene of the collection, once the result is written.

    Args:
        data: A result described as STAC.
        collection: Id of the collection; it is made where there is none.

    Returns:
        The id of the collection.
    """
    return world.export_collection(data, collection)


def merge_patch(target: Any, patch: Any) -> Any:
    """A JSON value with a merge patch (RFC 7386) applied; neither of the two is changed."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged
