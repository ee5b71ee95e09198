"""How user code is held: the command that starts it, its limits, and whether this machine can hold it at all.

The sandbox is bubblewrap's: own namespaces for processes, network, mounts and messages; a read-only view of the
system and of Python's environment and of nothing else; no capability, no environment variable. The program inside
then gives up root, takes its limits, and has the kernel refuse all calls that are not in its list (`inside/calls.py`).
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, Literal

from engine.errors import Problem
from engine.execute.udf.inside.calls import MACHINES

HERE = Path(__file__).resolve().parent
MOUNTED = "/udf"
IDLE = 60.0
"""Seconds after which a process that nobody calls ends by itself."""
SCRATCH = 64 * 2**20
"""Bytes of the folder `/tmp` inside."""
FIRST_UID = 2_000_000_000
"""Under root, each sandbox has a user id of its own, far from any that is in use."""
START = "import sys; sys.path[:0] = [{root!r}]; from inside.main import main; sys.path[:1] = {rest!r}; main()"
HINT = (
    "Install bubblewrap (apt install bubblewrap) and allow user namespaces (sysctl kernel.unprivileged_userns_clone=1; "
    "in a container, run it with CAP_SYS_ADMIN or without its default seccomp profile). On your own machine, for your "
    "own code, GDC_UDF=trusted runs it without a sandbox."
)

_serial = count(os.getpid() % 100_000 * 1000)


@dataclass(frozen=True, slots=True)
class Confinement:
    """How a piece of user code is held."""

    mode: Literal["sandbox", "trusted"] = "sandbox"
    """`trusted` runs it as a plain process of the user's own."""
    seconds: float = 120.0
    """Longest time that one call may take."""
    memory: int = 4 * 2**30
    """Bytes of address space."""

    def limits(self) -> dict[str, int]:
        """Resource limits by their names in Python."""
        return {
            "AS": self.memory,
            "CPU": 3600,
            "FSIZE": SCRATCH,
            "NOFILE": 128,
            "NPROC": 64,
            "CORE": 0,
            "MEMLOCK": 0,
            "MSGQUEUE": 0,
        }


def command(confinement: Confinement) -> list[str]:
    """The command line of a fresh process."""
    if confinement.mode == "trusted":
        code = START.format(root=str(HERE), rest=[])
        return [sys.executable, "-c", code, told(confinement, None)]
    return [
        *bubblewrap(),
        *python(),
        START.format(root=MOUNTED, rest=site_folders()),
        told(confinement, next(_serial) % 10**8 + FIRST_UID if os.geteuid() == 0 else None),
    ]


def told(confinement: Confinement, uid: int | None) -> str:
    """What the program inside has to know at its start."""
    confined = confinement.mode == "sandbox"
    return json.dumps({"confined": confined, "uid": uid, "limits": confinement.limits(), "idle": IDLE})


def python() -> list[str]:
    """Python without the user's own folders, `.pth` files and variables."""
    return [sys.executable, "-I", "-S", "-B", "-c"]


def site_folders() -> list[str]:
    """Where the installed packages lie."""
    paths = sysconfig.get_paths()
    return list(dict.fromkeys(p for p in (paths["purelib"], paths["platlib"]) if Path(p).is_dir()))


def bubblewrap() -> list[str]:
    """The sandbox around it."""
    args = [
        "bwrap",
        "--unshare-ipc",
        "--unshare-pid",
        "--unshare-net",
        "--unshare-uts",
        "--unshare-cgroup-try",
    ]
    if os.geteuid() == 0:  # a user id of its own, which only the limits on processes of a real one can count
        args += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        args += ["--unshare-user", "--uid", "65534", "--gid", "65534", "--cap-drop", "ALL"]
    args += ["--die-with-parent", "--new-session", "--clearenv", "--hostname", "udf"]
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        args += ["--setenv", name, "1"]
    args += ["--setenv", "HOME", "/tmp", "--setenv", "LC_ALL", "C.UTF-8"]  # noqa: S108 (a path inside)
    args += ["--perms", "1777", "--size", str(SCRATCH), "--tmpfs", "/tmp"]  # noqa: S108 (first: Python may lie below)
    for folder in above([*visible(), f"{MOUNTED}/inside", "/etc/alternatives", "/dev/null"]):
        args += ["--perms", "0755", "--dir", folder]
    for folder in visible():
        args += ["--ro-bind", folder, folder]
    for link in ("/bin", "/lib", "/lib64", "/lib32"):
        if Path(link).is_symlink():
            args += ["--symlink", str(Path(link).readlink()), link]
        else:
            args += ["--ro-bind-try", link, link]
    for file in ("/etc/ld.so.cache", "/etc/alternatives"):
        args += ["--ro-bind-try", file, file]
    for device in ("/dev/null", "/dev/urandom"):
        args += ["--dev-bind", device, device]
    return [
        *args,
        "--ro-bind",
        str(HERE / "inside"),
        f"{MOUNTED}/inside",
        "--chdir",
        "/tmp",  # noqa: S108
        "--remount-ro",
        "/",
    ]


def above(paths: list[str]) -> list[str]:
    """The folders on the way to these paths, outermost first; left alone, only root could pass through them."""
    on_the_way = {str(p) for path in paths for p in Path(path).parents}
    return sorted(on_the_way - {"/", "/tmp"})  # noqa: S108 (these are there)


def visible() -> list[str]:
    """Folders of the system and of Python that can be read inside; none that lies in another of them."""
    wanted = {
        "/usr",
        sys.base_prefix,
        sys.prefix,
        str(Path(sys.executable).resolve().parent.parent),
        *site_folders(),
    }
    if wanted & {"/", "/home", "/root", str(Path.home())}:
        raise unsupported(
            f"Python is installed in {sys.prefix}, which cannot be shown to user code as a whole"
        )
    folders: list[str] = []
    for folder in sorted(wanted):
        if not any(Path(folder).is_relative_to(f) for f in folders):
            folders.append(folder)
    return folders


@cache
def why_not() -> str | None:
    """Why user code cannot be held on this machine; `None` where it can. Tried once."""
    if not sys.platform.startswith("linux"):
        return f"the sandbox needs Linux, this is {sys.platform}"
    if platform.machine() not in MACHINES:
        return f"there is no filter of system calls for {platform.machine()}"
    if shutil.which("bwrap") is None:
        return "bubblewrap (the program bwrap) is not installed"
    tried: Any = subprocess.run(  # noqa: S603
        [*bubblewrap(), *python(), "pass"],
        env={"PATH": os.environ.get("PATH", os.defpath)},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    return None if tried.returncode == 0 else f"bubblewrap does not start: {tried.stderr.strip()[-300:]}"


def unsupported(reason: str) -> Problem:
    """User code is refused, and how that can be changed."""
    return Problem("FeatureUnsupported", f"user-defined functions cannot run here: {reason}", hint=HINT)
