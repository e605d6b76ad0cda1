"""The silent agents' board in the database: the broker's whole state as rows, and every event one short transaction on them.

Rules:

* who writes has the board to itself (SQLite's one writer; on PostgreSQL an advisory lock), reads what goes on, lets
  :class:`engine.assist.broker.Broker` decide, and writes what has changed. So the broker's rules hold whichever process an event
  comes to, and who is killed at any moment leaves the board as it was before, or as it is after;
* an answer's label is in the same transaction: an answer that was acknowledged is an example for good;
* a phrase's sound is deleted with the transaction that ends its task. Who has played it may hand it back for a late label;
* an agent's desk is one process's, which signed them in last; what another still says of it changes nothing.

For several threads and processes. Times are seconds since the epoch, on machines whose clocks agree to a fraction of a second.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy import ColumnElement, Engine, delete, func, select, text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from engine.assist.board import BoardUnavailable
from engine.assist.broker import (
    Action,
    Answered,
    Asked,
    BrokerPolicy,
    Event,
    Label,
    Lay,
    Present,
    Settle,
    Shown,
    SignedIn,
    SignedOut,
    Take,
    Withdrawn,
)
from engine.assist.tasks import AgentId, TaskId
from engine.core.errors import ProtocolError
from engine.store.board_models import BoardPhraseRow, BoardTaskRow, BoardVersionRow
from engine.store.board_state import Rows, State
from engine.store.labels import Labels

_log = structlog.get_logger(__name__)
CHANNEL: Final = "callwright_board"
"""PostgreSQL's, on which every change is told."""

_LOCK: Final = 0x63772D62  # of PostgreSQL's advisory ones: this board's
_PATIENCE: Final = "5s"  # for the lock; as long as SQLite's
_STUCK: Final = "2s"  # a writer that stands still in the middle loses the lock
_PLAIN = BrokerPolicy()

Outcome = tuple[Action, ...] | ProtocolError


@dataclass(frozen=True, slots=True)
class Change:
    """What happened, as a process brings it to the board."""

    event: Event

    phrase: bytes | None = None
    """With ``Asked``: the sound. With ``Answered``: what the desk still has of it."""

    beat: bool = False
    """With ``SignedIn``: the desk is alive, no more; it is put up again where a pause of ours had taken it for gone."""

    @property
    def concerns(self) -> TaskId | None:
        """The task that it is about, if it is about one."""
        match self.event:
            case Asked(task):
                return task.id
            case Withdrawn(task_id) | Shown(_, task_id) | Answered(_, task_id):
                return task_id
        return None


