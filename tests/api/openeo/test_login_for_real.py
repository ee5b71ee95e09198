"""A real OpenID Connect provider and the real openEO client, over real sockets."""

from __future__ import annotations

import json
import subprocess

import httpx
import openeo
import pytest

from api.openeo.capabilities import JWT
from browser import BACK, logged_in
from node import command, started

pytestmark = pytest.mark.slow

MACHINE, SECRET = "machine", "of-the-machine"
RESOURCE = "urn:geodatacube"
SCOPES = "openid profile email groups offline_access"


@pytest.fixture(scope="module")
def issuer(node, tmp_path_factory):
    """The provider."""
    with started("oidc_provider.mjs", tmp_path_factory.mktemp("node") / "run", BACK, until="ISSUER ") as url:
        yield url


@pytest.fixture(scope="module")
def provider(issuer):
    """How it is set up here."""
    return {
        "id": "real",
        "issuer": issuer,
        "title": "A real one",
        "scopes": SCOPES.split(),
        "audiences": [RESOURCE],
        "default_clients": [
            {
                "id": "editor",
                "grant_types": ["authorization_code+pkce", "refresh_token"],
                "redirect_urls": [BACK],
            }
        ],
        "roles_claim": "groups",
        "roles": {"staff": "admin"},
    }


@pytest.fixture(scope="module")
def strict(serve_with, provider):
    """A server that takes JWTs only."""
    return serve_with(oidc=[provider])


@pytest.fixture(scope="module")
def asking(serve_with, provider):
    """A server that asks the provider about opaque tokens."""
    return serve_with(oidc=[{**provider, "opaque_tokens": True}])


def me(served, bearer):
    """Who a token is of, as the server says."""
    return httpx.get(f"{served.url}/openeo/1.2/me", headers={"Authorization": f"Bearer {bearer}"}, timeout=60)


def test_a_person_logs_in_with_a_browser(issuer, strict, asking):
    tokens = logged_in(issuer, "editor", "staff of Ada/é", SCOPES)
    opaque = tokens["access_token"]
    assert opaque.count(".") != 2
    person = me(asking, f"oidc/real/{opaque}").json()
    assert person["name"] == "staff of Ada/é of the provider"
    assert person["roles"] == ["admin", "user"]
    assert me(strict, f"oidc/real/{opaque}").json()["code"] == "TokenInvalid"
    by_id_token = me(strict, f"oidc/real/{tokens['id_token']}").json()
    assert by_id_token["user_id"] == person["user_id"]
    assert me(strict, tokens["id_token"]).json()["user_id"] == person["user_id"]


def test_a_token_that_was_made_for_this_server(issuer, strict):
    token = logged_in(issuer, "editor", "bob", "openid", resource=RESOURCE)["access_token"]
    assert token.count(".") == 2
    for bearer in (f"oidc/real/{token}", token):
        assert me(strict, bearer).json()["roles"] == ["user"]
    head, claims, signature = token.split(".")
    assert me(strict, f"{head}.{claims}.{signature[::-1]}").json()["code"] == "TokenInvalid"


def test_the_client_of_openeo_logs_in_as_a_machine(strict):
    connection = openeo.connect(f"{strict.url}/openeo/1.2")
    assert JWT in connection.capabilities().capabilities["conformsTo"]
    connection.authenticate_oidc_client_credentials(client_id=MACHINE, client_secret=SECRET)
    assert connection.describe_account()["user_id"].startswith("real~")
    assert connection.list_jobs() == []


def test_the_client_of_openeo_goes_on_with_a_refresh_token(issuer, asking):
    refresh = logged_in(issuer, "editor", "grace", SCOPES)["refresh_token"]
    connection = openeo.connect(f"{asking.url}/openeo/1.2")
    connection.authenticate_oidc_refresh_token(client_id="editor", refresh_token=refresh)
    assert connection.describe_account()["name"] == "grace of the provider"


def test_a_token_that_is_taken_back_lets_nobody_in(issuer, asking):
    kept, token = (logged_in(issuer, "editor", "eve", SCOPES)["access_token"] for _ in range(2))
    places = httpx.get(f"{issuer}/.well-known/openid-configuration").json()
    taken = httpx.post(places["revocation_endpoint"], data={"client_id": "editor", "token": token})
    assert taken.status_code == 200
    assert me(asking, f"oidc/real/{token}").json()["code"] == "TokenInvalid"
    assert me(asking, f"oidc/real/{kept}").status_code == 200


def test_the_client_for_javascript_comes_with_a_token_of_the_provider(node, issuer, strict, tmp_path):
    token = logged_in(issuer, "editor", "joan", "openid", resource=RESOURCE)["access_token"]
    call = command("openeo_js_oidc.mjs", tmp_path / "js", f"{strict.url}/openeo/1.2", "real", token)
    done = subprocess.run(call, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    seen = json.loads(done.stdout.splitlines()[-1])
    assert (seen["provider"], seen["jobs"]) == ("real", 0)
    assert seen["me"]["user_id"].startswith("real~")
