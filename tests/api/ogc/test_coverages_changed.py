"""Files that become others behind the catalogue's back: a coverage that was foretold is found out anew."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from engine import Backend, Settings
from engine.catalog import Catalog
from tests.api.conftest import serving


def written(path, days: int) -> None:
    """Some days of one place; all cells of a day hold its number."""
    times = pd.date_range("2022-06-01", periods=days)
    values = np.broadcast_to(np.arange(days, dtype="float32")[:, None, None], (days, 6, 8))
    coords = {"t": times, "y": 50 - 0.5 * np.arange(6), "x": 5 + 0.5 * np.arange(8)}
    axes = {
        "y": {"standard_name": "latitude", "units": "degrees_north"},
        "x": {"standard_name": "longitude", "units": "degrees_east"},
    }
    cube = xr.DataArray(values, coords=coords, dims=("t", "y", "x"), name="warm")
    for name, attrs in axes.items():
        cube[name].attrs.update(attrs)
    cube.to_netcdf(path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)


@pytest.fixture
def changing(tmp_path, answers_checked):
    written(path := tmp_path / "days.nc", 3)
    catalog = Catalog(tmp_path / "catalog.sqlite")
    catalog.add(path)
    catalog.close()
    settings = Settings(home=tmp_path / "home", catalog=tmp_path / "catalog.sqlite", job_slots=0)
    with serving(Backend(settings), answers_checked) as served, served.client() as client:
        yield client, path


def test_a_coverage_is_found_out_anew_when_it_is_not_what_was_foretold(changing):
    client, path = changing
    place, asked = "/collections/days/coverage", {"f": "covjson"}

    def days() -> int | None:
        answer = client.get(place, params=asked)
        if answer.status_code == 503:
            assert "has just changed" in answer.json()["message"]
            assert int(answer.headers["retry-after"]) > 0
            return None
        return len(answer.raise_for_status().json()["domain"]["axes"]["t"]["values"])

    assert days() == 3
    written(path, 5)
    assert days() in (None, 5)
    assert days() == 5
