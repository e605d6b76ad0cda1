"""What is kept how long, what is held and what goes next, as a page and over the API."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
from fastapi.testclient import TestClient

from engine.access.permissions import Role
from engine.runtime.engine import Engine
from engine.runtime.keeping.deleting import Keeping
from engine.server import retention
from engine.server.app import http_app
from engine.server.reception import Reception
from engine.store.accounts import Actor
from engine.store.holds import HeldBy, Holds
from engine.store.house import House
from tests.runtime.keeping.made import NOW, Bank, a_bank, a_call
from tests.server.doubles import EchoEngine

PAGE, API = "/settings/keeping", "/api/v1/keeping"
AGO = (NOW - datetime.now(UTC)).days  # a call of made.py that began today
NUMBER = "+77010000002"


@pytest.fixture
def bank(engine: EchoEngine, tmp_path: Path) -> Bank:
    """Calls of all ages in the engine's own database."""
    bank = a_bank(tmp_path, engine.config.store.database)
    engine.config = engine.config.model_copy(update={it: getattr(bank.config, it) for it in ("keeping", "qa", "store", "assist")})
    for name, days in (("new", 1), ("older", 40), ("old", 100), ("held", 101)):
        a_call(bank, name, days=AGO + days, number=NUMBER if name == "held" else "+77010000001")
    holds = Holds(Keeping.of(bank.config, bank.database).trail)
    holds.hold(Actor("shell:root"), HeldBy.PERSON, NUMBER, "court order 12/2030")
    holds.hold(Actor("shell:root"), HeldBy.CAMPAIGN, "overdue", "<script>alert(1)</script>")
    return bank


def client(engine: EchoEngine, house: House, *roles: Role) -> TestClient:
    app = http_app(cast("Engine", engine), Reception(house=house))
    return TestClient(app, headers={"Sec-Fetch-Site": "same-origin", **engine.signed_in(*roles)}, follow_redirects=False)


def cells(text: str) -> list[list[str]]:
    """Rows of a page's tables."""
    rows = (re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in re.findall(r"<tr>(.*?)</tr>", text, re.DOTALL))
    return [[html.unescape(re.sub(r"<[^>]*>", "", it)).strip() for it in row] for row in rows]


def test_an_officer_reads_what_is_kept_what_is_held_and_what_goes_next(engine: EchoEngine, house: House, bank: Bank) -> None:
    officer, before = client(engine, house, Role.SECURITY_OFFICER), bank.rows()
    shown, counted = officer.get(PAGE), officer.post(PAGE + "/due", data={"x": ""})
    rows = cells(counted.text)

    assert (shown.status_code, counted.status_code) == (200, 200)
    assert ["debt", "campaign: overdue", "1096", "1096", "1096"] in rows
    assert ["default", "all others", "30", "60", "90"] in rows
    assert [it[:4] for it in rows if it[0] in {"1", "2"}] == [
        ["1", "a person", "court order 12/2030", "shell:root"],
        ["2", "campaign overdue", "<script>alert(1)</script>", "shell:root"],
    ]
    assert [it for it in rows if it[0] == "default" and len(it) == 3] == [
        ["default", "all of it", "1"],
        ["default", "sound", "1"],
    ]
    assert ["Stays: hold 1", "1"] in rows
    assert NUMBER not in counted.text
    assert bank.rows() == before
    assert "It has not run yet" in shown.text


def test_a_program_is_told_the_same(engine: EchoEngine, house: House, bank: Bank) -> None:
    Keeping.of(bank.config, bank.database).run(datetime.now(UTC))
    officer = client(engine, house, Role.SECURITY_OFFICER)
    kept, due = officer.get(API).json(), officer.get(API + "/due").json()

    assert [(it["name"], it["when"], it["words"]) for it in kept["classes"]] == [
        ("debt", {"campaign": ["overdue"]}, 1096), ("default", {}, 60),
    ]  # fmt: skip
    assert [(it["kind"], it["subject"]) for it in kept["holds"]] == [("person", None), ("campaign", "overdue")]
    assert (kept["last"]["calls"], kept["last"]["held"]) == (2, 1)
    assert (due["going"], due["held"], due["at"]) == ([], {"1": 1}, kept["next_at"])


def test_where_calls_are_kept_for_ever_nothing_is_counted(engine: EchoEngine, house: House) -> None:
    officer = client(engine, house, Role.SECURITY_OFFICER)

    assert "nothing is deleted" in officer.get(PAGE).text
    assert (officer.get(API).json()["classes"], officer.get(API + "/due").json()) == ([], None)


def test_what_can_not_be_counted_is_said(engine: EchoEngine, house: House, bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_BEGIN", "raise SystemExit(1)")
    officer = client(engine, house, Role.SECURITY_OFFICER)
    page, told = officer.post(PAGE + "/due", data={"x": ""}), officer.get(API + "/due")

    assert (page.status_code, "could not be counted" in page.text) == (503, True)
    assert (told.status_code, told.headers["Retry-After"]) == (503, "60")


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.SECURITY_OFFICER}))
def test_nobody_else_reads_it(engine: EchoEngine, house: House, role: Role) -> None:
    other = client(engine, house, role)
    answers = other.get(PAGE), other.post(PAGE + "/due", data={"x": ""}), other.get(API), other.get(API + "/due")

    assert [it.status_code for it in answers] == [403] * 4
