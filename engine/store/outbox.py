"""What is still to be told to the bank's own systems, and what was: nothing is forgotten, whoever is killed when.

Rules:

* a message is written in the transaction of what it tells of: both are there, or neither;
* a message is told at least once: its sender claims it on a lease, and who dies with it leaves it due again. The receiver knows a
  message by its id, which never changes;
* who is told what is in the database too (:func:`subscribe`), so that every process that changes the ledger knows it; addresses
  and secrets are not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Engine, delete, func, select, update
from sqlalchemy.orm import Session

from engine.core.units import Seconds
from engine.qa.announcements import Announcement, CallTold, Occasion, failed, scored
from engine.store.quality_models import OutboxRow, ReceiverRow, RecordingRow

LEASE: Final = timedelta(seconds=120)  # longer than an attempt takes: at most 30 s each to connect, to send and to hear


class MessageState(StrEnum):
    """How far a message has come."""

    WAITING = "waiting"
    SENT = "sent"

    STOPPED = "stopped"
    """The receiver is gone (410); it waits for somebody who resumes it."""

    GIVEN_UP = "given_up"
    """It was tried for days."""


@dataclass(frozen=True, slots=True)
class Message:
    """One to send."""

    id: str
    body: str
    attempts: int
    """Before this one."""


@dataclass(frozen=True, slots=True)
class ReceiverTold:
    """What a receiver has been told."""

    name: str
    stopped: bool
    states: Mapping[str, int]
    """Messages in each state."""

    last: str | None
    """What came of the last attempt that failed, of those that still wait."""


def subscribe(engine: Engine, receivers: Mapping[str, Sequence[Occasion]]) -> None:
    """Make these the receivers, each with what it wants to be told. Another is told nothing new; what waits for it stays."""
    with Session(engine) as session, session.begin():
        known = {it.name: it for it in session.scalars(select(ReceiverRow))}
        for name in known.keys() | receivers.keys():
            wants = receivers.get(name, ())
            row = known.get(name) or ReceiverRow(name=name, stopped=False, occasions="[]")
            row.occasions = json.dumps([it.value for it in wants])
            session.add(row)


def receives(engine: Engine, name: str) -> None:
    """Keep a receiver that is told of no scores: whether it is gone is known from then on."""
    with Session(engine) as session, session.begin():
        if session.get(ReceiverRow, name) is None:
            session.add(ReceiverRow(name=name, stopped=False, occasions="[]"))


def tell_scores(session: Session, content: str, model: str, results: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """Put what was just scored into the outbox, in the caller's transaction."""
    if results and (listening := _listening(session)):
        call = _call(session, content)
        for result in results:
            for it in scored(call, model, result, now):
                _put(session, listening, it, now)


def tell_failures(session: Session, contents: Sequence[str], now: datetime) -> None:
    """The same for what has just failed."""
    if contents and (listening := _listening(session)):
        for content in contents:
            row = session.get_one(RecordingRow, content, populate_existing=True)
            _put(session, listening, failed(_told(row), row.reason or "", now), now)


