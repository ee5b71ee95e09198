"""What Python users hold and what graphs compute with: booleans with gaps, with any number of dimensions."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from engine.execute.boundary import hand_out, take_in
from tests.end_to_end.graphs import child, node, param

DIMS = ("a", "b", "c")


def stored(values):
    values = np.asarray(values, dtype=np.uint8)
    return xr.DataArray(
        values, dims=DIMS[: values.ndim], attrs={"logical": True, "nodata": 255, "title": "marks"}
    )


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("values", [0, 1, 255, [0, 1, 255], [[0, 255], [1, 1]], np.empty((0, 2))])
def test_booleans_with_gaps_there_and_back(values, lazy):
    cube = stored(values).chunk() if lazy else stored(values)
    shown = hand_out(cube)
    assert shown.dtype == object
    assert shown.attrs == {"logical": True, "title": "marks"}
    expected = [{0: False, 1: True}.get(v) for v in np.ravel(values).tolist()]
    assert [None if v != v else v for v in shown.values.ravel().tolist()] == expected
    back = take_in(shown)
    assert back.attrs == cube.attrs
    np.testing.assert_array_equal(back.values, stored(values).values)
    assert back.dtype == np.uint8


def test_null_is_a_gap_as_nan_is():
    one = xr.DataArray(np.array(None, dtype=object), attrs={"logical": True})
    assert take_in(one).values == 255
    several = xr.DataArray(np.array([True, None, np.nan], dtype=object), dims="a")
    assert take_in(several).values.tolist() == [1, 255, 255]


@pytest.mark.parametrize("chunks", [None, 1])
@pytest.mark.parametrize(
    ("values", "answer"), [([1, 1, 0], None), ([1, 3, 0], False), ([1, 1, 1], True), ([0, 0, 0], None)]
)
def test_one_answer_for_a_whole_series(values, answer, chunks, session):
    """`all` with nulls over the only dimension of a cube: what is left has no dimensions."""
    cube = xr.DataArray(np.array(values, np.uint8), dims="a", attrs={"nodata": 0})
    graph = {
        "is": node("apply", data=param("cube"), process=child(n=node("eq", x=param("x"), y=1))),
        "all": node(
            "reduce_dimension",
            data={"from_node": "is"},
            reducer=child(n=node("all", data=param("data"), ignore_nodata=False)),
            dimension="a",
            result=True,
        ),
    }
    result = session.run(graph, {"cube": cube if chunks is None else cube.chunk(chunks)}).compute()
    assert result.dims == ()
    given = result.values.item()
    assert (None if given != given else given) is answer
