"""Files of users: what is stored, where it may lie, and how much of it."""

from __future__ import annotations

import hashlib
import os
from urllib.parse import quote

import pytest

from engine import Problem, Settings
from engine.files import Files


@pytest.fixture
def tidy(ada, bob):
    """Nobody has files before or after."""
    yield
    for client in (ada, bob):
        for file in client.get("/files").json()["files"]:
            assert client.delete(f"/files/{quote(file['path'])}").status_code == 204


def test_a_file_comes_back_as_it_went(ada, tidy):
    content = os.urandom(3_000_000)
    answer = ada.put("/files/deep/er/noise.bin", content=content)
    assert answer.status_code == 200
    assert answer.json()["path"] == "deep/er/noise.bin"
    assert answer.json()["size"] == 3_000_000
    found = ada.get("/files/deep/er/noise.bin")
    assert hashlib.sha256(found.content).digest() == hashlib.sha256(content).digest()
    assert found.headers["content-disposition"] == 'attachment; filename="noise.bin"'
    part = ada.get("/files/deep/er/noise.bin", headers={"Range": "bytes=1000-1999"})
    assert (part.status_code, part.content) == (206, content[1000:2000])


def test_the_list_is_flat_and_in_pages(ada, tidy):
    for path in ("b/2.txt", "a.txt", "b/1.txt"):
        ada.put(f"/files/{path}", content=path)
    answer = ada.get("/files")
    assert [f["path"] for f in answer.json()["files"]] == ["a.txt", "b/1.txt", "b/2.txt"]
    page = ada.get("/files", params={"limit": 2}).json()
    assert [f["path"] for f in page["files"]] == ["a.txt", "b/1.txt"]
    assert "next" in {link["rel"] for link in page["links"]}


def test_a_file_is_replaced(ada, tidy):
    ada.put("/files/a.txt", content="old and long")
    ada.put("/files/a.txt", content="new")
    assert ada.get("/files/a.txt").text == "new"
    assert len(ada.get("/files").json()["files"]) == 1


@pytest.mark.parametrize("path", ["grüße.txt", "with space.txt", "100%.txt", "a+b&c=d#e?.txt", "日本/語.nc"])
def test_names_are_kept(ada, tidy, path):
    assert ada.put(f"/files/{quote(path)}", content="x").json()["path"] == path
    assert ada.get("/files").json()["files"][0]["path"] == path
    assert ada.get(f"/files/{quote(path)}").text == "x"


