"""The product's memory: every event of every call and what was decided, appended in order.

Rules:

* acknowledged means committed: the future that :meth:`Journal.append` returns is done when the step can't be lost any more;
* the media loop never waits for the disk: one thread writes, and commits everything that has gathered in one transaction. It
  shares the interpreter with the loop, so it says plain inserts: through the ORM a step costs five times as much;
* a database that is away, locked or full costs no call and no step: :mod:`engine.store.keeper` says what happens instead;
* a call belongs to the engine that took it: only a dead engine's calls are swept (:mod:`engine.store.engines`).
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from engine.core.call import CallFacts, CallId
from engine.core.units import Language, Seconds
from engine.dialogue.graph import Flow
from engine.store.aside import Aside
from engine.store.engines import sweep
from engine.store.entries import CRASHED, Entry, Kind
from engine.store.keeper import JournalBroken, Keeper, Standing, Waiting
from engine.store.line import Line
from engine.store.models import CallRow, StepRow

__all__ = ["CRASHED", "Journal", "JournalBroken", "Standing", "Step"]


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the journal."""

    number: int

    at: Seconds
    """On the call's timeline."""

    event: str | None
    """Canonical JSON; ``None`` where the machine's own deadline passed."""

    actions: str
    """Canonical JSON."""


class Journal:
    """Appends steps from a thread of its own; reads them back. Close it, or the last writes may be lost."""

    def __init__(self, engine: Engine, owner: str | None = None, aside: Path | None = None) -> None:
        """``owner``: the engine whose calls are written (:class:`engine.store.engines.Presence`); ``aside``: the folder where
        is written what can't be committed; without it, it waits in memory."""
        self._engine = engine
        self._owner = owner
        self._waiting: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._line = Line(engine)
        self._keeper = Keeper(self._line, Aside(aside, owner or "nobody") if aside else None)
        self._thread = threading.Thread(target=self._write_all, name="journal", daemon=True)
        self._thread.start()

    @property
    def standing(self) -> Standing:
        """How it is with what was appended."""
        return self._keeper.standing

    @property
    def healthy(self) -> bool:
        """Whether everything appended so far is, or can still be, kept."""
        return self.standing is not Standing.BROKEN

    def begin(self, facts: CallFacts, flow: Flow, *, language: Language | None, agents: bool) -> Future[None]:
        """Open the record of a call."""
        row = {
            "id": facts.id,
            "engine": self._owner,
            "door": facts.door,
            "direction": facts.direction.value,
            "caller_number": facts.caller_number,
            "called_number": facts.called_number,
            "flow": flow.name,
            "flow_revision": flow.revision,
            "agents": agents,
            "language": language,
            "started_at": datetime.now(UTC),
        }
        return self._submit(Entry(Kind.BEGAN, row))

    def append(self, call: CallId, step: Step) -> Future[None]:
        """Keep one step; the future is done once it can't be lost."""
        row = {"call_id": call, "number": step.number, "at": step.at, "event": step.event, "actions": step.actions}
        return self._submit(Entry(Kind.STEP, row))

    def end(self, call: CallId, outcome: str) -> Future[None]:
        """Close the record of a call with its one outcome; a second one is ignored."""
        row = {"id": call, "engine": self._owner, "ended_at": datetime.now(UTC), "outcome": outcome}
        return self._submit(Entry(Kind.ENDED, row))

    def sweep(self) -> list[CallId]:
        """Give every call that a dead engine left open the outcome ``crashed``."""
        return sweep(self._engine)

    def calls(self) -> Iterator[CallRow]:
        """Every call, newest first; detached rows."""
        with Session(self._engine, expire_on_commit=False) as session:
            yield from session.scalars(select(CallRow).order_by(CallRow.started_at.desc()))

    def call(self, call: CallId) -> CallRow | None:
        """One call's row, or ``None`` where there is no such call."""
        with Session(self._engine, expire_on_commit=False) as session:
            return session.get(CallRow, call)

    def steps(self, call: CallId) -> list[Step]:
        """All steps of one call, in order."""
        with Session(self._engine) as session:
            rows = session.scalars(select(StepRow).where(StepRow.call_id == call).order_by(StepRow.number))
            return [Step(row.number, Seconds(row.at), row.event, row.actions) for row in rows]

    def close(self) -> None:
        """Write what is waiting, then stop."""
        self._waiting.put(None)
        self._thread.join()

    def _submit(self, entry: Entry) -> Future[None]:
        acknowledged: Future[None] = Future()
        acknowledged.set_running_or_notify_cancel()  # who stops waiting does not stop the thread
        self._waiting.put((entry, acknowledged))
        return acknowledged

    def _write_all(self) -> None:
        closing = False
        while not closing:
            gathered = self._gathered()
            closing = None in gathered
            self._keeper.keep(one for one in gathered if one is not None)
        self._keeper.leave()
        self._line.drop()
        self._line.stop()

    def _gathered(self) -> list[Waiting | None]:
        """What has come; nothing, where it is time to try again."""
        gathered: list[Waiting | None] = []
        with suppress(queue.Empty):
            gathered.append(self._waiting.get(timeout=self._keeper.patience))
        while not self._waiting.empty():
            gathered.append(self._waiting.get())
        return gathered
