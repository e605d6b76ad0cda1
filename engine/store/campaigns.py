"""Campaigns in the database: what they say, how they stand, and who changes that.

Rules:

* the states and what leads from one to another are ``engine.outbound.campaign``'s; a change is written only over the state that
  it was decided on;
* the file is kept as it was written, and is changed only while nobody is being called: in a draft, or in a pause;
* with a campaign stop all its contacts that wait, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from uuid import uuid4

from sqlalchemy import ColumnElement, Engine, select, update
from sqlalchemy.orm import Session

from engine.outbound.campaign import Campaign, CampaignErrors, CampaignRefused, CampaignState, Order, after
from engine.outbound.campaign_file import parse_campaign
from engine.outbound.contacts import CampaignId, ContactState, Outcome
from engine.store.lists import missing
from engine.store.outbound_models import CampaignRow, ContactRow
from engine.store.samples import utc

_EDITABLE = (CampaignState.DRAFT, CampaignState.PAUSED)
_UNSETTLED = (ContactState.WAITING, ContactState.DIALLING)
_OVER = (CampaignState.STOPPED, CampaignState.FINISHED)


@dataclass(frozen=True, slots=True)
class KeptCampaign:
    """A campaign as it stands."""

    id: CampaignId

    name: str

    state: CampaignState

    reason: str | None
    """Why it is paused or stopped."""

    place: str
    """The folder that its file lay in."""

    text: str = field(repr=False)
    """The file."""

    created_at: datetime

    started_at: datetime | None

    ended_at: datetime | None

    @property
    def policy(self) -> Campaign:
        """What its file says.

        Raises:
            CampaignErrors: this version of us can't read it; it can be stopped all the same, and nobody is called.
        """
        return _parsed(self.text, self.name)

    @property
    def readable(self) -> Campaign | None:
        """What its file says, where it can be read."""
        return _readable(self.text, self.name)


class Campaigns:
    """The table ``campaigns``. For several threads and processes; ``now`` is always aware of its zone."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def put(self, policy: Campaign, text: str, place: str, now: datetime) -> KeptCampaign:
        """Keep a campaign's file: as a draft where the name is new, else over the one before.

        Raises:
            CampaignRefused: it runs, or is over.
        """
        with Session(self._engine) as session, session.begin():
            row = session.scalars(select(CampaignRow).where(CampaignRow.name == policy.name).with_for_update()).one_or_none()
            if row is None:
                draft = {"state": CampaignState.DRAFT, "created_at": now}
                row = CampaignRow(id=uuid4().hex, name=policy.name, **draft)
                session.add(row)
            elif row.revision != policy.revision and row.state not in _EDITABLE:
                raise CampaignRefused(f"{policy.name}: expected a draft or a pause to change the file in, found: {row.state}")
            row.file, row.place, row.revision, row.priority = text, place, policy.revision, policy.priority
            row.changed_at = now
            session.flush()
            return _kept(row)

    def named(self, name: str) -> KeptCampaign:
        """Look a campaign up.

        Raises:
            CampaignRefused: there is none.
        """
        with Session(self._engine) as session:
            return _kept(_row(session, name))

    def of(self, campaign: CampaignId) -> KeptCampaign | None:
        """Look a campaign up by its id."""
        with Session(self._engine) as session:
            row = session.get(CampaignRow, campaign)
            return None if row is None else _kept(row)

    def all(self) -> list[KeptCampaign]:
        """Every campaign, the newest first."""
        with Session(self._engine) as session:
            return [_kept(it) for it in session.scalars(select(CampaignRow).order_by(CampaignRow.created_at.desc()))]

    def running(self) -> tuple[Sequence[KeptCampaign], Mapping[str, CampaignErrors]]:
        """Those that run; and by name those that can't, though they are to: another version of us could read their file."""
        wanted = select(CampaignRow).where(CampaignRow.state == CampaignState.RUNNING)
        good: list[KeptCampaign] = []
        bad: dict[str, CampaignErrors] = {}
        with Session(self._engine) as session:
            for kept in map(_kept, session.scalars(wanted)):
                try:
                    _ = kept.policy
                except CampaignErrors as errors:
                    bad[kept.name] = errors
                else:
                    good.append(kept)
        return good, bad

    def tell(self, name: str, order: Order, now: datetime, reason: str | None = None) -> KeptCampaign:
        """Start, pause, resume or stop a campaign.

        Raises:
            CampaignRefused: it can't be done as it stands, nobody is in it, or a list that it names is not there.
            CampaignErrors: this version of us can't read its file.
        """
        with Session(self._engine) as session, session.begin():
            row = _row(session, name)
            if order is Order.START and not session.scalar(select(ContactRow.id).where(ContactRow.campaign == row.id).limit(1)):
                raise CampaignRefused(f"{name}: expected contacts, found none: import a list first")
            if after(CampaignState(row.state), order) is CampaignState.RUNNING:
                _heeds(session, row)
            if not _move(session, row, order, now, reason):
                raise CampaignRefused(f"{name}: expected a campaign to {order.value}, found one that is {row.state}")
            session.refresh(row)
            return _kept(row)

    def settle(self, now: datetime) -> list[str]:
        """Finish the campaigns in which nobody waits any more; gives their names. What a stopped one got back is stopped too."""
        waits = select(ContactRow.id).where(ContactRow.campaign == CampaignRow.id, ContactRow.state.in_(_UNSETTLED))
        wanted = select(CampaignRow).where(CampaignRow.state == CampaignState.RUNNING, ~waits.exists())
        with Session(self._engine) as session, session.begin():
            over = select(CampaignRow.id).where(CampaignRow.state.in_(_OVER))
            _stop_contacts(session, ContactRow.campaign.in_(over), now)
            done = session.scalars(wanted).all()
            return [it.name for it in done if _move(session, it, Order.FINISH, now, None)]


