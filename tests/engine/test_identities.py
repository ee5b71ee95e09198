"""Whose tokens are believed: each way of forging one is tried, and what the provider is asked is counted."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from engine import Problem, Settings
from engine.identity import Identity
from engine.identity.identities import egress_to
from engine.identity.issuer import AWAY, FRESH, HELD, KNOWN, PAUSE
from engine.store.users import NAME
from identity_provider import CLIENT, KEYS, KEYSETS, NOW, USERINFO, Clock, fake_provider, public


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def there():
    with fake_provider() as provider:
        yield provider


def code_of(action):
    """The code of the problem that this meets."""
    with pytest.raises(Problem) as met:
        action()
    return met.value.code


def coded(value):
    """A part of a token."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


# ------------------------------------------------------------------------------------------- good tokens
@pytest.mark.parametrize(
    ("kid", "algorithm"),
    [("r1", "RS256"), ("r1", "PS384"), ("e1", "ES256"), ("o1", "Ed25519")],
)
def test_each_kind_of_signature_is_believed(there, clock, kid, algorithm):
    there.listed = [public(kid) for kid in KEYS]
    who = there.identities(clock).of("here", there.token(kid, algorithm))
    assert who.claims["sub"] == "ada@there"
    assert NAME.fullmatch(who.account)


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": [CLIENT, "other"]},
        {"aud": "account", "azp": CLIENT},
        {"aud": None, "client_id": CLIENT},
        {"exp": NOW - 59},
        {"nbf": NOW + 59},
    ],
)
def test_what_providers_write_differently_is_understood(there, clock, claims):
    assert there.identities(clock).of("here", there.token(**claims)).claims["sub"] == "ada@there"


@pytest.mark.parametrize(
    "header", [{"typ": "at+jwt"}, {"typ": "application/at+JWT"}, {"kid": None}, {"x": 1}]
)
def test_headers_may_say_more_or_less(there, clock, header):
    there.listed = [public("r2"), public("r1")]
    assert there.identities(clock).of("here", there.token(header=header))


def test_a_token_without_a_prefix_names_its_provider(there, clock):
    identities = there.identities(clock)
    assert identities.of_jwt(there.token()).provider.id == "here"
    assert code_of(lambda: identities.of_jwt(there.token(iss="http://127.0.0.1:1"))) == "TokenInvalid"


# ------------------------------------------------------------------------------------------- bad tokens
@pytest.mark.parametrize(
    "claims",
    [
        {"exp": NOW - 61},
        {"exp": None},
        {"exp": "2099"},
        {"exp": True},
        {"nbf": NOW + 61},
        {"aud": "other"},
        {"aud": None},
        {"aud": {"client": 1}},
        {"iss": "http://127.0.0.1:1"},
        {"iss": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"events": {}},
    ],
)
def test_claims_that_are_not_right_are_refused(there, clock, claims):
    identities = there.identities(clock)
    assert code_of(lambda: identities.of("here", there.token(**claims))) == "TokenInvalid"


def test_a_token_without_a_signature_is_refused(there, clock):
    claims = there.token().split(".")[1]
    for algorithm in ("none", "None", "", None, 7, ["RS256"], {"RS256": 1}):
        for signature in ("", there.token().split(".")[2]):
            token = f"{coded({'alg': algorithm, 'kid': 'r1'})}.{claims}.{signature}"
            assert code_of(lambda token=token: there.identities(clock).of("here", token)) == "TokenInvalid"


def test_a_public_key_is_no_shared_secret(there, clock):
    signed = f"{coded({'alg': 'HS256', 'kid': 'r1'})}.{there.token().split('.')[1]}"
    for secret in (KEYS["r1"].as_pem(private=False), json.dumps(public("r1")).encode()):
        mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
        token = f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
        assert code_of(lambda token=token: there.identities(clock).of("here", token)) == "TokenInvalid"
    assert there.count(KEYSETS) == 0


