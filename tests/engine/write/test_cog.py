"""The layout of Cloud Optimized GeoTIFFs and the packing of tiles, against GDAL's own."""

from __future__ import annotations

import struct
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.enums import Resampling

from engine.errors import Problem
from engine.write import cog, geotiff, packing, patchwork, write
from engine.write.packing import Packing
from engine.write.patchwork import Patchwork, Spot
from engine.write.sheets import Piece, raster_of
from engine.write.tiff import HEIGHT, TILE_OFFSETS, TILE_SIZES, WIDTH, Form, read_heads
from processes.kernels.writing import halved_mean

REAL = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64"]
COMPRESSIONS = ["ZSTD", "DEFLATE", "LZW", "NONE"]


def heads_of(path):
    with path.open("rb") as file:
        return read_heads(file)


def tiles_of(head):
    """(offset, size) of every tile that is stored, by number."""
    pairs = zip(head.numbers(TILE_OFFSETS).tolist(), head.numbers(TILE_SIZES).tolist(), strict=True)
    return [pair for pair in pairs if pair[1]]


def assert_cog(path, form=None):
    """What validators ask for: heads first and in order, copies behind each other, the smallest first, framed tiles."""
    data, heads = path.read_bytes(), heads_of(path)
    form = form or Form(big=False)
    start = 16 if form.big else 8
    assert data[start:].startswith(b"GDAL_STRUCTURAL_METADATA_SIZE=000140 bytes\nLAYOUT=IFDS_BEFORE_DATA\n")
    size = start + 43 + 140
    assert data[size - 1 : size] == b" "
    first = struct.unpack_from(form.place, data, 8 if form.big else 4)[0]
    assert size <= first < 300
    at = first + sum(head.size(form) for head in heads)
    widths = [head.number(WIDTH) for head in heads]
    assert widths == sorted(widths, reverse=True)
    for head in reversed(heads):
        for offset, length in tiles_of(head):
            assert offset == at + 4
            assert struct.unpack_from("<I", data, at) == (length,)
            assert data[offset + length : offset + length + 4] == data[offset + length - 4 : offset + length]
            at = offset + length + 4
    assert at == len(data)


@pytest.mark.parametrize("compress", COMPRESSIONS)
@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
def test_layout(make_cube, stream, tmp_path, compress, dtype):
    cube = make_cube(sizes={"t": 1, "y": 700, "x": 1100}, dtype=dtype, chunks={"y": 200, "x": 512})
    options = {"blocksize": 256, "compress": compress}
    (asset,) = write(cube, tmp_path / "out.tif", stream=stream, options=options).assets
    assert_cog(asset.href)
    assert [(h.number(WIDTH), h.number(HEIGHT)) for h in heads_of(asset.href)] == [
        (1100, 700), (550, 350), (275, 175), (138, 88),
    ]  # fmt: skip
    with rasterio.open(asset.href) as file:
        np.testing.assert_array_equal(file.read(), cube.values[0])
        assert file.tags(ns="IMAGE_STRUCTURE")["INTERLEAVE"] == "BAND"


def test_beyond_4_gib_it_is_big(make_cube, stream, tmp_path, monkeypatch):
    monkeypatch.setattr(cog, "CLASSIC", 10_000)
    cube = make_cube(sizes={"t": 1, "y": 300, "x": 300})
    (asset,) = write(cube, tmp_path / "out.tif", stream=stream, options={"blocksize": 128}).assets
    assert asset.href.read_bytes()[:4] == b"II+\0"
    assert_cog(asset.href, Form(big=True))
    with rasterio.open(asset.href) as file:
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        np.testing.assert_array_equal(file.read(), cube.values[0])


@pytest.mark.parametrize("resampling", [None, "NEAREST", "AVERAGE", "BILINEAR", "CUBICSPLINE", "MODE", "RMS"])
@pytest.mark.parametrize("sides", [(600, 520), (601, 520), (600, 301)])
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_copies_are_those_that_gdal_makes(make_cube, stream, tmp_path, resampling, sides, dtype):
    """Whether halved on the way or not, with even and with odd sides."""
    cube = make_cube(
        dims=("y", "x"), dtype=dtype, nodata=7 if dtype == "uint8" else None,
        sizes=dict(zip(("y", "x"), sides, strict=True)), chunks={"y": 256, "x": 300},
    )  # fmt: skip
    options = {"blocksize": 128, "overview_resampling": resampling}
    (asset,) = write(cube, tmp_path / "out.tif", stream=stream, options=options).assets
    plain = tmp_path / "plain.tif"
    with rasterio.open(asset.href) as file:
        profile, cells, factors = file.profile, file.read(), file.overviews(1)
    assert factors == [2, 4, 8]
    with rasterio.open(plain, "w", **{**profile, "driver": "GTiff"}) as file:
        file.write(cells)
    name = resampling or ("AVERAGE" if dtype == "float32" else "NEAREST")
    with rasterio.open(plain, "r+") as file:
        file.build_overviews(factors, Resampling[name.replace("SPLINE", "_SPLINE").lower()])
    for level in range(3):
        with (
            rasterio.open(asset.href, overview_level=level) as ours,
            rasterio.open(plain, overview_level=level) as theirs,
        ):
            np.testing.assert_allclose(ours.read(), theirs.read(), rtol=2e-6)
            assert_no_data(ours.nodata, dtype)


