"""Hearing what is not masked takes a reason and a second person, and is over soon. Pure.

Rules. Who asks says why. Another person allows it, within a day; then who asked, and nobody else, may hear the call for a quarter
of an hour. Who asked can't be who allows, nor have the other's password: an account that the asker has made, or whose password
they have set, can't allow until its owner has chosen a password of their own. What was asked, allowed and heard stands in the
audit chain and nowhere else: nothing can be allowed without its row.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from engine.access.chain import Entry
from engine.access.deeds import Deed

WAITS: Final = timedelta(days=1)
LASTS: Final = timedelta(minutes=15)
SHORTEST_REASON: Final = 10  # characters; "complaint 4711" is one
LONGEST_REASON: Final = 400


class Stage(StrEnum):
    """How far an asking has come."""

    WAITING = "waiting"
    OPEN = "open"
    """It was allowed; who asked may hear."""

    OVER = "over"


@dataclass(frozen=True, slots=True)
class Asking:
    """Somebody wants to hear a call unmasked."""

    number: int
    """Of its row in the audit chain."""

    who: str
    call: str
    reason: str
    at: datetime
    allowed_by: str | None = None
    allowed_at: datetime | None = None

    def stage(self, now: datetime) -> Stage:
        """How it stands."""
        if self.allowed_at is not None:
            return Stage.OPEN if self.allowed_at <= now < self.allowed_at + LASTS else Stage.OVER
        return Stage.WAITING if self.at <= now < self.at + WAITS else Stage.OVER


class NotAllowed(StrEnum):
    """Why somebody can't allow it."""

    SAME = "same"
    """It is they who asked."""

    TIED = "tied"
    """Who asked could sign in as them."""

    LATE = "late"
    """It was allowed already, or has waited too long."""


def why_not(asking: Asking, second: str, about_second: Iterable[Entry], now: datetime) -> NotAllowed | None:
    """Why ``second`` can't allow it, or ``None``; ``about_second`` are the rows about their account, in their order."""
    if second == asking.who:
        return NotAllowed.SAME
    if asking.stage(now) is not Stage.WAITING:
        return NotAllowed.LATE
    tied = False
    for row in about_second:
        if row.what in {Deed.PERSON_ADDED, Deed.PASSWORD_CHANGED}:
            tied = row.who == asking.who or (tied and row.who != second)
    return NotAllowed.TIED if tied else None
