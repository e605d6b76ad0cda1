"""What the engine hears of one caller: the last seconds of sound, voice activity, and the endpointer.

Knows no worker: it says which stretch of sound is to be recognised, and is told what came of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.asr.endpointer import Activity, EndpointAction, Endpointer, Judged
from engine.asr.protocol import Hints
from engine.asr.vad import VoiceActivity
from engine.core.audio import FRAME, FRAME_SAMPLES, TELEPHONY, AudioFrame
from engine.core.units import SampleIndex, Seconds
from engine.nlu.interpretation import Completeness, Question
from engine.runtime.jobs import Understood

_REMEMBERED = round(20.0 / FRAME)  # frames: more than the longest turn with what may be taken back before it


@dataclass(frozen=True, slots=True)
class Attention:
    """What the ear is open for."""

    hints: Hints = Hints()
    question: Question = Question()


class _Memory:
    """The last frames of one leg, in place: a thousand objects a call would be a hundred thousand for the garbage collector."""

    def __init__(self) -> None:
        self._ring = np.zeros((_REMEMBERED, FRAME_SAMPLES), np.int16)
        self._first = self._end = 0  # frames of the timeline that are in it

    def keep(self, frame: AudioFrame) -> None:
        """Take the newest; where it does not follow the one before, that and all others are gone."""
        place = frame.start // FRAME_SAMPLES
        if place != self._end:
            self._first = place
        self._ring[place % _REMEMBERED] = frame.samples
        self._end = place + 1

    def forget(self) -> None:
        """Leave nothing of it."""
        self._ring.fill(0)
        self._first = self._end

    def between(self, start: Seconds, end: Seconds) -> AudioFrame | None:
        """The frames that hold sound from ``start`` to ``end``, as far as they are there; ``None`` where none is."""
        first = max(TELEPHONY.samples(start) // FRAME_SAMPLES, self._first, self._end - _REMEMBERED)
        last = min(-(-TELEPHONY.samples(end) // FRAME_SAMPLES), self._end)
        if first >= last:
            return None
        places = np.arange(first, last) % _REMEMBERED
        return AudioFrame(self._ring[places].reshape(-1), TELEPHONY, SampleIndex(first * FRAME_SAMPLES))


class Ear:
    """One leg's incoming sound."""

    def __init__(self, vad: VoiceActivity, endpointer: Endpointer) -> None:
        self._vad = vad
        self._endpointer = endpointer
        self._recent = _Memory()
        self.attention = Attention()
        """What the caller was last asked; a turn that is taken back is heard with the question it answered."""
        self.voice = False
        """Whether there was a voice in the newest frame."""
        self._forgetful = False

    @property
    def speaking(self) -> bool:
        """Whether the caller is in the middle of a turn."""
        return self._endpointer.speaking

    def hear(self, frame: AudioFrame) -> tuple[EndpointAction, ...]:
        """Take the newest 20 ms."""
        self.voice = self._vad.is_speech(frame)
        if not self._forgetful:
            self._recent.keep(frame)
        return self._endpointer.receive(Activity(self.voice), frame.end_s)

    def listen(self, attention: Attention) -> None:
        """Open up for an answer to something new."""
        self.attention = attention
        self._forgetful = False
        self._endpointer.open()

    def close(self) -> tuple[EndpointAction, ...]:
        """Hear nothing until the next question, and keep no sound: what is said over a secret entry is nobody's business."""
        self._recent.forget()
        self._forgetful = True
        return self._endpointer.close()

    def settle(self) -> None:
        """What was decided can't be undone: the next words are a turn of their own."""
        self._endpointer.settle()

    def judged(self, decode: int, heard: Understood | None, now: Seconds) -> tuple[EndpointAction, ...]:
        """Take what came of a decode; ``None`` = it failed."""
        if heard is None:
            return self._endpointer.receive(Judged(decode, Completeness.UNKNOWN, words=False), now)
        completeness, words = heard.interpretation.completeness, bool(heard.transcript)
        return self._endpointer.receive(Judged(decode, completeness, words=words, finished=heard.finished), now)

    def sound(self, start: Seconds, end: Seconds) -> AudioFrame | None:
        """The sound from ``start`` to ``end`` as far as it is remembered; ``None`` where none of it is."""
        return self._recent.between(start, end)
