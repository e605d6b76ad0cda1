"""Keys of the pad as tones (DTMF): found in a leg's sound, and made.

Found by the rules of ITU-T Q.23 (which two tones a key is) and Q.24 (what a receiver takes and refuses). The sound is looked at
every 5 ms through a 20 ms Hann window. A look is *sure* when

* one tone of each group stands in it, each within 2.5 % of its nominal frequency, as the turn of its phase over 10 ms tells
  (Q.24: 1.5 % + 2 Hz must be taken, 3.5 % refused);
* neither is weaker than -42 dBFS, and the twist, high over low, lies within the limits (Q.24: +4 and -8 dB must be taken);
* the two hold nearly all the energy of the window, and nothing stands at twice their frequencies (speech has harmonics, keys have
  none).

Looks of one key make a run; a break of up to 20 ms does not end it. A run is a key when it lasted 30 ms at half its peak or more
(40 ms must be taken, 20 ms refused) and its looks were sure all through: a voice that brushes a key's frequencies slides on. Two
tones that stand quite still for 80 ms are a key even when they hold only 40 % of the energy: then something whistles on the line.

Keys are ASCII codes, never strings, because they may be a PIN.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from engine.core.audio import TELEPHONY, AudioFormat, AudioFrame, Samples
from engine.core.errors import ProtocolError
from engine.core.units import SampleIndex, Seconds

LOW_HZ = (697.0, 770.0, 852.0, 941.0)  # Q.23: the rows of the pad
HIGH_HZ = (1209.0, 1336.0, 1477.0, 1633.0)  # Q.23: its columns
PAD = b"123A456B789C*0#D"  # row by row

_HOP = Seconds(0.005)
_HOPS_IN_WINDOW = 4  # 20 ms
_HOPS_OF_PHASE = 2  # 10 ms: unambiguous up to 50 Hz off the nominal frequency, and 57 Hz is 3.5 % of the highest
_LEAD_HOPS = _HOPS_IN_WINDOW + _HOPS_OF_PHASE - 1  # the first look ends one hop into the sound
_OFF_FREQUENCY = 0.025
_WEAKEST = 32_768 * 10 ** (-42 / 20)  # amplitude of one tone
_TOO_FAINT = _WEAKEST / 4  # a sample; where none is larger, no tone shows more than half of the faintest
_TWIST_DB = (-9.5, 5.5)  # what must be taken, and 1.5 dB for the error of measuring it in noise
_SHARE = 0.80  # of the window's energy in the two tones; noise 15 dB down leaves 0.97
_STEADY_SHARE = 0.4  # of the energy, where the tones stand still
_PROMISING_SHARE = 0.4 * _STEADY_SHARE  # a tone 2.5 % beside its frequency shows 0.4 of its energy there
_UNSTEADY = 0.04  # change of amplitude over 10 ms
_HARMONIC = 0.18  # amplitude at twice a tone's frequency, of the tone's: -15 dB

_SHORTEST_HOPS = 6  # 30 ms at half amplitude or more
_BREAK_HOPS = 4  # 20 ms below half amplitude: the same key goes on; longer: it is over
_FEWEST_SURE = 4  # looks; a 40 ms tone has five whole windows in it
_FEWEST_STEADY = 16  # looks, 80 ms
_SURE_SHARE = 0.6  # of a run's looks

_Complex = npt.NDArray[np.complex128]
_Reals = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, repr=False)
class KeyTone:
    """A key of the pad was heard."""

    code: int
    """ASCII: ``0-9 * # A-D``."""

    start: Seconds
    """When it began, on the leg's timeline; right to 5 ms."""

    duration: Seconds
    """How long it was held; right to 10 ms."""

    def __repr__(self) -> str:
        return f"KeyTone(•, start={self.start:.3f}, duration={self.duration:.3f})"


@dataclass(frozen=True, slots=True)
class _Look:
    """What one window holds."""

    key: int
    """Index into ``PAD`` of the strongest pair, sure or not."""

    amplitude: float
    """Of the weaker tone, full scale 32768."""

    sure: bool

    steady: bool
    """The two tones stand still in frequency and strength, whatever else sounds."""


_NO_TONES = _Look(key=-1, amplitude=0.0, sure=False, steady=False)


