"""Presses of keys that may be told twice: by RTP (RFC 4733) and by SIP INFO, which baresip reports alike.

Rules. A key that is told again while it is held, or sooner after its release than a key can be pressed anew (40 ms: ITU-T Q.24,
table A-1), is the same press. A peer that was caught telling one press twice tells all of them twice: from then on a report of
the same key counts as the echo of the last one for up to ``ECHO``, once.

Pure: the time comes as an argument, in seconds of any one clock.
"""

from __future__ import annotations

import math
from typing import Final

from engine.core.units import Seconds

SHORTEST_PAUSE: Final = Seconds(0.040)
ECHO: Final = Seconds(0.5)  # an INFO behind a busy proxy; a press and its echo lie closer together


class KeyPresses:
    """Counts each press of one call once."""

    def __init__(self) -> None:
        self._key: int | None = None  # the last one counted
        self._pressed = -math.inf
        self._released = -math.inf
        self._held = 0  # reports that have begun and not ended
        self._twice = False  # this peer tells each press twice
        self._echoed = False  # the last press's echo was heard

    def press(self, code: int, now: float) -> int | None:
        """Take the report that a key went down; give its ASCII code, or ``None`` where that press was counted already."""
        same = code == self._key
        still = same and not self._echoed and (self._held > 0 or now - self._released < SHORTEST_PAUSE)
        echo = same and not self._echoed and self._twice and now - self._pressed < ECHO
        self._held += 1
        if still or echo:
            self._twice = self._echoed = True
            return None
        self._key, self._pressed, self._echoed, self._held = code, now, False, 1
        return code

    def release(self, now: float) -> None:
        """Take the report that a key was let go."""
        self._held = max(0, self._held - 1)
        self._released = now
