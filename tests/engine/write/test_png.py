"""PNG images against Pillow and numpy."""

from __future__ import annotations

import io
import tempfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from engine.errors import Problem
from engine.write import colormaps, encode_png, png, png_file, spool, stretch, write
from engine.write.png_file import PngWriter, check_png


def pixels(path):
    with Image.open(path) as image:
        image.load()
        return image.mode, np.asarray(image if image.mode != "P" else image.convert("RGBA"))


def scaled(cells, low, high):
    share = (cells.astype("float64") - low) / (high - low)
    return np.rint(np.nan_to_num(np.clip(share, 0, 1)) * 255).astype("uint8")


def test_uint8_passes_unscaled(make_cube, stream, tmp_path):
    cube = make_cube(dims=("y", "x"), dtype="uint8", chunks={"y": 16, "x": 16}, flip_y=True)
    write(cube, tmp_path / "out.png", stream=stream)
    mode, image = pixels(tmp_path / "out.png")
    assert mode == "L"
    np.testing.assert_array_equal(image, cube.values[::-1])


def test_no_data_is_transparent(make_cube, stream, tmp_path):
    cube = make_cube(dims=("y", "x"), dtype="uint8", nodata=0)
    write(cube, tmp_path / "out.png", stream=stream)
    mode, image = pixels(tmp_path / "out.png")
    assert mode == "LA"
    np.testing.assert_array_equal(image[..., 0], cube.values)
    np.testing.assert_array_equal(image[..., 1], np.where(cube.values == 0, 0, 255))


def test_the_default_range_is_that_of_the_percentiles(make_cube, stream, tmp_path):
    cube = make_cube(sizes={"bands": 1}, chunks={"t": 1, "y": 7, "x": 9})
    low, high = np.nanpercentile(cube.values, [2, 98])
    written = write(cube, tmp_path / "out.png", stream=stream)
    for moment, asset in enumerate(written.assets):
        mode, image = pixels(asset.href)
        cells = cube.values[moment, 0]
        assert mode == "LA"
        np.testing.assert_array_equal(image[..., 0], scaled(cells, low, high))
        np.testing.assert_array_equal(image[..., 1] == 0, np.isnan(cells))
    assert written.assets[0].href.name == "out_2022-06-01.png"


@pytest.mark.parametrize("chunk", [64, 7, 40])
def test_the_sample_does_not_depend_on_chunks(make_cube, stream, tmp_path, monkeypatch, chunk):
    """A tenth of the cells, the same ones however the blocks run."""
    monkeypatch.setattr(stretch, "SAMPLE", 200)
    cube = make_cube(dims=("y", "x"), chunks={"y": chunk, "x": chunk})
    low, high = np.nanpercentile(cube.values[::4, ::4], [2, 98])
    write(cube, tmp_path / "out.png", stream=stream)
    np.testing.assert_array_equal(pixels(tmp_path / "out.png")[1][..., 0], scaled(cube.values, low, high))


def test_rgb_and_rgba(make_cube, stream, tmp_path):
    cube = make_cube(dims=("y", "bands", "x"), sizes={"bands": 4}, chunks={"bands": 2, "y": 16})
    cube = cube.fillna(50)
    options = {"min": 40, "max": 160}
    write(cube.isel(bands=slice(0, 3)), tmp_path / "rgb.png", stream=stream, options=options)
    mode, image = pixels(tmp_path / "rgb.png")
    assert mode == "RGB"
    truth = np.moveaxis(cube.transpose("bands", "y", "x").values, 0, -1)
    np.testing.assert_array_equal(image, scaled(truth[..., :3], 40, 160))
    opacity = np.linspace(0, 1, 2000, dtype="float32").reshape(40, 50)
    with_alpha = cube.copy(data=np.moveaxis(np.dstack([truth[..., :3], opacity]), 1, -1))
    write(with_alpha, tmp_path / "rgba.png", stream=stream, options=options)
    mode, image = pixels(tmp_path / "rgba.png")
    assert mode == "RGBA"
    np.testing.assert_array_equal(image[..., 3], scaled(opacity, 0, 1))
    np.testing.assert_array_equal(image[..., 0], scaled(truth[..., 0], 40, 160))


