"""What OWSLib makes of collections as features; prints JSON. Takes the address of a server, and the id of a collection."""

from __future__ import annotations

import json
import sys

from owslib.ogcapi.features import Features

url, collection = sys.argv[1:]
client = Features(url)
first = client.collection_items(collection, limit=5)
print(
    json.dumps(
        {
            "conforms": client.conformance()["conformsTo"],
            "feature_collections": client.feature_collections(),
            "api": client.api()["openapi"],
            "title": client.collection(collection)["title"],
            "queryables": list(client.collection_queryables(collection)["properties"]),
            "first": [feature["id"] for feature in first["features"]],
            "matched": first["numberMatched"],
            "filtered": client.collection_items(collection, filter="eo:cloud_cover < 10", limit=100),
            "one": client.collection_item(collection, first["features"][0]["id"]),
        }
    )
)
