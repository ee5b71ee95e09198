"""Two users: what one has made, the other neither sees nor touches, by any route there is.

The routes are those of the OpenAPI document; a route that is in none of the classes here fails.
"""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from api.facets import FACETS as ALL
from requests_of_users import NDVI, SUM, TWICE, ended, made, run, served_as, wrapped

PUBLIC = {
    "/login", "/logout", "/", "/conformance", "/.well-known/openeo", "/health", "/openapi", "/docs", "/file_formats", "/udf_runtimes",
    "/processing_parameters", "/service_types", "/collections", "/collections/{collection_id}",
    "/collections/{collection_id}/queryables", "/collections/{collection_id}/schema",
    *(f"/collections/{{collection_id}}/coverage{part}" for part in ("", "/domainset", "/rangetype")), "/processes", "/processes/{process_id}",
    "/processes/{namespace}/{process_id}", "/queryables", "/search", "/collections/{collection_id}/items",
    "/collections/{collection_id}/items/{item_id}", "/catalog/", "/catalog/conformance",
}  # fmt: skip
"""Anybody may ask; they tell nothing of users, and of the catalogue what everybody may read."""
CHANGES = {
    (method, path)
    for path, methods in {
        "/collections": ("POST",),
        "/collections/{collection_id}": ("PUT", "PATCH", "DELETE"),
        "/collections/{collection_id}/items": ("POST",),
        "/collections/{collection_id}/items/{item_id}": ("PUT", "PATCH", "DELETE"),
    }.items()
    for method in methods
}
"""Who changes the catalogue has a role for it."""
DEPLOYING = {
    ("POST", "/processes"),
    ("PUT", "/processes/{process_id}"),
    ("DELETE", "/processes/{process_id}"),
}
"""Makes and changes processes of the caller: `tests/api/ogc/test_processes_deployed.py`."""
SIGNED = ("/results/{token}/", "/tiles/{token}/")
"""What paths begin with that hold a signature which only the owner was told."""
LOGIN = {"/credentials/basic", "/oauth/token"}
"""Takes a password."""
OF_CALLER = {"/me", "/jobs", "/process_graphs", "/files", "/services", "/result", "/validation", "/publish/v1/log",
             "/catalog/collections", "/catalog/search", "/catalog/queryables", "/processes/{process_id}/execution"}  # fmt: skip
"""Lists and does what is the caller's own."""
OF_MEMBERS = {
    "/subscription/v1/", "/api/dataset/v1/{package}/paginate/", "/api/dataset/v1/{package}/stream/",
    "/api/item/v1/{package}",
}  # fmt: skip
"""Items of a package, for those who may have it, of collections that they may read."""
OF_ADMIN = {"/webhooks", "/webhooks/{webhook_id}", "/webhooks/{webhook_id}/deliveries"}
"""What administrators look after."""
OWNED = {
    "/jobs/{job_id}", "/jobs/{job_id}/results", "/jobs/{job_id}/logs", "/jobs/{job_id}/estimate",
    "/result/logs/{log_id}",
    "/process_graphs/{process_graph_id}", "/files/{path}", "/services/{service_id}", "/services/{service_id}/logs",
    "/catalog/{owner}", "/catalog/{owner}/collections",
    *(f"/catalog{start}/collections/{{collection_id}}{rest}" for start in ("", "/{owner}")
      for rest in ("", "/items", "/items/{item_id}", "/items/{item_id}/download/{asset}")),
    *(f"/catalog/collections/{{collection_id}}/{what}" for what in ("search", "queryables", "bulk_items")),
}  # fmt: skip
"""Something of one user, by its identifier."""
BY_RIGHTS = ("/api/data/v0/stac/", "/api/data/v0/scenario/")
"""What paths begin with where a login is needed, and who has it sees what may be seen: `tests/api/datacosmos`."""
GRANTED = {"/api/data/v0/storage/{path}"}
"""Of nobody alone: roles and grants say who may; others are not told whether something is there."""
UNSTEADY = {
    "/jobs/{job_id}/estimate", "/jobs/{job_id}/results", "/catalog/collections/{collection_id}/bulk_items",
    "/catalog/collections/{collection_id}/items", "/catalog/{owner}/collections/{collection_id}/items",
    "/catalog/collections/{collection_id}/search",
    "/catalog/collections/{collection_id}/items/{item_id}/download/{asset}",
    "/catalog/{owner}/collections/{collection_id}/items/{item_id}/download/{asset}",
}  # fmt: skip
"""These have a time or a number of their own in each answer."""
MINTED = {"/process_graphs/{process_graph_id}", "/files/{path}"}
"""Identifiers of these are chosen by users, and belong to each of them: PUT makes one's own."""
FACETS = ("", "/openeo/1.2")


