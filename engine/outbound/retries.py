"""What follows an attempt: the contact's end, or another attempt and when.

Rules:

* what a talk came to is the end; so is a number that does not exist;
* what reached nobody is tried again after the campaign's waits for such an end, the longer ones in a part of the day that was
  not tried yet, until the attempts or the days are used up;
* an attempt that made no telephone ring does not use up attempts, but there is an end to these as well;
* "call me later" is a promise, and worth one attempt more than the campaign has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final, TypeAlias

from engine.outbound.campaign import Calendar, Missed, Retries
from engine.outbound.contacts import Outcome, Reached
from engine.outbound.windows import shut

UNHEARD: Final = frozenset({Reached.CONGESTED, Reached.FAILED, Reached.NO_SUCH_NUMBER})
"""Nothing rang: these count for no cap."""

_MOST_UNHEARD: Final = 12  # attempts in which nothing rang, before it is given up
_SPREAD_FROM: Final = timedelta(hours=6)  # shorter waits are meant as they are
_LATER: Final = timedelta(days=1)  # "call me later", without a time
_PARTS: Final = (12, 16)  # hours that part the day: morning, afternoon, evening
_SPREAD_OVER: Final = 72  # hours in which another part of the day is looked for
_BY_NETWORK: Final[Mapping[Reached, Missed]] = {
    Reached.BUSY: Missed.BUSY,
    Reached.NO_ANSWER: Missed.NO_ANSWER,
    Reached.REJECTED: Missed.REJECTED,
    Reached.CONGESTED: Missed.CONGESTED,
    Reached.FAILED: Missed.FAILED,
}


@dataclass(frozen=True, slots=True)
class Tried:
    """One attempt of this campaign's, and how it ended."""

    at: datetime

    reached: Reached | None
    """``None`` = nobody knows."""

    person: bool = True
    """Whether a person answered, where somebody did."""

    outcome: Outcome | None = None
    """What the talk came to."""

    call_later: bool = False
    """It came to nothing yet: they asked to be called at another time."""

    @property
    def rang(self) -> bool:
        return self.reached not in UNHEARD

    @property
    def missed(self) -> Missed | None:
        """How it missed the person; ``None`` where it did not, or nobody knows."""
        if self.reached is not Reached.ANSWERED:
            return None if self.reached is None else _BY_NETWORK.get(self.reached)
        if self.outcome in {None, Outcome.HUNG_UP} and not self.call_later:
            return Missed.HUNG_UP if self.person else Missed.MACHINE
        return None


@dataclass(frozen=True, slots=True)
class Again:
    """Try again."""

    at: datetime
    """Not before; the hours are judged then."""


@dataclass(frozen=True, slots=True)
class Over:
    """How it ended for the contact."""

    outcome: Outcome

    why: str = ""


Next: TypeAlias = Again | Over


def exhausted(tried: Sequence[Tried], policy: Retries, now: datetime) -> Over | None:
    """Whether all attempts, or all time for them, are used up."""
    rung = [it for it in tried if it.rang]
    if len(rung) >= policy.attempts + _promised(tried):
        return _given_up(tried, f"all {len(rung)} attempts were made")
    if len(tried) - len(rung) >= _MOST_UNHEARD:
        return _given_up(tried, f"no telephone rang in {len(tried) - len(rung)} attempts")
    if tried and now > tried[0].at + policy.within:
        return _given_up(tried, f"the first attempt was on {tried[0].at:%Y-%m-%d}, too long ago")
    return None


def after(
    tried: Sequence[Tried], policy: Retries, calendar: Calendar, zone: tzinfo, *, call_again: datetime | None = None
) -> Next:
    """What follows the last of these; ``call_again`` is when the person asked to be called, where they said so."""
    last = tried[-1]
    if last.reached is Reached.NO_SUCH_NUMBER:
        return Over(Outcome.INVALID_NUMBER, "the network knows no such number")
    missed = last.missed
    if missed is None and not last.call_later:
        return Over(last.outcome or Outcome.UNREACHED)
    if (over := exhausted(tried, policy, last.at)) is not None:
        return over
    if missed is None:
        sure = call_again is not None and call_again > last.at  # a time that was over already is not what they meant
        return _again(tried, call_again if call_again and sure else last.at + _LATER, policy, None)
    waits = policy.waits.get(missed, ())
    if not waits:
        return _given_up(tried, f"the campaign does not try again after {missed.value!r}")
    wait = waits[min(sum(it.missed is missed for it in tried), len(waits)) - 1]
    return _again(tried, last.at + wait, policy, (calendar, zone) if wait >= _SPREAD_FROM else None)


def _again(tried: Sequence[Tried], at: datetime, policy: Retries, spread: tuple[Calendar, tzinfo] | None) -> Next:
    latest = tried[0].at + policy.within
    if at > latest:
        return _given_up(tried, f"the next attempt would be later than {latest:%Y-%m-%d %H:%M} UTC")
    return Again(min(latest, _elsewhen(tried, at, *spread)) if spread else at)


def _promised(tried: Sequence[Tried]) -> int:
    """How many attempts more there are because the person asked for one."""
    return 1 if any(it.call_later for it in tried) else 0


def _given_up(tried: Sequence[Tried], why: str) -> Over:
    hung_up = tried[-1].missed is Missed.HUNG_UP
    return Over(Outcome.HUNG_UP if hung_up else Outcome.UNREACHED, why)


def _elsewhen(tried: Sequence[Tried], at: datetime, calendar: Calendar, zone: tzinfo) -> datetime:
    """The first open hour from then on in a part of the day in which nobody tried yet, or just then where there is none soon."""
    known = {_part(it.at, zone) for it in tried}
    later = (at + timedelta(hours=hour) for hour in range(_SPREAD_OVER))
    return next((it for it in later if _part(it, zone) not in known and _open(calendar, zone, it)), at)


def _part(at: datetime, zone: tzinfo) -> int:
    return sum(at.astimezone(zone).hour >= hour for hour in _PARTS)


def _open(calendar: Calendar, zone: tzinfo, at: datetime) -> bool:
    """By the hours alone; holidays are judged when it is time."""
    hours_only = Calendar(calendar.hours, None)
    return shut(hours_only, zone, None, at) is None
