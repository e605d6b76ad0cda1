"""From a line's sound to evidence: 20 ms frames in, verdicts out, and which stretches are worth a recogniser's work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from engine.asr.vad import VoiceActivity
from engine.core.audio import AudioFrame, joined
from engine.core.units import Language, Seconds
from engine.outbound.answering.tones import Signal, Signals
from engine.outbound.answering.verdict import USUAL, Answering, Patience, Verdict, Voice, Words

# Of a greeting; what is shorter, cadence judges alone. The last is for machines that were taken for people.
_WORTH: Final = (Seconds(1.0), Seconds(1.6), Seconds(2.2), Seconds(2.85), Seconds(4.2))
_LEAD: Final = Seconds(0.3)


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of 20 ms."""

    verdict: Verdict | None = None
    signal: Signal | None = None

    sound: AudioFrame | None = None
    """All of the greeting so far, now worth recognising; its words come back by :meth:`Listener.words`."""


class Listener:
    """Listens to one answered line, from its first frame on; whatever number that has, time counts from it."""

    def __init__(self, vad: VoiceActivity, language: Language, patience: Patience = USUAL) -> None:
        self.answering = Answering(language, patience)
        self._vad = vad
        self._signals = Signals()
        self._kept: list[AudioFrame] = []
        self._asked = 0
        self._origin: Seconds | None = None
        self.now = Seconds(0.0)

    def hear(self, frame: AudioFrame) -> Heard:
        """Take the newest 20 ms of 8 kHz."""
        if self._origin is None:
            self._origin = frame.start_s
        self.now = Seconds(frame.end_s - self._origin)
        self._keep(frame)
        voice = self._vad.is_speech(frame)
        signal = self._signals.hear(frame, voice_before=self.answering.voice_before)
        verdict = self.answering.receive(Voice(voice and not self._signals.sounding), self.now)
        if signal is not None:
            verdict = self.answering.receive(signal, self.now) or verdict
        return Heard(verdict, signal, self._worth())

    def words(self, text: str) -> Verdict | None:
        """Take what a recogniser heard in the sound that was given last."""
        return self.answering.receive(Words(text), self.now)

    def _keep(self, frame: AudioFrame) -> None:
        if self._asked < len(_WORTH):
            self._kept.append(frame)
            if self.answering.speaking_since is None and len(self._kept) * frame.duration > _LEAD:
                del self._kept[0]

    def _worth(self) -> AudioFrame | None:
        began = self.answering.speaking_since
        if began is None or self._asked == len(_WORTH) or self.now - began < _WORTH[self._asked]:
            return None
        self._asked += 1
        sound = joined(self._kept)
        if self._asked == len(_WORTH):
            self._kept.clear()
        return sound
