"""B12: how long does it take to get a part of a scene from afar as a PNG, over HTTP?"""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from benchmarks import answers
from benchmarks.child import Work
from benchmarks.model import Case, Contender
from benchmarks.scale import Scale
from benchmarks.scenes import moment

SHRINK = 8
DARKEST, BRIGHTEST = 2, 98
"""The percentiles that become black and white."""
HERE = "benchmarks.b12_coverages"
MORTAL = "import ctypes, signal; ctypes.CDLL(None).prctl(1, signal.SIGTERM); "
"""Servers end with the contender that started them."""
PATIENCE = 120.0
"""Seconds until a server has to answer."""


def started(code: str, *arguments: str, **settings: str) -> str:
    """A server in a process of its own; gives its address once it answers."""
    import os
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", MORTAL + code, *arguments, str(port)]
    subprocess.Popen(command, env={**os.environ, **settings}, stdout=subprocess.DEVNULL)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
        except OSError:
            time.sleep(0.05)
        else:
            return f"http://127.0.0.1:{port}"
    raise TimeoutError("the server does not answer")


def got(address: str) -> bytes:
    """What a server answers."""
    with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
        return bytes(answer.read())


def ours(facts: Mapping[str, Any]) -> Work:
    """A coverage of a server as people start it."""
    from engine.catalog import Catalog

    home = Path(tempfile.mkdtemp(prefix="gdc-bench-"))
    catalog = Catalog(home / "catalog.sqlite")
    catalog.add(facts["catalog"])
    catalog.close()
    settings = {"GDC_HOME": str(home), "GDC_CATALOG": str(home / "catalog.sqlite"), "GDC_JOB_SLOTS": "0"}
    url = started("from api.cli import main; main()", "serve", "--port", **settings)
    asked = {
        "bbox": ",".join(map(str, facts["box"])), "bbox-crs": str(facts["crs"]), "datetime": f"{moment(0):%Y-%m-%d}",
        "properties": "B04", "scale-factor": str(SHRINK), "f": "png",
    }  # fmt: skip
    address = f"{url}/collections/S2/coverage?{urlencode(asked)}"
    return Work(lambda _: got(address), answers.of_picture)


def picture(facts: Mapping[str, Any]) -> bytes:
    """A part of the file by rio-tiler, rendered as its users do."""
    import numpy as np
    from rio_tiler.io import Reader

    crs = f"EPSG:{facts['crs']}"
    with Reader(f"{facts['folders'][0]}/B04.tif") as file:
        image = file.part(
            facts["box"], bounds_crs=crs, dst_crs=crs, width=facts["side"], height=facts["side"]
        )
    low, high = np.percentile(image.array.compressed(), (DARKEST, BRIGHTEST))
    image.rescale(in_range=((low, high),))
    return bytes(image.render(img_format="PNG"))


def rio_tiler(facts: Mapping[str, Any]) -> Work:
    """The same in the process itself, without HTTP."""
    return Work(lambda _: picture(facts), answers.of_picture)


def rio_tiler_served(facts: Mapping[str, Any]) -> Work:
    """The same behind a server that does nothing else."""
    import json

    code = "from benchmarks.b12_coverages import serve; serve()"
    url = started(code, json.dumps(dict(facts)))
    return Work(lambda _: got(f"{url}/picture"), answers.of_picture)


def serve() -> None:
    """Answer each request with the picture; the facts and the port stand in the command."""
    import json
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    facts = json.loads(sys.argv[1])

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = b"" if self.path == "/health" else picture(facts)
            self.send_response(200)
            self.send_header("Content-Type", "image/png")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Handler).serve_forever()


def overview(facts: Mapping[str, Any]) -> Work:
    """The overview alone, in grey, with little compression, in the process itself."""
    import numpy as np
    import rasterio
    from PIL import Image
    from rasterio.windows import Window

    top, left, height, width = facts["window"]
    shape = (facts["side"], facts["side"])

    def run(_: int) -> bytes:
        with rasterio.open(f"{facts['folders'][0]}/B04.tif", driver="GTiff") as file:
            cells = file.read(1, window=Window(left, top, width, height), out_shape=shape, masked=True)
        low, high = np.percentile(cells.compressed(), (DARKEST, BRIGHTEST))
        levels = ((cells.filled(low).clip(low, high) - low) * (255 / (high - low))).astype("uint8")
        stream = io.BytesIO()
        Image.fromarray(levels).save(stream, "PNG", compress_level=1)
        return stream.getvalue()

    return Work(run, answers.of_picture)


def cases(scale: Scale, scenes: Path) -> Iterator[Case]:
    """At an eighth of the scale."""
    edge = min(1024, scale.recipe.edge // SHRINK * SHRINK)
    facts = {**scale.scenes(scenes, edge=edge), "side": edge // SHRINK}
    yield Case(
        "B12 coverage",
        facts,
        (
            Contender("ours", f"{HERE}:ours"),
            Contender("overview, no HTTP", f"{HERE}:overview", "limit"),
            Contender("rio-tiler", f"{HERE}:rio_tiler", "peer", "tools"),
            Contender("rio-tiler, served", f"{HERE}:rio_tiler_served", "peer", "tools"),
        ),
        truth="overview, no HTTP",
        tolerance=5e-2,
    )
