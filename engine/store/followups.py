"""What is written to people after a call, by the first way that works: app, messenger, text message, as the campaign prefers.

Rules:

* what is to be written follows from the contact's outcome alone, so that nothing is lost with a process that dies in between:
  :meth:`FollowUps.plan` finds what has its outcome and no message yet, and is safe to repeat;
* a message is told at least once and has one id, as all that is in the outbox;
* where one way fails for good, the next takes over in the same transaction; where none is left, the message is a dead letter:
  listed for a person, who may let it be tried again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from engine.outbound.contacts import ContactState, Outcome
from engine.store.campaigns import readable_policy_of
from engine.store.looks import Looks, ids_since
from engine.store.outbound_models import AttemptRow, CampaignRow, ContactRow
from engine.store.outbox import Message, MessageState
from engine.store.quality_models import OutboxRow

TYPE: Final = "outbound.follow_up"
_RECEIVER: Final = "way:"  # before a way's name, so that no receiver of scores is called the same


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What could not be written by any way."""

    id: str
    contact: str
    campaign: str
    outcome: str
    told: str
    created_at: datetime


def receiver_of(way: str) -> str:
    """What the outbox calls a way."""
    return f"{_RECEIVER}{way}"


class FollowUps:
    """The messages, for whoever sends them."""

    def __init__(self, engine: Engine, ways: Sequence[str]) -> None:
        """``ways`` are those that there is an adapter for."""
        self._engine = engine
        self._ways = frozenset(ways)
        self._looks = Looks()

    def plan(self, now: datetime) -> int:
        """Put a message into the outbox for everybody who has an outcome that asks for one; gives how many."""
        since = self._looks.since(now)
        done = ids_since(self._engine, since, ContactRow.done_at, ContactState.DONE)
        planned = sum(self._begin(ids, now) for ids in done)
        self._looks.looked(now)
        return planned

    def refused(self, message: Message, told: str, now: datetime) -> None:
        """Close a way: go on by the next, or list the message as a dead letter."""
        with Session(self._engine) as session, session.begin():
            waiting = (OutboxRow.id == message.id) & (OutboxRow.state == MessageState.WAITING)
            closed = (
                update(OutboxRow)
                .where(waiting)
                .values(state=MessageState.GIVEN_UP, attempts=message.attempts + 1, told=told[:256])
            )
            if session.execute(closed.returning(OutboxRow.id)).one_or_none() is None:
                return
            data = json.loads(message.body)["data"]
            if data["ways_left"]:
                self._put(session, {**data, "way": data["ways_left"][0], "ways_left": data["ways_left"][1:]}, now)

    def dead(self) -> Sequence[DeadLetter]:
        """List the dead letters, the oldest first."""
        given_up = select(OutboxRow).where(OutboxRow.type == TYPE, OutboxRow.state == MessageState.GIVEN_UP)
        with Session(self._engine) as session:
            rows = session.scalars(given_up.order_by(OutboxRow.created_at)).all()
            return [_letter(row) for row in rows if not json.loads(row.body)["data"]["ways_left"]]

    def again(self, id: str, now: datetime) -> bool:
        """Let a dead letter be tried again, by its last way; ``False``: there is none of this id."""
        mine = (OutboxRow.id == id) & (OutboxRow.type == TYPE) & (OutboxRow.state == MessageState.GIVEN_UP)
        waiting = {"state": MessageState.WAITING, "attempts": 0, "due_at": now}
        with Session(self._engine) as session, session.begin():
            return (
                session.execute(update(OutboxRow).where(mine).values(waiting).returning(OutboxRow.id)).one_or_none() is not None
            )

    def _begin(self, contacts: Sequence[str], now: datetime) -> int:
        """Write to those of them who are to be written to and are not yet."""
        with Session(self._engine) as session:
            wanted = dict(self._wanted(session, contacts))
            first = {_id(it, self._there(ways)[0]): it for it, ways in wanted.items()}
            known = set(session.scalars(select(OutboxRow.id).where(OutboxRow.id.in_(first))))
        fresh = [it for id, it in first.items() if id not in known]
        if fresh:
            with Session(self._engine) as session, session.begin():
                for contact in fresh:
                    self._write(session, contact, wanted[contact], now)
        return len(fresh)

    def _wanted(self, session: Session, contacts: Sequence[str]) -> Iterator[tuple[str, Sequence[str]]]:
        """Who is to be written to, and the ways that their campaign prefers."""
        rows = select(ContactRow.id, ContactRow.campaign, ContactRow.outcome)
        found = session.execute(rows.where(ContactRow.id.in_(contacts), ContactRow.outcome.is_not(None))).all()
        campaigns = session.scalars(select(CampaignRow).where(CampaignRow.id.in_({it.campaign for it in found}))).all()
        policies = {it.id: readable_policy_of(it) for it in campaigns}
        for it in found:
            policy = policies[it.campaign]
            if policy is not None and (ways := policy.follow_up.get(Outcome(it.outcome))):
                yield it.id, ways

    def _there(self, wanted: Sequence[str]) -> Sequence[str]:
        """The ways that there is an adapter for; where there is none, all."""
        return [way for way in wanted if way in self._ways] or wanted

    def _write(self, session: Session, id: str, wanted: Sequence[str], now: datetime) -> None:
        contact = session.get_one(ContactRow, id)
        campaign = session.get_one(CampaignRow, contact.campaign)
        first, *left = self._there(wanted)
        there = first in self._ways
        row = self._put(session, {**_told(session, contact, campaign), "way": first, "ways_left": left if there else []}, now)
        if not there:
            row.state, row.told = MessageState.GIVEN_UP, f"expected an adapter for {' or '.join(wanted)}, found none configured"

    def _put(self, session: Session, data: dict[str, Any], now: datetime) -> OutboxRow:
        body = {"type": TYPE, "timestamp": now.isoformat(), "data": data}
        row = OutboxRow(
            id=_id(data["contact"], data["way"]),
            receiver=receiver_of(data["way"]),
            type=TYPE,
            body=json.dumps(body, ensure_ascii=False, sort_keys=True),
            state=MessageState.WAITING,
            attempts=0,
            created_at=now,
            due_at=now,
        )
        session.add(row)
        session.flush()
        return row


def _id(contact: str, way: str) -> str:
    return f"fup_{sha256(f'{contact}|{way}'.encode()).hexdigest()[:40]}"


def _told(session: Session, contact: ContactRow, campaign: CampaignRow) -> dict[str, Any]:
    """Whom to write to, and what about; the words are the adapter's."""
    talks = select(AttemptRow).where(AttemptRow.contact == contact.id, AttemptRow.call.is_not(None))
    talk = session.scalars(talks.order_by(AttemptRow.committed_at.desc()).limit(1)).one_or_none()
    return {
        "contact": contact.id,
        "person": contact.person,
        "number": contact.number,
        "language": contact.language,
        "campaign": campaign.name,
        "outcome": contact.outcome,
        "details": json.loads(talk.details) if talk is not None else {},
        "call": None if talk is None else talk.call,
    }


def _letter(row: OutboxRow) -> DeadLetter:
    data = json.loads(row.body)["data"]
    return DeadLetter(row.id, data["contact"], data["campaign"], data["outcome"], row.told or "", row.created_at)
