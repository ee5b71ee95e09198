"""Logging in with tokens of an identity provider, and not logging in at all."""

from __future__ import annotations

import time
from contextlib import closing

import pytest
from click.testing import CliRunner
from openapi_spec_validator import validate

from api.cli import main
from api.openeo.capabilities import JWT
from api.serving import served
from engine import Settings
from engine.store import Store
from identity_provider import CLIENT, fake_provider

EDITOR = {
    "id": "editor",
    "grant_types": ["authorization_code+pkce", "refresh_token"],
    "redirect_urls": ["http://localhost:8080/"],
}


@pytest.fixture(scope="module")
def provider():
    with fake_provider() as there:
        yield there


@pytest.fixture(scope="module")
def believing(serve_with, provider):
    """A server that believes the provider."""
    here = {
        "id": "here",
        "issuer": provider.issuer,
        "title": "Here",
        "description": "Ask Ada.",
        "audiences": [CLIENT],
        "default_clients": [EDITOR],
        "roles_claim": "groups",
        "roles": {"staff": "admin"},
    }
    return serve_with(oidc=[here])


def token_of(provider, **claims):
    """A token that is good by the clock on the wall."""
    now = time.time()
    return provider.token(**{"iat": now, "exp": now + 300, **claims})


def me(server, bearer):
    """Who a token is of, as the server says."""
    with server.client() as client:
        return client.get("/me", headers={"Authorization": f"Bearer {bearer}"})


@pytest.mark.parametrize("facet", ["", "/openeo/1.2"])
def test_providers_are_listed_as_openeo_has_them(believing, provider, facet):
    with believing.client() as client:
        (listed,) = client.get(f"{facet}/credentials/oidc").json()["providers"]
        landing = client.get(f"{facet}/").json()
    assert listed == {
        "id": "here",
        "issuer": provider.issuer,
        "title": "Here",
        "description": "Ask Ada.",
        "scopes": ["openid"],
        "default_clients": [EDITOR],
    }
    assert {"path": "/credentials/oidc", "methods": ["GET"]} in landing["endpoints"]
    assert JWT in landing["conformsTo"]


@pytest.mark.parametrize("facet", ["", "/openeo/1.2"])
def test_without_providers_nothing_is_said_of_them(anonymous, facet):
    assert anonymous.get(f"{facet}/credentials/oidc").status_code == 404
    landing = anonymous.get(f"{facet}/").json()
    assert "/credentials/oidc" not in [e["path"] for e in landing["endpoints"]]
    assert JWT not in landing["conformsTo"]
    assert "/credentials/oidc" not in anonymous.get("/openapi").json()["paths"]


def test_a_token_makes_an_account_and_leads_to_it_ever_after(believing, provider):
    token = token_of(provider, name="Ada L.", groups=["staff"])
    first = me(believing, f"oidc/here/{token}").json()
    assert first["user_id"].startswith("here~")
    assert (first["name"], first["roles"]) == ("Ada L.", ["admin", "user"])
    bare = me(believing, token).json()
    assert bare == first
    later = me(believing, token_of(provider, name="Ada K.", groups=[])).json()
    assert (later["user_id"], later["name"], later["roles"]) == (first["user_id"], "Ada K.", ["user"])
    assert me(believing, token_of(provider)).json()["name"] == "Ada K."


def test_a_name_is_asked_for_once(believing, provider):
    token = token_of(provider, sub="grace", groups=[])
    provider.people[token] = {"sub": "grace", "name": "Grace"}
    assert me(believing, token).json()["name"] == "Grace"


def test_an_account_of_a_provider_has_no_password(believing, provider):
    account = me(believing, token_of(provider)).json()["user_id"]
    with believing.client() as client:
        answer = client.get("/credentials/basic", auth=(account, ""))
        assert (answer.status_code, answer.json()["code"]) == (403, "CredentialsInvalid")


def test_passwords_go_on_working_beside_it(believing):
    with believing.client("ada") as client:
        assert client.get("/me").json()["user_id"] == "ada"
        token = client.headers["Authorization"].removeprefix("Bearer basic//")
    assert me(believing, token).json()["user_id"] == "ada"


