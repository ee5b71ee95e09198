"""Contenders for the tests of the runner: some do as they should, some do not."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.child import Work


def steady(facts: Mapping[str, Any]) -> Work:
    """Takes its time, without computing."""
    return Work(lambda _: time.sleep(facts.get("seconds", 0.05)), lambda _: {"mean": facts.get("mean", 1.0)})


def busy(facts: Mapping[str, Any]) -> Work:
    """Computes for a while, in a process that it starts where the facts say so."""
    code = f"import time; e = time.process_time() + {facts['seconds']}\nwhile time.process_time() < e: pass"

    def run(_: int) -> None:
        if facts.get("elsewhere"):
            subprocess.run([sys.executable, "-c", code], check=True)
        else:
            exec(code)

    return Work(run, lambda _: {"mean": 1.0})


def hungry(facts: Mapping[str, Any]) -> Work:
    """Holds memory for a moment, here or in a process that it starts."""
    code = (
        f"import time; b = bytearray({facts['megabytes']}) * 1_000_000; time.sleep({facts.get('seconds', 0)})"
    )

    def run(_: int) -> None:
        if facts.get("elsewhere"):
            subprocess.run([sys.executable, "-c", code], check=True)
        else:
            exec(code)

    return Work(run, lambda _: {"mean": 1.0})


def refusing(_: Mapping[str, Any]) -> Work:
    """Cannot do it."""

    def run(_: int) -> None:
        raise ValueError("no such thing")

    return Work(run)


def dying(_: Mapping[str, Any]) -> Work:
    """Is gone in the middle of it."""

    def run(_: int) -> None:
        sys.stderr.write("last words\n")
        sys.stderr.flush()
        os._exit(3)

    return Work(run)


def talking(_: Mapping[str, Any]) -> Work:
    """Prints what nobody asked for."""
    return Work(lambda _: sys.stdout.write("{not an answer}\n"), lambda _: {"mean": 1.0})


def counting(facts: Mapping[str, Any]) -> Work:
    """Writes down the run it is in, and in which process."""
    log = Path(facts["log"])

    def run(number: int) -> None:
        with log.open("a") as file:
            file.write(f"{facts['name']} {number} {os.getpid()}\n")

    return Work(run, lambda _: {"mean": 1.0})


def remembering(_: Mapping[str, Any]) -> Work:
    """Leaves something in its cache, and tells whether there was something before."""
    kept = Path(os.environ["XDG_CACHE_HOME"]) / "kept"
    found = kept.exists()
    kept.write_text("here")
    return Work(lambda _: None, lambda _: {"mean": float(found)})


def counting_then_slow(facts: Mapping[str, Any]) -> Work:
    """Writes down its process, and does not come to an end."""

    def run(_: int) -> None:
        part = Path(facts["log"] + ".part")
        part.write_text(str(os.getpid()))
        part.rename(facts["log"])
        time.sleep(120)

    return Work(run)
