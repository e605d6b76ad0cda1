"""How long a campaign will take: its contacts against the hours in which they may be called, and the lines there are.

It is a plan and no promise: every contact takes the same time on a line, and what the waits between attempts add is not in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from engine.core.units import Seconds
from engine.outbound.campaign import Calendar, Campaign, Pacing
from engine.outbound.windows import shut, zone_named

_STEP: Final = timedelta(minutes=5)
_FURTHEST: Final = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Place:
    """Whose clock, and whose holidays."""

    zone: str

    country: str | None


@dataclass(frozen=True, slots=True)
class Pace:
    """What one contact costs."""

    talk: Seconds
    """Of an answered call."""

    ring: Seconds
    """Of any call."""

    answered: float
    """Share of the calls that are, 0 to 1."""

    measured: int
    """Calls that this was measured on; 0 = it is assumed."""

    def calls(self, attempts: int) -> float:
        """How many calls a contact takes, at most so many."""
        if not self.answered:
            return float(attempts)
        return float((1 - (1 - self.answered) ** attempts) / self.answered)

    def line_time(self, attempts: int) -> Seconds:
        """How long a contact holds a line, all its calls together."""
        return Seconds(self.calls(attempts) * (self.ring + self.answered * self.talk))


ASSUMED: Final = Pace(Seconds(60.0), Seconds(15.0), 0.5, 0)
"""Where nothing was measured yet."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """When it will be done."""

    ends: datetime | None
    """``None`` = not within a year, or not before the campaign's last day."""

    on_the_phone: timedelta
    """Time in which calls are made."""

    left: int
    """Contacts whom there is no time for."""


def forecast(contacts: Mapping[Place, int], policy: Campaign, pace: Pace, now: datetime) -> Forecast:
    """Play the campaign through, five minutes at a time."""
    left = {it: float(number) for it, number in contacts.items() if number}
    undone = 0.0
    per_step = _per_step(policy.pacing, pace, policy.retries.attempts)
    at, busy, ends = now, timedelta(), now
    while left and at < now + _FURTHEST:
        opens = {it: _opens(policy.calendar, it, at) for it in left}
        undone += sum(number for it, number in left.items() if opens[it] is None)
        left = {it: number for it, number in left.items() if opens[it] is not None}
        here = [it for it in left if opens[it] == at]
        if here:
            left = _called(left, here, per_step)
            busy, ends, at = busy + _STEP, at + _STEP, at + _STEP
        else:
            at = min((it for it in opens.values() if it is not None), default=at)
    undone += sum(left.values())
    return Forecast(ends if undone < 1 else None, busy, round(undone))


def _per_step(pacing: Pacing, pace: Pace, attempts: int) -> float:
    """Contacts that the lines, and the pace, get through in a step."""
    seconds = _STEP.total_seconds()
    by_lines = pacing.lines * seconds / max(pace.line_time(attempts), 1.0)
    return min(by_lines, pacing.calls_a_second * seconds / pace.calls(attempts))


def _opens(calendar: Calendar, place: Place, at: datetime) -> datetime | None:
    """When there is an hour for it; ``None`` = never."""
    zone = zone_named(place.zone)
    if zone is None:
        return None
    closed = shut(calendar, zone, place.country, at)
    return at if closed is None else closed.until


def _called(left: Mapping[Place, float], here: list[Place], per_step: float) -> dict[Place, float]:
    """Take a step's calls evenly from those who may be called."""
    together = sum(left[it] for it in here)
    share = min(1.0, per_step / together)
    after = {it: number * (1 - share) if it in here else number for it, number in left.items()}
    return {it: number for it, number in after.items() if number > 1e-6}
