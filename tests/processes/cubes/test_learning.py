"""Random forests against scikit-learn, bit for bit; models kept, loaded, and refused where they are not whole."""

from __future__ import annotations

import http.server
import io
import json
import os
import pickle
import threading
import zipfile
from dataclasses import replace
from functools import partial

import dask
import dask.array as da
import numpy as np
import pystac
import pytest
import shapely
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import engine
from engine.execute import models
from engine.graph.parse import parse
from engine.kernel.callback import Callback
from engine.settings import Settings
from processes import REGISTRY, errors
from processes.cubes import training
from processes.kernels.forest import Forest, faults
from processes.kernels.trained import Feature, Model
from processes.values import Masked
from tests.processes.cubes.conftest import make_cube

ensemble = pytest.importorskip("sklearn.ensemble", reason="scikit-learn is not installed (the extra `ml`)")
P = {name: p.fn for name, p in REGISTRY.items()}
BANDS = ("B02", "B04", "B08")
CLASSES = {
    "small integers": np.array([1, 2, 7]),
    "large integers": np.array([-5, 300, 70_000]),
    "texts": np.array(["field", "forest", "water"], dtype=object),
    "booleans": np.array([False, True, True]),
}


def points(count):
    shapes = np.empty(count, dtype=object)
    shapes[:] = [shapely.Point(i, i) for i in range(count)]
    return shapes


def vectors(values, dims=("geometry",), **coords):
    known = {"geometry": ("geometry", points(len(values)), {"type": "geometry", "crs": 4326})}
    return xr.DataArray(values, dims=dims, coords={**known, **coords})


def predictors(samples, labels=BANDS):
    return vectors(samples, ("geometry", "bands"), bands=("bands", list(labels), {"type": "bands"}))


def sample_set(seed=0, count=120, size=3):
    rng = np.random.default_rng(seed)
    samples = rng.normal(size=(count, size)).astype(np.float32)
    return samples, (samples @ rng.normal(size=size) > 0).astype(int) + (samples[:, 0] > 1)


def scene(seed=1, **more):
    return make_cube(
        np.random.default_rng(seed).normal(size=(3, 3, 6, 8)).astype(np.float32), bands=BANDS, **more
    )


def pixels(cube):
    return np.moveaxis(cube.values, 1, -1).reshape(-1, cube.sizes["bands"])


# ---------------------------------------------------------------------------------------------- as scikit-learn
@pytest.mark.parametrize("labels", CLASSES.values(), ids=CLASSES)
def test_classes_equal_those_of_scikit_learn(labels):
    samples, which = sample_set()
    model = P["ml_fit_class_random_forest"](predictors(samples), vectors(labels[which]), "sqrt", 20, 42)
    twin = ensemble.RandomForestClassifier(20, max_features="sqrt", random_state=42)
    twin.fit(samples, labels[which].tolist())
    cube = scene()
    found = P["ml_predict"](cube, model, ["bands"])
    assert found.dims == ("t", "predictions", "y", "x")
    expected = twin.predict(pixels(cube)).reshape(3, 6, 8)
    assert found.values[:, 0].tolist() == expected.tolist()
    share = model.forest.predict(pixels(cube).T)
    np.testing.assert_array_equal(share.T, twin.predict_proba(pixels(cube)))


