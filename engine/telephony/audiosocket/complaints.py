"""Refusals that are told: of a flood of one kind a line a second, with how many it stands for. It must not fill the disk."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from engine.core.units import Seconds
from engine.telephony.audiosocket.wire import TurnedAway

_EVERY: Final = Seconds(1.0)


class Complaints:
    """Of one process; ``to`` is told."""

    def __init__(self, to: Callable[[TurnedAway], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._to = to
        self._clock = clock
        self._said: dict[str, float] = {}
        self._unsaid: Counter[str] = Counter()

    def say(self, peer: str, reason: str, call: str | None = None) -> None:
        """Say it, or count it."""
        now = self._clock()
        self._unsaid[reason] += 1
        if now - self._said.get(reason, -_EVERY) >= _EVERY:
            self._said[reason] = now
            self._to(TurnedAway(peer, reason, call, self._unsaid.pop(reason)))
