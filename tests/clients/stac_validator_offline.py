"""stac-api-validator with the schemas that pystac has with it, in place of those on the web: `... URL OPTIONS`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pystac.validation
from stac_api_validator.__main__ import main
from stac_validator import utilities

SCHEMAS = Path(pystac.validation.__file__).parent / "jsonschemas"
PLACES = {
    "https://schemas.stacspec.org/v1.1.0/": SCHEMAS / "stac-spec" / "v1.1.0",
    "https://geojson.org/schema/": SCHEMAS / "geojson",
}


def local(address: str) -> dict:
    """The schema of that address."""
    for start, folder in PLACES.items():
        if address.startswith(start):
            return json.loads((folder / address.rpartition("/")[2].removesuffix("#")).read_text())
    raise LookupError(f"there is no schema {address} here")


utilities._schema_cache = local
sys.argv = ["stac-api-validator", "--root-url", *sys.argv[1:]]
main()
