"""Who is signed in: a random secret in a browser's cookie, its hash here.

Rules. A sign-in makes a new session and ends the one its browser had. Roles are read anew at every request. A session that was
idle or has lasted too long is deleted when it is next shown, or with the others when somebody signs in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from engine.access.deeds import Deed
from engine.access.lifetimes import Lifetimes
from engine.access.principal import PersonId, Principal
from engine.store.access_models import PersonRow, SessionRow
from engine.store.accounts import read_principal, utc
from engine.store.audit import Told, Trail
from engine.store.hashing import fingerprint, new_secret


@dataclass(frozen=True, slots=True)
class Sessions:
    """Those of one database."""

    trail: Trail
    lifetimes: Lifetimes = Lifetimes()

    def begin(self, person: PersonId, address: str, before: str | None = None, now: datetime | None = None) -> str:
        """Sign somebody in who was recognised; what their cookie is to hold. ``before``: what it held."""
        now, secret = now or datetime.now(UTC), new_secret()
        with Session(self.trail.database) as session, session.begin():
            self._sweep(session, now)
            session.execute(delete(SessionRow).where(SessionRow.hash == fingerprint(before or "")))
            session.add(SessionRow(hash=fingerprint(secret), person=person, began_at=now, seen_at=now))
            session.execute(update(PersonRow).where(PersonRow.id == person).values(signed_in_at=now))
            self.trail.append(session, Told(person, Deed.SIGNED_IN, address=address))
        return secret

    def find(self, secret: str, *, present: bool = True, now: datetime | None = None) -> Principal | None:
        """Who is signed in with this; ``present``: somebody does something, which keeps the session alive."""
        now, hash_ = now or datetime.now(UTC), fingerprint(secret)
        with Session(self.trail.database) as session:
            query = select(SessionRow, PersonRow).join(PersonRow, PersonRow.id == SessionRow.person)
            found = session.execute(query.where(SessionRow.hash == hash_)).one_or_none()
            if found is None:
                return None
            row, person = found
            if person.disabled or not self.lifetimes.alive(utc(row.began_at), utc(row.seen_at), now):
                session.execute(delete(SessionRow).where(SessionRow.hash == hash_))
                session.commit()
                return None
            principal = read_principal(person)
            if present and self.lifetimes.to_note(utc(row.seen_at), now):
                session.execute(update(SessionRow).where(SessionRow.hash == hash_).values(seen_at=now))
                session.commit()
            return principal

    def end(self, secret: str, address: str) -> None:
        """Sign out."""
        with Session(self.trail.database) as session, session.begin():
            row = session.get(SessionRow, fingerprint(secret))
            if row is not None:
                session.delete(row)
                self.trail.append(session, Told(row.person, Deed.SIGNED_OUT, address=address))

    def _sweep(self, session: Session, now: datetime) -> None:
        over = or_(SessionRow.seen_at <= now - self.lifetimes.idle, SessionRow.began_at <= now - self.lifetimes.longest)
        session.execute(delete(SessionRow).where(over))
