"""Signing in and out, the first person, one's own password."""

from __future__ import annotations

import re
from typing import cast

import pytest
from argon2 import PasswordHasher
from fastapi.testclient import TestClient
from httpx import Response

from engine.access.deeds import Deed
from engine.access.permissions import PEOPLES_ROLES, Role
from engine.access.principal import PersonId, Principal
from engine.runtime.engine import Engine
from engine.server.app import http_app
from engine.server.reception import COOKIE, ENCRYPTED_COOKIE, PageRules, Reception
from engine.store import hashing
from engine.store.accounts import Actor
from engine.store.house import House
from tests.server.doubles import EchoEngine

PASSWORD, OWN = "correct horse battery", {"Sec-Fetch-Site": "same-origin"}
CODE = "a-code-that-was-printed"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, "_ARGON", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def anna(house: House) -> Principal:
    anna = Principal(PersonId("anna"), frozenset({Role.DESIGNER}))
    house.accounts.add(Actor("shell:test"), anna, PASSWORD)
    return anna


@pytest.fixture
def clock() -> Clock:
    return Clock()


def browser(engine: EchoEngine, house: House, clock: Clock, rules: PageRules = PageRules()) -> TestClient:  # noqa: B008 -- frozen
    reception = Reception(house=house, rules=rules, first_code=CODE, clock=clock)
    scheme = "https" if rules.encrypted else "http"
    return TestClient(http_app(cast("Engine", engine), reception), f"{scheme}://bank", headers=OWN, follow_redirects=False)


@pytest.fixture
def client(engine: EchoEngine, house: House, clock: Clock) -> TestClient:
    return browser(engine, house, clock)


def signs_in(client: TestClient, name: str = "anna", password: str = PASSWORD, next: str = "/") -> Response:
    return client.post("/sign-in", data={"name": name, "password": password, "next": next})


def kept(house: House) -> list[tuple[str, str, str]]:
    return [(entry.who, entry.what, entry.subject) for entry, _ in house.trail.rows()][1:]


@pytest.mark.usefixtures("anna")
def test_who_signs_in_is_led_to_their_first_page_and_may_open_it(client: TestClient, house: House) -> None:
    answer = signs_in(client, " Anna ")
    cookie = answer.headers["set-cookie"]

    assert (answer.status_code, answer.headers["location"]) == (303, "/phone")
    assert re.fullmatch(rf"{COOKIE}=[\w-]{{43}}; HttpOnly; Path=/; SameSite=strict", cookie)
    assert client.get("/phone").status_code == 200
    assert kept(house) == [("anna", Deed.SIGNED_IN, "")]


@pytest.mark.usefixtures("anna")
def test_where_it_is_encrypted_the_cookie_says_so(engine: EchoEngine, house: House, clock: Clock) -> None:
    encrypted = browser(engine, house, clock, PageRules(loopback=False, encrypted=True))
    cookie = signs_in(encrypted).headers["set-cookie"]

    assert cookie.startswith(f"{ENCRYPTED_COOKIE}=")
    assert cookie.endswith("; HttpOnly; Path=/; SameSite=strict; Secure")
    assert encrypted.get("/phone").status_code == 200


@pytest.mark.usefixtures("anna")
def test_behind_a_proxy_that_encrypts_the_cookie_says_so_too(client: TestClient) -> None:
    answer = client.post(
        "/sign-in", data={"name": "anna", "password": PASSWORD}, headers={"Origin": "https://voice.bank.example"}
    )

    assert answer.headers["set-cookie"].startswith(f"{ENCRYPTED_COOKIE}=")


@pytest.mark.parametrize(
    ("name", "password", "subject"), [("anna", "wrong", "anna"), ("nobody", PASSWORD, ""), ("hunter2", "", ""), ("", "", "")]
)
@pytest.mark.usefixtures("anna")
def test_what_is_wrong_is_not_said_and_a_name_that_is_nobodys_is_not_kept(
    name: str, password: str, subject: str, client: TestClient, house: House
) -> None:
    answer = signs_in(client, name, password)

    assert (answer.status_code, "set-cookie" in answer.headers) == (401, False)
    assert "Name or password is wrong." in answer.text
    assert kept(house) == [("", Deed.SIGN_IN_REFUSED, subject)]


@pytest.mark.usefixtures("anna")
def test_guessing_is_slowed_and_a_password_is_not_looked_at_meanwhile(client: TestClient, clock: Clock) -> None:
    for _ in range(5):
        signs_in(client, password="wrong")
    slowed = signs_in(client)
    clock.now += 1.0
    later = signs_in(client)

    assert (slowed.status_code, slowed.headers["retry-after"], "Try again in 1 s." in slowed.text) == (429, "1", True)
    assert later.status_code == 303


@pytest.mark.usefixtures("anna")
def test_signing_out_ends_the_session_not_only_the_cookie(client: TestClient, house: House) -> None:
    signs_in(client)
    secret = client.cookies[COOKIE]
    answer = client.post("/sign-out")

    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert client.get("/phone").status_code == 401
    assert client.get("/phone", headers={"Cookie": f"{COOKIE}={secret}"}).status_code == 401
    assert kept(house)[-1] == ("anna", Deed.SIGNED_OUT, "")


