"""How a campaign stands, and the proof that the account agrees: every contact in exactly one state, with exactly one outcome."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, case, func, select
from sqlalchemy.orm import InstrumentedAttribute

from engine.core.units import Seconds
from engine.outbound.attempt import OPEN, AttemptState
from engine.outbound.contacts import CampaignId, ContactState, Outcome, Reached
from engine.outbound.forecast import ASSUMED, Pace
from engine.store.outbound_models import AttemptRow, ContactRow
from engine.store.quality_reading import snapshot
from engine.store.samples import utc

_ENOUGH = 50  # calls, before what was measured is believed more than what is assumed
_REASONS = 20  # told of each state


@dataclass(frozen=True, slots=True)
class CampaignAccount:
    """One moment's account."""

    contacts: int

    states: Mapping[ContactState, int]

    outcomes: Mapping[Outcome, int]

    reasons: Mapping[ContactState, Mapping[str, int]]
    """Why contacts wait, were skipped, or are uncertain; the commonest."""

    attempts: Mapping[AttemptState, int]

    reached: Mapping[Reached, int]

    talked: Seconds

    next_at: datetime | None
    """When the next contact is due."""

    disagreements: Sequence[str]
    """What does not agree; empty where all does."""


def account(engine: Engine, campaign: CampaignId) -> CampaignAccount:
    """Draw it up, of one moment."""
    mine, tried = ContactRow.campaign == campaign, AttemptRow.campaign == campaign
    with snapshot(engine) as connection:
        states = _counted(connection, ContactRow.state, mine)
        attempts = _counted(connection, AttemptRow.state, tried)
        contacts = connection.scalar(select(func.count()).select_from(ContactRow).where(mine)) or 0
        next_at = connection.scalar(select(func.min(ContactRow.next_at)).where(mine, ContactRow.state == ContactState.WAITING))
        return CampaignAccount(
            contacts=contacts,
            states={it: states.get(it, 0) for it in ContactState},
            outcomes={Outcome(it): n for it, n in _counted(connection, ContactRow.outcome, mine).items()},
            reasons={it: _reasons(connection, mine & (ContactRow.state == it)) for it in ContactState},
            attempts={AttemptState(it): n for it, n in attempts.items()},
            reached={Reached(it): n for it, n in _counted(connection, AttemptRow.reached, tried).items()},
            talked=Seconds(connection.scalar(select(func.sum(AttemptRow.talked)).where(tried)) or 0.0),
            next_at=None if next_at is None else utc(next_at),
            disagreements=list(_disagreements(connection, campaign, contacts, sum(states.values()))),
        )


def pace_of(engine: Engine, campaign: CampaignId) -> Pace:
    """What a call takes, as this campaign measured it, or else as it is assumed."""
    tried = (AttemptRow.campaign == campaign) & (AttemptRow.state == AttemptState.ENDED) & AttemptRow.reached.is_not(None)
    answered = case((AttemptRow.reached == Reached.ANSWERED, 1), else_=0)
    wanted = select(func.count(), func.sum(answered), func.sum(AttemptRow.talked)).where(tried)
    with engine.connect() as connection:
        calls, talks, seconds = connection.execute(wanted).one()
    if calls < _ENOUGH or not talks:
        return ASSUMED
    return Pace(Seconds(seconds / talks), ASSUMED.ring, talks / calls, calls)


def _counted(connection: Connection, column: InstrumentedAttribute[Any], which: ColumnElement[bool]) -> Mapping[str, int]:
    wanted = select(column, func.count()).where(which).group_by(column)
    return {value: number for value, number in connection.execute(wanted) if value is not None}


def _reasons(connection: Connection, which: ColumnElement[bool]) -> Mapping[str, int]:
    number = func.count().label("number")
    wanted = select(ContactRow.reason, number).where(which, ContactRow.reason.is_not(None)).group_by(ContactRow.reason)
    return {str(it): n for it, n in connection.execute(wanted.order_by(number.desc(), ContactRow.reason).limit(_REASONS))}


def _disagreements(connection: Connection, campaign: CampaignId, contacts: int, in_states: int) -> Iterator[str]:
    if contacts != in_states:
        yield f"{contacts} contacts, and {in_states} in all states"
    mine = ContactRow.campaign == campaign
    is_open = (AttemptRow.contact == ContactRow.id) & AttemptRow.state.in_(OPEN)
    unknown = (AttemptRow.contact == ContactRow.id) & (AttemptRow.state == AttemptState.UNCERTAIN)
    opened = select(func.count()).select_from(AttemptRow).where(is_open).scalar_subquery()
    doubtful = select(AttemptRow.id).where(unknown).exists()
    done, dialling = ContactRow.state == ContactState.DONE, ContactRow.state == ContactState.DIALLING
    wrong = {
        "in no state that there is": ContactRow.state.not_in(list(ContactState)),
        "done without an outcome": done & ContactRow.outcome.is_(None),
        "with an outcome and not done": ~done & ContactRow.outcome.is_not(None),
        "being dialled without exactly one open attempt": dialling & (opened != 1),
        "with an open attempt and not being dialled": ~dialling & (opened > 0),
        "uncertain without an uncertain attempt": (ContactRow.state == ContactState.UNCERTAIN) & ~doubtful,
    }
    for what, which in wrong.items():
        number = connection.scalar(select(func.count()).select_from(ContactRow).where(mine, which)) or 0
        if number:
            yield f"{number} contacts {what}"