def routes(client) -> list[tuple[str, str]]:
    paths = client.get("/openapi").json()["paths"]
    return [(method.upper(), path) for path, operations in paths.items() for method in operations]


def plain(path: str) -> str:
    for prefix in (f.prefix for f in ALL if f.prefix):
        path = path.removeprefix(prefix)
    return path or "/"


@pytest.fixture(scope="module")
def belongings(ada):
    """One of each kind, of ada's."""
    job = run(ada, SUM, title="hush")
    ada.put("/process_graphs/adas", json={**TWICE, "summary": "hush"})
    ada.put("/files/adas/file.txt", content="hush")
    service = served_as(ada, NDVI, title="hush")
    call = {"process_id": "inspect", "arguments": {"data": 1, "message": "hush"}, "result": True}
    ada.post("/catalog/collections", json={"id": "adas", "description": "hush"}).raise_for_status()
    asset = {"href": "https://data.example/hush.tif"}
    item = {
        "type": "Feature", "id": "adas", "geometry": None, "assets": {"file": asset},
        "properties": {"datetime": "2024-02-11T12:09:32Z"},
    }  # fmt: skip
    ada.post("/catalog/collections/adas/items", json=item).raise_for_status()
    log = ada.post("/result", json=wrapped({"n": call})).headers["link"].partition("/result/logs/")[2][:32]
    yield {
        "log_id": log,
        "job_id": job,
        "service_id": service,
        "process_graph_id": "adas",
        "path": "adas/file.txt",
        "collection_id": "ada:adas",
        "item_id": "adas",
        "asset": "file",
        "owner": "ada",
        "package": "news",
        "webhook_id": "hook",
    }
    ada.delete("/catalog/collections/ada:adas")
    ada.delete(f"/jobs/{job}")
    ada.delete(f"/services/{service}")
    ada.delete("/process_graphs/adas")
    ada.delete("/files/adas/file.txt")


def filled(path: str, belongings: dict) -> str:
    for name, value in belongings.items():
        path = path.replace(f"{{{name}}}", quote(value))
    assert "{" not in path, path
    return path


def everything(client, belongings: dict) -> dict:
    """All that a user sees of these."""
    return {path: client.get(filled(path, belongings)).content for path in sorted(OWNED - UNSTEADY)}


def test_every_route_is_in_one_class(anonymous):
    classes = [PUBLIC, LOGIN, OF_CALLER, OF_MEMBERS, OF_ADMIN, OWNED, GRANTED]
    for method, path in routes(anonymous):
        found = sum(plain(path) in c for c in classes) + plain(path).startswith((*SIGNED, *BY_RIGHTS))
        assert found == 1, f"{method} {path}: say who may use it"
    known = {plain(path) for _, path in routes(anonymous)}
    assert not set().union(*classes) - known


def test_nobody_gets_in_without_a_login(anonymous, belongings):
    for method, path in routes(anonymous):
        logged_in = OF_CALLER | OF_MEMBERS | OF_ADMIN | OWNED | GRANTED
        is_open = plain(path) not in logged_in and (method, plain(path)) not in DEPLOYING
        if is_open and not plain(path).startswith(BY_RIGHTS):
            continue
        place = re.sub(r"{(project|collection|item|process)_id}", "S2", path)
        for header in ({}, {"Authorization": "Bearer basic//wrong"}):
            answer = anonymous.request(method, filled(place, belongings), headers=header, json=wrapped(SUM))
            assert answer.status_code == (403 if header else 401), (method, path)
            assert "hush" not in answer.text


def test_public_routes_tell_nothing_of_users(anonymous, belongings):
    for method, path in routes(anonymous):
        if plain(path) in PUBLIC and "{" not in path and (method, plain(path)) not in CHANGES | DEPLOYING:
            assert "hush" not in anonymous.request(method, path).text


def test_the_catalogue_is_changed_by_those_only_who_may(anonymous, bob):
    found = set()
    before = [anonymous.get(path).json()["features"] for path in ("/search", "/collections/S2/items")]
    for method, path in routes(anonymous):
        if (method, plain(path)) not in CHANGES:
            continue
        found.add((method, plain(path)))
        place = path.replace("{collection_id}", "S2").replace("{item_id}", before[0][0]["id"])
        body = {**before[0][0], "assets": {}} if "items" in path else {"id": "S2", "description": "bob's"}
        if method == "POST":
            body["id"] = "new"
        assert anonymous.request(method, place, json=body).status_code == 401
        answer = bob.request(method, place, json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "PermissionsInsufficient"), (method, path)
    assert found == CHANGES
    assert [anonymous.get(path).json()["features"] for path in ("/search", "/collections/S2/items")] == before


