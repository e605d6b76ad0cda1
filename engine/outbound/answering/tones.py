"""Tones of machines and networks on an answered line: the beep of an answering machine, the network's three notes, fax, busy.

Every 20 ms a 40 ms Hann window is looked at: which one or two lines hold its energy. Looks whose lines stand still make a tone;
voices slide. What tones mean:

* SIT: three single tones that rise, at 950, 1400 and 1800 Hz (ITU-T E.180; Bellcore's segments lie within 5 % of these), each 200
  to 450 ms, close together;
* fax: 2100 Hz for a second (CED, ITU-T T.30), or 1100 Hz for half a second (CNG) before any voice;
* busy: single 400 to 450 Hz or a pair of the American plan, up to 0.7 s, twice, before any voice; longer ones are ringing;
* beep: any other single tone from 300 to 2000 Hz of 150 ms to 2.5 s, with no other after it for 140 ms.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.core.audio import FRAME, FRAME_SAMPLES, TELEPHONY, AudioFrame
from engine.core.units import Seconds

Floats = npt.NDArray[np.float64]

_WINDOW: Final = 2 * FRAME_SAMPLES
_SIZE: Final = 1024  # of the transform: a line every 7.8 Hz
_HZ: Final = TELEPHONY.rate_hz / _SIZE
_LOBE: Final = 7  # lines on each side that belong to a tone: Hann's main lobe, 50 Hz
_LOWEST: Final = int(300 / _HZ)
_HIGHEST: Final = int(2250 / _HZ)
_FAINTEST: Final = (32768 * 10 ** (-45 / 20)) ** 2 / 2  # mean power of a tone of -45 dBFS
_PURE: Final = 0.80  # of the energy in one or two lines; noise 10 dB down leaves 0.9
_SECOND: Final = 0.15  # of the energy: then there are two
_DRIFT: Final = 12.0  # Hz from the tone's first look on
_SWELL_DB: Final = 2.5
_SWAY: Final = 6.0  # Hz
_HOLES: Final = 1  # looks that a lost packet may cost
_SHORTEST: Final = Seconds(0.10)
_APART: Final = Seconds(0.14)
_RINGS: Final = Seconds(0.7)
_SIT_HZ: Final = (950.0, 1400.0, 1800.0)


class Signal(StrEnum):
    """What tones mean."""

    BEEP = "beep"
    SIT = "sit"
    """The network's three notes: the number can't be reached."""
    FAX = "fax"
    BUSY = "busy"
    RINGING = "ringing"


@dataclass(frozen=True, slots=True)
class Tone:
    """One that stood still."""

    start: Seconds

    end: Seconds

    low_hz: float

    high_hz: float | None
    """``None``: a single tone."""

    still: bool = True
    """Neither its strength nor its frequency moves: a machine's. Notes of music die away."""

    @property
    def length(self) -> Seconds:
        """How long it stood."""
        return Seconds(self.end - self.start)


@dataclass(frozen=True, slots=True)
class _Look:
    low: float
    high: float | None
    level_db: float

    def goes_on(self, other: _Look) -> bool:
        if (self.high is None) != (other.high is None) or abs(self.low - other.low) > _DRIFT:
            return False
        return self.high is None or other.high is None or abs(self.high - other.high) <= _DRIFT


class ToneFinder:
    """Finds tones in 20 ms frames of 8 kHz that follow each other."""

    def __init__(self) -> None:
        self._past = np.zeros(FRAME_SAMPLES)
        self._window = np.hanning(_WINDOW)
        self._looks: list[_Look] = []
        self._begin = Seconds(0.0)
        self._holes = 0
        self.tone: Tone | None = None
        """The one that sounds now, as far as it goes."""

    def hear(self, frame: AudioFrame) -> Tone | None:
        """Take the newest 20 ms; the tone that has just ended, if one has."""
        heard = np.concatenate([self._past, frame.samples])
        self._past = heard[FRAME_SAMPLES:]
        look = _look(heard * self._window)
        if look is not None and self._looks and self._looks[0].goes_on(look):
            self._looks.append(look)
            self._holes = 0
        elif self._looks and look is None and self._holes < _HOLES:
            self._holes += 1
            return None
        else:
            ended = self.tone
            self._looks, self._holes = ([look] if look else []), 0
            self._begin = Seconds(frame.start_s - FRAME / 2)
            self.tone = None
            return ended
        self.tone = self._so_far(frame.end_s)
        return None

    def _so_far(self, now: Seconds) -> Tone | None:
        end = Seconds(now - FRAME / 2)
        if end - self._begin < _SHORTEST:
            return None
        high = None if self._looks[0].high is None else float(np.median([it.high or 0.0 for it in self._looks]))
        return Tone(self._begin, end, float(np.median([it.low for it in self._looks])), high, _is_still(self._looks[1:-1]))


