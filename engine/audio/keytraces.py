"""Traces of keys: tones too short or too weak to be a key by Q.24, from which a key could still be read.

A gateway that sends keys beside the sound (RFC 4733) lets the first 20 to 40 ms of each tone through before it mutes it, and a
line's echo brings the other side's keys back at -50 dBFS. :mod:`engine.audio.keytones` must refuse both; a mask must leave
neither.

The sound is looked at every 5 ms through a 20 ms Hann window, and one that holds a pair of the pad's tones and little else is a
mark. Marks of one pair in a row are a trace when they

* stand alone: two windows or more, and the sound just before and just after is much weaker, as no voice begins and ends; or
* last: six windows or more that hold hardly anything but the pair.

Which key it is, is not told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.audio.keytones import HIGH_HZ, LOW_HZ
from engine.core.audio import TELEPHONY, AudioFrame, Samples
from engine.core.errors import ProtocolError
from engine.core.units import Seconds

_HOP: Final = 40  # samples, 5 ms
_WINDOW: Final = 160  # samples, 20 ms
_BLOCK: Final = 4_096  # windows at a time: 20 s of sound, 2.6 MB
_WEAKEST: Final = 33.0  # amplitude of the weaker tone: -60 dBFS
_TWIST: Final = (0.1, 4.5)  # high over low, in power: -10 dB to 6.5 dB
_SHARE_ALONE: Final = 0.6  # of a window's energy in the two tones
_SHARE_LASTING: Final = 0.8
_FEWEST_ALONE: Final = 2  # windows; a tone of 20 ms makes three
_FEWEST_LASTING: Final = 6
_BESIDE: Final = 5  # windows from a trace's edge to one that has none of it
_DROP: Final = 6.0  # of power, 8 dB

_Reals = npt.NDArray[np.float32]
_Places = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class _Looks:
    """What each window holds."""

    pair: _Places
    share: _Reals
    power: _Reals
    tonal: npt.NDArray[np.bool_]
    """Whether both tones are strong enough, and of a strength."""


def key_traces(sound: AudioFrame) -> tuple[tuple[Seconds, Seconds], ...]:
    """Find when there is a trace of a key, on the sound's own timeline, 15 ms too wide at most; whole keys are found too.

    Raises:
        ProtocolError: the sound is not of 8000 Hz.
    """
    if sound.format != TELEPHONY:
        raise ProtocolError(f"traces of keys are sought in sound of 8000 Hz, found {sound.format.rate_hz} Hz")
    looks = _looked(sound.samples)
    found = {*_runs(looks, looks.tonal & (looks.share >= _SHARE_LASTING), _FEWEST_LASTING)}
    found |= {run for run in _runs(looks, looks.tonal & (looks.share >= _SHARE_ALONE), _FEWEST_ALONE) if _alone(looks, *run)}
    return tuple(_times(sound, *run) for run in sorted(found))


def _looked(samples: Samples) -> _Looks:
    pad = np.zeros(_WINDOW, np.float32)
    padded = np.concatenate([pad, samples.astype(np.float32), pad])
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP]
    blocks = [_block(windows[first : first + _BLOCK]) for first in range(0, len(windows), _BLOCK)]
    pair, share, power, tonal = (np.concatenate(column) for column in zip(*blocks, strict=True))
    return _Looks(pair, share, power, tonal)


def _block(windows: _Reals) -> tuple[_Places, _Reals, _Reals, npt.NDArray[np.bool_]]:
    shape = np.hanning(_WINDOW + 2)[1:-1]
    turns = np.exp(-2j * np.pi * np.arange(_WINDOW)[:, None] / TELEPHONY.rate_hz * np.array([*LOW_HZ, *HIGH_HZ])[None, :])
    probes = turns * (2 * shape / shape.sum())[:, None]  # a tone's amplitude comes out as it is
    parts = (windows @ np.hstack([probes.real, probes.imag]).astype(np.float32)) ** 2
    tones = parts[:, :8] + parts[:, 8:]
    low, high = tones[:, :4].argmax(axis=1), 4 + tones[:, 4:].argmax(axis=1)
    rows = np.arange(len(tones))
    below, above = tones[rows, low], tones[rows, high]
    energy = windows**2 @ (shape**2).astype(np.float32)
    share = (below + above) * (float((shape**2).sum()) / 2) / np.maximum(energy, 1e-3)
    alike = (above > _TWIST[0] * below) & (above < _TWIST[1] * below)
    return low * 4 + high, share, energy, alike & (np.minimum(below, above) >= _WEAKEST**2)


def _runs(looks: _Looks, marked: npt.NDArray[np.bool_], fewest: int) -> Iterator[tuple[int, int]]:
    """Give first and last window of each row of marks of one pair that is long enough."""
    pairs = np.where(marked, looks.pair, -1)
    edges = np.flatnonzero(np.diff(pairs)) + 1
    for first, after in zip([0, *edges.tolist()], [*edges.tolist(), len(pairs)], strict=True):
        if pairs[first] >= 0 and after - first >= fewest:
            yield first, after - 1


def _alone(looks: _Looks, first: int, last: int) -> bool:
    peak = float(looks.power[first : last + 1].max())
    before = float(looks.power[first - _BESIDE]) if first >= _BESIDE else 0.0
    after = float(looks.power[last + _BESIDE]) if last + _BESIDE < len(looks.power) else 0.0
    return max(before, after) * _DROP <= peak


def _times(sound: AudioFrame, first: int, last: int) -> tuple[Seconds, Seconds]:
    begin, end = first * _HOP - _WINDOW, last * _HOP  # the windows begin one window before the sound
    length = len(sound.samples)
    return (
        Seconds(sound.start_s + TELEPHONY.seconds(max(begin, 0))),
        Seconds(sound.start_s + TELEPHONY.seconds(min(end, length))),
    )
