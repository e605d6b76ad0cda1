"""How somebody speaks who answers: people say one short thing and wait, machines go on."""

from __future__ import annotations

from typing import Final

from engine.core.audio import FRAME
from engine.core.units import Seconds

_SURE: Final = Seconds(0.08)  # of voice, before it counts as begun: a click is none
_BREATH: Final = Seconds(0.35)  # a pause that does not end a phrase


class Cadence:
    """One line's, by its 20 ms verdicts of voice."""

    def __init__(self) -> None:
        self.began: Seconds | None = None
        """When the first voice did; ``None``: nobody has spoken."""
        self.voiced = Seconds(0.0)
        """All of it together."""
        self.first_phrase = Seconds(0.0)
        """From its beginning to its end, breaths included; the one that goes on, as far as it goes."""
        self.phrases = 0
        self.longest = Seconds(0.0)
        """The longest phrase."""
        self._phrase = Seconds(0.0)  # where the last one began
        self._run = Seconds(0.0)
        self._last = Seconds(0.0)

    def hear(self, now: Seconds, *, voice: bool) -> None:
        """Take the verdict on the 20 ms that end now."""
        self._run = Seconds(self._run + FRAME if voice else 0.0)
        if self.began is None:
            if self._run < _SURE - 1e-6:
                return
            self.began, self.phrases, self.voiced = Seconds(now - self._run), 1, Seconds(self._run - FRAME)
            self._phrase = self.began
        if not voice:
            return
        if now - self._last > _BREATH and self._last > 0:
            self.phrases += 1
            self._phrase = now
        self.voiced = Seconds(self.voiced + FRAME)
        self._last = now
        self.longest = Seconds(max(self.longest, now - self._phrase))
        if self.phrases == 1:
            self.first_phrase = Seconds(now - self.began)

    def silence(self, now: Seconds) -> Seconds:
        """For how long nobody has spoken, since somebody did."""
        return Seconds(0.0 if self.began is None else max(0.0, now - self._last))
