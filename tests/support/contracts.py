"""Answers held against the schemas of the standards' OpenAPI documents."""

from __future__ import annotations

import json
import re
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
import jsonschema
import yaml

FACETS = ("/openeo/1.2",)
"""Prefixes behind which the paths of the documents are mounted, besides none."""
EMPTY = frozenset({201, 202, 204})
"""Statuses of answers without a body, in openEO."""
OTHERS = re.compile(r"/api/data/|.*/collections|/webhooks|.*/processes")
"""What paths begin with that are none of openEO's, or where something is made and told."""
LINES = "application/x-ndjson"


class Contract:
    """An OpenAPI document."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @cached_property
    def document(self) -> dict[str, Any]:
        """The document, as JSON Schema understands it."""
        return plain(yaml.load(self._path.read_text(), Loader=yaml.CSafeLoader))

    def for_generators(self, server: str) -> dict[str, Any]:
        """The document as it is, but for `oneOf`, and for the server that it is about."""
        raw = yaml.load(self._path.read_text(), Loader=yaml.CSafeLoader)
        return {**lenient(raw), "servers": [{"url": server}]}

    @cached_property
    def templates(self) -> list[tuple[re.Pattern[str], str]]:
        """The paths as patterns; those with the fewest parameters first."""
        paths = sorted(self.document["paths"], key=lambda p: (p.count("{"), -len(p)))
        return [(re.compile("".join(map(pattern_of, re.split(r"(\{[^}]+\})", p)))), p) for p in paths]

    def template(self, path: str) -> str | None:
        """The path of the document that a path of ours is one of."""
        for facet in FACETS:
            path = path.removeprefix(facet)
        return self.known(path or "/")

    def known(self, path: str) -> str | None:
        """The path of the document that a path is one of as it stands."""
        return next((t for pattern, t in self.templates if pattern.fullmatch(path)), None)

    def faults(self, method: str, path: str, status: int, body: Any, kind: str = "") -> list[str]:
        """What in the body of an answer is not as the document has it; of several schemas that of its media type counts."""
        template = self.template(path)
        if template is None or method not in self.document["paths"][template]:
            return []
        responses = self.document["paths"][template][method]["responses"]
        response = responses.get(str(status)) or responses.get(f"{status // 100}XX")
        if response is None:
            return [f"status {status} is not declared; there are {', '.join(responses)}"]
        response = self.resolved(response)
        content = response.get("content", {})
        told = {name: c["schema"] for name, c in content.items() if "json" in name and kind in (name, "")}
        told = told or {
            name: c["schema"] for name, c in content.items() if "json" in name and kind not in content
        }
        schemas = [schema for schema in told.values() if schema.get("format") != "binary"]
        if not schemas:
            return []
        return self._seen(json.dumps(schemas[0]), json.dumps(body))

    @cache  # noqa: B019 (there is one of each document)
    def _seen(self, schema: str, body: str) -> list[str]:
        found = self._validator(schema).iter_errors(json.loads(body))
        return [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:300]}" for e in found]

    @cache  # noqa: B019 (to read all of the document for each answer takes longer than the answer)
    def _validator(self, schema: str) -> jsonschema.Draft7Validator:
        whole = {"$schema": "http://json-schema.org/draft-07/schema#", **json.loads(schema)}
        whole["components"] = self.document["components"]
        return jsonschema.Draft7Validator(whole)

    def resolved(self, part: dict[str, Any]) -> dict[str, Any]:
        """What a reference within the document stands for."""
        while "$ref" in part:
            target: Any = self.document
            for step in part["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            part = target
        return part

    def check(self, response: httpx.Response) -> None:
        """Fail where an answer is not as the document has it."""
        request = response.request
        kind = response.headers.get("content-type", "").partition(";")[0]
        if request.method in ("HEAD", "OPTIONS") or "json" not in kind or kind.startswith(LINES):
            return
        response.read()
        path = urlsplit(str(request.url)).path
        found = self.faults(request.method.lower(), path, response.status_code, response.json(), kind)
        assert not found, f"{request.method} {request.url} by {self._path.name}: {found}"


def pattern_of(part: str) -> str:
    """What a part of a path, a parameter or a text, looks like."""
    if not part.startswith("{"):
        return re.escape(part)
    return ".+" if part == "{path}" else "[^/]+"


class Own(Contract):
    """The document of the server itself: nothing may be answered that it does not tell."""

    def __init__(self, told: dict[str, Any]) -> None:
        super().__init__(Path("our own document"))
        self._told = told

    @cached_property
    def document(self) -> dict[str, Any]:
        """The document, as JSON Schema understands it."""
        return plain(self._told)

    def template(self, path: str) -> str | None:
        """The path of the document that a path is one of."""
        if path.startswith("/results/"):  # names of results may have slashes
            path = "/results/token/name"
        return self.known(path) or self.known(f"{path}/")  # faces are found without their last slash

    def check(self, response: httpx.Response) -> None:
        """Fail where an answer is not as the document has it."""
        method, path = (
            response.request.method.lower(),
            unquote(response.url.raw_path.decode().partition("?")[0]),
        )
        template = self.template(DOUBLED.sub("/", path))
        if template is None or method not in self.document["paths"][template]:
            assert response.status_code in (204, 400, 404, 405) or method in UNTOLD, (
                f"{method} {path} is not told"
            )
            return
        told = self.document["paths"][template][method]["responses"]
        status = str(response.status_code)
        assert status in told or f"{status[0]}XX" in told, f"{method} {path}: {status} is not told"
        answer = self.resolved(told.get(status) or told[f"{status[0]}XX"])
        kind, kinds = response.headers.get("content-type", ""), answer.get("content", {})
        assert not kind or "*/*" in kinds or any(one in kinds for one in (kind, kind.partition(";")[0])), (
            f"{method} {path}: {status} with {kind} is not told, only {', '.join(kinds) or 'no body'}"
        )
        for name, header in answer.get("headers", {}).items():
            assert name in response.headers or not header["required"], f"{method} {path}: no {name}"
        super().check(response)


UNTOLD = ("head", "options")
"""Methods that all paths know, which the document does not tell."""
DOUBLED = re.compile("/{2,}")


def check_frame(response: httpx.Response) -> None:
    """Fail where an answer lacks what all answers have, or has a body where it may not."""
    assert response.headers["access-control-allow-origin"] == "*"
    assert "OpenEO-Identifier" in response.headers["access-control-expose-headers"]
    is_openeo = not OTHERS.match(response.request.url.path)
    if response.status_code == 204 or (response.status_code in EMPTY and is_openeo):
        assert response.read() == b""


def lenient(value: Any) -> Any:
    """A document in which `oneOf` is `anyOf`."""
    if isinstance(value, list):
        return [lenient(v) for v in value]
    if isinstance(value, dict):
        return {"anyOf" if k == "oneOf" else str(k): lenient(v) for k, v in value.items()}
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def plain(value: Any) -> Any:
    """Schemas of OpenAPI 3.0 in the words of JSON Schema: `nullable` becomes a union.

    `oneOf` is read as `anyOf`: in openEO 1.2 its parts overlap (a statistic of two numbers is a JSON schema, too), so
    that the document's own examples fail.
    """
    if isinstance(value, list):
        return [plain(v) for v in value]
    if not isinstance(value, dict):
        return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
    out = {"anyOf" if k == "oneOf" else str(k): plain(v) for k, v in value.items()}
    if out.pop("nullable", None) is True:
        return {"anyOf": [{"type": "null"}, out]}
    return out