def policy_of(row: CampaignRow) -> Campaign:
    """What its file says."""
    return _parsed(row.file, row.name)


def readable_policy_of(row: CampaignRow) -> Campaign | None:
    """What its file says, where it can be read."""
    return _readable(row.file, row.name)


def _readable(text: str, name: str) -> Campaign | None:
    try:
        return _parsed(text, name)
    except CampaignErrors:
        return None


@lru_cache(maxsize=64)  # of a file's text, which is all that decides; diallers ask with every contact
def _parsed(text: str, name: str) -> Campaign:
    return parse_campaign(text, f"{name}.yaml")


def _row(session: Session, name: str) -> CampaignRow:
    row = session.scalars(select(CampaignRow).where(CampaignRow.name == name)).one_or_none()
    if row is None:
        known = session.scalars(select(CampaignRow.name).order_by(CampaignRow.created_at.desc()).limit(5)).all()
        raise CampaignRefused(f"expected a campaign's name ({', '.join(known) or 'there are none yet'}), found {name!r}")
    return row


def _heeds(session: Session, row: CampaignRow) -> None:
    """See that the lists that it names are there: a misspelt one would protect nobody."""
    if gone := missing(session, policy_of(row).lists):
        found = ", ".join(map(repr, gone))
        way = "put people on it, or make it empty: callwright campaign block --list NAME [--empty]"
        raise CampaignRefused(f"{row.name}: do_not_call: expected lists that are there, found none called {found}: {way}")


def _move(session: Session, row: CampaignRow, order: Order, now: datetime, reason: str | None) -> bool:
    """Write a change of state, over the state that it was decided on; with what it means for the contacts."""
    state = after(CampaignState(row.state), order)
    if state is None:
        return False
    values = {"state": state, "reason": reason, "changed_at": now}
    if order is Order.START:
        values["started_at"] = now
    if state in _OVER:
        values["ended_at"] = now
    same = (CampaignRow.id == row.id) & (CampaignRow.state == row.state)
    changed = session.scalars(update(CampaignRow).where(same).values(values).returning(CampaignRow.id)).all()
    if changed and order is Order.STOP:
        _stop_contacts(session, ContactRow.campaign == row.id, now)
    return bool(changed)


def _stop_contacts(session: Session, which: ColumnElement[bool], now: datetime) -> None:
    values = {"state": ContactState.DONE, "outcome": Outcome.STOPPED, "reason": "the campaign was stopped", "done_at": now}
    waiting = which & (ContactRow.state == ContactState.WAITING)
    stopping = update(ContactRow).where(waiting).values(**values, next_at=None)
    session.execute(stopping.execution_options(synchronize_session=False))


def _kept(row: CampaignRow) -> KeptCampaign:
    return KeptCampaign(
        id=CampaignId(row.id),
        name=row.name,
        state=CampaignState(row.state),
        reason=row.reason,
        place=row.place,
        text=row.file,
        created_at=utc(row.created_at),
        started_at=None if row.started_at is None else utc(row.started_at),
        ended_at=None if row.ended_at is None else utc(row.ended_at),
    )
