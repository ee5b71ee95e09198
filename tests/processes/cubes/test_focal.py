"""Weighted sums of neighbours: the compiled loop against NumPy, SciPy and all cuts into blocks."""

from __future__ import annotations

import pickle
from dataclasses import replace
from unittest import mock

import dask
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from processes import REGISTRY
from processes.cubes.convolution import beyond
from processes.kernels import focal as room
from processes.kernels import loops
from processes.kernels.focal import Focal, parts
from processes.kernels.planes import planes_of
from processes.lazy import Lazy
from tests.processes.cubes.lazies import lazy

kernel_of = REGISTRY["apply_kernel"].fn
BINOMIAL = [[a * b for a in (1, 4, 6, 4, 1)] for b in (1, 4, 6, 4, 1)]
TYPES = [("uint8", "float32"), ("float32", "float32"), ("float64", "float64"), ("int32", "int64")]


def numbers(rng, dtype, shape):
    """Numbers of a type, some of them invalid."""
    if np.dtype(dtype).kind == "f":
        values = rng.normal(size=shape).astype(dtype)
        values[rng.random(shape) < 0.2] = np.nan
        values[rng.random(shape) < 0.1] = np.inf
        return values
    return rng.integers(0, 5, shape).astype(dtype)


@pytest.mark.parametrize(("stored", "dtype"), TYPES)
@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(st.integers(1, 9), st.integers(1, 40)),
    size=st.tuples(st.sampled_from([1, 3, 5, 7]), st.sampled_from([1, 5, 11])),
    border=st.sampled_from(["replicate", "reflect", "reflect_pixel", "wrap", 3]),
    parted=st.booleans(),
)
def test_the_loop_gives_what_numpy_gives_to_the_last_bit(stored, dtype, seed, shape, size, border, parted):
    rng = np.random.default_rng(seed)
    cells = numbers(rng, stored, (2, *shape))
    weights = rng.integers(-3, 4, size) if dtype == "int64" else rng.normal(size=size)
    if parted:
        weights = weights[:, :1] * weights[:1]
    nodata = 0 if np.dtype(stored).kind != "f" else None
    number = 0 if isinstance(border, str) else border
    run = Focal(weights, 3, number, 7, np.dtype(dtype), nodata, logical=stored == "uint8" and seed % 2 == 0)
    places = [beyond(n, k // 2, border) for n, k in zip(shape, size, strict=True)]
    with mock.patch.object(room, "ENOUGH", 1):
        result = run(cells, *places)
    np.testing.assert_array_equal(result, run.by_numpy(cells, *places, shape))


@pytest.mark.parametrize(
    "part", [np.s_[:, 1:, 2:-1], np.s_[::2, :, 1:], np.s_[:, ::2], np.s_[:, ::-1], np.s_[..., ::2]]
)
def test_a_part_of_an_array_gives_what_its_copy_gives(part, monkeypatch):
    monkeypatch.setattr(room, "ENOUGH", 1)
    cells = numbers(np.random.default_rng(3), "float32", (4, 11, 12))[part]
    run = Focal(np.array(BINOMIAL), 1, 0, 0, np.dtype(np.float32))
    where = [beyond(n, 2, 0) for n in cells.shape[1:]]
    np.testing.assert_array_equal(run(cells, *where), run(cells.copy(), *where))


def test_planes_are_found_where_they_lie():
    cells = np.arange(120).reshape(2, 3, 4, 5)
    part = planes_of(cells[:, 1:, 1:3, 2:])
    assert np.shares_memory(part.memory, cells)
    assert (part.starts.tolist(), part.step, part.memory[0]) == ([0, 20, 60, 80], 5, 27)
    assert part.memory[part.starts[3] + part.step] == cells[1, 2, 2, 2]
    for copied in (cells[..., ::2], cells[..., ::-1], np.moveaxis(cells, -1, 0)):
        found = planes_of(copied)
        assert not np.shares_memory(found.memory, cells)
        np.testing.assert_array_equal(found.memory, copied.ravel())
    assert planes_of(np.zeros((2, 0, 5))).memory.size == 0


def test_weights_that_are_products():
    column, row = parts(np.array(BINOMIAL), whole=True)
    np.testing.assert_array_equal(column * row, BINOMIAL)
    assert (column.dtype, row.tolist()) == (np.float64, [1, 4, 6, 4, 1])
    sharpen = np.array(BINOMIAL)
    sharpen[2, 2] -= 256
    assert parts(sharpen, whole=True) is None
    assert parts(sharpen / 256, whole=False) is None
    column, row = parts(np.array(BINOMIAL) / 256, whole=False)
    np.testing.assert_allclose(column * row, np.array(BINOMIAL) / 256, rtol=1e-15)
    assert parts(np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]), whole=True) is None  # nothing is saved
    assert parts(np.zeros((5, 5)), whole=True) is None


