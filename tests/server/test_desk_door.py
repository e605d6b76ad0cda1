"""The desk over real sockets: who sits there hears a phrase and answers; what no page of ours says closes it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from engine.access.permissions import Role
from engine.assist.board import Given
from engine.assist.tasks import CantTell, Choice, Picked, Settled, Task, TaskId, Typed
from engine.config import HttpDoor
from engine.config.sections import AssistSection, StoreSection
from engine.core.call import CallId, Speaker
from engine.core.units import Confidence, Language
from engine.dialogue.graph import NodeId
from engine.runtime.silent_agents import SilentAgents
from engine.server import desk_door
from engine.store.accounts import Actor
from engine.store.database import connect as database
from tests.databases import store_in
from tests.server.doubles import EchoEngine, house_at, opened, signed_in

ANNA = {"event": "sign_in", "languages": ["en"]}
PHRASE = b"\x01\x00" * 800
CARD = "4539 5787 6362 1486"  # valid by its check digit, issued by nobody


def task(number: int = 1, within: float = 30.0, value: str | None = None) -> Task:
    now = time.time()
    return Task(
        TaskId(CallId("call"), number), Language("en"), "r1", NodeId("main"), "What can I do for you?", "why can't I", (
            Choice("lost_card", "block a lost card", Confidence(0.41)), Choice("operator", "talk to a person"),
        ), value, ((Speaker.AGENT, "Welcome."), (Speaker.CALLER, "hello")), now, now + within,
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


class Page:
    """What the page's program does, without a browser: answers beats, keeps the rest."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def send(self, **message: Any) -> None:
        await self._socket.send(json.dumps(message))

    async def next(self, event: str) -> Any:
        """The next message of a kind; beats are answered on the way."""
        async with asyncio.timeout(20.0):
            while True:
                message = await self._socket.recv()
                if isinstance(message, bytes):
                    if event == "sound":
                        return message
                    continue
                found = json.loads(message)
                if found["event"] == "beat":
                    await self.send(event="present")
                if found["event"] == event:
                    return found

    async def closed(self) -> tuple[int | None, str | None]:
        """How the socket ends, if nothing more is said to it."""
        async with asyncio.timeout(20.0):
            with contextlib.suppress(ConnectionClosed):
                while True:
                    await self._socket.recv()
        return self._socket.close_code, self._socket.close_reason


class Bank(EchoEngine):
    """With silent agents."""

    def __init__(self, folder: Path, http: HttpDoor | None = None) -> None:
        super().__init__(http)
        address = store_in(folder)
        self.config = self.config.model_copy(update={"store": StoreSection(database=address)})
        store = database(address)
        self.desk = self.secret = ""
        self.agents = SilentAgents(AssistSection(), store, lambda *_: cast("Any", None))

    def shown_by(self, name: str = "anna", *roles: Role) -> dict[str, str]:
        """What somebody's browser sends."""
        shown = signed_in(self.config.store.database, name, roles or (Role.SILENT_AGENT,))
        self.secret = shown["Cookie"].partition("=")[2]
        return shown

    @property
    def board(self) -> Any:
        assert self.agents is not None
        return self.agents.board

    async def ask(self, asked: Task) -> asyncio.Future[Given]:
        """Put up a task; what is given for it."""
        given: asyncio.Future[Given] = asyncio.get_running_loop().create_future()
        assert self.agents is not None
        await self.agents._assistants.ask(asked, PHRASE, given.set_result)
        return given


@contextlib.asynccontextmanager
async def bank_open(folder: Path) -> AsyncIterator[tuple[Bank, str]]:
    bank = Bank(folder)
    try:
        async with opened(bank) as doors:
            bank.desk = doors["desk"].replace("http://", "ws://") + "/ws"
            yield bank, bank.desk
    finally:
        assert bank.agents is not None
        bank.agents.close()


@contextlib.asynccontextmanager
async def sitting(bank: Bank, name: str = "anna") -> AsyncIterator[Page]:
    async with connect(bank.desk, compression=None, additional_headers=bank.shown_by(name)) as socket:
        page = Page(socket)
        await page.send(**ANNA)
        await page.next("signed_in")
        yield page


async def test_a_phrase_is_offered_with_its_sound_and_the_answer_is_given_to_the_call(folder: Path) -> None:
    async with bank_open(folder) as (bank, _), sitting(bank) as page:
        given = await bank.ask(task())
        offered, sound = await page.next("offer"), await page.next("sound")
        await page.send(event="shown", task=offered["task"])
        await page.send(event="answer", task=offered["task"], kind="picked", text="operator")
        receipt = await page.next("receipt")
        day = await page.next("day")

    assert sound == PHRASE
    assert (offered["task"], offered["words"], offered["question"]) == ("call:1", "why can't I", "What can I do for you?")
    assert offered["choices"][0] == {"intent": "lost_card", "title": "block a lost card", "confidence": 0.41}
    assert offered["turns"] == [{"who": "agent", "text": "Welcome."}, {"who": "caller", "text": "hello"}]
    assert 5.0 < offered["left"] <= offered["within"] == pytest.approx(30.0)
    assert receipt == {"event": "receipt", "task": "call:1", "receipt": "taken"}
    assert (given.result().settled, given.result().answer, given.result().agent) == (Settled.ANSWERED, Picked("operator"), "anna")
    assert (day["answered"], day["late"]) == (1, 0)
    assert 0.0 < day["median"] < 6.0


