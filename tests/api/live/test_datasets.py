"""The data of packages: in pages, as a stream, and one by one."""

from __future__ import annotations

import json

import pytest

from published import collection, item, message
from tests.api.live.test_publish import acks

COUNT = 120


@pytest.fixture(scope="module")
def filled(start):
    """A server with so many items, one a minute, in two collections of a package."""
    made = start()
    with made.publish() as socket:
        socket.send(json.dumps(message(collection("sat", "Catalog"))))
        for home in ("a", "b"):
            socket.send(json.dumps(message(collection(home), "sat")))
        socket.send(json.dumps(message(collection("other"))))
        socket.send(json.dumps(message(item("foreign"), "other")))
        for n in range(COUNT):
            doc = item(f"i{n:03}", datetime=f"2025-01-01T{n // 60:02}:{n % 60:02}:00Z")
            socket.send(json.dumps(message(doc, "ab"[n % 2])))
        assert {a["state"] for a in acks(socket, COUNT + 5)} == {"accepted"}
    return made


@pytest.mark.parametrize("order", ["new", "old"])
def test_pages_forth_and_back(filled, order):
    expected = [f"i{n:03}" for n in range(COUNT)]
    if order == "new":
        expected.reverse()
    with filled.client("ada") as ada:
        pages, place = [], f"/api/dataset/v1/sat/paginate/?order={order}"
        while place:
            answer = ada.get(place)
            assert answer.headers["content-type"] == "application/geo+json"
            page = answer.json()
            links = {link["rel"]: link["href"] for link in page["links"]}
            pages.append((page, links))
            place = links.get("next")
        assert [f["id"] for page, _ in pages for f in page["features"]] == expected
        assert [len(page["features"]) for page, _ in pages] == [50, 50, 20]
        assert "prev" not in pages[0][1]
        back, place = [], pages[-1][1]["prev"]
        while place:
            page = ada.get(place).json()
            back.insert(0, [f["id"] for f in page["features"]])
            links = {link["rel"]: link["href"] for link in page["links"]}
            place = links.get("prev")
        assert back == [expected[:50], expected[50:100]]
        assert [f["id"] for f in ada.get(links["next"]).json()["features"]] == expected[50:100]


def test_a_stream_has_one_item_a_line(filled):
    times = "from=2025-01-01T00:30:00Z&to=2025-01-01T00:39:00Z&order=old"
    with filled.client("ada") as ada:
        answer = ada.get("/api/dataset/v1/sat/stream/")
        assert [json.loads(line)["id"] for line in answer.text.splitlines()] == [
            f"i{n:03}" for n in reversed(range(COUNT))
        ]
        some = ada.get(f"/api/dataset/v1/sat/stream/?{times}").text.splitlines()
        assert [json.loads(line)["id"] for line in some] == [f"i{n:03}" for n in range(30, 40)]


def test_one_item(filled):
    with filled.client("ada") as ada:
        assert ada.get("/api/item/v1/sat").json()["id"] == f"i{COUNT - 1:03}"
        assert ada.get("/api/item/v1/sat?id=i007").json()["id"] == "i007"
        assert ada.get("/api/item/v1/sat?id=foreign").status_code == 404
        assert ada.get("/api/item/v1/all?id=foreign").json()["collection"] == "other"


def test_who_may_not_and_what_is_refused(filled):
    with filled.client() as nobody, filled.client("eve") as eve, filled.client("ada") as ada:
        for path in ("dataset/v1/{}/paginate/", "dataset/v1/{}/stream/", "item/v1/{}"):
            assert nobody.get("/api/" + path.format("sat")).status_code == 401
            assert eve.get("/api/" + path.format("sat")).status_code == 403
            assert ada.get("/api/" + path.format("none")).status_code == 404
        for query in ("order=odd", "from=yesterday", "token=x", "before=x"):
            assert ada.get(f"/api/dataset/v1/sat/paginate/?{query}").status_code == 400
