"""People, tokens, the audit chain and the doors as pages: who may change what, and what is kept of it."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from argon2 import PasswordHasher
from fastapi.testclient import TestClient
from playwright.async_api import expect
from sqlalchemy import update
from sqlalchemy.orm import Session

from engine.access.deeds import Deed
from engine.access.permissions import Role
from engine.runtime.engine import Engine
from engine.server.app import http_app
from engine.server.reception import Reception
from engine.store import hashing
from engine.store.access_models import AuditRow
from engine.store.accounts import Actor
from engine.store.house import House
from tests.server.doubles import EchoEngine, add_person
from tests.server.looking import WIDTHS, faults, looked_at

OWN = {"Sec-Fetch-Site": "same-origin"}
PASSWORD = "correct horse battery"
PAGES = ("/settings", "/settings/audit", "/settings/unmasked", "/settings/keeping", "/settings/house")


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, "_ARGON", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


def browser(engine: EchoEngine, house: House, *roles: Role) -> TestClient:
    app = http_app(cast("Engine", engine), Reception(house=house))
    return TestClient(app, headers={**OWN, **engine.signed_in(*roles)}, follow_redirects=False)


@pytest.fixture
def officer(engine: EchoEngine, house: House) -> TestClient:
    add_person(engine.config.store.database, "boris", [Role.SUPERVISOR])
    return browser(engine, house, Role.SECURITY_OFFICER)


def told(house: House) -> list[tuple[str, str, str]]:
    return [(entry.who, entry.what, entry.subject) for entry, _ in house.trail.rows() if entry.who == "anna"][1:]


def test_somebody_is_added_with_roles_and_teams_and_the_chain_says_by_whom(officer: TestClient, house: House) -> None:
    fields = {"name": " Olga ", "role.qa_lead": "on", "role.machine": "on", "teams": "cards, loans", "password": PASSWORD}
    answer = officer.post("/settings/people", data=fields)
    added = house.accounts.find("olga")

    assert answer.status_code == 303
    assert added is not None
    assert (added.principal.roles, added.principal.teams) == (frozenset({Role.QA_LEAD}), frozenset({"cards", "loans"}))
    assert told(house) == [("anna", Deed.PERSON_ADDED, "olga")]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": "olga", "role.qa_lead": "on", "password": "short"}, "It is too short"),
        ({"name": "o l g a", "role.qa_lead": "on", "password": PASSWORD}, "That was refused"),
        ({"name": "boris", "role.qa_lead": "on", "password": PASSWORD}, "That was refused"),
        ({"name": "olga", "password": PASSWORD}, "That was refused"),
        ({"name": "o\x00", "role.qa_lead": "on", "password": PASSWORD}, "That was refused"),
        ({}, "That was refused"),
    ],
)
def test_what_is_wrong_is_said_and_nobody_is_added(fields: dict[str, str], said: str, officer: TestClient, house: House) -> None:
    answer = officer.post("/settings/people", data={"teams": "", **fields})

    assert (answer.status_code, said in answer.text) == (422, True)
    assert [one.principal.id for one in house.accounts.people()] == ["anna", "boris"]
    assert PASSWORD not in answer.text


def test_roles_passwords_and_leave_to_enter_are_changed(officer: TestClient, house: House) -> None:
    officer.post("/settings/people/boris/roles", data={"role.designer": "on", "teams": ""})
    officer.post("/settings/people/boris/password", data={"password": PASSWORD})
    enters = house.accounts.recognise("boris", PASSWORD)
    officer.post("/settings/people/boris/switch", data={"disabled": "yes"})
    shut_out = house.accounts.recognise("boris", PASSWORD)
    officer.post("/settings/people/boris/switch", data={"disabled": "no"})

    assert enters is not None
    assert (enters.roles, shut_out) == (frozenset({Role.DESIGNER}), None)
    assert house.accounts.recognise("boris", PASSWORD) is not None
    assert [what for _, what, _ in told(house)] == [
        Deed.ROLES_CHANGED, Deed.PASSWORD_CHANGED, Deed.PERSON_DISABLED, Deed.PERSON_ENABLED,
    ]  # fmt: skip


@pytest.mark.parametrize("change", ["roles", "password", "switch"])
def test_nobody_changes_themselves_here(change: str, officer: TestClient, house: House) -> None:
    fields = {"role.qa_lead": "on", "password": PASSWORD, "disabled": "yes"}
    answers = [officer.post(f"/settings/people/{name}/{change}", data=fields).status_code for name in ("anna", "ANNA", "%20anna")]

    assert answers == [409, 409, 409]
    assert told(house) == []


@pytest.mark.parametrize("name", ["nobody", "a%00b", "%F0%9F%98%80", "..%2f"])
def test_who_is_not_there_can_not_be_changed(name: str, officer: TestClient) -> None:
    assert officer.post(f"/settings/people/{name}/roles", data={"role.qa_lead": "on"}).status_code in {404, 422}
    assert officer.post(f"/settings/tokens/{name}/revoke", data={"x": ""}).status_code in {404, 422}


def test_a_token_is_shown_once_and_opens_until_it_is_revoked(officer: TestClient, house: House) -> None:
    made = officer.post("/settings/tokens", data={"name": "dialplan", "role.machine": "on", "days": "90"})
    token = made.text.partition("<code>")[2].partition("</code>")[0]
    opens = house.machines.find(token)
    again = officer.get("/settings").text
    officer.post("/settings/tokens/dialplan/revoke", data={"x": ""})

    assert opens is not None
    assert opens.roles == {Role.MACHINE}
    assert ("dialplan" in again, token in again) == (True, False)
    assert house.machines.find(token) is None
    assert [what for _, what, _ in told(house)] == [Deed.TOKEN_MADE, Deed.TOKEN_REVOKED]


def test_the_chain_is_shown_newest_first_and_narrowed_by_filters(officer: TestClient, house: House) -> None:
    for number in range(60):
        house.accounts.switch(Actor("shell:root"), "boris", disabled=bool(number % 2))
    whole = officer.get("/settings/audit").text
    older = officer.get("/settings/audit", params={"before": "12"}).text
    narrow = officer.get("/settings/audit", params={"who": "shell:root", "what": "person.enabled", "subject": "boris"}).text
    nothing = officer.get("/settings/audit", params={"since": "2999-01-01"}).text

    assert (whole.count("<tr><td"), "Older rows" in whole) == (50, True)
    assert (older.count("<tr><td"), "Older rows" in older) == (11, False)
    assert narrow.count("<td>person.enabled</td>") == 30
    assert narrow.count("<td>person.disabled</td>") == 0
    assert "Nothing of that kind." in nothing


@pytest.mark.parametrize("given", ["' OR 1=1 --", "\x00", "<script>alert(1)</script>", "9" * 400, "²", "-1"])
def test_filters_that_mean_harm_do_none(given: str, officer: TestClient) -> None:
    for field in ("who", "what", "subject", "since", "before"):
        answer = officer.get("/settings/audit", params={field: given})

        assert answer.status_code == 200
        assert "<script>alert" not in answer.text


def test_a_chain_that_was_tampered_with_is_found(officer: TestClient, house: House) -> None:
    fine = officer.post("/settings/audit/verify", data={"x": ""})
    with Session(house.trail.database) as session, session.begin():
        session.execute(update(AuditRow).where(AuditRow.number == 1).values(who="mallory"))
    broken = officer.post("/settings/audit/verify", data={"x": ""})

    assert ("The chain holds" in fine.text, "The chain does not hold" in fine.text) == (True, False)
    assert ("The chain holds" in broken.text, "not as it was written" in broken.text) == (False, True)


def test_the_doors_and_what_protects_them_can_be_read(officer: TestClient) -> None:
    text = officer.get("/settings/house").text

    assert '<th scope="row">http</th><td>127.0.0.1:0</td><td>this machine only</td>' in text
    assert "1827" in text


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.SECURITY_OFFICER}))
def test_others_may_neither_look_nor_change(role: Role, engine: EchoEngine, house: House) -> None:
    client = browser(engine, house, role)
    ways = [*(client.get(path) for path in PAGES), client.post("/settings/people", data={"name": "x"})]
    ways += [client.post("/settings/tokens", data={"name": "x"}), client.post("/settings/audit/verify", data={"x": ""})]

    assert [it.status_code for it in ways] == [403] * 8


@pytest.mark.parametrize("language", ["ru", "zh"])
@pytest.mark.parametrize("path", PAGES)
def test_pages_speak_their_visitors_language(path: str, language: str, officer: TestClient) -> None:
    text = officer.get(path, headers={"Accept-Language": language}).text

    assert {"ru": "Настройки", "zh": "设置"}[language] in text


@pytest.mark.parametrize("width", WIDTHS)
async def test_somebody_is_disabled_with_the_keyboard_alone(width: int, engine: EchoEngine, house: House, tmp_path: Path) -> None:
    add_person(engine.config.store.database, "boris", [Role.SUPERVISOR, Role.QA_LEAD], teams='["cards"]')
    async with looked_at(engine, "/settings", [Role.SECURITY_OFFICER], width=width) as page:
        await page.locator("summary", has_text="boris").focus()
        await page.keyboard.press("Enter")
        await page.screenshot(path=tmp_path / f"settings-{width}.png", full_page=True)
        wrong = await faults(page)
        await page.get_by_role("button", name="Disable").focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("summary", has_text="disabled")).to_be_visible()
        for name, path in (("Audit", "audit"), ("Keeping", "keeping"), ("Doors", "house")):
            await page.get_by_role("link", name=name).click()
            await expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
            await page.screenshot(path=tmp_path / f"{path}-{width}.png", full_page=True)
            wrong += await faults(page)

    assert wrong == []
    found = house.accounts.find("boris")
    assert found is not None
    assert found.disabled
