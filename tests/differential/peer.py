"""The other engine as a process of its own: graphs and cubes come in as lines of JSON, cubes or faults go out.

Run by the Python that `openeo-processes-dask` is installed for; nothing of this project is imported here.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import sys
import warnings
from typing import Any

import numpy as np
import rioxarray  # noqa: F401 (registers .rio)
import xarray as xr


def registry() -> Any:
    """All processes that the other engine has, by openEO name."""
    from openeo_pg_parser_networkx.process_registry import Process, ProcessRegistry
    from openeo_processes_dask.process_implementations.core import process

    made = ProcessRegistry(wrap_funcs=[process])
    room = importlib.import_module("openeo_processes_dask.process_implementations")
    for name, function in inspect.getmembers(room, inspect.isfunction):
        made[name] = Process(spec={}, implementation=function)
    return made


def cube_of(given: dict[str, Any]) -> xr.DataArray:
    """The cube that a request describes."""
    coords = {k: np.array(v, dtype="datetime64[ns]") if k == "t" else v for k, v in given["coords"].items()}
    cube = xr.DataArray(np.load(given["values"]), dims=given["dims"], coords=coords)
    return cube.rio.write_crs(given["crs"])


def answer(request: dict[str, Any], processes: Any) -> dict[str, Any]:
    """What one graph gives: the place of the values, dimensions and labels."""
    from openeo_pg_parser_networkx.graph import OpenEOProcessGraph

    graph = OpenEOProcessGraph(pg_data={"process_graph": request["graph"]})
    run = graph.to_callable(processes)
    result = run(named_parameters={"cube": cube_of(request["cube"])})
    if not isinstance(result, xr.DataArray):
        raise TypeError(f"the result is a {type(result).__name__}, not a cube")
    np.save(request["out"], np.asarray(result.values, dtype=np.float64))
    labels = {str(d): result[d].values for d in result.dims if d in result.coords}
    return {
        "dims": [str(d) for d in result.dims],
        "coords": {
            d: v.astype(str).tolist() if v.dtype.kind == "M" else v.tolist() for d, v in labels.items()
        },
    }


def main() -> None:
    """Answer until there is nothing more to read."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints must not stand between the answers
    warnings.simplefilter("ignore")
    processes = registry()
    for line in sys.stdin:
        try:
            said = answer(json.loads(line), processes)
        except Exception as fault:  # noqa: BLE001 (any fault is an answer)
            said = {"error": f"{type(fault).__name__}: {fault}"[:500]}
        answers.write(json.dumps(said) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
