"""The guarded client: a honeypot that nobody may reach, friendly servers that everybody must, and bounds."""

from __future__ import annotations

import gzip
import pickle
import socket
import time
from io import BytesIO

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from rasterio.transform import from_origin

from engine.catalog import Query, open_stac
from engine.errors import Problem
from engine.http import GUARDED, Client, Egress, Failure, egress_of
from engine.http.client import PATIENCE, shown
from engine.http.egress import named
from engine.http.ranges import BLOCK, Pieces, RemoteFile, opener_of
from engine.load.files import gdal, open_raster
from engine.settings import Settings
from tests.engine.servers import site

ONCE = PATIENCE.new(total=0)
LOOPBACK = Egress(hosts=("127.0.0.1",))

HERE = [
    "127.0.0.1", "localhost", "LOCALHOST", "localhost.", "127.1", "127.0.1", "127.0.0.1.", "2130706433", "0x7f000001",
    "0x7f.0.0.1", "0x7F.0x0.0x0.0x1", "0177.0.0.1", "00000177.0.0.1", "017700000001", "127.0.0.2", "127.255.255.254",
    "0.0.0.0", "0", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]",
    "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[::ffff:0:127.0.0.1]", "①②⑦.⓪.⓪.①", "127。0。0。1", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "%31%32%37.0.0.1",
    "[::1%25lo]", "[fe80::1%25lo]", "[::ffff:0x7f.1]", "127.0.0.1%00.example.org", "127.0.0.1\t", "127.0.0.1 ",
]  # fmt: skip
"""Ways to say: this machine."""
PRIVATE = [
    "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.254", "192.168.0.1", "192.168.255.255", "169.254.0.1",
    "169.254.169.254", "169.254.170.2", "100.64.0.1", "100.100.100.200", "192.0.0.192", "192.0.2.1", "198.18.0.1",
    "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "168.63.129.16",
    "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518", "3232235521", "0x0a000001", "012.0.0.1", "10.1",
    "[fc00::1]", "[fd00:ec2::254]", "[fe80::1]", "[fec0::1]", "[ff02::1]", "[2001:db8::1]", "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::a9fe:a9fe]", "[2002:a9fe:a9fe::]", "[::ffff:10.0.0.1]",
    "[::10.0.0.1]", "[::ffff:168.63.129.16]", "[64:ff9b::a83f:8110]", "[2002:a83f:8110::]", "[2001::1]", "[100::1]",
]  # fmt: skip
"""Networks that are nobody's business."""
SCHEMES = [
    "file",
    "ftp",
    "gopher",
    "dict",
    "ldap",
    "ws",
    "javascript",
    "data",
    "jar",
    "netdoc",
    "unix",
    "http+unix",
    "s3",
    "",
]
NAMES = [
    "rebind.test",
    "metadata.google.internal",
    "evil.example",
    "127.0.0.1.nip.test",
    "xn--lclhst-4ve.test",
]
INSIDE = ["127.0.0.1", "::1", "169.254.169.254", "10.0.0.7", "168.63.129.16", "::ffff:127.0.0.1", "0.0.0.0"]


@pytest.fixture(scope="module")
def honeypot():
    """Answers with a secret, and must never be asked for it."""
    with site(lambda _: (200, {"Content-Type": "application/json"}, b'{"secret": 1}')) as trap:
        yield trap


