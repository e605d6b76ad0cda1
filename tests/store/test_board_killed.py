"""A board of many processes whose users are killed at any moment: no acknowledged answer is lost, no call waits for ever."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from engine.assist.broker import Asked, SignedIn, Withdrawn
from engine.assist.tasks import AgentId, Receipt, Settled, TaskId
from engine.core.speech import ENGLISH
from engine.store.assist_models import LabelRow
from engine.store.board import BoardRows, Change
from engine.store.board_models import BoardDeskRow, BoardPhraseRow, BoardTaskRow
from engine.store.database import connect
from engine.store.labels import Labels
from engine.testing.boards import ANN, HASTY, PHRASE, task
from tests.databases import KINDS, store_in
from tests.store.board_drivers import PATIENT, Part, answers_and_dies, calls, desks, identity

KILLS = int(os.environ.get("KILLS", "30"))  # no loss in n trials: fewer than 3/n of them lose something, at 95 %
SLACK = 3.0  # seconds by which a busy machine may be late

_forking = multiprocessing.get_context("forkserver")
_forking.set_forkserver_preload(["tests.store.board_drivers"])


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return store_in(tmp_path, request.param)


@dataclass
class Noted:
    """What all processes were told."""

    asked: dict[TaskId, float] = field(default_factory=dict)
    """And their deadlines."""
    given: dict[TaskId, list[dict[str, Any]]] = field(default_factory=dict)
    answered: list[tuple[TaskId, str, str]] = field(default_factory=list)
    finished: set[str] = field(default_factory=set)
    """Calls' processes that were let live to the end."""
    unavailable: set[str] = field(default_factory=set)
    """Those that could not reach the board at some moment."""
    wrong: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, folder: Path) -> Noted:
        noted = cls()
        for file in folder.glob("*.jsonl"):
            for line in file.read_text(encoding="utf-8").splitlines():
                noted._add(json.loads(line))
        return noted

    @property
    def taken(self) -> int:
        """Answers that counted."""
        return sum(receipt == Receipt.TAKEN for _, _, receipt in self.answered)

    def _add(self, line: dict[str, Any]) -> None:
        match line:
            case {"asked": of, "deadline": deadline}:
                self.asked[identity(of)] = deadline
            case {"given": of}:
                self.given.setdefault(identity(of), []).append(line)
            case {"answered": of, "agent": agent, "receipt": receipt}:
                self.answered.append((identity(of), agent, receipt))
            case {"finished": name}:
                self.finished.add(name)
            case {"unavailable": name}:
                self.unavailable.add(name)
            case {"wrong": what}:
                self.wrong.append(what)


class Company:
    """Two processes of calls and two of desks. Who is killed is replaced."""

    def __init__(self, url: str, folder: Path, seed: int) -> None:
        self._url, self._folder, self._luck = url, folder, random.Random(seed)
        parts: list[tuple[Callable[[Part], None], tuple[str, ...]]] = [
            (calls, ()), (calls, ()), (desks, ("ann", "bob")), (desks, ("cleo",)),
        ]  # fmt: skip
        self._places = [(work, tuple(map(AgentId, agents)), self._start(work, agents)) for work, agents in parts]

    def _start(self, work: Callable[[Part], None], agents: tuple[str, ...]) -> BaseProcess:
        seed = self._luck.randrange(1 << 30)
        part = Part(self._url, self._folder / f"{uuid4().hex}.jsonl", seed, tuple(map(AgentId, agents)))
        process = _forking.Process(target=work, args=(part,), daemon=True)
        process.start()
        return process

    def kill_one(self) -> None:
        self._wait(self._luck.randrange(12))
        time.sleep(self._luck.uniform(0.0, 0.05))  # any moment
        at = self._luck.randrange(len(self._places))
        work, agents, process = self._places[at]
        process.kill()
        process.join()
        self._places[at] = (work, agents, self._start(work, agents))

    def _wait(self, notes: int) -> None:
        """Until so many more things have happened; a busy machine takes its time."""
        enough, until = self._happened + notes, time.monotonic() + 30.0
        while self._happened < enough and time.monotonic() < until:
            time.sleep(0.005)

    @property
    def _happened(self) -> int:
        return sum(file.read_bytes().count(b"\n") for file in self._folder.iterdir())

    def end(self) -> None:
        """Calls first: they wait for all that they have asked."""
        for kind in (calls, desks):
            here = [process for work, _, process in self._places if work is kind]
            for process in here:
                _told(process)
            for process in here:
                process.join(30)
                assert process.exitcode == 0, process.exitcode


