"""What is known of a person besides their calls: contacts of campaigns, lists of whom not to call, messages.

That somebody must not be called outlives them as a digest (:func:`engine.store.lists.digest`): who brings the number again is
told that it is listed. Who has the database and tries all numbers there are can find which one it was.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Engine, delete, exists, false, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine.outbound.attempt import OPEN
from engine.outbound.contacts import ContactState
from engine.privacy.person import Person
from engine.store.lists import digest
from engine.store.models import CallRow
from engine.store.outbound_models import AttemptRow, CampaignRow, ContactRow, DoNotCallRow
from engine.store.quality_models import OutboxRow

_AT_ONCE: Final = 500
LEAST: Final = timedelta(days=31)
"""How long contacts that were called are kept at least: the rules on how often somebody may be called look back so far."""


@dataclass(frozen=True, slots=True)
class ContactKept:
    """A contact, as keeping sees it."""

    id: str
    campaign: str
    """Its name."""

    person: str = field(repr=False)
    number: str = field(repr=False)
    done_at: datetime | None
    in_hand: bool
    """Being dialled."""


@dataclass(frozen=True, slots=True)
class Left:
    """What was taken away."""

    contacts: int
    listed: int
    """Entries of lists that are digests now."""

    messages: int


class Persons:
    """Everybody's. For several threads."""

    def __init__(self, database: Engine) -> None:
        self._database = database

    def contacts(self, people: Collection[Person]) -> Sequence[ContactKept]:
        """Their contacts in all campaigns."""
        names = [it.subject for it in people]
        return self._contacts(ContactRow.person.in_(names) | ContactRow.number.in_(names))

    def done_before(self, moment: datetime) -> Sequence[ContactKept]:
        """Contacts that had their outcome before."""
        return self._contacts((ContactRow.state == ContactState.DONE) & (ContactRow.done_at < moment))

    def drop(self, contacts: Sequence[ContactKept]) -> int:
        """Take contacts away with their attempts; one that is being dialled, or of whom a call is kept, stays. How many went."""
        return sum(self._drop([it.id for it in contacts[at : at + _AT_ONCE]]) for at in range(0, len(contacts), _AT_ONCE))

    def forget(self, people: Collection[Person]) -> Left:
        """Take away what is known of them besides their calls."""
        contacts = self.drop(self.contacts(people))
        return Left(contacts, self._digested([it.subject for it in people]), self._untold(people))

    def _contacts(self, which: ColumnElement[bool]) -> Sequence[ContactKept]:
        columns = (ContactRow.id, CampaignRow.name, ContactRow.person, ContactRow.number, ContactRow.done_at, ContactRow.state)
        wanted = select(*columns).join(CampaignRow, CampaignRow.id == ContactRow.campaign).where(which)
        with self._database.connect() as connection:
            rows = connection.execute(wanted).all()
        return [ContactKept(*row[:5], in_hand=row.state == ContactState.DIALLING) for row in rows]

    def _drop(self, ids: Sequence[str]) -> int:
        with Session(self._database) as session, session.begin():
            talks = exists().where(CallRow.id == AttemptRow.call)
            busy = select(AttemptRow.contact).where(AttemptRow.contact.in_(ids), AttemptRow.state.in_(OPEN) | talks)
            free = set(ids) - set(session.scalars(busy))
            idle = ContactRow.id.in_(free) & (ContactRow.state != ContactState.DIALLING)
            session.execute(delete(AttemptRow).where(AttemptRow.contact.in_(select(ContactRow.id).where(idle))))
            return len(session.scalars(delete(ContactRow).where(idle).returning(ContactRow.id)).all())

    def _digested(self, names: Sequence[str]) -> int:
        with Session(self._database) as session:
            rows = session.execute(select(DoNotCallRow.id, DoNotCallRow.who).where(DoNotCallRow.who.in_(names))).all()
        for row in rows:
            here = DoNotCallRow.id == row.id
            try:
                with Session(self._database) as session, session.begin():
                    session.execute(update(DoNotCallRow).where(here).values(who=digest(row.who), reason=None))
            except IntegrityError:  # it is on that list already, as a digest
                with Session(self._database) as session, session.begin():
                    session.execute(delete(DoNotCallRow).where(here))
        return len(rows)

    def _untold(self, people: Collection[Person]) -> int:
        """Messages that name them."""
        some = or_(false(), *(OutboxRow.body.contains(it, autoescape=True) for person in people for it in _quoted(person)))
        with Session(self._database) as session, session.begin():
            return len(session.scalars(delete(OutboxRow).where(some).returning(OutboxRow.id)).all())


def _quoted(person: Person) -> Sequence[str]:
    """As JSON writes them."""
    return [f'"{it}"' for it in {person.subject, *(person.digits or ())}]