class KeyToneDetector:
    """Hears the keys of one leg. Feed frames of any length in order and without gaps; how they are cut makes no difference."""

    def __init__(self, format: AudioFormat = TELEPHONY) -> None:
        self._format = format
        self._hop = format.samples(_HOP)
        self._bank = _bank(format, self._hop)
        self._held = np.zeros(_LEAD_HOPS * self._hop, np.int16)  # so that a tone's edge can be seen at the very beginning
        self._origin: SampleIndex | None = None
        self._looks = 0
        self._before: deque[_Look] = deque(maxlen=_HOPS_IN_WINDOW)
        self._run: _Run | None = None

    @property
    def sounding(self) -> int | None:
        """The ASCII code of the key that is held down right now, some 40 ms after it began, or ``None``."""
        if self._run is None or self._run.silent_hops > 0 or not self._run.is_key:
            return None
        return PAD[self._run.key]

    def feed(self, frame: AudioFrame) -> tuple[KeyTone, ...]:
        """Listen to what comes next; give the keys that were let go, about 35 ms after they were.

        Raises:
            ProtocolError: the frame is of another rate.
        """
        if frame.format is not self._format and frame.format != self._format:
            raise ProtocolError(f"a key detector of {self._format.rate_hz} Hz was fed a frame of {frame.format.rate_hz} Hz")
        if self._origin is None:
            self._origin = frame.start
        self._held = np.concatenate([self._held, frame.samples])
        looks = self._bank.looks(self._held)
        self._held = self._held[len(looks) * self._hop :]
        if self._run is None and not any(look.sure or look.steady for look in looks):
            self._before.extend(looks)
            self._looks += len(looks)
            return ()
        return tuple(tone for look in looks if (tone := self._take(look)))

    def finish(self) -> tuple[KeyTone, ...]:
        """The sound is over: give the key that was still held, if there is one."""
        return self.feed(AudioFrame(np.zeros((_LEAD_HOPS + _BREAK_HOPS + 1) * self._hop, np.int16), self._format))

    def _take(self, look: _Look) -> KeyTone | None:
        if self._run is None and (look.sure or look.steady):
            self._run = _Run(look.key, self._looks - len(self._before), self._before)
        self._before.append(look)
        self._looks += 1
        if self._run is None:
            return None
        self._run.add(look)
        if self._run.silent_hops <= _BREAK_HOPS:
            return None
        run, self._run = self._run, None
        return self._tone(run) if run.is_key else None

    def _tone(self, run: _Run) -> KeyTone:
        tally = run.tally()
        middle_of_first = run.begin + tally.first + 1 - _HOPS_IN_WINDOW / 2  # half in the tone, it shows half of the peak
        start = self._format.seconds(self._origin or SampleIndex(0)) + max(0.0, (middle_of_first - 0.5) * _HOP)
        return KeyTone(PAD[run.key], Seconds(start), Seconds(tally.held * _HOP))


@dataclass(frozen=True, slots=True)
class _Tally:
    """How a run's key sounded so far, in looks at half its peak or more."""

    first: int
    last: int
    sure: int
    steady: int

    @property
    def held(self) -> int:
        return self.last - self.first + 1


class _Run:
    """Looks that may be one key.

    Its opening is kept, since the peak is known only some looks after the edge; the rest is counted, so that a tone without end
    costs no memory.
    """

    _OPENING = 4 * _HOPS_IN_WINDOW

    def __init__(self, key: int, begin: int, before: Iterable[_Look]) -> None:
        self.key = key
        self.begin = begin  # looks before it
        self._peak = 0.0
        self._length = 0
        self._opening: list[_Look] = []
        self._last = self._sure = self._steady = 0
        for look in before:
            self.add(look)

    def add(self, look: _Look) -> None:
        """Take the next look."""
        if look.key == self.key and (look.sure or look.steady):
            self._peak = max(self._peak, look.amplitude)
        if self._length < self._OPENING:
            self._opening.append(look)
        elif self._sounds(look):
            self._last = self._length
            self._sure += look.sure
            self._steady += look.steady
        self._length += 1

    @property
    def silent_hops(self) -> int:
        """For how many looks now the key has been gone."""
        return self._length - 1 - self.tally().last

    @property
    def is_key(self) -> bool:
        """Whether it has been long, sure or steady enough to be a key."""
        tally = self.tally()
        share = _SURE_SHARE * tally.held
        return tally.held >= _SHORTEST_HOPS and (
            tally.sure >= max(_FEWEST_SURE, share) or tally.steady >= max(_FEWEST_STEADY, share)
        )

    def tally(self) -> _Tally:
        """Count what sounded at half the peak, as it is known now."""
        places = [place for place, look in enumerate(self._opening) if self._sounds(look)]
        opening = [self._opening[place] for place in places]
        return _Tally(
            first=places[0],
            last=max(self._last, places[-1]),
            sure=self._sure + sum(look.sure for look in opening),
            steady=self._steady + sum(look.steady for look in opening),
        )

    def _sounds(self, look: _Look) -> bool:
        return look.key == self.key and look.amplitude >= self._peak / 2


