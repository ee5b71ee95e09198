"""The sample collection as others see it: rasterio opens the files, pystac and odc-stac read the catalogue."""

import hashlib
import json
from pathlib import Path

import numpy as np
import odc.stac
import pystac
import pytest
import rasterio
from PIL import Image
from pyproj import Transformer

from engine.demo import make_scenes
from engine.errors import Problem

SIZE = 320
BANDS = ("B02", "B03", "B04", "B08")


def read(item: pystac.Item, band: str) -> np.ndarray:
    with rasterio.open(item.assets[band].get_absolute_href()) as file:
        return file.read(1)


def digest(folder: Path) -> dict[str, str]:
    """A hash of the pixels of each file."""
    out = {}
    for path in sorted(folder.rglob("*.tif")):
        with rasterio.open(path) as file:
            out[str(path.relative_to(folder))] = hashlib.sha256(file.read().tobytes()).hexdigest()
    return out


def test_twelve_scenes_of_five_bands_and_nothing_left_over(catalog_path, items):
    assert catalog_path.name == "catalog.json"
    assert [item.id for item in items] == sorted(f"S2_{item.datetime:%Y%m%d}" for item in items)
    assert len(items) == 12
    assert len(list(catalog_path.parent.rglob("*.tif"))) == 60
    assert not list(catalog_path.parent.rglob("*.part"))


