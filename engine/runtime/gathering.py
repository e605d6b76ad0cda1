"""An event loop that lets work gather while it has none.

A hundred calls bring five thousand packets a second, and a loop that wakes for each finds its caches cold each time. This one
looks at its sockets at most once in ``GATHER``; what has come by then is done in one go. Timers keep their time, and a loop that
has slept for longer wakes at once, so a single call notices nothing.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from typing import Final

from engine.core.units import Seconds

GATHER: Final = Seconds(0.004)  # a fifth of a frame; callers hear frames that come in larger bunches


class GatheringSelector(selectors.DefaultSelector):
    """Tells of what has come, but not too often."""

    def __init__(self, gather: Seconds = GATHER) -> None:
        super().__init__()
        self._gather = gather
        self._looked = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """See :class:`selectors.BaseSelector`. What comes from other threads waits as packets do."""
        pause = self._looked + self._gather - time.monotonic()
        if pause > 0:
            if timeout is not None and timeout <= pause:
                if timeout > 0:
                    time.sleep(timeout)  # a timer is due first
                return []
            time.sleep(pause)
            timeout = None if timeout is None else timeout - pause
        found = super().select(timeout)
        self._looked = time.monotonic()
        return found


def gathering_loop() -> asyncio.AbstractEventLoop:
    """A new one."""
    return asyncio.SelectorEventLoop(GatheringSelector())
