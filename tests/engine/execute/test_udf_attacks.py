"""Hostile code in the sandbox: none gets out, limits hold, the engine lives."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

import numpy as np
import pytest

from engine.errors import Problem
from engine.execute.udf.confinement import SCRATCH, Confinement, visible, why_not
from engine.execute.udf.function import Function, printed
from engine.execute.udf.inside import frames
from engine.execute.udf.pool import POOL, Reply

pytestmark = [
    pytest.mark.slow,  # each attack takes a fresh sandbox
    pytest.mark.skipif(why_not() is not None, reason=f"no sandbox here: {why_not()}"),
]

SHORT = Confinement(seconds=1.5, memory=2**30)
ROOMY = Confinement(seconds=30.0, memory=2**30)

ATTACKS = """
import ctypes, os, socket, subprocess, sys, threading

libc = ctypes.CDLL(None, use_errno=True)

def checked(result):
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result

def read(path): return open(path).read()
def passwd(c): return read("/etc/passwd")
def shadow(c): return read("/etc/shadow")
def canary(c): return read(c["canary"])
def home(c): return sorted(set(os.listdir(c["home"])) - set(c["on the way to Python"])) or None
def environment(c): return c["secret"] in str(dict(os.environ)) or None
def environment_of_init(c): return read("/proc/1/environ")
def environment_of_host(c): return read(f"/proc/{c['pid']}/environ")
def processes(c): return [p for p in os.listdir("/proc") if p.isdigit()]
def memory_of_self(c): return read("/proc/self/mem")
def kernel_settings(c): return read("/sys/kernel/uevent_seqnum")
def connect(c): return socket.create_connection(("127.0.0.1", c["port"]), 2) and "connected"
def connect_raw(c): return checked(libc.socket(2, 1, 0))
def unix_socket(c): return checked(libc.socket(1, 1, 0))
def names(c): return socket.gethostbyname("example.org")
def fork(c): return os.fork()
def vfork(c): return checked(libc.syscall(58))
def shell(c):
    if os.system("true") != 0: raise OSError("there is no shell")
    return "ran"
def program(c): return subprocess.run(["/usr/bin/id"], capture_output=True).stdout.decode()
def execve(c):
    argv = (ctypes.c_char_p * 2)(b"/usr/bin/id", None)
    return checked(libc.execve(b"/usr/bin/id", argv, None))
def write_usr(c): return open("/usr/evil", "w").write("x")
def write_root(c): return open("/evil", "w").write("x")
def write_ours(c): return open("/udf/inside/main.py", "a").write("x")
def write_python(c): return open(os.__file__, "a").write("x")
def write_outside(c): return open(c["canary"], "w").write("x")
def change_root(c): return checked(libc.chroot(b"/tmp"))
def trace(c): return checked(libc.ptrace(16, 1, 0, 0))
def mount(c): return checked(libc.mount(b"none", b"/tmp", b"tmpfs", 0, None))
def unmount(c): return checked(libc.umount2(b"/tmp", 2))
def unshare(c): return checked(libc.unshare(0x10000000))
def new_namespace(c): return checked(libc.syscall(56, 0x10000000 | 17, 0, 0, 0, 0))
def kill_host(c): return os.kill(c["pid"], 0) or "killed"
def kill_init(c): return os.kill(1, 9) or "killed"
def kill_all(c): return os.kill(-1, 0) or "killed"
def become_root(c): return os.setuid(0) or "root"
def lift_limit(c):
    import resource
    return resource.setrlimit(resource.RLIMIT_AS, (2**40, 2**40)) or "lifted"
