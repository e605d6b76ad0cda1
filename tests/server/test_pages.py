"""What is served over HTTP beside calls."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import cast

import pytest
from fastapi.testclient import TestClient

from engine.runtime.engine import Engine
from engine.server.app import http_app
from engine.server.reception import Reception
from tests.server.doubles import EchoEngine, house_at


@pytest.fixture
def engine() -> EchoEngine:
    return EchoEngine()


@pytest.fixture
def client(engine: EchoEngine) -> Iterator[TestClient]:
    with house_at(engine.config.store.database) as house:
        app = http_app(cast("Engine", engine), Reception(house=house))
        with TestClient(app, headers=engine.signed_in()) as client:
            yield client


def test_it_says_that_it_is_alive(client: TestClient) -> None:
    assert client.get("/healthz").text == "alive"


def test_it_is_ready_when_every_part_is(client: TestClient) -> None:
    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["ready"]) == (200, True)


def test_a_part_that_is_not_ready_is_named_and_the_status_says_unavailable(client: TestClient, engine: EchoEngine) -> None:
    engine.ready["workers.moonshine"] = False
    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "parts": {"journal": True, "workers.moonshine": False}}


def test_metrics_are_in_prometheus_form(client: TestClient) -> None:
    answer = client.get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "callwright_calls_live 0.0" in answer.text.splitlines()


def test_the_root_leads_to_the_first_page_that_is_open(client: TestClient) -> None:
    assert client.get("/", follow_redirects=False).headers["location"] == "/calls"


@pytest.mark.parametrize("path", ["/phone", "/sign-in", "/password", "/static/phone.js", "/static/phone.css"])
def test_nothing_may_be_loaded_from_elsewhere_or_framed(client: TestClient, path: str) -> None:
    answer = client.get(path)
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))

    assert answer.status_code == 200
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"


class _Links(HTMLParser):
    """Collects what a page refers to, and what its own policy would forbid."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name in {"src", "href"}:
                self.found.append(value or "")
            if name == "style" or name.startswith("on"):
                self.inline.append(f"{tag} {name}")


@pytest.mark.parametrize(
    "path",
    [
        "/phone",
        "/sign-in",
        "/password",
        "/live",
        "/flow",
        "/campaigns",
        "/settings",
        "/settings/audit",
        "/settings/keeping",
        "/settings/house",
    ],
)
def test_everything_a_page_needs_is_served_from_here(path: str, client: TestClient) -> None:
    links = _Links()
    links.feed(client.get(path).text)

    assert links.found
    assert links.inline == []
    for link in links.found:
        assert link.startswith(("/", "#", "data:")), link
        assert not link.startswith("/") or client.get(link, follow_redirects=False).status_code in {200, 303}, link


def test_the_page_knows_the_flows_languages(client: TestClient) -> None:
    assert '<option value="en">English</option>' in client.get("/phone").text


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e%2fapp.py",
        "/static/..%5capp.py",
        "/static/..%2f..%2fserver%2fpages%2fphone.js",
        "/static/%2fetc%2fpasswd",
        "/static/phone.html",
        "/static/nothing.js",
        "/static/.js",
    ],
)
def test_no_other_file_is_served(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_there_is_no_page_that_describes_the_service_to_strangers(client: TestClient) -> None:
    assert [client.get(path).status_code for path in ("/docs", "/redoc", "/openapi.json")] == [404, 404, 404]
