"""How fast a machine is: figures that were measured on it, or those of a common one, as a file in the home."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from engine.errors import Problem

VERSION = 1
"""Of the file; figures of another version mean something else."""
NAME = "calibration.json"
UNITS = {
    "deflate": "bytes/s decoded", "zstd": "bytes/s decoded", "packing": "bytes in files a byte of cells",
    "latency": "s a request (not measured)", "kernel": "numbers/s", "compared": "pairs/s", "plain": "numbers/s",
    "focal": "products/s", "warped": "cells/s", "written": "bytes/s", "compiled": "s a kernel",
    "loaded": "s a kernel from disk", "started": "s", "base": "bytes",
}  # fmt: skip
"""What the figures count."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Speeds of one core, and what a process takes before it does anything.

    The defaults are those of a common server of 2024; they are used, and said to be, where nothing was measured.
    """

    made: str | None = None
    """When it was measured, as RFC 3339 text; `None` where these are the defaults."""
    deflate: float = 220e6
    """Bytes of cells that come out of files packed with DEFLATE, each second."""
    zstd: float = 280e6
    """The same of ZSTD."""
    packing: float = 0.5
    """Bytes in a file for each byte of its cells."""
    latency: float = 0.08
    """Seconds until a server answers; the one figure that is never measured: there is no server to ask."""
    kernel: float = 1.2e9
    """Numbers that go into kernels, each second."""
    compared: float = 2.4e9
    """Pairs of numbers that kernels put in order, each second."""
    plain: float = 380e6
    """Numbers that a plain step as dear as an addition takes, each second."""
    focal: float = 2.9e9
    """Products of cells and weights, each second."""
    warped: float = 20e6
    """Cells that are taken from the nearest of another grid, each second."""
    written: float = 90e6
    """Bytes of cells that are packed, written and read back, each second."""
    compiled: float = 0.8
    """Seconds until a kernel is compiled."""
    loaded: float = 0.02
    """Seconds until a kernel is there that was compiled before."""
    started: float = 3.2
    """Seconds until the engine and all that it needs is imported."""
    base: float = 430e6
    """Bytes of a process that has done a bit of everything."""

    @property
    def is_measured(self) -> bool:
        """Was this machine measured?"""
        return self.made is not None

    def json(self) -> dict[str, Any]:
        """The figures for machines, as they stand in the file."""
        return {"version": VERSION, **asdict(self)}

    def lines(self) -> list[str]:
        """The figures for people: a line each."""
        return [f"{name:<9} {getattr(self, name):>12.4g} {unit}" for name, unit in UNITS.items()]

    @staticmethod
    def path(home: Path) -> Path:
        """The file that it is kept in."""
        return home / NAME

    def save(self, home: Path) -> Path:
        """Keep it in the home; gives the file."""
        home.mkdir(parents=True, exist_ok=True)
        path, draft = self.path(home), home / f"{NAME}.draft"
        draft.write_text(json.dumps(self.json(), indent=2) + "\n")
        draft.replace(path)
        return path


def calibration(home: Path) -> Calibration:
    """The figures in the home; the defaults where there are none, or those of another version.

    Raises:
        Problem: The file is there and cannot be understood.
    """
    path = Calibration.path(home)
    if not path.exists():
        return Calibration()
    try:
        told: Any = json.loads(path.read_text())
        if told["version"] != VERSION:
            return Calibration()
        figures = {f.name: float(told[f.name]) for f in fields(Calibration) if f.name != "made"}
        made = str(told["made"])
    except (ValueError, KeyError, TypeError) as error:
        raise broken(path, error) from None
    if not all(v > 0 for v in figures.values()):
        raise broken(path, "a figure is not above 0")
    return Calibration(made, **figures)


def broken(path: Path, why: object) -> Problem:
    """The refusal of a file that holds something else."""
    return Problem(
        "FileContentInvalid",
        f"{path} holds no figures of this machine: {why}",
        hint="Run `gdc calibrate` again, or remove the file.",
    )