@pytest.mark.parametrize(
    "bearer", ["oidc/elsewhere/{}", "oidc//{}", "oidc/here/", "oidc/here/opaque", "oidc/{}", "oidc", "saml/here/{}", "a.b.c", "jwt//{}"]
)  # fmt: skip
def test_what_is_no_token_is_refused(believing, provider, bearer):
    answer = me(believing, bearer.format(token_of(provider)))
    assert (answer.status_code, answer.json()["code"]) == (403, "TokenInvalid")


def test_an_expired_token_is_refused_and_not_told_again(believing, provider):
    token = token_of(provider, exp=time.time() - 100)
    answer = me(believing, f"oidc/here/{token}")
    assert (answer.status_code, answer.json()["code"]) == (403, "TokenInvalid")
    assert "expired" in answer.json()["message"]
    assert token not in answer.text


def test_a_provider_that_is_away_is_no_fault_of_the_user(serve_with):
    with fake_provider() as gone:
        away = {
            "id": "away",
            "issuer": gone.issuer,
            "title": "Away",
            "audiences": [CLIENT],
            "opaque_tokens": True,
        }
    server = serve_with(oidc=[away])
    answer = me(server, f"oidc/away/{token_of(gone)}")
    assert (answer.status_code, answer.json()["code"]) == (503, "InfrastructureBusy")
    assert int(answer.headers["retry-after"]) > 0
    with server.client() as client:
        assert client.get("/").status_code == 200
        assert JWT not in client.get("/conformance").json()["conformsTo"]


def test_nobody_is_told_both_ways_in(believing):
    with believing.client() as client:
        assert "/credentials/oidc" in client.get("/me").json()["message"]


# ------------------------------------------------------------------------------------------- without a login
@pytest.fixture(scope="module")
def open_to_all(serve_with):
    return serve_with(auth="anonymous")


def test_who_does_not_log_in_is_anonymous(open_to_all):
    graph = {"p": {"process_id": "add", "arguments": {"x": 1, "y": 2}, "result": True}}
    with open_to_all.client() as client:
        assert client.get("/me").json()["user_id"] == "anonymous"
        assert client.get("/me").json()["roles"] == ["anonymous"]
        made = client.post("/jobs", json={"process": {"process_graph": graph}})
        assert made.status_code == 201
        assert len(client.get("/jobs").json()["jobs"]) == 1
    with open_to_all.client("ada") as client:
        assert client.get("/me").json()["user_id"] == "ada"
        assert client.get("/jobs").json()["jobs"] == []


@pytest.mark.parametrize("bearer", ["basic//wrong", "/", "a.b.c"])
def test_who_shows_a_wrong_token_is_not_anonymous(open_to_all, bearer):
    assert me(open_to_all, bearer).status_code == 403


def test_a_login_is_optional_then(open_to_all):
    with open_to_all.client() as client:
        document = client.get("/openapi").json()
        page = client.get("/docs").text
    validate(document)
    assert document["paths"]["/me"]["get"]["security"] == [{}, {"Bearer": []}]
    assert document["paths"]["/credentials/basic"]["get"]["security"] == [{"Basic": []}]
    assert page.count("Needs a login.") == 1  # /credentials/basic


def test_the_way_to_a_login_needs_none(believing):
    with believing.client() as client:
        document = client.get("/openapi").json()
    validate(document)
    assert "security" not in document["paths"]["/credentials/oidc"]["get"]


def test_a_server_is_opened_to_all_only_when_it_is_said(tmp_path):
    for said, auth in ((True, "anonymous"), (False, "required")):
        with closing(served(Settings(home=tmp_path), None, demo=False, say=print, anonymous=said)) as backend:
            assert backend.settings.auth == auth


# ------------------------------------------------------------------------------------------- roles
def test_roles_are_given_and_kept_on_the_command_line(tmp_path, monkeypatch):
    monkeypatch.setenv("GDC_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    def gdc(*arguments):
        done = CliRunner().invoke(main, ["user", *arguments])
        assert done.exit_code == 0, done.output
        return done.stdout

    gdc("add", "ada", "--password", "x", "--role", "admin", "--role", "user", "--title", "Ada")
    gdc("add", "ada", "--password", "y")
    gdc("add", "bob", "--password", "x")
    assert gdc("list").splitlines() == ["ada  admin, user  Ada", "bob  user"]
    store = Store(Settings().database_url)
    assert store.users.get("ada").roles == {"admin", "user"}
    store.close()
