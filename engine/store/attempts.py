"""Attempts in the database: every change of an attempt and its contact in one short transaction.

Rules:

* an attempt's states and what leads from one to another are ``engine.outbound.attempt``'s; nothing else writes the column
  ``state`` of an attempt, and a change is written only over the states that it may follow: who comes second changes nothing, and
  is told so. So several diallers on several machines can work at once, and one that was only taken for dead does no harm;
* an intent is committed in the transaction that asks the rules once more, about what is in the database at that moment;
* a contact has at most one open attempt: by its own state, and by a unique index;
* an attempt and its contact change together: a contact is ``dialling`` exactly while it has an open attempt.

For several threads and processes. Times are the machines' clocks, which should agree within seconds; ``now`` is always aware of
its zone.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from sqlalchemy import ColumnElement, Engine, delete, func, select, text, update
from sqlalchemy.orm import Session

from engine.core.call import CallId
from engine.core.units import Seconds
from engine.outbound.attempt import OPEN, AttemptState, Fate, change
from engine.outbound.campaign import OPT_OUTS, CampaignState
from engine.outbound.carrier import Ended
from engine.outbound.contacts import AttemptId, CampaignId, Contact, ContactId, ContactState, Outcome
from engine.outbound.retries import UNHEARD, Again, Next, Over
from engine.outbound.rules import May, Never, Verdict, Wait
from engine.store.contacts import CALL_LATER, contact_of
from engine.store.outbound_models import AttemptRow, CampaignRow, ContactRow, DiallerRow, DoNotCallRow
from engine.store.samples import utc

LEASE: Final = timedelta(seconds=30)
RENEW: Final = LEASE / 10  # so that nine renewals may fail in a row
_LONGEST_REASON: Final = 512
_NO_MORE: Final = frozenset({CampaignState.STOPPED, CampaignState.FINISHED})


@dataclass(frozen=True, slots=True)
class Talked:
    """What a talk came to."""

    outcome: Outcome | None
    """``None``: to nothing yet; what follows is the rules' business."""

    seconds: float = 0.0
    """From answer to end."""

    answerer: str | None = None
    """Person, machine ...; ``None`` = nobody judged it."""

    call_later: bool = False
    """They asked to be called at another time ..."""

    call_at: datetime | None = None
    """... and when, by their own clock (naive), where they said so."""

    waited: Seconds | None = None
    """For an operator, from asking until one was there or nobody waited any more; ``None`` = none was asked for."""

    reason: str | None = None

    details: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What it settled: date and amount of a promise, and what else the flow records."""


class Rulebook(Protocol):
    """What the store asks while it holds the transaction; all of it reads through the given session."""

    def verdict(self, session: Session, contact: ContactRow, now: datetime) -> Verdict:
        """Whether this contact may be dialled now."""

    def follows(self, session: Session, contact: ContactRow, attempt: AttemptRow, talked: Talked | None) -> Next:
        """What follows an attempt that has ended; its row holds how. ``talked`` is what the talk came to, where there was one."""


@dataclass(frozen=True, slots=True)
class Intent:
    """A committed intent to dial."""

    attempt: AttemptId

    contact: Contact = field(repr=False)


@dataclass(frozen=True, slots=True)
class Left:
    """An open attempt that a dead dialler left."""

    attempt: AttemptId

    state: AttemptState

    call: CallId | None
    """The conversation, where there was one."""


class Attempts:
    """The attempts of one dialler, over one carrier."""

    def __init__(self, engine: Engine, rules: Rulebook, *, owner: str, carrier: str) -> None:
        self._engine = engine
        self._rules = rules
        self._owner = owner
        self._carrier = carrier

    # The dialler itself

    def renew(self, now: datetime) -> None:
        """Say that this dialler lives, for the first time or again."""
        with Session(self._engine) as session, session.begin():
            row = session.get(DiallerRow, self._owner) or DiallerRow(owner=self._owner, started_at=now)
            row.lease_until = now + LEASE
            session.add(row)

    def leave(self) -> None:
        """Say good-bye; what is still open is for the others."""
        with Session(self._engine) as session, session.begin():
            session.execute(delete(DiallerRow).where(DiallerRow.owner == self._owner))

    def others(self) -> frozenset[str]:
        """Who else has open attempts on this carrier."""
        with Session(self._engine) as session:
            found = session.scalars(select(AttemptRow.owner).where(self._open, AttemptRow.owner != self._owner).distinct())
            return frozenset(found)

    def adopt(self, now: datetime, dead: Collection[str] = ()) -> list[Left]:
        """Take over what diallers left open whose lease is over, or that are known to be ``dead``."""
        alive = select(DiallerRow.owner).where(DiallerRow.lease_until > now, DiallerRow.owner.not_in(list(dead)))
        orphaned = self._open & (AttemptRow.owner != self._owner) & AttemptRow.owner.not_in(alive)
        with Session(self._engine) as session, session.begin():
            taken = _taken(session, orphaned, self._owner)
            session.execute(delete(DiallerRow).where(DiallerRow.lease_until <= now - LEASE))
        return taken

    def strays(self) -> list[Left]:
        """Take over what is open over other carriers and whose dialler is long gone: no dialler that could ask that carrier has
        taken it, so none is configured any more.
        """
        gone = AttemptRow.owner.not_in(select(DiallerRow.owner))
        stray = AttemptRow.state.in_(OPEN) & (AttemptRow.carrier != self._carrier) & gone
        with Session(self._engine) as session, session.begin():
            return _taken(session, stray, self._owner)

    def place(self, now: datetime) -> tuple[int, int]:
        """Which of the diallers that live this one is, from 0, and how many there are."""
        alive = select(DiallerRow.owner).where((DiallerRow.lease_until > now) | (DiallerRow.owner == self._owner))
        with Session(self._engine) as session:
            owners = sorted({self._owner, *session.scalars(alive)})
        return owners.index(self._owner), len(owners)

    # Before a call

    def due(self, campaign: CampaignId, now: datetime, most: int) -> list[ContactId]:
        """Contacts that may be worth asking the rules about: those to be tried again first, then by their place in the list."""
        waiting = (ContactRow.campaign == campaign) & (ContactRow.state == ContactState.WAITING)
        again = select(ContactRow.id).where(waiting, ContactRow.next_at <= now).order_by(ContactRow.next_at).limit(most)
        fresh = select(ContactRow.id).where(waiting, ContactRow.next_at.is_(None)).order_by(ContactRow.row).limit(most)
        with Session(self._engine) as session:
            found = list(session.scalars(again))
            if len(found) < most:
                found += list(session.scalars(fresh))
        return [ContactId(it) for it in found[:most]]

    def next_due(self, campaign: CampaignId) -> datetime | None:
        """When the next contact of a campaign is due that is not yet; ``None``: none waits."""
        waiting = (ContactRow.campaign == campaign) & (ContactRow.state == ContactState.WAITING)
        with Session(self._engine) as session:
            found = session.scalar(select(func.min(ContactRow.next_at)).where(waiting))
        return None if found is None else utc(found)

    def commit(self, contact: ContactId, attempt: AttemptId, now: datetime) -> Intent | None:
        """Commit the intent to dial a contact; ``None``: another has it, or the rules say no, which its row then tells.

        ``attempt`` is a new id, so that who is not told how the commit went can still withdraw it.
        """
        mine = (ContactRow.id == contact) & (ContactRow.state == ContactState.WAITING)
        claim = update(ContactRow).where(mine).values(state=ContactState.DIALLING).returning(ContactRow)
        with Session(self._engine) as session, session.begin():
            row = session.scalars(claim).one_or_none()
            if row is None:
                return None
            if not _alone(session, row):
                row.state = ContactState.WAITING
                return None
            verdict = self._rules.verdict(session, row, now)
            if not isinstance(verdict, May):
                _refuse(session, row, verdict, now)
                return None
            return self._intent(session, row, attempt, now)

    def mark(self, attempt: AttemptId, now: datetime) -> bool:
        """Mark it just before its id goes to the carrier. ``False``: it must not be sent: it is not this dialler's any more, or
        what the rules said of it is old (a machine that slept, a database that was away), its campaign does not run any more, or
        somebody put them on a list since: the rules are to say more.
        """
        runs = select(CampaignRow.id).where(CampaignRow.state == CampaignState.RUNNING)
        fresh = (AttemptRow.committed_at > now - LEASE) & AttemptRow.campaign.in_(runs) & ~_listed_since()
        with Session(self._engine) as session, session.begin():
            return changed(session, attempt, Fate.MARKED, fresh & (AttemptRow.owner == self._owner), dialled_at=now) is not None

    # After it

    def answered(self, attempt: AttemptId, call: CallId) -> None:
        """Note which conversation it is, so that a dead dialler's can be found."""
        with Session(self._engine) as session, session.begin():
            session.execute(update(AttemptRow).where(AttemptRow.id == attempt).values(call=call))

    def ended(self, attempt: AttemptId, ended: Ended, now: datetime, talked: Talked | None = None) -> bool:
        """Write how it ended, and what follows for the contact. ``False``: that is known already."""
        values: dict[str, Any] = {
            "reached": ended.reached,
            "reason": cut(talked.reason if talked and talked.reason else ended.reason),
            "talked": talked.seconds if talked else ended.talked,
            "ended_at": now,
        }
        if talked is not None:
            values |= {"outcome": CALL_LATER if talked.call_later else talked.outcome, "answerer": talked.answerer}
            values["details"] = json.dumps(dict(talked.details), ensure_ascii=False)
        with Session(self._engine) as session, session.begin():
            row = changed(session, attempt, Fate.RESULT, **values)
            if row is None:
                return False
            contact = session.get_one(ContactRow, row.contact, with_for_update=True)
            contact.attempts += ended.reached not in UNHEARD and contact.state == ContactState.DIALLING
            session.flush()
            follow(session, contact, self._rules.follows(session, contact, row, talked), now)
        return True

    def withdraw(self, attempt: AttemptId, fate: Fate, now: datetime, reason: str | None = None) -> bool:
        """It was never sent, or never seen: its contact waits as before."""
        with Session(self._engine) as session, session.begin():
            row = changed(session, attempt, fate, ended_at=now, reason=cut(reason))
            if row is None:
                return False
            contact = session.get_one(ContactRow, row.contact)
            follow(session, contact, Again(now), now)
        return True

    def skip(self, attempt: AttemptId, why: str, now: datetime) -> bool:
        """There would be nothing to say: it is not sent, and the contact has its end."""
        with Session(self._engine) as session, session.begin():
            row = changed(session, attempt, Fate.NEVER_SENT, ended_at=now, reason=cut(why))
            if row is None:
                return False
            follow(session, session.get_one(ContactRow, row.contact), Over(Outcome.SKIPPED, why), now)
        return True

    def give_up(self, attempt: AttemptId, reason: str) -> bool:
        """Nobody knows, and nobody will: list it for a person."""
        with Session(self._engine) as session, session.begin():
            row = changed(session, attempt, Fate.NOBODY_KNOWS, reason=cut(reason))
            if row is None:
                return False
            contact = session.get_one(ContactRow, row.contact)
            contact.state, contact.reason = ContactState.UNCERTAIN, cut(reason)
            contact.attempts += 1
        return True

    @property
    def _open(self) -> ColumnElement[bool]:
        return AttemptRow.state.in_(OPEN) & (AttemptRow.carrier == self._carrier)

    def _intent(self, session: Session, row: ContactRow, attempt: AttemptId, now: datetime) -> Intent:
        row.reason = row.next_at = None
        session.add(
            AttemptRow(
                id=attempt,
                contact=row.id,
                campaign=row.campaign,
                person=row.person,
                number=row.number,
                state=AttemptState.COMMITTED,
                carrier=self._carrier,
                owner=self._owner,
                committed_at=now,
                details="{}",
                talked=0.0,
            )
        )
        return Intent(attempt, contact_of(row))