def test_the_key_is_the_providers_and_not_the_tokens(there, clock):
    """A key that the header brings along is not looked at."""
    own = {"kid": "r1", "jwk": public("r2"), "jku": "http://127.0.0.1:1/keys"}
    forged = there.token("r2", header=own)
    assert code_of(lambda: there.identities(clock).of("here", forged)) == "TokenInvalid"
    assert code_of(lambda: there.identities(clock).of("here", there.token(header={"typ": "logout+jwt"})))


def test_what_is_changed_after_signing_is_refused(there, clock):
    head, claims, signature = there.token().split(".")
    other = there.token(sub="eve").split(".")[1]
    for token in (f"{head}.{other}.{signature}", f"{head}.{claims}.{signature[:-8]}", f"{head}.{claims}."):
        assert code_of(lambda token=token: there.identities(clock).of("here", token)) == "TokenInvalid"


@pytest.mark.parametrize(
    "token",
    ["", "..", "a.b.c", "x", "é.é.é", "a" * 20_000, f"{coded({'alg': 'RS256'})}.{'x' * 20_000}.x",
     f"{base64.urlsafe_b64encode(b'[' * 9000).decode()}.a.b", f"{coded({'alg': 'RS256', 'kid': ['r1']})}.e30.e30",
     f"{coded({'alg': 'RS256', 'crit': ['b64'], 'b64': False})}.e30.e30"],
)  # fmt: skip
def test_rubbish_is_refused(there, clock, token):
    identities = there.identities(clock)
    assert code_of(lambda: identities.of("here", token)) == "TokenInvalid"
    assert code_of(lambda: identities.of_jwt(token)) == "TokenInvalid"


def test_keys_that_prove_nothing_are_passed_over(there, clock):
    weak = {"kty": "RSA", "kid": "r1", "e": "AQAB", "n": base64.urlsafe_b64encode(b"\xff" * 128).decode()}
    shared = {"kty": "oct", "k": "c2VjcmV0", "kid": "r1"}
    for listed in ([weak], [shared], [{**public("r1"), "use": "enc"}], [{**public("r1"), "alg": "RS512"}],
                   [None, 7, {}, {"kty": "RSA"}, {"kty": "RSA", "n": "!", "e": 3}, {"kty": ["RSA"]}], {"a": 1}):  # fmt: skip
        there.listed = listed
        assert code_of(lambda: there.identities(clock).of("here", there.token())) == "TokenInvalid"


def test_an_unknown_provider_is_refused_and_the_known_ones_are_named(there, clock):
    with pytest.raises(Problem, match="Known are: here") as met:
        there.identities(clock).of("elsewhere", there.token())
    assert met.value.code == "TokenInvalid"


# ------------------------------------------------------------------------------------------- keys over time
def test_keys_are_fetched_once(there, clock):
    identities = there.identities(clock)
    with ThreadPoolExecutor(8) as threads:
        assert len(list(threads.map(lambda _: identities.of("here", there.token()), range(32)))) == 32
    assert there.count(KEYSETS) == 1
    clock.now += FRESH
    identities.of("here", there.token(exp=clock.now + 60))
    assert there.count(KEYSETS) == 2


def test_a_new_key_is_found_and_one_that_is_gone_is_forgotten(there, clock):
    identities = there.identities(clock)
    identities.of("here", there.token())
    there.listed = [public("r2")]
    clock.now += PAUSE
    assert identities.of("here", there.token("r2"))
    assert there.count(KEYSETS) == 2
    assert code_of(lambda: identities.of("here", there.token())) == "TokenInvalid"


def test_forged_key_names_do_not_hammer_the_provider(there, clock):
    identities = there.identities(clock)
    identities.of("here", there.token())
    clock.now += PAUSE
    with ThreadPoolExecutor(8) as threads:
        forged = [there.token("r2", header={"kid": f"forged-{i}"}) for i in range(40)]
        codes = list(threads.map(lambda token: code_of(lambda: identities.of("here", token)), forged))
    assert set(codes) == {"TokenInvalid"}
    assert there.count(KEYSETS) == 2
    assert identities.of("here", there.token())


