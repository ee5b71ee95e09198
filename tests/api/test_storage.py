"""Objects over HTTP: what is stored, in which words it is told, who may, and that no more than pieces is held."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from urllib.parse import quote

import google_crc32c
import httpx
import pytest

import object_store
from api import incoming
from api.auth.passwords import hashed
from engine import Problem, User

ROOT = "/api/data/v0/storage"
SCENE = f"{ROOT}/catalog/s2/2024/02/11/scene/data.tiff"
COG = "image/tiff; application=geotiff; profile=cloud-optimized"
TEN = b"0123456789"


@pytest.fixture(scope="module")
def server(serve_with):
    """A server on which ada may write, and eve may read."""
    served = serve_with()
    served.backend.store.users.put(User("ada", roles=frozenset({"user", "storage_write"})))
    for name, role in (("eve", "storage_read"), ("bob", "user")):
        served.backend.store.users.put(User(name, roles=frozenset({role})), hashed(name))
    return served


@pytest.fixture(scope="module")
def writer(server):
    with server.client("ada") as client:
        yield client


@pytest.fixture(scope="module")
def reader(server):
    with server.client("eve") as client:
        yield client


@pytest.fixture
def scene(writer) -> str:
    """The address of an object of ten bytes."""
    assert writer.put(SCENE, content=TEN, headers={"Content-Type": COG}).status_code in (200, 201)
    return SCENE


def told(content: bytes) -> dict[str, str]:
    """The headers that tell of these bytes."""
    md5 = hashlib.md5(content).digest()
    return {
        "digest": f"md5={base64.urlsafe_b64encode(md5).decode()},crc32c={int(google_crc32c.value(content))}",
        "repr-digest": f"md5=:{base64.b64encode(md5).decode()}:",
        "etag": f'"{md5.hex()}-{len(content):x}"',
    }


def within(headers: httpx.Headers, expected: dict[str, str]) -> bool:
    return {name: headers.get(name) for name in expected} == expected


def test_an_object_comes_back_as_it_went(writer, reader):
    content = os.urandom(100_000)
    made = writer.put(f"{ROOT}/catalog/s2/new/{secrets.token_hex(4)}.webp", content=content)
    assert made.status_code == 201
    body = made.json()
    assert made.headers["location"] == body["href"]
    assert (body["size"], body["type"]) == (100_000, "image/webp")
    assert within(made.headers, told(content))
    assert body["digest"] == told(content)["digest"]
    found = reader.get(body["href"])
    assert (found.status_code, found.content, found.headers["content-type"]) == (200, content, "image/webp")
    assert within(found.headers, {**told(content), "content-length": "100000", "accept-ranges": "bytes"})
    assert found.headers["last-modified"].endswith("GMT")
    assert "no-transform" in found.headers["cache-control"]
    assert "content-encoding" not in found.headers
    again = writer.post(body["href"], content=b"new", headers={"Content-Type": COG})
    assert (again.status_code, again.json()["type"]) == (200, COG)
    assert reader.get(body["href"]).content == b"new"


def test_head_tells_without_reading(reader, scene, server, monkeypatch):
    monkeypatch.setattr(type(server.backend.storage.objects), "read", None)
    found = reader.head(scene)
    assert (found.status_code, found.content) == (200, b"")
    expected = {"content-length": "10", "content-type": COG, "accept-ranges": "bytes"}
    assert within(found.headers, {**told(TEN), **expected})
    part = reader.head(scene, headers={"Range": "bytes=2-3"})
    assert (part.status_code, part.headers["content-length"]) == (206, "2")


@pytest.mark.parametrize(
    ("asked", "content", "span"),
    [
        ("bytes=2-4", b"234", "2-4"), ("bytes=8-", b"89", "8-9"), ("bytes=-3", b"789", "7-9"), ("bytes=0-0", b"0", "0-0"),
        ("bytes=5-99", b"56789", "5-9"), ("bytes=-99", TEN, "0-9"),
    ],
)  # fmt: skip
def test_parts_are_given(reader, scene, asked, content, span):
    found = reader.get(scene, headers={"Range": asked})
    assert (found.status_code, found.content) == (206, content)
    assert within(found.headers, {**told(TEN), "content-range": f"bytes {span}/10", "content-type": COG})


@pytest.mark.parametrize("asked", ["bytes=0-1,3-4", "pages=1-2", "bytes 1-2"])
def test_what_is_not_one_part_is_all_of_it(reader, scene, asked):
    found = reader.get(scene, headers={"Range": asked})
    assert (found.status_code, found.content) == (200, TEN)


@pytest.mark.parametrize(
    ("asked", "status"),
    [("bytes=10-", 416), ("bytes=99-100", 416), ("bytes=-0", 416), ("bytes=3-1", 400), ("bytes=-", 400), ("bytes=x-1", 400)],
)  # fmt: skip
def test_parts_that_are_none(reader, scene, asked, status):
    found = reader.get(scene, headers={"Range": asked})
    assert (found.status_code, found.json()["status"]) == (status, status)
    assert found.headers.get("content-range") == ("bytes */10" if status == 416 else None)


def test_an_empty_object_has_no_parts(writer, reader):
    path = f"{ROOT}/catalog/s2/empty"
    assert writer.put(path).json()["size"] == 0
    assert (reader.get(path).status_code, reader.get(path).content) == (200, b"")
    assert within(reader.head(path).headers, {**told(b""), "content-length": "0"})
    assert reader.get(path, headers={"Range": "bytes=0-"}).status_code == 416


def test_what_the_client_has_is_not_sent(reader, scene):
    tag = told(TEN)["etag"]
    for tags in (tag, f'"other", W/{tag}', "*"):
        found = reader.get(scene, headers={"If-None-Match": tags})
        assert (found.status_code, found.content, found.headers["etag"]) == (304, b"", tag)
    assert reader.get(scene, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_part_is_of_the_version_that_was_begun(reader, scene):
    tag = told(TEN)["etag"]
    assert reader.get(scene, headers={"Range": "bytes=5-", "If-Range": tag}).status_code == 206
    whole = reader.get(scene, headers={"Range": "bytes=5-", "If-Range": '"older"'})
    assert (whole.status_code, whole.content) == (200, TEN)


def test_an_object_is_removed(writer, scene):
    assert writer.delete(scene).status_code == 204
    for answer in (writer.get(scene), writer.delete(scene)):
        assert (answer.status_code, answer.json()["code"]) == (404, "FileNotFound")
    assert writer.head(scene).status_code == 404


def test_only_who_may_does(server, reader, scene):
    with server.client() as nobody, server.client("bob") as bob:
        for path in (scene, f"{scene}.not"):
            for method in ("GET", "HEAD", "PUT", "POST", "DELETE"):
                assert nobody.request(method, path).status_code == 401
                refused = bob.request(method, path)
                assert refused.status_code == 403
                assert method == "HEAD" or refused.json()["code"] == "PermissionsInsufficient"
        for method in ("PUT", "POST", "DELETE"):
            assert reader.request(method, scene).status_code == 403
        assert reader.get(f"{scene}.not").status_code == 404
    assert reader.get(scene).content == TEN


@pytest.mark.parametrize("path", ["project/p/item/a.tif", "catalog/s2", "a"])
def test_only_objects_of_collections_are_there(writer, path):
    assert writer.put(f"{ROOT}/{path}", content=b"x").status_code == 403


@pytest.mark.parametrize(
    "path", ["", "catalog/s2/%2e%2e/x", "catalog/s2/a%2f%2fb", "catalog/s2/a%5cb", "catalog/s2/" + "x" * 201, "catalog/s2/a%7fb"]
)  # fmt: skip
def test_paths_that_can_be_none(writer, path):
    for method in ("PUT", "GET", "DELETE"):
        answer = writer.request(method, f"{ROOT}/{path}")
        assert (answer.status_code, answer.json()["code"]) == (400, "FilePathInvalid")


def test_names_are_kept(writer):
    for name in ("grüße.txt", "with space.txt", "100%.txt", "a+b&c=d#e?.txt"):
        made = writer.put(f"{ROOT}/catalog/s2/{quote(name)}", content=b"x")
        assert made.json()["path"] == f"catalog/s2/{name}"
        assert writer.get(made.json()["href"]).content == b"x"


@pytest.mark.parametrize(
    ("header", "value"),
    [("Content-Type", "no type"), ("Content-Type", "a/b\x1f"), ("Content-Encoding", "gzip"), ("Content-Range", "bytes 0-1/2")],
)  # fmt: skip
def test_what_cannot_be_stored_as_it_is(writer, header, value):
    answer = writer.put(f"{ROOT}/catalog/s2/odd", content=b"x", headers={header: value})
    assert answer.status_code == 400
    assert writer.get(f"{ROOT}/catalog/s2/odd").status_code == 404


def test_objects_are_limited(server, writer, monkeypatch):
    monkeypatch.setitem(server.backend.settings.__dict__, "max_object_bytes", 5000)
    path = f"{ROOT}/catalog/s2/long"
    for content in (b"x" * 6000, (b"x" * 1000 for _ in range(6))):
        refused = writer.put(path, content=content)
        assert (refused.status_code, refused.json()["code"]) == (413, "PayloadTooLarge")
    assert writer.get(path).status_code == 404
    assert writer.put(path, content=b"x" * 5000).status_code == 201
    monkeypatch.setitem(server.backend.settings.__dict__, "max_body_bytes", 1000)
    assert writer.put(path, content=b"x" * 4000).status_code == 200
    assert writer.post(path, content=b"x" * 4000).status_code == 200
    assert writer.post("/validation", content=b"x" * 4000).status_code == 413
    writer.delete(path)


def test_objects_count_to_the_quota(server, writer, monkeypatch):
    ada = User("ada")
    path = f"{ROOT}/catalog/s2/mine"
    used = server.backend.files(ada).used()
    monkeypatch.setitem(server.backend.settings.__dict__, "storage_bytes", used + 5000)
    assert writer.put(path, content=b"x" * 3000).status_code == 201
    assert server.backend.files(ada).used() == used + 3000
    assert writer.get("/me").json()["storage"]["free"] == 2000
    for content in (b"x" * 3000, (b"x" * 1000 for _ in range(3))):
        refused = writer.put(f"{path}2", content=content)
        assert (refused.status_code, refused.json()["code"]) == (400, "StorageQuotaExceeded")
    assert writer.put("/files/a.bin", content=b"x" * 2001).json()["code"] == "StorageQuotaExceeded"
    assert writer.put(f"{path}2", content=b"x" * 2000).status_code == 201
    assert writer.put(f"{path}3", content=b"").json()["code"] == "StorageQuotaExceeded"
    for name in (path, f"{path}2"):
        assert writer.delete(name).status_code == 204
    assert server.backend.files(ada).used() == used


@pytest.mark.parametrize("told_before", [True, False])
def test_uploads_side_by_side_keep_to_the_quota_together(server, monkeypatch, told_before):
    ada, each, many = User("ada"), 3 * 2**20, 5
    used = server.backend.files(ada).used()
    monkeypatch.setitem(server.backend.settings.__dict__, "storage_bytes", used + 2 * each + 2**20)
    barrier = Barrier(many)

    def body():
        yield b"x" * 100
        barrier.wait(30)  # by now all of them are under way
        yield b"x" * (each - 100)

    def put(n: int) -> tuple[int, str]:
        headers = {"Content-Length": str(each)} if told_before else {}
        with server.client("ada") as client:
            answer = client.put(f"{ROOT}/catalog/s2/beside{n}", content=body(), headers=headers)
        return answer.status_code, answer.json().get("code", "")

    with ThreadPoolExecutor(many) as pool:
        answers = list(pool.map(put, range(many)))
    stored = [n for n, (status, _) in enumerate(answers) if status == 201]
    assert {code for _, code in answers} == {"", "StorageQuotaExceeded"}
    assert 1 <= len(stored) <= 2
    assert server.backend.files(ada).used() == used + len(stored) * each
    monkeypatch.undo()
    with server.client("ada") as client:
        for n in stored:
            client.delete(f"{ROOT}/catalog/s2/beside{n}").raise_for_status()


def test_bodies_pass_in_pieces(server, writer, reader, monkeypatch):
    """No piece is larger than what is gathered and one message of the server, on the way in and out."""
    sizes: list[int] = []
    objects = type(server.backend.storage.objects)
    put, read = objects.put, objects.read

    def counted(chunks):
        for chunk in chunks:
            sizes.append(len(chunk))
            yield chunk

    monkeypatch.setattr(
        objects, "put", lambda self, path, chunks, *a, **k: put(self, path, counted(chunks), *a, **k)
    )
    monkeypatch.setattr(objects, "read", lambda *a, **k: counted(read(*a, **k)))
    content = os.urandom(10 * 2**20)
    writer.put(SCENE, content=content)
    assert sum(sizes) == len(content)
    assert max(sizes) < incoming.PIECE + 2**18
    assert len(sizes) >= 8
    sizes.clear()
    assert reader.get(SCENE).content == content
    assert max(sizes) <= 2**18
    assert sum(sizes) == len(content)


def test_what_is_not_whole_is_not_there(server, writer):
    path = f"{ROOT}/catalog/s2/half"

    def breaking():
        yield b"x" * 3_000_000
        raise OSError("the line is dead")

    with pytest.raises(OSError, match="dead"):
        writer.put(path, content=breaking())
    assert writer.get(path).status_code == 404
    uploads = server.backend.settings.home / "objects" / ".uploads"
    give_up = time.monotonic() + 10
    while list(uploads.iterdir()) and time.monotonic() < give_up:
        time.sleep(0.05)
    assert list(uploads.iterdir()) == []


def test_who_sends_nothing_is_not_waited_for(writer, monkeypatch):
    given_up = Event()

    class Watched(Problem):
        def __init__(self, code, *rest, **more):
            super().__init__(code, *rest, **more)
            given_up.set()

    monkeypatch.setattr(incoming, "IDLE", 0.2)
    monkeypatch.setattr(incoming, "Problem", Watched)

    def slow():
        yield b"x"
        assert given_up.wait(30), "the server waits for more"
        yield b"y"

    try:
        answer = writer.put(f"{ROOT}/catalog/s2/slow", content=slow())
        assert (answer.status_code, answer.json()["code"]) == (408, "RequestTimeout")
    except httpx.TransportError:  # the server has closed the line before the rest was sent
        pass
    monkeypatch.undo()
    assert writer.get(f"{ROOT}/catalog/s2/slow").status_code == 404


def test_browsers_may_ask(server):
    with server.client() as nobody:
        answer = nobody.options(SCENE)
    assert answer.status_code == 204
    assert answer.headers["allow"] == "DELETE, GET, HEAD, POST, PUT, OPTIONS"
    assert "Digest" in answer.headers["access-control-expose-headers"]


def test_pages_of_users_do_nothing_in_a_browser(writer, reader):
    writer.put(
        f"{ROOT}/catalog/s2/page.html", content=b"<script>x</script>", headers={"Content-Type": "text/html"}
    )
    found = reader.get(f"{ROOT}/catalog/s2/page.html").headers
    assert "sandbox" in found["content-security-policy"]
    assert found["x-content-type-options"] == "nosniff"


def test_the_object_store_itself_may_give_them(serve_with, tmp_path, monkeypatch):
    if object_store.program() is None:
        pytest.skip(object_store.MISSING)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ours")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    with object_store.started(tmp_path) as s3:
        place = {"storage": f"s3://{object_store.BUCKET}/o", "s3_endpoint": s3.url, "s3_region": "us-east-1"}
        for redirect in (False, True):
            served = serve_with(**place, storage_redirect=redirect)
            served.backend.store.users.put(User("ada", roles=frozenset({"admin"})))
            with served.client("ada") as client:
                assert client.put(SCENE, content=TEN, headers={"Content-Type": COG}).status_code == 201
                assert within(client.head(SCENE).headers, {**told(TEN), "content-length": "10"})
                found = client.get(SCENE)
                if redirect:
                    assert found.status_code == 307
                    found = httpx.get(found.headers["location"], headers={"Range": "bytes=2-3"})
                    assert (found.status_code, found.content) == (206, b"23")
                else:
                    assert (found.status_code, found.content) == (200, TEN)
        s3.ask("DELETE", f"{object_store.BUCKET}/o/catalog/s2/2024/02/11/scene/data.tiff")
        with served.client("ada") as client:
            assert client.get(SCENE).status_code == 404