def assert_no_data(found, dtype):
    assert np.isnan(found) if dtype == "float32" else found == 7


@settings(max_examples=60, deadline=None)
@given(
    dtype=st.sampled_from(REAL), compress=st.sampled_from(COMPRESSIONS), predict=st.booleans(),
    rows=st.integers(1, 64), columns=st.integers(1, 64), seed=st.integers(0, 99),
)  # fmt: skip
def test_predictors_lose_nothing(dtype, compress, predict, rows, columns, seed):
    """GDAL finds the bits that were packed, NaNs of any kind and whole numbers that wrap included."""
    kind = Packing(np.dtype(dtype), 64, compress, 1, predict)
    bits = np.random.default_rng(seed).bytes(rows * columns * kind.dtype.itemsize)
    cells = np.frombuffer(bits, dtype).reshape(rows, columns)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.tif"
        level = cog.Level(columns, rows, Path(folder) / "tiles", (1, 1, 1))
        plain = kind.plain(cells)
        packed = kind.pack(plain)
        level.append((0, 0, 0), plain, packed)
        cog.lay_out(path, template(Path(folder), kind, rows, columns), [level])
        with rasterio.open(path, driver="GTiff") as file:
            assert file.read(1).tobytes() == cells.tobytes()
    if kind.reversible:
        assert kind.unpack(packed, kind.room()).tobytes() == plain.tobytes()


def template(folder, kind, rows, columns):
    with rasterio.open(
        folder / "head.tif", "w", driver="GTiff", width=columns, height=rows, count=1, dtype=kind.dtype.name,
        tiled=True, blockxsize=kind.side, blockysize=kind.side, compress=kind.compress, predictor=kind.predictor,
        bigtiff="YES", sparse_ok=True, transform=rasterio.Affine(2, 0, 0, 0, -2, 0),
    ):  # fmt: skip
        pass
    (head,) = heads_of(folder / "head.tif")
    return head