def hostile(port: int) -> list[str]:
    told = [f"http://{host}:{port}/x" for host in (*HERE, *PRIVATE)]
    told += [f"{scheme}://127.0.0.1:{port}/x" for scheme in SCHEMES]
    told += [
        f"http://example.org@127.0.0.1:{port}/",
        f"http://example.org:80@127.0.0.1:{port}/",
        f"http://example.org%40127.0.0.1:{port}/",
        f"http://127.0.0.1:{port}#@example.org/",
        f"http://127.0.0.1:{port}?@example.org/",
        f"http://127.0.0.1:{port}\\@example.org/",
        f"http://example.org\\@127.0.0.1:{port}/",
        f"http://a:b@c:d@127.0.0.1:{port}/",
        f"http:127.0.0.1:{port}/",
        f"http:/127.0.0.1:{port}/",
        f"http:///127.0.0.1:{port}/",
        f"http:\\\\127.0.0.1:{port}\\",
        f"//127.0.0.1:{port}/",
        f"HTTP://127.0.0.1:{port}/",
        f"hTtP://LocalHost:{port}/",
        f"https://127.0.0.1:{port}/",
        f"http://127.0.0.1:{port}\r\nHost: example.org/",
        f"http://127.0.0.1\n:{port}/",
        f" http://127.0.0.1:{port}/",
        f"http://[::1]:{port}@127.0.0.1:{port}/",
        f"http://127.0.0.1:{port}:80/",
        f"http://127.0.0.1:+{port}/",
        f"http://127.0.0.1:{port}" + "a" * 9000,
        "http://",
        "http://:80/",
        "http://[",
        "http://example.org:25/",
        "http://example.org:99999/",
    ]
    return told


def forbidden(url: str, resolver=None) -> None:
    with Client(retries=ONCE, timeout=(2, 2), resolver=resolver) as client, pytest.raises(Failure) as caught:
        client.fetch(url)
    assert caught.value.kind in ("refused", "unreachable")


@pytest.mark.parametrize("place", range(len(hostile(1))))
def test_no_hostile_address_is_reached(honeypot, place):
    forbidden(hostile(honeypot.port)[place])
    assert honeypot.connections == 0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("address", INSIDE)
def test_names_that_mean_private_addresses(honeypot, name, address):
    """Whatever a name resolves to is judged, and nothing is looked up twice."""
    lookups = []

    def resolver(host, port, *_, **__):
        lookups.append(host)
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        place = (address, port, 0, 0) if ":" in address else (address, port)
        return [(family, socket.SOCK_STREAM, 6, "", place)]

    forbidden(f"http://{name}:{honeypot.port}/", resolver)
    assert lookups == [name]
    assert honeypot.connections == 0


def test_a_name_that_moves_between_check_and_connection(honeypot):
    answers = iter(["93.184.215.14", "127.0.0.1", "127.0.0.1"])
    looked = []

    def resolver(host, port, *_, **__):
        looked.append(next(answers))
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (looked[-1], port))]

    with Client(retries=ONCE, timeout=(0.3, 0.3), resolver=resolver) as client, pytest.raises(Failure):
        client.fetch(f"http://rebind.test:{honeypot.port}/")
    assert looked == ["93.184.215.14"]
    assert honeypot.connections == 0


def test_one_private_address_among_public_ones_is_enough_to_refuse(honeypot):
    def resolver(_host, port, *_, **__):
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in ("93.184.215.14", "127.0.0.1")
        ]

    forbidden(f"http://mixed.test:{honeypot.port}/", resolver)
    assert honeypot.connections == 0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "169.254.169.254"]
)
def test_redirects_are_judged_at_every_hop(honeypot, status, host):
    with site(lambda _: (status, {"Location": f"http://{host}:{honeypot.port}/"}, b"")) as friendly:
        egress = Egress(hosts=(f"127.0.0.1:{friendly.port}",))
        with Client(egress, retries=ONCE) as client, pytest.raises(Failure) as caught:
            client.fetch(f"{friendly.url}/")
        assert caught.value.kind == "refused"
        assert len(friendly.asked) == 1
    assert honeypot.connections == 0


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1:70/_x"])
def test_redirects_to_other_schemes(target):
    with (
        site(lambda _: (302, {"Location": target}, b"")) as friendly,
        Client(LOOPBACK, retries=ONCE) as client,
        pytest.raises(Failure),
    ):
        client.fetch(friendly.url)


def test_redirects_come_to_an_end():
    with site(lambda r: (302, {"Location": r.path + "x"}, b"")) as friendly:
        with Client(LOOPBACK, retries=ONCE) as client, pytest.raises(Failure, match="redirects"):
            client.fetch(f"{friendly.url}/")
        assert len(friendly.asked) == 6


