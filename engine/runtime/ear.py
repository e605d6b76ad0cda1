"""What the engine hears of one caller: the last seconds of sound, voice activity, and the endpointer.

Knows no worker: it says which stretch of sound is to be recognised, and is told what came of it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from engine.asr.endpointer import Activity, EndpointAction, Endpointer, Judged
from engine.asr.protocol import Hints
from engine.asr.vad import VoiceActivity
from engine.core.audio import FRAME, AudioFrame, joined
from engine.core.units import Seconds
from engine.nlu.interpretation import Completeness, Question
from engine.runtime.jobs import Understood

_REMEMBERED = Seconds(20.0)  # more than the longest turn with what may be taken back before it


@dataclass(frozen=True, slots=True)
class Attention:
    """What the ear is open for."""

    hints: Hints = Hints()
    question: Question = Question()


class Ear:
    """One leg's incoming sound."""

    def __init__(self, vad: VoiceActivity, endpointer: Endpointer) -> None:
        self._vad = vad
        self._endpointer = endpointer
        self._recent: deque[AudioFrame] = deque(maxlen=round(_REMEMBERED / FRAME))
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
        if not self._forgetful:
            self._recent.append(frame)
        self.voice = self._vad.is_speech(frame)
        return self._endpointer.receive(Activity(self.voice), frame.end_s)

    def listen(self, attention: Attention) -> None:
        """Open up for an answer to something new."""
        self.attention = attention
        self._forgetful = False
        self._endpointer.open()

    def close(self) -> tuple[EndpointAction, ...]:
        """Hear nothing until the next question, and keep no sound: what is said over a secret entry is nobody's business."""
        self._recent.clear()
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
        frames = []
        for frame in reversed(self._recent):  # the newest first: of a thousand, the last hundred are wanted
            if frame.end_s <= start:
                break
            if frame.start_s < end:
                frames.append(frame)
        return joined(frames[::-1]) if frames else None
