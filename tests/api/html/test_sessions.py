"""People log in by a page, see what is theirs, and change nothing by that."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from requests_of_users import SUM, run, wrapped

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.fixture
def person(served):
    """A browser, in which nobody is logged in."""
    with httpx.Client(
        base_url=served.url, timeout=60, headers={"Accept": BROWSER}, event_hooks={"response": served.hooks}
    ) as client:
        yield client


def log_in(client: httpx.Client, name: str, **more: str) -> httpx.Response:
    return client.post("/login", data={"name": name, "password": name, **more})


@pytest.fixture(scope="module")
def job(ada):
    made = run(ada, SUM, title="Sums & more")
    yield made
    ada.delete(f"/jobs/{made}")


def test_who_is_not_logged_in_is_led_to_the_form_and_back(person, job):
    refused = person.get("/jobs?limit=5")
    assert refused.status_code == 401
    (place,) = re.findall(r'href="([^"]+)">Log in</a></p>', refused.text)
    form = person.get(place.replace("&amp;", "&"))
    (target,) = re.findall(r'name="next" value="([^"]+)"', form.text)
    answer = log_in(person, "ada", next=target)
    assert (answer.status_code, urlsplit(answer.headers["location"]).path) == (303, "/jobs")
    assert parse_qs(urlsplit(answer.headers["location"]).query) == {"limit": ["5"]}
    page = person.get(answer.headers["location"])
    assert page.status_code == 200
    assert "Sums &amp; more" in page.text
    assert page.headers["cache-control"] == "private"
    assert "Cookie" in page.headers["vary"]


def test_programs_are_still_asked_for_a_token(anonymous):
    answer = anonymous.get("/jobs")
    assert (answer.status_code, answer.json()["code"]) == (401, "AuthenticationRequired")
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_the_page_of_a_job_leads_to_its_results(person, job):
    log_in(person, "ada")
    page = person.get(f"/jobs/{job}")
    assert "finished" in page.text
    (place,) = re.findall(r'<th scope="row"><a href="([^"]+)"', page.text)
    assert httpx.get(place).text.strip() == "3"
    told = person.get(f"/jobs/{job}", params={"f": "json"}).json()
    assert told["id"] == job


def test_an_execution_is_a_page_at_both_faces(ada, person):
    asked = {"Prefer": "respond-async"}
    made = ada.post("/processes/echo/execution", json={"inputs": {"string": "five"}}, headers=asked)
    id_ = made.raise_for_status().json()["jobID"]
    log_in(person, "ada")
    for face in ("", "/ogc"):
        assert "echo" in person.get(f"{face}/jobs").text
        assert f"<code>{id_}</code>" in person.get(f"{face}/jobs/{id_}").text
    ada.delete(f"/ogc/jobs/{id_}")


def test_others_do_not_see_it(person, job):
    log_in(person, "bob")
    assert job not in person.get("/jobs").text
    assert person.get(f"/jobs/{job}").status_code == 404


def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(person):
    cookie = log_in(person, "ada").headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "secure" not in cookie  # the server is reached by http here


def test_over_https_the_cookie_goes_by_https_alone(serve_with):
    served = serve_with(public_url="https://cubes.example.org/gdc")
    answer = httpx.post(f"{served.url}/login", data={"name": "ada", "password": "ada", "next": "/jobs"})
    assert "secure" in answer.headers["set-cookie"].lower()
    assert answer.headers["location"] == "https://cubes.example.org/gdc/jobs"


def test_wrong_passwords_are_told_and_give_nothing(person):
    answer = person.post("/login", data={"name": "ada", "password": "wrong"})
    assert answer.status_code == 403
    assert 'role="alert"' in answer.text
    assert "set-cookie" not in answer.headers
    assert person.post("/login", data={}).status_code == 403
    assert person.post("/login", content=b"x" * 10_000).status_code == 413


def test_a_login_of_a_browser_changes_nothing(person, job):
    log_in(person, "ada")
    assert person.delete(f"/jobs/{job}").status_code == 401
    assert person.post("/result", json=wrapped(SUM)).status_code == 401
    assert person.put("/files/a.txt", content=b"a").status_code == 401
    assert person.get(f"/jobs/{job}").status_code == 200


@pytest.mark.parametrize(
    "place", ["//evil.example", "https://evil.example/", "/\\evil.example", "jobs", "", "/a\r\nb"]
)
def test_nobody_is_led_to_other_sites(person, place):
    answer = log_in(person, "ada", next=place)
    assert urlsplit(answer.headers["location"]).path == "/jobs"
    assert answer.headers["location"].startswith(str(person.base_url).rstrip("/"))


def test_forms_of_other_sites_are_refused(person):
    answer = person.post(
        "/login", data={"name": "ada", "password": "ada"}, headers={"Origin": "https://evil.example"}
    )
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    own = str(person.base_url).rstrip("/")
    assert (
        person.post("/login", data={"name": "ada", "password": "ada"}, headers={"Origin": own}).status_code
        == 303
    )


def test_after_the_logout_the_token_holds_no_longer(person):
    log_in(person, "ada")
    token = person.cookies["gdc_session"]
    assert "Log ada out" in person.get("/").text
    assert person.post("/logout").status_code == 303
    assert "gdc_session" not in person.cookies
    assert "Log in" in person.get("/").text
    assert person.get("/jobs", headers={"Cookie": f"gdc_session={token}"}).status_code == 401
    assert person.get("/me", headers={"Authorization": f"Bearer basic//{token}"}).status_code == 403


def test_an_old_cookie_does_not_close_what_is_open(person):
    assert person.get("/collections", headers={"Cookie": "gdc_session=old"}).status_code == 200
    assert person.get("/jobs", headers={"Cookie": "gdc_session=old"}).status_code == 401
