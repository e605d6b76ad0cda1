"""Signing in at the bank's own issuer: a real small one, on loopback; what is not right opens nothing."""

from __future__ import annotations

import hmac
import json
import socket
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi.testclient import TestClient
from pydantic import ValidationError

from engine.access.permissions import Role
from engine.config import HttpDoor
from engine.config.oidc import OidcSection
from engine.core.errors import ConfigError
from engine.runtime.engine import Engine
from engine.server.app import http_app
from engine.server.oidc import issuer_of
from engine.server.reception import COOKIE, Reception
from engine.store.accounts import Actor
from engine.store.house import House
from tests.server.doubles import EchoEngine, add_person, house_at, opened
from tests.server.small_issuer import CLIENT, SECRET, SmallIssuer, small_issuer
from tests.server.test_desk_page import chromium

PAGES_AT = "http://localhost:8080"
BROWSER = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}


@pytest.fixture
def issuer() -> Iterator[SmallIssuer]:
    with small_issuer() as found:
        yield found


def section(issuer: SmallIssuer, folder: Path, /, **other: Any) -> OidcSection:
    secret = folder / "secret"
    secret.write_text(SECRET)
    settings: dict[str, Any] = {
        "issuer": issuer.address, "client_id": CLIENT, "client_secret_file": secret, "address": PAGES_AT,
        "roles": {"cw-quality": ["qa_lead"], "cw-desk": ["silent_agent"]},
    }  # fmt: skip
    return OidcSection.model_validate({**settings, **other})


@pytest.fixture
def house() -> Iterator[House]:
    engine = EchoEngine()
    with house_at(engine.config.store.database) as house:
        yield house


@pytest.fixture
def client(issuer: SmallIssuer, house: House, tmp_path: Path) -> Iterator[TestClient]:
    with browser(section(issuer, tmp_path), house) as found:
        yield found


def browser(oidc: OidcSection, house: House) -> TestClient:
    reception = Reception(house=house)
    reception.issuer = issuer_of(oidc)
    app = http_app(cast("Engine", EchoEngine()), reception)
    return TestClient(app, "http://localhost:8080", headers=BROWSER, follow_redirects=False)


def sent_back(client: TestClient, ahead: str = "/") -> str:
    """The address that the issuer sends the browser back to."""
    led = client.get("/sign-in/oidc", params={"next": ahead})
    assert led.status_code == 303, led.text
    return httpx.get(led.headers["location"]).headers["location"]


def told(house: House) -> list[tuple[str, str, str, Any]]:
    return [(it.who, it.what, it.subject, json.loads(it.details)) for it, _ in house.trail.rows()]


def test_somebody_with_a_role_by_the_map_is_let_in_and_kept(client: TestClient, house: House) -> None:
    offered = client.get("/sign-in").text
    answer = client.get(sent_back(client, "/calls?q=card"))
    page = client.get("/calls")

    assert "/sign-in/oidc" in offered
    assert answer.status_code == 200
    assert 'url=/calls?q=card"' in answer.text
    assert page.status_code == 200
    assert client.get("/settings").status_code == 403
    assert told(house) == [
        ("oidc", "person.added", "mei", {"roles": ["qa_lead"], "teams": []}), ("mei", "signed_in", "", {}),
        ("mei", "refused", "GET /settings", {"permission": "people.manage"}),
    ]  # fmt: skip


def test_what_is_asked_of_the_issuer_is_new_each_time_and_bound_to_the_code(client: TestClient) -> None:
    asked = [dict(parse_qsl(urlsplit(client.get("/sign-in/oidc").headers["location"]).query)) for _ in range(2)]

    assert asked[0]["code_challenge_method"] == "S256"
    assert asked[0]["response_type"] == "code"
    for name in ("state", "nonce", "code_challenge"):
        assert asked[0][name] != asked[1][name]
        assert len(asked[0][name]) >= 43


