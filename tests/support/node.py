"""Programs of others that run on Node.js: installed once from their lock file, then started by the tests."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CLIENTS = Path(__file__).resolve().parents[1] / "clients"
BUILD = Path(__file__).resolve().parents[2] / "build" / "clients"
FILES = ("package.json", "package-lock.json")
OLDEST = 18


def missing() -> str | None:
    """Why nothing can be run here, if so."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return "Node.js or npm is not installed; apt-get install nodejs npm"
    version = subprocess.run([node, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    old = int(version.lstrip("v").partition(".")[0]) < OLDEST
    return f"Node.js {version} is older than {OLDEST}" if old else None


def installed() -> Path:
    """The folder of the packages of the lock file, which are fetched when it is new."""
    digest = hashlib.sha256(b"".join((CLIENTS / name).read_bytes() for name in FILES)).hexdigest()[:16]
    folder = BUILD / digest
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # test processes come at once
        if not (folder / "complete").exists():
            for name in FILES:
                shutil.copy(CLIENTS / name, folder)
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            (folder / "complete").touch()
    return folder / "node_modules"


def command(script: str, folder: Path, *arguments: str) -> list[str]:
    """How a script of `tests/clients` is called; it lies beside its packages in a folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "node_modules").symlink_to(installed())
    return ["node", str(shutil.copy(CLIENTS / script, folder)), *arguments]


@contextmanager
def started(script: str, folder: Path, *arguments: str, until: str) -> Iterator[str]:
    """A script that goes on; gives the rest of the line by which it says that it is ready."""
    call = command(script, folder, *arguments)
    with (folder / "errors.txt").open("w+") as errors:
        process = subprocess.Popen(
            call, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": str(folder)},
        )  # fmt: skip
        with process:
            assert process.stdout is not None
            assert process.stdin is not None
            lines = (line.strip() for line in process.stdout)
            ready = next((line for line in lines if line.startswith(until)), None)
            assert ready is not None, (folder / "errors.txt").read_text()
            try:
                yield ready.removeprefix(until).strip()
            finally:
                process.stdin.close()
