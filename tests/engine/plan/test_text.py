"""The rules on plans against their golden files: a graph, the plan as written, the plan as run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox

from engine.execute.evaluate import evaluate
from engine.execute.world import Within
from engine.graph import text
from engine.graph.model import Graph, Node, Param, Ref, replaced
from engine.load.cube import make_cube
from engine.load.model import Band
from engine.plan.lines import Plan
from engine.plan.planner import Planner
from engine.plan.text import CHUNK, FUSE, KEEP, PUSH_GRID, SELECT, plan_of
from engine.settings import Settings
from processes.lazy import Lazy
from processes.places import Region
from processes.recipes import Recipe

HERE = Path(__file__).parents[1] / "golden" / "plan"
WORLD: Any = Within(Settings(), "plan")
GRID = Affine(10, 0, 500_000, 0, -10, 5_000_000)


@dataclass(frozen=True, eq=False)
class Files:
    """Numbers in files that nobody may open."""

    grid: GeoBox
    chunks: tuple[tuple[int, ...], ...]

    inputs = ()
    roles = ("t", "each", "y", "x")
    dtype = np.dtype(np.uint16)

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return tuple(map(sum, self.chunks))

    @property
    def token(self) -> str:
        """The same for the same files on the same grid."""
        return f"files {self.grid.shape}"

    def onto(self, grid: GeoBox) -> Files:
        """The same files on another grid."""
        return Files(grid, (*self.chunks[:2], *((n,) for n in grid.shape)))

    def of(self, inputs: tuple[Recipe, ...]) -> Recipe:
        """Itself."""
        return self

    def needs(self, region: Region) -> tuple[Region, ...]:
        """Nothing."""
        return ()

    def make(self, region: Region, blocks: Sequence[np.ndarray]) -> np.ndarray:
        """Never asked."""
        raise AssertionError("a plan reads nothing")


def files(t: int, bands: str, y: int, x: int, block: int, memory: int = 192, workers: int = 1) -> Any:
    """A cube in files with blocks of that size, for a planner that has so many MB for a block."""
    names = bands.split()
    cut = [tuple(min(block, n - i) for i in range(0, n, block)) for n in (y, x)]
    grid = GeoBox((y, x), GRID, "EPSG:32632")
    source = Files(grid, ((1,) * t, (1,) * len(names), *cut))
    lazy = Lazy(source, Planner(memory * 2**20, "always", workers), source.chunks)
    times = [d.to_pydatetime() for d in pd.date_range("2022-01-03", periods=t, freq="5D")]
    return make_cube(lazy, times, [Band(n, nodata=0) for n in names], grid, 0)


def planned(written: str) -> Plan:
    """The plan of a graph whose first node stands for files."""
    (source, first), *rest = text.read(written).nodes.items()
    nodes = {
        name: Node(node.process, replaced(dict(node.args), {Ref(source): Param(source)}), node.pointer)
        for name, node in rest
    }
    graph = Graph(nodes, list(nodes)[-1])
    parameters = {source: files(**first.args)}
    values = evaluate(graph, parameters, lambda _: WORLD).values
    return plan_of([values[graph.result]], {**parameters, **values}, nodes, {source: first.process})


def cases() -> Iterator[Any]:
    for rule in (PUSH_GRID, SELECT, FUSE, KEEP, CHUNK):
        for block in (HERE / f"{rule}.txt").read_text().split("\n\n"):
            title, _, rest = block.strip().partition("\n")
            yield pytest.param(rule, *rest.split("\n----\n"), id=f"{rule}: {title.strip('# ')}")


@pytest.mark.parametrize(("rule", "graph", "before", "after"), list(cases()))
def test_rule(rule: str, graph: str, before: str, after: str) -> None:
    plan = planned(graph)
    assert "\n".join(map(str, plan.written)) == before
    assert "\n".join(map(str, plan.run)) == after
    assert not any(line.rules for line in plan.written)


def test_every_rule_on_plans_has_a_golden_file() -> None:
    assert {path.stem for path in HERE.glob("*.txt")} == {PUSH_GRID, SELECT, FUSE, KEEP, CHUNK}


def test_each_line_stands_after_those_that_it_is_made_of() -> None:
    for case in cases():
        plan = planned(case.values[1])
        for lines in (plan.written, plan.run):
            seen: set[str] = set()
            for line in lines:
                whole = {name.partition("[")[0] for name in line.of}
                of = {name if name in seen else name.partition(".")[0] for name in whole}
                assert of <= (seen if line.does != "read" else {"S2"})
                assert line.name not in seen
                seen.add(line.name)


def test_machines_are_told_the_same() -> None:
    graph = (
        "cube = S2(t=4, bands='B04 B08', y=64, x=64, block=32)\nout = ndvi(data=cube, nir='B08', red='B04')"
    )
    (read, out) = planned(graph).json()["run"]
    assert read["does"] == "read"
    assert read["blocks"] == {"number": 32, "largest": {"t": 1, "bands": 1, "y": 32, "x": 32}}
    assert out == {
        "name": "out",
        "does": "kernel",
        "of": ("cube.B08", "cube.B04"),
        "dims": {"t": 4, "y": 64, "x": 64},
        "dtype": "float32",
        "formula": "normalized_difference(B08, B04)",
        "skips": "",
        "blocks": {"number": 4, "largest": {"t": 4, "y": 32, "x": 32}},
        "rules": ("fuse", "chunk"),
    }


def test_a_hundred_steps_are_a_line_each_and_no_phrase_grows() -> None:
    steps = ["cube = S2(t=1, bands='B04', y=8, x=8, block=8)"]
    step = "child(\"m = add(x=param('x'), y=1.5)\", result='m')"
    steps += [f"n{i} = apply(data={f'n{i - 1}' if i else 'cube'}, process={step})" for i in range(100)]
    plan = planned("\n".join(steps))
    assert len(plan.written) == 101
    (_, last) = plan.run
    assert last.formula.endswith("...")
    assert len(last.formula) <= 200
