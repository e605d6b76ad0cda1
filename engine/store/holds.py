"""Legal holds: what a call, a person or a campaign is held for. Nothing that is held is deleted, whatever its time, whoever asks.

Who holds and who releases stands in the audit chain, by the hold's number: a person's name or number never does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine.access.deeds import Deed
from engine.core.errors import ConfigError
from engine.privacy.person import Person
from engine.store.accounts import Actor
from engine.store.audit import Told, Trail
from engine.store.belongings import Kept
from engine.store.keeping_models import HoldRow
from engine.store.samples import utc


class HeldBy(StrEnum):
    """What a hold names."""

    CALL = "call"
    PERSON = "person"
    CAMPAIGN = "campaign"


@dataclass(frozen=True, slots=True)
class Hold:
    """One of them."""

    id: int
    kind: HeldBy
    subject: str = field(repr=False)
    why: str
    who: str
    at: datetime

    def holds(self, call: Kept) -> bool:
        """Whether it is about this call."""
        match self.kind:
            case HeldBy.CALL:
                return self.subject in {call.name, call.parts.call, *call.parts.contents}
            case HeldBy.CAMPAIGN:
                return call.facts.get("campaign") == self.subject
            case HeldBy.PERSON:
                return any(map(Person.of(self.subject).is_named_in, call.people))


class Holds:
    """The table of them."""

    def __init__(self, trail: Trail) -> None:
        self._trail = trail

    def all(self) -> Sequence[Hold]:
        """Every hold in force, the oldest first."""
        with Session(self._trail.database) as session:
            return [_hold(it) for it in session.scalars(select(HoldRow).order_by(HoldRow.id))]

    def hold(self, by: Actor, kind: HeldBy, subject: str, why: str) -> Hold:
        """Hold something.

        Raises:
            ConfigError: it is held already, or there is no reason.
        """
        if not why.strip():
            raise ConfigError("expected a reason to hold it, found none")
        row = HoldRow(kind=kind, subject=subject, why=why, who=by.who, at=datetime.now(UTC))
        try:
            with Session(self._trail.database, expire_on_commit=False) as session, session.begin():
                session.add(row)
                session.flush()
                told = {"kind": str(kind), "why": why, **({} if kind is HeldBy.PERSON else {"what": subject})}
                self._trail.append(session, Told(by.who, Deed.HELD, f"hold {row.id}", by.address, told))
        except IntegrityError:
            raise ConfigError(f"expected a {kind} that is not held, found one that is") from None
        return _hold(row)

    def release(self, by: Actor, id: int, why: str) -> Hold:
        """Let it go.

        Raises:
            ConfigError: there is no such hold.
        """
        with Session(self._trail.database) as session, session.begin():
            row = session.get(HoldRow, id)
            if row is None:
                raise ConfigError(f"expected the number of a hold, found {id}: callwright keeping status")
            found = _hold(row)
            session.delete(row)
            self._trail.append(session, Told(by.who, Deed.HELD, f"hold {id}", by.address, {"released": True, "why": why}))
        return found


def _hold(row: HoldRow) -> Hold:
    return Hold(row.id, HeldBy(row.kind), row.subject, row.why, row.who, utc(row.at))
