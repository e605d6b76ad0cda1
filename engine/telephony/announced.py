"""Calls the bank's telephony has announced, and what became of them. Pure: the time comes as an argument.

AudioSocket carries nothing but a UUID. Who calls whom, and in which flow, comes by this table before the call; where the caller
is to go, and why, leaves by it afterwards.

Rules. A name is announced, taken once, over; then it is forgotten. An announcement that no call takes within ``expires`` is
forgotten too. So that the table can't grow without end, it holds at most ``most`` announcements, and as many endings, the oldest
of which goes first. Numbers are in no ``repr``, and what the caller said is kept with its digits masked.

=============== ============ ============================ ==================== ===========
state           announce     take                         hand_over, end       withdraw
=============== ============ ============================ ==================== ===========
unknown         → Waiting    → Taken, where strangers may nothing              nothing
Waiting         unchanged*   → Taken                      nothing              → unknown
Taken           unchanged*   refused                      noted; end → Over    refused
Over            unchanged*   → Taken, where strangers may nothing              → unknown
=============== ============ ============================ ==================== ===========

* and given back, so that who announces can tell the same announcement from another one.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias, TypeVar
from uuid import UUID

from engine.core.units import Language, Seconds
from engine.privacy import without_numbers

EXPIRES: Final = Seconds(60.0)
KEPT: Final = Seconds(300.0)  # how a call ended; the dialplan asks at once
MOST: Final = 10_000
_TOLD: Final = ("intent", "verified", "last_words", "reason")  # of a call's context, to whoever takes the caller over


@dataclass(frozen=True, slots=True)
class Announcement:
    """What is known of a call before it comes."""

    caller_number: str | None = field(default=None, repr=False)
    """E.164."""

    called_number: str | None = field(default=None, repr=False)
    """E.164."""

    flow: str | None = None

    language: Language | None = None


_NOTHING: Final = Announcement()


@dataclass(frozen=True, slots=True)
class Ending:
    """What became of a call."""

    outcome: str
    """As the engine names it: ``transferred``, ``completed``, ``caller_hung_up``, ``refused``, ``failed`` ..."""

    destination: str | None = None
    """Where the flow sends the caller."""

    context: Mapping[str, str] = field(default_factory=dict)
    """What is known: ``intent``, ``verified``, ``last_words`` without digits, ``reason``."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Announced, and not yet come."""

    announcement: Announcement

    until: Seconds
    """When it is forgotten."""


@dataclass(frozen=True, slots=True)
class Taken:
    """In progress."""

    announcement: Announcement

    handed_over: Ending | None = None


@dataclass(frozen=True, slots=True)
class Over:
    """Ended."""

    announcement: Announcement

    ending: Ending

    until: Seconds
    """When it is forgotten."""


AnnouncedCall: TypeAlias = Waiting | Taken | Over
_Dated = TypeVar("_Dated", Waiting, Over)


class AnnouncedCalls:
    """The table, by the calls' names."""

    def __init__(self, *, expires: Seconds = EXPIRES, kept: Seconds = KEPT, most: int = MOST) -> None:
        self._expires, self._kept, self._most = expires, kept, most
        self._waiting: OrderedDict[UUID, Waiting] = OrderedDict()  # what comes first is forgotten first
        self._taken: dict[UUID, Taken] = {}
        self._over: OrderedDict[UUID, Over] = OrderedDict()

    def __len__(self) -> int:
        return len(self._waiting) + len(self._taken) + len(self._over)

    def find(self, name: UUID, now: Seconds) -> AnnouncedCall | None:
        """Give what is known of a call, or ``None`` where that is nothing any more."""
        _forget(self._waiting, now)
        _forget(self._over, now)
        return self._waiting.get(name) or self._taken.get(name) or self._over.get(name)

    def announce(self, name: UUID, announcement: Announcement, now: Seconds) -> AnnouncedCall | None:
        """Expect a call; gives what the table holds of that name now, or ``None`` where the table is full."""
        known = self.find(name, now)
        if known is not None:
            return known
        if len(self._waiting) >= self._most:
            return None
        waiting = self._waiting[name] = Waiting(announcement, Seconds(now + self._expires))
        return waiting

    def withdraw(self, name: UUID, now: Seconds) -> Taken | None:
        """Forget a call; gives it where it is in progress, and so can't be forgotten."""
        known = self.find(name, now)
        if isinstance(known, Taken):
            return known
        self._waiting.pop(name, None)
        self._over.pop(name, None)
        return None

    def take(self, name: UUID, now: Seconds, *, strangers: bool) -> Announcement | None:
        """Begin a call; gives what was announced of it, or ``None`` to refuse it.

        ``strangers``: whether one that nobody announced may come as well.
        """
        match self.find(name, now):
            case Taken():
                return None
            case Waiting(announcement):
                del self._waiting[name]
            case _ if not strangers:
                return None
            case _:
                announcement = _NOTHING
                self._over.pop(name, None)
        self._taken[name] = Taken(announcement)
        return announcement

    def hand_over(self, name: UUID, destination: str, context: Mapping[str, str]) -> None:
        """Note where a call in progress is to go on."""
        taken = self._taken.get(name)
        if taken is not None:
            told = {key: context[key] for key in _TOLD if key in context}
            if "last_words" in told:
                told["last_words"] = without_numbers(told["last_words"])
            self._taken[name] = replace(taken, handed_over=Ending("transferred", destination, told))

    def end(self, name: UUID, outcome: str, now: Seconds) -> None:
        """Note how a call in progress has ended."""
        taken = self._taken.pop(name, None)
        if taken is None:
            return
        handed_over = taken.handed_over or Ending(outcome)
        self._over[name] = Over(taken.announcement, replace(handed_over, outcome=outcome), Seconds(now + self._kept))
        _forget(self._over, now)
        while len(self._over) > self._most:
            self._over.popitem(last=False)


def _forget(dated: OrderedDict[UUID, _Dated], now: Seconds) -> None:
    while dated and next(iter(dated.values())).until <= now:
        dated.popitem(last=False)
