"""What can be said of a sound without understanding it: how loud, how steady, how much of it is whistling.

Times inside an utterance come from here too: this decoder sees no alignment (the wheel's decoder gives no attention), so words
are laid over the stretches that are loud, each as long as its letters.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from engine.core.audio import WIDEBAND, Samples
from engine.core.units import Seconds

Sound: TypeAlias = npt.NDArray[np.float32]
"""16 kHz, -1.0 to 1.0, shape ``(samples,)``."""

_FULL_SCALE = 32768.0  # int16 to [-1, 1)
_STEP = WIDEBAND.samples(Seconds(0.020))  # 320 samples
_NOTHING_DB = -100.0  # digital silence
_SPEECH_BELOW_PEAK_DB = 25.0  # speech lies within this much of its loud frames
_LINE_STEP = 2 * _STEP  # 40 ms, so that two keypad tones lie apart
_LINE_WIDTH = 3  # bins each side of a line: the Hann window's main lobe
_LINE_SHARE = 0.9  # of a frame's energy in its two strongest lines: a tone
_LINES_FROM = 8  # bins; 125 Hz, below it is hum


def as_sound(samples: Samples) -> Sound:
    """What the network hears of 16-bit samples."""
    return samples.astype(np.float32) / np.float32(_FULL_SCALE)


@dataclass(frozen=True)
class Heard:
    """One sound, measured when it is asked."""

    sound: Sound

    @property
    def duration(self) -> Seconds:
        """How long it lasts."""
        return WIDEBAND.seconds(len(self.sound))

    @cached_property
    def levels_db(self) -> npt.NDArray[np.float64]:
        """Of each 20 ms, in dBFS, shape ``(frames,)``."""
        frames = _frames(self.sound, _STEP)
        power = np.mean(np.square(frames, dtype=np.float64), axis=1)
        return np.asarray(10 * np.log10(power + 10 ** (_NOTHING_DB / 10)))

    @cached_property
    def loud_db(self) -> float:
        """The level of its loud frames, in dBFS."""
        return float(np.percentile(self.levels_db, 95)) if len(self.levels_db) else _NOTHING_DB

    @cached_property
    def swing_db(self) -> float:
        """How far its levels spread: speech comes and goes (over 5 dB even in noise), steady noise does not."""
        return float(np.std(self.levels_db)) if len(self.levels_db) else 0.0

    @cached_property
    def whistling(self) -> float:
        """The share of its sounding 40 ms that consist of two lines: keypad and network tones."""
        frames = _frames(self.sound, _LINE_STEP)
        energy = np.mean(frames**2, axis=1)
        sounding = frames[(energy > energy.max(initial=0.0) / 32) & (energy > 0)]
        if not len(sounding):
            return 0.0
        power = np.abs(np.fft.rfft(sounding * np.hanning(_LINE_STEP), 1024, axis=1))[:, _LINES_FROM:] ** 2
        return float(np.mean(_two_lines(power) > _LINE_SHARE * (power.sum(axis=1) + 1e-12)))

    @cached_property
    def speech_bearing(self) -> npt.NDArray[np.bool_]:
        """Which 20 ms are loud enough to hold speech, shape ``(frames,)``."""
        return self.levels_db > max(self.loud_db - _SPEECH_BELOW_PEAK_DB, float(np.percentile(self.levels_db, 5)) + 1)

    def place(self, shares: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Seconds at which each share (0.0 to 1.0) of the speech-bearing time is over; pauses count for nothing."""
        loud = np.flatnonzero(self.speech_bearing)
        if not len(loud):
            return shares * self.duration
        at = shares * len(loud)
        frame = loud[np.clip(np.ceil(at).astype(int) - 1, 0, len(loud) - 1)]
        inside = np.where(at > 0, at - np.ceil(at) + 1, 0.0)
        return np.asarray((frame + inside) * _STEP / WIDEBAND.rate_hz)


def _frames(sound: Sound, step: int) -> Sound:
    whole = len(sound) // step
    return sound[: whole * step].reshape(whole, step)


def _two_lines(power: Sound) -> npt.NDArray[np.float64]:
    """The energy in the two strongest lines of each spectrum, shape ``(frames,)``."""
    rest = power.astype(np.float64)
    inside = np.zeros(len(rest))
    bins = np.arange(rest.shape[1])
    for _ in range(2):
        near = np.abs(bins - rest.argmax(axis=1)[:, None]) <= _LINE_WIDTH
        inside += np.where(near, rest, 0.0).sum(axis=1)
        rest[near] = 0.0
    return inside