def test_roles_are_the_issuers_at_each_sign_in(client: TestClient, house: House, issuer: SmallIssuer) -> None:
    client.get(sent_back(client))
    issuer.claims["groups"] = "cw-desk"
    issuer.claims["preferred_username"] = "mei.renamed"
    client.get(sent_back(client))

    assert [it.principal.roles for it in house.accounts.people()] == [frozenset({Role.SILENT_AGENT})]
    assert [it.principal.id for it in house.accounts.people()] == ["mei"]
    assert ("oidc", "person.roles_changed", "mei", {"roles": ["silent_agent"], "teams": []}) in told(house)
    for change in (
        lambda: house.accounts.set_password(Actor("olga"), "mei", "correct horse battery"),
        lambda: house.accounts.change(Actor("olga"), "mei", roles=[Role.SECURITY_OFFICER]),
    ):
        with pytest.raises(ConfigError):
            change()
    assert house.accounts.recognise("mei", house.accounts.people()[0].principal.id) is None


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        ({"aud": "another"}, "token"), ({"aud": [CLIENT, "another"]}, "token"), ({"aud": [CLIENT, "b"], "azp": "b"}, "token"),
        ({"iss": "https://login.evil.example"}, "token"), ({"exp": 1_000_000_000}, "token"), ({"exp": None}, "token"),
        ({"iat": int(time.time()) + 3_600}, "token"), ({"nonce": "another"}, "token"), ({"nonce": None}, "token"),
        ({"sub": None}, "token"), ({"groups": []}, "roles"), ({"groups": None}, "roles"), ({"groups": {"cw-quality": 1}}, "roles"),
        ({"groups": ["cw-quality-not"]}, "roles"), ({"preferred_username": None}, "name"), ({"preferred_username": "ольга"}, "name"),
        ({"preferred_username": "a" * 65}, "name"), ({"preferred_username": "taken"}, "name"),
    ],
)  # fmt: skip
def test_a_token_that_is_not_right_opens_nothing(
    spoil: dict[str, Any], fault: str, client: TestClient, house: House, issuer: SmallIssuer
) -> None:
    add_person(str(house.trail.database.url), "taken", [Role.SUPERVISOR])
    issuer.spoil = spoil
    answer = client.get(sent_back(client))

    assert answer.status_code == 403
    assert COOKIE not in answer.cookies
    assert client.get("/calls").status_code == 303
    assert told(house) == [("", "sign_in.refused", "", {"oidc": fault})]
    assert [it.principal.id for it in house.accounts.people()] == ["taken"]


