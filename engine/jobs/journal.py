"""What synchronous requests told on their way: a file for each, which their owner can read for a while."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from engine.jobs.task import Entry, Progress
from engine.records import LEVELS

Json = dict[str, Any]


class Journal:
    """The log of one request, while it runs."""

    def __init__(self, path: Path, level: str) -> None:
        self._path = path
        self._rank = LEVELS.index(level)
        self._entries: list[Json] = []

    def told(self, word: Progress | Entry) -> None:
        """The run says something."""
        if isinstance(word, Entry):
            self.add(word.level, word.message, **word.further)

    def add(self, level: str, message: str, **further: Any) -> None:
        """Write an entry, unless it is less grave than those that are kept."""
        if LEVELS.index(level) > self._rank:
            return
        number = str(len(self._entries) + 1)
        self._entries.append(
            {"id": number, "level": level, "time": time.time(), "message": message, **further}
        )

    def close(self) -> None:
        """Keep it, until housekeeping finds it too old; that it cannot be kept is no fault."""
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(json.dumps(self._entries))


def read(path: Path, level: str) -> list[Json] | None:
    """The entries of a journal that are as grave as `level`; none where there is no journal."""
    try:
        found: list[Json] = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return [entry for entry in found if LEVELS.index(entry["level"]) <= LEVELS.index(level)]
