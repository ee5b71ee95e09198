"""Sentinel-2-like scenes of a seed: one tile in UTM at 20 m, two reflectances and a scene classification, as COGs.

Made once into a folder, and anew whenever this file or the size that is asked for has changed.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

CRS = "EPSG:32632"
CELL = 20
WEST, NORTH = 600_000, 5_200_020
BLOCK = 512
BANDS = ("B04", "B08", "SCL")
FIRST, STEP = datetime(2022, 1, 5, 10, 30, tzinfo=UTC), timedelta(days=15)
SHADOW, GREEN, BARE, WATER, THIN, CLOUD = 3, 4, 5, 6, 8, 9
"""Scene classes, with the numbers that Sentinel-2 products have."""
CLEAR = (4, 7)
"""First and last of the classes that show the ground."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Recipe:
    """What is to be made."""

    edge: int = 5490
    """Cells along an edge of the tile."""
    dates: int = 24
    """Scenes, fifteen days apart from 5 January on."""
    seed: int = 2022
    """What all random numbers come from."""

    @property
    def fingerprint(self) -> str:
        """Changes with the recipe and with how it is followed."""
        recipe = json.dumps(asdict(self)).encode()
        return sha256(Path(__file__).read_bytes() + recipe).hexdigest()


def default_folder() -> Path:
    """Where data lies unless told otherwise."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "geodatacube" / "benchmarks"


def ready(recipe: Recipe, folder: Path, say: Callable[[str], None]) -> Path:
    """The folder of the scenes, which are made if they are not there as the recipe wants them."""
    place = folder / f"scenes-{recipe.edge}-{recipe.dates}"
    if is_complete(place, recipe):
        return place
    say(f"making {recipe.dates} scenes of {recipe.edge} x {recipe.edge} in {place}")
    part = folder / f"unfinished-{place.name}"
    for old in (part, place):
        shutil.rmtree(old, ignore_errors=True)
    with ProcessPoolExecutor(os.cpu_count(), initializer=prepare, initargs=(recipe, part)) as pool:
        covers = list(pool.map(make_scene, range(recipe.dates)))
    write_catalog(recipe, covers, part)
    sizes = {str(f.relative_to(part)): f.stat().st_size for f in sorted(part.rglob("*.*")) if f.is_file()}
    (part / "manifest.json").write_text(json.dumps({"fingerprint": recipe.fingerprint, "files": sizes}))
    part.rename(place)
    return place


def is_complete(place: Path, recipe: Recipe) -> bool:
    """Is all there that the manifest tells of, and made by this recipe?"""
    try:
        manifest: Mapping[str, Any] = json.loads((place / "manifest.json").read_text())
        return manifest["fingerprint"] == recipe.fingerprint and all(
            (place / name).stat().st_size == size for name, size in manifest["files"].items()
        )
    except (FileNotFoundError, json.JSONDecodeError):
        return False


def moment(number: int) -> datetime:
    """When a scene was taken."""
    return FIRST + number * STEP


def scene_name(number: int) -> str:
    """The name of a scene's folder and item."""
    return f"S2_{moment(number):%Y%m%d}"


def transform(cell: float = CELL) -> tuple[float, ...]:
    """The grid of the files: six numbers of an affine transform."""
    return (float(cell), 0.0, float(WEST), 0.0, -float(cell), float(NORTH))


def bounds(left: int, top: int, width: int, height: int) -> tuple[float, float, float, float]:
    """West, south, east and north of a window of cells, in metres of `CRS`."""
    west, north = WEST + CELL * left, NORTH - CELL * top
    return (west, north - CELL * height, west + CELL * width, north)


# ------------------------------------------------------------------------------------- what is seen
def field(rng: np.random.Generator, edge: int, grain: float) -> Floats:
    """Smooth noise of mean 0 and a deviation of about 1 with details of `grain` cells."""
    from PIL import Image

    coarse = max(4, int(edge / grain) + 3)
    noise = Image.fromarray(1.5 * rng.standard_normal((coarse, coarse), dtype=np.float32))
    return np.array(noise.resize((edge, edge), Image.Resampling.BICUBIC))


def grains(rng: np.random.Generator, edge: int, height: int) -> NDArray[np.int16]:
    """What a sensor adds to each cell by itself."""
    return rng.integers(-height, height, (edge, edge), dtype=np.int16, endpoint=True)


def cover_of(number: int, rng: np.random.Generator) -> float:
    """The share of a scene that clouds hide: each fourth is nearly all cloud."""
    return 0.95 if number % 4 == 2 else float(rng.uniform(0.10, 0.30))


def season_of(number: int) -> np.float32:
    """How far what grows is grown: 0.3 in winter, 1 in summer."""
    return np.float32(0.65 + 0.35 * np.sin(2 * np.pi * (moment(number).timetuple().tm_yday / 365 - 0.25)))


def ground(recipe: Recipe) -> tuple[Floats, NDArray[np.bool_]]:
    """How much grows (0 to 1), and where water is."""
    rng, edge = np.random.default_rng(recipe.seed), recipe.edge
    hills, woods, parcels = (field(rng, edge, grain) for grain in (edge / 6, 90, 9))
    growth = 0.55 + 0.18 * hills + 0.14 * woods + 0.10 * parcels
    return growth.clip(0.02, 0.98), field(rng, edge, edge / 9) < -1.7


