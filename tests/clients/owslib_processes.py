"""Processes through OWSLib's own ways: found, described, executed at once and as a job. Argument: the landing page."""

import json
import sys
import time

import requests
from owslib.ogcapi.processes import Processes

client = Processes(sys.argv[1])
found = client.processes()
told = client.process("echo")
at_once = client.execute("echo", {"string": "a", "number": 2})
one = client.execute("text_concat", {"data": ["a", "b"]}, {"result": {"transmissionMode": "value"}})
place = client.execute("add", {"x": 1, "y": 2}, async_=True)
if isinstance(place, dict):
    place = next(link["href"] for link in place["links"] if link["rel"] == "monitor")
for _ in range(300):
    status = requests.get(place, timeout=60).json()["status"]
    if status not in ("accepted", "running"):
        break
    time.sleep(0.1)
results = requests.get(f"{place}/results", timeout=60).json()
answer = {
    "ids": [process["id"] for process in found],
    "inputs": list(told["inputs"]),
    "at once": at_once,
    "one": one,
    "status": status,
    "results": results,
}
print(json.dumps(answer))