def no_filter(c): return checked(libc.prctl(22, 0, 0, 0, 0))
def shared_memory(c): return checked(libc.shmget(1, 4096, 0o1600))
def in_memory_file(c): return os.memfd_create("x")
def io_uring(c): return checked(libc.syscall(425, 8, 0))
def bpf(c): return checked(libc.syscall(321, 0, 0, 0))
def keys(c): return checked(libc.syscall(250, 0, -3, 0, 0, 0))
def modules(c): return checked(libc.syscall(313, 0, 0, 0))
def handle(c): return checked(libc.syscall(304, 0, 0, 0))
def other_memory(c): return checked(libc.syscall(310, c["pid"], 0, 0, 0, 0, 0))
def descriptors(c):
    # fds that are open at all: ours are the pipes (0..4) and nothing of the engine's
    found = []
    for fd in range(128):
        try:
            os.fstat(fd); found.append(fd)
        except OSError:
            pass
    return found if len(found) > 6 else None
def threads(c):
    def wait(): import time; time.sleep(20)
    for i in range(2000):
        threading.Thread(target=wait, daemon=True).start()
    return "2000 threads"
def memory(c): return len(bytearray(2 * 2**30))
def fill_disk(c):
    with open("/tmp/a", "wb") as f:
        for _ in range(200): f.write(bytes(2**20))
    return "200 MB"
def fill_disk_with_many(c):
    for i in range(100):
        with open(f"/tmp/{i}", "wb") as f: f.write(bytes(2**20))
    return "100 MB"
def apply_datacube(cube, context):
    try:
        result = globals()[context["attack"]](context)
    except (Exception, MemoryError) as error:
        return f"refused: {type(error).__name__} {error}"
    finally:
        for f in os.listdir("/tmp"):
            os.unlink("/tmp/" + f) if os.path.isfile("/tmp/" + f) else None
    return "nothing" if result is None else f"GOT OUT: {result}"
"""
WITHOUT_ERROR = ("environment", "descriptors", "home")
"""What may be looked at, and shows nothing. (Python itself may lie below the home folder.)"""
NAMES = [
    line.split("(")[0][4:] for line in ATTACKS.splitlines() if line.startswith("def ") and "(c):" in line
]


def below(home):
    return [Path(f).relative_to(home).parts[0] for f in visible() if Path(f).is_relative_to(home)]


def run(code, context=None, confinement=SHORT, run="attacks"):
    return Function(code, confinement, run)(1.0, context or {})


@pytest.fixture(scope="module")
def honeypot(tmp_path_factory):
    """Things that nobody may reach: a file, a port, a secret in the environment."""
    canary = tmp_path_factory.mktemp("host") / "canary"
    canary.write_text("canary")
    canary.chmod(0o666)
    reached = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen():
            try:
                while True:
                    reached.append(server.accept())
            except OSError:
                return

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        os.environ["UDF_TEST_SECRET"] = "s3cr3t"
        yield {
            "canary": str(canary), "port": server.getsockname()[1], "pid": os.getpid(), "secret": "s3cr3t",
            "home": str(Path.home()), "on the way to Python": below(Path.home()),
        }  # fmt: skip
        del os.environ["UDF_TEST_SECRET"]
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)
    assert canary.read_text() == "canary"
    assert reached == []


def test_there_are_many_attacks():
    assert len(NAMES) >= 45
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("attack", NAMES)
def test_attack_is_refused(attack, honeypot):
    result = run(ATTACKS, {**honeypot, "attack": attack}, ROOMY)
    assert result.startswith("refused") or (result == "nothing" and attack in WITHOUT_ERROR), result


def test_the_same_code_gets_out_without_a_sandbox(honeypot):
    """The attacks are real ones: in a plain process they succeed."""
    bare = Confinement(mode="trusted", seconds=30.0)
    for attack in ("passwd", "environment", "connect_raw", "program", "descriptors", "canary"):
        result = run(ATTACKS, {**honeypot, "attack": attack}, bare, run="bare")
        if attack == "descriptors":
            assert result.startswith(("nothing", "GOT OUT"))
            continue
        assert result.startswith("GOT OUT"), (attack, result)


FATAL = {
    "spin": ("while True: pass", "stopped after 1.5 s"),
    "sleep": ("import time; time.sleep(60)", "stopped after 1.5 s"),
    "exit": ("import os; os._exit(7)", "ended without an answer (status 7)"),
    "crash": ("import ctypes; ctypes.string_at(0)", "ended without an answer (signal 11)"),
    "flood the answer": ("import os\n    while True: os.write(context['out'], b'\\xff' * 65536)", "cannot be read"),
    "pickle": ("import os, pickle, struct; p = pickle.dumps(print)\n    os.write(context['out'], struct.pack('<I', len(p)) + p); import time; time.sleep(60)", "the head does not read"),
    "object array": ("import os, struct; p = b'{\"arrays\": [[\"|O\", [1]]]}'\n    os.write(context['out'], struct.pack('<I', len(p)) + p + bytes(8)); import time; time.sleep(60)", "another type than numbers"),
    "huge announcement": ("import os, struct; p = b'{\"arrays\": [[\"<f8\", [1099511627775, 1024]]]}'\n    os.write(context['out'], struct.pack('<I', len(p)) + p); import time; time.sleep(60)", "at most 1073741824 are taken"),
    "deep JSON": ("import os, struct; p = b'[' * 1000000\n    os.write(context['out'], struct.pack('<I', len(p)) + p); import time; time.sleep(60)", "the head does not read"),
}  # fmt: skip
FIND_OUT = """
    import os
    # the pipe to the engine is the one that can be written and is not 0, 1 or 2
    import fcntl
    for fd in range(3, 20):
        try:
            if fcntl.fcntl(fd, fcntl.F_GETFL) & 3 == os.O_WRONLY:
                context["out"] = fd
        except OSError:
            pass