class Outbox:
    """The messages, for senders."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def put(self, receiver: str, it: Announcement, now: datetime) -> None:
        """Add a message for one receiver, whatever it subscribed to."""
        with Session(self._engine) as session, session.begin():
            _put(session, {receiver: frozenset({it.occasion})}, it, now)

    def claim(self, receiver: str, now: datetime) -> Message | None:
        """Take the receiver's message that is due longest; ``None`` where none is."""
        due = (OutboxRow.receiver == receiver) & (OutboxRow.state == MessageState.WAITING) & (OutboxRow.due_at <= now)
        first = (
            select(OutboxRow.id)
            .where(due)
            .order_by(OutboxRow.due_at, OutboxRow.created_at)
            .limit(1)
            .with_for_update(skip_locked=True)
            .scalar_subquery()
        )
        claim = update(OutboxRow).where(OutboxRow.id == first, due).values(due_at=now + LEASE)
        with Session(self._engine) as session, session.begin():
            row = session.execute(claim.returning(OutboxRow.id, OutboxRow.body, OutboxRow.attempts)).one_or_none()
            return None if row is None else Message(row.id, row.body, row.attempts)

    def sent(self, message: Message) -> None:
        """The receiver has taken it."""
        self._settle(message, state=MessageState.SENT, told=None)

    def postponed(self, message: Message, told: str, due: datetime) -> None:
        """It could not be sent, and is tried again then."""
        self._settle(message, told=told, due_at=due)

    def given_up(self, message: Message, told: str) -> None:
        """It could not be sent, and is not tried again."""
        self._settle(message, state=MessageState.GIVEN_UP, told=told)

    def stop(self, receiver: str, told: str) -> None:
        """The receiver wants nothing any more: what waits for it stops, and nothing new is put there."""
        with Session(self._engine) as session, session.begin():
            session.execute(update(ReceiverRow).where(ReceiverRow.name == receiver).values(stopped=True))
            waiting = (OutboxRow.receiver == receiver) & (OutboxRow.state == MessageState.WAITING)
            session.execute(update(OutboxRow).where(waiting).values(state=MessageState.STOPPED, told=told))

    def resume(self, receiver: str, now: datetime) -> int:
        """Begin again: what was stopped or given up is due now; gives how much that is."""
        over = OutboxRow.state.in_([MessageState.STOPPED, MessageState.GIVEN_UP])
        with Session(self._engine) as session, session.begin():
            session.execute(update(ReceiverRow).where(ReceiverRow.name == receiver).values(stopped=False))
            again = {"state": MessageState.WAITING, "attempts": 0, "due_at": now}
            return _count(session, (OutboxRow.receiver == receiver) & over, again)

    def forget(self, before: datetime) -> None:
        """Delete what was sent and is older; until then its id keeps it from being told twice."""
        with Session(self._engine) as session, session.begin():
            session.execute(delete(OutboxRow).where(OutboxRow.state == MessageState.SENT, OutboxRow.created_at < before))

    def standing(self) -> list[ReceiverTold]:
        """How every receiver stands."""
        with Session(self._engine) as session:
            return [_standing(session, it) for it in session.scalars(select(ReceiverRow).order_by(ReceiverRow.name))]

    def _settle(self, message: Message, **values: object) -> None:
        with Session(self._engine) as session, session.begin():
            mine = (OutboxRow.id == message.id) & (OutboxRow.state == MessageState.WAITING)
            _count(session, mine, {"attempts": message.attempts + 1, **values})


def _listening(session: Session) -> Mapping[str, frozenset[Occasion]]:
    rows = session.scalars(select(ReceiverRow).where(~ReceiverRow.stopped))
    return {it.name: frozenset(map(Occasion, json.loads(it.occasions))) for it in rows}


def _put(session: Session, listening: Mapping[str, frozenset[Occasion]], it: Announcement, now: datetime) -> None:
    for receiver, wants in listening.items():
        id = it.id_for(receiver)
        if it.occasion in wants and session.get(OutboxRow, id) is None:
            state = {"state": MessageState.WAITING, "attempts": 0, "created_at": now, "due_at": now}
            session.add(OutboxRow(id=id, receiver=receiver, type=it.occasion.type, body=it.body, **state))


def _call(session: Session, content: str) -> CallTold:
    return _told(session.get_one(RecordingRow, content, populate_existing=True))


def _told(row: RecordingRow) -> CallTold:
    began = row.started_at if row.started_at is None or row.started_at.tzinfo else row.started_at.replace(tzinfo=UTC)
    seconds = None if row.seconds is None else Seconds(row.seconds)
    return CallTold(row.content, json.loads(row.facts), began, seconds, row.language, row.source)


def _standing(session: Session, row: ReceiverRow) -> ReceiverTold:
    counts = (
        select(OutboxRow.state, func.count().label("messages")).where(OutboxRow.receiver == row.name).group_by(OutboxRow.state)
    )
    troubled = (OutboxRow.receiver == row.name) & OutboxRow.told.is_not(None) & (OutboxRow.state != MessageState.SENT)
    last = session.scalar(select(OutboxRow.told).where(troubled).order_by(OutboxRow.due_at.desc()).limit(1))
    return ReceiverTold(row.name, row.stopped, {it.state: it.messages for it in session.execute(counts)}, last)


def _count(session: Session, which: ColumnElement[bool], values: Mapping[str, Any]) -> int:
    changed = session.execute(update(OutboxRow).where(which).values(values).execution_options(synchronize_session=False))
    return int(changed.rowcount)  # type: ignore[attr-defined]  # an UPDATE's result always has it