class _Bank:
    """The eight tones and their octaves, measured in every window of a stretch of sound."""

    def __init__(self, format: AudioFormat, hop: int) -> None:
        self._hop, self._size = hop, _HOPS_IN_WINDOW * hop
        self._rate_hz = format.rate_hz
        self._window = np.hanning(self._size + 2)[1:-1]
        nominal = np.array([*LOW_HZ, *HIGH_HZ])
        self._nominal = nominal
        moments = np.arange(self._size)[:, None] / format.rate_hz
        turns = np.exp(-2j * np.pi * moments * np.concatenate([nominal, 2 * nominal])[None, :])
        self._probes = turns * (2 * self._window / self._window.sum())[:, None]  # a tone's amplitude comes out as it is
        tones = self._probes[:, : len(nominal)]
        self._cheap_probes = np.hstack([tones.real, tones.imag])  # (window, 16): the same for real arithmetic, without octaves
        self._squared_window = self._window**2
        self._window_energy = float(self._squared_window.sum())
        self._blurred = (
            np.abs(2 * nominal[:, None] - nominal[None, :]) < 100
        )  # [tone, other]: its octave can't be told from the other
        self._expected_turn = np.exp(-2j * np.pi * nominal * _HOPS_OF_PHASE * hop / format.rate_hz)

    def looks(self, samples: Samples) -> list[_Look]:
        """One look for each hop; the first needs a window and the phase's lead before it.

        This runs for every frame of every leg whose keys may be tones, so what holds none is told apart with little work.
        """
        count = (len(samples) - self._size) // self._hop + 1 - _HOPS_OF_PHASE
        if count <= 0:
            return []
        if np.maximum.reduce(samples) < _TOO_FAINT and np.minimum.reduce(samples) > -_TOO_FAINT:
            return [_NO_TONES] * count
        windows = self._windows(samples)
        energy = windows[_HOPS_OF_PHASE:] ** 2 @ self._squared_window
        promising = self._strongest_pair(windows[_HOPS_OF_PHASE:]) > _PROMISING_SHARE * energy
        if not promising.any():  # most of speech
            return [_NO_TONES] * count
        looks = self._judge(windows @ self._probes, energy)
        return [look if worth else _NO_TONES for look, worth in zip(looks, promising.tolist(), strict=True)]

    def _strongest_pair(self, windows: _Reals) -> _Reals:
        """The energy of the strongest tone of either group, as if it were right on its frequency."""
        parts = (windows @ self._cheap_probes) ** 2
        power = parts[:, :8] + parts[:, 8:]
        pairs: _Reals = power.reshape(-1, 2, 4).max(axis=2).sum(axis=1) * (self._window_energy / 2)
        return pairs

    def _windows(self, samples: Samples) -> _Reals:
        """Shape ``(hops, window)``."""
        floats = samples.astype(np.float64)
        hops = (len(samples) - self._size) // self._hop + 1
        step = floats.itemsize
        overlapping = np.ndarray((hops, self._size), np.float64, floats, strides=(self._hop * step, step))
        return overlapping.copy()  # BLAS wants rows that lie apart

    def _energy(self, amplitudes: _Reals) -> _Reals:
        """What tones of these amplitudes bring into a window, summed over the first axis."""
        energy: _Reals = (amplitudes**2).sum(axis=0) * (self._window_energy / 2)
        return energy

    def _judge(self, spectrum: _Complex, energy: _Reals) -> list[_Look]:
        now, before = spectrum[_HOPS_OF_PHASE:], spectrum[:-_HOPS_OF_PHASE, :8]
        level = np.abs(now)
        rows = np.arange(len(now))
        low, high = level[:, :4].argmax(axis=1), 4 + level[:, 4:8].argmax(axis=1)
        pure = steady = np.ones(len(now), bool)
        tones = []
        for tone in (low, high):
            here, there = now[rows, tone], before[rows, tone]
            off_hz = self._off_frequency(here * np.conj(there) * self._expected_turn[tone])
            amplitude = np.abs(here) / self._response(off_hz)
            tones.append(amplitude)
            near = (np.abs(off_hz) <= _OFF_FREQUENCY * self._nominal[tone]) & (amplitude >= _WEAKEST)
            pure = pure & near & ((level[rows, 8 + tone] <= _HARMONIC * amplitude) | self._blurred[tone, high])
            steady = steady & near & (np.abs(np.abs(here) - np.abs(there)) <= _UNSTEADY * np.abs(here))
        pair = np.maximum(tones, 1e-9)
        twist_db = 20 * np.log10(pair[1] / pair[0])
        twisted = (twist_db < _TWIST_DB[0]) | (twist_db > _TWIST_DB[1])
        share = self._energy(pair) / np.maximum(energy, 1e-9)
        sure = pure & ~twisted & (share >= _SHARE)
        steady = steady & ~twisted & (share >= _STEADY_SHARE)
        weaker = np.minimum(level[rows, low], level[rows, high])
        keys = low * 4 + high - 4
        return [_Look(*look) for look in zip(keys.tolist(), weaker.tolist(), sure.tolist(), steady.tolist(), strict=True)]

    def _off_frequency(self, turn: _Complex) -> _Reals:
        """How far from nominal a tone is, in Hz, from how far its phase ran ahead."""
        return np.angle(turn) * self._rate_hz / (2 * np.pi * _HOPS_OF_PHASE * self._hop)

    def _response(self, off_hz: _Reals) -> _Reals:
        """What is left of a tone's amplitude in a Hann window's bin that is ``off_hz`` beside it."""
        bins = np.clip(np.abs(off_hz) * self._size / self._rate_hz, 0, 0.95)
        return np.sinc(bins) / (1 - bins**2)