async def test_a_desk_that_does_not_show_a_task_loses_it_and_says_so(folder: Path) -> None:
    async with bank_open(folder) as (bank, _), sitting(bank) as page:
        given = await bank.ask(task())
        await page.next("offer")

        assert (await page.next("taken_back")) == {"event": "taken_back", "task": "call:1", "why": None}
        assert (await given).settled is Settled.NOBODY


async def test_a_caller_who_goes_on_clears_the_desk(folder: Path) -> None:
    async with bank_open(folder) as (bank, _), sitting(bank) as page:
        await bank.ask(task())
        await page.next("offer")
        await bank.board.withdraw(TaskId(CallId("call"), 1))
        gone = await page.next("taken_back")
        await page.send(event="answer", task="call:1", kind="cant_tell")
        receipt = await page.next("receipt")

    assert gone["why"] == "withdrawn"
    assert receipt["receipt"] == "late"


async def test_the_page_opened_last_takes_over_and_the_first_is_told(folder: Path) -> None:
    async with bank_open(folder) as (bank, _), sitting(bank) as first:
        await bank.ask(task())
        await first.next("offer")
        async with sitting(bank) as second:
            assert (await second.next("offer"))["task"] == "call:1"
            assert await second.next("sound") == PHRASE
            assert await first.next("elsewhere")
            assert await first.closed() == (1000, "this agent's desk is open elsewhere")
            await second.send(event="answer", task="call:1", kind="cant_tell")

            assert (await second.next("receipt"))["receipt"] == "taken"


async def test_two_agents_hear_a_phrase_each(folder: Path) -> None:
    async with bank_open(folder) as (bank, _), sitting(bank) as anna, sitting(bank, "boris") as boris:
        await bank.ask(task(1))
        await bank.ask(task(2))

        assert {(await anna.next("offer"))["task"], (await boris.next("offer"))["task"]} == {"call:1", "call:2"}


async def test_what_lay_on_a_desk_whose_page_is_closed_goes_to_somebody_else(folder: Path) -> None:
    async with bank_open(folder) as (bank, _), sitting(bank, "boris") as boris:
        async with sitting(bank) as anna:
            await bank.ask(task(1))
            await bank.ask(task(2))
            mine = (await anna.next("offer"))["task"]
            theirs = (await boris.next("offer"))["task"]
            await boris.send(event="answer", task=theirs, kind="cant_tell")

        assert (await boris.next("offer"))["task"] == mine


async def test_a_silent_page_is_closed(folder: Path) -> None:
    async with bank_open(folder) as (bank, _), sitting(bank) as page:
        assert await page.closed() == (1008, "the page was silent for 3 s")

        given = await bank.ask(task())
        assert (await given).settled is Settled.NOBODY


async def test_a_secret_that_an_agent_writes_down_is_masked(folder: Path) -> None:
    async with bank_open(folder) as (bank, _), sitting(bank) as page:
        given = await bank.ask(task())
        await page.next("offer")
        await page.send(event="answer", task="call:1", kind="typed", text=f"my card number is {CARD}")
        answer = (await given).answer

    assert isinstance(answer, Typed)
    assert "4539" not in answer.words
    assert "1486" not in answer.words


@pytest.mark.parametrize(
    "hostile",
    [
        "", "null", "[]", "not json", '{"event": "sign_in"}', '{"event": "nothing"}', "[" * 4000, "x" * 5000, b"", b"\x00\x01",
        json.dumps(ANNA), '{"event": "present", "more": 1}', '{"event": "shown", "task": "no number"}',
        '{"event": "answer", "task": "call:1", "kind": "picked", "text": "not among the choices"}',
        '{"event": "answer", "task": "call:1", "kind": "value", "text": "12"}',
        '{"event": "answer", "task": "call:1", "kind": "typed", "text": "\\u0000"}',
        json.dumps({"event": "answer", "task": "call:1", "kind": "typed", "text": "x" * 201}),
    ],
)  # fmt: skip
async def test_what_no_page_of_ours_says_closes_the_socket_and_nothing_else(hostile: str | bytes, folder: Path) -> None:
    async with bank_open(folder) as (bank, _), sitting(bank, "boris") as boris, sitting(bank) as anna:
        await bank.ask(task(1))
        await bank.ask(task(2))
        for page in (anna, boris):
            await page.send(event="shown", task=(await page.next("offer"))["task"])
        await anna._socket.send(hostile)

        assert await anna.closed() == (1008, "expected the desk's messages, found something else")
        await boris.send(event="answer", task="call:2", kind="cant_tell")
        assert (await boris.next("receipt"))["receipt"] in {"taken", "not_yours"}


