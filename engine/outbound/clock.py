"""The time of day, or the doubt about it: hours and caps are judged by it, so nobody is called by a clock that has jumped.

The wall clock is compared with one that only goes forward. Where both moved alike, the wall clock is believed, and followed where
network time pulls it. Where it jumped, by an hour or a day, either way, nobody knows which was right: nothing is dialled until it
is back where it should be, or a person has looked. After a start there is nothing to compare with but what was written before: a
clock that is behind that is not believed.

::

                    sure                         in doubt
    moved alike     sure                         in doubt: both go on from the jump
    jumped          in doubt                     sure, where it is back within the tolerance
    confirmed       sure                         sure, by the wall clock as it is
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from engine.core.units import Seconds

TOLERANCE: Final = timedelta(seconds=10)  # between the two; network time may set so much at once
_DRIFT: Final = 1e-3  # of the time that passed: twice what network time may pull (500 ppm, RFC 5905)


@dataclass(frozen=True, slots=True)
class Doubt:
    """The time is not known well enough."""

    jumped: timedelta
    """By how much the wall clock is ahead of what was expected; below 0, behind."""

    def __str__(self) -> str:
        way = "forward" if self.jumped > timedelta() else "back"
        return f"the clock went {way} by {abs(self.jumped).total_seconds():.0f} s"


class SureClock:
    """One process's. Not for several threads."""

    def __init__(self, written: datetime | None = None) -> None:
        """``written``: the latest moment that anybody wrote before."""
        self._written = written
        self._anchor: tuple[datetime, Seconds] | None = None

    def tell(self, wall: datetime, steady: Seconds) -> datetime | Doubt:
        """The time, where it is sure; ``steady`` is of a clock that only goes forward, in sleep too (``CLOCK_BOOTTIME``)."""
        expected, passed = self._expected(wall, steady)
        jumped = wall - expected
        if abs(jumped) > TOLERANCE:
            return Doubt(jumped)
        pulled = min(max(jumped, -passed * _DRIFT), passed * _DRIFT)
        self._anchor = (expected + pulled, steady)
        return wall

    def confirm(self, wall: datetime, steady: Seconds) -> None:
        """A person has looked: the wall clock is right."""
        self._anchor = (wall, steady)

    def _expected(self, wall: datetime, steady: Seconds) -> tuple[datetime, timedelta]:
        """What the wall clock should show, and how long ago it was last compared."""
        if self._anchor is None:
            return (wall if self._written is None else max(wall, self._written)), timedelta()
        then, at = self._anchor
        passed = timedelta(seconds=steady - at)
        return then + passed, passed