@settings(max_examples=15, deadline=None)
@given(
    st.integers(0, 2**31), st.integers(1, 6), st.sampled_from(["all", "log2", "onethird", "sqrt", 1]),
    st.integers(2, 60),
)  # fmt: skip
def test_quantities_equal_those_of_scikit_learn(seed, size, variables, count):
    rng = np.random.default_rng(seed)
    samples = rng.normal(size=(count, size)).astype(np.float32)
    wanted = rng.normal(size=count)
    given_ = predictors(samples, [f"B{i}" for i in range(size)])
    model = P["ml_fit_regr_random_forest"](given_, vectors(wanted), variables, 7, seed % 2**32)
    named = {"all": None, "onethird": max(size // 3, 1)}
    twin = ensemble.RandomForestRegressor(7, max_features=named.get(variables, variables), random_state=seed)
    twin.fit(samples, wanted)
    unseen = np.concatenate([samples, rng.normal(size=(50, size)).astype(np.float32)])
    np.testing.assert_array_equal(model.forest.predict(unseen.T)[0], twin.predict(unseen))
    assert not list(faults(model.forest, model.size, 1))


def test_predicting_needs_no_scikit_learn(monkeypatch):
    samples, which = sample_set()
    model = P["ml_fit_class_random_forest"](predictors(samples), vectors(which), "sqrt", 3, 1)

    def missing(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(training, "import_module", missing)
    assert P["ml_predict"](scene(), model, ["bands"]).size
    with pytest.raises(errors.ProcessParameterInvalid, match="not installed") as caught:
        P["ml_fit_class_random_forest"](predictors(samples), vectors(which), "sqrt", 3, 1)
    assert "pip install geodatacube[ml]" in caught.value.hint


# ---------------------------------------------------------------------------------------------- over cubes
@pytest.fixture(scope="module")
def model():
    samples, which = sample_set()
    return P["ml_fit_class_random_forest"](predictors(samples), vectors(which), "sqrt", 5, 42)


def test_any_chunks_give_the_same_and_nothing_is_computed(model):
    cube = scene()
    cube.values[0, 1, 2, 3] = np.nan
    whole = P["ml_predict"](cube, model, ["bands"])
    assert whole.dtype == np.uint8
    assert whole.attrs["nodata"] == whole.values[0, 0, 2, 3] == 255
    assert np.count_nonzero(whole.values == 255) == 1
    np.testing.assert_array_equal(whole.x.values, cube.x.values)
    assert whole.t.attrs == cube.t.attrs

    def forbidden(*_, **__):
        raise AssertionError("something was computed")

    for chunks in ({"bands": 1, "y": 4}, {"t": 1, "x": 1}, {}):
        with dask.config.set(scheduler=forbidden):
            lazy = P["ml_predict"](cube.chunk(chunks), model, ["bands"])
        assert isinstance(lazy.data, da.Array)
        xr.testing.assert_identical(lazy.compute(), whole)


def test_bands_are_found_by_name(model):
    cube = scene()
    turned = cube.isel(bands=[2, 0, 1])
    np.testing.assert_array_equal(
        P["ml_predict"](turned, model, ["bands"]).values, P["ml_predict"](cube, model, ["bands"]).values
    )
    renamed = cube.assign_coords(bands=("bands", ["B02", "B04", "B8A"], {"type": "bands"}))
    with pytest.raises(
        errors.ProcessParameterInvalid, match=r"trained on B02, B04, B08 .* there is B02, B04, B8A"
    ):
        P["ml_predict"](renamed, model, ["bands"])
    with pytest.raises(errors.ProcessParameterInvalid, match="there is B02, B04 along"):
        P["ml_predict"](cube.isel(bands=[0, 1]), model, ["bands"])


def test_features_along_two_dimensions():
    rng = np.random.default_rng(4)
    samples = rng.normal(size=(60, 3, 2)).astype(np.float32)
    given_ = vectors(
        samples,
        ("geometry", "bands", "t"),
        bands=("bands", list(BANDS), {"type": "bands"}),
        t=("t", np.array(["2021-06-01", "2021-07-01"], "datetime64[ns]"), {"type": "temporal"}),
    )
    wanted = samples[:, 1, 0] + samples[:, 2, 1]
    model = P["ml_fit_regr_random_forest"](given_, vectors(wanted), "all", 4, 0)
    twin = ensemble.RandomForestRegressor(4, max_features=None, random_state=0).fit(
        samples.reshape(60, 6), wanted.astype(float)
    )
    cube = scene().isel(t=[0, 1])  # dates of another year: they are found by their order
    found = P["ml_predict"](cube.chunk({"t": 1, "x": 3}), model, ["t", "bands"])
    assert found.dims == ("predictions", "y", "x")
    rows = cube.transpose("y", "x", "bands", "t").values.reshape(-1, 6)
    np.testing.assert_array_equal(found.values.ravel(), twin.predict(rows))
    for wrong in (["bands"], ["bands", "bands"], []):
        with pytest.raises(errors.ProcessParameterInvalid):
            P["ml_predict"](cube, model, wrong)
    with pytest.raises(errors.DimensionNotAvailable):
        P["ml_predict"](cube, model, ["band", "t"])


def test_integers_with_nodata(model):
    cube = make_cube(np.arange(3 * 3 * 4 * 4).reshape(3, 3, 4, 4).astype(np.int16), bands=BANDS, nodata=0)
    found = P["ml_predict"](cube, model, ["bands"])
    assert np.count_nonzero(found.values == 255) == 1
    assert found.values[0, 0, 0, 0] == 255


def test_in_a_child_graph(model):
    cube = scene()
    cube.values[1, 0, 1, 1] = np.nan
    args = {"data": {"from_parameter": "data"}, "model": {"from_parameter": "context"}, "dimensions": []}
    reducer = Callback(
        parse({"p": {"process_id": "ml_predict", "arguments": args, "result": True}}), ("data", "context")
    )
    expected = P["ml_predict"](cube, model, ["bands"]).isel(predictions=0).values
    for given_ in (cube, cube.chunk({"y": 2})):
        found = P["reduce_dimension"](given_, reducer, "bands", model)
        np.testing.assert_array_equal(
            np.where(found.values == found.attrs["nodata"], 255, found.values), expected
        )
    one = P["ml_predict"]([0.1, 0.2, None], model, [])
    assert isinstance(one, Masked)
    assert one.null
    with pytest.raises(errors.ProcessParameterInvalid, match=r"wants 3 features .* there are 2"):
        P["ml_predict"]([0.1, 0.2], model, [])


def test_booleans_are_logical():
    samples, which = sample_set()
    model = P["ml_fit_class_random_forest"](predictors(samples), vectors(which > 0), "all", 3, 0)
    found = P["ml_predict"](scene(), model, ["bands"])
    assert found.attrs["logical"]
    assert set(np.unique(found.values)) <= {0, 1}


def test_a_name_that_is_taken(model):
    taken = scene().rename(t="predictions")
    with pytest.raises(errors.TargetDimensionExists):
        P["ml_predict"](taken, model, ["bands"])
    own = scene().isel(t=0, drop=True).rename(bands="predictions")
    found = P["ml_predict"](own.chunk({"predictions": 1}), model, ["predictions"])
    expected = P["ml_predict"](scene().isel(t=0, drop=True), model, ["bands"])
    np.testing.assert_array_equal(found.values, expected.values)


# ---------------------------------------------------------------------------------------------- training sets
def test_rows_with_gaps_are_left_out():
    samples, which = sample_set()
    holes, unknown = samples.copy(), which.astype(float)
    holes[3, 1], unknown[5] = np.nan, np.nan
    keep = np.delete(np.arange(len(which)), [3, 5])
    found = P["ml_fit_class_random_forest"](predictors(holes), vectors(unknown), "sqrt", 4, 9)
    twin = ensemble.RandomForestClassifier(4, max_features="sqrt", random_state=9).fit(
        samples[keep], which[keep]
    )
    assert found.classes == tuple(twin.classes_.tolist())
    np.testing.assert_array_equal(found.forest.predict(samples.T).T, twin.predict_proba(samples))


def test_the_same_seed_is_the_same_model():
    samples, which = sample_set()
    one, same, other = (
        models.packed(P["ml_fit_class_random_forest"](predictors(samples), vectors(which), "sqrt", 4, seed))
        for seed in (1, 1, 2)
    )
    assert one == same != other


def without_bands(cube):
    return cube.isel(bands=0, drop=True)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda p, t: (p, t.isel(geometry=slice(1, None))), "there are 120 and 119"),
        (lambda p, t: (p, t.isel(geometry=slice(None, None, -1))), "120 of 120 differ"),
        (lambda p, t: (without_bands(p), t), "a dimension with the features"),
        (lambda p, t: (p * np.nan, t), "none of the 120 geometries"),
        (lambda p, t: (p, t + 0.5), "some are fractions"),
        (lambda p, t: (p, t.expand_dims(properties=["a", "b"])), "one value for each geometry"),
        (lambda p, t: (p, t.copy(data=np.array(["a", 1] * 60, dtype=object))), "different kinds: int, str"),
        (lambda p, t: (scene(), t), "one dimension of type geometry"),
    ],
)
def test_training_sets_that_do_not_do(change, says):
    samples, which = sample_set()
    given_, target = change(predictors(samples), vectors(which))
    with pytest.raises(errors.ProcessParameterInvalid, match=says):
        P["ml_fit_class_random_forest"](given_, target, "sqrt", 3, 0)