def _told(process: BaseProcess) -> None:
    """One that has just begun does not listen yet, and may end so: nothing was asked."""
    assert process.pid is not None
    os.kill(process.pid, signal.SIGTERM)


@pytest.mark.slow
def test_whoever_is_killed_no_acknowledged_answer_is_lost_and_every_living_call_hears(url: str, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    database = connect(url)
    company = Company(url, tmp_path / "notes", seed=2026)
    for _ in range(KILLS):
        company.kill_one()
        nothing_is_half_done(database)
    time.sleep(1.0)  # those that were just started begin to listen
    company.end()
    noted = Noted.read(tmp_path / "notes")
    kept = Counter((TaskId(row.call, row.number), row.agent, row.late) for row in labels(database))  # type: ignore[arg-type]

    assert noted.wrong == []
    assert noted.taken >= KILLS / 5, "something was at stake"
    assert len(noted.finished) == 2
    for name, agent, receipt in noted.answered:
        if receipt != Receipt.NOT_YOURS:
            assert kept[(name, agent, receipt == Receipt.LATE)] == 1, (name, agent, receipt)
    assert max(Counter(name for name, _, late in kept if not late).values()) == 1, "one answer counts"
    the_calls_heard(noted, {name: agent for name, agent, late in kept if not late})
    everything_goes(database)
    database.dispose()


def nothing_is_half_done(database: Engine) -> None:
    rows = BoardRows(database, Labels(database, None), "referee", HASTY)
    state = rows.read()
    held = [it.holder for it in state.tasks.values() if it.holder is not None]
    with Session(database) as session:
        over = (BoardTaskRow.call == BoardPhraseRow.call) & (BoardTaskRow.number == BoardPhraseRow.number)
        left = session.scalar(select(func.count()).select_from(BoardPhraseRow).join(BoardTaskRow, over)
                              .where(BoardTaskRow.settled.is_not(None)))  # fmt: skip

    assert len(held) == len(set(held)), "an agent holds one task"
    assert all(it.holder is None for it in state.tasks.values() if it.settled)
    assert left == 0, "the sound of a task that has ended"


def the_calls_heard(noted: Noted, counted: dict[TaskId, str]) -> None:
    for name, deadline in noted.asked.items():
        heard = noted.given.get(name, [])
        assert len(heard) <= 1, name
        if name.call in noted.finished:
            assert len(heard) == 1, name
            assert heard[0]["at"] < deadline + SLACK
        if name.call in noted.finished - noted.unavailable:
            assert (heard[0]["agent"] if heard[0]["how"] == Settled.ANSWERED else None) == counted.get(name), heard


def everything_goes(database: Engine) -> None:
    """Nothing is remembered once its time is over, though everybody who asked is dead."""
    rows = BoardRows(database, Labels(database, None), "last", HASTY, clock=lambda: time.time() + 60.0)
    rows.change([])
    rows.change([])  # expired by the first, forgotten by the second

    later = BoardRows(database, Labels(database, None), "last", HASTY, clock=lambda: time.time() + 120.0)
    later.change([])
    with Session(database) as session:
        for table in (BoardTaskRow, BoardPhraseRow, BoardDeskRow):
            assert session.scalar(select(func.count()).select_from(table)) == 0, table


def labels(database: Engine) -> list[LabelRow]:
    with Session(database, expire_on_commit=False) as session:
        return list(session.scalars(select(LabelRow)))


def test_killed_before_any_statement_an_answer_is_whole_or_not_there_at_all(url: str) -> None:
    database = connect(url)
    rows = BoardRows(database, Labels(database, None), "here", PATIENT)
    seen = []
    for statements in range(40):
        asked = task(f"call{statements}", within=60.0)
        rows.change([Change(SignedIn(ANN, frozenset({ENGLISH}))), Change(Asked(asked), PHRASE)])
        dying = _forking.Process(target=answers_and_dies, args=(url, ANN, asked.id, statements))
        dying.start()
        dying.join(30)
        found = rows.read([asked.id]).tasks[asked.id]
        kept = [it for it in labels(database) if it.call == asked.id.call]
        sound = rows.phrase(ANN, asked.id)
        seen.append(found.settled)

        assert len(kept) == (1 if found.settled is Settled.ANSWERED else 0), "the label and the end of the task, or neither"
        assert (sound is None) == (found.holder is None)
        if dying.exitcode == 0:
            break
        rows.change([Change(Withdrawn(asked.id))])
    database.dispose()

    assert dying.exitcode == 0
    assert seen[-2:] == [Settled.ANSWERED, Settled.ANSWERED], "killed after the commit, and let live"
    assert set(seen[:-2]) == {None}, seen
    assert len(seen) > 8
