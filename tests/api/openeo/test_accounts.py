"""Logging in, and what is refused."""

from __future__ import annotations

import pytest


def test_a_login_leads_to_its_user(ada, bob):
    assert ada.get("/me").json()["user_id"] == "ada"
    assert bob.get("/openeo/1.2/me").json()["user_id"] == "bob"


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        (None, 401, "AuthenticationRequired"),
        ("Basic YWRhOmFkYQ==", 403, "AuthenticationSchemeInvalid"),
        ("Digest x", 403, "AuthenticationSchemeInvalid"),
        ("Bearer basic//wrong", 403, "TokenInvalid"),
        ("Bearer basic//", 403, "TokenInvalid"),
        ("Bearer oidc/nobody/abc", 403, "TokenInvalid"),
        ("Bearer basic/x/abc", 403, "TokenInvalid"),
        ("Bearer", 403, "TokenInvalid"),
    ],
)
def test_bad_tokens_are_refused(anonymous, given, status, code):
    headers = {} if given is None else {"Authorization": given}
    answer = anonymous.get("/me", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (None, 401),
        ("Bearer basic//x", 401),
        ("Basic !!!", 403),
        ("Basic YWRh", 403),  # no colon
        ("Basic YWRhOmJvYg==", 403),  # ada:bob
        ("Basic ZXZlOmV2ZQ==", 403),  # eve:eve
        ("Basic /////w==", 403),
    ],
)
def test_bad_credentials_are_refused(anonymous, given, status):
    headers = {} if given is None else {"Authorization": given}
    assert anonymous.get("/credentials/basic", headers=headers).status_code == status


def test_a_token_works_with_and_without_its_prefix(anonymous):
    token = anonymous.get("/credentials/basic", auth=("ada", "ada")).json()["access_token"]
    for text in (f"Bearer basic//{token}", f"bearer {token}"):
        assert anonymous.get("/me", headers={"Authorization": text}).status_code == 200
