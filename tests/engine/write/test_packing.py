"""How hard tiles are packed: whatever the level, the same cells; less work only where it costs few bytes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.write import packing as room
from engine.write.packing import PLAINER, WORTH, Packing

FLOATS = Packing(np.dtype("float32"), 128, "ZSTD", 1, True)


def cells(noise: float, dtype="float32", side=128):
    """Smooth, with as much noise."""
    y, x = np.ogrid[:side, :side]
    rough = np.random.default_rng(3).random((side, side)) * noise
    return (np.sin(x / 37) * np.cos(y / 53) + rough).astype(dtype)


@pytest.fixture
def levels(monkeypatch):
    """The levels at which whole tiles were packed."""
    seen, real = [], room._zstd
    whole = FLOATS.plain(cells(0)).size

    def zstd(plain, level):
        if plain.size == whole:
            seen.append(level)
        return real(plain, level)

    monkeypatch.setattr(room, "_zstd", zstd)
    return seen


def test_noise_is_packed_with_less_effort_and_costs_few_bytes(levels):
    plain = FLOATS.plain(cells(0.3))
    packed = FLOATS.pack(plain)
    assert levels == [PLAINER]
    assert len(packed) <= WORTH * len(room._zstd(plain, 1))


@pytest.mark.parametrize(
    ("values", "packing"),
    [
        (np.round(cells(0.3), 2), FLOATS),
        (cells(0.3), Packing(FLOATS.dtype, 128, "ZSTD", 1, False)),
        ((cells(0.3) * 1000).astype("int32"), Packing(np.dtype("int32"), 128, "ZSTD", 1, True)),
    ],
)
def test_what_can_be_shortened_is(levels, values, packing):
    """Numbers with few digits; floats as they are, and whole numbers, are not even tried."""
    packing.pack(packing.plain(values))
    assert levels == [1]


def test_who_asks_for_a_level_gets_it(levels):
    packing = Packing(FLOATS.dtype, 128, "ZSTD", 2, True)
    packing.pack(packing.plain(cells(0.3)))
    assert levels == [2]


@given(st.floats(0, 1), st.sampled_from(["float32", "float64"]), st.sampled_from([1, 3, 16, 128]))
def test_every_bit_comes_back(noise, dtype, side):
    packing = Packing(np.dtype(dtype), side, "ZSTD", 1, True)
    values = cells(noise, dtype, side)
    values[values > 0.9] = np.nan
    plain = packing.plain(values)
    np.testing.assert_array_equal(packing.unpack(packing.pack(plain), packing.room()), plain.reshape(-1))