def _is_still(looks: list[_Look]) -> bool:
    """The first and the last are half in the tone, half beside it."""
    levels, lows = [it.level_db for it in looks], [it.low for it in looks]
    return len(looks) > 2 and max(levels) - min(levels) <= _SWELL_DB and max(lows) - min(lows) <= _SWAY


def _look(windowed: Floats) -> _Look | None:
    power = np.abs(np.fft.rfft(windowed, _SIZE)) ** 2
    total = float(power[_LOWEST // 2 :].sum())
    if total < _FAINTEST * _SIZE * _WINDOW * 0.375 / 2:  # Hann's mean square is 3/8
        return None
    level_db = float(10 * np.log10(total))
    first, share = _strongest(power, total)
    rest = power.copy()
    rest[max(0, first - _LOBE) : first + _LOBE + 1] = 0.0
    second, more = _strongest(rest, total)
    if share >= _PURE and more < _SECOND:
        return _Look(_exact(power, first), None, level_db)
    if share + more >= _PURE and more >= _SECOND:
        low, high = sorted((first, second))
        return _Look(_exact(power, low), _exact(power, high), level_db)
    return None


def _strongest(power: Floats, total: float) -> tuple[int, float]:
    line = _LOWEST + int(np.argmax(power[_LOWEST:_HIGHEST]))
    return line, float(power[line - _LOBE : line + _LOBE + 1].sum()) / total


def _exact(power: Floats, line: int) -> float:
    """Between the lines, by a parabola through their logarithms."""
    left, middle, right = np.log(power[line - 1 : line + 2] + 1e-9)
    bend = left - 2 * middle + right
    return float((line + (0.5 * (left - right) / bend if bend else 0.0)) * _HZ)


class Signals:
    """What the tones of one line mean. A signal is told once it is sure."""

    def __init__(self) -> None:
        self._finder = ToneFinder()
        self._ended: deque[Tone] = deque(maxlen=3)
        self._waiting: Tone | None = None
        self._fax_told = False

    @property
    def sounding(self) -> bool:
        """Whether a tone stands now: what is one is no voice."""
        return self._finder.tone is not None

    def hear(self, frame: AudioFrame, *, voice_before: bool) -> Signal | None:
        """Take the newest 20 ms; ``voice_before``: somebody has spoken on this line."""
        ended, now = self._finder.hear(frame), frame.end_s
        if ended is not None:
            self._ended.append(ended)
            self._waiting = ended
            if _is_sit(self._ended):
                self._waiting = None
                return Signal.SIT
        going = self._finder.tone
        if going is not None:
            return self._lasting(going, voice_before=voice_before)
        if self._waiting is not None and now - self._waiting.end >= _APART:
            over, self._waiting = self._waiting, None
            return self._meaning(over, voice_before=voice_before)
        return None

    def _lasting(self, tone: Tone, *, voice_before: bool) -> Signal | None:
        """What is sure while it still sounds."""
        if _is_ced(tone) and not self._fax_told:
            self._fax_told, self._waiting = True, None
            return Signal.FAX
        return Signal.RINGING if not voice_before and tone.length > _RINGS and _is_of_the_network(tone) else None

    def _meaning(self, tone: Tone, *, voice_before: bool) -> Signal | None:
        if not voice_before and _is_of_the_network(tone):
            return Signal.BUSY if tone.length <= _RINGS and _again(self._ended) else None
        if tone.high_hz is not None or not tone.still or not 300 <= tone.low_hz <= 2000:
            return None
        if not voice_before and abs(tone.low_hz - 1100) <= 38 and 0.4 <= tone.length <= 0.6:
            return Signal.FAX
        return Signal.BEEP if 0.145 <= tone.length <= 2.5 else None


def _is_ced(tone: Tone) -> bool:
    return tone.high_hz is None and abs(tone.low_hz - 2100) <= 20 and tone.length >= 1.0


def _is_of_the_network(tone: Tone) -> bool:
    if tone.high_hz is None:
        return 395 <= tone.low_hz <= 455
    pairs = ((350, 440), (440, 480), (480, 620))
    return any(abs(tone.low_hz - low) <= 15 and abs(tone.high_hz - high) <= 15 for low, high in pairs)


def _again(tones: deque[Tone]) -> bool:
    if len(tones) < 2:
        return False
    before, last = tones[-2], tones[-1]
    return abs(before.low_hz - last.low_hz) <= 15 and abs(before.length - last.length) <= 0.1


def _is_sit(tones: deque[Tone]) -> bool:
    if len(tones) < 3:
        return False
    fits = all(
        tone.high_hz is None and abs(tone.low_hz - wanted) <= 0.05 * wanted and 0.18 <= tone.length <= 0.47
        for tone, wanted in zip(tones, _SIT_HZ, strict=True)
    )
    return fits and all(tones[place + 1].start - tones[place].end < 0.12 for place in range(2))
