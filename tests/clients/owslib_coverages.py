"""Asks a server for coverages with OWSLib; prints what it got.

Usage: coverages_owslib.py URL COLLECTION REQUESTS, the last one a JSON array of arguments of `Coverages.coverage`.
"""

import base64
import json
import sys

from owslib.ogcapi.coverages import Coverages

url, collection, requests = sys.argv[1:]
client = Coverages(url)
bodies = [client.coverage(collection, **asked).read() for asked in json.loads(requests)]
told = {
    "coverages": client.coverages(),
    "conformance": client.conformance()["conformsTo"],
    "title": client.collection(collection)["title"],
    "bodies": [base64.b64encode(body).decode() for body in bodies],
}
print(json.dumps(told))
