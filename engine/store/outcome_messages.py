"""What the bank's own systems are told of campaigns: that a call has ended, and what it came to for a contact.

Rules:

* what is to be told follows from the rows alone: :meth:`OutcomeMessages.plan` finds what has no message yet, and is safe to
  repeat, so nothing is lost with a process that dies in between;
* a message is told at least once and has one id, as all that is in the outbox;
* nothing that anybody said is in it but what the talk settled (a promise's date and amount); whose it is, by the bank's own key.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from itertools import islice
from typing import Any, Final

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from engine.outbound.attempt import AttemptState
from engine.outbound.contacts import ContactState
from engine.store.looks import Looks
from engine.store.outbound_models import AttemptRow, CampaignRow, ContactRow
from engine.store.outbox import MessageState
from engine.store.quality_models import OutboxRow, ReceiverRow
from engine.store.samples import utc

_AT_ONCE: Final = 500  # messages in one transaction, for which others wait


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
    id: str
    type: str
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
            found = iter([*self._calls(session, since), *self._outcomes(session, since)])
        while some := {it.id: it for it in islice(found, _AT_ONCE)}:
            planned += self._put(some, now)
        self._looks.looked(now)
        return planned

    def _calls(self, session: Session, since: datetime) -> Iterator[_News]:
        if Told.CALL not in self._wants:
            return
        ended = (AttemptRow.state == AttemptState.ENDED) & (AttemptRow.ended_at >= since)
        called = select(AttemptRow, CampaignRow.name).join(CampaignRow, CampaignRow.id == AttemptRow.campaign).where(ended)
        for it, campaign in session.execute(called):
            yield self._news(Told.CALL, it.id, it.ended_at, _whose(campaign, it.contact, it.person) | _call(it))

    def _outcomes(self, session: Session, since: datetime) -> Iterator[_News]:
        if Told.OUTCOME not in self._wants:
            return
        done = (ContactRow.state == ContactState.DONE) & (ContactRow.done_at >= since)
        found = select(ContactRow, CampaignRow.name).join(CampaignRow, CampaignRow.id == ContactRow.campaign).where(done)
        for it, campaign in session.execute(found):
            data = {"outcome": it.outcome, "reason": it.reason, "attempts": it.attempts, "row": it.row}
            yield self._news(Told.OUTCOME, it.id, it.done_at, _whose(campaign, it.id, it.person) | data)

    def _news(self, told: Told, of: str, at: datetime | None, data: Mapping[str, Any]) -> _News:
        id = sha256(f"{self._receiver}|{told}|{of}".encode()).hexdigest()[:40]
        return _News(f"msg_{id}", told.type, at, data)

    def _put(self, news: Mapping[str, _News], now: datetime) -> int:
        with Session(self._engine) as session, session.begin():
            known = set(session.scalars(select(OutboxRow.id).where(OutboxRow.id.in_(list(news)))))
            fresh = [it for it in news.values() if it.id not in known]
            session.add_all(self._row(it, now) for it in fresh)
        return len(fresh)

    def _row(self, it: _News, now: datetime) -> OutboxRow:
        body = {"type": it.type, "timestamp": utc(it.at or now).isoformat(), "data": it.data}
        return OutboxRow(
            id=it.id,
            receiver=self._receiver,
            type=it.type,
            body=json.dumps(body, ensure_ascii=False, sort_keys=True),
            state=MessageState.WAITING,
            attempts=0,
            created_at=now,
            due_at=now,
        )


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