@cache
def _bank(format: AudioFormat, hop: int) -> _Bank:
    """One for all legs: it has no state, and takes as long to make as a dozen frames."""
    return _Bank(format, hop)


def make_key_tones(
    keys: Iterable[int],
    tone: Seconds = Seconds(0.1),
    pause: Seconds = Seconds(0.1),
    level_dbfs: float = -10.0,
    twist_db: float = 0.0,
    format: AudioFormat = TELEPHONY,
) -> AudioFrame:
    """Make the sound of ``keys`` (ASCII codes: ``b"12#"``), each ``tone`` long and followed by ``pause``.

    ``level_dbfs`` is the low tone's (a full-scale sine is 0 dBFS); the high one is ``twist_db`` above it.

    Raises:
        ValueError: a code is no key of the pad, or the two tones together would clip.
    """
    low = 10 ** (level_dbfs / 20)
    high = 10 ** ((level_dbfs + twist_db) / 20)
    if low + high > 1:
        raise ValueError(f"tones of {level_dbfs} dBFS with a twist of {twist_db} dB clip; take them lower")
    moments = np.arange(format.samples(tone)) / format.rate_hz
    gap = np.zeros(format.samples(pause), np.int16)
    pieces = []
    for code in keys:
        row, column = divmod(_place(code), 4)
        wave = low * np.sin(2 * np.pi * LOW_HZ[row] * moments) + high * np.sin(2 * np.pi * HIGH_HZ[column] * moments)
        pieces += [np.rint(32_767 * wave).astype(np.int16), gap]
    return AudioFrame(np.concatenate(pieces) if pieces else gap[:0], format)


def _place(code: int) -> int:
    place = PAD.find(code)
    if place < 0:
        raise ValueError("expected ASCII codes of the pad's sixteen keys, found another")
    return place
