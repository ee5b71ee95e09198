"""One small sample collection and its landscape, made once for all tests of the demo."""

from pathlib import Path

import pystac
import pytest

from engine.demo import make_scenes
from engine.demo.landscape import Landscape, make_landscape

SIZE = 320


@pytest.fixture(scope="session")
def landscape() -> Landscape:
    return make_landscape(2022, SIZE)


@pytest.fixture(scope="session")
def catalog_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_scenes(tmp_path_factory.mktemp("demo"), size=SIZE)


@pytest.fixture(scope="session")
def items(catalog_path: Path) -> list[pystac.Item]:
    catalog = pystac.Catalog.from_file(str(catalog_path))
    return sorted(catalog.get_items(recursive=True), key=lambda item: item.id)
