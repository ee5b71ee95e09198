"""kill -9 of a server in the middle of publishing: nothing that was acknowledged is lost, and nothing is told twice."""

from __future__ import annotations

import json
import random
import time
from contextlib import closing, suppress

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from engine import Backend, Settings, User
from engine.catalog import Catalog
from gdc import Server
from published import collection, item, message

KILLS, MOST, SEED = 8, 5000, 20261127


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_nothing_acknowledged_is_lost(tmp_path):
    shared = {
        "home": tmp_path, "job_slots": 0, "publish_heartbeat": 3600, "organisations": '[{"id": "acme", "members": ["ada"]}]',
        "packages": '[{"name": "all"}]',
    }  # fmt: skip
    with closing(Backend(Settings(home=tmp_path, job_slots=0))) as backend:
        backend.store.users.put(User("ada"))
        token = backend.store.users.log_in("ada", 36_000)
    chance, acknowledged, number = random.Random(SEED), {}, 0
    headers = {"Authorization": f"Token {token}"}
    for _ in range(KILLS):
        server = Server(**shared).ready()
        place = server.url.replace("http", "ws", 1) + "/publish/v1/"
        with (
            suppress(ConnectionClosed, ConnectionError, TimeoutError),
            connect(place, additional_headers=headers, subprotocols=["stac-publish.ack"]) as socket,
        ):
            socket.send(json.dumps(message(collection("sat"))))
            end = len(acknowledged) + chance.randint(1, 400)
            sent, first = [], number
            for number in range(first, first + MOST):
                socket.send(json.dumps(message(item(f"i{number}"), "sat")))
                sent.append(number)
                while len(sent) > 200:  # no more than that is under way
                    told = json.loads(socket.recv(timeout=60))
                    if told["collection"] is not None:
                        assert told["state"] == "accepted"
                        acknowledged[told["id"]] = told["seq"]
                        sent.pop(0)
                if len(acknowledged) >= end:
                    break
            time.sleep(chance.uniform(0, 0.05))
            server.kill()
            while True:
                told = json.loads(socket.recv(timeout=60))
                acknowledged[told["id"]] = told["seq"]
        server.kill()
        number += 1
    with closing(Catalog(tmp_path / "catalog.sqlite")) as catalog:
        every, after = [], 0
        while some := catalog.events(after):
            every += some
            after = some[-1].seq
    kept = {e.item: e.seq for e in every if e.item is not None}
    assert len(acknowledged) > KILLS
    assert {id_: kept.get(id_) for id_ in acknowledged} == acknowledged
    assert len(kept) == len([e for e in every if e.item is not None]), "none was written twice"
    server = Server(**shared).ready()
    follower = {**headers, "Last-Event-ID": "0"}
    with httpx.stream(
        "GET", f"{server.url}/subscription/v1/?package=all", headers=follower, timeout=60
    ) as answer:
        numbers = []
        for line in answer.iter_lines():
            if line.startswith("id: ") and line != "id: 0":
                numbers.append(int(line.removeprefix("id: ")))
            if len(numbers) == len(kept):
                break
        assert numbers == sorted(kept.values())
        log = httpx.get(f"{server.url}/publish/v1/log", headers=headers, timeout=60).json()
        assert log["counts"]["accepted"] == len(every)
        assert server.stop() in (0, -15), "one that follows keeps no server from its end"