@pytest.mark.parametrize("factor", [1, 0.5])
def test_products_against_scipy(factor):
    ndimage = pytest.importorskip("scipy.ndimage")
    cells = np.random.default_rng(0).integers(0, 255, (40, 50)).astype(np.uint8)
    result = kernel_of(xr.DataArray(cells, dims=("y", "x")), BINOMIAL, factor, "reflect")
    expected = ndimage.correlate(cells.astype(float), BINOMIAL, mode="reflect") * factor
    assert result.dtype == (np.int32 if factor == 1 else np.float32)
    np.testing.assert_allclose(result.values, expected, rtol=0 if factor == 1 else 1e-7)


def test_compiling_waits_for_enough_work(monkeypatch):
    compiled = []
    monkeypatch.setattr(room, "compiled", lambda *_: lambda *args: compiled.append(args))
    monkeypatch.setattr(loops, "_done", {})
    monkeypatch.setattr(loops, "_ready", {})
    monkeypatch.setattr(room, "ENOUGH", 3 * 64 * 9)
    run = Focal(np.ones((3, 3)), 1, 0, 0, np.dtype(np.float32))
    cells, where = np.zeros((1, 8, 8), np.float32), beyond(8, 1, 0)
    for calls in (0, 0, 1, 2):  # the third makes it enough
        run(cells, where, where)
        assert len(compiled) == calls


def test_several_threads_give_the_same(monkeypatch):
    monkeypatch.setattr(room, "ENOUGH", 1)
    cells = np.random.default_rng(2).normal(size=(2, 64, 50)).astype(np.float32)
    run = Focal(np.array(BINOMIAL), 0.25, 0, 0, np.dtype(np.float32))
    where = [beyond(n, 2, "reflect") for n in (64, 50)]
    one = run(cells, *where, alone=True)
    monkeypatch.setattr(room, "threads", lambda _: 5)
    np.testing.assert_array_equal(run(cells, *where, alone=True), one)


# ------------------------------------------------------------------------------------------- recipes
@pytest.mark.parametrize("border", ["replicate", "reflect", "reflect_pixel", "wrap", -2])
def test_a_recipe_gives_the_same_in_any_region(border, cube):
    whole = kernel_of(cube, np.arange(15).reshape(3, 5).tolist(), 2, border)
    given_lazily, source = lazy(cube, 4)
    result = kernel_of(given_lazily, np.arange(15).reshape(3, 5).tolist(), 2, border)
    assert isinstance(result.data, Lazy)
    assert not source.read
    assert result.data.chunks == given_lazily.data.chunks
    with dask.config.set(scheduler="synchronous"):
        xr.testing.assert_identical(result.compute(), whole)
        for part in (
            {"y": slice(2, 5), "x": slice(1, 2)},
            {"y": [5, 0, 3], "bands": [1]},
            {"x": slice(4, 4)},
        ):
            xr.testing.assert_identical(result.isel(part).compute(), whole.isel(part))
            again = pickle.loads(pickle.dumps(result.isel(part).data))
            np.testing.assert_array_equal(again.compute(), whole.isel(part).values)


def test_a_recipe_reads_what_the_kernel_reaches_and_no_more(cube):
    given_lazily, source = lazy(cube)
    result = kernel_of(given_lazily, [[1] * 5] * 3)
    result.isel(t=0, bands=[1], y=slice(2, 4), x=slice(0, 1)).compute(scheduler="synchronous")
    assert source.read == [(slice(0, 1), slice(1, 2), slice(1, 5), slice(0, 3))]


def test_equal_kernels_have_equal_names(cube):
    given_lazily, _ = lazy(cube)
    one, two, other = (kernel_of(given_lazily, [[1, w, 1]]) for w in (2, 2, 3))
    assert one.data.name == two.data.name != other.data.name
    assert replace(one.data.recipe, rows=one.data.recipe.rows[::-1]).token != one.data.recipe.token
