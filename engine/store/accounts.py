"""People who sign in: their names, roles, teams and passwords. Every change stands in the audit chain, and ends their sessions.

Names are of small ASCII letters, digits and ``. _ @ -``: nobody can look like another, and a name can stand in any log. A person
is never deleted and no name given to another; who has left is disabled.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from engine.access.deeds import Deed
from engine.access.passwords import LONGEST, SHORTEST, Fault, fault
from engine.access.permissions import Role
from engine.access.principal import PersonId, Principal
from engine.core.errors import ConfigError
from engine.store.access_models import PersonRow, SessionRow
from engine.store.audit import Fact, Told, Trail
from engine.store.hashing import fits, hashed, is_worn

_ISSUERS: Final = "oidc:"  # begins the credential of who has no password here
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
_EXPECTED: Final = {
    Fault.SHORT: f"{SHORTEST} or more characters",
    Fault.LONG: f"at most {LONGEST} characters",
    Fault.NAME: "one that is not made of the name",
    Fault.KNOWN: "one that is not among the first that everybody tries",
}


class BadPassword(ConfigError):
    """A new password that is none."""

    def __init__(self, why: Fault) -> None:
        super().__init__(f"expected a password of {_EXPECTED[why]}, found another")
        self.why = why


class NameTaken(ConfigError):
    """A name that the issuer gives is somebody else's here, or none."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who signs in, as others see them."""

    principal: Principal
    disabled: bool
    added_at: datetime
    signed_in_at: datetime | None
    by_issuer: bool = False
    """They sign in at the bank's issuer, which says what they may do; they have no password here."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who makes a change, and where they sit."""

    who: str
    address: str = ""


