"""Keys of one leg that may come twice: as messages of the peer, and as tones in its sound.

A peer that sends a key as a message is believed from then on, and its tones no longer count; the first key, which may have been
taken from its tone already, is not counted again.
"""

from __future__ import annotations

from typing import Final

from engine.audio.keytones import KeyToneDetector
from engine.core.audio import AudioFrame, Samples
from engine.core.units import SampleIndex, Seconds

_SAME_KEY: Final = Seconds(0.5)  # a message and the end of its tone lie closer together than two presses of one key


class KeySources:
    """Takes each press once."""

    def __init__(self, *, in_band: bool) -> None:
        self._tones = KeyToneDetector() if in_band else None
        self._heard = 0  # samples
        self._last: tuple[int, float] | None = None

    def sound(self, samples: Samples, now: float) -> list[int]:
        """Listen to 8 kHz sound; give the ASCII codes of keys that were let go in it."""
        if self._tones is None:
            return []
        frame = AudioFrame(samples, start=SampleIndex(self._heard))
        self._heard += len(samples)
        codes = [tone.code for tone in self._tones.feed(frame)]
        if codes:
            self._last = codes[-1], now
        return codes

    def frame(self, code: int, now: float) -> int | None:
        """Take a key that came as a message, or ``None`` where its tone was heard just before."""
        last, self._tones, self._last = self._last, None, None
        heard_already = last is not None and last[0] == code and now - last[1] < _SAME_KEY
        return None if heard_already else code
