"""Everybody who is known here: people, their sessions, machines; and the trail of what they did."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine

from engine.access.lifetimes import Lifetimes
from engine.store.accounts import Accounts
from engine.store.audit import Trail
from engine.store.machines import Machines
from engine.store.sessions import Sessions


@dataclass(frozen=True, slots=True)
class House:
    """Those of one database, which is at the present schema."""

    accounts: Accounts
    sessions: Sessions
    machines: Machines
    trail: Trail

    @classmethod
    def of(cls, database: Engine, lifetimes: Lifetimes = Lifetimes(), key: bytes | None = None) -> House:  # noqa: B008 -- frozen
        """Theirs."""
        trail = Trail(database, key)
        return cls(Accounts(trail), Sessions(trail, lifetimes), Machines(trail), trail)
