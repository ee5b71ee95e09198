"""Objects in a bucket of an object store that speaks S3."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from engine.errors import Problem
from engine.objects.shelf import Found, changed, taken

if TYPE_CHECKING:
    from obstore.store import RetryConfig, S3Store

PART = 8 * 2**20
"""Bytes that are sent or fetched in one request. There are 10,000 parts at most: objects have up to 78 GiB."""
AT_ONCE = 2
"""Parts of one object that are on their way at a time."""
KEYS = {"S3_ACCESSKEY": "access_key_id", "S3_SECRETKEY": "secret_access_key"}
"""Variables of the environment that go before the usual `AWS_...`, and what they are to the client."""
RETRIES: RetryConfig = {"max_retries": 4, "retry_timeout": timedelta(seconds=30)}


class Bucket:
    """A bucket, or what has a prefix in it. Credentials are in the environment."""

    def __init__(self, bucket: str, prefix: str, endpoint: str | None, region: str | None) -> None:
        if not bucket or (endpoint and urlsplit(endpoint).scheme not in ("http", "https")):
            raise Problem(
                "StorageFailure",
                f"there can be no bucket {bucket!r} at {endpoint or 'Amazon'}",
                hint="Check GDC_S3_ENDPOINT, and the places of storages.",
            )
        self._bucket = bucket
        self._prefix = prefix
        self._options = {
            name: value for name, value in (("endpoint", endpoint), ("region", region)) if value is not None
        }
        self._plain = bool(endpoint) and urlsplit(endpoint).scheme == "http"

    @cached_property
    def _store(self) -> S3Store:
        from obstore.store import S3Store

        keys = {option: os.environ[name] for name, option in KEYS.items() if os.environ.get(name)}
        options: Any = self._options | keys
        return S3Store(
            self._bucket, prefix=self._prefix or None, client_options={"allow_http": self._plain},
            retry_config=RETRIES, **options,
        )  # fmt: skip

    def put(self, path: str, chunks: Iterable[bytes], media_type: str, *, new: bool = False) -> Found:
        """Send it in parts; when one of them fails, those that were sent are dropped."""
        if not new:
            return self._send(path, chunks, media_type)
        self._claim(path)
        try:
            return self._send(path, chunks, media_type)
        except BaseException:
            with suppress(Problem):
                self.remove(path)
            raise

    def _claim(self, path: str) -> None:
        """Take the name with an empty object: what goes in parts cannot be sent on a condition."""
        import obstore
        from obstore.exceptions import AlreadyExistsError

        with self._asked():
            try:
                obstore.put(self._store, path, b"", mode="create")
            except AlreadyExistsError:
                raise taken(path) from None

    def _send(self, path: str, chunks: Iterable[bytes], media_type: str) -> Found:
        import obstore

        with self._asked():
            sent = obstore.put(
                self._store, path, made_aside(chunks), attributes={"Content-Type": media_type}, chunk_size=PART,
                max_concurrency=AT_ONCE,
            )  # fmt: skip
            found = told(obstore.head(self._store, path))
        return Found(path, found.size, bare(sent["e_tag"]) or found.etag, found.modified)

    def look(self, path: str) -> Found | None:
        """The object of that name."""
        import obstore

        with self._asked():
            try:
                return told(obstore.head(self._store, path))
            except FileNotFoundError:
                return None

    def read(self, path: str, start: int, end: int, etag: str) -> Iterator[bytes]:
        """Its bytes, by a request for each part: no request lasts as long as the slowest reader."""
        if start >= end:
            return iter(())
        first = self._part(path, start, min(end, start + PART), etag)
        return self._parts(path, first, start + len(first), end, etag)

    def remove(self, path: str) -> None:
        """Remove the object."""
        import obstore

        with self._asked(), suppress(FileNotFoundError):
            obstore.delete(self._store, path)

    def address(self, path: str) -> str:
        """Its `s3://` URL."""
        return "s3://" + "/".join(part for part in (self._bucket, self._prefix, path) if part)

    def presigned(self, path: str, seconds: int) -> str:
        """A URL with a signature of the object store."""
        import obstore

        with self._asked():
            return obstore.sign(self._store, "GET", path, timedelta(seconds=seconds))

    def _part(self, path: str, start: int, end: int, etag: str) -> bytes:
        import obstore
        from obstore.exceptions import PreconditionError

        with self._asked():
            try:
                wanted: Any = {"range": (start, end), "if_match": f'"{etag}"'}
                return bytes(obstore.get(self._store, path, options=wanted).bytes())
            except (FileNotFoundError, PreconditionError):
                raise changed(path) from None

    def _parts(self, path: str, first: bytes, start: int, end: int, etag: str) -> Iterator[bytes]:
        yield first
        while start < end:
            part = self._part(path, start, min(end, start + PART), etag)
            start += len(part)
            yield part

    @contextmanager
    def _asked(self) -> Iterator[None]:
        """Faults of the object store are told as such."""
        from obstore.exceptions import BaseError, GenericError

        try:
            yield
        except (BaseError, FileNotFoundError) as cause:
            words = str(cause).partition("\n")[0][:300]
            code = "InfrastructureBusy" if isinstance(cause, GenericError) else "StorageFailure"
            raise Problem(
                code,
                f"the bucket {self._bucket!r} cannot be used: {words}",
                hint="Tell those who run the server.",
            ) from cause


def made_aside(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same, made in a thread of their own: that in which the client of the store asks for them cannot use it."""
    pieces = iter(chunks)
    with ThreadPoolExecutor(1) as thread:
        while (piece := thread.submit(next, pieces, None).result()) is not None:
            yield piece


def told(meta: Any) -> Found:
    """An object as the store tells it."""
    return Found(meta["path"], meta["size"], bare(meta["e_tag"]), meta["last_modified"].timestamp())


def bare(etag: str | None) -> str:
    """A tag without its quotation marks."""
    return (etag or "").removeprefix("W/").strip('"')
