"""Results on their way out: changed, exported, and loaded again; files on their way in."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pystac
import pytest
import rasterio
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from rasterio.transform import from_origin

import engine
from engine import Problem
from engine.execute.exchange import folder_name, patched, place_of, widened
from engine.execute.inputs import inside
from processes.cubes.exchange import merge_patch
from processes.errors import FileNotFound
from tests.end_to_end.graphs import node, ref
from tests.engine.servers import site
from tests.engine.test_http import ranged

VALUES = np.arange(600, dtype="int16").reshape(20, 30)


def tiff(path: Path, values=VALUES, x=675000, **more) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {"driver": "GTiff", "height": 20, "width": 30, "count": 1, "dtype": "int16", "nodata": -1}
    with rasterio.open(
        path, "w", crs="EPSG:32632", transform=from_origin(x, 5156000, 10, 10), **told | more
    ) as f:
        f.write(values, 1)
    return path


def netcdf(path: Path) -> Path:
    data = xr.Dataset(
        {"level": (("time", "lat", "lon"), np.arange(24.0).reshape(2, 3, 4))},
        {"time": np.array(["2022-06-01", "2022-06-02"], "datetime64[ns]"), "lat": [47.5, 46.5, 45.5], "lon": [9.5, 10.5, 11.5, 12.5]},
    )  # fmt: skip
    data.lat.attrs["units"], data.lon.attrs["units"] = "degrees_north", "degrees_east"
    data.to_netcdf(path, engine="netcdf4")
    return path


GEOJSON = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"name": n},
            "geometry": {"type": "Point", "coordinates": [11 + i, 46]},
        }
        for i, n in enumerate("ab")
    ],
}


def uploaded(paths, format="GTiff", **more):  # noqa: A002
    return {"load": node("load_uploaded_files", paths=paths, format=format, result=True, **more)}


# --------------------------------------------------------------------------------------- uploads
@pytest.mark.parametrize("path", ["a/b.tif", "/a/b.tif", "./a/b.tif", "//a/./b.tif", "a/../a/b.tif"])
@pytest.mark.parametrize("format", ["GTiff", "gtiff", "tif"])
def test_an_uploaded_raster(session, tmp_path, path, format):  # noqa: A002
    tiff(tmp_path / "files" / "a" / "b.tif")
    cube = session.run(uploaded([path], format))
    assert cube.dims == ("bands", "y", "x"), "it tells no time, so it has none"
    assert (cube.dtype, cube.attrs["nodata"]) == (np.int16, -1)
    assert cube.chunks is not None
    np.testing.assert_array_equal(cube.values[0], VALUES)
    assert cube.x.attrs["reference_system"] == 32632


def test_uploaded_files_of_several_dates(session, tmp_path):
    for day in (2, 1):
        tiff(tmp_path / "files" / f"level_2022-06-0{day}.tif", VALUES + day)
    cube = session.run(uploaded(["level_2022-06-02.tif", "level_2022-06-01.tif"]))
    assert [str(t)[:10] for t in cube.t.values] == ["2022-06-01", "2022-06-02"]
    np.testing.assert_array_equal(cube.values[:, 0], [VALUES + 1, VALUES + 2])


def test_uploaded_files_side_by_side(session, tmp_path):
    tiff(tmp_path / "files" / "west.tif")
    tiff(tmp_path / "files" / "east.tif", VALUES + 1000, x=675300)
    cube = session.run(uploaded(["east.tif", "west.tif"]))
    np.testing.assert_array_equal(cube.values[0], np.hstack([VALUES, VALUES + 1000]))


def test_dated_and_undated_files_do_not_go_together(session, tmp_path):
    tiff(tmp_path / "files" / "plain.tif")
    tiff(tmp_path / "files" / "level_2022-06-01.tif")
    with pytest.raises(Problem, match=r"plain\.tif tells no time") as caught:
        session.run(uploaded(["plain.tif", "level_2022-06-01.tif"]))
    assert caught.value.code == "FormatUnsuitable"


def test_uploaded_netcdf(session, tmp_path):
    (tmp_path / "files").mkdir()
    netcdf(tmp_path / "files" / "a.nc")
    cube = session.run(uploaded(["a.nc"], "NETCDF"))
    assert cube.dims == ("t", "bands", "y", "x")
    np.testing.assert_array_equal(cube.values[:, 0], np.arange(24.0).reshape(2, 3, 4))


def test_uploaded_features(session, tmp_path):
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a.geojson").write_text(json.dumps(GEOJSON))
    cube = session.run(uploaded(["a.geojson"], "GeoJSON"))
    assert cube.sizes == {"geometry": 2}
    assert [p.x for p in cube.geometry.values] == [11, 12]
    assert cube.coords["name"].values.tolist() == ["a", "b"]


@pytest.mark.parametrize(
    "path",
    ["../secret.tif", "/../secret.tif", "a/../../secret.tif", "out.tif", "outside/secret.tif", "a", "", "/", "..",
     "none.tif", "a/b.tif/", "~/secret.tif", "%2e%2e/secret.tif", "..%2fsecret.tif", "....//secret.tif", "a\0.tif"],
)  # fmt: skip
def test_nothing_outside_of_the_users_folder(session, tmp_path, path):
    secret = tiff(tmp_path / "secret.tif")
    tiff(tmp_path / "files" / "a" / "b.tif")
    (tmp_path / "files" / "out.tif").symlink_to(secret)
    (tmp_path / "files" / "outside").symlink_to(tmp_path)
    for given_path in (path, str(secret)):
        with pytest.raises(FileNotFound):
            inside(tmp_path / "files", given_path)
    with pytest.raises(Problem) as caught:
        session.run(uploaded([path]))
    assert caught.value.code in ("FileNotFound", "ProcessParameterInvalid")


@pytest.mark.parametrize(
    ("file", "format", "says"),
    [("a.tif", "netCDF", "cannot be read as netCDF"), ("a.nc", "GTiff", "cannot be read as GTiff"), ("a.tif", "JP2OpenJPEG", "it is GTiff"),
     ("a.tif", "GeoJSON", "is not JSON"), ("list.geojson", "GeoJSON", "no GeoJSON object"), ("odd.geojson", "GeoJSON", "no GeoJSON"),
     ("a.tif", "Shapefile", "no input format 'Shapefile'"), ("vrt.tif", "GTiff", "cannot be read as GTiff")],
)  # fmt: skip
def test_files_that_are_something_else(session, tmp_path, file, format, says):  # noqa: A002
    folder = tmp_path / "files"
    source = tiff(folder / "a.tif")
    netcdf(folder / "a.nc")
    (folder / "list.geojson").write_text("[1]")
    (folder / "odd.geojson").write_text('{"type": "Nothing"}')
    (folder / "vrt.tif").write_text(
        f'<VRTDataset rasterXSize="30" rasterYSize="20"><VRTRasterBand dataType="Int16" band="1"><SimpleSource>'
        f"<SourceFilename>{source}</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"
    )
    with pytest.raises(Problem, match=says) as caught:
        session.run(uploaded([file], format))
    assert caught.value.code == "FormatUnsuitable"


def test_options_and_lists_that_mean_nothing(session, tmp_path):
    tiff(tmp_path / "files" / "a.tif")
    with pytest.raises(Problem, match="no option 'tiled'"):
        session.run(uploaded(["a.tif"], options={"tiled": True}))
    with pytest.raises(Problem, match="no file is named"):
        session.run(uploaded([]))


# ------------------------------------------------------------------------------------------ URLs
def by_url(url, format="GTiff"):  # noqa: A002
    return {"load": node("load_url", url=url, format=format, result=True)}


def test_a_raster_by_url_is_read_in_place(session, tmp_path):
    values = np.random.default_rng(0).integers(0, 9999, (20, 30)).astype("int16")
    content = tiff(tmp_path / "a.tif", values).read_bytes()
    with site(ranged(content)) as served:
        cube = session.run(by_url(f"{served.url}/level_2022-06-01.tif?token=1"))
        assert str(cube.t.values[0])[:10] == "2022-06-01"
        np.testing.assert_array_equal(cube.values[0, 0], values)
    assert not (tmp_path / "downloads").exists()


def test_netcdf_and_features_by_url(session, tmp_path):
    content = netcdf(tmp_path / "a.nc").read_bytes()
    with site(lambda _: (200, {}, content)) as served:
        first, again = (session.run(by_url(f"{served.url}/x", "netCDF")) for _ in range(2))
        np.testing.assert_array_equal(first.values, again.values)
        served.answer = lambda _: (200, {}, json.dumps(GEOJSON).encode())
        assert session.run(by_url(f"{served.url}/x", "GeoJSON")).sizes == {"geometry": 2}
    assert len(list((tmp_path / "downloads").iterdir())) == 1, "the same content is kept once"
    np.testing.assert_array_equal(first.values[:, 0], np.arange(24.0).reshape(2, 3, 4))


@pytest.mark.parametrize("format", ["GTiff", "netCDF", "GeoJSON"])
def test_urls_that_give_nothing(tmp_path, format):  # noqa: A002
    with site(lambda _: (404, {}, b"")) as served:
        with (
            engine.open(tmp_path / "c.sqlite", home=tmp_path) as session,
            pytest.raises(Problem, match="404") as caught,
        ):
            session.run(by_url(f"{served.url}/a", format))
        assert (caught.value.code, caught.value.pointer) == ("FileNotFound", "/load/arguments/url")
        asked = len(served.asked)
        with (
            engine.open(
                tmp_path / "d.sqlite", home=tmp_path, private_hosts="deny", allowed_hosts=()
            ) as session,
            pytest.raises(Problem, match="Loopback") as caught,
        ):
            session.run(by_url(f"{served.url}/b", format))
        assert caught.value.code == "FilePathInvalid"
        assert len(served.asked) == asked
    assert not list(tmp_path.glob("downloads/*"))


def test_a_file_that_is_too_large(tmp_path):
    with (
        site(lambda _: (200, {}, bytes(2000))) as served,
        engine.open(tmp_path / "c.sqlite", home=tmp_path, max_download_bytes=1999) as session,
        pytest.raises(Problem, match="1999") as caught,
    ):
        session.run(by_url(f"{served.url}/a.nc", "netCDF"))
    assert caught.value.code == "FileSizeExceeded"


def test_local_files_by_path(session, tmp_path):
    path = tiff(tmp_path / "a.tif")
    np.testing.assert_array_equal(session.run(by_url(str(path))).values[0], VALUES)
    with (
        engine.open(tmp_path / "d.sqlite", home=tmp_path, local_files=False) as closed,
        pytest.raises(Problem, match="no http or https URL"),
    ):
        closed.run(by_url(str(path)))


# ----------------------------------------------------------------------------------- merge patches
CASES = [  # the examples of RFC 7386, appendix A
    ({"a": "b"}, {"a": "c"}, {"a": "c"}), ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}), ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}), ({"a": ["b"]}, {"a": "c"}, {"a": "c"}), ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}), ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]), ({"a": "b"}, ["c"], ["c"]), ({"a": "foo"}, None, None), ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}), ([1, 2], {"a": "b", "c": None}, {"a": "b"}), ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]  # fmt: skip


@pytest.mark.parametrize(("target", "patch", "result"), CASES)
def test_merge_patch(target, patch, result):
    before = json.dumps([target, patch])
    assert merge_patch(target, patch) == result
    assert json.dumps([target, patch]) == before


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=12,
)


@given(JSON, JSON)
def test_a_merge_patch_is_idempotent(target, patch):
    once = merge_patch(target, patch)
    assert merge_patch(once, patch) == once


# ----------------------------------------------------------------------------------------- exports
def graph(**nodes):
    """A source, a save_result, and what follows."""
    return {
        "load": node("load_uploaded_files", paths=["a.tif"], format="GTiff"),
        "save": node("save_result", data=ref("load"), format="GTiff"),
        **nodes,
    }


@pytest.fixture
def ready(session, tmp_path):
    """A session with one uploaded file."""
    tiff(tmp_path / "files" / "a.tif")
    return session


def test_a_changed_description_is_written(ready, tmp_path):
    changes = {"properties": {"title": "Level", "gdc:x": None, "created": None}, "links": []}
    chain = graph(change=node("stac_modify", data=ref("save"), changes=changes, result=True))
    (written,) = ready.save(chain, tmp_path / "out.tif")
    item = json.loads(written.item_path.read_text())
    assert item == written.item
    assert item["properties"]["title"] == "Level"
    assert "created" not in item["properties"]
    assert "processing:expression" in item["properties"]
    pystac.Item.from_dict(item)
    assert list(tmp_path.glob(".*")) == []


def test_the_cube_goes_on_through_save_and_change(ready):
    chain = graph(change=node("stac_modify", data=ref("save"), changes={}, result=True))
    np.testing.assert_array_equal(ready.run(chain).values[0], VALUES)
    assert ready.validate(chain) == []


@pytest.mark.parametrize(
    "changes",
    [{"type": "Collection"}, {"id": None}, {"id": ""}, {"id": 5}, {"assets": None}, {"assets": {"data": {"href": "/etc/passwd"}}},
     {"assets": {"more": {"href": "../other/secret.tif"}}}, {"assets": {"more": {"href": "file:///etc/passwd"}}}, {"assets": {"data": 1}},
     {"stac_version": "0.9"}, {"properties": None}, {"properties": {"datetime": None, "title": 1}, "links": None}],
)  # fmt: skip
def test_changes_that_leave_no_item(ready, tmp_path, changes):
    chain = graph(change=node("stac_modify", data=ref("save"), changes=changes, result=True))
    with pytest.raises(Problem, match="no sound STAC item"):
        ready.save(chain, tmp_path / "out.tif")


def test_stac_that_is_no_result_is_changed_as_json(session):
    chain = {"m": node("stac_modify", data={"type": "Feature", "id": "a"}, changes={"id": "b"}, result=True)}
    assert session.run(chain) == {"type": "Feature", "id": "b"}


def test_export_to_a_workspace(ready, tmp_path):
    chain = graph(
        change=node("stac_modify", data=ref("save"), changes={"properties": {"title": "mine"}}),
        plain=node("export_workspace", data=ref("save"), workspace="bucket"),
        out=node("export_workspace", data=ref("change"), workspace="bucket", result=True),
    )
    assert ready.validate(chain) == []
    assert not (tmp_path / "workspaces").exists(), "looking at a graph does nothing"
    ready.run(chain)
    assert not (tmp_path / "workspaces").exists(), "nothing is exported before it is written"
    (written,) = ready.save(chain, tmp_path / "out.tif")
    titles = {}
    for path in (tmp_path / "workspaces" / "bucket").glob("*/item.json"):
        item = pystac.Item.from_file(path)
        titles[item.id] = item.properties.get("title")
        with rasterio.open(item.assets["data"].get_absolute_href()) as file:
            np.testing.assert_array_equal(file.read(1), VALUES)
    assert sorted(titles) == ["out", "out-2"]
    assert sorted(map(str, titles.values())) == ["None", "mine"]
    assert written.item["properties"]["title"] == "mine"


def test_export_merges_into_a_collection(ready, tmp_path):
    for n in range(2):
        chain = graph(
            out=node("export_workspace", data=ref("save"), workspace="w", merge="deep/er", result=True)
        )
        ready.save(chain, tmp_path / f"out{n}.tif")
    path = tmp_path / "workspaces" / "w" / "deep" / "er" / "collection.json"
    collection = pystac.Collection.from_file(path)
    collection.validate_extent = None
    items = list(collection.get_items())
    assert [i.id for i in items] == ["out0", "out1"]
    assert all(i.get_collection().id == "er" for i in items)
    box = collection.extent.spatial.bboxes[0]
    np.testing.assert_allclose(box, items[0].bbox)
    np.testing.assert_array_equal(
        ready.run({"l": node("load_stac", url=str(path), result=True)}).values.reshape(-1, 20, 30)[0], VALUES
    )


@pytest.mark.parametrize("merge", ["../x", "a/../../x", "", "/", "a\\b", ".."])
def test_merge_paths_that_lead_away(ready, tmp_path, merge):
    chain = graph(out=node("export_workspace", data=ref("save"), workspace="w", merge=merge, result=True))
    with pytest.raises(Problem, match="merge"):
        ready.save(chain, tmp_path / "out.tif")
    assert not (tmp_path / "out.tif").exists(), "it is refused before anything is computed"


def test_merge_into_what_is_no_collection(ready, tmp_path):
    place = tmp_path / "workspaces" / "w"
    place.mkdir(parents=True)
    (place / "c.json").write_text("[]")
    chain = graph(out=node("export_workspace", data=ref("save"), workspace="w", merge="c.json", result=True))
    with pytest.raises(Problem, match="no STAC collection"):
        ready.save(chain, tmp_path / "out.tif")
    assert (place / "c.json").read_text() == "[]"


@pytest.mark.parametrize("workspace", ["..", ".", "a/b", "", "a b"])
def test_workspaces_without_a_name(ready, workspace):
    chain = graph(out=node("export_workspace", data=ref("save"), workspace=workspace, result=True))
    assert ready.validate(chain)[0].code == "ProcessParameterInvalid"


def test_symlinks_do_not_lead_out_of_a_workspace(tmp_path):
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "out").symlink_to("/")
    with pytest.raises(Problem, match="stays inside"):
        place_of(tmp_path / "w", "out/etc")


@pytest.mark.parametrize("collection", ["mine", "a/b", "..", "~x.y"])
def test_export_to_a_collection(ready, tmp_path, collection):
    chain = graph(out=node("export_collection", data=ref("save"), collection=collection, result=True))
    assert ready.run(chain) == collection
    for name in ("one.tif", "two.tif"):
        ready.save(chain, tmp_path / name)
        os.unlink(tmp_path / name)  # noqa: PTH108
    cube = ready.run(
        {"l": node("load_collection", id=collection, spatial_extent=None, temporal_extent=None, result=True)}
    )
    np.testing.assert_array_equal(cube.values.reshape(-1, 20, 30)[0], VALUES)
    places = {p.parent.parent for p in (tmp_path / "collections").rglob("item.json")}
    assert {p.parent for p in places} == {tmp_path / "collections"}


def test_only_results_are_exported(session):
    for process, more in (
        ("export_workspace", {"workspace": "w"}),
        ("export_collection", {"collection": "c"}),
    ):
        chain = {"e": node(process, data={"type": "Feature"}, result=True, **more)}
        (problem,) = session.validate(chain)
        assert "only a result that this graph writes" in problem.message


@given(st.text(min_size=1, max_size=20))
def test_a_folder_name_is_one_name(id_):
    name = folder_name(id_.encode("utf-8", "ignore").decode() or "x")
    assert "/" not in name
    assert not name.startswith(".")
    assert Path("/a") / name != Path("/a")


def test_extents_grow():
    item = {"bbox": [0, 0, 1, 1], "properties": {"datetime": "2022-01-02T00:00:00Z"}}
    first = widened(None, item)
    later = {
        "bbox": [-1, 0.5, 0, 3],
        "properties": {
            "datetime": None,
            "start_datetime": "2021-01-01T00:00:00Z",
            "end_datetime": "2021-02-01T00:00:00Z",
        },
    }
    assert widened(first, later) == {
        "spatial": {"bbox": [[-1, 0, 1, 3]]},
        "temporal": {"interval": [["2021-01-01T00:00:00Z", "2022-01-02T00:00:00Z"]]},
    }


def test_patches_are_applied_in_order():
    item = {
        "type": "Feature",
        "stac_version": "1.1.0",
        "id": "a",
        "properties": {"datetime": "x"},
        "links": [],
        "assets": {},
    }
    assert patched(item, ({"id": "b"}, {"id": "c"}))["id"] == "c"