def look(
    recipe: Recipe, number: int, growth: Floats, water: NDArray[np.bool_]
) -> tuple[dict[str, NDArray[Any]], float]:
    """The bands of a scene, (y, x), and the share of its clouds."""
    rng, edge = np.random.default_rng((recipe.seed, number)), recipe.edge
    green = growth * (season_of(number))
    red = 1750 - 1500 * green + grains(rng, edge, 60)
    nir = 1000 + 3000 * green + grains(rng, edge, 100)
    red[water] *= 0.4
    nir[water] *= 0.1
    cover = cover_of(number, rng)
    sky = field(rng, edge, edge / 7) + 0.35 * field(rng, edge, edge / 40) + 0.06 * field(rng, edge, 6)
    depth = sky - np.quantile(sky[::8, ::8], 1 - cover)
    shade = (np.roll(depth, (40, -60), (0, 1)) > 0) & (depth <= 0)
    light = 5000 * depth.clip(0, 1.2)
    dimmed = np.where(shade, np.float32(0.5), np.float32(1))
    classes = np.where(green > 0.35, np.uint8(GREEN), np.uint8(BARE))
    classes[water] = WATER
    classes[shade] = SHADOW
    classes[depth > 0] = THIN
    classes[depth > 0.25] = CLOUD
    bands: dict[str, NDArray[Any]] = {
        "B04": ((red + light) * dimmed).clip(1, 16000).astype(np.uint16),
        "B08": ((nir + light) * dimmed).clip(1, 16000).astype(np.uint16),
        "SCL": classes,
    }
    if number % 3 == 1:  # the edge of the swath cuts a corner off
        rows, columns = np.ogrid[:edge, :edge]
        for band in bands.values():
            band[columns + 0.3 * rows < 0.2 * edge] = 0
    return bands, float((classes >= THIN).mean())


# --------------------------------------------------------------------------------- how it is written
def prepare(recipe: Recipe, folder: Path) -> None:
    """Make a process ready to draw: all scenes lie over the same ground."""
    STUDIO.update(recipe=recipe, folder=folder, ground=ground(recipe))


STUDIO: dict[str, Any] = {}
"""What a drawing process knows."""


def make_scene(number: int) -> float:
    """Draw and write one scene; gives the share of its clouds."""
    import rasterio
    from affine import Affine

    recipe: Recipe = STUDIO["recipe"]
    home = STUDIO["folder"] / "S2" / scene_name(number)
    home.mkdir(parents=True, exist_ok=True)
    bands, cover = look(recipe, number, *STUDIO["ground"])
    for name, cells in bands.items():
        options = {
            "driver": "COG", "count": 1, "height": recipe.edge, "width": recipe.edge, "dtype": cells.dtype,
            "crs": CRS, "transform": Affine(*transform()), "nodata": 0, "compress": "deflate",
            "predictor": "standard", "blocksize": BLOCK,
            "overview_resampling": "nearest" if name == "SCL" else "average",
        }  # fmt: skip
        with rasterio.open(home / f"{name}.tif", "w", **options) as file:
            file.write(cells, 1)
            file.set_band_description(1, name)
    return cover


def write_catalog(recipe: Recipe, covers: list[float], folder: Path) -> None:
    """Write a static STAC catalogue beside the scenes."""
    import pystac
    from rasterio.warp import transform_bounds

    box = list(transform_bounds(CRS, "EPSG:4326", *bounds(0, 0, recipe.edge, recipe.edge)))
    extent = pystac.Extent(
        pystac.SpatialExtent([box]), pystac.TemporalExtent([[moment(0), moment(recipe.dates - 1)]])
    )
    collection = pystac.Collection("S2", "Synthetic scenes for benchmarks.", extent, license="CC0-1.0")
    collection.add_items(make_item(recipe, i, cover, box) for i, cover in enumerate(covers))
    catalog = pystac.Catalog("benchmarks", "Synthetic scenes for benchmarks.")
    catalog.add_child(collection)
    catalog.normalize_hrefs(str(folder))
    catalog.save(catalog_type=pystac.CatalogType.SELF_CONTAINED)


def make_item(recipe: Recipe, number: int, cover: float, box: list[float]) -> Any:
    """The STAC item of a scene."""
    import pystac
    from shapely.geometry import box as rectangle
    from shapely.geometry import mapping

    place = {"proj:shape": [recipe.edge, recipe.edge], "proj:transform": list(transform())}
    item = pystac.Item(
        scene_name(number), mapping(rectangle(*box)), box, moment(number),
        {"proj:code": CRS, "proj:epsg": int(CRS[5:]), "eo:cloud_cover": round(100 * cover, 2), **place},
        stac_extensions=[
            "https://stac-extensions.github.io/projection/v2.0.0/schema.json",
            "https://stac-extensions.github.io/eo/v1.1.0/schema.json",
            "https://stac-extensions.github.io/raster/v1.1.0/schema.json",
        ],
    )  # fmt: skip
    for name, common in zip(BANDS, ("red", "nir", None), strict=True):
        values = {"data_type": "uint8" if name == "SCL" else "uint16", "nodata": 0}
        band = {"name": name, **({"eo:common_name": common} if common else {})}
        asset = pystac.Asset(f"./{name}.tif", name, None, pystac.MediaType.COG, ["data"])
        asset.extra_fields = {"bands": [band | values], "raster:bands": [values], **place}
        item.add_asset(name, asset)
    return item
