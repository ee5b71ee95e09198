"""Servers as people start them: two over one database, floods of requests, removals, a full disk."""

from __future__ import annotations

import asyncio
import os
import re
import ssl
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from api.auth.passwords import hashed
from engine import Backend, Settings, User
from engine.catalog import Catalog
from engine.demo import make_scenes
from engine.execute.udf.confinement import why_not
from gdc import GDC, Running, Server, alive, children, free_port, logged_in, wait_for
from requests_of_users import LOAD, NDVI, SUM, ended, made, wrapped

pytestmark = pytest.mark.slow
SLEEPY = """
import time
def apply_datacube(cube, context):
    time.sleep(4)
    return cube
"""
ONE_DAY = {**LOAD, "arguments": {**LOAD["arguments"], "temporal_extent": ["2022-06-01", "2022-06-03"]}}
SLOW = {
    "load": ONE_DAY,
    "udf": {"process_id": "run_udf", "arguments": {"data": {"from_node": "load"}, "udf": SLEEPY, "runtime": "Python"}, "result": True},
}  # fmt: skip


PULSE = """
import http.client, sys, time
host, port = sys.argv[1:]
connection = http.client.HTTPConnection(host, int(port))
while True:
    start = time.perf_counter()
    connection.request("GET", "/health")
    connection.getresponse().read()
    print(1000 * (time.perf_counter() - start), flush=True)
    time.sleep(0.02)
"""


class Pulse:
    """Asks for `/health` again and again, from a process of its own."""

    def __init__(self, url: str) -> None:
        self._where = url.removeprefix("http://").split(":")

    def __enter__(self) -> Pulse:
        self._process = subprocess.Popen(
            [sys.executable, "-c", PULSE, *self._where], stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self.times = sorted(map(float, self._process.communicate()[0].split()[:-1]))

    def report(self, what: str) -> None:
        """Say how long that took; no test depends on it."""
        late = self.times[int(0.95 * len(self.times))]
        print(f"{what}; /health: {late:.0f} ms at the 95th percentile of {len(self.times)}")  # noqa: T201


def prepared(home: Path, database: str | None = None) -> dict[str, object]:
    """Settings of servers over small scenes, with the user ada."""
    settings = Settings(home=home, catalog=home / "catalog.sqlite", database=database)
    home.mkdir(parents=True, exist_ok=True)
    with closing(Catalog(settings.catalog_place)) as catalog:
        catalog.add(make_scenes(home / "scenes", size=400))
    with closing(Backend(settings)) as backend:
        backend.store.users.put(User("ada"), hashed("ada"))
    return {"home": home, "catalog": settings.catalog_place, "database": settings.database_url}


def test_a_hundred_starts_through_two_servers_are_one_run(tmp_path, database):
    shared = prepared(tmp_path / "home", database)
    servers = [Server(**shared, job_slots=1) for _ in range(2)]
    stack = ExitStack()
    try:
        clients = [stack.enter_context(server.ready().client("ada")) for server in servers]
        job = made(clients[0], SLOW)
        token = clients[0].headers["Authorization"]

        async def start_all() -> list[int]:
            async with httpx.AsyncClient(headers={"Authorization": token}, timeout=60) as client:
                urls = [f"{servers[n % 2].url}/jobs/{job}/results" for n in range(100)]
                answers = await asyncio.gather(*(client.post(url) for url in urls))
                return [a.status_code for a in answers]

        assert asyncio.run(start_all()) == [202] * 100
        assert ended(clients[1], job)["status"] == "finished"
        log = [entry["message"] for entry in clients[1].get(f"/jobs/{job}/logs").json()["logs"]]
        assert Counter(m for m in log if m in ("queued", "attempt 1 begins")) == {
            "queued": 1,
            "attempt 1 begins": 1,
        }
    finally:
        stack.close()
        for server in servers:
            server.stop()


def test_a_running_job_is_gone_with_all_it_started(tmp_path):
    shared = prepared(tmp_path / "home")
    server = Server(**shared).ready()
    try:
        with server.client("ada") as client:
            job = made(client, SLOW)
            client.post(f"/jobs/{job}/results")
            while not (running := [p for r in server.runners() for p in (r, *children(r))][1:]):
                time.sleep(0.05)
            assert client.delete(f"/jobs/{job}").status_code == 204
            start = time.monotonic()
            while any(alive(pid) for pid in running) or list(tmp_path.glob("home/users/*/jobs/*")):
                assert time.monotonic() - start < 3, "what a user removes is gone within 3 s"
                time.sleep(0.02)
            assert client.get(f"/jobs/{job}").status_code == 404
    finally:
        server.stop()


def test_each_of_two_hundred_requests_is_answered_or_refused(tmp_path):
    shared = prepared(tmp_path / "home")
    server = Server(**shared, sync_queue_user=64, sync_queue=30).ready()
    try:
        with server.client("ada") as client:
            token = client.headers["Authorization"]

        async def flood() -> list[httpx.Response]:
            limits = httpx.Limits(max_connections=250)
            async with httpx.AsyncClient(base_url=server.url, timeout=300, limits=limits) as client:
                headers = {"Authorization": token}
                asked = [client.post("/result", json=wrapped(NDVI), headers=headers) for _ in range(200)]
                return await asyncio.gather(*asked)

        with Pulse(server.url) as pulse:
            answers = asyncio.run(flood())
        found = Counter(a.status_code for a in answers)
        assert set(found) == {200, 429}, found
        assert found[200] >= 30
        assert all(int(a.headers["retry-after"]) > 0 for a in answers if a.status_code == 429)
        assert len({a.content for a in answers if a.status_code == 200}) == 1
        peak = int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{server.process.pid}/status").read_text())[1])
        pulse.report(f"{dict(found)}; server at most {peak / 1000:.0f} MB")
        assert peak < 600_000
        start = time.monotonic()
        while list(tmp_path.glob("home/users/*/sync/*")):
            assert time.monotonic() - start < 10, "results are removed when the last byte has been sent"
            time.sleep(0.02)
    finally:
        server.stop()


@pytest.mark.skipif(
    why_not() is not None, reason="a small disk is made with bubblewrap, which does not run here"
)
def test_a_full_disk_fails_the_job_and_nothing_else(tmp_path):
    """All that the server writes lies on a disk of 24 MB; the job would write more."""
    shared = prepared(tmp_path / "scenes")
    home, url = tmp_path / "small", f"http://127.0.0.1:{free_port()}"
    home.mkdir()
    disk = ["bwrap", "--die-with-parent", "--bind", "/", "/", "--dev-bind", "/dev", "/dev", "--size", str(24_000_000), "--tmpfs", str(home)]  # fmt: skip
    command = [*disk, "bash", "-c", f"set -e; {GDC[0]} -c '{GDC[2]}' user add ada --password ada; exec {GDC[0]} -c '{GDC[2]}' serve --port {url.rpartition(':')[2]}"]  # fmt: skip
    env = {**os.environ, "GDC_HOME": str(home), "GDC_CATALOG": str(shared["catalog"]), "GDC_UDF": "off"}
    process = subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL)
    stack = ExitStack()
    try:
        wait_for(url, process)
        client = stack.enter_context(logged_in(url, "ada"))
        fine = {
            "load": {**LOAD, "arguments": {**LOAD["arguments"], "temporal_extent": ["2022-06-01", "2022-06-20"]}},
            "fine": {"process_id": "resample_spatial", "arguments": {"data": {"from_node": "load"}, "resolution": 1, "method": "cubic"}},
            "save": {"process_id": "save_result", "arguments": {"data": {"from_node": "fine"}, "format": "netCDF"}, "result": True},
        }  # fmt: skip
        job = made(client, fine)
        assert client.post(f"/jobs/{job}/results").status_code == 202
        told = ended(client, job)
        assert told["status"] == "error"
        cause = client.get(f"/jobs/{job}/logs").json()["logs"][-1]
        assert (cause["level"], cause["code"]) == ("error", "StorageFailure"), cause
        assert client.get(f"/jobs/{job}/results").status_code == 424
        refused = client.put("/files/large.bin", content=bytes(40_000_000))
        assert (refused.status_code, refused.json()["code"]) == (500, "StorageFailure")
        assert client.get("/files").json()["files"] == []
        small = made(client, SUM)
        client.post(f"/jobs/{small}/results")
        assert ended(client, small)["status"] == "finished"
        assert client.post("/result", json=wrapped(SUM)).text.strip() == "3"
    finally:
        stack.close()
        process.terminate()
        process.wait(60)


