"""Cloud Optimized GeoTIFFs against rasterio, rioxarray and numpy."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
import rasterio
import rasterio.shutil
import rioxarray
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import Problem
from engine.write import geotiff, spool, write

REAL = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64"]


def expected(cube, moment=0):
    """The cells as a north-up file has them: (bands, rows, columns)."""
    order = [dim for dim in ("t", "bands", "y", "x") if dim in cube.dims]
    cells = cube.sortby("y", ascending=False).sortby("x").transpose(*order).values
    cells = cells if "t" in order else cells[np.newaxis]
    cells = cells if "bands" in order else cells[:, np.newaxis]
    return cells[moment]


@st.composite
def cases(draw):
    dims = draw(st.sampled_from([("y", "x"), ("t", "y", "x"), ("bands", "y", "x"), ("t", "bands", "y", "x")]))
    sizes = {"y": draw(st.integers(1, 33)), "x": draw(st.integers(1, 33)), "t": draw(st.integers(1, 2))}
    sizes["bands"] = draw(st.integers(1, 3))
    return {
        "dims": tuple(draw(st.permutations(dims))),
        "sizes": sizes,
        "dtype": draw(st.sampled_from([*REAL, "bool", "float16"])),
        "nodata": draw(st.sampled_from([None, 0, 99])),
        "chunks": {dim: draw(st.integers(1, sizes[dim])) for dim in dims} if draw(st.booleans()) else None,
        "flip_y": draw(st.booleans()),
        "flip_x": draw(st.booleans()),
    }


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=cases())
def test_round_trip(make_cube, stream, case):
    """Whatever type, order, chunks and direction: rasterio reads the same cells in the right places."""
    cube = make_cube(**case)
    with tempfile.TemporaryDirectory() as folder:
        written = write(cube, Path(folder) / "out.tif", stream=stream)
        assert len(written.assets) == (cube.sizes.get("t", 1))
        for moment, asset in enumerate(written.assets):
            with rasterio.open(asset.href) as file:
                np.testing.assert_array_equal(file.read(), expected(cube, moment))
                assert file.transform.almost_equals(rasterio.Affine(10, 0, 500_000, 0, -10, 5_200_000))
                assert file.crs.to_epsg() == 32632
                assert_nodata(file.nodata, case)


def assert_nodata(found, case):
    kind = np.dtype(case["dtype"]).kind
    if kind == "f":
        assert np.isnan(found)
    else:
        assert found == (255 if kind == "b" else case["nodata"])


def test_it_is_a_cog_with_overviews(make_cube, stream, tmp_path):
    cube = make_cube(dims=("y", "x"), sizes={"y": 700, "x": 1100}, chunks={"y": 512, "x": 512})
    options = {"blocksize": 256, "compress": "deflate", "level": 6}
    (asset,) = write(cube, tmp_path / "out.tif", stream=stream, options=options).assets
    with rasterio.open(asset.href) as file:
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert file.block_shapes == [(256, 256)]
        assert file.overviews(1) == [2, 4, 8]
        assert file.profile["compress"] == "deflate"
        small = file.read(1, out_shape=(350, 550))
    blocks = cube.values.reshape(350, 2, 550, 2)
    assert np.isnan(small).sum() == np.isnan(blocks).all(axis=(1, 3)).sum()
    with np.errstate(all="ignore"):
        mean = np.nansum(blocks, axis=(1, 3)) / (~np.isnan(blocks)).sum(axis=(1, 3))
    np.testing.assert_allclose(small, mean, rtol=1e-5)


@pytest.mark.parametrize(("option", "whole"), [(None, True), ("AVERAGE", False)])
def test_overviews_of_integers_keep_classes(make_cube, stream, tmp_path, option, whole):
    """By default an overview of classes 0 and 100 has no class 50."""
    values = np.where(np.indices((600, 600)).sum(axis=0) % 2, 100, 0).astype("uint8")
    cube = make_cube(dims=("y", "x"), values=values, sizes={"y": 600, "x": 600})
    options = {} if option is None else {"overview_resampling": option}
    (asset,) = write(cube, tmp_path / "out.tif", stream=stream, options=options).assets
    with rasterio.open(asset.href) as file:
        found = set(np.unique(file.read(1, out_shape=(300, 300))))
    assert (found <= {0, 100}) is whole


def test_no_overviews_when_unwanted(make_cube, stream, tmp_path):
    cube = make_cube(dims=("y", "x"), sizes={"y": 600, "x": 600})
    (asset,) = write(cube, tmp_path / "out.tif", stream=stream, options={"overviews": False}).assets
    with rasterio.open(asset.href) as file:
        assert file.overviews(1) == []


def test_names_statistics_and_time_stand_in_the_file(make_cube, stream, tmp_path):
    cube = make_cube(chunks={"t": 2, "y": 16, "x": 16})
    written = write(cube, tmp_path / "out.tif", stream=stream)
    cells = cube.values[1].astype("float64")
    with rasterio.open(written.assets[1].href) as file:
        assert file.descriptions == ("B04", "B08")
        assert file.tags()["TIME"] == "2022-06-11T10:15:30Z"
        assert file.tags()["TIFFTAG_DATETIME"] == "2022:06:11 10:15:30"
        tags = file.tags(2)
    bands = written.assets[1].fields["bands"]
    assert [band["name"] for band in bands] == ["B04", "B08"]
    for tag, key, truth in (
        ("MINIMUM", "minimum", np.nanmin(cells[1])),
        ("MAXIMUM", "maximum", np.nanmax(cells[1])),
        ("MEAN", "mean", np.nanmean(cells[1])),
        ("STDDEV", "stddev", np.nanstd(cells[1])),
    ):
        assert (
            float(tags[f"STATISTICS_{tag}"]) == bands[1]["statistics"][key] == pytest.approx(truth, rel=1e-12)
        )
    share = 100 * np.isfinite(cells[1]).mean()
    assert float(tags["STATISTICS_VALID_PERCENT"]) == pytest.approx(share, rel=1e-5)
    assert bands[1]["statistics"]["count"] == cells[1].size


def test_names_of_files(make_cube, stream, tmp_path):
    days = ["2022-06-01T10:00", "2022-06-01T12:30:05", "2022-06-02"]
    cube = make_cube(times=np.array(days, dtype="datetime64[ns]"))
    written = write(cube, tmp_path / "s2.mean.tif", stream=stream)
    names = [asset.href.name for asset in written.assets]
    assert names == [
        "s2.mean_2022-06-01T100000.tif",
        "s2.mean_2022-06-01T123005.tif",
        "s2.mean_2022-06-02.tif",
    ]
    assert written.item_path.name == "s2.mean.stac.json"
    labels = cube.assign_coords(t=("t", ["2022/49", "../x", "Ärz"], {"type": "temporal"}))
    names = [a.href.name for a in write(labels, tmp_path / "w", format="GTiff", stream=stream).assets]
    assert names == ["w_2022-49.tif", "w_x.tif", "w_rz.tif"]
    with rasterio.open(tmp_path / "w_2022-49.tif") as file:
        assert file.tags()["LABEL"] == "2022-49"


def test_three_valued_logical(make_cube, stream, tmp_path):
    values = np.array([[0, 1, 255], [1, 1, 0]], dtype="uint8")
    cube = make_cube(dims=("y", "x"), values=values, sizes={"y": 2, "x": 3}, nodata=255)
    cube.attrs["logical"] = True
    (asset,) = write(cube, tmp_path / "out.tif", stream=stream).assets
    with rasterio.open(asset.href) as file:
        assert (file.dtypes, file.nodata) == (("uint8",), 255)
        np.testing.assert_array_equal(file.read(1), values)
    assert asset.fields["bands"][0]["statistics"]["mean"] == pytest.approx(3 / 5)


def test_scale_and_offset_of_unscaled_integers(make_cube, stream, tmp_path):
    cube = make_cube(dtype="uint16", nodata=0).isel(t=[0])
    meta = [{"name": "B04", "scale": 0.0001, "offset": -0.1, "unit": "1"}, {"name": "B08"}]
    cube.coords["bands"].attrs["bands"] = meta
    (asset,) = write(cube, tmp_path / "out.tif", stream=stream).assets
    with rasterio.open(asset.href) as file:
        assert (file.scales, file.offsets) == ((0.0001, 1.0), (-0.1, 0.0))
        assert file.units[0] == "1"
    assert asset.fields["bands"][0]["raster:scale"] == 0.0001
    assert "raster:scale" not in asset.fields["bands"][1]


def test_a_chosen_band_keeps_its_name(make_cube, stream, tmp_path):
    cube = make_cube().isel(t=0, bands=1)
    (asset,) = write(cube, tmp_path / "out.tif", stream=stream).assets
    with rasterio.open(asset.href) as file:
        assert file.descriptions == ("B08",)
    assert asset.fields["bands"][0]["eo:common_name"] == "nir"


def test_rioxarray_reads_the_same_grid(make_cube, stream, tmp_path):
    cube = make_cube(flip_y=True).isel(t=[1])
    write(cube, tmp_path / "out.tif", stream=stream)
    with rioxarray.open_rasterio(tmp_path / "out.tif", masked=True) as read:
        np.testing.assert_allclose(read.x, cube.x, rtol=0, atol=1e-6)
        np.testing.assert_allclose(read.y, cube.y[::-1], rtol=0, atol=1e-6)
        np.testing.assert_array_equal(read.values, expected(cube))


def test_rotated_grids_keep_their_rotation(make_cube, stream, tmp_path):
    cube = make_cube(dims=("y", "x"), sizes={"y": 6, "x": 8})
    turned = rasterio.Affine(8, 5, 500_000, 5, -8, 5_200_000)
    cube.coords["spatial_ref"].attrs["GeoTransform"] = " ".join(map(str, turned.to_gdal()))
    cube = cube.assign_coords(
        x=("x", np.arange(8) + 0.5, cube.x.attrs), y=("y", np.arange(6) + 0.5, cube.y.attrs)
    )
    part = cube.isel(x=slice(2, 7), y=slice(1, 4))
    (asset,) = write(part, tmp_path / "out.tif", stream=stream).assets
    with rasterio.open(asset.href) as file:
        assert file.transform @ (0, 0) == turned @ (2, 1)
        assert file.transform @ (5, 3) == turned @ (7, 4)
        np.testing.assert_array_equal(file.read(1), part.values)


def test_a_single_cell_takes_its_size_from_what_is_known(make_cube, stream, tmp_path):
    cell = make_cube(dims=("y", "x")).isel(x=[3], y=[5])
    (asset,) = write(cell, tmp_path / "out.tif", stream=stream).assets
    assert asset.fields["proj:transform"] == [10, 0, 500_030, 0, -10, 5_199_950]
    for dim in ("x", "y"):
        del cell.coords[dim].attrs["resolution"]
    del cell.coords["spatial_ref"].attrs["GeoTransform"]
    with pytest.raises(Problem, match="size of a cell is unknown"):
        write(cell, tmp_path / "out2.tif", stream=stream)


def test_infinities_are_kept_and_not_counted(make_cube, stream, tmp_path):
    values = np.array([[1, np.inf], [-np.inf, 3]], dtype="float32")
    cube = make_cube(dims=("y", "x"), values=values, sizes={"y": 2, "x": 2})
    (asset,) = write(cube, tmp_path / "out.tif", stream=stream).assets
    with rasterio.open(asset.href) as file:
        np.testing.assert_array_equal(file.read(1), values)
    statistics = asset.fields["bands"][0]["statistics"]
    assert (statistics["maximum"], statistics["valid_percent"]) == (3, 50)


def test_all_no_data(make_cube, stream, tmp_path):
    """NaNs of any sign survive although sparse tiles are not stored."""
    values = np.full((600, 600), -np.nan, dtype="float32")
    values[:300].view("uint32")[:] ^= 0x80000001
    cube = make_cube(dims=("y", "x"), values=values, sizes={"y": 600, "x": 600}).chunk({"y": 512, "x": 512})
    (asset,) = write(cube, tmp_path / "out.tif", stream=stream).assets
    with rasterio.open(asset.href) as file:
        assert np.isnan(file.read(1)).all()
    assert asset.fields["bands"][0]["statistics"] == {"count": 360_000, "valid_percent": 0.0}
    assert asset.href.stat().st_size < 20_000


def test_more_dates_than_files_may_be_open(make_cube, stream, tmp_path, monkeypatch):
    monkeypatch.setattr(spool, "OPEN_FILES", 2)
    times = np.datetime64("2022-01-01", "ns") + np.arange(7) * np.timedelta64(1, "D")
    cube = make_cube(sizes={"t": 7}, times=times, chunks={"t": 4, "bands": 1, "y": 16, "x": 16})
    written = write(cube, tmp_path / "out.tif", stream=stream)
    for moment, asset in enumerate(written.assets):
        with rasterio.open(asset.href) as file:
            np.testing.assert_array_equal(file.read(), cube.values[moment])


@pytest.mark.parametrize(
    ("chunk", "flip_y", "tile"), [(512, False, 512), (256, False, 256), (200, False, None), (512, True, None)]
)
def test_only_whole_tiles_are_compressed_on_the_way(make_cube, tmp_path, chunk, flip_y, tile):
    """700 rows in chunks of 512: flipped, the first chunk begins at row 188."""
    cube = make_cube(
        dims=("y", "x"), sizes={"y": 700, "x": 700}, chunks={"y": chunk, "x": chunk}, flip_y=flip_y
    )
    profile = spool._profile(geotiff.raster_of(cube, tmp_path / "a.tif", "GTiff", ".tif"), "ZSTD")
    assert ("compress" in profile) is (tile is not None)
    assert profile["blockxsize"] == (tile or 512)


def spoil_cell(path):
    with rasterio.open(path, "r+", driver="GTiff", IGNORE_COG_LAYOUT_BREAK="YES") as file:
        cells = file.read(1)
        cells[17, 4] = 12345
        file.write(cells, 1)


def spoil_nodata(path):
    with rasterio.open(path, "r+", driver="GTiff", IGNORE_COG_LAYOUT_BREAK="YES") as file:
        file.nodata = 3


def spoil_rows(path):
    with rasterio.open(path) as file:
        profile, cells = file.profile, file.read()[:, :-1]
    profile.update(height=cells.shape[1], driver="COG")
    path.unlink()
    with rasterio.open(path, "w", **{k: v for k, v in profile.items() if "block" not in k}) as file:
        file.write(cells)


def spoil_end(path):
    path.write_bytes(path.read_bytes()[:-100])


@pytest.mark.parametrize("compress", ["ZSTD", "DEFLATE", "LZW", "NONE"])
@pytest.mark.parametrize("spoil", [spoil_cell, spoil_nodata, spoil_rows, spoil_end])
def test_a_file_that_differs_from_the_stream_is_not_published(
    make_cube, stream, tmp_path, left_in, monkeypatch, spoil, compress
):
    """What the disk or a library spoils after writing is found by reading back."""
    real = geotiff.lay_out

    def spoiled(place, head, levels):
        real(place, head, levels)
        spoil(place)

    monkeypatch.setattr(geotiff, "lay_out", spoiled)
    with pytest.raises(Problem, match=r"out\.tif could not be written") as caught:
        write(make_cube().isel(t=[0]), tmp_path / "out.tif", stream=stream, options={"compress": compress})
    assert caught.value.code == "StorageFailure"
    assert left_in(tmp_path) == []


def test_a_cube_without_crs_is_written_without(make_cube, stream, tmp_path):
    cube = make_cube(dims=("y", "x")).drop_vars("spatial_ref")
    for dim in ("x", "y"):
        del cube.coords[dim].attrs["reference_system"]
    written = write(cube, tmp_path / "out.tif", stream=stream)
    with rasterio.open(tmp_path / "out.tif") as file:
        assert file.crs is None
    assert written.item["geometry"] is None
    assert "bbox" not in written.item


def test_cubes_that_do_not_fit_are_refused_with_a_way_out(make_cube, make_vector, stream, tmp_path):
    cube = make_cube()
    level = cube.expand_dims(level=2)
    uneven = cube.assign_coords(x=("x", np.arange(50.0) ** 2, cube.x.attrs))
    for value, word in (
        (level, "also level"),
        (make_vector(), "also geometry|spatial dimension"),
        (cube.isel(x=0, drop=True), "no spatial dimension x"),
        (uneven, "even spacing"),
        (cube.astype("complex64"), "holds complex64"),
        (7, "raster cubes"),
        (xr.DataArray(7), "raster cubes"),
        (cube.fillna(0).astype("int64").assign_attrs(nodata=-(2**63)), "2\\^53"),
    ):
        with pytest.raises(Problem, match=word) as caught:
            write(value, tmp_path / "out.tif", stream=stream)
        assert caught.value.code == "FormatUnsuitable"
        assert "would do" in caught.value.hint
    with pytest.raises(Problem) as caught:
        write(cube.isel(t=[]), tmp_path / "out.tif", stream=stream)
    assert caught.value.code == "DataCubeEmpty"
    assert list(tmp_path.iterdir()) == []


def test_sentinel_2_scene(stream, shared_data, make_cube, tmp_path):
    """A real scene: the file holds what the source holds, in the same place."""
    source = shared_data / "openeo_localprocessing" / "sample_geotiff" / "S2_L2A_sample.tif"
    with rasterio.open(source) as file:
        cells, transform, crs = file.read(), file.transform, file.crs
    step = transform.a
    cube = make_cube(
        dims=("bands", "y", "x"), values=cells[:4], sizes=dict(zip(("bands", "y", "x"), cells[:4].shape, strict=True)),
        crs=crs.to_wkt(), resolution=step, origin=(transform.c, transform.f), nodata=0,
        chunks={"bands": 2, "y": 512, "x": 512},
    )  # fmt: skip
    (asset,) = write(cube, tmp_path / "out.tif", stream=stream).assets
    with rasterio.open(asset.href) as file:
        np.testing.assert_array_equal(file.read(), cells[:4])
        assert (file.transform, file.crs, file.nodata) == (transform, crs, 0)
        assert file.checksum(1) == checksum(source)


def checksum(source):
    with rasterio.open(source) as file:
        return file.checksum(1)


def test_dates_as_bands_of_one_file(make_cube, stream, tmp_path):
    """Blocks of several dates, in no order; statistics are those of a date."""
    cube = make_cube(chunks={"t": 2, "bands": 1, "y": 16, "x": 16})
    (asset,) = write(cube, tmp_path / "out.tif", stream=stream, options={"dates": "bands"}).assets
    times = ["2022-06-01T00:00:00Z", "2022-06-11T10:15:30Z", "2022-06-21T00:00:00Z"]
    with rasterio.open(asset.href) as file:
        assert list(file.descriptions) == [f"{band} {time}" for time in times for band in ("B04", "B08")]
        for number in range(6):
            cells = expected(cube, number // 2)[number % 2]
            np.testing.assert_array_equal(file.read(number + 1), cells)
            tags = file.tags(number + 1)
            assert (tags["TIME"], tags["BAND"]) == (times[number // 2], ("B04", "B08")[number % 2])
            assert float(tags["STATISTICS_MAXIMUM"]) == np.nanmax(cells)
    assert len({band["name"] for band in asset.fields["bands"]}) == 6


def test_one_date_needs_no_bands_of_its_own(make_cube, stream, tmp_path):
    cube = make_cube(sizes={"t": 1}, times=np.array(["2022-06-01"], dtype="datetime64[ns]"))
    (asset,) = write(cube, tmp_path / "out.tif", stream=stream, options={"dates": "bands"}).assets
    with rasterio.open(asset.href) as file:
        assert (file.descriptions, file.tags()["TIME"]) == (("B04", "B08"), "2022-06-01T00:00:00Z")
