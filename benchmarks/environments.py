"""Where contenders live: the project's own environment, and one for each peer, made of pinned requirements."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
NAMES = {
    "tools": "odc-stac, stackstac, rio-tiler, exactextract, opencv, flox, xvec",
    "opd": "openeo-processes-dask, openeo-pg-parser-networkx, odc-stac",
    "core": "openeo-core",
    "titiler": "titiler-openeo",
    "pgstac": "pypgstac",
}
"""The peers' environments, and what they are for."""


def python_of(home: str) -> Path:
    """The interpreter of an environment, whether it is installed or not."""
    return Path(sys.executable) if home == "project" else HERE / ".peers" / home / "bin" / "python"


def install(say: Callable[[str], None]) -> list[str]:
    """Make the peers' environments anew; gives the names of those that could not be."""
    failed = []
    for name, purpose in NAMES.items():
        say(f"installing '{name}': {purpose}")
        python = python_of(name)
        pins = HERE / "peers" / f"{name}.txt"
        commands = (
            [sys.executable, "-m", "venv", "--clear", str(python.parents[1])],
            # The pins are complete; what they leave out is declared and never imported.
            [str(python), "-m", "pip", "install", "--quiet", "--no-deps", "-r", str(pins)],
        )
        if any(subprocess.run(command, check=False).returncode for command in commands):
            failed.append(name)
    return failed
