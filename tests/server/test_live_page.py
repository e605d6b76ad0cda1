"""The page of the calls that go on now."""

from __future__ import annotations

import contextlib
import json
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any, cast

import pytest
from fastapi.testclient import TestClient
from playwright.async_api import expect
from starlette.websockets import WebSocketDisconnect

from engine.access.permissions import Role
from engine.core.call import CallFacts, CallId
from engine.core.speech import Transcript, Word
from engine.core.units import Language, Seconds, confidence
from engine.dialogue.actions import Decided, Entered, Play, Rung, Spoken
from engine.dialogue.events import Heard
from engine.dialogue.graph import NodeId
from engine.runtime.engine import Engine
from engine.server.app import http_app
from engine.server.reception import Reception
from engine.store.house import House
from tests.server.doubles import EchoEngine, add_person, house_at, signed_in
from tests.server.looking import WIDTHS, faults, looked_at

SAID = "<img src=x onerror=alert(1)> my card is 4111 1111 1111 1111"


def goes_on(engine: EchoEngine, name: str = "one", said: str = SAID) -> CallFacts:
    """A call of which something was heard and decided."""
    call = CallFacts(CallId(name), "sip")
    words = tuple(Word(it, Seconds(float(at)), Seconds(at + 0.5)) for at, it in enumerate(said.split()))
    decided = Decided(Rung.JUMP, NodeId("menu"), NodeId("lost_card"), confidence=confidence(0.8))
    play = Play(1, (Spoken("p", "Shall I block your card, so that nobody pays with it?", {}),), Language("en"))
    engine.live_calls.began(call)
    engine.live_calls.stepped(
        call, Seconds(4.2), Heard(Transcript(words, confidence=confidence(0.93))), (decided, Entered(NodeId("lost_card")), play)
    )
    return call


def browser(engine: EchoEngine, house: House, *roles: Role) -> TestClient:
    app = http_app(cast("Engine", engine), Reception(house=house))
    return TestClient(app, headers=engine.signed_in(*roles))


def messages(client: TestClient, number: int = 1) -> list[Any]:
    """The first ones; Starlette's double of a browser then cancels the page's line, and says so."""
    found: list[Any] = []
    with contextlib.suppress(CancelledError), client.websocket_connect("/live/ws") as line:
        found += [json.loads(line.receive_text()) for _ in range(number)]
    return found


@pytest.fixture
def engine() -> EchoEngine:
    return EchoEngine()


def test_who_looks_on_gets_the_calls_with_masked_words(engine: EchoEngine) -> None:
    goes_on(engine)
    with house_at(engine.config.store.database) as house:
        [told] = messages(browser(engine, house, Role.SUPERVISOR))

    assert (told["live"], told["bearing"]["live"], told["changed"][0]["node"]) == (["one"], 1, "lost_card")
    assert "1111" not in json.dumps(told)


def test_what_has_not_changed_is_not_sent_again(engine: EchoEngine) -> None:
    goes_on(engine)
    with house_at(engine.config.store.database) as house:
        first, second = messages(browser(engine, house, Role.SUPERVISOR), 2)

    assert (len(first["changed"]), second["changed"], second["live"]) == (1, [], ["one"])


def test_who_sees_some_teams_alone_gets_the_figures_and_no_call(engine: EchoEngine) -> None:
    goes_on(engine)
    address = engine.config.store.database
    cookie = signed_in(address, roles=[Role.SUPERVISOR])
    add_person(address, "anna", [Role.SUPERVISOR], teams='["cards"]')
    with house_at(address) as house:
        client = TestClient(http_app(cast("Engine", engine), Reception(house=house)), headers=cookie)
        [told] = messages(client)

        assert "belong to no team yet" in client.get("/live").text
    assert (told["live"], told["changed"], told["bearing"]["live"]) == ([], [], 1)


@pytest.mark.parametrize("role", [Role.SILENT_AGENT, Role.SECURITY_OFFICER, Role.MACHINE])
def test_others_may_not_look_on(role: Role, engine: EchoEngine) -> None:
    with house_at(engine.config.store.database) as house:
        client = browser(engine, house, role)

        assert client.get("/live").status_code == 403
        with pytest.raises(WebSocketDisconnect), client.websocket_connect("/live/ws") as line:
            line.receive_text()


@pytest.mark.parametrize(("language", "title"), [("en", "Calls now"), ("ru", "Звонки сейчас"), ("zh", "当前通话")])
def test_the_page_speaks_its_visitors_language(language: str, title: str, engine: EchoEngine) -> None:
    with house_at(engine.config.store.database) as house:
        answer = browser(engine, house).get("/live", headers={"Accept-Language": language})

    assert f"<h1>{title}</h1>" in answer.text


@pytest.mark.parametrize("width", WIDTHS)
async def test_calls_come_change_and_go_on_the_page_as_it_is_looked_at(width: int, engine: EchoEngine, tmp_path: Path) -> None:
    call = goes_on(engine)
    async with looked_at(engine, "/live", [Role.SUPERVISOR], width=width) as page:
        await expect(page.get_by_role("heading", name="lost card")).to_be_visible()
        await expect(page.get_by_text("Caller: <img src=x onerror=alert")).to_be_visible()
        await expect(page.get_by_role("status")).to_have_text("Calls now: 1.")
        goes_on(engine, "two", "block it please")
        await expect(page.get_by_role("article")).to_have_count(2)
        await page.screenshot(path=tmp_path / f"live-{width}.png")
        wrong = await faults(page)
        engine.live_calls.ended(call, "completed")
        await expect(page.get_by_role("status")).to_have_text("Calls now: 1.")

    assert wrong == []