def test_proxies_of_the_environment_are_left_alone(honeypot, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, honeypot.url)
    with site(lambda _: (200, {}, b"hello")) as friendly, Client(LOOPBACK) as client:
        assert client.fetch(friendly.url).body == b"hello"
    assert honeypot.connections == 0


# ----------------------------------------------------------------------------------- what is reached
@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:{}/a", "HTTP://127.0.0.1:{}/a", "http://me:secret@127.0.0.1:{}/a", "http://127.0.0.1:{}/a?b=c#d",
     "http://localhost:{}/a", "http://LOCALHOST:{}/a"],
)  # fmt: skip
def test_named_hosts_are_reached(address):
    with site(lambda _: (200, {}, b"hello")) as friendly:
        egress = Egress(hosts=(f"127.0.0.1:{friendly.port}", f"localhost:{friendly.port}"))
        with Client(egress) as client:
            assert client.fetch(address.format(friendly.port)).body == b"hello"
        assert len(friendly.asked) == 1


def test_a_named_port_is_no_other_port(honeypot):
    with Client(Egress(hosts=("127.0.0.1:1",)), retries=ONCE) as client, pytest.raises(Failure) as caught:
        client.fetch(honeypot.url)
    assert caught.value.kind == "refused"
    assert "GDC_ALLOWED_HOSTS" in str(caught.value.problem())
    assert honeypot.connections == 0


def test_private_hosts_may_be_allowed_altogether():
    with site(lambda _: (200, {}, b"hello")) as friendly, Client(Egress(private=True)) as client:
        assert client.fetch(friendly.url).body == b"hello"


def test_redirects_between_named_hosts_are_followed():
    with site(lambda _: (200, {}, b"there")) as second:
        with site(lambda _: (302, {"Location": f"{second.url}/b"}, b"")) as first, Client(LOOPBACK) as client:
            answer = client.fetch(first.url)
        assert (answer.body, answer.url) == (b"there", f"{second.url}/b")


@pytest.mark.parametrize(
    "host",
    [
        "example.org",
        "8.8.8.8",
        "93.184.215.14",
        "[2606:4700::1111]",
        "bücher.example",
        "xn--bcher-kva.example",
    ],
)
def test_public_addresses_are_judged_public(host):
    policy = GUARDED.policy(f"https://{host}/")
    target = policy.check_url(f"https://{host}/")
    assert target.address is None or policy.permits_address(target.address)


def test_settings_say_what_is_allowed():
    assert egress_of(Settings(private_hosts="deny", allowed_hosts=())) == GUARDED
    assert egress_of(Settings(allowed_hosts=("a:1",))) == Egress(True, ("a:1",))


@pytest.mark.parametrize(
    ("entry", "meant"),
    [("Example.org", ("example.org", None)), ("a.b:81", ("a.b", 81)), ("::1", ("::1", None)), ("[::1]", ("::1", None)),
     ("[::1]:81", ("::1", 81)), ("127.0.0.1", ("127.0.0.1", None))],
)  # fmt: skip
def test_entries_of_allowed_hosts(entry, meant):
    assert named(entry) == meant


@pytest.mark.parametrize("entry", ["", "http://a", "a/b", "a:b", "u@a", "a:99999"])
def test_entries_that_mean_nothing(entry):
    with pytest.raises(Problem, match="no host"):
        named(entry)


# -------------------------------------------------------------------------------------------- bounds
def test_an_answer_is_cut_off_at_its_cap():
    with site(lambda _: (200, {}, b"x" * 2000)) as friendly, Client(LOOPBACK) as client:
        assert len(client.fetch(friendly.url, cap=2000).body) == 2000
        with pytest.raises(Failure, match="2000 bytes"):
            client.fetch(friendly.url, cap=1999)


def test_a_bomb_is_measured_unpacked():
    bomb = gzip.compress(bytes(50_000_000))
    with (
        site(lambda _: (200, {"Content-Encoding": "gzip"}, bomb)) as friendly,
        Client(LOOPBACK) as client,
        pytest.raises(Failure) as caught,
    ):
        client.fetch(friendly.url, cap=1_000_000)
    assert caught.value.kind == "size"


