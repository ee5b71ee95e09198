"""Real scenes through process graphs, against numbers that someone else computed from them."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import rasterio
import xarray as xr

import engine
from tests.end_to_end.graphs import child, node, param, reducer, ref

NEW_YORK = {"west": -74.6, "south": 40.2, "east": -73.0, "north": 41.4}


# ------------------------------------------------------------------------- Landsat 8 over New York, 2018
@pytest.fixture(scope="module")
def landsat(data, tmp_path_factory):
    home = tmp_path_factory.mktemp("landsat")
    with engine.open(home / "catalog.sqlite", home=home) as session:
        session.add(data / "gdalcubes_L8NY18" / "stac" / "catalog.json")
        yield session


def landsat_ndvi(extent=None):
    return {
        "load": node("load_collection", id="L8NY18", spatial_extent=extent,
                     temporal_extent=["2018-01-01", "2019-01-01"], bands=["B4", "B5"]),
        "ndvi": node("ndvi", data=ref("load"), nir="B5", red="B4"),
        "median": node("reduce_dimension", data=ref("ndvi"), dimension="t", reducer=reducer("median")),
        "save": node("save_result", data=ref("median"), format="GTiff", result=True),
    }  # fmt: skip


def by_hand(data, bbox=None):
    """The same with plain odc-stac and xarray."""
    import odc.stac
    import pystac

    items = list(
        pystac.Catalog.from_file(str(data / "gdalcubes_L8NY18/stac/catalog.json")).get_items(recursive=True)
    )
    loaded = odc.stac.load(items, bands=["B4", "B5"], groupby="solar_day", resampling="nearest", bbox=bbox)
    red, nir = (loaded[b].astype("float32").where(loaded[b] != 0) for b in ("B4", "B5"))
    return loaded, (nir - red) / (nir + red)


def test_landsat_has_its_17_days_and_its_own_grid(landsat, data):
    explained = landsat.explain(landsat_ndvi())
    (read,) = explained.reads
    loaded, _ = by_hand(data)
    assert (read.items, len(read.dates)) == (19, 17) == (19, loaded.sizes["time"])
    cube = landsat.run(landsat_ndvi())
    assert cube.odc.geobox == loaded.odc.geobox


def test_landsat_median_ndvi_equals_plain_xarray(landsat, data, tmp_path):
    (written,) = landsat.save(landsat_ndvi(), tmp_path / "ndvi.tif")
    loaded, ndvi = by_hand(data)
    with rasterio.open(written.assets[0].href) as file:
        ours = file.read(1)
        assert file.transform == loaded.odc.geobox.transform
        assert file.crs == loaded.odc.crs
        assert np.isnan(file.nodata)
    theirs = ndvi.median("time").values
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert np.isfinite(ours).sum() > 10_000


def test_landsat_over_the_city(landsat, data):
    box = landsat.run(landsat_ndvi(NEW_YORK)).compute()
    _, ndvi = by_hand(data)
    theirs = ndvi.median("time")
    assert 0 < box.size < theirs.size
    same = theirs.sel(x=box.x.values, y=box.y.values, method="nearest")
    assert float(abs(same.x - box.x.values).max()) < 1
    np.testing.assert_allclose(box.values, same.values, atol=1e-6)


def test_landsat_in_an_empty_month_says_so(landsat):
    graph = landsat_ndvi()
    graph["load"]["arguments"]["temporal_extent"] = ["2018-02-01", "2018-03-01"]
    with pytest.raises(engine.Problem) as caught:
        landsat.run(graph)
    problem = caught.value
    assert problem.code == "NoDataAvailable"
    assert problem.facts["funnel"]["collection"] == 19
    assert problem.facts["funnel"]["time"] == 0
    assert "19 items in all, 19 after spatial_extent, 0 after temporal_extent" in problem.message
    assert "2018-01-31" in problem.hint
    assert problem.pointer == "/load"


# ---------------------------------------------------------------- Sentinel-2, computed by an openEO back-end
@pytest.fixture(scope="module")
def fusets(data, tmp_path_factory):
    home = tmp_path_factory.mktemp("fusets")
    with engine.open(home / "catalog.sqlite", home=home) as session:
        session.add(data / "fusets" / "BIDS" / "demo" / "raw_s2_ndvi_field.nc", collection="field")
        yield session


def field_ndvi():
    return {
        "load": node(
            "load_collection", id="field", spatial_extent=None, temporal_extent=None, bands=["B04", "B08"]
        ),
        "ndvi": node("ndvi", data=ref("load"), nir="B08", red="B04", result=True),
    }


def test_ndvi_equals_that_of_the_back_end(fusets, data):
    ours = fusets.run(field_ndvi()).compute()
    theirs = xr.open_dataset(data / "fusets/BIDS/demo/raw_s2_ndvi_field.nc")["NDVI"]
    assert int(np.isnan(ours).sum()) == int(np.isnan(theirs).sum()) == 33_685
    assert float(np.nanmax(np.abs(ours.values - theirs.values))) == 0.0


def test_field_means_equal_those_of_the_back_end(fusets, data):
    graph = field_ndvi()
    graph["ndvi"].pop("result")
    field = json.loads((data / "fusets/BIDS/demo/field.geojson").read_text())
    graph["mean"] = node(
        "aggregate_spatial", data=ref("ndvi"), geometries=field, reducer=reducer("mean"), result=True
    )
    ours = fusets.run(graph).compute()
    with (data / "fusets/BIDS/demo/mogpr_input.csv").open() as file:
        theirs = {row["date"][:10]: float(row["NDVI"]) for row in csv.DictReader(file) if row["NDVI"]}
    dates = [str(t)[:10] for t in ours.t.values]
    found = {d: float(v) for d, v in zip(dates, ours.values.ravel(), strict=True) if np.isfinite(v)}
    assert len(theirs) == 33
    assert found.keys() == theirs.keys()
    assert max(abs(found[d] - theirs[d]) for d in theirs) < 1e-7


# ------------------------------------------------------------------------------ eo-learn, a long stack
def stack(data, name, dtype):
    values = np.load(data / "eolearn_TestEOPatch" / name)[..., 0].astype(dtype)
    times = json.loads((data / "eolearn_TestEOPatch/timestamps.json").read_text())
    labels = np.array([t.replace("Z", "") for t in times], dtype="datetime64[ns]")
    return xr.DataArray(values, dims=("t", "y", "x"), coords={"t": labels}).chunk({"y": 40, "x": 40})


@pytest.mark.parametrize(
    ("name", "dtype", "process", "expected"),
    [("data/NDVI.npy", "float32", "max", "data_timeless/MAX_NDVI.npy"),
     ("mask/IS_VALID.npy", "uint8", "sum", "mask_timeless/VALID_COUNT.npy")],
)  # fmt: skip
def test_long_stack(data, session, name, dtype, process, expected):
    graph = {
        "r": node(
            "reduce_dimension", data=param("cube"), dimension="t", reducer=reducer(process), result=True
        )
    }
    result = session.run(graph, {"cube": stack(data, name, dtype)}).compute()
    theirs = np.load(data / "eolearn_TestEOPatch" / expected)[..., 0]
    np.testing.assert_array_equal(result.values, theirs)


# -------------------------------------------------------------------------------- rasterstats, zonal
def test_zonal_counts_and_mean(data, tmp_path):
    with engine.open(tmp_path / "catalog.sqlite", home=tmp_path) as session:
        session.add(data / "rasterstats/data/slope.tif", collection="slope")
        zones = json.loads((data / "rasterstats/data/featurecollection.geojson").read_text())
        with rasterio.open(data / "rasterstats/data/slope.tif") as file:
            zones["crs"] = {"type": "name", "properties": {"name": file.crs.to_wkt()}}
        graph = {
            "load": node("load_collection", id="slope", spatial_extent=None, temporal_extent=None),
            "mean": node("aggregate_spatial", data=ref("load"), geometries=zones, reducer=reducer("mean"),
                         target_dimension="statistics", result=True),
        }  # fmt: skip
        found = session.run(graph).compute().squeeze(drop=True)
    assert found.sel(statistics="valid_count").values.tolist() == [75, 50]
    assert round(float(found.sel(statistics="value").values[0]), 2) == 14.66


# ---------------------------------------------------------------------------------------- broken files
def test_a_corrupt_file_is_named(data, tmp_path):
    with engine.open(tmp_path / "catalog.sqlite", home=tmp_path) as session:
        session.add(data / "rasterio/corrupt.tif", collection="corrupt")
        graph = {
            "load": node(
                "load_collection", id="corrupt", spatial_extent=None, temporal_extent=None, result=True
            )
        }
        with pytest.raises(engine.Problem) as caught:
            session.save(graph, tmp_path / "out.tif")
    assert "corrupt.tif" in caught.value.message
    assert "rows 0-1024, columns 0-1024" in caught.value.message  # the block
    assert not (tmp_path / "out.tif").exists()


def test_all_bands_of_the_openeo_sample(data, tmp_path):
    """The file that the openEO documentation uses: five named bands, one date."""
    with engine.open(
        data / "openeo_localprocessing/sample_geotiff/S2_L2A_sample.tif", home=tmp_path
    ) as session:
        (collection,) = session.collections()
        graph = {
            "load": node("load_collection", id=collection["id"], spatial_extent=None, temporal_extent=None),
            "clear": node("reduce_dimension", data=ref("load"), dimension="bands", result=True,
                          reducer=child(scl=node("array_element", data=param("data"), index=4),
                                        cloud=node("gte", x=ref("scl"), y=8))),
        }  # fmt: skip
        cloudy = session.run(graph).compute()
    with rasterio.open(data / "openeo_localprocessing/sample_geotiff/S2_L2A_sample.tif") as file:
        scl = file.read(5)
    np.testing.assert_array_equal(cloudy.values.squeeze() == True, (scl >= 8) & (scl != file.nodata))  # noqa: E712
