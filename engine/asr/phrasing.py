"""Continuous speech of one channel, cut into phrases for a recogniser: the pure part of dictation.

Rules:

1. Frames come in order and without gaps, of any length, at one of ``RATES``. They are the only clock: the same sound gives the
   same phrases at any speed, an hour of it in a minute too.
2. A phrase ends after the policy's ``unknown_wait``: where nobody asked anything, nothing can be complete. So a whole try is
   judged at once, and no phrase waits for a recogniser. One that has ended is never taken back.
3. A try is speculative: what was tried is the phrase, unless :class:`Drop` takes it back. The driver tells of partial tries
   when they are answered (:meth:`Phrasing.answered`), for there is never more than one of them.
4. Nobody is interrupted: who talks for longer than ``longest`` is cut at the quietest moment of the last seconds, and the next
   phrase goes on there. Nothing is lost, not even where the line never falls silent.
5. Sound is remembered for the longest phrase and no longer.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np

from engine.asr.endpoint_policy import EndpointPolicy
from engine.asr.endpointer import (
    Activity,
    Decode,
    Discard,
    Endpoint,
    EndpointAction,
    Endpointer,
    EndReason,
    Judged,
)
from engine.asr.vad import VoiceActivity
from engine.audio.resample import LiveResampler
from engine.core.audio import FRAME, FRAME_SAMPLES, TELEPHONY, WIDEBAND, AudioFormat, AudioFrame, Samples, joined
from engine.core.errors import MediaError
from engine.core.units import SampleIndex, Seconds
from engine.nlu.interpretation import Completeness

RATES: Final = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
"""Hz. A resampler keeps a table for each pair of rates, so the peer may not think of rates of its own."""

PHRASES: Final = EndpointPolicy(
    decode_after=Seconds(0.3),  # later than in a call: nobody waits for an answer, and fewer tries are in vain
    complete_wait=Seconds(0.7),
    unknown_wait=Seconds(0.7),
    incomplete_wait=Seconds(0.7),
    partial_every=Seconds(0.4),  # FreeSWITCH stops its prompt at the first partial result that has words
    take_back=Seconds(0.0),
)
"""How long dictation waits."""


def phrases_after(silence: Seconds) -> EndpointPolicy:
    """The policy that ends a phrase after this much silence."""
    early = Seconds(min(PHRASES.decode_after, silence))
    return replace(PHRASES, decode_after=early, complete_wait=silence, unknown_wait=silence, incomplete_wait=silence)


_CUT_WITHIN = Seconds(2.0)  # before the cap: most people pause between two words in this time
_SPARE = Seconds(1.0)  # of what is remembered, beyond what the policy needs


@dataclass(frozen=True, slots=True, eq=False)
class Try:
    """Recognise this."""

    number: int

    sound: AudioFrame
    """Where it lies on the channel."""

    partial: bool
    """The speaker still speaks."""


@dataclass(frozen=True, slots=True)
class Drop:
    """The speaker went on: this try is of no use any more."""

    number: int


@dataclass(frozen=True, slots=True)
class Ended:
    """A phrase is over, and this try holds it."""

    number: int
    start: Seconds
    end: Seconds
    """When the voice ended."""


Cue: TypeAlias = Try | Drop | Ended


@dataclass(frozen=True, slots=True)
class _Beat:
    """20 ms that were listened to."""

    end: Seconds
    speech: bool
    loudness: float
    """Mean square."""


class Phrasing:
    """One channel's."""

    def __init__(self, vad: VoiceActivity, format: AudioFormat = TELEPHONY, policy: EndpointPolicy = PHRASES) -> None:
        """``policy`` says how long to wait; its ``take_back`` and ``complete_wait`` have no meaning here.

        Raises:
            MediaError: ``format`` is none of ``RATES``.
        """
        if format.rate_hz not in RATES:
            known = ", ".join(map(str, RATES))
            raise MediaError(f"expected sound of {known} Hz, found {format.rate_hz}")
        self._vad, self._format, self._policy = vad, format, policy
        self._narrow = LiveResampler(format, TELEPHONY)
        self._wide = LiveResampler(format, TELEPHONY if format == TELEPHONY else WIDEBAND)
        self._taken = 0  # samples of the source so far
        self._unheard = AudioFrame(np.zeros(0, np.int16))  # narrow sound that does not fill a frame yet
        self._remembered = Seconds(policy.longest + policy.pre_roll + policy.incomplete_wait + _SPARE)
        self._sound: deque[AudioFrame] = deque()
        self._beats: deque[_Beat] = deque(maxlen=round((_CUT_WITHIN + policy.incomplete_wait + _SPARE) / FRAME))
        self._last = 0  # number of the newest try
        self._tried_until = Seconds(0.0)
        self._begin_anew(Seconds(0.0))

    @property
    def now(self) -> Seconds:
        """How much was heard, in seconds from the channel's start."""
        return self._format.seconds(self._taken)

    @property
    def speaking(self) -> bool:
        """Whether a phrase is open."""
        return self._endpointer.speaking

    def hear(self, frame: AudioFrame) -> tuple[Cue, ...]:
        """Take the next sound, of any length; ``frame.start`` does not matter."""
        return tuple(self._heard(frame))

    def answered(self, number: int) -> None:
        """Learn that a partial try was answered, or will never be."""
        self._endpointer.receive(Judged(number - self._before, Completeness.UNKNOWN), self.now)

    def finish(self) -> tuple[Cue, ...]:
        """End the phrase that is open; what comes next begins another."""
        return tuple(self._finished())

    def skip(self, until: Seconds) -> tuple[Cue, ...]:
        """End the phrase that is open, and go on at ``until``: nothing was heard in between.

        Raises:
            MediaError: ``until`` lies before :attr:`now`.
        """
        if until < self.now:
            raise MediaError(f"expected to skip to {self.now:.3f} s or later, found {until:.3f} s")
        cues = self.finish()
        self._taken = self._format.samples(until)
        return cues

    def _heard(self, frame: AudioFrame) -> Iterator[Cue]:
        step = self._format.samples(FRAME)
        for offset in range(0, len(frame.samples), step):
            samples = frame.samples[offset : offset + step]
            piece = AudioFrame(samples, frame.format, SampleIndex(self._taken))
            self._taken += len(samples)
            self._remember(self._wide.feed(piece))
            yield from self._listen(self._narrow.feed(piece))

    def _finished(self) -> Iterator[Cue]:
        self._remember(self._wide.flush())
        yield from self._listen(self._narrow.flush())
        if len(self._unheard.samples):
            missing = FRAME_SAMPLES - len(self._unheard.samples)
            yield from self._listen(AudioFrame(np.zeros(missing, np.int16)))
        now = self.now
        while self._endpointer.speaking:
            now = Seconds(now + FRAME)
            yield from self._after(self._endpointer.receive(Activity(speech=False), now), now)
        self._begin_anew(self.now)

    def _remember(self, frame: AudioFrame) -> None:
        if len(frame.samples):
            self._sound.append(frame)
        while self._sound and self._sound[0].end_s < self.now - self._remembered:
            self._sound.popleft()

    def _listen(self, narrow: AudioFrame) -> Iterator[Cue]:
        """Take 8 kHz sound in steps of 20 ms."""
        held = narrow if not len(self._unheard.samples) else joined([self._unheard, narrow])
        whole = len(held.samples) - len(held.samples) % FRAME_SAMPLES
        for offset in range(0, whole, FRAME_SAMPLES):
            frame = _part(held, offset, offset + FRAME_SAMPLES)
            beat = _Beat(frame.end_s, self._vad.is_speech(frame), _mean_square(frame.samples))
            self._beats.append(beat)
            yield from self._after(self._endpointer.receive(Activity(beat.speech), beat.end), beat.end)
        self._unheard = _part(held, whole, len(held.samples))

    def _after(self, actions: tuple[EndpointAction, ...], now: Seconds) -> Iterator[Cue]:
        capped = any(isinstance(action, Endpoint) and action.reason is EndReason.CAP for action in actions)
        for action in actions:
            match action:
                case Decode(decode, start, end, partial):
                    yield self._try(action, self._quietest(start) if capped else end)
                    if not partial:
                        verdict = Judged(decode, Completeness.UNKNOWN)
                        yield from self._after(self._endpointer.receive(verdict, now), now)
                case Discard(decode):
                    yield Drop(self._before + decode)
                case Endpoint(decode, start, end):
                    yield Ended(self._before + decode, start, min(end, self._tried_until) if capped else end)
                    self._endpointer.settle()
                case _:
                    pass
        if capped:
            yield from self._go_on()

    def _try(self, action: Decode, end: Seconds) -> Try:
        self._last = self._before + action.decode
        if not action.partial:
            self._tried_until = end
        return Try(self._last, self._between(Seconds(max(action.start, self._floor)), end), action.partial)

    def _between(self, start: Seconds, end: Seconds) -> AudioFrame:
        return joined([frame for frame in self._sound if frame.end_s > start and frame.start_s < end])

    def _quietest(self, start: Seconds) -> Seconds:
        """The middle of the quietest 20 ms shortly before the cap; at least half of the phrase lies before it."""
        newest = self._beats[-1].end
        earliest = max(newest - _CUT_WITHIN, (start + newest) / 2)
        quietest = min((beat for beat in self._beats if beat.end > earliest), key=lambda beat: beat.loudness)
        return Seconds(quietest.end - FRAME / 2)

    def _go_on(self) -> Iterator[Cue]:
        """Hear again what came after the cut, as the beginning of the next phrase."""
        self._begin_anew(self._tried_until)
        for beat in [beat for beat in self._beats if beat.end > self._floor]:
            yield from self._after(self._endpointer.receive(Activity(beat.speech), beat.end), beat.end)

    def _begin_anew(self, floor: Seconds) -> None:
        """Hear with a fresh endpointer, which begins no phrase before ``floor``."""
        self._floor = floor
        self._before = self._last  # its decodes are numbered from 1
        self._endpointer = Endpointer(self._policy, Seconds(self._vad.lag_s))
        self._endpointer.open()


def _part(sound: AudioFrame, first: int, last: int) -> AudioFrame:
    return AudioFrame(sound.samples[first:last], sound.format, SampleIndex(sound.start + first))


def _mean_square(samples: Samples) -> float:
    floats = samples.astype(np.float32)
    return float(floats @ floats) / len(samples)
