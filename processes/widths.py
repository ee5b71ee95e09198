"""Types wide enough for their results: integers never wrap around, small ones become float32 when they must."""

from __future__ import annotations

from typing import Any

import numpy as np

SIGNED = {bits: np.dtype(f"i{bits // 8}") for bits in (32, 64)}


def floating(x: Any) -> Any:
    """`x` as floating-point numbers: integers of up to 16 bits as float32 (exact), wider ones as float64."""
    if not isinstance(x, (np.ndarray, np.generic)):
        return float(x) if isinstance(x, int) else x
    if x.dtype.kind == "f":
        return x
    return x.astype(np.float32 if x.dtype.itemsize <= 2 else np.float64)


def summable(*operands: Any) -> tuple[Any, ...]:
    """The operands in types in which the sum and the difference of any two fit."""
    return _widened(max(map(bits, operands)) + 1, *operands)


def multipliable(x: Any, y: Any) -> tuple[Any, ...]:
    """Both operands in types in which their product fits."""
    return _widened(bits(x) + bits(y), x, y)


def signed(x: Any) -> Any:
    """Integers in a signed type that holds them all, and their negatives."""
    return _widened(bits(x) + 1, x)[0]


def bits(x: Any) -> int:
    """How many bits the integers in `x` may need, sign included; 0 for floats."""
    if isinstance(x, (np.ndarray, np.generic)):
        width = x.dtype.itemsize * 8
        return {"i": width, "u": width + 1, "b": 2}.get(x.dtype.kind, 0)
    return x.bit_length() + 1 if isinstance(x, int) else 0


def _widened(need: int, *operands: Any) -> tuple[Any, ...]:
    target = SIGNED[32] if need <= 32 else SIGNED[64]
    return tuple(_to(x, target) for x in operands)


def _to(x: Any, target: np.dtype[Any]) -> Any:
    small = isinstance(x, (np.ndarray, np.generic)) and x.dtype.kind in "iub"
    return x.astype(target) if small and x.dtype != target else x
