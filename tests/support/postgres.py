"""A PostgreSQL server of the tests' own, on a socket in a folder."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path

USER = "nobody"
"""Who runs it where the tests are run by root, whom PostgreSQL refuses."""
PREFIX = "t"
"""What names of databases begin with."""


def binary(name: str) -> str | None:
    """A program of PostgreSQL: from the PATH, or where Debian puts it."""
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (str(places[-1]) if places else None)


class Postgres:
    """The server; it is started at once."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="pg"))  # sockets have short names
        self._as: dict[str, str] = {}
        self._model = ""
        if os.geteuid() == 0:
            shutil.chown(self._folder, USER)
            self._as = {"user": USER, "group": "nogroup"}
        options = ("--auth=trust", "--username=gdc", "--no-sync", "--encoding=UTF8")
        self._run("initdb", "--pgdata", f"{self._folder}/data", *options)
        settings = f"-k {self._folder} -c listen_addresses='' -c fsync=off -c max_connections=200"
        self._control = [
            "pg_ctl",
            "--wait",
            "-D",
            f"{self._folder}/data",
            "-o",
            settings,
            "-l",
            f"{self._folder}/log",
        ]
        self._run(*self._control, "start")

    def database(self) -> str:
        """The URL of a new database."""
        return self._made("")

    def with_postgis(self) -> str:
        """The URL of a new database that has PostGIS: a copy takes a quarter of the time of making it anew."""
        if not self._model:
            self._model = f"{PREFIX}postgis"
            self._query("postgres", f"CREATE DATABASE {self._model}")
            self._query(self._model, "CREATE EXTENSION postgis")
        return self._made(f"TEMPLATE {self._model}")

    def _made(self, how: str) -> str:
        name = f"{PREFIX}{secrets.token_hex(6)}"
        self._query("postgres", f"CREATE DATABASE {name} {how}")
        return f"postgresql://gdc@/{name}?host={self._folder}"

    def _query(self, database: str, query: str) -> None:
        self._run("psql", "-h", str(self._folder), "-U", "gdc", database, "-c", query)

    def crash(self) -> None:
        """End it without a word to its clients, and start it again."""
        self._run(*self._control, "restart", "-m", "immediate")

    def stop(self) -> None:
        """End it, and remove what it kept."""
        self._run("pg_ctl", "stop", "-m", "immediate", "-D", f"{self._folder}/data")
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, name: str, *arguments: str) -> None:
        command = [binary(name) or name, *arguments]
        done = subprocess.run(
            command, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True, check=False, env={**os.environ, "LC_ALL": "C"}, **self._as,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