@pytest.mark.parametrize("name", colormaps.NAMES)
def test_colour_ramps(make_cube, stream, tmp_path, name):
    values = np.linspace(-1, 1, 2000).reshape(40, 50)
    values[0, 0] = np.nan
    cube = make_cube(dims=("y", "x"), values=values)
    write(cube, tmp_path / "out.png", stream=stream, options={"colormap": name, "min": -1, "max": 1})
    mode, image = pixels(tmp_path / "out.png")
    assert mode == "P"
    anchors = [tuple(bytes.fromhex(colour)) for colour in colormaps.ANCHORS[name]]
    assert tuple(image[-1, -1]) == (*anchors[-1], 255)
    assert tuple(image[0, 1]) == (*anchors[0], 255)
    assert image[0, 0, 3] == 0
    assert len(np.unique(image.reshape(-1, 4), axis=0)) > 200


def test_logical_is_black_and_white(make_cube, stream, tmp_path):
    cube = make_cube(dims=("y", "x"), dtype="bool")
    write(cube, tmp_path / "out.png", stream=stream)
    np.testing.assert_array_equal(pixels(tmp_path / "out.png")[1], np.where(cube.values, 255, 0))


@pytest.mark.parametrize(("value", "level"), [(np.nan, 0), (7.0, 128)])
def test_images_of_one_value(make_cube, stream, tmp_path, value, level):
    cube = make_cube(dims=("y", "x"), values=np.full((40, 50), value))
    write(cube, tmp_path / "out.png", stream=stream)
    mode, image = pixels(tmp_path / "out.png")
    assert np.unique(image[..., 0] if mode == "LA" else image).tolist() == [level]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    channels=st.integers(1, 4), width=st.integers(1, 20), strips=st.lists(st.integers(1, 9), min_size=1), seed=st.integers(0, 9)
)  # fmt: skip
def test_the_encoder_in_any_strips(channels, width, strips, seed):
    """Pillow reads what was encoded, however the rows were handed over."""
    image = np.random.default_rng(seed).integers(0, 256, (sum(strips), width, channels), dtype="uint8")
    file = io.BytesIO()
    writer = PngWriter(file, width, sum(strips), channels, None, 6)
    for start, rows in zip(np.cumsum([0, *strips]), strips, strict=False):
        writer.rows(image[start : start + rows])
    writer.end()
    with Image.open(io.BytesIO(file.getvalue())) as read:
        np.testing.assert_array_equal(np.asarray(read).reshape(image.shape), image)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.png"
        path.write_bytes(file.getvalue())
        check_png(path, writer.crc)


def test_every_damaged_byte_is_found(tmp_path):
    file = io.BytesIO()
    writer = PngWriter(file, 5, 4, 3, None, 6)
    writer.rows(np.arange(60, dtype="uint8").reshape(4, 5, 3))
    writer.end()
    whole, path = file.getvalue(), tmp_path / "a.png"
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 0x10
        path.write_bytes(damaged)
        with pytest.raises((Problem, OverflowError, MemoryError)):
            check_png(path, writer.crc)
    for length in range(0, len(whole), 5):
        path.write_bytes(whole[:length])
        with pytest.raises(Problem, match="did not read back"):
            check_png(path, writer.crc)
    path.write_bytes(whole)
    with pytest.raises(Problem, match="rows differ"):
        check_png(path, zlib.crc32(b"something else"))


def test_strips_are_all_that_is_encoded_at_once(make_cube, stream, tmp_path, monkeypatch):
    monkeypatch.setattr(png, "STRIP", 8)
    rows = []
    real = PngWriter.rows
    monkeypatch.setattr(
        PngWriter, "rows", lambda self, strip: (rows.append(len(strip)), real(self, strip))[1]
    )
    cube = make_cube(dims=("y", "x"), dtype="uint8", sizes={"y": 42}, chunks={"y": 16})
    write(cube, tmp_path / "out.png", stream=stream)
    assert rows == [8, 8, 8, 8, 8, 2]
    np.testing.assert_array_equal(pixels(tmp_path / "out.png")[1], cube.values)


def test_what_does_not_fit_is_refused(make_cube, stream, tmp_path):
    cube = make_cube()
    for value, options, word in (
        (cube, {}, "1 band .* 3 .* 4"),
        (make_cube(sizes={"bands": 3}), {"colormap": "viridis"}, "colours one band"),
        (cube.isel(bands=[0]), {"min": 3, "max": 3}, "less than max"),
        (cube.isel(bands=[0]), {"colormap": "rainbow"}, "viridis"),
        (cube.expand_dims(level=2), {}, "also level"),
    ):
        with pytest.raises(Problem, match=word) as caught:
            write(value, tmp_path / "out.png", stream=stream, options=options)
        assert caught.value.code == "FormatUnsuitable"
    assert list(tmp_path.iterdir()) == []


