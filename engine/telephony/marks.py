"""How much of what was sent the caller has really heard: marks go out between the frames and come back when the peer has played
what lay before them. Pure.

A mark that comes back after a clear was not played but thrown away with the rest; its name tells, and it does not count.
"""

from __future__ import annotations

from typing import Final

from engine.core.audio import FRAME
from engine.core.units import Seconds

EVERY: Final = 10  # frames from mark to mark: 200 ms, the grain of what we know


class Marks:
    """The marks of one leg."""

    def __init__(self) -> None:
        self._era = 0  # clears so far
        self._earlier = 0  # frames heard in earlier eras
        self._sent = 0  # frames of this era
        self._played: int | None = None  # frames of this era; None until a mark of any has come back

    @property
    def heard(self) -> Seconds | None:
        """How much has been played, to a grain of ``EVERY`` frames; ``None`` while the peer has not said."""
        return None if self._played is None else Seconds((self._earlier + self._played) * FRAME)

    @property
    def unheard(self) -> Seconds | None:
        """How much was sent since the last clear and has not been played, as far as we know."""
        return None if self._played is None else Seconds((self._sent - self._played) * FRAME)

    def sent(self) -> str | None:
        """Count a frame that was sent; the name of the mark to set behind it, where one is due."""
        self._sent += 1
        return f"{self._era}.{self._sent}" if self._sent % EVERY == 0 else None

    def came(self, name: str) -> None:
        """Take a mark that came back; one that is none of ours changes nothing."""
        era, _, frames = name.partition(".")
        if era == str(self._era) and frames.isdecimal() and int(frames) <= self._sent:
            self._played = max(self._played or 0, int(frames))

    def cleared(self) -> None:
        """Note that what was not yet played is thrown away."""
        self._era += 1
        self._earlier += self._played or 0
        self._sent, self._played = 0, None if self._played is None else 0
