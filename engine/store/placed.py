"""Calls that were asked for over the API, written before they are dialled: what is asked for twice is made once."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Engine, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine.store.lists import LIFTED, names
from engine.store.outbound_models import DoNotCallRow, PlacedCallRow


class Placed(StrEnum):
    """What came of asking."""

    NEW = "new"
    """It is written, and to be made."""
    KNOWN = "known"
    """The same was asked for before."""
    OTHER = "other"
    """Something else was, under this name."""
    LISTED = "listed"
    """Nobody may call them."""


class PlacedCalls:
    """The table ``placed_calls``. For several threads and processes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def place(self, name: UUID, asked: str, number: str) -> Placed:
        """Write down that a call is to be made, once; ``asked`` is the request, of which only a digest is kept.

        Every list counts that is not one campaign's: what the call is about, nobody says here.
        """
        digest = hashlib.sha256(asked.encode()).hexdigest()
        listed = select(DoNotCallRow.id).where(
            DoNotCallRow.who.in_(names([number])), DoNotCallRow.campaign == "", DoNotCallRow.list != LIFTED
        )
        with Session(self._engine) as session, session.begin():
            dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
            row = {"name": str(name), "asked": digest, "at": datetime.now(UTC)}
            adding = dialect.insert(PlacedCallRow).values(row).on_conflict_do_nothing().returning(PlacedCallRow.name)
            if session.scalar(adding) is None:
                known = session.scalar(select(PlacedCallRow.asked).where(PlacedCallRow.name == str(name)))
                return Placed.KNOWN if known == digest else Placed.OTHER
            if session.scalar(listed.limit(1)) is not None:
                session.rollback()
                return Placed.LISTED
        return Placed.NEW
