"""Words along time: quantiles, the first and the last value, any and all give in a kernel what the functions give."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import engine
from engine.kernel.fused import Fused
from engine.plan.fuse import fuse
from processes.lazy import Regions
from processes.places import size
from processes.recipes import Recipe
from tests.engine.plan.conftest import Stored, lazy_cube, stored
from tests.engine.plan.test_fuse import Graph, equal, interpreted

__all__ = ["interpreted"]

DATA = {"from_parameter": "data"}


def reducer(process: str, arguments: dict[str, Any], index: int | None) -> Any:
    """A child graph of one process along time, or of one element of what it gives."""
    inner = Graph()
    last = inner.put(process, data=DATA, **arguments)
    return inner.closed(last if index is None else inner.put("array_element", data=last, index=index))


def reduced(
    source: Stored, nodata: float | None, child: Any, kernels: Any, relation: float | None = None
) -> Any:
    """The dates of a cube reduced; with a `relation` what is reduced is whether numbers are above it."""
    graph: dict[str, Any] = {}
    data = {"from_parameter": "cube"}
    if relation is not None:
        above = Graph()
        process = above.closed(above.put("gt", x={"from_parameter": "x"}, y=relation))
        graph["above"] = {"process_id": "apply", "arguments": {"data": data, "process": process}}
        data = {"from_node": "above"}
    graph["out"] = {
        "process_id": "reduce_dimension",
        "arguments": {"data": data, "dimension": "t", "reducer": child},
        "result": True,
    }
    return engine.run(graph, {"cube": lazy_cube(source, nodata, kernels)})


def recipe_of(cube: Any) -> Recipe:
    """What is computed, also below booleans as Python users are shown them."""
    return next(layer.recipe for layer in cube.data.dask.layers.values() if isinstance(layer, Regions))


def numbers(dtype: str, dates: int = 5) -> tuple[np.ndarray, float | None]:
    """Numbers with gaps, in some cells at all dates, and what stands for no-data."""
    rng = np.random.default_rng(5)
    array = rng.integers(0, 6, (dates, 3, 6, 7))
    array[:, :, :2, :3] = 0
    if dtype == "float32":
        return np.where(array == 0, np.nan, array / 3).astype(np.float32), None
    return array.astype(dtype), 0


IGNORE: tuple[dict[str, Any], ...] = ({}, {"ignore_nodata": False})
SHARES: tuple[dict[str, Any], ...] = ({"probabilities": [0.0, 0.3, 1.0]}, {"q": 4}, {"probabilities": 4})
CASES = [(name, args, None, None) for name in ("first", "last") for args in IGNORE]
CASES += [("quantiles", {**shares, **args}, 1, None) for shares in SHARES for args in IGNORE]
CASES += [(name, args, None, relation) for name in ("any", "all") for args in IGNORE for relation in (0.5, 1)]


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
@pytest.mark.parametrize(("process", "arguments", "index", "relation"), CASES)
def test_words_give_what_the_functions_give(
    interpreted: None, process: str, arguments: Any, index: int | None, relation: float | None, dtype: str
) -> None:
    array, nodata = numbers(dtype)
    child = reducer(process, arguments, index)
    cube = reduced(stored(array, 4), nodata, child, "always", relation)
    assert isinstance(fuse(recipe_of(cube)), Fused)
    equal(cube.compute(), reduced(stored(array, 4), nodata, child, "never", relation).compute())


@pytest.mark.slow
@pytest.mark.parametrize(("process", "arguments", "index", "relation"), CASES)
def test_compiled_words_give_the_same(
    process: str, arguments: Any, index: int | None, relation: float | None
) -> None:
    array, nodata = numbers("int16")
    child = reducer(process, arguments, index)
    cube = reduced(stored(array, 4), nodata, child, "always", relation)
    equal(cube.compute(), reduced(stored(array, 4), nodata, child, "never", relation).compute())


@pytest.mark.parametrize(("process", "relation"), [("first", None), ("last", None), ("any", 2), ("all", 2)])
def test_dates_come_a_few_at_a_time(
    interpreted: None, monkeypatch: pytest.MonkeyPatch, process: str, relation: float | None
) -> None:
    array, nodata = numbers("int16", dates=9)
    monkeypatch.setattr("engine.kernel.fused.AT_ONCE", 2 * 6 * 7 * 2)  # two dates of a plane
    source = stored(array)
    child = reducer(process, {}, None)
    cube = reduced(source, nodata, child, "always", relation)
    equal(cube.compute(), reduced(stored(array), nodata, child, "never", relation).compute())
    assert max(size(r)[0] for r in source.reads) == 2


def test_of_quantiles_only_those_are_sorted_out_that_are_used(interpreted: None) -> None:
    array, nodata = numbers("int16")
    cube = reduced(stored(array), nodata, reducer("quantiles", {"q": 10}, 3), "always")
    fused = fuse(recipe_of(cube))
    assert isinstance(fused, Fused)
    assert {f.text.count("in range(pairs.shape[0])") for f in fused.formulas.ravel()} == {1}