# ------------------------------------------------------------------------------------------- a provider that is away
def test_a_provider_that_is_away_is_said_and_left_alone_for_a_moment(there, clock):
    identities = there.identities(clock)
    there.status = 500
    for _ in range(5):
        assert code_of(lambda: identities.of("here", there.token())) == "InfrastructureBusy"
    assert len(there.site.asked) == 1
    there.status = 200
    clock.now += AWAY
    assert identities.of("here", there.token())


def test_nobody_listens_there(there, clock):
    with fake_provider() as gone:
        pass
    with pytest.raises(Problem, match="'here' cannot be asked") as met:
        gone.identities(clock).of("here", gone.token())
    assert met.value.code == "InfrastructureBusy"


def test_known_keys_go_on_for_a_while_when_the_provider_is_away(there, clock):
    identities = there.identities(clock)
    identities.of("here", there.token())
    there.status = 503
    clock.now = NOW + HELD - 1
    assert identities.of("here", there.token(exp=NOW + 2 * HELD))
    assert code_of(lambda: identities.of("here", there.token("r2"))) == "InfrastructureBusy"
    clock.now = NOW + HELD + AWAY
    assert code_of(lambda: identities.of("here", there.token(exp=NOW + 2 * HELD))) == "InfrastructureBusy"


@pytest.mark.parametrize(
    "document",
    [{"issuer": "http://127.0.0.1:1"}, {"issuer": None}, {"jwks_uri": None}, {"jwks_uri": 7}, {"jwks_uri": "file:///etc/passwd"},
     {"jwks_uri": "http://localhost:1/keys"}],
)  # fmt: skip
def test_a_discovery_document_that_is_not_right_is_not_used(there, clock, document):
    there.document = document
    assert code_of(lambda: there.identities(clock).of("here", there.token())) == "InfrastructureBusy"


# ------------------------------------------------------------------------------------------- opaque tokens
def test_an_opaque_token_is_asked_about_once_in_a_while(there, clock):
    there.people["opaque/1"] = {"sub": "ada@there", "name": "Ada"}
    identities = there.identities(clock, opaque_tokens=True)
    assert [identities.of("here", "opaque/1").name for _ in range(3)] == ["Ada"] * 3
    assert there.count(USERINFO) == 1
    clock.now += KNOWN
    del there.people["opaque/1"]
    for _ in range(3):
        assert code_of(lambda: identities.of("here", "opaque/1")) == "TokenInvalid"
    assert there.count(USERINFO) == 2


def test_an_opaque_token_and_a_jwt_of_the_same_person_lead_to_the_same_account(there, clock):
    there.people["opaque"] = {"sub": "ada@there"}
    identities = there.identities(clock, opaque_tokens=True)
    assert identities.of("here", "opaque").account == identities.of("here", there.token()).account


def test_opaque_tokens_are_taken_only_where_the_operator_says_so(there, clock):
    there.people["opaque"] = {"sub": "ada@there"}
    assert code_of(lambda: there.identities(clock).of("here", "opaque")) == "TokenInvalid"
    assert there.count(USERINFO) == 0


def test_what_the_provider_says_of_an_opaque_token_has_to_make_sense(there, clock):
    there.people |= {"nobody": {"name": "x"}, "list": []}
    identities = there.identities(clock, opaque_tokens=True)
    assert code_of(lambda: identities.of("here", "nobody")) == "TokenInvalid"
    assert code_of(lambda: identities.of("here", "list")) == "InfrastructureBusy"


# ------------------------------------------------------------------------------------------- accounts and roles
def test_each_person_of_each_issuer_has_an_account_of_their_own(there, clock):
    with fake_provider() as other:
        tokens = [(p, p.token(sub=sub)) for p in (there, other) for sub in ("a/b", "a b", "../x", "é" * 200)]
        accounts = {p.identities(clock).of("here", token).account for p, token in tokens}
    assert len(accounts) == 8
    assert all(NAME.fullmatch(account) and account.startswith("here~") for account in accounts)


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"name": "Ada L.", "email": "a@b"}, "Ada L."),
        ({"name": " ", "preferred_username": "ada"}, "ada"),
        ({"name": 7, "email": "a@b"}, "a@b"),
        ({"name": "a\x00b\ud800\nc"}, "abc"),
        ({"name": "a" * 300}, "a" * 200),
        ({}, ""),
    ],
)
def test_a_name_for_people(claims, name):
    (provider,) = Settings(oidc=(GOOD,)).oidc
    assert Identity(provider, {"sub": "ada", **claims}).name == name


