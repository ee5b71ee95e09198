"""A fault of the engine is told as one, with the exit code of its own."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from api.cli import main

GRAPH = {"is": {"process_id": "add_dimension", "arguments": {"data": {"from_node": "made"}, "name": "a", "label": 1}, "result": True},
         "made": {"process_id": "create_data_cube", "arguments": {}}}  # fmt: skip


def broken(process, args, **engine):
    raise IndexError("list index out of range")


@pytest.mark.parametrize("command", [["run", "-", "-o", "out.json"], ["validate", "-"]])
def test_exit_code_5(command, tmp_path, monkeypatch):
    monkeypatch.setenv("GDC_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(main, ["validate", "-"], input=json.dumps(GRAPH)).exit_code == 0
    monkeypatch.setattr("engine.execute.evaluate.call", broken)
    done = CliRunner().invoke(main, command, input=json.dumps(GRAPH))
    assert done.exit_code == 5, done.output
    assert "node 'made', process 'create_data_cube': IndexError: list index out of range" in done.stderr
    assert "fault of the engine" in done.stderr
    assert not (tmp_path / "out.json").exists()
