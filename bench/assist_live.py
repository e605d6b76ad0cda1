"""How soon is an unsure phrase at a desk, and how soon does the caller hear what an agent has answered?

Calls in real time through the Twilio door of an engine in a process of its own; each says something that nobody can be sure of.
As many desks as callers, so that no phrase waits for an agent; each answers two seconds later, when the filler is over.

* ``to_desk``: from the moment at which the dialogue decided to ask (the turn had ended, its words were there) to the offer *and
  its sound* at the desk's end of the WebSocket. What a browser then takes to draw it, two frames, is not in it.
* ``to_caller``: from the agent's message to the first audible sample at the caller's end.

Once with the board in the engine's memory and the desks at its own door, and once with the board in the database (SQLite) and the
desks served by a process of their own. Desks and callers run on the same machine as the engine, so part of the time is their own.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from bench.card import Row, percentiles, progress
from bench.latency import engine
from engine.access.permissions import Role
from engine.core.audio import AudioFrame, joined
from engine.core.speech import ENGLISH
from engine.core.units import Seconds
from engine.store.accounts import Actor
from engine.store.database import connect as connect_store
from engine.store.house import House
from engine.testing.twilio_caller import TwilioCaller
from engine.tts.level import prepared
from engine.tts.registry import load_voice

QUESTION = "How soon is an unsure phrase at a desk, and the answer at the caller?"
NOTES = ("synthetic speech", "to_desk: offer and sound received; to_caller: first audible sample")
_UNSURE = (
    "The one with the thing from before.",
    "That thing again, like the other day.",
    "I was told to do it this way.",
    "Something is wrong with the other one.",
    "Can you do the same as last time?",
    "I would like what I had last year.",
)
_BOARDS = {"local": "[assist]", "database": '[assist]\nboard = "database"\n[doors.desk]\nport = 0'}
_THINKS = 2.0  # seconds, after which the filler is over
_PATIENCE = Seconds(12.0)
_ANSWER = {"event": "answer", "kind": "picked", "text": "repeat"}


class Floor:
    """All callers and desks, and when what happened."""

    def __init__(self) -> None:
        self.arrived: dict[str, float] = {}
        """By task: seconds since the epoch."""
        self.answered: dict[str, asyncio.Future[float]] = {}
        """By the call's name, on the monotonic clock."""
        self.to_caller: list[float] = []
        self.calls = 0

    async def sit(self, address: str, token: str) -> None:
        """Answer phrases until cancelled."""
        shown = {"Authorization": f"Bearer {token}"}
        async with connect(address, compression=None, max_size=1 << 20, additional_headers=shown) as socket:
            await _say(socket, {"event": "sign_in", "languages": [ENGLISH]})
            offered, answering = "", set()
            async for message in socket:
                if isinstance(message, bytes):
                    self.arrived[offered] = time.time()
                    await _say(socket, {"event": "shown", "task": offered})
                    answering.add(asyncio.create_task(self._answer(socket, offered)))
                    continue
                told = json.loads(message)
                if told["event"] == "beat":
                    await _say(socket, {"event": "present"})
                elif told["event"] == "offer":
                    offered = told["task"]

    async def _answer(self, socket: ClientConnection, task: str) -> None:
        await asyncio.sleep(_THINKS)
        waiting = self.answered.get(task.partition("-")[0])
        if waiting is not None and not waiting.done():
            waiting.set_result(time.monotonic())
        await _say(socket, {**_ANSWER, "task": task})

    async def call(self, url: str, name: str, said: AudioFrame) -> None:
        """Say it, and wait for the prompt after the answer."""
        self.calls += 1
        self.answered[name] = asyncio.get_running_loop().create_future()
        async with TwilioCaller.calling(url, name) as caller:
            await caller.quiet()
            await caller.say(said)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PATIENCE):
                    answered = await self.answered[name]
                ago = time.monotonic() - answered
                at = Seconds(caller.now - ago)
                self.to_caller.append(await caller.hears(at) - at)


async def measured(calls: int, rounds: int) -> Sequence[Row]:
    """Keep so many callers on the line, each calling so often; once for each kind of board."""
    voice = load_voice("piper")
    said = [prepared(joined(list(voice.say(text, ENGLISH)))) for text in _UNSURE]
    return [row for board in _BOARDS for row in await _measured(board, calls, rounds, said)]


async def _measured(board: str, calls: int, rounds: int, said: Sequence[AudioFrame]) -> Sequence[Row]:
    with tempfile.TemporaryDirectory() as place:
        folder, floor = Path(place), Floor()
        async with engine(folder, _BOARDS[board]) as url, _desks(folder, board, url) as desk:
            sitting = [asyncio.create_task(floor.sit(desk, token)) for token in _tokens(folder / "bench.db", calls)]
            await asyncio.gather(*(_caller(floor, url, number, rounds, said) for number in range(calls)))
            for task in sitting:
                task.cancel()
            await asyncio.gather(*sitting, return_exceptions=True)
        asked = _asked(folder / "bench.db")
    return _rows(board, calls, floor, [floor.arrived[task] - at for task, at in asked.items() if task in floor.arrived])


@contextlib.asynccontextmanager
async def _desks(folder: Path, board: str, url: str) -> AsyncIterator[str]:
    """Where desks are served: by the engine or, with the board in the database, by a process of their own."""
    if board == "local":
        yield url.removesuffix("/twilio") + "/desk/ws"
        return
    command = (sys.executable, "-m", "engine.cli", "serve", "--only", "desk", "--config", str(folder / "engine.toml"))
    log = (folder / "desks").open("wb")
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, stderr=log)
    assert process.stdout is not None
    try:
        line = (await process.stdout.readline()).decode()
        if not line.startswith("desk"):
            raise RuntimeError(f"the desks did not open:\n{(folder / 'desks').read_text(encoding='utf-8')}")
        yield line.split()[1].replace("http://", "ws://") + "/ws"
    finally:
        process.terminate()
        await process.wait()


def _tokens(database: Path, number: int) -> list[str]:
    """Of agents that are no people."""
    store = connect_store(f"sqlite:///{database}")
    machines, lasts = House.of(store).machines, timedelta(days=1)
    made = [machines.add(Actor("shell:bench"), f"agent-{one}", [Role.SILENT_AGENT], lasts) for one in range(number)]
    store.dispose()
    return made


async def _caller(floor: Floor, url: str, number: int, rounds: int, said: Sequence[AudioFrame]) -> None:
    await asyncio.sleep(0.35 * number)  # not all at once
    for one in range(rounds):
        progress(f"caller {number}, call {one + 1}")
        await floor.call(url, f"c{number}x{one}", said[(number + one) % len(said)])


def _asked(database: Path) -> dict[str, float]:
    """When each task was asked, as the engine kept it with the answer."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT call, number, task FROM assist_labels").fetchall()
    return {f"{call}:{number}": json.loads(task)["asked_at"] for call, number, task in rows}


def _rows(board: str, calls: int, floor: Floor, to_desk: Sequence[float]) -> Sequence[Row]:
    rows: list[Row] = []
    for what, found in (("to_desk", to_desk), ("to_caller", floor.to_caller)):
        if not found:
            continue
        its = percentiles(found)
        rows.append(
            {
                "board": board,
                "calls at once": calls,
                "what": what,
                "calls": floor.calls,
                "measured": len(found),
                "p50_ms": round(its.p50 * 1000),
                "p95_ms": round(its.p95 * 1000),
                "max_ms": round(max(found) * 1000),
            }
        )
    return rows


async def _say(socket: ClientConnection, message: Any) -> None:
    await socket.send(json.dumps(message))