def test_an_answer_that_drips_is_given_up():
    def drip(request):
        request.send_response(200)
        request.send_header("Content-Length", "100")
        request.end_headers()
        for _ in range(100):
            request.wfile.write(b"x")
            time.sleep(0.05)
        return 200, {}, b""

    with site(drip) as friendly, Client(LOOPBACK, retries=ONCE) as client, pytest.raises(Failure) as caught:
        client.fetch(friendly.url, within=0.3)
    assert caught.value.kind == "time"


def test_a_silent_server_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with Client(LOOPBACK, retries=ONCE, timeout=(0.2, 0.2)) as client, pytest.raises(Failure) as caught:
            client.fetch(url)
    assert caught.value.kind in ("time", "unreachable")


def test_questions_are_asked_again_and_orders_are_not():
    quick = PATIENCE.new(backoff_factor=0.0)
    with site(lambda _: (503, {}, b"")) as busy, Client(LOOPBACK, retries=quick) as client:
        assert client.ask(busy.url).status == 503
        assert len(busy.asked) == 5
        assert client.ask(busy.url, "POST", json={}).status == 503
        assert len(busy.asked) == 6


def test_a_failure_travels_and_tells_no_secret():
    with (
        site(lambda _: (404, {}, b"")) as friendly,
        Client(LOOPBACK) as client,
        pytest.raises(Failure) as caught,
    ):
        client.fetch(f"http://me:hunter2@127.0.0.1:{friendly.port}/a?token=s3cr3t")
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.kind, again.status, str(again)) == ("status", 404, str(caught.value))
    assert again.problem("url").facts == {"href": f"{friendly.url}/a", "status": 404, "parameter": "url"}
    assert "hunter2" not in str(again)
    assert "s3cr3t" not in str(again)


@given(st.text(max_size=60))
def test_shown_never_fails_and_has_no_query(text):
    assert "?" not in shown(f"http://a/{text}").replace("%3F", "")
    shown(text)


# ---------------------------------------------------------------------------------- the doors behind
ENTRIES = [
    lambda url: open_stac(url, Query("")),
    lambda url: rasterio_of(url),
]


def rasterio_of(url):
    with gdal():
        try:
            open_raster(url)
        except rasterio.errors.RasterioIOError as fault:
            raise Failure("refused", url, str(fault)) from fault


@pytest.mark.parametrize("host", [h for h in HERE[:12] if h != "localhost."] + PRIVATE[:3] + PRIVATE[7:8])
@pytest.mark.parametrize("entry", ENTRIES, ids=["stac", "raster"])
def test_no_entry_reaches_the_honeypot(honeypot, entry, host):
    with pytest.raises((Problem, Failure)):
        entry(f"http://{host}:{honeypot.port}/a.tif")
    assert honeypot.connections == 0


@pytest.mark.parametrize(
    "href",
    ["/vsicurl/http://127.0.0.1:{}/a.tif", "/VSICURL/http://127.0.0.1:{}/a.tif", "zip+http://127.0.0.1:{}/a.zip!a.tif",
     "vrt://http://127.0.0.1:{}/a.tif", "/vsicurl_streaming/http://127.0.0.1:{}/a", "/vsizip//vsicurl/http://127.0.0.1:{}/a",
     "WMS:http://127.0.0.1:{}/", "http+zip://127.0.0.1:{}/a"],
)  # fmt: skip
def test_no_way_of_gdal_reaches_the_honeypot(honeypot, href):
    with pytest.raises(Failure):
        rasterio_of(href.format(honeypot.port))
    assert honeypot.connections == 0


# ------------------------------------------------------------------------------------ files in pieces
def ranged(content: bytes, mark: str = "a"):
    def answer(request):
        first, _, last = request.headers["Range"].removeprefix("bytes=").partition("-")
        start, stop = int(first), min(int(last) + 1, len(content))
        told = {"Content-Range": f"bytes {start}-{stop - 1}/{len(content)}", "ETag": mark}
        return 206, told, content[start:stop]

    return answer


