"""The catalogue of the demo scenes: a static STAC 1.1 catalogue of one collection, with relative hrefs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pystac
from rasterio.warp import transform, transform_bounds

from engine.demo.cogs import CRS, bounds, grid, unwritable
from engine.demo.render import NODATA, SCALE, Pixels
from engine.demo.sky import Weather, sun_at

COLLECTION = "S2"
PLATFORM, INSTRUMENT = "sentinel-2-demo", "msi-demo"
EXTENSIONS = [
    "https://stac-extensions.github.io/projection/v2.0.0/schema.json",
    "https://stac-extensions.github.io/eo/v1.1.0/schema.json",
    "https://stac-extensions.github.io/raster/v1.1.0/schema.json",
    "https://stac-extensions.github.io/view/v1.0.0/schema.json",
    "https://stac-extensions.github.io/classification/v2.0.0/schema.json",
]
"""With eo and raster in version 1.1, `eo:bands` and `raster:bands` may stand beside the `bands` of STAC 1.1."""


@dataclass(frozen=True, slots=True)
class Band:
    """What the catalogue says of one band."""

    name: str
    """Name of the band, its asset and its file."""
    title: str
    """Words for people."""
    cell: int
    """Cell size in metres."""
    data_type: str
    """Type of its numbers."""
    common_name: str | None = None
    """Common name of its part of the spectrum; None for classes."""
    wavelength: float | None = None
    """Middle of that part, in micrometres."""
    width: float | None = None
    """Full width of that part at half its height, in micrometres."""


ASSETS = (
    Band("B02", "Blue, 10 m", 10, "uint16", "blue", 0.490, 0.065),
    Band("B03", "Green, 10 m", 10, "uint16", "green", 0.560, 0.035),
    Band("B04", "Red, 10 m", 10, "uint16", "red", 0.665, 0.030),
    Band("B08", "Near infrared, 10 m", 10, "uint16", "nir", 0.842, 0.115),
    Band("SCL", "Scene classification, 20 m", 20, "uint8"),
)
CLASSES = (
    (0, "no_data", "No data", "000000"),
    (3, "cloud_shadow", "Shadow of a cloud", "643200"),
    (4, "vegetation", "Vegetation", "00A000"),
    (5, "bare", "Bare or built-up ground", "FFE65A"),
    (6, "water", "Water", "0000FF"),
    (7, "unclassified", "Unclassified, cloud not likely", "808080"),
    (8, "cloud_medium", "Cloud, likely", "C0C0C0"),
    (9, "cloud_high", "Cloud, very likely", "FFFFFF"),
    (10, "thin_cirrus", "Thin cirrus", "64C8FF"),
)
"""Classes that occur: value, name, description, colour."""
DESCRIPTION = """\
**Synthetic data.** These scenes were not observed by any satellite: a generator drew them from a random seed,
for demonstrations and tests of *geodatacube*. They look like surface reflectance from Sentinel-2 (level 2A, four
bands and the scene classification) over a made-up valley with a lake, a river, a town, woods, mountains and
farmland, from April to October 2022, with clouds, cloud shadows, haze and sensor noise.
"""


def make_item(weather: Weather, pixels: Pixels, size: int) -> pystac.Item:
    """The STAC item of one scene; its hrefs are relative to its own folder."""
    west, south, east, north = bounds(size)
    x, y = transform(CRS, "EPSG:4326", [west, east, east, west], [south, south, north, north])
    ring = [[round(a, 7), round(b, 7)] for a, b in zip([*x, x[0]], [*y, y[0]], strict=True)]
    sun = sun_at(weather.time)
    item = pystac.Item(
        id=f"{COLLECTION}_{weather.time:%Y%m%d}",
        geometry={"type": "Polygon", "coordinates": [ring]},
        bbox=_degrees(size),
        datetime=weather.time,
        properties={
            "platform": PLATFORM,
            "instruments": [INSTRUMENT],
            "gsd": 10,
            "proj:code": CRS,
            "proj:bbox": [float(edge) for edge in bounds(size)],
            "eo:cloud_cover": round(pixels.cloud_cover, 4),
            "view:sun_azimuth": round(sun.azimuth, 2),
            "view:sun_elevation": round(sun.elevation, 2),
        },
        stac_extensions=list(EXTENSIONS),
    )
    for band in ASSETS:
        asset = pystac.Asset(f"./{band.name}.tif", band.title, None, pystac.MediaType.COG, ["data"])
        asset.extra_fields = describe(band) | _place(band, size)
        item.add_asset(band.name, asset)
    picture = pystac.Asset("./thumbnail.png", "True colour", None, pystac.MediaType.PNG, ["thumbnail"])
    item.add_asset("thumbnail", picture)
    return item


def describe(band: Band) -> dict[str, Any]:
    """What is the same of a band in every scene: `bands` of STAC 1.1, and what older readers look for."""
    values: dict[str, Any] = {"data_type": band.data_type, "nodata": NODATA}
    fields: dict[str, Any] = {"gsd": band.cell}
    if band.common_name is None:
        classes = [
            {"value": value, "name": name, "title": title, "color_hint": colour}
            for value, name, title, colour in CLASSES
        ]
        fields["classification:classes"] = classes
        fields["bands"] = [{"name": band.name, **values}]
    else:
        spectrum = {
            "common_name": band.common_name,
            "center_wavelength": band.wavelength,
            "full_width_half_max": band.width,
        }
        prefixed = {f"eo:{key}": value for key, value in spectrum.items()}
        fields["bands"] = [{"name": band.name, **values, "raster:scale": SCALE, **prefixed}]
        fields["eo:bands"] = [{"name": band.name, **spectrum}]
        values = values | {"scale": SCALE}
    fields["raster:bands"] = [values | {"spatial_resolution": band.cell}]
    return fields


def write_catalog(folder: Path, items: Sequence[pystac.Item], size: int) -> Path:
    """Write catalogue, collection and items into `folder`; gives the catalogue's path."""
    catalog = pystac.Catalog(
        "geodatacube-demo", "Synthetic sample data of geodatacube.", title="Sample data", stac_extensions=[]
    )
    collection = _collection(items, size)
    catalog.add_child(collection)
    collection.add_items(items)
    catalog.normalize_hrefs(str(folder))
    path = folder / "catalog.json"
    try:
        catalog.save(catalog_type=pystac.CatalogType.SELF_CONTAINED)
    except OSError as error:
        raise unwritable(path, error) from error
    return path


