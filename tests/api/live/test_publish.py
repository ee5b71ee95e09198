"""Publishing over a WebSocket: logins, heartbeats, acknowledgements, and what closes a connection."""

from __future__ import annotations

import asyncio
import json

import pytest
import websockets
from websockets.exceptions import ConnectionClosed, InvalidStatus

from published import collection, item, message, until


def acks(socket, count: int) -> list[dict]:
    """So many acknowledgements."""
    found = []
    while len(found) < count:
        if (text := socket.recv(timeout=60)) != "heartbeat":
            found.append(json.loads(text))
    return found


def closed(socket) -> int:
    """Why the server closes a connection."""
    try:
        while True:
            socket.recv(timeout=60)
    except ConnectionClosed as ended:
        return ended.rcvd.code


def test_the_example_of_the_document(live):
    stac_items = [item(f"example-{n}") for n in range(3)]
    uri = live.served.url.replace("http", "ws") + "/publish/v1/"
    api_token = live.tokens["ada"]

    async def main():
        async with websockets.connect(
            uri=uri, additional_headers={"Authorization": f"Token {api_token}"}
        ) as websocket:
            await websocket.send(json.dumps(message(collection("cool-sat"))).encode())
            for stac_item in stac_items:
                text = {
                    "active_parent": "cool-sat",
                    "provider": "acme",
                    "subscribable": False,
                    "data": stac_item,
                }
                await websocket.send(json.dumps(text).encode())

    asyncio.run(main())
    with live.client() as anybody:
        place = "/collections/cool-sat/items"
        until(
            lambda: anybody.get(place).status_code == 200 and anybody.get(place).json()["numberMatched"] == 3
        )


def test_a_heartbeat_is_all_that_is_sent(live):
    with live.socket("/publish/v1/") as socket:
        socket.send(json.dumps(message(collection("beats"))))
        assert [socket.recv(timeout=60) for _ in range(2)] == ["heartbeat", "heartbeat"]


@pytest.mark.parametrize(
    "first", ['{{"Authorization": "Token {}"}}', "Token {}", "Bearer basic//{}", "{}", '"Token {}"']
)
@pytest.mark.parametrize("binary", [False, True])
def test_the_token_as_the_first_message(live, first, binary):
    text = first.format(live.tokens["ada"])
    with live.socket("/publish/v1/", None, subprotocols=["stac-publish.ack"]) as socket:
        socket.send(text.encode() if binary else text)
        socket.send(json.dumps(message(collection("first"))))
        assert acks(socket, 1)[0]["state"] == "accepted"


@pytest.mark.parametrize("first", ["Token wrong", "x", "{}", "{", "[1]", b"\xff", "", "Basic eA==", None])
def test_without_a_token_in_time_the_connection_is_closed(live, first):
    with live.socket("/publish/v1/", None) as socket:
        if first is not None:
            socket.send(first)
        assert closed(socket) == 1008


def test_handshakes_that_are_refused(live):
    for path, header in (
        ("/publish/v1", f"Token {live.tokens['ada']}"),
        ("/publish/v1/", "Token wrong"),
        ("/publish/v1/", "nonsense"),
        ("/publish/v1/", f"Token {live.tokens['eve']}"),
        ("/subscription/v1/ws/?package=sat", f"Token {live.tokens['eve']}"),
        ("/subscription/v1/ws/?package=none", f"Token {live.tokens['ada']}"),
        ("/nothing", f"Token {live.tokens['ada']}"),
    ):
        with (
            pytest.raises(InvalidStatus) as refused,
            live.socket(path, None, additional_headers={"Authorization": header}),
        ):
            pass
        assert refused.value.response.status_code == 403, (path, header)


def test_each_message_is_acknowledged_in_order(live):
    with live.publish() as socket:
        for text in (
            json.dumps(message(item("early"), "acked")),
            "{",
            json.dumps(message(collection("acked"))),
            json.dumps(message(item("late"), "acked")),
            json.dumps(message(item("x"), "acked", provider="beta")),
            '{"active_parent": null, "active_parent": null}',
            b"\xff\xfe",
        ):
            socket.send(text)
        found = acks(socket, 7)
    assert [a["n"] for a in found] == [1, 2, 3, 4, 5, 6, 7]
    states = ["pending", "rejected", "accepted", "accepted", "rejected", "rejected", "rejected"]
    assert [a["state"] for a in found] == states
    assert found[3]["id"] == "late"
    assert found[3]["collection"] == "acked"
    assert found[3]["seq"] > found[2]["seq"] + 1, "what waited came in between"
    assert "PermissionsInsufficient" in found[4]["reason"]
    with live.client("ada") as ada:
        log = ada.get("/publish/v1/log?limit=7").json()
    assert [e["state"] for e in log["entries"]] == [*reversed(states[1:]), "accepted"]
    assert log["counts"]["rejected"] >= 4


def test_the_log_is_the_callers_own(live):
    with live.client("eve", "Bearer") as eve:
        assert eve.get("/publish/v1/log").json() == {
            "counts": {"accepted": 0, "pending": 0, "rejected": 0}, "entries": [],
        }  # fmt: skip


def test_nonsense_in_a_row_ends_a_connection_and_sense_in_between_does_not(live):
    with live.publish("bob") as socket:
        for _ in range(9):
            socket.send("nonsense")
        socket.send(json.dumps(message(collection("bobs"))))
        for _ in range(9):
            socket.send("nonsense")
        assert len(acks(socket, 19)) == 19
        socket.send("nonsense")
        assert closed(socket) == 1007


def test_a_message_that_is_too_long_ends_a_connection(small):
    with small.publish() as socket:
        socket.send(json.dumps(message(collection("fits"))))
        assert acks(socket, 1)[0]["state"] == "accepted"
        socket.send(json.dumps(message(collection("long", title="x" * 5000))))
        assert closed(socket) == 1009


def test_a_publisher_has_so_many_connections(small):
    with small.publish() as first:
        with small.publish() as second:
            assert closed(second) == 1013
        with small.publish("bob") as other:
            other.send(json.dumps(message(collection("other"))))
            assert acks(other, 1)[0]["state"] == "accepted"
        first.send(json.dumps(message(collection("still"))))
        assert acks(first, 1)[0]["state"] == "accepted"