def test_the_item_tells_the_range(make_cube, stream, tmp_path):
    written = write(
        make_cube(dims=("y", "x")), tmp_path / "out.png", stream=stream, options={"min": 0, "max": 90}
    )
    asset = written.item["assets"]["data"]
    assert asset["description"] == "Values from 0 to 90, mapped onto 0 to 255."
    assert asset["roles"] == ["visual"]
    assert asset["proj:code"] == "EPSG:32632"


@pytest.fixture(params=["zlib", "isal"])
def deflater(request, monkeypatch):
    """Both that may be used at the least effort."""
    isal = pytest.importorskip("isal.isal_zlib") if request.param == "isal" else None
    monkeypatch.setattr(png_file, "_isal", isal)


@pytest.mark.parametrize("zlevel", [1, 2, 9])
@pytest.mark.parametrize("shape", [(40, 50), (1, 40, 50), (3, 40, 50), (4, 40, 50)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8", "int16", "uint16", "int32"])
def test_bytes_of_an_image(deflater, dtype, shape, zlevel):
    """Without a file: Pillow finds the levels of every cell, and no-data transparent."""
    cells = np.random.default_rng(5).integers(0, 120, shape).astype(dtype)
    nodata = np.nan if dtype.startswith("f") else 7
    bands = cells.reshape(-1, 40, 50)
    if dtype.startswith("f"):
        bands[:, 3:5] = np.nan
        bands[:, 7, 7] = np.inf
    missing = (~np.isfinite(bands) | (bands == nodata)).any(axis=0)
    data = encode_png(cells, nodata=nodata, low=10, high=100, zlevel=zlevel)
    with Image.open(io.BytesIO(data)) as image:
        pixels = np.asarray(image)
        assert image.mode == {1: "LA", 3: "RGBA", 4: "RGBA"}[len(bands)]
    truth = np.moveaxis(scaled(bands[:3], 10, 100), 0, -1)
    truth[missing] = 0
    np.testing.assert_array_equal(pixels[..., :-1], truth)
    assert (pixels[missing][:, -1] == 0).all()
    if len(bands) < 4:
        assert (pixels[~missing][:, -1] == 255).all()


def test_bytes_equal_those_of_the_file(make_cube, stream, tmp_path):
    cube = make_cube(dims=("y", "x"))
    options = {"min": 20, "max": 150, "colormap": "viridis"}
    write(cube, tmp_path / "out.png", stream=stream, options=options)
    assert (
        encode_png(cube.values, low=20, high=150, colormap="viridis") == (tmp_path / "out.png").read_bytes()
    )


def test_bytes_with_the_defaults_of_the_format(make_cube, stream, tmp_path):
    for dtype in ("float32", "uint8", "bool", "uint16"):
        cube = make_cube(dims=("y", "x"), dtype=dtype)
        write(cube, tmp_path / f"{dtype}.png", stream=stream)
        assert encode_png(cube.values) == (tmp_path / f"{dtype}.png").read_bytes()


def test_what_is_no_image_is_refused():
    for cells in (
        np.zeros((2, 4, 4)),
        np.zeros((0, 4)),
        np.zeros((1, 1, 4, 4)),
        np.zeros((4, 4), "complex64"),
    ):
        with pytest.raises(ValueError, match="no image"):
            encode_png(cells)
    with pytest.raises(Problem, match="colours one band"):
        encode_png(np.zeros((3, 4, 4)), colormap="viridis")
    with pytest.raises(Problem, match="less than max"):
        encode_png(np.zeros((4, 4)), low=1, high=1)


@pytest.mark.parametrize("kept", ["memory", "disk"])
def test_small_cubes_wait_in_memory(make_cube, stream, tmp_path, monkeypatch, kept):
    cube = make_cube(sizes={"bands": 1}, chunks={"t": 2, "y": 16})
    limit = cube.size * 4 - (kept == "disk")
    monkeypatch.setattr(spool, "IN_MEMORY", limit)
    made = []
    real = spool.Spool.__init__
    monkeypatch.setattr(spool.Spool, "__init__", lambda self, *a: (made.append(a), real(self, *a))[1])
    written = write(cube, tmp_path / "out.png", stream=stream, options={"min": 0, "max": 200})
    assert len(made) == (kept == "disk")
    for moment, asset in enumerate(written.assets):
        np.testing.assert_array_equal(pixels(asset.href)[1][..., 0], scaled(cube.values[moment, 0], 0, 200))