@pytest.mark.parametrize("where", ["first", "middle", "last", "copy"])
def test_a_single_wrong_bit_in_any_tile_is_found(make_cube, stream, tmp_path, left_in, monkeypatch, where):
    real = geotiff.lay_out

    def spoiled(place, head, levels):
        real(place, head, levels)
        heads = heads_of(place)
        tiles = tiles_of(heads[1 if where == "copy" else 0])
        offset, size = tiles[{"first": 0, "last": -1}.get(where, len(tiles) // 2)]
        data = bytearray(place.read_bytes())
        data[offset + size // 2] ^= 4
        place.write_bytes(data)

    monkeypatch.setattr(geotiff, "lay_out", spoiled)
    cube = make_cube(sizes={"t": 1, "y": 400, "x": 400}, chunks={"y": 128, "x": 128})
    with pytest.raises(Problem, match=r"out\.tif could not be written"):
        write(cube, tmp_path / "out.tif", stream=stream, options={"blocksize": 128})
    assert left_in(tmp_path) == []


def test_tiles_that_changed_places_are_found(make_cube, stream, tmp_path, monkeypatch):
    """Each of them whole, but not where it belongs."""
    real = geotiff.lay_out

    def swapped(place, head, levels):
        level = levels[0]
        for table in (level.starts, level.sizes):
            table[0, 0, [0, 1]] = table[0, 0, [1, 0]]
        real(place, head, levels)

    monkeypatch.setattr(geotiff, "lay_out", swapped)
    cube = make_cube(sizes={"t": 1, "bands": 1, "y": 400, "x": 400})
    with pytest.raises(Problem, match="tile 0, 0 of band 1 at 400 x 400 cells differs"):
        write(cube, tmp_path / "out.tif", stream=stream, options={"blocksize": 128})


@pytest.mark.parametrize(("chunk", "whole"), [(512, True), (256, True), (100, False)])
def test_each_tile_is_packed_once(make_cube, stream, tmp_path, monkeypatch, chunk, whole):
    """3 x 3 tiles of the raster, 2 x 2 and 1 of its copies, in whatever pieces they come."""
    packed, waited = [], []
    real_pack, real_wait = Packing.pack, Patchwork._unfinished
    monkeypatch.setattr(
        Packing, "pack", lambda self, plain: (packed.append(plain.shape), real_pack(self, plain))[1]
    )
    monkeypatch.setattr(
        Patchwork, "_unfinished", lambda self, *a: (waited.append(a[0]), real_wait(self, *a))[1]
    )
    cube = make_cube(dims=("y", "x"), sizes={"y": 600, "x": 600}, chunks={"y": chunk, "x": chunk})
    (asset,) = write(cube, tmp_path / "out.tif", stream=stream, options={"blocksize": 256}).assets
    assert packed == [(256, 256 * 4)] * (9 + 4 + 1)
    assert (not waited) is whole
    assert sum(len(tiles_of(head)) for head in heads_of(asset.href)) == 14


def test_unfinished_tiles_go_to_disk_beyond_a_bound(make_cube, tmp_path, monkeypatch):
    monkeypatch.setattr(patchwork, "WAITING", 3 * 32 * 32 * 4)
    cube = make_cube(dims=("y", "x"), sizes={"y": 100, "x": 130})
    raster = raster_of(cube, tmp_path / "a.tif", "GTiff", ".tif")
    whole: dict[Spot, np.ndarray] = {}
    work = Patchwork(raster, 32, tmp_path / "spill", lambda spot, cells: whole.update({spot: cells.copy()}))
    places = [(row, column) for row in range(0, 100, 7) for column in range(0, 130, 9)]
    for row, column in np.random.default_rng(1).permutation(places).tolist():
        part = cube.values[np.newaxis, row : row + 7, column : column + 9]
        where = slice(0, 1), slice(row, row + part.shape[1]), slice(column, column + part.shape[2])
        work.put(Piece(0, where, part))
        assert len(work._waiting) <= 3
    assert (tmp_path / "spill").stat().st_size <= 4 * 5 * 32 * 32 * 4
    assert len(whole) == 4 * 5
    for spot, cells in whole.items():
        top, left = spot.row * 32, spot.column * 32
        np.testing.assert_array_equal(cells, cube.values[top : top + 32, left : left + 32])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_halves(dtype):
    big = np.finfo(dtype).max
    nan, inf = np.nan, np.inf
    cells = np.array(
        [[1, 2, nan, nan, big, big, inf, 1], [3, 6, nan, 5, big, big, nan, 1],
         [nan, nan, -1, 1, 1, inf, 0, 0], [nan, nan, nan, nan, 1, -inf, 0, -0.0]], dtype=dtype,
    )  # fmt: skip
    np.testing.assert_array_equal(
        halved_mean(cells), np.array([[3, 5, big, inf], [nan, 0, nan, 0]], dtype=dtype)
    )
    assert halved_mean(cells).dtype == dtype


def test_empty_tiles_are_not_stored(make_cube, stream, tmp_path):
    values = np.full((512, 512), np.nan, "float32")
    values[300, 300] = 1
    cube = make_cube(dims=("y", "x"), values=values, sizes={"y": 512, "x": 512}, chunks={"y": 128, "x": 128})
    (asset,) = write(cube, tmp_path / "out.tif", stream=stream, options={"blocksize": 128}).assets
    assert [len(tiles_of(head)) for head in heads_of(asset.href)] == [1, 1, 1]
    assert_cog(asset.href)
    with rasterio.open(asset.href) as file:
        np.testing.assert_array_equal(file.read(1), values)


def test_damaged_heads_are_no_tiffs(tmp_path):
    path = tmp_path / "a.tif"
    for data in (b"", b"MM\0*", b"II*\0\x08\0\0\0", b"II*\0\x08\0\0\0\0\0\x08\0\0\0"):
        path.write_bytes(data)
        with pytest.raises(ValueError, match=r"no little-endian|cut off|circle"):
            heads_of(path)


def test_effort_is_kept_within_what_deflate_knows(make_cube, tmp_path):
    raster = raster_of(make_cube(dims=("y", "x")), tmp_path / "a.tif", "GTiff", ".tif")
    options = {"compress": "DEFLATE", "level": 22, "blocksize": 512, "predictor": True}
    kind = geotiff._packing(raster, options)
    assert kind.level == 9
    plain = kind.plain(np.zeros((4, 4), "float32"))
    assert len(kind.pack(plain)) < len(replace(kind, compress="NONE").pack(plain)) / 100
    assert packing.checksum(plain) != packing.checksum(plain + 1)