@pytest.mark.parametrize("band", [*BANDS, "SCL"])
def test_files_are_cogs_on_the_right_grid(items, band):
    cell, dtype = (20, "uint8") if band == "SCL" else (10, "uint16")
    for item in items:
        with rasterio.open(item.assets[band].get_absolute_href()) as file:
            assert file.crs == rasterio.CRS.from_epsg(32632)
            assert file.transform[:6] == (cell, 0, 675_000, 0, -cell, 5_156_000)
            assert file.shape == (SIZE * 10 // cell, SIZE * 10 // cell)
            assert file.dtypes == (dtype,)
            assert file.nodata == 0
            assert file.overviews(1) == [2, 4]
            assert file.block_shapes == [(256, 256)]
            structure = file.tags(ns="IMAGE_STRUCTURE")
            assert structure["LAYOUT"] == "COG"
            assert structure["COMPRESSION"] == "DEFLATE"
            assert structure["PREDICTOR"] == "2"
            assert file.descriptions == (band,)
            assert file.scales == ((1.0,) if band == "SCL" else (0.0001,))
            assert file.tags()["TIFFTAG_DATETIME"] == f"{item.datetime:%Y:%m:%d %H:%M:%S}"


def test_items_say_what_the_files_are(items):
    for item in items:
        for band in (*BANDS, "SCL"):
            fields = item.assets[band].extra_fields
            with rasterio.open(item.assets[band].get_absolute_href()) as file:
                assert fields["proj:shape"] == list(file.shape)
                assert fields["proj:transform"] == list(file.transform[:6])
                assert item.properties["proj:code"] == str(file.crs)
                assert item.properties["proj:bbox"] == list(file.bounds)
                (new,), (old,) = fields["bands"], fields["raster:bands"]
                assert new["name"] == band
                assert new["data_type"] == old["data_type"] == file.dtypes[0]
                assert new["nodata"] == old["nodata"] == file.nodata
                assert new.get("raster:scale", 1) == old.get("scale", 1) == file.scales[0]
                assert fields["gsd"] == old["spatial_resolution"] == file.res[0]


def test_bands_have_common_names_and_wavelengths(items):
    names = {}
    for band in BANDS:
        (new,), (old,) = (items[0].assets[band].extra_fields[key] for key in ("bands", "eo:bands"))
        names[band] = new["eo:common_name"]
        assert old["common_name"] == new["eo:common_name"]
        low, high = pystac.extensions.eo.Band.band_range(new["eo:common_name"])
        assert low <= new["eo:center_wavelength"] == old["center_wavelength"] <= high
    assert names == {"B02": "blue", "B03": "green", "B04": "red", "B08": "nir"}


def test_footprints_are_the_grids(items):
    to_degrees = Transformer.from_crs(32632, 4326, always_xy=True)
    for item in items:
        west, south, east, north = item.properties["proj:bbox"]
        ring = item.geometry["coordinates"][0]
        corners = [(west, south), (east, south), (east, north), (west, north), (west, south)]
        assert np.allclose(ring, [to_degrees.transform(x, y) for x, y in corners], atol=1e-6)
        assert np.allclose(item.bbox, to_degrees.transform_bounds(west, south, east, north), atol=1e-6)


def test_cloud_cover_is_the_share_of_cloud_classes(items):
    covers = []
    for item in items:
        classes = read(item, "SCL")
        clouds = np.isin(classes, (8, 9, 10)).sum() / (classes != 0).sum()
        assert item.properties["eo:cloud_cover"] == pytest.approx(100 * clouds, abs=1e-4)
        covers.append(item.properties["eo:cloud_cover"])
    assert sum(cover == 0 for cover in covers) >= 2
    assert 60 < max(covers) < 90
    assert len({round(cover) for cover in covers}) >= 8


def test_orbit_edges_are_no_data_in_all_bands_alike(items):
    cut = []
    for item in items:
        gone = np.kron(read(item, "SCL") == 0, np.ones((2, 2), bool))
        for band in BANDS:
            assert np.array_equal(read(item, band) == 0, gone), (item.id, band)
        if gone.any():
            cut.append(item.id)
            assert gone[0, 0]
            assert not gone[-1].any()
            assert not gone[:, SIZE // 2 :].any()
            assert 0.01 < gone.mean() < 0.08
    assert len(cut) == 2


def test_links_are_relative_and_lead_to_files(catalog_path, items):
    documents = [
        catalog_path,
        *catalog_path.parent.rglob("S2*.json"),
        catalog_path.parent / "S2/collection.json",
    ]
    assert len(documents) == 14
    for path in documents:
        document = json.loads(path.read_text())
        assert document["stac_version"] == "1.1.0"
        hrefs = [link["href"] for link in document["links"]]
        hrefs += [asset["href"] for asset in document.get("assets", {}).values()]
        assert hrefs
        for href in hrefs:
            assert not href.startswith(("/", "file:", "http"))
            assert (path.parent / href).is_file(), (path, href)
    for item in items:
        for asset in item.assets.values():
            assert Path(asset.get_absolute_href()).is_file()


def test_documents_keep_to_the_stac_schemas(catalog_path):
    pytest.importorskip("jsonschema", reason="pystac validates with jsonschema, which is not installed")
    from pystac.validation import validate_dict

    for path in catalog_path.parent.rglob("*.json"):
        document = json.loads(path.read_text())
        assert len(validate_dict(document | {"stac_extensions": []})) == 1


def test_the_collection_says_what_it_is(catalog_path, items):
    collection = pystac.Catalog.from_file(str(catalog_path)).get_child("S2")
    assert isinstance(collection, pystac.Collection)
    assert "synthetic" in collection.description.lower()
    assert collection.license == "CC0-1.0"
    assert collection.keywords
    assert collection.providers
    assert set(collection.item_assets) == {*BANDS, "SCL"}
    ((start, end),) = collection.extent.temporal.intervals
    assert (start, end) == (items[0].datetime, items[-1].datetime)
    assert collection.extent.spatial.bboxes == [items[0].bbox]
    covers = [item.properties["eo:cloud_cover"] for item in items]
    summary = collection.summaries.to_dict()["eo:cloud_cover"]
    assert (summary["minimum"], summary["maximum"]) == (min(covers), max(covers))


def test_thumbnails_are_small_pictures_and_not_data(items):
    for item in items:
        asset = item.assets["thumbnail"]
        assert asset.roles == ["thumbnail"]
        with Image.open(asset.get_absolute_href()) as picture:
            assert picture.format == "PNG"
            assert picture.mode == "RGBA"
            assert picture.size == (256, 256)
            alpha = np.asarray(picture)[..., 3]
        assert (alpha == 0).any() == (read(item, "SCL") == 0).any()


@pytest.mark.filterwarnings(
    "ignore:Use `@` matmul:PendingDeprecationWarning",
    "ignore:The 'shapely.ops.transform:DeprecationWarning",
)
def test_odc_stac_loads_it_by_common_name(items):
    cube = odc.stac.load(items[:2], bands=["red", "nir", "SCL"])
    assert dict(cube.sizes) == {"time": 2, "y": SIZE, "x": SIZE}
    assert cube.red.dtype == np.uint16
    assert cube.SCL.dtype == np.uint8
    assert cube.odc.geobox.transform[:6] == (10, 0, 675_000, 0, -10, 5_156_000)
    assert np.array_equal(cube.red.values[0], read(items[0], "B04"))


@pytest.mark.slow
def test_same_seed_same_pixels_other_seed_others(tmp_path):
    told = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        make_scenes(tmp_path / name, seed=seed, size=128, progress=lambda done, of: told.append((done, of)))
    first, again, other = (digest(tmp_path / name) for name in "abc")
    assert len(first) == 60
    assert first == again
    assert all(first[name] != other[name] for name in first)
    assert told == 3 * [(n, 12) for n in range(1, 13)]
    documents = [p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*.json")]
    assert len(documents) == 14
    assert all((tmp_path / "a" / p).read_bytes() == (tmp_path / "b" / p).read_bytes() for p in documents)


@pytest.mark.parametrize("size", [0, 62, 129, 4002])
def test_sizes_that_cannot_be_are_refused(tmp_path, size):
    with pytest.raises(Problem, match=f"{size} cells") as caught:
        make_scenes(tmp_path / "x", size=size)
    assert caught.value.facts["size"] == size
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("seed", [-1, 2**31])
def test_seeds_out_of_range_are_refused(tmp_path, seed):
    with pytest.raises(Problem, match=str(seed)):
        make_scenes(tmp_path, seed=seed, size=64)


def test_a_folder_that_is_a_file_is_a_problem(tmp_path):
    (tmp_path / "taken").write_text("here already")
    with pytest.raises(Problem, match="taken") as caught:
        make_scenes(tmp_path / "taken", size=64)
    assert caught.value.code == "StorageFailure"
    assert caught.value.hint


def test_a_catalogue_that_cannot_be_written_is_a_problem(tmp_path):
    (tmp_path / "catalog.json").mkdir()
    with pytest.raises(Problem, match=r"catalog\.json") as caught:
        make_scenes(tmp_path, size=64)
    assert caught.value.code == "StorageFailure"


@pytest.mark.slow
def test_the_full_collection_is_ten_kilometres_wide_and_not_large(tmp_path):
    path = make_scenes(tmp_path)
    assert sum(p.stat().st_size for p in tmp_path.rglob("*") if p.is_file()) < 80 * 2**20
    items = list(pystac.Catalog.from_file(str(path)).get_items(recursive=True))
    for item in items:
        assert item.properties["proj:bbox"] == [675_000, 5_146_000, 685_000, 5_156_000]
        assert read(item, "B08").shape == (1000, 1000)
        assert read(item, "SCL").shape == (500, 500)