@given(st.lists(st.tuples(st.integers(0, 200_000), st.integers(0, 90_000)), max_size=8))
def test_a_remote_file_reads_as_bytes_do(content_site, spans):
    served, content = content_site
    file, twin = RemoteFile(f"{served.url}/f", LOOPBACK), BytesIO(content)
    for at, count in spans:
        assert file.seek(at) == twin.seek(at)
        assert file.read(count) == twin.read(count)
        assert file.tell() == twin.tell() or at > len(content)
    wanted = [(a, n) for a, n in spans if a + n <= len(content)]
    parts = file.get_byte_ranges([a for a, _ in wanted], [n for _, n in wanted])
    assert parts == [content[a : a + n] for a, n in wanted]


@pytest.fixture(scope="module")
def content_site():
    content = np.random.default_rng(0).bytes(180_001)
    with site(ranged(content)) as served:
        yield served, content


def test_pieces_are_fetched_once_and_neighbours_together():
    content = np.random.default_rng(1).bytes(10 * BLOCK)
    with site(ranged(content)) as served:
        file = RemoteFile(f"{served.url}/once", LOOPBACK)
        assert len(served.asked) == 1
        assert file.read() == content
        assert len(served.asked) == 2
        assert RemoteFile(f"{served.url}/once", LOOPBACK).read() == content
        assert len(served.asked) == 2


def test_a_server_without_ranges_is_read_whole():
    with site(lambda _: (200, {}, b"hello" * 20_000)) as served:
        assert RemoteFile(f"{served.url}/whole", LOOPBACK).read() == b"hello" * 20_000
        assert len(served.asked) == 1


@pytest.mark.parametrize(
    "lie",
    [
        (206, {"Content-Range": "bytes 5-9/100"}, b"01234"),
        (206, {"Content-Range": "bytes 0-9/100"}, b"01234"),
        (206, {}, b"01234"),
        (416, {}, b""),
    ],
)
def test_lies_about_ranges(lie):
    with site(lambda _: lie) as served, pytest.raises(Failure):
        RemoteFile(f"{served.url}/lie", LOOPBACK)


def test_a_file_that_changes_while_it_is_read():
    content = np.random.default_rng(2).bytes(10 * BLOCK)
    with site(ranged(content)) as served:
        file = RemoteFile(f"{served.url}/moving", LOOPBACK)
        served.answer = ranged(content[::-1], "b")
        with pytest.raises(Failure, match="changed"):
            file.read()
        assert RemoteFile(f"{served.url}/moving", LOOPBACK).read() == content[::-1]


def test_pieces_that_were_not_read_for_longest_go():
    pieces = Pieces(10)
    for n in range(4):
        pieces.put((n,), b"123")
        pieces.get((0,))
    assert list(pieces.kept) == [(2,), (0,), (3,)] or list(pieces.kept) == [(2,), (3,), (0,)]
    assert pieces.size == sum(map(len, pieces.kept.values())) <= 10


def test_a_raster_on_the_web_is_the_raster_on_disk(tmp_path):
    values = np.random.default_rng(3).integers(0, 60000, (600, 700)).astype("uint16")
    path = tmp_path / "a.tif"
    with rasterio.open(path, "w", driver="GTiff", height=600, width=700, count=1, dtype="uint16", tiled=True,
                       blockxsize=128, blockysize=128, crs="EPSG:32632", transform=from_origin(0, 0, 10, 10)) as file:  # fmt: skip
        file.write(values, 1)
    with site(ranged(path.read_bytes())) as served, gdal():
        with open_raster(f"{served.url}/a.tif", egress=LOOPBACK) as there:
            np.testing.assert_array_equal(there.read(1), values)
        assert {path for _, path in served.asked} == {"/a.tif"}
    with pytest.raises(OSError, match="cannot be written"):
        opener_of(LOOPBACK).open("http://127.0.0.1/a.tif", "w")
