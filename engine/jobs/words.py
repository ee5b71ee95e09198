"""What a run has to say on its way: notes of the graph and what user code prints, from the log of this process."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from engine.jobs.task import Entry

TOLD = ("geodatacube.inspect", "geodatacube.load", "geodatacube.udf")
"""The loggers of what users are told."""
LONGEST = 4096
"""Characters of a message that are kept."""
MOST = 1000
"""Entries of a run that are kept; what runs on each block could fill a disk."""


class Telling(logging.Handler):
    """Passes on what users are told, up to a number of entries."""

    def __init__(self, tell: Callable[[Entry], None]) -> None:
        super().__init__()
        self._tell = tell
        self._left = MOST

    def emit(self, record: logging.LogRecord) -> None:
        """Pass on one entry; of those that are too many, that there are some."""
        self._left -= 1
        if self._left > 0:
            self._tell(entry_of(record))
        elif self._left == 0:
            self._tell(Entry("warning", f"more than {MOST} entries: further ones are left out"))


def entry_of(record: logging.LogRecord) -> Entry:
    """A record of the logging module as an entry."""
    level = {"critical": "error"}.get(record.levelname.lower(), record.levelname.lower())
    message = getattr(record, "told", None) or record.getMessage()
    if len(message) > LONGEST:
        message = f"{message[:LONGEST]} ..."
    return Entry(level, message, getattr(record, "code", None), getattr(record, "node", None))


@contextmanager
def listening(tell: Callable[[Entry], None]) -> Iterator[None]:
    """While this holds, what users are told is passed on."""
    telling = Telling(tell)
    loggers = [logging.getLogger(name) for name in TOLD]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
        logger.addHandler(telling)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(telling)