@pytest.mark.parametrize(
    ("claims", "roles"),
    [
        ({"realm_access": {"roles": ["staff", "other"]}}, {"admin"}),
        ({"realm_access": {"roles": "other staff"}}, {"admin"}),
        ({"realm_access.roles": ["staff"]}, {"admin"}),
        ({"realm_access": {"roles": ["admin", 7, None]}}, set()),
        ({"realm_access": ["staff"]}, set()),
        ({"realm_access": {"roles": {"staff": 1}}}, set()),
        ({}, set()),
    ],
)
def test_roles_come_from_the_claim_that_is_named(there, clock, claims, roles):
    identities = there.identities(clock, roles_claim="realm_access.roles", roles={"staff": "admin"})
    assert identities.of("here", there.token(**claims)).roles == roles


def test_roles_that_the_token_does_not_tell_are_asked_for(there, clock):
    identities = there.identities(clock, roles_claim="groups", roles={"staff": "admin"})
    lonely, token, others = there.token(jti="1"), there.token(jti="2"), there.token(jti="3")
    there.people[token] = {"sub": "ada@there", "groups": ["staff"], "name": "Ada"}
    there.people[others] = {"sub": "eve@there", "groups": ["staff"]}
    assert identities.of("here", token).roles == {"admin"}
    assert identities.of("here", others).roles == set()
    assert identities.of("here", lonely).roles == set()


def test_only_those_of_a_group_are_let_in(there, clock):
    identities = there.identities(clock, roles_claim="groups", required=["members"])
    assert identities.of("here", there.token(groups=["members"]))
    assert code_of(lambda: identities.of("here", there.token(groups=["guests"]))) == "PermissionsInsufficient"
    assert code_of(lambda: identities.of("here", there.token())) == "PermissionsInsufficient"


# ------------------------------------------------------------------------------------------- how it is set up
GOOD = {"id": "here", "issuer": "https://id.example.org", "title": "Here", "audiences": ["client"]}


@pytest.mark.parametrize(
    "change",
    [
        {"id": "a b"},
        {"id": "é"},
        {"id": "x" * 21},
        {"id": "here\n"},
        {"issuer": "http://id.example.org"},
        {"issuer": "https://id.example.org?x=1"},
        {"issuer": "https://me@id.example.org"},
        {"issuer": "https://id.example.org:x"},
        {"issuer": "id.example.org"},
        {"audiences": []},
        {"scopes": ["email"]},
        {"required": ["members"]},
        {"secret": "x"},
        {"default_clients": [{"id": "x", "grant_types": ["password"]}]},
    ],
)
def test_a_provider_that_is_set_up_wrong_stops_the_server(change):
    with pytest.raises(ValueError, match="oidc"):
        Settings(oidc=({**GOOD, **change},))


@pytest.mark.parametrize(
    "issuer", ["http://127.0.0.1:1", "http://[::1]:1", "http://10.1.2.3", "http://keycloak:8080/realms/x"]
)
def test_in_the_own_network_it_goes_without_https(issuer):
    (provider,) = Settings(oidc=({**GOOD, "issuer": issuer},)).oidc
    assert egress_to(provider, Settings(private_hosts="deny")).policy(issuer)


def test_providers_are_told_apart(monkeypatch):
    with pytest.raises(ValueError, match="the same"):
        Settings(oidc=(GOOD, {**GOOD, "id": "there"}))
    monkeypatch.setenv("GDC_OIDC", json.dumps([GOOD]))
    assert Settings().oidc[0].accepted == {"client"}
