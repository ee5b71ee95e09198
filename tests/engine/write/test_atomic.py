"""All of a result is published or nothing: streams that break, full disks, names that are taken."""

from __future__ import annotations

import errno
import hashlib
import os
import resource
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from engine.errors import Problem
from engine.write import pour, write
from engine.write.atomic import staging, storing


class StreamBrokeError(Exception):
    """What a test's stream raises midway."""


def breaking(blocks, after, error):
    def stream(cube):
        for number, pair in enumerate(blocks(cube)):
            if number == after:
                raise error
            yield pair

    return stream


@pytest.mark.parametrize("lasting", [True, False])
@pytest.mark.parametrize("after", [0, 1])
def test_a_stream_that_breaks_leaves_nothing(any_result, stream, tmp_path, left_in, after, lasting):
    name, cube = any_result
    broken = breaking(stream, after, StreamBrokeError())
    with pytest.raises(StreamBrokeError):
        write(cube, tmp_path / "new" / "folder" / name, stream=broken, lasting=lasting)
    assert left_in(tmp_path) == []


def test_what_is_sent_on_lies_alone_in_its_place(any_result, stream, tmp_path):
    name, cube = any_result
    write(cube, tmp_path / "kept" / name, stream=stream)
    sent = write(cube, tmp_path / "sent" / name, stream=stream, lasting=False)
    assert sent.item == {}
    assert (
        {asset.href for asset in sent.assets}
        == {
            tmp_path / "sent" / place.name
            for place in (tmp_path / "kept").iterdir()
            if "stac" not in place.name
        }
        == set((tmp_path / "sent").iterdir())
    )
    ours, theirs = (
        {path.relative_to(tmp_path / folder): path.stat().st_size for path in (tmp_path / folder).rglob("*")}
        for folder in ("sent", "kept")
    )
    assert ours.items() <= theirs.items()  # NetCDF and Zarr tell when they were written, so that bytes differ


def test_what_is_sent_on_replaces_nothing_unless_it_may(any_result, stream, tmp_path):
    name, cube = any_result
    write(cube, tmp_path / name, stream=stream)
    before = digests(tmp_path)
    with pytest.raises(Problem, match="exists already"):
        write(cube, tmp_path / name, stream=stream, lasting=False)
    assert digests(tmp_path) == before
    with pytest.raises(StreamBrokeError):
        write(
            cube,
            tmp_path / name,
            stream=breaking(stream, 0, StreamBrokeError()),
            lasting=False,
            overwrite=True,
        )
    assert digests(tmp_path) == before


def test_a_stream_that_is_given_up_is_closed(make_cube, stream, tmp_path, monkeypatch):
    """It may hold threads and connections."""
    closed = []

    def holding(cube):
        try:
            yield from stream(cube)
        finally:
            closed.append(True)

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pour.Ledger, "note", full)
    with pytest.raises(Problem, match="No space left") as caught:
        write(make_cube(chunks={"y": 16}), tmp_path / "out.nc", stream=holding)
    assert caught.value.__cause__.__traceback__ is not None  # it still holds the frames
    assert closed == [True]


def test_a_full_disk_below_the_stream_is_a_storage_failure(any_result, stream, tmp_path, left_in):
    name, cube = any_result
    full = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(Problem, match="No space left") as caught:
        write(cube, tmp_path / name, stream=breaking(stream, 1, full))
    assert caught.value.code == "StorageFailure"
    assert left_in(tmp_path) == []


@pytest.mark.parametrize("call", ["fsync", "rename"])
def test_a_disk_that_fills_at_publication_leaves_nothing(
    any_result, stream, tmp_path, left_in, monkeypatch, call
):
    name, cube = any_result

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(*((os, "fsync") if call == "fsync" else (Path, "rename")), full)
    with pytest.raises(Problem, match="No space left"):
        write(cube, tmp_path / name, stream=stream)
    monkeypatch.undo()
    assert left_in(tmp_path) == []


