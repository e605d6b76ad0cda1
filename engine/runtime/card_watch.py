"""A scorecard beside a call that goes on: what is satisfied, violated or still open so far, for who looks on.

Rules. Nothing is worked out before somebody looks, and nothing of it in the engine's process: a child of its own, with a low
claim to the processor, reads the call's journal and puts it to :mod:`engine.qa.monitor`. So no media waits, whatever a card
costs. What it knows is what the journal's writer has written; a decision holds as far as that was heard, the call's recording is
scored anew when it is over. Where the child dies, a look goes without, and the next one starts another.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from engine.config import MAIN
from engine.core.call import CallId, Speaker
from engine.core.errors import EngineError, MediaError
from engine.core.hardened import harden
from engine.core.units import Language, Seconds
from engine.qa.card import Scorecard
from engine.qa.files import load_scorecard
from engine.qa.monitor import CallSetting, Monitor, Standing
from engine.qa.transcripts import timeline_of
from engine.runtime.conversations import SaidTurn, turns_of_journal
from engine.runtime.live import Happened, LiveCall
from engine.runtime.process import end_with_parent
from engine.store.database import connect
from engine.store.journal import Step
from engine.store.models import CallRow, StepRow

_log = structlog.get_logger(__name__)
_NICE: Final = 10


@dataclass(frozen=True, slots=True)
class SoFar:
    """How one question of a card stands."""

    question: str
    """As the card asks it."""

    standing: Standing


class CardWatch:
    """The cards that watch calls, by the names of flows. For one event loop."""

    def __init__(self, database: str, cards: Mapping[str, Path]) -> None:
        """``database``: its address. Each card is read once, now.

        Raises:
            ConfigError: one can't be read.
        """
        for path in cards.values():
            load_scorecard(path)
        self._database, self._cards = database, cards
        self._child: ProcessPoolExecutor | None = None
        self._wanted: dict[CallId, tuple[Path, Sequence[Happened]]] = {}
        self._known: dict[CallId, tuple[int, Sequence[Happened], Sequence[SoFar]]] = {}
        self._version = 0
        self._working: asyncio.Task[None] | None = None

    def look(self, calls: Sequence[LiveCall]) -> None:
        """Have it worked out how calls stand that somebody looks at; who looks does not wait for it."""
        for it in calls:
            card, known = self._cards.get(it.flow or MAIN), self._known.get(it.call.id)
            if card is not None and (known is None or known[1] is not it.happened):
                self._wanted[it.call.id] = (card, it.happened)
        if self._wanted and (self._working is None or self._working.done()):
            self._working = asyncio.create_task(self._work())

    def since(self, version: int, live: Collection[CallId]) -> tuple[int, Mapping[CallId, Sequence[SoFar]]]:
        """What has become known after an earlier version, of calls that go on; and the version it is now."""
        self._known = {call: known for call, known in self._known.items() if call in live}
        return self._version, {call: so_far for call, (at, _, so_far) in self._known.items() if at > version}

    async def _work(self) -> None:
        while self._wanted:
            call, (card, happened) = self._wanted.popitem()
            found = await self._asked(call, card)
            if found is not None:
                self._version += 1
                self._known[call] = (self._version, happened, found)

    async def _asked(self, call: CallId, card: Path) -> Sequence[SoFar] | None:
        child = self._child = self._child or ProcessPoolExecutor(1, get_context("spawn"), _begin)
        try:
            asked = await asyncio.to_thread(child.submit, stands, self._database, call, card)  # it may begin a process
            return await asyncio.wrap_future(asked)
        except (BrokenProcessPool, EngineError, SQLAlchemyError) as error:
            _log.warning("card_watch.failed", call=call, error=type(error).__name__)
            if isinstance(error, BrokenProcessPool):
                self._child = None
            return None


def stands(database: str, call: CallId, card: Path) -> Sequence[SoFar]:
    """How a call stands by its journal so far, and a card.

    Raises:
        ConfigError: the card can't be read.
        SQLAlchemyError: the journal can't be read.
    """
    read = _card(card)
    with Session(_engine(database)) as session:
        row = session.get(CallRow, call)
        steps = session.scalars(select(StepRow).where(StepRow.call_id == call).order_by(StepRow.number)).all()
    if row is None:
        return ()
    language, facts = Language(row.language or "en"), {"direction": row.direction, "flow": row.flow}
    monitor = Monitor(read, CallSetting(language, facts=facts))
    turns = _said([Step(it.number, Seconds(it.at), it.event, it.actions) for it in steps])
    told = timeline_of({"language": language, "source": "machine", "turns": [asdict(it) for it in turns]}, call)
    monitor.revised(told.stretches, max((it.end for it in turns if it.speaker == Speaker.CALLER), default=Seconds(0.0)))
    return tuple(SoFar(it.text, monitor.standings[it.id]) for it in read.questions)


def _said(steps: Sequence[Step]) -> Sequence[SaidTurn]:
    try:
        return turns_of_journal(steps)
    except MediaError:  # of another version
        return ()


def _begin() -> None:
    """In the child: no one may read what it reads, everything else goes first; it ends when the engine does, however that ends,
    and not by the terminal."""
    harden()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(_NICE)
    end_with_parent()


@lru_cache(maxsize=64)
def _card(path: Path) -> Scorecard:
    return load_scorecard(path)


@lru_cache(maxsize=1)
def _engine(database: str) -> Engine:
    return connect(database)
