"""How a campaign stands, and the proof that the account agrees: every contact in exactly one state, with exactly one outcome."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Engine, Row, case, func, select, text

from engine.core.units import Seconds
from engine.outbound.attempt import OPEN, AttemptState
from engine.outbound.contacts import CampaignId, ContactState, Outcome, Reached
from engine.outbound.forecast import ASSUMED, Pace
from engine.store.outbound_models import IS_OPEN, AttemptRow, ContactRow
from engine.store.quality_reading import snapshot
from engine.store.samples import utc

_ENOUGH = 50  # calls, before what was measured is believed more than what is assumed
_REASONS = 20  # told of each state
_STATES: Final = frozenset(ContactState)


@dataclass(frozen=True, slots=True)
class CampaignAccount:
    """One moment's account."""

    contacts: int

    dialled: int
    """Contacts that were called, or may have been."""

    states: Mapping[ContactState, int]

    outcomes: Mapping[Outcome, int]

    reasons: Mapping[ContactState, Mapping[str, int]]
    """Why contacts wait, were skipped, or are uncertain; the commonest."""

    attempts: Mapping[AttemptState, int]

    reached: Mapping[Reached, int]

    talked: Seconds

    pace: Pace
    """What a call takes, as it was measured, or else as it is assumed."""

    next_at: datetime | None
    """When the next contact is due."""

    disagreements: Sequence[str]
    """What does not agree; empty where all does."""


def account(engine: Engine, campaign: CampaignId) -> CampaignAccount:
    """Draw it up, of one moment. Contacts and attempts are each read once: there may be hundreds of thousands."""
    mine = ContactRow.campaign == campaign
    with snapshot(engine) as connection:
        people, tries = _people(connection, campaign), _tries(connection, campaign)
        next_at = connection.scalar(select(func.min(ContactRow.next_at)).where(mine, ContactRow.state == ContactState.WAITING))
        states, outcomes = _summed((it.state, it.number) for it in people), _summed((it.outcome, it.number) for it in people)
        return CampaignAccount(
            contacts=sum(it.number for it in people),
            dialled=sum(it.dialled for it in people),
            states={it: states.get(it, 0) for it in ContactState},
            outcomes={Outcome(it): n for it, n in outcomes.items()},
            reasons={it: _reasons(connection, mine & (ContactRow.state == it)) for it in ContactState},
            attempts={AttemptState(it): n for it, n in _summed((it.state, it.number) for it in tries).items()},
            reached={Reached(it): n for it, n in _summed((it.reached, it.number) for it in tries).items()},
            talked=Seconds(sum(it.talked for it in tries)),
            pace=_pace(tries),
            next_at=None if next_at is None else utc(next_at),
            disagreements=[*_disagreements(people), *_in_two_tables(connection, campaign)],
        )


def pace_of(engine: Engine, campaign: CampaignId) -> Pace:
    """What a call takes, as this campaign measured it, or else as it is assumed."""
    with engine.connect() as connection:
        return _pace(_tries(connection, campaign))


def _people(connection: Connection, campaign: CampaignId) -> Sequence[Row[*tuple[Any, ...]]]:
    """How many contacts there are of each state and outcome, and of these how many were dialled."""
    dialled = func.sum(case((ContactRow.attempts > 0, 1), else_=0)).label("dialled")
    wanted = select(ContactRow.state, ContactRow.outcome, func.count().label("number"), dialled)
    return connection.execute(wanted.where(ContactRow.campaign == campaign).group_by(ContactRow.state, ContactRow.outcome)).all()


def _tries(connection: Connection, campaign: CampaignId) -> Sequence[Row[*tuple[Any, ...]]]:
    """How many attempts there are of each state that reached so far, and how long they talked."""
    wanted = select(
        AttemptRow.state, AttemptRow.reached, func.count().label("number"), func.sum(AttemptRow.talked).label("talked")
    )
    return connection.execute(wanted.where(AttemptRow.campaign == campaign).group_by(AttemptRow.reached, AttemptRow.state)).all()


def _pace(tries: Sequence[Row[*tuple[Any, ...]]]) -> Pace:
    ended = [it for it in tries if it.state == AttemptState.ENDED and it.reached is not None]
    calls, seconds = sum(it.number for it in ended), sum(it.talked for it in ended)
    talks = sum(it.number for it in ended if it.reached == Reached.ANSWERED)
    if calls < _ENOUGH or not talks:
        return ASSUMED
    return Pace(Seconds(seconds / talks), ASSUMED.ring, talks / calls, calls)


def _summed(counted: Iterable[tuple[str | None, int]]) -> Mapping[str, int]:
    found: Counter[str] = Counter()
    for value, number in counted:
        found.update({} if value is None else {value: number})
    return found


def _reasons(connection: Connection, which: ColumnElement[bool]) -> Mapping[str, int]:
    number = func.count().label("number")
    wanted = select(ContactRow.reason, number).where(which, ContactRow.reason.is_not(None)).group_by(ContactRow.reason)
    return {str(it): n for it, n in connection.execute(wanted.order_by(number.desc(), ContactRow.reason).limit(_REASONS))}


def _disagreements(people: Sequence[Row[*tuple[Any, ...]]]) -> Iterator[str]:
    wrong: Mapping[str, Callable[[Any], bool]] = {
        "in no state that there is": lambda it: it.state not in _STATES,
        "done without an outcome": lambda it: it.state == ContactState.DONE and it.outcome is None,
        "with an outcome and not done": lambda it: it.state != ContactState.DONE and it.outcome is not None,
    }
    for what, is_so in wrong.items():
        if number := sum(it.number for it in people if is_so(it)):
            yield f"{number} contacts {what}"


def _in_two_tables(connection: Connection, campaign: CampaignId) -> Iterator[str]:
    """Where contacts and attempts do not agree; begun at the few that are open or in doubt."""
    mine, theirs = ContactRow.campaign == campaign, AttemptRow.contact == ContactRow.id
    is_open, dialling = AttemptRow.state.in_(OPEN), ContactRow.state == ContactState.DIALLING
    opened = select(func.count()).select_from(AttemptRow).where(theirs, is_open).scalar_subquery()
    doubtful = select(AttemptRow.id).where(theirs, AttemptRow.state == AttemptState.UNCERTAIN).exists()
    underway = select(AttemptRow.contact).where(text(f"{AttemptRow.__tablename__}.{IS_OPEN}"))  # as their index has it
    of_contacts = select(func.count()).select_from(ContactRow).where(mine)
    wrong = {
        "being dialled without exactly one open attempt": of_contacts.where(dialling, opened != 1),
        "with an open attempt and not being dialled": of_contacts.where(ContactRow.id.in_(underway), ~dialling),
        "uncertain without an uncertain attempt": of_contacts.where(ContactRow.state == ContactState.UNCERTAIN, ~doubtful),
    }
    for what, counting in wrong.items():
        if number := connection.scalar(counting):
            yield f"{number} contacts {what}"
