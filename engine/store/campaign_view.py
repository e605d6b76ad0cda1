"""What the page of a campaign shows beside its account: how far its people came, its hours, its last talks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection, Engine, distinct, func, select

from engine.outbound.attempt import AttemptState
from engine.outbound.contacts import CampaignId, ContactState, Outcome, Reached
from engine.store.campaign_account import CampaignAccount
from engine.store.outbound_models import AttemptRow, ContactRow
from engine.store.samples import utc

HOURS: Final = 24
GOAL: Final = frozenset({Outcome.PROMISED, Outcome.ACCEPTED, Outcome.INFORMED})
"""What a campaign is made for."""


@dataclass(frozen=True, slots=True)
class Funnel:
    """How many contacts came how far."""

    contacts: int
    dialled: int
    answered: int
    goal: int


@dataclass(slots=True)
class Hour:
    """One hour's attempts, by when they were made."""

    at: datetime
    """UTC, the hour's beginning."""

    dialled: int = 0
    answered: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    """What the talks came to."""


@dataclass(frozen=True, slots=True)
class LastTalk:
    """One conversation, to be looked at or heard."""

    call: str
    at: datetime
    outcome: str | None
    talked: float
    """Seconds."""


def counts(engine: Engine) -> Mapping[str, Mapping[ContactState, int]]:
    """Contacts by campaign and state, of all campaigns."""
    wanted = select(ContactRow.campaign, ContactRow.state, func.count()).group_by(ContactRow.campaign, ContactRow.state)
    found: dict[str, dict[ContactState, int]] = {}
    with engine.connect() as connection:
        for campaign, state, number in connection.execute(wanted):
            found.setdefault(campaign, dict.fromkeys(ContactState, 0))[ContactState(state)] = number
    return found


def funnel(engine: Engine, campaign: CampaignId, account: CampaignAccount) -> Funnel:
    """Count those who answered; the others are in the account."""
    answered = (AttemptRow.campaign == campaign) & (AttemptRow.reached == Reached.ANSWERED)
    with engine.connect() as connection:
        talks = connection.scalar(select(func.count(distinct(AttemptRow.contact))).where(answered)) or 0
    return Funnel(account.contacts, account.dialled, talks, sum(account.outcomes.get(it, 0) for it in GOAL))


def hours(engine: Engine, campaign: CampaignId, now: datetime) -> Sequence[Hour]:
    """The last hours in which anybody was called, the newest first."""
    begun = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    with engine.connect() as connection:
        found = [_hour(connection, campaign, begun - timedelta(hours=ago)) for ago in range(HOURS)]
    return [it for it in found if it.dialled]


def _hour(connection: Connection, campaign: CampaignId, at: datetime) -> Hour:
    """One; asked for by itself it is a stretch of an index, and no time of day is worked out for each attempt."""
    made = (AttemptRow.campaign == campaign) & (AttemptRow.state != AttemptState.WITHDRAWN)
    within = (AttemptRow.committed_at >= at) & (AttemptRow.committed_at < at + timedelta(hours=1))
    columns = (AttemptRow.reached, AttemptRow.outcome)
    hour = Hour(at)
    for reached, outcome, number in connection.execute(select(*columns, func.count()).where(made, within).group_by(*columns)):
        hour.dialled += number
        hour.answered += number if reached == Reached.ANSWERED else 0
        hour.outcomes.update({outcome: number} if outcome else {})
    return hour


def last_hour(engine: Engine, campaign: CampaignId, now: datetime) -> int:
    """Calls made in the last 60 minutes."""
    since = AttemptRow.committed_at >= now - timedelta(hours=1)
    made = (AttemptRow.campaign == campaign) & (AttemptRow.state != AttemptState.WITHDRAWN)
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(AttemptRow).where(made, since)) or 0


def last_talks(engine: Engine, campaign: CampaignId, most: int = 20) -> Sequence[LastTalk]:
    """The last attempts that came to a conversation, the newest first."""
    which = (AttemptRow.campaign == campaign) & AttemptRow.call.is_not(None) & (AttemptRow.state == AttemptState.ENDED)
    columns = (AttemptRow.call, AttemptRow.committed_at, AttemptRow.outcome, AttemptRow.talked)
    wanted = select(*columns).where(which).order_by(AttemptRow.committed_at.desc()).limit(most)
    with engine.connect() as connection:
        return [LastTalk(str(call), utc(at), outcome, talked) for call, at, outcome, talked in connection.execute(wanted)]


@dataclass(frozen=True, slots=True)
class ListedContact:
    """One row of a campaign's list, and how it stands."""

    id: str
    number: str = field(repr=False)
    language: str
    state: str
    outcome: str | None
    reason: str | None
    attempts: int
    next_at: datetime | None
    done_at: datetime | None


def contacts(
    engine: Engine, campaign: CampaignId, state: ContactState | None, after: str | None, most: int
) -> Sequence[ListedContact]:
    """So many of a campaign's contacts, by their ids, which say nothing; those ``after`` one."""
    it = ContactRow
    columns = (it.id, it.number, it.language, it.state, it.outcome, it.reason, it.attempts, it.next_at, it.done_at)
    wanted = select(*columns).where(it.campaign == campaign).order_by(it.id).limit(most)
    wanted = wanted if state is None else wanted.where(it.state == state)
    wanted = wanted if after is None else wanted.where(it.id > after)
    with engine.connect() as connection:
        return [
            ListedContact(*row[:7], next_at=row.next_at and utc(row.next_at), done_at=row.done_at and utc(row.done_at))
            for row in connection.execute(wanted)
        ]
