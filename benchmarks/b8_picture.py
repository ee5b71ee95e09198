"""B8: how long does it take to look at a part of a scene from afar, as a PNG?"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks import answers
from benchmarks.child import Work
from benchmarks.model import Case, Contender
from benchmarks.scale import Scale
from benchmarks.scenes import moment

SHRINK = 8
BRIGHTEST = 4000
"""What becomes white."""
HERE = "benchmarks.b8_picture"


def ours(facts: Mapping[str, Any]) -> Work:
    """A preview of a cube, as a notebook shows it."""
    import engine

    session = engine.open(facts["catalog"])
    west, south, east, north = facts["box"]
    extent = {"west": west, "south": south, "east": east, "north": north, "crs": facts["crs"]}
    time = [f"{moment(0):%Y-%m-%d}", f"{moment(1):%Y-%m-%d}"]

    def run(_: int) -> bytes:
        cube = session.load("S2", extent, time, ["B04"])
        return bytes(cube.preview(facts["side"], min=0, max=BRIGHTEST).png)

    return Work(run, answers.of_picture)


def overview(facts: Mapping[str, Any]) -> Work:
    """The overview alone, in grey, with little compression."""
    import rasterio
    from PIL import Image
    from rasterio.windows import Window

    path = f"{facts['folders'][0]}/B04.tif"
    top, left, height, width = facts["window"]
    shape = (facts["side"], facts["side"])

    def run(_: int) -> bytes:
        with rasterio.open(path, driver="GTiff") as file:
            cells = file.read(1, window=Window(left, top, width, height), out_shape=shape)
        levels = (cells.clip(0, BRIGHTEST) * (255 / BRIGHTEST)).astype("uint8")
        stream = io.BytesIO()
        Image.fromarray(levels).save(stream, "PNG", compress_level=1)
        return stream.getvalue()

    return Work(run, answers.of_picture)


def rio_tiler(facts: Mapping[str, Any]) -> Work:
    """A part of the file, rendered as a PNG as its users do."""
    from rio_tiler.io import Reader

    path, side = f"{facts['folders'][0]}/B04.tif", facts["side"]
    crs = f"EPSG:{facts['crs']}"

    def run(_: int) -> bytes:
        with Reader(path) as file:
            image = file.part(facts["box"], bounds_crs=crs, dst_crs=crs, width=side, height=side)
        image.rescale(in_range=((0, BRIGHTEST),))
        return bytes(image.render(img_format="PNG"))

    return Work(run, answers.of_picture)


def odc(facts: Mapping[str, Any]) -> Work:
    """The cells of the overview by odc-stac, without a picture."""
    import odc.stac

    from benchmarks.engines.items import items

    found = items(facts)[:1]
    west, south, east, north = facts["box"]

    def run(_: int) -> Any:
        return odc.stac.load(
            found, bands=["B04"], crs=f"EPSG:{facts['crs']}", resolution=20 * SHRINK, x=(west, east),
            y=(south, north),
        )  # fmt: skip

    return Work(run)


def cases(scale: Scale, scenes: Path) -> Iterator[Case]:
    """At an eighth of the scale: a small part, and a larger one where the scenes have it."""
    for edge in (n for n in (1024, 4096) if n <= scale.recipe.edge):
        facts = {**scale.scenes(scenes, edge=edge), "side": edge // SHRINK}
        yield Case(
            f"B8 {edge} cells",
            facts,
            (
                Contender("ours", f"{HERE}:ours"),
                Contender("overview", f"{HERE}:overview", "limit"),
                Contender("rio-tiler", f"{HERE}:rio_tiler", "peer", "tools"),
                Contender("odc-stac, no PNG", f"{HERE}:odc", "peer", whole=False),
            ),
            truth="overview",
            tolerance=2e-2,
        )
