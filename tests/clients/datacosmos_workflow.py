"""The client of DataCosmos through its own ways; run by its own Python, with the server's address and a folder."""

import json
import sys
from pathlib import Path

from datacosmos.config.config import Config
from datacosmos.config.models.m2m_authentication_config import M2MAuthenticationConfig
from datacosmos.datacosmos_client import DatacosmosClient
from datacosmos.exceptions.datacosmos_error import DatacosmosError
from datacosmos.stac.collection.models.collection_update import CollectionUpdate
from datacosmos.stac.item.models.catalog_search_parameters import CatalogSearchParameters
from datacosmos.stac.item.models.datacosmos_item import DatacosmosItem
from datacosmos.stac.item.models.item_update import ItemUpdate
from datacosmos.stac.project.models.collection_item_pair import CollectionItemPair
from datacosmos.stac.project.models.project_search_parameters import ProjectSearchParameters
from datacosmos.stac.stac_client import STACClient
from datacosmos.stac.storage.storage_client import StorageClient
from pystac import Collection, Extent, SpatialExtent, TemporalExtent

url, folder, project = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
ID = "SCENE_20240211"
config = Config(
    authentication=M2MAuthenticationConfig(
        type="m2m", client_id="ada", client_secret="ada", token_url=f"{url}/oauth/token", audience="any"
    ),
    stac=f"{url}/api/data/v0/stac",
    datacosmos_cloud_storage=f"{url}/api/data/v0/storage",
    project=f"{url}/api/data/v0/scenario",
)
client = DatacosmosClient(config=config)
stac, storage = STACClient(client), StorageClient(client)
told: dict = {}

extent = Extent(SpatialExtent([[-180, -90, 180, 90]]), TemporalExtent([[None, None]]))
for name in ("client", *(f"more-{n:02}" for n in range(11))):
    stac.create_collection(
        Collection(id=name, description="Made by the client", extent=extent, license="other")
    )
stac.update_collection("client", CollectionUpdate(title="Of the client"))
told["title"] = stac.fetch_collection("client").title
told["collections"] = sorted(c.id for c in stac.fetch_all_collections())
for n in range(11):
    stac.delete_collection(f"more-{n:02}")

(folder / "data.tif").write_bytes(b"image")
(folder / "thumb.webp").write_bytes(b"thumb")
item = DatacosmosItem.model_validate(
    {
        "id": ID, "type": "Feature", "stac_version": "1.0.0", "stac_extensions": [], "collection": "client", "links": [],
        "geometry": {"type": "Polygon", "coordinates": [[[10, 50], [11, 50], [11, 51], [10, 51], [10, 50]]]},
        "bbox": [10, 50, 11, 51],
        "properties": {
            "datetime": "2024-02-11T12:09:32Z", "processing:level": "L1A",
            "sat:platform_international_designator": "2024-001A",
        },
        "assets": {
            "data": {"href": "data.tif", "title": "Data", "description": "Data", "type": "image/tiff", "roles": ["data"]},
            "thumb": {"href": "thumb.webp", "title": "Thumb", "description": "Thumb", "type": "image/webp", "roles": ["thumbnail"]},
        },
    }
)  # fmt: skip
uploaded = storage.upload_item(item, collection_id="client", assets_path=str(folder))
told["uploaded"] = sorted(uploaded.successful_assets)
fetched = stac.fetch_item(ID, "client")
told["href"] = fetched.assets["data"].href
told["area"] = fetched.properties["opencosmos:data_area_km2"]
stac.update_item(ID, "client", ItemUpdate(properties={**fetched.properties, "platform": "one"}))
told["platform"] = stac.fetch_item(ID, "client").properties["platform"]

here = folder / "down"
_, downloaded, failed = storage.download_assets(ID, "client", target_path=str(here))
told["downloaded"] = sorted(path.read_bytes().decode() for path in here.iterdir() if path.suffix != ".json")
told["failed"] = failed

wish = CatalogSearchParameters(
    start_date="02/01/2024", end_date="02/29/2024", processing_level=["l1A"], collections=["client"]
)
told["found"] = [found.id for found in stac.search_items(wish, project_id=project)]
none = CatalogSearchParameters(start_date="03/01/2024", end_date="03/02/2024")
told["not found"] = [found.id for found in stac.search_items(none, project_id=project)]
try:
    stac.create_item(DatacosmosItem.model_validate({**fetched.to_dict(), "id": "WRONG"}))
    told["refused"] = ""
except DatacosmosError as error:
    told["refused"] = str(error)

stac.register_item_to_project(fetched, project)
pairs = [CollectionItemPair(collection="client", item=name) for name in (ID, "none")]
told["contains"] = [pair.exists for pair in stac.check_project_items_exist(project, pairs)]
own = DatacosmosItem.model_validate({**fetched.to_dict(), "id": "OWN", "assets": {}})
stac.create_project_item(project, own)
stac.add_project_item(project, own)
told["project"] = sorted(found.id for found in stac.list_project_items(project))
told["own"] = stac.get_project_item(project, "OWN").id
told["searched"] = [
    found.id for found in stac.search_project_items(project, ProjectSearchParameters(ids=["OWN"], limit=1))
]
stac.delete_project_item(project, "OWN")
stac.delete_item(ID, "client")
stac.delete_collection("client")
told["left"] = [c.id for c in stac.fetch_all_collections()]
print(json.dumps(told))
