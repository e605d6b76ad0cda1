"""How late the event loop comes to its work: what holds it up holds up every call."""

from __future__ import annotations

import asyncio
import time
from collections import deque

from engine.core.units import Seconds

_EVERY = Seconds(0.010)
_KEPT = 60_000  # measurements: ten minutes


class Lags:
    """Sleeps ten milliseconds again and again, and notes by how much it overslept."""

    def __init__(self) -> None:
        self._late: deque[float] = deque(maxlen=_KEPT)

    async def watch(self) -> None:
        """Measure until cancelled."""
        while True:
            due = time.monotonic() + _EVERY
            await asyncio.sleep(_EVERY)
            self._late.append(time.monotonic() - due)

    def quantile(self, share: float) -> Seconds:
        """The lag that ``share`` of the last ten minutes' measurements do not exceed; 0 before the first."""
        ordered = sorted(self._late)
        return Seconds(ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0)