@contextmanager
def no_file_beyond(size):
    """The real thing without a small disk: the kernel refuses to let any file grow beyond a size, a log included."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("limit", [0, 1_000, 8_000, 30_000])
def test_files_that_may_not_grow_are_not_published(any_result, stream, tmp_path, left_in, limit):
    """Either a whole result or a named failure with nothing left, wherever the disk ends."""
    name, cube = any_result
    failure = None
    try:
        with no_file_beyond(limit):
            write(cube, tmp_path / name, stream=stream)
    except Problem as problem:
        failure = problem
    if failure is not None:
        assert failure.code == "StorageFailure"
        assert str(tmp_path) not in failure.message
        assert left_in(tmp_path) == []
    else:
        assert limit > 1_000
        assert max(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) <= limit


def test_a_name_that_is_taken_is_refused_before_anything_is_streamed(any_result, stream, tmp_path, left_in):
    name, cube = any_result
    write(cube, tmp_path / name, stream=stream)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    with pytest.raises(Problem, match="exists already") as caught:
        write(cube, tmp_path / name, stream=breaking(stream, 0, StreamBrokeError()))
    assert caught.value.code == "FilePathInvalid"
    assert "overwrite" in caught.value.hint
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_overwriting_replaces_and_leaves_no_trace(any_result, stream, tmp_path, left_in):
    name, cube = any_result
    write(cube, tmp_path / name, stream=stream)
    names = left_in(tmp_path)
    inodes = {path.stat().st_ino for path in tmp_path.iterdir()}
    write(cube, tmp_path / name, stream=stream, overwrite=True)
    assert left_in(tmp_path) == names
    assert inodes.isdisjoint(path.stat().st_ino for path in tmp_path.iterdir())


def digests(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_overwriting_that_fails_leaves_the_old_result(any_result, stream, tmp_path, monkeypatch):
    """The first renames of the publication fail in turn; each time all goes back to what it was."""
    name, cube = any_result
    write(cube, tmp_path / name, stream=stream)
    before = digests(tmp_path)
    real = Path.rename
    for failing in range(4):
        calls = []

        def rename(path, dest, failing=failing, calls=calls):
            calls.append(dest)
            if len(calls) == failing + 1:
                raise OSError(errno.EIO, "Input/output error")
            return real(path, dest)

        monkeypatch.setattr(Path, "rename", rename)
        with pytest.raises(OSError, match="Input/output"):
            write(cube, tmp_path / name, stream=stream, overwrite=True)
        monkeypatch.undo()
        assert digests(tmp_path) == before


def test_dates_that_the_new_result_lacks_go_with_the_old_one(make_cube, stream, tmp_path, left_in):
    cube = make_cube()
    write(cube, tmp_path / "out.tif", stream=stream)
    (tmp_path / "out_notes.tif").write_text("not a part of the result")
    write(cube.isel(t=slice(0, 2)), tmp_path / "out.tif", stream=stream, overwrite=True)
    kept = ["out.stac.json", "out_2022-06-01.tif", "out_2022-06-11.tif", "out_notes.tif"]
    assert left_in(tmp_path) == kept
    write(cube.isel(t=[0]), tmp_path / "out.tif", stream=stream, overwrite=True)
    assert left_in(tmp_path) == ["out.stac.json", "out.tif", "out_notes.tif"]


def test_the_item_of_another_format_is_not_overwritten_unasked(make_cube, stream, tmp_path, left_in):
    write(make_cube(), tmp_path / "out.nc", stream=stream)
    with pytest.raises(Problem, match=r"out\.stac\.json exists"):
        write(make_cube(), tmp_path / "out.json", stream=stream)
    write(make_cube(), tmp_path / "out.json", stream=stream, overwrite=True)
    assert left_in(tmp_path) == ["out.json", "out.nc", "out.stac.json"]


def test_a_folder_is_never_replaced_unless_it_is_a_store(make_cube, stream, tmp_path, left_in):
    (tmp_path / "out.tif").mkdir()
    (tmp_path / "out.tif" / "precious").write_text("keep me")
    with pytest.raises(Problem, match="no Zarr store"):
        write(make_cube().isel(t=[0]), tmp_path / "out.tif", stream=stream, overwrite=True)
    assert left_in(tmp_path) == ["out.tif", "out.tif/precious"]


@pytest.mark.parametrize("target", ["", "/", "a/.."])
def test_a_target_needs_a_name(make_cube, stream, target):
    with pytest.raises(Problem, match="names no file"):
        write(make_cube(), Path(target), format="GTiff", stream=stream)


def test_a_file_among_the_parents_is_refused(make_cube, stream, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Problem, match="part of that path is a file") as caught:
        write(make_cube(), tmp_path / "file" / "below" / "out.tif", stream=stream)
    assert caught.value.code == "FilePathInvalid"


def test_nothing_is_visible_before_all_is_there(make_cube, stream, tmp_path):
    """While blocks flow, the folder shows nothing but one hidden name."""
    seen = []

    def watching(cube):
        for pair in stream(cube):
            seen.append([path.name for path in tmp_path.iterdir() if not path.name.startswith(".")])
            yield pair

    write(make_cube(chunks={"y": 16}), tmp_path / "out.tif", stream=watching)
    assert seen == [[], [], []]


def test_the_item_comes_last(make_cube, stream, tmp_path, monkeypatch):
    order = []
    real = Path.rename
    monkeypatch.setattr(
        Path, "rename", lambda path, dest: (order.append(Path(dest).name), real(path, dest))[1]
    )
    write(make_cube(), tmp_path / "out.tif", stream=stream)
    assert order == ["out_2022-06-01.tif", "out_2022-06-11.tif", "out_2022-06-21.tif", "out.stac.json"]


def test_every_file_and_its_folders_are_synced_before_the_first_rename(
    make_cube, stream, tmp_path, monkeypatch
):
    synced, real_sync, real_rename = [], os.fsync, Path.rename

    def fsync(handle):
        synced.append(Path(f"/proc/self/fd/{handle}").readlink().name)
        real_sync(handle)

    def rename(path, dest):
        synced.append("rename")
        return real_rename(path, dest)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "rename", rename)
    write(make_cube(chunks={"y": 20}), tmp_path / "out.zarr", stream=stream)
    first = synced.index("rename")
    assert {"zarr.json", "out.zarr", "out.stac.json", "B04"} <= set(synced[:first])
    assert synced[-1] == tmp_path.name


def test_storing_lets_problems_through_and_names_the_cause():
    def fail():
        with storing(Path("/secret/place/out.nc")):
            raise RuntimeError("outer") from ValueError("inner reason")

    with pytest.raises(Problem) as caught:
        fail()
    assert caught.value.message == "out.nc could not be written: inner reason. Nothing was published."
    with pytest.raises(Problem, match="mine"), storing(Path("x")):
        raise Problem("Mine", "mine")


def test_somebody_who_was_faster_is_not_overwritten(tmp_path):
    (tmp_path / "old").write_text("old")

    def publish():
        with staging(tmp_path / "new", overwrite=False) as room:
            room.claim("new").write_text("new")
            room.retire("old")
            (tmp_path / "new").write_text("somebody else was faster")
            room.publish()

    with pytest.raises(Problem, match="exists already"):
        publish()
    assert digests(tmp_path).keys() == {"old", "new"}
    assert (tmp_path / "new").read_text() == "somebody else was faster"


def test_a_stream_that_leaves_cells_out_is_an_error(make_cube, stream, tmp_path, left_in):
    def incomplete(cube):
        yield from list(stream(cube))[:-1]

    with pytest.raises(RuntimeError, match="6000 cells of a cube of 12000"):
        write(make_cube(chunks={"y": 20}), tmp_path / "out.tif", stream=incomplete)
    assert left_in(tmp_path) == []


def test_blocks_that_come_twice_are_an_error(make_cube, stream, tmp_path, left_in):
    def doubled(cube):
        first, _ = stream(cube)
        yield first
        yield first

    with pytest.raises(RuntimeError, match="1 blocks twice"):
        write(make_cube(chunks={"y": 20}), tmp_path / "out.nc", stream=doubled)
    assert left_in(tmp_path) == []


def test_blocks_of_another_kind_are_an_error(make_cube, stream, tmp_path):
    def changed(change):
        return lambda cube: ((index, change(block)) for index, block in stream(cube))

    wrong_shape = changed(lambda block: block[..., :-1])
    wrong_type = changed(lambda block: block.astype("complex64"))
    wider = changed(lambda block: block.astype("float64"))
    with pytest.raises(RuntimeError, match="block of"):
        write(make_cube(), tmp_path / "out.nc", stream=wrong_shape)
    with pytest.raises(RuntimeError, match="came as complex64"):
        write(make_cube(), tmp_path / "out.nc", stream=wrong_type)
    written = write(make_cube(), tmp_path / "out.nc", stream=wider)
    assert written.assets[0].fields["bands"][0]["data_type"] == np.dtype("float32").name