def _collection(items: Sequence[pystac.Item], size: int) -> pystac.Collection:
    times = [item.datetime for item in items if item.datetime]
    covers = [item.properties["eo:cloud_cover"] for item in items]
    collection = pystac.Collection(
        COLLECTION,
        DESCRIPTION,
        pystac.Extent(
            pystac.SpatialExtent([_degrees(size)]), pystac.TemporalExtent([[min(times), max(times)]])
        ),
        title="Synthetic Sentinel-2-like scenes",
        license="CC0-1.0",
        keywords=["synthetic", "sample data", "Sentinel-2", "surface reflectance", "NDVI", "clouds"],
        providers=[
            pystac.Provider(
                "geodatacube",
                "Drew the scenes with its sample data generator.",
                [pystac.ProviderRole.PRODUCER, pystac.ProviderRole.HOST],
            )
        ],
        stac_extensions=list(EXTENSIONS),
    )
    collection.summaries = pystac.Summaries(
        {
            "platform": [PLATFORM],
            "instruments": [INSTRUMENT],
            "gsd": [10, 20],
            "proj:code": [CRS],
            "eo:cloud_cover": {"minimum": min(covers), "maximum": max(covers)},
            "bands": [field for band in ASSETS for field in describe(band)["bands"]],
        }
    )
    collection.item_assets = {
        band.name: pystac.ItemAssetDefinition(
            {"title": band.title, "type": str(pystac.MediaType.COG), "roles": ["data"], **describe(band)}
        )
        for band in ASSETS
    }
    return collection


def _place(band: Band, size: int) -> dict[str, Any]:
    """Where a band's cells lie."""
    edge = size * 10 // band.cell
    return {"proj:shape": [edge, edge], "proj:transform": [float(number) for number in grid(band.cell)[:6]]}


def _degrees(size: int) -> list[float]:
    """The scenes' box in WGS84: west, south, east, north."""
    return [round(edge, 7) for edge in transform_bounds(CRS, "EPSG:4326", *bounds(size))]
