"""The openEO client for JavaScript goes its whole way, from connecting to the last byte."""

from __future__ import annotations

import json
import subprocess

import numpy as np
import rasterio

from node import command


def test_the_whole_way(node, served, tmp_path):
    call = command("openeo_js.mjs", tmp_path / "js", f"{served.url}/openeo/1.2", "ada", "ada", str(tmp_path))
    done = subprocess.run(call, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    seen = json.loads(done.stdout.splitlines()[-1])
    assert (seen["version"], seen["can"], seen["me"]) == ("1.2.0", [], "ada")
    assert seen["collections"] == ["S2"]
    assert {"B04", "B08", "SCL"} <= set(seen["bands"])
    assert seen["processes"] > 150
    assert {"GTIFF", "NETCDF", "JSON"} <= {name.upper() for name in seen["formats"]}
    assert {"XYZ", "WMTS"} <= set(seen["services"])
    assert seen["runtimes"] == ["Python"]
    assert "scaled" in seen["stored"]
    assert (seen["faults"], seen["status"], seen["title"]) == (0, "finished", "Done")
    assert seen["estimate"]["costs"] == 0
    assert any(message.startswith("finished") for message in seen["log"])
    (asset,) = seen["assets"].values()
    assert asset["raster:bands"][0]["statistics"]["maximum"] <= 100
    assert seen["jobs"]
    assert seen["uploaded"] == ["from_js.txt"]
    assert seen["url"].startswith(served.url)
    batch = [name for name in seen["files"] if name.endswith(".tif")]
    with rasterio.open(tmp_path / "sync.tif") as one, rasterio.open(batch[0]) as other:
        np.testing.assert_array_equal(one.read(), other.read())
        assert 10 < np.nanmax(one.read()) <= 100
