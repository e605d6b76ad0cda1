"""What the bank's own systems are told of campaigns: that a call has ended, and what it came to for a contact.

Rules:

* what is to be told follows from the rows alone: :meth:`OutcomeMessages.plan` finds what has no message yet, and is safe to
  repeat, so nothing is lost with a process that dies in between;
* a message is told at least once and has one id, as all that is in the outbox;
* nothing that anybody said is in it but what the talk settled (a promise's date and amount); whose it is, by the bank's own key.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from engine.outbound.attempt import AttemptState
from engine.outbound.contacts import ContactState
from engine.store.looks import Looks, ids_since
from engine.store.outbound_models import AttemptRow, CampaignRow, ContactRow
from engine.store.outbox import MessageState
from engine.store.quality_models import OutboxRow, ReceiverRow
from engine.store.samples import utc


class Told(StrEnum):
    """What there is to tell; each receiver chooses."""

    CALL = "call"
    """A call has ended."""

    OUTCOME = "outcome"
    """A contact has its outcome, with a call or without."""

    @property
    def type(self) -> str:
        """As it is called in the message."""
        return "outbound.call.ended" if self is Told.CALL else "outbound.contact.done"


@dataclass(frozen=True, slots=True)
class _News:
    of: str
    """The attempt's id, or the contact's."""

    at: datetime | None
    data: Mapping[str, Any]


class OutcomeMessages:
    """One receiver's."""

    def __init__(self, engine: Engine, receiver: str, wants: Collection[Told]) -> None:
        """``receiver``: its name in the outbox."""
        self._engine, self._receiver, self._wants = engine, receiver, wants
        self._looks = Looks()

    def plan(self, now: datetime) -> int:
        """Put a message into the outbox for everything that has none; gives how many. A receiver that is gone is told nothing."""
        since, planned = self._looks.since(now), 0
        with Session(self._engine) as session:
            row = session.get(ReceiverRow, self._receiver)
            if row is not None and row.stopped:
                return 0
        if Told.CALL in self._wants:
            ended = ids_since(self._engine, since, AttemptRow.ended_at, AttemptState.ENDED)
            planned += sum(self._put(Told.CALL, ids, now) for ids in ended)
        if Told.OUTCOME in self._wants:
            done = ids_since(self._engine, since, ContactRow.done_at, ContactState.DONE)
            planned += sum(self._put(Told.OUTCOME, ids, now) for ids in done)
        self._looks.looked(now)
        return planned

    def _put(self, told: Told, of: Sequence[str], now: datetime) -> int:
        """Tell of what has no message yet."""
        messages = {self._id(told, it): it for it in of}
        with Session(self._engine) as session:
            known = set(session.scalars(select(OutboxRow.id).where(OutboxRow.id.in_(messages))))
        fresh = [it for id, it in messages.items() if id not in known]
        if fresh:
            with Session(self._engine) as session, session.begin():
                news = _calls(session, fresh) if told is Told.CALL else _outcomes(session, fresh)
                session.add_all(self._row(told, it, now) for it in news)
        return len(fresh)

    def _id(self, told: Told, of: str) -> str:
        return f"msg_{sha256(f'{self._receiver}|{told}|{of}'.encode()).hexdigest()[:40]}"

    def _row(self, told: Told, it: _News, now: datetime) -> OutboxRow:
        body = {"type": told.type, "timestamp": utc(it.at or now).isoformat(), "data": it.data}
        return OutboxRow(
            id=self._id(told, it.of),
            receiver=self._receiver,
            type=told.type,
            body=json.dumps(body, ensure_ascii=False, sort_keys=True),
            state=MessageState.WAITING,
            attempts=0,
            created_at=now,
            due_at=now,
        )


def _calls(session: Session, ids: Collection[str]) -> Iterator[_News]:
    called = select(AttemptRow, CampaignRow.name).join(CampaignRow, CampaignRow.id == AttemptRow.campaign)
    for it, campaign in session.execute(called.where(AttemptRow.id.in_(ids))):
        yield _News(it.id, it.ended_at, _whose(campaign, it.contact, it.person) | _call(it))


def _outcomes(session: Session, ids: Collection[str]) -> Iterator[_News]:
    done = select(ContactRow, CampaignRow.name).join(CampaignRow, CampaignRow.id == ContactRow.campaign)
    for it, campaign in session.execute(done.where(ContactRow.id.in_(ids))):
        data = {"outcome": it.outcome, "reason": it.reason, "attempts": it.attempts, "row": it.row}
        yield _News(it.id, it.done_at, _whose(campaign, it.id, it.person) | data)


def _whose(campaign: str, contact: str, person: str) -> dict[str, Any]:
    return {"campaign": campaign, "contact": contact, "person": person}


def _call(it: AttemptRow) -> dict[str, Any]:
    """``talked`` in seconds, from answer to end; ``call`` is the conversation's id, where there was one."""
    return {
        "attempt": it.id,
        "call": it.call,
        "began": utc(it.committed_at).isoformat(),
        "reached": it.reached,
        "answerer": it.answerer,
        "outcome": it.outcome,
        "talked": it.talked,
        "details": json.loads(it.details),
        "reason": it.reason,
    }
