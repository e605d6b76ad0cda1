"""Keys of one leg that may come twice: as messages of the peer, and as tones in its sound.

A peer that sends a key as a message is believed from then on, and its tones no longer count; the first key, which may have been
taken from its tone already, is not counted again.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from engine.audio.keytones import KeyToneDetector
from engine.core.audio import FRAME_SAMPLES, AudioFrame, Samples
from engine.core.units import SampleIndex, Seconds

_AT_ONCE: Final = 2 * FRAME_SAMPLES  # samples: to search two frames costs hardly more than one, on every frame of every call
_SAME_KEY: Final = Seconds(0.5)  # a message and the end of its tone lie closer together than two presses of one key


class KeySources:
    """Takes each press once."""

    def __init__(self, *, in_band: bool) -> None:
        self._tones = KeyToneDetector() if in_band else None
        self._heard = 0  # samples
        self._unheard: list[Samples] = []
        self._last: tuple[int, float] | None = None

    def sound(self, samples: Samples, now: float) -> list[int]:
        """Listen to 8 kHz sound, 40 ms at a time; give the ASCII codes of keys that were let go in what was listened to."""
        if self._tones is None:
            return []
        self._unheard.append(samples)
        if sum(map(len, self._unheard)) < _AT_ONCE:
            return []
        frame = AudioFrame(np.concatenate(self._unheard), start=SampleIndex(self._heard))
        self._heard += len(frame.samples)
        self._unheard.clear()
        codes = [tone.code for tone in self._tones.feed(frame)]
        if codes:
            self._last = codes[-1], now
        return codes

    def frame(self, code: int, now: float) -> int | None:
        """Take a key that came as a message, or ``None`` where its tone was heard just before."""
        last, self._tones, self._last = self._last, None, None
        heard_already = last is not None and last[0] == code and now - last[1] < _SAME_KEY
        return None if heard_already else code
