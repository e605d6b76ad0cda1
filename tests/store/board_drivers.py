"""Processes that use a shared board and may be killed at any moment: one of calls, one of desks. They note what they were told.

A note is one small write to a file of the process's own, after the fact: what stands there was acknowledged.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import structlog
from sqlalchemy import event as when

from engine.assist.board import Offered
from engine.assist.broker import Answered, BrokerPolicy
from engine.assist.tasks import AgentId, CantTell, Picked, Task, TaskId
from engine.core.call import CallId
from engine.core.units import Seconds
from engine.runtime.board_shared import SharedBoard
from engine.store.board import BoardRows, Change
from engine.store.database import connect
from engine.store.labels import Labels
from engine.testing.boards import HASTY, PHRASE, Sitting, beating, task

WITHIN = 1.5  # seconds a call waits
PATIENT = BrokerPolicy(lease=Seconds(60.0), silence=Seconds(60.0), shortest=Seconds(0.1), memory=Seconds(600.0))
"""For tests in which no time passes."""


@dataclass(frozen=True)
class Part:
    """What one process plays."""

    url: str
    notes: Path
    seed: int
    agents: tuple[AgentId, ...] = ()

    @property
    def luck(self) -> random.Random:
        return random.Random(self.seed)


class Notes:
    def __init__(self, file: Path) -> None:
        self._file = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def add(self, **what: Any) -> None:
        os.write(self._file, (json.dumps(what) + "\n").encode())


def calls(part: Part) -> None:
    """Ask again and again until told to stop; then hear what becomes of all that was asked."""
    asyncio.run(_calls(part))


def desks(part: Part) -> None:
    """Answer what comes, until killed or told to stop."""
    asyncio.run(_desks(part))


def answers_and_dies(url: str, agent: AgentId, of: TaskId, statements: int) -> None:
    """Answer one task; die before the so-manieth statement, or else after the commit and before anybody hears of it."""
    database = connect(url)
    rows = BoardRows(database, Labels(database, None), "dying", PATIENT)
    left = [statements]

    def count(*_: object) -> None:
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    when.listen(database, "before_cursor_execute", count)
    when.listen(database, "commit", count)
    rows.change([Change(Answered(agent, of, CantTell()))])
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)


def _opened(part: Part) -> SharedBoard:
    database = connect(part.url)
    return SharedBoard(BoardRows(database, Labels(database, None), uuid4().hex, HASTY), database)


def _told_to_stop() -> asyncio.Event:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    return stop


async def _calls(part: Part) -> None:
    stop, notes, luck, board = _told_to_stop(), Notes(part.notes), part.luck, _opened(part)
    name = uuid4().hex
    open_tasks: set[TaskId] = set()
    structlog.configure(processors=[lambda _, __, said: _note_outage(notes, name, said)])
    hearing = asyncio.create_task(_hear(board, notes, open_tasks))
    for number in range(1, 1 << 30):
        if stop.is_set():
            break
        asked = task(name, number, WITHIN)
        open_tasks.add(asked.id)
        notes.add(asked=[name, number], deadline=asked.deadline)
        await board.ask(asked, PHRASE)
        await asyncio.sleep(luck.uniform(0.0, 0.25))
        if luck.random() < 0.1:
            notes.add(withdrawn=[name, number])
            await board.withdraw(asked.id)
    while open_tasks:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    notes.add(finished=name)
    hearing.cancel()
    board.close()


def _note_outage(notes: Notes, name: str, said: Any) -> str:
    """On a machine that is too busy, SQLite's lock may not be had for five seconds; a call then goes on by itself."""
    if said["event"] == "board.unavailable":
        notes.add(unavailable=name)
    return str(said)


async def _hear(board: SharedBoard, notes: Notes, open_tasks: set[TaskId]) -> None:
    async for given in board.given():
        notes.add(given=[given.task.call, given.task.number], how=given.settled, agent=given.agent, at=time.time())
        open_tasks.discard(given.task)


async def _desks(part: Part) -> None:
    stop, notes, board = _told_to_stop(), Notes(part.notes), _opened(part)
    work = [asyncio.create_task(_sit(await Sitting.at(board, agent), notes, part.luck)) for agent in part.agents]
    work.append(asyncio.create_task(beating(board, *part.agents)))
    await stop.wait()
    for one in work:
        one.cancel()
    await asyncio.gather(*work, return_exceptions=True)
    board.close()


async def _sit(sitting: Sitting, notes: Notes, luck: random.Random) -> None:
    async for news in sitting.board.news(sitting.agent):
        if isinstance(news, Offered):
            await _answer(sitting, news.task, notes, luck)


async def _answer(sitting: Sitting, found: Task, notes: Notes, luck: random.Random) -> None:
    sound = await sitting.board.phrase(sitting.agent, found.id)
    if sound not in {None, PHRASE}:
        notes.add(wrong="the sound is another's")
    if luck.random() < 0.1:
        return  # somebody who looks away
    await sitting.board.shown(sitting.agent, found.id)
    await asyncio.sleep(luck.uniform(0.0, 0.15))
    receipt = await sitting.board.answer(sitting.agent, found.id, Picked("operator"))
    notes.add(answered=[found.id.call, found.id.number], agent=sitting.agent, receipt=receipt)


def identity(of: list[Any]) -> TaskId:
    """As it stands in notes."""
    return TaskId(CallId(of[0]), of[1])