@pytest.mark.parametrize(
    "path",
    [
        "..%2fout.txt",
        "a/%2e%2e/%2e%2e/out.txt",
        "%2e/x",
        "a%2f%2fb",
        "a/",
        "a%5cb",
        "x" * 256,
        "/".join(["y" * 200] * 6),
    ],
)
def test_paths_that_can_be_none(ada, bob, tidy, path):
    for answer in (
        ada.put(f"/files/{path}", content="x"),
        ada.get(f"/files/{path}"),
        ada.delete(f"/files/{path}"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (400, "FilePathInvalid")
    assert ada.get("/files").json()["files"] == []


def test_folders_are_no_files(ada, tidy):
    ada.put("/files/a/b.txt", content="x")
    assert ada.get("/files/a").json()["code"] == "FileOperationUnsupported"
    assert ada.delete("/files/a").json()["code"] == "FileOperationUnsupported"
    assert ada.put("/files/a", content="x").json()["code"] == "FilePathInvalid"
    assert ada.put("/files/a/b.txt/c", content="x").json()["code"] == "FilePathInvalid"
    assert [f["path"] for f in ada.get("/files").json()["files"]] == ["a/b.txt"]


def test_folders_end_with_their_last_file(ada, served, tidy):
    ada.put("/files/a/b/c.txt", content="x")
    ada.delete("/files/a/b/c.txt")
    assert not list((served.backend.settings.of_user("ada").home / "files").iterdir())
    assert ada.delete("/files/a/b/c.txt").json()["code"] == "FileNotFound"


def test_what_is_not_whole_is_not_there(ada, served, tidy):
    def breaking():
        yield b"x" * 70_000
        raise OSError("the line is dead")

    with pytest.raises(OSError, match="dead"):
        ada.put("/files/half.txt", content=breaking())
    assert ada.get("/files").json()["files"] == []


def test_no_more_than_the_quota(ada, bob, served, monkeypatch, tidy):
    free = ada.get("/me").json()["storage"]["free"]
    monkeypatch.setitem(
        served.backend.settings.__dict__,
        "storage_bytes",
        10_000 + served.backend.files(served.backend.store.users.get("ada")).used(),
    )
    assert ada.put("/files/a.bin", content=b"x" * 6_000).status_code == 200
    refused = ada.put("/files/b.bin", content=b"x" * 6_000)
    assert (refused.status_code, refused.json()["code"]) == (400, "StorageQuotaExceeded")
    assert [f["path"] for f in ada.get("/files").json()["files"]] == ["a.bin"]
    assert ada.get("/me").json()["storage"]["free"] == 4_000
    assert free > 4_000


def test_files_side_by_side_keep_to_the_quota_together(tmp_path):
    mine = Files(Settings(home=tmp_path, storage_bytes=100), "ada")

    def upload_both() -> None:
        with mine.upload("a") as first:
            with mine.upload("b") as second:
                first.write(b"x" * 40)
                second.write(b"x" * 60)
            first.write(b"x")

    with pytest.raises(Problem, match="more than 100 bytes"):
        upload_both()
    assert [file.path for file in mine.all()] == ["b"]


def test_links_lead_nowhere(tmp_path):
    mine = Files(Settings(home=tmp_path), "ada")
    with mine.upload("a.txt") as file:
        file.write(b"x")
    secret = tmp_path / "secret.txt"
    secret.write_text("hush")
    (tmp_path / "users" / "ada" / "files" / "link").symlink_to(secret)
    with pytest.raises(Problem, match="leads out"):
        mine.place("link")


def test_graphs_load_them(ada, tidy):
    image = ada.post("/result", json={"process": {"process_graph": {
        "l": {"process_id": "load_collection", "arguments": {
            "id": "S2", "bands": ["B04"], "spatial_extent": None, "temporal_extent": ["2022-06-01", "2022-06-10"]}},
        "m": {"process_id": "reduce_dimension", "arguments": {"data": {"from_node": "l"}, "dimension": "t", "reducer": {
            "process_graph": {"x": {"process_id": "max", "arguments": {"data": {"from_parameter": "data"}}, "result": True}}}}},
        "s": {"process_id": "save_result", "arguments": {"data": {"from_node": "m"}, "format": "GTiff"}, "result": True}}}})  # fmt: skip
    assert image.status_code == 200
    assert ada.put("/files/own/june.tif", content=image.content).status_code == 200
    loaded = {"process": {"process_graph": {
        "l": {"process_id": "load_uploaded_files", "arguments": {"paths": ["own/june.tif"], "format": "GTiff"}},
        "s": {"process_id": "save_result", "arguments": {"data": {"from_node": "l"}, "format": "GTiff"}, "result": True}}}}  # fmt: skip
    again = ada.post("/result", json=loaded)
    assert again.status_code == 200
    import rasterio

    with (
        rasterio.MemoryFile(image.content) as a,
        rasterio.MemoryFile(again.content) as b,
        a.open() as x,
        b.open() as y,
    ):
        assert (x.read() == y.read()).all()


def test_files_of_others_are_not_there(ada, bob, tidy):
    ada.put("/files/mine.txt", content="hush")
    assert bob.get("/files/mine.txt").json()["code"] == "FileNotFound"
    assert bob.delete("/files/mine.txt").json()["code"] == "FileNotFound"
    assert bob.get("/files").json()["files"] == []


def test_bodies_are_limited_but_those_of_files(ada, served, monkeypatch, tidy):
    monkeypatch.setitem(served.backend.settings.__dict__, "max_body_bytes", 50_000)
    long = "x" * 60_000
    refused = ada.post("/jobs", json={"title": long, "process": {"process_graph": {}}})
    assert (refused.status_code, refused.json()["code"]) == (413, "PayloadTooLarge")
    assert ada.put("/files/long.txt", content=long).status_code == 200


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ("bytes=100-200", 416, "RangeNotSatisfiable"),
        ("bytes=3-1", 400, "BadRequest"),
        ("pages=1-2", 400, "BadRequest"),
        ("bytes", 400, "BadRequest"),
    ],
)
def test_ranges_that_a_file_has_not_are_refused_as_all_else_is(ada, asked, status, code):
    ada.put("/files/ten.txt", content="0123456789")
    answer = ada.get("/files/ten.txt", headers={"Range": asked})
    assert (answer.status_code, answer.json()["code"], answer.json()["status"]) == (status, code, status)
    assert answer.headers.get("content-range") == ("bytes */10" if status == 416 else None)
    assert ada.get("/files/ten.txt", headers={"Range": "bytes=2-3"}).content == b"23"
    ada.delete("/files/ten.txt")
