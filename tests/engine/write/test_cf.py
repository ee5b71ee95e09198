"""netCDF and Zarr against xarray, rioxarray and GDAL: one layout in two containers."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import cftime
import netCDF4
import numpy as np
import pytest
import rasterio
import rioxarray  # noqa: F401  (gives arrays their .rio)
import shapely
import xarray as xr
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import Problem
from engine.write import netcdf, write
from engine.write import zarr as zarr_writer
from engine.write.pour import Ledger

KINDS = ["out.nc", "out.zarr"]


def opened(path, **how):
    if path.suffix == ".zarr":
        return xr.open_zarr(path, decode_coords="all", chunks=None, **how)
    return xr.open_dataset(path, decode_coords="all", **how)


@pytest.fixture(params=KINDS)
def target(request, tmp_path):
    return tmp_path / request.param


@st.composite
def cases(draw):
    dims = draw(st.lists(st.sampled_from(["t", "bands", "y", "x"]), min_size=1, unique=True))
    sizes = {dim: draw(st.integers(1, 7 if dim in "yx" else 3)) for dim in ("t", "bands", "y", "x")}
    return {
        "dims": tuple(dims) if {"x", "y"} <= {*dims} or not {"x", "y"} & {*dims} else ("y", "x"),
        "sizes": sizes,
        "dtype": draw(
            st.sampled_from(["uint8", "int8", "uint16", "int32", "uint64", "int64", "float16", "float32", "float64"])
        ),
        "nodata": draw(st.sampled_from([None, 0, 99])),
        "chunks": draw(st.booleans()) and {dim: draw(st.integers(1, 4)) for dim in dims},
        "flip_y": draw(st.booleans()) and {"x", "y"} <= {*dims},
    }  # fmt: skip


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=cases(), kind=st.sampled_from(KINDS))
def test_round_trip(make_cube, stream, case, kind):
    """Whatever type, dimensions and chunks: xarray reads the same cells, types and labels."""
    if case["chunks"]:
        case["chunks"] = {dim: n for dim, n in case["chunks"].items() if dim in case["dims"]}
    cube = make_cube(**case)
    with tempfile.TemporaryDirectory() as folder:
        write(cube, Path(folder) / kind, stream=stream)
        with opened(Path(folder) / kind, mask_and_scale=False) as read:
            names = [*cube.bands.values] if "bands" in cube.dims else ["data"]
            assert [*read.data_vars] == names
            for number, name in enumerate(names):
                band = cube.isel(bands=number, drop=True) if "bands" in cube.dims else cube
                assert read[name].dims == band.dims
                np.testing.assert_array_equal(read[name].values, band.values)
                assert read[name].dtype == ("float32" if case["dtype"] == "float16" else case["dtype"])
                for dim in band.dims:
                    np.testing.assert_array_equal(read[dim].values, band[dim].values)


def test_no_data_becomes_nan_for_readers(make_cube, stream, target):
    cube = make_cube(dtype="int16", nodata=-7)
    write(cube, target, stream=stream)
    with opened(target) as read:
        np.testing.assert_array_equal(
            read.B08.values, cube.sel(bands="B08").where(cube.sel(bands="B08") != -7).values
        )


def test_scale_and_offset_give_physical_values(make_cube, stream, target):
    cube = make_cube(dtype="uint16", nodata=0)
    cube.coords["bands"].attrs["bands"] = [{"name": "B04", "scale": 0.0001, "offset": -0.1, "unit": "1"}]
    write(cube, target, stream=stream)
    with opened(target) as read:
        raw = cube.sel(bands="B04")
        np.testing.assert_allclose(read.B04, raw.where(raw != 0) * 0.0001 - 0.1, rtol=1e-6)
        np.testing.assert_array_equal(read.B08.fillna(0), cube.sel(bands="B08"))
        assert read.B04.attrs["units"] == "1"


@pytest.mark.parametrize("lazy", [False, True])
def test_logical(make_cube, stream, target, lazy):
    cube = make_cube(dims=("y", "x"), dtype="bool", chunks={"y": 7} if lazy else None)
    write(cube, target, stream=stream)
    with opened(target) as read:
        np.testing.assert_array_equal(read.data.values, cube.values)
        assert read.data.attrs["flag_meanings"] == "false true"


def test_coordinates_of_another_order_of_bytes(make_cube, stream, target):
    """As they come from sources that were written elsewhere."""
    cube = make_cube()
    cube = cube.assign_coords(x=("x", cube.x.values.astype(">f8"), cube.x.attrs))
    write(cube, target, stream=stream)
    with opened(target) as found:
        np.testing.assert_array_equal(found.x, cube.x)


def test_rioxarray_sees_the_grid(make_cube, stream, target):
    cube = make_cube(crs="EPSG:3035", origin=(4_300_000.0, 3_100_000.0))
    write(cube, target, stream=stream)
    with opened(target) as read:
        assert read.rio.crs.to_epsg() == 3035
        assert read.rio.transform() == rasterio.Affine(10, 0, 4_300_000, 0, -10, 3_100_000)
        assert read.x.attrs["standard_name"] == "projection_x_coordinate"
        assert read.y.attrs["units"] == "metre"
        assert (read.x.attrs["axis"], read.y.attrs["axis"], read.t.attrs["axis"]) == ("X", "Y", "T")


def test_geographic_axes(make_cube, stream, target):
    cube = make_cube(crs="EPSG:4326", origin=(9.0, 47.0), resolution=0.01)
    write(cube, target, stream=stream)
    with opened(target) as read:
        assert read.x.attrs["standard_name"] == "longitude"
        assert read.y.attrs["units"] == "degrees_north"
        assert read.spatial_ref.attrs["grid_mapping_name"] == "latitude_longitude"


@pytest.mark.parametrize("flip_y", [False, True])
def test_gdal_sees_the_grid(make_cube, stream, tmp_path, flip_y):
    cube = make_cube(flip_y=flip_y, dtype="float32")
    write(cube, tmp_path / "out.nc", stream=stream)
    with rasterio.open(f"netcdf:{tmp_path / 'out.nc'}:B08") as file:
        assert file.crs.to_epsg() == 32632
        assert file.transform.almost_equals(rasterio.Affine(10, 0, 500_000, 0, -10, 5_200_000))
        truth = cube.sel(bands="B08").sortby("y", ascending=False)
        np.testing.assert_array_equal(file.read(), truth.values)


@pytest.mark.parametrize(
    ("times", "unit"),
    [
        (["2022-06-01", "2022-06-03"], "days"),
        (["2022-06-01", "2022-06-03T12"], "hours"),
        (["2022-06-01T00:00:01", "2022-06-03"], "seconds"),
        (["2022-06-01T00:00:01.123456789", "2022-06-03"], "nanoseconds"),
        (["1905-06-01", "2200-01-01T00:01"], "minutes"),
    ],
)
def test_times_are_exact_and_plain(make_cube, stream, target, times, unit):
    stamps = np.array(times, dtype="datetime64[ns]")
    write(make_cube(times=stamps, sizes={"t": 2}), target, stream=stream)
    with opened(target) as read:
        np.testing.assert_array_equal(read.t.values, stamps)
    with opened(target, decode_times=False) as raw:
        assert raw.t.attrs["units"] == f"{unit} since 1970-01-01"
        assert raw.t.attrs["calendar"] == "standard"
        assert raw.t.dtype == "int64"


def test_times_before_the_gregorian_calendar(make_cube, stream, target):
    stamps = np.array(["1500-03-01", "2022-06-01"], dtype="datetime64[s]")
    write(make_cube(times=stamps, sizes={"t": 2}), target, stream=stream)
    with opened(target, decode_times=xr.coders.CFDatetimeCoder(time_unit="s")) as read:
        np.testing.assert_array_equal(read.t.values, stamps)


def test_times_of_another_calendar(make_cube, stream, target):
    months = np.array([cftime.Datetime360Day(2000, m, 30) for m in (1, 2, 3)], dtype=object)
    cube = make_cube().assign_coords(t=("t", months, {"type": "temporal"}))
    written = write(cube, target, stream=stream)
    with opened(target) as read:
        assert [*read.t.values] == [*months]
    assert written.item["properties"]["start_datetime"] == "2000-01-30T00:00:00Z"
    assert written.item["properties"]["end_datetime"] == "2000-03-30T00:00:00Z"


def test_labels_and_further_dimensions(make_cube, stream, target):
    cube = (
        make_cube()
        .isel(x=slice(0, 4), y=slice(0, 5))
        .expand_dims({"season/year": 2, "level": [850.0, 500.0]})
    )
    cube = cube.assign_coords(
        {
            "season/year": ("season/year", ["winter", "Frühling"], {"type": "other"}),
            "quality": ("t", [True, False, True]),
            "run": "r1",
            "wavelength": ("bands", [0.665, 0.842]),
        }
    )
    write(cube, target, stream=stream)
    with opened(target) as read:
        assert read.B04.dims == ("season_year", "level", "t", "y", "x")
        assert [*map(str, read.season_year.values)] == ["winter", "Frühling"]
        assert [*read.quality.values] == [True, False, True]
        assert str(read.run.values) == "r1"
        assert read.B08.attrs["wavelength"] == 0.842
        np.testing.assert_array_equal(read.B08.values, cube.sel(bands="B08").values)


def test_band_names_that_clash_or_are_no_names(make_cube, stream, target):
    cube = make_cube(sizes={"bands": 4})
    cube = cube.assign_coords(bands=("bands", ["x", "B-1", "B_1", "8A"], {"type": "bands"}))
    write(cube, target, stream=stream)
    with opened(target) as read:
        assert {name: read[name].attrs["long_name"] for name in read.data_vars} == {
            "x_2": "x", "B_1": "B-1", "B_1_2": "B_1", "8A": "8A",
        }  # fmt: skip


@pytest.mark.parametrize("dim", ["geometry", "fields"])
def test_vector_cubes(make_vector, stream, target, dim):
    cube = make_vector(dim=dim).chunk({"t": 1})
    write(cube, target, stream=stream)
    with opened(target) as read:
        shapes = shapely.from_wkt(read.geometry.values.astype(object))
        assert shapely.equals_exact(shapes, cube[dim].values).all()
        np.testing.assert_array_equal(read.B08.values, cube.sel(bands="B08").values)
        assert [*read.name.values[:2]] == ["north", "søuth"]
        assert not isinstance(read.name.values[2], str)
        np.testing.assert_array_equal(read.area.values, cube.area.values)
        assert read.spatial_ref.attrs["crs_wkt"].startswith('PROJCRS["WGS 84 / UTM zone 32N"')


def test_properties_with_missing_times_and_numbers(make_vector, stream, target):
    seen = np.array(["2022-01-01T12", "NaT", "2022-01-03"], dtype="datetime64[ns]")
    cube = make_vector().assign_coords(
        seen=("geometry", seen), count=("geometry", np.array([1, None, 3], dtype=object))
    )
    write(cube, target, stream=stream)
    with opened(target) as read:
        np.testing.assert_array_equal(read.seen.values, seen)
        np.testing.assert_array_equal(read["count"].values, [1, np.nan, 3])


def test_one_chunk_of_the_cube_is_one_of_the_store(make_cube, stream, tmp_path):
    cube = make_cube(chunks={"t": 2, "bands": 1, "y": 16, "x": 20})
    write(cube, tmp_path / "out.zarr", stream=stream)
    group = zarr.open_group(tmp_path / "out.zarr", mode="r")
    assert group["B04"].chunks == (2, 16, 20)
    files = [path for path in (tmp_path / "out.zarr" / "B04" / "c").rglob("*") if path.is_file()]
    assert len(files) == cube.isel(bands=0).data.npartitions == 18
    write(cube, tmp_path / "out.nc", stream=stream, overwrite=True)
    with netCDF4.Dataset(tmp_path / "out.nc") as file:
        assert file["B04"].chunking() == [2, 16, 20]


def test_chunks_are_bounded(make_cube, stream, tmp_path, monkeypatch):
    monkeypatch.setattr(zarr_writer, "LARGEST_CHUNK", 1000)
    write(make_cube(), tmp_path / "out.zarr", stream=stream)
    chunks = zarr.open_group(tmp_path / "out.zarr", mode="r")["B04"].chunks
    assert np.prod(chunks) * 4 <= 1000


@pytest.mark.parametrize(("writer", "name"), [(netcdf, "out.nc"), (zarr_writer, "out.zarr")])
def test_a_block_is_taken_by_stored_chunk(make_cube, stream, tmp_path, monkeypatch, writer, name):
    """However large it is, what is written, counted and read back is a chunk at a time, each of them once."""
    seen = []
    real = Ledger.note
    monkeypatch.setattr(writer, "LARGEST_CHUNK", 1000)
    monkeypatch.setattr(
        Ledger, "note", lambda self, part, where, cells: (seen.append(cells.nbytes), real(self, part, where, cells))[1]
    )  # fmt: skip
    cube = make_cube(chunks=dict.fromkeys(("t", "bands", "y", "x"), -1))
    write(cube, tmp_path / name, stream=stream)
    assert max(seen) <= 1000
    assert sum(seen) == cube.size * 4
    with opened(tmp_path / name) as read:
        np.testing.assert_array_equal(read["B08"].values, cube.sel(bands="B08").values)


def test_the_store_is_v3_and_consolidated(make_cube, stream, tmp_path):
    write(make_cube(), tmp_path / "out.zarr", stream=stream, options={"compress": "gzip", "level": 9})
    head = json.loads((tmp_path / "out.zarr" / "zarr.json").read_text())
    assert head["zarr_format"] == 3
    members = head["consolidated_metadata"]["metadata"]
    assert {*members} == {"B04", "B08", "t", "y", "x", "spatial_ref"}
    assert "gzip" in json.dumps(members["B04"]["codecs"])
    with xr.open_zarr(tmp_path / "out.zarr", consolidated=True, decode_coords="all") as read:
        assert [*read.data_vars] == ["B04", "B08"]


def test_netcdf_compression(make_cube, stream, tmp_path):
    cube = make_cube(values=np.zeros((3, 2, 40, 50)))
    write(cube, tmp_path / "small.nc", stream=stream, options={"zlevel": 9})
    write(cube, tmp_path / "large.nc", stream=stream, options={"compress": "none"})
    with netCDF4.Dataset(tmp_path / "small.nc") as small, netCDF4.Dataset(tmp_path / "large.nc") as large:
        assert small["B04"].filters()["complevel"] == 9
        assert large["B04"].filters()["zlib"] is False
        assert small.Conventions == "CF-1.11"


def test_a_file_that_differs_from_the_stream_is_not_published(
    make_cube, stream, target, left_in, monkeypatch
):
    module = netcdf if target.suffix == ".nc" else zarr_writer
    real = module._check

    def spoil(place, layout, ledger):
        if target.suffix == ".nc":
            with netCDF4.Dataset(place, "a") as file:
                file["B08"][1, 2, 3] = 12345
        else:
            zarr.open_group(place, mode="r+")["B08"][1, 2, 3] = 12345
        real(place, layout, ledger)

    monkeypatch.setattr(module, "_check", spoil)
    with pytest.raises(Problem, match=r"did not read back.*B08"):
        write(make_cube(chunks={"y": 16}), target, stream=stream)
    assert left_in(target.parent) == []


def test_what_goes_along_bands_and_more_is_refused(make_cube, stream, target):
    cube = make_cube().assign_coords(cloud=(("t", "bands"), np.zeros((3, 2))))
    with pytest.raises(Problem, match="cloud goes along more than bands"):
        write(cube, target, stream=stream)
    for value, word in ((3, "takes cubes"), (make_cube().astype("complex128"), "holds complex128")):
        with pytest.raises(Problem, match=word):
            write(value, target, stream=stream)


def test_lazy_coordinates_come_through_the_stream_too(make_cube, stream, target):
    cube = make_cube(chunks={"y": 16})
    lazy = xr.DataArray(np.arange(2000.0).reshape(40, 50), dims=("y", "x")).chunk({"y": 9})
    write(cube.assign_coords(height=lazy), target, stream=stream)
    with opened(target) as read:
        np.testing.assert_array_equal(read.height.values, lazy.values)
        assert "height" in read.coords


def test_a_value_without_dimensions(stream, target):
    write(xr.DataArray(3.5, name="mean"), target, stream=stream)
    with opened(target) as read:
        assert float(read["mean"]) == 3.5


def test_climate_of_a_360_day_calendar(stream, shared_data, target):
    """240 years of a climate model: times, grid and cells as the source has them."""
    coder = xr.coders.CFDatetimeCoder(use_cftime=True)
    with xr.open_dataset(shared_data / "iris_climate" / "E1_north_america.nc", decode_times=coder) as source:
        cube = source.air_temperature.isel(time=slice(0, 12)).load()
    cube = cube.drop_vars([name for name in cube.coords if name not in cube.dims])
    cube.coords["time"].attrs["type"] = "temporal"
    for dim, axis in (("latitude", "y"), ("longitude", "x")):
        cube.coords[dim].attrs |= {"type": "spatial", "axis": axis, "reference_system": 4326}
    write(cube.chunk({"time": 5}), target, stream=stream)
    with opened(target, decode_times=coder) as read:
        assert [*read.time.values] == [*cube.time.values]
        assert read.time.values[0].calendar == "360_day"
        np.testing.assert_array_equal(read.air_temperature.values, cube.values)
        np.testing.assert_array_equal(read.longitude.values, cube.longitude.values)
