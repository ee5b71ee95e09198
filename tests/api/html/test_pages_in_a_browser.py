"""All pages in a real browser: nothing fails, nothing is fetched from outside, and axe-core finds no barrier."""

from __future__ import annotations

import time

import pytest

from chromium import binary, browser
from node import installed, missing
from requests_of_users import SUM, run

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(binary() is None, reason="no browser is installed; apt-get install chromium"),
]
PAGES = (
    "/", "/conformance", "/collections", "/collections?q=nothing+like+that", "/collections/S2", "/collections/S2/items",
    "/collections/S2/items?limit=3&bbox=11,46,12,47", "/collections/S2/items/S2_20220602", "/collections/S2/queryables",
    "/queryables", "/collections/S2/coverage", "/collections/S2/coverage/domainset", "/collections/S2/coverage/rangetype",
    "/processes", "/processes?limit=20&page=2", "/processes/aggregate_temporal_period", "/processes/pi", "/docs",
    "/ogc/", "/ogc/collections/S2", "/ogc/processes", "/ogc/processes?limit=20&page=2", "/ogc/processes/ndvi",
    "/ogc/processes/OpenEO", "/processes/OpenEO", "/login", "/stac/", "/stac/collections/S2/items", "/openeo/1.2/", "/openeo/1.2/collections/S2",
)  # fmt: skip
MISSING = ("/nowhere", "/collections/none", "/collections/S2/items?limit=none")
WINDOWS = ((1200, 900, "light"), (360, 740, "dark"))
SHAPE = """({
  wide: document.documentElement.scrollWidth,
  lang: document.documentElement.lang,
  mains: document.querySelectorAll('main').length,
  levels: [...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.tagName[1]),
  scripts: document.scripts.length,
  images: [...document.images].map(i => [i.alt, i.naturalWidth]),
  ground: getComputedStyle(document.body).backgroundColor,
  crumbs: document.querySelectorAll('nav.crumbs a').length,
})"""
BARRIERS = """axe.run(document, {resultTypes: ['violations']}).then(found => found.violations.map(
  one => one.id + ': ' + one.nodes.slice(0, 3).map(node => node.html.slice(0, 200)).join(' | ')))"""


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture(scope="module")
def axe() -> str:
    """The script that looks for barriers."""
    if (reason := missing()) is not None:
        pytest.skip(reason)
    return (installed() / "axe-core" / "axe.min.js").read_text()


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(("width", "height", "scheme"), WINDOWS)
def test_a_page_is_whole_and_keeps_to_itself(served, tab, path, width, height, scheme):
    tab.open(served.url + path, width, height, scheme)
    assert tab.complaints() == []
    assert all(place.startswith((served.url, "data:")) for place in tab.requests())
    shape = tab.value(SHAPE)
    assert shape["wide"] <= width
    assert (shape["lang"], shape["mains"], shape["scripts"]) == ("en", 1, 0)
    assert shape["levels"][0] == 1
    assert shape["levels"].count(1) == 1
    assert all(
        after - before <= 1 for before, after in zip(shape["levels"], shape["levels"][1:], strict=False)
    )
    assert all(alt and size for alt, size in shape["images"])
    assert (shape["ground"] == "rgb(255, 255, 255)") == (scheme == "light")


@pytest.mark.parametrize("path", [*PAGES, *MISSING])
@pytest.mark.parametrize(("width", "height", "scheme"), WINDOWS)
def test_nobody_meets_a_barrier(served, tab, axe, path, width, height, scheme):
    tab.open(served.url + path, width, height, scheme)
    tab.value(f"{axe}; 0")
    assert tab.value(BARRIERS, promised=True) == []


def test_a_barrier_would_be_found(served, tab, axe):
    tab.open(f"{served.url}/")
    tab.value(f"{axe}; document.querySelector('main').append(document.createElement('button')); 0")
    (found,) = tab.value(BARRIERS, promised=True)
    assert found.startswith("button-name")


def test_the_way_through_the_pages_by_their_links(served, tab):
    """From the landing page to an item, and back by the breadcrumbs, as people click."""
    tab.open(f"{served.url}/")
    for link in ("Collections", "Synthetic Sentinel-2-like scenes", "Items", "S2_20221020"):
        place = tab.value(f"[...document.links].find(a => a.textContent.trim() === {link!r}).href")
        tab.open(place)
    assert tab.value("document.querySelector('h1').textContent") == "S2_20221020"
    crumbs = tab.value("[...document.querySelectorAll('nav.crumbs a')].map(a => a.textContent)")
    assert crumbs == ["Home", "Collections", "S2", "Items"]
    tab.open(tab.value("[...document.querySelectorAll('nav.crumbs a')].at(-1).href"))
    tab.open(tab.value("document.querySelector('a[rel=next]').href"))
    assert tab.value("document.querySelectorAll('tbody tr').length") == 2


def test_forms_find_what_is_asked_for(served, tab):
    tab.open(f"{served.url}/collections/S2/items")
    tab.value("document.querySelector('#filter').value = 'eo:cloud_cover < 5'; 0")
    query = tab.value("new URLSearchParams(new FormData(document.querySelector('form'))).toString()")
    tab.open(f"{tab.value('document.forms[0].action')}?{query}")
    assert tab.value("document.querySelectorAll('tbody tr').length") == 4
    assert tab.value("document.querySelector('#filter').value") == "eo:cloud_cover < 5"


def test_people_log_in_and_look_at_their_jobs(served, tab, axe, ada):
    job = run(ada, SUM, title="Sums")
    tab.open(f"{served.url}/jobs")
    tab.open(tab.value("[...document.querySelectorAll('main a')].find(a => a.textContent === 'Log in').href"))
    tab.value(
        "document.getElementById('name').value = 'ada'; document.getElementById('password').value = 'ada'; 0"
    )
    left(tab, "document.querySelector('main form').submit()", "/jobs")
    for path in ("/jobs", f"/jobs/{job}"):
        for width, height, scheme in WINDOWS:
            tab.open(served.url + path, width, height, scheme)
            assert tab.complaints() == []
            assert tab.value(SHAPE)["wide"] <= width
            tab.value(f"{axe}; 0")
            assert tab.value(BARRIERS, promised=True) == []
    assert "Sums" in tab.value("document.querySelector('h1').textContent")
    left(tab, "document.querySelector('form.person').submit()", "/")
    tab.open(f"{served.url}/jobs")
    assert tab.value("document.querySelector('h1').textContent").startswith("401")
    ada.delete(f"/jobs/{job}")


def left(tab, script: str, path: str) -> None:
    """Have a form sent, and wait for the page that comes of it."""
    tab.value(f"{script}; 0")
    for _ in range(100):
        if tab.value("location.pathname + ' ' + document.readyState") == f"{path} complete":
            return
        time.sleep(0.1)
    raise AssertionError(f"{path} does not come")