@pytest.mark.parametrize("roles", [(), (Role.DESIGNER, Role.QA_LEAD, Role.SUPERVISOR, Role.SECURITY_OFFICER)])
async def test_only_a_silent_agent_sits_at_a_desk(roles: tuple[Role, ...], folder: Path) -> None:
    async with bank_open(folder) as (bank, address):
        shown = bank.shown_by("paul", *roles) if roles else {}
        with pytest.raises(InvalidStatus, match="403" if roles else "401"):
            await connect(address, additional_headers=shown)


async def test_a_name_that_the_page_claims_is_none_of_the_desks_language(folder: Path) -> None:
    async with bank_open(folder) as (bank, address), connect(address, additional_headers=bank.shown_by()) as socket:
        await socket.send(json.dumps({**ANNA, "name": "boris"}))

        assert (await Page(socket).closed())[0] == 1008


@pytest.mark.parametrize("ended", ["roles", "disabled", "signed out"])
async def test_the_desk_of_somebody_who_is_signed_in_no_longer_is_closed(
    ended: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_door, "_LOOKED_AT", 1)
    async with bank_open(folder) as (bank, _), sitting(bank) as page:
        with house_at(bank.config.store.database) as house:
            match ended:
                case "roles":
                    house.accounts.change(Actor("shell:test"), "anna", roles=[Role.DESIGNER])
                case "disabled":
                    house.accounts.switch(Actor("shell:test"), "anna", disabled=True)
                case _:
                    house.sessions.end(bank.secret, "127.0.0.1")

        assert await page.closed() == (1000, "you are signed in no longer")


async def test_only_the_flows_languages_count(folder: Path) -> None:
    async with bank_open(folder) as (bank, address), connect(address, additional_headers=bank.shown_by()) as socket:
        await socket.send(json.dumps({**ANNA, "languages": ["xx"]}))

        assert (await Page(socket).closed())[0] == 1008


async def test_a_stranger_can_not_take_or_answer_what_is_not_theirs(folder: Path) -> None:
    async with bank_open(folder) as (bank, _), sitting(bank) as anna:
        given = await bank.ask(task())
        await anna.next("offer")
        async with sitting(bank, "mallory") as mallory:
            await mallory.send(event="answer", task="call:1", kind="picked", text="operator")

            assert (await mallory.next("receipt"))["receipt"] == "not_yours"
        await anna.send(event="answer", task="call:1", kind="cant_tell")
        assert (await given).answer == CantTell()


async def test_the_doors_token_is_a_machines_and_opens_no_desk(folder: Path) -> None:
    file = folder / "token"
    file.write_text("kept-in-a-file-of-its-own", encoding="ascii")
    bank = Bank(folder, HttpDoor(port=0, token_file=file))
    async with opened(bank) as doors, httpx.AsyncClient() as client:
        query = {"token": "kept-in-a-file-of-its-own"}
        address = doors["desk"].replace("http://", "ws://") + "/ws?token=kept-in-a-file-of-its-own"

        assert (await client.get(doors["desk"], params=query)).status_code == 403
        with pytest.raises(InvalidStatus, match="403"):
            await connect(address)
    assert bank.agents is not None
    bank.agents.close()


async def test_an_engine_without_silent_agents_has_no_desk() -> None:
    engine = EchoEngine()
    shown = engine.signed_in()
    async with opened(engine) as doors, httpx.AsyncClient(headers=shown) as client:
        page = await client.get(doors["phone"].replace("/phone", "/desk"))
        address = doors["phone"].replace("http://", "ws://").replace("/phone", "/desk/ws")
        async with connect(address, additional_headers=shown) as socket:
            end = await Page(socket).closed()

    assert "desk" not in doors
    assert (page.status_code, page.text) == (404, "silent agents are off: the configuration has no [assist]\n")
    assert end == (1008, "silent agents are off: the configuration has no [assist]")


async def test_the_page_keeps_nothing_and_loads_nothing_from_elsewhere(folder: Path) -> None:
    async with bank_open(folder) as (bank, address), httpx.AsyncClient(headers=bank.shown_by()) as client:
        home = address.replace("ws://", "http://").removesuffix("/desk/ws")
        for path in ("/desk", "/static/desk.js", "/static/desk.css", "/static/look.css"):
            answer = await client.get(home + path)

            assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
            assert answer.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
