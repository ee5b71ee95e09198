"""The command line starts at once, and keeps people's words and machines' results apart."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from api.cli import main


def test_help_imports_nothing_heavy():
    program = (
        "import sys, api.cli\n"
        "from click.testing import CliRunner\n"
        "done = CliRunner().invoke(api.cli.main, ['--help'])\n"
        "assert done.exit_code == 0 and 'catalog' in done.output\n"
        "heavy = {'numpy', 'xarray', 'dask', 'rasterio', 'pydantic', 'sqlalchemy', 'pystac', 'processes'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.fixture
def gdc(tmp_path, monkeypatch):
    monkeypatch.setenv("GDC_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    def run(*args, code=0, stdin=None):
        done = CliRunner().invoke(main, list(args), input=stdin)
        assert done.exit_code == code, done.output
        return done

    return run


def test_scalars_from_standard_input(gdc, tmp_path):
    graph = {
        "add": {"process_id": "add", "arguments": {"x": {"from_parameter": "p"}, "y": 2}, "result": True}
    }
    done = gdc("run", "-", "-o", "sum.json", "--param", "p=40", stdin=json.dumps(graph))
    assert json.loads((tmp_path / "sum.json").read_text()) == 42
    assert done.stdout == ""
    assert "wrote sum.json" in done.stderr


def test_validation_for_machines(gdc):
    graph = {"add": {"process_id": "ad", "arguments": {}, "result": True}}
    done = gdc("validate", "-", "--json", code=1, stdin=json.dumps(graph))
    (error,) = json.loads(done.stdout)["errors"]
    assert error["code"] == "ProcessUnsupported"
    assert error["pointer"] == "/add"
    assert (
        gdc("validate", "-", stdin='{"p": {"process_id": "pi", "arguments": {}, "result": true}}').stdout
        == ""
    )


def test_processes_are_listed_and_shown(gdc):
    listed = json.loads(gdc("processes", "--json").stdout)["processes"]
    lines = gdc("processes").stdout.splitlines()
    assert len(lines) == len(listed) >= 160
    assert "reduce_dimension" in gdc("processes", "reduce_dimension").stdout
    assert "Did you mean 'mean'" in gdc("processes", "meen", code=1).stderr


def test_an_empty_catalogue_says_how_to_fill_it(gdc):
    assert "gdc catalog add" in gdc("catalog", "list").stderr
    assert json.loads(gdc("collections", "--json").stdout) == {"collections": []}


def test_usage(gdc):
    gdc("run", "-", code=2)
    gdc("run", "-", "-o", "x.json", "--param", "nonsense", code=2, stdin="{}")
    gdc("run", "missing.json", "-o", "x.json", code=2)
    gdc("catalog", "add", "nowhere", code=2)


def test_the_catalogue_is_searched_exported_and_cleared(gdc, tmp_path):
    def item(n: int) -> dict:
        return {
            "type": "Feature", "stac_version": "1.1.0", "id": f"i{n}", "collection": "c", "links": [],
            "geometry": {"type": "Point", "coordinates": [n, 50]}, "bbox": [n, 50, n, 50], "assets": {},
            "properties": {"datetime": f"2024-02-0{n}T00:00:00Z", "eo:cloud_cover": n},
        }  # fmt: skip

    (tmp_path / "items.json").write_text(
        json.dumps({"type": "FeatureCollection", "features": [item(1), item(2), item(3)]})
    )
    gdc("catalog", "add", "items.json")
    found = gdc("catalog", "search", "--filter", '"eo:cloud_cover" > 1', "--sortby", "id")
    assert found.stdout.splitlines() == ["c  i2  2024-02-02T00:00:00Z", "c  i3  2024-02-03T00:00:00Z"]
    assert "2 of 2 items" in found.stderr
    told = json.loads(gdc("catalog", "search", "--bbox", "0.5,49,1.5,51", "--json").stdout)
    assert [f["id"] for f in told["features"]] == ["i1"]
    gdc("catalog", "search", "--filter", "(", code=1)
    assert "3 items" in gdc("catalog", "export", "all.parquet").stderr
    gdc("catalog", "remove", "c", "i1")
    assert json.loads(gdc("catalog", "search", "--json").stdout)["numberMatched"] == 2
    gdc("catalog", "remove", "c")
    gdc("catalog", "remove", "c", code=1)
    gdc("catalog", "add", "all.parquet")
    assert json.loads(gdc("catalog", "search", "--json").stdout)["numberMatched"] == 3


def test_tokens_of_programs(gdc):
    gdc("token", "add", "ada", code=2)
    gdc("user", "add", "ada", "--password", "secret")
    assert len(gdc("token", "add", "ada", "--days", "3").stdout.strip()) > 40
    assert "1 tokens" in gdc("token", "remove", "ada").stderr


def test_vector_data_are_added_listed_and_found(gdc, tmp_path):
    point = {"type": "Point", "coordinates": [11.3, 46.5]}
    features = [{"type": "Feature", "geometry": point, "properties": {"depth": n}} for n in range(3)]
    (tmp_path / "wells.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    gdc("catalog", "add", str(tmp_path / "wells.geojson"))
    assert "wells  at any time  3 features" in gdc("collections").output
    found = gdc("catalog", "search", "--collection", "wells", "--filter", "depth > 0", "--json").output
    assert [f["properties"]["depth"] for f in json.loads(found)["features"]] in ([1, 2], [2, 1])
