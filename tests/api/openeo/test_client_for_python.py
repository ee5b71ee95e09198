"""The openEO client for Python goes its whole way, from connecting to a range of the last file."""

from __future__ import annotations

import httpx
import numpy as np
import openeo
import rasterio
from openeo.api.process import Parameter
from openeo.processes import process


def test_the_whole_way(served, tmp_path):
    connection = openeo.connect(f"{served.url}/openeo/1.2").authenticate_basic("ada", "ada")
    assert connection.capabilities().api_version() == "1.2.0"
    assert connection.describe_account()["user_id"] == "ada"
    assert connection.list_collection_ids() == ["S2"]
    about = connection.describe_collection("S2")
    assert {"B04", "B08", "SCL"} <= set(about["cube:dimensions"]["bands"]["values"])
    assert len(connection.list_processes()) > 150
    assert "GTiff" in connection.list_file_formats()["output"]
    assert set(connection.list_udf_runtimes()) == {"Python"}
    assert all(service["url"] for service in connection.list_services())  # other tests make some

    x = Parameter("x", description="A number.", schema={"type": "number"})
    scaled = process("multiply", x=x, y=100)
    stored = connection.save_user_defined_process("scaled", scaled, parameters=[x])
    assert "scaled" in [p["id"] for p in connection.list_user_defined_processes()]

    june = ("2022-06-01", "2022-07-01")
    cube = connection.load_collection("S2", temporal_extent=june, bands=["B04", "B08", "SCL"])
    classes = cube.band("SCL")
    clear = cube.filter_bands(["B04", "B08"]).ndvi(nir="B08", red="B04").mask((classes == 8) | (classes == 9))
    result = clear.reduce_dimension(dimension="t", reducer="max").apply(lambda v: process("scaled", x=v))
    assert result.validate() == []
    result.download(tmp_path / "sync.tif")

    job = result.create_job(title="NDVI", out_format="GTiff")
    assert job.estimate()["costs"] == 0
    job.start_and_wait(max_poll_interval=0.5, print=lambda _: None)
    assert job.describe()["title"] == "NDVI"
    assert any(entry["message"].startswith("finished") for entry in job.logs())
    results = job.get_results()
    assert results.get_metadata()["type"] == "Collection"
    (path,) = [p for p in results.download_files(tmp_path / "job") if p.suffix == ".tif"]
    with rasterio.open(tmp_path / "sync.tif") as one, rasterio.open(path) as other:
        np.testing.assert_array_equal(one.read(), other.read())
        assert 10 < np.nanmax(one.read()) <= 100
    (asset,) = results.get_assets()
    part = httpx.get(asset.href, headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, path.read_bytes()[100:200])
    job.delete()
    stored.delete()
