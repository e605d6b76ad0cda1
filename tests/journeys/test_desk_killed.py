"""An assisted turn of a live call, and kill -9: of the desks' own processes, of the models' workers, of the engine itself."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as dial
from websockets.exceptions import ConnectionClosed

from engine.access.permissions import Role
from engine.dialogue.events import AgentAnswered
from engine.store.assist_models import LabelRow
from engine.store.database import connect
from engine.store.journal import CRASHED, Journal
from engine.testing.twilio_caller import TwilioCaller
from tests.databases import store_in
from tests.journeys.bank import ROOT, SMALL_BANK, BankHost, Installation, installed, recorded
from tests.journeys.test_desk import UNCLEAR, labels
from tests.server.doubles import signed_in

pytestmark = [pytest.mark.model, pytest.mark.testdata]


@contextlib.contextmanager
def assisted(folder: Path, host: BankHost, prompts: Path) -> Iterator[Installation]:
    """An engine whose phrases lie in its database."""
    flow = folder / "patient_bank.yaml"
    flow.write_text(SMALL_BANK.read_text(encoding="utf-8").replace("assist: 2s", "assist: 30s"), encoding="utf-8")
    with installed(folder, host, prompts, more='[assist]\nboard = "database"\n', flow=flow) as installation:
        yield installation


@pytest.fixture(scope="module")
def bank(models: None, tmp_path_factory: pytest.TempPathFactory, host: BankHost, prompts_folder: Path) -> Iterator[Installation]:
    with assisted(tmp_path_factory.mktemp("assisted"), host, prompts_folder) as installation:
        yield installation


@contextlib.contextmanager
def web_process(bank: Installation) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that has desks only, and where they are."""
    config = bank.folder / "desk.toml"
    config.write_text((bank.folder / "engine.toml").read_text(encoding="utf-8") + "[doors.desk]\nport = 0\n", encoding="utf-8")
    with (bank.folder / "desk.log").open("a", encoding="utf-8") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "engine.cli", "serve", "--only", "desk", "--config", str(config)],
            cwd=ROOT, env={**os.environ, "COLUMNS": "200"}, stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line.startswith("desk"), (bank.folder / "desk.log").read_text(encoding="utf-8")[-3000:]
        yield process, line.split()[1].replace("http://", "ws://") + "/ws"
    finally:
        process.kill()
        process.wait()


class Desk:
    """What the page's program does, without a browser: answers beats, shows what is offered, keeps the rest."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._told: dict[str, asyncio.Queue[Any]] = defaultdict(asyncio.Queue)

    async def work(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for message in self._socket:
                if isinstance(message, bytes):
                    continue
                told = json.loads(message)
                if told["event"] == "beat":
                    await self.send(event="present")
                if told["event"] == "offer":
                    await self.send(event="shown", task=told["task"])
                self._told[told["event"]].put_nowait(told)

    async def send(self, **message: Any) -> None:
        await self._socket.send(json.dumps(message))

    async def next(self, event: str) -> Any:
        async with asyncio.timeout(60.0):
            return await self._told[event].get()

    async def answer(self) -> Any:
        """Answer what is offered; the receipt."""
        task = (await self.next("offer"))["task"]
        await self.send(event="answer", task=task, kind="picked", text="operator")
        return (await self.next("receipt"))["receipt"]


@contextlib.asynccontextmanager
async def sitting(bank: Installation, address: str, name: str) -> AsyncIterator[Desk]:
    shown = signed_in(store_in(bank.folder), name, (Role.SILENT_AGENT,))
    async with dial(address, compression=None, additional_headers=shown) as socket:
        desk = Desk(socket)
        await desk.send(event="sign_in", languages=["en"])
        working = asyncio.create_task(desk.work())
        await desk.next("signed_in")
        yield desk
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


async def first_offered(*desks: Desk) -> Desk:
    """Who of them is offered the phrase."""
    waiting = {asyncio.create_task(desk.next("offer")): desk for desk in desks}
    done, others = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for other in others:
        other.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    return waiting[done.pop()]


def kept(bank: Installation, call: str) -> list[tuple[str, bool]]:
    """Labels: who answered, and whether too late."""
    rows: list[LabelRow] = labels(bank, call)
    return [(row.agent, row.late) for row in rows]


async def test_a_phrase_outlives_the_process_it_is_shown_by_and_its_answer_the_one_that_took_it(
    bank: Installation, testdata: Path
) -> None:
    with web_process(bank) as one, web_process(bank) as other:
        async with (
            sitting(bank, one[1], "anna") as anna,
            sitting(bank, other[1], "boris") as boris,
            TwilioCaller.calling(bank.twilio, "outlives") as caller,
        ):
            await caller.quiet()
            await caller.say(recorded(testdata / UNCLEAR))
            lives, killed, last = (boris, one, other) if await first_offered(anna, boris) is anna else (anna, other, one)
            killed[0].kill()
            receipt = await lives.answer()
            last[0].kill()  # in the moment of the acknowledgement
            await caller.over.wait()
    told = bank.told("outlives")
    who = "boris" if lives is boris else "anna"

    assert receipt == "taken"
    assert told.row.outcome == "transferred", told
    assert (told.event(AgentAnswered).intent, told.event(AgentAnswered).agent) == ("operator", who), told
    assert kept(bank, told.row.id) == [(who, False)]


async def test_workers_that_die_while_an_agent_thinks_cost_the_call_nothing(bank: Installation, testdata: Path) -> None:
    with web_process(bank) as (_, address):
        async with sitting(bank, address, "carla") as desk, TwilioCaller.calling(bank.twilio, "workers") as caller:
            await caller.quiet()
            await caller.say(recorded(testdata / UNCLEAR))
            task = (await desk.next("offer"))["task"]
            for worker in bank.workers():
                os.kill(worker, signal.SIGKILL)
            await desk.send(event="answer", task=task, kind="picked", text="operator")
            receipt = (await desk.next("receipt"))["receipt"]
            await caller.over.wait()
    told = bank.told("workers")
    bank.wait_until_ready()

    assert receipt == "taken"
    assert told.row.outcome == "transferred", told
    assert kept(bank, told.row.id) == [("carla", False)]


async def test_an_answer_to_a_call_whose_engine_dies_before_it_hears_it_is_kept(
    models: None, host: BankHost, prompts_folder: Path, tmp_path: Path, testdata: Path
) -> None:
    with assisted(tmp_path, host, prompts_folder) as bank, web_process(bank) as (_, address):
        async with sitting(bank, address, "dora") as desk, TwilioCaller.calling(bank.twilio, "dies") as caller:
            await caller.quiet()
            await caller.say(recorded(testdata / UNCLEAR))
            task = (await desk.next("offer"))["task"]
            bank.process.send_signal(signal.SIGSTOP)  # it can't hear of the answer that the desk acknowledges
            await desk.send(event="answer", task=task, kind="picked", text="operator")
            receipt = (await desk.next("receipt"))["receipt"]
            bank.process.kill()
            await caller.over.wait()
            await desk.next("day")
            await desk.next("beat")  # the desk does not mind
    journal = Journal(connect(store_in(tmp_path)))
    swept = journal.sweep()  # what the next start does first
    journal.close()
    told = bank.told("dies")

    assert receipt == "taken"
    assert kept(bank, told.row.id) == [("dora", False)]
    assert [told.row.id] == list(swept)
    assert told.row.outcome == CRASHED