@pytest.mark.parametrize(
    ("variables", "trees", "seed", "says"),
    [(4, 3, 0, "from 1 to 3"), (0, 3, 0, "from 1 to 3"), ("half", 3, 0, "not 'half'"), ("all", 3, -1, "seed"),
     ("all", 10**6, 0, "leaves")],
)  # fmt: skip
def test_settings_that_do_not_do(variables, trees, seed, says):
    samples, which = sample_set()
    with pytest.raises(errors.ProcessParameterInvalid, match=says):
        P["ml_fit_regr_random_forest"](predictors(samples), vectors(which), variables, trees, seed)


def test_too_much_is_refused_before_it_is_read(monkeypatch):
    monkeypatch.setattr(training, "MAX_VALUES", 100)

    def forbidden(*_, **__):
        raise AssertionError("something was computed")

    samples, which = sample_set()
    with (
        dask.config.set(scheduler=forbidden),
        pytest.raises(errors.ProcessParameterInvalid, match="at most 100"),
    ):
        P["ml_fit_class_random_forest"](predictors(samples).chunk(), vectors(which), "sqrt", 1, 0)


# ---------------------------------------------------------------------------------------------- kept models
def test_kept_and_loaded_from_end_to_end(session):
    samples, which = sample_set()
    train = {
        "fit": {
            "process_id": "ml_fit_class_random_forest",
            "arguments": {
                "predictors": {"from_parameter": "predictors"},
                "target": {"from_parameter": "target"},
                "max_variables": "sqrt",
                "num_trees": 5,
                "seed": 42,
            },
        },
        "save": {
            "process_id": "save_ml_model",
            "arguments": {"data": {"from_node": "fit"}, "name": "land-cover", "tasks": ["classification"]},
            "result": True,
        },
    }
    assert session.run(train, {"predictors": predictors(samples), "target": vectors(which)}) is True
    cube = scene()
    item = session.settings.home / "models" / "land-cover" / "item.json"
    twin = ensemble.RandomForestClassifier(5, max_features="sqrt", random_state=42).fit(samples, which)
    for uri in ("land-cover", str(item)):
        use = {
            "load": {"process_id": "load_ml_model", "arguments": {"uri": uri}},
            "predict": {
                "process_id": "ml_predict",
                "arguments": {
                    "data": {"from_parameter": "cube"},
                    "model": {"from_node": "load"},
                    "dimensions": ["bands"],
                },
                "result": True,
            },
        }
        found = session.run(use, {"cube": cube.chunk({"x": 4})})
        np.testing.assert_array_equal(found.values.ravel(), twin.predict(pixels(cube)))