"""


@pytest.mark.parametrize("name", list(FATAL))
def test_what_ends_a_process_ends_nothing_else(name):
    body, expected = FATAL[name]
    code = f"def apply_datacube(cube, context):{FIND_OUT}    {body}\n    return cube\n"
    with pytest.raises(Problem) as caught:
        run(code)
    assert expected in caught.value.message
    assert caught.value.code == "ProcessParameterInvalid"
    assert run("def apply_datacube(cube, context):\n    return cube + 1\n", run="after") == 2.0


RAISED = """
def politely(): import sys; sys.exit(3)
def interrupt(): raise KeyboardInterrupt
def huge(): return xr.DataArray(np.broadcast_to(1.0, (2**14, 2**14)), dims=("a", "b"))
def unprintable():
    class E(Exception):
        def __str__(self): raise ValueError
    raise E
def endless(): endless()
def a_set(): return {1, 2}
def apply_datacube(cube, context): return globals()[context["what"]]()
"""
TOLD = {
    "politely": "SystemExit: 3",
    "interrupt": "KeyboardInterrupt",
    "huge": "bytes, at most",
    "unprintable": "cannot be printed",
    "endless": "RecursionError",
    "a_set": "not JSON serializable",
}


@pytest.mark.parametrize("what", TOLD)
def test_what_is_raised_is_told(what):
    with pytest.raises(Problem) as caught:
        run(RAISED, {"what": what}, ROOMY)
    assert TOLD[what] in caught.value.message
    assert len(caught.value.message) < 4000


def test_endless_output_is_let_go(caplog):
    code = (
        "def apply_datacube(cube, context):\n    for _ in range(300): print('x' * 100_000)\n    return cube\n"
    )
    with caplog.at_level("INFO", "geodatacube.udf"):
        assert run(code, confinement=ROOMY) == 1.0
    assert 10_000 < sum(len(r.getMessage()) for r in caplog.records) < 20_000


def test_scratch_files_are_there_and_small():
    code = "def apply_datacube(cube, context):\n    open('/tmp/a', 'wb').write(bytes(2**20))\n    return 'written'\n"
    assert run(code, confinement=ROOMY) == "written"
    assert SCRATCH < 2**27


def test_runs_share_no_state():
    code = "seen = []\ndef apply_datacube(cube, context):\n    seen.append(context['x'])\n    return seen\n"
    assert run(code, {"x": 1}, ROOMY, "first") == [1]
    assert run(code, {"x": 2}, ROOMY, "first") == [1, 2]  # one process for the blocks of a run
    assert run(code, {"x": 3}, ROOMY, "second") == [3]
    assert run(code + "\n", {"x": 4}, ROOMY, "first") == [4]


def test_a_process_is_used_again():
    code = "def apply_datacube(cube, context):\n    return cube + 2\n"
    run(code, confinement=ROOMY, run="again")
    started = POOL.started
    for _ in range(5):
        assert run(code, confinement=ROOMY, run="again") == 3.0
    assert POOL.started == started


def test_user_code_does_not_see_the_engine():
    code = "def apply_datacube(cube, context):\n    import engine\n    return str(engine)\n"
    with pytest.raises(Problem, match="No module named 'engine'"):
        run(code, confinement=ROOMY)


ANSWERS = [
    {"error": 5},
    {"error": {"type": [1], "message": {}, "places": 7}},
    {"error": {"places": [1, {"line": None}]}},
    {"cube": 5},
    {"cube": {"dims": [1, 2], "coords": [], "attrs": {}, "name": None}},
    {"cube": {"dims": ["x", "x"], "coords": [], "attrs": {}, "name": None}},
    {"cube": {"dims": ["y", "x"], "coords": 3, "attrs": {}, "name": None}},
    {"cube": {"dims": ["y", "x"], "coords": [{"name": [], "dims": "x"}], "attrs": {}, "name": None}},
    {"cube": {"dims": ["y", "x"], "coords": [{"name": "x", "dims": ["x"], "array": 9, "attrs": {}}], "attrs": {}, "name": None}},
    {"cube": {"dims": ["y", "x"], "coords": [{"name": "x", "dims": ["x"], "values": [[[]]], "attrs": {}}], "attrs": {}, "name": None}},
    {"cube": {"dims": ["y"], "coords": [], "attrs": {}, "name": None}},
    {"cube": {"dims": ["y", "x"], "coords": [], "attrs": 3, "name": None}},
]  # fmt: skip


@pytest.mark.parametrize("head", ANSWERS)
def test_answers_that_make_no_sense_are_a_problem(head, monkeypatch):
    monkeypatch.setattr(POOL, "call", lambda *_: Reply(dict(head), [np.ones((2, 2))]))
    with pytest.raises(Problem) as caught:
        run("x\n")
    assert caught.value.code == "ProcessParameterInvalid"


def test_geometries_are_not_read_from_answers(monkeypatch):
    """Deeply nested ones would end this process."""
    coord = {"name": "g", "dims": ["g"], "wkb": ["00"], "attrs": {}}
    head = {"cube": {"dims": ["g"], "coords": [coord], "attrs": {}, "name": None}}
    monkeypatch.setattr(POOL, "call", lambda *_: Reply(head, [np.ones(1)]))
    assert "g" not in run("x\n").coords


def test_what_is_printed_cannot_pass_for_lines_of_others():
    assert printed("a\r\nb\x1b[2J\u2028c") == ["a", "b?[2J", "c"]
    assert len(printed("x" * 10**6)[0]) == 2**14


def test_what_is_announced_is_checked():
    for raw in (b"", b"{}", b"[]", b"5", b'{"arrays": 5}', b'{"arrays": [["<f8", [-1]]]}', b'{"arrays": [["<f8", 3]]}',
                b'{"arrays": [["<c16", [1]]]}', b'{"arrays": [["<f8", [true]]]}', b'{"arrays": [["<U9", [1]]]}'):  # fmt: skip
        with pytest.raises(frames.BadFrame):
            frames.unpack_head(raw)
    with pytest.raises(frames.BadFrame):
        frames.head_length(b"\xff\xff\xff\xff")
