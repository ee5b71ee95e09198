"""What a person does in a browser to log in at the provider of the tests: two pages, and the way back with a code."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

BACK = "http://127.0.0.1:9/back"
"""Where the provider sends the browser in the end; nobody listens there."""
PAGES = 20


def logged_in(issuer: str, client: str, name: str, scope: str, **more: str) -> dict[str, Any]:
    """The tokens of somebody who logs in (authorization code with PKCE)."""
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    wish = {
        "client_id": client, "response_type": "code", "redirect_uri": BACK, "scope": scope, "state": "here",
        "code_challenge": challenge, "code_challenge_method": "S256", "prompt": "consent",
    }  # fmt: skip
    with httpx.Client(base_url=issuer) as browser:
        places = browser.get("/.well-known/openid-configuration").json()
        answer = browser.get(places["authorization_endpoint"], params={**wish, **more})
        code = walked(browser, answer, name)
        asked = {"grant_type": "authorization_code", "client_id": client, "code": code, "redirect_uri": BACK}
        answer = browser.post(places["token_endpoint"], data={**asked, "code_verifier": verifier, **more})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


def walked(browser: httpx.Client, answer: httpx.Response, name: str) -> str:
    """Follow the pages up to the code, and fill in what they ask."""
    for _ in range(PAGES):
        if answer.has_redirect_location:
            target = str(answer.url.join(answer.headers["location"]))
            if target.startswith(BACK):
                query = parse_qs(urlsplit(target).query)
                assert "code" in query, query
                return query["code"][0]
            answer = browser.get(target)
            continue
        form = re.search(r'<form[^>]* action="([^"]+)"', answer.text)
        prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
        assert form is not None, answer.text
        assert prompt is not None, answer.text
        filled = {"prompt": prompt[1]} | ({"login": name, "password": "any"} if prompt[1] == "login" else {})
        answer = browser.post(form[1], data=filled)
    raise AssertionError("the provider leads nowhere")
