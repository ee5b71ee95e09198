"""Texts of strangers are shown as texts, and shapes are drawn where they are."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.html.maps import WIDTH, drawn
from api.html.words import brief, by_standard, kind, paragraphs, value, web


class Elements(HTMLParser):
    """Collects which elements a text has, and where its links lead."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.places: list[str] = []
        self.attributes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.places += [place for name, place in attrs if name == "href"]


@given(st.text(alphabet="<>&\"'`*[]()/:a \n-") | st.text())
def test_a_description_has_no_elements_but_ours(text):
    found = Elements(str(paragraphs(text)) + str(brief(text)))
    assert found.names <= {"p", "ul", "ol", "li", "code", "pre", "strong", "em", "a"}
    assert found.attributes <= {"href", "title", "start", "class"}
    assert all(re.match("https?://", place, re.IGNORECASE) for place in found.places)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a **b** *c* `d`", "<p>a <strong>b</strong> <em>c</em> <code>d</code></p>"),
        ("one\n\ntwo", "<p>one</p>\n<p>two</p>"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("[x](https://a.example/?b=1&c=2)", '<p><a href="https://a.example/?b=1&amp;c=2">x</a></p>'),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>"),
        ("2 * 3 * 4", "<p>2 * 3 * 4</p>"),
        (
            "<b>a</b> ![b](https://a.example/b.png)",
            '<p>&lt;b&gt;a&lt;/b&gt; !<a href="https://a.example/b.png">b</a></p>',
        ),
        ("# a", "<p># a</p>"),
    ],
)
def test_marks_of_descriptions(text, shown):
    assert paragraphs(text) == shown


def test_values_and_types_in_words():
    assert value(["a", 1]) == "a, 1"
    assert value({"a": None}) == '{"a": null}'
    assert len(value("a" * 1000)) < 500
    assert kind(
        [{"type": "number"}, {"type": ["string", "null"]}, {"subtype": "datacube", "type": "object"}, {}]
    ) == ("number or string or null or datacube or anything")
    assert web("https://a.example") == "https://a.example"
    assert web("javascript:alert(1)") == web("/etc/passwd") == web(None) == ""
    uris = [
        "http://www.opengis.net/spec/cql2/1.0/conf/cql2-text",
        "https://api.openeo.org/1.2.0",
        "http://www.opengis.net/spec/cql2/1.0/conf/x",
    ]
    assert [(name, len(some)) for name, some in by_standard(uris)] == [("cql2", 2), ("api.openeo.org", 1)]


def corners(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML](\S+) (\S+)", path)]


def test_a_box_is_drawn_between_its_meridians_and_parallels():
    shown = drawn([[10, 50, 12, 51]])
    xs, ys = zip(*corners(shown.paths[0]), strict=True)
    lines = {line.label: line.at for line in (*shown.meridians, *shown.parallels)}
    assert (min(xs), max(xs)) == pytest.approx((lines["10° E"], lines["12° E"]), abs=0.11)
    assert (max(ys), min(ys)) == pytest.approx((lines["50° N"], lines["51° N"]), abs=0.11)
    assert 0 < min(xs) < max(xs) < WIDTH
    assert 0 < min(ys) < max(ys) < shown.height


def test_what_crosses_the_antimeridian_is_drawn_in_one_piece():
    for shapes in ([[170, -10, -170, 10]], [[175, -10, 180, 10], [-180, -10, -175, 10]]):
        shown = drawn(shapes)
        assert any(line.label == "180°" for line in shown.meridians)
        xs = [x for path in shown.paths for x, _ in corners(path)]
        assert max(xs) - min(xs) > WIDTH / 4


@given(
    st.lists(
        st.tuples(*(st.floats(-180, 180),) * 2, *(st.floats(-90, 90),) * 2).map(
            lambda v: [v[0], min(v[2:]), v[1], max(v[2:])]
        ),
        max_size=5,
    )
)
def test_all_boxes_can_be_drawn(boxes):
    shown = drawn(boxes)
    assert (shown is None) == (not boxes)
    if shown:
        assert len(shown.paths) + len(shown.dots) == len(boxes)
        assert len(shown.meridians) + len(shown.parallels) < 40
        for x, y in [*(c for path in shown.paths for c in corners(path)), *shown.dots]:
            assert 0 <= x <= WIDTH
            assert 0 <= y <= shown.height


def test_other_shapes_and_none():
    polygon = {"type": "Polygon", "coordinates": [[[0, 0, 5], [2, 0, 5], [2, 1, 5], [0, 0, 5]]]}
    point = {"type": "Point", "coordinates": [1, 1]}
    shown = drawn(
        [
            {"type": "GeometryCollection", "geometries": [polygon, point]},
            point,
            None,
            {"type": "Polygon", "coordinates": []},
        ]
    )
    assert (len(shown.paths), len(shown.dots)) == (1, 1)
    assert drawn([None]) is None