def test_the_item_describes_the_model(tmp_path, model):
    path = models.save(tmp_path, replace(model, settings={}), "land-cover", ())
    (old,) = path.parent.glob("*.npz")
    models.save(tmp_path, model, "land-cover", ())
    assert old.exists()  # someone may have read the item just now
    os.utime(old, (0, 0))
    models.save(tmp_path, model, "land-cover", ())
    assert len(list(path.parent.iterdir())) == 2  # the item and the one file that it names
    item = pystac.Item.from_file(path)
    assert item.ext.has("mlm")
    described = item.ext.mlm
    assert (item.properties["mlm:name"], described.architecture) == ("land-cover", "Random Forest")
    assert [str(t) for t in described.tasks] == ["classification"]
    assert item.properties["mlm:input"][0]["bands"] == list(BANDS)
    assert item.properties["mlm:input"][0]["input"]["shape"] == [-1, 3]
    classes = item.properties["mlm:output"][0]["classification:classes"]
    assert [c["value"] for c in classes] == list(model.classes)
    asset = item.assets["model"]
    assert asset.roles == ["mlm:model"]
    content = (path.parent / asset.href).read_bytes()
    assert asset.extra_fields["file:size"] == len(content)
    again = models.unpacked(content, "it")
    assert (again.features, again.classes) == (model.features, model.classes)
    for name in models.ARRAYS:
        np.testing.assert_array_equal(getattr(again.forest, name), getattr(model.forest, name))


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ({"tasks": ["regression"]}, "is for classification"),
        ({"tasks": [], "options": {"zip": True}}, "no options, such as"),
        ({"tasks": [], "data": 1}, "a model is needed, not int"),
    ],
)
def test_what_is_not_kept(args, says, model):
    """Refused before the outside is asked."""
    with pytest.raises(errors.ProcessParameterInvalid, match=says):
        P["save_ml_model"](**{"data": model, "name": "cover", **args}, world=None)
    with pytest.raises(errors.ProcessParameterInvalid, match="a model is needed, not str"):
        P["ml_predict"](scene(), "cover", ["bands"])


