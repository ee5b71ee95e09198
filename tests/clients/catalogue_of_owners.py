"""What a user of RS-Server's own client does with a catalogue; run by an environment that has the client.

Arguments: address of the server, token, owner, file to be named by an item. It prints what it found, as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime

url, token, owner, href = sys.argv[1:5]
os.environ |= {"RSPY_LOCAL_MODE": "1", "RSPY_HOST_CATALOG": url}

from pystac import Asset, Collection, Extent, Item, SpatialExtent, TemporalExtent  # noqa: E402
from rs_client.rs_client import RsClient  # noqa: E402

client = RsClient(None, token or None, owner).get_catalog_client()
told = {"landing": client.get_landing()["id"], "owner": client.owner_id}

extent = Extent(
    SpatialExtent([[-180, -90, 180, 90]]), TemporalExtent([[datetime(2024, 1, 1, tzinfo=UTC), None]])
)
told["add_collection"] = client.add_collection(Collection("s1_l2", "From the client", extent)).status_code
told["get_collection"] = client.get_collection("s1_l2").id
told["get_collections"] = [c.id for c in client.get_collections()]

point = {"type": "Point", "coordinates": [10, 50]}
for number in range(3):
    item = Item(f"i{number}", point, [10, 50, 10, 50], datetime(2024, 1, 1 + number, tzinfo=UTC), {})
    if href and not number:
        item.add_asset("file", Asset(href, roles=["data"]))
    told["add_item"] = client.add_item("s1_l2", item).status_code
told["get_items"] = sorted(i.id for i in client.get_items("s1_l2"))
told["get_items_by_id"] = [i.id for i in client.get_items("s1_l2", ["i1"])]
found = client.get_item("s1_l2", "i0")
told["get_item"] = {key: asset.href for key, asset in found.assets.items()}
told["owner_of_item"] = found.properties["owner"]
told["search"] = sorted(i.id for i in client.search(collections=["s1_l2"]))
told["search_by_time"] = [
    i.id for i in client.search(collections=["s1_l2"], timestamp="2024-01-02T00:00:00Z")
]
told["queryables"] = "datetime" in client.get_queryables()["properties"]
told["queryables_of_collection"] = (
    "datetime" in client.get_collection_queryables(f"{owner}:s1_l2")["properties"]
)

found.properties["changed"] = True
told["update_item"] = client.update_item(found).status_code
told["updated"] = client.get_item("s1_l2", "i0").properties["changed"]
collection = client.get_collection("s1_l2").to_dict()
told["update_collection"] = client.update_collection({**collection, "description": "Changed"}).status_code
told["description"] = client.get_collection("s1_l2").description
told["remove_item"] = client.remove_item("s1_l2", "i0").json()
told["remove_collection"] = client.remove_collection("s1_l2").json()
sys.stdout.write(json.dumps(told))