def test_what_is_for_administrators_tells_others_nothing(bob, belongings):
    for method, path in routes(bob):
        if plain(path) in OF_ADMIN:
            answer = bob.request(method, filled(path, belongings), json={"url": "https://example.org"})
            assert (answer.status_code, answer.json()["code"]) == (403, "PermissionsInsufficient"), path


def test_lists_are_of_the_caller(ada, bob, belongings):
    for facet in FACETS:
        for path, name in (
            ("/jobs", "hush"),
            ("/process_graphs", "hush"),
            ("/services", "hush"),
            ("/files", "adas"),
        ):
            assert name in ada.get(facet + path).text
            assert name not in bob.get(facet + path).text


def test_the_catalogue_of_owners_is_of_the_caller(ada, bob, belongings):
    for path in ("/catalog/collections", "/catalog/search"):
        assert "hush" in ada.get(path).text
        assert "hush" not in bob.get(path).text


def test_what_is_of_another_is_not_there(ada, bob, belongings):
    before = everything(ada, belongings)
    for method, path in routes(ada):
        if plain(path) not in OWNED:
            continue
        answer = bob.request(
            method, filled(path, belongings), json={**wrapped(SUM), **TWICE, "title": "bob's"}
        )
        if method == "PUT" and plain(path) in MINTED:
            assert answer.status_code == 200
            assert bob.delete(filled(path, belongings)).status_code == 204
        else:
            assert (answer.status_code, answer.json()["code"][-8:]) == (404, "NotFound"), (method, path)
            assert "hush" not in answer.text
    assert everything(ada, belongings) == before


def test_what_is_not_there_looks_like_what_is_of_another(bob, belongings):
    """An answer must not tell whether an identifier is somebody's."""
    for method, path in routes(bob):
        if plain(path) not in OWNED or method == "PUT":
            continue
        other = {name: value[:-1] + ("0" if value[-1] != "0" else "1") for name, value in belongings.items()}
        found = [
            bob.request(method, filled(path, ids), json={**wrapped(SUM), **TWICE})
            for ids in (belongings, other)
        ]
        told = [(a.status_code, a.json()["code"], a.json()["message"]) for a in found]
        for one, ids in zip(told, (belongings, other), strict=True):
            assert one[:2] == told[0][:2], (method, path)
            assert any(value in one[2] for value in ids.values())


def test_what_is_granted_to_others_may_be_there_or_not(served, bob):
    """The answer is the same."""
    objects = served.backend.storage.objects
    objects.put("catalog/s2/scene.tif", [b"hush"], "image/tiff")
    before = objects.stat("catalog/s2/scene.tif")
    for method, path in routes(bob):
        if plain(path) not in GRANTED:
            continue
        for name in ("scene.tif", "other.tif"):
            answer = bob.request(method, path.replace("{path}", f"catalog/s2/{name}"), content=b"bob's")
            assert (answer.status_code, answer.json()["code"]) == (403, "PermissionsInsufficient")
            assert name not in answer.json()["message"]
            assert "hush" not in answer.text
    assert objects.stat("catalog/s2/scene.tif") == before
    objects.remove("catalog/s2/scene.tif")


def test_graphs_reach_nothing_of_another(ada, bob, belongings, served):
    """By file, by stored process, by job id, and by the paths of all these on the server's disk."""
    home = served.backend.settings.of_user("ada").home
    paths = ["adas/file.txt", "../../ada/files/adas/file.txt", f"{home}/files/adas/file.txt"]
    loads = [
        {
            "process_id": "load_uploaded_files",
            "arguments": {"paths": [p], "format": "GeoJSON"},
            "result": True,
        }
        for p in paths
    ]
    loads += [
        {"process_id": "load_stac", "arguments": {"url": url}, "result": True}
        for url in (belongings["job_id"], f"{home}/jobs/{belongings['job_id']}", f"file://{home}/jobs")
    ]
    loads += [{"process_id": "adas", "arguments": {"x": 1}, "result": True}]
    for node in loads:
        answer = bob.post("/result", json=wrapped({"n": node}))
        assert answer.status_code in (400, 404), node
        assert answer.json()["code"] in (
            "FileNotFound", "ProcessUnsupported", "JobNotFound", "ProcessParameterInvalid"
        ), answer.text  # fmt: skip


def test_links_to_results_end_with_the_job(ada, anonymous):
    job = made(ada, NDVI)
    ada.post(f"/jobs/{job}/results")
    ended(ada, job)
    (asset,) = ada.get(f"/jobs/{job}/results").json()["assets"].values()
    assert anonymous.get(asset["href"]).status_code == 200
    ada.delete(f"/jobs/{job}")
    assert anonymous.get(asset["href"]).status_code == 404