class Accounts:
    """Those of one database."""

    def __init__(self, trail: Trail) -> None:
        self._trail = trail
        self._database: Engine = trail.database

    @property
    def none(self) -> bool:
        """Whether nobody was ever added."""
        with Session(self._database) as session:
            return session.scalar(select(PersonRow.id).limit(1)) is None

    def people(self) -> list[Person]:
        """Everybody, by name."""
        with Session(self._database) as session:
            return [_read(row) for row in session.scalars(select(PersonRow).order_by(PersonRow.id))]

    def find(self, name: str) -> Person | None:
        """One of them."""
        with Session(self._database) as session:
            row = session.get(PersonRow, known_as(name))
            return None if row is None else _read(row)

    def add(self, by: Actor, principal: Principal, password: str) -> None:
        """Add somebody.

        Raises:
            ConfigError: the name is none or is taken; no role is given; the password is no good.
        """
        name = known_as(principal.id)
        if not _NAME.fullmatch(name):
            raise ConfigError(f"expected a name of letters a to z, digits and . _ @ - (64 at most), found {principal.id!r}")
        if not principal.roles:
            raise ConfigError(f"expected a role for {name}, found none")
        now, row = datetime.now(UTC), {"roles": _json(principal.roles), "teams": _json(principal.teams)}
        hash_ = _checked(password, name)
        with Session(self._database) as session, session.begin():
            if session.get(PersonRow, name) is not None:
                raise ConfigError(f"expected a name that nobody has or had, found {name}")
            session.add(PersonRow(id=name, password=hash_, disabled=False, added_at=now, password_at=now, **row))
            self._tell(session, by, Deed.PERSON_ADDED, name, principal)

    def change(
        self, by: Actor, name: str, *, roles: Collection[Role] | None = None, teams: Collection[str] | None = None
    ) -> None:
        """Give somebody other roles or teams; what is ``None`` stays. They must sign in anew.

        Raises:
            ConfigError: there is nobody of this name, or no role is left.
        """
        with Session(self._database) as session, session.begin():
            row = _own(_row(session, name))
            row.roles = row.roles if roles is None else _json(roles)
            row.teams = row.teams if teams is None else _json(teams)
            if row.roles == "[]":
                raise ConfigError(f"expected a role for {row.id}, found none: disable who has none")
            _sign_out(session, row)
            self._tell(session, by, Deed.ROLES_CHANGED, row.id, _read(row).principal)

    def switch(self, by: Actor, name: str, *, disabled: bool) -> None:
        """Let somebody in no more, or again.

        Raises:
            ConfigError: there is nobody of this name.
        """
        with Session(self._database) as session, session.begin():
            row = _row(session, name)
            row.disabled = disabled
            _sign_out(session, row)
            self._tell(session, by, Deed.PERSON_DISABLED if disabled else Deed.PERSON_ENABLED, row.id)

    def set_password(self, by: Actor, name: str, password: str) -> None:
        """Give somebody another password. They must sign in anew.

        Raises:
            ConfigError: there is nobody of this name.
            BadPassword: it is no good.
        """
        hash_ = _checked(password, known_as(name))
        with Session(self._database) as session, session.begin():
            row = _own(_row(session, name))
            row.password, row.password_at = hash_, datetime.now(UTC)
            _sign_out(session, row)
            self._tell(session, by, Deed.PASSWORD_CHANGED, row.id)

    def recognise(self, name: str, password: str) -> Principal | None:
        """Who this is, if they are let in; it takes as long where there is nobody of this name."""
        with Session(self._database) as session:
            row = session.get(PersonRow, known_as(name))
            right = fits(password[: LONGEST + 1], None if row is None or _is_issuers(row) else row.password)
            if row is None or not right or row.disabled:
                return None
            if is_worn(row.password):
                row.password = hashed(password)
                session.commit()
            return _read(row).principal

    def known_by_issuer(self, by: Actor, principal: Principal, fingerprint: str) -> Principal | None:
        """Who the bank's issuer says it is, with the roles and teams it gives now; ``None``: they are disabled here.

        Raises:
            NameTaken: the name is somebody else's, or none.
        """
        credential, roles, teams = f"{_ISSUERS}{fingerprint}", _json(principal.roles), _json(principal.teams)
        with Session(self._database) as session, session.begin():
            row = session.scalar(select(PersonRow).where(PersonRow.password == credential))
            if row is None:
                if session.get(PersonRow, principal.id) is not None or not _NAME.fullmatch(principal.id):
                    raise NameTaken("expected a name that fits and that nobody has or had")
                now = datetime.now(UTC)
                row = PersonRow(id=principal.id, password=credential, roles=roles, teams=teams, disabled=False, added_at=now)
                row.password_at = now
                session.add(row)
                self._tell(session, by, Deed.PERSON_ADDED, row.id, principal)
            elif row.disabled:
                return None
            elif (row.roles, row.teams) != (roles, teams):
                row.roles, row.teams = roles, teams
                _sign_out(session, row)
                self._tell(session, by, Deed.ROLES_CHANGED, row.id, principal)
            return read_principal(row)

    def _tell(self, session: Session, by: Actor, what: Deed, name: str, now: Principal | None = None) -> None:
        details: dict[str, Fact] = {} if now is None else {"roles": sorted(now.roles), "teams": sorted(now.teams)}
        self._trail.append(session, Told(by.who, what, name, by.address, details))


def known_as(name: str) -> str:
    """A name as it is kept."""
    return name.strip().lower()


def read_principal(row: PersonRow) -> Principal:
    """Who a row is; a role that this version does not know gives nothing."""
    roles = frozenset(Role(role) for role in json.loads(row.roles) if role in set(Role))
    return Principal(PersonId(row.id), roles, frozenset(json.loads(row.teams)))


def utc(at: datetime) -> datetime:
    """A time that the database gave back; SQLite leaves out the zone."""
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _read(row: PersonRow) -> Person:
    return Person(
        read_principal(row), row.disabled, utc(row.added_at), row.signed_in_at and utc(row.signed_in_at), _is_issuers(row)
    )


def _is_issuers(row: PersonRow) -> bool:
    return row.password.startswith(_ISSUERS)


def _own(row: PersonRow) -> PersonRow:
    """Somebody whose password and roles are ours to change."""
    if _is_issuers(row):
        raise ConfigError(f"expected somebody with a password here, found {row.id}, whose password and roles are the issuer's")
    return row


def _row(session: Session, name: str) -> PersonRow:
    row = session.get(PersonRow, known_as(name))
    if row is None:
        raise ConfigError(f"expected the name of somebody who was added, found {name!r}")
    return row


def _sign_out(session: Session, row: PersonRow) -> None:
    session.execute(delete(SessionRow).where(SessionRow.person == row.id))


def _checked(password: str, name: str) -> str:
    wrong = fault(password, name)
    if wrong is not None:
        raise BadPassword(wrong)
    return hashed(password)


def _json(names: Collection[str]) -> str:
    return json.dumps(sorted(names))
