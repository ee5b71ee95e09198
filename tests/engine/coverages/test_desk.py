"""The domain of a collection is found out once, and anew when something happens to it."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from engine import Backend, Settings
from engine.coverages.desk import VISITOR, classified_bands
from engine.errors import Problem
from engine.store.users import NAME


def day(folder, number: int) -> None:
    folder.mkdir(exist_ok=True)
    with rasterio.open(
        folder / f"a_2022-06-{number:02}.tif", "w", driver="GTiff", width=4, height=3, count=1, dtype="uint8",
        crs="EPSG:4326", transform=from_origin(5, 50, 1, 1),
    ) as file:  # fmt: skip
        file.write(np.full((3, 4), number, "uint8"), 1)


@pytest.fixture(scope="module")
def backend(tmp_path_factory):
    home = tmp_path_factory.mktemp("desk")
    backend = Backend(Settings(home=home / "home", catalog=home / "catalog.sqlite", job_slots=0))
    for name in ("one", "two"):
        day(home / name, 1)
        backend.engine.add(home / name, collection=name)
    yield backend
    backend.close()


def test_a_domain_is_kept_until_something_happens_to_its_collection(backend, tmp_path):
    desk = backend.coverages
    assert desk.known(None, "one") is None
    desk.survey(None, "one").future.result(60)
    first = desk.known(None, "one")
    assert [axis.count for axis in first.axes] == [1, 3, 4]
    day(tmp_path / "more", 2)
    backend.engine.add(tmp_path / "more", collection="two")
    assert desk.known(None, "one") is first
    backend.engine.add(tmp_path / "more", collection="one")
    assert desk.known(None, "one") is None
    assert desk.found(None, "one") is first
    desk.survey(None, "one").future.result(60)
    assert desk.known(None, "one").axis("time").count == 2


def test_what_is_not_there_is_not_found_out(backend):
    with pytest.raises(Problem, match="nix"):
        backend.coverages.survey(None, "nix")


def test_no_account_can_be_that_of_visitors():
    assert NAME.fullmatch(VISITOR.id) is None


@pytest.mark.parametrize(
    ("assets", "found"),
    [
        ({"a": {"classification:classes": []}}, {"a"}),
        ({"a": {"bands": [{"name": "b", "classification:bitfields": []}, {"name": "c"}]}}, {"b"}),
        ({"a": {"raster:bands": [{"classification:classes": []}]}}, {"a"}),
        ({"a": {"bands": 5}, "b": 7}, set()), (None, set()), ([], set()),
    ],
)  # fmt: skip
def test_bands_of_classes(assets, found):
    assert classified_bands({"item_assets": assets}) == found