def _taken(session: Session, which: ColumnElement[bool], owner: str) -> list[Left]:
    taking = update(AttemptRow).where(which).values(owner=owner).returning(AttemptRow.id, AttemptRow.state, AttemptRow.call)
    taken = session.execute(taking.execution_options(synchronize_session=False)).all()
    return [Left(AttemptId(it.id), AttemptState(it.state), it.call and CallId(it.call)) for it in taken]


def changed(
    session: Session, attempt: AttemptId, fate: Fate, which: ColumnElement[bool] | None = None, **values: Any
) -> AttemptRow | None:
    """Bring a fate to an attempt; ``None`` where it is in no state that it can happen in."""
    before, then = change(fate)
    same = (AttemptRow.id == attempt) & AttemptRow.state.in_(before)
    changing = update(AttemptRow).where(same if which is None else same & which).values(state=then, **values)
    return session.scalars(changing.returning(AttemptRow)).one_or_none()


def _refuse(session: Session, row: ContactRow, verdict: Wait | Never, now: datetime) -> None:
    if isinstance(verdict, Never):
        follow(session, row, Over(verdict.outcome, verdict.why), now)
    else:
        follow(session, row, Again(verdict.until), now)
        row.reason = cut(verdict.why)


def follow(session: Session, contact: ContactRow, follows: Next, now: datetime) -> None:
    """Let the contact wait, or write its outcome; in a campaign that is over nobody waits any more."""
    if isinstance(follows, Again) and session.get_one(CampaignRow, contact.campaign).state in _NO_MORE:
        follows = Over(Outcome.STOPPED, "the campaign was stopped")
    if isinstance(follows, Again):
        contact.state, contact.next_at, contact.reason = ContactState.WAITING, follows.at, None
    else:
        contact.state, contact.outcome, contact.done_at = ContactState.DONE, follows.outcome, now
        contact.next_at, contact.reason = None, cut(follows.why or None)


