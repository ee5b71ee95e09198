"""A progress bar on long work: on the terminal, or in a notebook (without widgets); gone when the work is done."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from typing import Any

Move = Callable[[int, int], None]
PATIENCE = 0.5
"""Seconds that work may take before a notebook shows a bar."""


@contextmanager
def bar(title: str, *, shown: bool = True) -> Iterator[Move | None]:
    """A bar that is moved by calling it with the finished and the planned number of blocks."""
    if not shown:
        yield None
        return
    with _in_notebook(title) if _is_notebook() else _on_terminal(title) as move:
        yield move


def _is_notebook() -> bool:
    return "ipykernel" in sys.modules


@contextmanager
def _on_terminal(title: str) -> Iterator[Move]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=None)
        yield lambda done, planned: progress.update(task, completed=done, total=planned)


@contextmanager
def _in_notebook(title: str) -> Iterator[Move]:
    from IPython.display import HTML, display

    handle: Any = None
    last = time.monotonic()

    def move(done: int, planned: int) -> None:
        nonlocal handle, last
        now = time.monotonic()
        if now - last < PATIENCE:
            return
        last = now
        page = HTML(f'{escape(title)} <progress value="{done}" max="{planned}"></progress> {done}/{planned}')
        if handle is None:
            handle = display(page, display_id=True)
        else:
            handle.update(page)

    yield move
    if handle is not None:
        handle.update(HTML(""))
