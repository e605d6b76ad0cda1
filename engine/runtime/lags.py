"""How late the event loop comes to its work: what holds it up holds up every call."""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter, deque

from engine.core.units import Seconds

_EVERY = Seconds(0.010)
_KEPT = 60_000  # measurements: ten minutes
_GRAIN = Seconds(0.000_1)


class Lags:
    """Sleeps ten milliseconds again and again, and notes by how much it overslept.

    Noted are tenths of a millisecond, rounded up, and counted as they come: to put ten minutes of them in order when somebody
    asks would hold the loop for as long as it should never be held.
    """

    def __init__(self, kept: int = _KEPT) -> None:
        self._late: deque[int] = deque()
        self._counts: Counter[int] = Counter()
        self._kept = kept

    async def watch(self) -> None:
        """Measure until cancelled."""
        while True:
            due = time.monotonic() + _EVERY
            await asyncio.sleep(_EVERY)
            self.note(Seconds(time.monotonic() - due))

    def note(self, late: Seconds) -> None:
        """Add a measurement; of more than are kept the oldest goes."""
        grains = math.ceil(late / _GRAIN)
        self._late.append(grains)
        self._counts[grains] += 1
        if len(self._late) > self._kept:
            self._counts[self._late.popleft()] -= 1

    def quantile(self, share: float) -> Seconds:
        """The lag that ``share`` of the last ten minutes' measurements do not exceed; 0 before the first."""
        sought = min(len(self._late), int(share * len(self._late)) + 1)
        for grains in sorted(self._counts):
            sought -= self._counts[grains]
            if sought <= 0:
                return Seconds(grains * _GRAIN)
        return Seconds(0.0)