def _listed_since() -> ColumnElement[bool]:
    """Whether an attempt's person or number came on a list after it was judged, or while it was. Who had opted out before would
    not have been judged fit, so an opt-out counts whatever its date: another machine's clock may be behind.
    """
    who = DoNotCallRow.who.in_([AttemptRow.person, AttemptRow.number])
    since = (DoNotCallRow.since >= AttemptRow.committed_at) | (DoNotCallRow.list == OPT_OUTS)
    here = DoNotCallRow.campaign.in_(["", AttemptRow.campaign]) & since
    return select(DoNotCallRow.id).where(who, here).correlate(AttemptRow).exists()


def _alone(session: Session, row: ContactRow) -> bool:
    """Whether nobody else is just judging the same person, or the same number, for another campaign: both would find the caps
    unused.

    SQLite has one writer, and this transaction is it.
    """
    if session.get_bind().dialect.name != "postgresql":
        return True
    lock = text("SELECT pg_try_advisory_xact_lock(hashtext(:who))")
    return all(session.scalar(lock, {"who": f"callwright:{who}"}) for who in {row.person, row.number})


def cut(reason: str | None) -> str | None:
    """A reason that fits its column."""
    return reason if reason is None or len(reason) <= _LONGEST_REASON else reason[: _LONGEST_REASON - 1] + "…"
