"""Changing the rate of sound: at its best for whole utterances and files, with little delay for a live leg.

Two ways, because they pay in different coin (all measured on 20 ms frames, 8 to 16 kHz and back):

* :func:`resample` is soxr's HQ: flat to 91 % of the band, but a stream of it would lag by 115 ms.
* :class:`LiveResampler` is a short polyphase filter of our own: 2 ms behind at 8 kHz, flat to 0.1 dB up to 3 400 Hz, 74 dB
  down from 4 400 Hz on, some 50 us a frame. Of soxr's own streams LQ lags by 61 ms, and QQ (0.3 ms) has no filter at all, so
  that a browser's 48 kHz would fold its hiss and sibilants into the telephone band.

soxr's 16-bit output is dithered with a seed of the wall clock, so we hand it floats and round ourselves: the same sound in gives
the same bytes out.
"""

from __future__ import annotations

from functools import cache
from math import gcd

import numpy as np
import numpy.typing as npt
import soxr

from engine.core.audio import AudioFormat, AudioFrame, Samples
from engine.core.errors import ProtocolError
from engine.core.units import SampleIndex, Seconds

_Floats = npt.NDArray[np.float32]

_REACH = 16  # samples of the lower rate that the live filter looks to each side: 2 ms at 8 kHz
_CUTOFF = 0.475  # of the lower rate, where the filter is 6 dB down: 3 800 Hz at 8 kHz
_KAISER_BETA = 5.7  # side lobes 60 dB down (Oppenheim & Schafer, eq. 7.75)


def resample(frame: AudioFrame, to: AudioFormat) -> AudioFrame:
    """Bring a whole utterance or file to another rate; ``start`` is carried over to the new one's samples."""
    if frame.format == to:
        return frame
    floats = soxr.resample(frame.samples.astype(np.float32), frame.format.rate_hz, to.rate_hz, quality="HQ")
    return AudioFrame(_rounded(floats), to, _carried(frame.start, frame.format, to))


class LiveResampler:
    """Brings one leg's frames to another rate as they come, in order and without gaps.

    Each frame's sound comes out at its own time; the last ``delay`` of it comes with the next frame, or with :meth:`flush`. So a
    leg of 20 ms frames gives a first frame that is shorter by ``delay`` and then 20 ms each.
    """

    def __init__(self, source: AudioFormat, target: AudioFormat) -> None:
        self._source, self._target = source, target
        shared = gcd(source.rate_hz, target.rate_hz)
        self._up, self._down = target.rate_hz // shared, source.rate_hz // shared
        self._reach = -(-_REACH * source.rate_hz // min(source.rate_hz, target.rate_hz))  # in source samples, rounded up
        self._restart()

    @property
    def delay(self) -> Seconds:
        """How long after a sound came in it comes out, in seconds: 2 ms where the lower rate is 8 kHz."""
        return Seconds(0.0) if self._source == self._target else self._source.seconds(self._reach)

    def feed(self, frame: AudioFrame) -> AudioFrame:
        """Take the next frame; give all that can be told of the sound so far, which may be nothing.

        Raises:
            ProtocolError: the frame is not of the source's rate.
        """
        if frame.format != self._source:
            raise ProtocolError(f"a resampler from {self._source.rate_hz} Hz was fed a frame of {frame.format.rate_hz} Hz")
        if self._source == self._target:
            return frame
        if self._taken == 0:
            self._origin = _carried(frame.start, self._source, self._target)
        self._taken += len(frame.samples)
        return self._advance(frame.samples.astype(np.float32), self._ready(self._taken - self._reach))

    def flush(self) -> AudioFrame:
        """Give what is left, and be ready for another sound."""
        rest = self._advance(np.zeros(self._reach, np.float32), self._ready(self._taken))
        self._restart()
        return rest

    def _restart(self) -> None:
        self._held = np.zeros(2 * self._reach, np.float32)  # source samples that outputs to come still look at
        self._held_from = -2 * self._reach
        self._taken = self._given = 0
        self._origin = SampleIndex(0)

    def _ready(self, known: int) -> int:
        """How many outputs lie before source sample ``known``."""
        return max(self._given, -(-known * self._up // self._down))

    def _advance(self, new: _Floats, upto: int) -> AudioFrame:
        held = np.concatenate([self._held, new])
        moments = np.arange(self._given, upto) * self._down
        first = moments // self._up - self._reach + 1 - self._held_from  # where each output's view of the source begins
        samples = np.zeros(0, np.int16)
        if len(moments):
            views = np.lib.stride_tricks.sliding_window_view(held, 2 * self._reach)[first]
            samples = _rounded(np.einsum("nt,nt->n", views, _filter(self._up, self._down, self._reach)[moments % self._up]))
        start = SampleIndex(self._origin + self._given)
        self._given = upto
        kept = min(len(held), 3 * self._reach)
        self._held, self._held_from = held[-kept:], self._held_from + len(held) - kept
        return AudioFrame(samples, self._target, start)


@cache
def _filter(up: int, down: int, reach: int) -> _Floats:
    """One row of taps for each of the ``up`` places an output can have between two inputs; shape ``(up, 2 * reach)``.

    A sinc under a Kaiser window, each row scaled to pass 0 Hz unchanged, so that silence has no ripple.
    """
    cutoff = _CUTOFF * min(1.0, up / down)  # cycles per source sample
    places = np.arange(up)[:, None] / up
    distance = np.arange(-reach + 1, reach + 1)[None, :] - places
    window = np.i0(_KAISER_BETA * np.sqrt(np.clip(1 - (distance / reach) ** 2, 0, 1))) / np.i0(_KAISER_BETA)
    taps = np.sinc(2 * cutoff * distance) * window
    filter: _Floats = (taps / taps.sum(axis=1, keepdims=True)).astype(np.float32)
    return filter


def _rounded(floats: _Floats) -> Samples:
    return np.clip(np.rint(floats), -32_768, 32_767).astype(np.int16)


def _carried(start: SampleIndex, source: AudioFormat, target: AudioFormat) -> SampleIndex:
    return SampleIndex(round(start * target.rate_hz / source.rate_hz))