def test_another_key_or_a_symmetric_or_no_algorithm_is_not_taken(client: TestClient, house: House, issuer: SmallIssuer) -> None:
    public = issuer.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    right = issuer.token
    found = []

    def forged(form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """HMAC with the public key, which a verifier that believes the header would take."""
        made = right(form, authorization)
        assert made is not None
        claims = made["id_token"].split(".")[1]
        head = urlsafe_b64encode(b'{"alg":"HS256","kid":"one","typ":"JWT"}').rstrip(b"=").decode()
        sign = urlsafe_b64encode(hmac.digest(public, f"{head}.{claims}".encode(), "sha256")).rstrip(b"=").decode()
        return {"id_token": f"{head}.{claims}.{sign}"}

    issuer.signs_with = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    found.append(client.get(sent_back(client)).status_code)
    issuer.signs_with, issuer.algorithm = "", "none"
    found.append(client.get(sent_back(client)).status_code)
    issuer.signs_with, issuer.algorithm = None, "RS256"
    issuer.token = forged  # type: ignore[method-assign]
    found.append(client.get(sent_back(client)).status_code)

    assert found == [403, 403, 403]
    assert {row[3]["oidc"] for row in told(house)} == {"token"}


def test_an_answer_counts_once_and_in_the_browser_that_began(
    client: TestClient, house: House, issuer: SmallIssuer, tmp_path: Path
) -> None:
    back = sent_back(client)
    cookie = dict(client.cookies)
    with browser(section(issuer, tmp_path), house) as other:
        elsewhere = other.get(back)
    first = client.get(back)
    client.cookies.clear()
    client.cookies.update(cookie)
    again = client.get(back)
    swapped = client.get(sent_back(client).replace("state=", "state=x"))
    nothing = client.get("/sign-in/oidc/back")

    assert [it.status_code for it in (elsewhere, first, again, swapped, nothing)] == [400, 200, 400, 400, 400]


def test_a_code_of_another_sign_in_fits_not(client: TestClient, issuer: SmallIssuer) -> None:
    stolen = dict(parse_qsl(urlsplit(sent_back(client)).query))["code"]
    back = dict(parse_qsl(urlsplit(sent_back(client)).query))

    assert client.get("/sign-in/oidc/back", params={**back, "code": stolen}).status_code == 403
    assert issuer.asked.count("/token") == 1


def test_who_is_disabled_here_or_denied_there_stays_out(client: TestClient, house: House, issuer: SmallIssuer) -> None:
    client.get(sent_back(client))
    house.accounts.switch(Actor("olga"), "mei", disabled=True)
    disabled = client.get(sent_back(client)).status_code
    issuer.denies = True

    assert (disabled, client.get(sent_back(client)).status_code) == (403, 403)


@pytest.mark.parametrize("says", [{"issuer": "https://login.evil.example"}, {"token_endpoint": "ftp://x"}, {"jwks_uri": None}])
def test_an_issuer_that_says_it_is_another_is_not_asked(says: dict[str, Any], client: TestClient, issuer: SmallIssuer) -> None:
    issuer.says = says
    answer = client.get("/sign-in/oidc")

    assert answer.status_code == 502
    assert "/token" not in issuer.asked


def test_where_they_wanted_to_go_can_be_no_other_place(client: TestClient) -> None:
    answer = client.get(sent_back(client, "https://evil.example/"))

    assert "evil" not in answer.text
    assert 'url=/calls"' in answer.text


def test_without_an_issuer_there_is_no_such_way(house: House) -> None:
    client = TestClient(http_app(cast("Engine", EchoEngine()), Reception(house=house)), follow_redirects=False)

    assert [client.get(path).status_code for path in ("/sign-in/oidc", "/sign-in/oidc/back")] == [404, 404]
    assert "/sign-in/oidc" not in client.get("/sign-in").text


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "http://login.bank.example"}, {"address": "ftp://x"}, {"roles": {"g": ["machine"]}}, {"roles": {}},
        {"roles": {"g": ["king"]}}, {"teams_claim": "groups"}, {"issuer": "https://a@b.example"},
    ],
)  # fmt: skip
def test_settings_that_would_open_too_much_are_refused(wrong: dict[str, Any], issuer: SmallIssuer, tmp_path: Path) -> None:
    with pytest.raises(ValidationError):
        section(issuer, tmp_path, **wrong)


def test_a_secret_that_can_not_be_read_is_told_at_the_start(issuer: SmallIssuer, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="client_secret_file"):
        issuer_of(section(issuer, tmp_path, client_secret_file=tmp_path / "nothing"))
    with pytest.raises(ConfigError, match="ca_file"):
        issuer_of(section(issuer, tmp_path, ca_file=tmp_path / "nothing"))


async def test_in_a_browser_it_ends_on_the_page_that_was_wanted(issuer: SmallIssuer, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    engine = EchoEngine(HttpDoor(port=port))
    here = f"http://localhost:{port}"  # another site than the issuer's, for a browser
    access = engine.config.access.model_copy(update={"oidc": section(issuer, tmp_path, address=here)})
    engine.config = engine.config.model_copy(update={"access": access})
    add_person(engine.config.store.database, "olga", [Role.SECURITY_OFFICER])
    async with opened(engine), chromium() as browser:
        page = await browser.new_page()
        await page.goto(f"{here}/quality")
        await page.get_by_role("link", name="Sign in with your bank account name").click()
        await page.wait_for_url(f"{here}/quality")

        assert await page.get_by_role("link", name="mei").is_visible()
