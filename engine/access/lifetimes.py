"""How long somebody stays signed in. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """Of a session."""

    idle: timedelta = timedelta(minutes=15)
    """Without a request (PCI DSS 8.2.8)."""

    longest: timedelta = timedelta(hours=12)
    """Whatever is done: a shift."""

    def alive(self, began: datetime, seen: datetime, now: datetime) -> bool:
        """Whether a session still holds that was last seen then; a clock that was set back ends it."""
        return began <= now < began + self.longest and now < seen + self.idle

    def to_note(self, seen: datetime, now: datetime) -> bool:
        """Whether it is time to write down that it was seen: not at every request."""
        return now - seen >= min(timedelta(minutes=1), self.idle / 10)
