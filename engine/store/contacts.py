"""Contacts in the database: lists taken in whole, and all that the rules want to know of a contact, in one place.

A list is taken in one transaction: all of it is there, or nothing. What is known of a contact is read in the caller's session, so
that an intent to dial can be committed on exactly that.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final, TypeVar
from uuid import uuid4

from sqlalchemy import ColumnElement, Engine, func, insert, select
from sqlalchemy.orm import Session

from engine.core.units import Language
from engine.outbound.attempt import OPEN, AttemptState
from engine.outbound.campaign import Campaign, CampaignRefused, CampaignState
from engine.outbound.contacts import CampaignId, Contact, ContactId, ContactState, Outcome, PersonKey, Reached
from engine.outbound.retries import UNHEARD, Tried
from engine.outbound.rules import Listing, Rung, Standing
from engine.store.campaigns import policy_of
from engine.store.lists import LIFTED, listing, missing, names
from engine.store.outbound_models import AttemptRow, CampaignRow, ContactRow, DoNotCallRow
from engine.store.samples import utc

CALL_LATER: Final = "call_later"
"""In an attempt's ``outcome``: they asked to be called at another time."""

_CAPS_REACH: Final = timedelta(days=31)  # the longest that a cap looks back
_PEOPLE: Final = frozenset({None, "person", "unsure"})  # answerers that may have been the person: unsure means person
_AT_ONCE: Final = 5_000
_ASKED_AT_ONCE: Final = 8_000  # contacts in one query, by four names each; SQLite takes 32,766 values

_Row = TypeVar("_Row")


def take_list(engine: Engine, campaign: CampaignId, contacts: Sequence[tuple[int, Contact]]) -> int:
    """Add a list's contacts, each with its row, all in one transaction; gives how many.

    Raises:
        CampaignRefused: the campaign is over, or somebody else has added the same people just now.
    """
    rows = [_written(campaign, row, it) for row, it in contacts]  # before the transaction, for which others wait
    with Session(engine) as session, session.begin():
        state = session.scalar(select(CampaignRow.state).where(CampaignRow.id == campaign).with_for_update())
        if state in {CampaignState.STOPPED, CampaignState.FINISHED}:
            raise CampaignRefused(f"expected a campaign that is not over, found one that is {state}")
        known = known_of(session, campaign)
        if any(it.person in known or it.number in known for _, it in contacts):
            raise CampaignRefused("expected people who are not in the campaign, found some who were added meanwhile: try again")
        for some in _batches(rows, _AT_ONCE):
            session.connection().execute(insert(ContactRow), some)
    return len(contacts)


def known_of(session: Session, campaign: CampaignId) -> set[str]:
    """Persons and numbers that a campaign has."""
    found = session.execute(select(ContactRow.person, ContactRow.number).where(ContactRow.campaign == campaign))
    return {it for row in found for it in row}


def contact_of(row: ContactRow) -> Contact:
    """A row as the rules read it."""
    return Contact(
        id=ContactId(row.id),
        campaign=CampaignId(row.campaign),
        person=PersonKey(row.person),
        number=row.number,
        language=Language(row.language),
        zone=row.zone,
        fields=json.loads(row.fields),
        consent=row.consent,
        consent_at=None if row.consent_at is None else utc(row.consent_at),
        country=row.country,
    )


def standing_of(session: Session, row: ContactRow, now: datetime) -> tuple[Campaign, Standing]:
    """All that is known of one contact now, and what its campaign says."""
    campaign = session.get_one(CampaignRow, row.campaign, populate_existing=True)
    policy = policy_of(campaign)
    found = _Known(session, CampaignId(row.campaign), missing(session, policy.lists), now)
    found.look(DoNotCallRow.who.in_(names([row.person, row.number])), _of_person([row.person], [row.number]))
    return policy, found.standing(row, CampaignState(campaign.state))


def standings(session: Session, campaign: CampaignId, now: datetime) -> Iterator[tuple[ContactRow, Standing]]:
    """The same of all contacts that wait, in the list's order; read in bulk. As if the campaign ran."""
    waiting = (ContactRow.campaign == campaign) & (ContactRow.state == ContactState.WAITING)
    rows = session.scalars(select(ContactRow).where(waiting).order_by(ContactRow.row))
    gone = missing(session, policy_of(session.get_one(CampaignRow, campaign)).lists)
    for some in _batches(rows, _ASKED_AT_ONCE):
        persons, numbers = [it.person for it in some], [it.number for it in some]
        found = _Known(session, campaign, gone, now)
        found.look(DoNotCallRow.who.in_(names([*persons, *numbers])), _of_person(persons, numbers))
        yield from ((it, found.standing(it, CampaignState.RUNNING)) for it in some)