@pytest.mark.parametrize("name", ["", "a", "../up", "a/b", ".hidden", "-x", "a" * 101, "a b", "nul\0"])
def test_names_stay_inside_the_folder(name, tmp_path, model):
    with pytest.raises(engine.Problem, match="no name of a model"):
        models.save(tmp_path, model, name, ())
    assert not list(tmp_path.iterdir())


def test_places_without_a_model(session, tmp_path):
    def load(uri):
        return session.run({"l": {"process_id": "load_ml_model", "arguments": {"uri": uri}, "result": True}})

    with pytest.raises(engine.Problem, match="no model and no file") as caught:
        load("nothing")
    assert (caught.value.code, caught.value.pointer) == ("FileNotFound", "/l/arguments/uri")
    (tmp_path / "plain.json").write_text("{}")
    with pytest.raises(engine.Problem, match="no asset with the role mlm:model"):
        load(str(tmp_path / "plain.json"))


def test_from_a_web_server(tmp_path, model):
    """An item and its file over HTTP: from a host that is allowed, and from no other."""
    models.save(tmp_path / "served", model, "land-cover", ())
    handler = partial(Quiet, directory=str(tmp_path / "served"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        host = f"127.0.0.1:{server.server_port}"
        url = f"http://{host}/land-cover/item.json"
        again = models.load(url, Settings(home=tmp_path, private_hosts="deny", allowed_hosts=(host,)))
        with pytest.raises(engine.Problem) as caught:
            models.load(url, Settings(home=tmp_path, private_hosts="deny", allowed_hosts=()))
        server.shutdown()
    assert models.packed(again) == models.packed(model)
    assert caught.value.code == "FilePathInvalid"


def test_an_item_of_the_web_names_no_file_of_this_machine(tmp_path, model):
    kept = models.save(tmp_path / "models", model, "land-cover", ())
    item = json.loads(kept.read_text())
    item["assets"]["model"]["href"] = (kept.parent / item["assets"]["model"]["href"]).as_uri()
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "item.json").write_text(json.dumps(item))
    handler = partial(Quiet, directory=str(tmp_path / "served"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        host = f"127.0.0.1:{server.server_port}"
        with pytest.raises(engine.Problem, match="points to the local file") as caught:
            models.load(f"http://{host}/item.json", Settings(home=tmp_path, allowed_hosts=(host,)))
        server.shutdown()
    assert caught.value.code == "FilePathInvalid"


@pytest.mark.parametrize("local", [True, False])
@pytest.mark.parametrize("path", ["mine/item.json", "/mine/item.json"])
def test_from_the_users_folder(path, local, tmp_path, model):
    kept = models.save(tmp_path / "files", model, "mine", ())
    assert kept == tmp_path / "files" / "mine" / "item.json"
    settings = Settings(home=tmp_path, local_files=local)
    assert models.packed(models.load(path, settings)) == models.packed(model)
    with pytest.raises(engine.Problem) as caught:
        models.load("../mine/item.json", settings)
    assert caught.value.code == "FileNotFound"


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A file server that says nothing."""

    def log_message(self, *_):
        pass


# ---------------------------------------------------------------------------------------------- strangers' models
def repacked(model, about=None, **entries):
    """A model's file with other entries: bytes, or `None` for none."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(models.packed(model))) as old, zipfile.ZipFile(out, "w") as new:
        contents = {n: old.read(n) for n in old.namelist()}
        if about:
            contents["model.json"] = json.dumps({**json.loads(contents["model.json"]), **about}).encode()
        for name, content in {**contents, **entries}.items():
            if content is not None:
                new.writestr(name, content)
    return out.getvalue()


def npy(array, **how):
    out = io.BytesIO()
    np.save(out, array, **how)
    return out.getvalue()


class Bomb:
    """What runs when it is unpickled."""

    def __reduce__(self):
        return pytest.fail, ("code of a stranger was run",)


STRANGE = {
    "no zip": lambda m: b"PK nothing",
    "nothing": lambda m: b"",
    "a pickle": lambda m: pickle.dumps({"a": 1}),
    "pickled objects": lambda m: repacked(m, **{"value.npy": npy(np.array([Bomb()], dtype=object), allow_pickle=True)}),
    "one entry more": lambda m: repacked(m, **{"more.npy": b""}),
    "one entry less": lambda m: repacked(m, **{"left.npy": None}),
    "no array": lambda m: repacked(m, **{"left.npy": b"\x93NUMPY garbage"}),
    "shorter than it says": lambda m: repacked(m, **{"left.npy": npy(m.forest.left)[:-4]}),
    "another type": lambda m: repacked(m, **{"left.npy": npy(m.forest.left.astype(np.float32))}),
    "another version": lambda m: repacked(m, {"version": 2}),
    "no JSON": lambda m: repacked(m, **{"model.json": b"{"}),
    "deep JSON": lambda m: repacked(m, **{"model.json": b"[" * 200_000}),
    "a list": lambda m: repacked(m, **{"model.json": b"[]"}),
    "no features": lambda m: repacked(m, {"features": []}),
    "features without labels": lambda m: repacked(m, {"features": [{"dimension": "b", "kind": "bands", "labels": []}]}),
    "fewer features": lambda m: repacked(m, {"features": [{"dimension": "b", "kind": "bands", "labels": ["B02"]}]}),
    "fewer classes": lambda m: repacked(m, {"classes": [1]}),
    "mixed classes": lambda m: repacked(m, {"classes": [0, "a", True]}),
    "equal classes": lambda m: repacked(m, {"classes": [0, 1, 1]}),
    "huge classes": lambda m: repacked(m, {"classes": [0, 1, 2**70]}),
}  # fmt: skip


@pytest.mark.parametrize("strange", STRANGE.values(), ids=STRANGE)
def test_files_that_are_no_model(strange, model):
    with pytest.raises(engine.Problem, match="no model that can be used") as caught:
        models.unpacked(strange(model), "https://example.org/model.npz?token=secret")
    assert caught.value.code == "FileContentInvalid"
    assert "secret" not in str(caught.value)


def test_sizes_are_known_before_memory_is_taken(model, monkeypatch):
    whole, claims = repacked(model), npy(np.zeros(1)).replace(b"(1,), }" + b" " * 13, b"(1000000000000,), } ")
    assert b"1000000000000" in claims
    with pytest.raises(engine.Problem, match=r"8 bytes, which do not make the shape \(1000000000000,\)"):
        models.unpacked(repacked(model, **{"value.npy": claims}), "it")
    monkeypatch.setattr(models, "MAX_BYTES", 1000)
    with pytest.raises(engine.Problem, match="at most 1000 are read"):
        models.unpacked(whole, "it")
    with pytest.raises(engine.Problem, match="at most 1000 are kept"):
        models.packed(model)


def stump(**changes):
    """One split and two leaves."""
    parts = {
        "roots": np.array([0]),
        "left": np.array([1, -1, -1], np.int32),
        "right": np.array([2, -1, -1], np.int32),
        "feature": np.array([0, -2, -2], np.int32),
        "threshold": np.array([0.5, -2, -2]),
        "value": np.array([[1.5], [1.0], [2.0]]),
    }
    return Forest(**{**parts, **{k: np.array(v, parts[k].dtype) for k, v in changes.items()}})


def test_a_stump():
    assert not list(faults(stump(), 1, 1))
    np.testing.assert_array_equal(stump().predict(np.array([[0.0, 0.5, 0.6]])), [[1, 1, 2]])
    assert stump().predict(np.zeros((1, 0))).shape == (1, 0)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"left": [0, -1, -1]}, "on the left"),  # round and round
        ({"right": [2, 0, -1], "left": [1, 2, -1]}, "on the right"),  # back to the root
        ({"right": [3, -1, -1]}, "on the right"),
        ({"left": [2**31 - 1, -1, -1]}, "on the left"),
        ({"left": [-1, -1, -1]}, "on the left"),  # half a leaf
        ({"left": [-7, -1, -1]}, "on the left"),
        ({"feature": [1, 0, 0]}, "none of the 1"),
        ({"feature": [-1, 0, 0]}, "none of the 1"),
        ({"threshold": [np.nan, 0, 0]}, "thresholds"),
        ({"value": [[1], [np.inf], [2]]}, "not finite"),
        ({"value": [[1], [2]]}, "shape"),
        ({"value": [[1, 2], [1, 2], [1, 2]]}, "shape"),
        ({"roots": []}, "roots"),
        ({"roots": [1]}, "roots"),
        ({"roots": [0, 3]}, "roots"),
        ({"roots": [0, 1]}, "behind their parent in the same tree"),
        ({"roots": [[0]]}, "roots"),
        ({"feature": [0, 0]}, "length"),
        ({"left": [], "right": [], "feature": [], "threshold": [], "value": np.zeros((0, 1))}, "roots"),
    ],
)
def test_trees_that_cannot_be_walked(changes, says):
    assert any(says in f for f in faults(stump(**changes), 1, 1))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_whatever_passes_can_be_walked(data):
    """Random arrays: those without faults come to an end inside of the arrays."""
    n = data.draw(st.integers(1, 7))
    some = st.lists(st.integers(-1, n), min_size=n, max_size=n)
    forest = Forest(
        np.array(sorted({0, *data.draw(st.lists(st.integers(0, n - 1), max_size=2))})),
        np.array(data.draw(some), np.int32),
        np.array(data.draw(some), np.int32),
        np.array(data.draw(some), np.int32),
        np.zeros(n),
        np.arange(n, dtype=float)[:, None],
    )
    if not list(faults(forest, 2, 1)):
        found = forest.predict(np.array([[-1.0, 1, 0], [1, -1, 0]]))
        assert found.shape == (1, 3)
        assert (found >= 0).all()


