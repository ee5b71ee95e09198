"""What is left on disk: attempts that do not count, results that nobody will fetch, files that no run reads."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from engine.disk import ABANDONED, older
from engine.records import BUSY
from engine.settings import ATTEMPT, Settings
from engine.store import Store


def clear_attempts(folder: Path, before: int) -> None:
    """Remove the attempts at a job before the one with that number; a newer one is another worker's."""
    for path in folder.glob(f"{ATTEMPT}*"):
        if int(path.name.removeprefix(ATTEMPT)) < before:
            shutil.rmtree(path, ignore_errors=True)
    with suppress(OSError):  # it is not empty, or gone with its job
        folder.rmdir()


def sweep(settings: Settings, store: Store) -> None:
    """Remove, of all users, what whoever made it could not: a process that is killed clears nothing up.

    What was fetched for graphs is removed when no run can read it any more.
    """
    for home in (settings.home / "users").glob("*"):
        for folder in older(home.glob("sync/*"), ABANDONED):
            shutil.rmtree(folder, ignore_errors=True)
        for file in older(home.glob("downloads/*"), ABANDONED + settings.job_seconds):
            file.unlink(missing_ok=True)
        for file in older(home.glob("logs/*"), 3600 * settings.link_hours):
            file.unlink(missing_ok=True)
        for folder in home.glob("jobs/*"):
            job = store.jobs.get(home.name, folder.name)
            if job is None:
                shutil.rmtree(folder, ignore_errors=True)
            elif job.status not in BUSY:
                clear_attempts(folder, job.fence)