def last_written(engine: Engine) -> datetime | None:
    """The latest moment of an attempt: a clock that is behind it is wrong."""
    with Session(engine) as session:
        found = session.scalar(select(func.max(AttemptRow.committed_at)))
        return None if found is None else utc(found)


def tried_of(session: Session, contact: str) -> Sequence[Tried]:
    """What a campaign did for one contact, oldest first; what was never dialled is left out."""
    made = (AttemptRow.contact == contact) & AttemptRow.state.in_([AttemptState.ENDED, AttemptState.UNCERTAIN])
    return [tried(it) for it in session.scalars(select(AttemptRow).where(made).order_by(AttemptRow.committed_at))]


def tried(row: AttemptRow) -> Tried:
    """An attempt as the rules read it."""
    return Tried(
        at=utc(row.committed_at),
        reached=None if row.reached is None else Reached(row.reached),
        person=row.answerer in _PEOPLE,
        outcome=None if row.outcome in {None, CALL_LATER} else Outcome(row.outcome),
        call_later=row.outcome == CALL_LATER,
    )


class _Known:
    """What the database says of some contacts, by whom it is of."""

    def __init__(self, session: Session, campaign: CampaignId, gone: Sequence[str], now: datetime) -> None:
        """``gone``: lists of the campaign's that are not there."""
        self._session, self._campaign, self._gone, self._now = session, campaign, gone, now
        self._listed: Mapping[str, Sequence[DoNotCallRow]] = {}
        self._persons: Mapping[str, Sequence[AttemptRow]] = {}
        self._numbers: Mapping[str, Sequence[AttemptRow]] = {}

    def look(self, listed: ColumnElement[bool], attempted: ColumnElement[bool]) -> None:
        """Read it."""
        heeded = listed & DoNotCallRow.campaign.in_(["", self._campaign]) & (DoNotCallRow.list != LIFTED)
        self._listed = _by(self._session.scalars(select(DoNotCallRow).where(heeded)), lambda it: it.who)
        late = (AttemptRow.committed_at > self._now - _CAPS_REACH) | (AttemptRow.campaign == self._campaign)
        made = attempted & late & (AttemptRow.state != AttemptState.WITHDRAWN)
        attempts = self._session.scalars(select(AttemptRow).where(made).order_by(AttemptRow.committed_at)).all()
        self._persons, self._numbers = _by(attempts, lambda it: it.person), _by(attempts, lambda it: it.number)

    def standing(self, row: ContactRow, campaign: CampaignState) -> Standing:
        both = (*self._persons.get(row.person, ()), *self._numbers.get(row.number, ()))
        attempts = {it.id: it for it in both}.values()
        mine = [it for it in self._persons.get(row.person, ()) if it.contact == row.id]
        return Standing(
            campaign=campaign,
            listed=self._listings(row),
            rung=[Rung(utc(it.committed_at), _answered(it)) for it in attempts if it.reached not in UNHEARD],
            tried=[tried(it) for it in mine if it.state not in OPEN],
            not_before=None if row.next_at is None else utc(row.next_at),
            engaged=any(it.state in OPEN for it in attempts),
            missing=self._gone,
        )

    def _listings(self, row: ContactRow) -> Sequence[Listing]:
        found = [it for who in names({row.person, row.number}) for it in self._listed.get(who, ())]
        return [listing(it) for it in sorted(found, key=lambda it: it.since)]


def _batches(items: Iterable[_Row], most: int) -> Iterator[Sequence[_Row]]:
    left = iter(items)
    while some := list(islice(left, most)):
        yield some


def _of_person(persons: Iterable[str], numbers: Iterable[str]) -> ColumnElement[bool]:
    return AttemptRow.person.in_(list(persons)) | AttemptRow.number.in_(list(numbers))


def _by(rows: Iterable[_Row], key: Callable[[_Row], str]) -> Mapping[str, Sequence[_Row]]:
    found: dict[str, list[_Row]] = defaultdict(list)
    for it in rows:
        found[key(it)].append(it)
    return found


def _answered(row: AttemptRow) -> bool | None:
    return None if row.reached is None else row.reached == Reached.ANSWERED


def _written(campaign: CampaignId, row: int, it: Contact) -> dict[str, Any]:
    return {
        "id": uuid4().hex,
        "campaign": campaign,
        "row": row,
        "person": it.person,
        "number": it.number,
        "language": it.language,
        "zone": it.zone,
        "country": it.country,
        "fields": json.dumps(it.fields, ensure_ascii=False, separators=(",", ":")),
        "consent": it.consent,
        "consent_at": it.consent_at,
        "state": ContactState.WAITING,
        "attempts": 0,
    }