def test_a_model_travels(model):
    again = pickle.loads(pickle.dumps(model))
    assert again.features == (Feature("bands", "bands", BANDS),)
    assert isinstance(again, Model)
    np.testing.assert_array_equal(again.forest.threshold, model.forest.threshold)


def test_from_polygons_to_a_map(session):
    """The whole way: training polygons with a property, their mean bands, a forest, a map; all of it one graph."""
    rng = np.random.default_rng(0)
    cube = scene()
    cube.values[:, 2, :, 4:] += 20  # the right half is another class
    features = [
        {
            "type": "Feature",
            "properties": {"cover": "forest" if column >= 4 else "water"},
            "geometry": shapely.geometry.mapping(
                shapely.box(675000 + 10 * column, 5156000 - 10 * row - 10, 675010 + 10 * column, 5156000 - 10 * row)
                .buffer(-1 - rng.random())
            ),
        }
        for row in range(4)
        for column in (0, 2, 5, 7)
    ]  # fmt: skip
    sites = {
        "type": "FeatureCollection",
        "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32632"}},
        "features": features,
    }
    mean = {"m": {"process_id": "mean", "arguments": {"data": {"from_parameter": "data"}}, "result": True}}
    graph = {
        "target": {"process_id": "load_geojson", "arguments": {"data": sites, "properties": ["cover"]}},
        "season": {
            "process_id": "reduce_dimension",
            "arguments": {
                "data": {"from_parameter": "cube"},
                "dimension": "t",
                "reducer": {"process_graph": mean},
            },
        },
        "predictors": {
            "process_id": "aggregate_spatial",
            "arguments": {
                "data": {"from_node": "season"},
                "geometries": {"from_node": "target"},
                "reducer": {"process_graph": mean},
            },
        },
        "fit": {
            "process_id": "ml_fit_class_random_forest",
            "arguments": {
                "predictors": {"from_node": "predictors"},
                "target": {"from_node": "target"},
                "max_variables": "all",
                "num_trees": 10,
                "seed": 1,
            },
        },
        "map": {
            "process_id": "ml_predict",
            "arguments": {
                "data": {"from_node": "season"},
                "model": {"from_node": "fit"},
                "dimensions": ["bands"],
            },
            "result": True,
        },
    }
    found = session.run(graph, {"cube": cube.chunk({"x": 4})})
    assert found.dims == ("predictions", "y", "x")
    expected = np.where(np.arange(8) >= 4, "forest", "water")
    assert (found.values[0] == expected).all()
