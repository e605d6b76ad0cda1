"""Nothing that changes, plays or lets somebody in is done without a row of the audit chain."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from fastapi.testclient import TestClient

from engine.access.deeds import Deed
from engine.access.permissions import Role
from engine.config.sections import CallsSection
from engine.runtime.engine import Engine
from engine.server.app import http_app
from engine.server.entrance import Requires
from engine.server.put_in_force import put_in_force
from engine.server.reception import Reception
from engine.store.house import House
from tests.server.doubles import EchoEngine, house_at
from tests.server.test_desk_door import bank_open, folder, sitting, task
from tests.server.test_entrance import WAYS

__all__ = ["folder"]  # a fixture

OWN = {"Sec-Fetch-Site": "same-origin"}
KEEP_NONE = {
    "POST /language": "a cookie of their own",
    "POST /settings/audit/verify": "reads",
    "POST /settings/keeping/due": "counts",
    "POST /api/v1/calls": "a machine's: the calls' own table keeps it",
    "DELETE /api/v1/calls/{uuid}": "the same",
    "POST /api/v1/recordings": "a machine's: the ledger keeps it",
}
"""What changes something and keeps no row, and why."""

KEPT_BY_TESTS = {
    "test_sign_in.py": ("POST /sign-in", "POST /sign-out", "POST /first", "POST /password"),
    "test_settings_pages.py": (
        "POST /settings/people", "POST /settings/people/{name}/roles", "POST /settings/people/{name}/switch",
        "POST /settings/people/{name}/password", "POST /settings/tokens", "POST /settings/tokens/{name}/revoke",
    ),
    "test_campaign_pages.py": (
        "POST /campaigns/{name}/pause", "POST /campaigns/{name}/stop", "POST /campaigns/{name}/resume",
        "POST /campaigns/{name}/uncertain",
    ),
    "test_calls_pages.py": ("POST /calls/{name}/verdicts", "POST /calls/{name}/appeals"),
    "test_quality_pages.py": ("POST /quality/appeals/{number}",),
    "test_unmasked_page.py": ("POST /settings/unmasked", "POST /settings/unmasked/{number}/allow"),
}  # fmt: skip
"""Where it is tested that a page's way keeps its row; the API's ways call the functions of the pages."""


def rows(house: House) -> list[tuple[str, str, str, Any]]:
    return [(it.who, it.what, it.subject, json.loads(it.details)) for it, _ in house.trail.rows()]


def test_every_way_that_changes_something_is_accounted_for() -> None:
    """A new one fails here until somebody says where its row is tested, or why it keeps none."""
    changes = {f"{it.method} {it.path}" for it in WAYS if it.method not in {"GET", "HEAD", "WEBSOCKET"}}
    named = {way for ways in KEPT_BY_TESTS.values() for way in ways} | set(KEEP_NONE)

    assert {way for way in changes - named if "/api/v1/" not in way} == set()
    assert named - changes == set()
    for file in KEPT_BY_TESTS:
        assert "trail.rows" in Path(__file__).with_name(file).read_text(encoding="utf-8"), file
    assert all(isinstance(it.declares[0], Requires) for it in WAYS if it.path.startswith("/api/v1/"))


def test_a_forged_request_of_somebody_known_is_kept_once_a_minute(engine: EchoEngine, house: House) -> None:
    client = TestClient(http_app(cast("Engine", engine), Reception(house=house)), headers=engine.signed_in(Role.SECURITY_OFFICER))
    answers = [client.post("/settings/people", headers={"Sec-Fetch-Site": "cross-site"}).status_code for _ in range(3)]

    assert answers == [403] * 3
    assert [it for it in rows(house) if it[1] == Deed.REFUSED] == [("anna", "refused", "POST /settings/people", {"forged": True})]


def test_a_wrong_password_of_ones_own_and_a_try_that_is_slowed_are_kept(engine: EchoEngine, house: House) -> None:
    client = TestClient(
        http_app(cast("Engine", engine), Reception(house=house)), headers={**OWN, **engine.signed_in(Role.DESIGNER)}
    )
    client.post("/password", data={"old": "guessed", "new": "x", "again": "x"})
    for _ in range(8):
        client.post("/sign-in", data={"name": "anna", "password": "guessed", "next": "/"})
    refused = [it[3] for it in rows(house) if it[1] == Deed.SIGN_IN_REFUSED]

    assert refused[0] == {"own_password": True}
    assert refused.count({"slowed": True}) == 1


def test_flows_and_settings_are_kept_when_they_are_others_than_before(engine: EchoEngine, house: House) -> None:
    put_in_force(house.trail, engine.config, engine.flows)
    put_in_force(house.trail, engine.config, engine.flows)
    calls = CallsSection(max_calls=3)
    put_in_force(house.trail, engine.config.model_copy(update={"calls": calls}), engine.flows)
    found = [it[:3] for it in rows(house)]

    assert found == [
        ("machine:engine", "changed", "flow main"), ("machine:engine", "changed", "settings"), ("machine:engine", "changed", "settings"),
    ]  # fmt: skip


async def test_an_agent_who_hears_a_phrase_is_kept_before_it_sounds(folder: Path) -> None:
    async with bank_open(folder) as (bank, _):
        async with sitting(bank) as page:
            await bank.ask(task())
            await page.next("sound")
        with house_at(bank.config.store.database) as house:
            heard = [it for it in rows(house) if it[1] == Deed.HEARD]

    assert heard == [("anna", "recording.heard", "call call", {"phrase": 1})]