@pytest.mark.usefixtures("anna")
def test_a_cookie_that_somebody_else_planted_is_worth_nothing_after_the_sign_in(client: TestClient) -> None:
    client.cookies.set(COOKIE, "planted-by-somebody-else")
    signs_in(client)

    assert client.get("/phone", headers={"Cookie": f"{COOKIE}=planted-by-somebody-else"}).status_code == 401


@pytest.mark.parametrize(
    "ahead", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "\x00/", "phone", ""]
)
@pytest.mark.usefixtures("anna")
def test_nobody_is_led_out_of_the_house(ahead: str, client: TestClient) -> None:
    assert signs_in(client, next=ahead).headers["location"] == "/phone"


@pytest.mark.usefixtures("anna")
def test_who_wanted_a_page_is_led_to_it(client: TestClient) -> None:
    assert signs_in(client, next="/password?x=1").headers["location"] == "/password?x=1"


def test_the_first_person_adds_themselves_with_the_code_that_was_printed(client: TestClient, house: House) -> None:
    shown = client.get("/first", params={"code": CODE})
    weak = client.post("/first", data={"code": CODE, "name": "olga", "password": "password1234"})
    wrong = client.post("/first", data={"code": CODE, "name": "o l g a", "password": PASSWORD})
    added = client.post("/first", data={"code": CODE, "name": "Olga", "password": PASSWORD})
    again = client.post("/first", data={"code": CODE, "name": "mallory", "password": PASSWORD})

    assert [it.status_code for it in (shown, weak, wrong, added, again)] == [200, 422, 422, 303, 403]
    assert [one.principal for one in house.accounts.people()] == [Principal(PersonId("olga"), PEOPLES_ROLES)]
    assert client.get("/phone").status_code == 200


@pytest.mark.parametrize("code", ["", "guessed", CODE + "x"])
def test_without_the_code_nobody_is_first(code: str, client: TestClient, house: House) -> None:
    assert client.get("/first", params={"code": code}).status_code == 403
    assert client.post("/first", data={"code": code, "name": "mallory", "password": PASSWORD}).status_code == 403
    assert house.accounts.none


def test_while_there_is_nobody_the_sign_in_says_how_to_add_somebody(client: TestClient) -> None:
    assert "callwright users add NAME" in client.get("/sign-in").text


@pytest.mark.usefixtures("anna")
def test_one_changes_ones_own_password_by_the_old_one_and_is_signed_out_elsewhere(
    client: TestClient, house: House, engine: EchoEngine, clock: Clock
) -> None:
    elsewhere = browser(engine, house, clock)
    signs_in(elsewhere)
    signs_in(client)

    def changes(old: str, new: str, again: str) -> int:
        return client.post("/password", data={"old": old, "new": new, "again": again}).status_code

    assert changes("wrong", "another horse battery", "another horse battery") == 422
    assert changes(PASSWORD, "another horse battery", "another horse batter") == 422
    assert changes(PASSWORD, "short", "short") == 422
    assert changes(PASSWORD, "another horse battery", "another horse battery") == 303
    assert client.get("/phone").status_code == 200
    assert elsewhere.get("/phone").status_code == 401
    assert house.accounts.recognise("anna", "another horse battery") is not None


@pytest.mark.parametrize("language", ["en", "ru", "zh"])
@pytest.mark.usefixtures("anna")
def test_pages_speak_the_chosen_language(language: str, client: TestClient) -> None:
    chosen = client.post("/language", data={"language": language, "next": "/sign-in"})
    title = {"en": "Sign in", "ru": "Вход", "zh": "登录"}[language]

    assert chosen.headers["location"] == "/sign-in"
    assert f"<title>{title} · Callwright</title>" in client.get("/sign-in").text


def test_a_language_that_is_none_is_not_kept(client: TestClient) -> None:
    assert "set-cookie" not in client.post("/language", data={"language": "<script>", "next": "/"}).headers


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"name=a&name=b", "application/x-www-form-urlencoded", 422), (b"{}", "application/json", 415), (b"x" * 70_000, "application/x-www-form-urlencoded", 413),
        (b"\xff=%ff", "application/x-www-form-urlencoded", 422), (b"&".join(b"a%d=" % n for n in range(300)), "application/x-www-form-urlencoded", 422),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("anna")
def test_what_is_no_form_is_refused(content: bytes, kind: str, status: int, client: TestClient) -> None:
    assert client.post("/sign-in", content=content, headers={"Content-Type": kind}).status_code == status


@pytest.mark.usefixtures("anna")
def test_what_somebody_writes_is_shown_as_text(client: TestClient) -> None:
    hostile = '"><script>alert(1)</script>'
    ahead = client.get("/sign-in", params={"next": f"/{hostile}"}).text
    first = client.get("/nothing/" + hostile, headers={"Accept": "text/html"}).text

    assert "<script>alert" not in ahead + first
    assert "&lt;script&gt;" in ahead
