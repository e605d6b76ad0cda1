"""The product's memory: every event of every call and what was decided, appended in order.

Rules:

* acknowledged means committed: the future that :meth:`Journal.append` returns is done when the step can't be lost any more;
* the media loop never waits for the disk: one thread writes, and commits everything that has gathered in one transaction. It
  shares the interpreter with the loop, so it says plain inserts: through the ORM a step costs five times as much;
* after a failed commit nothing more is written (a failed fsync must not be tried again, see PostgreSQL's "fsyncgate"): the
  journal is not healthy, the calls go on, the operator is told.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, insert, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from engine.core.call import CallFacts, CallId
from engine.core.errors import EngineError
from engine.core.units import Language, Seconds
from engine.dialogue.graph import Flow
from engine.store.models import CallRow, StepRow

CRASHED = "crashed"  # the outcome of calls that a dead engine left open


class JournalBroken(EngineError):
    """The journal could not be written; what was appended since is not kept."""

    code = "journal"


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


_Write = Callable[[Connection], object]


class Journal:
    """Appends steps from a thread of its own; reads them back. Close it, or the last writes may be lost."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: queue.SimpleQueue[tuple[_Write, Future[None]] | None] = queue.SimpleQueue()
        self._failure: JournalBroken | None = None
        self._thread = threading.Thread(target=self._write_all, name="journal", daemon=True)
        self._thread.start()

    @property
    def healthy(self) -> bool:
        """Whether everything appended so far was, or can still be, written."""
        return self._failure is None

    def begin(self, facts: CallFacts, flow: Flow, *, language: Language | None, agents: bool) -> Future[None]:
        """Open the record of a call."""
        row = {
            "id": facts.id,
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
        return self._submit(lambda connection: connection.execute(insert(CallRow), row))

    def append(self, call: CallId, step: Step) -> Future[None]:
        """Keep one step; the future is done once it is committed."""
        row = {"call_id": call, "number": step.number, "at": step.at, "event": step.event, "actions": step.actions}
        return self._submit(lambda connection: connection.execute(insert(StepRow), row))

    def end(self, call: CallId, outcome: str) -> Future[None]:
        """Close the record of a call with its one outcome; a second one is ignored."""
        ended = {"ended_at": datetime.now(UTC), "outcome": outcome}
        closed = update(CallRow).where(CallRow.id == call, CallRow.outcome.is_(None))
        return self._submit(lambda connection: connection.execute(closed, ended))

    def sweep(self) -> list[CallId]:
        """Give every call that a dead engine left open the outcome ``crashed``; run once, before the first call."""
        with Session(self._engine) as session, session.begin():
            left = [CallId(call) for call in session.scalars(select(CallRow.id).where(CallRow.outcome.is_(None)))]
            session.execute(update(CallRow).where(CallRow.id.in_(left)).values(outcome=CRASHED, ended_at=datetime.now(UTC)))
        return left

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

    def _submit(self, write: _Write) -> Future[None]:
        acknowledged: Future[None] = Future()
        acknowledged.set_running_or_notify_cancel()  # who stops waiting does not stop the thread
        self._waiting.put((write, acknowledged))
        return acknowledged

    def _write_all(self) -> None:
        closing = False
        while not closing:
            gathered = [self._waiting.get()]
            while not self._waiting.empty():
                gathered.append(self._waiting.get())
            closing = None in gathered
            self._commit([entry for entry in gathered if entry is not None])

    def _commit(self, entries: list[tuple[_Write, Future[None]]]) -> None:
        if self._failure is None and entries:
            try:
                with self._engine.begin() as connection:
                    for write, _ in entries:  # in the order they came: a call before its steps
                        write(connection)
            except SQLAlchemyError as error:
                self._failure = JournalBroken(f"expected the journal to be written, found {type(error).__name__}")
        for _, acknowledged in entries:
            if self._failure is None:
                acknowledged.set_result(None)
            else:
                acknowledged.set_exception(self._failure)
