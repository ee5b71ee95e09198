"""Media types, by what names speak of."""

from __future__ import annotations

import mimetypes
from pathlib import PurePosixPath

BYTES = "application/octet-stream"
"""The media type of what is only known to be bytes."""
MEDIA_TYPES = {
    ".tif": "image/tiff; application=geotiff",
    ".geojson": "application/geo+json",
    ".nc": "application/netcdf",
}
"""Where the registry of the machine says less, or nothing."""


def media_type_of(name: str) -> str:
    """The media type that the suffix of a file's name speaks of."""
    suffix = PurePosixPath(name).suffix.lower()
    return MEDIA_TYPES.get(suffix) or mimetypes.guess_type(name)[0] or BYTES