class BoardRows:
    """The tables, for one process: its ``seat`` is a name that no other has."""

    def __init__(
        self,
        engine: Engine,
        labels: Labels,
        seat: str,
        policy: BrokerPolicy = _PLAIN,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._engine = engine
        self.labels, self.seat, self.policy, self.clock = labels, seat, policy, clock

    def read(self, also: Collection[TaskId] = ()) -> State:
        """Look at the tasks that go on, and at ``also``.

        Raises:
            BoardUnavailable: it can't be read.
        """
        with _reachable(), Session(self._engine) as session:
            if _is_sqlite(session):
                session.connection().exec_driver_sql("BEGIN")  # all of it at one moment
            return Rows(session, self.policy, self.clock(), also).state

    def change(self, changes: Sequence[Change], also: Collection[TaskId] = ()) -> tuple[State, Sequence[Outcome]]:
        """Bring these in order, or time alone where there are none; what came of each. All is kept when this returns.

        Raises:
            BoardUnavailable: nothing of it was kept, as far as anybody can tell.
        """
        with _reachable(), Session(self._engine) as session:
            _lock(session)
            work = _Work(session, self, [*also, *(it.concerns for it in changes if it.concerns is not None)])
            outcomes = [work.take(change) for change in changes] or [work.wait()]
            state = work.finish()
            session.commit()
        return state, outcomes

    def phrase(self, agent: AgentId, task: TaskId) -> bytes | None:
        """The sound, for the agent who holds the task; ``None`` for anybody else.

        Raises:
            BoardUnavailable: it can't be read.
        """
        held = (BoardTaskRow.call == task.call) & (BoardTaskRow.number == task.number) & (BoardTaskRow.holder == agent)
        here = (BoardPhraseRow.call == BoardTaskRow.call) & (BoardPhraseRow.number == BoardTaskRow.number)
        with _reachable(), Session(self._engine) as session:
            return session.scalar(select(BoardPhraseRow.sound).join(BoardTaskRow, here).where(held))


class _Work:
    """One transaction's."""

    def __init__(self, session: Session, board: BoardRows, also: Collection[TaskId]) -> None:
        self._session, self._board = session, board
        self._now = board.clock()  # with the lock in hand: what is written later is later
        self._rows = Rows(session, board.policy, self._now, also)
        self._broker, self._seats = self._rows.broker, self._rows.seats
        self._told = False

    def take(self, change: Change) -> Outcome:
        """Let the broker decide on it; a wrong one changes nothing."""
        if not self._counts(change):
            return ()
        try:
            actions = self._broker.receive(change.event, self._now)
        except ProtocolError as error:
            return error
        if isinstance(change.event, Asked):
            self._put_phrase(change.event.task.id, change.phrase)
        self._perform(actions, change.phrase)
        return actions

    def wait(self) -> Outcome:
        """Do what time demands."""
        actions = self._broker.tick(self._now)
        self._perform(actions, None)
        return actions

    def finish(self) -> State:
        """Write what has changed, and tell everybody."""
        self._rows.write()
        if self._told:
            self._session.execute(update(BoardVersionRow).values(version=BoardVersionRow.version + 1))
            if not _is_sqlite(self._session):
                self._session.execute(select(func.pg_notify(CHANNEL, "")))
        return self._rows.state

    def _counts(self, change: Change) -> bool:
        """Whether this process may still say it; whose desk it is from now on."""
        match change.event:
            case SignedIn(agent):
                seat = self._seats.get(agent)
                if change.beat and seat not in {None, self._board.seat}:
                    return False
                self._told |= seat != self._board.seat
                self._seats[agent] = self._board.seat
            case SignedOut(agent) | Present(agent):
                return self._seats.get(agent) == self._board.seat
        return True

    def _perform(self, actions: tuple[Action, ...], sound: bytes | None) -> None:
        self._told |= any(isinstance(action, Lay | Take | Settle) for action in actions)
        for action in actions:
            match action:
                case Label():
                    self._label(action, sound)
                case Settle(task):
                    self._session.execute(delete(BoardPhraseRow).where(_sound_of(task)))

    def _label(self, label: Label, sound: bytes | None) -> None:
        kept = self._session.scalar(select(BoardPhraseRow.sound).where(_sound_of(label.task.id)))
        try:
            row = self._board.labels.row(label, kept or sound, self._now)
        except OSError as error:  # the words are worth keeping without their sound
            _log.error("assist.sound_lost", call=label.task.id.call, error=type(error).__name__)
            row = self._board.labels.row(label, None, self._now)
        self._session.add(row)

    def _put_phrase(self, task: TaskId, phrase: bytes | None) -> None:
        if self._broker.tasks[task].settled is None:
            self._session.add(BoardPhraseRow(call=task.call, number=task.number, sound=phrase or b""))


def _lock(session: Session) -> None:
    if _is_sqlite(session):
        session.connection().exec_driver_sql("BEGIN IMMEDIATE")
        return
    session.execute(text(f"SET LOCAL lock_timeout = '{_PATIENCE}'"))
    session.execute(text(f"SET LOCAL idle_in_transaction_session_timeout = '{_STUCK}'"))
    session.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"


@contextlib.contextmanager
def _reachable() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise BoardUnavailable(f"expected the board's database to answer, found {type(error).__name__}") from error


def _sound_of(task: TaskId) -> ColumnElement[bool]:
    return (BoardPhraseRow.call == task.call) & (BoardPhraseRow.number == task.number)
