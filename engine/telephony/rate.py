"""How many messages a peer may send: what does not look like a call's traffic is a flood.

A bucket of permits that fills with time. Pure: the time comes as an argument, in seconds of any one clock.
"""

from __future__ import annotations

from typing import Final

from engine.core.errors import MediaError

A_SECOND: Final = 250  # messages; a call has 50 of sound, and at most 50 keys
BURST: Final = 1_000  # messages: what a network may hold back for some seconds and then deliver at once


class MessageRate:
    """One peer's permits."""

    def __init__(self, now: float) -> None:
        self._permits = float(BURST)
        self._counted = now

    def take(self, now: float) -> None:
        """Count a message.

        Raises:
            MediaError: it is one too many.
        """
        self._permits = min(float(BURST), self._permits + (now - self._counted) * A_SECOND)
        self._counted = now
        if self._permits < 1.0:
            raise MediaError(f"expected at most {A_SECOND} messages a second, found more, and {BURST} beyond that")
        self._permits -= 1.0