def test_https_by_files_of_a_certificate(tmp_path):
    certificate, key = self_signed(tmp_path)
    home = tmp_path / "home"
    url = f"https://127.0.0.1:{free_port()}"
    port = url.rpartition(":")[2]
    server = Running(
        "serve", "--port", port, "--tls-cert", str(certificate), "--tls-key", str(key), home=home
    )
    context = ssl.create_default_context(cafile=certificate)
    try:
        with httpx.Client(base_url=url, verify=context) as client:
            for _ in range(600):
                try:
                    landing = client.get("/").json()
                    break
                except httpx.TransportError:
                    assert server.process.poll() is None
                    time.sleep(0.1)
        assert all(link["href"].startswith(f"{url}/") for link in landing["links"])
        assert not list(home.glob("*.pem"))
    finally:
        server.stop()


def self_signed(folder: Path) -> tuple[Path, Path]:
    """Files of a certificate for loopback and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    files = folder / "cert.pem", folder / "key.pem"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return files


def test_behind_a_proxy_all_addresses_are_those_from_outside(tmp_path):
    outside = "https://example.org/cube"
    server = Server(**prepared(tmp_path / "home"), public_url=outside).ready()
    try:
        with server.client("ada") as client:
            landing = client.get("/openeo/1.2/").json()
            assert {link["href"].startswith(f"{outside}/") for link in landing["links"]} == {True}
            versions = client.get("/.well-known/openeo").json()["versions"]
            assert versions[0]["url"] == f"{outside}/openeo/1.2/"
            job = made(client, SUM)
            client.post(f"/jobs/{job}/results")
            ended(client, job)
            (asset,) = client.get(f"/jobs/{job}/results").json()["assets"].values()
            assert asset["href"].startswith(f"{outside}/results/")
            assert (
                client.get(asset["href"].removeprefix(outside)).text.strip() == "3"
            )  # as the proxy passes it on
            pages = client.get("/processes", params={"limit": 5}).json()["links"]
            assert all(link["href"].startswith(f"{outside}/processes") for link in pages)
    finally:
        server.stop()
