"""Machines that show a token of their own: a dialplan, a scraper of metrics, another system of the bank's.

A token is shown once, when it is made, and kept as its hash. It has roles as people have, and always an end.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.access.deeds import Deed
from engine.access.permissions import Role
from engine.access.principal import PersonId, Principal
from engine.core.errors import ConfigError
from engine.store.access_models import TokenRow
from engine.store.accounts import Actor, utc
from engine.store.audit import Told, Trail
from engine.store.hashing import fingerprint, new_secret

PREFIX: Final = "machine:"
"""Of a machine's name where it stands beside people's."""
_MARK: Final = "cw_"  # so that scanners for secrets can find one that was left in a file
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,49}")


@dataclass(frozen=True, slots=True)
class Machine:
    """One that has a token."""

    principal: Principal
    expires_at: datetime
    revoked: bool


@dataclass(frozen=True, slots=True)
class Machines:
    """Those of one database."""

    trail: Trail

    def add(self, by: Actor, name: str, roles: Collection[Role], lasts: timedelta, now: datetime | None = None) -> str:
        """Make a token.

        Raises:
            ConfigError: the name is none or is taken, or no role is given.
        """
        if not _NAME.fullmatch(name):
            raise ConfigError(f"expected a name of letters a to z, digits and . _ - (50 at most), found {name!r}")
        if not roles:
            raise ConfigError(f"expected a role for {name}, found none")
        now, token = now or datetime.now(UTC), _MARK + new_secret()
        told = Told(
            by.who, Deed.TOKEN_MADE, PREFIX + name, by.address, {"roles": sorted(roles), "until": f"{now + lasts:%Y-%m-%d}"}
        )
        with Session(self.trail.database) as session, session.begin():
            if session.get(TokenRow, name) is not None:
                raise ConfigError(f"expected a name that no token has or had, found {name}")
            row = TokenRow(id=name, hash=fingerprint(token), roles=json.dumps(sorted(roles)), revoked=False)
            row.made_at, row.expires_at = now, now + lasts
            session.add(row)
            self.trail.append(session, told)
        return token

    def revoke(self, by: Actor, name: str) -> None:
        """Let a token open nothing any more.

        Raises:
            ConfigError: there is none of this name.
        """
        with Session(self.trail.database) as session, session.begin():
            row = session.get(TokenRow, name)
            if row is None:
                raise ConfigError(f"expected the name of a token, found {name!r}")
            row.revoked = True
            self.trail.append(session, Told(by.who, Deed.TOKEN_REVOKED, PREFIX + name, by.address))

    def find(self, token: str, now: datetime | None = None) -> Principal | None:
        """Whose token this is, if it holds."""
        if not token.startswith(_MARK):
            return None
        with Session(self.trail.database) as session:
            row = session.scalar(select(TokenRow).where(TokenRow.hash == fingerprint(token)))
            if row is None or row.revoked or utc(row.expires_at) <= (now or datetime.now(UTC)):
                return None
            return _read(row).principal

    def machines(self) -> list[Machine]:
        """All of them, by name."""
        with Session(self.trail.database) as session:
            return [_read(row) for row in session.scalars(select(TokenRow).order_by(TokenRow.id))]


def _read(row: TokenRow) -> Machine:
    roles = frozenset(Role(role) for role in json.loads(row.roles) if role in set(Role))
    return Machine(Principal(PersonId(PREFIX + row.id), roles), utc(row.expires_at), row.revoked)
