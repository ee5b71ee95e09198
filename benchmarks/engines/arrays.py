"""Libraries that work on arrays in memory: xarray, flox, xvec, exactextract, OpenCV, scipy, odc-geo, rioxarray."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks import answers, cubes, graphs
from benchmarks.child import CORES, Work
from benchmarks.scenes import CRS, bounds

CHUNK = 1024


def months_xarray(facts: Mapping[str, Any]) -> Work:
    """Monthly means with `resample`, in chunks."""
    lazy = cubes.labelled(cubes.cells(facts["dates"], facts["edge"])).chunk(t=-1, y=CHUNK, x=CHUNK)
    return Work(lambda _: lazy.resample(t="MS").mean().compute(), answers.of_cells)


def months_flox(facts: Mapping[str, Any]) -> Work:
    """Monthly means with flox, all at once."""
    from flox.xarray import xarray_reduce

    cube = cubes.labelled(cubes.cells(facts["dates"], facts["edge"]))
    return Work(lambda _: xarray_reduce(cube, cube.t.dt.month, func="nanmean"), answers.of_cells)


def frame(polygons: Mapping[str, Any]) -> Any:
    """Polygons as geopandas has them, in the projection of the scenes."""
    import geopandas

    return geopandas.GeoDataFrame.from_features(polygons, crs="EPSG:4326").to_crs(CRS)


def zones_exactextract(facts: Mapping[str, Any]) -> Work:
    """Means that weigh each cell by the share of it that is covered."""
    from exactextract import exact_extract
    from exactextract.raster import NumPyRasterSource

    values = cubes.cells(facts["dates"], facts["edge"], gaps=False)
    west, south, east, north = bounds(0, 0, facts["edge"], facts["edge"])
    dates = [
        NumPyRasterSource(v, xmin=west, ymin=south, xmax=east, ymax=north, name=f"d{i}", srs_wkt=CRS)
        for i, v in enumerate(values)
    ]

    def run(_: int) -> Any:
        return exact_extract(dates, frame(facts["polygons"]), "mean", output="pandas").to_numpy()

    return Work(run, answers.of_cells)


def zones_xvec(facts: Mapping[str, Any]) -> Work:
    """Means by xvec: one way to select cells or another."""
    import xvec  # noqa: F401 (registers .xvec)

    cube = cubes.labelled(cubes.cells(facts["dates"], facts["edge"], gaps=False))

    def run(_: int) -> Any:
        polygons = frame(facts["polygons"]).geometry
        return cube.xvec.zonal_stats(polygons, "x", "y", stats="mean", method=facts["method"])

    return Work(run, lambda result: answers.of_cells(result.values))


def kernel_scipy(facts: Mapping[str, Any]) -> Work:
    """A 5 x 5 kernel by scipy."""
    import numpy as np
    from scipy.ndimage import correlate

    values = cubes.cells(facts["dates"], facts["edge"], gaps=False)
    weights = np.array(graphs.KERNEL, np.float32)
    return Work(
        lambda _: np.stack([correlate(v, weights, mode="constant") for v in values]), answers.of_cells
    )


def kernel_opencv(facts: Mapping[str, Any]) -> Work:
    """A 5 x 5 kernel by OpenCV."""
    import cv2
    import numpy as np

    cv2.setNumThreads(CORES)
    values = cubes.cells(facts["dates"], facts["edge"], gaps=False)
    weights = np.array(graphs.KERNEL, np.float32)

    def run(_: int) -> Any:
        return np.stack([cv2.filter2D(v, -1, weights, borderType=cv2.BORDER_CONSTANT) for v in values])

    return Work(run, answers.of_cells)


def warp_odc(facts: Mapping[str, Any]) -> Work:
    """Another projection by odc-geo: at once, or in chunks."""
    import odc.geo.xr  # noqa: F401 (registers .odc)

    cube = cubes.labelled(cubes.cells(1, facts["edge"], gaps=False)[0])
    if facts.get("chunk"):
        cube = cube.chunk(y=facts["chunk"], x=facts["chunk"])

    def run(_: int) -> Any:
        there = cube.odc.reproject(
            f"EPSG:{facts['projection']}", resolution=facts["resolution"], resampling="bilinear",
            dst_nodata=float("nan"),
        )  # fmt: skip
        return there.compute()

    return Work(run, answers.of_cells)


def warp_rioxarray(facts: Mapping[str, Any]) -> Work:
    """Another projection by rioxarray."""
    from rasterio.enums import Resampling

    cube = cubes.labelled(cubes.cells(1, facts["edge"], gaps=False)[0])
    crs = f"EPSG:{facts['projection']}"
    return Work(
        lambda _: cube.rio.reproject(
            crs, resolution=facts["resolution"], resampling=Resampling.bilinear, nodata=float("nan")
        ),
        answers.of_cells,
    )
