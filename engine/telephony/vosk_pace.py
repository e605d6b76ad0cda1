"""How fast a client may bring its sound: faster than real time, but not without limit; pure.

A client that waits for its replies is slowed down by late ones; nothing it sends is refused. The clock is an argument, in seconds
of any one clock. What was not used is not saved up for longer than ``_SPARE``.
"""

from __future__ import annotations

from typing import Final

from engine.core.units import Seconds

_SPARE: Final = Seconds(2.0)
_MESSAGES_A_SECOND: Final = 500
LIVE: Final = Seconds(1.0)
"""Who is no further ahead of the clock is on the telephone, and not sending a file."""


class Pace:
    """One client's."""

    def __init__(self, fastest: float, now: float) -> None:
        """``fastest`` is how many seconds of sound it may send in one second."""
        self._fastest = fastest
        self._spoken_until = now
        self._earliest = now - _SPARE

    def took(self, sound: Seconds, now: float) -> None:
        """Count a message that brought this much sound."""
        self._spoken_until = max(self._spoken_until, now) + sound
        self._earliest = max(self._earliest, now - _SPARE) + sound / self._fastest + 1 / _MESSAGES_A_SECOND

    def live(self, now: float) -> bool:
        """Whether the sound comes as it is spoken."""
        return self._spoken_until - now <= LIVE

    def wait(self, now: float) -> Seconds:
        """How long to let it wait for its reply."""
        return Seconds(max(0.0, self._earliest - now))
