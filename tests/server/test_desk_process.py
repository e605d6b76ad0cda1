"""Desks of a process that has nothing else: a phrase of the engine's lies on them, whoever serves the page."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from websockets.asyncio.client import connect

from engine.access.permissions import Role
from engine.assist.board import Given
from engine.assist.tasks import Picked, Settled
from engine.config import Config, DoorsSection, FlowSection, HttpDoor
from engine.config.sections import AssistSection, StoreSection
from engine.core.errors import ConfigError
from engine.runtime.silent_agents import SilentAgents
from engine.server.doors import desk
from engine.store.database import connect as database
from tests.databases import store_in
from tests.journeys.bank import SMALL_BANK
from tests.server.doubles import signed_in
from tests.server.test_desk_door import ANNA, PHRASE, Page, task


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(
        flow=FlowSection(path=SMALL_BANK, language=None),
        store=StoreSection(database=store_in(tmp_path)),
        assist=AssistSection(board="database"),
        doors=DoorsSection(desk=HttpDoor(port=0)),
    )


class Calls:
    """The engine's side of the board."""

    def __init__(self, config: Config) -> None:
        self._store = database(config.store.database)
        assert config.assist is not None
        self.agents = SilentAgents(config.assist, self._store, lambda *_: cast("Any", None))

    async def ask(self, number: int = 1) -> asyncio.Future[Given]:
        given: asyncio.Future[Given] = asyncio.get_running_loop().create_future()
        await self.agents._assistants.ask(task(number), PHRASE, given.set_result)
        return given

    def close(self) -> None:
        self.agents.close()
        self._store.dispose()


@pytest.fixture
async def calls(config: Config) -> AsyncIterator[Calls]:
    calls = Calls(config)
    yield calls
    calls.close()


@contextlib.asynccontextmanager
async def process(config: Config) -> AsyncIterator[str]:
    """The address of its desks."""
    async with desk.opened(config) as doors:
        yield next(door.address for door in doors if door.name == "desk")


@contextlib.asynccontextmanager
async def sitting(config: Config, address: str, name: str = "anna") -> AsyncIterator[Page]:
    shown = signed_in(config.store.database, name, (Role.SILENT_AGENT,))
    socket_address = address.replace("http://", "ws://") + "/ws"
    async with connect(socket_address, compression=None, additional_headers=shown) as socket:
        page = Page(socket)
        await page.send(**ANNA)
        await page.next("signed_in")
        yield page


async def test_a_call_of_the_engines_is_answered_at_a_desk_of_another_process(config: Config, calls: Calls) -> None:
    async with process(config) as address, sitting(config, address) as page:
        given = await calls.ask()
        offered, sound = await page.next("offer"), await page.next("sound")
        await page.send(event="shown", task=offered["task"])
        await page.send(event="answer", task=offered["task"], kind="picked", text="operator")
        receipt = await page.next("receipt")
        day = await page.next("day")
        answered = await given

    assert (offered["words"], sound) == ("why can't I", PHRASE)
    assert receipt["receipt"] == "taken"
    assert (answered.settled, answered.answer, answered.agent) == (Settled.ANSWERED, Picked("operator"), "anna")
    assert (day["answered"], day["late"]) == (1, 0)


async def test_an_agent_who_opens_a_desk_of_another_process_leaves_the_first(config: Config, calls: Calls) -> None:
    async with process(config) as first, process(config) as second, sitting(config, first) as before:
        given = await calls.ask()
        await before.next("offer")
        async with sitting(config, second) as after:
            assert (await after.next("offer"))["task"] == "call:1"
            assert await before.next("elsewhere")
            assert await before.closed() == (1000, "this agent's desk is open elsewhere")
            await after.send(event="answer", task="call:1", kind="cant_tell")

            assert (await after.next("receipt"))["receipt"] == "taken"
            assert (await given).agent == "anna"


async def test_it_serves_its_page_and_its_health_and_no_door_of_calls(config: Config) -> None:
    shown = signed_in(config.store.database, "anna", (Role.SILENT_AGENT,))
    async with process(config) as address, httpx.AsyncClient(base_url=address.removesuffix("/desk")) as client:
        page = await client.get("/desk", headers=shown)
        health = await client.get("/readyz")
        stranger = await client.get("/desk")
        statuses = [(await client.get(path, headers=shown)).status_code for path in ("/phone", "/twilio", "/api/v1/calls")]
        look = await client.get("/static/desk.js")

    assert page.status_code == 200
    assert "/phone" not in page.text
    assert health.json() == {"ready": True, "parts": {"board": True}}
    assert stranger.status_code in {303, 401}
    assert statuses == [404, 404, 404]
    assert look.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"assist": None}, "found no \\[assist\\]"),
        ({"assist": AssistSection()}, 'expected "database".*found "local"'),
        ({"doors": DoorsSection()}, "expected \\[doors.desk\\]"),
    ],
)
async def test_what_the_configuration_lacks_is_said(config: Config, wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        async with desk.opened(config.model_copy(update=wrong)):
            pass
