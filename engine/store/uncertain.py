"""Attempts of which nobody can know whether they were made: listed for a person, who looks at them and settles them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from engine.outbound.attempt import AttemptState, Fate
from engine.outbound.contacts import AttemptId, CampaignId, ContactId, ContactState, Outcome
from engine.outbound.retries import Over
from engine.store.attempts import changed, cut, follow
from engine.store.outbound_models import AttemptRow, ContactRow
from engine.store.samples import utc


@dataclass(frozen=True, slots=True)
class Uncertain:
    """An attempt that a person has to look at."""

    attempt: AttemptId
    contact: ContactId
    campaign: CampaignId
    number: str = field(repr=False)
    dialled_at: datetime | None
    call: str | None
    reason: str | None


def uncertain(engine: Engine, campaign: CampaignId | None = None) -> Sequence[Uncertain]:
    """List them, the oldest first."""
    which = select(AttemptRow).where(AttemptRow.state == AttemptState.UNCERTAIN).order_by(AttemptRow.committed_at)
    if campaign is not None:
        which = which.where(AttemptRow.campaign == campaign)
    with Session(engine) as session:
        return [
            Uncertain(
                attempt=AttemptId(it.id),
                contact=ContactId(it.contact),
                campaign=CampaignId(it.campaign),
                number=it.number,
                dialled_at=it.dialled_at and utc(it.dialled_at),
                call=it.call,
                reason=it.reason,
            )
            for it in session.scalars(which)
        ]


def settle(engine: Engine, attempt: AttemptId, reason: str, now: datetime) -> bool:
    """A person has looked at an uncertain one: it is over for this contact. ``False``: it is not uncertain (any more)."""
    with Session(engine) as session, session.begin():
        row = changed(session, attempt, Fate.SETTLED, ended_at=now, reason=cut(reason))
        if row is None:
            return False
        contact = session.get_one(ContactRow, row.contact)
        if contact.state == ContactState.UNCERTAIN:
            follow(session, contact, Over(Outcome.SETTLED_BY_HAND, reason), now)
    return True
