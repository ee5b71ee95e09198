"""The program inside: gives up what it may do, then runs user code on what comes in, and answers."""

from __future__ import annotations

import json
import logging
import os
import resource
import select
import sys
import traceback
from typing import Any

OUTPUT_LIMIT = 16 * 2**10
WORDS_LIMIT = 2000


def confine(told: dict[str, Any]) -> None:
    """Give up root, take the limits, and let the kernel refuse whatever a computation does not need."""
    if told["uid"] is not None:
        os.setgroups([])
        os.setresgid(told["uid"], told["uid"], told["uid"])
        os.setresuid(told["uid"], told["uid"], told["uid"])
    for name, value in told["limits"].items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))
    from . import calls

    calls.restrict()


class Channel:
    """The two ends of the pipes to the engine."""

    def __init__(self) -> None:
        self.input, self.output = os.dup(0), os.dup(1)
        self.nowhere = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1):
            os.dup2(self.nowhere, fd)

    def hush(self) -> None:
        """Native code may print what it wants, nobody reads it."""
        os.dup2(self.nowhere, 2)

    def wait(self, seconds: float) -> bool:
        """Does something come in within that time?"""
        return bool(select.select([self.input], [], [], seconds)[0])

    def read(self, size: int) -> bytearray:
        """That many bytes; the engine gone is the end."""
        raw = bytearray(size)
        view, got = memoryview(raw), 0
        while got < size:
            part = os.readv(self.input, [view[got:]])
            if part == 0:
                raise SystemExit
            got += part
        return raw

    def write(self, pieces: list[memoryview]) -> None:
        """All of these bytes."""
        for piece in pieces:
            while piece:
                piece = piece[os.write(self.output, piece) :]


class Output:
    """What user code prints: the beginning is kept, endless output is let go."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        """Keep what there is room for."""
        self.text += text[: OUTPUT_LIMIT - len(self.text)]
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""

    def taken(self) -> str:
        """What was printed since it was last asked."""
        text, self.text = self.text, ""
        return text


def fault(error: BaseException, file: str) -> dict[str, Any]:
    """An error as the user has to see it: what, and in which of their lines."""
    if isinstance(error, SyntaxError) and error.filename == file:
        places = [{"line": error.lineno, "text": (error.text or "").strip()}]
    else:
        frames = traceback.extract_tb(error.__traceback__)
        places = [{"line": f.lineno, "text": (f.line or "").strip()} for f in frames if f.filename == file]
    try:
        words = str(error)
    except BaseException:  # noqa: BLE001 (user code may have any __str__)
        words = "(an error that cannot be printed)"
    return {"type": type(error).__name__, "message": words[:WORDS_LIMIT], "places": places[-8:]}


class Server:
    """Runs one piece of user code on whatever comes in."""

    def __init__(self, channel: Channel, output: Output) -> None:
        self.channel = channel
        self.output = output
        self.names: dict[str, Any] | None = None

    def serve(self, idle: float) -> None:
        """Answer until nothing has come for so many seconds."""
        from . import frames

        while self.channel.wait(idle):
            length = frames.head_length(self.channel.read(frames.PREFIX.size))
            head, slots = frames.unpack_head(self.channel.read(length))
            arrays = [frames.take(slot, self.channel.read(slot.nbytes)) for slot in slots]
            self.channel.write(self.answer(head, arrays))
            del arrays

    def answer(self, head: dict[str, Any], arrays: list[Any]) -> list[memoryview]:
        """The result, or the fault, as a message."""
        from . import conventions, frames

        try:
            told, sent = self.result(head, arrays)
            return frames.pack({**told, "output": self.output.taken()}, sent)
        except BaseException as error:  # noqa: BLE001 (whatever user code raises, SystemExit too, is told)
            told = {"error": fault(error, conventions.FILE), "output": self.output.taken()}
            del error
            return frames.pack(told)

    def result(self, head: dict[str, Any], arrays: list[Any]) -> tuple[dict[str, Any], list[Any]]:
        """What user code makes of the data."""
        import xarray as xr

        from . import conventions, cubes

        if self.names is None:
            self.names = conventions.load(head["code"])
        data = cubes.heard(head["cube"], arrays, geometries=True) if arrays else head["value"]
        result = conventions.apply(self.names, data, head["context"])
        if not isinstance(result, xr.DataArray):
            json.dumps(result)  # a value of JSON, or an error that says why not
            return {"value": result}, []
        if result.nbytes > head["limit"]:
            raise conventions.NoUdf(
                f"the result has {result.nbytes} bytes, at most {head['limit']} are taken"
            )
        told, sent = cubes.told(result)
        return {"cube": told}, sent


def main() -> None:
    """Start: what is trusted comes before the first byte of user code."""
    told = json.loads(sys.argv[1])
    channel = Channel()
    if told["confined"]:
        confine(told)
        sys.modules["psutil"] = None  # type: ignore[assignment]  # it wants /proc; without it, dask counts otherwise
    from . import conventions, frames, standin

    sys.argv[1:] = []
    conventions.warm_up()
    sys.meta_path.append(standin.StandIn())
    output = Output()
    sys.stdout = sys.stderr = output
    logging.basicConfig(stream=output, level=logging.INFO, format="%(levelname)s %(message)s")
    server = Server(channel, output)
    channel.hush()
    channel.write(frames.pack({"ready": conventions.FILE}))
    server.serve(told["idle"])
