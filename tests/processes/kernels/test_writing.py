"""What is done to tiles before they are written: the compiled loops against NumPy, and both against plain definitions."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st

from processes.kernels import loops, writing
from processes.kernels.writing import byte_planes, differences, figures, halved, halved_mean

TYPES = ["uint8", "int16", "uint32", "int64", "uint64", "float32", "float64"]
FLOATS = ["float32", "float64"]
SEEDS = st.integers(0, 2**32 - 1)


def numbers(rng, dtype, shape):
    """Numbers of a type, large ones too; of floats some are missing, infinite or minus zero."""
    if np.dtype(dtype).kind != "f":
        info = np.iinfo(dtype)
        few = rng.integers(0, 5, shape).astype(dtype)
        return np.where(rng.random(shape) < 0.5, few, rng.integers(info.min, info.max, shape, dtype=dtype))
    values = rng.normal(1e3, 10.0 ** rng.integers(-2, 5), shape).astype(dtype)
    share = rng.random() * 0.5
    for odd in (np.nan, np.inf, -np.inf, -0.0, np.finfo(dtype).max / 2):
        values[rng.random(shape) < share * rng.random()] = odd
    return values


def compiled():
    """With loops, however little there is to do."""
    return mock.patch.multiple(writing, COLD=1, WARM=1)


def by_numpy():
    """Without loops."""
    return mock.patch.object(writing, "worth", return_value=False)


def bits(value):
    return np.asarray(value).tobytes()


@pytest.mark.parametrize("dtype", TYPES)
@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, shape=st.tuples(st.integers(1, 40), st.integers(1, 90)), gapped=st.booleans())
def test_the_same_figures_to_the_last_bit(dtype, seed, shape, gapped):
    cells = numbers(np.random.default_rng(seed), dtype, shape)
    nodata = 3 if gapped else None
    with compiled():
        ours = figures(cells, nodata)
    with by_numpy():
        theirs = figures(cells, nodata)
    assert ours.count == theirs.count
    if ours.count:
        assert bits(ours.least) == bits(theirs.least) or ours.least == theirs.least == 0
        assert bits(ours.greatest) == bits(theirs.greatest) or ours.greatest == theirs.greatest == 0
        np.testing.assert_array_equal([ours.mean, ours.squares], [theirs.mean, theirs.squares])


@pytest.mark.parametrize("way", [compiled, by_numpy])
@pytest.mark.parametrize("dtype", TYPES)
def test_figures_are_those_of_the_valid_cells(dtype, way):
    cells = np.random.default_rng(5).integers(0, 100, (300, 300)).astype(dtype)
    valid = cells[cells != 7]
    if cells.dtype.kind == "f":
        cells[cells == 7] = np.nan
    with way():
        found = figures(cells, 7)
    assert (found.count, found.least, found.greatest) == (valid.size, valid.min(), valid.max())
    assert found.mean == pytest.approx(valid.mean(dtype="float64"), rel=1e-13)
    assert found.squares == pytest.approx(valid.var(dtype="float64") * valid.size, rel=1e-12)


@pytest.mark.parametrize("way", [compiled, by_numpy])
def test_no_data_that_a_type_has_not_is_nowhere(way):
    cells = np.array([[0, 1], [2, 255]], "uint8")
    with way():
        for nodata in (-9999, 256, 0.5, np.nan, np.inf, None):
            assert figures(cells, nodata).count == 4
        assert figures(cells, 255.0).count == 3
        assert figures(np.full((9, 9), 4, "uint8"), 4).count == 0
        assert figures(np.full((9, 9), np.nan), None).count == 0
        assert figures(np.full((9, 9), 2**63, "uint64"), None).greatest == 2**63


@pytest.mark.parametrize("dtype", FLOATS)
@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, shape=st.tuples(st.integers(1, 20), st.integers(1, 40)))
def test_the_same_halves_to_the_last_bit(dtype, seed, shape):
    cells = numbers(np.random.default_rng(seed), dtype, (2 * shape[0], 2 * shape[1]))
    with compiled():
        ours = halved_mean(cells)
    with by_numpy():
        theirs = halved_mean(cells)
    np.testing.assert_array_equal(ours, theirs)
    assert ours.dtype == theirs.dtype == dtype
    fours = cells.reshape(shape[0], 2, shape[1], 2).astype("longdouble")
    there = ~np.isnan(fours)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        mean = np.where(there, fours, 0).sum(axis=(1, 3)) / there.sum(axis=(1, 3))
        close = (
            np.finfo(dtype).eps
            * 4
            * np.nanmax(np.where(np.isfinite(fours), abs(fours), 1), axis=(1, 3), initial=1)
        )
        assert (abs(ours - mean) <= close)[np.isfinite(mean)].all()
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(mean))


@pytest.mark.parametrize("way", [compiled, by_numpy])
@pytest.mark.parametrize("dtype", FLOATS)
@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, shape=st.tuples(st.integers(1, 32), st.integers(1, 32)))
def test_byte_planes_are_those_of_the_padded_cells(way, dtype, seed, shape):
    cells = numbers(np.random.default_rng(seed), dtype, shape)
    out = np.empty((32, 32 * cells.itemsize), "uint8")
    with way():
        byte_planes(cells, out)
    padded = np.pad(cells, [(0, 32 - n) for n in shape], mode="edge")
    parts = padded.astype(cells.dtype.newbyteorder(">")).view("uint8").reshape(32, 32, -1)
    planes = parts.transpose(0, 2, 1).reshape(32, -1)
    np.testing.assert_array_equal(out, np.diff(planes, axis=1, prepend=np.uint8(0)))


@pytest.mark.parametrize("dtype", TYPES[:5])
@settings(max_examples=15, deadline=None)
@given(seed=SEEDS, shape=st.tuples(st.integers(1, 32), st.integers(1, 32)))
def test_differences_are_those_of_the_padded_cells(dtype, seed, shape):
    cells = numbers(np.random.default_rng(seed), dtype, shape)
    out = np.empty((32, 32), dtype)
    differences(cells, out)
    padded = np.pad(cells, [(0, 32 - n) for n in shape], mode="edge")
    np.testing.assert_array_equal(out, np.diff(padded, axis=1, prepend=cells.dtype.type(0)))


def test_little_work_compiles_nothing(monkeypatch):
    """Nor does numba come for a picture; it is only used where somebody else has it."""
    monkeypatch.setattr(loops, "_done", {})
    monkeypatch.setattr(loops, "_ready", {})
    monkeypatch.setattr(loops, "_compile", lambda *_: pytest.fail("something was compiled"))
    cells = np.ones((512, 512), "float32")
    figures(cells, None)
    halved_mean(cells)
    byte_planes(cells, np.empty((512, 2048), "uint8"))


@pytest.mark.parametrize("dtype", FLOATS)
@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, shape=st.tuples(st.integers(1, 40), st.integers(1, 90)))
def test_any_sides_are_halved_the_same_to_the_last_bit(dtype, seed, shape):
    cells = numbers(np.random.default_rng(seed), dtype, shape)
    with compiled():
        ours = halved(cells)
    with by_numpy():
        theirs = halved(cells)
    assert ours.shape == (-(-shape[0] // 2), -(-shape[1] // 2))
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("shape", [(31, 40), (40, 31), (31, 21), (64, 64), (1, 9), (3, 2)])
@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_halves_are_those_of_gdal(tmp_path, shape, share):
    rng = np.random.default_rng(4)
    cells = rng.random(shape, np.float32)
    cells[rng.random(shape) < share] = np.nan
    with rasterio.open(tmp_path / "a.tif", "w", driver="GTiff", width=shape[1], height=shape[0], count=1,
                       dtype="float32", nodata=np.nan) as file:  # fmt: skip
        file.write(cells, 1)
        file.build_overviews([2], rasterio.enums.Resampling.average)
    with rasterio.open(tmp_path / "a.tif", overview_level=0) as file:
        np.testing.assert_allclose(halved(cells), file.read(1), rtol=1e-6)
